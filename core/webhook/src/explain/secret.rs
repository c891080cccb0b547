//! Other readings of a configured secret: decoded where its text is the key, as text where it is decoded, without quotes.

use zeroize::Zeroizing;

use super::{Cause, Trials, body};
use crate::candidates::Encoding;
use crate::hex;
use crate::hmac_key::HmacKey;
use crate::key::{SECRET_PREFIX, VerifyKey};
use crate::key_form::KeyForm;
use crate::received::Received;

impl Trials<'_> {
    /// The signature fits a configured secret that is read in another way.
    pub(super) fn other_secret(&self, request: &Received<'_>) -> Option<Cause> {
        let keys = self.keys.iter().enumerate();
        keys.filter_map(|(index, key)| match key {
            VerifyKey::Hmac(key) => Some((index, key)),
            _ => None,
        })
        .find_map(|(key_index, key)| {
            let fits = |bytes: &[u8]| {
                let key = HmacKey::new(key.algorithm(), bytes);
                key.is_some_and(|key| {
                    self.read_and_verify(self.settings, &[VerifyKey::Hmac(key)], request)
                })
            };
            match self.settings.layout.key {
                KeyForm::Text { .. } => as_bytes(key_index, key.bytes(), &fits),
                _ => as_text(key_index, key, &fits),
            }
        })
    }
}

/// The sender uses the text of a secret that this scheme decodes.
fn as_text(key_index: usize, key: &HmacKey, fits: &dyn Fn(&[u8]) -> bool) -> Option<Cause> {
    let text = key.prefixed_text();
    let bare = text.strip_prefix(SECRET_PREFIX)?;
    let with_prefix = [(true, text.as_str()), (false, bare)]
        .into_iter()
        .find_map(|(with_prefix, text)| fits(text.as_bytes()).then_some(with_prefix))?;
    Some(Cause::SecretUsedAsText {
        key_index,
        with_prefix,
    })
}

/// The sender decodes a secret that this scheme uses as text, or has one without the quotes.
fn as_bytes(key_index: usize, text: &[u8], fits: &dyn Fn(&[u8]) -> bool) -> Option<Cause> {
    if let [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] = text
        && fits(inner)
    {
        return Some(Cause::SecretQuoted { key_index });
    }
    // Without `whsec_`, `lin_wh_` and the like, too.
    let bare = text.iter().rposition(|byte| *byte == b'_');
    let bare = bare.and_then(|at| text.get(at + 1..)).unwrap_or(text);
    for text in [text, bare] {
        let mut bytes = Zeroizing::new(vec![0; text.len()]);
        let len = hex::decode(text, &mut bytes).unwrap_or_default();
        if len > 0 && bytes.get(..len).is_some_and(fits) {
            return Some(Cause::SecretDecoded {
                key_index,
                encoding: Encoding::Hex,
            });
        }
        let decoded = body::decode_lenient(text).map(Zeroizing::new);
        if decoded.is_some_and(|bytes| !bytes.is_empty() && fits(&bytes)) {
            return Some(Cause::SecretDecoded {
                key_index,
                encoding: Encoding::Base64,
            });
        }
    }
    None
}
