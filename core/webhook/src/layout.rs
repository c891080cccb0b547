//! A scheme as data: which headers it reads, which pieces it signs and how it writes its signatures. The presets in `schemes/` and
//! custom templates are layouts; what cannot be said as one has code in its file.

use std::borrow::Cow;

use crate::Scheme;
use crate::candidates::{Candidates, Form};
use crate::envelope::{Assurance, Envelope, Signed, Timestamp};
use crate::error::VerifyError;
use crate::headers::{Found, find};
use crate::key_form::KeyForm;
use crate::limits::MAX_MESSAGE_ID;
use crate::message::Message;
use crate::received::Received;
use crate::verified::BodyBound;

/// The name of a header or of a place in one: borrowed in presets, owned in templates.
pub(crate) type Name = Cow<'static, str>;

/// The latest timestamp 11 digits can say.
pub(crate) const MAX_TIMESTAMP: i64 = 99_999_999_999;

/// One scheme.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) scheme: Scheme,
    /// The header with the signatures.
    pub(crate) signature: Name,
    pub(crate) form: Form,
    pub(crate) timestamp: Option<TimestampAt>,
    /// The header with the message's id. If no piece is the id, it is not signed, and may be missing.
    pub(crate) id: Option<Name>,
    /// What is signed, in order.
    pub(crate) pieces: Cow<'static, [Piece]>,
    pub(crate) key: KeyForm,
    /// Seconds.
    pub(crate) tolerance: u64,
}

/// Where the timestamp is.
#[derive(Clone, Debug)]
pub(crate) enum TimestampAt {
    /// In a header of its own.
    Header(Name),
    /// An item in the header of the signatures, after this prefix: `t=`.
    Item(Name),
}

/// One piece of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Name),
    Id,
    Timestamp,
    Body,
    Url,
}

impl Layout {
    pub(crate) fn signs(&self, piece: &Piece) -> bool {
        self.pieces.contains(piece)
    }

    /// The name under which errors speak of the timestamp.
    pub(crate) fn timestamp_name(&self) -> Name {
        match &self.timestamp {
            Some(TimestampAt::Header(name)) => name.clone(),
            Some(TimestampAt::Item(_)) | None => self.signature.clone(),
        }
    }

