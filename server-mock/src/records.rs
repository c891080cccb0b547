//! The HTTP of records: create, read, list, replace, merge-patch (RFC 7396) and delete, with entity tags (RFC 9110).

mod listing;
mod operations;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONTENT_TYPE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, LOCATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::api_version::ApiVersion;
use crate::call::Call;
use crate::clock::NS;
use crate::jobs;
use crate::key::Identity;
use crate::keyed::once;
use crate::op::{Action, Kind, Op};
use crate::problem::{FieldError, Problem, invalid_parameter, not_found, validation_failed};
use crate::reply::Reply;
use crate::resource::{Collections, MAX_RECORDS, Record, Values};
use crate::timestamp::date_header;
use crate::world::{State, World};

pub(crate) use listing::link;
pub(crate) use operations::{
    CONTACTS, MERGE_PATCH, NESTED, PROJECTS, USERS, conditional, identified, keyed as keyed_row,
    listing as listing_row, paged, versioned,
};

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const PATCHES: HeaderValue =
    HeaderValue::from_static("application/merge-patch+json, application/json");

/// What is asked of records, by a request or by an item of a batch.
pub(crate) struct Asked<'a> {
    pub(crate) kind: Kind,
    pub(crate) action: Action,
    /// Nothing for a collection.
    pub(crate) id: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    /// Where it was asked, for the links of pages.
    pub(crate) url: String,
    pub(crate) version: ApiVersion,
    /// Whether records say when they were changed.
    pub(crate) dated: bool,
    /// Whether changes have to say what they change.
    pub(crate) conditional: bool,
    /// The session's clock, for what records show of it.
    pub(crate) now_ns: u64,
}

/// What came of it, to be counted and told.
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) action: Action,
    pub(crate) record: Arc<Record>,
}

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
    once(call, identity, latency, |state, key| {
        let now_ns = call.world.clock.now_ns();
        let asked = asked(call, state, kind, action, now_ns);
        let tenant = identity.tenant.as_str();
        match acted(state, &asked, tenant, now_ns) {
            Ok((reply, change)) => {
                if let Some(change) = change {
                    happened(state, &call.world, tenant, &change, key, now_ns);
                }
                reply
            }
            Err(problem) => refused(call.problem(problem), action),
        }
    })
    .await
}

/// Carries out one operation on the records of a tenant, where its event finds room.
pub(crate) fn acted(
    state: &mut State,
    asked: &Asked,
    tenant: &str,
    now_ns: u64,
) -> Result<(Reply, Option<Change>), Problem> {
    if asked.action.writes() && !state.events.has_room() {
        return Err(outbox_full());
    }
    let tenant = state.tenant(tenant).map_err(|_| too_many_tenants())?;
    act(&mut tenant.collections, asked, now_ns)
}

/// What a request asks of records.
pub(crate) fn asked<'a>(
    call: &'a Call,
    state: &State,
    kind: Kind,
    action: Action,
    now_ns: u64,
) -> Asked<'a> {
    Asked {
        kind,
        action,
        id: call.route().argument,
        headers: &call.parts.headers,
        query: call.parts.uri.query().unwrap_or_default(),
        body: &call.upload.bytes,
        url: call.own_url(),
        version: ApiVersion::of(call).unwrap_or_default(),
        dated: state.options.last_modified,
        conditional: state.options.require_if_match,
        now_ns,
    }
}

/// The contacts of a project, as a list like any other.
pub(crate) fn of_project(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let now_ns = call.world.clock.now_ns();
    let mut state = call.world.state();
    let asked = asked(call, &state, Kind::Contacts, Action::List, now_ns);
    let tenant = state.tenant(&identity.tenant);
    let collections = &tenant.map_err(|_| too_many_tenants())?.collections;
    let project = collections
        .of(Kind::Projects)
        .find(asked.id)
        .ok_or_else(|| missing(Kind::Projects, asked.id))?;
    let ids = project.value(Kind::Projects, "contact_ids");
    let ids = ids.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let contacts = collections.of(Kind::Contacts);
    let mut found: Vec<_> = ids
        .iter()
        .filter_map(|id| contacts.find(id.as_str()?))
        .map(Arc::clone)
        .collect();
    found.sort_by_key(|record| record.number);
    listing::among(&asked, &found)
}

