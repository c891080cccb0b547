//! A tenant's deliveries and dead letters: list, read with their attempts, send again, purge.

use http::StatusCode;
use serde_json::{Value, json};

use super::endpoints::wrong;
use super::page::Page;
use super::{body, instant};
use crate::call::Call;
use crate::clock::MS;
use crate::parameter::{INSTANT_MS, whole_json};
use crate::problem::{Problem, invalid_parameter};
use crate::reply::Reply;
use crate::webhooks::{DeliveryState, Viewer, Which};
use crate::world::State;

/// Those the query means.
fn which(call: &Call) -> Result<Which, Problem> {
    let state = match call.parameter("state").as_deref() {
        None => None,
        Some("delivered") => Some(DeliveryState::Delivered),
        Some("failed") => Some(DeliveryState::Failed),
        Some("pending") => Some(DeliveryState::Pending),
        Some("sending") => Some(DeliveryState::Sending),
        Some(_) => {
            let detail = "state must be delivered, failed, pending or sending";
            return Err(invalid_parameter("state", detail));
        }
    };
    Ok(Which {
        endpoint: call.parameter("endpoint"),
        event: call.parameter("event"),
        kind: call.parameter("type"),
        state,
        dead: false,
        since_ns: instant(call, "since_ms")?,
        before_ns: instant(call, "before_ms")?,
    })
}

/// All of them, or with `dead` only dead letters.
pub(super) fn list(call: &Call, owner: &str, dead: bool) -> Result<Reply, Problem> {
    let which = Which {
        dead,
        ..which(call)?
    };
    let name = if dead {
        "webhook_dead_letters"
    } else {
        "webhook_deliveries"
    };
    let page = Page::asked_for(call, name)?;
    let outbox = call.world.webhooks.outbox();
    let found = outbox.deliveries(Viewer::Tenant(owner), &which, page.after);
    let found = found.take(page.limit + 1);
    let shown = found.map(|(number, queued)| (number, json!(queued.shown(number))));
    Ok(page.reply(call, shown.collect()))
}

pub(super) fn get(call: &Call, owner: &str) -> Result<Reply, Problem> {
    let outbox = call.world.webhooks.outbox();
    let (number, queued) = outbox.find(Viewer::Tenant(owner), call.route().argument)?;
    Ok(Reply::json(StatusCode::OK, &queued.shown_whole(number)))
}

pub(super) fn redeliver(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let now_ns = call.world.clock.now_ns();
    let again = call.world.with_outbox_in(&mut state.changes, |outbox| {
        outbox.redeliver(Viewer::Tenant(owner), id, now_ns)
    })?;
    Ok(Reply::json(StatusCode::ACCEPTED, &again).committed())
}

pub(super) fn redeliver_failed(
    call: &Call,
    owner: &str,
    state: &mut State,
) -> Result<Reply, Problem> {
    let members = body(call)?;
    let since_ns = match members.get("since_ms") {
        None | Some(Value::Null) => None,
        Some(value) => match whole_json(value).filter(|ms| INSTANT_MS.contains(ms)) {
            Some(ms) => Some(ms.saturating_mul(MS)),
            None => {
                let most = INSTANT_MS.end();
                let detail = format!("must be milliseconds since 1970, 0 to {most}");
                return Err(wrong("since_ms", "out_of_range", detail));
            }
        },
    };
    let endpoint = match members.get("endpoint") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(wrong("endpoint", "wrong_type", "must be a text".into())),
    };
    let which = Which {
        endpoint,
        since_ns,
        dead: true,
        ..Which::default()
    };
    let now_ns = call.world.clock.now_ns();
    let again = call.world.with_outbox_in(&mut state.changes, |outbox| {
        outbox.redeliver_all(Viewer::Tenant(owner), &which, now_ns)
    });
    let body = json!({ "redelivered": again.len(), "deliveries": again });
    let reply = Reply::json(StatusCode::ACCEPTED, &body);
    Ok(if again.is_empty() {
        reply
    } else {
        reply.committed()
    })
}

pub(super) fn purge(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let which = Which {
        dead: true,
        ..which(call)?
    };
    let purged = call.world.with_outbox_in(&mut state.changes, |outbox| {
        outbox.purge(Viewer::Tenant(owner), &which)
    });
    let reply = Reply::json(StatusCode::OK, &json!({ "purged": purged }));
    Ok(if purged == 0 {
        reply
    } else {
        reply.committed()
    })
}

pub(super) fn purge_one(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let id = call.route().argument;
    call.world.with_outbox_in(&mut state.changes, |outbox| {
        outbox.purge_one(Viewer::Tenant(owner), id)
    })?;
    Ok(Reply::new(StatusCode::NO_CONTENT).committed())
}
