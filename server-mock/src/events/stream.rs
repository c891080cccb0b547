//! `GET /v1/events/stream`: events as they happen, as server-sent events (WHATWG HTML, section 9.2).
//!
//! | The caller says | It gets |
//! |---|---|
//! | nothing | what happens from now on |
//! | `Last-Event-ID`, or `?after=` | what came after that event, then what happens |
//! | an id whose next event is forgotten, or of a log before a reset | 410 `events_gone` |
//!
//! The stream ends when the session is reset or forgotten, when the gateway stops, and when the caller reads so slowly
//! that what it has not had is forgotten. Only what is on disk is sent, where there is a data file.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use tokio::sync::Notify;

use super::api::{Wanted, check_after};
use super::log::Event;
use crate::call::Call;
use crate::key::Identity;
use crate::parameter::{COUNT, digits, whole};
use crate::problem::Problem;
use crate::reply::{Body, Reply};
use crate::world::World;

pub(super) const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// What a client that lost its connection waits before it comes back.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");
/// Real milliseconds of silence before a comment shows that the stream lives.
pub(super) const HEARTBEAT_MS: u64 = 15_000;
/// What can be asked for instead.
pub(super) const WITHIN_MS: RangeInclusive<u64> = 10..=60_000;
/// Digits of `Last-Event-ID`: what 64 bits hold whatever the digits are.
pub(super) const MAX_ID_DIGITS: usize = 19;
/// Events read under one hold of the lock.
const AT_ONCE: usize = 64;

/// Opens the stream.
pub(super) fn follow(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let wanted = Wanted::asked_for(call, identity)?;
    let heartbeat = heartbeat(call)?;
    let after = after(call)?;
    let state = call.world.state();
    let log = &state.events;
    if let Some(after) = after {
        check_after(log, after)?;
    }
    let follower = Follower {
        world: Arc::clone(&call.world),
        changed: log.changed(),
        life: log.life(),
        after: after.unwrap_or(log.last()),
        wanted,
        heartbeat,
        read: VecDeque::new(),
        begun: false,
    };
    drop(state);
    let pieces = stream::unfold(follower, |mut follower| async {
        let piece = follower.next().await?;
        Some((piece, follower))
    });
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, EVENT_STREAM)
        .with(CACHE_CONTROL, NO_STORE)
        .with_body(Body::live(pieces)))
}

/// The event the caller had last; as in the standard the header counts before what the address says.
fn after(call: &Call) -> Result<Option<u64>, Problem> {
    let in_address = call.parameter("after");
    let in_address = in_address.map(|text| whole("after", &text, &COUNT));
    let in_address = in_address.transpose()?;
    let Some(id) = call.header("last-event-id") else {
        return Ok(in_address);
    };
    let id = std::str::from_utf8(id).ok();
    let id = id.filter(|id| id.len() <= MAX_ID_DIGITS).and_then(digits);
    id.map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_last_event_id",
            "Last-Event-ID must be the number of an event of this stream",
        )
    })
}

fn heartbeat(call: &Call) -> Result<Duration, Problem> {
    let Some(text) = call.parameter("heartbeat_ms") else {
        return Ok(Duration::from_millis(HEARTBEAT_MS));
    };
    Ok(Duration::from_millis(whole(
        "heartbeat_ms",
        &text,
        &WITHIN_MS,
    )?))
}

/// One caller's place in the log.
struct Follower {
    world: Arc<World>,
    changed: Arc<Notify>,
    /// Of the log; another has other numbers.
    life: u64,
    /// The number of the last event that was looked at.
    after: u64,
    wanted: Wanted,
    heartbeat: Duration,
    read: VecDeque<Arc<Event>>,
    begun: bool,
}

impl Follower {
    /// What is sent next; none ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            // Goes out at once, so that the caller knows that it is heard.
            self.begun = true;
            return Some(RETRY);
        }
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(written(&event));
            }
            let changed = Arc::clone(&self.changed);
            let changed = changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let epoch = self.read_more()?;
            if !self.read.is_empty() {
                self.world.kept.settled(epoch).await.ok()?;
                continue;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(self.heartbeat) => return Some(HEARTBEAT),
                () = self.world.surroundings.stopped() => return None,
            }
        }
    }

    /// Reads what there is, and answers the epoch it is of; none where the stream is at its end.
    fn read_more(&mut self) -> Option<u64> {
        let state = self.world.state();
        let log = &state.events;
        if log.life() != self.life || log.is_closed() || check_after(log, self.after).is_err() {
            return None;
        }
        for event in log.after(self.after) {
            self.after = event.seq;
            if self.wanted.has(event) {
                self.read.push_back(Arc::clone(event));
                if self.read.len() == AT_ONCE {
                    break;
                }
            }
        }
        Some(self.world.kept.epoch())
    }
}

/// JSON has no line ends, so the data is one line.
fn written(event: &Event) -> Bytes {
    let mut text = format!("id: {}\nevent: {}\ndata: ", event.seq, event.kind).into_bytes();
    text.extend_from_slice(&event.json());
    text.extend_from_slice(b"\n\n");
    text.into()
}
