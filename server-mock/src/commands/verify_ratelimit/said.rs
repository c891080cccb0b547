//! What a server says of its limits: the headers of one answer, whatever their dialect.

use http::HeaderMap;
use serde::Serialize;

/// Epoch seconds begin where no reset is so many seconds away: 2001.
const EPOCH_S: f64 = 1e9;

/// The tightest limit that the headers of an answer name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Said {
    /// The headers it was read from.
    pub(super) dialect: &'static str,
    pub(super) limit: Option<f64>,
    pub(super) remaining: f64,
    /// Seconds until the quota is there again.
    pub(super) reset_s: Option<f64>,
    /// Seconds of the window, where the policy is told.
    pub(super) window_s: Option<f64>,
}

/// `now_s` is the server's time where it says `Date`, for resets that are instants.
pub(super) fn read(headers: &HeaderMap, now_s: f64) -> Option<Said> {
    structured(headers)
        .or_else(|| pairs(headers))
        .or_else(|| triple(headers, now_s))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `"burst";r=3;t=1` and `"burst";q=10;w=1` (draft-ietf-httpapi-ratelimit-headers-08 and later).
fn structured(headers: &HeaderMap) -> Option<Said> {
    let items = |name: &str| -> Vec<(String, Vec<(String, f64)>)> {
        let Some(text) = text(headers, name) else {
            return Vec::new();
        };
        text.split(',').filter_map(item).collect()
    };
    let policies = items("ratelimit-policy");
    let find = |parameters: &[(String, f64)], name: &str| {
        parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    };
    items("ratelimit")
        .into_iter()
        .filter_map(|(name, parameters)| {
            let policy = policies.iter().find(|(known, _)| *known == name);
            let of_policy = |parameter| policy.and_then(|(_, own)| find(own, parameter));
            Some(Said {
                dialect: "RateLimit (draft 08 and later)",
                limit: of_policy("q"),
                remaining: find(&parameters, "r")?,
                reset_s: find(&parameters, "t"),
                window_s: of_policy("w"),
            })
        })
        .min_by(|a, b| a.remaining.total_cmp(&b.remaining))
}

/// `"name";a=1;b=2`.
fn item(text: &str) -> Option<(String, Vec<(String, f64)>)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.strip_prefix('"')?.strip_suffix('"')?;
    let parameters = parts
        .filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect();
    Some((name.to_owned(), parameters))
}

/// `limit=10, remaining=9, reset=1` (draft 07).
fn pairs(headers: &HeaderMap) -> Option<Said> {
    let line = text(headers, "ratelimit")?;
    let find = |name: &str| -> Option<f64> {
        line.split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value.parse().ok())
    };
    Some(Said {
        dialect: "RateLimit: limit=, remaining=, reset= (draft 07)",
        limit: find("limit"),
        remaining: find("remaining")?,
        reset_s: find("reset"),
        window_s: None,
    })
}

/// A header for each number.
fn triple(headers: &HeaderMap, now_s: f64) -> Option<Said> {
    const NAMES: [(&str, &str, &str); 4] = [
        ("RateLimit-*", "ratelimit-", ""),
        ("X-RateLimit-*", "x-ratelimit-", ""),
        ("X-RateLimit-*-Requests", "x-ratelimit-", "-requests"),
        ("X-Rate-Limit-*", "x-rate-limit-", ""),
    ];
    NAMES.iter().find_map(|(dialect, before, after)| {
        let find = |what: &str| text(headers, &format!("{before}{what}{after}"));
        let number = |text: &str| -> Option<f64> {
            // `10, 10;w=1` and `10;w=1`: the first number is the limit.
            let first = text.split([',', ';']).next()?.trim();
            first.parse().ok().filter(|number: &f64| number.is_finite())
        };
        let reset_s = find("reset").and_then(|text| match number(text) {
            Some(at) if at > EPOCH_S => Some((at - now_s).max(0.0)),
            Some(seconds) => Some(seconds),
            None => duration(text),
        });
        Some(Said {
            dialect,
            limit: find("limit").and_then(number),
            remaining: find("remaining").and_then(number)?,
            reset_s,
            window_s: None,
        })
    })
}

/// `6m0s`, `120ms`, `1h2m3.5s`.
fn duration(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(digits);
        let number: f64 = number.parse().ok()?;
        let letters = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let (unit, after) = unit.split_at(letters);
        seconds += number
            * match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                _ => return None,
            };
        rest = after;
    }
    Some(seconds)
}

/// Seconds to wait by `Retry-After-Ms` or `Retry-After`; an error where it is there and means nothing.
pub(super) fn retry_after(headers: &HeaderMap, now_s: f64) -> Option<Result<f64, String>> {
    if let Some(ms) = text(headers, "retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Some(Ok(ms / 1_000.0));
    }
    let text = text(headers, "retry-after")?;
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Ok(seconds as f64));
    }
    Some(match epoch_s(text) {
        Some(at) => Ok((at - now_s).max(0.0)),
        None => Err(text.to_owned()),
    })
}

/// The instant of an HTTP date.
pub(super) fn epoch_s(text: &str) -> Option<f64> {
    let at = httpdate::parse_http_date(text).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn every_dialect_says_the_same() {
        let dialects: [&[(&str, &str)]; 8] = [
            &[
                ("ratelimit", r#""day";r=900;t=7, "burst";r=3;t=7"#),
                (
                    "ratelimit-policy",
                    r#""burst";q=10;w=10, "day";q=1000;w=86400"#,
                ),
            ],
            &[("ratelimit", "limit=10, remaining=3, reset=7")],
            &[
                ("ratelimit-limit", "10, 10;w=10"),
                ("ratelimit-remaining", "3"),
                ("ratelimit-reset", "7"),
            ],
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "3"),
                ("x-ratelimit-reset", "7"),
            ],
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "3"),
                ("x-ratelimit-reset", "1735689607"),
            ],
            &[
                ("x-ratelimit-limit-requests", "10"),
                ("x-ratelimit-remaining-requests", "3"),
                ("x-ratelimit-reset-requests", "7s"),
            ],
            &[
                ("x-rate-limit-limit", "10"),
                ("x-rate-limit-remaining", "3"),
                ("x-rate-limit-reset", "7.000"),
            ],
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "3"),
                ("x-ratelimit-reset", "0m7s"),
            ],
        ];
        for lines in dialects {
            let said = read(&headers(lines), 1_735_689_600.0).unwrap();
            assert_eq!(
                (said.limit, said.remaining, said.reset_s),
                (Some(10.0), 3.0, Some(7.0)),
                "{lines:?}"
            );
        }
        assert_eq!(
            read(&headers(&[("ratelimit", "\"burst;r=;t=soon")]), 0.0),
            None
        );
    }

    #[test]
    fn waits_are_read_in_all_forms() {
        let wait = |name, value| retry_after(&headers(&[(name, value)]), 784_111_777.0);
        assert_eq!(wait("retry-after", "3"), Some(Ok(3.0)));
        assert_eq!(wait("retry-after-ms", "1500"), Some(Ok(1.5)));
        assert_eq!(
            wait("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"),
            Some(Ok(3.0))
        );
        assert_eq!(wait("retry-after", "soon"), Some(Err("soon".into())));
        assert_eq!(wait("date", "soon"), None);
    }
}
