//! A download that is taken up again where it broke: which part is asked for, and whether what is answered belongs to the same version.
//!
//! | State | Event | Next | Test |
//! |---|---|---|---|
//! | nothing delivered | 200 | reading from the start, of whichever version it is | `nothing_delivered_is_nothing_to_mix` |
//! | reading | it broke, and its version has a strong tag | `Range` and `If-Range` are asked for | `a_break_is_followed_by_a_range` |
//! | reading | it broke, and has none | over: says why (`NoResume`) | `without_a_strong_tag_there_is_no_resuming` |
//! | range asked for | 206 that begins where it should, of the same tag and length | reading on | `a_break_is_followed_by_a_range` |
//! | range asked for | 206 of anything else | over: `Mismatch` | `a_part_that_does_not_fit_is_refused` |
//! | range asked for | 200 with the same strong tag: the server knows no ranges | reading from the start, and dropping what was delivered | `a_server_without_ranges_sends_it_again` |
//! | range asked for | 200 with another tag, 416 | over: `Changed` | `two_versions_are_never_mixed` |
//! | range asked for, for a file of an earlier run | 200, 416 of another length | from the start: the file begins anew | `an_earlier_part_of_another_version_begins_anew` |
//! | range asked for, for a file of an earlier run | 416 of the length that is there | complete | `an_earlier_part_may_be_all_of_it` |
//! | reading | the end, with all bytes there and the digest right | complete | `a_digest_that_does_not_fit_is_an_error` |
//!
//! Sources: RFC 9110, 8.8.3 (strong tags), 13.1.5 (If-Range), 14 (ranges); RFC 9530 (digests).

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::digest::{self, Sum};
use crate::range::{
    ContentRange, content_length, has_weak_etag, is_encoded, refuses_ranges, strong_etag,
};

/// Why a download that broke cannot be taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoResume {
    /// The answer has no ETag.
    NoEtag,
    /// Its ETag is a weak one.
    WeakEtag,
    /// Its content is encoded.
    Encoded,
    /// The server says `Accept-Ranges: none`.
    NoRanges,
    /// The request cannot be sent again.
    NotRepeatable,
}

impl fmt::Display for NoResume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEtag => "the answer has no ETag, so nobody knows whether the rest would be of the same version",
            Self::WeakEtag => "the answer's ETag is a weak one, which does not tell versions apart byte for byte",
            Self::Encoded => "the answer's content is encoded, so a range would not be of the bytes that came",
            Self::NoRanges => "the server says that it knows no ranges",
            Self::NotRepeatable => "the request cannot be sent again: it is not a GET without a body",
        })
    }
}

/// Why an answer cannot be taken for the rest of a download, or the whole is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// There is another version now. What was delivered is of the old one.
    Changed {
        /// The bytes that were delivered.
        delivered: u64,
    },
    /// The part is not the one that was asked for.
    Mismatch(String),
    /// More came than the server said there would be.
    TooMuch {
        /// What it said.
        total: u64,
    },
    /// Less came than the server said there would be, though the body ended as HTTP has it.
    TooLittle {
        /// What it said.
        total: u64,
        /// What came.
        came: u64,
    },
    /// The digest is not the one that the server names.
    Digest,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { delivered } => write!(
                f,
                "it changed after {delivered} bytes were delivered: the rest would be of another version"
            ),
            Self::Mismatch(what) => f.write_str(what),
            Self::TooMuch { total } => write!(f, "more came than the {total} bytes that it has"),
            Self::TooLittle { total, came } => {
                write!(f, "only {came} bytes came of the {total} that it has")
            }
            Self::Digest => {
                f.write_str("the SHA-256 of what came is not the one that the server names")
            }
        }
    }
}

/// What to do with the answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// What comes goes on where the last ended.
    On,
    /// It begins anew: what is there of an earlier run is of another version.
    Anew,
    /// Nothing is to come: what is there of an earlier run is all of it.
    Complete,
}

/// What the next request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `Range`.
    pub range: String,
    /// `If-Range`.
    pub if_range: HeaderValue,
}

