//! Signs webhooks, with one secret or, during a rotation, with several.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::key::SignKey;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::key_form::KeyForm;
use crate::layout::{Layout, MAX_TIMESTAMP, Name, Piece, TimestampAt, usable_id};
use crate::limits::MAX_MESSAGE_ID;
use crate::message::Message;
use crate::plain::Number;
use crate::schemes::standard::LAYOUT;
use crate::schemes::{Scheme, http_signature, mailgun, twilio};
use crate::template::Template;

/// Signs webhooks, for senders and for tests of receivers. Make it once.
#[derive(Clone, Debug)]
pub struct Signer {
    keys: Vec<SignKey>,
    layout: Cow<'static, Layout>,
}

impl Signer {
    /// A signer of Standard Webhooks with one or several secrets, each `whsec_…` (HMAC, `v1`) or `whsk_…` (Ed25519,
    /// `v1a`). The signature header lists one signature for each, in this order, so that a receiver
    /// who knows any of them is served during a rotation.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for a secret that is empty, too short, of the wrong kind or malformed.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Self::with(Cow::Borrowed(&LAYOUT), secrets)
    }

    /// A signer of any scheme with a shared secret or Ed25519. Discord's key is the seed, 32 bytes in hexadecimal. Where the scheme
    /// has no list of signatures, only one secret can be used.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`new`](Self::new); for schemes that sign by certificate, ECDSA or a template, and for more
    /// secrets than the scheme has signatures.
    pub fn of<S: AsRef<str>>(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        let layout = match scheme {
            Scheme::Custom => Err(KeyErrorKind::MissingTemplate),
            scheme => scheme.layout().ok_or(KeyErrorKind::NeedsAsymmetric),
        };
        let layout = layout.map_err(|kind| KeyError::new(kind, 0))?;
        Self::with(Cow::Borrowed(layout), secrets)
    }

    /// A signer by a template.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`of`](Self::of), and for a template that cannot be used.
    pub fn by_template<S: AsRef<str>>(
        template: &Template,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        let layout = template.layout().map_err(KeyErrorKind::BadTemplate);
        let layout = layout.map_err(|kind| KeyError::new(kind, 0))?;
        Self::with(Cow::Owned(layout), secrets)
    }

    /// A signer with the secrets of a receiver, which may be about to rotate them: with each where the scheme sends a
    /// list of signatures, else with the first, whose messages the receiver takes as well.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`of`](Self::of) and [`by_template`](Self::by_template), but not for more secrets than
    /// signatures.
    pub fn of_receiver<S: AsRef<str>>(
        scheme: Scheme,
        template: Option<&Template>,
        secrets: &[S],
    ) -> Result<Self, KeyError> {
        let made = |secrets: &[S]| match template {
            Some(template) => Self::by_template(template, secrets),
            None => Self::of(scheme, secrets),
        };
        match made(secrets) {
            Err(error) if error.kind == KeyErrorKind::TooManySecrets => {
                made(secrets.get(..1).unwrap_or_default())
            }
            made => made,
        }
    }

    fn with<S: AsRef<str>>(
        layout: Cow<'static, Layout>,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        let keys = SignKey::parse_all(layout.key, secrets)?;
        let many = layout.form.separator.is_some();
        if keys.is_empty() {
            return Err(KeyError::new(KeyErrorKind::CannotSign, 0));
        }
        if keys.len() > 1 && !many {
            return Err(KeyError::new(KeyErrorKind::TooManySecrets, 1));
        }
        Ok(Self { keys, layout })
    }

    /// How it signs.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.layout.scheme
    }

    /// Signs `body` by Standard Webhooks or Svix, sent as message `id` at `timestamp` (unix seconds).
    ///
    /// The id stays the same when the message is sent again; the timestamp is that of each attempt.
    /// Send exactly these body bytes.
    ///
    /// # Errors
    ///
    /// [`SignError`] for an id or a timestamp no receiver should accept, and for a signer of another scheme.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<Signed, SignError> {
        let layout = &*self.layout;
        let (Some(id_name), Some(TimestampAt::Header(timestamp_name))) =
            (&layout.id, &layout.timestamp)
        else {
            return Err(SignError::OtherScheme);
        };
        if layout.key != KeyForm::Prefixed {
            return Err(SignError::OtherScheme);
        }
        let id = sendable_id(layout, id)?;
        let timestamp = decimal(timestamp)?;
        let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        Ok(Signed {
            names: [id_name, timestamp_name, &layout.signature].map(Clone::clone),
            signature: self.signatures(&message, String::with_capacity(48 * self.keys.len())),
            id: id.to_owned(),
            timestamp,
        })
    }

    /// Signs a request of any scheme: the headers to send, and the body and the URL where those hold a part of the signature.
    ///
    /// # Errors
    ///
    /// [`SignError`] for what no receiver should accept, or where something is missing that the scheme signs.
    pub fn sign_request(&self, request: &Outgoing<'_>) -> Result<SignedRequest, SignError> {
        match self.layout.scheme {
            Scheme::Twilio => self.sign_twilio(request),
            Scheme::Mailgun => self.sign_mailgun(request),
            Scheme::HttpSignature => self.sign_message(request),
            _ => self.sign_pieces(request),
        }
    }

    fn sign_pieces(&self, request: &Outgoing<'_>) -> Result<SignedRequest, SignError> {
        let layout = &*self.layout;
        let timestamp = decimal(request.timestamp)?;
        if layout.timestamp_runs_on() && timestamp.len() != 10 {
            return Err(SignError::BadTimestamp);
        }
        let id = request.id.map(|id| sendable_id(layout, id)).transpose()?;
        let mut message = Message::new();
        for piece in layout.pieces.iter() {
            match piece {
                Piece::Text(text) => message.push(text.as_bytes()),
                Piece::Id => message.push(id.ok_or(SignError::BadMessageId)?.as_bytes()),
                Piece::Timestamp => message.push(timestamp.as_bytes()),
                Piece::Body => message.push_body(),
                Piece::Url => {
                    message.push(request.url.ok_or(SignError::MissingUrl)?.as_bytes());
                }
            }
        }
        let mut headers = Vec::with_capacity(3);
        let mut add = |name: &Name, value: &str| headers.push((name.to_string(), value.to_owned()));
        if let (Some(name), Some(id)) = (&layout.id, id) {
            add(name, id);
        }
        let mut list = String::new();
        match &layout.timestamp {
            Some(TimestampAt::Header(name)) => add(name, &timestamp),
            Some(TimestampAt::Item(prefix)) => {
                list.push_str(prefix);
                list.push_str(&timestamp);
            }
            None => {}
        }
        let list = self.signatures(message.with_body(request.body).parts(), list);
        add(&layout.signature, &list);
        Ok(SignedRequest {
            headers,
            body: None,
            url: None,
        })
    }

    /// A form is signed by its parameters; any other body by its hash, which the URL then carries.
    fn sign_twilio(&self, request: &Outgoing<'_>) -> Result<SignedRequest, SignError> {
        let url = request.url.ok_or(SignError::MissingUrl)?;
        let is_form = !matches!(request.body.trim_ascii_start().first(), Some(b'{' | b'['));
        let (url, changed, parameters) = if is_form {
            let parameters = twilio::form_text(request.body).ok_or(SignError::BodyMalformed)?;
            (url.to_owned(), None, parameters)
        } else {
            let url = twilio::with_body_hash(url, request.body);
            (url.clone(), Some(url), String::new())
        };
        let message = [url.as_bytes(), parameters.as_bytes()];
        let signature = self.signatures(&message, String::new());
        let mut headers = vec![(self.layout.signature.to_string(), signature)];
        if let (Some(name), Some(id)) = (&self.layout.id, request.id) {
            let id = sendable_id(&self.layout, id)?;
            headers.push((name.to_string(), id.to_owned()));
        }
        Ok(SignedRequest {
            headers,
            body: None,
            url: changed,
        })
    }

    /// The body, a JSON object, gets the member `signature`; the id is its token.
    fn sign_mailgun(&self, request: &Outgoing<'_>) -> Result<SignedRequest, SignError> {
        let token = sendable_id(&self.layout, request.id.ok_or(SignError::BadMessageId)?)?;
        let timestamp = decimal(request.timestamp)?;
        if timestamp.len() != mailgun::DIGITS {
            return Err(SignError::BadTimestamp);
        }
        let message = [timestamp.as_bytes(), token.as_bytes()];
        let signature = self.signatures(&message, String::new());
        let mut signatures = signature.split(' ');
        let own = signatures.next().unwrap_or_default();
        let body = mailgun::with_signature(request.body, &timestamp, token, own, signatures.next());
        Ok(SignedRequest {
            headers: Vec::new(),
            body: Some(body.ok_or(SignError::BodyMalformed)?),
            url: None,
        })
    }

    /// A signature (RFC 9421) over the body's digest, the method `POST` and, if it is there, the URL.
    fn sign_message(&self, request: &Outgoing<'_>) -> Result<SignedRequest, SignError> {
        let created = decimal(request.timestamp)?;
        let key = self.keys.first().ok_or(SignError::OtherScheme)?;
        let headers = http_signature::sign(key, request.body, request.url, &created);
        Ok(SignedRequest {
            headers: headers.ok_or(SignError::MissingUrl)?,
            body: None,
            url: None,
        })
    }

    /// One signature for each key, after what the list holds already.
    fn signatures(&self, message: &[&[u8]], mut list: String) -> String {
        for key in &self.keys {
            key.sign_into(message, &self.layout.form, &mut list);
        }
        list
    }
}

