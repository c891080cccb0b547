//! `/v1/jobs`: work that takes time on the session's clock. It is asked for with 202, polled as long as `Retry-After`
//! says, and cancelled; it ends with a result or a problem, and tells of itself by `job.*` events.
//!
//! Jobs are kept and listed as records are. See decision 0046.

mod driver;
mod due;
mod job;
mod operations;

use std::time::Duration;

use http::StatusCode;
use http::header::LOCATION;
use serde_json::Map;

use crate::call::Call;
use crate::clock::NS;
use crate::key::Identity;
use crate::keyed::once;
use crate::op::{Action, Kind};
use crate::problem::{FieldError, Problem, validation_failed};
use crate::records::{
    Asked, asked, if_match, missing, object, outbox_full, page_of, read, too_many_tenants, written,
};
use crate::reply::Reply;
use crate::resource::{Collection, Record};
use crate::world::State;

pub(crate) use driver::{JobEnds, start};
pub(crate) use due::DueJobs;
use job::Status;
pub(crate) use job::{STATUSES, shown};
pub(crate) use operations::{OPERATIONS, example, schemas};

/// Jobs a tenant may have; the oldest that are over make room.
const MAX_JOBS: usize = 10_000;
/// The longest that a caller is asked to wait before it polls again.
const MAX_WAIT_NS: u64 = 30 * NS;

/// An operation on jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobOp {
    Cancel,
    Create,
    Get,
    List,
}

impl JobOp {
    /// The name in fault rules, journal and effects.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cancel => "jobs.cancel",
            Self::Create => "jobs.create",
            Self::Get => "jobs.get",
            Self::List => "jobs.list",
        }
    }

    /// The scope a key needs for it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Cancel | Self::Create => "jobs:write",
            Self::Get | Self::List => "jobs:read",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Cancel => Action::Update,
            Self::Create => Action::Create,
            Self::Get => Action::Get,
            Self::List => Action::List,
        }
    }
}

/// Answers an operation on jobs. `latency` passes after an idempotency key is stored and before anything happens.
///
/// Never dropped in between, as of records.
pub(crate) async fn respond(
    call: &Call,
    op: JobOp,
    identity: &Identity,
    latency: Duration,
) -> Reply {
    once(call, identity, latency, |state, key| {
        let now_ns = call.world.clock.now_ns();
        call.world.end_jobs_in(state, now_ns);
        let asked = Asked {
            // A running job changes without being written.
            dated: false,
            conditional: false,
            ..asked(call, state, Kind::Jobs, op.action(), now_ns)
        };
        let tenant = identity.tenant.as_str();
        let answered = match op {
            JobOp::Cancel => cancel(call, state, &asked, tenant, key),
            JobOp::Create => create(call, state, &asked, tenant, key),
            JobOp::Get => get(state, &asked, tenant),
            JobOp::List => list(state, &asked, tenant),
        };
        driver::start_in(&call.world, state);
        answered.unwrap_or_else(|problem| call.problem(problem))
    })
    .await
}

fn create(
    call: &Call,
    state: &mut State,
    asked: &Asked,
    tenant: &str,
    key: Option<&str>,
) -> Result<Reply, Problem> {
    let body = object(asked)?;
    if body.contains_key("id") {
        return Err(validation_failed(vec![FieldError {
            pointer: "/id".into(),
            code: "read_only",
            detail: "the gateway makes ids; use external_id".into(),
        }]));
    }
    if !state.events.has_room() {
        return Err(outbox_full());
    }
    let jobs = jobs_of(state, tenant)?;
    let instance = format!("/v1/jobs/{}", Kind::Jobs.id(jobs.next()));
    let values = job::values(&body, &instance, &call.request_id).map_err(validation_failed)?;
    let gone = room(jobs, MAX_JOBS)?;
    let job = jobs.create(values, asked.now_ns);
    if let Some(number) = gone {
        state.keep_record(tenant, Kind::Jobs, number);
    }
    state.keep_record(tenant, Kind::Jobs, job.number);
    state.due_jobs.add(tenant, &job);
    state.happened(JobOp::Create.name(), key, job.external_id(Kind::Jobs));
    let (data, _) = shown(&job, asked.now_ns);
    let world = &call.world;
    world.publish(state, Some(tenant), "job.created", data, asked.now_ns);
    let reply = written(StatusCode::ACCEPTED, asked, &job).with_text(LOCATION, instance);
    Ok(polled(state, asked, &job, reply))
}

