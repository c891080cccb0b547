//! Reads how long a server asks to be left alone: `Retry-After` (RFC 9110, section 10.2.3) in seconds
//! and in all three HTTP-date forms, `retry-after-ms` and `x-ms-retry-after-ms`.
//!
//! Dates are read against the response's own `Date`, so that a wrong clock on either side does no harm.
//! What is negative, not a number, infinite or empty is ignored; what is absurd is saturated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::decimal::decimal;
use crate::time::{Now, UnixMillis};

/// No server is believed beyond ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What the server asked for; a date in the past is zero. `None` where it asked for nothing readable.
#[must_use]
pub fn read_retry_after(headers: &HeaderMap, now: Now) -> Option<Duration> {
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(millis) = text(headers, name).and_then(decimal) {
            return Some(from_units(millis, 1_000.0));
        }
    }
    let value = text(headers, RETRY_AFTER.as_str())?;
    if let Some(seconds) = decimal(value) {
        return Some(from_units(seconds, 1.0));
    }
    let at = read_http_date(value)?;
    let from = server_date(headers).unwrap_or(now.wall);
    let millis = at.0.saturating_sub(from.0).max(0);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST))
}

/// The response's own `Date`, where it has a readable one.
#[must_use]
pub fn server_date(headers: &HeaderMap) -> Option<UnixMillis> {
    read_http_date(text(headers, DATE.as_str())?)
}

/// An HTTP-date in any of its three forms (RFC 9110, section 5.6.7).
fn read_http_date(value: &str) -> Option<UnixMillis> {
    let time: SystemTime = httpdate::parse_http_date(value).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(UnixMillis)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn from_units(value: f64, per_second: f64) -> Duration {
    Duration::try_from_secs_f64(value / per_second)
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|(n, v)| {
                (
                    http::HeaderName::from_static(n),
                    http::HeaderValue::from_static(v),
                )
            })
            .collect();
        // 1994-11-06T08:49:37Z
        read_retry_after(
            &headers,
            Now {
                wall: UnixMillis(784_111_777_000),
                ..Now::default()
            },
        )
    }

    #[test]
    fn seconds_and_milliseconds() {
        assert_eq!(read(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(read(&[("retry-after", " 0 ")]), Some(Duration::ZERO));
        assert_eq!(
            read(&[("retry-after", "1.5")]),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            read(&[("retry-after-ms", "1500")]),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            read(&[("x-ms-retry-after-ms", "20"), ("retry-after", "1")]),
            Some(Duration::from_millis(20))
        );
    }

    #[test]
    fn all_three_date_forms() {
        for date in [
            "Sun, 06 Nov 1994 08:49:40 GMT",
            "Sunday, 06-Nov-94 08:49:40 GMT",
            "Sun Nov  6 08:49:40 1994",
        ] {
            let headers = [("retry-after", date)];
            assert_eq!(read(&headers), Some(Duration::from_secs(3)), "{date}");
        }
    }

    #[test]
    fn dates_are_read_against_the_servers_own_date() {
        let read = read(&[
            ("retry-after", "Sun, 06 Nov 1994 09:00:10 GMT"),
            ("date", "Sun, 06 Nov 1994 09:00:00 GMT"),
        ]);
        assert_eq!(read, Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        assert_eq!(
            read(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn nonsense_is_ignored() {
        for bad in [
            "", "-1", "nan", "NaN", "inf", "1e9", "+5", "soon", ".", "1.2.3", "0x10",
        ] {
            assert_eq!(read(&[("retry-after", bad)]), None, "{bad:?}");
        }
    }

    #[test]
    fn absurd_numbers_saturate() {
        assert_eq!(
            read(&[("retry-after", "99999999999999999999999999999")]),
            Some(LONGEST)
        );
        assert_eq!(
            read(&[("retry-after-ms", "18446744073709551616")]),
            Some(LONGEST)
        );
    }
}
