//! A download into a file: beside it until it is whole, then in its place. What an earlier run left is gone on with, where its version is
//! still the server's.
//!
//! Beside `NAME` there are `NAME.part`, the bytes that came, and `NAME.part.version`, the strong ETag and the SHA-256 of the URL they came
//! from. They stay after an error that another run can go on from, and are gone once the file is whole. `NAME` itself is replaced in one step.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_engine::ErrorKind;
use gatewright_engine::attempts::Attempt;
use gatewright_engine::digest::Sum;
use gatewright_engine::download::DownloadState;
use http::{HeaderMap, HeaderValue};

use super::{Download, State};
use crate::Error;
use crate::blocking;
use crate::request::RequestBuilder;

/// Bytes that are written together.
const TOGETHER: usize = 256 * 1024;

/// A file that is whole.
#[derive(Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// Its length in bytes.
    pub length: u64,
    /// The bytes that an earlier run had left.
    pub resumed_from: u64,
    /// The headers of the first answer.
    pub headers: HeaderMap,
    /// What was done, attempt by attempt, over all connections.
    pub attempts: Vec<Attempt>,
    /// From the start of the download to its end.
    pub elapsed: Duration,
}

impl RequestBuilder {
    /// Downloads into a file, as [`download`](RequestBuilder::download) does. The bytes come into `PATH.part` beside it, which takes the
    /// file's place once it is whole. A part that an earlier run left is gone on with, where the server still has that version; else it begins anew.
    ///
    /// # Errors
    /// As [`Download::chunk`]; `invalid_request` where the file cannot be written, or where another download into it is under way.
    pub async fn download_to(self, path: impl AsRef<Path>) -> Result<Downloaded, Error> {
        let url = self.full_url().map(|url| sha256(url.as_str().as_bytes()));
        let place = Place::of(path.as_ref(), url.unwrap_or_default())?;
        let mut download = self.download();
        let (mut part, earlier) = {
            let place = place.clone();
            blocking::run(move || Part::open(place))
                .await
                .map_err(unwritable)?
        };
        let resumed = earlier.as_ref().map_or(0, |(length, _)| *length);
        if let Some((length, etag)) = earlier {
            download.transfer = DownloadState::after(length, etag);
        }
        let written = part.fill(&mut download).await;
        match written {
            Ok(from_earlier) => {
                blocking::run(move || part.finish())
                    .await
                    .map_err(unwritable)?;
                Ok(Downloaded {
                    length: download.position(),
                    resumed_from: if from_earlier { resumed } else { 0 },
                    headers: std::mem::take(&mut download.headers),
                    attempts: download.attempts().to_vec(),
                    elapsed: download.elapsed(),
                })
            }
            Err(why) => {
                // What came is of no use where it cannot be gone on with.
                let keep = !matches!(
                    why.kind(),
                    ErrorKind::PreconditionFailed | ErrorKind::Decode
                ) && download.transfer.wanted().is_some();
                let _ = blocking::run(move || part.leave(keep)).await;
                Err(why)
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    part: PathBuf,
    version: PathBuf,
    /// The SHA-256 of the URL, in hex: the URL itself may have a secret in it.
    url: String,
}

impl Place {
    fn of(path: &Path, url: String) -> Result<Self, Error> {
        let name = path.file_name().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidRequest,
                format!("{} is no path of a file", path.display()),
            )
        })?;
        let beside = |ending: &str| {
            let mut name = name.to_owned();
            name.push(ending);
            path.with_file_name(name)
        };
        Ok(Self {
            path: path.to_owned(),
            part: beside(".part"),
            version: beside(".part.version"),
            url,
        })
    }
}

#[derive(Debug)]
struct Part {
    place: Place,
    file: Arc<File>,
}

