//! What is noted of a request while it is carried out, and what is made of it, once, when it is over.
//!
//! | When | What is noted |
//! |---|---|
//! | it has a fault | the fault |
//! | its caller is known | tenant and tier |
//! | its limits were asked | their level after the decision, and what refused it |
//! | it has a problem | its code and detail |
//! | it is answered or cut | how it ended; the journal gets all of it at once |
//! | nobody holds its [`Call`] any more | metrics, usage, the log and the trace count it, whichever way it took |

use std::sync::Mutex;

use serde::Serialize;

use crate::call::Call;
use crate::clock::MS;
use crate::journal::Ending;
use crate::key::Identity;
use crate::limiter::Report;
use crate::lock::lock;
use crate::policy::Unit;
use crate::quota::{Refusal, Violated};
use crate::tier::Tier;

/// What limits said of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QuotaLevel {
    /// Calls let in at once after a rest, of the policy that is tightest.
    pub limit: u64,
    /// Calls left after this one.
    pub remaining: u64,
    /// The names of the policies that refused it; empty when it was let in.
    pub refused_by: Vec<String>,
    /// Milliseconds a lone caller has to wait, rounded up; 0 when it was let in.
    pub wait_ms: u64,
}

/// The problem that a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProblemSaid {
    /// Such as `rate_limited`.
    pub code: String,
    /// What happened, in words.
    pub detail: String,
}

/// Who a request is counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) tenant: Box<str>,
    pub(crate) tier: Tier,
}

/// Everything that was noted.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    pub(crate) account: Option<Account>,
    pub(crate) quota: Option<QuotaLevel>,
    pub(crate) fault: Option<Box<str>>,
    pub(crate) problem: Option<ProblemSaid>,
    pub(crate) ending: Ending,
}

/// The notes of a request that is being carried out.
#[derive(Default)]
pub(crate) struct Noted(Mutex<Notes>);

impl Noted {
    /// The fault it is given.
    pub(crate) fn fault(&self, fault: &str) {
        lock(&self.0).fault = Some(fault.into());
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self, code: &str, detail: &str) {
        lock(&self.0).problem = Some(ProblemSaid {
            code: code.into(),
            detail: detail.into(),
        });
    }

    /// Whose it is.
    pub(crate) fn caller(&self, identity: &Identity) {
        lock(&self.0).account = Some(Account {
            tenant: identity.tenant.as_str().into(),
            tier: identity.tier,
        });
    }

    /// What its limits said.
    pub(crate) fn decided(&self, report: &Report, refusal: Option<&Refusal>) {
        let (limit, remaining) = report
            .tightest(Unit::Requests)
            .map_or((0, 0), |item| (item.limit, item.remaining));
        let refused = refusal.map_or(&[][..], |refusal| &refusal.violated);
        lock(&self.0).quota = Some(QuotaLevel {
            limit,
            remaining,
            refused_by: refused.iter().map(|why| why.policy().into()).collect(),
            wait_ms: refusal.map_or(0, |refusal| refusal.wait_ns.div_ceil(MS)),
        });
    }
}

impl Call {
    /// Notes what its limits said, here and in the metrics.
    pub(crate) fn decided(&self, tier: Tier, report: &Report, refusal: Option<&Refusal>) {
        self.noted.decided(report, refusal);
        let violated: &[Violated] = refusal.map_or(&[], |refusal| &refusal.violated);
        let metrics = &self.world.surroundings.metrics;
        metrics.limits.decided(tier, violated);
    }

    /// Notes how it ended; said again, the last word counts.
    pub(crate) fn ended(&self, seq: u64, ending: Ending) {
        let mut notes = lock(&self.noted.0);
        notes.ending = ending;
        self.world.journal().ended(seq, &notes);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let notes = std::mem::take(&mut *lock(&self.noted.0));
        let took = self.received.elapsed();
        let around = &self.world.surroundings;
        around.metrics.requests.over(self, &notes, took);
        if let Some(account) = &notes.account {
            self.world
                .usage
                .record(account, self.op, &notes, took, self.at_ns);
        }
        if let Some(log) = &around.log {
            log.request(self, &notes, took);
        }
        if let Some(traces) = &around.traces {
            traces.request(self, &notes, took);
        }
    }
}
