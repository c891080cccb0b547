//! An authorization server for tests: OAuth 2 with OpenID Connect's basics, really enforced, on the session's clock.
//!
//! `/oauth/{provider}` is an issuer; `/oauth/{provider}~{session}` is the same issuer of a session named in the path,
//! for clients that send no `X-Mock-Session`. What it keeps to: RFC 6749, 7009 (revocation), 7523 (assertions), 7636
//! (PKCE, S256 alone), 7662 (introspection), 8252 (loopback redirects), 8414 (metadata), 8628 (devices), 9207 (`iss`),
//! 9126 (pushed requests), 9449 (DPoP), 9700 (rotation, reuse detection). How the providers differ is in `profile.rs`.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::bounded::Bounded;
use crate::call::{Call, UploadEnd};
use crate::durable::Touched;
use crate::oauth::profile::Profile;
use crate::reply::Reply;

mod about_tokens;
mod access;
mod answer;
mod asked;
mod authorize;
mod client_auth;
mod device;
mod device_authorization;
mod device_page;
mod dpop;
pub(crate) mod form;
mod id_token;
mod identity;
mod issuer;
pub(crate) mod jose;
mod keep;
mod operations;
pub(crate) mod profile;
pub(crate) mod settings;
pub(crate) mod signing_key;
mod token;
mod tokens;

pub(crate) use access::holder;
pub(crate) use device::Decision;
pub(crate) use dpop::{is_near, nonce};
pub(crate) use keep::KINDS;
pub(crate) use operations::{OPERATIONS, PROVIDER_PATTERN, is_provider, schemas};
pub(crate) use profile::{is_access_token, op_at};
pub use settings::{AuthMethod, Consent, Dpop, IdTokenAlg, OAuthClient, OAuthOptions, Pkce};

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
    /// GitHub's list of a user's addresses.
    Emails,
    Introspect,
    Jwks,
    Metadata,
    Par,
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
    /// How often the signing key was changed, and when it last was.
    pub(crate) rotations: u32,
    pub(crate) rotated_ns: u64,
    /// When the test user logged in at the provider.
    logged_in_ns: Option<u64>,
    /// Who the user has agreed to already: provider and client.
    consents: Bounded<String, ()>,
    pushed: Bounded<String, asked::Pushed>,
    /// Of its rows those that are no tokens' and no devices'.
    touched: Touched,
}

impl OAuth {
    /// Nothing was asked of it yet. With `kept` what changes is noted for the data file.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            tokens: tokens::IssuedTokens::new(kept),
            devices: device::Devices::new(kept),
            proofs: Bounded::new(MAX_PROOFS),
            codes: Bounded::new(MAX_CODES),
            rotations: 0,
            rotated_ns: 0,
            logged_in_ns: None,
            consents: Bounded::new(MAX_CODES),
            pushed: Bounded::new(MAX_CODES),
            touched: Touched::new(kept),
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
    /// What GitHub calls it, where that depends on more than the name.
    at_github: Option<&'static str>,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            challenge: None,
            at_github: None,
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

    pub(crate) fn at_github(self, name: &'static str) -> Self {
        Self {
            at_github: Some(name),
            ..self
        }
    }

    /// The description with only what RFC 6749 allows in one.
    fn plain_description(&self) -> String {
        self.description
            .chars()
            .map(|c| {
                if (' '..='~').contains(&c) && c != '"' && c != '\\' {
                    c
                } else {
                    '?'
                }
            })
            .collect()
    }

    fn reply(&self) -> Reply {
        let body = json!({ "error": self.error, "error_description": self.plain_description() });
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
    let profile = Profile::of(provider);
    let answer = match op {
        OAuthOp::Metadata => Ok(issuer::metadata(call, provider)),
        OAuthOp::Jwks => Ok(issuer::jwks(call)),
        OAuthOp::Authorize => Ok(authorize::authorize(call, provider, &issuer)),
        OAuthOp::Token => token::token(call, provider, &issuer).await,
        OAuthOp::DeviceAuthorization => {
            device_authorization::device_authorization(call, provider, &issuer)
        }
        OAuthOp::Device => Ok(device_page::device_page(call)),
        OAuthOp::Introspect => about_tokens::introspect(call, &issuer),
        OAuthOp::Par => asked::push(call, provider, &issuer),
        OAuthOp::Revoke => about_tokens::revoke(call, provider, &issuer),
        OAuthOp::Emails | OAuthOp::Userinfo => return access::userinfo(call, profile, op),
    };
    answer.unwrap_or_else(|error| answer::refused(profile, call, op, &error))
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
