//! Why a secret cannot be used, found when it is given and not when the first webhook arrives.

use std::error::Error;
use std::fmt;

use crate::limits;
use crate::plain::Number;

/// What is wrong with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// What follows the prefix is not canonical, padded, standard base64.
    BadBase64,
    /// A `whpk_` key that is no point on the curve, or not in its only encoding.
    BadPublicKey,
    /// The secret is empty, or is nothing but a prefix.
    Empty,
    /// A `whsk_` key whose second half is not the public key of its first half.
    MismatchedPair,
    /// No secret was given at all.
    NoSecret,
    /// A `whpk_` key was given for signing.
    PublicKeyCannotSign,
    /// A `whsec_` secret has the bytes of a `whpk_` key given beside it: a secret everybody knows.
    PublicKeyAsSecret,
    /// A `whsk_` key was given for verifying.
    SigningKeyCannotVerify,
    /// The secret is longer than the scheme allows.
    TooLong,
    /// More secrets than one verifier or signer holds.
    TooManySecrets,
    /// The secret is shorter than the scheme allows.
    TooShort,
    /// The secret does not begin with `whsec_`, `whpk_` or `whsk_`.
    UnknownPrefix,
    /// The secret begins with `v1,` or `v1a,`, which belongs to signatures.
    VersionPrefix,
    /// A public key of low order, under which anybody can sign.
    WeakPublicKey,
    /// The secret has spaces or line ends around it.
    Whitespace,
}

impl KeyErrorKind {
    /// Every kind, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::BadBase64,
        Self::BadPublicKey,
        Self::Empty,
        Self::MismatchedPair,
        Self::NoSecret,
        Self::PublicKeyCannotSign,
        Self::PublicKeyAsSecret,
        Self::SigningKeyCannotVerify,
        Self::TooLong,
        Self::TooManySecrets,
        Self::TooShort,
        Self::UnknownPrefix,
        Self::VersionPrefix,
        Self::WeakPublicKey,
        Self::Whitespace,
    ];

    /// A stable code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadBase64 => "bad_base64",
            Self::BadPublicKey => "bad_public_key",
            Self::Empty => "empty_secret",
            Self::MismatchedPair => "mismatched_pair",
            Self::NoSecret => "no_secret",
            Self::PublicKeyCannotSign => "public_key_cannot_sign",
            Self::PublicKeyAsSecret => "public_key_as_secret",
            Self::SigningKeyCannotVerify => "signing_key_cannot_verify",
            Self::TooLong => "secret_too_long",
            Self::TooManySecrets => "too_many_secrets",
            Self::TooShort => "secret_too_short",
            Self::UnknownPrefix => "unknown_prefix",
            Self::VersionPrefix => "version_prefix",
            Self::WeakPublicKey => "weak_public_key",
            Self::Whitespace => "secret_whitespace",
        }
    }

    /// About the whole list of secrets, so no position is to be named.
    const fn is_about_the_list(self) -> bool {
        matches!(self, Self::NoSecret | Self::TooManySecrets)
    }
}

/// A secret that cannot be used. Never holds any part of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyError {
    /// What is wrong.
    pub kind: KeyErrorKind,
    /// Which of the secrets given, counted from 0.
    pub index: usize,
}

impl KeyError {
    pub(crate) const fn new(kind: KeyErrorKind, index: usize) -> Self {
        Self { kind, index }
    }

    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.kind.is_about_the_list() {
            write!(f, "webhook secret [{}]: ", Number::of(self.index))?;
        }
        match self.kind {
            KeyErrorKind::BadBase64 => f.write_str(
                "what follows the prefix is not standard base64 with its padding: copy the whole secret again",
            ),
            KeyErrorKind::BadPublicKey => f.write_str("not an Ed25519 public key: copy the whole key again"),
            KeyErrorKind::Empty => f.write_str("is empty: is the environment variable set?"),
            KeyErrorKind::MismatchedPair => f.write_str(
                "its two halves do not belong together: expected the 32 byte seed, then its own public key",
            ),
            KeyErrorKind::NoSecret => f.write_str("no webhook secret given: give at least one"),
            KeyErrorKind::PublicKeyCannotSign => {
                f.write_str("a whpk_ key only verifies: sign with the whsk_ key it belongs to")
            }
            KeyErrorKind::PublicKeyAsSecret => {
                f.write_str("the same bytes are also given as a whpk_ key, which is public: remove the whsec_ one")
            }
            KeyErrorKind::SigningKeyCannotVerify => {
                f.write_str("a whsk_ key signs and stays with the sender: verify with its whpk_ key")
            }
            KeyErrorKind::TooLong => write!(
                f,
                "longer than allowed: expected {} to {} bytes after whsec_, 32 after whpk_, 64 after whsk_",
                Number::of(limits::MIN_SECRET_BYTES),
                Number::of(limits::MAX_SECRET_BYTES),
            ),
            KeyErrorKind::TooManySecrets => {
                write!(f, "more than {} webhook secrets given: remove retired ones", Number::of(limits::MAX_SECRETS))
            }
            KeyErrorKind::TooShort => write!(
                f,
                "shorter than allowed: expected {} to {} bytes after whsec_, 32 after whpk_, 64 after whsk_",
                Number::of(limits::MIN_SECRET_BYTES),
                Number::of(limits::MAX_SECRET_BYTES),
            ),
            KeyErrorKind::UnknownPrefix => f.write_str("expected it to begin with whsec_, whpk_ or whsk_"),
            KeyErrorKind::VersionPrefix => {
                f.write_str("begins with the version of a signature: remove everything before whsec_ or whpk_")
            }
            KeyErrorKind::WeakPublicKey => {
                f.write_str("a public key of low order, under which anybody can sign: get another key from the sender")
            }
            KeyErrorKind::Whitespace => f.write_str("has spaces or line ends around it: trim it"),
        }
    }
}

impl Error for KeyError {}