/// One download.
#[derive(Clone, Debug)]
pub struct DownloadState {
    etag: Option<HeaderValue>,
    total: Option<u64>,
    no_resume: Option<NoResume>,
    /// Bytes delivered, those of an earlier run included.
    position: u64,
    /// Bytes to be dropped before delivery goes on: the server sends from the start again.
    to_drop: u64,
    /// What is there is from an earlier run: it can be thrown away, since nobody was given it.
    earlier: bool,
    named: Option<[u8; 32]>,
    sum: Option<Sum>,
}

impl Default for DownloadState {
    fn default() -> Self {
        Self::new()
    }
}

impl DownloadState {
    /// A download that begins.
    #[must_use]
    pub fn new() -> Self {
        Self {
            etag: None,
            total: None,
            no_resume: None,
            position: 0,
            to_drop: 0,
            earlier: false,
            named: None,
            sum: Some(Sum::default()),
        }
    }

    /// A download of which so many bytes are there from an earlier run, of the version with this strong tag.
    #[must_use]
    pub fn after(length: u64, etag: HeaderValue) -> Self {
        Self {
            etag: Some(etag),
            position: length,
            earlier: length > 0,
            sum: (length == 0).then(Sum::default),
            ..Self::new()
        }
    }

    /// The server names a digest, and what is there of an earlier run has to be summed up for it: [`DownloadState::set_sum`].
    #[must_use]
    pub const fn wants_sum(&self) -> bool {
        self.named.is_some() && self.sum.is_none()
    }

    /// The sum of the bytes of an earlier run.
    pub fn set_sum(&mut self, sum: Sum) {
        self.sum = Some(sum);
    }

    /// What the next request asks for; `None`: all of it.
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted> {
        if self.position == 0 || self.no_resume.is_some() {
            return None;
        }
        Some(Wanted {
            range: format!("bytes={}-", self.position),
            if_range: self.etag.clone()?,
        })
    }

    /// The bytes delivered so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes there are, where the server said so.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// The version's strong tag.
    #[must_use]
    pub const fn etag(&self) -> Option<&HeaderValue> {
        self.etag.as_ref()
    }

    /// Why it could not be taken up again now; `None` where it could.
    #[must_use]
    pub const fn no_resume(&self) -> Option<NoResume> {
        // As long as nothing was delivered, it simply begins again.
        if self.position == 0 {
            None
        } else {
            self.no_resume
        }
    }

    /// All bytes are there.
    #[must_use]
    pub fn has_all(&self) -> bool {
        self.total == Some(self.position) && self.to_drop == 0
    }

