//! What was proven about a request, as lines. The host language takes them apart faster than JSON, and hands them back for what is asked
//! of a verified request later.
//!
//! | Line | |
//! |---|---|
//! | 1, 2 | scheme, algorithm |
//! | 3 | the key's index |
//! | 4, 5 | timestamp (unix seconds) and message id, empty where there is none |
//! | 6 | what is bound of the body |
//! | 7 | a digit for each of timestamp signed, id signed and URL bound |
//! | 8 | only where no id is signed: a hash of what was signed, hexadecimal |

use gatewright_webhook::{Scheme, Verified, replay::ReplayKey};

use crate::json;

/// Writes the lines.
pub(super) fn proven(proof: &Verified) -> String {
    let mut lines = Vec::with_capacity(192);
    let mut line = |text: &str| {
        lines.extend_from_slice(text.as_bytes());
        lines.push(b'\n');
    };
    line(proof.scheme.name());
    line(proof.algorithm.name());
    line(&decimal(u64::try_from(proof.key_index).unwrap_or(u64::MAX)));
    // No scheme's time is before 1970.
    line(
        &proof
            .timestamp
            .map_or_else(String::new, |seconds| decimal(seconds.unsigned_abs())),
    );
    line(proof.message_id.as_deref().unwrap_or_default());
    line(proof.body_bound.name());
    for proven in [proof.timestamp_signed, proof.id_signed, proof.url_bound] {
        lines.push(b'0' + u8::from(proven));
    }
    if let Some(hash) = proof.signed_hash() {
        lines.push(b'\n');
        hexadecimal(&mut lines, hash);
    }
    json::text(lines)
}

fn hexadecimal(lines: &mut Vec<u8>, hash: &[u8; 32]) {
    for byte in hash {
        let digit = |nibble: u8| b"0123456789abcdef".get(usize::from(nibble)).copied();
        lines.extend(digit(byte >> 4));
        lines.extend(digit(byte & 15));
    }
}

fn decimal(number: u64) -> String {
    let mut digits = Vec::with_capacity(20);
    json::number(&mut digits, number);
    json::text(digits)
}

/// What is needed of the lines again.
pub(super) struct Verdict<'l> {
    pub(super) scheme: Scheme,
    pub(super) key_index: usize,
    timestamp: Option<i64>,
    message_id: &'l str,
    hash: Option<[u8; 32]>,
}

impl<'l> Verdict<'l> {
    /// Reads the lines; `None` for any other text.
    pub(super) fn read(lines: &'l str) -> Option<Self> {
        let mut lines = lines.split('\n');
        let mut line = || lines.next();
        let (scheme, _algorithm, key_index) = (line()?, line()?, line()?);
        let (timestamp, message_id, _body, digits) = (line()?, line()?, line()?, line()?);
        if digits.len() != 3 {
            return None;
        }
        Some(Self {
            scheme: Scheme::from_name(scheme)?,
            key_index: key_index.parse().ok()?,
            timestamp: match timestamp {
                "" => None,
                digits => Some(digits.parse().ok()?),
            },
            message_id,
            hash: match line() {
                None => None,
                Some(digits) => Some(bytes_of(digits)?),
            },
        })
    }

    pub(super) fn replay_key(&self, sender: &str) -> ReplayKey {
        match &self.hash {
            None => ReplayKey::for_message(sender, self.scheme, self.message_id),
            Some(hash) => ReplayKey::of_signed_hash(sender, self.scheme, self.timestamp, hash),
        }
    }
}

/// 32 bytes in hexadecimal.
fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let key: ReplayKey = digits.parse().ok()?;
    Some(*key.as_bytes())
}
