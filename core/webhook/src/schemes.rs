//! The webhook schemes: each file says which headers one scheme reads and which bytes it signs.

#[allow(dead_code, reason = "its verifier comes next")]
pub(crate) mod http_signature;
pub(crate) mod standard;

use std::fmt;

/// How a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scheme {
    /// [Standard Webhooks 1.0.0](https://www.standardwebhooks.com): `webhook-id`,
    /// `webhook-timestamp`, `webhook-signature`; `v1` (HMAC-SHA256) and `v1a` (Ed25519).
    StandardWebhooks,
}

impl Scheme {
    /// A stable name for logs and stores, for example `standard-webhooks`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
