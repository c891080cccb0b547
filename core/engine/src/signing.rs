//! Signatures over requests as decisions: what is signed, and how it is written. Keys that need the system's randomness are the driver's.
//!
//! | File | What is in it |
//! |---|---|
//! | `digest.rs` | SHA-2, HMAC, `Content-Digest` (RFC 9530) |
//! | `template.rs` | texts with `{places}`, for HMAC schemes |
//! | `hmac_scheme.rs` | a provider's own HMAC scheme |
//! | `message.rs` | HTTP Message Signatures (RFC 9421) |
//! | `jwt.rs` | signed tokens (RFC 7515): client assertions (RFC 7523), DPoP proofs (RFC 9449) |

mod digest;
mod hmac_scheme;
mod jwt;
mod message;
mod template;

pub use digest::{HashAlgorithm, content_digest, hex, hmac, sha256, sha256_base64url};
pub use hmac_scheme::{HmacScheme, SignatureText};
pub use jwt::{ClientAssertion, DpopProof, dpop_target, jwk_thumbprint, jws, unsigned_jws};
pub use message::{Component, MessageSignature, SignatureParameters, SignedFields};
pub use template::{Template, TemplateError};

use http::{HeaderMap, Method};
use url::Url;

/// The body as far as a signature can cover it.
#[derive(Clone, Copy, Debug)]
pub enum SignedBody<'a> {
    /// In memory (or none: empty).
    Bytes(&'a [u8]),
    /// A stream, whose digest nobody knows before it was sent.
    Stream,
}

/// A request as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL.
    pub url: &'a Url,
    /// The headers, the credential's included.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: SignedBody<'a>,
}

/// Why a request cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningError {
    /// The signature covers the body, and the body is a stream.
    StreamedBody,
    /// A setting does not work with this request.
    Setting(String),
}

impl std::fmt::Display for SigningError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StreamedBody => f.write_str(
                "the signature covers the body, but that is a stream, whose digest is not known before it is sent; \
                 give the body in memory, or leave streams unsigned (`unsigned_streams`)",
            ),
            Self::Setting(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SigningError {}

/// Values of a header, joined as RFC 9421, section 2.1 says.
fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let value = String::from_utf8_lossy(value.as_bytes());
        match &mut joined {
            Some(joined) => {
                joined.push_str(", ");
                joined.push_str(value.trim());
            }
            None => joined = Some(value.trim().to_owned()),
        }
    }
    joined
}

/// Host and port as they are signed: in lower case, without the scheme's own port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}
