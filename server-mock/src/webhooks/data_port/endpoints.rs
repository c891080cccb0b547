//! A tenant's endpoints: create, read, list, replace, merge-patch, delete, rotate their secrets, send a test.

use http::StatusCode;
use http::header::{IF_MATCH, IF_NONE_MATCH, LOCATION};
use serde_json::{Map, Value, json};

use super::page::Page;
use super::{body, lists_tag, object, tagged};
use crate::call::Call;
use crate::clock::NS;
use crate::parameter::whole_json;
use crate::problem::{FieldError, Problem, validation_failed};
use crate::reply::Reply;
use crate::webhooks::settings::Asked;
use crate::webhooks::{Refusal, Viewer, Wish};
use crate::world::State;

/// How long the secrets of before sign too where a rotation does not say.
const OVERLAP_S: u64 = 86_400;
const MAX_OVERLAP_S: u64 = 7 * 86_400;
const TEST_TYPE: &str = "webhook_endpoint.test";
const MAX_TYPE_BYTES: usize = 100;

pub(super) fn list(call: &Call, owner: &str) -> Result<Reply, Problem> {
    let page = Page::asked_for(call, "webhook_endpoints")?;
    let now_ns = call.world.clock.now_ns();
    let outbox = call.world.webhooks.outbox();
    let found = outbox.endpoints(Viewer::Tenant(owner), page.after);
    let found = found.take(page.limit + 1);
    let found = found.map(|one| (one.row.number, one.resource(now_ns)));
    Ok(page.reply(call, found.collect()))
}

pub(super) fn create(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let members = object(call)?;
    let wish = Wish {
        asked: Asked::read(&members).map_err(Refusal::Settings)?,
        tenant: Some(owner.into()),
        secrets: Vec::new(),
        key_pair: boolean(&members, "key_pair")?.unwrap_or(false),
    };
    let seed = state.options.seed;
    let now_ns = call.world.clock.now_ns();
    let shown = call.world.with_outbox_in(&mut state.changes, |outbox| {
        let around = &call.world.surroundings;
        let added = outbox.add_endpoint(wish, seed, around, now_ns)?;
        Ok::<_, Refusal>(with_secret(
            added.resource(now_ns),
            added.row.secrets.newest(),
        ))
    })?;
    Ok(written(StatusCode::CREATED, &shown))
}

/// Adds the secret, which is shown only here and after a rotation.
fn with_secret(mut shown: Value, secret: &str) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.insert("secret".into(), secret.into());
    }
    shown
}

/// What was written, with the entity tag that it has when it is read: without the secret.
fn written(status: StatusCode, shown: &Value) -> Reply {
    let mut plain = shown.clone();
    if let Some(members) = plain.as_object_mut() {
        members.remove("secret");
    }
    let tag = tagged(status, &plain).headers.remove(http::header::ETAG);
    let mut reply = Reply::json(status, shown).committed();
    if let Some(tag) = tag {
        reply = reply.with(http::header::ETAG, tag);
    }
    if status != StatusCode::CREATED {
        return reply;
    }
    let id = shown.get("id").and_then(Value::as_str).unwrap_or_default();
    reply.with_text(LOCATION, format!("/v1/webhook_endpoints/{id}"))
}

pub(super) fn get(call: &Call, owner: &str) -> Result<Reply, Problem> {
    let now_ns = call.world.clock.now_ns();
    let outbox = call.world.webhooks.outbox();
    let found = outbox.endpoint(Viewer::Tenant(owner), call.route().argument)?;
    let shown = found.resource(now_ns);
    let headers = &call.parts.headers;
    if lists_tag(headers, &IF_NONE_MATCH, &shown, true) == Some(true) {
        let reply = tagged(StatusCode::NOT_MODIFIED, &shown);
        return Ok(reply.with_body(bytes::Bytes::new()));
    }
    Ok(tagged(StatusCode::OK, &shown))
}

/// Refuses a change of an endpoint that is no longer what the caller saw.
fn if_match(call: &Call, shown: &Value) -> Result<(), Problem> {
    if lists_tag(&call.parts.headers, &IF_MATCH, shown, false) == Some(false) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "the endpoint has changed since; read it again and use its ETag in If-Match",
        ));
    }
    Ok(())
}

