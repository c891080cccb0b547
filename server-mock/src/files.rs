//! Files: uploads whole or in parts (draft-ietf-httpbis-resumable-upload), ranged downloads (RFC 9110, section 14), digests
//! (RFC 9530), and an export of JSON lines.
//!
//! `gen-{size}-{seed}` is a file nobody uploaded: SplitMix64's words, little-endian, the same for the same name until
//! the admin port changes it.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH,
    IF_RANGE, LOCATION, RANGE,
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::bounded::Bounded;
use crate::call::{Call, UploadEnd};
use crate::key::Identity;
use crate::problem::{Problem, invalid_parameter, not_found};
use crate::records::listed;
use crate::reply::{Body, Pieces, Reply};
use crate::stable_hash::{mix, stable_hash};

const MAX_FILES: usize = 1_000;
const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
const MAX_SESSION_BYTES: usize = 256 * 1024 * 1024;
const MAX_GENERATED: u64 = 1 << 30;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const TYPES: &str = "https://iana.org/assignments/http-problem-types#";

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

/// The files of a session.
pub(crate) struct Files {
    whole: Bounded<(String, String), File>,
    uploads: Bounded<(String, String), Partial>,
    /// How often a file was changed on demand.
    revisions: HashMap<String, u64>,
    made: u64,
    bytes: usize,
}

struct File {
    bytes: Bytes,
    kind: HeaderValue,
}

struct Partial {
    bytes: BytesMut,
    length: Option<u64>,
    kind: HeaderValue,
    /// The file it became.
    file: Option<String>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            whole: Bounded::new(MAX_FILES),
            uploads: Bounded::new(MAX_FILES),
            revisions: HashMap::new(),
            made: 0,
            bytes: 0,
        }
    }
}

/// What a download is taken from.
#[derive(Clone)]
enum Source {
    Held(Bytes),
    Made { size: u64, seed: u64 },
}

impl Source {
    fn size(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Made { size, .. } => *size,
        }
    }

    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Held(bytes) => Sha256::digest(bytes).into(),
            Self::Made { .. } => {
                let mut hasher = Sha256::new();
                let mut pieces = Slice::new(self.clone(), 0, self.size(), 64 * 1024);
                while let Some(piece) = pieces.next_piece() {
                    hasher.update(&piece);
                }
                hasher.finalize().into()
            }
        }
    }
}

/// Part of a file, in pieces.
struct Slice {
    source: Source,
    at: u64,
    end: u64,
    piece: u64,
}

impl Slice {
    fn new(source: Source, at: u64, end: u64, piece: u64) -> Self {
        Self {
            source,
            at,
            end,
            piece,
        }
    }
}

impl Pieces for Slice {
    fn next_piece(&mut self) -> Option<Bytes> {
        let to = self.end.min(self.at.saturating_add(self.piece.max(1)));
        if self.at >= to {
            return None;
        }
        let from = std::mem::replace(&mut self.at, to);
        Some(match &self.source {
            Source::Held(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let to = usize::try_from(to).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(from..to)
            }
            Source::Made { seed, .. } => (from..to)
                .map(|at| {
                    let word = mix(seed.wrapping_add((at / 8).wrapping_mul(GOLDEN)));
                    (word >> (at % 8 * 8)) as u8
                })
                .collect(),
        })
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.end - self.at)
    }
}

impl Files {
    /// Changes a file: another content, another entity tag.
    pub(crate) fn change(&mut self, id: &str) {
        if self.revisions.len() < MAX_FILES || self.revisions.contains_key(id) {
            *self.revisions.entry(id.into()).or_default() += 1;
        }
    }

