//! The output of an HMAC, of whatever hash: compared in constant time, zeroed when dropped, never shown.

use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// Up to 64 bytes, the output of SHA-512.
const MOST: usize = 64;

/// A MAC that a request offers: what a stranger sent, and no secret.
#[derive(Clone, Copy)]
pub(crate) struct Offered {
    bytes: [u8; MOST],
    len: usize,
}

impl Offered {
    pub(crate) const fn empty() -> Self {
        Self {
            bytes: [0; MOST],
            len: 0,
        }
    }

    /// Where its bytes go.
    pub(crate) const fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(crate) fn of_length(mut self, len: usize) -> Self {
        self.len = len.min(MOST);
        self
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The right MAC, computed here.
pub(crate) struct Tag {
    bytes: [u8; MOST],
    len: usize,
}

impl Tag {
    /// From the output of a hash, which is wiped.
    pub(crate) fn take(output: &mut [u8]) -> Self {
        let mut tag = Self {
            bytes: [0; MOST],
            len: output.len().min(MOST),
        };
        if let Some(bytes) = tag.bytes.get_mut(..output.len()) {
            bytes.copy_from_slice(output);
        }
        output.zeroize();
        tag
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Whether it is among `candidates`. Looks at all of them, each in constant time.
    pub(crate) fn is_among(&self, candidates: impl Iterator<Item = Offered>) -> bool {
        let mut found = Choice::from(0);
        for candidate in candidates {
            found |= self.as_bytes().ct_eq(candidate.as_bytes());
        }
        found.into()
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        // The rest was never written.
        if let Some(written) = self.bytes.get_mut(..self.len) {
            written.zeroize();
        }
    }
}

impl ZeroizeOnDrop for Tag {}
