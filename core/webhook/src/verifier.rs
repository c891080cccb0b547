//! Verifies a body chunk by chunk, without keeping it; the verdict is the same as for the whole.

use std::fmt;

use ed25519_dalek::StreamVerifier;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::error::VerifyError;
use crate::key::{self, Mac, VerifyKey};
use crate::schemes::standard::Envelope;
use crate::verified::{Algorithm, Verified};

/// A verification under way, from [`Webhook::verifier`](crate::Webhook::verifier).
///
/// Call [`update`](Self::update) with each chunk in order, then [`finish`](Self::finish). Nothing
/// read so far is to be trusted before `finish` says so.
#[must_use = "nothing is verified before `finish`"]
pub struct Verifier {
    running: Vec<Running>,
    macs: Vec<Mac>,
    /// What will have been proven if a signature fits; its key and algorithm are filled in then.
    proof: Verified,
    room: usize,
    max_body: usize,
    overflowed: bool,
}

/// One key at work on the bytes seen so far.
struct Running {
    key_index: usize,
    state: State,
}

enum State {
    Hmac(Hmac<Sha256>),
    /// One for each signature, whose first half is hashed before the message.
    Ed25519(Vec<StreamVerifier>),
}

impl Running {
    fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Hmac(running) => running.update(bytes),
            State::Ed25519(each) => each.iter_mut().for_each(|running| running.update(bytes)),
        }
    }
}

impl Verifier {
    pub(crate) fn new(keys: &[VerifyKey], envelope: &Envelope<'_>, max_body: usize) -> Self {
        let macs: Vec<Mac> = envelope.signatures.hmac().collect();
        let mut running: Vec<Running> = keys
            .iter()
            .enumerate()
            .filter_map(|(key_index, key)| {
                let state = match key {
                    VerifyKey::Hmac(key) => (!macs.is_empty()).then(|| State::Hmac(key.start()))?,
                    VerifyKey::Ed25519(key) => {
                        let each: Vec<_> = envelope
                            .signatures
                            .ed25519()
                            .filter_map(|signature| key.start(&signature))
                            .collect();
                        (!each.is_empty()).then_some(State::Ed25519(each))?
                    }
                };
                Some(Running { key_index, state })
            })
            .collect();
        for part in envelope.prefix() {
            running.iter_mut().for_each(|key| key.update(part));
        }
        Self {
            running,
            macs,
            proof: envelope.proves(0, Algorithm::HmacSha256),
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
        self.running.iter_mut().for_each(|key| key.update(chunk));
        Ok(())
    }

    /// The verdict over everything taken.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BadSignature`], or [`VerifyError::BodyTooLarge`] again.
    pub fn finish(self) -> Result<Verified, VerifyError> {
        if self.overflowed {
            return Err(VerifyError::BodyTooLarge { max: self.max_body });
        }
        let (key_index, algorithm) = self
            .running
            .into_iter()
            .find_map(|Running { key_index, state }| {
                let algorithm = match state {
                    State::Hmac(running) => {
                        key::is_among(&key::finish(running), self.macs.iter().copied())
                            .then_some(Algorithm::HmacSha256)
                    }
                    State::Ed25519(each) => each
                        .into_iter()
                        .any(|running| running.finalize_and_verify().is_ok())
                        .then_some(Algorithm::Ed25519),
                }?;
                Some((key_index, algorithm))
            })
            .ok_or(VerifyError::BadSignature)?;
        Ok(Verified {
            key_index,
            algorithm,
            ..self.proof
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("message_id", &self.proof.message_id)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
