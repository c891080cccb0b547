//! Errors as JSON: `{code, message, what, status, method, url, requestId, retryAfterMs, retryability, noRetry, advice, elapsedMs, headers,
//! body (base64), problem, attempts, cause}`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright::Error;
use serde::de::IgnoredAny;

use crate::names::Language;
use crate::{json, meta};

/// What the host language threw, on its way through the core: its number there, and its text.
#[derive(Debug)]
pub(crate) struct HostCause {
    pub(crate) cause: u32,
    pub(crate) text: String,
}

impl fmt::Display for HostCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for HostCause {}

/// The number of what the host language threw, where that was the cause.
fn cause_of(error: &Error) -> Option<u32> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(thrown) = cause.downcast_ref::<HostCause>() {
            return Some(thrown.cause);
        }
        next = cause.source();
    }
    None
}

/// An error as JSON, in the words of a language.
pub(crate) fn to_json(error: &Error, language: Language) -> Vec<u8> {
    let core_advice = error.advice();
    let advice = language.words(&core_advice);
    let core_message = error.to_string();
    // Of an answer the server's own words are part, which stay as they are.
    let answered = error.status().is_some();
    let message = match core_message.strip_suffix(&core_advice) {
        Some(before) if answered => format!("{before}{advice}"),
        _ => language.words(&core_message).into_owned(),
    };
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"code\":");
    json::string(&mut out, error.code());
    json::member(&mut out, "message");
    json::string(&mut out, &message);
    json::member(&mut out, "what");
    if answered {
        json::string(&mut out, error.what());
    } else {
        json::string(&mut out, &language.words(error.what()));
    }
    json::member(&mut out, "status");
    json::or_null(&mut out, error.status(), |out, status| {
        json::number(out, status.as_u16().into());
    });
    json::member(&mut out, "method");
    json::or_null(&mut out, error.method(), |out, method| {
        json::string(out, method.as_str());
    });
    json::member(&mut out, "url");
    json::or_null(&mut out, error.url(), json::string);
    json::member(&mut out, "requestId");
    json::or_null(&mut out, error.request_id(), json::string);
    json::member(&mut out, "retryAfterMs");
    json::or_null(&mut out, error.retry_after(), json::milliseconds);
    json::member(&mut out, "retryability");
    json::string(&mut out, error.retryability().as_str());
    json::member(&mut out, "noRetry");
    json::or_null(&mut out, error.no_retry(), json::shown);
    json::member(&mut out, "advice");
    json::string(&mut out, &advice);
    json::member(&mut out, "elapsedMs");
    json::milliseconds(&mut out, error.elapsed());
    json::member(&mut out, "headers");
    json::or_null(&mut out, error.status(), |out, _| {
        meta::headers(out, error.headers());
    });
    json::member(&mut out, "body");
    json::string(&mut out, &STANDARD.encode(error.body()));
    json::member(&mut out, "problem");
    json::or_null(&mut out, object(error.body()), |out, object| {
        out.extend_from_slice(object.as_bytes());
    });
    json::member(&mut out, "attempts");
    meta::attempts(&mut out, error.attempts());
    json::member(&mut out, "cause");
    json::or_null(&mut out, cause_of(error), |out, cause| {
        json::number(out, cause.into());
    });
    out.push(b'}');
    out
}

/// The body, where it is a JSON object.
fn object(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body)
        .ok()?
        .trim_matches([' ', '\t', '\r', '\n']);
    if !text.starts_with('{') {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright::ErrorKind;
    use serde_json::{Value, json};

    fn read(error: &Error) -> Value {
        serde_json::from_slice(&to_json(error, Language::JavaScript)).unwrap()
    }

    #[test]
    fn an_error_without_an_answer_has_all_members() {
        let error =
            Error::new(ErrorKind::InvalidConfig, "`attempt_timeout` is 0").caused_by(HostCause {
                cause: 9,
                text: "t".to_owned(),
            });
        assert_eq!(
            read(&error),
            json!({
                "code": "invalid_config",
                "message": "invalid_config: `attemptTimeout` is 0; change the setting",
                "what": "`attemptTimeout` is 0",
                "status": null, "method": null, "url": null, "requestId": null, "retryAfterMs": null,
                "retryability": "permanent", "noRetry": null, "advice": "change the setting", "elapsedMs": 0,
                "headers": null, "body": "", "problem": null, "attempts": [], "cause": 9,
            })
        );
    }

    #[test]
    fn only_json_objects_are_problems() {
        for (body, is_one) in [
            (&b" {\"a\": [1, \"\\ud800\"]}\n"[..], true),
            (b"{}", true),
            (b"[]", false),
            (b"", false),
            (b"{\"a\":1", false),
            (b"{\"a\":\"\xff\"}", false),
            (b"{} {}", false),
            (b"{\"a\":\"\n\"}", false),
        ] {
            assert_eq!(
                object(body).is_some(),
                is_one,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }
}
