//! `GET /v1/events` and `GET /v1/events/{id}`: what happened to the caller's records, oldest first.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::LINK;

use super::EventOp;
use super::log::{Event, EventLog};
use super::stream;
use crate::call::Call;
use crate::key::Identity;
use crate::parameter::{cursor_text, page_limit};
use crate::problem::{Problem, invalid_parameter, not_found};
use crate::records::link;
use crate::reply::Reply;

/// Types one request may name.
const MAX_TYPES: usize = 100;
/// What [`Wanted::asked_for`] reads, as a regular expression: words of visible ASCII with commas between them.
pub(super) const TYPES_PATTERN: &str = "^ *[!-+\\--~]+ *(, *[!-+\\--~]+ *){0,99}$";

/// Answers an operation on events.
pub(crate) fn respond(call: &Call, op: EventOp, identity: &Identity) -> Reply {
    let answered = match op {
        EventOp::Get => get(call, identity),
        EventOp::List => list(call, identity),
        EventOp::Stream => stream::follow(call, identity),
    };
    answered.unwrap_or_else(|problem| call.problem(problem))
}

/// Which events a caller sees, and of these wants.
pub(super) struct Wanted {
    tenant: String,
    /// Types, exact or ending in `*`; none means all.
    types: Vec<String>,
}

impl Wanted {
    pub(super) fn asked_for(call: &Call, identity: &Identity) -> Result<Self, Problem> {
        let types: Vec<String> = call
            .parameter("type")
            .iter()
            .flat_map(|text| text.split(','))
            .map(|text| text.trim_matches(' ').to_owned())
            .collect();
        let is_type =
            |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if types.len() > MAX_TYPES || !types.iter().all(is_type) {
            return Err(invalid_parameter(
                "type",
                format!(
                    "type must be 1 to {MAX_TYPES} types with commas between them, such as contact.created or contact.*"
                ),
            ));
        }
        Ok(Self {
            tenant: identity.tenant.clone(),
            types,
        })
    }

    pub(super) fn has(&self, event: &Event) -> bool {
        let is_theirs = event
            .tenant
            .as_deref()
            .is_none_or(|tenant| tenant == self.tenant);
        is_theirs
            && (self.types.is_empty()
                || self
                    .types
                    .iter()
                    .any(|wanted| match wanted.strip_suffix('*') {
                        Some(prefix) => event.kind.starts_with(prefix),
                        None => **wanted == *event.kind,
                    }))
    }
}

/// Refuses to go on after an event when the next one is no longer there, or never was.
pub(super) fn check_after(log: &EventLog, after: u64) -> Result<(), Problem> {
    if after.saturating_add(1) >= log.oldest() && after <= log.last() {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::GONE,
        "events_gone",
        "what came after this event is no longer there; start again with GET /v1/events",
    )
    .with_member("oldest", log.oldest())
    .with_member("last", log.last()))
}

fn get(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let found = call.world.state().events.find(id).cloned();
    let wanted = Wanted {
        tenant: identity.tenant.clone(),
        types: Vec::new(),
    };
    let event = found
        .filter(|event| wanted.has(event))
        .ok_or_else(|| not_found(format!("there is no event {id}")))?;
    Ok(Reply::json_text(StatusCode::OK, event.json()))
}

fn list(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let wanted = Wanted::asked_for(call, identity)?;
    let limit = page_limit(call.parameter("limit").as_deref())?;
    let cursor = call.parameter("cursor");
    let after = match &cursor {
        None => None,
        Some(text) => Some(read_cursor(text).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_cursor",
                "the cursor was not made by this list; start again without one",
            )
        })?),
    };
    let mut page: Vec<Arc<Event>> = {
        let state = call.world.state();
        let log = &state.events;
        if let Some(after) = after {
            check_after(log, after)?;
        }
        let wanted = log
            .after(after.unwrap_or(0))
            .filter(|event| wanted.has(event));
        wanted.take(limit + 1).cloned().collect()
    };
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page
        .last()
        .filter(|_| more)
        .map(|last| URL_SAFE_NO_PAD.encode(format!("after:{}", last.seq)));
    let mut text = br#"{"data":["#.to_vec();
    for (at, event) in page.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&event.json());
    }
    let shown = serde_json::Value::from(next.clone());
    text.extend_from_slice(format!(r#"],"next_cursor":{shown},"has_more":{more}}}"#).as_bytes());
    let reply = Reply::json_text(StatusCode::OK, text.into());
    Ok(match next {
        Some(cursor) => reply.with_text(
            LINK,
            link(
                &call.own_url(),
                call.parts.uri.query().unwrap_or_default(),
                &cursor,
            ),
        ),
        None => reply,
    })
}

fn read_cursor(cursor: &str) -> Option<u64> {
    let text = cursor_text(cursor)?;
    text.strip_prefix("after:")?.parse().ok()
}