/// An id that a receiver takes, and that arrives as it was signed.
fn sendable_id<'i>(layout: &Layout, id: &'i str) -> Result<&'i str, SignError> {
    let id = usable_id(id.as_bytes()).ok_or(SignError::BadMessageId)?;
    // Surrounding spaces are not part of a header's value (RFC 9110, section 5.5): they would
    // be signed here and lost on the way.
    if id.trim() != id
        || layout
            .after_id()
            .is_some_and(|next| id.chars().any(|char| char == next))
    {
        return Err(SignError::BadMessageId);
    }
    Ok(id)
}

fn decimal(timestamp: i64) -> Result<String, SignError> {
    if !(0..=MAX_TIMESTAMP).contains(&timestamp) {
        return Err(SignError::BadTimestamp);
    }
    Ok(Number(timestamp.unsigned_abs()).to_string())
}

/// A request to sign.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Outgoing<'o> {
    /// The body, exactly as it will be sent.
    pub body: &'o [u8],
    /// When it is sent, unix seconds. Of no effect where a scheme has no timestamp.
    pub timestamp: i64,
    /// The id of the message. Needed where it is signed (Standard Webhooks, Svix, Mailgun's token).
    pub id: Option<&'o str>,
    /// The URL it is sent to. Needed where it is signed (Twilio, Square).
    pub url: Option<&'o str>,
}

