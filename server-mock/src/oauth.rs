//! An authorization server for tests: OAuth 2 with OpenID Connect's basics, really enforced, on the session's clock.
//!
//! `/oauth/{provider}` is an issuer; `/oauth/{provider}~{session}` is the same issuer of a session named in the path,
//! for clients that send no `X-Mock-Session`. What it keeps to: RFC 6749, 7009 (revocation), 7523 (assertions), 7636
//! (PKCE, S256 alone), 7662 (introspection), 8252 (loopback redirects), 8414 (metadata), 8628 (devices), 9207 (`iss`),
//! 9449 (DPoP), 9700 (rotation, reuse detection).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::bounded::Bounded;
use crate::call::{Call, UploadEnd};
use crate::reply::Reply;

mod access;
mod authorize;
mod client_auth;
mod device;
mod dpop;
mod form;
mod issuer;
pub(crate) mod jose;
mod operations;
mod settings;
mod token;
mod tokens;

pub(crate) use access::holder;
pub(crate) use device::Decision;
pub(crate) use dpop::{is_near, nonce};
pub(crate) use operations::{OPERATIONS, is_provider, schemas};
pub use settings::{AuthMethod, Consent, Dpop, OAuthClient, OAuthOptions};

/// Codes, and proofs and assertions that were used, a session remembers.
const MAX_CODES: usize = 10_000;
const MAX_PROOFS: usize = 100_000;

pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// An operation of the authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OAuthOp {
    Authorize,
    Device,
    DeviceAuthorization,
    Introspect,
    Jwks,
    Metadata,
    Revoke,
    Token,
    Userinfo,
}

/// The state of a session's authorization server.
pub(crate) struct OAuth {
    pub(crate) tokens: tokens::IssuedTokens,
    pub(crate) devices: device::Devices,
    pub(crate) proofs: Bounded<String, ()>,
    codes: Bounded<String, authorize::Code>,
    /// How often the signing key was changed.
    pub(crate) rotations: u32,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            tokens: tokens::IssuedTokens::default(),
            devices: device::Devices::default(),
            proofs: Bounded::new(MAX_PROOFS),
            codes: Bounded::new(MAX_CODES),
            rotations: 0,
        }
    }
}

/// An error as RFC 6749, section 5.2 has it.
#[derive(Debug)]
pub(crate) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
    challenge: Option<&'static str>,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            challenge: None,
        }
    }

    pub(crate) fn invalid_request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    /// 401; a client that used the header is told how (RFC 6749, section 5.2).
    pub(crate) fn invalid_client(description: &str, by_header: bool) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: by_header.then_some(r#"Basic realm="gatewright""#),
            ..Self::new("invalid_client", description)
        }
    }

    fn reply(&self) -> Reply {
        // Only what RFC 6749 allows in a description.
        let description: String = self
            .description
            .chars()
            .map(|c| {
                if (' '..='~').contains(&c) && c != '"' && c != '\\' {
                    c
                } else {
                    '?'
                }
            })
            .collect();
        let body = json!({ "error": self.error, "error_description": description });
        let reply = uncached(Reply::json(self.status, &body));
        match self.challenge {
            Some(challenge) => reply.with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge)),
            None => reply,
        }
    }
}

/// Answers an operation of the authorization server.
pub(crate) async fn respond(call: &Call, op: OAuthOp) -> Reply {
    if call.upload.end == UploadEnd::TooLarge {
        return OAuthError::invalid_request("the body is too large").reply();
    }
    let provider = call.route().argument;
    let issuer = issuer::url(call, provider);
    let answer = match op {
        OAuthOp::Metadata => Ok(issuer::metadata(&issuer)),
        OAuthOp::Jwks => Ok(issuer::jwks(call)),
        OAuthOp::Authorize => Ok(authorize::authorize(call, provider, &issuer)),
        OAuthOp::Token => token::token(call, provider, &issuer).await,
        OAuthOp::DeviceAuthorization => token::device_authorization(call, provider, &issuer),
        OAuthOp::Device => Ok(authorize::device_page(call)),
        OAuthOp::Introspect => token::introspect(call, &issuer),
        OAuthOp::Revoke => token::revoke(call, &issuer),
        OAuthOp::Userinfo => return access::userinfo(call),
    };
    answer.unwrap_or_else(|error| error.reply())
}

/// Adds a member to an object; anything else stays as it is.
fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.into(), value.into());
    }
}

/// A body that no cache keeps.
fn uncached(reply: Reply) -> Reply {
    reply.with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// A minimal page; `body` is HTML already.
fn page(status: StatusCode, title: &str, body: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1>{body}</html>"
    );
    uncached(Reply::new(status))
        .with(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        )
        .with_body(bytes::Bytes::from(html))
}

/// Text as it may stand in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// What the admin port shows: never a secret.
pub(crate) fn state(oauth: &OAuth) -> Value {
    let devices: Vec<Value> = oauth
        .devices
        .iter()
        .map(|device| {
            json!({
                "user_code": device.user_code,
                "client_id": device.grant.client_id,
                "state": match device.decision {
                    Decision::Approved => "approved",
                    Decision::Denied => "denied",
                    Decision::Pending => "pending",
                },
                "polls": device.polls,
            })
        })
        .collect();
    json!({ "devices": devices, "key": format!("key-{}", oauth.rotations + 1) })
}
