//! One call through the cache.

use std::sync::Arc;

use gatewright_engine::cache::{
    CacheMode, CacheStatus, Directives, Found, Key, Tick, Use, is_safe, passes_by,
};
use gatewright_engine::{ErrorKind, Instant};
use http::{Method, StatusCode};

use super::change::change;
use super::deliver::{from_store, in_form, not_cached, timed_out};
use super::flight::Seat;
use super::validation::{Landed, confirm, fetch, is_redirected, share, shorten, validate};
use super::{Cache, Watch};
use crate::body::Body;
use crate::client::{Client, Inner};
use crate::response::Response;
use crate::runtime::{servers_instant, until};
use crate::send::{Prepared, Sent, send};
use crate::{Attempt, Error};

/// How often a call shares the validation of another before it makes its own.
const MOST_SHARED: u32 = 3;

/// A call, and what it asks of the cache.
struct Asked<'a> {
    client: &'a Arc<Inner>,
    cache: &'a Arc<Cache>,
    key: Key,
    said: Directives,
    started: Instant,
}

/// Sends a request through the cache of its client.
pub(super) async fn through(
    client: &Client,
    cache: &Arc<Cache>,
    request: Prepared,
) -> Result<Sent, Error> {
    let client = &client.inner;
    if !is_safe(&request.method) {
        return change(client, cache, request).await;
    }
    let said = Directives::of_request(&request.headers);
    let by = passes_by(&request.method, &request.headers)
        || !matches!(request.body, Body::Empty)
        || request.cache_mode == CacheMode::NoStore
        || said.no_store;
    if by {
        return match request.cache_mode {
            CacheMode::OnlyIfCached => Err(not_cached(client, &request)),
            _ => send(client, request).await,
        };
    }
    let partition = cache.partitions.of(request.partition(), &request.headers);
    let asked = Asked {
        key: Key::new(&request.url, partition),
        client,
        cache,
        said,
        started: client.runtime.instant(),
    };
    let answered = asked.answer(request).await;
    if let Ok(sent) = &answered {
        let head = match sent {
            Sent::Whole(answer) => &answer.head,
            Sent::Streamed(answer) => &answer.head,
        };
        if let Some(status) = head.cache {
            cache.count(status);
        }
    }
    answered
}

