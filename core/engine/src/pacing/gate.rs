//! One quota of calls: which of two models it follows, and when it lets a call go. Whose it is: `counter.rs`.
//!
//! | Model | Event | Next |
//! |---|---|---|
//! | Window | the time to the reset rose, or calls came back, though no reset was possible | Continuous (`a_rising_reset_shows_a_bucket`) |
//! | Window | the same, where a reset was possible but a new window would have more left | Continuous (`three_answers_of_a_tiny_bucket_are_enough`) |
//! | Window | any reading that no evenly restored quota can give | Window for good (`a_fixed_window_is_never_taken_for_a_bucket`) |
//! | Continuous | a refusal that it did not foresee, before it proved itself | Window, for ten windows at least (`a_wrong_guess_is_taken_back_after_one_refusal`) |
//! | Continuous | the same after it proved itself | Continuous, shared with others (see `continuous.rs`) |
//!
//! Both models see every reading, so that changing between them loses nothing.

use std::time::Duration;

use super::bucket::after;
use super::continuous::{Blame, Continuous};
use super::rate::Rate;
use super::server_clock::Bounds;
use super::state::{GateModel, GateState};
use super::window::{Asked, Heard, Relation, Window};
use crate::limits::Reading;
use crate::time::Instant;

const SECOND: u64 = 1_000_000_000;
/// The longest a header may make a call wait, whatever it says.
pub(super) const LONGEST_WAIT: u64 = 24 * 3600 * SECOND;

/// One quota.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) limit: u64,
    /// The window's length in nanoseconds, where it is told.
    pub(super) span: Option<u64>,
    pub(super) heard_at: Instant,
    pub(super) window: Window,
    continuous: Option<Continuous>,
    model: Model,
    /// Every reading so far fits a quota that is restored evenly.
    fits_a_bucket: bool,
    /// It was seen to come back call by call. Without a rate that is no model yet.
    shown: bool,
    /// How fast it comes back if it is restored evenly, where its window is not told.
    rate: Rate,
    /// It was wrongly taken for one; not again before this.
    window_until: Instant,
}

/// How a quota comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    /// As a whole, at the reset.
    Window,
    /// Call by call.
    Continuous,
}

/// A reading that says enough to hold calls back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usable {
    left: u64,
    resets_in: u64,
    /// The reset is no earlier than this after the call was sent.
    resets_from: u64,
    /// The reset was told in whole seconds from now.
    whole: bool,
    limit: Option<u64>,
    span: Option<u64>,
}

impl Usable {
    /// `None` where it does not say what is left, or for how long. `at`: when the reset comes, where it was said as a time
    /// of the server's clock and that is known. `sent` and `heard`: the call, and its answer.
    pub(super) fn of(
        reading: &Reading,
        at: Option<Bounds>,
        sent: Instant,
        heard: Instant,
    ) -> Option<Self> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let span = reading.window.map(nanos).filter(|&window| window > 0);
        let remaining = reading.remaining?;
        let told = match at {
            Some(at) => Some(nanos(at.latest.since(heard))),
            None => reading.reset_after.map(nanos),
        };
        let earliest = at.map(|at| nanos(at.earliest.since(sent)));
        Some(Self {
            left: reading
                .limit
                .map_or(remaining, |limit| remaining.min(limit)),
            // A window is reset within its own length at the latest.
            resets_in: told.or(span)?.min(LONGEST_WAIT),
            // Rounded up to a second; where it is not told at all, it may be at once.
            resets_from: earliest
                .or(told)
                .unwrap_or(0)
                .min(LONGEST_WAIT)
                .saturating_sub(SECOND),
            whole: reading.reset_at.is_none()
                && reading
                    .reset_after
                    .is_some_and(|told| told.subsec_nanos() == 0),
            limit: reading.limit,
            span,
        })
    }

    /// The reading as heard by `call`.
    pub(super) fn heard(&self, call: &Heard) -> Heard {
        Heard {
            left: self.left,
            resets_in: self.resets_in,
            whole: self.whole,
            resets_from: self.resets_from,
            ..*call
        }
    }
}

impl Gate {
    pub(super) fn new(usable: &Usable, heard: &Heard) -> Self {
        let mut gate = Self {
            limit: usable.limit.unwrap_or(heard.left.saturating_add(1)),
            span: usable.span,
            heard_at: heard.heard_at,
            window: Window::new(heard),
            continuous: None,
            model: Model::Window,
            fits_a_bucket: true,
            shown: false,
            rate: Rate::default(),
            window_until: Instant::ORIGIN,
        };
        gate.restart(heard);
        gate
    }

