//! Whether what verifies can sign, too: it can where the sender has the same secret.

use gatewright_webhook::{KeyError, Scheme, Signer as CoreSigner};
use pyo3::prelude::*;

use super::error::{unusable_key, wrong_key};
use super::settings::Template;
use super::signer::cannot_sign;

/// Whether the secrets can sign, too.
pub(super) enum Signing {
    With(CoreSigner),
    /// Only keys that verify were given.
    PublicKeys,
    /// The sender's key is another than the receiver's.
    OtherKey,
    Not(KeyError),
}

impl Signing {
    pub(super) fn get(&self, py: Python<'_>) -> PyResult<&CoreSigner> {
        match self {
            Self::With(signer) => Ok(signer),
            Self::OtherKey => Err(cannot_sign()),
            Self::Not(error) => Err(wrong_key(py, error)),
            Self::PublicKeys => {
                let text = "a whpk_ key is for verifying; sign with a whsec_ secret or a whsk_ key";
                Err(unusable_key(py, "public_key_cannot_sign", text))
            }
        }
    }
}

/// The keys of Standard Webhooks: `whsk_` keys sign, `whpk_` keys verify, `whsec_` secrets do both.
pub(super) fn prefixed(
    scheme: Scheme,
    secrets: &[String],
) -> Result<(Option<Vec<&str>>, Signing), KeyError> {
    let of = |unfit: &str| -> Vec<&str> {
        let each = secrets.iter().map(String::as_str);
        each.filter(|secret| !secret.starts_with(unfit)).collect()
    };
    let (verifying, signing) = (of("whsk_"), of("whpk_"));
    let signer = if signing.is_empty() {
        Signing::PublicKeys
    } else {
        Signing::With(CoreSigner::of(scheme, signing)?)
    };
    let only_signs = verifying.is_empty() && !secrets.is_empty();
    Ok(((!only_signs).then_some(verifying), signer))
}

/// A signer with what a receiver has.
pub(super) fn signing(scheme: Scheme, template: Option<&Template>, secrets: &[String]) -> Signing {
    let template = template.map(|template| &template.0);
    CoreSigner::of_receiver(scheme, template, secrets).map_or_else(Signing::Not, Signing::With)
}