/// Carries out one operation on a tenant's records.
pub(crate) fn act(
    collections: &mut Collections,
    asked: &Asked,
    now_ns: u64,
) -> Result<(Reply, Option<Change>), Problem> {
    let kind = asked.kind;
    if asked.action == Action::List {
        return Ok((listing::all(asked, collections.of(kind))?, None));
    }
    if asked.action == Action::Create {
        let body = object(asked)?;
        if body.contains_key("id") {
            return Err(validation_failed(vec![FieldError {
                pointer: "/id".into(),
                code: "read_only",
                detail: "the gateway makes ids; use external_id or a field of your own".into(),
            }]));
        }
        let values = kind.values(&body).map_err(|errors| wrong(asked, errors))?;
        let record = created(collections, kind, values, now_ns)?;
        let location = format!("/v1/{}/{}", kind.name(), kind.id(record.number));
        let reply = written(StatusCode::CREATED, asked, &record).with_text(LOCATION, location);
        return Ok((reply, Some(Change::new(asked, record))));
    }
    let record = Arc::clone(
        collections
            .of(kind)
            .find(asked.id)
            .ok_or_else(|| missing(kind, asked.id))?,
    );
    if asked.action == Action::Get {
        let more = expanded(collections, asked, &record)?;
        return Ok((read(asked, &record, &more), None));
    }
    if_match(asked, &record)?;
    if asked.action == Action::Delete {
        collections.of_mut(kind).remove(record.number);
        let reply = Reply::new(StatusCode::NO_CONTENT).committed();
        return Ok((reply, Some(Change::new(asked, record))));
    }
    let whole = asked.action == Action::Replace;
    let body = object(asked)?;
    let values = collections
        .of(kind)
        .patched(&record, &body, whole)
        .map_err(|errors| wrong(asked, errors))?;
    collections
        .check_references(kind, &values)
        .map_err(validation_failed)?;
    let next = collections.of_mut(kind).change(&record, values, now_ns);
    let reply = written(StatusCode::OK, asked, &next);
    Ok((reply, Some(Change::new(asked, next))))
}

/// Makes a record of values that keep to the rules of its kind.
pub(crate) fn created(
    collections: &mut Collections,
    kind: Kind,
    values: Values,
    now_ns: u64,
) -> Result<Arc<Record>, Problem> {
    collections
        .check_references(kind, &values)
        .map_err(validation_failed)?;
    let collection = collections.of_mut(kind);
    if collection.len() >= MAX_RECORDS {
        return Err(Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "too_many_records",
            format!("a tenant has at most {MAX_RECORDS} {}", kind.name()),
        )
        .retryable(false));
    }
    Ok(collection.create(values, now_ns))
}

impl Asked<'_> {
    /// A record's JSON and entity tag, as the caller sees them.
    fn shown(&self, record: &Record) -> (Bytes, HeaderValue) {
        match self.kind {
            Kind::Jobs => jobs::shown(record, self.now_ns),
            kind => record.as_of(kind, self.version),
        }
    }
}

/// A page of all records of a kind.
pub(crate) fn page_of(asked: &Asked, collections: &Collections) -> Result<Reply, Problem> {
    listing::all(asked, collections.of(asked.kind))
}

impl Change {
    fn new(asked: &Asked, record: Arc<Record>) -> Self {
        Self {
            kind: asked.kind,
            action: asked.action,
            record,
        }
    }
}

/// Counts a side effect, keeps it, and publishes its event: all of it one transaction.
pub(crate) fn happened(
    state: &mut State,
    world: &Arc<World>,
    tenant: &str,
    change: &Change,
    key: Option<&str>,
    now_ns: u64,
) {
    let Change {
        kind,
        action,
        record,
    } = change;
    let name = Op::Resource(*kind, *action).name();
    state.happened(name, key, record.external_id(*kind));
    state.keep_record(tenant, *kind, record.number);
    let verb = match action {
        Action::Create => "created",
        Action::Delete => "deleted",
        _ => "updated",
    };
    let event = format!("{}.{verb}", kind.singular());
    world.publish(state, Some(tenant), &event, record.json.clone(), now_ns);
}

/// Events wait for a relay that does not come; what would publish more of them is refused.
pub(crate) fn outbox_full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "outbox_full",
        "too many events wait to be relayed; look at the broker, then try again",
    )
}

pub(crate) fn missing(kind: Kind, id: &str) -> Problem {
    not_found(format!("there is no {} {id}", kind.singular()))
}

/// 422, with the fields named as the caller's version has them.
fn wrong(asked: &Asked, mut errors: Vec<FieldError>) -> Problem {
    for error in &mut errors {
        let pointer = std::mem::take(&mut error.pointer);
        error.pointer = asked.version.pointer(asked.kind, pointer);
    }
    validation_failed(errors)
}

/// A record after a change.
pub(crate) fn written(status: StatusCode, asked: &Asked, record: &Record) -> Reply {
    let (json, tag) = asked.shown(record);
    tagged(
        Reply::json_text(status, json).committed(),
        asked,
        record,
        tag,
    )
}

fn tagged(reply: Reply, asked: &Asked, record: &Record, tag: HeaderValue) -> Reply {
    let reply = reply.with(ETAG, tag);
    if asked.dated {
        reply.with(LAST_MODIFIED, date_header(record.updated_ns))
    } else {
        reply
    }
}

