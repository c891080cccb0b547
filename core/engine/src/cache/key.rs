//! Under what an answer is stored: the URL, and on whose behalf it was asked for.
//!
//! Answers of one credential are never given to another. Beside the client's credential, fields of the request that say on
//! whose behalf it is made belong to the key: `Authorization`, `Cookie`, and any whose name speaks of a key, a token, an
//! account and the like, whether or not the server names them in `Vary`. One field too many costs a hit, one too few would
//! show one customer the data of another.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::HeaderMap;
use url::Url;

/// Names with one of these in them say on whose behalf a request is made, or what form its answer has.
const TELLING: [&str; 15] = [
    "account",
    "auth",
    "cookie",
    "credential",
    "impersonate",
    "key",
    "org",
    "project",
    "secret",
    "session",
    "tenant",
    "token",
    "user-id",
    "version",
    "workspace",
];

/// Under what an answer is stored. Ordered by URL, so that all answers of one URL stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub(super) url: String,
    partition: [u64; 2],
}

impl Key {
    /// The key of a URL, whose fragment does not count, and of whom it is asked for.
    #[must_use]
    pub fn new(url: &Url, partition: [u64; 2]) -> Self {
        Self {
            url: without(url.as_str(), '#').to_owned(),
            partition,
        }
    }

    /// The first key of this URL that there could be.
    pub(super) fn first_of(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            partition: [0; 2],
        }
    }

    /// The URL without its query.
    pub(super) fn resource(&self) -> &str {
        without(&self.url, '?')
    }
}

/// `text` up to the first `end`.
pub(super) fn without(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or(text)
}

/// Tells apart on whose behalf requests are made, by a hash of 128 bits with a seed of this client's own.
#[derive(Clone, Copy, Debug)]
pub struct Partitions {
    seeds: [u64; 2],
}

impl Partitions {
    /// With these seeds, which nobody may guess.
    #[must_use]
    pub const fn new(seeds: [u64; 2]) -> Self {
        Self { seeds }
    }

    /// The partition of a request with these fields, made with the client's credential of this number.
    #[must_use]
    pub fn of(&self, credential: u64, request: &HeaderMap) -> [u64; 2] {
        let mut telling: Vec<(&str, &[u8])> = request
            .iter()
            .filter(|(name, value)| value.is_sensitive() || tells(name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        telling.sort_unstable();
        self.seeds.map(|seed| {
            let mut hasher = DefaultHasher::new();
            (seed, credential, &telling).hash(&mut hasher);
            hasher.finish()
        })
    }
}

/// Whether a field of this name (in lower case) says on whose behalf a request is made.
pub(super) fn tells(name: &str) -> bool {
    TELLING.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn who_asks_is_part_of_the_key() {
        let partitions = Partitions::new([1, 2]);
        let of = |pairs: &[(&'static str, &'static str)]| partitions.of(7, &headers(pairs));
        let nobody = of(&[]);
        assert_eq!(
            of(&[("accept", "text/plain"), ("x-request-id", "1")]),
            nobody
        );
        for field in [
            "authorization",
            "cookie",
            "x-api-key",
            "stripe-account",
            "x-tenant",
            "openai-organization",
        ] {
            let one = of(&[(field, "one")]);
            assert!(one != nobody && one != of(&[(field, "two")]), "{field}");
            assert_eq!(one, of(&[(field, "one"), ("accept", "*/*")]));
        }
        assert_ne!(partitions.of(8, &HeaderMap::new()), nobody);
        // In any order.
        let (a, b) = (("x-api-key", "a"), ("x-tenant", "b"));
        assert_eq!(of(&[a, b]), of(&[b, a]));
        let mut sensitive = headers(&[("x-plain", "a")]);
        sensitive
            .iter_mut()
            .for_each(|(_, value)| value.set_sensitive(true));
        assert_ne!(partitions.of(7, &sensitive), nobody);
        assert_ne!(Partitions::new([3, 4]).of(7, &HeaderMap::new()), nobody);
    }

    #[test]
    fn a_fragment_is_no_part_of_the_key() {
        let key = |url: &str| Key::new(&Url::parse(url).unwrap(), [0; 2]);
        assert_eq!(
            key("https://h.example/a?x=1#top"),
            key("https://h.example/a?x=1")
        );
        assert_ne!(
            key("https://h.example/a?x=1"),
            key("https://h.example/a?x=2")
        );
        assert_eq!(
            key("https://h.example/a?x=1").resource(),
            "https://h.example/a"
        );
    }
}
