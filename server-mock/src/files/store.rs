//! The files of a session, their changes on demand, and the bytes they may hold together.
//!
//! `bytes` is what all files and uploads hold now: what is replaced, deleted, cancelled or makes room gives its bytes back.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::REPR_DIGEST;
use super::keep::{COUNTERS, Contents, FILE, Loading, REVISION, UPLOAD, place_id};
use super::source::Source;
use crate::bounded::Bounded;
use crate::durable::Touched;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::stable_hash::stable_hash;

pub(super) const MAX_FILES: usize = 1_000;
pub(super) const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
pub(super) const MAX_SESSION_BYTES: usize = 256 * 1024 * 1024;
const MAX_GENERATED: u64 = 1 << 30;

/// A tenant's name and an id.
pub(super) type Place = (String, String);

/// The files of a session.
pub(crate) struct Files {
    pub(super) whole: Bounded<Place, File>,
    pub(super) uploads: Bounded<Place, Partial>,
    /// How often a file was changed on demand.
    pub(super) revisions: HashMap<String, u64>,
    pub(super) made: u64,
    pub(super) bytes: usize,
    /// Who has which content, as its rows name it.
    pub(super) contents: Contents,
    pub(super) touched: Touched,
    pub(super) loading: Loading,
}

pub(super) struct File {
    pub(super) bytes: Bytes,
    pub(super) kind: HeaderValue,
    /// The number of its content; other bytes are another content.
    pub(super) content: u64,
    /// As the form that brought it called it.
    pub(super) name: Option<Box<str>>,
}

