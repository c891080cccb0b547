//! Files and uploads as rows of a data file: what is known of each, and its content in blocks.
//!
//! | Kind | Id | Value |
//! |---|---|---|
//! | `file` | `TENANT/fl_000001` | media type, size, name, number of its content |
//! | `upload` | `TENANT/up_000002` | the same, length, and the file it became |
//! | `file_block` | `CONTENT/BLOCK` | 128 KiB of a content, the last block what is left |
//! | `file_revision` | the file's id | how often it was changed on demand |
//! | `file_counters` | | what the next ids are made of |
//!
//! A content belongs to a file or to an upload, and goes from the upload to the file it becomes: its blocks stay as they
//! are. So a part of an upload writes its own blocks and the one that it continues, whatever came before, and a file is
//! never written twice. Other bytes of the same file are another content.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::store::{
    File, Files, MAX_FILE_BYTES, MAX_FILES, MAX_SESSION_BYTES, Partial, Place, place,
};
use crate::durable::{Keeps, Name, Value, Written};

pub(super) const FILE: &str = "file";
pub(super) const UPLOAD: &str = "upload";
pub(super) const REVISION: &str = "file_revision";
pub(super) const COUNTERS: &str = "file_counters";
const BLOCK: &str = "file_block";

/// The kinds of rows that are files'.
pub(crate) const KINDS: [&str; 5] = [FILE, BLOCK, COUNTERS, REVISION, UPLOAD];

/// Bytes of a block: an upload of many small parts writes no more than this for each.
const BLOCK_BYTES: usize = 128 * 1024;

/// Whose each content is.
#[derive(Default)]
pub(super) struct Contents {
    made: u64,
    places: HashMap<u64, Place>,
}

impl Contents {
    pub(super) fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub(super) fn belongs(&mut self, content: u64, place: &Place) {
        self.places.insert(content, place.clone());
    }
}

/// Rows that were taken in and are no files yet.
#[derive(Default)]
pub(super) struct Loading {
    files: Vec<(Place, FileRow)>,
    uploads: Vec<(Place, UploadRow)>,
    blocks: BTreeMap<(u64, usize), Bytes>,
}

#[derive(Serialize, Deserialize)]
struct FileRow {
    content: u64,
    size: usize,
    content_type: Latin,
    /// What the form called it that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
struct UploadRow {
    content: u64,
    /// Bytes that came, while it is no file.
    size: usize,
    content_type: Latin,
    /// What `Upload-Length` said.
    length: Option<u64>,
    file: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Counters {
    made: u64,
    contents: u64,
}

/// A header's value: a character for each of its bytes, which need not be UTF-8.
#[derive(Serialize, Deserialize)]
struct Latin(String);

impl Latin {
    fn of(value: &HeaderValue) -> Self {
        Self(value.as_bytes().iter().copied().map(char::from).collect())
    }

    fn value(&self) -> Option<HeaderValue> {
        let bytes: Option<Vec<u8>> = self.0.chars().map(|c| u8::try_from(c).ok()).collect();
        HeaderValue::from_bytes(&bytes?).ok()
    }
}

pub(super) fn place_id((tenant, id): &Place) -> String {
    format!("{tenant}/{id}")
}

fn place_of(id: &str) -> Result<Place, String> {
    let parts = id.split_once('/');
    let (tenant, id) = parts.ok_or("its id is not TENANT/FILE")?;
    Ok(place(tenant, id))
}

fn block_id(content: u64, block: usize) -> String {
    format!("{content:020}/{block:06}")
}

fn block_of(id: &str) -> Option<(u64, usize)> {
    let (content, block) = id.split_once('/')?;
    Some((content.parse().ok()?, block.parse().ok()?))
}

/// The bytes of a block, as far as there are that many.
fn block_range(block: usize, size: usize) -> Option<Range<usize>> {
    let from = block.checked_mul(BLOCK_BYTES)?;
    let to = from.saturating_add(BLOCK_BYTES).min(size);
    (from < to).then_some(from..to)
}

/// The number in `fl_000001`: ids are given out in their order.
fn number_of((_, id): &Place) -> u64 {
    let number = id
        .split_once('_')
        .and_then(|(_, number)| number.parse().ok());
    number.unwrap_or(0)
}

impl Files {
    /// Notes the blocks that have these bytes of a content.
    pub(super) fn note_content(&mut self, content: u64, bytes: Range<usize>) {
        if bytes.is_empty() {
            return;
        }
        for block in bytes.start / BLOCK_BYTES..=(bytes.end - 1) / BLOCK_BYTES {
            self.touched.note_with(BLOCK, || block_id(content, block));
        }
    }

    /// A content of this size is nobody's any more.
    pub(super) fn content_gone(&mut self, content: u64, size: usize) {
        self.contents.places.remove(&content);
        self.note_content(content, 0..size);
    }

    fn block(&self, content: u64, block: usize) -> Option<Bytes> {
        let place = self.contents.places.get(&content)?;
        if let Some(file) = self.whole.get(place) {
            return Some(file.bytes.slice(block_range(block, file.bytes.len())?));
        }
        let bytes = &self.uploads.get(place)?.bytes;
        let range = block_range(block, bytes.len())?;
        Some(Bytes::copy_from_slice(bytes.get(range)?))
    }

