//! Why a secret cannot be used, found when it is given and not when the first webhook arrives.

use std::error::Error;
use std::fmt;

use crate::limits;
use crate::plain::{Number, Text};
use crate::template::TemplateFault;

/// What is wrong with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// What follows the prefix is not canonical, padded, standard base64.
    BadBase64,
    /// The secret is not hexadecimal digits in pairs.
    BadHex,
    /// A custom template that cannot be used.
    BadTemplate(TemplateFault),
    /// A component that must be covered is none (RFC 9421, section 2).
    BadComponent,
    /// A `whpk_` key that is no point on the curve, or not in its only encoding.
    BadPublicKey,
    /// Nothing here can sign by this scheme.
    CannotSign,
    /// The secret is empty, or is nothing but a prefix.
    Empty,
    /// A `whsk_` key whose second half is not the public key of its first half.
    MismatchedPair,
    /// The topic is what says who sends (SNS), and none was given.
    MissingTopic,
    /// The scheme is `Custom`, and no template was given.
    MissingTemplate,
    /// The scheme signs the id of the webhook (PayPal), and none was given.
    MissingWebhookId,
    /// The scheme needs the feature `asymmetric`, which this build was made without.
    NeedsAsymmetric,
    /// No secret was given at all.
    NoSecret,
    /// A secret was given, and the scheme has none: its keys come with certificates.
    NoSecretWanted,
    /// The secret does not begin as those of the scheme do.
    OtherPrefix {
        /// How they begin.
        expected: &'static str,
    },
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
    /// The secret is a text of fewer bytes than the scheme allows.
    TooShortText {
        /// The fewest bytes.
        least: usize,
    },
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
    /// A kind of every code, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::BadBase64,
        Self::BadHex,
        Self::BadTemplate(TemplateFault::NothingSigned),
        Self::BadComponent,
        Self::BadPublicKey,
        Self::CannotSign,
        Self::Empty,
        Self::MismatchedPair,
        Self::MissingTemplate,
        Self::MissingTopic,
        Self::MissingWebhookId,
        Self::NeedsAsymmetric,
        Self::NoSecret,
        Self::NoSecretWanted,
        Self::OtherPrefix { expected: "whsec_" },
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
            Self::BadHex => "bad_hex",
            Self::BadTemplate(_) => "bad_template",
            Self::BadComponent => "bad_component",
            Self::BadPublicKey => "bad_public_key",
            Self::CannotSign => "cannot_sign",
            Self::Empty => "empty_secret",
            Self::MismatchedPair => "mismatched_pair",
            Self::MissingTemplate => "missing_template",
            Self::MissingTopic => "missing_topic",
            Self::MissingWebhookId => "missing_webhook_id",
            Self::NeedsAsymmetric => "needs_asymmetric",
            Self::NoSecret => "no_secret",
            Self::NoSecretWanted => "no_secret_wanted",
            Self::OtherPrefix { .. } => "unknown_prefix",
            Self::PublicKeyCannotSign => "public_key_cannot_sign",
            Self::PublicKeyAsSecret => "public_key_as_secret",
            Self::SigningKeyCannotVerify => "signing_key_cannot_verify",
            Self::TooLong => "secret_too_long",
            Self::TooManySecrets => "too_many_secrets",
            Self::TooShort | Self::TooShortText { .. } => "secret_too_short",
            Self::UnknownPrefix => "unknown_prefix",
            Self::VersionPrefix => "version_prefix",
            Self::WeakPublicKey => "weak_public_key",
            Self::Whitespace => "secret_whitespace",
        }
    }

    /// About the whole list of secrets or no secret at all, so no position is to be named.
    const fn is_about_the_list(self) -> bool {
        matches!(
            self,
            Self::NoSecret
                | Self::TooManySecrets
                | Self::CannotSign
                | Self::BadTemplate(_)
                | Self::BadComponent
                | Self::MissingTemplate
                | Self::MissingTopic
                | Self::MissingWebhookId
                | Self::NeedsAsymmetric
        )
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
            KeyErrorKind::CannotSign => {
                f.write_str("nothing here can sign by this scheme: it signs with a certificate's key")
            }
            KeyErrorKind::Empty => f.write_str("is empty: is the environment variable set?"),
            KeyErrorKind::MismatchedPair => f.write_str(
                "its two halves do not belong together: expected the 32 byte seed, then its own public key",
            ),
            KeyErrorKind::BadHex => f.write_str("not hexadecimal digits in pairs: copy the whole key again"),
            KeyErrorKind::BadTemplate(fault) => {
                write!(f, "webhook template cannot be used: {}", Text(fault.text()))
            }
            KeyErrorKind::MissingTemplate => f.write_str("the scheme is custom, and no template was given: give one"),
            KeyErrorKind::BadComponent => f.write_str(
                "not a component that a signature covers (RFC 9421, section 2): name a header in lower case, or @method, @target-uri, @path and the like",
            ),
            KeyErrorKind::MissingTopic => f.write_str(
                "no topic given: anybody's topic would be accepted, give topic_arn",
            ),
            KeyErrorKind::MissingWebhookId => {
                f.write_str("no webhook id given: this scheme signs it, find it where the webhook was set up")
            }
            KeyErrorKind::NeedsAsymmetric => f.write_str(
                "this build has no ECDSA, RSA and certificates: use one made with the feature `asymmetric`",
            ),
            KeyErrorKind::NoSecretWanted => {
                f.write_str("this scheme has no secret, its keys come with certificates: give none")
            }
            KeyErrorKind::OtherPrefix { expected } => {
                write!(f, "expected it to begin with {}: is it that of the webhook, not an API key?", Text(expected))
            }
            KeyErrorKind::TooShortText { least } => write!(
                f,
                "shorter than allowed: expected at least {} bytes",
                Number::of(least),
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
