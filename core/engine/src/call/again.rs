//! Whether there is another attempt, when, and where.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, State};
use crate::attempts::Decision;
use crate::backoff::{Jitter, share_of};
use crate::budget::RetryCost;
use crate::defaults;
use crate::error::ErrorKind;
use crate::retry::{FailureClass, NoRetry, RetryCause, RetryPolicy};
use crate::time::{Instant, Random};

/// What made another attempt worth it.
pub(super) struct Cause {
    pub(super) kind: ErrorKind,
    pub(super) cause: RetryCause,
    pub(super) cost: RetryCost,
    pub(super) jitter: Jitter,
    /// How long the server asks to wait.
    pub(super) asked: Option<Duration>,
    /// Another region may do better.
    pub(super) elsewhere: bool,
}

/// How much room a call has for another attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Retries so far.
    pub(crate) retries: u32,
    pub(crate) max_attempts: u32,
    pub(crate) replayable: bool,
    pub(crate) now: Instant,
    pub(crate) deadline: Instant,
}

/// What the wait depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) asked: Option<Duration>,
    pub(crate) jitter: Jitter,
    /// Another region is asked, which was not asked yet: there is nothing to wait for.
    pub(crate) elsewhere: bool,
}

/// How long to wait for another attempt, or why there is none. The budget is not asked here: asking takes from it.
pub(crate) fn weigh(
    policy: &RetryPolicy,
    room: &Room,
    wait: Wait,
    random: &mut dyn Random,
) -> Result<Duration, NoRetry> {
    if room.retries.saturating_add(1) >= room.max_attempts {
        return Err(NoRetry::OutOfAttempts);
    }
    if !room.replayable {
        return Err(NoRetry::BodyNotReplayable);
    }
    let wait = match wait.asked {
        _ if wait.elsewhere => Duration::ZERO,
        Some(asked) if asked > policy.max_retry_after => return Err(NoRetry::RetryAfterTooLong),
        // A floor, and never together with everybody else; a date in the past still backs off.
        Some(asked) if !asked.is_zero() => asked.saturating_add(share_of(
            asked,
            random.next_unit() * defaults::RETRY_AFTER_JITTER,
        )),
        _ => policy.backoff.wait(room.retries, wait.jitter, random),
    };
    if room.now + wait >= room.deadline {
        return Err(NoRetry::Deadline);
    }
    Ok(wait)
}

impl Call {
    pub(super) fn retry(&mut self, now: Instant, again: &Cause, random: &mut dyn Random) {
        let (kind, asked) = (again.kind, again.asked);
        let room = Room {
            retries: self.retries,
            max_attempts: self.limits.max_attempts.unwrap_or(self.policy.max_attempts),
            replayable: self.request.replayable,
            now,
            deadline: self.deadline(),
        };
        let elsewhere = match &self.route {
            Some(route) if again.elsewhere => route.untried(now),
            _ => None,
        };
        let wait = Wait {
            asked,
            jitter: again.jitter,
            elsewhere: elsewhere.is_some(),
        };
        let wait = match weigh(&self.policy, &room, wait, random) {
            Ok(wait) => wait,
            Err(why) => return self.give_up(kind, why, asked),
        };
        let until = now + wait;
        // The one who pays is the one who gets the attempt.
        let region = elsewhere.and_then(|at| self.route.as_ref()?.regions().get(at));
        let host = region.map_or_else(|| Arc::clone(&self.host), |region| Arc::clone(&region.host));
        let may_move = self.route.as_ref().is_some_and(|route| route.len() > 1);
        let (cost, partition) = (again.cost, self.partition);
        let paid = host.shared(partition, |shared| {
            // Its breaker may just have opened, by this very failure: then there is nothing to wait for.
            if !may_move
                && let Some(breaker) = &shared.breaker
                && let Err(refused) = breaker.check(until + shared.slept)
            {
                let retry_after = refused.retry_after.saturating_add(wait);
                return Err((NoRetry::CircuitOpen, Some(retry_after)));
            }
            let taken = shared.budget.take(cost);
            taken
                .map(|taken| (taken, shared.budget.left()))
                .ok_or((NoRetry::OutOfBudget, asked))
        });
        let (taken, left) = match paid {
            Ok(paid) => paid,
            Err((why, retry_after)) => return self.give_up(kind, why, retry_after.max(asked)),
        };
        if let (Some(_), Some(asked), Some(route)) = (elsewhere, asked, &mut self.route) {
            route.leave_alone(now + asked);
        }
        self.paid = Some(taken);
        self.failing = Some(kind);
        // Who is asked to send less does not send it elsewhere.
        self.next_region = match again.elsewhere {
            true => elsewhere,
            false => self.region(),
        };
        self.retries = self.retries.saturating_add(1);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.budget_left = left;
        }
        self.decide(Decision::Retry {
            cause: again.cause,
            wait,
        });
        self.held_for = None;
        self.state = State::Backoff { until };
    }
}

/// The kind of error of an attempt without a complete answer.
pub(crate) const fn kind_of(class: FailureClass, repeatable: bool) -> ErrorKind {
    let unknown = !repeatable;
    match class {
        FailureClass::Connect | FailureClass::NotProcessed => ErrorKind::Connect,
        FailureClass::ConnectTimeout => ErrorKind::Timeout,
        FailureClass::Tls => ErrorKind::Tls,
        FailureClass::ConnectionLost
        | FailureClass::Protocol
        | FailureClass::Timeout
        | FailureClass::ReadTimeout
            if unknown =>
        {
            ErrorKind::OutcomeUnknown
        }
        FailureClass::ConnectionLost => ErrorKind::ConnectionLost,
        FailureClass::Protocol => ErrorKind::Protocol,
        FailureClass::Timeout | FailureClass::ReadTimeout => ErrorKind::Timeout,
        FailureClass::BodySource => ErrorKind::InvalidRequest,
        FailureClass::Decode => ErrorKind::Decode,
        FailureClass::HiddenRedirect => ErrorKind::Redirect,
        FailureClass::Hook => ErrorKind::Hook,
        FailureClass::ResponseTooLarge => ErrorKind::ResponseTooLarge,
    }
}