/// Replaces it or, with `whole` false, applies a merge patch.
pub(super) fn change(
    call: &Call,
    owner: &str,
    whole: bool,
    state: &mut State,
) -> Result<Reply, Problem> {
    let (viewer, id) = (Viewer::Tenant(owner), call.route().argument);
    // First, so that an unknown endpoint is 404 whatever the body says.
    call.world.webhooks.outbox().endpoint(viewer, id)?;
    let members = object(call)?;
    let now_ns = call.world.clock.now_ns();
    let (shown, told) = call.world.with_outbox_in(&mut state.changes, |outbox| {
        let found = outbox.endpoint(viewer, id)?;
        if_match(call, &found.resource(now_ns))?;
        let settings = &found.row.settings;
        let next = if whole {
            settings.replaced(&members)
        } else {
            settings.patched(&members)
        };
        let asked = Asked::read(&next).map_err(Refusal::Settings)?;
        let enabled = asked.enabled.or(whole.then_some(true));
        let around = &call.world.surroundings;
        let settings = asked.check(around).map_err(Refusal::Settings)?;
        let told = outbox.set_endpoint(viewer, id, settings, enabled, now_ns)?;
        let shown = outbox.endpoint(viewer, id)?.resource(now_ns);
        Ok::<_, Problem>((shown, told))
    })?;
    if let Some(disabling) = told {
        call.world.tell_disabled_in(state, &disabling);
    }
    Ok(written(StatusCode::OK, &shown))
}

pub(super) fn delete(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let (viewer, id) = (Viewer::Tenant(owner), call.route().argument);
    let now_ns = call.world.clock.now_ns();
    call.world.with_outbox_in(&mut state.changes, |outbox| {
        if_match(call, &outbox.endpoint(viewer, id)?.resource(now_ns))?;
        outbox.remove_endpoint(viewer, id)?;
        Ok::<_, Problem>(())
    })?;
    Ok(Reply::new(StatusCode::NO_CONTENT).committed())
}

pub(super) fn rotate(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let members = body(call)?;
    let overlap_s = match members.get("overlap_s") {
        None | Some(Value::Null) => OVERLAP_S,
        Some(value) => match whole_json(value).filter(|s| *s <= MAX_OVERLAP_S) {
            Some(seconds) => seconds,
            None => {
                let detail = format!("must be a whole number of seconds, 0 to {MAX_OVERLAP_S}");
                return Err(wrong("overlap_s", "out_of_range", detail));
            }
        },
    };
    let (viewer, id) = (Viewer::Tenant(owner), call.route().argument);
    let seed = state.options.seed;
    let now_ns = call.world.clock.now_ns();
    let shown = call.world.with_outbox_in(&mut state.changes, |outbox| {
        if_match(call, &outbox.endpoint(viewer, id)?.resource(now_ns))?;
        let rotated = outbox.rotate(viewer, id, None, overlap_s * NS, seed, now_ns)?;
        let secret = rotated.row.secrets.newest();
        Ok::<_, Problem>(with_secret(rotated.resource(now_ns), secret))
    })?;
    Ok(written(StatusCode::OK, &shown))
}

pub(super) fn test(call: &Call, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    let members = body(call)?;
    let kind = match members.get("type") {
        None | Some(Value::Null) => TEST_TYPE,
        Some(Value::String(kind)) if is_type(kind) => kind,
        Some(_) => {
            let detail = format!("must be 1 to {MAX_TYPE_BYTES} visible ASCII characters");
            return Err(wrong("type", "invalid_type", detail));
        }
    };
    let id = call.route().argument;
    let data = match members.get("data") {
        None => json!({ "endpoint": id, "test": true }),
        Some(data) => data.clone(),
    };
    let sent = call
        .world
        .send_in(state, Viewer::Tenant(owner), id, kind, &data)?;
    Ok(Reply::json(StatusCode::ACCEPTED, &sent).committed())
}

fn is_type(kind: &str) -> bool {
    (1..=MAX_TYPE_BYTES).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_graphic())
}

fn boolean(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(wrong(name, "wrong_type", "must be true or false".into())),
    }
}

/// 422 for one field.
pub(super) fn wrong(name: &str, code: &'static str, detail: String) -> Problem {
    validation_failed(vec![FieldError {
        pointer: format!("/{name}"),
        code,
        detail,
    }])
}
