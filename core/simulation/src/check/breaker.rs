//! Whether a host that is down is left alone: by what came of attempts, and when others were sent.
//!
//! Judged only where there is no doubt: as many failures as it takes since the last other answer, of attempts that were
//! sent after that (what came of earlier ones may be of a generation that is over), and too few other answers in all of
//! the window and a tenth more. From then on, until something other than a failure comes back, a probe may go each nine
//! tenths of the time that a breaker stays open. Where that is not set it is 1 s at first, and twice as long with each probe, up
//! to 10 s.

use std::collections::VecDeque;

use gatewright_engine::breaker::is_trouble;

use super::Came;
use crate::clock::{MS, SECOND};
use crate::script::BreakerPlan;

/// How many probes there may be within `span` of a breaker's opening, at most.
fn probes(plan: &BreakerPlan, span: u64) -> u64 {
    let nine_tenths = |open: u64| (open * 9 / 10).max(1);
    if let Some(open) = plan.open {
        return span / nine_tenths(open * MS);
    }
    let (mut left, mut probes, mut open) = (span, 0, SECOND);
    while open < 10 * SECOND && left >= nine_tenths(open) {
        (left, probes, open) = (left - nine_tenths(open), probes + 1, open * 2);
    }
    if open < 10 * SECOND {
        return probes;
    }
    probes + left / nine_tenths(10 * SECOND)
}

/// What is known of one host.
#[derive(Clone, Debug, Default)]
pub(super) struct BreakerWatch {
    /// When answers came that were no failures.
    good: VecDeque<u64>,
    /// When failures came since the last of these, of attempts that were sent after it.
    failed: VecDeque<u64>,
    /// It must be open since then.
    open_since: Option<u64>,
    /// Attempts sent since.
    sent: u64,
    /// Of these, attempts that came to nothing, so that another may be the probe.
    given_back: u64,
}

impl BreakerWatch {
    /// An attempt is sent; answers what is wrong with that.
    pub(super) fn on_sent(&mut self, real: u64, plan: &BreakerPlan) -> Option<String> {
        let since = self.open_since?;
        self.sent += 1;
        let allowed = 1 + probes(plan, real - since) + self.given_back;
        let millis = (real - since) / MS;
        (self.sent > allowed).then(|| {
            format!(
                "attempt {} in {millis} ms, to a host that is down",
                self.sent
            )
        })
    }

    /// What came of an attempt that was sent at `sent`.
    pub(super) fn on_came(&mut self, sent: u64, real: u64, came: Came, plan: &BreakerPlan) {
        let failed = match came {
            Came::Answer(status, _) => status >= 500,
            Came::Failure(class) if is_trouble(class) => true,
            Came::Cancelled | Came::Failure(_) | Came::Pending => {
                self.given_back += 1;
                return;
            }
        };
        let window = plan.window * MS;
        if !failed {
            (self.open_since, self.sent, self.given_back) = (None, 0, 0);
            self.failed.clear();
            self.good.push_back(real);
            return;
        }
        if self.good.back().is_none_or(|good| sent > *good) {
            self.failed.push_back(real);
        }
        while self
            .good
            .front()
            .is_some_and(|at| at + window * 11 / 10 < real)
            && self.good.len() > 1
        {
            self.good.pop_front();
        }
        while self
            .failed
            .front()
            .is_some_and(|at| at + window * 9 / 10 < real)
        {
            self.failed.pop_front();
        }
        let (failures, others) = (self.failed.len() as u64, self.good.len() as u64);
        let enough = failures >= plan.volume.into()
            && failures * 100 >= u64::from(plan.percent) * (failures + others);
        if enough && self.open_since.is_none() {
            (self.open_since, self.sent, self.given_back) = (Some(real), 0, 0);
        }
    }
}
