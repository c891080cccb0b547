//! Finds out why a webhook does not verify, by trying what commonly goes wrong; for the developer's eyes only.
//!
//! Order: the headers' form, then what the signature fits when one thing is undone (the clock, the
//! body, the secret, the signed content), then hints that nothing can prove. The first that fits
//! is the answer. No MAC is ever returned, only which hypothesis held.

mod body;
mod cause;
mod json;
mod names;

pub use cause::{BodyChange, Cause, Explanation, SignatureForm, SignedContent, TimestampForm};

use crate::base64::{self, Padding};
use crate::error::VerifyError;
use crate::headers::{Found, Headers, find};
use crate::key::{HmacKey, SECRET_PREFIX, VerifyKey, is_among};
use crate::schemes::standard::{Envelope, SignatureList, TIMESTAMP};
use crate::verified::Algorithm;
use crate::verify::Webhook;

/// How many bytes may be hashed to find out what changed the body: about a tenth of a second. Who
/// calls `explain` on every refusal gives strangers a way to spend it.
const WORK: usize = 128 * 1024 * 1024;

/// What one Ed25519 verification costs beside its hashing, in bytes hashed.
const ED25519_WORK: usize = 64 * 1024;

impl Webhook {
    /// Says why [`verify`](Self::verify) refuses this request, and what to do about it.
    ///
    /// For development and for logs that only developers read. Never answer a sender with it: it
    /// would help a forger. It may take a tenth of a second, so do not call it on every refusal of a
    /// public endpoint.
    pub fn explain<H: Headers + ?Sized>(&self, body: &[u8], headers: &H, now: i64) -> Explanation {
        let envelope = match Envelope::read(headers) {
            Ok(envelope) => envelope,
            Err(error) => return Explanation::of(headers_cause(error, headers)),
        };
        let clock = envelope.check_clock(now, self.past, self.future).err();
        let cause = match self.verify_envelope(body, &envelope, envelope.timestamp) {
            Ok(verified) => match clock {
                None => Cause::Valid {
                    key_index: verified.key_index,
                },
                Some(_) => Cause::ClockOff {
                    seconds: now.saturating_sub(envelope.timestamp),
                },
            },
            Err(VerifyError::BadSignature) => self.signature_cause(body, headers, &envelope),
            Err(other) => Cause::AsReported(other),
        };
        let clock_off_by = clock.map(|_| now.saturating_sub(envelope.timestamp));
        Explanation {
            cause,
            clock_off_by,
        }
    }

    fn signature_cause<H: Headers + ?Sized>(
        &self,
        body: &[u8],
        headers: &H,
        envelope: &Envelope<'_>,
    ) -> Cause {
        self.unusable_signatures(envelope.signatures)
            .or_else(|| self.changed_body(body, envelope))
            .or_else(|| self.secret_used_as_text(body, envelope))
            .or_else(|| self.other_content(body, envelope))
            .unwrap_or_else(|| hint(body, headers))
    }

    /// No token in the list could have fitted any of the keys.
    fn unusable_signatures(&self, signatures: SignatureList<'_>) -> Option<Cause> {
        let hmac = signatures.hmac().next().is_some();
        let ed25519 = signatures.ed25519().next().is_some();
        let usable = self.keys.iter().any(|key| match key {
            VerifyKey::Hmac(_) => hmac,
            VerifyKey::Ed25519(_) => ed25519,
        });
        if usable {
            return None;
        }
        Some(match (hmac, ed25519) {
            (true, _) => Cause::OtherAlgorithm {
                offered: Algorithm::HmacSha256,
            },
            (false, true) => Cause::OtherAlgorithm {
                offered: Algorithm::Ed25519,
            },
            (false, false) => Cause::SignatureMalformed {
                form: SignatureForm::of(signatures),
            },
        })
    }

    fn changed_body(&self, body: &[u8], envelope: &Envelope<'_>) -> Option<Cause> {
        let [id, dot, timestamp, dot_again] = envelope.prefix();
        let ed25519 = envelope.signatures.ed25519().count();
        let mut left = WORK;
        let change = body::find_change(body, &mut |original| {
            let trial = self.keys.iter().map(|key| match key {
                VerifyKey::Hmac(_) => original.len(),
                VerifyKey::Ed25519(_) => {
                    ed25519.saturating_mul(original.len().saturating_add(ED25519_WORK))
                }
            });
            left = left.saturating_sub(trial.fold(0, usize::saturating_add));
            let message = [id, dot, timestamp, dot_again, original];
            left > 0 && self.signer_of(&message, envelope.signatures).is_some()
        })?;
        Some(Cause::BodyChanged { change })
    }

