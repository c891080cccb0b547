//! Remembers what a keyed request was answered, so that its retry has no second side effect.
//!
//! | State | A request with the same key | Leaves by |
//! |---|---|---|
//! | unknown | is executed; the key is stored first | `reserve` |
//! | in flight | same body: 409; other body: 422 | the answer |
//! | answered | same body: the same status and body; other body: 422 | 24 h of the session's clock |
//!
//! Answers of 5xx are not kept, because the side effect did not happen. See draft-ietf-httpapi-idempotency-key-header.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::clock::NS;
use crate::reply::Reply;

/// How long an answer is kept.
const KEPT_NS: u64 = 24 * 3_600 * NS;
/// Keys a session remembers; the oldest are forgotten.
const MAX_KEYS: usize = 200_000;
/// The headers of an answer that are kept with it.
const KEPT_HEADERS: [HeaderName; 7] = [
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("upload-complete"),
    HeaderName::from_static("upload-limit"),
    HeaderName::from_static("upload-offset"),
];
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
    pub(crate) fn reserve(&mut self, scope: &str, fingerprint: [u8; 32], now_ns: u64) -> Verdict {
        self.forget_old(now_ns);
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
        Verdict::Execute(reservation)
    }

    /// Keeps the answer of a reserved key, or frees the key when the answer is none to keep.
    pub(crate) fn answered(&mut self, scope: &str, reservation: u64, reply: &Reply) {
        if reply.status.is_server_error() {
            return self.release(scope, reservation);
        }
        let Some(body) = reply.body.whole() else {
            return self.release(scope, reservation);
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
        }
    }

    /// Frees a reserved key.
    fn release(&mut self, scope: &str, reservation: u64) {
        if self
            .slots
            .get(scope)
            .is_some_and(|slot| slot.reservation == reservation)
        {
            self.slots.remove(scope);
        }
    }

    fn forget_old(&mut self, now_ns: u64) {
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
        match keys.reserve("k", BODY, now) {
            Verdict::Execute(reservation) => reservation,
            _ => panic!("the key is taken"),
        }
    }

    #[test]
    fn an_answer_is_replayed_for_a_day_of_the_clock() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        assert!(matches!(keys.reserve("k", BODY, 0), Verdict::InFlight));
        keys.answered("k", reservation, &Reply::new(StatusCode::CREATED));
        let Verdict::Replay(reply) = keys.reserve("k", BODY, KEPT_NS - 1) else {
            panic!("not replayed");
        };
        assert_eq!(reply.status, StatusCode::CREATED);
        reserved(&mut keys, KEPT_NS);
    }

    #[test]
    fn another_body_is_refused_in_flight_and_answered() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        assert!(matches!(keys.reserve("k", [2; 32], 0), Verdict::Reused));
        keys.answered("k", reservation, &Reply::new(StatusCode::CREATED));
        assert!(matches!(keys.reserve("k", [2; 32], 0), Verdict::Reused));
    }

    #[test]
    fn server_errors_free_the_key() {
        let mut keys = Keys::default();
        let reservation = reserved(&mut keys, 0);
        keys.answered(
            "k",
            reservation,
            &Reply::new(StatusCode::SERVICE_UNAVAILABLE),
        );
        reserved(&mut keys, 0);
    }

    #[test]
    fn a_late_release_does_not_free_a_newer_reservation() {
        let mut keys = Keys::default();
        let first = reserved(&mut keys, 0);
        keys.release("k", first);
        let second = reserved(&mut keys, 0);
        keys.release("k", first);
        assert!(matches!(keys.reserve("k", BODY, 0), Verdict::InFlight));
        keys.release("k", second);
        reserved(&mut keys, 0);
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut keys = Keys::default();
        for n in 0..MAX_KEYS + 5 {
            assert!(matches!(
                keys.reserve(&n.to_string(), BODY, 0),
                Verdict::Execute(_)
            ));
        }
        assert!(keys.slots.len() <= MAX_KEYS && keys.order.len() <= MAX_KEYS + 1);
    }
}
