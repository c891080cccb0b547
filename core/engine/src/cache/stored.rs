//! One stored answer: how old it is, whether it may be used, how it is validated, and what a 304 changes (RFC 9111, sections 4.2
//! to 4.3).

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::directives::Directives;
use super::mode::CacheMode;
use super::storable::stored_headers;
use super::vary::Selecting;
use crate::time::Instant;

/// What an entry takes beside its texts: maps, counters and the allocations of a header map.
const ALLOWANCE: usize = 512;

/// What may be done with a stored answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is the answer.
    Fresh,
    /// It is the answer though stale: the request takes that.
    Stale,
    /// It is the answer though stale, and is to be validated behind that.
    StaleMeanwhile,
    /// It has to be validated first.
    Validate,
}

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    selecting: Selecting,
    said: Directives,
    lifetime: Duration,
    initial_age: Duration,
    came: Instant,
}

impl Stored {
    #[expect(
        clippy::too_many_arguments,
        reason = "made in two places of this module"
    )]
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        selecting: Selecting,
        said: Directives,
        lifetime: Duration,
        initial_age: Duration,
        came: Instant,
    ) -> Self {
        Self {
            status,
            headers,
            body,
            selecting,
            said,
            lifetime,
            initial_age,
            came,
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The fields, as they are stored.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether a request with these fields would have been answered by it.
    #[must_use]
    pub fn fits(&self, request: &HeaderMap) -> bool {
        self.selecting.fits(request)
    }

    pub(super) fn is_variant_of(&self, other: &Self) -> bool {
        self.selecting == other.selecting
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> u64 {
        let fields: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 64)
            .sum();
        let size = self.body.len() + fields + self.selecting.size() + ALLOWANCE;
        u64::try_from(size).unwrap_or(u64::MAX)
    }

    /// How old it is (section 4.2.3). `now` is of the clock that goes on in sleep.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        self.initial_age.saturating_add(now.since(self.came))
    }

    fn stale_for(&self, now: Instant) -> Option<Duration> {
        let over = self.age(now).checked_sub(self.lifetime)?;
        Some(over)
    }

    /// Whether the server forbids that it is ever used stale.
    fn must_be_validated(&self) -> bool {
        self.said.no_cache || self.said.must_revalidate
    }

    /// What may be done with it for a call of this mode, whose request says this.
    #[must_use]
    pub fn judge(&self, mode: CacheMode, asked: &Directives, now: Instant) -> Use {
        match mode {
            CacheMode::ForceCache | CacheMode::OnlyIfCached => {
                return if self.said.no_cache || self.stale_for(now).is_some() {
                    Use::Stale
                } else {
                    Use::Fresh
                };
            }
            CacheMode::NoStore | CacheMode::Reload => return Use::Validate,
            CacheMode::Default | CacheMode::NoCache => {}
        }
        let age = self.age(now);
        let stale_for = self.stale_for(now);
        // RFC 8246: what does not change while it is fresh need not be asked for, not even where a reload says so.
        let unchanging = self.said.immutable && stale_for.is_none() && !self.said.no_cache;
        let too_old = asked
            .max_age
            .is_some_and(|most| age > most || most.is_zero());
        if (mode == CacheMode::NoCache || asked.no_cache || too_old) && !unchanging {
            return Use::Validate;
        }
        if self.said.no_cache {
            return Use::Validate;
        }
        let Some(stale_for) = stale_for else {
            let left = self.lifetime.saturating_sub(age);
            return match asked.min_fresh {
                Some(least) if left < least => Use::Validate,
                _ => Use::Fresh,
            };
        };
        if self.must_be_validated() || asked.min_fresh.is_some() {
            return Use::Validate;
        }
        if asked.max_stale.is_some_and(|most| stale_for <= most) {
            return Use::Stale;
        }
        match self.said.stale_while_revalidate {
            Some(most) if stale_for < most => Use::StaleMeanwhile,
            _ => Use::Validate,
        }
    }

    /// Whether it may be the answer where the server fails (RFC 5861, section 4). `default`: for how long, where neither the
    /// server nor the request says.
    #[must_use]
    pub fn answers_failure(
        &self,
        mode: CacheMode,
        asked: &Directives,
        now: Instant,
        default: Option<Duration>,
    ) -> bool {
        let forced = mode != CacheMode::Default || asked.no_cache || asked.max_age.is_some();
        if forced || self.must_be_validated() {
            return false;
        }
        let most = asked
            .stale_if_error
            .or(self.said.stale_if_error)
            .or(default);
        // Still fresh, where the request wanted it fresher.
        let stale_for = self.stale_for(now).unwrap_or_default();
        most.is_some_and(|most| stale_for < most)
    }

    /// Puts the conditions onto a request that validates it (section 4.3.1); whether there are any.
    pub fn add_conditions(&self, request: &mut HeaderMap) -> bool {
        let mut any = false;
        for (condition, validator) in [(IF_NONE_MATCH, ETAG), (IF_MODIFIED_SINCE, LAST_MODIFIED)] {
            if let Some(value) = self.headers.get(validator) {
                request.insert(condition, value.clone());
                any = true;
            }
        }
        any
    }

    /// Whether a 304 with these fields is of this answer (section 4.3.4): what it says of the validators must be the same.
    #[must_use]
    pub fn is_confirmed_by(&self, answer: &HeaderMap) -> bool {
        let tag = |headers: &HeaderMap| {
            headers.get(ETAG).map(|tag| {
                let tag = tag.as_bytes();
                tag.strip_prefix(b"W/").unwrap_or(tag).to_vec()
            })
        };
        match (tag(answer), tag(&self.headers)) {
            (Some(new), old) => Some(new) == old,
            (None, Some(_)) => true,
            (None, None) => match answer.get(LAST_MODIFIED) {
                Some(new) => self.headers.get(LAST_MODIFIED) == Some(new),
                None => true,
            },
        }
    }

    /// Whether an answer to a HEAD with these fields speaks of the same representation (section 4.3.5).
    #[must_use]
    pub fn is_described_by(&self, answer: &HeaderMap) -> bool {
        let length = answer.get(CONTENT_LENGTH);
        let same_length = match (length, self.headers.get(CONTENT_LENGTH)) {
            (Some(new), Some(old)) => new == old,
            _ => true,
        };
        let same = |name: HeaderName| match (answer.get(&name), self.headers.get(&name)) {
            (Some(new), Some(old)) => new == old,
            (Some(_), None) => false,
            (None, _) => true,
        };
        same_length && same(ETAG) && same(LAST_MODIFIED)
    }

    /// The fields after a 304 (section 3.2): what it says replaces what was stored, but for what describes the body.
    #[must_use]
    pub fn renewed_headers(&self, answer: &HeaderMap) -> HeaderMap {
        const OF_BODY: [HeaderName; 4] = [
            CONTENT_ENCODING,
            CONTENT_LENGTH,
            CONTENT_RANGE,
            CONTENT_TYPE,
        ];
        let said = Directives::of_answer(answer);
        let new = stored_headers(answer, &said);
        let mut renewed = self.headers.clone();
        // What the new answer does not say of its age is not what the old one said.
        renewed.remove(AGE);
        for name in new.keys().filter(|name| !OF_BODY.contains(name)) {
            renewed.remove(name);
            for value in new.get_all(name) {
                renewed.append(name.clone(), value.clone());
            }
        }
        renewed
    }

    /// The fields as a caller gets them without validation: with the `Age` that it has now (section 4).
    #[must_use]
    pub fn headers_now(&self, now: Instant) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(AGE, HeaderValue::from(self.age(now).as_secs()));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::super::storable::{Arrival, Rules, to_store};
    use super::*;
    use crate::time::UnixMillis;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn stored(answer: &[(&'static str, &'static str)]) -> Stored {
        let rules = Rules {
            max_bytes: 1 << 20,
            max_entry_bytes: 1 << 20,
            heuristic: None,
            stale_if_error: None,
        };
        let arrival = Arrival {
            request: &HeaderMap::new(),
            changed: &[],
            status: StatusCode::OK,
            headers: &headers(answer),
            body: &Bytes::from_static(b"{}"),
            asked: Instant::ORIGIN,
            came: Instant::ORIGIN,
            wall: UnixMillis(784_111_777_000),
        };
        to_store(&rules, &arrival).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(seconds)
    }

    fn judged(said: &'static str, mode: CacheMode, asked: &str, seconds: u64) -> Use {
        let stored = stored(&[("cache-control", said), ("etag", "\"1\"")]);
        stored.judge(mode, &super::super::parse(asked), at(seconds))
    }

    use CacheMode::{Default, ForceCache, NoCache, OnlyIfCached};

    #[test]
    fn fresh_until_its_lifetime_is_over() {
        for (seconds, expected) in [
            (0, Use::Fresh),
            (59, Use::Fresh),
            (60, Use::Validate),
            (61, Use::Validate),
        ] {
            assert_eq!(
                judged("max-age=60", Default, "", seconds),
                expected,
                "{seconds}"
            );
        }
        let old = stored(&[("cache-control", "max-age=60"), ("age", "50")]);
        let none = Directives::default();
        assert_eq!(old.judge(Default, &none, at(9)), Use::Fresh);
        assert_eq!(old.judge(Default, &none, at(10)), Use::Validate);
        assert_eq!(old.headers_now(at(7))[AGE], "57");
    }

    #[test]
    fn what_must_be_validated_is() {
        for said in [
            "max-age=60, must-revalidate, stale-while-revalidate=100, stale-if-error=100",
            "max-age=60, no-cache, stale-while-revalidate=100, stale-if-error=100",
        ] {
            for asked in ["", "max-stale", "max-stale=1000"] {
                assert_eq!(
                    judged(said, Default, asked, 70),
                    Use::Validate,
                    "{said} {asked}"
                );
            }
            let stored = stored(&[("cache-control", said), ("etag", "\"1\"")]);
            let asked = super::super::parse("stale-if-error=1000");
            assert!(!stored.answers_failure(Default, &asked, at(70), None));
        }
        assert_eq!(
            judged("max-age=60, no-cache", Default, "", 1),
            Use::Validate
        );
        assert_eq!(
            judged("max-age=60, must-revalidate", Default, "", 1),
            Use::Fresh
        );
    }

    #[test]
    fn requests_say_what_they_take() {
        for (asked, seconds, expected) in [
            ("no-cache", 1, Use::Validate),
            ("max-age=0", 0, Use::Validate),
            ("max-age=30", 30, Use::Fresh),
            ("max-age=30", 31, Use::Validate),
            ("min-fresh=10", 50, Use::Fresh),
            ("min-fresh=10", 51, Use::Validate),
            ("min-fresh=10, max-stale=100", 70, Use::Validate),
            ("max-stale", 9999, Use::Stale),
            ("max-stale=10", 70, Use::Stale),
            ("max-stale=10", 71, Use::Validate),
            ("max-stale=10, max-age=65", 70, Use::Validate),
        ] {
            assert_eq!(
                judged("max-age=60", Default, asked, seconds),
                expected,
                "{asked} {seconds}"
            );
        }
    }

    #[test]
    fn modes_are_those_of_fetch() {
        for (said, mode, seconds, expected) in [
            ("max-age=60", NoCache, 1, Use::Validate),
            ("max-age=60", ForceCache, 1, Use::Fresh),
            ("max-age=60", ForceCache, 99, Use::Stale),
            ("no-cache, max-age=60", OnlyIfCached, 1, Use::Stale),
            ("max-age=60, must-revalidate", OnlyIfCached, 99, Use::Stale),
            // RFC 8246.
            ("max-age=60, immutable", NoCache, 1, Use::Fresh),
            ("max-age=60, immutable", NoCache, 61, Use::Validate),
            ("max-age=60, immutable, no-cache", NoCache, 1, Use::Validate),
        ] {
            assert_eq!(judged(said, mode, "", seconds), expected, "{said} {mode}");
        }
        assert_eq!(
            judged("max-age=60, immutable", Default, "max-age=0", 1),
            Use::Fresh
        );
    }

    #[test]
    fn stale_while_revalidate() {
        let said = "max-age=60, stale-while-revalidate=30";
        for (asked, seconds, expected) in [
            ("", 60, Use::StaleMeanwhile),
            ("", 89, Use::StaleMeanwhile),
            ("", 90, Use::Validate),
            ("no-cache", 70, Use::Validate),
            ("max-age=65", 70, Use::Validate),
            ("max-stale=15", 70, Use::Stale),
        ] {
            assert_eq!(
                judged(said, Default, asked, seconds),
                expected,
                "{asked} {seconds}"
            );
        }
    }

    #[test]
    fn stale_if_error() {
        let answers = |said: &'static str, asked: &str, seconds, default: Option<u64>| {
            let stored = stored(&[("cache-control", said), ("etag", "\"1\"")]);
            let asked = super::super::parse(asked);
            stored.answers_failure(
                Default,
                &asked,
                at(seconds),
                default.map(Duration::from_secs),
            )
        };
        let said = "max-age=60, stale-if-error=30";
        assert!(answers(said, "", 89, None) && !answers(said, "", 90, None));
        assert!(!answers("max-age=60", "", 61, None));
        assert!(
            answers("max-age=60", "", 61, Some(30)) && !answers("max-age=60", "", 91, Some(30))
        );
        // What the server says counts for more than the settings, what the request says for more than both.
        assert!(!answers("max-age=60, stale-if-error=5", "", 70, Some(30)));
        assert!(answers(
            "max-age=60, stale-if-error=5",
            "stale-if-error=30",
            70,
            None
        ));
        assert!(!answers(said, "no-cache", 70, None) && !answers(said, "max-age=0", 70, None));
    }

    #[test]
    fn validators_become_conditions_as_they_are() {
        let modified = "Sun, 06 Nov 1994 08:00:00 GMT";
        let mut request = headers(&[("accept", "a"), ("if-none-match", "\"old\"")]);
        assert!(
            stored(&[("etag", "W/\"1\""), ("last-modified", modified)])
                .add_conditions(&mut request)
        );
        assert_eq!(
            (&request[IF_NONE_MATCH], &request[IF_MODIFIED_SINCE]),
            (&"W/\"1\"".parse().unwrap(), &modified.parse().unwrap())
        );
        assert!(!stored(&[("cache-control", "max-age=5")]).add_conditions(&mut HeaderMap::new()));
    }

    #[test]
    fn a_304_is_of_the_answer_whose_validators_it_has() {
        let (one, two, weak) = (("etag", "\"1\""), ("etag", "\"2\""), ("etag", "W/\"1\""));
        let date = ("last-modified", "Sun, 06 Nov 1994 08:00:00 GMT");
        let other = ("last-modified", "Sun, 06 Nov 1994 08:00:01 GMT");
        for (old, new, expected) in [
            (vec![one], vec![one], true),
            (vec![one], vec![], true),
            (vec![one], vec![two], false),
            (vec![one], vec![weak], true),
            (vec![weak], vec![one], true),
            (vec![date], vec![date], true),
            (vec![date], vec![], true),
            (vec![date], vec![other], false),
            (vec![date], vec![one], false),
        ] {
            assert_eq!(
                stored(&old).is_confirmed_by(&headers(&new)),
                expected,
                "{old:?} {new:?}"
            );
        }
    }

    #[test]
    fn a_304_renews_headers_but_not_the_body() {
        let old = stored(&[
            ("etag", "\"1\""),
            ("cache-control", "max-age=1"),
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("x-count", "1"),
            ("x-count", "2"),
            ("x-kept", "1"),
            ("age", "30"),
        ]);
        let renewed = old.renewed_headers(&headers(&[
            ("etag", "\"1\""),
            ("cache-control", "max-age=60"),
            ("content-type", "text/html"),
            ("content-length", "0"),
            ("x-count", "3"),
            ("x-new", "1"),
            ("connection", "close"),
        ]));
        for (name, value) in [
            ("cache-control", "max-age=60"),
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("x-count", "3"),
            ("x-kept", "1"),
            ("x-new", "1"),
        ] {
            let values: Vec<_> = renewed.get_all(name).iter().collect();
            assert_eq!(values, [value], "{name}");
        }
        assert!(!renewed.contains_key("age") && !renewed.contains_key("connection"));
    }

    #[test]
    fn section_4_3_5_a_head_describes_what_is_stored_or_not() {
        let old = stored(&[("etag", "\"1\""), ("content-length", "2")]);
        for (new, expected) in [
            (vec![("etag", "\"1\""), ("content-length", "2")], true),
            (vec![], true),
            (vec![("etag", "\"2\"")], false),
            (vec![("content-length", "3")], false),
        ] {
            assert_eq!(old.is_described_by(&headers(&new)), expected, "{new:?}");
        }
    }
}