/// An upload in parts.
pub(super) struct Partial {
    pub(super) bytes: BytesMut,
    pub(super) length: Option<u64>,
    pub(super) kind: HeaderValue,
    /// The file it became, which has its bytes now, and its content.
    pub(super) file: Option<String>,
    pub(super) content: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Partial {
    /// How many bytes came so far.
    pub(super) fn offset(&self) -> u64 {
        match (&self.file, self.length) {
            (Some(_), Some(length)) => length,
            _ => self.bytes.len() as u64,
        }
    }
}

pub(super) fn place(tenant: &str, id: &str) -> Place {
    (tenant.into(), id.into())
}

impl Files {
    /// No files. With `kept` what changes is noted for the data file.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            whole: Bounded::new(MAX_FILES),
            uploads: Bounded::new(MAX_FILES),
            revisions: HashMap::new(),
            made: 0,
            bytes: 0,
            contents: Contents::default(),
            touched: Touched::new(kept),
            loading: Loading::default(),
        }
    }

    /// Changes a file: another content, another entity tag.
    pub(crate) fn change(&mut self, id: &str) {
        if self.revisions.len() < MAX_FILES || self.revisions.contains_key(id) {
            *self.revisions.entry(id.into()).or_default() += 1;
            self.touched.note(REVISION, id);
        }
    }

    /// What a download is taken from, its media type and its entity tag.
    pub(super) fn source(
        &self,
        tenant: &str,
        id: &str,
    ) -> Option<(Source, HeaderValue, HeaderValue)> {
        let revision = self.revisions.get(id).copied().unwrap_or_default();
        let octets = HeaderValue::from_static("application/octet-stream");
        let (source, kind) = if let Some(name) = id.strip_prefix("gen-") {
            let (size, seed) = name.split_once('-')?;
            let size = size.parse().ok().filter(|size| *size <= MAX_GENERATED)?;
            let seed: u64 = seed.parse().ok()?;
            let seed = stable_hash(&[&seed.to_le_bytes(), &revision.to_le_bytes()]);
            (Source::Made { size, seed }, octets)
        } else {
            let file = self.whole.get(&place(tenant, id))?;
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

    /// What a file was called.
    pub(super) fn name(&self, tenant: &str, id: &str) -> Option<&str> {
        self.whole.get(&place(tenant, id))?.name.as_deref()
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        self.touched.note(COUNTERS, "");
        format!("{prefix}_{:06}", self.made)
    }

    /// Refuses `more` bytes, or a file of `file` bytes, where that would be too much.
    pub(super) fn room_for(&self, more: usize, file: usize) -> Result<(), Problem> {
        if file > MAX_FILE_BYTES || self.bytes.saturating_add(more) > MAX_SESSION_BYTES {
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

    /// Makes a file; there is room for it.
    pub(super) fn store(
        &mut self,
        tenant: &str,
        bytes: Bytes,
        kind: HeaderValue,
        name: Option<Box<str>>,
    ) -> Reply {
        let content = self.contents.next();
        self.note_content(content, 0..bytes.len());
        let (id, reply) = self.put(tenant, bytes, kind, content);
        if let Some(file) = self.whole.get_mut(&place(tenant, &id)) {
            file.name = name;
        }
        reply
    }

    fn put(
        &mut self,
        tenant: &str,
        bytes: Bytes,
        kind: HeaderValue,
        content: u64,
    ) -> (String, Reply) {
        let id = self.id("fl");
        let hash = Sha256::digest(&bytes);
        let body = json!({ "id": id, "size": bytes.len(), "sha256": crate::journal::hex(&hash) });
        self.bytes += bytes.len();
        let place = place(tenant, &id);
        self.contents.belongs(content, &place);
        self.touched.note_with(FILE, || place_id(&place));
        let file = File {
            bytes,
            kind,
            content,
            name: None,
        };
        if let Some((place, gone)) = self.whole.insert_for(place, file) {
            self.file_gone(&place, &gone);
        }
        let reply = Reply::json(StatusCode::CREATED, &body)
            .with_text(LOCATION, format!("/v1/files/{id}"))
            .with_text(REPR_DIGEST, format!("sha-256=:{}:", STANDARD.encode(hash)))
            .committed();
        (id, reply)
    }

    /// Puts other bytes into a file and returns its new entity tag; `None` where there is no such file.
    pub(super) fn replace(
        &mut self,
        tenant: &str,
        id: &str,
        bytes: Bytes,
    ) -> Option<Result<HeaderValue, Problem>> {
        let place = place(tenant, id);
        let file = self.whole.get(&place)?;
        let (before, old) = (file.bytes.len(), file.content);
        if let Err(problem) = self.room_for(bytes.len().saturating_sub(before), bytes.len()) {
            return Some(Err(problem));
        }
        self.bytes = self.bytes.saturating_sub(before) + bytes.len();
        self.content_gone(old, before);
        let content = self.contents.next();
        self.contents.belongs(content, &place);
        self.note_content(content, 0..bytes.len());
        self.touched.note(COUNTERS, "");
        self.touched.note_with(FILE, || place_id(&place));
        let file = self.whole.get_mut(&place)?;
        (file.bytes, file.content) = (bytes, content);
        self.source(tenant, id).map(|(_, _, etag)| Ok(etag))
    }

    /// Takes a file away and says whether it was there.
    pub(super) fn remove(&mut self, tenant: &str, id: &str) -> bool {
        let place = place(tenant, id);
        let gone = self.whole.remove(&place);
        if let Some(gone) = &gone {
            self.file_gone(&place, gone);
        }
        gone.is_some()
    }

    /// Begins an upload in parts and returns its id.
    pub(super) fn begin(&mut self, tenant: &str, length: Option<u64>, kind: HeaderValue) -> String {
        let id = self.id("up");
        let content = self.contents.next();
        let partial = Partial {
            bytes: BytesMut::new(),
            length,
            kind,
            file: None,
            content,
        };
        let place = place(tenant, &id);
        self.contents.belongs(content, &place);
        self.touched.note_with(UPLOAD, || place_id(&place));
        if let Some((place, gone)) = self.uploads.insert_for(place, partial) {
            self.upload_gone(&place, &gone);
        }
        id
    }

    /// An upload that was begun.
    pub(super) fn upload(&self, tenant: &str, id: &str) -> Option<&Partial> {
        self.uploads.get(&place(tenant, id))
    }

    /// Adds bytes to an upload and says where it stands then.
    pub(super) fn append(&mut self, tenant: &str, id: &str, more: &[u8]) -> Option<u64> {
        let place = place(tenant, id);
        let upload = self.uploads.get_mut(&place)?;
        let before = upload.bytes.len();
        upload.bytes.extend_from_slice(more);
        self.bytes += more.len();
        let (content, after, stands) = (upload.content, upload.bytes.len(), upload.offset());
        self.note_content(content, before..after);
        self.touched.note_with(UPLOAD, || place_id(&place));
        Some(stands)
    }

    /// Makes a file of all that an upload has.
    pub(super) fn complete(&mut self, tenant: &str, id: &str) -> Option<Reply> {
        let place = place(tenant, id);
        let upload = self.uploads.get_mut(&place)?;
        upload.length = Some(upload.bytes.len() as u64);
        let (bytes, kind) = (upload.bytes.split().freeze(), upload.kind.clone());
        let content = upload.content;
        // They are counted with the file from now on.
        self.bytes = self.bytes.saturating_sub(bytes.len());
        let (file, reply) = self.put(tenant, bytes, kind, content);
        self.uploads.get_mut(&place)?.file = Some(file);
        self.touched.note_with(UPLOAD, || place_id(&place));
        Some(reply)
    }

    /// Takes an upload away and says whether it was there.
    pub(super) fn cancel(&mut self, tenant: &str, id: &str) -> bool {
        let place = place(tenant, id);
        let gone = self.uploads.remove(&place);
        if let Some(gone) = &gone {
            self.upload_gone(&place, gone);
        }
        gone.is_some()
    }

    fn file_gone(&mut self, place: &Place, gone: &File) {
        self.bytes = self.bytes.saturating_sub(gone.bytes.len());
        self.content_gone(gone.content, gone.bytes.len());
        self.touched.note_with(FILE, || place_id(place));
    }

    fn upload_gone(&mut self, place: &Place, gone: &Partial) {
        self.bytes = self.bytes.saturating_sub(gone.bytes.len());
        // Of one that became a file the file has it.
        if gone.file.is_none() {
            self.content_gone(gone.content, gone.bytes.len());
        }
        self.touched.note_with(UPLOAD, || place_id(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: HeaderValue = HeaderValue::from_static("text/plain");

    fn stored(files: &mut Files, bytes: &'static [u8]) -> String {
        let content = files.contents.next();
        files
            .put("acme", Bytes::from_static(bytes), KIND, content)
            .0
    }

    #[test]
    fn what_makes_room_is_not_counted_any_more() {
        let mut files = Files::default();
        for _ in 0..MAX_FILES + 5 {
            stored(&mut files, b"0123456789");
        }
        assert_eq!(files.bytes, MAX_FILES * 10);
        let mut files = Files::default();
        for _ in 0..MAX_FILES + 5 {
            let id = files.begin("acme", None, KIND);
            assert_eq!(files.append("acme", &id, b"01234"), Some(5));
        }
        assert_eq!(files.bytes, MAX_FILES * 5);
    }

    #[test]
    fn what_is_replaced_deleted_or_cancelled_gives_its_bytes_back() {
        let mut files = Files::default();
        let id = stored(&mut files, b"0123456789");
        for bytes in [&b"012"[..], b"01234567890123456789", b"0123"] {
            let bytes = Bytes::from_static(bytes);
            assert!(files.replace("acme", &id, bytes.clone()).unwrap().is_ok());
            assert_eq!(files.bytes, bytes.len());
        }
        assert!(files.remove("acme", &id) && !files.remove("acme", &id));
        assert_eq!(files.bytes, 0);
        let id = files.begin("acme", None, KIND);
        files.append("acme", &id, b"0123456789");
        assert_eq!(files.bytes, 10);
        assert!(files.cancel("acme", &id) && !files.cancel("acme", &id));
        assert_eq!(files.bytes, 0);
    }

    #[test]
    fn an_upload_that_became_a_file_is_counted_once() {
        let mut files = Files::default();
        let id = files.begin("acme", None, KIND);
        files.append("acme", &id, b"0123456789");
        files.complete("acme", &id).unwrap();
        assert_eq!(files.bytes, 10);
        assert_eq!(files.upload("acme", &id).unwrap().offset(), 10);
        assert!(files.cancel("acme", &id));
        assert_eq!(files.bytes, 10);
    }
}