    fn restart(&mut self, heard: &Heard) {
        self.continuous = self
            .span
            .and_then(|span| Continuous::new(self.limit, span, heard));
        self.model = Model::Window;
        self.fits_a_bucket = true;
        self.shown = false;
        self.check_fit(heard);
    }

    /// Whether the reading is of a quota of the same size.
    pub(super) fn has_limit_of(&self, reading: &Reading) -> bool {
        let same = |told: Option<Duration>| {
            let span = told.map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
            span.is_none() || span == self.span
        };
        reading.limit.is_none_or(|limit| limit == self.limit) && same(reading.window)
    }

    /// Takes in what an answer said. `overruled`: the call went though the window model held that nothing was left.
    /// `by_window`: the window model let it go.
    pub(super) fn on_reading(
        &mut self,
        usable: &Usable,
        heard: &Heard,
        overruled: bool,
        by_window: bool,
    ) {
        self.heard_at = heard.heard_at;
        let limit = usable
            .limit
            .unwrap_or(self.limit.max(heard.left.saturating_add(1)));
        if limit != self.limit || (usable.span.is_some() && usable.span != self.span) {
            self.limit = limit;
            self.span = usable.span.or(self.span);
            // What was left of the one says nothing of the other.
            self.window = Window::new(heard);
            self.rate = Rate::default();
            self.restart(heard);
            return;
        }
        if heard.resets_in == 0 && heard.left < self.limit {
            // Something is still to come back, and yet no time is left for it: a fraction of a second was cut off.
            self.window.rounds_down = true;
        }
        if self.window.rounds_down {
            // What can be read from rises and falls of its times holds for times that are rounded up.
            self.fits_a_bucket = false;
        }
        if heard.refused && self.model == Model::Continuous && !by_window {
            self.on_surprise(heard.heard_at, overruled);
        }
        self.shown |= self.model == Model::Window && self.shows_a_bucket(heard);
        self.check_fit(heard);
        if self.shown && self.fits_a_bucket && self.continuous.is_some() {
            self.model = Model::Continuous;
        }
        self.window.on_reading(heard);
        if let Some(continuous) = &mut self.continuous {
            if overruled && !heard.refused {
                continuous.on_proof();
            }
            continuous.on_reading(heard);
        }
    }

    fn on_surprise(&mut self, now: Instant, overruled: bool) {
        let Some(continuous) = &mut self.continuous else {
            return;
        };
        if continuous.on_surprise(overruled) == Blame::Model {
            self.model = Model::Window;
            self.shown = false;
            self.window_until = after(
                now,
                self.span
                    .unwrap_or(self.window.longest)
                    .saturating_mul(10)
                    .clamp(20 * SECOND, LONGEST_WAIT),
            );
        }
    }

    /// Looks whether a quota that is restored evenly can have given this reading: all is restored in the time that what
    /// is missing takes, in whole seconds. A fixed window's reset is further away, unless it is nearly used up or over.
    fn check_fit(&mut self, heard: &Heard) {
        let missing = self.limit.saturating_sub(heard.left);
        if self.span.is_some()
            && let Some(continuous) = &self.continuous
        {
            // Rounded up to a second, or to a whole second of a clock.
            let restored = continuous.time_for(missing).saturating_add(SECOND);
            self.fits_a_bucket &= heard.resets_in < restored;
            return;
        }
        self.rate.on_reading(heard, self.limit);
        self.fits_a_bucket &= self.rate.is_possible();
        let Some(interval) = self.rate.interval() else {
            return;
        };
        if self.continuous.is_none() {
            let window = interval.saturating_mul(self.limit);
            self.continuous = Continuous::new(self.limit, window, heard);
        }
        if let Some(continuous) = &mut self.continuous {
            continuous.quicken(interval, self.rate.is_exact());
        }
    }

    /// Whether this reading, with those before it, can only come from a quota that is restored evenly.
    fn shows_a_bucket(&self, heard: &Heard) -> bool {
        if heard.heard_at < self.window_until {
            return false;
        }
        match self.window.relation(heard) {
            // More is left, or the reset has moved away, and no reset can have come: no window does that.
            Relation::Refilled
            | Relation::Later {
                reset_possible: false,
            } => true,
            // A reset may have come. Then a new window would have all left but what we took since the least reading,
            // and as we see less, it would have to be others' doing; that this also makes the count go down by
            // exactly our own calls is too much of a coincidence. Where nothing was left and nothing is again, one came
            // back, which we took.
            Relation::Later {
                reset_possible: true,
            } => {
                let ours = heard
                    .admitted
                    .saturating_sub(self.window.least_index.saturating_add(1));
                let taken = self.window.least.checked_sub(heard.left);
                heard.left.saturating_add(ours) < self.limit
                    && taken.is_some_and(|taken| taken <= ours && (taken > 0 || heard.left == 0))
            }
            Relation::Same | Relation::Earlier => false,
        }
    }

