//! One call: the loop of attempts as a state machine. It decides; the driver does.
//!
//! 1. [`Call::next`] says what to do: wait, fetch a token, send, or finish.
//! 2. The driver does it, and tells: [`Call::on_token`], [`Call::on_response`], [`Call::on_error`].
//! 3. Back to 1, until [`Step::Done`]. Whoever goes away earlier calls [`Call::on_cancelled`].
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Pacing | `next`, place free | Credential, or first Quota (see `call/quota.rs`) |
//! | Pacing | `next`, no slot or no place yet | Pacing, `Wait` (`a_paused_partition_holds_the_call`, `who_has_no_slot_waits_for_one`) |
//! | Pacing | `next`, deadline cannot be made | Done, rate limited |
//! | Pacing | `next`, the breaker is open, another region is healthy | Pacing, there (`an_open_breaker_sends_the_call_to_another_region`) |
//! | Pacing | `next`, the breaker is open | Done (`while_the_breaker_is_open_nothing_is_sent`, `a_retry_that_meets_an_open_breaker_ends_with_its_last_answer`) |
//! | Credential | `next`, token needed | `RefreshToken`; then `on_token` -> Sending |
//! | Credential | `next`, otherwise | Sending, `Send` |
//! | Sending | answer, final | Done (`success_goes_to_the_caller`) |
//! | Sending | answer or failure worth a retry | Backoff (`a_503_is_retried_after_its_retry_after`) |
//! | Sending | 401, token refreshable, first time | Credential with a new token (`a_401_is_retried_once_with_a_new_token`) |
//! | Sending | redirect | Pacing, at the new place |
//! | Backoff | `next`, time not come | Backoff, `Wait` |
//! | Backoff | `next`, time come | Pacing, in the region that is healthy then |
//! | any but Done | `on_cancelled` | Done, its place given back (`a_cancelled_call_gives_its_place_back`) |
//!
//! The lock of the host's shared state is held inside `next` and `on_*` only. Who may go is decided in `call/admit.rs`, whether there is
//! another attempt in `call/again.rs`, what is kept of each in `call/record.rs`.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::Waker;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

mod admit;
mod again;
mod quota;
mod record;
mod step;
use admit::Passage;
use again::Cause;
pub(crate) use again::{Room, Wait, kind_of, weigh};
pub use quota::NoPermit;
pub use record::request_id;
pub use step::{Answer, CallLimits, Done, Failed, Failure, RequestFacts, Step};

use crate::attempts::{Attempt, Decision, Outcome};
use crate::breaker::{Permit, Trouble, is_trouble};
use crate::budget::RetryCost;
use crate::concurrency::Slot;
use crate::error::ErrorKind;
use crate::host::Host;
use crate::limits::read_limits;
use crate::pacing::{Ticket, WaitReason};
use crate::regions::{Regions, Route};
use crate::retry::{FailureClass, NoRetry, RetryPolicy, Verdict, judge_failure, judge_status};
use crate::retry_after::read_retry_after;
use crate::time::{Instant, Now, Random};