    /// Reads the headers and, where it is signed, the URL. The body is put in its place later.
    pub(crate) fn read<'r>(&'r self, request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
        let id_name = self.id.as_deref().unwrap_or_default();
        let timestamp_name = match &self.timestamp {
            Some(TimestampAt::Header(name)) => name,
            _ => "",
        };
        let [id, timestamp, signature] =
            find(request.headers, [id_name, timestamp_name, &self.signature]);
        let (id_signed, url_bound) = (self.signs(&Piece::Id), self.signs(&Piece::Url));
        let id = match (&self.id, id) {
            (Some(name), found) if id_signed => Some(required(name, found)?),
            (Some(_), Found::Once(value)) => Some(value),
            _ => None,
        };
        let timestamp = match &self.timestamp {
            Some(TimestampAt::Header(name)) => Some(required(name, timestamp)?),
            _ => None,
        };
        let signature = required(&self.signature, signature)?;
        if url_bound && request.url.is_none() {
            return Err(VerifyError::MissingUrl);
        }
        let message_id = match id {
            Some(id) if id_signed => Some(self.signed_id(id)?),
            Some(id) => usable_id(id),
            None => None,
        };
        let digits = match &self.timestamp {
            Some(TimestampAt::Item(prefix)) => Some(self.item(signature, prefix)?),
            _ => timestamp,
        };
        let mut seconds = None;
        if let Some(digits) = digits {
            let bad = || VerifyError::BadTimestamp {
                name: self.timestamp_name(),
            };
            // With nothing between it and the body, a digit could change sides: as many as now has, until 2286.
            if self.timestamp_runs_on() && digits.len() != 10 {
                return Err(bad());
            }
            seconds = Some(Timestamp {
                seconds: unix_seconds(digits).ok_or_else(bad)?,
                name: self.timestamp_name(),
            });
        }
        let candidates = Candidates::bounded(signature, &self.form, &self.signature)?;
        let mut message = Message::new();
        for piece in self.pieces.iter() {
            match piece {
                Piece::Text(text) => message.push(text.as_bytes()),
                Piece::Id => message.push(message_id.unwrap_or_default().as_bytes()),
                // As sent: `007` and `7` are one time and two signed texts.
                Piece::Timestamp => message.push(digits.unwrap_or_default()),
                Piece::Body => message.push_body(),
                Piece::Url => message.push(request.url.unwrap_or_default().as_bytes()),
            }
        }
        Ok(Envelope {
            certificate: None,
            scheme: self.scheme,
            timestamp: seconds,
            message_id: message_id.map(Cow::Borrowed),
            assurance: Assurance {
                body_bound: if message.has_body() {
                    BodyBound::Full
                } else {
                    BodyBound::None
                },
                timestamp_signed: self.signs(&Piece::Timestamp),
                id_signed,
                url_bound,
            },
            signed: Signed::Pieces {
                message,
                candidates,
            },
        })
    }

    /// The one item of the signature header that begins with `prefix`. Two would be two readings.
    fn item<'r>(&self, header: &'r [u8], prefix: &str) -> Result<&'r [u8], VerifyError> {
        let mut values = header
            .split(|byte| Some(*byte) == self.form.separator)
            .filter_map(|item| item.strip_prefix(prefix.as_bytes()));
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(VerifyError::BadTimestamp {
                name: self.timestamp_name(),
            }),
        }
    }

    /// An id that can be signed without two readings: with a dot in it, `a.1` at time `2` and `a` at time `1` with a body that
    /// begins `2.` would be the same signed bytes.
    fn signed_id<'r>(&self, bytes: &'r [u8]) -> Result<&'r str, VerifyError> {
        let bad = || VerifyError::BadMessageId {
            name: self.id.clone().unwrap_or_default(),
        };
        let id = usable_id(bytes).ok_or_else(bad)?;
        let ends_early = self
            .after_id()
            .is_some_and(|next| id.chars().any(|char| char == next));
        if ends_early { Err(bad()) } else { Ok(id) }
    }

    /// Whether something that may begin with a digit follows the timestamp at once in what is signed.
    pub(crate) fn timestamp_runs_on(&self) -> bool {
        let is_timestamp = |piece: &Piece| *piece == Piece::Timestamp;
        let mut pieces = self.pieces.iter().skip_while(|piece| !is_timestamp(piece));
        pieces.next();
        match pieces.next() {
            None => false,
            Some(Piece::Text(text)) => text.starts_with(|first: char| first.is_ascii_digit()),
            Some(_) => true,
        }
    }

    /// The first character that follows the id in what is signed; no signed id may have it.
    pub(crate) fn after_id(&self) -> Option<char> {
        let mut pieces = self.pieces.iter().skip_while(|piece| **piece != Piece::Id);
        pieces.next()?;
        match pieces.next()? {
            Piece::Text(text) => text.chars().next(),
            _ => None,
        }
    }
}

/// The value of a header that must be there once, with something in it.
pub(crate) fn required<'h>(name: &Name, found: Found<'h>) -> Result<&'h [u8], VerifyError> {
    let name = || name.clone();
    match found {
        Found::Missing => Err(VerifyError::MissingHeader { name: name() }),
        Found::Repeated => Err(VerifyError::RepeatedHeader { name: name() }),
        Found::Once(value) if value.trim_ascii().is_empty() => {
            Err(VerifyError::EmptyHeader { name: name() })
        }
        Found::Once(value) => Ok(value),
    }
}

/// An id that can be shown and stored.
pub(crate) fn usable_id(bytes: &[u8]) -> Option<&str> {
    let id = std::str::from_utf8(bytes).ok()?;
    let usable = !id.is_empty()
        && id.len() <= MAX_MESSAGE_ID
        && id.bytes().all(|byte| !byte.is_ascii_control());
    usable.then_some(id)
}

/// Unix seconds from 1 to 11 ASCII digits and nothing else.
pub(crate) fn unix_seconds(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 11 {
        return None;
    }
    digits.iter().try_fold(0_i64, |seconds, digit| {
        digit
            .is_ascii_digit()
            .then(|| seconds * 10 + i64::from(digit - b'0'))
    })
}
