//! One call: the loop of attempts as a state machine. It decides; the driver does.
//!
//! 1. [`Call::next`] says what to do: wait, fetch a token, send, or finish.
//! 2. The driver does it, and tells: [`Call::on_token`], [`Call::on_response`], [`Call::on_error`].
//! 3. Back to 1, until [`Step::Done`]. Whoever goes away earlier calls [`Call::on_cancelled`].
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Pacing | `next`, place free | Credential, or first Quota (see `call/quota.rs`) |
//! | Pacing | `next`, no place yet | Pacing, `Wait` (`a_paused_partition_holds_the_call`) |
//! | Pacing | `next`, deadline cannot be made | Done, rate limited |
//! | Credential | `next`, token needed | `RefreshToken`; then `on_token` -> Sending |
//! | Credential | `next`, otherwise | Sending, `Send` |
//! | Sending | answer, final | Done (`success_goes_to_the_caller`) |
//! | Sending | answer or failure worth a retry | Backoff (`a_503_is_retried_after_its_retry_after`) |
//! | Sending | 401, token refreshable, first time | Credential with a new token (`a_401_is_retried_once_with_a_new_token`) |
//! | Sending | redirect | Pacing, at the new place |
//! | Backoff | `next`, time not come | Backoff, `Wait` |
//! | Backoff | `next`, time come | Pacing |
//! | any but Done | `on_cancelled` | Done, its place given back (`a_cancelled_call_gives_its_place_back`) |
//!
//! The lock of the host's shared state is held inside `next` and `on_*` only.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

mod quota;
pub use quota::NoPermit;
mod step;
pub use step::{Answer, CallLimits, Done, Failed, Failure, RequestFacts, Step};

use crate::attempts::{Attempt, Decision, Outcome};
use crate::backoff::{Jitter, share_of};
use crate::budget::RetryCost;
use crate::defaults;
use crate::error::{ErrorKind, Retryability};
use crate::host::Host;
use crate::limits::read_limits;
use crate::pacing::{Admission, Ticket, WaitReason};
use crate::retry::{
    FailureClass, NoRetry, RetryCause, RetryPolicy, Verdict, judge_failure, judge_status,
};
use crate::retry_after::read_retry_after;
use crate::time::{Instant, Now, Random};

#[derive(Clone, Debug, PartialEq)]
enum State {
    Pacing,
    Quota,
    Credential,
    Sending,
    Backoff { until: Instant },
    Done(Done),
}

/// One call. Dropping it without [`Call::on_cancelled`] would leave its place taken.
#[derive(Debug)]
pub struct Call {
    host: Arc<Host>,
    policy: Arc<RetryPolicy>,
    request: RequestFacts,
    limits: CallLimits,
    partition: u64,
    state: State,
    ticket: Ticket,
    started: Instant,
    /// When this attempt's turn began: queueing counts from here.
    turn: Instant,
    held_for: Option<WaitReason>,
    attempts: Vec<Attempt>,
    retries: u32,
    refreshed: bool,
    paid: Option<u32>,
    shared_quota: bool,
}

impl Call {
    pub(crate) fn new(
        host: Arc<Host>,
        policy: Arc<RetryPolicy>,
        request: RequestFacts,
        limits: CallLimits,
        partition: u64,
        now: Instant,
    ) -> Self {
        Self {
            host,
            policy,
            request,
            limits,
            partition,
            state: State::Pacing,
            ticket: Ticket::default(),
            started: now,
            turn: now,
            held_for: None,
            attempts: Vec::with_capacity(1),
            retries: 0,
            refreshed: false,
            paid: None,
            shared_quota: false,
        }
    }

