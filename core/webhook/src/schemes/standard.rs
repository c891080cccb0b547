//! Standard Webhooks 1.0.0: signs `id.timestamp.body`; the signature header is a space-separated list of `v1,` and `v1a,` tokens.

use crate::base64::{self, Padding};
use crate::error::VerifyError;
use crate::headers::{Found, Headers, find};
use crate::limits::{MAX_ED25519_SIGNATURES, MAX_MESSAGE_ID, MAX_SIGNATURE_HEADER, MAX_SIGNATURES};
use crate::{Algorithm, BodyBound, Scheme, Verified};

pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

const HMAC_VERSION: &[u8] = b"v1,";
const ED25519_VERSION: &[u8] = b"v1a,";

/// The latest timestamp 11 digits can say.
pub(crate) const MAX_TIMESTAMP: i64 = 99_999_999_999;

/// What the three headers of one request say, every rule about their form already checked.
#[derive(Clone, Copy)]
pub(crate) struct Envelope<'h> {
    pub(crate) message_id: &'h str,
    pub(crate) timestamp: i64,
    /// As sent: `007` and `7` are one time and two signed texts.
    pub(crate) timestamp_digits: &'h [u8],
    pub(crate) signatures: SignatureList<'h>,
}

impl<'h> Envelope<'h> {
    pub(crate) fn read<H: Headers + ?Sized>(headers: &'h H) -> Result<Self, VerifyError> {
        let [id, timestamp, signature] = find(headers, [ID, TIMESTAMP, SIGNATURE]);
        let id = required(ID, id)?;
        let timestamp_digits = required(TIMESTAMP, timestamp)?;
        let signature = required(SIGNATURE, signature)?;
        Ok(Self {
            message_id: message_id(id).ok_or(VerifyError::BadMessageId)?,
            timestamp: unix_seconds(timestamp_digits).ok_or(VerifyError::BadTimestamp)?,
            timestamp_digits,
            signatures: SignatureList::bounded(signature)?,
        })
    }

    /// What is signed before the body.
    pub(crate) const fn prefix(&self) -> [&'h [u8]; 4] {
        [
            self.message_id.as_bytes(),
            b".",
            self.timestamp_digits,
            b".",
        ]
    }

    /// Refuses what is older than `past` or newer than `future` seconds, seen from `now`.
    pub(crate) fn check_clock(&self, now: i64, past: u64, future: u64) -> Result<(), VerifyError> {
        let by = now.abs_diff(self.timestamp);
        if self.timestamp <= now && by > past {
            return Err(VerifyError::TooOld {
                by,
                tolerance: past,
            });
        }
        if self.timestamp > now && by > future {
            return Err(VerifyError::TooNew {
                by,
                tolerance: future,
            });
        }
        Ok(())
    }

    pub(crate) fn proves(&self, key_index: usize, algorithm: Algorithm) -> Verified {
        Verified {
            scheme: Scheme::StandardWebhooks,
            algorithm,
            key_index,
            timestamp: Some(self.timestamp),
            message_id: Some(self.message_id.to_owned()),
            body_bound: BodyBound::Full,
            timestamp_signed: true,
            id_signed: true,
            url_bound: false,
        }
    }
}

fn required<'h>(name: &'static str, found: Found<'h>) -> Result<&'h [u8], VerifyError> {
    match found {
        Found::Missing => Err(VerifyError::MissingHeader { name }),
        Found::Repeated => Err(VerifyError::RepeatedHeader { name }),
        Found::Once(value) if value.trim_ascii().is_empty() => {
            Err(VerifyError::EmptyHeader { name })
        }
        Found::Once(value) => Ok(value),
    }
}

/// An id that can be signed without two readings: with a dot in it, `a.1` at time `2` and `a` at
/// time `1` with a body that begins `2.` would be the same signed bytes.
pub(crate) fn message_id(bytes: &[u8]) -> Option<&str> {
    let id = std::str::from_utf8(bytes).ok()?;
    let usable = !id.is_empty()
        && id.len() <= MAX_MESSAGE_ID
        && id
            .bytes()
            .all(|byte| byte != b'.' && !byte.is_ascii_control());
    usable.then_some(id)
}

/// Unix seconds from 1 to 11 ASCII digits and nothing else.
fn unix_seconds(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 11 {
        return None;
    }
    digits.iter().try_fold(0_i64, |seconds, digit| {
        digit
            .is_ascii_digit()
            .then(|| seconds * 10 + i64::from(digit - b'0'))
    })
}

/// The tokens of the signature header. Unknown versions and malformed tokens are passed over.
#[derive(Clone, Copy)]
pub(crate) struct SignatureList<'h>(&'h [u8]);

impl<'h> SignatureList<'h> {
    /// Refuses a list so long that trying it would cost a stranger less than us.
    fn bounded(header: &'h [u8]) -> Result<Self, VerifyError> {
        let list = Self(header);
        if header.len() > MAX_SIGNATURE_HEADER
            || list.tokens().nth(MAX_SIGNATURES).is_some()
            || list.ed25519().nth(MAX_ED25519_SIGNATURES).is_some()
        {
            return Err(VerifyError::TooManySignatures);
        }
        Ok(list)
    }

    pub(crate) fn tokens(self) -> impl Iterator<Item = &'h [u8]> {
        self.0
            .split(|byte| *byte == b' ')
            .filter(|token| !token.is_empty())
    }

    /// The well-formed `v1` tokens, decoded.
    pub(crate) fn hmac(self) -> impl Iterator<Item = [u8; 32]> {
        self.tokens()
            .filter_map(|token| decode_exact(token.strip_prefix(HMAC_VERSION)?))
    }

    /// The well-formed `v1a` tokens, decoded.
    pub(crate) fn ed25519(self) -> impl Iterator<Item = [u8; 64]> {
        self.tokens()
            .filter_map(|token| decode_exact(token.strip_prefix(ED25519_VERSION)?))
    }
}

/// Canonical padded base64 of exactly `N` bytes.
fn decode_exact<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != base64::encoded_len(N) {
        return None;
    }
    let mut bytes = [0; N];
    let len = base64::decode(text, Padding::Whole, &mut bytes)?;
    (len == N).then_some(bytes)
}