/// Small and plain, because every step compares and sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pacing,
    Quota,
    Credential,
    Sending,
    Backoff {
        until: Instant,
    },
    /// As `Call::failed` says; without it, the last answer goes to the caller.
    Done,
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
    failed: Option<Box<Failed>>,
    ticket: Ticket,
    started: Instant,
    /// When its time is up.
    deadline: Instant,
    /// When this attempt's turn began: queueing counts from here.
    turn: Instant,
    held_for: Option<WaitReason>,
    attempts: Vec<Attempt>,
    retries: u32,
    refreshed: bool,
    paid: Option<u32>,
    shared_quota: bool,
    /// The breaker's, of the attempt under way.
    permit: Option<Permit>,
    /// That of the attempt under way, where attempts at once are limited.
    slot: Option<Slot>,
    /// The slot stays with the answer's body, which is read after the call.
    streamed: bool,
    /// What the attempt failed with that is being retried: how the call ends where there is none after all.
    failing: Option<ErrorKind>,
    route: Option<Box<Route>>,
    /// Where an attempt goes after the backoff, if that is decided already.
    next_region: Option<usize>,
    measured: bool,
    /// This is the second copy of a request.
    hedge: bool,
    /// What both copies of a request number their attempts with.
    numbers: Option<Arc<AtomicU32>>,
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
        let deadline = deadline_of(&limits, now);
        Self {
            host,
            policy,
            request,
            limits,
            partition,
            state: State::Pacing,
            failed: None,
            ticket: Ticket::default(),
            started: now,
            deadline,
            turn: now,
            held_for: None,
            attempts: Vec::with_capacity(1),
            retries: 0,
            refreshed: false,
            paid: None,
            shared_quota: false,
            permit: None,
            slot: None,
            streamed: false,
            failing: None,
            route: None,
            next_region: None,
            measured: false,
            hedge: false,
            numbers: None,
        }
    }

    /// The call goes to one of these regions, if they are healthy to the one `preferred`.
    pub(crate) fn route_through(&mut self, regions: Regions, preferred: usize) {
        let mut route = Route::new(regions, preferred);
        route.choose(self.started);
        if let Some(region) = route.region() {
            self.host = Arc::clone(&region.host);
        }
        self.route = Some(Box::new(route));
    }

    /// The region to which this attempt goes, by its place in the list; `None` where there are no regions.
    #[must_use]
    pub fn region(&self) -> Option<usize> {
        self.route.as_ref().map(|route| route.at)
    }

    /// A redirect led to the URL of this region, or away from all of them.
    pub fn on_region(&mut self, region: Option<usize>) {
        match (region, &mut self.route) {
            (Some(at), Some(route)) => route.prefer(at),
            (None, _) => self.route = None,
            (Some(_), None) => {}
        }
    }

    /// The answer's body will be read after the call is over: its slot is kept until it is taken.
    pub fn on_streamed(&mut self) {
        self.streamed = true;
    }

    /// Whether the request is safe to repeat, where a redirect changed that: by its new method, or because it left its key behind.
    pub fn set_repeatable(&mut self, repeatable: bool) {
        self.request.repeatable = repeatable;
    }

    /// The credential is what it was: should the answer be a 401, another attempt would be refused just the same.
    pub fn has_nothing_new(&mut self) {
        self.request.refreshable = false;
    }

    /// The slot of an answer whose body is still to be read. Dropping it gives it back.
    pub fn take_slot(&mut self) -> Option<Slot> {
        self.slot.take()
    }

    /// How long this answer takes is remembered, for [`Call::usual_latency`].
    pub fn measure(&mut self) {
        self.measured = true;
    }

    /// What 95 of 100 answers of the call's host took at most; `None` while fewer than 20 were measured.
    #[must_use]
    pub fn usual_latency(&self) -> Option<Duration> {
        self.host.usual_latency()
    }

    /// This call and a second copy of it number their attempts together. `numbers` starts at zero.
    pub fn number_with(&mut self, numbers: Arc<AtomicU32>) {
        self.numbers = Some(numbers);
    }

    /// Whether this is the second copy of a request.
    #[must_use]
    pub fn is_hedge(&self) -> bool {
        self.hedge
    }

    /// Makes this the second copy of the request of a call that began at `started`: one attempt, paid from the retry budget. `false`:
    /// the budget is used up, so there is no second copy.
    pub fn hedge(&mut self, started: Instant) -> bool {
        let Some(paid) = self.host.pay(RetryCost::Plain) else {
            return false;
        };
        self.paid = Some(paid);
        self.started = started;
        self.deadline = deadline_of(&self.limits, started);
        self.hedge = true;
        self.limits.max_attempts = Some(1);
        true
    }

    /// When the call's time is up; the far future where it has no deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Where the call goes: what its pacing goes by. Without it, all calls to a host are taken to go to the same place.
    pub fn set_route(&mut self, route: crate::pacing::Route) {
        self.ticket.set_route(route);
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
            match self.state {
                State::Done => {
                    return Step::Done(match &self.failed {
                        None => Done::Return,
                        Some(failed) => Done::Fail((**failed).clone()),
                    });
                }
                State::Sending => {
                    // Asked out of turn: the attempt is still under way.
                    return Step::Wait {
                        until: self.deadline(),
                    };
                }
                _ if now >= self.deadline() => self.expire(now),
                State::Backoff { until } if now < until => {
                    return Step::Wait { until };
                }
                State::Backoff { .. } => {
                    self.turn = now;
                    self.go_to_region(now);
                    self.state = State::Pacing;
                }
                State::Pacing => match self.admit(now, waker) {
                    Passage::Go if self.shared_quota => self.state = State::Quota,
                    Passage::Go => self.state = State::Credential,
                    Passage::Elsewhere => {}
                    Passage::Wait { until, reason } => {
                        self.held_for = Some(reason);
                        return Step::Wait {
                            until: until.min(self.deadline()),
                        };
                    }
                    Passage::Refuse {
                        retry_after,
                        reason,
                    } => self.refuse(now, retry_after, reason),
                    Passage::Open(refused) => self.refuse_open(*refused),
                },
                State::Quota => return Step::TakeQuota,
                State::Credential if self.request.refreshable => return Step::RefreshToken,
                State::Credential => {
                    if let Some(step) = self.send(now) {
                        return step;
                    }
                }
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
            return match self.send(now) {
                Some(step) => step,
                None => self.next(now, None),
            };
        }
        self.give_place_back(now, false);
        self.fail(ErrorKind::Token, Some(NoRetry::NotRetryable), None, None);
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
        let (ticket, partition, permit) = (&mut self.ticket, self.partition, self.permit.take());
        let first_backoff = self.policy.backoff.base;
        let status = answer.status.as_u16();
        let took = self.measured.then(|| {
            let sent = self.attempts.last().map(|attempt| attempt.started);
            let since_start = now.instant.since(self.started);
            since_start.saturating_sub(sent.unwrap_or_default())
        });
        let budget_left = self.host.shared(partition, |shared| {
            let pacer = shared.pacer;
            pacer.on_response(ticket, now, answer.status, &readings);
            match (status, asked) {
                // A 429 without a Retry-After still pauses: for the first backoff.
                (429, asked) => {
                    pacer.on_throttled(ticket, now.instant, asked.unwrap_or(first_backoff));
                }
                (503, Some(pause)) => pacer.on_throttled(ticket, now.instant, pause),
                _ => {}
            }
            shared.reach.on_answer();
            if let (Some(breaker), Some(permit)) = (shared.breaker, permit) {
                let servers_now = now.instant + shared.slept;
                if status >= 500 {
                    let trouble = Trouble::Status(status);
                    breaker.on_failure(permit, servers_now, trouble, random.next_unit());
                } else {
                    breaker.on_success(permit, servers_now);
                }
            }
            if success {
                if let Some(took) = took {
                    shared.latencies.on_answer(took);
                }
                shared.budget.refund(paid);
            }
            shared.budget.left()
        });
        if !(success && self.streamed) {
            self.slot = None;
        }
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
            Verdict::Return => self.finish(Decision::Return),
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
                let again = Cause {
                    kind,
                    cause,
                    cost,
                    jitter,
                    asked,
                    elsewhere: status >= 500,
                };
                self.retry(now.instant, &again, random);
            }
        }
    }

    /// The attempt brought no complete answer.
    pub fn on_error(&mut self, now: Instant, failure: Failure, random: &mut dyn Random) {
        if self.state != State::Sending {
            return;
        }
        let class = failure.class;
        let (ticket, partition, permit) = (&mut self.ticket, self.partition, self.permit.take());
        let budget_left = self.host.shared(partition, |shared| {
            let servers_now = now + shared.slept;
            match class {
                // Nothing was sent: the place is as good as new.
                FailureClass::Connect | FailureClass::ConnectTimeout | FailureClass::Tls => {
                    shared.pacer.on_cancelled(ticket, now, false);
                    shared.reach.on_no_connection(servers_now + shared.open);
                }
                _ => shared.pacer.on_failed(ticket, now),
            }
            match (shared.breaker, permit) {
                (Some(breaker), Some(permit)) if is_trouble(class) => {
                    let trouble = Trouble::Failed(class);
                    breaker.on_failure(permit, servers_now, trouble, random.next_unit());
                }
                (Some(breaker), Some(permit)) => breaker.on_given_back(permit),
                _ => {}
            }
            shared.budget.left()
        });
        self.slot = None;
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
        let kind = kind_of(class, self.request.repeatable);
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
            } => {
                let again = Cause {
                    kind,
                    cause,
                    cost,
                    jitter,
                    asked: None,
                    elsewhere: true,
                };
                self.retry(now, &again, random);
            }
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
        let budget_left = self.count_answer(now, status, headers);
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
        self.ticket = self.ticket.anew();
        self.slot = None;
        self.held_for = None;
        self.turn = now.instant;
        self.state = State::Pacing;
    }

    /// The caller went away. The call's place goes to the next in the queue.
    pub fn on_cancelled(&mut self, now: Instant) {
        if self.state == State::Done {
            return;
        }
        let sent = self.state == State::Sending;
        self.give_place_back(now, sent);
        self.slot = None;
        if sent {
            let left = self.host.with(self.partition, |budget, _| budget.left());
            self.record(now, Outcome::Cancelled, None, None, left);
        }
        self.state = State::Done;
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
        let budget_left = self.count_answer(now, status, headers);
        self.slot = None;
        self.record(
            now.instant,
            Outcome::Status(status.as_u16()),
            None,
            request_id(headers).cloned(),
            budget_left,
        );
        self.give_up(kind, NoRetry::NotRetryable, None);
    }

    /// An answer that is taken for its own sake: it is counted, and its place is over.
    fn count_answer(&mut self, now: Now, status: StatusCode, headers: &HeaderMap) -> u32 {
        let readings = read_limits(headers, now);
        let (ticket, partition, permit) = (&mut self.ticket, self.partition, self.permit.take());
        self.host.shared(partition, |shared| {
            shared.pacer.on_response(ticket, now, status, &readings);
            shared.reach.on_answer();
            if let (Some(breaker), Some(permit)) = (shared.breaker, permit) {
                breaker.on_success(permit, now.instant + shared.slept);
            }
            shared.budget.left()
        })
    }
}

fn deadline_of(limits: &CallLimits, started: Instant) -> Instant {
    match limits.timeout {
        Some(timeout) => started + timeout,
        None => Instant::from_nanos(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
