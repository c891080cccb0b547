//! The signatures a request offers: one header's text, and how a scheme writes a list of signatures.

use std::borrow::Cow;

use crate::algorithm::Algorithm;
use crate::base64::{self, Padding};
use crate::error::VerifyError;
use crate::hex;
use crate::layout::Name;
use crate::limits::{MAX_ED25519_SIGNATURES, MAX_SIGNATURE_HEADER, MAX_SIGNATURES};
use crate::tag::Offered;

/// How the bytes of a signature are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Standard base64 with its padding, in its one canonical spelling.
    Base64,
    /// Hexadecimal digits in either case, of the exact length.
    Hex,
}

/// The longest signature there is room for: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// How a scheme writes its list of signatures. What does not have this form is passed over.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// Between two items; `None` where there is only one.
    pub(crate) separator: Option<u8>,
    /// What stands before a signature, and its algorithm.
    pub(crate) prefixes: Cow<'static, [(Name, Algorithm)]>,
    pub(crate) encoding: Encoding,
}

impl Form {
    /// What follows the prefix of `algorithm` in `item`.
    fn strip<'t>(&self, item: &'t [u8], algorithm: Algorithm) -> Option<&'t [u8]> {
        self.prefixes
            .iter()
            .filter(|(_, its)| *its == algorithm)
            .find_map(|(prefix, _)| item.strip_prefix(prefix.as_bytes()))
    }

    /// Whether an item is a well-formed signature by a key pair.
    fn is_costly(&self, item: &[u8]) -> bool {
        let mut costly = self
            .prefixes
            .iter()
            .filter(|(_, algorithm)| algorithm.is_asymmetric())
            .filter_map(|(prefix, algorithm)| {
                Some((item.strip_prefix(prefix.as_bytes())?, algorithm))
            });
        costly.any(|(text, algorithm)| self.signature(text, *algorithm).is_some())
    }

    /// A signature by a key pair, decoded, whatever its length.
    fn signature(&self, text: &[u8], algorithm: Algorithm) -> Option<Vec<u8>> {
        if text.len() > 2 * MAX_SIGNATURE {
            return None;
        }
        let mut bytes = vec![0; text.len()];
        let len = self.decode(text, &mut bytes)?;
        bytes.truncate(len);
        let exact = if algorithm == Algorithm::Ed25519 {
            len == 64
        } else {
            (1..=MAX_SIGNATURE).contains(&len)
        };
        exact.then_some(bytes)
    }

    fn decode(&self, text: &[u8], out: &mut [u8]) -> Option<usize> {
        match self.encoding {
            Encoding::Base64 => base64::decode(text, Padding::Whole, out),
            Encoding::Hex => hex::decode(text, out),
        }
    }

    /// Appends one signature as an item.
    pub(crate) fn write(&self, algorithm: Algorithm, signature: &[u8], list: &mut String) {
        if let (Some(separator), false) = (self.separator, list.is_empty()) {
            list.push(char::from(separator));
        }
        let prefix = self.prefixes.iter().find(|(_, its)| *its == algorithm);
        list.push_str(prefix.map_or("", |(prefix, _)| prefix));
        match self.encoding {
            Encoding::Base64 => base64::encode_into(signature, list),
            Encoding::Hex => hex::encode_into(signature, list),
        }
    }
}

/// The signatures of one request.
#[derive(Clone)]
pub(crate) struct Candidates<'r> {
    pub(crate) text: Cow<'r, [u8]>,
    pub(crate) form: &'r Form,
}

impl<'r> Candidates<'r> {
    /// Refuses a list so long that trying it would cost a stranger less than us. `name` is the header it came in.
    pub(crate) fn bounded(
        text: impl Into<Cow<'r, [u8]>>,
        form: &'r Form,
        name: &Name,
    ) -> Result<Self, VerifyError> {
        let all = Self {
            text: text.into(),
            form,
        };
        let too_many = || VerifyError::TooManySignatures { name: name.clone() };
        if all.text.len() > MAX_SIGNATURE_HEADER {
            return Err(too_many());
        }
        let (mut items, mut costly) = (0, 0);
        for item in all.items() {
            items += 1;
            costly += usize::from(form.is_costly(item));
            if items > MAX_SIGNATURES || costly > MAX_ED25519_SIGNATURES {
                return Err(too_many());
            }
        }
        Ok(all)
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &[u8]> {
        let many = self.form.separator.is_some();
        let separator = self.form.separator.unwrap_or_default();
        self.text
            .split(move |byte| *byte == separator && many)
            .filter(|item| !item.is_empty())
    }

    /// The texts of the signatures of `algorithm`, not yet decoded.
    fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = &[u8]> {
        self.items()
            .filter_map(move |item| self.form.strip(item, algorithm))
    }

    /// The well-formed MACs of `algorithm`.
    pub(crate) fn tags(&self, algorithm: Algorithm, len: usize) -> impl Iterator<Item = Offered> {
        self.of(algorithm).filter_map(move |text| {
            let mut tag = Offered::empty();
            // Longer than any spelling of that many bytes.
            if text.len() > 2 * len {
                return None;
            }
            let decoded = self.form.decode(text, tag.room())?;
            (decoded == len).then(|| tag.of_length(len))
        })
    }

    /// The well-formed Ed25519 signatures.
    pub(crate) fn ed25519(&self) -> impl Iterator<Item = [u8; 64]> {
        self.of(Algorithm::Ed25519).filter_map(|text| {
            let mut bytes = [0; 64];
            (self.form.decode(text, &mut bytes)? == 64).then_some(bytes)
        })
    }

    /// The well-formed signatures of an asymmetric `algorithm`, whatever their length.
    pub(crate) fn signatures(&self, algorithm: Algorithm) -> impl Iterator<Item = Vec<u8>> {
        self.of(algorithm)
            .filter_map(move |text| self.form.signature(text, algorithm))
    }
}