impl Part {
    /// Opens the part, and says what is there of an earlier run.
    fn open(place: Place) -> std::io::Result<(Self, Option<(u64, HeaderValue)>)> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&place.part)?;
        file.try_lock().map_err(|why| match why {
            std::fs::TryLockError::WouldBlock => std::io::Error::new(
                std::io::ErrorKind::ResourceBusy,
                "another download into it is under way",
            ),
            std::fs::TryLockError::Error(why) => why,
        })?;
        let length = file.metadata()?.len();
        let earlier = std::fs::read_to_string(&place.version)
            .ok()
            .and_then(|text| {
                let (url, etag) = text.trim_end().split_once('\n')?;
                let etag = HeaderValue::from_str(etag).ok()?;
                (url == place.url && length > 0).then_some((length, etag))
            });
        let part = Self {
            place,
            file: Arc::new(file),
        };
        if earlier.is_none() {
            part.begin_anew()?;
        }
        Ok((part, earlier))
    }

    fn begin_anew(&self) -> std::io::Result<()> {
        remove(&self.place.version)?;
        self.file.set_len(0)
    }

    /// Writes all that comes. Whether what was there of an earlier run is a part of it.
    async fn fill(&mut self, download: &mut Download) -> Result<bool, Error> {
        let mut at = download.position();
        let mut from_earlier = at > 0;
        download.connect_to_file().await?;
        if download.position() < at {
            // Another version: what was there is of no use.
            (at, from_earlier) = (0, false);
            let (file, version) = (Arc::clone(&self.file), self.place.version.clone());
            blocking::run(move || {
                remove(&version)?;
                file.set_len(0)
            })
            .await
            .map_err(unwritable)?;
        }
        if download.transfer.wants_sum() {
            let file = Arc::clone(&self.file);
            let sum = blocking::run(move || sum_of(&file))
                .await
                .map_err(unwritable)?;
            download.transfer.set_sum(sum);
        }
        let mut versioned = from_earlier;
        let mut pieces = Vec::new();
        let mut size = 0;
        loop {
            let came = download.chunk().await;
            let over = !matches!(came, Ok(Some(_)));
            if let Ok(Some(bytes)) = &came {
                size += bytes.len();
                pieces.push(bytes.clone());
            }
            if size >= TOGETHER || (over && size > 0) {
                let version = (!versioned)
                    .then(|| download.transfer.etag().cloned())
                    .flatten()
                    .map(|etag| (self.place.version.clone(), self.place.url.clone(), etag));
                versioned = true;
                let (file, pieces) = (Arc::clone(&self.file), std::mem::take(&mut pieces));
                at = blocking::run(move || write(&file, at, &pieces, version))
                    .await
                    .map_err(unwritable)?;
                size = 0;
            }
            match came {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(from_earlier),
                Err(why) => return Err(why),
            }
        }
    }

    fn finish(self) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.place.part, &self.place.path)?;
        remove(&self.place.version)
    }

    fn leave(self, keep: bool) -> std::io::Result<()> {
        if keep {
            return self.file.sync_all();
        }
        remove(&self.place.part)?;
        remove(&self.place.version)
    }
}

impl Download {
    /// Connects; a part of an earlier run that turned out to be all of it needs no connection.
    async fn connect_to_file(&mut self) -> Result<(), Error> {
        self.connect().await?;
        if matches!(self.state, State::Over) {
            self.resume.on_done(&self.host);
        }
        Ok(())
    }
}

fn write(
    mut file: &File,
    at: u64,
    pieces: &[Bytes],
    version: Option<(PathBuf, String, HeaderValue)>,
) -> std::io::Result<u64> {
    if let Some((path, url, etag)) = version {
        // Before the bytes: a part without a version begins anew, a version without a part does too.
        let etag = etag.to_str().map_err(std::io::Error::other)?;
        std::fs::write(path, format!("{url}\n{etag}\n"))?;
    }
    file.seek(std::io::SeekFrom::Start(at))?;
    let mut end = at;
    for piece in pieces {
        file.write_all(piece)?;
        end = end.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
    }
    Ok(end)
}

fn sum_of(mut file: &File) -> std::io::Result<Sum> {
    let mut sum = Sum::default();
    let mut buffer = vec![0; TOGETHER];
    file.rewind()?;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(sum);
        }
        sum.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut sum = Sum::default();
    sum.update(bytes);
    sum.sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn unwritable(why: std::io::Error) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("the file to download into cannot be written: {why}"),
    )
    .caused_by(why)
}
