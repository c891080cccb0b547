//! What can be set of an endpoint: read from JSON, checked field by field, and shown again.

use std::collections::BTreeMap;

use gatewright_event_filter::{Filter, FilterError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::custom_headers;
use super::listener::LISTEN;
use super::target;
use crate::parameter::whole_json;
use crate::problem::FieldError;
use crate::world::Surroundings;

/// Event types one endpoint may name.
const MAX_TYPES: usize = 100;
const MAX_TYPE_BYTES: usize = 100;
const MAX_URL_CHARS: usize = 2_048;
const MAX_DESCRIPTION_CHARS: usize = 500;
/// Deliveries an endpoint gets at the same time where it does not say.
const IN_FLIGHT: u32 = 8;
const MAX_IN_FLIGHT: u32 = 32;
const MIN_TIMEOUT_MS: u64 = 100;
const MAX_TIMEOUT_MS: u64 = 30_000;
const RESULT_TIMEOUT_MS: u64 = 30_000;
const MAX_RESULT_TIMEOUT_MS: u64 = 600_000;

/// The fields a caller may write on the data port.
const FIELDS: [&str; 9] = [
    "url",
    "description",
    "types",
    "filter",
    "headers",
    "ordered",
    "max_in_flight",
    "timeout_ms",
    "enabled",
];

/// Settings as they are asked for, not checked yet.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Not for an endpoint that listens.
    pub(crate) url: String,
    /// Whether it has no address: its deliveries go out on the connection that its receiver opens.
    pub(crate) listen: bool,
    pub(crate) result_timeout_ms: Option<u64>,
    pub(crate) description: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) ordered: bool,
    pub(crate) max_in_flight: Option<u32>,
    pub(crate) timeout_ms: Option<u64>,
    /// Whether events are sent to it; what is left out means yes.
    pub(crate) enabled: Option<bool>,
}

/// Settings that hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The address; `listen:` for an endpoint that listens.
    pub(crate) url: String,
    /// Real time a listener's result may take; `None` for an endpoint with an address.
    pub(crate) result_timeout_ms: Option<u64>,
    pub(crate) description: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) ordered: bool,
    pub(crate) max_in_flight: u32,
    pub(crate) timeout_ms: Option<u64>,
}

/// What is wrong with settings.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) fields: Vec<FieldError>,
    /// Where the filter went wrong, if it did.
    pub(crate) filter: Option<FilterError>,
}

impl Faults {
    fn add(&mut self, field: &str, code: &'static str, detail: impl Into<String>) {
        self.fields.push(FieldError {
            pointer: format!("/{}", field.replace('~', "~0")),
            code,
            detail: detail.into(),
        });
    }

    /// The first of them in one line.
    pub(crate) fn told(&self) -> String {
        self.fields.first().map_or_else(String::new, |first| {
            format!(
                "{}: {}",
                first.pointer.trim_start_matches('/'),
                first.detail
            )
        })
    }
}

impl Asked {
    /// Reads the members of a JSON object; those that nobody may write are passed over.
    pub(crate) fn read(members: &Map<String, Value>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let asked = Self {
            url: member(members, "url", "a text", &mut faults).unwrap_or_default(),
            listen: false,
            result_timeout_ms: None,
            description: member(members, "description", "a text", &mut faults),
            types: member(members, "types", "a list of texts", &mut faults).unwrap_or_default(),
            filter: member(members, "filter", "a text", &mut faults),
            headers: member(members, "headers", "an object of texts", &mut faults)
                .unwrap_or_default(),
            ordered: member(members, "ordered", "true or false", &mut faults).unwrap_or_default(),
            max_in_flight: member(members, "max_in_flight", "a whole number", &mut faults),
            timeout_ms: member(members, "timeout_ms", "a whole number", &mut faults),
            enabled: member(members, "enabled", "true or false", &mut faults),
        };
        if faults.fields.is_empty() {
            Ok(asked)
        } else {
            Err(faults)
        }
    }

