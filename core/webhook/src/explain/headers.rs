//! More about a header that is missing or malformed than the error says, and what a request suggests where nothing could be proven.

use super::{Cause, TimestampForm, Trials, body, names};
use crate::error::VerifyError;
use crate::headers::{Found, find};
use crate::layout::TimestampAt;
use crate::received::Received;
use crate::schemes::Scheme;

/// Why a request could not be read.
pub(super) fn cause(error: VerifyError, trials: &Trials<'_>, request: &Received<'_>) -> Cause {
    match error {
        VerifyError::MissingHeader { name } => {
            let similar = names::similar(&name, &trials.settings.layout, request.headers);
            match other_scheme(trials.settings.layout.scheme, request) {
                Some(offered) if similar.is_none() => Cause::OtherScheme { offered },
                _ => Cause::HeaderMissing { name, similar },
            }
        }
        VerifyError::BadTimestamp { name } => {
            let at = trials.settings.layout.timestamp.as_ref();
            let value = match (at, find(request.headers, [&name])) {
                (Some(TimestampAt::Header(_)), [Found::Once(value)]) => value,
                (Some(TimestampAt::Item(prefix)), [Found::Once(list)]) => {
                    let separator = trials.settings.layout.form.separator;
                    let mut items = list.split(|byte| Some(*byte) == separator);
                    let item = items.find_map(|item| item.strip_prefix(prefix.as_bytes()));
                    item.unwrap_or_default()
                }
                _ => return Cause::AsReported(VerifyError::BadTimestamp { name }),
            };
            Cause::TimestampMalformed {
                name,
                form: TimestampForm::of(value),
            }
        }
        // A scheme that reads the body may find nothing in one that was changed.
        error @ (VerifyError::BodyMalformed | VerifyError::BadSignature) => {
            let change = trials.find_body(request);
            change.unwrap_or(match error {
                VerifyError::BadSignature => hint(request),
                error => Cause::AsReported(error),
            })
        }
        other => Cause::AsReported(other),
    }
}

/// Another scheme whose header with signatures is there.
fn other_scheme(ours: Scheme, request: &Received<'_>) -> Option<Scheme> {
    Scheme::ALL.iter().copied().find(|scheme| {
        let Some(layout) = scheme.layout().filter(|_| *scheme != ours) else {
            return false;
        };
        let [found] = find(request.headers, [&layout.signature]);
        !matches!(found, Found::Missing)
    })
}

/// What the request suggests where nothing could be proven.
pub(super) fn hint(request: &Received<'_>) -> Cause {
    let body = request.body;
    if body.is_empty() {
        return Cause::BodyEmpty;
    }
    let [encoding, length] = find(request.headers, ["content-encoding", "content-length"]);
    if let Found::Once(encoding) = encoding
        && !encoding.trim_ascii().is_empty()
        && !encoding.trim_ascii().eq_ignore_ascii_case(b"identity")
        && !body::looks_compressed(body)
    {
        return Cause::BodyDecompressed;
    }
    if let Found::Once(length) = length
        && let Some(declared) = std::str::from_utf8(length)
            .ok()
            .and_then(|text| text.trim().parse::<u64>().ok())
        && u64::try_from(body.len()) != Ok(declared)
    {
        return Cause::BodyLengthDiffers {
            declared,
            got: body.len(),
        };
    }
    Cause::NothingFits
}

impl TimestampForm {
    fn of(value: &[u8]) -> Self {
        let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        if value.trim_ascii() != value {
            return Self::Padded;
        }
        match value {
            _ if digits(value) && (12..=14).contains(&value.len()) => Self::Milliseconds,
            [b'+' | b'-', rest @ ..] if digits(rest) => Self::Sign,
            _ if value.contains(&b'.') && value.split(|byte| *byte == b'.').all(digits) => {
                Self::Fraction
            }
            _ if value.contains(&b':') => Self::Date,
            _ => Self::Other,
        }
    }
}
