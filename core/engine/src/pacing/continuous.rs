//! What is known of a quota that comes back call by call (token bucket, GCRA): a bucket like the server's own.
//!
//! Never early: the time from which a refill counts is when a call's answer ARRIVED, which is after the server counted
//! it. Never drifting: each call takes exactly one interval, whatever the network does.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Alone | reading that our own calls explain | Alone (`our_own_calls_explain_what_is_left`) |
//! | Alone | less is left than our own calls explain | Shared, half of the refill taken as others' (`others_are_noticed`) |
//! | Shared | reading | Shared, others' part measured again (`the_others_part_follows_what_is_measured`) |
//! | Shared | others' part falls below 1/32 | Alone (`who_is_alone_again_gets_everything_back`) |
//! | either | refused, though the bucket had a call and had been right before | Shared, others' part raised (`a_surprising_refusal_makes_it_careful`) |

use super::bucket::{Bucket, after};
use super::window::{Asked, Heard};
use crate::time::Instant;

/// A whole, in the units in which calls and parts are weighed.
const WHOLE: u64 = 1024;
/// What is to be left for others beside the call itself, where others take from the same quota. A refusal raises it by
/// as much again, each answer after that lowers it by a 64th.
const MARGIN: u64 = WHOLE;
const SECOND: u64 = 1_000_000_000;

/// The server's bucket as seen from here.
#[derive(Clone, Debug)]
pub(super) struct Continuous {
    bucket: Bucket,
    /// The most the bucket may hold.
    quota: u64,
    /// The rate is the server's, or the closest to it that is known. Where it is slower, times that the server tells are not
    /// to be counted in calls.
    exact: bool,
    /// Calls in a row that went as soon as they might, with nobody waiting behind.
    at_the_limit: u32,
    /// The part of the refill that others take, in 1024ths; zero: none.
    others: u64,
    /// What is to be left for others beside the call itself, in 1024ths of a call.
    margin: u64,
    /// Calls that were let in though the window model would have held them back.
    proofs: u8,
    latest: Latest,
    credit: Credit,
}

/// What is surely there, whatever the rate: what an answer left, less all calls that it may not include.
#[derive(Clone, Copy, Debug)]
struct Credit {
    left: u64,
    index: u64,
    heard_at: Instant,
}

impl Credit {
    fn on_reading(&mut self, heard: &Heard) {
        // Of calls that were under way together nobody knows which was counted first: the least holds.
        let together = heard.sent_at < self.heard_at;
        *self = Self {
            left: if together {
                self.left.min(heard.left)
            } else {
                heard.left
            },
            index: self.index.max(heard.index),
            heard_at: heard.heard_at,
        };
    }

    fn left(&self, asked: &Asked) -> u64 {
        let later = asked.admitted.saturating_sub(self.index.saturating_add(1));
        self.left
            .saturating_sub(later)
            .saturating_sub(asked.in_flight)
    }
}

/// The most recent reading, in order of sending.
#[derive(Clone, Copy, Debug)]
struct Latest {
    index: u64,
    counted_by: Instant,
    left: u64,
}

/// Who is to blame for a refusal that the bucket did not foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// It had been right often enough: others take from the quota.
    Others,
    /// It never proved itself: the server is no such bucket.
    Model,
}

impl Continuous {
    /// `None` where quota and window (nanoseconds) make no rate.
    pub(super) fn new(quota: u64, window: u64, heard: &Heard) -> Option<Self> {
        if quota == 0 || window == 0 {
            return None;
        }
        let latest = Latest {
            index: heard.index,
            counted_by: heard.counted_by,
            left: heard.left,
        };
        let bucket = Bucket::new(quota, window, 1);
        let mut new = Self {
            bucket,
            quota,
            exact: true,
            at_the_limit: 0,
            others: 0,
            margin: MARGIN,
            proofs: 0,
            latest,
            credit: Credit {
                left: heard.left,
                index: heard.index,
                heard_at: heard.heard_at,
            },
        };
        new.bucket.capacity = new.holds(heard);
        new.bucket.full_at = new.full_by(heard);
        Some(new)
    }

