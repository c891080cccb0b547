//! The HTTP of records: create, read, list, replace, merge-patch (RFC 7396) and delete, with entity tags (RFC 9110).

mod operations;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    CONTENT_TYPE, ETAG, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, LINK, LOCATION,
};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::clock::NS;
use crate::key::Identity;
use crate::keyed::{idempotency_key, reserved};
use crate::op::{Action, Kind};
use crate::problem::{Problem, invalid_parameter, not_found, validation_failed};
use crate::reply::Reply;
use crate::resource::{MAX_RECORDS, Record};
use crate::timestamp::date_header;
use crate::world::State;

pub(crate) use operations::{CONTACTS, USERS, keyed as keyed_row, paged};

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;

/// Answers an operation on records. `latency` passes after an idempotency key is stored and before anything happens.
///
/// Never dropped in between: without latency there is nothing to wait for, with it the caller runs this as a task.
pub(crate) async fn respond(
    call: &Call,
    kind: Kind,
    action: Action,
    identity: &Identity,
    latency: Duration,
) -> Reply {
    let key = match idempotency_key(call) {
        Ok(key) => key,
        Err(problem) => return call.problem(problem),
    };
    let reserved = match reserved(call, identity, key.as_deref()).await {
        Ok(reserved) => reserved,
        Err(reply) => return *reply,
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let now_ns = call.world.clock.now_ns();
    let mut state = call.world.state();
    if let Some(Err(problem)) = reserved.as_ref().map(|reserved| reserved.check(&state)) {
        return call.problem(problem);
    }
    let reply = act(
        &mut state,
        call,
        kind,
        action,
        identity,
        key.as_deref(),
        now_ns,
    )
    .unwrap_or_else(|problem| call.problem(problem));
    if let Some(reserved) = reserved {
        reserved.answered(&mut state, &reply);
    }
    reply
}

/// Carries out one operation under the session's lock.
fn act(
    state: &mut State,
    call: &Call,
    kind: Kind,
    action: Action,
    identity: &Identity,
    key: Option<&str>,
    now_ns: u64,
) -> Result<Reply, Problem> {
    if action.writes() && !state.events.has_room() {
        return Err(outbox_full());
    }
    let dated = state.options.last_modified;
    let tenant = identity.tenant.as_str();
    let collection = state
        .tenant(&identity.tenant)
        .map_err(|_| too_many_tenants())?
        .collection(kind);
    if action == Action::List {
        let page = Page::asked_for(call, kind)?;
        let (records, more) = collection.page(page.after, page.limit);
        return Ok(page.reply(call, kind, &records, more));
    }
    if action == Action::Create {
        let values = kind.values(&object(call)?).map_err(validation_failed)?;
        if collection.len() >= MAX_RECORDS {
            return Err(Problem::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "too_many_records",
                format!("a tenant has at most {MAX_RECORDS} {}", kind.name()),
            )
            .retryable(false));
        }
        let record = collection.create(values, now_ns);
        happened(state, call, (tenant, kind, "created"), key, &record, now_ns);
        let location = format!("/v1/{}/{}", kind.name(), kind.id(record.number));
        return Ok(written(StatusCode::CREATED, &record, dated).with_text(LOCATION, location));
    }
    let id = call.route().argument;
    let record = Arc::clone(
        collection
            .find(id)
            .ok_or_else(|| not_found(format!("there is no {} {id}", kind.singular())))?,
    );
    if action == Action::Get {
        return Ok(read(&call.parts.headers, &record, dated));
    }
    if_match(&call.parts.headers, &record, dated)?;
    let reply = if action == Action::Delete {
        collection.remove(record.number);
        happened(state, call, (tenant, kind, "deleted"), key, &record, now_ns);
        Reply::new(StatusCode::NO_CONTENT).committed()
    } else {
        let whole = action == Action::Replace;
        let next = collection
            .change(&record, &object(call)?, whole, now_ns)
            .map_err(validation_failed)?;
        happened(state, call, (tenant, kind, "updated"), key, &next, now_ns);
        written(StatusCode::OK, &next, dated)
    };
    Ok(reply)
}

/// Counts a side effect, keeps it, and publishes its event: all of it one transaction.
fn happened(
    state: &mut State,
    call: &Call,
    (tenant, kind, verb): (&str, Kind, &str),
    key: Option<&str>,
    record: &Record,
    now_ns: u64,
) {
    state.happened(call.op.name(), key, record.external_id(kind));
    state.keep_record(tenant, kind, record.number);
    let event = format!("{}.{verb}", kind.singular());
    let data = record.json.clone();
    call.world
        .publish(state, Some(tenant), &event, data, now_ns);
}

/// Events wait for a relay that does not come; what would publish more of them is refused.
fn outbox_full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "outbox_full",
        "too many events wait to be relayed; look at the broker, then try again",
    )
}

fn written(status: StatusCode, record: &Record, dated: bool) -> Reply {
    let reply = Reply::json_text(status, record.json.clone()).committed();
    tagged(reply, record, dated)
}

fn tagged(reply: Reply, record: &Record, dated: bool) -> Reply {
    let reply = reply.with(ETAG, record.etag.clone());
    if dated {
        reply.with(LAST_MODIFIED, date_header(record.updated_ns))
    } else {
        reply
    }
}

