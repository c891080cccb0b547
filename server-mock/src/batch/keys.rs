//! Keys of a batch's operations: each is stored before anything happens, and answers for its operation alone, in this
//! batch, in another one, or as a request of its own.
//!
//! | The key of an operation | Comes to |
//! |---|---|
//! | is new | the operation is carried out, its answer is kept with the key |
//! | was answered, the same body | the answer of then, with `idempotency-replayed` |
//! | is in flight elsewhere | 409 |
//! | was used with another body, here or elsewhere | 422 |
//! | is that of an operation before it in this batch | the answer of that one |

use super::Step;
use crate::call::Call;
use crate::durable::{Trouble, abort_at};
use crate::keyed::{Reserved, Scope, reserve_in};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::world::State;

/// What becomes of an operation.
pub(super) enum Plan<'a> {
    /// It is carried out. With a key its answer is kept.
    Act(&'a Step, Option<Reserved>),
    /// It has the answer of the operation before it that has the same key.
    Later(&'a Step, Scope),
    /// Its result is known.
    Said(Reply),
}

impl Plan<'_> {
    fn reserved(&self) -> Option<&Reserved> {
        match self {
            Self::Act(_, reserved) => reserved.as_ref(),
            Self::Later(..) | Self::Said(_) => None,
        }
    }
}

/// Stores the keys of all operations, on disk where there is one, before any of them is carried out.
///
/// Never dropped before the answer, as keys of requests are not.
pub(super) async fn planned<'a>(
    call: &Call,
    tenant: &str,
    steps: &'a [Result<Step, Problem>],
) -> Result<Vec<Plan<'a>>, Problem> {
    let epoch = call.world.fresh_epoch();
    let plans: Vec<Plan<'a>> = {
        let mut state = call.world.state();
        let mut of_batch: Vec<Scope> = Vec::new();
        let plan = |step| plan(call, &mut state, tenant, step, &mut of_batch);
        steps.iter().map(plan).collect()
    };
    if call.world.kept.is_kept() && plans.iter().any(|plan| plan.reserved().is_some()) {
        if let Err(trouble) = call.world.kept.settled(epoch).await {
            release(&mut call.world.state(), &plans);
            return Err(trouble.problem());
        }
        abort_at("after-item-keys");
    }
    Ok(plans)
}

fn plan<'a>(
    call: &Call,
    state: &mut State,
    tenant: &str,
    step: &'a Result<Step, Problem>,
    of_batch: &mut Vec<Scope>,
) -> Plan<'a> {
    let step = match step {
        Ok(step) => step,
        // Said again, for the results are made once more.
        Err(problem) => return Plan::Said(call.problem(problem.again())),
    };
    let Some(scope) = step.scope(tenant) else {
        return Plan::Act(step, None);
    };
    if of_batch.contains(&scope) {
        return Plan::Later(step, scope);
    }
    match reserve_in(call, state, scope.clone()) {
        Ok(reserved) => {
            of_batch.push(scope);
            Plan::Act(step, Some(reserved))
        }
        Err(reply) => Plan::Said(*reply),
    }
}

/// Refuses to go on where a key is no longer stored for this batch.
pub(super) fn check(state: &State, plans: &[Plan<'_>]) -> Result<(), Problem> {
    let mut reserved = plans.iter().filter_map(Plan::reserved);
    match reserved.find_map(|reserved| reserved.check(state).err()) {
        Some(_) => Err(Trouble::Gone.problem()),
        None => Ok(()),
    }
}

/// Frees all keys: nothing of the batch was carried out.
pub(super) fn release(state: &mut State, plans: &[Plan<'_>]) {
    for reserved in plans.iter().filter_map(Plan::reserved) {
        reserved.release(state);
    }
}