    fn source(&self, tenant: &str, id: &str) -> Option<(Source, HeaderValue, HeaderValue)> {
        let revision = self.revisions.get(id).copied().unwrap_or_default();
        let octets = HeaderValue::from_static("application/octet-stream");
        let (source, kind) = if let Some(name) = id.strip_prefix("gen-") {
            let (size, seed) = name.split_once('-')?;
            let size = size.parse().ok().filter(|size| *size <= MAX_GENERATED)?;
            let seed: u64 = seed.parse().ok()?;
            let seed = stable_hash(&[&seed.to_le_bytes(), &revision.to_le_bytes()]);
            (Source::Made { size, seed }, octets)
        } else {
            let file = self.whole.get(&(tenant.to_owned(), id.to_owned()))?;
            let bytes = if revision == 0 {
                file.bytes.clone()
            } else {
                file.bytes
                    .iter()
                    .map(|byte| byte ^ (revision as u8))
                    .collect()
            };
            (Source::Held(bytes), file.kind.clone())
        };
        let tag = match &source {
            Source::Made { size, seed } => stable_hash(&[&size.to_le_bytes(), &seed.to_le_bytes()]),
            Source::Held(bytes) => stable_hash(&[bytes, &revision.to_le_bytes()]),
        };
        let etag = HeaderValue::try_from(format!("\"f-{tag:016x}\"")).ok()?;
        Some((source, kind, etag))
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{:06}", self.made)
    }

    fn room_for(&self, more: usize, file: usize) -> Result<(), Problem> {
        if file > MAX_FILE_BYTES || self.bytes + more > MAX_SESSION_BYTES {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "file_too_large",
                format!(
                    "a file has at most {MAX_FILE_BYTES} bytes, a session's files {MAX_SESSION_BYTES}"
                ),
            ));
        }
        Ok(())
    }

    fn store(&mut self, tenant: &str, bytes: Bytes, kind: HeaderValue) -> (String, Reply) {
        let id = self.id("fl");
        let hash = STANDARD.encode(Sha256::digest(&bytes));
        let body = json!({ "id": id, "size": bytes.len(), "sha256": crate::journal::hex(&Sha256::digest(&bytes)) });
        self.whole
            .insert((tenant.into(), id.clone()), File { bytes, kind });
        let reply = Reply::json(StatusCode::CREATED, &body)
            .with_text(LOCATION, format!("/v1/files/{id}"))
            .with_text(REPR_DIGEST, format!("sha-256=:{hash}:"))
            .committed();
        (id, reply)
    }
}

/// Answers an operation on files.
pub(crate) fn respond(call: &Call, op: FileOp, identity: &Identity) -> Reply {
    let answered = match op {
        FileOp::Append => append(call, identity),
        FileOp::Cancel => cancel(call, identity),
        FileOp::Content => content(call, identity),
        FileOp::Create => create(call, identity),
        FileOp::Delete => delete(call, identity),
        FileOp::Export => export(call),
        FileOp::Get => get(call, identity),
        FileOp::Offset => offset(call, identity),
        FileOp::Replace => replace(call, identity),
    };
    answered.unwrap_or_else(|problem| call.problem(problem))
}

/// What an `OPTIONS` of the collection says of uploads.
pub(crate) fn with_upload_options(call: &Call, reply: Reply) -> Reply {
    let accept = HeaderValue::from_static("application/partial-upload");
    limits(
        call,
        reply.with(HeaderName::from_static("accept-patch"), accept),
    )
}

fn limits(call: &Call, reply: Reply) -> Reply {
    let append = call.world.state().options.max_body_bytes;
    reply.with_text(
        UPLOAD_LIMIT,
        format!("max-size={MAX_FILE_BYTES}, max-append-size={append}"),
    )
}

fn flag(call: &Call) -> Option<bool> {
    match call.header("upload-complete")? {
        b"?1" => Some(true),
        b"?0" => Some(false),
        _ => None,
    }
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
    let Some(header) = call.header(name) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(header);
    let said = text
        .split(',')
        .filter_map(|item| item.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))
        .next();
    if said.is_some_and(|said| said != STANDARD.encode(Sha256::digest(bytes))) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "digest_mismatch",
            format!("the bytes are not those of {name}"),
        ));
    }
    Ok(())
}