    /// A call of ours ended without a word on this quota, but may have been counted.
    pub(super) fn on_lost(&mut self, admitted: u64) {
        self.window.on_lost(admitted);
    }

    /// A call of ours that was not thought to count, sent at `sent_at`, did count.
    pub(super) fn join(&mut self, sent_at: Instant) {
        if let Some(continuous) = &mut self.continuous {
            continuous.join(sent_at);
        }
    }

    /// A call of ours did not count after all.
    pub(super) fn give_back(&mut self) {
        if let Some(continuous) = &mut self.continuous {
            continuous.give_back();
        }
    }

    /// Whether calls are let go as they come back.
    pub(super) fn is_continuous(&self) -> bool {
        self.model == Model::Continuous
    }

    /// A call goes. Answers whether the window model would have held it back.
    pub(super) fn take(&mut self, asked: &Asked) -> bool {
        let used_up = self.window.is_used_up(asked.now, asked.in_flight);
        if let Some(continuous) = &mut self.continuous {
            continuous.take(asked);
        }
        used_up && self.model == Model::Continuous
    }

    /// When the call that asks may go; a time in the past means now.
    pub(super) fn ready_at(&self, asked: &Asked) -> Instant {
        let ready = match (self.model, &self.continuous) {
            (Model::Continuous, Some(continuous)) => continuous.ready_at(asked),
            // Its rate is found out sooner when nothing is held back that is there.
            _ if self.shown && self.fits_a_bucket && asked.now < self.window.resets_by => {
                let asked = Asked {
                    spread: false,
                    ..*asked
                };
                self.window.ready_at(&asked, self.limit, self.span)
            }
            _ => self.window.ready_at(asked, self.limit, self.span),
        };
        if asked.ahead == 0 {
            ready.min(after(self.heard_at, LONGEST_WAIT))
        } else {
            ready
        }
    }

    /// Calls that may go at `now`, as far as is known.
    fn left(&self, now: Instant, in_flight: u64) -> u64 {
        match (self.model, &self.continuous) {
            (Model::Continuous, Some(continuous)) => continuous.left(now),
            _ if now >= self.window.resets_by => self.limit,
            _ => self.window.left(in_flight),
        }
    }

