//! A scheme of the user's own, for a provider that is not among the presets: which headers it reads, what it signs and how.

use std::borrow::Cow;

use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, Piece, TimestampAt};
use crate::limits::DEFAULT_TOLERANCE;
use crate::schemes::Scheme;

/// How a template's secrets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// The key is the text's own bytes. Only for HMAC.
    Text,
    /// The key is written in standard base64 with its padding.
    Base64,
    /// The key is written in hexadecimal.
    Hex,
}

/// How a provider that is not among the presets signs.
///
/// ```
/// use gatewright_webhook::{Algorithm, Encoding, Template, Webhook};
///
/// // Acme-Signature: t=1700000000,v1=5f…  signs "1700000000.body"
/// let template = Template::new("acme-signature", "{timestamp}.{body}")
///     .timestamp_item("t=")
///     .prefix("v1=")
///     .separator(',');
/// let webhook = Webhook::builder().template(template).secret("a long secret of Acme's").build()?;
/// # Ok::<(), gatewright_webhook::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    signature: String,
    signed: String,
    timestamp: Option<TimestampAt>,
    id: Option<String>,
    algorithm: Algorithm,
    encoding: Encoding,
    prefix: String,
    separator: Option<char>,
    secret: SecretEncoding,
}

impl Template {
    /// The signature is in the header `signature_header`, and signs `signed`: texts with the places `{id}`, `{timestamp}`,
    /// `{body}` and `{url}`. HMAC-SHA256, hexadecimal, no prefix, one signature, the secret's text is the key.
    #[must_use]
    pub fn new(signature_header: &str, signed: &str) -> Self {
        Self {
            signature: signature_header.to_owned(),
            signed: signed.to_owned(),
            timestamp: None,
            id: None,
            algorithm: Algorithm::HmacSha256,
            encoding: Encoding::Hex,
            prefix: String::new(),
            separator: None,
            secret: SecretEncoding::Text,
        }
    }

    /// The header with the timestamp, unix seconds.
    #[must_use]
    pub fn timestamp_header(mut self, name: &str) -> Self {
        self.timestamp = Some(TimestampAt::Header(Cow::Owned(name.to_owned())));
        self
    }

    /// The timestamp is an item in the header of the signatures, after this prefix: `t=`.
    #[must_use]
    pub fn timestamp_item(mut self, prefix: &str) -> Self {
        self.timestamp = Some(TimestampAt::Item(Cow::Owned(prefix.to_owned())));
        self
    }

    /// The header with the message's id. If `{id}` is not signed, the header may be missing.
    #[must_use]
    pub fn id_header(mut self, name: &str) -> Self {
        self.id = Some(name.to_owned());
        self
    }

    /// The algorithm: one of the three HMACs, or Ed25519. Default HMAC-SHA256.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How signatures are written. Default hexadecimal.
    #[must_use]
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// What stands before each signature: `sha256=`, `v1=`. Default nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// What separates the items of the header, an ASCII character. Default: there is only one item.
    #[must_use]
    pub const fn separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// How secrets are written. Default: as text.
    #[must_use]
    pub const fn secret_encoding(mut self, encoding: SecretEncoding) -> Self {
        self.secret = encoding;
        self
    }

