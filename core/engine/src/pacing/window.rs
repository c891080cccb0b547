//! What is known of a quota that is reset as a whole: how much is left of it, and when the reset comes.
//!
//! The safe assumption about any server. A response that arrived at `a`, to a call sent at `x`, and says `r` left for
//! `t` seconds, was made in between. So the reset comes after `x + t - 1 s` (`t` was rounded up) and by `a + t`, and of
//! `r` is left what is not taken by calls that may have been counted since. Readings of one window therefore intersect:
//! the least `r` and the narrowest reset hold, in whatever order they arrive.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Known | reading that can be of this window | Known, less left or the same (`late_answers_never_raise_what_remains`) |
//! | Known | reading of a reset that lies beyond | Known: the next window (`a_new_window_replaces_the_old`) |
//! | Known | reading of a reset that lies before | Known, unchanged (`answers_of_the_window_before_are_ignored`) |
//! | Known | the reset comes | Past: one call goes ahead, the others evenly spread (`after_a_reset_one_goes_ahead`) |
//! | Past | callers in a hurry | Past: as many as the limit go at once (`after_a_reset_the_limit_holds_for_those_in_a_hurry_too`) |
//! | Past | reading | Known (`a_new_window_replaces_the_old`) |

use super::bucket::after;
use crate::time::Instant;

const SECOND: u64 = 1_000_000_000;
/// What is left is spread only over a reset that comes within this time. A reset further away (hours, a day) makes a
/// quota a budget, which is the caller's to spend: spread evenly, 499 calls for 12 hours would be one in 86 s.
const SPREAD_WITHIN: u64 = 60 * SECOND;

/// One quota, as far as the server has told.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// The least that any answer of this window left.
    pub(super) least: u64,
    /// How many calls had been admitted before the one with that answer.
    pub(super) least_index: u64,
    /// When that answer arrived, and how many calls had been admitted by then.
    pub(super) least_heard_at: Instant,
    admitted_then: u64,
    /// The reset is not before this.
    pub(super) not_before: Instant,
    /// The reset has come by this.
    pub(super) resets_by: Instant,
    /// Calls that ended without a word on this quota, so that no answer is known to include them.
    lost: u64,
    lost_before: u64,
    /// The longest time to a reset that was heard of: stands in for the window's length where that is not told.
    pub(super) longest: u64,
    /// The server cuts off fractions of a second instead of rounding up, so its resets come up to a second later.
    pub(super) rounds_down: bool,
}

/// A reading, with all that is known about when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// Calls left.
    pub(super) left: u64,
    /// Nanoseconds until the reset.
    pub(super) resets_in: u64,
    /// It was told as whole seconds from then on.
    pub(super) whole: bool,
    /// Nanoseconds from when the call was sent before which no reset comes.
    pub(super) resets_from: u64,
    /// When the call was sent.
    pub(super) sent_at: Instant,
    /// When the answer arrived.
    pub(super) heard_at: Instant,
    /// The latest that the server can be taken to have counted the call.
    pub(super) counted_by: Instant,
    /// How many calls had been admitted before this one.
    pub(super) index: u64,
    /// How many calls have been admitted by now.
    pub(super) admitted: u64,
    /// How many others are in flight.
    pub(super) in_flight: u64,
    /// No other call was under way at the same time.
    pub(super) alone: bool,
    /// The server refused the call (429).
    pub(super) refused: bool,
}

/// What the pacer knows when it asks whether a call may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) now: Instant,
    /// Waiters before the one that asks.
    pub(super) ahead: u64,
    pub(super) admitted: u64,
    pub(super) in_flight: u64,
    pub(super) last_admitted: Instant,
    /// Whether others wait behind it.
    pub(super) followed: bool,
    /// Whether what is left is spread over the time to the reset.
    pub(super) spread: bool,
    /// Whether to keep to all good manners, or only to what is known to be forbidden.
    pub(super) polite: bool,
    /// Whether calls under way are taken to have been counted already, as far as that is possible: what is held back then
    /// cannot go, however things are.
    pub(super) at_best: bool,
}

/// How a reading relates to what was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It can be of the same window.
    Same,
    /// It is of a window that came after. `reset_possible`: there was time for a reset in between.
    Later { reset_possible: bool },
    /// It is of a window that is over.
    Earlier,
    /// More is left than before, though no reset can have come.
    Refilled,
}

impl Heard {
    /// Before this the quota that was reported is not reset.
    fn not_before(&self) -> Instant {
        after(self.sent_at, self.resets_from)
    }
}

