//! Keeps calls from a host that fails: after enough failures nothing is sent for a time, then one attempt tries.
//!
//! It counts attempts. Failures are those without an answer and 5xx; every other answer is a success, 4xx and 429 too: the
//! host is there. What was cancelled, or failed by our own doing, is neither.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Closed | a failure, and with it enough of enough | Open (`it_opens_at_half_of_twenty`) |
//! | Closed | fewer, or long ago | Closed (`a_few_failures_do_not_open_it`, `old_failures_are_forgotten`) |
//! | Open | an attempt | Open: refused, with the time left (`while_open_everybody_is_refused`) |
//! | Open | its time is over, an attempt | Half-open: it is the probe (`one_probe_goes_when_the_time_is_over`) |
//! | Half-open | another attempt | Half-open: refused (`one_probe_goes_when_the_time_is_over`) |
//! | Half-open | the probe is given back | Half-open: the next is the probe (`a_probe_that_is_cancelled_gives_its_permit_back`) |
//! | Half-open | the probe is silent for as long as it was open | Half-open: the next is the probe (`a_lost_probe_does_not_hold_it_for_ever`) |
//! | Half-open | a probe succeeds, be it one that was silent for long | Closed, no attempt remembered (`a_probe_that_succeeds_closes_it`, `a_slow_probe_closes_it_too`) |
//! | Half-open | the probe fails | Open, for longer (`a_probe_that_fails_opens_it_again`, `it_stays_open_twice_as_long_after_each_probe_that_fails`) |
//!
//! Each of these changes begins a new generation. A result of an older one changes nothing
//! (`results_of_older_generations_count_for_nothing`).
//!
//! How long it stays open, where the user did not say: [`BreakerSettings::open`]. What was learned of that outlasts a short time of
//! being closed (`who_fails_again_soon_is_left_alone_for_longer`). Why it is so: `docs/decisions/0015-breaker.md` and
//! `0026-open-time.md`.

use std::fmt;
use std::time::Duration;

use crate::attempts::Readable;
use crate::defaults;
use crate::retry::FailureClass;
use crate::time::Instant;

mod window;
use window::Window;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerSettings {
    /// The share of failures at which it opens, above 0 and at most 1. Default 0.5.
    pub failure_rate: f64,
    /// Attempts within the window before their share counts, at least 1. Default 20.
    pub minimum_calls: u32,
    /// How long an attempt is remembered. Default 30 s.
    pub window: Duration,
    /// How long it stays open before each probe, within 10 %. `None`: 1 s at first, twice as long after each probe that fails or is
    /// not answered, at most 10 s. Default `None`.
    pub open: Option<Duration>,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failure_rate: defaults::BREAKER_FAILURE_RATE,
            minimum_calls: defaults::BREAKER_MINIMUM_CALLS,
            window: defaults::BREAKER_WINDOW,
            open: None,
        }
    }
}

impl BreakerSettings {
    /// What is wrong with these settings, in words that begin with the setting's name.
    ///
    /// # Errors
    /// A rate that is none, a count or a time of zero.
    pub fn check(&self) -> Result<(), String> {
        let rate = self.failure_rate;
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(format!(
                "`failure_rate` is {rate}; it must be above 0 and at most 1"
            ));
        }
        if self.minimum_calls == 0 {
            return Err("`minimum_calls` is 0; it must be at least 1".to_owned());
        }
        for (name, time) in [("window", Some(self.window)), ("open", self.open)] {
            if time.is_some_and(|time| time.is_zero()) {
                return Err(format!("`{name}` is zero; it must be a time above zero"));
            }
        }
        Ok(())
    }

    /// How long it stays open after so many probes that failed one after another.
    fn open_after(&self, failed_probes: u32) -> Duration {
        self.open.unwrap_or_else(|| {
            let doubled = 1_u32.checked_shl(failed_probes).unwrap_or(u32::MAX);
            defaults::BREAKER_FIRST_OPEN
                .saturating_mul(doubled)
                .min(defaults::BREAKER_OPEN)
        })
    }
}

