//! What a tenant sees and does on the data port: its endpoints (`/v1/webhook_endpoints`), deliveries and dead letters.

mod deliveries;
mod endpoints;
mod page;

use std::time::Duration;

use http::header::ETAG;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::op::WebhookOp;
use super::refusal::Refusal;
use crate::call::Call;
use crate::clock::MS;
use crate::key::Identity;
use crate::keyed::once;
use crate::parameter::{INSTANT_MS, whole};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::world::State;

/// Answers an operation on endpoints or deliveries. A key is stored before anything happens, and its answer in the transaction of
/// the change.
pub(crate) async fn respond(call: &Call, op: WebhookOp, identity: &Identity) -> Reply {
    once(call, identity, Duration::ZERO, |state, key| {
        let owner = identity.tenant.as_str();
        let reply = act(call, op, owner, state).unwrap_or_else(|problem| call.problem(problem));
        if reply.committed {
            state.happened(call.op.name(), key, None);
        }
        reply
    })
    .await
}

fn act(call: &Call, op: WebhookOp, owner: &str, state: &mut State) -> Result<Reply, Problem> {
    match op {
        WebhookOp::EndpointCreate => endpoints::create(call, owner, state),
        WebhookOp::EndpointDelete => endpoints::delete(call, owner, state),
        WebhookOp::EndpointGet => endpoints::get(call, owner),
        WebhookOp::EndpointReplace => endpoints::change(call, owner, true, state),
        WebhookOp::EndpointRotate => endpoints::rotate(call, owner, state),
        WebhookOp::EndpointTest => endpoints::test(call, owner, state),
        WebhookOp::EndpointUpdate => endpoints::change(call, owner, false, state),
        WebhookOp::EndpointsList => endpoints::list(call, owner),
        WebhookOp::DeadLetterDelete => deliveries::purge_one(call, owner, state),
        WebhookOp::DeadLettersList => deliveries::list(call, owner, true),
        WebhookOp::DeadLettersPurge => deliveries::purge(call, owner, state),
        WebhookOp::DeliveriesList => deliveries::list(call, owner, false),
        WebhookOp::DeliveriesRedeliver => deliveries::redeliver_failed(call, owner, state),
        WebhookOp::DeliveryGet => deliveries::get(call, owner),
        WebhookOp::DeliveryRedeliver => deliveries::redeliver(call, owner, state),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refusal.problem()
    }
}

/// The body as a JSON object.
fn object(call: &Call) -> Result<Map<String, Value>, Problem> {
    if let Some(content_type) = call.parts.headers.get(http::header::CONTENT_TYPE) {
        let text = content_type.to_str().unwrap_or("").to_ascii_lowercase();
        let essence = text.split(';').next().unwrap_or("").trim();
        if essence != "application/json" && essence != "application/merge-patch+json" {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send JSON with content-type application/json or application/merge-patch+json",
            ));
        }
    }
    let malformed =
        |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    match serde_json::from_slice(&call.upload.bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("the body must be a JSON object".into())),
        Err(error) => Err(malformed(format!(
            "the body is not JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// The body as a JSON object; without one it is empty.
fn body(call: &Call) -> Result<Map<String, Value>, Problem> {
    if call.upload.bytes.is_empty() {
        return Ok(Map::new());
    }
    object(call)
}

/// JSON with its entity tag, strong: it is made of the JSON.
fn tagged(status: StatusCode, value: &Value) -> Reply {
    let reply = Reply::json(status, value);
    match etag(value) {
        Some(etag) => reply.with(ETAG, etag),
        None => reply,
    }
}

fn etag(value: &Value) -> Option<HeaderValue> {
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    let hash = crate::stable_hash::stable_hash(&[value.to_string().as_bytes()]);
    HeaderValue::try_from(format!("\"v{version}-{hash:016x}\"")).ok()
}

/// Whether one of the entity tags in a header is that of `value`; `None` where there is no such header.
fn lists_tag(
    headers: &HeaderMap,
    name: &http::HeaderName,
    value: &Value,
    weak: bool,
) -> Option<bool> {
    if !headers.contains_key(name) {
        return None;
    }
    let own = etag(value)?;
    Some(crate::records::listed(headers, name).any(|tag| {
        let tag = if weak {
            tag.strip_prefix("W/").unwrap_or(tag)
        } else {
            tag
        };
        tag == "*" || tag.as_bytes() == own.as_bytes()
    }))
}

/// A query parameter that is an instant of the session's clock in milliseconds, in nanoseconds.
fn instant(call: &Call, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = call.parameter(name) else {
        return Ok(None);
    };
    let ms = whole(name, &text, &INSTANT_MS)?;
    Ok(Some(ms.saturating_mul(MS)))
}