impl Window {
    pub(super) fn new(heard: &Heard) -> Self {
        let mut window = Self {
            least: 0,
            least_index: 0,
            least_heard_at: Instant::ORIGIN,
            admitted_then: 0,
            not_before: Instant::ORIGIN,
            resets_by: Instant::ORIGIN,
            lost: 0,
            lost_before: 0,
            longest: 0,
            rounds_down: false,
        };
        window.start(heard);
        window
    }

    fn start(&mut self, heard: &Heard) {
        self.longest = self.longest.max(heard.resets_in);
        self.not_before = heard.not_before();
        self.resets_by = self.resets_by(heard);
        self.set_least(heard);
    }

    fn lower(&mut self, heard: &Heard) {
        if heard.left <= self.least {
            self.set_least(heard);
        }
    }

    fn set_least(&mut self, heard: &Heard) {
        self.least = heard.left;
        self.least_index = heard.index;
        self.least_heard_at = heard.heard_at;
        self.admitted_then = heard.admitted;
    }

    fn resets_by(&self, heard: &Heard) -> Instant {
        // Nothing left and no time to wait contradict each other, unless a fraction was cut off.
        let cut_off = self.rounds_down || (heard.left == 0 && heard.resets_in == 0);
        let slack = if cut_off { SECOND } else { 0 };
        after(heard.heard_at, heard.resets_in.saturating_add(slack))
    }

    /// How `heard` relates to what is known.
    pub(super) fn relation(&self, heard: &Heard) -> Relation {
        if heard.not_before() >= self.resets_by {
            return Relation::Later {
                reset_possible: heard.heard_at >= self.not_before,
            };
        }
        if self.resets_by(heard) < self.not_before {
            return Relation::Earlier;
        }
        // A call that was sent after the least was heard, and counted, leaves less still: unless there was a reset.
        let in_order = heard.sent_at >= self.least_heard_at && !heard.refused;
        if !in_order || heard.left < self.least {
            return Relation::Same;
        }
        match heard.heard_at >= self.not_before {
            true => Relation::Later {
                reset_possible: true,
            },
            false if heard.left > self.least => Relation::Refilled,
            false => Relation::Same,
        }
    }

    /// Takes in what an answer said.
    pub(super) fn on_reading(&mut self, heard: &Heard) {
        if heard.refused && heard.sent_at >= self.resets_by && heard.resets_in <= SECOND {
            self.rounds_down = true;
        }
        match self.relation(heard) {
            Relation::Earlier => return,
            Relation::Later {
                reset_possible: true,
            } => self.start(heard),
            // The reset has moved away, but what was left has not come back.
            Relation::Later {
                reset_possible: false,
            } => {
                self.not_before = heard.not_before();
                self.resets_by = self.resets_by(heard);
                self.lower(heard);
            }
            Relation::Same | Relation::Refilled => {
                self.not_before = self.not_before.max(heard.not_before());
                self.resets_by = self.resets_by.min(self.resets_by(heard));
                self.lower(heard);
            }
        }
        self.longest = self.longest.max(heard.resets_in);
        if heard.index >= self.lost_before {
            self.lost = 0;
        }
    }

    /// A call ended without a word on this quota; `admitted` calls have been let go by now.
    pub(super) fn on_lost(&mut self, admitted: u64) {
        self.lost = self.lost.saturating_add(1);
        self.lost_before = admitted;
    }

    /// What is surely left, taking every call in flight as not yet counted.
    pub(super) fn left(&self, in_flight: u64) -> u64 {
        self.least
            .saturating_sub(in_flight.saturating_add(self.lost))
    }

    /// What is left at best: of the calls in flight only those surely not yet counted are taken off.
    fn left_at_best(&self, asked: &Asked) -> u64 {
        let since = asked.admitted.saturating_sub(self.admitted_then);
        self.least.saturating_sub(since.min(asked.in_flight))
    }

    /// Whether it is known that nothing is left at `now`.
    pub(super) fn is_used_up(&self, now: Instant, in_flight: u64) -> bool {
        now < self.resets_by && self.left(in_flight) == 0
    }

