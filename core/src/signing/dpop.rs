//! DPoP (RFC 9449): a proof beside each token that whoever sends it has the key to which it is bound. Made anew for each attempt.
//!
//! | Event | What follows |
//! |---|---|
//! | an answer with `DPoP-Nonce` | it is kept for that origin, and goes into the next proofs there (section 8.2) |
//! | 401 `use_dpop_nonce` with a nonce that is new | the call sends one more attempt; the token is kept (section 9) |
//! | 401 otherwise | the token is refused, as any other: one that is fetched is fetched anew, a fixed one ends the call |

use std::sync::{Arc, Mutex, PoisonError};

use gatewright_engine::auth::Credential;
use gatewright_engine::redact::Secret;
use gatewright_engine::signing::{DpopProof, Signable, SigningError, jwk_thumbprint, jws};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::key::SigningKey;
use super::{SignRequest, SigningMoment};
use crate::auth::Auth;
use crate::body::BoxError;

const DPOP: HeaderName = HeaderName::from_static("dpop");
/// Origins whose nonces are kept; the oldest goes first.
const MOST_ORIGINS: usize = 16;
/// No nonce is longer than that.
const MOST_NONCE: usize = 1024;

/// A key to which tokens are bound, and the nonces of servers. Clones share both.
#[derive(Clone, Debug)]
pub struct Dpop(Arc<State>);

#[derive(Debug)]
struct State {
    key: SigningKey,
    jwk: Option<serde_json::Value>,
    nonces: Mutex<Vec<(String, Secret)>>,
}

impl Dpop {
    /// Proofs by this key, P-256 or Ed25519.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self(Arc::new(State {
            jwk: key.public_jwk(),
            key,
            nonces: Mutex::default(),
        }))
    }

    /// The thumbprint of its public key (RFC 7638), for `dpop_jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.0.jwk.as_ref().map(jwk_thumbprint)
    }

    fn nonces(&self) -> std::sync::MutexGuard<'_, Vec<(String, Secret)>> {
        self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the nonce of an answer; whether it is another than the one before.
    pub(crate) fn learn(&self, url: &Url, headers: &HeaderMap) -> bool {
        let Some(nonce) = nonce_of(headers) else {
            return false;
        };
        let origin = url.origin().ascii_serialization();
        let mut nonces = self.nonces();
        if let Some(at) = nonces.iter().position(|(known, _)| *known == origin) {
            if nonces
                .get(at)
                .is_some_and(|(_, known)| known.expose() == nonce)
            {
                return false;
            }
            nonces.remove(at);
        }
        nonces.truncate(MOST_ORIGINS - 1);
        nonces.insert(0, (origin, nonce.into()));
        true
    }

    /// A proof for one request.
    pub(crate) fn proof(
        &self,
        method: &Method,
        url: &Url,
        token: Option<&str>,
        seconds: i64,
        jti: &Secret,
    ) -> Result<HeaderValue, BoxError> {
        let jwk = self.0.jwk.as_ref().ok_or(NO_KEY)?;
        let origin = url.origin().ascii_serialization();
        let nonce = self
            .nonces()
            .iter()
            .find(|(known, _)| *known == origin)
            .map(|(_, nonce)| nonce.clone());
        let unsigned = DpopProof {
            alg: self.0.key.token_algorithm(),
            jwk,
            jti: jti.expose(),
            method: method.as_str(),
            url,
            iat: seconds,
            access_token: token,
            nonce: nonce.as_ref().map(Secret::expose),
        }
        .unsigned();
        let signature = self.0.key.sign_token(unsigned.as_bytes())?;
        let mut value = HeaderValue::try_from(jws(&unsigned, &signature))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn nonce_of(headers: &HeaderMap) -> Option<&str> {
    let nonce = headers.get("dpop-nonce")?.to_str().ok()?;
    (1..=MOST_NONCE).contains(&nonce.len()).then_some(nonce)
}

/// Whether an answer asks for a proof with its nonce (RFC 9449, section 9).
fn is_challenge(status: StatusCode, headers: &HeaderMap) -> bool {
    let asks = |value: &HeaderValue| {
        let text = value.to_str();
        text.is_ok_and(|text| text.contains("use_dpop_nonce"))
    };
    status == StatusCode::UNAUTHORIZED && headers.get_all(WWW_AUTHENTICATE).iter().any(asks)
}

const NO_KEY: &str = "DPoP needs a key of P-256 or Ed25519";

impl SignRequest for Dpop {
    fn sign(
        &self,
        request: &Signable<'_>,
        moment: &SigningMoment<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), BoxError> {
        // The token is taken from where it goes onto the wire: a caller may have set one of its own.
        let token = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("DPoP "));
        let seconds = moment.now.0.div_euclid(1000);
        let proof = self.proof(request.method, request.url, token, seconds, moment.nonce)?;
        headers.insert(DPOP, proof);
        Ok(())
    }

    fn check(&self) -> Result<(), SigningError> {
        match &self.0.jwk {
            Some(_) => Ok(()),
            None => Err(SigningError::Setting(NO_KEY.to_owned())),
        }
    }

    fn learns(&self) -> bool {
        true
    }

    fn would_learn(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> bool {
        let origin = url.origin().ascii_serialization();
        let known = |nonce: &str| {
            let nonces = self.nonces();
            let mut kept = nonces.iter();
            kept.any(|(of, known)| *of == origin && known.expose() == nonce)
        };
        is_challenge(status, headers) && nonce_of(headers).is_some_and(|nonce| !known(nonce))
    }

    fn on_answer(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> bool {
        let new = self.learn(url, headers);
        new && is_challenge(status, headers)
    }

    fn identity(&self) -> String {
        format!("dpop {}", self.thumbprint().unwrap_or_default())
    }
}

impl Auth {
    /// The same token, bound to a key (RFC 9449): `Authorization: DPoP …`, and a proof with each attempt. For [`Auth::bearer`] and
    /// [`Auth::token`]; [`crate::oauth::OAuth::dpop`] is for OAuth.
    #[must_use]
    pub fn dpop(self, dpop: &Dpop) -> Self {
        let credential = match &self.credential {
            Credential::Bearer(token) => Credential::Dpop(token.clone()),
            Credential::Token => Credential::DpopToken,
            _ => {
                return Self::wrong("DPoP goes with a bearer token or a token callback".to_owned());
            }
        };
        Self {
            credential,
            ..self.and_signed(dpop.clone())
        }
    }
}
