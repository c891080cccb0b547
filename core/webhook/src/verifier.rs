//! Verifies a body chunk by chunk, without keeping it where the scheme allows; the verdict is the same as for the whole.

use std::fmt;

use ed25519_dalek::StreamVerifier;
use sha2::{Digest as _, Sha256};

use crate::algorithm::Algorithm;
#[cfg(feature = "asymmetric")]
use crate::asymmetric::EcdsaKey;
use crate::candidates::Candidates;
use crate::envelope::{Envelope, Signed};
use crate::error::VerifyError;
use crate::hmac_key;
use crate::key::VerifyKey;
use crate::message::Message;
use crate::received::Received;
use crate::tag::{Offered, Tag};
use crate::verified::{Fingerprint, Verified};
use crate::verify::Webhook;

/// A verification under way, from [`Webhook::verifier`](crate::Webhook::verifier).
///
/// Call [`update`](Self::update) with each chunk in order, then [`finish`](Self::finish). Nothing
/// read so far is to be trusted before `finish` says so.
///
/// The body is kept, up to `max_body`, where what is signed is made from it (Twilio, Mailgun, Linear, SNS, PayPal, RFC 9421) or
/// comes before what is signed of the headers, and for ECDSA and RSA.
#[must_use = "nothing is verified before `finish`"]
pub struct Verifier {
    work: Work,
    room: usize,
    max_body: usize,
    overflowed: bool,
}

enum Work {
    Streaming(Streaming),
    Keeping(Kept),
}

/// The keys at work on the bytes seen so far.
struct Streaming {
    running: Vec<Running>,
    /// Signed after the body.
    after: Vec<u8>,
    /// Of what is signed, where no id is and a key pair may have signed.
    hash: Option<Sha256>,
    /// What will have been proven if a signature fits; its key and algorithm are filled in then.
    proof: Verified,
}

/// One key.
struct Running {
    key_index: usize,
    algorithm: Algorithm,
    state: State,
}

enum State {
    Hmac(hmac_key::Running, Vec<Offered>),
    /// One for each signature, whose first half is hashed before the message.
    Ed25519(Vec<StreamVerifier>),
    #[cfg(feature = "asymmetric")]
    Ecdsa(Sha256, EcdsaKey, Vec<Vec<u8>>),
}

/// A request whose body is kept.
struct Kept {
    webhook: Webhook,
    body: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    url: Option<String>,
    method: Option<String>,
    now: i64,
}

impl Running {
    /// `None` for a key that cannot have made any of the signatures.
    fn of(key_index: usize, key: &VerifyKey, candidates: &Candidates<'_>) -> Option<Self> {
        let (algorithm, state) = match key {
            VerifyKey::Hmac(key) => {
                let tags: Vec<Offered> = candidates.tags(key.algorithm(), key.tag_len()).collect();
                let state = State::Hmac(key.start(), tags);
                (key.algorithm(), state)
            }
            VerifyKey::Ed25519(key) => {
                let each = candidates.ed25519();
                let each = each.filter_map(|signature| key.start(&signature));
                (Algorithm::Ed25519, State::Ed25519(each.collect()))
            }
            #[cfg(feature = "asymmetric")]
            VerifyKey::Ecdsa(key) => {
                let algorithm = Algorithm::EcdsaP256Sha256;
                let signatures = candidates.signatures(algorithm).collect();
                let state = State::Ecdsa(Sha256::new(), key.clone(), signatures);
                (algorithm, state)
            }
            // No scheme in which RSA signs the body as it is.
            #[cfg(feature = "asymmetric")]
            VerifyKey::Rsa(_) => return None,
        };
        let idle = match &state {
            State::Hmac(_, tags) => tags.is_empty(),
            State::Ed25519(each) => each.is_empty(),
            #[cfg(feature = "asymmetric")]
            State::Ecdsa(_, _, signatures) => signatures.is_empty(),
        };
        (!idle).then_some(Self {
            key_index,
            algorithm,
            state,
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Hmac(running, _) => running.update(bytes),
            State::Ed25519(each) => each.iter_mut().for_each(|running| running.update(bytes)),
            #[cfg(feature = "asymmetric")]
            State::Ecdsa(hash, _, _) => hash.update(bytes),
        }
    }

    /// Whether a signature fits; the MAC where it is one.
    fn finish(self) -> Option<Option<Tag>> {
        match self.state {
            State::Hmac(running, tags) => {
                let tag = running.finish();
                tag.is_among(tags.into_iter()).then_some(Some(tag))
            }
            State::Ed25519(each) => each
                .into_iter()
                .any(|running| running.finalize_and_verify().is_ok())
                .then_some(None),
            #[cfg(feature = "asymmetric")]
            State::Ecdsa(hash, key, signatures) => {
                let digest = hash.finalize().into();
                signatures
                    .iter()
                    .any(|signature| key.verify(&digest, signature))
                    .then_some(None)
            }
        }
    }
}

impl Streaming {
    fn update(&mut self, bytes: &[u8]) {
        self.running.iter_mut().for_each(|key| key.update(bytes));
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    fn finish(mut self) -> Result<Verified, VerifyError> {
        let after = std::mem::take(&mut self.after);
        self.update(&after);
        let Self {
            running,
            hash,
            mut proof,
            ..
        } = self;
        let (key_index, algorithm, tag) = running
            .into_iter()
            .find_map(|running| {
                let (key_index, algorithm) = (running.key_index, running.algorithm);
                Some((key_index, algorithm, running.finish()?))
            })
            .ok_or(VerifyError::BadSignature)?;
        if !proof.id_signed {
            proof.fingerprint = match tag {
                Some(tag) => Some(Fingerprint::of_mac(tag.as_bytes())),
                None => hash.map(Fingerprint::of_hash),
            };
        }
        Ok(Verified {
            key_index,
            algorithm,
            ..proof
        })
    }
}

impl Verifier {
    /// Verifies as the body arrives, where what is signed allows it.
    pub(crate) fn running(
        webhook: &Webhook,
        keys: &[VerifyKey],
        request: &Received<'_>,
        envelope: &Envelope<'_>,
        now: i64,
    ) -> Result<Self, VerifyError> {
        let Signed::Pieces {
            message,
            candidates,
        } = &envelope.signed
        else {
            return Ok(Self::keeping(webhook, request, now));
        };
        let message: &Message<'_> = message;
        let running: Vec<Running> = keys
            .iter()
            .enumerate()
            .filter_map(|(key_index, key)| Running::of(key_index, key, candidates))
            .collect();
        let hashed = !envelope.assurance.id_signed
            && running.iter().any(|key| key.algorithm.is_asymmetric());
        let mut streaming = Streaming {
            running,
            after: message.after_body().concat(),
            hash: hashed.then(Sha256::new),
            proof: envelope.proves(0, Algorithm::HmacSha256, None),
        };
        for part in message.before_body() {
            streaming.update(part);
        }
        Ok(Self::of(webhook, Work::Streaming(streaming)))
    }

