//! One request to the OAuth server: attempts, waits, proofs of who the client is. Redirects are not followed: credentials stay with the
//! address that was given.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gatewright_engine::backoff::{Backoff, Jitter};
use gatewright_engine::oauth::{
    ClientProof, Form, Metadata, OAuthError, OAuthErrorKind, Outcome, Repeatable, basic_header,
    check_endpoint, judge_outcome, metadata_urls, read_metadata,
};
use gatewright_engine::redact::{Redactor, Secret};
use gatewright_engine::retry::FailureClass;
use gatewright_engine::retry_after::read_retry_after;
use gatewright_engine::signing::{ClientAssertion, jws};
use gatewright_engine::{Instant, defaults};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use std::sync::{Arc, PoisonError};
use url::Url;

use super::settings::{ClientAuth, OAuth};
use crate::body::{Body, BoxError};
use crate::request::checked_header;
use crate::response::next_chunk;
use crate::runtime::{RandomOf, until};
use crate::signing::fresh_text;
use crate::token_source::Wire;
use crate::transport::{TransportError, TransportRequest};

/// No answer of an OAuth server is larger.
const MOST_BYTES: usize = 1024 * 1024;
/// A client assertion is good for so many seconds.
const ASSERTION_LIFE: i64 = 60;

/// Which endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Authorization,
    Device,
    Revocation,
}

impl Endpoint {
    const fn name(self) -> &'static str {
        match self {
            Self::Token => "the token endpoint",
            Self::Authorization => "the authorization endpoint",
            Self::Device => "the device authorization endpoint",
            Self::Revocation => "the revocation endpoint",
        }
    }

    const fn setting(self) -> &'static str {
        match self {
            Self::Token => "`token_url`",
            Self::Authorization => "`authorization_url`",
            Self::Device => "`device_authorization_url`",
            Self::Revocation => "`revocation_url`",
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) fn config(what: impl Into<String>) -> OAuthError {
    OAuthError::new(OAuthErrorKind::Config, what)
}

fn cannot_prove(why: BoxError) -> OAuthError {
    config(format!("the client cannot prove who it is: {why}"))
}

impl OAuth {
    /// The server's metadata; empty where no issuer was given.
    pub(super) async fn metadata(
        &self,
        wire: &Wire,
        deadline: Instant,
    ) -> Result<Arc<Metadata>, OAuthError> {
        let Some(issuer) = &self.issuer else {
            return Ok(Arc::default());
        };
        let known = || self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metadata) = known().clone() {
            return Ok(metadata);
        }
        let mut last = None;
        for url in metadata_urls(issuer, self.allow_http)? {
            let request = || -> Result<TransportRequest, OAuthError> {
                Ok(TransportRequest {
                    method: Method::GET,
                    url: url.clone(),
                    headers: self.headers()?,
                    body: Body::Empty,
                    fresh: false,
                })
            };
            let said = ask(
                wire,
                "the server's metadata",
                Repeatable::Yes,
                deadline,
                request,
            )
            .await?;
            if said.status == 200 {
                let metadata = Arc::new(read_metadata(issuer, &said.body, self.allow_http)?);
                *known() = Some(Arc::clone(&metadata));
                return Ok(metadata);
            }
            last = Some(said.status);
        }
        let status = last.unwrap_or_default();
        Err(OAuthError::new(
            OAuthErrorKind::BadAnswer,
            format!("the server's metadata were answered {status}"),
        )
        .with_status(status))
    }

    /// Where an endpoint is: as set, else as the metadata say.
    pub(super) fn endpoint(
        &self,
        metadata: &Metadata,
        endpoint: Endpoint,
    ) -> Result<Url, OAuthError> {
        let (set, found) = match endpoint {
            Endpoint::Token => (&self.token_url, &metadata.token_endpoint),
            Endpoint::Authorization => (&self.authorization_url, &metadata.authorization_endpoint),
            Endpoint::Device => (&self.device_url, &metadata.device_authorization_endpoint),
            Endpoint::Revocation => (&self.revocation_url, &metadata.revocation_endpoint),
        };
        match (set, found) {
            (Some(url), _) => check_endpoint(endpoint.setting(), url, self.allow_http),
            (None, Some(url)) => Ok(url.clone()),
            (None, None) => Err(config(format!(
                "{} is not known: give {}, or the `issuer` of a server whose metadata name it",
                endpoint.name(),
                endpoint.setting()
            ))),
        }
    }

    /// Knows the secrets that a request has in it.
    pub(super) fn redactor(&self, more: &[&Secret]) -> Redactor {
        let secrets = self.secret.iter().chain(more.iter().copied());
        Redactor::new(secrets.cloned().collect(), None)
    }

    fn headers(&self) -> Result<HeaderMap, OAuthError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(crate::client::AGENT));
        for (name, value) in &self.headers {
            let (name, value) = checked_header(name, value).map_err(|why| config(why.what()))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// Sends a form to an endpoint. A server that wants a nonce in DPoP proofs is asked once more with that.
    pub(super) async fn post(
        &self,
        wire: &Wire,
        endpoint: Endpoint,
        repeatable: Repeatable,
        form: &Form,
        deadline: Instant,
    ) -> Result<Said, OAuthError> {
        let metadata = self.metadata(wire, deadline).await?;
        let url = self.endpoint(&metadata, endpoint)?;
        let make = || self.request(wire, &metadata, endpoint, &url, form);
        let said = ask(wire, endpoint.name(), repeatable, deadline, make).await?;
        let Some(dpop) = self.dpop.as_ref().filter(|_| endpoint == Endpoint::Token) else {
            return Ok(said);
        };
        let new = dpop.learn(&url, &said.headers);
        let wants_nonce = matches!(said.status, 400 | 401)
            && serde_json::from_slice::<serde_json::Value>(&said.body).is_ok_and(|json| {
                json.get("error")
                    .is_some_and(|code| code == "use_dpop_nonce")
            });
        if !(new && wants_nonce) {
            return Ok(said);
        }
        let said = ask(wire, endpoint.name(), repeatable, deadline, make).await?;
        dpop.learn(&url, &said.headers);
        Ok(said)
    }

    /// One attempt: what must not be used twice (assertion, proof) is made anew.
    fn request(
        &self,
        wire: &Wire,
        metadata: &Metadata,
        endpoint: Endpoint,
        url: &Url,
        form: &Form,
    ) -> Result<TransportRequest, OAuthError> {
        let mut headers = self.headers()?;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let seconds = wire.runtime.now().wall.0.div_euclid(1000);
        let missing = || config("the client's secret or key is missing");
        let proof = match self.proof() {
            ClientAuth::None => ClientProof::None,
            ClientAuth::Basic => ClientProof::Basic(self.secret.clone().ok_or_else(missing)?),
            ClientAuth::Post => ClientProof::Post(self.secret.clone().ok_or_else(missing)?),
            ClientAuth::PrivateKeyJwt => {
                let key = self.key.as_ref().ok_or_else(missing)?;
                let unsigned = ClientAssertion {
                    alg: key.token_algorithm(),
                    kid: self.key_id.as_deref(),
                    client_id: &self.client_id,
                    audience: metadata.issuer.as_deref().unwrap_or(url.as_str()),
                    jti: fresh_text().map_err(cannot_prove)?.expose(),
                    iat: seconds,
                    lifetime: ASSERTION_LIFE,
                }
                .unsigned();
                let signature = key.sign_token(unsigned.as_bytes()).map_err(cannot_prove)?;
                ClientProof::Assertion(Secret::new(jws(&unsigned, &signature)))
            }
        };
        if let ClientProof::Basic(secret) = &proof {
            let value = basic_header(&self.client_id, secret);
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| missing())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(dpop) = self.dpop.as_ref().filter(|_| endpoint == Endpoint::Token) {
            let jti = fresh_text().map_err(cannot_prove)?;
            let proof = dpop
                .proof(&Method::POST, url, None, seconds, &jti)
                .map_err(cannot_prove)?;
            headers.insert("dpop", proof);
        }
        let form = form.clone().with_client(&self.client_id, &proof);
        let mut text = form.encode();
        Ok(TransportRequest {
            method: Method::POST,
            url: url.clone(),
            headers,
            body: Body::Bytes(std::mem::take(&mut *text).into()),
            fresh: false,
        })
    }
}

