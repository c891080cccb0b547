//! Reads a request's body, verifies it on the way, and answers what needs no handler.

use std::pin::pin;

use bytes::Bytes;
use gatewright_webhook::{Received, Verified, Verifier, VerifyError};
use http::StatusCode;
use http::header::HOST;
use http::request::Parts;
use http_body::Body;
use http_body_util::BodyExt as _;

use crate::BoxError;
use crate::answer::Answer;
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::receiver::Receiver;

impl Receiver {
    /// Verifies a request while its body comes in, and answers challenges. Headers that cannot be right are refused before the body is
    /// read, and a body as soon as it is larger than the verifier's `max_body`.
    ///
    /// # Errors
    ///
    /// The answer to give to the sender: it did not verify, or it was a challenge.
    pub async fn receive<B>(&self, parts: &Parts, body: B) -> Result<Delivery, Answer>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let url = url_of(parts);
        let now = self.now();
        let request = Request {
            parts,
            url: url.as_deref(),
            now,
        };
        let begun = self.webhook.verifier_of(&request.with(b""), now);
        let mut verifier = match begun {
            Ok(verifier) => verifier,
            Err(error) => {
                let body = if self.explains {
                    self.rest(body).await
                } else {
                    Bytes::new()
                };
                return Err(self.unverified(&request, &body, error));
            }
        };
        let mut kept = Kept::default();
        let mut body = pin!(body);
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(|error| self.broken(error.into()))?;
            if let Ok(chunk) = frame.into_data() {
                let taken = verifier.update(&chunk);
                taken.map_err(|error| self.unverified(&request, b"", error))?;
                kept.push(chunk);
            }
        }
        let body = kept.into_bytes();
        let verified = self.verdict(&request, verifier, &body).await?;
        self.challenged(&verified, &body).await?;
        Ok(Delivery::new(verified, body))
    }

    /// The verdict over a whole body; the certificate it needs is fetched.
    async fn verdict(
        &self,
        request: &Request<'_>,
        verifier: Verifier,
        body: &[u8],
    ) -> Result<Verified, Answer> {
        let verdict = verifier.finish();
        #[cfg(feature = "asymmetric")]
        let verdict = self.certified(request, verdict, body).await?;
        verdict.map_err(|error| self.unverified(request, body, error))
    }

    /// Answers a request that is a question to the endpoint and no event.
    async fn challenged(&self, verified: &Verified, body: &[u8]) -> Result<(), Answer> {
        let Some(mut challenge) = self.webhook.challenge(verified, body) else {
            return Ok(());
        };
        if let Some(url) = challenge.visit.take() {
            let Some(confirm) = &self.confirm else {
                return Ok(());
            };
            let confirmed = confirm(url).await;
            confirmed.map_err(|error| self.try_again(&Failure::NotConfirmed(error)))?;
        }
        Err(Answer::challenge(challenge))
    }

    fn unverified(&self, request: &Request<'_>, body: &[u8], error: VerifyError) -> Answer {
        let answer = Answer::unverified(self.webhook.scheme(), &error);
        let received = request.with(body);
        let explain = || self.webhook.explain_request(&received, request.now);
        let explanation = self.explains.then(explain);
        self.tell(&Failure::Unverified { error, explanation });
        answer
    }

    fn broken(&self, error: BoxError) -> Answer {
        self.tell(&Failure::BodyBroken(error));
        Answer::opaque(StatusCode::BAD_REQUEST)
    }

    /// What the sender may try again later.
    pub(crate) fn try_again(&self, failure: &Failure) -> Answer {
        self.tell(failure);
        Answer::opaque(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// A body that is read for its explanation alone: what came before it broke off or became too large.
    async fn rest<B: Body<Data = Bytes> + Send>(&self, body: B) -> Bytes {
        const MOST: usize = gatewright_webhook::limits::DEFAULT_MAX_BODY;
        let mut kept = Kept::default();
        let mut body = pin!(body);
        while let Some(Ok(frame)) = body.as_mut().frame().await {
            if let Ok(chunk) = frame.into_data() {
                if kept.len() + chunk.len() > MOST {
                    break;
                }
                kept.push(chunk);
            }
        }
        kept.into_bytes()
    }
}

/// A request without its body. What is made of it is not held while something is waited for: it cannot go to another thread.
pub(crate) struct Request<'p> {
    parts: &'p Parts,
    url: Option<&'p str>,
    pub(crate) now: i64,
}

impl<'p> Request<'p> {
    pub(crate) fn with(&self, body: &'p [u8]) -> Received<'p> {
        let mut received = Received::new(body, &self.parts.headers);
        received.method = Some(self.parts.method.as_str());
        received.url = self.url;
        received
    }
}

/// A body: one chunk as it came, several put together.
#[derive(Default)]
struct Kept {
    first: Bytes,
    whole: Vec<u8>,
}

impl Kept {
    const fn len(&self) -> usize {
        self.first.len() + self.whole.len()
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.whole.is_empty() {
            self.whole = std::mem::take(&mut self.first).into();
        }
        self.whole.extend_from_slice(&chunk);
    }

    fn into_bytes(self) -> Bytes {
        if self.whole.is_empty() {
            self.first
        } else {
            self.whole.into()
        }
    }
}

/// The URL the sender called, as far as the request tells it.
fn url_of(parts: &Parts) -> Option<String> {
    // A nested router of axum leaves its own part of the path in the request.
    #[cfg(feature = "axum")]
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    #[cfg(feature = "axum")]
    let uri = original.map_or(&parts.uri, |original| &original.0);
    #[cfg(not(feature = "axum"))]
    let uri = &parts.uri;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get(HOST)?.to_str().ok()?,
    };
    Some(["https://", host, path].concat())
}
