//! A resumable upload (draft-ietf-httpbis-resumable-upload-12, interop version 8): which request comes next, and what an answer to it means.
//!
//! The upload resource is made by a request without content ("careful creation", section "Upload strategies"): a client that cannot see the
//! interim answer 104, as those on top of `fetch` and most libraries cannot, learns its address in no other way. A server is asked first
//! whether it speaks the draft: one that does not would take the empty request for the whole upload.
//!
//! | State | Event | Next | Test |
//! |---|---|---|---|
//! | Discover | `Accept-Patch` has `application/partial-upload` | Create | `an_upload_goes_piece_by_piece` |
//! | Discover | it has not, or the question is refused | Plain: one request, as without all this | `a_server_that_does_not_speak_it_gets_a_plain_upload` |
//! | Create | 2xx with a `Location` | Append from 0 | `an_upload_goes_piece_by_piece` |
//! | Create | 2xx without | over: `Wrong` | `a_creation_without_a_location_is_an_error` |
//! | Append | answer with `Upload-Complete: ?1`, or 2xx to the last piece | Done, whatever its status | `an_upload_goes_piece_by_piece` |
//! | Append | 2xx | Append the next piece | `an_upload_goes_piece_by_piece` |
//! | Append | 409 with an offset | Append from there | `a_server_that_is_elsewhere_says_where` |
//! | Append | 413 with a smaller `max-append-size` | Append a smaller piece | `a_piece_too_large_is_cut` |
//! | Append | it broke, 5xx | Ask | `a_break_is_followed_by_a_question` |
//! | Ask | the offset, further than before | Append from there; that is progress | `a_break_is_followed_by_a_question` |
//! | Ask | complete | Done, without the final answer | `an_answer_that_was_lost_is_not_asked_for_by_sending_again` |
//! | Ask | an offset before what was acknowledged | over: `Wrong` | `an_offset_never_goes_back` |
//! | any | another status of 400 and more | over: the error is the caller's | |

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

/// `Upload-Complete`.
pub const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
/// `Upload-Offset`.
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// `Upload-Length`.
pub const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// `Upload-Limit`.
pub const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");
/// `Upload-Draft-Interop-Version`: 8, until there is an RFC.
pub const INTEROP_VERSION: (HeaderName, &str) =
    (HeaderName::from_static("upload-draft-interop-version"), "8");
/// The media type of a piece.
pub const PARTIAL_UPLOAD: &str = "application/partial-upload";

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// What a server allows; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UploadLimits {
    /// Bytes in all.
    pub max_size: Option<u64>,
    /// Bytes in all, at least.
    pub min_size: Option<u64>,
    /// Bytes of one piece.
    pub max_append_size: Option<u64>,
    /// Bytes of one piece but the last, at least.
    pub min_append_size: Option<u64>,
}

impl UploadLimits {
    /// Reads `Upload-Limit`; a header that is malformed, or has a value of the wrong type, says nothing.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let read = || {
            let value = headers.get(UPLOAD_LIMIT)?;
            let dictionary: Dictionary = Parser::new(value.as_bytes()).parse().ok()?;
            let number = |name: &str| match dictionary.get(name) {
                None => Some(None),
                Some(ListEntry::Item(Item {
                    bare_item: BareItem::Integer(number),
                    ..
                })) => Some(Some(u64::try_from(i64::from(*number)).ok()?)),
                Some(_) => None,
            };
            Some(Self {
                max_size: number("max-size")?,
                min_size: number("min-size")?,
                max_append_size: number("max-append-size")?,
                min_append_size: number("min-append-size")?,
            })
        };
        read().unwrap_or_default()
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// `OPTIONS` of the target.
    Discover,
    /// The upload in one request, without resuming.
    Plain,
    /// The request of the caller without its content: [`UploadState::creation`] has its headers.
    Create,
    /// `PATCH` of the upload resource with up to so many bytes from there: [`UploadState::append`] has its headers.
    Append {
        /// Where the piece begins.
        offset: u64,
        /// How long it may be.
        at_most: u64,
    },
    /// `HEAD` of the upload resource.
    Ask,
    /// It is complete.
    Done,
}

