//! Remembers what a keyed request was answered, so that its retry has no second side effect.
//!
//! | State | A request with the same key | Leaves by |
//! |---|---|---|
//! | unknown | is executed; the key is stored first | `reserve` |
//! | in flight | same body: 409; other body: 422 | the answer |
//! | answered | same body: the same status and body; other body: 422 | 24 h of the session's clock |
//!
//! Answers of 5xx are not kept, because the side effect did not happen. See draft-ietf-httpapi-idempotency-key-header.

mod kept;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::clock::NS;
use crate::durable::Changes;
use crate::reply::Reply;

/// How long an answer is kept.
const KEPT_NS: u64 = 24 * 3_600 * NS;
/// Keys a session remembers; the oldest are forgotten.
const MAX_KEYS: usize = 200_000;
/// The headers of an answer that are kept with it.
const KEPT_HEADERS: [HeaderName; 9] = [
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("upload-complete"),
    HeaderName::from_static("upload-limit"),
    HeaderName::from_static("upload-offset"),
];
/// The kind of the rows of keys that were answered; the id is the scope.
pub(crate) const KIND: &str = "key";
/// The kind of those stored before their side effect.
pub(crate) const PENDING_KIND: &str = "pending_key";
/// The longest key.
pub(crate) const MAX_KEY_BYTES: usize = 255;

/// The keys of a session.
#[derive(Default)]
pub(crate) struct Keys {
    slots: HashMap<Box<str>, Slot>,
    order: VecDeque<(Box<str>, u64)>,
}

/// Numbers reservations across sessions and resets, so that a late answer never meets a newer reservation.
static RESERVATIONS: AtomicU64 = AtomicU64::new(0);

struct Slot {
    reservation: u64,
    fingerprint: [u8; 32],
    stored_ns: u64,
    answer: Option<Answer>,
}

/// A kept answer.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What to do with a keyed request.
pub(crate) enum Verdict {
    /// Execute it and report with this number.
    Execute(u64),
    InFlight,
    Replay(Box<Reply>),
    Reused,
}

impl Keys {
    /// Stores the key before anything else happens, or says what is known of it.
    pub(crate) fn reserve(
        &mut self,
        scope: &str,
        fingerprint: [u8; 32],
        now_ns: u64,
        changes: &mut Changes,
    ) -> Verdict {
        self.forget_old(now_ns, changes);
        if let Some(slot) = self.slots.get(scope) {
            return match &slot.answer {
                _ if slot.fingerprint != fingerprint => Verdict::Reused,
                None => Verdict::InFlight,
                Some(answer) => Verdict::Replay(Box::new(answer.reply())),
            };
        }
        let reservation = RESERVATIONS.fetch_add(1, Ordering::Relaxed);
        let slot = Slot {
            reservation,
            fingerprint,
            stored_ns: now_ns,
            answer: None,
        };
        self.slots.insert(scope.into(), slot);
        self.order.push_back((scope.into(), reservation));
        changes.put(PENDING_KIND, scope, &now_ns);
        Verdict::Execute(reservation)
    }

    /// Whether the key is still stored for this request: not after a reset, nor after writing it failed.
    pub(crate) fn holds(&self, scope: &str, reservation: u64) -> bool {
        let slot = self.slots.get(scope);
        slot.is_some_and(|slot| slot.reservation == reservation)
    }

    /// Keeps the answer of a reserved key, or frees the key when the answer is none to keep.
    pub(crate) fn answered(
        &mut self,
        scope: &str,
        reservation: u64,
        reply: &Reply,
        changes: &mut Changes,
    ) {
        if reply.status.is_server_error() {
            return self.release(scope, reservation, changes);
        }
        let Some(body) = reply.body.whole() else {
            return self.release(scope, reservation, changes);
        };
        if let Some(slot) = self.slots.get_mut(scope)
            && slot.reservation == reservation
        {
            let mut headers = HeaderMap::new();
            for name in KEPT_HEADERS {
                if let Some(value) = reply.headers.get(&name) {
                    headers.insert(name, value.clone());
                }
            }
            slot.answer = Some(Answer {
                status: reply.status,
                headers,
                body: body.clone(),
            });
            changes.delete(PENDING_KIND, scope);
            if changes.is_kept() {
                slot.with_row(|row| changes.put(KIND, scope, row));
            }
        }
    }