    /// The sender's HMAC key is the text of the secret: other schemes, and some senders who mean
    /// to follow this one, do not decode it.
    fn secret_used_as_text(&self, body: &[u8], envelope: &Envelope<'_>) -> Option<Cause> {
        let [id, dot, timestamp, dot_again] = envelope.prefix();
        let message = [id, dot, timestamp, dot_again, body];
        self.hmac_keys().find_map(|(key_index, key)| {
            let text = key.text();
            let bare = text.strip_prefix(SECRET_PREFIX)?;
            let with_prefix = [(true, text.as_str()), (false, bare)]
                .into_iter()
                .find_map(|(with_prefix, text)| {
                    let mac = HmacKey::new(text.as_bytes())?.mac(&message);
                    is_among(&mac, envelope.signatures.hmac()).then_some(with_prefix)
                })?;
            Some(Cause::SecretUsedAsText {
                key_index,
                with_prefix,
            })
        })
    }

    fn other_content(&self, body: &[u8], envelope: &Envelope<'_>) -> Option<Cause> {
        let [id, dot, timestamp, dot_again] = envelope.prefix();
        let contents: [(SignedContent, &[&[u8]]); 4] = [
            (SignedContent::Body, &[body]),
            (SignedContent::TimestampAndBody, &[timestamp, dot, body]),
            (SignedContent::IdAndTimestamp, &[id, dot, timestamp]),
            (SignedContent::WithoutBody, &[id, dot, timestamp, dot_again]),
        ];
        contents
            .into_iter()
            .find(|(_, message)| self.signer_of(message, envelope.signatures).is_some())
            .map(|(content, _)| Cause::OtherContent { content })
    }

    fn hmac_keys(&self) -> impl Iterator<Item = (usize, &HmacKey)> {
        self.keys
            .iter()
            .enumerate()
            .filter_map(|(index, key)| match key {
                VerifyKey::Hmac(key) => Some((index, key)),
                VerifyKey::Ed25519(_) => None,
            })
    }
}

/// More about a header that is missing or malformed than the error says.
fn headers_cause<H: Headers + ?Sized>(error: VerifyError, headers: &H) -> Cause {
    match error {
        VerifyError::MissingHeader { name } => Cause::HeaderMissing {
            name,
            similar: names::similar(name, headers),
        },
        VerifyError::BadTimestamp => {
            let [Found::Once(value)] = find(headers, [TIMESTAMP]) else {
                return Cause::AsReported(error);
            };
            Cause::TimestampMalformed {
                form: TimestampForm::of(value),
            }
        }
        other => Cause::AsReported(other),
    }
}

/// What the request suggests where nothing could be proven.
fn hint<H: Headers + ?Sized>(body: &[u8], headers: &H) -> Cause {
    if body.is_empty() {
        return Cause::BodyEmpty;
    }
    let [encoding, length] = find(headers, ["content-encoding", "content-length"]);
    if let Found::Once(encoding) = encoding
        && !encoding.trim_ascii().is_empty()
        && !encoding.trim_ascii().eq_ignore_ascii_case(b"identity")
        && !body::looks_compressed(body)
    {
        return Cause::BodyDecompressed;
    }
    if let Found::Once(length) = length
        && let Some(declared) = std::str::from_utf8(length)
            .ok()
            .and_then(|text| text.trim().parse::<u64>().ok())
        && u64::try_from(body.len()) != Ok(declared)
    {
        return Cause::BodyLengthDiffers {
            declared,
            got: body.len(),
        };
    }
    Cause::NothingFits
}

impl TimestampForm {
    fn of(value: &[u8]) -> Self {
        let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        if value.trim_ascii() != value {
            return Self::Padded;
        }
        match value {
            _ if digits(value) && (12..=14).contains(&value.len()) => Self::Milliseconds,
            [b'+' | b'-', rest @ ..] if digits(rest) => Self::Sign,
            _ if value.contains(&b'.') && value.split(|byte| *byte == b'.').all(digits) => {
                Self::Fraction
            }
            _ if value.contains(&b':') => Self::Date,
            _ => Self::Other,
        }
    }
}

impl SignatureForm {
    fn of(signatures: SignatureList<'_>) -> Self {
        let Some(token) = signatures.tokens().next() else {
            return Self::Other;
        };
        let (version, signature) = match token.iter().position(|byte| *byte == b',') {
            Some(comma) => (
                token.get(..comma).unwrap_or_default(),
                token.get(comma + 1..).unwrap_or_default(),
            ),
            None => (b"".as_slice(), token),
        };
        let known = matches!(version, b"v1" | b"v1a");
        if !known && version.first() == Some(&b'v') && !version.contains(&b'=') {
            return Self::UnknownVersion;
        }
        if signature.contains(&b',') {
            return Self::CommaSeparated;
        }
        if signature.len() == 64 && signature.iter().all(u8::is_ascii_hexdigit) {
            return Self::Hex;
        }
        if version.is_empty() {
            let mut bytes = vec![0; signature.len()];
            return match base64::decode(signature, Padding::Whole, &mut bytes) {
                Some(32 | 64) => Self::NoVersion,
                _ => Self::Other,
            };
        }
        if known
            && body::decode_lenient(signature).is_some_and(|bytes| matches!(bytes.len(), 32 | 64))
        {
            return Self::Base64Variant;
        }
        Self::Other
    }
}