/// What came of an attempt, as the breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The host answered with this 5xx.
    Status(u16),
    /// There was no complete answer.
    Failed(FailureClass),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Failed(class) => write!(f, "{class}"),
        }
    }
}

/// Whether a failed attempt speaks against its host; what failed by our own doing does not.
#[must_use]
pub const fn is_trouble(class: FailureClass) -> bool {
    match class {
        FailureClass::Connect
        | FailureClass::ConnectTimeout
        | FailureClass::ConnectionLost
        | FailureClass::NotProcessed
        | FailureClass::Protocol
        | FailureClass::ReadTimeout
        | FailureClass::Timeout
        | FailureClass::Tls => true,
        FailureClass::BodySource
        | FailureClass::Decode
        | FailureClass::HiddenRedirect
        | FailureClass::Hook
        | FailureClass::ResponseTooLarge => false,
    }
}

/// What a breaker saw when it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Attempts that failed.
    pub failures: u32,
    /// Attempts in all.
    pub calls: u32,
    /// Within this time.
    pub within: Duration,
    /// The last of the failures.
    pub last: Trouble,
    /// A probe failed, or is under way.
    pub probed: bool,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} attempts failed within {}, the last with: {}",
            self.failures,
            self.calls,
            Readable(self.within),
            self.last
        )
    }
}

/// An attempt may not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When asking again is worth while.
    pub retry_after: Duration,
    /// Why.
    pub seen: Seen,
}

/// What an attempt that goes takes along. It is handed back with what came of it, or by [`Breaker::on_given_back`].
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    generation: u64,
}

#[derive(Clone, Debug)]
enum State {
    Closed(Window),
    Open {
        until: Instant,
        seen: Seen,
    },
    HalfOpen {
        /// The probe is waited for until then; `None`: there is none.
        probe_until: Option<Instant>,
        /// The first probe since it was open: its success counts, and that of all after it.
        first: u64,
        seen: Seen,
    },
}

