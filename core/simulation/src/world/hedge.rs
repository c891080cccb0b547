//! The second copy of a request whose answer is slow, as the client does it (`send/hedged.rs` there).

use std::sync::Arc;

use super::{Bell, Event, Phase, World};
use crate::broken::BrokenRule;
use crate::clock::MS;
use crate::script::Method;

impl World<'_> {
    /// An attempt is under way: when it counts as slow.
    pub(super) fn watch_for_slowness(&mut self, wire: usize) {
        let live = &self.calls[self.wires[wire].call];
        let (plan, is_copy) = (live.plan, live.is_copy);
        if let Some(after) = self.script.clients.hedge
            && plan.method == Method::Get
            && !plan.once
            && !is_copy
            && !self.after_the_end
        {
            self.at(self.now + after * MS, Event::Slow(wire));
        }
    }

    /// It is slow: a second copy goes, where there is none yet and the budget pays for it.
    pub(super) fn slow(&mut self, wire: usize) {
        let at = self.wires[wire].call;
        let (plan, has_copy) = (self.calls[at].plan, self.calls[at].other.is_some());
        if !self.is_awaited(wire) || (has_copy && !self.is(BrokenRule::HedgeTwice)) {
            return;
        }
        let now = self.tell_sleep(at);
        let started = match &self.calls[at].call {
            Some(call) => call.started(),
            None => return,
        };
        let mut call = self.begin(&plan, now);
        // Where the budget does not pay there is no copy later either.
        let copy = self.add(plan);
        self.calls[at].other = Some(copy);
        if !self.is(BrokenRule::HedgeUnbounded) && !call.hedge(started) {
            return;
        }
        let numbers = Arc::clone(&self.calls[at].numbers);
        call.number_with(Arc::clone(&numbers));
        self.check.on_hedged(at, copy, self.now);
        self.trace.line(
            self.now,
            format_args!("call {} is slow: a second copy", plan.id),
        );
        let bell = Bell {
            call: copy,
            rung: Arc::clone(&self.rung),
        };
        let live = &mut self.calls[copy];
        live.call = Some(call);
        live.waker = Some(Arc::new(bell).into());
        live.phase = Phase::Waiting;
        live.is_copy = true;
        live.other = Some(at);
        live.numbers = numbers;
        self.poll(copy);
    }

    /// A copy of a request is over. Cancels the other where it has succeeded, and answers who began after the request, where
    /// that is over too.
    pub(super) fn pair_over(&mut self, at: usize, succeeded: bool) -> Vec<usize> {
        let live = &self.calls[at];
        let first = match live.other {
            Some(other) if live.is_copy => other,
            _ => at,
        };
        if let Some(other) = live.other
            && self.calls[other].phase != Phase::Out
        {
            if !succeeded {
                return Vec::new();
            }
            self.cancel(other);
        }
        std::mem::take(&mut self.calls[first].followers)
    }
}
