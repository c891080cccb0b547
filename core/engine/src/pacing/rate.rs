//! How fast a quota comes back that is restored evenly, where the server does not tell its window.
//!
//! All is restored in `t`, rounded up to a second, and of the limit `m` calls are missing, of which the last may have come
//! back in part. So a call takes longer than `(t - 1 s) / m` to come back, and at most `t / (m - 1)`. And where between two
//! answers, each to a call that was under way alone, `n` calls of ours were counted, and `r` has become `r'`, at least `n + r' - r - 1` calls have come back in the
//! time from the first call to the second answer: what comes back unseen makes that too few, never too many. The quickest
//! of these upper bounds holds. It is never quicker than the server, and gets closer the more calls there are.
//!
//! A shortcut for what is common, a window of whole seconds: with nothing left, `t` is the window.

use super::window::Heard;
use crate::time::Instant;

const SECOND: u64 = 1_000_000_000;
/// Fewer missing calls, or calls that came back, say too little.
const ENOUGH: u64 = 4;
/// After so many calls that came back, what is measured begins anew.
const LONG_ENOUGH: u64 = 4_096;

/// Bounds of the time, in nanoseconds, in which one call comes back.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    slowest: u64,
    quickest: Option<u64>,
    /// By the shortcut, which is not certain.
    guessed: Option<u64>,
    mark: Option<Mark>,
}

/// The reading from which it is measured.
#[derive(Clone, Copy, Debug)]
struct Mark {
    index: u64,
    left: u64,
    sent_at: Instant,
}

impl Rate {
    pub(super) fn on_reading(&mut self, heard: &Heard, limit: u64) {
        let missing = limit.saturating_sub(heard.left);
        let span = u64::try_from(heard.heard_at.since(heard.sent_at).as_nanos());
        let slack = if heard.whole {
            0
        } else {
            span.unwrap_or(u64::MAX)
        };
        let slowest = heard.resets_from.saturating_sub(slack) / missing.max(1);
        self.slowest = self.slowest.max(slowest);
        // Of a quota that is hardly used the bound is far too slow, and would stay so: what is slower than the server is never
        // used up. It is taken as it comes until nearly all is gone, and then the bound is close.
        let nearly_all = missing >= limit.saturating_sub((limit / 16).max(1));
        if missing > ENOUGH && nearly_all && heard.resets_in > 0 {
            self.bound(heard.resets_in.div_ceil(missing - 1));
        }
        let interval = heard.resets_in / limit.max(1);
        let tells_window = heard.left == 0 && heard.whole && !heard.refused;
        if tells_window && interval > 0 && interval < SECOND && self.guessed.is_none() {
            self.guessed = Some(interval);
        }
        self.measure(heard);
    }

    fn bound(&mut self, interval: u64) {
        self.quickest = Some(self.quickest.map_or(interval, |known| known.min(interval)));
    }

    fn measure(&mut self, heard: &Heard) {
        if heard.refused {
            // Nobody knows how many others were.
            self.mark = None;
            return;
        }
        // Of calls that were under way together nobody knows which was counted first.
        if !heard.alone || heard.in_flight > 0 || heard.admitted > heard.index.saturating_add(1) {
            return;
        }
        let Some(mark) = self.mark else {
            self.mark = Some(Mark {
                index: heard.index,
                left: heard.left,
                sent_at: heard.sent_at,
            });
            return;
        };
        if heard.index <= mark.index {
            return;
        }
        let back = (heard.index - mark.index)
            .saturating_add(heard.left)
            .saturating_sub(mark.left.saturating_add(1));
        if back < ENOUGH {
            return;
        }
        let took = u64::try_from(heard.heard_at.since(mark.sent_at).as_nanos());
        self.bound(took.unwrap_or(u64::MAX).div_ceil(back));
        if back > LONG_ENOUGH {
            self.mark = None;
        }
    }

    /// Whether there can be such a quota.
    pub(super) fn is_possible(&self) -> bool {
        let at_most = self.guessed.or(self.quickest);
        at_most.is_none_or(|at_most| self.slowest <= at_most)
    }

    /// Whether what it is taken for is a window of whole seconds.
    pub(super) fn is_exact(&self) -> bool {
        self.guessed
            .is_some_and(|guessed| self.interval() == Some(guessed))
    }

    /// What to take it for.
    pub(super) fn interval(&self) -> Option<u64> {
        match (self.guessed, self.quickest) {
            (Some(guessed), Some(quickest)) => Some(guessed.min(quickest)),
            (guessed, quickest) => guessed.or(quickest),
        }
    }
}