    /// What is known, for people.
    pub(super) fn state(&self, asked: &Asked) -> GateState {
        let is_window = self.model == Model::Window;
        GateState {
            window: self.span.map(Duration::from_nanos),
            remaining: self.left(asked.now, asked.in_flight),
            next_in: self.ready_at(asked).since(asked.now),
            resets_in: is_window.then(|| self.window.resets_by.since(asked.now)),
            shared: !is_window && self.continuous.as_ref().is_some_and(Continuous::is_shared),
            ..GateState::of(
                if is_window {
                    GateModel::Window
                } else {
                    GateModel::Continuous
                },
                self.limit,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::read_limits;
    use crate::time::Now;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    /// A gate, and the answers that it hears.
    struct Server {
        policy: &'static str,
        gate: Option<Gate>,
        index: u64,
    }

    impl Server {
        fn new(policy: &'static str) -> Self {
            Self {
                policy,
                gate: None,
                index: 0,
            }
        }

        /// A call sent at `sent` ms and heard 20 ms later leaves `r` for `t` seconds.
        fn answers(&mut self, sent: u64, r: u64, t: u64) -> &mut Self {
            self.hear(sent, r, t, false)
        }

        fn hear(&mut self, sent: u64, r: u64, t: u64, refused: bool) -> &mut Self {
            let mut headers = http::HeaderMap::new();
            headers.insert(
                "ratelimit-policy",
                format!("\"p\";{}", self.policy).try_into().unwrap(),
            );
            headers.insert(
                "ratelimit",
                format!("\"p\";r={r};t={t}").try_into().unwrap(),
            );
            let readings = read_limits(&headers, Now::default());
            let reading = readings.iter().next().unwrap();
            let usable = Usable::of(reading, None, at(sent), at(sent + 20)).unwrap();
            let heard = usable.heard(&Heard {
                left: 0,
                resets_in: 0,
                whole: true,
                resets_from: 0,
                sent_at: at(sent),
                heard_at: at(sent + 20),
                counted_by: at(sent + 20),
                index: self.index,
                admitted: self.index + 1,
                in_flight: 0,
                alone: true,
                refused,
            });
            self.index += 1;
            match &mut self.gate {
                None => self.gate = Some(Gate::new(&usable, &heard)),
                Some(gate) => {
                    let overruled = gate.take(&Asked {
                        now: at(sent),
                        ahead: 0,
                        admitted: heard.index,
                        in_flight: 0,
                        last_admitted: at(sent),
                        followed: false,
                        spread: true,
                        polite: true,
                        at_best: false,
                    });
                    gate.on_reading(&usable, &heard, overruled, false);
                }
            }
            self
        }

        fn model(&self) -> Model {
            self.gate.as_ref().unwrap().model
        }
    }

    #[test]
    fn three_answers_of_a_tiny_bucket_are_enough() {
        let mut server = Server::new("q=3;w=2");
        server.answers(0, 2, 1);
        assert_eq!(server.model(), Model::Window, "the safe assumption");
        server.answers(20, 1, 2);
        assert_eq!(server.model(), Model::Continuous, "the second is enough");
        server.answers(40, 0, 2);
        assert_eq!(server.model(), Model::Continuous);
    }

    #[test]
    fn a_rising_reset_shows_a_bucket() {
        let mut server = Server::new("q=10;w=10");
        server.answers(0, 5, 5).answers(30, 4, 5);
        assert_eq!(server.model(), Model::Window);
        server.answers(60, 3, 7);
        assert_eq!(server.model(), Model::Continuous);
    }

    #[test]
    fn calls_that_come_back_show_a_bucket() {
        let mut server = Server::new("q=10;w=10");
        server.answers(0, 5, 5).answers(2_000, 6, 4);
        assert_eq!(server.model(), Model::Continuous);
    }

    #[test]
    fn a_fixed_window_is_never_taken_for_a_bucket() {
        // First seen late in its window, where it could pass for a bucket, then reset again and again.
        let mut server = Server::new("q=100;w=60");
        server
            .answers(0, 30, 2)
            .answers(100, 29, 2)
            .answers(1_500, 28, 1);
        for window in 0..3 {
            for call in 0..40 {
                let sent = 2_100 + window * 60_000 + call * 1_400;
                let t = 60 - call * 1_400 / 1_000;
                server.answers(sent, 99 - call, t);
                assert_eq!(
                    server.model(),
                    Model::Window,
                    "window {window}, call {call}"
                );
            }
        }
    }

    #[test]
    fn a_wrong_guess_is_taken_back_after_one_refusal() {
        let mut server = Server::new("q=3;w=2");
        server.answers(0, 2, 1).answers(20, 1, 2).answers(40, 0, 2);
        server.hear(700, 0, 2, true);
        assert_eq!(server.model(), Model::Window);
        server.answers(3_000, 2, 1).answers(3_020, 1, 2);
        assert_eq!(server.model(), Model::Window, "not so soon again");
        server.answers(61_000, 2, 1).answers(61_020, 1, 2);
        assert_eq!(server.model(), Model::Continuous);
    }

    #[test]
    fn a_bucket_that_proved_itself_blames_others_for_a_refusal() {
        let mut server = Server::new("q=3;w=2");
        server.answers(0, 2, 1).answers(20, 1, 2).answers(40, 0, 2);
        server.answers(750, 0, 2).answers(1_500, 0, 2);
        server.hear(2_200, 0, 2, true);
        assert_eq!(server.model(), Model::Continuous);
        assert!(server.gate.unwrap().continuous.unwrap().is_shared());
    }

    #[test]
    fn a_slow_bucket_is_asked_again_after_a_day() {
        let mut server = Server::new("q=2;w=8640000");
        server.answers(0, 0, 4_320_000);
        let gate = server.gate.as_mut().unwrap();
        gate.model = Model::Continuous;
        let asked = Asked {
            now: at(20),
            ahead: 0,
            admitted: 1,
            in_flight: 0,
            last_admitted: at(0),
            followed: false,
            spread: true,
            polite: true,
            at_best: false,
        };
        assert_eq!(gate.ready_at(&asked), after(at(20), LONGEST_WAIT));
    }

    #[test]
    fn what_a_reading_leaves_out_makes_it_unusable() {
        let usable = |limit: &'static str, reset: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("x-ratelimit-remaining", "5".parse().unwrap());
            headers.insert("x-ratelimit-limit", limit.parse().unwrap());
            headers.insert("x-ratelimit-reset", reset.parse().unwrap());
            let readings = read_limits(&headers, Now::default());
            readings
                .iter()
                .next()
                .and_then(|reading| Usable::of(reading, None, at(0), at(0)))
        };
        assert!(usable("10", "").is_none(), "left, but for how long?");
        assert_eq!(
            usable("10;w=60", "").unwrap().resets_in,
            60 * SECOND,
            "a window at most"
        );
        assert_eq!(
            usable("3", "1").unwrap().left,
            3,
            "never more than the limit"
        );
        assert_eq!(usable("3", "99999999999").unwrap().resets_in, LONGEST_WAIT);
    }
}
