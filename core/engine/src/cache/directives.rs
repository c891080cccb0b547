//! `Cache-Control` (RFC 9111, section 5.2), read leniently where that is safe and strictly where it is not.
//!
//! The first of several directives of a name counts (section 4.2.1). A time that cannot be read makes a `max-age` zero, so
//! that the answer is validated; it makes the directives that allow something (`max-stale`, `stale-if-error`) nothing at
//! all. Times are saturated at 2³¹ s (section 1.2.2). An argument may be a token or a quoted text. A quote that is never
//! closed hides nothing: what stands in it is read once more as directives, and the answer has to be validated.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

/// The greatest time, which stands for all greater ones.
const MOST_SECONDS: u64 = 1 << 31;

/// What a `Cache-Control` says, in a request or in an answer. Directives of shared caches are left out: this one is private.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directives {
    /// Not to be stored.
    pub no_store: bool,
    /// Not to be used without validation.
    pub no_cache: bool,
    /// Fields, in lower case, that are not to be used without validation: `no-cache="set-cookie"`.
    pub no_cache_fields: Vec<String>,
    /// Not to be used stale.
    pub must_revalidate: bool,
    /// To be stored only by who knows the status; then `no-store` counts for nothing.
    pub must_understand: bool,
    /// May be stored whatever its status.
    pub public: bool,
    /// May be stored by a cache of one user's, whatever its status.
    pub private: bool,
    /// Does not change while it is fresh (RFC 8246).
    pub immutable: bool,
    /// Requests: answer from the cache or not at all.
    pub only_if_cached: bool,
    /// How long it is fresh; requests: how old it may be.
    pub max_age: Option<Duration>,
    /// Requests: how long it may be stale; without an argument any time.
    pub max_stale: Option<Duration>,
    /// Requests: how long it must stay fresh.
    pub min_fresh: Option<Duration>,
    /// How long it may be used stale while it is validated (RFC 5861).
    pub stale_while_revalidate: Option<Duration>,
    /// How long it may be used stale where the server fails (RFC 5861).
    pub stale_if_error: Option<Duration>,
}

/// Reads the value of a `Cache-Control` field. Never fails, never panics.
#[must_use]
pub fn parse(text: &str) -> Directives {
    let mut directives = Directives::default();
    directives.read(text, 0);
    directives
}

impl Directives {
    /// What the fields of an answer say.
    #[must_use]
    pub fn of_answer(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            directives.read(&String::from_utf8_lossy(value.as_bytes()), 0);
        }
        directives
    }

    /// What the fields of a request say. `Pragma: no-cache` counts where there is no `Cache-Control` (section 5.4).
    #[must_use]
    pub fn of_request(headers: &HeaderMap) -> Self {
        let mut directives = Self::of_answer(headers);
        if !headers.contains_key(CACHE_CONTROL)
            && let Some(pragma) = headers.get(PRAGMA)
        {
            directives.no_cache = parse(&String::from_utf8_lossy(pragma.as_bytes())).no_cache;
        }
        directives
    }

    /// `depth`: how many unclosed quotes this text stood in.
    fn read(&mut self, text: &str, depth: u8) {
        let mut rest = text;
        while !rest.is_empty() {
            let (directive, after, open) = next_directive(rest);
            match directive.split_once('=') {
                Some((name, argument)) => self.set(name.trim_start(), Some(argument)),
                None => self.set(directive.trim(), None),
            }
            if let Some(inside) = open {
                self.no_cache = true;
                // One level is enough to find what was hidden; the depth bounds the work that a text of quotes could make.
                if depth < 2 {
                    self.read(inside, depth + 1);
                }
            }
            rest = after;
        }
    }

    fn set(&mut self, name: &str, argument: Option<&str>) {
        let known = [
            ("no-store", &mut self.no_store),
            ("must-revalidate", &mut self.must_revalidate),
            ("must-understand", &mut self.must_understand),
            ("public", &mut self.public),
            ("private", &mut self.private),
            ("immutable", &mut self.immutable),
            ("only-if-cached", &mut self.only_if_cached),
        ];
        // With an argument that it does not take, a directive still means what it says.
        for (directive, flag) in known {
            if name.eq_ignore_ascii_case(directive) {
                *flag = true;
                return;
            }
        }
        if name.eq_ignore_ascii_case("no-cache") {
            match argument.map(fields) {
                Some(fields) if !fields.is_empty() => self.no_cache_fields.extend(fields),
                _ => self.no_cache = true,
            }
            return;
        }
        let time = argument.and_then(seconds);
        let zero = Some(Duration::ZERO);
        let (place, time) = match name.to_ascii_lowercase().as_str() {
            "max-age" => (&mut self.max_age, time.or(zero)),
            "max-stale" if argument.is_none() => (&mut self.max_stale, Some(Duration::MAX)),
            "max-stale" => (&mut self.max_stale, time),
            "min-fresh" => (&mut self.min_fresh, time),
            "stale-while-revalidate" => (&mut self.stale_while_revalidate, time.or(zero)),
            "stale-if-error" => (&mut self.stale_if_error, time.or(zero)),
            _ => return,
        };
        if place.is_none() {
            *place = time;
        }
    }
}