    /// The bytes of a content whose rows were taken in.
    fn loaded(&mut self, content: u64, size: usize) -> Result<BytesMut, String> {
        self.bytes = self.bytes.saturating_add(size);
        if size > MAX_FILE_BYTES || self.bytes > MAX_SESSION_BYTES {
            return Err(format!(
                "a file has at most {MAX_FILE_BYTES} bytes, a session's files {MAX_SESSION_BYTES}"
            ));
        }
        let mut bytes = BytesMut::with_capacity(size);
        for block in 0..size.div_ceil(BLOCK_BYTES) {
            if let Some(more) = self.loading.blocks.remove(&(content, block)) {
                bytes.extend_from_slice(&more);
            }
        }
        if bytes.len() != size {
            return Err(format!(
                "content {content} has {} bytes and should have {size}",
                bytes.len()
            ));
        }
        Ok(bytes)
    }
}

impl Keeps for Files {
    fn touched(&mut self) -> Vec<Name> {
        self.touched.take()
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        let blocks = |content: u64, size: usize| {
            let blocks = 0..size.div_ceil(BLOCK_BYTES);
            blocks.map(move |block| (BLOCK, block_id(content, block).into()))
        };
        for (place, file) in self.whole.iter() {
            names.push((FILE, place_id(place).into()));
            names.extend(blocks(file.content, file.bytes.len()));
        }
        for (place, upload) in self.uploads.iter() {
            names.push((UPLOAD, place_id(place).into()));
            names.extend(blocks(upload.content, upload.bytes.len()));
        }
        let revisions = self.revisions.keys();
        names.extend(revisions.map(|id| (REVISION, id.as_str().into())));
        if self.made > 0 {
            names.push((COUNTERS, "".into()));
        }
        names
    }

    fn row(&self, kind: &str, id: &str) -> Option<Written> {
        match kind {
            BLOCK => {
                let (content, block) = block_of(id)?;
                Some(Ok(Value::Bytes(self.block(content, block)?)))
            }
            FILE => {
                let file = self.whole.get(&place_of(id).ok()?)?;
                Some(Value::of(&FileRow {
                    content: file.content,
                    size: file.bytes.len(),
                    content_type: Latin::of(&file.kind),
                    name: file.name.clone(),
                }))
            }
            UPLOAD => {
                let upload = self.uploads.get(&place_of(id).ok()?)?;
                Some(Value::of(&UploadRow {
                    content: upload.content,
                    size: upload.bytes.len(),
                    content_type: Latin::of(&upload.kind),
                    length: upload.length,
                    file: upload.file.clone(),
                }))
            }
            REVISION => Some(Value::of(self.revisions.get(id)?)),
            _ => Some(Value::of(&Counters {
                made: self.made,
                contents: self.contents.made,
            })),
        }
    }

    fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        match kind {
            BLOCK => {
                let at = block_of(id).ok_or("its id is not CONTENT/BLOCK")?;
                self.loading.blocks.insert(at, value.bytes()?);
            }
            FILE => self.loading.files.push((place_of(id)?, value.read()?)),
            UPLOAD => self.loading.uploads.push((place_of(id)?, value.read()?)),
            REVISION => {
                self.revisions.insert(id.into(), value.read()?);
            }
            _ => {
                let counters: Counters = value.read()?;
                self.made = counters.made;
                self.contents.made = counters.contents;
            }
        }
        Ok(())
    }

    fn taken(&mut self) -> Result<(), String> {
        let mut files = std::mem::take(&mut self.loading.files);
        files.sort_by_key(|(place, _)| number_of(place));
        let mut uploads = std::mem::take(&mut self.loading.uploads);
        uploads.sort_by_key(|(place, _)| number_of(place));
        if files.len() > MAX_FILES || uploads.len() > MAX_FILES {
            return Err(format!(
                "a session has at most {MAX_FILES} files and as many uploads"
            ));
        }
        let of = |place: &Place, why: String| format!("{}: {why}", place_id(place));
        for (place, row) in files {
            let bytes = self.loaded(row.content, row.size);
            let bytes = bytes.map_err(|why| of(&place, why))?.freeze();
            let kind = row.content_type.value();
            let kind = kind.ok_or_else(|| of(&place, "its media type is none".into()))?;
            self.contents.belongs(row.content, &place);
            let file = File {
                bytes,
                kind,
                content: row.content,
                name: row.name,
            };
            self.whole.insert(place, file);
        }
        for (place, row) in uploads {
            let bytes = self.loaded(row.content, row.size);
            let bytes = bytes.map_err(|why| of(&place, why))?;
            let kind = row.content_type.value();
            let kind = kind.ok_or_else(|| of(&place, "its media type is none".into()))?;
            if row.file.is_none() {
                self.contents.belongs(row.content, &place);
            }
            let partial = Partial {
                bytes,
                length: row.length,
                kind,
                file: row.file,
                content: row.content,
            };
            self.uploads.insert(place, partial);
        }
        match self.loading.blocks.pop_first() {
            None => Ok(()),
            Some(((content, block), _)) => {
                Err(format!("block {block} of content {content} is of no file"))
            }
        }
    }
}
