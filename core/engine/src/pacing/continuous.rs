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
/// What is to be left for others beside the call itself, where others take from the same quota.
const MARGIN: u64 = WHOLE / 2;
const SECOND: u64 = 1_000_000_000;

/// The server's bucket as seen from here.
#[derive(Clone, Debug)]
pub(super) struct Continuous {
    bucket: Bucket,
    /// The most the bucket may hold.
    quota: u64,
    /// The part of the refill that others take, in 1024ths; zero: none.
    others: u64,
    /// Calls let in that the window model would have held back, since the last surprise.
    proofs: u8,
    latest: Latest,
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
            others: 0,
            proofs: 0,
            latest,
        };
        new.bucket.capacity = new.holds(heard).max(1);
        new.bucket.full_at = new.full_by(heard);
        Some(new)
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
        let restored_in = heard.resets_in.clamp(least, most);
        after(
            heard.counted_by,
            restored_in.saturating_add(self.bucket.time_for(heard.in_flight)),
        )
    }

    /// Takes in what an answer said.
    pub(super) fn on_reading(&mut self, heard: &Heard) {
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

    /// How many calls the bucket holds at least, by this answer.
    fn holds(&self, heard: &Heard) -> u64 {
        // Where all that is missing from the quota takes the time that the reset is away, the quota is what it holds.
        // Some servers' buckets are smaller than their quota (60 a minute, 10 at once).
        let missing = self.quota.saturating_sub(heard.left);
        if heard.resets_in
            >= self
                .bucket
                .time_for(missing.saturating_sub(2))
                .saturating_add(SECOND)
        {
            return self.quota;
        }
        heard
            .left
            .saturating_add(u64::from(!heard.refused))
            .min(self.quota)
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
        let full = self.bucket.capacity.saturating_mul(WHOLE);
        let there = self
            .latest
            .left
            .saturating_mul(WHOLE)
            .saturating_add(refill)
            .min(full);
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
    pub(super) fn on_surprise(&mut self) -> Blame {
        if self.proofs < 2 {
            return Blame::Model;
        }
        self.others = self.others.max(WHOLE / 4);
        self.others += (WHOLE - self.others) / 4;
        Blame::Others
    }

    pub(super) fn take(&mut self, now: Instant) {
        self.bucket.take(now);
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
        if self.others == 0 || !asked.spread {
            return ready;
        }
        // Others take from it too: count on our part of the refill only, and leave a little over.
        let since = asked
            .admitted
            .saturating_sub(self.latest.index.saturating_add(1));
        let taken = since.saturating_add(asked.ahead);
        let needed = taken
            .saturating_add(1)
            .saturating_mul(WHOLE)
            .saturating_add(MARGIN);
        let short = needed.saturating_sub(self.latest.left.saturating_mul(WHOLE));
        let part = WHOLE.saturating_sub(self.others).max(WHOLE / 16);
        let wait = u128::from(short) * u128::from(self.bucket.interval) / u128::from(part);
        ready.max(after(
            self.latest.counted_by,
            u64::try_from(wait).unwrap_or(u64::MAX),
        ))
    }
}