impl<'o> Outgoing<'o> {
    /// A body to be sent at `timestamp`, unix seconds.
    #[must_use]
    pub const fn new(body: &'o [u8], timestamp: i64) -> Self {
        Self {
            body,
            timestamp,
            id: None,
            url: None,
        }
    }

    /// The id of the message.
    #[must_use]
    pub const fn id(mut self, id: &'o str) -> Self {
        self.id = Some(id);
        self
    }

    /// The URL it is sent to.
    #[must_use]
    pub const fn url(mut self, url: &'o str) -> Self {
        self.url = Some(url);
        self
    }
}

/// What to send.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedRequest {
    /// The headers, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body to send in place of the one given, where it holds the signature (Mailgun).
    pub body: Option<Vec<u8>>,
    /// The URL to send to in place of the one given, where it holds the body's hash (Twilio, JSON).
    pub url: Option<String>,
}

/// Without the signature: whoever reads it in a log could send the message again.
impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("SignedRequest")
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// The headers to send with a body signed by Standard Webhooks.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// Of the three headers.
    names: [Name; 3],
    /// The value of `webhook-id`.
    pub id: String,
    /// The value of `webhook-timestamp`.
    pub timestamp: String,
    /// The value of `webhook-signature`.
    pub signature: String,
}

impl Signed {
    /// The three headers as pairs of name and value.
    #[must_use]
    pub fn headers(&self) -> [(&str, &str); 3] {
        let [id, timestamp, signature] = &self.names;
        [
            (id, &self.id),
            (timestamp, &self.timestamp),
            (signature, &self.signature),
        ]
    }
}

/// Without the signature: whoever reads it in a log could send the message again.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("signature", &format_args!("[redacted]"))
            .finish()
    }
}

/// Why a message cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignError {
    /// The id is empty, too long, has a dot or a control character, or spaces around it.
    BadMessageId,
    /// The timestamp is negative or has more than 11 digits; not exactly 10 where nothing
    /// separates it from what follows (Mailgun, Discord).
    BadTimestamp,
    /// The body is not what the scheme signs: a form (Twilio), a JSON object without the member `signature` (Mailgun).
    BodyMalformed,
    /// The scheme signs the URL, and none was given.
    MissingUrl,
    /// Only a signer of Standard Webhooks or Svix has `sign`.
    OtherScheme,
}

impl SignError {
    /// Every variant, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::BadMessageId,
        Self::BadTimestamp,
        Self::BodyMalformed,
        Self::MissingUrl,
        Self::OtherScheme,
    ];

    /// A stable code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadMessageId => "bad_message_id",
            Self::BadTimestamp => "bad_timestamp",
            Self::BodyMalformed => "body_malformed",
            Self::MissingUrl => "missing_url",
            Self::OtherScheme => "other_scheme",
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMessageId => write!(
                f,
                "message id cannot be signed: expected 1 to {} bytes without \".\", control characters and spaces around it",
                Number::of(MAX_MESSAGE_ID),
            ),
            Self::BadTimestamp => write!(
                f,
                "timestamp cannot be signed: expected unix seconds from 0 to {}, not milliseconds",
                Number(MAX_TIMESTAMP.unsigned_abs()),
            ),
            Self::BodyMalformed => f.write_str(
                "body cannot be signed: expected a form (Twilio), or a JSON object without the member \"signature\" (Mailgun)",
            ),
            Self::MissingUrl => {
                f.write_str("this scheme signs the URL: give the one the request is sent to")
            }
            Self::OtherScheme => f.write_str(
                "sign() is for Standard Webhooks and Svix: use sign_request() with this scheme",
            ),
        }
    }
}

impl Error for SignError {}
