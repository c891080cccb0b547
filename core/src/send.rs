//! The loop of a call: ask the engine, do it, report back.
//!
//! One attempt is `send/attempt.rs`; what the caller gets in the end is `send/ending.rs`.

use std::sync::Arc;

use gatewright_engine::Instant;
use gatewright_engine::call::{Answer, Call, CallLimits, RequestFacts, Step};
use gatewright_engine::host::Engine;
use gatewright_engine::idempotency::is_idempotent;
use gatewright_engine::pacing::Route;
use gatewright_engine::redact::Secret;
use gatewright_engine::redirect::{Redirect, keep_travelling_headers};
use gatewright_engine::token::Generation;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::Error;
use crate::body::Body;
use crate::cache::{CacheMode, Watch};
use crate::client::Inner;
use crate::credentials::Bound;
use crate::hedge::Hedge;
use crate::response::{Response, StreamResponse};
use crate::runtime::{BoxFuture, RandomOf, Runtime, until};
use crate::shared_quota;
use crate::telemetry::CallTrace;
use crate::token_source::TokenFailure;
use crate::transfer::Transfer;

mod attempt;
mod ending;
mod hedged;

pub(crate) use attempt::refusal;
use attempt::{Bounds, Tried, attempt};
pub(crate) use ending::describe_answer;
use ending::{Ending, Last};
use hedged::{Copies, hedged};

/// A request that is ready to be sent, as often as it takes.
pub(crate) struct Prepared {
    pub(crate) auth: Arc<Bound>,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The body is a stream that can be sent once.
    pub(crate) once: bool,
    pub(crate) limits: CallLimits,
    /// No credential goes along: another origin, which was allowed.
    pub(crate) cross_origin: bool,
    /// An error status is an error; else it is an answer like any other once it is not retried.
    pub(crate) error_for_status: bool,
    pub(crate) transfer: Transfer,
    /// What is known of its trace; `None` where nobody asks.
    pub(crate) trace: Option<Arc<CallTrace>>,
    pub(crate) streamed: bool,
    /// A second copy is sent where the answer is slow.
    pub(crate) hedge: Option<Hedge>,
    pub(crate) cache_mode: CacheMode,
    /// Where what hooks change is noted, for the cache.
    pub(crate) watch: Option<Arc<Watch>>,
}

impl Prepared {
    /// Tells the quotas and cached answers of its credential from those of others; 0 where no credential goes along.
    pub(crate) fn partition(&self) -> u64 {
        if self.cross_origin {
            0
        } else {
            self.auth.partition
        }
    }

    /// The same once more; `None` where its body cannot be sent twice.
    pub(crate) fn copied(&self) -> Option<Self> {
        let body = match &self.body {
            Body::Once { .. } => return None,
            body => body.again(),
        };
        Some(Self {
            body,
            ..self.without_body()
        })
    }

    /// The same once more, but for its body.
    pub(crate) fn without_body(&self) -> Self {
        Self {
            auth: Arc::clone(&self.auth),
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Body::Empty,
            once: self.once,
            limits: self.limits,
            cross_origin: self.cross_origin,
            error_for_status: self.error_for_status,
            transfer: self.transfer,
            trace: self.trace.clone(),
            streamed: self.streamed,
            hedge: self.hedge,
            cache_mode: self.cache_mode,
            watch: self.watch.clone(),
        }
    }
}

/// What came of a call: the answer whole, or with its body still to come.
pub(crate) enum Sent {
    Whole(Response),
    Streamed(StreamResponse),
}

/// The call in hand. Dropping it, as Python, Rust and wasm do to cancel, gives its place back.
struct Driving<'a> {
    call: Call,
    runtime: &'a dyn Runtime,
    /// The other copy of the request, where it is hedged.
    copies: Option<&'a Copies>,
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        self.call.on_cancelled(self.runtime.instant());
        if let Some(copies) = self.copies {
            copies.on_over(self.call.take_attempts());
        }
    }
}

pub(crate) async fn send(client: &Inner, request: Prepared) -> Result<Sent, Error> {
    match request.hedge {
        Some(hedge) if request.method.is_safe() && !request.streamed => {
            Box::pin(hedged(client, request, hedge)).await
        }
        _ => drive(begin(client, &request, None), client, request).await,
    }
}

/// Begins the call of a request.
fn begin<'a>(client: &'a Inner, request: &Prepared, copies: Option<&'a Copies>) -> Driving<'a> {
    let facts = RequestFacts {
        repeatable: is_idempotent(&request.method)
            || request.headers.contains_key(&client.idempotency.header),
        replayable: request.body.is_replayable(),
        refreshable: request.auth.auth.can_learn() && !request.cross_origin,
    };
    let partition = request.partition();
    let mut call = client.call_to(&request.url, facts, request.limits, partition);
    if request.streamed {
        call.on_streamed();
    }
    call.set_route(Route::new(&request.method, request.url.path()));
    if client.shared_quota.is_some() {
        call.needs_shared_quota();
    }
    if let Some(copies) = copies {
        call.measure();
        call.number_with(Arc::clone(&copies.numbers));
    }
    Driving {
        call,
        runtime: &*client.runtime,
        copies,
    }
}

