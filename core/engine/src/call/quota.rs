//! The step of a call that takes a permit of the shared quota, between pacing and the credential. A call takes it only
//! where its driver has such a quota and said so.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Pacing | place free, a permit is needed | Quota, `TakeQuota` (`a_call_takes_a_permit_after_its_place`) |
//! | Quota | `on_quota`, taken | Credential (`a_call_takes_a_permit_after_its_place`) |
//! | Quota | `on_quota`, refused | Done, rate limited, its place given back (`a_refused_permit_gives_the_place_back`) |
//! | Quota | the deadline passes | Done, rate limited (`a_permit_that_comes_too_late_is_no_use`) |

use std::time::Duration;

use super::{Call, State, Step};
use crate::attempts::Outcome;
use crate::pacing::{GateModel, WaitReason};
use crate::time::Instant;

/// There is no permit before the deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPermit {
    /// When there could be one, from now.
    pub retry_after: Duration,
    /// What it would wait for.
    pub reason: WaitReason,
}

impl Call {
    /// Each attempt needs a permit of a shared quota: [`Step::TakeQuota`] asks for it. Default: none is needed.
    pub fn needs_shared_quota(&mut self) {
        self.shared_quota = true;
    }

    /// The permit is there: send. Or there is none. Whoever waited for it says for what, as does who got it from a quota
    /// that is not at its best.
    pub fn on_quota(&mut self, now: Instant, permit: Result<Option<WaitReason>, NoPermit>) -> Step {
        if self.state != State::Quota {
            return self.next(now, None);
        }
        match permit {
            Ok(waited_for) => {
                if waited_for.is_some() {
                    self.held_for = waited_for;
                }
                if now < self.deadline() {
                    // Others that wait for the first answer wait from here, not through the wait for the permit.
                    let (ticket, partition) = (&mut self.ticket, self.partition);
                    self.host
                        .with(partition, |_, pacer| pacer.on_sent(ticket, now));
                    self.state = State::Credential;
                }
            }
            Err(refused) => {
                self.refuse(now, refused.retry_after, refused.reason);
            }
        }
        self.next(now, None)
    }

    /// How long the last answer asks everybody to keep quiet who shares the server's quotas: after a 429, a `Retry-After`
    /// on a 503, or where a quota that is reset as a whole is used up for a while.
    #[must_use]
    pub fn asked_for_quiet(&self, now: Instant) -> Option<Duration> {
        let last = self.attempts.last()?;
        match last.outcome {
            Outcome::Status(429) => Some(last.retry_after.unwrap_or(self.policy.backoff.base)),
            Outcome::Status(503) => last.retry_after,
            Outcome::Status(_) => self.used_up_for(now),
            _ => None,
        }
        .filter(|pause| !pause.is_zero())
    }

    fn used_up_for(&self, now: Instant) -> Option<Duration> {
        let state = self.host.with(self.partition, |_, pacer| {
            pacer.knows_a_quota().then(|| pacer.state(now))
        })?;
        let used_up = state.gates.iter().filter(|gate| {
            gate.model == GateModel::Window && gate.remaining == 0 && gate.partition_key.is_none()
        });
        used_up
            .filter_map(|gate| gate.resets_in)
            .filter(|wait| *wait > WORTH_SHARING)
            .max()
    }
}

/// A quota that is used up for less than this is left to each process: the first guess of what kind of quota it is may be
/// wrong, and then a pause of all would be.
const WORTH_SHARING: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{CallLimits, Done, RequestFacts};
    use crate::error::ErrorKind;
    use crate::host::Engine;
    use crate::pacing::PacingSettings;
    use crate::retry::RetryPolicy;

    const FACTS: RequestFacts = RequestFacts {
        repeatable: true,
        replayable: true,
        refreshable: false,
    };

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn engine() -> Engine {
        Engine::new(RetryPolicy::default(), PacingSettings::default())
    }

    fn call(engine: &Engine) -> Call {
        let host = engine.host("https://h.example");
        let mut call = engine.call(host, FACTS, CallLimits::default(), 0, at(0));
        call.needs_shared_quota();
        call
    }

    fn in_flight(engine: &Engine) -> u32 {
        let state = engine.host("https://h.example").state(at(0));
        state.pacers.iter().map(|pacer| pacer.in_flight).sum()
    }

    #[test]
    fn a_call_takes_a_permit_after_its_place() {
        let engine = engine();
        let mut call = call(&engine);
        assert_eq!(call.next(at(0), None), Step::TakeQuota);
        assert_eq!(in_flight(&engine), 1);
        let waited_for = WaitReason::SharedQuota { away: false };
        let step = call.on_quota(at(3), Ok(Some(waited_for.clone())));
        assert!(matches!(step, Step::Send { number: 1, .. }), "{step:?}");
        let attempt = &call.attempts()[0];
        assert_eq!(attempt.queued, Duration::from_secs(3));
        assert_eq!(attempt.queued_for, Some(waited_for));
    }

    #[test]
    fn a_refused_permit_gives_the_place_back() {
        let engine = engine();
        let mut call = call(&engine);
        call.next(at(0), None);
        let refused = NoPermit {
            retry_after: Duration::from_secs(90),
            reason: WaitReason::SharedQuota { away: true },
        };
        let Step::Done(Done::Fail(failed)) = call.on_quota(at(0), Err(refused)) else {
            panic!("it goes on")
        };
        assert_eq!(failed.kind, ErrorKind::RateLimited);
        assert_eq!(failed.retry_after, Some(Duration::from_secs(90)));
        assert_eq!(in_flight(&engine), 0);
    }

    #[test]
    fn a_permit_that_comes_too_late_is_no_use() {
        let engine = engine();
        let mut call = call(&engine);
        call.next(at(0), None);
        let waited_for = Some(WaitReason::SharedQuota { away: false });
        let Step::Done(Done::Fail(failed)) = call.on_quota(at(60), Ok(waited_for)) else {
            panic!("it goes on")
        };
        assert_eq!(failed.kind, ErrorKind::RateLimited);
        assert_eq!(in_flight(&engine), 0);
    }
}