fn get(state: &mut State, asked: &Asked, tenant: &str) -> Result<Reply, Problem> {
    let jobs = jobs_of(state, tenant)?;
    let job = jobs
        .find(asked.id)
        .cloned()
        .ok_or_else(|| missing(Kind::Jobs, asked.id))?;
    let reply = read(asked, &job, &Map::new());
    Ok(polled(state, asked, &job, reply))
}

fn list(state: &mut State, asked: &Asked, tenant: &str) -> Result<Reply, Problem> {
    let tenant = state.tenant(tenant).map_err(|_| too_many_tenants())?;
    page_of(asked, &tenant.collections)
}

fn cancel(
    call: &Call,
    state: &mut State,
    asked: &Asked,
    tenant: &str,
    key: Option<&str>,
) -> Result<Reply, Problem> {
    let jobs = jobs_of(state, tenant)?;
    let job = jobs
        .find(asked.id)
        .cloned()
        .ok_or_else(|| missing(Kind::Jobs, asked.id))?;
    if_match(asked, &job)?;
    match Status::of(&job) {
        Status::Running => {}
        // Said again, it is as it was wished.
        Status::Cancelled => return Ok(read(asked, &job, &Map::new())),
        status @ (Status::Completed | Status::Failed) => {
            let detail = format!("the job is {} already; nothing was changed", status.name());
            return Err(Problem::new(StatusCode::CONFLICT, "job_over", detail)
                .retryable(false)
                .with_member("job_status", status.name()));
        }
    }
    if !state.events.has_room() {
        return Err(outbox_full());
    }
    let ended = call
        .world
        .end_job(state, tenant, &job, Status::Cancelled, asked.now_ns)
        .ok_or_else(too_many_tenants)?;
    state.happened(JobOp::Cancel.name(), key, ended.external_id(Kind::Jobs));
    Ok(written(StatusCode::OK, asked, &ended))
}

fn jobs_of<'a>(state: &'a mut State, tenant: &str) -> Result<&'a mut Collection, Problem> {
    let tenant = state.tenant(tenant).map_err(|_| too_many_tenants())?;
    Ok(tenant.collections.of_mut(Kind::Jobs))
}

/// Says of a running job when to ask again: at its end, but not too far away.
fn polled(state: &State, asked: &Asked, job: &Record, mut reply: Reply) -> Reply {
    if Status::of(job) == Status::Running {
        let left_ns = job::end_ns(job).saturating_sub(asked.now_ns);
        let wait_ns = left_ns.min(MAX_WAIT_NS);
        let retry_after = state.options.retry_after;
        retry_after.write(&mut reply.headers, wait_ns, asked.now_ns);
    }
    reply
}

/// Makes room for one more job where there are `most`: the oldest that is over goes. Answers its number.
fn room(jobs: &mut Collection, most: usize) -> Result<Option<u64>, Problem> {
    if jobs.len() < most {
        return Ok(None);
    }
    let over = jobs
        .all()
        .find(|job| Status::of(job) != Status::Running)
        .map(|job| job.number);
    let Some(number) = over else {
        return Err(Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "too_many_jobs",
            format!(
                "a tenant has at most {most} jobs at work; wait until one is over, or cancel one"
            ),
        )
        .retryable(true));
    };
    jobs.remove(number);
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(jobs: &mut Collection) {
        let body = json!({ "kind": "k" });
        let values = job::values(body.as_object().unwrap(), "", "").unwrap();
        jobs.create(values, 0);
    }

    #[test]
    fn the_oldest_job_that_is_over_makes_room() {
        let mut jobs = Collection::seeded(Kind::Jobs);
        for _ in 0..3 {
            assert!(matches!(room(&mut jobs, 3), Ok(None)));
            made(&mut jobs);
        }
        let refused = room(&mut jobs, 3).unwrap_err();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (507, "too_many_jobs")
        );
        let second = jobs.find("jb_000002").unwrap().clone();
        let values = second.with_value(Kind::Jobs, "status", "failed".into());
        jobs.change(&second, values, 1);
        assert!(matches!(room(&mut jobs, 3), Ok(Some(2))));
        made(&mut jobs);
        assert_eq!(jobs.len(), 3);
        assert!(jobs.find("jb_000002").is_none() && jobs.find("jb_000004").is_some());
    }
}
