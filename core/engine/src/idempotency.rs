//! Idempotency keys: which requests get one, what it looks like, and which requests may be repeated.
//!
//! The key is made once a call and is the same on every attempt (draft-ietf-httpapi-idempotency-key-header).

use http::{HeaderName, HeaderValue, Method};

use crate::defaults;
use crate::time::Random;

/// How keys are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether POST and PATCH get a key by themselves. Default true.
    pub automatic: bool,
    /// The header's name. Default `idempotency-key`.
    pub header: HeaderName,
    /// Whether the value is a quoted structured-field string, as the IETF draft has it. Default raw.
    pub quoted: bool,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self {
            automatic: true,
            header: HeaderName::from_static(defaults::IDEMPOTENCY_HEADER),
            quoted: false,
        }
    }
}

impl Idempotency {
    /// Whether `method` gets a key where the caller gave none.
    #[must_use]
    pub fn applies_to(&self, method: &Method) -> bool {
        self.automatic && (*method == Method::POST || *method == Method::PATCH)
    }

    /// A new key, as the header's value.
    pub fn fresh(&self, random: &mut dyn Random) -> HeaderValue {
        self.value_of(&uuid_v4(random))
            .unwrap_or_else(|| HeaderValue::from_static("invalid"))
    }

    /// The header's value for the key `key`; `None` where it is empty or has a character that a header cannot carry.
    #[must_use]
    pub fn value_of(&self, key: &str) -> Option<HeaderValue> {
        if key.is_empty()
            || !key
                .bytes()
                .all(|b| (0x21..0x7f).contains(&b) && b != b'"' && b != b'\\')
        {
            return None;
        }
        if self.quoted {
            HeaderValue::try_from(format!("\"{key}\"")).ok()
        } else {
            HeaderValue::from_str(key).ok()
        }
    }
}

/// Whether repeating a request of this method changes nothing more (RFC 9110, section 9.2.2).
#[must_use]
pub fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    )
}

/// A random UUID (RFC 9562, version 4), lower case with hyphens.
pub fn uuid_v4(random: &mut dyn Random) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
    let bits = (bits & !(0xf << 76) | (0x4 << 76)) & !(0x3 << 62) | (0x2 << 62);
    let mut text = String::with_capacity(36);
    for (index, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(
                HEX.get(usize::from(nibble))
                    .copied()
                    .map_or('0', char::from),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u64);
    impl Random for Counter {
        fn next_u64(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
            self.0
        }
    }

    #[test]
    fn keys_are_version_4_uuids() {
        let mut random = Counter(7);
        for _ in 0..100 {
            let key = uuid_v4(&mut random);
            assert_eq!(key.len(), 36);
            assert_eq!(key.as_bytes()[14], b'4', "{key}");
            assert!(b"89ab".contains(&key.as_bytes()[19]), "{key}");
        }
        assert_ne!(uuid_v4(&mut random), uuid_v4(&mut random));
    }

    #[test]
    fn post_and_patch_get_a_key_and_nothing_else_does() {
        let idempotency = Idempotency::default();
        let with_key: Vec<_> = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ]
        .into_iter()
        .filter(|m| idempotency.applies_to(m))
        .collect();
        assert_eq!(with_key, [Method::POST, Method::PATCH]);
    }

    #[test]
    fn keys_are_quoted_where_the_draft_is_wanted() {
        let quoted = Idempotency {
            quoted: true,
            ..Idempotency::default()
        };
        assert_eq!(quoted.value_of("abc").unwrap(), "\"abc\"");
        assert_eq!(Idempotency::default().value_of("abc").unwrap(), "abc");
    }

    #[test]
    fn keys_that_no_header_can_carry_are_refused() {
        for bad in ["", "a b", "a\nb", "a\"b", "é"] {
            assert_eq!(Idempotency::default().value_of(bad), None, "{bad:?}");
        }
    }
}
