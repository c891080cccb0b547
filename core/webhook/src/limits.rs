//! Every default and every bound of this crate, each with its reason.

use std::time::Duration;

/// How far a timestamp may be from `now`, before or after it, in most schemes, unless
/// [`tolerance`](crate::WebhookBuilder::tolerance) says otherwise: 5 minutes, as in the reference libraries.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// The largest body accepted unless [`max_body`](crate::WebhookBuilder::max_body) says otherwise:
/// 1 MiB, fifty times the 20 kB the specification advises senders to stay under.
pub const DEFAULT_MAX_BODY: usize = 1024 * 1024;

/// The longest message id in bytes. Senders use 20 to 40.
pub const MAX_MESSAGE_ID: usize = 512;

/// The longest signature header in bytes: what servers commonly allow for one header.
pub const MAX_SIGNATURE_HEADER: usize = 8192;

/// The most tokens in one signature header. A sender in the middle of a rotation sends two or three.
pub const MAX_SIGNATURES: usize = 64;

/// The most `v1a` tokens in one signature header: each costs a curve operation per public key, so
/// this is what bounds the work a stranger can cause.
pub const MAX_ED25519_SIGNATURES: usize = 8;

/// The most secrets one [`Webhook`](crate::Webhook) or [`Signer`](crate::Signer) holds.
pub const MAX_SECRETS: usize = 16;

/// The shortest HMAC secret in bytes (Standard Webhooks: 192 bits).
pub const MIN_SECRET_BYTES: usize = 24;

/// The longest text of a secret, of any scheme, in bytes.
pub const MAX_SECRET_TEXT: usize = 4096;

/// The longest HMAC secret in bytes (Standard Webhooks: 512 bits).
pub const MAX_SECRET_BYTES: usize = 64;
