//! Versions of the API by date: which one a request means, how the older one writes a contact, and how it is announced that
//! something will go away (`Deprecation`, RFC 9745; `Sunset`, RFC 8594).
//!
//! A request means the version of its `Api-Version`, else the one its test key is pinned to by a suffix
//! (`sk_test_pro_acme_v2026-05-01`), else the newest. See decision 0042.

use http::header::{LINK, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::op::{Kind, Op};
use crate::problem::{FieldError, Problem};
use crate::timestamp::http_date;

pub(crate) const API_VERSION: HeaderName = HeaderName::from_static("api-version");
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// A version of the API, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ApiVersion {
    /// A contact has `organization`, an object with a `name`.
    May2026,
    /// A contact has `company`, text.
    #[default]
    November2026,
}

/// All versions by their dates, oldest first.
pub(crate) const VERSIONS: [(&str, ApiVersion); 2] = [
    ("2026-05-01", ApiVersion::May2026),
    ("2026-11-01", ApiVersion::November2026),
];

/// When something was declared old and when it goes away, in seconds since 1970.
struct Leaving {
    deprecated: u64,
    gone: u64,
    links: &'static str,
}

/// The version before the newest: from 2026-11-01 on, until 2027-11-01.
const MAY_2026: Leaving = Leaving {
    deprecated: 1_793_491_200,
    gone: 1_825_027_200,
    links: "<https://gatewright.dev/docs/api-versions>; rel=\"deprecation\"; type=\"text/html\", \
            <https://gatewright.dev/docs/api-versions>; rel=\"sunset\"; type=\"text/html\"",
};

/// `GET /v1/account`: from 2026-09-01 on, until 2027-03-01.
const ACCOUNT: Leaving = Leaving {
    deprecated: 1_788_220_800,
    gone: 1_803_859_200,
    links: "<https://gatewright.dev/docs/account>; rel=\"deprecation\"; type=\"text/html\", \
            </v1/whoami>; rel=\"successor-version\"",
};

impl ApiVersion {
    /// The version a request means, or 400 with those there are.
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        let Some(asked) = call.header(API_VERSION.as_str()) else {
            let pinned = call.credential.as_deref().and_then(pinned);
            return Ok(pinned.map(|(_, version)| version).unwrap_or_default());
        };
        let known = VERSIONS
            .iter()
            .find(|(date, _)| date.as_bytes() == asked.trim_ascii());
        known.map(|(_, version)| *version).ok_or_else(|| {
            let dates = VERSIONS.map(|(date, _)| date);
            Problem::new(
                StatusCode::BAD_REQUEST,
                "unknown_api_version",
                format!("there is no such version; send one of {}", dates.join(", ")),
            )
            .with_member("supported", json!(dates))
        })
    }

    /// Its date.
    pub(crate) fn date(self) -> &'static str {
        let found = VERSIONS.iter().find(|(_, version)| *version == self);
        found.map_or("", |(date, _)| date)
    }

    /// What a client sent as the newest version has it; also where its fields are in what it sent.
    pub(crate) fn understood(
        self,
        kind: Kind,
        body: &mut Map<String, Value>,
    ) -> Result<(), FieldError> {
        if self > Self::May2026 || kind != Kind::Contacts {
            return Ok(());
        }
        body.remove("company");
        let company = match body.remove("organization") {
            None => return Ok(()),
            Some(Value::Null) => Value::Null,
            Some(Value::Object(mut organization)) => match organization.remove("name") {
                None => return Ok(()),
                Some(name) => name,
            },
            Some(_) => {
                return Err(FieldError {
                    pointer: "/organization".into(),
                    code: "wrong_type",
                    detail: "must be an object with a name".into(),
                });
            }
        };
        body.insert("company".into(), company);
        Ok(())
    }

    /// A field's name, as this version writes it.
    pub(crate) fn pointer(self, kind: Kind, pointer: String) -> String {
        if self == Self::May2026 && kind == Kind::Contacts && pointer == "/company" {
            return "/organization/name".into();
        }
        pointer
    }

    /// A field as this version writes it.
    pub(crate) fn member(
        self,
        kind: Kind,
        name: &'static str,
        value: &Value,
    ) -> (&'static str, Value) {
        if self == Self::May2026 && kind == Kind::Contacts && name == "company" {
            let organization = match value {
                Value::Null => Value::Null,
                name => json!({ "name": name }),
            };
            return ("organization", organization);
        }
        (name, value.clone())
    }
}

/// What is left of a test key without its version, and the version it is pinned to.
pub(crate) fn pinned(key: &str) -> Option<(&str, ApiVersion)> {
    let (rest, date) = key.rsplit_once("_v")?;
    let (_, version) = VERSIONS.iter().find(|(known, _)| *known == date)?;
    rest.starts_with("sk_test_").then_some((rest, *version))
}

/// Says in an answer which version it has, and what of it is going away.
pub(crate) fn announce(call: &Call, headers: &mut HeaderMap) {
    if !call.path().starts_with("/v1/") {
        return;
    }
    let version = ApiVersion::of(call).unwrap_or_default();
    headers.insert(API_VERSION, HeaderValue::from_static(version.date()));
    let of_contacts = matches!(
        call.op,
        Op::Resource(Kind::Contacts, _) | Op::ProjectContacts
    );
    if of_contacts {
        headers.append(VARY, HeaderValue::from_static("Api-Version"));
    }
    if call.op == Op::Account {
        leaving(&ACCOUNT, headers);
    } else if version < ApiVersion::default() {
        leaving(&MAY_2026, headers);
    }
}

fn leaving(what: &Leaving, headers: &mut HeaderMap) {
    let deprecated = HeaderValue::try_from(format!("@{}", what.deprecated));
    let sunset = HeaderValue::try_from(http_date(what.gone));
    if let (Ok(deprecated), Ok(sunset)) = (deprecated, sunset) {
        headers.insert(DEPRECATION, deprecated);
        headers.insert(SUNSET, sunset);
        headers.append(LINK, HeaderValue::from_static(what.links));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_key_may_be_pinned() {
        assert_eq!(
            pinned("sk_test_pro_acme_v2026-05-01"),
            Some(("sk_test_pro_acme", ApiVersion::May2026))
        );
        for other in [
            "sk_test_pro_acme",
            "sk_test_pro_acme_v2026-05-02",
            "tok_1_v2026-05-01",
        ] {
            assert_eq!(pinned(other), None, "{other}");
        }
    }

    #[test]
    fn the_default_is_the_newest() {
        assert_eq!(VERSIONS[VERSIONS.len() - 1].1, ApiVersion::default());
        assert!(VERSIONS.is_sorted());
    }
}