/// The text up to the next comma outside of quotes, what follows that comma, and what stands in a quote that is not closed.
fn next_directive(text: &str) -> (&str, &str, Option<&str>) {
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote.is_some() => escaped = true,
            b'"' => quote = if quote.is_some() { None } else { Some(at) },
            b',' if quote.is_none() => {
                let (directive, after) = text.split_at(at);
                return (directive, after.get(1..).unwrap_or_default(), None);
            }
            _ => {}
        }
    }
    (text, "", quote.and_then(|at| text.get(at + 1..)))
}

/// What stands between quotes; a token as it is.
fn unquoted(argument: &str) -> &str {
    let inside = argument
        .trim_end()
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(argument.trim_end())
}

fn seconds(argument: &str) -> Option<Duration> {
    let digits = unquoted(argument);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // More digits than a number has are too many seconds, too.
    let seconds = digits.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS);
    Some(Duration::from_secs(seconds))
}

fn fields(argument: &str) -> Vec<String> {
    unquoted(argument)
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn max_age_as_the_public_cache_tests_have_it() {
        for (text, expected) in [
            ("max-age=3600", s(3600)),
            ("MaX-aGe=3600", s(3600)),
            ("max-age=0", s(0)),
            ("max-age=003600", s(3600)),
            ("max-age=\"3600\"", s(3600)),
            ("max-age=2147483648", s(1 << 31)),
            ("max-age=99999999999999999999999999", s(1 << 31)),
            // The first of two.
            ("max-age=1800, max-age=1", s(1800)),
            ("max-age=1, max-age=1800", s(1)),
            // Inside of quotes there is no directive.
            ("extension=\"max-age=3600\", max-age=1", s(1)),
            ("max-age=1, extension=\"max-age=3600\"", s(1)),
            ("extension=\"a\\\", max-age=3600\", max-age=1", s(1)),
            // What is no number is stale.
            ("max-age='3600'", s(0)),
            ("max-age=3600.0", s(0)),
            ("max-age=3600a", s(0)),
            ("max-age=a3600", s(0)),
            ("max-age=-1", s(0)),
            ("max-age= 3600", s(0)),
            ("max-age=", s(0)),
            ("max-age", s(0)),
            // What is no name is nothing.
            ("max-age =3600", None),
            ("x-max-age=3600", None),
            ("", None),
            (",,,", None),
        ] {
            assert_eq!(parse(text).max_age, expected, "{text}");
        }
    }

    #[test]
    fn names_are_known_in_any_case_and_with_any_space_around() {
        let all = parse(
            " No-StOrE ,\tMUST-revalidate,must-understand, public,private , immutable, only-if-cached, no-cache",
        );
        assert!(all.no_store && all.must_revalidate && all.must_understand && all.public);
        assert!(all.private && all.immutable && all.only_if_cached && all.no_cache);
        // An argument that has no meaning takes nothing from what is said.
        assert!(parse("no-store=\"x\"").no_store && parse("private=\"a\"").private);
    }

    #[test]
    fn times_that_allow_something_allow_nothing_where_they_cannot_be_read() {
        for (text, expected) in [
            ("max-stale", Some(Duration::MAX)),
            ("max-stale=5", s(5)),
            ("max-stale=x", None),
        ] {
            assert_eq!(parse(text).max_stale, expected, "{text}");
        }
        assert_eq!(parse("min-fresh=5").min_fresh, s(5));
        assert_eq!(
            parse("stale-while-revalidate=9").stale_while_revalidate,
            s(9)
        );
        assert_eq!(parse("stale-while-revalidate").stale_while_revalidate, s(0));
        assert_eq!(parse("stale-if-error=abc").stale_if_error, s(0));
    }

    #[test]
    fn no_cache_may_name_fields() {
        let named = parse("no-cache=\"Set-Cookie, X-A\", max-age=5");
        assert_eq!(named.no_cache_fields, ["set-cookie", "x-a"]);
        assert!(!named.no_cache && named.max_age == s(5));
        assert_eq!(parse("no-cache=a").no_cache_fields, ["a"]);
        assert!(parse("no-cache=\"\"").no_cache && parse("no-cache=").no_cache);
    }

    #[test]
    fn an_unclosed_quote_hides_nothing() {
        let open = parse("max-age=60, extension=\"foo, no-store");
        assert!(open.no_store && open.no_cache);
        assert_eq!(open.max_age, s(60));
        // Nor does a text of nothing but quotes make work without end.
        let _ = parse(&"\"".repeat(10_001));
        let _ = parse(&"a=\",".repeat(10_001));
    }

    #[test]
    fn several_fields_are_one() {
        let mut headers = HeaderMap::new();
        for value in ["max-age=1800", "max-age=1, no-transform", "private"] {
            headers.append(CACHE_CONTROL, http::HeaderValue::from_static(value));
        }
        let read = Directives::of_answer(&headers);
        assert_eq!((read.max_age, read.private), (s(1800), true));
    }

    #[test]
    fn pragma_counts_where_there_is_nothing_newer() {
        let mut headers = HeaderMap::new();
        headers.insert(PRAGMA, http::HeaderValue::from_static("no-cache"));
        assert!(Directives::of_request(&headers).no_cache);
        assert!(!Directives::of_answer(&headers).no_cache);
        headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("max-age=5"));
        assert!(!Directives::of_request(&headers).no_cache);
    }
}
