//! The signature algorithms of all schemes.

use std::fmt;

/// The signature algorithm that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-1: Twilio. Still sound as a MAC, though SHA-1 is not as a hash.
    HmacSha1,
    /// HMAC with SHA-256 and a shared secret: most schemes, `v1` in Standard Webhooks.
    HmacSha256,
    /// HMAC with SHA-512: custom templates.
    HmacSha512,
    /// Ed25519 and a key pair (RFC 8032, strictly checked): Discord, `v1a` in Standard Webhooks.
    Ed25519,
    /// ECDSA on P-256 with SHA-256: SendGrid.
    EcdsaP256Sha256,
    /// RSA PKCS #1 v1.5 with SHA-1: AWS SNS, signature version 1.
    RsaSha1,
    /// RSA PKCS #1 v1.5 with SHA-256: PayPal, AWS SNS signature version 2.
    RsaSha256,
    /// RSA-PSS with SHA-512: HTTP Message Signatures.
    RsaPssSha512,
}

impl Algorithm {
    /// Every variant, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaPssSha512,
    ];

    /// A stable name for logs, for example `hmac-sha256` or `ed25519`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
        }
    }

    /// The algorithm with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
    }

    /// Whether whoever verifies cannot sign.
    #[must_use]
    pub const fn is_asymmetric(self) -> bool {
        !matches!(self, Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
