//! One attempt: hooks, credential, request, answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gatewright_engine::call::Failure;
use gatewright_engine::problem::read_problem;
use gatewright_engine::redact::Secret;
use gatewright_engine::redirect::{Redirect, RedirectRefusal, judge_redirect};
use gatewright_engine::retry::FailureClass;
use gatewright_engine::signing::{Signable, SignedBody};
use gatewright_engine::throughput::Throughput;
use gatewright_engine::{ErrorKind, Instant, defaults};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::Prepared;
use super::ending::{Content, Last};
use crate::body::{Body, BoxError};
use crate::cache::CacheMode;
use crate::client::Inner;
use crate::hooks::{AfterAttempt, BeforeAttempt};
use crate::response::next_chunk;
use crate::runtime::{Runtime, until};
use crate::signing::{SignRequest, SigningMoment, fresh_text};
use crate::throughput::MinThroughput;
use crate::transport::{ResponseBody, TransportError, TransportRequest};

/// An error body that dawdles is not waited for longer than this: its status has said what matters.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// Room is made for no more than this on a server's mere word.
const MOST_RESERVED: usize = 64 * 1024 * 1024;

/// What one attempt brought.
pub(super) enum Tried {
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

impl Tried {
    /// The status of the answer, or how it failed.
    fn told(&self) -> (Option<u16>, Option<FailureClass>) {
        match self {
            Self::Answer(Last::Answer { status, .. })
            | Self::Redirect { status, .. }
            | Self::Refused { status, .. } => (Some(status.as_u16()), None),
            Self::Failure(failure, _) => (None, Some(failure.class)),
            Self::Answer(_) => (None, None),
        }
    }
}

pub(super) struct Bounds {
    pub(super) timeout_at: Instant,
    pub(super) deadline: Instant,
    pub(super) redirects: u32,
}

/// One attempt: hooks, credential, request, answer.
pub(super) async fn attempt(
    client: &Inner,
    request: &mut Prepared,
    number: u32,
    token: Option<&Secret>,
    bounds: &Bounds,
) -> Tried {
    let (mut headers, mut url) = (request.headers.clone(), request.url.clone());
    let mut hooked_at = None;
    if !client.hooks.is_empty() {
        hooked_at = Some(client.runtime.instant());
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
        if let Some(watch) = &request.watch {
            watch.note(&request.headers, &headers);
        }
    }
    if !request.cross_origin {
        let auth = &request.auth.auth;
        auth.credential.apply(token, &mut headers, &mut url);
        if let Some(signer) = &auth.signer
            && let Err(error) = sign(&**signer, client, request, token, &url, &mut headers)
        {
            return hook_failed(error);
        }
    }
    let traced = request
        .trace
        .as_ref()
        .and_then(|trace| trace.attempt(number, request, client, &mut headers));
    let outgoing = TransportRequest {
        method: request.method.clone(),
        url,
        headers,
        body: request.body.for_attempt(),
        fresh: is_fresh(client, request),
    };
    let tried = exchange(client, request, outgoing, bounds).await;
    if let Some(traced) = traced {
        let (status, failure) = tried.told();
        traced.end(status, failure);
    }
    if let Some(started) = hooked_at {
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

/// Puts the signature on.
fn sign(
    signer: &dyn SignRequest,
    client: &Inner,
    request: &Prepared,
    token: Option<&Secret>,
    url: &Url,
    headers: &mut HeaderMap,
) -> Result<(), BoxError> {
    let before = headers.clone();
    let body = match &request.body {
        Body::Empty => SignedBody::Bytes(b""),
        Body::Bytes(bytes) => SignedBody::Bytes(bytes),
        Body::Once { .. } | Body::Replayable { .. } => SignedBody::Stream,
    };
    let signable = Signable {
        method: &request.method,
        url,
        headers: &before,
        body,
    };
    let moment = SigningMoment {
        now: client.runtime.now().wall,
        nonce: &fresh_text()?,
        token,
    };
    signer.sign(&signable, &moment, headers)
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
    let answer = match request
        .transfer
        .send(client, outgoing, bounds.timeout_at)
        .await
    {
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
        } if request.once => {
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
    match read_whole(
        answer.body,
        declared,
        client,
        bounds.deadline,
        request.transfer.floor.of_bodies(),
    )
    .await
    {
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

pub(crate) fn refusal(
    client: &Inner,
    status: StatusCode,
    why: &RedirectRefusal,
) -> (ErrorKind, String) {
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

/// The whole body; `None` where it is larger than allowed. A body that came in one piece is not copied; room for a longer one is made at once
/// where its length was declared, so that it need not move while it grows.
async fn read_whole(
    mut body: ResponseBody,
    declared: Option<u64>,
    client: &Inner,
    deadline: Instant,
    floor: Option<MinThroughput>,
) -> Result<Option<Bytes>, TransportError> {
    let runtime = &*client.runtime;
    let mut throughput = floor.map(Throughput::new);
    let Some(first) = next_chunk(
        &mut body,
        runtime,
        deadline,
        client.read_timeout,
        throughput.as_mut(),
    )
    .await?
    else {
        return Ok(Some(Bytes::new()));
    };
    let fits = |length: usize| u64::try_from(length).is_ok_and(|l| l <= client.max_response_bytes);
    if !fits(first.len()) {
        return Ok(None);
    }
    let Some(second) = next_chunk(
        &mut body,
        runtime,
        deadline,
        client.read_timeout,
        throughput.as_mut(),
    )
    .await?
    else {
        return Ok(Some(first));
    };
    let declared = declared
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0)
        .min(MOST_RESERVED);
    let mut whole = BytesMut::with_capacity(declared.max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while fits(whole.len()) {
        match next_chunk(
            &mut body,
            runtime,
            deadline,
            client.read_timeout,
            throughput.as_mut(),
        )
        .await?
        {
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
    while let Ok(Some(chunk)) = next_chunk(&mut body, runtime, give_up, None, None).await {
        let room = defaults::MAX_ERROR_BYTES.saturating_sub(read.len());
        read.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if read.len() >= defaults::MAX_ERROR_BYTES {
            break;
        }
    }
    read.freeze()
}

/// Whether a cache of the host's is to be passed by. Where nobody asks for that it is left in place: passing it by costs a page a preflight.
fn is_fresh(client: &Inner, request: &Prepared) -> bool {
    let asked = matches!(
        request.cache_mode,
        CacheMode::NoStore | CacheMode::Reload | CacheMode::NoCache
    );
    request.method.is_safe() && (asked || client.cache.is_some() || request.hedge.is_some())
}