    /// A call comes back in this time, which is less than was thought. What is missing stays the same.
    pub(super) fn quicken(&mut self, interval: u64, exact: bool) {
        self.exact = exact;
        if interval > 0 && interval < self.bucket.interval {
            self.bucket.interval = interval;
        }
    }

    /// Time in which `calls` come back, in nanoseconds.
    pub(super) fn time_for(&self, calls: u64) -> u64 {
        self.bucket.time_for(calls)
    }

    /// The latest that the server's bucket is full again, by this answer and all calls it may not include.
    fn full_by(&self, heard: &Heard) -> Instant {
        let missing = self.bucket.capacity.saturating_sub(heard.left);
        // `left` was cut to whole calls, so that a fraction more may be there. A time until all is restored is more
        // exact where it agrees with that; otherwise it says something else and is not used.
        let least = self.bucket.time_for(missing.saturating_sub(1));
        let most = self.bucket.time_for(missing);
        let restored_in = if self.exact && heard.resets_in > least {
            heard.resets_in.min(most)
        } else {
            most
        };
        let later = heard.admitted.saturating_sub(heard.index.saturating_add(1));
        let not_included = self.bucket.time_for(later.max(heard.in_flight));
        after(heard.counted_by, restored_in.saturating_add(not_included))
    }

    /// Takes in what an answer said.
    pub(super) fn on_reading(&mut self, heard: &Heard) {
        self.credit.on_reading(heard);
        if heard.refused {
            // A refusal takes nothing.
            self.bucket.give_back();
        }
        self.grow(heard);
        let later = heard.admitted.saturating_sub(heard.index);
        if !heard.refused {
            // Had the bucket been full, its refill would count from here.
            let idle = after(heard.counted_by, self.bucket.time_for(later));
            self.bucket.full_at = self.bucket.full_at.max(idle);
        }
        let missing = self.bucket.capacity.saturating_sub(heard.left);
        let at_least = self.bucket.time_for(missing.saturating_sub(1));
        let surely = missing > 0 && self.bucket.full_at <= after(heard.sent_at, at_least);
        self.measure_others(heard, surely && !heard.refused);
        if surely {
            self.bucket.full_at = self.bucket.full_at.max(self.full_by(heard));
        } else if missing > 0 {
            // Less than one more than `left` is there, however long ago that was said.
            let floor = after(heard.counted_by, at_least.saturating_add(1));
            self.bucket.full_at = self.bucket.full_at.max(floor);
        }
        if heard.alone && later <= 1 {
            // Nothing else was under way: what the answer says is all there is to know.
            self.bucket.full_at = self.bucket.full_at.min(self.full_by(heard));
        }
    }

    /// How many calls the bucket holds at least, by this answer. Some servers' buckets are smaller than their quota (60 a
    /// minute, 10 at once), so that the quota is only the most it may hold.
    fn holds(&self, heard: &Heard) -> u64 {
        // More calls are missing than come back in the time until all is restored, less the second it was rounded by.
        let restored_in = heard.resets_in.saturating_sub(SECOND);
        let missing = (restored_in / self.bucket.interval).saturating_add(1);
        let taken = if heard.refused && heard.resets_in <= SECOND {
            0
        } else {
            missing
        };
        let holds = heard.left.saturating_add(taken);
        // One less than the quota is a matter of rounding.
        let holds = if holds.saturating_add(1) == self.quota {
            self.quota
        } else {
            holds
        };
        holds.clamp(1, self.quota)
    }

    /// More was left than the bucket was thought to hold: it holds more. What is left in it stays the same.
    fn grow(&mut self, heard: &Heard) {
        let held = self.holds(heard);
        if held > self.bucket.capacity {
            let more = self.bucket.time_for(held - self.bucket.capacity);
            self.bucket.full_at = after(self.bucket.full_at, more);
            self.bucket.capacity = held;
        }
    }

