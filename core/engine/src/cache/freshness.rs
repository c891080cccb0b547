//! How long an answer is fresh, and how old it was when it came (RFC 9111, sections 4.2.1 to 4.2.3).
//!
//! `s-maxage` is for shared caches and counts for nothing here. Dates are read in any case and in all three forms; one that
//! cannot be read, as in `Expires: 0`, is in the past. A guess from `Last-Modified` is made only where the settings allow it.

use std::time::{Duration, UNIX_EPOCH};

use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, HeaderName};

use super::directives::Directives;
use crate::time::{Instant, UnixMillis};

/// What a `Last-Modified` is worth: a tenth of the time since then, as section 4.2.2 suggests.
const SHARE_OF_AGE: u32 = 10;
/// No server's `Age` is believed beyond this (section 1.2.2).
const OLDEST: u64 = 1 << 31;

/// How long the answer is fresh, as the server says; `None` where it does not.
///
/// `came`: the wall clock when it came, for an answer without a `Date`. `guess`: the longest time that may be guessed from
/// `Last-Modified` where the server says nothing; `None` for no guesses.
#[must_use]
pub fn lifetime(
    headers: &HeaderMap,
    said: &Directives,
    came: UnixMillis,
    guess: Option<Duration>,
) -> Option<Duration> {
    if let Some(max_age) = said.max_age {
        return Some(max_age);
    }
    let date = date_in(headers, &DATE).flatten().unwrap_or(came);
    if let Some(expires) = date_in(headers, &EXPIRES) {
        return Some(expires.map_or(Duration::ZERO, |at| between(date, at)));
    }
    let modified = date_in(headers, &LAST_MODIFIED).flatten()?;
    guess.map(|most| (between(modified, date) / SHARE_OF_AGE).min(most))
}

/// How old the answer was when it came (section 4.2.3): the greater of what its `Date` and what its `Age` say. `asked` and
/// `came` are monotonic, of the attempt that brought it.
#[must_use]
pub fn initial_age(
    headers: &HeaderMap,
    asked: Instant,
    came: Instant,
    wall: UnixMillis,
) -> Duration {
    let by_date = date_in(headers, &DATE)
        .flatten()
        .map_or(Duration::ZERO, |date| between(date, wall));
    let by_age = age(headers) + came.since(asked);
    by_date.max(by_age)
}

/// The first `Age` of several; zero where it is no whole number (section 5.1).
fn age(headers: &HeaderMap) -> Duration {
    let first = headers.get(AGE).and_then(|value| value.to_str().ok());
    let digits = first
        .and_then(|text| text.split(',').next())
        .map_or("", str::trim);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Duration::ZERO;
    }
    Duration::from_secs(digits.parse().unwrap_or(OLDEST).min(OLDEST))
}

