//! What downloads are taken from: bytes that were uploaded, or a file that nobody uploaded, made piece by piece.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::reply::Pieces;
use crate::stable_hash::mix;

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a download is taken from.
#[derive(Clone)]
pub(super) enum Source {
    Held(Bytes),
    Made { size: u64, seed: u64 },
}

impl Source {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Made { size, .. } => *size,
        }
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        match self {
            Self::Held(bytes) => Sha256::digest(bytes).into(),
            Self::Made { .. } => {
                let mut hasher = Sha256::new();
                let mut pieces = Slice::new(self.clone(), 0, self.size(), 64 * 1024);
                while let Some(piece) = pieces.next_piece() {
                    hasher.update(&piece);
                }
                hasher.finalize().into()
            }
        }
    }
}

/// Part of a file, in pieces.
pub(super) struct Slice {
    source: Source,
    at: u64,
    end: u64,
    piece: u64,
}

impl Slice {
    pub(super) fn new(source: Source, at: u64, end: u64, piece: u64) -> Self {
        Self {
            source,
            at,
            end,
            piece,
        }
    }
}

impl Pieces for Slice {
    fn next_piece(&mut self) -> Option<Bytes> {
        let to = self.end.min(self.at.saturating_add(self.piece.max(1)));
        if self.at >= to {
            return None;
        }
        let from = std::mem::replace(&mut self.at, to);
        Some(match &self.source {
            Source::Held(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let to = usize::try_from(to).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(from..to)
            }
            Source::Made { seed, .. } => (from..to)
                .map(|at| {
                    let word = mix(seed.wrapping_add((at / 8).wrapping_mul(GOLDEN)));
                    (word >> (at % 8 * 8)) as u8
                })
                .collect(),
        })
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.end - self.at)
    }
}