    /// The layout this describes.
    pub(crate) fn layout(&self) -> Result<Layout, TemplateFault> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let mut names = vec![self.signature.as_str()];
        names.extend(self.id.as_deref());
        if let Some(TimestampAt::Header(name)) = &self.timestamp {
            names.push(name);
        }
        if !names.iter().all(|name| is_name(name)) {
            return Err(TemplateFault::BadHeaderName);
        }
        let separator = match self.separator {
            None => None,
            Some(char) => {
                let byte = u8::try_from(char).ok().filter(u8::is_ascii);
                Some(byte.ok_or(TemplateFault::BadSeparator)?)
            }
        };
        let in_items = matches!(self.timestamp, Some(TimestampAt::Item(_)));
        if in_items && separator.is_none() {
            return Err(TemplateFault::BadSeparator);
        }
        let pieces = pieces(&self.signed)?;
        let signs = |piece| pieces.contains(&piece);
        if signs(Piece::Timestamp) && self.timestamp.is_none() {
            return Err(TemplateFault::NoTimestamp);
        }
        if signs(Piece::Id) && self.id.is_none() {
            return Err(TemplateFault::NoId);
        }
        let layout = Layout {
            scheme: Scheme::Custom,
            signature: Cow::Owned(self.signature.clone()),
            form: Form {
                separator,
                prefixes: vec![(Cow::Owned(self.prefix.clone()), self.algorithm)].into(),
                encoding: self.encoding,
            },
            timestamp: self.timestamp.clone(),
            id: self.id.clone().map(Cow::Owned),
            key: self.key_form()?,
            tolerance: DEFAULT_TOLERANCE.as_secs(),
            pieces: pieces.into(),
        };
        let id_runs_on = layout.signs(&Piece::Id)
            && layout.after_id().is_none()
            && layout.pieces.last() != Some(&Piece::Id);
        if id_runs_on {
            return Err(TemplateFault::IdRunsOn);
        }
        Ok(layout)
    }

    const fn key_form(&self) -> Result<KeyForm, TemplateFault> {
        let algorithm = self.algorithm;
        match (algorithm, self.secret) {
            (Algorithm::Ed25519, SecretEncoding::Hex) => Ok(KeyForm::Ed25519Hex),
            (Algorithm::Ed25519, SecretEncoding::Base64) => Ok(KeyForm::Ed25519Base64),
            (_, _) if algorithm.is_asymmetric() => Err(TemplateFault::BadAlgorithm),
            (_, SecretEncoding::Text) => Ok(KeyForm::Text {
                algorithm,
                prefix: "",
                least: 1,
            }),
            (_, SecretEncoding::Base64) => Ok(KeyForm::Base64 { algorithm }),
            (_, SecretEncoding::Hex) => Ok(KeyForm::Hex { algorithm }),
        }
    }
}

/// Takes `{timestamp}.{body}` apart.
fn pieces(signed: &str) -> Result<Vec<Piece>, TemplateFault> {
    let mut pieces = Vec::new();
    let mut rest = signed;
    while !rest.is_empty() {
        let end = rest.find('{').unwrap_or(rest.len());
        let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !text.is_empty() {
            pieces.push(Piece::Text(Name::Owned(text.to_owned())));
        }
        rest = after;
        if let Some(inside) = after.strip_prefix('{') {
            let (name, after) = inside.split_once('}').ok_or(TemplateFault::UnknownPlace)?;
            let place = match name {
                "id" => Piece::Id,
                "timestamp" => Piece::Timestamp,
                "body" => Piece::Body,
                "url" => Piece::Url,
                _ => return Err(TemplateFault::UnknownPlace),
            };
            if pieces.contains(&place) {
                return Err(TemplateFault::RepeatedPlace);
            }
            pieces.push(place);
            rest = after;
        }
    }
    let signs = |piece: &Piece| !matches!(piece, Piece::Text(_));
    if pieces.iter().any(signs) {
        Ok(pieces)
    } else {
        Err(TemplateFault::NothingSigned)
    }
}

/// Why a template cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateFault {
    /// Only the HMACs and Ed25519 are possible, the latter not with secrets as text.
    BadAlgorithm,
    /// A header's name is empty or has characters that no name has.
    BadHeaderName,
    /// The separator is not ASCII, or missing though the timestamp is an item of the list.
    BadSeparator,
    /// `{id}` is followed by another place at once, so that nobody can tell where it ends.
    IdRunsOn,
    /// `{id}` is signed, and no header is named for it.
    NoId,
    /// `{timestamp}` is signed, and it is not said where it is.
    NoTimestamp,
    /// No place is in the signed text.
    NothingSigned,
    /// A place is there twice.
    RepeatedPlace,
    /// A place other than `{id}`, `{timestamp}`, `{body}` and `{url}`, or a brace that is not closed.
    UnknownPlace,
}

impl TemplateFault {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::BadAlgorithm => {
                "only the HMACs and Ed25519 are possible, and an Ed25519 key is written in base64 or hexadecimal"
            }
            Self::BadHeaderName => "a header's name is empty or has characters that no name has",
            Self::BadSeparator => {
                "the separator must be an ASCII character, and must be given if the timestamp is an item"
            }
            Self::IdRunsOn => {
                "{id} is followed by another place at once: nobody could tell where it ends"
            }
            Self::NoId => "{id} is signed: name the header it is in",
            Self::NoTimestamp => "{timestamp} is signed: say in which header or item it is",
            Self::NothingSigned => "nothing is signed: expected at least {body}",
            Self::RepeatedPlace => "a place is there twice",
            Self::UnknownPlace => {
                "only {id}, {timestamp}, {body} and {url} are known, and each brace must be closed"
            }
        }
    }
}