/// What an answer means, where it ends the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// The creation was answered without a `Location`.
    NoLocation,
    /// The question for the offset was answered without one.
    NoOffset,
    /// The server forgot bytes that it had acknowledged.
    WentBack {
        /// What it says now.
        says: u64,
        /// What it had acknowledged.
        had: u64,
    },
    /// The server has more than there is.
    TooFar {
        /// What it says.
        says: u64,
        /// What there is.
        length: u64,
    },
    /// The limits of the server do not allow it.
    Limit(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocation => {
                f.write_str("to the creation of an upload without a Location that can be followed")
            }
            Self::NoOffset => f.write_str("to the question for an upload's offset without one"),
            Self::WentBack { says, had } => write!(
                f,
                "that it has {says} bytes of the upload, after it had acknowledged {had}"
            ),
            Self::TooFar { says, length } => write!(
                f,
                "that it has {says} bytes of an upload that has only {length}"
            ),
            Self::Limit(what) => f.write_str(what),
        }
    }
}

/// One upload.
#[derive(Clone, Debug)]
pub struct UploadState {
    next: Next,
    length: Option<u64>,
    chunk: u64,
    limits: UploadLimits,
    /// Acknowledged by the server.
    offset: u64,
}

impl UploadState {
    /// An upload of so many bytes, where that is known, in pieces of `chunk` bytes.
    #[must_use]
    pub fn new(length: Option<u64>, chunk: u64) -> Self {
        Self {
            next: Next::Discover,
            length,
            chunk: chunk.max(1),
            limits: UploadLimits::default(),
            offset: 0,
        }
    }

    /// An upload that an earlier run began: it asks first how far that came.
    #[must_use]
    pub fn begun(length: Option<u64>, chunk: u64) -> Self {
        Self {
            next: Next::Ask,
            ..Self::new(length, chunk)
        }
    }

    /// Pieces of so many bytes, at least 1.
    pub fn set_chunk(&mut self, bytes: u64) {
        self.chunk = bytes.max(1);
    }

    /// The length is known now.
    pub const fn set_length(&mut self, length: u64) {
        self.length = Some(length);
    }