    /// Checks everything and says all that is wrong.
    pub(crate) fn check(self, surroundings: &Surroundings) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let url = self.address(surroundings, &mut faults);
        self.check_types(&mut faults);
        if let Some(text) = &self.filter
            && let Err(error) = Filter::parse(text)
        {
            faults.add("filter", "invalid_filter", error.to_string());
            faults.filter = Some(error);
        }
        for (name, code, detail) in custom_headers::faults(&self.headers) {
            faults.add(&name, code, detail);
        }
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_DESCRIPTION_CHARS {
            let detail = format!("must be at most {MAX_DESCRIPTION_CHARS} characters");
            faults.add("description", "too_long", detail);
        }
        let in_flight = self.max_in_flight;
        if in_flight.is_some_and(|most| !(1..=MAX_IN_FLIGHT).contains(&most)) {
            let detail = format!("must be 1 to {MAX_IN_FLIGHT}");
            faults.add("max_in_flight", "out_of_range", detail);
        } else if self.ordered && in_flight.is_some_and(|most| most > 1) {
            let detail = "an ordered endpoint gets one at a time: leave it out or say 1";
            faults.add("max_in_flight", "conflict", detail);
        }
        if let Some(ms) = self.timeout_ms
            && !(MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS).contains(&ms)
        {
            let detail = format!("must be {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}");
            faults.add("timeout_ms", "out_of_range", detail);
        }
        if !faults.fields.is_empty() {
            return Err(faults);
        }
        let patience_ms = self.result_timeout_ms.unwrap_or(RESULT_TIMEOUT_MS);
        Ok(Settings {
            url,
            result_timeout_ms: self.listen.then_some(patience_ms),
            description: self.description,
            types: self.types,
            filter: self.filter,
            headers: custom_headers::in_lower_case(self.headers),
            ordered: self.ordered,
            max_in_flight: if self.ordered {
                1
            } else {
                in_flight.unwrap_or(IN_FLIGHT)
            },
            timeout_ms: self.timeout_ms,
        })
    }

    fn address(&self, surroundings: &Surroundings, faults: &mut Faults) -> String {
        if !self.listen {
            if self.result_timeout_ms.is_some() {
                let detail = "only an endpoint that listens has it";
                faults.add("result_timeout_ms", "not_allowed", detail);
            }
            if self.url.chars().count() > MAX_URL_CHARS {
                let detail = format!("must be at most {MAX_URL_CHARS} characters");
                faults.add("url", "too_long", detail);
                return String::new();
            }
            if self.url.is_empty() {
                faults.add("url", "required", "url is required");
                return String::new();
            }
            return match target::parse(&self.url, surroundings.own_ports()) {
                Ok(url) => url.to_string(),
                Err(detail) => {
                    faults.add("url", "invalid_url", detail);
                    String::new()
                }
            };
        }
        if !self.url.is_empty() {
            faults.add("url", "not_allowed", "an endpoint that listens has none");
        }
        let patience_ms = self.result_timeout_ms.unwrap_or(RESULT_TIMEOUT_MS);
        if !(1..=MAX_RESULT_TIMEOUT_MS).contains(&patience_ms) {
            let detail = format!("got {patience_ms} when expecting 1 to {MAX_RESULT_TIMEOUT_MS}");
            faults.add("result_timeout_ms", "out_of_range", detail);
        }
        LISTEN.into()
    }

    fn check_types(&self, faults: &mut Faults) {
        if self.types.len() > MAX_TYPES {
            let detail = format!("an endpoint names at most {MAX_TYPES} types");
            faults.add("types", "too_many", detail);
            return;
        }
        for (at, kind) in self.types.iter().enumerate() {
            let good = (1..=MAX_TYPE_BYTES).contains(&kind.len())
                && kind.bytes().all(|byte| byte.is_ascii_graphic());
            if !good {
                let detail = format!(
                    "a type has 1 to {MAX_TYPE_BYTES} visible ASCII characters, such as contact.created or contact.*"
                );
                faults.add(&format!("types/{at}"), "invalid_type", detail);
            }
        }
    }
}

/// A member that is not there, or null, is left out.
fn member<T: DeserializeOwned>(
    members: &Map<String, Value>,
    name: &str,
    what: &str,
    faults: &mut Faults,
) -> Option<T> {
    let value = members.get(name).filter(|value| !value.is_null())?;
    let whole = value.as_f64().and_then(|_| whole_json(value));
    let read = T::deserialize(whole.map_or_else(|| value.clone(), Value::from));
    if read.is_err() {
        faults.add(name, "wrong_type", format!("must be {what}"));
    }
    read.ok()
}

impl Settings {
    /// What a merge patch (RFC 7396) makes of them, not checked yet. Credentials that come back as they were shown are kept.
    pub(crate) fn patched(&self, patch: &Map<String, Value>) -> Map<String, Value> {
        let Value::Object(mut members) = serde_json::json!({
            "url": self.url,
            "description": self.description,
            "types": self.types,
            "filter": self.filter,
            "headers": self.headers,
            "ordered": self.ordered,
            "max_in_flight": self.max_in_flight,
            "timeout_ms": self.timeout_ms,
        }) else {
            return Map::new();
        };
        if patch.get("ordered").is_some() && patch.get("max_in_flight").is_none() {
            // How many at once follows from it.
            members.remove("max_in_flight");
        }
        for name in FIELDS {
            match (patch.get(name), members.get_mut(name)) {
                (None, _) => {}
                (Some(Value::Object(inner)), Some(Value::Object(known))) => {
                    for (header, value) in inner {
                        known.retain(|known, _| !known.eq_ignore_ascii_case(header));
                        if !value.is_null() {
                            known.insert(header.clone(), value.clone());
                        }
                    }
                }
                (Some(value), _) => {
                    members.insert(name.into(), value.clone());
                }
            }
        }
        self.keep_credentials(&mut members);
        members
    }

    /// What a whole new representation makes of them, not checked yet.
    pub(crate) fn replaced(&self, body: &Map<String, Value>) -> Map<String, Value> {
        let mut members = body.clone();
        self.keep_credentials(&mut members);
        members
    }

    /// Header values that are shown only in part: who sends them back unchanged means the same.
    fn keep_credentials(&self, members: &mut Map<String, Value>) {
        let Some(Value::Object(headers)) = members.get_mut("headers") else {
            return;
        };
        for (name, value) in headers.iter_mut() {
            let known = self.headers.get(&name.to_ascii_lowercase());
            if let Some(known) = known
                && value.as_str() == Some(custom_headers::shown(name, known).as_str())
            {
                *value = Value::from(known.as_str());
            }
        }
    }
}