fn between(earlier: UnixMillis, later: UnixMillis) -> Duration {
    let millis = later.0.saturating_sub(earlier.0).max(0);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// `None`: there is no such field. `Some(None)`: it is no date.
#[expect(clippy::option_option, reason = "absent and unreadable are two things")]
fn date_in(headers: &HeaderMap, name: &HeaderName) -> Option<Option<UnixMillis>> {
    let value = headers.get(name)?;
    Some(value.to_str().ok().and_then(http_date))
}

/// An HTTP-date (RFC 9110, section 5.6.7), in any case of its letters (RFC 9111, section 4.2).
fn http_date(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    let time = httpdate::parse_http_date(text)
        .or_else(|_| httpdate::parse_http_date(&in_usual_case(text)))
        .ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(UnixMillis)
}

/// Days and months with one capital letter, the time zone in capitals.
fn in_usual_case(text: &str) -> String {
    let mut in_word = false;
    let mut usual: String = text
        .chars()
        .map(|c| {
            let changed = if in_word {
                c.to_ascii_lowercase()
            } else {
                c.to_ascii_uppercase()
            };
            in_word = c.is_ascii_alphabetic();
            changed
        })
        .collect();
    if usual.ends_with("Gmt") {
        usual.truncate(usual.len() - 3);
        usual.push_str("GMT");
    }
    usual
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const CAME: UnixMillis = UnixMillis(784_111_777_000);
    const DATED: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn fresh(pairs: &[(&'static str, &'static str)], guess: Option<u64>) -> Option<u64> {
        let headers = headers(pairs);
        let said = Directives::of_answer(&headers);
        lifetime(&headers, &said, CAME, guess.map(Duration::from_secs)).map(|l| l.as_secs())
    }

    #[test]
    fn section_4_2_1_the_first_that_is_there_counts() {
        let expires = ("expires", "Sun, 06 Nov 1994 09:49:37 GMT");
        let past = ("expires", "Sun, 06 Nov 1994 07:49:37 GMT");
        for (pairs, expected) in [
            (
                vec![("cache-control", "max-age=60"), DATED, expires],
                Some(60),
            ),
            (vec![("cache-control", "max-age=60"), DATED, past], Some(60)),
            (
                vec![("cache-control", "max-age=0"), DATED, expires],
                Some(0),
            ),
            (vec![("cache-control", "s-maxage=60"), DATED], None),
            (
                vec![("cache-control", "s-maxage=60"), DATED, expires],
                Some(3600),
            ),
            (vec![DATED, expires], Some(3600)),
            (vec![DATED, past], Some(0)),
            (vec![expires], Some(3600)),
            (vec![DATED], None),
            (vec![("date", "yesterday"), expires], Some(3600)),
        ] {
            assert_eq!(fresh(&pairs, None), expected, "{pairs:?}");
        }
    }

    #[test]
    fn section_5_3_dates_in_all_forms_and_in_any_case() {
        for date in [
            "Sun, 06 Nov 1994 09:49:37 GMT",
            "SUN, 06 NOV 1994 09:49:37 gmt",
            "Sunday, 06-Nov-94 09:49:37 GMT",
            "Sun Nov  6 09:49:37 1994",
        ] {
            assert_eq!(
                fresh(&[DATED, ("expires", date)], None),
                Some(3600),
                "{date}"
            );
        }
        let far = [DATED, ("expires", "Sun, 21 Nov 2286 04:46:39 GMT")];
        assert!(fresh(&far, None) > Some(9_000_000_000));
        // What is no date is in the past.
        for date in [
            "0",
            "-1",
            "",
            "soon",
            "Thu, 18 Aug 2050 02:01:18 UTC",
            "Thu, 18 Aug 50 02:01:18 GMT",
            "Thu 18 Aug 2050 02:01:18 GMT",
            "Thu, 18  Aug  2050 02:01:18 GMT",
            "Thu, 18-Aug-2050 02:01:18 GMT",
            "Thu, 32 Aug 2050 02:01:18 GMT",
        ] {
            assert_eq!(fresh(&[DATED, ("expires", date)], None), Some(0), "{date}");
        }
    }

    #[test]
    fn section_4_2_2_guesses_only_where_they_are_allowed() {
        let modified = ("last-modified", "Sun, 06 Nov 1994 06:49:37 GMT");
        assert_eq!(fresh(&[DATED, modified], None), None);
        assert_eq!(fresh(&[DATED, modified], Some(86_400)), Some(720));
        assert_eq!(fresh(&[DATED, modified], Some(60)), Some(60));
        assert_eq!(
            fresh(&[DATED, modified, ("cache-control", "max-age=5")], Some(60)),
            Some(5)
        );
        let later = ("last-modified", "Sun, 06 Nov 1994 10:49:37 GMT");
        assert_eq!(fresh(&[DATED, later], Some(60)), Some(0));
        assert_eq!(fresh(&[DATED, ("last-modified", "x")], Some(60)), None);
    }

    #[test]
    fn section_4_2_3_age() {
        let second = Duration::from_secs(1);
        let asked = Instant::ORIGIN + second * 10;
        let old = |pairs: &[(&'static str, &'static str)], took: u32, ahead_s: i64| {
            let wall = UnixMillis(CAME.0 + ahead_s * 1000);
            initial_age(&headers(pairs), asked, asked + second * took, wall).as_secs()
        };
        assert_eq!(old(&[], 0, 0), 0);
        assert_eq!(old(&[DATED], 0, 0), 0);
        assert_eq!(old(&[DATED], 0, 7200), 7200);
        // A clock that is behind makes nothing younger than new.
        assert_eq!(old(&[DATED], 0, -7200), 0);
        // The time that the answer took counts, for it may have been made at its beginning.
        assert_eq!(old(&[DATED, ("age", "30")], 4, 0), 34);
        assert_eq!(old(&[DATED, ("age", "30")], 4, 60), 60);
        for (age, expected) in [
            ("7200, 0", 7200),
            ("0, 7200", 0),
            ("-7200", 0),
            ("7200.0", 0),
            ("abc", 0),
            ("", 0),
            ("99999999999999999999", 1 << 31),
        ] {
            assert_eq!(old(&[DATED, ("age", age)], 0, 0), expected, "{age}");
        }
        assert_eq!(old(&[("age", "5"), ("age", "7200")], 0, 0), 5);
    }
}
