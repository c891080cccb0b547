//! Numbers and instants as pages show them.

use crate::clock::MS;
use crate::timestamp::rfc3339;

/// `18:23:11.123` of an instant in milliseconds since the Unix epoch.
pub(super) fn time(ms: u64) -> String {
    part(ms, 11, 23)
}

/// `18:23:11`.
pub(super) fn time_to_second(ms: u64) -> String {
    part(ms, 11, 19)
}

/// `2026-11-23`.
pub(super) fn date(ms: u64) -> String {
    part(ms, 0, 10)
}

/// `2026-11-23 18:23:11`.
pub(super) fn date_time(ms: u64) -> String {
    format!("{} {}", date(ms), time_to_second(ms))
}

fn part(ms: u64, from: usize, to: usize) -> String {
    let text = rfc3339(ms.saturating_mul(MS));
    text.get(from..to).unwrap_or_default().to_owned()
}

/// Nanoseconds as `310 µs`, `12 ms`, `2.05 s`.
pub(super) fn took(ns: u64) -> String {
    crate::timeline::duration(ns as f64 / 1e6)
}

/// `12 345`, with narrow spaces.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A part of a whole in percent; `0 %`, `0.4 %`, `12 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".into();
    }
    let share = part as f64 / whole as f64 * 100.0;
    if share < 10.0 {
        format!("{share:.1} %")
    } else {
        format!("{share:.0} %")
    }
}

/// A span of milliseconds until something, in words that stay the same for a while.
pub(super) fn until(ms: u64) -> String {
    match ms.div_ceil(1_000) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{:.1} h", seconds as f64 / 3_600.0),
    }
}

/// A value in a query, escaped.
pub(super) fn in_query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((count(0), count(999)), ("0".into(), "999".into()));
        assert_eq!(
            (percent(1, 3), percent(1, 1_000)),
            ("33 %".into(), "0.1 %".into())
        );
        assert_eq!(
            (until(0), until(90_000), until(150_000)),
            ("0 s".into(), "90 s".into(), "3 min".into())
        );
    }

    #[test]
    fn instants_read_well() {
        assert_eq!(time(1_735_689_599_123), "23:59:59.123");
        assert_eq!(date_time(1_735_689_599_123), "2024-12-31 23:59:59");
    }
}
