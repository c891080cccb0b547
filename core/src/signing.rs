//! Signatures over requests, made anew for each attempt.

mod der;
mod dpop;
mod http_signature;
mod key;

pub use dpop::Dpop;
pub use gatewright_engine::signing::{
    HashAlgorithm, HmacScheme, Signable, SignatureText, SignedBody, SigningError,
};
pub use http_signature::HttpSignature;
pub use key::SigningKey;

use std::fmt::Debug;

use gatewright_engine::UnixMillis;
use gatewright_engine::oauth::random_text;
use gatewright_engine::redact::Secret;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::body::BoxError;

/// What an attempt brings along for its signature.
#[derive(Debug)]
#[non_exhaustive]
pub struct SigningMoment<'a> {
    /// The time by the wall clock.
    pub now: UnixMillis,
    /// A text that no other attempt has: 43 characters of base64url.
    pub nonce: &'a Secret,
    /// The token that was fetched for the request, if any.
    pub token: Option<&'a Secret>,
}

/// Signs requests. Called once for each attempt, after its credential was put on and before it is sent.
pub trait SignRequest: Debug + Send + Sync + 'static {
    /// Puts the signature onto `headers`.
    ///
    /// # Errors
    /// The call fails with kind `hook`, and nothing is sent.
    fn sign(
        &self,
        request: &Signable<'_>,
        moment: &SigningMoment<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), BoxError>;

    /// What is wrong with its settings.
    ///
    /// # Errors
    /// The client is not built.
    fn check(&self) -> Result<(), SigningError> {
        Ok(())
    }

    /// Whether the body is signed. Requests whose body is a stream are refused then.
    fn needs_body(&self) -> bool {
        false
    }

    /// Whether [`SignRequest::on_answer`] can learn something from a 401 with which another attempt may succeed.
    fn learns(&self) -> bool {
        false
    }

    /// What [`SignRequest::on_answer`] would say of this answer. Changes nothing; `client.explain()` asks it. Default: as
    /// [`SignRequest::learns`] says.
    fn would_learn(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> bool {
        let _ = (url, status, headers);
        self.learns()
    }

    /// An answer came. `true`: it was refused for want of something that is known now, not because the token is bad.
    fn on_answer(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> bool {
        let _ = (url, status, headers);
        false
    }

    /// What tells it from other signers, such as the name of its key; no secret.
    fn identity(&self) -> String;

    /// Secrets that must never be shown.
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

impl SignRequest for HmacScheme {
    fn sign(
        &self,
        request: &Signable<'_>,
        moment: &SigningMoment<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), BoxError> {
        Ok(HmacScheme::sign(
            self,
            request,
            moment.now,
            moment.nonce.expose(),
            headers,
        )?)
    }

    fn check(&self) -> Result<(), SigningError> {
        let wrong = |what: &str| Err(SigningError::Setting(what.to_owned()));
        if self.secret().expose().is_empty() {
            return wrong(
                "the secret of the HMAC scheme is empty; is its environment variable set?",
            );
        }
        if !self.key_id().bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return wrong("the key's name has a character that no header can carry");
        }
        Ok(())
    }

    fn needs_body(&self) -> bool {
        HmacScheme::needs_body(self)
    }

    fn identity(&self) -> String {
        format!("hmac {}", self.key_id())
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![self.secret().clone()]
    }
}

/// 32 random bytes from the system, as text. Unlike waits, secrets may not fall back to the clock.
pub(crate) fn fresh_text() -> Result<Secret, BoxError> {
    let mut entropy = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *entropy).map_err(
        |_| "the operating system gives no random numbers, without which nothing can be signed",
    )?;
    Ok(random_text(&entropy))
}
