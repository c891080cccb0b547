//! Instants as text: RFC 3339 for bodies, IMF-fixdate (RFC 9110, section 5.6.7) for headers.

use std::cell::RefCell;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderValue;

use crate::clock::{MS, NS};

const DAY_SECONDS: u64 = 86_400;

/// `2025-01-31T23:59:59.123Z`, always in UTC with milliseconds.
pub(crate) fn rfc3339(ns: u64) -> String {
    let seconds = ns / NS;
    let (year, month, day) = civil(seconds / DAY_SECONDS);
    let of_day = seconds % DAY_SECONDS;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        ns % NS / MS
    )
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The `Date` header for an instant; the text is made once a second.
pub(crate) fn date_header(ns: u64) -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(u64, HeaderValue)> = const { RefCell::new((u64::MAX, HeaderValue::from_static(""))) };
    }
    let seconds = ns / NS;
    LAST.with_borrow_mut(|(of, value)| {
        if *of != seconds {
            *of = seconds;
            *value = HeaderValue::try_from(http_date(seconds))
                .unwrap_or_else(|_| HeaderValue::from_static(""));
        }
        value.clone()
    })
}

/// The first instant after the UTC day of that number.
pub(crate) fn midnight_after_ns(day: u64) -> u64 {
    day.saturating_add(1).saturating_mul(DAY_SECONDS * NS)
}

/// The number of the UTC day since the epoch.
pub(crate) fn day_number(ns: u64) -> u64 {
    ns / NS / DAY_SECONDS
}

/// Days since the epoch to (year, month, day), in the proleptic Gregorian calendar counted from 1 March.
fn civil(days: u64) -> (u64, u64, u64) {
    let from_era = days + 719_468;
    let era = from_era / 146_097;
    let of_era = from_era % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// An instant of RFC 3339 in nanoseconds since the Unix epoch; one before it is 0. `None` where the text is none.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.split_at_checked(10)?;
    let days = parse_date(date)?;
    let time = time.strip_prefix(['T', 't'])?;
    let (clock, rest) = time.split_at_checked(8)?;
    let mut parts = clock.split(':').map(two_digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let digits = rest.strip_prefix('.').map_or(0, |fraction| {
        fraction.bytes().take_while(u8::is_ascii_digit).count()
    });
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(_) if digits == 0 => return None,
        Some(fraction) => fraction.split_at_checked(digits)?,
        None => ("", rest),
    };
    let nanos = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0_i128, |nanos, digit| nanos * 10 + i128::from(digit - b'0'));
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), by) => {
            let (hours, minutes) = by.split_once(':')?;
            let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == "+" { 60 } else { -60 }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let ns = i128::from(seconds) * i128::from(NS) + nanos;
    Some(u64::try_from(ns.max(0)).unwrap_or(u64::MAX))
}

/// Whether a text is a day of the calendar, such as `2026-11-01`.
pub(crate) fn is_date(text: &str) -> bool {
    parse_date(text).is_some()
}

/// `2026-11-01` in days since the epoch, in the proleptic Gregorian calendar.
fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let (year, month, day): (i64, i64, i64) =
        (year.parse().ok()?, two_digits(month)?, two_digits(day)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || year == 0 {
        return None;
    }
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let year = if month > 2 { year } else { year - 1 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let before = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(365 * year + before + of_year - 719_468)
}

fn two_digits(text: &str) -> Option<i64> {
    match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_known_instants() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400 * NS), "2000-02-29T00:00:00.000Z");
        assert_eq!(
            rfc3339(1_735_689_599 * NS + 123 * MS),
            "2024-12-31T23:59:59.123Z"
        );
        assert_eq!(rfc3339(4_107_542_399 * NS), "2100-02-28T23:59:59.000Z");
    }

    #[test]
    fn agrees_with_httpdate_on_every_day_of_a_century() {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        for day in 0..40_000u64 {
            let (year, month, of_month) = civil(day);
            let text = http_date(day * DAY_SECONDS);
            let expected = format!("{of_month:02} {} {year}", months[month as usize - 1]);
            assert!(text.contains(&expected), "{text} should contain {expected}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        for ns in [0, 951_782_400 * NS, 1_735_689_599 * NS + 123 * MS] {
            assert_eq!(parse_rfc3339(&rfc3339(ns)), Some(ns));
        }
        let noon = parse_rfc3339("2026-11-01T12:00:00Z");
        assert_eq!(parse_rfc3339("2026-11-01t17:30:00.000+05:30"), noon);
        assert_eq!(parse_rfc3339("1969-12-31T23:59:59Z"), Some(0));
        for wrong in [
            "",
            "2026-11-01",
            "2026-11-01T12:00:00",
            "2026-02-29T12:00:00Z",
            "2026-11-01T24:00:00Z",
            "2026-11-01T12:00:00.Z",
            "2026-11-01T12:00:00+0530",
            "2026-11-01 12:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-1-1T00:00:00Z",
            "2026-01-01-01T00:00:00Z",
            "2026-11-0\u{e9}T12:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong:?}");
        }
        assert!(is_date("2024-02-29") && !is_date("2025-02-29") && !is_date("0000-01-01"));
    }

    #[test]
    fn midnight_is_strictly_later() {
        let next = |ns| midnight_after_ns(day_number(ns));
        assert_eq!(next(0), DAY_SECONDS * NS);
        assert_eq!(next(DAY_SECONDS * NS), 2 * DAY_SECONDS * NS);
    }
}