/// A record, or 304 when the caller has it: by entity tag (weak comparison, RFC 9110, section 13.1.2), else by date
/// (section 13.1.3).
fn read(headers: &HeaderMap, record: &Record, dated: bool) -> Reply {
    let fresh = if headers.contains_key(IF_NONE_MATCH) {
        listed(headers, &IF_NONE_MATCH).any(|tag| {
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == record.etag.as_bytes()
        })
    } else {
        dated
            && date_in(headers, &IF_MODIFIED_SINCE)
                .is_some_and(|since| record.updated_ns / NS <= since)
    };
    let reply = if fresh {
        Reply::new(StatusCode::NOT_MODIFIED)
    } else {
        Reply::json_text(StatusCode::OK, record.json.clone())
    };
    tagged(reply, record, dated)
}

/// A header's date in seconds since the Unix epoch.
pub(crate) fn date_in(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    Some(date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

/// Refuses a change of a record that is no longer what the caller saw: by entity tag (strong comparison, section
/// 13.1.1), else by date (section 13.1.4).
fn if_match(headers: &HeaderMap, record: &Record, dated: bool) -> Result<(), Problem> {
    let stale = if headers.contains_key(IF_MATCH) {
        !listed(headers, &IF_MATCH)
            .any(|tag| tag == "*" || tag.as_bytes() == record.etag.as_bytes())
    } else {
        dated
            && date_in(headers, &IF_UNMODIFIED_SINCE)
                .is_some_and(|since| record.updated_ns / NS > since)
    };
    if stale {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "the record has changed since; read it again and use its ETag in If-Match",
        ));
    }
    Ok(())
}

/// The members of a header that is a list.
pub(crate) fn listed<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// The body as a JSON object.
fn object(call: &Call) -> Result<Map<String, Value>, Problem> {
    if let Some(content_type) = call.parts.headers.get(CONTENT_TYPE) {
        let text = content_type.to_str().unwrap_or("");
        let essence = text
            .split(';')
            .next()
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send JSON with content-type application/json or application/merge-patch+json",
            ));
        }
    }
    match serde_json::from_slice(&call.upload.bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            "the body must be a JSON object",
        )),
        Err(error) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            format!(
                "the body is not JSON at line {}, column {}",
                error.line(),
                error.column()
            ),
        )),
    }
}

/// A session that can take no more tenants.
pub(crate) fn too_many_tenants() -> Problem {
    Problem::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "too_many_tenants",
        "this session has all the tenants it can have; use fewer tenants or another X-Mock-Session",
    )
    .retryable(false)
}

/// A page of a list: records after a cursor, in order of creation. Records made or deleted meanwhile double none.
struct Page {
    after: u64,
    limit: usize,
}

impl Page {
    fn asked_for(call: &Call, kind: Kind) -> Result<Self, Problem> {
        let limit = match call.parameter("limit") {
            None => DEFAULT_PAGE,
            Some(text) => match text.parse::<u32>() {
                Ok(limit @ 1..) => usize::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE),
                _ => {
                    return Err(invalid_parameter(
                        "limit",
                        format!("limit must be a number from 1 to {MAX_PAGE}"),
                    ));
                }
            },
        };
        let after = match call.parameter("cursor") {
            None => 0,
            Some(text) => number_in(&text, kind).ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_cursor",
                    "the cursor was not made by this list; start again without one",
                )
            })?,
        };
        Ok(Self { after, limit })
    }

    fn reply(&self, call: &Call, kind: Kind, records: &[&Arc<Record>], more: bool) -> Reply {
        let mut text = Vec::with_capacity(
            64 + records
                .iter()
                .map(|record| record.json.len() + 1)
                .sum::<usize>(),
        );
        text.extend_from_slice(b"{\"data\":[");
        for (at, record) in records.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&record.json);
        }
        let cursor = records
            .last()
            .filter(|_| more)
            .map(|last| cursor(last.number, kind));
        match &cursor {
            Some(cursor) => {
                text.extend_from_slice(format!("],\"next_cursor\":\"{cursor}\"").as_bytes())
            }
            None => text.extend_from_slice(b"],\"next_cursor\":null"),
        }
        text.extend_from_slice(format!(",\"has_more\":{more}}}").as_bytes());
        let reply = Reply::json_text(StatusCode::OK, Bytes::from(text));
        match cursor {
            Some(cursor) => reply.with_text(LINK, link(call, &cursor)),
            None => reply,
        }
    }
}

fn cursor(number: u64, kind: Kind) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{}", kind.id(number)))
}

fn number_in(cursor: &str, kind: Kind) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    kind.number(text.strip_prefix("after:")?)
}

/// The address of the next page as the caller would write it, without credentials.
pub(crate) fn link(call: &Call, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in
        url::form_urlencoded::parse(call.parts.uri.query().unwrap_or("").as_bytes())
    {
        if name != "cursor" && name != "api_key" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    let origin = call
        .header(HOST.as_str())
        .and_then(|host| std::str::from_utf8(host).ok())
        .map(|host| format!("http://{host}"))
        .unwrap_or_default();
    format!("<{origin}{}?{}>; rel=\"next\"", call.path(), query.finish())
}
