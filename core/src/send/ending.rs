//! What the caller gets: the answer, or an error that says what happened, to which request, after which attempts, and
//! what to do next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_engine::ErrorKind;
use gatewright_engine::attempts::{Attempt, Readable};
use gatewright_engine::call::{Done, Failed, request_id};
use gatewright_engine::error::ErrorParts;
use gatewright_engine::problem::{Problem, read_problem};
use gatewright_engine::redact::Secret;
use gatewright_engine::retry::{FailureClass, NoRetry};
use gatewright_engine::throughput::Throughput;
use http::{HeaderMap, StatusCode};

use super::{Driving, Prepared, Sent};
use crate::Error;
use crate::body::BoxError;
use crate::client::Inner;
use crate::oauth::advice_of;
use crate::response::{Head, Response, Silence, StreamResponse};
use crate::token_source::TokenFailure;
use crate::transport::{ResponseBody, TransportError};

/// What the last attempt left behind, for the answer or the error.
pub(super) enum Last {
    Nothing,
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        content: Content,
        problem: Option<Problem>,
    },
    Failure {
        text: String,
        source: Option<BoxError>,
    },
    Refused {
        status: StatusCode,
        headers: HeaderMap,
        what: String,
    },
}

pub(super) enum Content {
    Whole(Bytes),
    Streamed(ResponseBody),
}

/// Everything at the end of a call, from which its answer or error is made.
pub(super) struct Ending<'a> {
    pub(super) client: &'a Inner,
    pub(super) request: Prepared,
    pub(super) last: Last,
    pub(super) token: Option<Secret>,
    pub(super) token_failure: Option<TokenFailure>,
}

impl Ending<'_> {
    pub(super) fn conclude(self, done: Done, driving: &mut Driving<'_>) -> Result<Sent, Error> {
        let elapsed = match (&done, driving.call.attempts().last()) {
            (Done::Return, Some(last)) => last.started + last.took,
            _ => self.client.runtime.instant().since(driving.call.started()),
        };
        let attempts = driving.call.take_attempts();
        let returned = match &done {
            Done::Return => true,
            Done::Fail(_) => {
                !self.request.error_for_status && matches!(self.last, Last::Answer { .. })
            }
        };
        match (done, self.last) {
            (
                _,
                Last::Answer {
                    status,
                    headers,
                    content,
                    ..
                },
            ) if returned => {
                let head = Head {
                    method: self.request.method,
                    url: self.request.url,
                    status,
                    headers,
                    attempts,
                    elapsed,
                    redactor: Arc::clone(&self.client.redactor),
                    cache: None,
                };
                let slot = driving.call.take_slot();
                let streamed = |head, body| {
                    Sent::Streamed(StreamResponse {
                        head,
                        body,
                        runtime: Arc::clone(&self.client.runtime),
                        deadline: driving.call.deadline(),
                        read_timeout: self.client.read_timeout,
                        throughput: self.request.transfer.floor.of_bodies().map(Throughput::new),
                        silence: Silence::ReadTimeout,
                        slot,
                    })
                };
                Ok(match content {
                    Content::Streamed(body) => streamed(head, body),
                    Content::Whole(body) if self.request.streamed => {
                        streamed(head, ResponseBody::full(body))
                    }
                    Content::Whole(body) => Sent::Whole(Response { head, body }),
                })
            }
            (Done::Fail(failed), last) => Err(Self::error(
                self.client,
                &self.request,
                &failed,
                last,
                self.token,
                self.token_failure,
                attempts,
                elapsed,
            )),
            (Done::Return, _) => {
                // `Return` follows an answer alone, or a cancelled call, whose driver is gone.
                Err(Error::new(ErrorKind::Closed, "the call was cancelled"))
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the one place where all that is known becomes an error"
    )]
    fn error(
        client: &Inner,
        request: &Prepared,
        failed: &Failed,
        last: Last,
        token: Option<Secret>,
        token_failure: Option<TokenFailure>,
        attempts: Vec<Attempt>,
        elapsed: Duration,
    ) -> Error {
        let redactor = match &token {
            Some(token) => client.redactor.with(token),
            None => (*client.redactor).clone(),
        };
        let mut parts = ErrorParts::new(failed.kind, "");
        parts.method = Some(request.method.clone());
        parts.url = Some(redactor.url(&request.url));
        parts.retryability = failed.retryability;
        parts.no_retry = failed.no_retry;
        parts.retry_after = failed.retry_after;
        parts.attempts = attempts;
        parts.elapsed = elapsed;
        let what = match last {
            Last::Answer {
                status,
                headers,
                content,
                problem,
            } => {
                let body = match content {
                    Content::Whole(body) => body,
                    Content::Streamed(_) => Bytes::new(),
                };
                let what = describe_answer(status, problem.as_ref(), &body);
                parts.status = Some(status);
                parts.request_id = request_id(&headers)
                    .and_then(|id| id.to_str().ok())
                    .map(str::to_owned);
                parts.headers = headers;
                parts.body = redactor.bytes(&body).map_or(body, Bytes::from);
                parts.problem = read_problem(&parts.body);
                what
            }
            Last::Refused {
                status,
                headers,
                what,
            } => {
                parts.status = Some(status);
                parts.request_id = request_id(&headers)
                    .and_then(|id| id.to_str().ok())
                    .map(str::to_owned);
                parts.headers = headers;
                what
            }
            Last::Failure { text, source } => {
                let error = source
                    .as_deref()
                    .and_then(|source| source.downcast_ref::<TransportError>());
                parts.advice = error.and_then(TransportError::advice);
                if parts.advice.is_none()
                    && failed.no_retry != Some(NoRetry::Deadline)
                    && error.is_some_and(|error| error.class == FailureClass::ConnectTimeout)
                {
                    parts.advice =
                        Some("raise `connect_timeout`, or check that the server can be reached");
                }
                parts.source = source;
                describe_failure(failed, request, &parts.attempts, &text)
            }
            Last::Nothing => {
                parts.source = token_failure
                    .as_ref()
                    .map(|failure| Box::new(failure.clone()) as BoxError);
                parts.advice = token_failure.as_ref().and_then(advice_of);
                describe_unsent(failed, request, token_failure.as_ref())
            }
        };
        let mut what = match (failed.kind, &failed.breaker) {
            (ErrorKind::CircuitOpen, Some(seen)) => {
                let host = request.url.host_str().unwrap_or_default();
                format!("was not sent: the circuit breaker of {host} is open: {seen}")
            }
            _ => what,
        };
        // A refusal, after which there was no new token.
        if failed.kind == ErrorKind::Token
            && parts.status.is_some()
            && let Some(failure) = token_failure
        {
            what.push_str(&format!(
                "; no new token: {}",
                shortened(&failure.to_string())
            ));
            parts.advice = advice_of(&failure);
            parts.source = Some(Box::new(failure));
        }
        parts.what = redactor.text(&what);
        parts.into()
    }
}

