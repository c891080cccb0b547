//! `POST /v1/batch`: up to 100 operations on records in one request, carried out in order under one lock.
//!
//! Each item has a status of its own. The `Idempotency-Key` of the request answers for the whole, that among an item's
//! headers for the item, so that a batch which is put together anew repeats nothing. With `atomic` all items are tried on a
//! copy first: if one fails nothing happens, and the others say 424 (RFC 4918). See decisions 0042 and 0046.

mod keys;

use std::collections::BTreeMap;

use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::api_version::ApiVersion;
use crate::call::Call;
use crate::key::Identity;
use crate::keyed::{REPLAYED, Scope, checked, idempotency_key, reserve_in, reserved};
use crate::op::{Action, Kind, Op};
use crate::openapi::Schemas;
use crate::openapi::schema::{
    anything, boolean, described, integer, list, map, object, refer, text, text_of, word,
};
use crate::problem::{Problem, insufficient_scope, not_found};
use crate::records::{
    Asked, act, acted, happened, json_object, keyed_row, refused, too_many_tenants,
};
use crate::reply::Reply;
use crate::routes::{Operation, route};
use crate::world::State;
use keys::Plan;

/// Items of one batch.
const MAX_ITEMS: usize = 100;
/// Characters of an operation's path with its query, and of a header's value.
const MAX_PATH_CHARS: usize = 8_000;
const MAX_HEADER_CHARS: usize = 2_000;
/// Headers of an answer that an item's result repeats.
const SHOWN: [HeaderName; 4] = [
    ETAG,
    LOCATION,
    HeaderName::from_static("accept-patch"),
    REPLAYED,
];
/// The header of an item's own key.
const KEY: &str = "idempotency-key";

pub(crate) static OPERATIONS: &[Operation] = &[Operation {
    op: Op::Batch,
    methods: &["POST"],
    path: "/v1/batch",
    about: |o| {
        let asked = json!({ "operations": [
            { "method": "GET", "path": "/v1/contacts/ct_000001" },
            { "method": "PATCH", "path": "/v1/users/us_000001", "body": { "role": "viewer" } }
        ] });
        let results = json!({ "results": [
            { "status": 200, "headers": { "etag": "\"v1-0\"" }, "body": Kind::Contacts.example() }
        ] });
        keyed_row(o.tag("Batch"))
            .summary("Carry out several operations on records")
            .detail(
                "In order, each with a status of its own. It counts as one call for the limits. A `POST` or `PATCH` may have \
                 an `Idempotency-Key` of its own among its `headers`; one that was answered before, in a batch or alone, is \
                 answered the same again, with `idempotency-replayed` among the result's headers.",
            )
            .json(refer("Batch"), asked)
            .ok(
                200,
                "what came of each, in order",
                refer("BatchResults"),
                results,
            )
            .problems(&[415])
    },
}];

pub(crate) fn schemas(schemas: &mut Schemas) {
    let item = object([
        (
            "method",
            word(&["GET", "POST", "PUT", "PATCH", "DELETE"]).into(),
        ),
        (
            "path",
            described(
                text_of(1, MAX_PATH_CHARS),
                "below `/v1/contacts`, `/v1/users` or `/v1/projects`, with its query",
            ),
        ),
        ("headers?", map(text_of(0, MAX_HEADER_CHARS)).into()),
        ("body?", anything().into()),
    ]);
    schemas.add(
        "Batch",
        object([
            (
                "operations",
                list(item)
                    .min_items(Some(1))
                    .max_items(Some(MAX_ITEMS))
                    .into(),
            ),
            ("atomic?", described(boolean(), "all or nothing")),
        ]),
    );
    let result = object([
        ("status", integer(200, 599).into()),
        ("headers", map(text()).into()),
        ("body", anything().into()),
    ]);
    schemas.add("BatchResults", object([("results", list(result).into())]));
}

#[derive(Deserialize)]
struct Batch {
    operations: Vec<Item>,
    #[serde(default)]
    atomic: bool,
}

#[derive(Deserialize)]
struct Item {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// As it was written: an item's key is tied to it, as that of a request is to its body.
    body: Option<Box<RawValue>>,
}

/// An item that can be carried out.
struct Step {
    kind: Kind,
    action: Action,
    method: Method,
    id: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    key: Option<String>,
}