    /// Keeps the body and verifies in the end.
    pub(crate) fn keeping(webhook: &Webhook, request: &Received<'_>, now: i64) -> Self {
        let mut headers = Vec::new();
        let visit = &mut |name: &[u8], value: &[u8]| headers.push((name.to_vec(), value.to_vec()));
        request.headers.visit(visit);
        let kept = Kept {
            webhook: webhook.clone(),
            body: Vec::new(),
            headers,
            url: request.url.map(str::to_owned),
            method: request.method.map(str::to_owned),
            now,
        };
        Self::of(webhook, Work::Keeping(kept))
    }

    fn of(webhook: &Webhook, work: Work) -> Self {
        let max_body = webhook.parts.max_body;
        Self {
            work,
            room: max_body,
            max_body,
            overflowed: false,
        }
    }

    /// Takes the next chunk of the body.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BodyTooLarge`] as soon as the body exceeds the cap; stop reading then.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), VerifyError> {
        match self.room.checked_sub(chunk.len()) {
            Some(room) if !self.overflowed => self.room = room,
            _ => {
                self.overflowed = true;
                return Err(VerifyError::BodyTooLarge { max: self.max_body });
            }
        }
        match &mut self.work {
            // A body that is not signed at all is not hashed either.
            Work::Streaming(streaming) if streaming.proof.body_bound != crate::BodyBound::Full => {}
            Work::Streaming(streaming) => streaming.update(chunk),
            Work::Keeping(kept) => kept.body.extend_from_slice(chunk),
        }
        Ok(())
    }

    /// The verdict over everything taken.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BadSignature`], or [`VerifyError::BodyTooLarge`] again; where the body was kept, whatever
    /// [`Webhook::verify`] answers.
    pub fn finish(self) -> Result<Verified, VerifyError> {
        if self.overflowed {
            return Err(VerifyError::BodyTooLarge { max: self.max_body });
        }
        match self.work {
            Work::Streaming(streaming) => streaming.finish(),
            Work::Keeping(kept) => {
                let mut request = Received::new(&kept.body, &kept.headers);
                request.url = kept.url.as_deref();
                request.method = kept.method.as_deref();
                kept.webhook.verify_request(&request, kept.now)
            }
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message_id = match &self.work {
            Work::Streaming(streaming) => streaming.proof.message_id.as_deref(),
            Work::Keeping(_) => None,
        };
        f.debug_struct("Verifier")
            .field("message_id", &message_id)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
