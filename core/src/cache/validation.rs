//! Sends a request whose answer may be stored, or confirms what is stored (RFC 9111, section 4.3), and keeps what came.

use std::sync::Arc;

use gatewright_engine::cache::{Arrival, CacheStatus, Found, Key, Tick, renew, to_store};
use gatewright_engine::call::CallLimits;
use gatewright_engine::{Instant, defaults};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use super::deliver::SharedCause;
use super::{Cache, Watch};
use crate::client::Inner;
use crate::response::Response;
use crate::runtime::servers_instant;
use crate::send::{Prepared, Sent, send};
use crate::{Attempt, Decision, Error};

/// What came of a request that went to the server.
#[derive(Debug)]
pub(super) struct Landed {
    /// The fields of the request, its limits, and whether an error status is an error.
    asked: (HeaderMap, CallLimits, bool),
    pub(super) outcome: Result<Response, Error>,
    /// What is stored now, where that is this answer.
    found: Option<Found>,
}

impl Landed {
    /// Whether it is an answer to this request of another call as well.
    pub(super) fn answers(&self, request: &Prepared) -> bool {
        let (headers, limits, error_for_status) = &self.asked;
        let same = *headers == request.headers && *error_for_status == request.error_for_status;
        match &self.outcome {
            Ok(_) if same => true,
            Ok(_) => self
                .found
                .as_ref()
                .is_some_and(|found| found.stored.fits(&request.headers)),
            // A call that gives up sooner does not speak for one that would go on.
            Err(error) => {
                same && *limits == request.limits
                    && error.no_retry() != Some(crate::NoRetry::Deadline)
            }
        }
    }
}

/// What came, for one of those who waited for it.
pub(super) fn share(landed: Arc<Landed>) -> Result<Response, Error> {
    match Arc::try_unwrap(landed) {
        Ok(own) => own.outcome,
        Err(shared) => match &shared.outcome {
            Ok(response) => Ok(response.clone()),
            Err(error) => {
                let copy = error.without_cause();
                if std::error::Error::source(error).is_none() {
                    return Err(copy);
                }
                Err(copy.caused_by(SharedCause(Arc::clone(&shared))))
            }
        },
    }
}

/// Sends `request` with the conditions of what is stored. Owns all that it needs: whoever waits for it may go.
pub(super) async fn validate(
    client: Arc<Inner>,
    cache: Arc<Cache>,
    key: Key,
    found: Found,
    request: Prepared,
    since: Tick,
) -> Landed {
    let asked = (
        request.headers.clone(),
        request.limits,
        request.error_for_status,
    );
    let started = client.runtime.instant();
    let watch = Watch::of(&client);
    let mut conditional = request.without_body();
    conditional.watch.clone_from(&watch);
    let has_conditions = found.stored.add_conditions(&mut conditional.headers);
    let mut outcome = send(&client, conditional).await.map(whole);
    if let Ok(answer) = &mut outcome
        && answer.head.status == StatusCode::NOT_MODIFIED
        && has_conditions
    {
        let confirmed = !is_redirected(&answer.head.attempts)
            && found.stored.is_confirmed_by(&answer.head.headers);
        if confirmed {
            let found = confirm(
                &client,
                &cache,
                &key,
                &found,
                answer,
                &asked.0,
                watch.as_deref(),
                since,
            );
            return Landed {
                asked,
                outcome,
                found,
            };
        }
        // Not changed since something that is not stored here: without conditions, then.
        let before = std::mem::take(&mut answer.head.attempts);
        let mut plain = request.without_body();
        plain.watch.clone_from(&watch);
        let passed = shorten(&client, &mut plain, started);
        outcome = send(&client, plain).await.map(whole);
        outcome = after(outcome, before, passed);
    }
    let found = keep(
        &client,
        &cache,
        &key,
        &asked.0,
        watch.as_deref(),
        since,
        &outcome,
    );
    if let Ok(answer) = &mut outcome {
        answer.head.cache = Some(CacheStatus::Miss);
    }
    Landed {
        asked,
        outcome,
        found,
    }
}

/// Sends `request`, of which nothing is stored.
pub(super) async fn fetch(
    client: &Inner,
    cache: &Cache,
    key: &Key,
    mut request: Prepared,
    since: Tick,
) -> Result<Response, Error> {
    let headers = request.headers.clone();
    let watch = Watch::of(client);
    request.watch.clone_from(&watch);
    let mut outcome = send(client, request).await.map(whole);
    keep(
        client,
        cache,
        key,
        &headers,
        watch.as_deref(),
        since,
        &outcome,
    );
    if let Ok(answer) = &mut outcome {
        answer.head.cache = Some(CacheStatus::Miss);
    }
    outcome
}

fn whole(sent: Sent) -> Response {
    match sent {
        Sent::Whole(response) => response,
        Sent::Streamed(response) => Response {
            head: response.head,
            body: bytes::Bytes::new(),
        },
    }
}