async fn drive(
    mut driving: Driving<'_>,
    client: &Inner,
    mut request: Prepared,
) -> Result<Sent, Error> {
    let runtime = &*client.runtime;
    let mut permit = None;
    let mut last = Last::Nothing;
    let mut redirects = 0;
    let mut token: Option<(Secret, Generation)> = None;
    let mut token_failure = None;
    loop {
        let mut step = next_step(&client.engine, &mut driving.call, runtime).await;
        if step == Step::TakeQuota {
            (step, permit) =
                shared_quota::take(client, request.cross_origin, &mut driving.call).await;
        }
        if step == Step::RefreshToken {
            let fetched = fetch_token(client, &request.auth, driving.call.deadline()).await;
            step = match fetched {
                Some(Ok(fresh)) => {
                    token = fresh;
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
            Step::Wait { .. } | Step::TakeQuota | Step::RefreshToken => continue,
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
        if let (Some(to), Some(regions)) = (driving.call.region(), &client.regions)
            && let Some(url) = regions.moved(&request.url, to)
        {
            request.url = url;
        }
        // Dropped before the next attempt: an error's body holds a connection until then.
        drop(std::mem::replace(&mut last, Last::Nothing));
        let secret = token.as_ref().map(|(secret, _)| secret);
        let bounds = Bounds {
            timeout_at,
            deadline: driving.call.deadline(),
            redirects,
        };
        if let Some(copies) = driving.copies {
            copies.on_sent(&driving.call, runtime.instant());
        }
        let tried = attempt(client, &mut request, number, secret, &bounds).await;
        if let Some(copies) = driving.copies {
            copies.on_tried(&driving.call);
        }
        if let Some(permit) = permit.take() {
            permit.settle(match &tried {
                Tried::Failure(failure, _) => Some(failure.class),
                _ => None,
            });
        }
        // The device may have slept while the attempt was under way; what the server asks for is told from here.
        client.engine.on_slept(runtime.slept());
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
                    let auth = &request.auth.auth;
                    let learned = auth
                        .signer
                        .as_ref()
                        .filter(|_| !request.cross_origin)
                        .is_some_and(|signer| signer.on_answer(&request.url, *status, headers));
                    if *status == StatusCode::UNAUTHORIZED && !learned && !request.cross_origin {
                        match (&auth.source, &token) {
                            (Some(source), Some((_, generation))) => {
                                source.invalidate(*generation);
                            }
                            (Some(_), None) => {}
                            (None, _) => driving.call.has_nothing_new(),
                        }
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
                    shared_quota::observe(client, request.cross_origin, &driving.call);
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
                    request.once = false;
                    for name in [http::header::CONTENT_TYPE, http::header::CONTENT_LENGTH] {
                        request.headers.remove(name);
                    }
                }
                (request.url, request.method) = (url, method);
                redirects += 1;
                let partition = request.partition();
                let (host, region) = client.place_of(&request.url);
                driving
                    .call
                    .on_redirect(now, status, &headers, host, partition);
                driving.call.on_region(region);
                let keyed = request.headers.contains_key(&client.idempotency.header);
                let repeatable = is_idempotent(&request.method) || keyed;
                driving.call.set_repeatable(repeatable);
                if request.cross_origin {
                    driving.call.has_nothing_new();
                }
                driving
                    .call
                    .set_route(Route::new(&request.method, request.url.path()));
            }
        }
    }
}

/// Asks the engine until it wants something done; waits as it says.
async fn next_step(engine: &Engine, call: &mut Call, runtime: &dyn Runtime) -> Step {
    engine.on_slept(runtime.slept());
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
                engine.on_slept(runtime.slept());
            }
        }
    })
    .await
}

/// The call's token, where it needs one; `None`: the deadline passed.
async fn fetch_token(
    client: &Inner,
    bound: &Bound,
    deadline: Instant,
) -> Option<Result<Option<(Secret, Generation)>, TokenFailure>> {
    let Some(source) = &bound.auth.source else {
        return Some(Ok(None));
    };
    let token = source.token(&client.transport, &client.runtime);
    let fetched = until(&*client.runtime, deadline, token).await.ok()?;
    Some(fetched.map(Some))
}

fn trace(call: &Call) {
    if let Some(attempt) = call.attempts().last() {
        tracing::debug!(target: "gatewright", %attempt);
    }
}
