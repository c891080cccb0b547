//! Reads the time of a reset, which dialects write as seconds, epoch seconds, epoch milliseconds, a date, a time by RFC 3339
//! or a duration.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use crate::decimal::decimal;
use crate::retry_after::server_date;
use crate::time::{Now, UnixMillis};

/// No server is believed beyond ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// From here on a number is a time since the epoch in seconds: as a delta it would be 31 years.
const EPOCH_SECONDS: f64 = 1e9;
/// From here on a number is a time since the epoch in milliseconds: as seconds it would be the year 33658.
const EPOCH_MILLIS: f64 = 1e12;

/// When a quota is reset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reset {
    /// Time until then; zero where it is past.
    pub(super) after: Option<Duration>,
    /// The time of the server's clock, where it was said so.
    pub(super) at: Option<UnixMillis>,
}

/// The reset that `value` names. `None` where it cannot be read.
pub(super) fn read_reset(value: &str, headers: &HeaderMap, now: Now) -> Option<Reset> {
    if let Some(number) = decimal(value) {
        return Some(match number {
            millis if millis > EPOCH_MILLIS => at(millis, headers, now),
            seconds if seconds > EPOCH_SECONDS => at(seconds * 1_000.0, headers, now),
            seconds => after(from_seconds(seconds)),
        });
    }
    if let Some(duration) = read_duration(value) {
        return Some(after(duration));
    }
    if let Some(millis) = read_rfc3339(value) {
        return Some(at(millis, headers, now));
    }
    let date: SystemTime = httpdate::parse_http_date(value).ok()?;
    let millis = date.duration_since(UNIX_EPOCH).ok()?.as_secs_f64() * 1_000.0;
    Some(at(millis, headers, now))
}

fn after(duration: Duration) -> Reset {
    Reset {
        after: Some(duration),
        at: None,
    }
}

fn at(epoch_millis: f64, headers: &HeaderMap, now: Now) -> Reset {
    /// The year 10000.
    const LAST: f64 = 253_402_300_800_000.0;
    #[expect(clippy::cast_possible_truncation, reason = "bounded just here")]
    let millis = epoch_millis.clamp(0.0, LAST) as i64;
    Reset {
        after: Some(until(epoch_millis, headers, now)),
        at: Some(UnixMillis(millis)),
    }
}

/// A time in seconds and nothing else.
pub(super) fn read_seconds(value: &str) -> Option<Duration> {
    decimal(value).map(from_seconds)
}

fn from_seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds)
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

/// Time until `epoch_millis` by the server's clock, so that a wrong clock on this side does no harm.
fn until(epoch_millis: f64, headers: &HeaderMap, now: Now) -> Duration {
    let from = server_date(headers).unwrap_or(now.wall);
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 stay below 2^53 for 285 000 years"
    )]
    let millis = epoch_millis - from.0 as f64;
    if millis > 0.0 {
        from_seconds(millis / 1_000.0)
    } else {
        Duration::ZERO
    }
}

/// A duration such as `6m0s`, `1h2m3.5s`, `20ms`: numbers, each with its unit.
fn read_duration(value: &str) -> Option<Duration> {
    let mut rest = value;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let scale = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += decimal(number)? * scale;
        rest = tail;
    }
    if value.is_empty() {
        None
    } else {
        Some(from_seconds(seconds))
    }
}

/// A time such as `2025-08-21T12:40:59Z` (RFC 3339), as milliseconds since the epoch.
fn read_rfc3339(value: &str) -> Option<f64> {
    let (date, rest) = value.split_once(['T', 't', ' '])?;
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at_checked(at)?,
        None => return None,
    };
    let [year, month, day] = three(date, '-')?;
    let [hour, minute, second] = three(time, ':')?;
    let offset = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0.0,
        (sign, hours) => {
            let (hours, minutes) = hours.split_once(':')?;
            let minutes = decimal(hours)? * 60.0 + decimal(minutes)?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let sound = (1970.0..10_000.0).contains(&year)
        && (1.0..=12.0).contains(&month)
        && (1.0..=31.0).contains(&day)
        && hour < 24.0
        && minute < 60.0
        && second < 61.0
        && offset.abs() < 1440.0;
    if !sound {
        return None;
    }
    // Days since the epoch, with years that begin in March (proleptic Gregorian calendar).
    let (year, month) = if month > 2.0 {
        (year, month - 3.0)
    } else {
        (year - 1.0, month + 9.0)
    };
    let leaps = (year / 4.0).floor() - (year / 100.0).floor() + (year / 400.0).floor();
    let days = 365.0 * year + leaps + ((153.0 * month + 2.0) / 5.0).floor() + day - 1.0 - 719_468.0;
    let seconds = days * 86_400.0 + hour * 3_600.0 + (minute - offset) * 60.0 + second;
    Some(seconds * 1_000.0)
}

/// Three numbers with `between` them. Only the last may have a fraction.
fn three(text: &str, between: char) -> Option<[f64; 3]> {
    let mut parts = text.split(between);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || first.contains('.') || second.contains('.') {
        return None;
    }
    Some([decimal(first)?, decimal(second)?, decimal(third)?])
}
