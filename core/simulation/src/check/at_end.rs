//! What can only be judged when all is over: sums over a whole run.

use super::{Checker, Invariant, Lane, Load, NOBODY};
use crate::clock::MS;
use crate::script::{CallPlan, Fault, FaultKind, QuotaKind, QuotaPlan, Says, Script};

/// Refusals of a client that is alone and told the truth: the first may come before anything is known.
const REFUSALS: u64 = 1;

impl Checker<'_> {
    /// All is over; `refused` has the refusals of quotas by host and credential.
    pub(crate) fn at_end(&mut self, real: u64, refused: &dyn Fn(u32, u32) -> u64) {
        let mut found = Vec::new();
        for load in &self.loads {
            if let Some(what) = self.over_budget(load, 0, u64::MAX, 10) {
                found.push((Invariant::RetryLoad, what));
            }
            for dead in self
                .script
                .dead
                .iter()
                .filter(|dead| dead.host == load.host)
            {
                if let Some(what) = self.over_budget(load, dead.from * MS, dead.to * MS, 11) {
                    found.push((Invariant::RetryLoad, format!("while it was dead, {what}")));
                }
            }
        }
        for lane in &self.lanes {
            if let Some((calls, per, burst)) = self.script.clients.local
                && let Some(what) = over_local_quota(lane, calls, per, burst)
            {
                found.push((Invariant::LocalQuota, what));
            }
            if lane.credential == NOBODY {
                continue;
            }
            let refused = refused(lane.host, lane.credential);
            if self.is_clean(lane) && refused > REFUSALS {
                let what = format!("{refused} of {} attempts were refused", lane.sent);
                found.push((Invariant::Quota, what));
            }
        }
        for (invariant, what) in found {
            self.violated(invariant, real, None, what);
        }
    }

    /// The client is alone, is told all there is to know, in time, and nobody is in a hurry.
    fn is_clean(&self, lane: &Lane) -> bool {
        let Script {
            clients,
            gateway,
            network,
            ..
        } = self.script;
        let round_trip = 2 * network.latency.1 + gateway.work.1;
        // The time that all of the lane's calls take at most.
        let calls = lane.calls * u64::from(clients.attempts);
        let takes = |quota: &QuotaPlan| (calls / quota.limit + 2) * quota.window * 1_000;
        let takes = gateway.quotas.iter().map(takes).max().unwrap_or(0);
        let patient = |call: &CallPlan| call.deadline.is_none_or(|deadline| deadline >= takes);
        let sliding = |quota: &QuotaPlan| quota.kind == QuotaKind::Sliding;
        // Should the first call be answered by something in front that knows no limits, the others go without knowing them.
        let from_in_front = |fault: &Fault| match fault.kind {
            FaultKind::Answer(..) | FaultKind::ShouldRetry(..) => true,
            FaultKind::Redirect(..) => fault.attempt == 1 && self.begins(fault.call),
            _ => false,
        };
        clients.count == 1
            && clients.pacing
            && !clients.regions
            && clients.concurrency.is_none()
            && clients.hedge.is_none()
            && match gateway.says {
                Says::Draft10 => true,
                Says::Nothing => false,
                // They have room for one.
                _ => gateway.quotas.len() == 1,
            }
            && !gateway.quotas.iter().any(sliding)
            && round_trip <= 140
            && self.script.calls.iter().all(patient)
            && !self.script.faults.iter().any(from_in_front)
    }

    /// Whether a call is among the first of its lane.
    fn begins(&self, id: u32) -> bool {
        let calls = &self.script.calls;
        let Some(at) = calls.iter().position(|call| call.id == id) else {
            return false;
        };
        let lane = |call: &CallPlan| (call.client, call.host, call.credential);
        calls[..at]
            .iter()
            .filter(|call| lane(call) == lane(&calls[at]))
            .count()
            < 2
    }

    /// Whether retries whose cause was in this time cost more than the budget held, with `tenths` of it allowed.
    fn over_budget(&self, load: &Load, from: u64, to: u64, tenths: u64) -> Option<String> {
        let within = |(at, _): &&(u64, u64)| (from..to).contains(at);
        let sum = |of: &[(u64, u64)]| -> u64 { of.iter().filter(within).map(|(_, n)| n).sum() };
        let cost = sum(&load.retries);
        // With regions a retry may go elsewhere than to the host that paid for it.
        let budgets = if self.script.clients.regions {
            u64::from(self.script.gateway.hosts)
        } else {
            1
        };
        let held = u64::from(self.script.clients.budget) * budgets + sum(&load.refunds);
        (cost * 10 > held * tenths).then(|| {
            format!(
                "client {} paid {cost} for retries to host {}, of {held}",
                load.client, load.host
            )
        })
    }
}

/// In no span of `per` more than `calls + burst`, as `LocalQuota` promises; places that were given back may go again.
fn over_local_quota(lane: &Lane, calls: u32, per: u64, burst: u32) -> Option<String> {
    let most = (u64::from(calls) + u64::from(burst) + lane.given_back) as usize;
    let span = per * MS;
    let broken = lane.admitted.windows(most + 1).find(|times| match times {
        [first, .., last] => last - first < span,
        _ => false,
    })?;
    let at = broken.first().map_or(0, |at| at / MS);
    Some(format!(
        "more than {most} calls within {per} ms from {at} ms on"
    ))
}