fn create(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let bytes = &call.upload.bytes;
    let whole = call.upload.end == UploadEnd::Complete;
    let resumable = flag(call);
    if whole {
        digest(call, "content-digest", bytes)?;
    }
    let mut state = call.world.state();
    state.files.room_for(bytes.len(), bytes.len())?;
    let Some(complete) = resumable else {
        digest(call, "repr-digest", bytes)?;
        let (_, reply) = state
            .files
            .store(&identity.tenant, bytes.clone(), content_type(call));
        state.files.bytes += bytes.len();
        state.effects.happened(call.op.name(), None, None);
        return Ok(reply);
    };
    let length = call.number_in_header("upload-length");
    if length.is_some_and(|length| length > MAX_FILE_BYTES as u64) {
        state.files.room_for(0, usize::MAX)?;
    }
    let id = state.files.id("up");
    let partial = Partial {
        bytes: BytesMut::new(),
        length,
        kind: content_type(call),
        file: None,
    };
    state
        .files
        .uploads
        .insert((identity.tenant.clone(), id.clone()), partial);
    drop(state);
    let reply = take(call, identity, &id, complete && whole)?;
    let location = format!("{}/v1/uploads/{id}", call.origin());
    if complete && whole {
        return Ok(limits(call, reply));
    }
    let mut reply = limits(call, reply).with_text(LOCATION, location);
    reply.status = StatusCode::CREATED;
    Ok(reply)
}

/// Adds the bytes of a request to an upload and, where they are the last, makes the file of it.
fn take(call: &Call, identity: &Identity, id: &str, complete: bool) -> Result<Reply, Problem> {
    let mut guard = call.world.state();
    let state = &mut *guard;
    let place = (identity.tenant.clone(), id.to_owned());
    let more = &call.upload.bytes;
    let held = state
        .files
        .uploads
        .get(&place)
        .map_or(0, |upload| upload.bytes.len());
    state.files.room_for(more.len(), held + more.len())?;
    let Some(upload) = state.files.uploads.get_mut(&place) else {
        return Err(no_upload(id));
    };
    let after = (upload.bytes.len() + more.len()) as u64;
    let inconsistent = upload
        .length
        .is_some_and(|length| after > length || (complete && after != length));
    if inconsistent {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "inconsistent_upload_length",
            "the bytes are not as many as Upload-Length said",
        )
        .of_type(format!("{TYPES}inconsistent-upload-length"), None));
    }
    upload.bytes.extend_from_slice(more);
    state.files.bytes += more.len();
    if !complete {
        return Ok(Reply::new(StatusCode::NO_CONTENT)
            .with_text(UPLOAD_OFFSET, after.to_string())
            .with(UPLOAD_COMPLETE, HeaderValue::from_static("?0"))
            .committed());
    }
    upload.length = Some(after);
    let (bytes, kind) = (upload.bytes.clone().freeze(), upload.kind.clone());
    let (file, reply) = state.files.store(&identity.tenant, bytes, kind);
    if let Some(upload) = state.files.uploads.get_mut(&place) {
        upload.file = Some(file);
    }
    state.effects.happened("files.create", None, None);
    Ok(reply
        .with_text(UPLOAD_OFFSET, after.to_string())
        .with(UPLOAD_COMPLETE, HeaderValue::from_static("?1")))
}

fn no_upload(id: &str) -> Problem {
    not_found(format!("there is no upload {id}"))
}

fn append(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
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
    let given = call.number_in_header("upload-offset");
    {
        let state = call.world.state();
        let upload = state
            .files
            .uploads
            .get(&(identity.tenant.clone(), id.to_owned()))
            .ok_or_else(|| no_upload(id))?;
        let (held, done) = (upload.bytes.len() as u64, upload.file.is_some());
        drop(state);
        if given != Some(held) {
            let problem = Problem::new(
                StatusCode::CONFLICT,
                "mismatching_upload_offset",
                "Upload-Offset is not where the upload stands",
            )
            .of_type(format!("{TYPES}mismatching-upload-offset"), None)
            .retryable(false)
            .with_member("expected-offset", held)
            .with_member("provided-offset", given.unwrap_or_default());
            let complete = HeaderValue::from_static(if done { "?1" } else { "?0" });
            return Ok(call
                .problem(problem)
                .with_text(UPLOAD_OFFSET, held.to_string())
                .with(UPLOAD_COMPLETE, complete));
        }
        if done {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "completed_upload",
                "the upload is complete",
            )
            .of_type(format!("{TYPES}completed-upload"), None));
        }
    }
    take(call, identity, id, complete && whole)
}

