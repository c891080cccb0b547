//! What a signature header holds in which no signature is that any of the keys could have made.

use super::{Cause, SignatureForm, body};
use crate::algorithm::Algorithm;
use crate::candidates::{Candidates, Encoding};

/// Why none of the signatures can fit any of the keys.
pub(super) fn cause(candidates: &Candidates<'_>) -> Cause {
    let known = |(_, algorithm): &(_, Algorithm)| {
        let algorithm = *algorithm;
        let offered = match algorithm {
            Algorithm::HmacSha1 => candidates.tags(algorithm, 20).next().is_some(),
            Algorithm::HmacSha256 => candidates.tags(algorithm, 32).next().is_some(),
            Algorithm::HmacSha512 => candidates.tags(algorithm, 64).next().is_some(),
            _ => candidates.signatures(algorithm).next().is_some(),
        };
        offered.then_some(algorithm)
    };
    match candidates.form.prefixes.iter().find_map(known) {
        Some(offered) => Cause::OtherAlgorithm { offered },
        None => Cause::SignatureMalformed {
            form: SignatureForm::of(candidates),
        },
    }
}

impl SignatureForm {
    fn of(candidates: &Candidates<'_>) -> Self {
        let form = candidates.form;
        let prefixes = || form.prefixes.iter().map(|(prefix, _)| prefix.as_bytes());
        let Some(item) = candidates.items().next() else {
            return Self::Other;
        };
        let known = prefixes().filter(|prefix| !prefix.is_empty());
        let stripped = candidates
            .items()
            .find_map(|item| known.clone().find_map(|prefix| item.strip_prefix(prefix)));
        // The character that ends a version: `v1,` or `v1=`.
        let end = prefixes().find_map(|prefix| prefix.last().copied());
        let (version, signature) = match (stripped, end) {
            (Some(signature), _) => (None, signature),
            (None, Some(end)) => match item.iter().position(|byte| *byte == end) {
                Some(at) if item.get(at + 1..).is_some_and(|rest| !rest.is_empty()) => (
                    Some(item.get(..at).unwrap_or_default()),
                    item.get(at + 1..).unwrap_or_default(),
                ),
                _ => (Some(b"".as_slice()), item),
            },
            (None, None) => (None, item),
        };
        // Of a version with no prefix known, `sha256=`, nothing can be said.
        let unknown = version.is_some_and(|version| {
            version.first() == Some(&b'v')
                && !version.contains(&b'=')
                && !is_known(version, prefixes())
        });
        if unknown {
            return Self::UnknownVersion;
        }
        if signature.len() > 1 && signature.contains(&b',') && form.separator != Some(b',') {
            return Self::CommaSeparated;
        }
        let hex = signature.iter().all(u8::is_ascii_hexdigit) && !signature.is_empty();
        if hex && form.encoding == Encoding::Base64 && signature.len() == 64 {
            return Self::Hex;
        }
        let other_hash = match form.encoding {
            Encoding::Hex => hex && matches!(signature.len(), 40 | 96 | 128),
            Encoding::Base64 => {
                let decoded = body::decode_lenient(signature);
                decoded.is_some_and(|bytes| matches!(bytes.len(), 20 | 48))
            }
        };
        if other_hash {
            return Self::OtherHash;
        }
        let base64_len = body::decode_lenient(signature).map(|bytes| bytes.len());
        let fits = match form.encoding {
            Encoding::Hex => hex && signature.len() == 64,
            Encoding::Base64 => matches!(base64_len, Some(32 | 64)),
        };
        match version {
            Some(b"") if fits => Self::NoVersion,
            Some(version) if fits && !is_known(version, prefixes()) => Self::UnknownVersion,
            _ if form.encoding == Encoding::Base64 && fits => Self::Base64Variant,
            _ if form.encoding == Encoding::Hex && matches!(base64_len, Some(20 | 32 | 64)) => {
                Self::Base64
            }
            _ => Self::Other,
        }
    }
}

/// Whether a version is one of those known, without the character that ends it.
fn is_known<'p>(version: &[u8], mut prefixes: impl Iterator<Item = &'p [u8]>) -> bool {
    prefixes.any(|prefix| {
        prefix
            .split_last()
            .is_some_and(|(_, known)| known == version)
    })
}
