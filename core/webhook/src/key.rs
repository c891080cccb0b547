//! The keys of a verifier and of a signer, each typed by its scheme, so that a public key can never serve as an HMAC secret.

use std::fmt;

use ed25519_dalek::SigningKey;
use ed25519_dalek::ed25519::signature::MultipartSigner as _;

#[cfg(feature = "asymmetric")]
use sha2::{Digest as _, Sha256};

use crate::algorithm::Algorithm;
#[cfg(feature = "asymmetric")]
use crate::asymmetric::{EcdsaKey, RsaKey};
use crate::candidates::{Candidates, Form};
use crate::ed25519_key::PublicKey;
use crate::hmac_key::HmacKey;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_form::KeyForm;
use crate::limits::MAX_SECRETS;
use crate::tag::Tag;

pub(crate) const SECRET_PREFIX: &str = "whsec_";
pub(crate) const PUBLIC_PREFIX: &str = "whpk_";
pub(crate) const SIGNING_PREFIX: &str = "whsk_";

/// A key that verifies.
#[derive(Clone)]
pub(crate) enum VerifyKey {
    Hmac(HmacKey),
    Ed25519(PublicKey),
    #[cfg(feature = "asymmetric")]
    Ecdsa(EcdsaKey),
    #[cfg(feature = "asymmetric")]
    Rsa(RsaKey),
}

/// What RSA keys sign with.
#[cfg(feature = "asymmetric")]
const RSA: [Algorithm; 3] = [
    Algorithm::RsaSha256,
    Algorithm::RsaSha1,
    Algorithm::RsaPssSha512,
];

/// A signature that fitted.
pub(crate) struct Fits {
    pub(crate) algorithm: Algorithm,
    /// The MAC, where it is one.
    pub(crate) tag: Option<Tag>,
}

impl VerifyKey {
    /// All secrets of a verifier: at least one, but where the key comes with a certificate.
    pub(crate) fn parse_all<S: AsRef<str>>(
        form: KeyForm,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, KeyError> {
        let keys = parse_each(form, secrets, |text| form.verify_key(text))?;
        match keys.iter().position(|key| key.is_published_by(&keys)) {
            Some(index) => Err(KeyError::new(KeyErrorKind::PublicKeyAsSecret, index)),
            None => Ok(keys),
        }
    }

    fn is_published_by(&self, keys: &[Self]) -> bool {
        let Self::Hmac(secret) = self else {
            return false;
        };
        keys.iter().any(|key| matches!(key, Self::Ed25519(public) if public.as_bytes().as_slice() == secret.bytes()))
    }

    /// Whether any of the candidates fits the message under this key. All are tried.
    pub(crate) fn fits(&self, message: &[&[u8]], candidates: &Candidates<'_>) -> Option<Fits> {
        match self {
            Self::Hmac(key) => {
                let algorithm = key.algorithm();
                let mut tags = candidates.tags(algorithm, key.tag_len()).peekable();
                // Without a candidate there is nothing to compute.
                tags.peek()?;
                let tag = key.mac(message);
                tag.is_among(tags).then_some(Fits {
                    algorithm,
                    tag: Some(tag),
                })
            }
            Self::Ed25519(key) => candidates
                .ed25519()
                .any(|signature| key.verify(message, &signature))
                .then_some(Fits {
                    algorithm: Algorithm::Ed25519,
                    tag: None,
                }),
            #[cfg(feature = "asymmetric")]
            Self::Ecdsa(key) => {
                let algorithm = Algorithm::EcdsaP256Sha256;
                let mut signatures = candidates.signatures(algorithm).peekable();
                signatures.peek()?;
                let mut hash = Sha256::new();
                message.iter().for_each(|part| hash.update(part));
                let digest = hash.finalize().into();
                signatures
                    .any(|signature| key.verify(&digest, &signature))
                    .then_some(Fits {
                        algorithm,
                        tag: None,
                    })
            }
            #[cfg(feature = "asymmetric")]
            Self::Rsa(key) => RSA.into_iter().find_map(|algorithm| {
                let mut signatures = candidates.signatures(algorithm);
                signatures
                    .any(|signature| key.verify(algorithm, message, &signature))
                    .then_some(Fits {
                        algorithm,
                        tag: None,
                    })
            }),
        }
    }

    /// Whether it is the public half of a key pair.
    pub(crate) const fn is_asymmetric(&self) -> bool {
        !matches!(self, Self::Hmac(_))
    }

    /// Whether the candidates hold any signature, well-formed, that this key could have made.
    pub(crate) fn has_candidate(&self, candidates: &Candidates<'_>) -> bool {
        match self {
            Self::Hmac(key) => {
                let mut tags = candidates.tags(key.algorithm(), key.tag_len());
                tags.next().is_some()
            }
            Self::Ed25519(_) => candidates.ed25519().next().is_some(),
            #[cfg(feature = "asymmetric")]
            Self::Ecdsa(_) => {
                let mut signatures = candidates.signatures(Algorithm::EcdsaP256Sha256);
                signatures.next().is_some()
            }
            #[cfg(feature = "asymmetric")]
            Self::Rsa(_) => RSA
                .into_iter()
                .any(|algorithm| candidates.signatures(algorithm).next().is_some()),
        }
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "whsec_[redacted]",
            Self::Ed25519(_) => "whpk_[redacted]",
            #[cfg(feature = "asymmetric")]
            Self::Ecdsa(_) => "P-256 [redacted]",
            #[cfg(feature = "asymmetric")]
            Self::Rsa(_) => "RSA [redacted]",
        })
    }
}

/// A key that signs.
#[derive(Clone)]
pub(crate) enum SignKey {
    Hmac(HmacKey),
    Ed25519(Box<SigningKey>),
}

impl SignKey {
    /// All secrets of a signer, at least one.
    pub(crate) fn parse_all<S: AsRef<str>>(
        form: KeyForm,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, KeyError> {
        parse_each(form, secrets, |text| form.sign_key(text))
    }

    /// What it signs with.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(key) => key.algorithm(),
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Appends one signature to a list of `form`.
    pub(crate) fn sign_into(&self, message: &[&[u8]], form: &Form, list: &mut String) {
        match self {
            Self::Hmac(key) => form.write(key.algorithm(), key.mac(message).as_bytes(), list),
            Self::Ed25519(key) => form.write(
                Algorithm::Ed25519,
                &key.multipart_sign(message).to_bytes(),
                list,
            ),
        }
    }
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "whsec_[redacted]",
            Self::Ed25519(_) => "whsk_[redacted]",
        })
    }
}

fn parse_each<S: AsRef<str>, K>(
    form: KeyForm,
    secrets: impl IntoIterator<Item = S>,
    parse: impl Fn(&str) -> Result<K, KeyErrorKind>,
) -> Result<Vec<K>, KeyError> {
    let mut keys = Vec::new();
    for (index, secret) in secrets.into_iter().enumerate() {
        if index >= MAX_SECRETS {
            return Err(KeyError::new(KeyErrorKind::TooManySecrets, index));
        }
        keys.push(parse(secret.as_ref()).map_err(|kind| KeyError::new(kind, index))?);
    }
    if keys.is_empty() && form != KeyForm::Certificate {
        return Err(KeyError::new(KeyErrorKind::NoSecret, 0));
    }
    Ok(keys)
}