/// Answers a batch.
pub(crate) async fn respond(call: &Call, identity: &Identity) -> Reply {
    let batch = match read(call) {
        Ok(batch) => batch,
        Err(problem) => return call.problem(problem),
    };
    let key = match idempotency_key(call) {
        Ok(key) => key,
        Err(problem) if problem.code() == "idempotency_key_required" && batch.is_keyed() => None,
        Err(problem) => return call.problem(problem),
    };
    let asked = &call.upload.bytes;
    let scope = key
        .as_deref()
        .map(|key| Scope::of_call(call, identity, key, asked));
    let reserved = match reserved(call, scope).await {
        Ok(reserved) => reserved,
        Err(reply) => return *reply,
    };
    let steps: Vec<Result<Step, Problem>> = batch
        .operations
        .iter()
        .map(|item| Step::of(item, identity))
        .collect();
    let plans = match keys::planned(call, &identity.tenant, &steps).await {
        Ok(plans) => plans,
        Err(problem) => {
            if let Some(reserved) = reserved {
                reserved.release(&mut call.world.state());
            }
            return call.problem(problem);
        }
    };
    let mut state = call.world.state();
    let of_batch = reserved.as_ref().map(|reserved| reserved.check(&state));
    if let Err(problem) = of_batch
        .unwrap_or(Ok(()))
        .and_then(|()| keys::check(&state, &plans))
    {
        return call.problem(problem);
    }
    let refused = if batch.atomic {
        tried(&mut state, call, identity, &plans)
    } else {
        None
    };
    let results = match refused {
        Some(refused) => {
            keys::release(&mut state, &plans);
            refused
        }
        None => carried_out(&mut state, call, identity, plans),
    };
    let mut reply = Reply::json(StatusCode::OK, &json!({ "results": results }));
    reply.committed = true;
    if let Some(reserved) = reserved {
        reserved.answered(&mut state, &reply);
    }
    reply
}

fn read(call: &Call) -> Result<Batch, Problem> {
    let is_json = call.parts.headers.get(http::header::CONTENT_TYPE);
    if is_json.is_some_and(|kind| crate::records::essence(kind) != "application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send JSON with content-type application/json",
        ));
    }
    json_object(&call.upload.bytes)?;
    let batch: Batch = serde_json::from_slice(&call.upload.bytes).map_err(|error| {
        let detail = format!("the batch is not of the right shape: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "malformed_batch", detail)
    })?;
    if !(1..=MAX_ITEMS).contains(&batch.operations.len()) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_batch",
            format!("a batch has 1 to {MAX_ITEMS} operations"),
        ));
    }
    for item in &batch.operations {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&item.method.as_str());
        let path_chars = item.path.chars().count();
        let mut headers = item.headers.values();
        if !known
            || !(1..=MAX_PATH_CHARS).contains(&path_chars)
            || headers.any(|value| value.chars().count() > MAX_HEADER_CHARS)
        {
            let detail = format!(
                "each operation has a method (GET, POST, PUT, PATCH, DELETE), a path of 1 to {MAX_PATH_CHARS} characters, \
                 and headers of at most {MAX_HEADER_CHARS}"
            );
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_batch",
                detail,
            ));
        }
    }
    Ok(batch)
}

impl Batch {
    /// Whether each item that may have a key has one, and there are such.
    fn is_keyed(&self) -> bool {
        let mut items = self.operations.iter();
        let may_have = |item: &&Item| matches!(item.method.as_str(), "POST" | "PATCH");
        let keyed = |item: &Item| {
            let mut names = item.headers.keys();
            names.any(|name| name.eq_ignore_ascii_case(KEY))
        };
        items.clone().any(|item| may_have(&item))
            && items.all(|item| !may_have(&item) || keyed(item))
    }
}