/// Sends what `make` makes, as often as `repeatable` allows.
async fn ask(
    wire: &Wire,
    whom: &str,
    repeatable: Repeatable,
    deadline: Instant,
    make: impl Fn() -> Result<TransportRequest, OAuthError>,
) -> Result<Said, OAuthError> {
    let runtime = &*wire.runtime;
    let backoff = Backoff::default();
    let mut attempt = 1;
    loop {
        let tried = exchange(wire, make()?, deadline).await;
        let outcome = match &tried {
            Ok(said) => judge_outcome(repeatable, Ok(said.status)),
            Err(failure) => judge_outcome(repeatable, Err(failure.class)),
        };
        let now = runtime.now();
        let asked = match &tried {
            Ok(said) => read_retry_after(&said.headers, now),
            Err(_) => None,
        };
        let wait = asked.unwrap_or_default().max(backoff.wait(
            attempt,
            Jitter::Full,
            &mut RandomOf(runtime),
        ));
        let last = attempt >= defaults::MAX_ATTEMPTS || now.instant + wait >= deadline;
        match (outcome, tried) {
            (Outcome::Final, Ok(said)) => return Ok(said),
            (Outcome::Again, _) if !last => {}
            (Outcome::Again, Ok(said)) => return Ok(said),
            (Outcome::Unknown, Ok(said)) => {
                let what = format!(
                    "{whom} answered {}: whether it took effect is not known",
                    said.status
                );
                let error = OAuthError::new(OAuthErrorKind::OutcomeUnknown, what);
                return Err(error.with_status(said.status));
            }
            (Outcome::Unknown, Err(failure)) => {
                return Err(OAuthError::new(
                    OAuthErrorKind::OutcomeUnknown,
                    format!("{whom}: {failure}: whether it took effect is not known"),
                ));
            }
            (Outcome::Again | Outcome::Final, Err(failure)) => {
                return Err(OAuthError::new(
                    OAuthErrorKind::Unavailable,
                    format!("{whom} cannot be asked: {failure}"),
                ));
            }
        }
        attempt += 1;
        let until = now.instant + wait;
        while runtime.instant() < until {
            runtime.sleep_until(until).await;
        }
    }
}

/// One attempt, its answer read whole.
async fn exchange(
    wire: &Wire,
    request: TransportRequest,
    deadline: Instant,
) -> Result<Said, TransportError> {
    let runtime = &*wire.runtime;
    let give_up = (runtime.instant() + defaults::ATTEMPT_TIMEOUT).min(deadline);
    let answer = until(runtime, give_up, wire.transport.send(request))
        .await
        .map_err(|_| TransportError::new(FailureClass::Timeout, ""))??;
    let mut body = answer.body;
    let mut whole = BytesMut::new();
    let idle = Some(Duration::from_secs(10));
    while let Some(chunk) = next_chunk(&mut body, runtime, give_up, idle, None).await? {
        if whole.len() + chunk.len() > MOST_BYTES {
            return Err(TransportError::new(
                FailureClass::ResponseTooLarge,
                "more than a megabyte",
            ));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(Said {
        status: answer.status.as_u16(),
        headers: answer.headers,
        body: whole.freeze(),
    })
}
