//! Headers that a session's answers get, lose or have changed, by operation, path, method and status.
//!
//! A value may contain `{date}`, `{date:+60}` or `{date:-60}`, a date of the session's clock so many seconds from now,
//! and `{epoch:+60}`, the same as seconds since the Unix epoch. `null` takes a header away, a list says it several times.

use std::collections::BTreeMap;

use http::header::{CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::clock::NS;
use crate::fault_rules::holds;
use crate::op::Op;
use crate::timestamp::http_date;

/// Rules a session may have.
pub(crate) const MAX_HEADER_RULES: usize = 100;
/// The longest value.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// Which answers, and what is done to their headers. Later rules see what earlier ones did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HeaderRule {
    /// An operation such as `contacts.get`; a `*` at the end stands for any rest. Default: all but `healthz` and `options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// A method, in any case. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A path; a `*` at the end stands for any rest. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The status of the answer. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// By name, the value or values the header gets; `None` takes it away.
    pub set: BTreeMap<String, Option<HeaderText>>,
}

/// One value of a header, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum HeaderText {
    /// The header is there several times.
    Many(Vec<String>),
    /// The header is there once.
    One(String),
}

impl HeaderRule {
    /// Why it cannot be kept to, if it cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, text) in &self.set {
            let known = HeaderName::try_from(name.as_str())
                .map_err(|_| format!("{name:?} is no header name"))?;
            let framing = [
                CONNECTION,
                CONTENT_LENGTH,
                TE,
                TRAILER,
                TRANSFER_ENCODING,
                UPGRADE,
            ];
            if framing.contains(&known) {
                return Err(format!("{name} is about the connection; use a fault"));
            }
            for value in text.iter().flat_map(HeaderText::values) {
                if value.len() > MAX_VALUE_BYTES {
                    return Err(format!("{name} has more than {MAX_VALUE_BYTES} bytes"));
                }
                // An instant far from either end of the clock shows whether the value can be written.
                filled(value, 1_000_000_000)
                    .and_then(|value| HeaderValue::try_from(value).ok())
                    .ok_or_else(|| format!("{name} cannot be {value:?}"))?;
            }
        }
        Ok(())
    }

    /// The names of the headers that it is about.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.set.keys().map(String::as_str).collect()
    }

    /// Does to `headers` what it says, if the answer is one it is about: whether it is.
    pub(crate) fn apply(
        &self,
        (op, method, path): (Op, &str, &str),
        status: u16,
        headers: &mut HeaderMap,
        now_ns: u64,
    ) -> bool {
        if !holds([&self.op, &self.method, &self.path], op, method, path)
            || self.status.is_some_and(|wanted| wanted != status)
        {
            return false;
        }
        for (name, text) in &self.set {
            let Ok(name) = HeaderName::try_from(name.as_str()) else {
                continue;
            };
            headers.remove(&name);
            for value in text.iter().flat_map(HeaderText::values) {
                let value = filled(value, now_ns / NS).and_then(|value| value.try_into().ok());
                if let Some(value) = value {
                    headers.append(name.clone(), value);
                }
            }
        }
        true
    }
}

impl HeaderText {
    fn values(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// The value with its dates filled in; `None` when a date cannot be read.
fn filled(value: &str, now_s: u64) -> Option<String> {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (inside, behind) = after.split_once('}')?;
        let (word, by) = inside.split_once(':').unwrap_or((inside, "+0"));
        let at = now_s.saturating_add_signed(by.parse().ok()?);
        match word {
            // The last date that can be written is in the year 9999.
            "date" => text.push_str(&http_date(at.min(253_402_300_799))),
            "epoch" => text.push_str(&at.to_string()),
            _ => return None,
        }
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_the_clock() {
        assert_eq!(
            filled("{date:-1} and {epoch:+2}", 784_111_778).as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT and 784111780")
        );
        assert_eq!(filled("max-age=60", 0).as_deref(), Some("max-age=60"));
        for wrong in ["{date:soon}", "{time}", "{date"] {
            assert_eq!(filled(wrong, 0), None, "{wrong}");
        }
    }
}