/// Leaves a call what is left of its time after `started`; how much has passed.
pub(super) fn shorten(
    client: &Inner,
    request: &mut Prepared,
    started: Instant,
) -> std::time::Duration {
    let passed = client.runtime.instant().since(started);
    request.limits.timeout = request.limits.timeout.map(|t| t.saturating_sub(passed));
    passed
}

/// The record of a call that was made in two parts.
fn after(
    outcome: Result<Response, Error>,
    before: Vec<Attempt>,
    passed: std::time::Duration,
) -> Result<Response, Error> {
    let count = u32::try_from(before.len()).unwrap_or(u32::MAX);
    let joined = |later: Vec<Attempt>| {
        let mut all = before;
        all.extend(later.into_iter().map(|mut attempt| {
            attempt.number = attempt.number.saturating_add(count);
            attempt.started += passed;
            attempt
        }));
        all
    };
    match outcome {
        Ok(mut answer) => {
            answer.head.attempts = joined(answer.head.attempts);
            answer.head.elapsed += passed;
            Ok(answer)
        }
        Err(error) => {
            let mut parts = error.into_parts();
            parts.attempts = joined(parts.attempts);
            parts.elapsed += passed;
            Err(parts.into())
        }
    }
}

/// Another place answered, whose answer is not one to this URL.
pub(super) fn is_redirected(attempts: &[Attempt]) -> bool {
    attempts
        .iter()
        .any(|attempt| attempt.decision == Decision::Redirect)
}

fn arrival<'a>(
    client: &Inner,
    request: &'a HeaderMap,
    changed: &'a [http::HeaderName],
    answer: (StatusCode, &'a HeaderMap, &'a bytes::Bytes, &[Attempt]),
) -> Arrival<'a> {
    let (status, headers, body, attempts) = answer;
    let came = servers_instant(&*client.runtime);
    let took = attempts.last().map(|last| last.took).unwrap_or_default();
    Arrival {
        request,
        changed,
        status,
        headers,
        body,
        asked: came - took,
        came,
        wall: client.runtime.now().wall,
    }
}

/// What is stored was confirmed by a 304: makes the answer of it, and stores it as renewed.
#[expect(
    clippy::too_many_arguments,
    reason = "all that is known of an answer comes together here"
)]
pub(super) fn confirm(
    client: &Inner,
    cache: &Cache,
    key: &Key,
    found: &Found,
    answer: &mut Response,
    request: &HeaderMap,
    watch: Option<&Watch>,
    since: Tick,
) -> Option<Found> {
    let changed = watch.map(Watch::changed).unwrap_or_default();
    let head = &mut answer.head;
    let told = (
        head.status,
        &head.headers,
        found.stored.body(),
        &*head.attempts,
    );
    let arrival = arrival(client, request, &changed, told);
    let renewed = renew(&cache.rules, &found.stored, &arrival);
    let headers = found.stored.renewed_headers(&head.headers);
    let kept = {
        let mut store = cache.store();
        store.remove(key, found.number);
        renewed.and_then(|renewed| store.put(key, renewed, since))
    };
    head.status = found.stored.status();
    head.headers = headers;
    head.cache = Some(CacheStatus::Revalidated);
    answer.body = found.stored.body().clone();
    kept
}

/// Stores what came, or forgets what is stored where that has been overtaken.
fn keep(
    client: &Inner,
    cache: &Cache,
    key: &Key,
    request: &HeaderMap,
    watch: Option<&Watch>,
    since: Tick,
    outcome: &Result<Response, Error>,
) -> Option<Found> {
    let (status, headers, body, attempts) = match outcome {
        Ok(answer) => (
            answer.head.status,
            &answer.head.headers,
            &answer.body,
            &*answer.head.attempts,
        ),
        Err(error) => (
            error.status()?,
            error.headers(),
            error.body(),
            error.attempts(),
        ),
    };
    // What says something of the moment says nothing of what is stored.
    let of_the_moment =
        matches!(status.as_u16(), 304 | 408 | 425 | 429 | 500.. if status.as_u16() != 501);
    if of_the_moment || is_redirected(attempts) {
        return None;
    }
    let changed = watch.map(Watch::changed).unwrap_or_default();
    let told = (status, headers, body, attempts);
    let stored = if is_complete(status, headers, body) {
        to_store(&cache.rules, &arrival(client, request, &changed, told))
    } else {
        None
    };
    let mut store = cache.store();
    match stored {
        Some(stored) => store.put(key, stored, since),
        None => {
            if let Some(overtaken) = store.find(key, request) {
                store.remove(key, overtaken.number);
            }
            None
        }
    }
}

/// Whether the body is all there: that of an error is read only as far as it comes soon.
fn is_complete(status: StatusCode, headers: &HeaderMap, body: &bytes::Bytes) -> bool {
    if status.as_u16() < 400 {
        return true;
    }
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    declared == Some(body.len()) && body.len() < defaults::MAX_ERROR_BYTES
}
