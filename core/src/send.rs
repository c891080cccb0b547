//! The loop of a call: ask the engine, do it, report back.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gatewright_engine::attempts::{Attempt, Readable};
use gatewright_engine::call::{
    Answer, Call, CallLimits, Done, Failed, Failure, RequestFacts, Step, request_id,
};
use gatewright_engine::error::ErrorParts;
use gatewright_engine::idempotency::is_idempotent;
use gatewright_engine::problem::{Problem, read_problem};
use gatewright_engine::redact::Secret;
use gatewright_engine::redirect::{
    Redirect, RedirectRefusal, judge_redirect, keep_travelling_headers,
};
use gatewright_engine::retry::FailureClass;
use gatewright_engine::token::Generation;
use gatewright_engine::{ErrorKind, Instant, defaults};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::Error;
use crate::auth::TokenFailure;
use crate::body::{Body, BoxError};
use crate::client::Inner;
use crate::hooks::{AfterAttempt, BeforeAttempt};
use crate::response::{Head, Response, StreamResponse, next_chunk};
use crate::runtime::{BoxFuture, RandomOf, Runtime, until};
use crate::transport::{ResponseBody, TransportError, TransportRequest};

/// An error body that dawdles is not waited for longer than this: its status has said what matters.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// A request that is ready to be sent, as often as it takes.
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) limits: CallLimits,
    /// No credential goes along: another origin, which was allowed.
    pub(crate) cross_origin: bool,
    /// An error status is an error; else it is an answer like any other once it is not retried.
    pub(crate) error_for_status: bool,
    pub(crate) streamed: bool,
}

/// What came of a call: the answer whole, or with its body still to come.
pub(crate) enum Sent {
    Whole(Response),
    Streamed(StreamResponse),
}

/// The call in hand. Dropping it, as Python, Rust and wasm do to cancel, gives its place back.
struct Driving {
    call: Call,
    runtime: Arc<dyn Runtime>,
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.call.on_cancelled(self.runtime.instant());
    }
}

