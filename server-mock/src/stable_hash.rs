//! A hash that is the same on every machine and in every version: seeded faults and request ids are decided by it.
//!
//! FNV-1a over length-prefixed parts, finished with the SplitMix64 mixer so that neighbouring inputs land far apart.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Hashes `parts` in order. The length of each part is hashed too, so `["ab", "c"]` and `["a", "bc"]` differ.
pub(crate) fn stable_hash(parts: &[&[u8]]) -> u64 {
    let mut hash = OFFSET;
    for part in parts {
        for byte in (part.len() as u64).to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        for &byte in *part {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    mix(hash)
}

/// The SplitMix64 finisher: a bijection that spreads every input bit over the whole word.
pub(crate) fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps a hash to the half-open interval [0, 1).
pub(crate) fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_between_parts_count() {
        assert_ne!(stable_hash(&[b"ab", b"c"]), stable_hash(&[b"a", b"bc"]));
    }

    #[test]
    fn the_hash_never_changes_between_versions() {
        assert_eq!(stable_hash(&[b"gatewright"]), 0x89b4_9835_9340_c603);
    }

    #[test]
    fn unit_values_spread_evenly() {
        let low = (0..10_000u64)
            .filter(|n| unit(stable_hash(&[&n.to_le_bytes()])) < 0.3)
            .count();
        assert!(
            (2_850..3_150).contains(&low),
            "got {low} of 10000 below 0.3"
        );
    }
}