    /// Frees a reserved key.
    pub(crate) fn release(&mut self, scope: &str, reservation: u64, changes: &mut Changes) {
        if self.holds(scope, reservation) {
            self.slots.remove(scope);
            changes.delete(PENDING_KIND, scope);
        }
    }

    fn forget_old(&mut self, now_ns: u64, changes: &mut Changes) {
        while let Some((scope, reservation)) = self.order.front() {
            let current = self
                .slots
                .get(scope)
                .filter(|slot| slot.reservation == *reservation);
            let keep = current.is_some_and(|slot| now_ns < slot.stored_ns.saturating_add(KEPT_NS));
            if keep && self.slots.len() < MAX_KEYS {
                return;
            }
            if current.is_some() {
                self.slots.remove(scope);
                changes.delete(KIND, scope);
                changes.delete(PENDING_KIND, scope);
            }
            self.order.pop_front();
        }
    }
}

impl Answer {
    fn reply(&self) -> Reply {
        let mut reply = Reply::new(self.status).with_body(self.body.clone());
        reply.headers = self.headers.clone();
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: [u8; 32] = [1; 32];

    fn reserved(keys: &mut Keys, now: u64) -> u64 {
        match keys.reserve("k", BODY, now, &mut Changes::default()) {
            Verdict::Execute(reservation) => reservation,
            _ => panic!("the key is taken"),
        }
    }

    #[test]
    fn an_answer_is_replayed_for_a_day_of_the_clock() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        assert!(matches!(
            keys.reserve("k", BODY, 0, &mut Changes::default()),
            Verdict::InFlight
        ));
        keys.answered(
            "k",
            reservation,
            &Reply::new(StatusCode::CREATED),
            &mut Changes::default(),
        );
        let Verdict::Replay(reply) = keys.reserve("k", BODY, KEPT_NS - 1, &mut Changes::default())
        else {
            panic!("not replayed");
        };
        assert_eq!(reply.status, StatusCode::CREATED);
        reserved(&mut keys, KEPT_NS);
    }

    #[test]
    fn another_body_is_refused_in_flight_and_answered() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        assert!(matches!(
            keys.reserve("k", [2; 32], 0, &mut Changes::default()),
            Verdict::Reused
        ));
        keys.answered(
            "k",
            reservation,
            &Reply::new(StatusCode::CREATED),
            &mut Changes::default(),
        );
        assert!(matches!(
            keys.reserve("k", [2; 32], 0, &mut Changes::default()),
            Verdict::Reused
        ));
    }

    #[test]
    fn server_errors_free_the_key() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        keys.answered(
            "k",
            reservation,
            &Reply::new(StatusCode::SERVICE_UNAVAILABLE),
            &mut Changes::default(),
        );
        reserved(&mut keys, 0);
    }

    #[test]
    fn a_late_release_does_not_free_a_newer_reservation() {
        let mut keys = Keys::default();
        let first = reserved(&mut keys, 0);
        keys.release("k", first, &mut Changes::default());
        let second = reserved(&mut keys, 0);
        keys.release("k", first, &mut Changes::default());
        assert!(matches!(
            keys.reserve("k", BODY, 0, &mut Changes::default()),
            Verdict::InFlight
        ));
        keys.release("k", second, &mut Changes::default());
        reserved(&mut keys, 0);
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut keys = Keys::default();
        for n in 0..MAX_KEYS + 5 {
            assert!(matches!(
                keys.reserve(&n.to_string(), BODY, 0, &mut Changes::default()),
                Verdict::Execute(_)
            ));
        }
        assert!(keys.slots.len() <= MAX_KEYS && keys.order.len() <= MAX_KEYS + 1);
    }
}