    /// The server is known to speak the draft: it is not asked.
    pub fn assume_support(&mut self) {
        if self.next == Next::Discover {
            self.next = Next::Create;
        }
    }

    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.next {
            Next::Append { .. } => Next::Append {
                offset: self.offset,
                at_most: self.piece(),
            },
            other => other,
        }
    }

    /// What the server has acknowledged.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The headers of the creation, beside those of the caller.
    #[must_use]
    pub fn creation(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Self::common(false);
        if let Some(length) = self.length {
            headers.push((UPLOAD_LENGTH, length.into()));
        }
        headers
    }

    /// The headers of a piece from the acknowledged offset on; `last`: it ends the upload.
    #[must_use]
    pub fn append(&self, last: bool) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Self::common(last);
        headers.push((UPLOAD_OFFSET, self.offset.into()));
        headers.push((
            header::CONTENT_TYPE,
            HeaderValue::from_static(PARTIAL_UPLOAD),
        ));
        headers
    }

    fn common(complete: bool) -> Vec<(HeaderName, HeaderValue)> {
        let (name, version) = INTEROP_VERSION;
        vec![
            (name, HeaderValue::from_static(version)),
            (
                UPLOAD_COMPLETE,
                HeaderValue::from_static(if complete { "?1" } else { "?0" }),
            ),
        ]
    }

    /// The answer to `OPTIONS`, of whatever status; `None` where the question was refused or lost.
    ///
    /// # Errors
    /// Where the server's limits do not allow it.
    pub fn on_discovered(&mut self, headers: Option<&HeaderMap>) -> Result<(), Wrong> {
        let speaks = headers.is_some_and(|headers| {
            headers.get_all(ACCEPT_PATCH).iter().any(|value| {
                value.to_str().is_ok_and(|value| {
                    value.split(',').any(|kind| {
                        let kind = kind.split(';').next().unwrap_or_default();
                        kind.trim().eq_ignore_ascii_case(PARTIAL_UPLOAD)
                    })
                })
            })
        });
        self.next = if speaks { Next::Create } else { Next::Plain };
        match headers {
            Some(headers) if speaks => self.heed(headers),
            _ => Ok(()),
        }
    }

    /// The creation was answered with a 2xx. `located`: its `Location` can be followed.
    ///
    /// # Errors
    /// Where it cannot, or where the server's limits do not allow it.
    pub fn on_created(&mut self, headers: &HeaderMap, located: bool) -> Result<(), Wrong> {
        if !located {
            return Err(Wrong::NoLocation);
        }
        self.next = Next::Append {
            offset: 0,
            at_most: 0,
        };
        self.heed(headers)
    }

    /// A piece of `sent` bytes was answered, below 400 or not. `true`: the answer is the caller's, whatever its status; `false`: it goes on.
    ///
    /// # Errors
    /// Where the server's offset makes no sense. The caller of an answer of 400 and more that is none of [`UploadState::on_refused`] ends.
    pub fn on_appended(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        sent: u64,
        last: bool,
    ) -> Result<bool, Wrong> {
        let complete = boolean(headers, &UPLOAD_COMPLETE);
        if complete == Some(true) {
            self.next = Next::Done;
            return Ok(true);
        }
        if status.is_success() {
            let offset = self.offset.saturating_add(sent);
            if last && complete.is_none() {
                self.offset = offset;
                self.next = Next::Done;
                return Ok(true);
            }
            self.heed(headers)?;
            self.go_on(integer(headers, &UPLOAD_OFFSET).unwrap_or(offset))?;
            return Ok(false);
        }
        Ok(true)
    }

    /// A piece was answered with an error status. `true`: it goes on all the same.
    ///
    /// # Errors
    /// Where the server's offset makes no sense.
    pub fn on_refused(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        sent: u64,
    ) -> Result<bool, Wrong> {
        if boolean(headers, &UPLOAD_COMPLETE) == Some(true) {
            self.next = Next::Done;
            return Ok(false);
        }
        match status {
            StatusCode::CONFLICT => match integer(headers, &UPLOAD_OFFSET) {
                // The same offset again would be refused again.
                Some(offset) if offset != self.offset => {
                    self.go_on(offset)?;
                    Ok(true)
                }
                _ => Ok(false),
            },
            StatusCode::PAYLOAD_TOO_LARGE => {
                let limits = UploadLimits::of(headers);
                match limits.max_append_size {
                    Some(most) if most > 0 && most < sent => {
                        self.heed(headers)?;
                        Ok(true)
                    }
                    _ => Ok(false),
                }
            }
            _ => Ok(false),
        }
    }

    /// What became of a piece is not known: the server is asked.
    pub const fn on_lost(&mut self) {
        self.next = Next::Ask;
    }

    /// The question was answered with a 2xx. `true`: the upload came further than before.
    ///
    /// # Errors
    /// Where the answer makes no sense.
    pub fn on_offset(&mut self, headers: &HeaderMap) -> Result<bool, Wrong> {
        self.heed(headers)?;
        let before = self.offset;
        if boolean(headers, &UPLOAD_COMPLETE) == Some(true) {
            self.offset = integer(headers, &UPLOAD_OFFSET).unwrap_or(before);
            self.next = Next::Done;
            return Ok(true);
        }
        let offset = integer(headers, &UPLOAD_OFFSET).ok_or(Wrong::NoOffset)?;
        self.go_on(offset)?;
        Ok(offset > before)
    }

    fn go_on(&mut self, offset: u64) -> Result<(), Wrong> {
        if offset < self.offset {
            return Err(Wrong::WentBack {
                says: offset,
                had: self.offset,
            });
        }
        if let Some(length) = self.length.filter(|length| offset > *length) {
            return Err(Wrong::TooFar {
                says: offset,
                length,
            });
        }
        self.offset = offset;
        self.next = Next::Append { offset, at_most: 0 };
        Ok(())
    }

    /// How long the next piece may be.
    fn piece(&self) -> u64 {
        let least = self.limits.min_append_size.unwrap_or(0);
        let most = self.limits.max_append_size.unwrap_or(u64::MAX).max(1);
        self.chunk.max(least).min(most)
    }

    fn heed(&mut self, headers: &HeaderMap) -> Result<(), Wrong> {
        let new = UploadLimits::of(headers);
        let old = self.limits;
        self.limits = UploadLimits {
            max_size: new.max_size.or(old.max_size),
            min_size: new.min_size.or(old.min_size),
            max_append_size: new.max_append_size.or(old.max_append_size),
            min_append_size: new.min_append_size.or(old.min_append_size),
        };
        let Some(length) = self.length else {
            return Ok(());
        };
        if let Some(most) = self.limits.max_size.filter(|most| length > *most) {
            return Err(Wrong::Limit(format!(
                "that an upload may have {most} bytes, but this one has {length}"
            )));
        }
        if let Some(least) = self.limits.min_size.filter(|least| length < *least) {
            return Err(Wrong::Limit(format!(
                "that an upload must have {least} bytes, but this one has {length}"
            )));
        }
        Ok(())
    }
}

fn item(headers: &HeaderMap, name: &HeaderName) -> Option<BareItem> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let item: Item = Parser::new(value.as_bytes()).parse().ok()?;
    Some(item.bare_item)
}

fn boolean(headers: &HeaderMap, name: &HeaderName) -> Option<bool> {
    match item(headers, name)? {
        BareItem::Boolean(yes) => Some(yes),
        _ => None,
    }
}

fn integer(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    match item(headers, name)? {
        BareItem::Integer(number) => u64::try_from(i64::from(number)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