    /// Compares what is left with what the latest reading, the refill and our own calls since leave to expect.
    fn measure_others(&mut self, heard: &Heard, noticed: bool) {
        if heard.index <= self.latest.index {
            return;
        }
        let elapsed = u64::try_from(heard.counted_by.since(self.latest.counted_by).as_nanos())
            .unwrap_or(u64::MAX);
        let refill = u64::try_from(
            u128::from(elapsed) * u128::from(WHOLE) / u128::from(self.bucket.interval),
        );
        let refill = refill.unwrap_or(u64::MAX);
        let mut there = self
            .latest
            .left
            .saturating_mul(WHOLE)
            .saturating_add(refill);
        if heard.left.saturating_add(1) >= self.bucket.capacity {
            // It was full, and what came back beyond that was lost to all.
            there = there.min(self.bucket.capacity.saturating_mul(WHOLE));
        }
        let ours = heard
            .index
            .saturating_sub(self.latest.index)
            .saturating_sub(u64::from(heard.refused));
        let ours = ours.saturating_mul(WHOLE);
        let left = heard.left.saturating_mul(WHOLE).saturating_add(ours);
        let gone = there.saturating_sub(left);
        if self.others == 0 {
            if noticed {
                self.others = WHOLE / 2;
            }
        } else if refill > 0 {
            self.margin = (self.margin - MARGIN / 64).max(MARGIN);
            let measured = u64::try_from(
                u128::from(gone.min(refill)) * u128::from(WHOLE) / u128::from(refill),
            );
            let measured = measured.unwrap_or(WHOLE);
            // The longer the time that was measured, the more it says: half at most.
            let weight = (refill / 8).min(WHOLE / 2);
            self.others = (self.others * (WHOLE - weight) + measured * weight) / WHOLE;
            if self.others < WHOLE / 32 {
                self.others = 0;
            }
        }
        self.latest = Latest {
            index: heard.index,
            counted_by: heard.counted_by,
            left: heard.left,
        };
    }

    /// The server let a call in that the window model would have held back.
    pub(super) fn on_proof(&mut self) {
        self.proofs = self.proofs.saturating_add(1);
    }

    /// The server refused a call that the bucket had let go.
    pub(super) fn on_surprise(&mut self, overruled: bool) -> Blame {
        if overruled && self.proofs < 2 {
            return Blame::Model;
        }
        let half = self.bucket.capacity.saturating_mul(WHOLE) / 2;
        self.margin = self.margin.saturating_add(MARGIN).min(half.max(MARGIN));
        self.others = self.others.max(WHOLE / 4);
        self.others += (WHOLE - self.others) / 4;
        Blame::Others
    }

    /// A call goes.
    pub(super) fn take(&mut self, asked: &Asked) {
        // Only who goes as soon as it may is at the limit. Who has others behind it has kept a whole call in reserve.
        let latest = after(self.bucket.ready_at(0), self.reserve());
        let at_the_limit = asked.now <= after(latest, self.bucket.interval);
        self.at_the_limit = if at_the_limit && !asked.followed {
            self.at_the_limit.saturating_add(1)
        } else {
            0
        };
        self.bucket.take(asked.now);
    }

    /// Time by which a lone caller at the limit comes later than it might, so that what others need piles up: a fifth
    /// of an interval at once, a whole one after 40 calls.
    fn reserve(&self) -> u64 {
        if self.at_the_limit == 0 {
            return 0;
        }
        let share = u64::from(self.at_the_limit).clamp(8, 40);
        self.bucket.interval.saturating_mul(share) / 40
    }

    /// A call was taken that nobody asked for here.
    pub(super) fn join(&mut self, sent_at: Instant) {
        self.bucket.take(sent_at);
    }

    pub(super) fn give_back(&mut self) {
        self.bucket.give_back();
    }

    pub(super) fn is_shared(&self) -> bool {
        self.others > 0
    }

    pub(super) fn left(&self, now: Instant) -> u64 {
        self.bucket.left(now)
    }

