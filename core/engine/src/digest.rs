//! Digest fields (RFC 9530): what a server says the SHA-256 of a representation is, and whether what came has it.
//!
//! `Repr-Digest` is that of the whole representation, whichever part of it is sent; `Content-Digest` that of the content of one message,
//! so it says something of the whole only in an answer that is the whole. What is malformed, and algorithms other than `sha-256`, are ignored.

use std::fmt;

use http::{HeaderMap, HeaderName, StatusCode};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256};

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The SHA-256 that an answer names for the whole representation.
#[must_use]
pub fn declared(status: StatusCode, headers: &HeaderMap) -> Option<[u8; 32]> {
    sha256_of(headers, &REPR_DIGEST).or_else(|| {
        (status == StatusCode::OK)
            .then(|| sha256_of(headers, &CONTENT_DIGEST))
            .flatten()
    })
}

fn sha256_of(headers: &HeaderMap, name: &HeaderName) -> Option<[u8; 32]> {
    headers.get_all(name).iter().find_map(|value| {
        let dictionary: Dictionary = Parser::new(value.as_bytes()).parse().ok()?;
        match dictionary.get("sha-256")? {
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::ByteSequence(bytes) => bytes.as_slice().try_into().ok(),
                _ => None,
            },
            ListEntry::InnerList(_) => None,
        }
    })
}

/// Sums up what comes.
#[derive(Clone, Default)]
pub struct Sum(Sha256);

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sum")
    }
}

impl Sum {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The SHA-256 of all that came.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// Of `hello`.
    const HELLO: &str = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_sum_is_the_one_that_the_server_names() {
        let mut sum = Sum::default();
        sum.update(b"hel");
        sum.update(b"lo");
        let named = declared(StatusCode::PARTIAL_CONTENT, &headers(REPR_DIGEST, HELLO));
        assert_eq!(named, Some(sum.sha256()));
    }

    #[test]
    fn the_digest_of_a_part_says_nothing_of_the_whole() {
        let part = headers(CONTENT_DIGEST, HELLO);
        assert_eq!(declared(StatusCode::PARTIAL_CONTENT, &part), None);
        assert!(declared(StatusCode::OK, &part).is_some());
    }

    #[test]
    fn what_cannot_be_read_is_no_digest() {
        for value in [
            "",
            "sha-256",
            "sha-256=LPJNul",
            "sha-256=:LPJNul==:",
            "sha-512=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "sha-256=(1 2)",
        ] {
            let map = headers(REPR_DIGEST, value);
            assert_eq!(declared(StatusCode::OK, &map), None, "{value}");
        }
    }
}
