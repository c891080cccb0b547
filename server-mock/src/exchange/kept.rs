//! Carries a request out and holds its answer back until what it wrote is on disk.
//!
//! Without a data file this is `execute` and nothing else.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::NoResponse;
use super::execute::execute;
use crate::call::Call;
use crate::durable::{Trouble, abort_at};
use crate::reply::Reply;

/// Carries a request out, to its end even if its client leaves meanwhile, where there is anything to wait for.
pub(super) async fn carry_out(call: &Arc<Call>, latency: Duration) -> Result<Reply, NoResponse> {
    if !call.world.kept.is_kept() {
        return Ok(execute(call, latency).await);
    }
    if call.parts.method.is_safe() {
        return Ok(kept(call, latency).await);
    }
    let task = tokio::spawn({
        let call = Arc::clone(call);
        async move { kept(&call, latency).await }
    });
    task.await.map_err(|_| NoResponse)
}

/// The answer, once all that its session had written by then is on disk; else why it is not.
pub(super) async fn kept(call: &Call, latency: Duration) -> Reply {
    let epoch = call.world.fresh_epoch();
    let reply = execute(call, latency).await;
    match call.world.kept.settled(epoch).await {
        Ok(()) => {
            if reply.committed {
                abort_at("before-answer");
            }
            reply
        }
        Err(trouble) => refused(call, &trouble),
    }
}

/// Waits until the step of a fault's script is on disk that a request was given; else why it is not. Whoever saw a fault
/// does not get it again after a crash.
pub(super) async fn fault_kept(call: &Call, epoch: u64) -> Result<(), Box<Reply>> {
    let settled = call.world.kept.settled(epoch).await;
    settled.map_err(|trouble| Box::new(refused(call, &trouble)))
}

fn refused(call: &Call, trouble: &Trouble) -> Reply {
    // Of a change it is not known to all readers that it is undone before the session was read anew.
    drop(call.world.state());
    let mut problem = call.problem(trouble.problem());
    if problem.status == StatusCode::SERVICE_UNAVAILABLE {
        let options = Arc::clone(&call.world.state().options);
        let now_ns = call.world.clock.now_ns();
        let wait = crate::clock::NS;
        options
            .retry_after
            .write(&mut problem.headers, wait, now_ns);
    }
    problem
}