    /// When the call that asks may go; a time in the past means now.
    pub(super) fn ready_at(&self, asked: &Asked) -> Instant {
        let ready = self.bucket.ready_at(asked.ahead);
        if !asked.polite {
            return ready;
        }
        if self.others == 0 {
            if !self.exact && self.credit.left(asked) > asked.ahead {
                return Instant::ORIGIN;
            }
            // A bucket of one or two has no room for it.
            let reserve = match (self.bucket.capacity, asked.followed) {
                (0..=2, _) => 0,
                (_, true) => self.bucket.interval,
                (_, false) => self.reserve(),
            };
            return after(ready, reserve);
        }
        // Others take from it too: of what is there and of what comes back, count on our part only.
        let since = asked
            .admitted
            .saturating_sub(self.latest.index.saturating_add(1));
        let ours = u128::from(since.saturating_add(asked.ahead).saturating_add(1));
        let part = u128::from(WHOLE.saturating_sub(self.others).max(WHOLE / 16));
        let whole = u128::from(WHOLE);
        let needed = ours * whole * whole / part + u128::from(self.margin);
        let short = needed.saturating_sub(u128::from(self.latest.left) * whole);
        let wait = short.saturating_mul(u128::from(self.bucket.interval)) / whole;
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        ready.max(after(self.latest.counted_by, wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: u64 = SECOND / 10;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    /// The answer to call `index`, sent at `sent` milliseconds and heard 10 ms later.
    fn answer(index: u64, sent: u64, left: u64, resets_in: u64) -> Heard {
        Heard {
            left,
            resets_in,
            whole: true,
            resets_from: 0,
            sent_at: at(sent),
            heard_at: at(sent + 10),
            counted_by: at(sent + 10),
            index,
            admitted: index + 1,
            in_flight: 0,
            alone: true,
            refused: false,
        }
    }

    fn ask(now: u64, admitted: u64) -> Asked {
        Asked {
            now: at(now),
            ahead: 0,
            admitted,
            in_flight: 0,
            last_admitted: at(now),
            followed: false,
            spread: true,
            polite: true,
            at_best: false,
        }
    }

    /// 50 in 5 s, of which the first was taken at 0.
    fn fifty() -> Continuous {
        Continuous::new(50, 5 * SECOND, &answer(0, 0, 49, SECOND)).unwrap()
    }

    /// Takes a call at `sent` and hears that `left` are left.
    fn call(continuous: &mut Continuous, index: u64, sent: u64, left: u64) {
        continuous.take(&ask(sent, index));
        let restored_in = ((50 - left) * INTERVAL).div_ceil(SECOND) * SECOND;
        continuous.on_reading(&answer(index, sent, left, restored_in));
    }

    #[test]
    fn a_refill_counts_from_the_arrival_of_the_answer() {
        let mut tiny = Continuous::new(3, 2 * SECOND, &answer(0, 0, 2, SECOND)).unwrap();
        for index in 1..3 {
            tiny.take(&ask(10, index));
        }
        // Two intervals of a bucket of three after the first answer, which came at 10 ms.
        let interval = (2 * SECOND).div_ceil(3);
        assert_eq!(tiny.bucket.ready_at(0), after(at(10), interval));
    }

    #[test]
    fn our_own_calls_explain_what_is_left() {
        let mut continuous = fifty();
        for index in 1..40 {
            call(&mut continuous, index, 20 * index, 49 - index + index / 5);
        }
        assert!(!continuous.is_shared());
    }

    #[test]
    fn others_are_noticed() {
        let mut continuous = fifty();
        call(&mut continuous, 1, 20, 40);
        assert!(continuous.is_shared());
        assert_eq!(continuous.left(at(30)), 40);
    }

    #[test]
    fn the_others_part_follows_what_is_measured() {
        let mut continuous = fifty();
        call(&mut continuous, 1, 100, 40);
        assert_eq!(continuous.others, WHOLE / 2);
        // A call of ours each second; ten come back in it, and others take seven.
        for index in 2..20 {
            call(
                &mut continuous,
                index,
                1_000 * index,
                40 + (index - 1) * 2 % 8,
            );
        }
        assert!(
            (600..850).contains(&continuous.others),
            "{}",
            continuous.others
        );
    }

    #[test]
    fn who_is_alone_again_gets_everything_back() {
        let mut continuous = fifty();
        call(&mut continuous, 1, 100, 20);
        let careful = continuous.ready_at(&Asked {
            ahead: 15,
            ..ask(110, 2)
        });
        assert!(careful > at(110), "of what is there, half is the others'");
        for index in 2..20 {
            call(
                &mut continuous,
                index,
                100 + 200 * (index - 1),
                20 + index - 1,
            );
        }
        assert!(!continuous.is_shared());
        let free = continuous.ready_at(&Asked {
            ahead: 15,
            ..ask(3_800, 20)
        });
        assert!(free < at(3_800), "{free:?}");
    }

    #[test]
    fn a_surprising_refusal_makes_it_careful() {
        let mut continuous = fifty();
        assert_eq!(
            continuous.on_surprise(true),
            Blame::Model,
            "it never proved itself"
        );
        continuous.on_proof();
        continuous.on_proof();
        assert_eq!(continuous.on_surprise(true), Blame::Others);
        assert_eq!(continuous.others, 256 + 768 / 4);
        assert_eq!(continuous.margin, 2 * MARGIN);
    }

    #[test]
    fn a_refusal_takes_nothing() {
        let mut continuous = fifty();
        let before = continuous.bucket.full_at;
        continuous.take(&ask(10, 1));
        continuous.on_reading(&Heard {
            refused: true,
            alone: false,
            ..answer(1, 10, 49, SECOND)
        });
        assert_eq!(continuous.bucket.full_at, before);
    }

    #[test]
    fn a_lone_caller_at_the_limit_leaves_a_call_over_in_the_end() {
        let mut continuous = fifty();
        for index in 1..=50 {
            continuous.take(&ask(20, index));
        }
        let mut late = Vec::new();
        for index in 51..100 {
            let now = continuous.ready_at(&ask(0, index));
            late.push(now.since(continuous.bucket.ready_at(0)).as_nanos());
            continuous.take(&Asked {
                now,
                ..ask(0, index)
            });
        }
        assert_eq!(
            late[0],
            u128::from(INTERVAL),
            "the burst was at the limit as well"
        );
        assert!(late.iter().all(|&late| late <= u128::from(INTERVAL)));
    }

    #[test]
    fn a_smaller_bucket_than_the_quota_is_not_overrun() {
        // 60 a minute, 10 at once.
        let continuous = Continuous::new(60, 60 * SECOND, &answer(0, 0, 9, SECOND)).unwrap();
        assert_eq!(continuous.bucket.capacity, 10);
        // 50 in 5 s of which nothing was left at the start: all of it shows in the time to restore.
        let continuous = Continuous::new(50, 5 * SECOND, &answer(0, 0, 0, 5 * SECOND)).unwrap();
        assert_eq!(continuous.bucket.capacity, 41);
    }

    #[test]
    fn a_bucket_that_holds_more_than_was_thought_has_no_more_in_it() {
        // Of 60 a minute, 3 are left, and a second is said to restore all: 4 may be all that it holds.
        let mut continuous = Continuous::new(60, 60 * SECOND, &answer(0, 0, 3, SECOND)).unwrap();
        assert_eq!(
            (continuous.bucket.capacity, continuous.left(at(10))),
            (4, 3)
        );
        continuous.take(&ask(20, 1));
        continuous.on_reading(&Heard {
            alone: false,
            ..answer(1, 20, 2, 8 * SECOND)
        });
        assert_eq!(
            (continuous.bucket.capacity, continuous.left(at(30))),
            (10, 2)
        );
    }

    #[test]
    fn what_a_lone_answer_says_is_there_is_there() {
        let mut continuous = fifty();
        // Calls that never were counted.
        for index in 1..30 {
            continuous.take(&ask(20, index));
        }
        assert_eq!(continuous.left(at(30)), 20);
        call(&mut continuous, 30, 40, 48);
        assert_eq!(continuous.left(at(50)), 48);
    }

    #[test]
    fn extremes_saturate() {
        for (quota, window) in [(1, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX), (1, 1)] {
            for (left, resets_in) in [(0, 0), (0, u64::MAX), (quota, u64::MAX)] {
                let heard = answer(u64::MAX - 2, 0, left, resets_in);
                let mut continuous = Continuous::new(quota, window, &heard).unwrap();
                continuous.others = WHOLE;
                let asked = Asked {
                    ahead: u64::MAX,
                    ..ask(0, u64::MAX)
                };
                continuous.take(&asked);
                continuous.on_reading(&Heard {
                    index: u64::MAX - 1,
                    in_flight: u64::MAX,
                    ..heard
                });
                continuous.ready_at(&asked);
            }
        }
        assert!(Continuous::new(0, SECOND, &answer(0, 0, 0, 0)).is_none());
        assert!(Continuous::new(5, 0, &answer(0, 0, 0, 0)).is_none());
    }
}