fn offset(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let state = call.world.state();
    let upload = state
        .files
        .uploads
        .get(&(identity.tenant.clone(), id.to_owned()))
        .ok_or_else(|| no_upload(id))?;
    let complete = HeaderValue::from_static(if upload.file.is_some() { "?1" } else { "?0" });
    let mut reply = Reply::new(StatusCode::NO_CONTENT)
        .with_text(UPLOAD_OFFSET, upload.bytes.len().to_string())
        .with(UPLOAD_COMPLETE, complete)
        .with(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(length) = upload.length {
        reply = reply.with_text(UPLOAD_LENGTH, length.to_string());
    }
    if let Some(file) = &upload.file {
        reply = reply.with_text(LOCATION, format!("/v1/files/{file}"));
    }
    drop(state);
    Ok(limits(call, reply))
}

fn cancel(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let mut state = call.world.state();
    let place = (identity.tenant.clone(), id.to_owned());
    let gone = state
        .files
        .uploads
        .remove(&place)
        .ok_or_else(|| no_upload(id))?;
    state.files.bytes = state.files.bytes.saturating_sub(gone.bytes.len());
    Ok(Reply::new(StatusCode::NO_CONTENT))
}

fn no_file(id: &str) -> Problem {
    not_found(format!("there is no file {id}"))
}

fn get(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let found = call.world.state().files.source(&identity.tenant, id);
    let (source, kind, etag) = found.ok_or_else(|| no_file(id))?;
    let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
    let body = json!({ "id": id, "size": source.size(), "content_type": kind });
    Ok(Reply::json(StatusCode::OK, &body).with(ETAG, etag))
}

fn delete(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let mut state = call.world.state();
    let place = (identity.tenant.clone(), id.to_owned());
    let gone = state
        .files
        .whole
        .remove(&place)
        .ok_or_else(|| no_file(id))?;
    state.files.bytes = state.files.bytes.saturating_sub(gone.bytes.len());
    Ok(Reply::new(StatusCode::NO_CONTENT).committed())
}

fn replace(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let bytes = &call.upload.bytes;
    digest(call, "content-digest", bytes)?;
    digest(call, "repr-digest", bytes)?;
    let mut state = call.world.state();
    state.files.room_for(bytes.len(), bytes.len())?;
    let place = (identity.tenant.clone(), id.to_owned());
    let file = state
        .files
        .whole
        .get_mut(&place)
        .ok_or_else(|| no_file(id))?;
    file.bytes = bytes.clone();
    state.files.bytes += bytes.len();
    let etag = state
        .files
        .source(&identity.tenant, id)
        .map(|(_, _, etag)| etag);
    let reply = Reply::new(StatusCode::NO_CONTENT).committed();
    Ok(match etag {
        Some(etag) => reply.with(ETAG, etag),
        None => reply,
    })
}

fn content(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let number = |name: &str, default: u64, most: u64| match call.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| {
                invalid_parameter(name, format!("{name} must be a number up to {most}"))
            }),
    };
    let chunk = number("chunk", 16 * 1024, 1 << 20)?.max(1);
    let pause = number("interval_ms", 0, 60_000)?;
    let found = call.world.state().files.source(&identity.tenant, id);
    let (source, kind, etag) = found.ok_or_else(|| no_file(id))?;
    let headers = &call.parts.headers;
    let tag = etag.as_bytes();
    if headers.contains_key(IF_MATCH)
        && !listed(headers, &IF_MATCH).any(|t| t == "*" || t.as_bytes() == tag)
    {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "the file has changed since",
        ));
    }
    if listed(headers, &IF_NONE_MATCH)
        .any(|t| t == "*" || t.trim_start_matches("W/").as_bytes() == tag)
    {
        return Ok(Reply::new(StatusCode::NOT_MODIFIED).with(ETAG, etag));
    }
    let size = source.size();
    let same = headers
        .get(IF_RANGE)
        .is_none_or(|value| value.as_bytes() == tag);
    let range = headers
        .get(RANGE)
        .filter(|_| same)
        .and_then(|value| span(value.to_str().ok()?, size));
    let (status, from, to) = match range {
        None => (StatusCode::OK, 0, size),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!("the file has {size} bytes"),
            );
            return Ok(call
                .problem(problem)
                .with_text(CONTENT_RANGE, format!("bytes */{size}"))
                .with(ETAG, etag));
        }
    };
    let wanted = call.parts.headers.contains_key("want-repr-digest");
    let hash =
        (wanted || matches!(source, Source::Held(_))).then(|| STANDARD.encode(source.hash()));
    let pieces = Slice::new(source, from, to, chunk);
    let body = if pause == 0 {
        Body::pieces(pieces)
    } else {
        Body::paced(pieces, Duration::from_millis(pause))
    };
    let mut reply = Reply::new(status)
        .with(CONTENT_TYPE, kind)
        .with(ETAG, etag)
        .with(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .with_body(body);
    if let Some(hash) = hash {
        reply = reply.with_text(REPR_DIGEST, format!("sha-256=:{hash}:"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        reply = reply.with_text(CONTENT_RANGE, format!("bytes {from}-{}/{size}", to - 1));
    }
    Ok(reply)
}

/// One range of bytes as start and end; `Some(None)` when none of it exists. Several ranges, and what is no range, are
/// ignored (RFC 9110, section 14.2).
fn span(header: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    if first.is_empty() {
        let tail: u64 = last.parse().ok()?;
        let found = (tail > 0 && size > 0).then(|| (size.saturating_sub(tail), size));
        return Some(found);
    }
    let first: u64 = first.parse().ok()?;
    let end = if last.is_empty() {
        size
    } else {
        let last: u64 = last.parse().ok().filter(|last| *last >= first)?;
        last.saturating_add(1).min(size)
    };
    Some((first < size).then_some((first, end)))
}

fn export(call: &Call) -> Result<Reply, Problem> {
    let number = |name: &str, default: u64, most: u64| match call.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| {
                invalid_parameter(name, format!("{name} must be a number up to {most}"))
            }),
    };
    let items = number("items", 10, 10_000_000)?;
    let pause = number("interval_ms", 0, 60_000)?;
    let end = match call.parameter("newline").as_deref() {
        Some("crlf") => "\r\n",
        _ => "\n",
    };
    let lines = Lines {
        next: number("after", 0, u64::MAX)?,
        items,
        end,
        blank: number("blank_every", 0, u64::MAX)?,
        bad: number("bad_at", 0, u64::MAX)?,
        last: call.parameter("last_newline").as_deref() != Some("false"),
    };
    let body = if pause == 0 {
        Body::pieces(lines)
    } else {
        Body::paced(lines, Duration::from_millis(pause))
    };
    let kind = HeaderValue::from_static("application/jsonl");
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, kind)
        .with_body(body))
}

/// `{"id":1,"name":"Item 1"}`, a line each.
struct Lines {
    next: u64,
    items: u64,
    end: &'static str,
    /// An empty line behind every so many; 0 for none.
    blank: u64,
    /// The item that is no JSON; 0 for none.
    bad: u64,
    /// Whether the last line ends.
    last: bool,
}

impl Pieces for Lines {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.next >= self.items {
            return None;
        }
        self.next += 1;
        let id = self.next;
        let mut text = if id == self.bad {
            String::from("{not json")
        } else {
            format!("{{\"id\":{id},\"name\":\"Item {id}\"}}")
        };
        if id < self.items || self.last {
            text.push_str(self.end);
        }
        if self.blank > 0 && id.is_multiple_of(self.blank) && id < self.items {
            text.push_str(self.end);
        }
        Some(text.into())
    }

    fn remaining(&self) -> Option<u64> {
        (self.next >= self.items).then_some(0)
    }
}