    /// When the call that asks may go; a time in the past means now.
    pub(super) fn ready_at(&self, asked: &Asked, limit: u64, span: Option<u64>) -> Instant {
        let limit = limit.max(1);
        let cut_off = if self.rounds_down { SECOND } else { 0 };
        let span = span.unwrap_or(self.longest.saturating_add(cut_off).max(SECOND));
        let gap = span.div_ceil(limit);
        if asked.now >= self.resets_by {
            let from = if asked.last_admitted < self.resets_by {
                asked.now
            } else {
                after(asked.last_admitted, gap)
            };
            let spread = after(from, gap.saturating_mul(asked.ahead));
            if asked.polite {
                return spread;
            }
            // What is under way is of the window that nothing was heard of yet, or was: the limit holds for it in any case.
            let under_way = if asked.at_best { 0 } else { asked.in_flight };
            let left = limit.saturating_sub(under_way);
            if asked.ahead < left {
                return self.resets_by;
            }
            let windows = (asked.ahead - left) / limit;
            let since = asked.now.since(self.resets_by).as_nanos() / u128::from(span.max(1));
            let since = u64::try_from(since).unwrap_or(u64::MAX);
            let windows = windows.saturating_add(since).saturating_add(1);
            return spread.min(after(self.resets_by, span.saturating_mul(windows)));
        }
        let left = if asked.at_best {
            self.left_at_best(asked)
        } else {
            self.left(asked.in_flight)
        };
        if asked.ahead >= left {
            let windows = (asked.ahead - left) / limit;
            return after(self.resets_by, span.saturating_mul(windows));
        }
        let (left, half) = (left - asked.ahead, limit / 2);
        let time_left = self.resets_by.since(asked.last_admitted);
        let time_left = u64::try_from(time_left.as_nanos()).unwrap_or(u64::MAX);
        if !asked.polite
            || !asked.spread
            || left > half
            || self.resets_by > after(asked.now, SPREAD_WITHIN)
        {
            return Instant::ORIGIN;
        }
        // A sixteenth of the time is kept free, so that the last one does not fall into the next window.
        let gap = (time_left - time_left / 16) / left.saturating_add(asked.ahead);
        let paced = asked.ahead.min(half.saturating_sub(left)).saturating_add(1);
        after(asked.last_admitted, gap.saturating_mul(paced))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    /// The answer to call `index`, sent at `sent` and heard at `heard` (milliseconds).
    fn answer(index: u64, sent: u64, heard: u64, left: u64, seconds: u64) -> Heard {
        Heard {
            left,
            resets_in: seconds * SECOND,
            whole: true,
            resets_from: (seconds * SECOND).saturating_sub(SECOND),
            sent_at: at(sent),
            heard_at: at(heard),
            counted_by: at(heard),
            index,
            admitted: index + 1,
            in_flight: 0,
            alone: true,
            refused: false,
        }
    }

    fn ask(now: u64, ahead: u64, in_flight: u64, last: u64) -> Asked {
        Asked {
            now: at(now),
            ahead,
            admitted: 50,
            in_flight,
            last_admitted: at(last),
            followed: false,
            spread: true,
            polite: true,
            at_best: false,
        }
    }

    #[test]
    fn late_answers_never_raise_what_remains() {
        let mut window = Window::new(&answer(0, 0, 10, 99, 60));
        window.on_reading(&answer(2, 20, 40, 97, 60));
        window.on_reading(&answer(1, 20, 45, 98, 60));
        assert_eq!(window.left(0), 97);
        assert_eq!(
            window.left(7),
            90,
            "those in flight may not have been counted yet"
        );
    }

    #[test]
    fn the_narrowest_reset_holds() {
        let mut window = Window::new(&answer(0, 0, 10, 99, 60));
        assert_eq!(
            (window.not_before, window.resets_by),
            (at(59_000), at(60_010))
        );
        window.on_reading(&answer(1, 5_300, 5_310, 98, 54));
        assert_eq!(
            (window.not_before, window.resets_by),
            (at(59_000), at(59_310))
        );
    }

    #[test]
    fn a_new_window_replaces_the_old() {
        let mut window = Window::new(&answer(0, 0, 10, 5, 3));
        assert_eq!(
            window.relation(&answer(1, 2_500, 2_520, 9, 60)),
            Relation::Later {
                reset_possible: true
            }
        );
        assert_eq!(
            window.relation(&answer(1, 1_500, 1_520, 4, 60)),
            Relation::Later {
                reset_possible: false
            }
        );
        window.on_reading(&answer(1, 2_500, 2_520, 9, 60));
        assert_eq!((window.left(0), window.resets_by), (9, at(62_520)));
    }

    #[test]
    fn answers_of_the_window_before_are_ignored() {
        let mut window = Window::new(&answer(1, 2_500, 2_520, 9, 60));
        window.on_reading(&answer(0, 1_900, 2_530, 0, 1));
        assert_eq!(window.left(0), 9);
    }

    #[test]
    fn a_refill_without_a_reset_is_noticed() {
        let window = Window::new(&answer(0, 0, 10, 5, 9));
        assert_eq!(
            window.relation(&answer(1, 3_000, 3_010, 6, 6)),
            Relation::Refilled
        );
        assert_eq!(
            window.relation(&answer(1, 5, 3_010, 6, 6)),
            Relation::Same,
            "may have been counted first"
        );
    }

    #[test]
    fn above_half_calls_go_at_once_and_below_they_are_spread() {
        let window = Window::new(&answer(0, 0, 10, 6, 10));
        assert_eq!(
            window.ready_at(&ask(20, 0, 0, 0), 10, None),
            Instant::ORIGIN
        );
        // 10.01 s less a sixteenth, over the 5 that are left.
        let gap = (10_010_000_000 - 10_010_000_000 / 16) / 5;
        assert_eq!(
            window.ready_at(&ask(20, 0, 1, 0), 10, None),
            Instant::from_nanos(gap)
        );
        assert_eq!(
            window.ready_at(&ask(20, 0, 6, 0), 10, None),
            at(10_010),
            "nothing is left"
        );
        let forbidden_only = Asked {
            polite: false,
            ..ask(20, 0, 1, 0)
        };
        assert_eq!(window.ready_at(&forbidden_only, 10, None), Instant::ORIGIN);
    }

    #[test]
    fn a_distant_reset_is_a_budget_and_not_spread() {
        let window = Window::new(&answer(0, 0, 10, 499, 43_200));
        assert_eq!(
            window.ready_at(&ask(20, 0, 0, 0), 1_000, None),
            Instant::ORIGIN
        );
    }

    #[test]
    fn after_a_reset_one_goes_ahead() {
        let window = Window::new(&answer(0, 0, 10, 0, 10));
        assert_eq!(
            window.ready_at(&ask(10_020, 0, 0, 5_000), 10, Some(10 * SECOND)),
            at(10_020)
        );
        assert_eq!(
            window.ready_at(&ask(10_020, 0, 1, 10_020), 10, Some(10 * SECOND)),
            at(11_020),
            "then one a second"
        );
    }

    #[test]
    fn after_a_reset_the_limit_holds_for_those_in_a_hurry_too() {
        let window = Window::new(&answer(0, 0, 10, 0, 10));
        let hurried = |in_flight, at_best| Asked {
            polite: false,
            at_best,
            ..ask(10_020, 0, in_flight, 10_020)
        };
        let ready = |asked: Asked| window.ready_at(&asked, 3, Some(10 * SECOND));
        assert_eq!(ready(hurried(2, false)), at(10_010), "the third of three");
        // The fourth waits as it would in line: nobody knows of more.
        let gap = (10 * SECOND).div_ceil(3);
        assert_eq!(ready(hurried(3, false)), after(at(10_020), gap));
        assert_eq!(ready(hurried(3, true)), at(10_010), "there is hope");
    }

    #[test]
    fn calls_without_a_word_count_until_a_later_call_answers() {
        let mut window = Window::new(&answer(0, 0, 10, 5, 10));
        window.on_lost(3);
        assert_eq!(window.left(0), 4);
        window.on_reading(&answer(2, 20, 30, 5, 10));
        assert_eq!(window.left(0), 4, "sent before the loss");
        window.on_reading(&answer(3, 40, 50, 4, 10));
        assert_eq!(window.left(0), 4, "counts it, if it was counted at all");
    }

    #[test]
    fn a_server_that_rounds_down_is_found_out_by_one_refusal() {
        let mut window = Window::new(&answer(0, 0, 10, 0, 1));
        window.on_reading(&Heard {
            refused: true,
            ..answer(1, 1_010, 1_020, 0, 0)
        });
        assert!(window.rounds_down);
        assert_eq!(window.resets_by, at(2_020));
    }

    #[test]
    fn extremes_saturate() {
        let huge = Heard {
            left: u64::MAX,
            resets_in: u64::MAX,
            resets_from: u64::MAX,
            ..answer(u64::MAX - 1, 0, 1, 0, 0)
        };
        let mut window = Window::new(&huge);
        window.on_reading(&huge);
        window.on_lost(u64::MAX);
        for limit in [0, 1, u64::MAX] {
            for span in [None, Some(0), Some(u64::MAX)] {
                for polite in [false, true] {
                    let asked = Asked {
                        ahead: u64::MAX,
                        in_flight: u64::MAX,
                        polite,
                        ..ask(0, 0, 0, 0)
                    };
                    window.ready_at(&asked, limit, span);
                }
            }
        }
    }
}