/// The breaker of one host.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    generation: u64,
    /// Probes that failed one after another. Kept while it is closed, for `window`.
    failed_probes: u32,
    closed_at: Option<Instant>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            state: State::Closed(Window::new(settings.window)),
            generation: 0,
            failed_probes: 0,
            closed_at: None,
        }
    }

    /// Whether an attempt at `now` would go. Changes nothing.
    ///
    /// # Errors
    /// Not now.
    pub fn check(&self, now: Instant) -> Result<(), Refused> {
        match &self.state {
            State::Closed(_) => Ok(()),
            State::Open { until, seen }
            | State::HalfOpen {
                probe_until: Some(until),
                seen,
                ..
            } if now < *until => Err(Refused {
                retry_after: until.since(now),
                seen: *seen,
            }),
            State::Open { .. } | State::HalfOpen { .. } => Ok(()),
        }
    }

    /// An attempt wants to go now.
    ///
    /// # Errors
    /// It may not.
    pub fn pass(&mut self, now: Instant) -> Result<Permit, Refused> {
        self.check(now)?;
        let (first, seen) = match &self.state {
            State::Closed(_) => (None, None),
            State::Open { seen, .. } => (None, Some(*seen)),
            State::HalfOpen {
                probe_until,
                first,
                seen,
            } => {
                // It was asked above: the probe before has been silent for too long, or there is none.
                let silent = u32::from(probe_until.is_some());
                self.failed_probes = self.failed_probes.saturating_add(silent);
                (Some(*first), Some(*seen))
            }
        };
        if let Some(seen) = seen {
            self.generation += 1;
            self.state = State::HalfOpen {
                probe_until: Some(now + self.settings.open_after(self.failed_probes)),
                first: first.unwrap_or(self.generation),
                seen: Seen {
                    probed: true,
                    ..seen
                },
            };
        }
        Ok(Permit {
            generation: self.generation,
        })
    }

    /// The host answered, and not with 5xx.
    pub fn on_success(&mut self, permit: Permit, now: Instant) {
        match &mut self.state {
            State::Closed(window) if permit.generation == self.generation => {
                window.count(now, false);
            }
            State::HalfOpen { first, .. } if permit.generation >= *first => {
                self.generation += 1;
                self.state = State::Closed(Window::new(self.settings.window));
                self.closed_at = Some(now);
            }
            State::Closed(_) | State::HalfOpen { .. } | State::Open { .. } => {}
        }
    }

    /// The host failed. `unit`, from 0 to 1, spreads how long it stays open, should it open now.
    pub fn on_failure(&mut self, permit: Permit, now: Instant, trouble: Trouble, unit: f64) {
        if permit.generation != self.generation {
            return;
        }
        let seen = match &mut self.state {
            State::Open { .. } => return,
            State::HalfOpen { seen, .. } => {
                self.failed_probes = self.failed_probes.saturating_add(1);
                Seen {
                    last: trouble,
                    ..*seen
                }
            }
            State::Closed(window) => {
                window.count(now, true);
                let (failures, calls) = window.sums(now);
                let enough = calls >= self.settings.minimum_calls
                    && f64::from(failures) >= self.settings.failure_rate * f64::from(calls);
                if !enough {
                    return;
                }
                // It let a probe through and failed with the load: that probe has shown little.
                let window = self.settings.window;
                self.failed_probes = match self.closed_at {
                    Some(closed_at) if now.since(closed_at) < window => {
                        self.failed_probes.saturating_add(1)
                    }
                    _ => 0,
                };
                Seen {
                    failures,
                    calls,
                    within: self.settings.window,
                    last: trouble,
                    probed: false,
                }
            }
        };
        self.generation += 1;
        let until = now + spread(self.settings.open_after(self.failed_probes), unit);
        self.state = State::Open { until, seen };
    }

    /// Nothing is known of the host by this attempt: it was cancelled, or failed by our own doing.
    pub fn on_given_back(&mut self, permit: Permit) {
        if permit.generation == self.generation
            && let State::HalfOpen { probe_until, .. } = &mut self.state
        {
            *probe_until = None;
        }
    }

    /// As values, for `client.state()`.
    #[must_use]
    pub fn state(&self, now: Instant) -> BreakerState {
        let (phase, until, seen) = match &self.state {
            State::Closed(window) => {
                let (failures, calls) = window.sums(now);
                return BreakerState {
                    phase: BreakerPhase::Closed,
                    failures,
                    calls,
                    retry_after: None,
                    last_failure: None,
                };
            }
            State::Open { until, seen } if now < *until => (BreakerPhase::Open, Some(*until), seen),
            State::Open { seen, .. } => (BreakerPhase::HalfOpen, None, seen),
            State::HalfOpen {
                probe_until, seen, ..
            } => (BreakerPhase::HalfOpen, *probe_until, seen),
        };
        BreakerState {
            phase,
            failures: seen.failures,
            calls: seen.calls,
            retry_after: until.map(|until| until.since(now)),
            last_failure: Some(seen.last),
        }
    }
}

/// Within 10 % of `open`, so that clients which saw the same failure do not probe together.
fn spread(open: Duration, unit: f64) -> Duration {
    let share = defaults::BREAKER_OPEN_JITTER;
    let least = open.saturating_sub(crate::backoff::share_of(open, share));
    least.saturating_add(crate::backoff::share_of(open, 2.0 * share * unit))
}

/// What a breaker does at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerPhase {
    /// Everything goes.
    Closed,
    /// The next attempt is the probe, or it is under way.
    HalfOpen,
    /// Nothing goes.
    Open,
}

impl BreakerPhase {
    /// `closed`, `half_open` or `open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// A breaker, as values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerState {
    /// What it does.
    pub phase: BreakerPhase,
    /// Attempts that failed within the window, or had when it opened.
    pub failures: u32,
    /// Attempts in all.
    pub calls: u32,
    /// While nothing goes: when asking again is worth while.
    pub retry_after: Option<Duration>,
    /// What failed last, where it is not closed.
    pub last_failure: Option<Trouble>,
}

#[cfg(test)]
mod tests;