impl Asked<'_> {
    fn find(&self, request: &Prepared) -> (Tick, Option<Found>) {
        let mut store = self.cache.store();
        let since = store.tick();
        let found = match request.cache_mode {
            CacheMode::Reload => None,
            _ => store.find(&self.key, &request.headers),
        };
        (since, found)
    }

    async fn answer(&self, request: Prepared) -> Result<Sent, Error> {
        let mut shared = 0;
        loop {
            let (since, found) = self.find(&request);
            let Some(found) = found else {
                return self.without(request, since).await;
            };
            let now = servers_instant(&*self.client.runtime);
            match found.stored.judge(request.cache_mode, &self.said, now) {
                Use::Fresh => return self.stored(&request, &found, Vec::new(), CacheStatus::Hit),
                Use::Stale => return self.stored(&request, &found, Vec::new(), CacheStatus::Stale),
                _ if self.said.only_if_cached => return Err(not_cached(self.client, &request)),
                Use::StaleMeanwhile if request.method == Method::GET => {
                    return self.meanwhile(request, found, since).await;
                }
                Use::StaleMeanwhile | Use::Validate => {}
            }
            if request.method == Method::HEAD {
                return self.head(request, found).await;
            }
            if request.streamed {
                return self.streamed(request, found, since).await;
            }
            // Whoever wants to know for sure does not take what was asked for before.
            let alone = shared >= MOST_SHARED
                || request.cache_mode != CacheMode::Default
                || self.said.no_cache;
            if alone {
                let mut own = request.without_body();
                shorten(self.client, &mut own, self.started);
                let landed = self.validation(own, &found, since).await;
                return self.finish(&request, &found, share(Arc::new(landed)));
            }
            let (seat, first) = self.board(&request, &found, since);
            if first {
                let landed = seat.landing().await;
                drop(seat);
                return self.finish(&request, &found, share(landed));
            }
            let deadline = match request.limits.timeout {
                Some(timeout) => self.started + timeout,
                None => Instant::from_nanos(u64::MAX),
            };
            let landed = until(&*self.client.runtime, deadline, seat.landing()).await;
            drop(seat);
            match landed {
                Err(_) => {
                    let error = timed_out(self.client, &request, self.started);
                    return self.finish(&request, &found, Err(error));
                }
                Ok(landed) if landed.answers(&request) => {
                    return self.finish(&request, &found, share(landed));
                }
                Ok(_) => shared += 1,
            }
        }
    }

    /// What is stored, as the answer, without asking anybody.
    fn stored(
        &self,
        request: &Prepared,
        found: &Found,
        attempts: Vec<Attempt>,
        status: CacheStatus,
    ) -> Result<Sent, Error> {
        let now = servers_instant(&*self.client.runtime);
        let headers = found.stored.headers_now(now);
        from_store(
            self.client,
            request,
            &found.stored,
            headers,
            attempts,
            status,
            self.started,
        )
    }

    fn validation(
        &self,
        request: Prepared,
        found: &Found,
        since: Tick,
    ) -> impl Future<Output = Landed> + Send + use<> {
        let (client, cache) = (Arc::clone(self.client), Arc::clone(self.cache));
        validate(
            client,
            cache,
            self.key.clone(),
            found.clone(),
            request,
            since,
        )
    }

    fn board(&self, request: &Prepared, found: &Found, since: Tick) -> (Seat, bool) {
        self.cache.flights.board(found.number, || {
            let mut own = request.without_body();
            own.streamed = false;
            shorten(self.client, &mut own, self.started);
            Box::pin(self.validation(own, found, since))
        })
    }

    /// Nothing is stored.
    async fn without(&self, request: Prepared, since: Tick) -> Result<Sent, Error> {
        if request.cache_mode == CacheMode::OnlyIfCached || self.said.only_if_cached {
            return Err(not_cached(self.client, &request));
        }
        if request.method == Method::HEAD || request.streamed {
            return send(self.client, request).await.map(missed);
        }
        let answer = fetch(self.client, self.cache, &self.key, request, since).await?;
        Ok(Sent::Whole(answer))
    }

    /// Answers with what is stored though stale, and has it validated behind that. Where the host can do nothing behind a
    /// call, the first call waits for the validation, and all others meanwhile do not.
    async fn meanwhile(&self, request: Prepared, found: Found, since: Tick) -> Result<Sent, Error> {
        let (seat, first) = self.board(&request, &found, since);
        if first {
            let behind = seat.another();
            let task = Box::pin(async move {
                drop(behind.landing().await);
            });
            if self.client.runtime.spawn(task).is_err() {
                let landed = seat.landing().await;
                drop(seat);
                return match share(landed) {
                    Ok(answer) if !is_failure(answer.head.status) => self.own(&request, answer),
                    Ok(answer) => {
                        self.stored(&request, &found, answer.head.attempts, CacheStatus::Stale)
                    }
                    Err(error) => {
                        let attempts = error.attempts().to_vec();
                        self.stored(&request, &found, attempts, CacheStatus::Stale)
                    }
                };
            }
        }
        self.stored(&request, &found, Vec::new(), CacheStatus::Stale)
    }

    /// A HEAD, of which a stale GET is stored: its answer tells whether that still holds (section 4.3.5).
    async fn head(&self, request: Prepared, found: Found) -> Result<Sent, Error> {
        let sent = send(self.client, request).await.map(missed)?;
        let head = match &sent {
            Sent::Whole(answer) => &answer.head,
            Sent::Streamed(answer) => &answer.head,
        };
        let describes = head.status == found.stored.status() && !is_redirected(&head.attempts);
        if describes && !found.stored.is_described_by(&head.headers) {
            self.cache.store().remove(&self.key, found.number);
        }
        Ok(sent)
    }

    /// A streamed call: validated, but what else comes goes by.
    async fn streamed(&self, request: Prepared, found: Found, since: Tick) -> Result<Sent, Error> {
        let mut conditional = request.without_body();
        let watch = Watch::of(self.client);
        conditional.watch.clone_from(&watch);
        if !found.stored.add_conditions(&mut conditional.headers) {
            return send(self.client, conditional).await.map(missed);
        }
        let answer = match send(self.client, conditional).await {
            Ok(Sent::Streamed(answer)) if answer.head.status == StatusCode::NOT_MODIFIED => answer,
            Ok(other) => return Ok(missed(other)),
            Err(error) => return self.finish(&request, &found, Err(error)),
        };
        let mut answer = Response {
            head: answer.head,
            body: bytes::Bytes::new(),
        };
        let confirmed = !is_redirected(&answer.head.attempts)
            && found.stored.is_confirmed_by(&answer.head.headers);
        if !confirmed {
            let mut plain = request.without_body();
            shorten(self.client, &mut plain, self.started);
            return send(self.client, plain).await.map(missed);
        }
        confirm(
            self.client,
            self.cache,
            &self.key,
            &found,
            &mut answer,
            &request.headers,
            watch.as_deref(),
            since,
        );
        self.own(&request, answer)
    }

    /// What came of a validation, or what is stored where that failed and `stale-if-error` allows it.
    fn finish(
        &self,
        request: &Prepared,
        found: &Found,
        outcome: Result<Response, Error>,
    ) -> Result<Sent, Error> {
        let failed = match &outcome {
            Ok(answer) => is_failure(answer.head.status),
            Err(error) => match error.status() {
                Some(status) => is_failure(status),
                None => is_unreachable(error.kind()),
            },
        };
        let now = servers_instant(&*self.client.runtime);
        let default = self.cache.rules.stale_if_error;
        let stale = failed
            && found
                .stored
                .answers_failure(request.cache_mode, &self.said, now, default);
        if stale {
            let attempts = match outcome {
                Ok(answer) => answer.head.attempts,
                Err(error) => error.into_parts().attempts,
            };
            return self.stored(request, found, attempts, CacheStatus::Stale);
        }
        self.own(request, outcome?)
    }

    /// An answer that came, possibly to another call, as that of this one.
    fn own(&self, request: &Prepared, mut answer: Response) -> Result<Sent, Error> {
        answer.head.elapsed = self.client.runtime.instant().since(self.started);
        if answer.head.cache == Some(CacheStatus::Revalidated) {
            return in_form(self.client, request, answer);
        }
        Ok(Sent::Whole(answer))
    }
}

fn missed(mut sent: Sent) -> Sent {
    let head = match &mut sent {
        Sent::Whole(answer) => &mut answer.head,
        Sent::Streamed(answer) => &mut answer.head,
    };
    head.cache = Some(CacheStatus::Miss);
    sent
}

/// The statuses of RFC 5861, section 4.
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// What would be such a status, were there a proxy in between.
fn is_unreachable(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::CircuitOpen
            | ErrorKind::Connect
            | ErrorKind::ConnectionLost
            | ErrorKind::Protocol
            | ErrorKind::Timeout
            | ErrorKind::Tls
    )
}
