//! What an answer told its client about coming back: waits, what is left of the limits, whether to try again at all.
//!
//! It is read from the headers that were sent, as a client reads them, so that a fault, a refusal and a header rule of
//! the session all count for what they said.

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

/// What an answer said in its headers; `None` where it said nothing that can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Told {
    /// `Retry-After` (RFC 9110, section 10.2.3) or `Retry-After-Ms`, in milliseconds; the shorter of both. A date is
    /// read against the answer's own `Date`.
    pub retry_after_ms: Option<u64>,
    /// Whether that was a date, whose grain is a second.
    pub by_date: bool,
    /// Calls left now, of the tightest limit: `RateLimit` or one of the `-Remaining` headers.
    pub remaining: Option<u64>,
    /// Seconds until the limits are whole again, where that was said in seconds.
    pub reset_s: Option<u64>,
    /// `x-should-retry`.
    pub should_retry: Option<bool>,
}

impl Told {
    /// Reads the headers of an answer.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (after_ms, by_date) = match headers.get(RETRY_AFTER) {
            Some(value) => after(value, headers.get(DATE)),
            None => (None, false),
        };
        let ms = text("retry-after-ms").and_then(whole);
        let (remaining, reset_s) = limits(headers);
        Self {
            retry_after_ms: match (after_ms, ms) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            by_date: by_date && ms.is_none(),
            remaining,
            reset_s,
            should_retry: match text("x-should-retry") {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
        }
    }

    /// Whether nothing was said.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A whole number; one that is too large is the largest.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| text.parse().unwrap_or(u64::MAX))
}

fn after(value: &HeaderValue, date: Option<&HeaderValue>) -> (Option<u64>, bool) {
    let Some(text) = value.to_str().ok().map(str::trim) else {
        return (None, false);
    };
    if let Some(seconds) = whole(text) {
        return (Some(seconds.saturating_mul(1_000)), false);
    }
    let now = date
        .and_then(|date| date.to_str().ok())
        .and_then(|date| httpdate::parse_http_date(date).ok());
    match (httpdate::parse_http_date(text), now) {
        (Ok(at), Some(now)) => {
            let wait = at.duration_since(now).unwrap_or_default();
            (u64::try_from(wait.as_millis()).ok(), true)
        }
        _ => (None, false),
    }
}

/// What is left, and the seconds until all is there again.
fn limits(headers: &HeaderMap) -> (Option<u64>, Option<u64>) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let number = |name: &str| text(name).and_then(|value| value.trim().parse::<u64>().ok());
    if let Some(field) = text("ratelimit") {
        // Draft 10 says r and t for each policy, draft 07 remaining and reset for one.
        let parameter = |short: &'static str, long: &'static str| {
            field
                .split([';', ','])
                .filter_map(|part| part.trim().split_once('='))
                .filter(move |(name, _)| *name == short || *name == long)
                .filter_map(|(_, value)| value.trim().parse::<u64>().ok())
        };
        let remaining = parameter("r", "remaining").min();
        return (remaining, parameter("t", "reset").max());
    }
    let remaining = [
        "ratelimit-remaining",
        "x-ratelimit-remaining",
        "x-ratelimit-remaining-requests",
    ]
    .into_iter()
    .find_map(number);
    (remaining, number("ratelimit-reset"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> Told {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Told::by(&map)
    }

    #[test]
    fn waits_are_read_in_every_form() {
        assert_eq!(told(&[("retry-after", "2")]).retry_after_ms, Some(2_000));
        assert_eq!(told(&[("retry-after-ms", "50")]).retry_after_ms, Some(50));
        let both = told(&[("retry-after", "1"), ("retry-after-ms", "50")]);
        assert_eq!(both.retry_after_ms, Some(50));
        let date = told(&[
            ("date", "Mon, 23 Nov 2026 18:00:00 GMT"),
            ("retry-after", "Mon, 23 Nov 2026 18:00:05 GMT"),
        ]);
        assert_eq!((date.retry_after_ms, date.by_date), (Some(5_000), true));
        for wrong in ["", "soon", "-1", "1.5", "1e3"] {
            assert_eq!(
                told(&[("retry-after", wrong)]),
                Told::default(),
                "{wrong:?}"
            );
        }
        let absurd = told(&[("retry-after", "99999999999999999999")]);
        assert_eq!(absurd.retry_after_ms, Some(u64::MAX));
        let absurd = told(&[("retry-after-ms", "18446744073709551616")]);
        assert_eq!(absurd.retry_after_ms, Some(u64::MAX));
    }

    #[test]
    fn what_is_left_is_the_tightest() {
        let draft10 = told(&[("ratelimit", "\"burst\";r=3;t=1, \"day\";r=0;t=600")]);
        assert_eq!((draft10.remaining, draft10.reset_s), (Some(0), Some(600)));
        let draft07 = told(&[("ratelimit", "limit=10, remaining=9, reset=7")]);
        assert_eq!((draft07.remaining, draft07.reset_s), (Some(9), Some(7)));
        assert_eq!(told(&[("x-ratelimit-remaining", "4")]).remaining, Some(4));
        assert_eq!(told(&[("ratelimit", "%%%")]), Told::default());
    }
}
