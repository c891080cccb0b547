//! How a call ends, and what is kept of each attempt.

use std::time::Duration;

use http::HeaderMap;

use super::{Call, Failed, State};
use crate::attempts::{Decision, Outcome};
use crate::breaker::{Refused, Seen};
use crate::error::{ErrorKind, Retryability};
use crate::pacing::WaitReason;
use crate::retry::NoRetry;
use crate::time::Instant;

impl Call {
    #[cold]
    pub(super) fn expire(&mut self, now: Instant) {
        self.give_place_back(now, false);
        let kind = if self.held_for.is_some() && self.attempts.is_empty() {
            ErrorKind::RateLimited
        } else {
            ErrorKind::Timeout
        };
        self.fail(kind, Some(NoRetry::Deadline), None, None);
    }

    #[cold]
    pub(super) fn refuse(&mut self, now: Instant, retry_after: Duration, reason: WaitReason) {
        self.give_place_back(now, false);
        self.slot = None;
        self.failed = Some(Box::new(Failed {
            kind: ErrorKind::RateLimited,
            retryability: Retryability::Temporary,
            no_retry: Some(NoRetry::Deadline),
            retry_after: Some(retry_after),
            held_for: Some(reason),
            breaker: None,
        }));
        self.state = State::Done;
    }

    /// The breaker is open. A call that was retrying ends as its last attempt did.
    #[cold]
    pub(super) fn refuse_open(&mut self, refused: Refused) {
        let retry_after = Some(refused.retry_after);
        // The retry that was paid for does not come.
        if let Some(paid) = self.paid.take() {
            self.host.give_back(paid);
        }
        let kind = match self.failing.take() {
            Some(kind) => {
                self.retries = self.retries.saturating_sub(1);
                self.decide(Decision::GiveUp(NoRetry::CircuitOpen));
                kind
            }
            None => ErrorKind::CircuitOpen,
        };
        let why = Some(NoRetry::CircuitOpen);
        self.fail(kind, why, retry_after, Some(refused.seen));
    }

    /// Place, permit and slot of an attempt that is over without an outcome.
    pub(super) fn give_place_back(&mut self, now: Instant, sent: bool) {
        let (ticket, partition, permit) = (&mut self.ticket, self.partition, self.permit.take());
        self.host.shared(partition, |shared| {
            shared.pacer.on_cancelled(ticket, now, sent);
            if let (Some(breaker), Some(permit)) = (shared.breaker, permit) {
                breaker.on_given_back(permit);
            }
        });
    }

    #[cold]
    pub(super) fn give_up(&mut self, kind: ErrorKind, why: NoRetry, retry_after: Option<Duration>) {
        self.decide(Decision::GiveUp(why));
        self.fail(kind, Some(why), retry_after, None);
    }

    #[cold]
    pub(super) fn fail(
        &mut self,
        kind: ErrorKind,
        no_retry: Option<NoRetry>,
        retry_after: Option<Duration>,
        breaker: Option<Seen>,
    ) {
        let retryability = match no_retry {
            _ if self.retries > 0 => Retryability::Exhausted,
            Some(NoRetry::NotRetryable | NoRetry::ServerSaysNo) | None => Retryability::Permanent,
            Some(_) => Retryability::Temporary,
        };
        let held_for = self.held_for.take();
        self.slot = None;
        self.failed = Some(Box::new(Failed {
            kind,
            retryability,
            no_retry,
            retry_after,
            held_for,
            breaker: breaker.map(Box::new),
        }));
        self.state = State::Done;
    }

    pub(super) fn finish(&mut self, decision: Decision) {
        self.decide(decision);
        self.state = State::Done;
    }

    pub(super) fn record(
        &mut self,
        now: Instant,
        outcome: Outcome,
        retry_after: Option<Duration>,
        request_id: Option<http::HeaderValue>,
        budget_left: u32,
    ) {
        let since_start = now.since(self.started);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.took = since_start.saturating_sub(attempt.started);
            attempt.outcome = outcome;
            attempt.retry_after = retry_after;
            attempt.request_id = request_id;
            attempt.budget_left = budget_left;
        }
    }

    pub(super) fn decide(&mut self, decision: Decision) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.decision = decision;
        }
    }
}

/// The server's id of a request, under any of its usual names.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<&http::HeaderValue> {
    ["request-id", "x-request-id", "x-amzn-requestid", "cf-ray"]
        .iter()
        .find_map(|name| headers.get(*name))
}
