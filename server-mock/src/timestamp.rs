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

/// Seconds since the epoch of `2025-01-31T23:59:59Z`, fractions cut off; only UTC is read.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let time = time.strip_suffix(['Z', 'z'])?;
    let time = match time.split_once('.') {
        Some((time, fraction)) => {
            digits(fraction, fraction.len())?;
            time
        }
        None => time,
    };
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let mut time = time.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    if date.next().is_some() || time.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Whether there is such a day is what the way back says.
    let days = days_from_civil(year, month, day)?;
    if civil(days) != (year, month, day) {
        return None;
    }
    Some(days * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
}

/// So many digits as a number.
fn digits(text: &str, count: usize) -> Option<u64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    // A long fraction is checked only for being one.
    plain.then(|| text.parse().unwrap_or(0))
}

/// The inverse of `civil`, from 1970 on.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    days.checked_sub(719_468)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_they_are_written() {
        for seconds in [
            0,
            1,
            951_782_400,
            1_735_689_599,
            4_107_542_399,
            7_258_118_400,
        ] {
            assert_eq!(
                parse_rfc3339(&rfc3339(seconds * NS + 999 * MS)),
                Some(seconds)
            );
        }
        assert_eq!(
            parse_rfc3339("2026-01-31t12:00:00z"),
            parse_rfc3339("2026-01-31T12:00:00.5Z")
        );
        for wrong in [
            "",
            "2026",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "1969-12-31T23:59:59Z",
            "2026-1-1T00:00:00Z",
            "2026-01-01T00:00:00.xZ",
            "2026-01-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong:?}");
        }
    }

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
    fn midnight_is_strictly_later() {
        let next = |ns| midnight_after_ns(day_number(ns));
        assert_eq!(next(0), DAY_SECONDS * NS);
        assert_eq!(next(DAY_SECONDS * NS), 2 * DAY_SECONDS * NS);
    }
}
