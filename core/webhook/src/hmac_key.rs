//! HMAC secrets of all schemes: the keyed state of each hash, and the secret's bytes for `explain`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::base64;
use crate::key::SECRET_PREFIX;
use crate::tag::Tag;

/// A running MAC.
#[derive(Clone)]
pub(crate) enum Running {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Box<Hmac<Sha512>>),
}

impl Running {
    fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::HmacSha1 => Hmac::new_from_slice(key).ok().map(Self::Sha1),
            Algorithm::HmacSha512 => {
                let keyed = Hmac::new_from_slice(key).ok()?;
                Some(Self::Sha512(Box::new(keyed)))
            }
            _ => Hmac::new_from_slice(key).ok().map(Self::Sha256),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(running) => running.update(bytes),
            Self::Sha256(running) => running.update(bytes),
            Self::Sha512(running) => running.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Tag {
        match self {
            Self::Sha1(running) => Tag::take(&mut running.finalize().into_bytes()),
            Self::Sha256(running) => Tag::take(&mut running.finalize().into_bytes()),
            Self::Sha512(running) => Tag::take(&mut running.finalize().into_bytes()),
        }
    }
}

/// The MAC of a whole message, without a look at the hash for each piece.
fn mac_of<M: hmac::Mac>(mut running: M, message: &[&[u8]]) -> Tag {
    for part in message {
        running.update(part);
    }
    Tag::take(&mut running.finalize().into_bytes())
}

/// An HMAC secret with both of its key blocks already hashed.
#[derive(Clone)]
pub(crate) struct HmacKey {
    keyed: Running,
    /// Only for `explain`, which tries other readings of the same secret.
    bytes: Zeroizing<Vec<u8>>,
    algorithm: Algorithm,
}

impl HmacKey {
    /// `None` for an algorithm that is no HMAC.
    pub(crate) fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        if algorithm.is_asymmetric() {
            return None;
        }
        Some(Self {
            keyed: Running::new(algorithm, bytes)?,
            bytes: Zeroizing::new(bytes.to_vec()),
            algorithm,
        })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes of its output.
    pub(crate) const fn tag_len(&self) -> usize {
        match self.algorithm {
            Algorithm::HmacSha1 => 20,
            Algorithm::HmacSha512 => 64,
            _ => 32,
        }
    }

    /// A running MAC with nothing in it yet.
    pub(crate) fn start(&self) -> Running {
        self.keyed.clone()
    }

    pub(crate) fn mac(&self, message: &[&[u8]]) -> Tag {
        match &self.keyed {
            Running::Sha1(keyed) => mac_of(keyed.clone(), message),
            Running::Sha256(keyed) => mac_of(keyed.clone(), message),
            Running::Sha512(keyed) => mac_of((**keyed).clone(), message),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The secret as Standard Webhooks writes it, `whsec_` and base64. Canonical base64 has one spelling.
    pub(crate) fn prefixed_text(&self) -> Zeroizing<String> {
        // Sized up front: growing would leave copies of the secret behind.
        let len = SECRET_PREFIX.len() + base64::encoded_len(self.bytes.len());
        let mut text = Zeroizing::new(String::with_capacity(len));
        text.push_str(SECRET_PREFIX);
        base64::encode_into(&self.bytes, &mut text);
        text
    }
}