    /// When the call's time is up; the far future where it has no deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        match self.limits.timeout {
            Some(timeout) => self.started + timeout,
            None => Instant::from_nanos(u64::MAX),
        }
    }

    /// When the call began.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What was done so far.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Takes the record out of a call that is over.
    pub fn take_attempts(&mut self) -> Vec<Attempt> {
        std::mem::take(&mut self.attempts)
    }

    /// What to do now. `waker` is woken when a held call should ask again before its time.
    pub fn next(&mut self, now: Instant, waker: Option<&Waker>) -> Step {
        loop {
            match &self.state {
                State::Done(done) => return Step::Done(done.clone()),
                State::Sending => {
                    // Asked out of turn: the attempt is still under way.
                    return Step::Wait {
                        until: self.deadline(),
                    };
                }
                _ if now >= self.deadline() => self.expire(now),
                State::Backoff { until } if now < *until => {
                    return Step::Wait { until: *until };
                }
                State::Backoff { .. } => {
                    self.turn = now;
                    self.state = State::Pacing;
                }
                State::Pacing => match self.admit(now, waker) {
                    Admission::Go if self.shared_quota => self.state = State::Quota,
                    Admission::Go => self.state = State::Credential,
                    Admission::Wait { until, reason } => {
                        self.held_for = Some(reason);
                        return Step::Wait {
                            until: until.min(self.deadline()),
                        };
                    }
                    Admission::Refuse {
                        retry_after,
                        reason,
                    } => self.refuse(retry_after, reason),
                },
                State::Quota => return Step::TakeQuota,
                State::Credential if self.request.refreshable => return Step::RefreshToken,
                State::Credential => return self.send(now),
            }
        }
    }

    /// A token is there (or the one in use is still good): send. `false`: there is none.
    pub fn on_token(&mut self, now: Instant, usable: bool) -> Step {
        if self.state != State::Credential {
            return self.next(now, None);
        }
        if now >= self.deadline() {
            self.expire(now);
            return self.next(now, None);
        }
        if usable {
            // Others that wait for the first answer wait from here, not through the fetch.
            let (ticket, partition) = (&mut self.ticket, self.partition);
            self.host
                .with(partition, |_, pacer| pacer.on_sent(ticket, now));
            return self.send(now);
        }
        self.give_place_back(now, false);
        self.fail(ErrorKind::Token, Some(NoRetry::NotRetryable), None);
        self.next(now, None)
    }

    /// An answer came. Its body, where it is an error, has been read as far as it is wanted.
    pub fn on_response(&mut self, now: Now, answer: Answer<'_>, random: &mut dyn Random) {
        if self.state != State::Sending {
            return;
        }
        let readings = read_limits(answer.headers, now);
        let throttled = matches!(answer.status.as_u16(), 429 | 503);
        let asked = if throttled || answer.status.as_u16() >= 400 {
            read_retry_after(answer.headers, now)
        } else {
            None
        };
        let verdict = judge_status(
            &self.policy,
            self.request.repeatable,
            answer.status,
            answer.headers,
            answer.problem,
        );
        let success = answer.status.as_u16() < 400;
        let paid = self.paid;
        let (ticket, partition) = (&mut self.ticket, self.partition);
        let first_backoff = self.policy.backoff.base;
        let budget_left = self.host.with(partition, |budget, pacer| {
            pacer.on_response(ticket, now, answer.status, &readings);
            match (answer.status.as_u16(), asked) {
                // A 429 without a Retry-After still pauses: for the first backoff.
                (429, asked) => {
                    pacer.on_throttled(ticket, now.instant, asked.unwrap_or(first_backoff));
                }
                (503, Some(pause)) => pacer.on_throttled(ticket, now.instant, pause),
                _ => {}
            }
            if success {
                budget.refund(paid);
            }
            budget.left()
        });
        let request_id = if success {
            None
        } else {
            request_id(answer.headers).cloned()
        };
        self.record(
            now.instant,
            Outcome::Status(answer.status.as_u16()),
            asked,
            request_id,
            budget_left,
        );
        match verdict {
            Verdict::Return => self.finish(Decision::Return, Done::Return),
            Verdict::Unauthorized
                if self.request.refreshable && !self.refreshed && self.request.replayable =>
            {
                self.refreshed = true;
                self.decide(Decision::RefreshToken);
                self.turn = now.instant;
                // The refused attempt has used its place: the next takes one of its own.
                self.state = State::Pacing;
                self.held_for = None;
            }
            Verdict::Unauthorized => {
                self.give_up(ErrorKind::Authentication, NoRetry::NotRetryable, asked)
            }
            Verdict::GiveUp(why) => {
                let kind = ErrorKind::of_status(answer.status).unwrap_or(ErrorKind::BadRequest);
                self.give_up(kind, why, asked);
            }
            Verdict::Retry {
                cause,
                cost,
                jitter,
            } => {
                let kind = ErrorKind::of_status(answer.status).unwrap_or(ErrorKind::BadRequest);
                self.retry(now.instant, kind, cause, cost, jitter, asked, random);
            }
        }
    }

    /// The attempt brought no complete answer.
    pub fn on_error(&mut self, now: Instant, failure: Failure, random: &mut dyn Random) {
        if self.state != State::Sending {
            return;
        }
        let class = failure.class;
        let (ticket, partition) = (&mut self.ticket, self.partition);
        let budget_left = self.host.with(partition, |budget, pacer| {
            match class {
                // Nothing was sent: the place is as good as new.
                FailureClass::Connect | FailureClass::ConnectTimeout | FailureClass::Tls => {
                    pacer.on_cancelled(ticket, now, false);
                }
                _ => pacer.on_failed(ticket, now),
            }
            budget.left()
        });
        self.record(
            now,
            Outcome::Failed {
                class,
                text: failure.text,
            },
            None,
            None,
            budget_left,
        );
        let kind = self.kind_of(class);
        if now >= self.deadline() {
            let timed_out = matches!(
                class,
                FailureClass::Timeout | FailureClass::ReadTimeout | FailureClass::ConnectTimeout
            );
            let kind = if timed_out && kind != ErrorKind::OutcomeUnknown {
                ErrorKind::Timeout
            } else {
                kind
            };
            self.give_up(kind, NoRetry::Deadline, None);
            return;
        }
        match judge_failure(self.request.repeatable, class) {
            Verdict::Retry {
                cause,
                cost,
                jitter,
            } => self.retry(now, kind, cause, cost, jitter, None, random),
            Verdict::GiveUp(why) => self.give_up(kind, why, None),
            Verdict::Return | Verdict::Unauthorized => {
                self.give_up(kind, NoRetry::NotRetryable, None)
            }
        }
    }

    /// The answer was a redirect that is followed: the call goes on at `host`.
    pub fn on_redirect(
        &mut self,
        now: Now,
        status: StatusCode,
        headers: &HeaderMap,
        host: Arc<Host>,
        partition: u64,
    ) {
        if self.state != State::Sending {
            return;
        }
        let readings = read_limits(headers, now);
        let (ticket, old) = (&mut self.ticket, self.partition);
        let budget_left = self.host.with(old, |budget, pacer| {
            pacer.on_response(ticket, now, status, &readings);
            budget.left()
        });
        self.record(
            now.instant,
            Outcome::Status(status.as_u16()),
            None,
            None,
            budget_left,
        );
        self.decide(Decision::Redirect);
        self.host = host;
        self.partition = partition;
        self.ticket = Ticket::default();
        self.held_for = None;
        self.turn = now.instant;
        self.state = State::Pacing;
    }

    /// The caller went away. The call's place goes to the next in the queue.
    pub fn on_cancelled(&mut self, now: Instant) {
        if matches!(self.state, State::Done(_)) {
            return;
        }
        let sent = self.state == State::Sending;
        self.give_place_back(now, sent);
        if sent {
            let left = self.host.with(self.partition, |budget, _| budget.left());
            self.record(now, Outcome::Cancelled, None, None, left);
        }
        self.state = State::Done(Done::Return);
    }

    /// The driver ends the call for a reason of its own, after the answer came (a refused redirect, a body too large).
    pub fn on_refused(
        &mut self,
        now: Now,
        status: StatusCode,
        headers: &HeaderMap,
        kind: ErrorKind,
    ) {
        if self.state != State::Sending {
            return;
        }
        let readings = read_limits(headers, now);
        let (ticket, partition) = (&mut self.ticket, self.partition);
        let budget_left = self.host.with(partition, |budget, pacer| {
            pacer.on_response(ticket, now, status, &readings);
            budget.left()
        });
        self.record(
            now.instant,
            Outcome::Status(status.as_u16()),
            None,
            request_id(headers).cloned(),
            budget_left,
        );
        self.give_up(kind, NoRetry::NotRetryable, None);
    }

    fn admit(&mut self, now: Instant, waker: Option<&Waker>) -> Admission {
        let (deadline, partition) = (self.deadline(), self.partition);
        let ticket = &mut self.ticket;
        self.host.with(partition, |_, pacer| {
            pacer.poll(ticket, now, deadline, waker)
        })
    }

    fn send(&mut self, now: Instant) -> Step {
        let number = u32::try_from(self.attempts.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let queued = now.since(self.turn);
        self.attempts.push(Attempt {
            number,
            started: now.since(self.started),
            queued,
            queued_for: self.held_for.take(),
            took: Duration::ZERO,
            outcome: Outcome::Pending,
            retry_after: None,
            request_id: None,
            decision: Decision::None,
            budget_left: 0,
        });
        self.state = State::Sending;
        let deadline = self.deadline();
        let timeout_at = self
            .limits
            .attempt_timeout
            .map_or(deadline, |t| (now + t).min(deadline));
        Step::Send { number, timeout_at }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place that weighs everything a retry depends on"
    )]
    fn retry(
        &mut self,
        now: Instant,
        kind: ErrorKind,
        cause: RetryCause,
        cost: RetryCost,
        jitter: Jitter,
        asked: Option<Duration>,
        random: &mut dyn Random,
    ) {
        let max_attempts = self.limits.max_attempts.unwrap_or(self.policy.max_attempts);
        if self.retries.saturating_add(1) >= max_attempts {
            return self.give_up(kind, NoRetry::OutOfAttempts, asked);
        }
        if !self.request.replayable {
            return self.give_up(kind, NoRetry::BodyNotReplayable, asked);
        }
        let wait = match asked {
            Some(asked) if asked > self.policy.max_retry_after => {
                return self.give_up(kind, NoRetry::RetryAfterTooLong, Some(asked));
            }
            // A floor, and never together with everybody else; a date in the past still backs off.
            Some(asked) if !asked.is_zero() => asked.saturating_add(share_of(
                asked,
                random.next_unit() * defaults::RETRY_AFTER_JITTER,
            )),
            _ => self.policy.backoff.wait(self.retries, jitter, random),
        };
        let until = now + wait;
        if until >= self.deadline() {
            return self.give_up(kind, NoRetry::Deadline, asked);
        }
        let paid = self.host.with(self.partition, |budget, _| {
            budget.take(cost).map(|taken| (taken, budget.left()))
        });
        let Some((taken, left)) = paid else {
            return self.give_up(kind, NoRetry::OutOfBudget, asked);
        };
        self.paid = Some(taken);
        self.retries = self.retries.saturating_add(1);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.budget_left = left;
        }
        self.decide(Decision::Retry { cause, wait });
        self.held_for = None;
        self.state = State::Backoff { until };
    }

    fn kind_of(&self, class: FailureClass) -> ErrorKind {
        let unknown = !self.request.repeatable;
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

    fn expire(&mut self, now: Instant) {
        self.give_place_back(now, false);
        let kind = if self.held_for.is_some() && self.attempts.is_empty() {
            ErrorKind::RateLimited
        } else {
            ErrorKind::Timeout
        };
        self.fail(kind, Some(NoRetry::Deadline), None);
    }

    fn refuse(&mut self, retry_after: Duration, reason: WaitReason) {
        self.state = State::Done(Done::Fail(Failed {
            kind: ErrorKind::RateLimited,
            retryability: Retryability::Temporary,
            no_retry: Some(NoRetry::Deadline),
            retry_after: Some(retry_after),
            held_for: Some(reason),
        }));
    }

    fn give_place_back(&mut self, now: Instant, sent: bool) {
        let (ticket, partition) = (&mut self.ticket, self.partition);
        self.host
            .with(partition, |_, pacer| pacer.on_cancelled(ticket, now, sent));
    }

    fn give_up(&mut self, kind: ErrorKind, why: NoRetry, retry_after: Option<Duration>) {
        self.decide(Decision::GiveUp(why));
        self.fail(kind, Some(why), retry_after);
    }

    fn fail(&mut self, kind: ErrorKind, no_retry: Option<NoRetry>, retry_after: Option<Duration>) {
        let retryability = match no_retry {
            _ if self.retries > 0 => Retryability::Exhausted,
            Some(NoRetry::NotRetryable | NoRetry::ServerSaysNo) | None => Retryability::Permanent,
            Some(_) => Retryability::Temporary,
        };
        let held_for = self.held_for.take();
        self.state = State::Done(Done::Fail(Failed {
            kind,
            retryability,
            no_retry,
            retry_after,
            held_for,
        }));
    }

    fn finish(&mut self, decision: Decision, done: Done) {
        self.decide(decision);
        self.state = State::Done(done);
    }

    fn record(
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

    fn decide(&mut self, decision: Decision) {
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

#[cfg(test)]
mod tests;
