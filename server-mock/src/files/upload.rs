//! Uploads in parts (draft-ietf-httpbis-resumable-upload): what came is kept, and the next part says where it goes on.

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};

use super::store::MAX_FILE_BYTES;
use super::{content_type, digest};
use crate::call::{Call, UploadEnd};
use crate::key::Identity;
use crate::parameter::digits;
use crate::problem::{Problem, not_found};
use crate::reply::Reply;
use crate::world::State;

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");
const TYPES: &str = "https://iana.org/assignments/http-problem-types#";

/// What an `OPTIONS` of the collection says of uploads.
pub(crate) fn with_upload_options(call: &Call, reply: Reply) -> Reply {
    let accept = HeaderValue::from_static("application/partial-upload");
    limits(
        &call.world.state(),
        reply.with(HeaderName::from_static("accept-patch"), accept),
    )
}

fn limits(state: &State, reply: Reply) -> Reply {
    let append = state.options.max_body_bytes;
    reply.with_text(
        UPLOAD_LIMIT,
        format!("max-size={MAX_FILE_BYTES}, max-append-size={append}"),
    )
}

/// Whether a request says that its bytes are the last; `None` where it is no part of an upload.
pub(super) fn flag(call: &Call) -> Option<bool> {
    match call.header("upload-complete")? {
        b"?1" => Some(true),
        b"?0" => Some(false),
        _ => None,
    }
}

fn done(complete: bool) -> HeaderValue {
    HeaderValue::from_static(if complete { "?1" } else { "?0" })
}

/// Begins an upload with what the request brought.
pub(super) fn create(
    call: &Call,
    state: &mut State,
    identity: &Identity,
    complete: bool,
    key: Option<&str>,
) -> Result<Reply, Problem> {
    let complete = complete && call.upload.end == UploadEnd::Complete;
    let length = call.number_in_header("upload-length");
    let bytes = call.upload.bytes.len();
    state.files.room_for(bytes, bytes)?;
    if length.is_some_and(|length| length > MAX_FILE_BYTES as u64) {
        state.files.room_for(0, usize::MAX)?;
    }
    let id = state
        .files
        .begin(&identity.tenant, length, content_type(call));
    let taken = take(call, state, identity, &id, complete, key)?;
    let reply = limits(state, taken);
    if complete {
        return Ok(reply);
    }
    let mut reply = reply.with_text(LOCATION, format!("{}/v1/uploads/{id}", call.origin()));
    reply.status = StatusCode::CREATED;
    Ok(reply)
}

/// Adds the bytes of a request to an upload and, where they are the last, makes the file of it.
fn take(
    call: &Call,
    state: &mut State,
    identity: &Identity,
    id: &str,
    complete: bool,
    key: Option<&str>,
) -> Result<Reply, Problem> {
    let tenant = &identity.tenant;
    let more = &call.upload.bytes;
    let upload = state.files.upload(tenant, id);
    let (held, length) = upload
        .map(|upload| (upload.offset(), upload.length))
        .ok_or_else(|| no_upload(id))?;
    let after = held + more.len() as u64;
    let whole = usize::try_from(after).unwrap_or(usize::MAX);
    state.files.room_for(more.len(), whole)?;
    if length.is_some_and(|length| after > length || (complete && after != length)) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "inconsistent_upload_length",
            "the bytes are not as many as Upload-Length said",
        )
        .of_type(format!("{TYPES}inconsistent-upload-length"), None));
    }
    let stands = state.files.append(tenant, id, more);
    let reply = if complete {
        let reply = state.files.complete(tenant, id);
        let reply = reply.ok_or_else(|| no_upload(id))?;
        state.happened("files.create", key, None);
        reply
    } else {
        Reply::new(StatusCode::NO_CONTENT).committed()
    };
    Ok(reply
        .with_text(UPLOAD_OFFSET, stands.unwrap_or(after).to_string())
        .with(UPLOAD_COMPLETE, done(complete)))
}

fn no_upload(id: &str) -> Problem {
    not_found(format!("there is no upload {id}"))
}

pub(super) fn append(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let kind = call.header("content-type").unwrap_or_default();
    if kind != b"application/partial-upload" {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send application/partial-upload",
        ));
    }
    let Some(complete) = flag(call) else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_upload",
            "Upload-Complete must be ?0 or ?1",
        ));
    };
    let whole = call.upload.end == UploadEnd::Complete;
    if whole {
        digest(call, "content-digest", &call.upload.bytes)?;
    }
    let given = call.header("upload-offset");
    let given = given.and_then(|text| digits(std::str::from_utf8(text).ok()?));
    let Some(given) = given else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_upload",
            "Upload-Offset must be the number of the byte where these go on",
        ));
    };
    let (held, is_done) = {
        let state = call.world.state();
        let upload = state.files.upload(&identity.tenant, id);
        upload
            .map(|upload| (upload.offset(), upload.file.is_some()))
            .ok_or_else(|| no_upload(id))?
    };
    if given != held {
        let problem = Problem::new(
            StatusCode::CONFLICT,
            "mismatching_upload_offset",
            "Upload-Offset is not where the upload stands",
        )
        .of_type(format!("{TYPES}mismatching-upload-offset"), None)
        .retryable(false)
        .with_member("expected-offset", held)
        .with_member("provided-offset", given);
        return Ok(call
            .problem(problem)
            .with_text(UPLOAD_OFFSET, held.to_string())
            .with(UPLOAD_COMPLETE, done(is_done)));
    }
    if is_done {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "completed_upload",
            "the upload is complete",
        )
        .of_type(format!("{TYPES}completed-upload"), None));
    }
    let state = &mut call.world.state();
    take(call, state, identity, id, complete && whole, None)
}

pub(super) fn offset(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let state = call.world.state();
    let upload = state
        .files
        .upload(&identity.tenant, id)
        .ok_or_else(|| no_upload(id))?;
    let mut reply = Reply::new(StatusCode::NO_CONTENT)
        .with_text(UPLOAD_OFFSET, upload.offset().to_string())
        .with(UPLOAD_COMPLETE, done(upload.file.is_some()))
        .with(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(length) = upload.length {
        reply = reply.with_text(UPLOAD_LENGTH, length.to_string());
    }
    if let Some(file) = &upload.file {
        reply = reply.with_text(LOCATION, format!("/v1/files/{file}"));
    }
    Ok(limits(&state, reply))
}

pub(super) fn cancel(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    if !call.world.state().files.cancel(&identity.tenant, id) {
        return Err(no_upload(id));
    }
    Ok(Reply::new(StatusCode::NO_CONTENT))
}