/// What the last attempt left behind, for the answer or the error.
enum Last {
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

enum Content {
    Whole(Bytes),
    Streamed(ResponseBody),
}

/// What one attempt brought.
enum Tried {
    Answer(Last),
    Failure(Failure, Option<BoxError>),
    Redirect {
        status: StatusCode,
        headers: HeaderMap,
        to: Redirect,
    },
    /// The answer came, but is not taken.
    Refused {
        status: StatusCode,
        headers: HeaderMap,
        kind: ErrorKind,
        what: String,
    },
}

pub(crate) async fn send(client: &Inner, mut request: Prepared) -> Result<Sent, Error> {
    let runtime = &*client.runtime;
    let facts = RequestFacts {
        repeatable: is_idempotent(&request.method)
            || request.headers.contains_key(&client.idempotency.header),
        replayable: request.body.is_replayable(),
        refreshable: client.auth.source.is_some() && !request.cross_origin,
    };
    let host = client.host_of(&request.url);
    let partition = if request.cross_origin {
        0
    } else {
        client.partition
    };
    let call = client
        .engine
        .call(host, facts, request.limits, partition, runtime.instant());
    let mut driving = Driving {
        call,
        runtime: Arc::clone(&client.runtime),
    };
    let mut last = Last::Nothing;
    let mut redirects = 0;
    let mut token: Option<(Secret, Generation)> = None;
    let mut token_failure = None;
    loop {
        let mut step = next_step(&mut driving.call, runtime).await;
        if step == Step::RefreshToken {
            let fetched = fetch_token(client, driving.call.deadline()).await;
            step = match fetched {
                Some(Ok(fresh)) => {
                    token = Some(fresh);
                    driving.call.on_token(runtime.instant(), true)
                }
                Some(Err(failure)) => {
                    token_failure = Some(failure);
                    driving.call.on_token(runtime.instant(), false)
                }
                // The deadline passed: the engine sees that by itself.
                None => driving.call.next(runtime.instant(), None),
            };
        }
        let (number, timeout_at) = match step {
            Step::Send { number, timeout_at } => (number, timeout_at),
            Step::Wait { .. } | Step::RefreshToken => continue,
            Step::Done(done) => {
                let ending = Ending {
                    client,
                    request,
                    last,
                    token: token.map(|(secret, _)| secret),
                    token_failure,
                };
                return ending.conclude(done, &mut driving);
            }
        };
        // Dropped before the next attempt: an error's body holds a connection until then.
        drop(std::mem::replace(&mut last, Last::Nothing));
        let secret = token.as_ref().map(|(secret, _)| secret);
        let bounds = Bounds {
            timeout_at,
            deadline: driving.call.deadline(),
            redirects,
        };
        let tried = attempt(client, &mut request, number, secret, &bounds).await;
        let now = runtime.now();
        let random = &mut RandomOf(runtime);
        match tried {
            Tried::Answer(answer) => {
                if let Last::Answer {
                    status,
                    headers,
                    problem,
                    ..
                } = &answer
                {
                    if *status == StatusCode::UNAUTHORIZED
                        && let (Some(source), Some((_, generation))) = (&client.auth.source, &token)
                    {
                        source.invalidate(*generation);
                    }
                    driving.call.on_response(
                        now,
                        Answer {
                            status: *status,
                            headers,
                            problem: problem.as_ref(),
                        },
                        random,
                    );
                    trace(&driving.call);
                }
                last = answer;
            }
            Tried::Failure(failure, source) => {
                last = Last::Failure {
                    text: failure.text.clone(),
                    source,
                };
                driving.call.on_error(now.instant, failure, random);
                trace(&driving.call);
            }
            Tried::Refused {
                status,
                headers,
                kind,
                what,
            } => {
                driving.call.on_refused(now, status, &headers, kind);
                last = Last::Refused {
                    status,
                    headers,
                    what,
                };
            }
            Tried::Redirect {
                status,
                headers,
                to,
            } => {
                let Redirect::Follow {
                    url,
                    method,
                    keep_body,
                    cross_origin,
                } = to
                else {
                    continue;
                };
                if cross_origin {
                    keep_travelling_headers(&mut request.headers);
                    request.cross_origin = true;
                }
                if !keep_body {
                    request.body = Body::Empty;
                    for name in [http::header::CONTENT_TYPE, http::header::CONTENT_LENGTH] {
                        request.headers.remove(name);
                    }
                }
                (request.url, request.method) = (url, method);
                redirects += 1;
                let partition = if request.cross_origin {
                    0
                } else {
                    client.partition
                };
                driving.call.on_redirect(
                    now,
                    status,
                    &headers,
                    client.host_of(&request.url),
                    partition,
                );
            }
        }
    }
}

/// Asks the engine until it wants something done; waits as it says.
async fn next_step(call: &mut Call, runtime: &dyn Runtime) -> Step {
    let mut timer: Option<(Instant, BoxFuture<'static, ()>)> = None;
    std::future::poll_fn(|cx| {
        use std::task::Poll;
        loop {
            let until = match call.next(runtime.instant(), Some(cx.waker())) {
                Step::Wait { until } => until,
                step => return Poll::Ready(step),
            };
            if timer.as_ref().is_none_or(|(at, _)| *at != until) {
                timer = Some((until, runtime.sleep_until(until)));
            }
            if let Some((_, sleep)) = &mut timer {
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                timer = None;
            }
        }
    })
    .await
}

async fn fetch_token(
    client: &Inner,
    deadline: Instant,
) -> Option<Result<(Secret, Generation), TokenFailure>> {
    let source = client.auth.source.as_ref()?;
    until(&*client.runtime, deadline, source.token(&client.runtime))
        .await
        .ok()
}

struct Bounds {
    timeout_at: Instant,
    deadline: Instant,
    redirects: u32,
}

/// One attempt: hooks, credential, request, answer.
async fn attempt(
    client: &Inner,
    request: &mut Prepared,
    number: u32,
    token: Option<&Secret>,
    bounds: &Bounds,
) -> Tried {
    let started = client.runtime.instant();
    let (mut headers, mut url) = (request.headers.clone(), request.url.clone());
    if !client.hooks.is_empty() {
        let mut before = BeforeAttempt {
            number,
            method: request.method.clone(),
            url: client.redactor.url(&url),
            headers,
        };
        for hook in &client.hooks {
            match until(
                &*client.runtime,
                bounds.timeout_at,
                hook.before(&mut before),
            )
            .await
            {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return hook_failed(error),
                Err(_) => return Tried::Failure(timed_out("a hook did not finish"), None),
            }
        }
        headers = before.headers;
    }
    if !request.cross_origin {
        client.auth.credential.apply(token, &mut headers, &mut url);
    }
    let outgoing = TransportRequest {
        method: request.method.clone(),
        url,
        headers,
        body: request.body.for_attempt(),
    };
    let tried = exchange(client, request, outgoing, bounds).await;
    if !client.hooks.is_empty() {
        let (answer, error) = match &tried {
            Tried::Answer(Last::Answer {
                status, headers, ..
            })
            | Tried::Redirect {
                status, headers, ..
            }
            | Tried::Refused {
                status, headers, ..
            } => (Some((*status, headers.clone())), None),
            Tried::Failure(failure, _) => {
                (None, Some(format!("{}: {}", failure.class, failure.text)))
            }
            Tried::Answer(_) => (None, None),
        };
        let after = AfterAttempt {
            number,
            method: request.method.clone(),
            url: client.redactor.url(&request.url),
            answer,
            error,
            took: client.runtime.instant().since(started),
        };
        for hook in &client.hooks {
            match until(&*client.runtime, bounds.deadline, hook.after(&after)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return hook_failed(error),
                Err(_) => return Tried::Failure(timed_out("a hook did not finish"), None),
            }
        }
    }
    tried
}

fn hook_failed(error: BoxError) -> Tried {
    Tried::Failure(
        Failure {
            class: FailureClass::Hook,
            text: error.to_string(),
        },
        Some(error),
    )
}

fn timed_out(text: &str) -> Failure {
    Failure {
        class: FailureClass::Timeout,
        text: text.to_owned(),
    }
}

async fn exchange(
    client: &Inner,
    request: &mut Prepared,
    outgoing: TransportRequest,
    bounds: &Bounds,
) -> Tried {
    let runtime = &*client.runtime;
    let answer = match until(runtime, bounds.timeout_at, client.transport.send(outgoing)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return failed(client, error),
        Err(_) => return Tried::Failure(timed_out(""), None),
    };
    let (status, headers) = (answer.status, answer.headers);
    let redirect = judge_redirect(
        &client.redirects,
        &request.method,
        &request.url,
        status,
        &headers,
        bounds.redirects,
    );
    match redirect {
        Redirect::No => {}
        Redirect::Follow {
            keep_body: true, ..
        } if !request_body_is_left(request) => {
            let what = format!(
                "was answered {status}, but its body was a stream that can be sent only once"
            );
            return Tried::Refused {
                status,
                headers,
                kind: ErrorKind::Redirect,
                what,
            };
        }
        Redirect::Follow { .. } => {
            // Read, so that the connection can be used again.
            read_error_body(answer.body, runtime, bounds.deadline).await;
            return Tried::Redirect {
                status,
                headers,
                to: redirect,
            };
        }
        Redirect::Refused(why) => {
            let (kind, what) = refusal(client, status, &why);
            return Tried::Refused {
                status,
                headers,
                kind,
                what,
            };
        }
    }
    if status.as_u16() >= 400 {
        let body = read_error_body(answer.body, runtime, bounds.deadline).await;
        let problem = read_problem(&body);
        return Tried::Answer(Last::Answer {
            status,
            headers,
            content: Content::Whole(body),
            problem,
        });
    }
    if request.streamed {
        let content = Content::Streamed(answer.body);
        return Tried::Answer(Last::Answer {
            status,
            headers,
            content,
            problem: None,
        });
    }
    let declared = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let too_large = |headers| {
        let what = format!(
            "was answered {status} with a body of more than {} bytes",
            client.max_response_bytes
        );
        Tried::Refused {
            status,
            headers,
            kind: ErrorKind::ResponseTooLarge,
            what,
        }
    };
    if request.method != Method::HEAD
        && declared.is_some_and(|length| length > client.max_response_bytes)
    {
        return too_large(headers);
    }
    match read_whole(answer.body, client, bounds.deadline).await {
        Ok(Some(body)) => Tried::Answer(Last::Answer {
            status,
            headers,
            content: Content::Whole(body),
            problem: None,
        }),
        Ok(None) => too_large(headers),
        Err(error) => failed(client, error),
    }
}

fn failed(client: &Inner, error: TransportError) -> Tried {
    let failure = Failure {
        class: error.class,
        text: client.redactor.text(&error.text),
    };
    Tried::Failure(failure, Some(Box::new(error)))
}

/// Whether the body is still there to be sent to another place.
fn request_body_is_left(request: &Prepared) -> bool {
    // `for_attempt` leaves `Empty` behind where a stream was taken; an empty body has no content headers.
    !matches!(request.body, Body::Empty)
        || !request.headers.contains_key(http::header::CONTENT_TYPE)
}

fn refusal(client: &Inner, status: StatusCode, why: &RedirectRefusal) -> (ErrorKind, String) {
    match why {
        RedirectRefusal::CrossOrigin(to) => {
            let to = client.redactor.text(&to.origin().ascii_serialization());
            (
                ErrorKind::CrossOrigin,
                format!("was answered {status}, a redirect to another origin, {to}"),
            )
        }
        RedirectRefusal::Downgrade(_) => (
            ErrorKind::InsecureUrl,
            format!("was answered {status}, a redirect from https to http"),
        ),
        RedirectRefusal::TooMany(max) => (
            ErrorKind::Redirect,
            format!("was answered {status}, after {max} redirects, which is the most"),
        ),
        RedirectRefusal::BadLocation => (
            ErrorKind::Redirect,
            format!("was answered {status} without a Location that can be followed"),
        ),
    }
}

/// The whole body; `None` where it is larger than allowed. A body that came in one piece is not copied.
async fn read_whole(
    mut body: ResponseBody,
    client: &Inner,
    deadline: Instant,
) -> Result<Option<Bytes>, TransportError> {
    let runtime = &*client.runtime;
    let Some(first) = next_chunk(&mut body, runtime, deadline, client.read_timeout).await? else {
        return Ok(Some(Bytes::new()));
    };
    let fits = |length: usize| u64::try_from(length).is_ok_and(|l| l <= client.max_response_bytes);
    if !fits(first.len()) {
        return Ok(None);
    }
    let Some(second) = next_chunk(&mut body, runtime, deadline, client.read_timeout).await? else {
        return Ok(Some(first));
    };
    let mut whole = BytesMut::with_capacity(first.len() + second.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while fits(whole.len()) {
        match next_chunk(&mut body, runtime, deadline, client.read_timeout).await? {
            Some(chunk) => whole.extend_from_slice(&chunk),
            None => return Ok(Some(whole.freeze())),
        }
    }
    Ok(None)
}

/// An error's body, as far as it comes soon and is not too large. Read before any wait, so that no connection leaks.
async fn read_error_body(
    mut body: ResponseBody,
    runtime: &dyn Runtime,
    deadline: Instant,
) -> Bytes {
    let give_up = (runtime.instant() + ERROR_BODY_PATIENCE).min(deadline);
    let mut read = BytesMut::new();
    while let Ok(Some(chunk)) = next_chunk(&mut body, runtime, give_up, None).await {
        let room = defaults::MAX_ERROR_BYTES.saturating_sub(read.len());
        read.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if read.len() >= defaults::MAX_ERROR_BYTES {
            break;
        }
    }
    read.freeze()
}

fn trace(call: &Call) {
    if let Some(attempt) = call.attempts().last() {
        tracing::debug!(target: "gatewright", %attempt);
    }
}

/// Everything at the end of a call, from which its answer or error is made.
struct Ending<'a> {
    client: &'a Inner,
    request: Prepared,
    last: Last,
    token: Option<Secret>,
    token_failure: Option<TokenFailure>,
}

impl Ending<'_> {
    fn conclude(self, done: Done, driving: &mut Driving) -> Result<Sent, Error> {
        let elapsed = self.client.runtime.instant().since(driving.call.started());
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
                };
                let streamed = |head, body| {
                    Sent::Streamed(StreamResponse {
                        head,
                        body,
                        runtime: Arc::clone(&self.client.runtime),
                        deadline: driving.call.deadline(),
                        read_timeout: self.client.read_timeout,
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
                parts.source = source;
                describe_failure(failed, request, &parts.attempts, &text)
            }
            Last::Nothing => {
                parts.source = token_failure
                    .as_ref()
                    .map(|failure| Box::new(failure.clone()) as BoxError);
                describe_unsent(failed, request, token_failure.as_ref())
            }
        };
        parts.what = redactor.text(&what);
        parts.into()
    }
}

fn describe_answer(status: StatusCode, problem: Option<&Problem>, body: &[u8]) -> String {
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
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect();
    if text.chars().nth(300).is_some() {
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
    let class = class.map_or_else(|| failed.kind.to_string(), |class| class.to_string());
    let mut what = if text.is_empty() {
        format!("failed: {class}")
    } else {
        format!("failed: {class} ({})", shortened(text))
    };
    if failed.kind == ErrorKind::Timeout {
        if let Some(timeout) = request
            .limits
            .timeout
            .filter(|_| failed.no_retry == Some(gatewright_engine::retry::NoRetry::Deadline))
        {
            what.push_str(&format!("; its deadline was {}", Readable(timeout)));
        } else if let Some(timeout) = request.limits.attempt_timeout {
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
