//! The second copy of a request: when it may be, and what it costs.

use gatewright_engine::Instant;

use super::{Checker, Invariant};
use crate::clock::MS;
use crate::script::Method;

/// Of the retry budget, as a retry. Paid with the attempt: where a breaker does not let it go, it is given back.
pub(super) const COST: u64 = 5;

impl Checker<'_> {
    /// A second copy of the request of call `first` begins, as call `copy`.
    pub(crate) fn on_hedged(&mut self, first: usize, copy: usize, real: u64) {
        let Some(facts) = self.calls[first].as_mut() else {
            return;
        };
        facts.copies += 1;
        let (plan, started, copies): (_, Instant, _) = (facts.plan, facts.started, facts.copies);
        let sent = facts.seen.last().map_or(0, |seen| seen.sent_real);
        let slow = self.script.clients.hedge.unwrap_or(u64::MAX / MS) * MS;
        let wrong = if copies > 1 {
            Some(format!("copy {} of it", copies + 1))
        } else if plan.method != Method::Get {
            Some("a copy of what changes something".to_owned())
        } else if real - sent < slow {
            Some(format!(
                "a copy {} ms after it was sent",
                (real - sent) / MS
            ))
        } else {
            None
        };
        if let Some(what) = wrong {
            self.violated(Invariant::Hedge, real, Some(first), what);
        }
        self.on_started(copy, plan, started);
        if let Some(facts) = self.calls[copy].as_mut() {
            facts.hedge = true;
        }
    }
}