/// The records that a project names, in place, where the caller asks for them by `expand=owner,contacts`.
fn expanded(
    collections: &Collections,
    asked: &Asked,
    record: &Record,
) -> Result<Map<String, Value>, Problem> {
    let mut more = Map::new();
    if asked.kind != Kind::Projects {
        return Ok(more);
    }
    let parse = |record: &Arc<Record>, kind: Kind| -> Value {
        let (json, _) = record.as_of(kind, asked.version);
        serde_json::from_slice(&json).unwrap_or_default()
    };
    let asked_for = url::form_urlencoded::parse(asked.query.as_bytes())
        .find(|(name, _)| name == "expand")
        .map(|(_, value)| value.into_owned());
    for name in asked_for.iter().flat_map(|names| names.split(',')) {
        let value = match name {
            "owner" => {
                let id = record.value(Kind::Projects, "owner_id");
                let found = id.and_then(|id| collections.of(Kind::Users).find(id.as_str()?));
                found.map_or(Value::Null, |user| parse(user, Kind::Users))
            }
            "contacts" => {
                let ids = record.value(Kind::Projects, "contact_ids");
                let ids = ids.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let contacts = collections.of(Kind::Contacts);
                ids.iter()
                    .filter_map(|id| contacts.find(id.as_str()?))
                    .map(|contact| parse(contact, Kind::Contacts))
                    .collect()
            }
            _ => {
                return Err(invalid_parameter(
                    "expand",
                    "expand must name some of owner,contacts",
                ));
            }
        };
        more.insert(name.into(), value);
    }
    Ok(more)
}

/// A record, or 304 when the caller has it: by entity tag (weak comparison, RFC 9110, section 13.1.2), else by date
/// (section 13.1.3).
pub(crate) fn read(asked: &Asked, record: &Record, more: &Map<String, Value>) -> Reply {
    let (json, tag) = if more.is_empty() {
        asked.shown(record)
    } else {
        let json = record.written(asked.kind, asked.version, more);
        let tag = record.tag_of(&json);
        (json.into(), tag)
    };
    let headers = asked.headers;
    let fresh = if headers.contains_key(IF_NONE_MATCH) {
        listed(headers, &IF_NONE_MATCH).any(|known| {
            known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
        })
    } else {
        asked.dated
            && date_in(headers, &IF_MODIFIED_SINCE)
                .is_some_and(|since| record.updated_ns / NS <= since)
    };
    let reply = if fresh {
        Reply::new(StatusCode::NOT_MODIFIED)
    } else {
        Reply::json_text(StatusCode::OK, json)
    };
    tagged(reply, asked, record, tag)
}

/// A header's date in seconds since the Unix epoch.
pub(crate) fn date_in(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    Some(date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

/// Refuses a change of a record that is no longer what the caller saw: by entity tag (strong comparison, section
/// 13.1.1), else by date (section 13.1.4). Where the session asks for it, a change that says neither gets 428 (RFC 6585).
pub(crate) fn if_match(asked: &Asked, record: &Record) -> Result<(), Problem> {
    let headers = asked.headers;
    let stale = if headers.contains_key(IF_MATCH) {
        let (_, tag) = asked.shown(record);
        !listed(headers, &IF_MATCH).any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
    } else if asked.dated && headers.contains_key(IF_UNMODIFIED_SINCE) {
        date_in(headers, &IF_UNMODIFIED_SINCE).is_some_and(|since| record.updated_ns / NS > since)
    } else if asked.conditional {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition_required",
            "read the record and send its ETag in If-Match with this change",
        ));
    } else {
        false
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

/// The body as a JSON object, with the names of the newest version.
pub(crate) fn object(asked: &Asked) -> Result<Map<String, Value>, Problem> {
    if let Some(content_type) = asked.headers.get(CONTENT_TYPE) {
        let essence = essence(content_type);
        let good = match asked.action {
            Action::Update => matches!(
                essence.as_str(),
                "application/json" | "application/merge-patch+json"
            ),
            _ => essence == "application/json" || essence.ends_with("+json"),
        };
        if !good {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send JSON with content-type application/json or application/merge-patch+json",
            ));
        }
    }
    let mut body = json_object(asked.body)?;
    asked
        .version
        .understood(asked.kind, &mut body)
        .map_err(|error| validation_failed(vec![error]))?;
    Ok(body)
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(content_type: &HeaderValue) -> String {
    let text = content_type.to_str().unwrap_or("");
    let essence = text.split(';').next().unwrap_or("");
    essence.trim().to_ascii_lowercase()
}

/// A body as a JSON object, or 400.
pub(crate) fn json_object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let malformed =
        |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("the body must be a JSON object".into())),
        Err(error) => Err(malformed(format!(
            "the body is not JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// A refusal; that of a patch's media type says which are good (RFC 5789, section 2.2).
pub(crate) fn refused(reply: Reply, action: Action) -> Reply {
    if action == Action::Update && reply.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return reply.with(ACCEPT_PATCH, PATCHES);
    }
    reply
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
