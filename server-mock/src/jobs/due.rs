//! Which jobs end when: an index of the running ones, and how they are ended on the session's clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::job::{Status, end_ns, shown};
use crate::op::Kind;
use crate::resource::Record;
use crate::world::{State, World};

/// The running jobs of a session, by the instant of their end; those that end together by tenant and number.
#[derive(Default)]
pub(crate) struct DueJobs(BTreeSet<(u64, Box<str>, u64)>);

impl DueJobs {
    pub(super) fn add(&mut self, tenant: &str, job: &Record) {
        self.0.insert((end_ns(job), tenant.into(), job.number));
    }

    pub(super) fn remove(&mut self, tenant: &str, job: &Record) {
        self.0.remove(&(end_ns(job), tenant.into(), job.number));
    }

    /// The instant at which the next one ends.
    pub(super) fn first(&self) -> Option<u64> {
        self.0.first().map(|(end_ns, ..)| *end_ns)
    }

    /// Takes the next one out that has ended by `now_ns`.
    fn take(&mut self, now_ns: u64) -> Option<(u64, Box<str>, u64)> {
        self.first().filter(|end_ns| *end_ns <= now_ns)?;
        self.0.pop_first()
    }
}

impl State {
    /// A record was read from its row: one of a running job goes on.
    pub(crate) fn note_job(&mut self, tenant: &str, kind: Kind, number: u64) {
        if kind != Kind::Jobs {
            return;
        }
        let Some(job) = self.job(tenant, number) else {
            return;
        };
        if Status::of(&job) == Status::Running {
            self.due_jobs.add(tenant, &job);
        }
    }

    fn job(&mut self, tenant: &str, number: u64) -> Option<Arc<Record>> {
        let jobs = self.tenant(tenant).ok()?.collections.of(Kind::Jobs);
        jobs.find(&Kind::Jobs.id(number)).cloned()
    }
}

impl World {
    /// Ends the jobs whose time has come, in their order and at their own instants. Says whether there were any. Those
    /// whose event finds no room in the outbox wait.
    pub(super) fn end_jobs_in(self: &Arc<Self>, state: &mut State, now_ns: u64) -> bool {
        let mut any = false;
        while state.events.has_room() {
            let Some((end_ns, tenant, number)) = state.due_jobs.take(now_ns) else {
                break;
            };
            if let Some(job) = state.job(&tenant, number) {
                self.end_job(state, &tenant, &job, Status::at_end_of(&job), end_ns);
                any = true;
            }
        }
        any
    }

    /// The same, as a transaction of its own.
    pub(crate) fn end_jobs(self: &Arc<Self>) -> bool {
        let mut state = self.state();
        let now_ns = self.clock.now_ns();
        self.end_jobs_in(&mut state, now_ns)
    }

    /// The instant at which the next job ends; none while its event would find no room.
    pub(crate) fn next_job_end(&self) -> Option<u64> {
        let state = self.state();
        state.due_jobs.first().filter(|_| state.events.has_room())
    }

    /// Ends one job and publishes that it did: all of it one transaction.
    pub(super) fn end_job(
        self: &Arc<Self>,
        state: &mut State,
        tenant: &str,
        job: &Record,
        status: Status,
        at_ns: u64,
    ) -> Option<Arc<Record>> {
        state.due_jobs.remove(tenant, job);
        let values = job.with_value(Kind::Jobs, "status", status.name().into());
        let jobs = state.tenant(tenant).ok()?.collections.of_mut(Kind::Jobs);
        let ended = jobs.change(job, values, at_ns);
        state.keep_record(tenant, Kind::Jobs, ended.number);
        let event = format!("job.{}", status.name());
        let (data, _) = shown(&ended, at_ns);
        self.publish(state, Some(tenant), &event, data, at_ns);
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MS;
    use crate::resource::Collection;

    #[test]
    fn jobs_come_out_in_the_order_of_their_ends() {
        let mut jobs = Collection::seeded(Kind::Jobs);
        let mut due = DueJobs::default();
        for takes_ms in [30_u64, 10, 20, 10] {
            let body = serde_json::json!({ "kind": "k", "takes_ms": takes_ms });
            let values = super::super::job::values(body.as_object().unwrap(), "", "").unwrap();
            due.add("acme", &jobs.create(values, 0));
        }
        due.remove("acme", jobs.find("jb_000003").unwrap());
        assert_eq!(due.first(), Some(10 * MS));
        assert_eq!(due.take(10 * MS - 1), None);
        let mut taken = Vec::new();
        while let Some((_, _, number)) = due.take(30 * MS) {
            taken.push(number);
        }
        assert_eq!(taken, [2, 4, 1]);
    }
}