impl Step {
    fn of(item: &Item, identity: &Identity) -> Result<Self, Problem> {
        let method = Method::from_bytes(item.method.as_bytes()).unwrap_or_default();
        let (path, query) = item.path.split_once('?').unwrap_or((&item.path, ""));
        let route = route(&method, path);
        let Op::Resource(kind, action) = route.op else {
            let detail = format!(
                "a batch has no {} {path}; only operations on records",
                item.method
            );
            return Err(not_found(detail));
        };
        if let Some(scope) = route.op.scope().filter(|scope| !identity.has(scope)) {
            return Err(insufficient_scope(scope).0);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &item.headers {
            let wrong = || {
                let detail = format!("{name:?} is no header that can be sent");
                Problem::new(StatusCode::BAD_REQUEST, "malformed_batch", detail)
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            headers.insert(name, value);
        }
        let may_have_key = matches!(method, Method::POST | Method::PATCH);
        let key = headers.get(KEY).filter(|_| may_have_key);
        let key = key.map(|key| checked(key.as_bytes())).transpose()?;
        Ok(Self {
            kind,
            action,
            method,
            key,
            id: route.argument.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: item
                .body
                .as_ref()
                .map(|body| body.get().as_bytes().to_vec())
                .unwrap_or_default(),
        })
    }

    /// What its key belongs to, if it has one: the same as that of a request which asks for the same.
    fn scope(&self, tenant: &str) -> Option<Scope> {
        let (method, key) = (self.method.as_str(), self.key.as_ref()?);
        Some(Scope::of(tenant, method, &self.path, key, &self.body))
    }

    fn asked(&self, call: &Call, state: &State, now_ns: u64) -> Asked<'_> {
        Asked {
            kind: self.kind,
            action: self.action,
            id: &self.id,
            headers: &self.headers,
            query: &self.query,
            body: &self.body,
            url: format!("{}{}", call.origin(), self.path),
            version: ApiVersion::of(call).unwrap_or_default(),
            dated: state.options.last_modified,
            conditional: state.options.require_if_match,
            now_ns,
        }
    }
}

/// What an atomic batch is refused with: nothing of it happened. `None` when all of it can be done.
fn tried(
    state: &mut State,
    call: &Call,
    identity: &Identity,
    plans: &[Plan<'_>],
) -> Option<Vec<Value>> {
    let now_ns = call.world.clock.now_ns();
    let mut copy = match state.tenant(&identity.tenant) {
        Ok(tenant) => tenant.collections.clone(),
        Err(_) => return Some(vec![shown(&call.problem(too_many_tenants())); plans.len()]),
    };
    let mut failed = None;
    for (at, plan) in plans.iter().enumerate() {
        let failure = match plan {
            Plan::Act(step, _) => match act(&mut copy, &step.asked(call, state, now_ns), now_ns) {
                Ok(_) => continue,
                Err(problem) => shown(&call.problem(problem)),
            },
            // What happened before, or will have happened then, is not tried again.
            Plan::Said(reply) if reply.status.is_success() => continue,
            Plan::Later(..) => continue,
            Plan::Said(reply) => shown(reply),
        };
        failed = Some((at, failure));
        break;
    }
    let (failed_at, failure) = failed?;
    let other = || {
        Problem::new(
            StatusCode::FAILED_DEPENDENCY,
            "batch_refused",
            format!("operation {failed_at} cannot be done, so none was"),
        )
    };
    let results = (0..plans.len()).map(|at| {
        if at == failed_at {
            failure.clone()
        } else {
            shown(&call.problem(other()))
        }
    });
    Some(results.collect())
}

fn carried_out(
    state: &mut State,
    call: &Call,
    identity: &Identity,
    plans: Vec<Plan<'_>>,
) -> Vec<Value> {
    let now_ns = call.world.clock.now_ns();
    let tenant = identity.tenant.as_str();
    let mut results = Vec::with_capacity(plans.len());
    for plan in plans {
        let (step, reserved) = match plan {
            Plan::Said(reply) => {
                results.push(shown(&reply));
                continue;
            }
            Plan::Act(step, reserved) => (step, reserved),
            // The operation before it was answered, unless by an error that is not kept: then it is tried once more.
            Plan::Later(step, scope) => match reserve_in(call, state, scope) {
                Ok(reserved) => (step, Some(reserved)),
                Err(reply) => {
                    results.push(shown(&reply));
                    continue;
                }
            },
        };
        let asked = step.asked(call, state, now_ns);
        let reply = match acted(state, &asked, tenant, now_ns) {
            Ok((reply, change)) => {
                if let Some(change) = change {
                    let key = step.key.as_deref();
                    happened(state, &call.world, tenant, &change, key, now_ns);
                }
                reply
            }
            Err(problem) => refused(call.problem(problem), step.action),
        };
        if let Some(reserved) = reserved {
            reserved.answered(state, &reply);
        }
        results.push(shown(&reply));
    }
    results
}

/// An answer as an item's result.
fn shown(reply: &Reply) -> Value {
    let mut headers = Map::new();
    for name in SHOWN {
        if let Some(value) = reply
            .headers
            .get(&name)
            .and_then(|value| value.to_str().ok())
        {
            headers.insert(name.as_str().into(), value.into());
        }
    }
    let body = reply.body.whole().filter(|body| !body.is_empty());
    let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    json!({ "status": reply.status.as_u16(), "headers": headers, "body": body })
}
