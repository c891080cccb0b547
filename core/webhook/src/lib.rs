//! Signs and verifies webhooks by [Standard Webhooks 1.0.0](https://www.standardwebhooks.com) and the schemes of providers ([`Scheme`]), with
//! no network, no clock and no randomness of its own.
//!
//! ```
//! use gatewright_webhook::{Signer, Webhook};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let body = br#"{"test": 2432232314}"#;
//!
//! // The sender:
//! let signed = Signer::new([secret])?.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)?;
//!
//! // The receiver: raw body bytes, all headers, unix seconds.
//! let webhook = Webhook::new([secret])?;
//! let verified = webhook.verify(body, &signed.headers(), 1_614_265_331)?;
//! assert_eq!(verified.message_id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
//! # Ok(())
//! # }
//! ```
//!
//! To the sender every failure looks the same ([`VerifyError::FOR_SENDER`]); to the developer
//! [`Webhook::explain`] names the cause. [`replay`] makes a handler run once per message.

#![forbid(unsafe_code)]

mod base64;
#[cfg_attr(
    not(feature = "asymmetric"),
    allow(dead_code, reason = "no scheme of this build has certificates")
)]
mod certificate_url;
mod form;
mod hex;
/// How the bindings of this project read settings; not for others.
#[doc(hidden)]
pub mod json_members;
mod plain;
mod tag;
mod url;

pub use certificate_url::CertificateUrl;

mod verify;
pub use verify::Webhook;

mod builder;
pub use builder::WebhookBuilder;

mod received;
pub use received::Received;

mod algorithm;
pub use algorithm::Algorithm;

mod candidates;
pub use candidates::Encoding;

mod envelope;
mod layout;
mod message;

mod template;
pub use template::{SecretEncoding, Template, TemplateFault};

mod verifier;
pub use verifier::Verifier;

mod verified;
pub use verified::{BodyBound, Verified};

mod headers;
pub use headers::Headers;

mod sign;
pub use sign::{Outgoing, SignError, Signed, SignedRequest, Signer};

mod challenge;
pub use challenge::Challenge;

mod generate;
pub use generate::{KeyPair, SecretText, generate_key_pair, generate_secret};

mod ed25519_key;
mod hmac_key;
mod key;
mod key_error;
mod key_form;
pub use key_error::{KeyError, KeyErrorKind};

mod error;
pub use error::VerifyError;

mod explain;
pub use explain::{
    BodyChange, Cause, Explanation, SignatureForm, SignedContent, TimestampForm, UrlChange,
};

#[cfg(feature = "asymmetric")]
mod certificate;
#[cfg(feature = "asymmetric")]
mod rfc3339;

#[cfg(feature = "asymmetric")]
mod asymmetric;
#[cfg(feature = "asymmetric")]
pub use asymmetric::{Certificate, CertificateCache, CertificateError};

#[cfg(test)]
mod wycheproof;

mod schemes;
pub use schemes::Scheme;

pub mod limits;
pub mod replay;

/// The Rust examples of the guide, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/webhooks.md")]
struct Guide;

/// The Rust example of the page on templates.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/webhooks/custom.md")]
struct TemplateGuide;