pub(crate) fn describe_answer(
    status: StatusCode,
    problem: Option<&Problem>,
    body: &[u8],
) -> String {
    let said = match problem.and_then(Problem::text) {
        Some(text) => shortened(text),
        None => shortened(String::from_utf8_lossy(body.get(..400).unwrap_or(body)).trim()),
    };
    if said.is_empty() || said.starts_with('<') {
        format!("was answered {status}")
    } else {
        format!("was answered {status}: {said}")
    }
}

/// One line, at most 300 characters.
fn shortened(text: &str) -> String {
    shortened_to(300, text)
}

/// One line, at most so many characters.
fn shortened_to(most: usize, text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(most)
        .collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

fn describe_failure(
    failed: &Failed,
    request: &Prepared,
    attempts: &[Attempt],
    text: &str,
) -> String {
    use gatewright_engine::attempts::Outcome;
    let class = attempts.last().and_then(|attempt| match &attempt.outcome {
        Outcome::Failed { class, .. } => Some(*class),
        _ => None,
    });
    let connecting = class == Some(FailureClass::ConnectTimeout);
    let class = class.map_or_else(|| failed.kind.to_string(), |class| class.to_string());
    let mut what = if text.is_empty() {
        format!("failed: {class}")
    } else {
        // Our own words for the most part. The keys of a certificate chain take some room.
        format!("failed: {class} ({})", shortened_to(600, text))
    };
    if failed.kind == ErrorKind::Timeout {
        if let Some(timeout) = request
            .limits
            .timeout
            .filter(|_| failed.no_retry == Some(NoRetry::Deadline))
        {
            what.push_str(&format!("; its deadline was {}", Readable(timeout)));
        } else if let Some(timeout) = request.limits.attempt_timeout.filter(|_| !connecting) {
            what.push_str(&format!("; an attempt may take {}", Readable(timeout)));
        }
    }
    what
}

fn describe_unsent(
    failed: &Failed,
    request: &Prepared,
    token_failure: Option<&TokenFailure>,
) -> String {
    let deadline = request.limits.timeout.map_or_else(
        || "its deadline".to_owned(),
        |t| format!("its deadline of {}", Readable(t)),
    );
    match (failed.kind, &failed.held_for, failed.retry_after) {
        (ErrorKind::Token, ..) => match token_failure {
            Some(why) => format!("was not sent: no token: {}", shortened(&why.to_string())),
            None => "was not sent: no token".to_owned(),
        },
        (ErrorKind::RateLimited, Some(reason), Some(wait)) => {
            format!(
                "was not sent: held back for {reason}, its turn would come in {}, after {deadline}",
                Readable(wait)
            )
        }
        (ErrorKind::RateLimited, Some(reason), None) => {
            format!("was not sent: held back for {reason} until {deadline} passed")
        }
        _ => format!("did not finish before {deadline}"),
    }
}
