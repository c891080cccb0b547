//! Files: stored whole, from a form or in parts, downloaded whole or in ranges, with digests (RFC 9530), and an export of JSON lines.
//!
//! `gen-{size}-{seed}` is a file nobody uploaded: SplitMix64's words, little-endian, the same for the same name until
//! the admin port changes it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha512};

use crate::call::{Call, UploadEnd};
use crate::key::Identity;
use crate::keyed::{Scope, idempotency_key, once_as};
use crate::problem::{Problem, not_found};
use crate::reply::Reply;
use crate::world::State;

mod content;
mod export;
mod form;
mod keep;
mod operations;
mod source;
mod store;
mod upload;

use form::Form;
pub(crate) use keep::KINDS;
pub(crate) use operations::{OPERATIONS, schemas};
pub(crate) use store::Files;
pub(crate) use upload::with_upload_options;

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// An operation on files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileOp {
    Append,
    Cancel,
    Content,
    Create,
    Delete,
    Export,
    Get,
    Offset,
    Replace,
}

/// Answers an operation on files.
pub(crate) async fn respond(call: &Call, op: FileOp, identity: &Identity) -> Reply {
    let answered = match op {
        FileOp::Append => upload::append(call, identity),
        FileOp::Cancel => upload::cancel(call, identity),
        FileOp::Content => content::content(call, identity),
        // Of a body that broke nothing is answered, so there is nothing to repeat.
        FileOp::Create if call.upload.end != UploadEnd::Complete => {
            create(call, &mut call.world.state(), identity, None, None)
        }
        FileOp::Create => return created(call, identity).await,
        FileOp::Delete => delete(call, identity),
        FileOp::Export => export::export(call),
        FileOp::Get => get(call, identity),
        FileOp::Offset => upload::offset(call, identity),
        FileOp::Replace => replace(call, identity),
    };
    answered.unwrap_or_else(|problem| call.problem(problem))
}

/// Creates once for each key: it is stored before anything happens, and its answer in the transaction of the file.
async fn created(call: &Call, identity: &Identity) -> Reply {
    let key = match idempotency_key(call) {
        Ok(key) => key,
        Err(problem) => return call.problem(problem),
    };
    let form = match form::of(call).await {
        Ok(form) => form,
        Err(problem) => return call.problem(problem),
    };
    let scope = key.as_deref().map(|key| {
        let asked = form.as_ref().map(|form| &form.fingerprint[..]);
        Scope::of_call(call, identity, key, asked.unwrap_or(&call.upload.bytes))
    });
    let key = key.as_deref();
    once_as(call, scope, Duration::ZERO, |state| {
        let made = create(call, state, identity, key, form);
        made.unwrap_or_else(|problem| call.problem(problem))
    })
    .await
}

fn create(
    call: &Call,
    state: &mut State,
    identity: &Identity,
    key: Option<&str>,
    form: Option<Form>,
) -> Result<Reply, Problem> {
    let bytes = &call.upload.bytes;
    let whole = call.upload.end == UploadEnd::Complete;
    if whole {
        digest(call, "content-digest", bytes)?;
    }
    if let Some(complete) = upload::flag(call) {
        return upload::create(call, state, identity, complete, key);
    }
    if !whole {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "incomplete_body",
            "the body broke off; nothing was stored",
        ));
    }
    digest(call, "repr-digest", bytes)?;
    let (bytes, kind, name) = match form {
        Some(form) => (form.bytes, form.kind, form.name),
        None => (bytes.clone(), content_type(call), None),
    };
    state.files.room_for(bytes.len(), bytes.len())?;
    let reply = state.files.store(&identity.tenant, bytes, kind, name);
    state.happened(call.op.name(), key, None);
    Ok(reply)
}

fn content_type(call: &Call) -> HeaderValue {
    call.parts
        .headers
        .get(CONTENT_TYPE)
        .cloned()
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Refuses bytes that are not what a digest header says.
fn digest(call: &Call, name: &str, bytes: &[u8]) -> Result<(), Problem> {
    match call.header(name) {
        Some(said) => check_digest(name, said, bytes),
        None => Ok(()),
    }
}

/// Refuses bytes of which a digest (RFC 9530) is wrong. SHA-256 and SHA-512 are known here; others say nothing.
fn check_digest(name: &str, said: &[u8], bytes: &[u8]) -> Result<(), Problem> {
    let text = String::from_utf8_lossy(said);
    let is_right = text.split(',').all(|item| {
        let right = match item.trim().split_once('=') {
            Some(("sha-256", said)) => Some((said, STANDARD.encode(Sha256::digest(bytes)))),
            Some(("sha-512", said)) => Some((said, STANDARD.encode(Sha512::digest(bytes)))),
            _ => None,
        };
        right.is_none_or(|(said, right)| said == format!(":{right}:"))
    });
    if is_right {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "digest_mismatch",
        format!("the bytes are not those of {name}"),
    ))
}

fn no_file(id: &str) -> Problem {
    not_found(format!("there is no file {id}"))
}

fn get(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let state = call.world.state();
    let found = state.files.source(&identity.tenant, id);
    let (source, kind, etag) = found.ok_or_else(|| no_file(id))?;
    let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
    let mut body = json!({ "id": id, "size": source.size(), "content_type": kind });
    if let (Some(name), Some(members)) =
        (state.files.name(&identity.tenant, id), body.as_object_mut())
    {
        members.insert("filename".into(), name.into());
    }
    Ok(Reply::json(StatusCode::OK, &body).with(ETAG, etag))
}

fn delete(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    if !call.world.state().files.remove(&identity.tenant, id) {
        return Err(no_file(id));
    }
    Ok(Reply::new(StatusCode::NO_CONTENT).committed())
}

fn replace(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let bytes = &call.upload.bytes;
    digest(call, "content-digest", bytes)?;
    digest(call, "repr-digest", bytes)?;
    let mut state = call.world.state();
    let replaced = state.files.replace(&identity.tenant, id, bytes.clone());
    let etag = replaced.ok_or_else(|| no_file(id))??;
    Ok(Reply::new(StatusCode::NO_CONTENT)
        .with(ETAG, etag)
        .committed())
}
