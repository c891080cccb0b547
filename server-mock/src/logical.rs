//! Which requests are attempts of the same logical call, and which attempt each one is.
//!
//! A logical call is named by its `Idempotency-Key`, else by `X-Mock-Call`, else by method, path, query and body.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use http::{HeaderMap, Method, Uri};

use crate::stable_hash::stable_hash;

/// Logical calls one counter remembers; the oldest are forgotten.
const MAX_CALLS: usize = 200_000;
/// What is shown of a name; all of it counts.
const SHOWN_CHARS: usize = 128;

/// The name of a logical call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logical {
    name: Name,
    hash: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Call(Box<str>),
    Key(Box<str>),
    Request,
}

impl Logical {
    pub(crate) fn of(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let named = |name: &str| headers.get(name).map(|value| value.as_bytes());
        if let Some(key) = named("idempotency-key") {
            let key = unquoted(key);
            return Self {
                hash: stable_hash(&[b"key", key]),
                name: Name::Key(shown(key)),
            };
        }
        if let Some(call) = named("x-mock-call") {
            return Self {
                hash: stable_hash(&[b"call", call]),
                name: Name::Call(shown(call)),
            };
        }
        let query = uri.query().unwrap_or("");
        Self {
            hash: stable_hash(&[
                b"request",
                method.as_str().as_bytes(),
                uri.path().as_bytes(),
                query.as_bytes(),
                body,
            ]),
            name: Name::Request,
        }
    }

    /// The same on every machine and run.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

impl fmt::Display for Logical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Call(text) => write!(f, "call:{text}"),
            Name::Key(text) => write!(f, "key:{text}"),
            Name::Request => write!(f, "request:{:016x}", self.hash),
        }
    }
}

/// An `Idempotency-Key` may be a structured-field string or bare; both name the same key.
pub(crate) fn unquoted(key: &[u8]) -> &[u8] {
    key.strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(key)
}

fn shown(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text)
        .chars()
        .take(SHOWN_CHARS)
        .collect::<String>()
        .into()
}

/// Counts how often each logical call was seen.
#[derive(Default)]
pub(crate) struct Seen {
    calls: HashMap<u64, Count>,
    order: VecDeque<u64>,
}

/// What a counter knows about one logical call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) seen: u32,
    pub(crate) faulted: u32,
}

impl Seen {
    /// Counts one more request of the call `hash`; the first gets 1.
    pub(crate) fn next(&mut self, hash: u64) -> &mut Count {
        if !self.calls.contains_key(&hash) {
            if self.order.len() >= MAX_CALLS
                && let Some(oldest) = self.order.pop_front()
            {
                self.calls.remove(&oldest);
            }
            self.order.push_back(hash);
        }
        let count = self.calls.entry(hash).or_default();
        count.seen = count.seen.saturating_add(1);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)], body: &[u8]) -> Logical {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Logical::of(
            &Method::POST,
            &Uri::from_static("/v1/contacts?a=1"),
            &map,
            body,
        )
    }

    #[test]
    fn the_key_counts_before_the_call_header_and_that_before_the_body() {
        let both = [("idempotency-key", "k"), ("x-mock-call", "c")];
        assert_eq!(of(&both, b"1").to_string(), "key:k");
        assert_eq!(of(&both[1..], b"1").to_string(), "call:c");
        assert_ne!(of(&[], b"1"), of(&[], b"2"));
        assert_eq!(of(&[], b"1"), of(&[], b"1"));
    }

    #[test]
    fn quotes_around_a_key_do_not_matter() {
        assert_eq!(
            of(&[("idempotency-key", "\"k\"")], b""),
            of(&[("idempotency-key", "k")], b"")
        );
    }

    #[test]
    fn counters_stay_bounded() {
        let mut seen = Seen::default();
        for hash in 0..(MAX_CALLS as u64 + 10) {
            assert_eq!(seen.next(hash).seen, 1);
        }
        assert_eq!(seen.calls.len(), MAX_CALLS);
        assert_eq!(seen.next(MAX_CALLS as u64).seen, 2);
        assert_eq!(seen.next(0).seen, 1);
    }
}