    /// An answer came, of a status below 400.
    ///
    /// # Errors
    /// Where it is not of the same version, or not the part that was asked for.
    pub fn on_head(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<Taken, Wrong> {
        let asked = self.wanted().is_some();
        match status {
            StatusCode::PARTIAL_CONTENT if asked => self.on_part(headers),
            StatusCode::PARTIAL_CONTENT => Err(Wrong::Mismatch(
                "with a part, though all of it was asked for".to_owned(),
            )),
            StatusCode::OK if self.position == 0 => {
                self.begin(status, headers);
                Ok(Taken::On)
            }
            StatusCode::OK if self.earlier => {
                self.begin(status, headers);
                Ok(Taken::Anew)
            }
            StatusCode::OK
                if asked && strong_etag(headers) == self.etag.as_ref() && !is_encoded(headers) =>
            {
                self.to_drop = self.position;
                Ok(Taken::On)
            }
            StatusCode::OK => Err(self.changed()),
            other => Err(Wrong::Mismatch(format!(
                "with {other}, which is no content to download"
            ))),
        }
    }

    /// The answer was 416. `Ok(None)`: ask again, for all of it.
    ///
    /// # Errors
    /// Where something was delivered that is not of this version any more.
    pub fn on_unsatisfied(&mut self, headers: &HeaderMap) -> Result<Option<Taken>, Wrong> {
        if !self.earlier {
            return Err(self.changed());
        }
        let same_tag = headers
            .get(http::header::ETAG)
            .is_none_or(|etag| Some(etag) == self.etag.as_ref());
        let total = match ContentRange::of(headers) {
            Some(ContentRange::Unsatisfied { total }) => Some(total),
            _ => None,
        };
        if same_tag && total == Some(self.position) {
            self.total = total;
            return Ok(Some(Taken::Complete));
        }
        *self = Self::new();
        Ok(None)
    }

    /// Bytes came: those of them that are new.
    ///
    /// # Errors
    /// Where more came than there should be.
    pub fn on_bytes(&mut self, mut bytes: Bytes) -> Result<Bytes, Wrong> {
        let length = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let drop = self.to_drop.min(length(&bytes));
        self.to_drop -= drop;
        bytes = bytes.split_off(usize::try_from(drop).unwrap_or(usize::MAX).min(bytes.len()));
        let position = self.position.saturating_add(length(&bytes));
        if let Some(total) = self.total.filter(|total| position > *total) {
            return Err(Wrong::TooMuch { total });
        }
        if !bytes.is_empty() {
            self.earlier = false;
        }
        self.position = position;
        if self.named.is_some()
            && let Some(sum) = &mut self.sum
        {
            sum.update(&bytes);
        }
        Ok(bytes)
    }

    /// The body ended as HTTP has it.
    ///
    /// # Errors
    /// Where that is not all of it, or not what the server says it is.
    pub fn on_end(&self) -> Result<(), Wrong> {
        let came = self.position.saturating_sub(self.to_drop);
        if let Some(total) = self.total.filter(|total| *total != came) {
            return Err(Wrong::TooLittle { total, came });
        }
        if self.to_drop > 0 {
            return Err(Wrong::TooLittle {
                total: self.position,
                came,
            });
        }
        match (&self.named, &self.sum) {
            (Some(named), Some(sum)) if sum.sha256() != *named => Err(Wrong::Digest),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, status: StatusCode, headers: &HeaderMap) {
        *self = Self::new();
        self.etag = strong_etag(headers).cloned();
        self.named = digest::declared(status, headers);
        self.total = content_length(headers);
        self.no_resume = if is_encoded(headers) {
            // The bytes that are delivered are not those that the length and the digest are of.
            (self.total, self.named) = (None, None);
            Some(NoResume::Encoded)
        } else if refuses_ranges(headers) {
            Some(NoResume::NoRanges)
        } else if has_weak_etag(headers) {
            Some(NoResume::WeakEtag)
        } else if self.etag.is_none() {
            Some(NoResume::NoEtag)
        } else {
            None
        };
    }

    fn on_part(&mut self, headers: &HeaderMap) -> Result<Taken, Wrong> {
        // A server must send the tag along with a part; one that does not has still compared it, by If-Range.
        if let Some(etag) = headers.get(http::header::ETAG)
            && Some(etag) != self.etag.as_ref()
        {
            return Err(self.changed());
        }
        if is_encoded(headers) {
            return Err(Wrong::Mismatch(
                "with a part of an encoded content, where the bytes themselves were asked for"
                    .to_owned(),
            ));
        }
        let Some(ContentRange::Part { first, last, total }) = ContentRange::of(headers) else {
            return Err(Wrong::Mismatch(
                "with a part that does not say which it is: its Content-Range is missing or makes no sense"
                    .to_owned(),
            ));
        };
        if first != self.position {
            return Err(Wrong::Mismatch(format!(
                "with the part from byte {first} on, where the one from {} on was asked for",
                self.position
            )));
        }
        if let (Some(was), Some(is)) = (self.total, total)
            && was != is
        {
            return Err(self.changed());
        }
        // What is asked for is all the rest; a server may send less of it, and is asked again.
        self.total = self.total.or(total);
        self.to_drop = 0;
        if let Some(length) = content_length(headers)
            && length != last - first + 1
        {
            return Err(Wrong::Mismatch(format!(
                "with a part of {length} bytes, where its Content-Range says {}",
                last - first + 1
            )));
        }
        if self.earlier {
            self.named = digest::declared(StatusCode::PARTIAL_CONTENT, headers);
        }
        Ok(Taken::On)
    }

    const fn changed(&self) -> Wrong {
        Wrong::Changed {
            delivered: self.position,
        }
    }
}

#[cfg(test)]
mod tests;
