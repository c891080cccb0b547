//! Whether the next attempt may go, and where: breaker, slot, quota, in this order.
//!
//! The breaker is asked first, so that nobody waits in line for a host that is down; its permit is taken last, as the attempt is sent, so
//! that a probe never waits in line.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use super::{Call, State, Step};
use crate::attempts::{Attempt, Decision, Outcome};
use crate::breaker::Refused;
use crate::concurrency::Turn;
use crate::pacing::{Admission, WaitReason};
use crate::time::Instant;

/// The answer to an attempt that wants to go.
pub(super) enum Passage {
    Go,
    /// To another region, where it has to ask anew.
    Elsewhere,
    Wait {
        until: Instant,
        reason: WaitReason,
    },
    Refuse {
        retry_after: Duration,
        reason: WaitReason,
    },
    /// The breaker is open, here and everywhere.
    Open(Box<Refused>),
}

impl From<Admission> for Passage {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Go => Self::Go,
            Admission::Wait { until, reason } => Self::Wait { until, reason },
            Admission::Refuse {
                retry_after,
                reason,
            } => Self::Refuse {
                retry_after,
                reason,
            },
        }
    }
}

impl Call {
    pub(super) fn admit(&mut self, now: Instant, waker: Option<&Waker>) -> Passage {
        if self.host.limits_concurrency()
            && let Some(passage) = self.wait_for_slot(now, waker)
        {
            return passage;
        }
        // Without a token to wait for, the attempt goes at once, so the permit is taken under the same lock.
        let at_once = !self.request.refreshable && !self.shared_quota;
        let (deadline, partition) = (self.deadline(), self.partition);
        let (ticket, permit) = (&mut self.ticket, &mut self.permit);
        let passage = self.host.shared(partition, |shared| {
            let servers_now = now + shared.slept;
            if let Some(breaker) = &shared.breaker
                && let Err(refused) = breaker.check(servers_now)
            {
                shared.pacer.on_cancelled(ticket, now, false);
                return Passage::Open(Box::new(refused));
            }
            let admission = shared.pacer.poll(ticket, now, deadline, waker);
            if at_once
                && admission == Admission::Go
                && let Some(breaker) = shared.breaker
            {
                // It was asked just above.
                *permit = breaker.pass(servers_now).ok();
            }
            admission.into()
        });
        match passage {
            Passage::Open(refused) => self.elsewhere(now, refused),
            passage => passage,
        }
    }

    /// What the attempt has to wait for before it stands in the line of the quota; `None`: nothing.
    #[inline(never)]
    fn wait_for_slot(&mut self, now: Instant, waker: Option<&Waker>) -> Option<Passage> {
        if self.slot.is_none() {
            self.slot = self.host.slot();
        }
        let slot = self.slot.as_mut()?;
        if slot.is_taken() {
            return None;
        }
        // Asked before the line, and again whenever it is woken: nobody waits for a host that is down.
        let refused = self.host.shared(self.partition, |shared| {
            let breaker = shared.breaker?;
            breaker.check(now + shared.slept).err()
        });
        if let Some(refused) = refused {
            return Some(self.elsewhere(now, Box::new(refused)));
        }
        match slot.poll(waker) {
            Turn::Taken => None,
            Turn::Wait => Some(Passage::Wait {
                // Without a waker, as simulations are, it has to ask from time to time.
                until: match waker {
                    Some(_) => now + ASK_AGAIN_WOKEN,
                    None => now + ASK_AGAIN,
                },
                reason: WaitReason::Concurrency,
            }),
            Turn::Full => Some(Passage::Refuse {
                retry_after: Duration::ZERO,
                reason: WaitReason::Concurrency,
            }),
        }
    }

    /// Where the breaker refused: another region, if there is a healthy one.
    #[cold]
    fn elsewhere(&mut self, now: Instant, refused: Box<Refused>) -> Passage {
        self.slot = None;
        let Some(route) = &mut self.route else {
            return Passage::Open(refused);
        };
        let before = route.at;
        route.choose(now);
        let elsewhere = route.at != before && route.may_come(now);
        let Some(region) = route.region().filter(|_| elsewhere) else {
            route.at = before;
            return Passage::Open(refused);
        };
        if !region.host.breaker_lets_through(now) {
            route.at = before;
            return Passage::Open(refused);
        }
        self.host = Arc::clone(&region.host);
        self.ticket = self.ticket.anew();
        Passage::Elsewhere
    }

    /// Where an attempt goes whose time has come.
    #[cold]
    pub(super) fn go_to_region(&mut self, now: Instant) {
        let Some(route) = &mut self.route else {
            return;
        };
        let before = route.at;
        match self.next_region.take() {
            Some(at) => route.at = at,
            None => route.choose(now),
        }
        if route.at != before
            && let Some(region) = route.region()
        {
            region.host.on_chosen(now);
            self.host = Arc::clone(&region.host);
            self.ticket = self.ticket.anew();
        }
    }

    /// Sends, unless the breaker has opened meanwhile; `None`: ask for the next step.
    pub(super) fn send(&mut self, now: Instant) -> Option<Step> {
        if self.permit.is_none() {
            let (ticket, partition) = (&mut self.ticket, self.partition);
            let passed = self.host.shared(partition, |shared| {
                let breaker = shared.breaker?;
                let passed = breaker.pass(now + shared.slept);
                if passed.is_err() {
                    shared.pacer.on_cancelled(ticket, now, false);
                }
                Some(passed)
            });
            match passed {
                None => {}
                Some(Ok(permit)) => self.permit = Some(permit),
                Some(Err(refused)) => {
                    match self.elsewhere(now, Box::new(refused)) {
                        Passage::Open(refused) => self.refuse_open(*refused),
                        _ => self.state = State::Pacing,
                    }
                    return None;
                }
            }
        }
        let number = match &self.numbers {
            Some(numbers) => numbers.fetch_add(1, Ordering::Relaxed).saturating_add(1),
            None => u32::try_from(self.attempts.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        };
        let region = match &mut self.route {
            Some(route) => {
                route.on_sent();
                route.region().map(|region| Arc::clone(&region.name))
            }
            None => None,
        };
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
            region,
            hedge: self.hedge,
        });
        self.failing = None;
        self.state = State::Sending;
        let deadline = self.deadline();
        let timeout_at = self
            .limits
            .attempt_timeout
            .map_or(deadline, |t| (now + t).min(deadline));
        Some(Step::Send { number, timeout_at })
    }
}

/// How soon one asks again who waits for a slot, and cannot be woken, or can.
const ASK_AGAIN: Duration = Duration::from_millis(10);
const ASK_AGAIN_WOKEN: Duration = Duration::from_secs(1);
