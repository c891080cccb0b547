//! What callers get of what is stored, and of what was shared.

use std::fmt;
use std::sync::Arc;

use gatewright_engine::cache::{CacheStatus, Stored};
use gatewright_engine::call::request_id;
use gatewright_engine::error::ErrorParts;
use gatewright_engine::problem::read_problem;
use gatewright_engine::{ErrorKind, Instant};
use http::{HeaderMap, Method};

use super::validation::Landed;
use crate::client::Inner;
use crate::response::{Head, Response, Silence, StreamResponse};
use crate::send::{Prepared, Sent, describe_answer};
use crate::transport::ResponseBody;
use crate::{Attempt, Error, NoRetry, Retryability};

fn error_about(client: &Inner, request: &Prepared, kind: ErrorKind, what: &str) -> ErrorParts {
    let mut parts = ErrorParts::new(kind, what);
    parts.method = Some(request.method.clone());
    parts.url = Some(client.redactor.url(&request.url));
    parts
}

/// The error of a call that asked for nothing but the cache, in vain.
pub(super) fn not_cached(client: &Inner, request: &Prepared) -> Error {
    let what = "was not sent: it is to be answered from the cache alone, which has no answer to it";
    error_about(client, request, ErrorKind::NotCached, what).into()
}

/// The error of a call that waited for a validation that another had begun, until its own time was up.
pub(super) fn timed_out(client: &Inner, request: &Prepared, started: Instant) -> Error {
    let what = "did not finish before its deadline: another call was asking whether the stored answer still holds";
    let mut parts = error_about(client, request, ErrorKind::Timeout, what);
    parts.no_retry = Some(NoRetry::Deadline);
    parts.retryability = Retryability::Temporary;
    parts.elapsed = client.runtime.instant().since(started);
    parts.into()
}

/// What is stored, with these fields, as the answer to `request`.
pub(super) fn from_store(
    client: &Inner,
    request: &Prepared,
    stored: &Stored,
    headers: HeaderMap,
    attempts: Vec<Attempt>,
    status: CacheStatus,
    started: Instant,
) -> Result<Sent, Error> {
    let head = Head {
        method: request.method.clone(),
        url: request.url.clone(),
        status: stored.status(),
        headers,
        attempts,
        elapsed: client.runtime.instant().since(started),
        redactor: Arc::clone(&client.redactor),
        cache: Some(status),
    };
    let body = if request.method == Method::HEAD {
        bytes::Bytes::new()
    } else {
        stored.body().clone()
    };
    in_form(client, request, Response { head, body })
}

/// An answer in the form that `request` asks for: whole or streamed, or an error where its status is one. Of the server's own
/// answers, errors have been made before.
pub(super) fn in_form(client: &Inner, request: &Prepared, answer: Response) -> Result<Sent, Error> {
    let Response { head, body } = answer;
    if request.error_for_status && head.status.as_u16() >= 400 {
        let problem = read_problem(&body);
        let what = describe_answer(head.status, problem.as_ref(), &body);
        let what = client.redactor.text(&format!("{what} (from the cache)"));
        let kind = ErrorKind::of_status(head.status).unwrap_or(ErrorKind::BadRequest);
        let mut parts = error_about(client, request, kind, &what);
        parts.status = Some(head.status);
        parts.request_id = request_id(&head.headers)
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        parts.headers = head.headers;
        parts.body = body;
        parts.problem = problem;
        parts.attempts = head.attempts;
        parts.elapsed = head.elapsed;
        return Err(parts.into());
    }
    if !request.streamed {
        return Ok(Sent::Whole(Response { head, body }));
    }
    Ok(Sent::Streamed(StreamResponse {
        head,
        body: ResponseBody::full(body),
        runtime: Arc::clone(&client.runtime),
        // It is all there.
        deadline: Instant::from_nanos(u64::MAX),
        read_timeout: client.read_timeout,
        throughput: None,
        silence: Silence::ReadTimeout,
        slot: None,
    }))
}

/// The cause of an error that several calls share.
pub(super) struct SharedCause(pub(super) Arc<Landed>);

impl SharedCause {
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.outcome.as_ref().err()?)
    }
}

impl fmt::Debug for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCause").field(&self.cause()).finish()
    }
}

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the validation that another call had begun failed")
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause()
    }
}
