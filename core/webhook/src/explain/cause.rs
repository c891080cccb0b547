//! What `explain` can find, and the words that tell a person what to do about it.

use std::borrow::Cow;
use std::fmt;

use crate::algorithm::Algorithm;
use crate::candidates::Encoding;
use crate::error::VerifyError;
use crate::plain::{Number, Text};
use crate::schemes::Scheme;

/// Why a webhook does not verify. `Display` says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Explanation {
    /// The first cause that fits.
    pub cause: Cause,
    /// Set if the timestamp is also outside the tolerance: `now` minus the timestamp, in seconds.
    pub clock_off_by: Option<i64>,
}

impl Explanation {
    pub(super) const fn of(cause: Cause) -> Self {
        Self {
            cause,
            clock_off_by: None,
        }
    }

    /// A stable code for programs: [`Cause::code`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.cause.code()
    }
}

/// What `explain` found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Just what the error of `verify` says.
    AsReported(VerifyError),
    /// The signature fits another form of the body: something changed it on the way here.
    BodyChanged {
        /// What happened to it.
        change: BodyChange,
    },
    /// A hint: the request says its body is compressed, and this body is not.
    BodyDecompressed,
    /// A hint: there is no body here.
    BodyEmpty,
    /// A hint: the request declared another length.
    BodyLengthDiffers {
        /// `content-length`, bytes.
        declared: u64,
        /// The length of the body handed in.
        got: usize,
    },
    /// The signature is right; only the timestamp is outside the tolerance.
    ClockOff {
        /// `now` minus the timestamp: above 0, the webhook is old or this clock is fast.
        seconds: i64,
    },
    /// A required header is not there.
    HeaderMissing {
        /// The header that is needed.
        name: Cow<'static, str>,
        /// A header that is there and has a name much like it.
        similar: Option<String>,
    },
    /// Nothing tried here fits.
    NothingFits,
    /// The signatures are all of an algorithm for which no secret was given.
    OtherAlgorithm {
        /// The algorithm of the signatures.
        offered: Algorithm,
    },
    /// The headers of another scheme are there.
    OtherScheme {
        /// Whose they are.
        offered: Scheme,
    },
    /// The signature fits other content than the scheme signs.
    OtherContent {
        /// What the sender signed.
        content: SignedContent,
    },
    /// The sender decoded the secret; this scheme uses its text.
    SecretDecoded {
        /// Which of the configured secrets, counted from 0.
        key_index: usize,
        /// How it is written.
        encoding: Encoding,
    },
    /// The signature fits the secret without the quotes around it.
    SecretQuoted {
        /// Which of the configured secrets, counted from 0.
        key_index: usize,
    },
    /// The sender used the text of the secret as its key, without decoding it.
    SecretUsedAsText {
        /// Which of the configured secrets, counted from 0.
        key_index: usize,
        /// Whether `whsec_` was part of the key.
        with_prefix: bool,
    },
    /// No token in the signature header is well-formed.
    SignatureMalformed {
        /// What they look like.
        form: SignatureForm,
    },
    /// The timestamp is not unix seconds.
    TimestampMalformed {
        /// Where it was read.
        name: Cow<'static, str>,
        /// What it looks like.
        form: TimestampForm,
    },
    /// The signature fits another URL: a proxy changed it, or it was put together wrongly here.
    UrlChanged {
        /// Which part of it.
        change: UrlChange,
    },
    /// The webhook verifies.
    Valid {
        /// With which of the configured secrets, counted from 0.
        key_index: usize,
    },
}

impl Cause {
    /// The code of every variant of its own; [`Cause::AsReported`] has those of [`VerifyError`].
    pub const ALL: &[&str] = &[
        "body_changed",
        "body_decompressed",
        "body_empty",
        "body_length_differs",
        "clock_off",
        "header_missing",
        "nothing_fits",
        "other_algorithm",
        "other_content",
        "other_scheme",
        "secret_decoded",
        "secret_quoted",
        "secret_used_as_text",
        "signature_malformed",
        "timestamp_malformed",
        "url_changed",
        "valid",
    ];

    /// A stable code for programs: one of [`Cause::ALL`] or of [`VerifyError::ALL`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AsReported(error) => error.code(),
            Self::BodyChanged { .. } => "body_changed",
            Self::BodyDecompressed => "body_decompressed",
            Self::BodyEmpty => "body_empty",
            Self::BodyLengthDiffers { .. } => "body_length_differs",
            Self::ClockOff { .. } => "clock_off",
            Self::HeaderMissing { .. } => "header_missing",
            Self::NothingFits => "nothing_fits",
            Self::OtherAlgorithm { .. } => "other_algorithm",
            Self::OtherContent { .. } => "other_content",
            Self::OtherScheme { .. } => "other_scheme",
            Self::SecretDecoded { .. } => "secret_decoded",
            Self::SecretQuoted { .. } => "secret_quoted",
            Self::UrlChanged { .. } => "url_changed",
            Self::SecretUsedAsText { .. } => "secret_used_as_text",
            Self::SignatureMalformed { .. } => "signature_malformed",
            Self::TimestampMalformed { .. } => "timestamp_malformed",
            Self::Valid { .. } => "valid",
        }
    }
}

/// What happened to the body between the sender's signature and here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyChange {
    /// It was base64 and was decoded.
    Base64Decoded,
    /// It was encoded as base64.
    Base64Encoded,
    /// A byte order mark was put before it.
    ByteOrderMarkAdded,
    /// A byte order mark was taken off.
    ByteOrderMarkRemoved,
    /// It was decoded as Latin-1 and encoded as UTF-8.
    CharsetChanged,
    /// It is a form that was parsed and written again.
    FormRewritten,
    /// It is a form that was parsed and written as JSON.
    FormToJson,
    /// It is JSON that was parsed and written again.
    JsonRewritten,
    /// It was put into a JSON string.
    JsonQuoted,
    /// `\n` and `\r\n` were exchanged.
    LineEndingsChanged,
    /// A line end was put after it.
    NewlineAdded,
    /// A line end was taken off its end.
    NewlineRemoved,
    /// It is how Python prints bytes, `b'…'`.
    PythonBytes,
    /// Spaces or line ends were put around it.
    WhitespaceAdded,
}

impl BodyChange {
    /// Every variant, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::Base64Decoded,
        Self::Base64Encoded,
        Self::ByteOrderMarkAdded,
        Self::ByteOrderMarkRemoved,
        Self::CharsetChanged,
        Self::FormRewritten,
        Self::FormToJson,
        Self::JsonRewritten,
        Self::JsonQuoted,
        Self::LineEndingsChanged,
        Self::NewlineAdded,
        Self::NewlineRemoved,
        Self::PythonBytes,
        Self::WhitespaceAdded,
    ];

    /// A stable code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Base64Decoded => "base64_decoded",
            Self::Base64Encoded => "base64_encoded",
            Self::ByteOrderMarkAdded => "byte_order_mark_added",
            Self::ByteOrderMarkRemoved => "byte_order_mark_removed",
            Self::CharsetChanged => "charset_changed",
            Self::FormRewritten => "form_rewritten",
            Self::FormToJson => "form_to_json",
            Self::JsonRewritten => "json_rewritten",
            Self::JsonQuoted => "json_quoted",
            Self::LineEndingsChanged => "line_endings_changed",
            Self::NewlineAdded => "newline_added",
            Self::NewlineRemoved => "newline_removed",
            Self::PythonBytes => "python_bytes",
            Self::WhitespaceAdded => "whitespace_added",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Base64Decoded => {
                "was decoded from base64: hand in the body as it arrived, still encoded"
            }
            Self::Base64Encoded => {
                "is still base64: decode it first (API gateways set isBase64Encoded)"
            }
            Self::ByteOrderMarkAdded => {
                "has a byte order mark the sender did not sign: hand in the bytes as they arrived"
            }
            Self::ByteOrderMarkRemoved => {
                "lost its byte order mark: hand in the bytes, not decoded text"
            }
            Self::CharsetChanged => {
                "was decoded as Latin-1 and encoded as UTF-8: hand in the bytes, not decoded text"
            }
            Self::FormRewritten => {
                "was parsed as a form and written again: hand in the raw body, and parse it only after it is verified"
            }
            Self::FormToJson => {
                "was parsed as a form and written as JSON: hand in the raw body, and parse it only after it is verified"
            }
            Self::JsonRewritten => {
                "was parsed as JSON and written again: hand in the raw body, and parse it only after it is verified"
            }
            Self::JsonQuoted => "was put into a JSON string: hand in the bytes as they arrived",
            Self::LineEndingsChanged => {
                "had its line ends converted: hand in the bytes as they arrived"
            }
            Self::NewlineAdded => {
                "has a line end after it that the sender did not sign: hand in the bytes as they arrived"
            }
            Self::NewlineRemoved => "lost the line end after it: do not trim it",
            Self::PythonBytes => {
                "is how Python prints bytes (b'...'): hand in the bytes themselves, not str(body)"
            }
            Self::WhitespaceAdded => {
                "has spaces or line ends around it that the sender did not sign: hand in the bytes as they arrived"
            }
        }
    }
}

/// What a malformed timestamp looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimestampForm {
    /// A date or a time of day.
    Date,
    /// Seconds with a fraction.
    Fraction,
    /// 12 to 14 digits.
    Milliseconds,
    /// None of the others.
    Other,
    /// Spaces around it.
    Padded,
    /// A `+` or `-` before it.
    Sign,
}

impl TimestampForm {
    const fn text(self) -> &'static str {
        match self {
            Self::Date => "a date",
            Self::Fraction => "seconds with a fraction",
            Self::Milliseconds => "milliseconds",
            Self::Other => "something else",
            Self::Padded => "a number with spaces around it",
            Self::Sign => "a number with a sign",
        }
    }
}

/// What a malformed signature looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureForm {
    /// Base64, where hexadecimal is expected.
    Base64,
    /// Base64 without padding, or in the alphabet for URLs.
    Base64Variant,
    /// A list separated by commas.
    CommaSeparated,
    /// Hexadecimal.
    Hex,
    /// A signature with nothing before it, where the scheme puts a version or the name of the hash.
    NoVersion,
    /// The output of another hash: SHA-1, SHA-384 or SHA-512.
    OtherHash,
    /// None of the others.
    Other,
    /// A version other than those known.
    UnknownVersion,
}

impl SignatureForm {
    const fn text(self) -> &'static str {
        match self {
            Self::Base64 => "base64 instead of hexadecimal",
            Self::Base64Variant => "base64 without padding or in the URL alphabet",
            Self::CommaSeparated => "a list separated by commas instead of spaces",
            Self::Hex => "hexadecimal instead of base64",
            Self::NoVersion => {
                "a signature without what this scheme puts before it (a version, or the name of the hash)"
            }
            Self::Other => "something else",
            Self::OtherHash => "the output of another hash than this scheme uses",
            Self::UnknownVersion => "a version other than those known",
        }
    }
}

/// What a sender signed in place of what the scheme signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedContent {
    /// The body alone.
    Body,
    /// `id.timestamp`.
    IdAndTimestamp,
    /// `id.timestamp.body`, as Standard Webhooks.
    IdTimestampAndBody,
    /// `timestamp.body`, as Stripe.
    TimestampAndBody,
    /// The timestamp and the body with nothing between them.
    TimestampRunsIntoBody,
    /// `timestamp:body`, as Paddle.
    TimestampColonBody,
    /// The URL and the body, as Square.
    UrlAndBody,
    /// `v0:timestamp:body`, as Slack.
    VersionTimestampAndBody,
    /// `id.timestamp.` and an empty body.
    WithoutBody,
}

impl SignedContent {
    const fn text(self) -> &'static str {
        match self {
            Self::Body => "the body alone",
            Self::IdAndTimestamp => "\"id.timestamp\" without the body",
            Self::IdTimestampAndBody => "\"id.timestamp.body\" as Standard Webhooks",
            Self::TimestampAndBody => "\"timestamp.body\"",
            Self::TimestampRunsIntoBody => "the timestamp and the body with nothing between them",
            Self::TimestampColonBody => "\"timestamp:body\"",
            Self::UrlAndBody => "the URL and the body",
            Self::VersionTimestampAndBody => "\"v0:timestamp:body\" as Slack",
            Self::WithoutBody => "\"id.timestamp.\" with an empty body",
        }
    }
}

/// Which part of the URL differs between what the sender signed and what was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UrlChange {
    /// The host, or who calls itself it: a proxy, a load balancer.
    Host,
    /// The path: a prefix was taken off, or it was rewritten.
    Path,
    /// The port.
    Port,
    /// The query was left out.
    Query,
    /// `http` in place of `https`, or the reverse.
    Scheme,
    /// More than one part.
    Several,
    /// The slash at the end of the path.
    TrailingSlash,
}

impl UrlChange {
    const fn text(self) -> &'static str {
        match self {
            Self::Host => "the host",
            Self::Path => "the path",
            Self::Port => "the port",
            Self::Query => "the query",
            Self::Scheme => "http in place of https or the reverse",
            Self::Several => "more than one part",
            Self::TrailingSlash => "the slash at the end",
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        match (&self.cause, self.clock_off_by) {
            (Cause::ClockOff { .. }, _) | (_, None) => Ok(()),
            (_, Some(seconds)) => write!(f, "; besides, {}", Distance(seconds)),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsReported(error) => error.fmt(f),
            Self::BodyChanged { change } => write!(f, "the body {}", Text(change.text())),
            Self::BodyDecompressed => f.write_str(
                "nothing fits, but the request has content-encoding and this body is not compressed: verify the body before anything decompresses it",
            ),
            Self::BodyEmpty => f.write_str(
                "nothing fits, and the body is empty: something read it before; keep the raw body before parsing it",
            ),
            Self::BodyLengthDiffers { declared, got } => write!(
                f,
                "nothing fits, but content-length says {} bytes and this body has {}: hand in the raw body, whole",
                Number(*declared),
                Number::of(*got),
            ),
            Self::ClockOff { seconds } => write!(
                f,
                "the signature is right, but {}: set the clock of this machine, and verify on arrival, before any queue",
                Distance(*seconds),
            ),
            Self::HeaderMissing { name, similar: None } => {
                VerifyError::MissingHeader { name: name.clone() }.fmt(f)
            }
            Self::HeaderMissing { name, similar: Some(similar) } => write!(
                f,
                "header {0} is missing, but there is {1}: hand it in under the name {0}, or use the scheme it belongs to",
                Text(name),
                Text(similar),
            ),
            Self::NothingFits => f.write_str(
                "nothing fits: is the secret that of this endpoint (test and live ones differ), and is the body the raw one, not parsed and written again?",
            ),
            Self::OtherAlgorithm { offered: Algorithm::HmacSha256 } => f.write_str(
                "the sender signs with HMAC-SHA256 (v1), and no whsec_ secret is configured: add it",
            ),
            Self::OtherAlgorithm { offered: Algorithm::Ed25519 } => f.write_str(
                "the sender signs with Ed25519 (v1a), and no whpk_ key is configured: add it",
            ),
            Self::OtherAlgorithm { offered } => write!(
                f,
                "the sender signs with {}, and no key of that kind is configured: add it",
                Text(offered.name()),
            ),
            Self::OtherContent { content } => write!(
                f,
                "the sender signed {}, which this scheme does not: use the scheme it follows",
                Text(content.text()),
            ),
            Self::OtherScheme { offered } => write!(
                f,
                "the headers are those of another scheme, {}: use that one",
                Text(offered.name()),
            ),
            Self::SecretDecoded { key_index, encoding } => write!(
                f,
                "the sender decodes the text of secret [{}] from {} and uses the bytes as its key, which this scheme does not: use a template",
                Number::of(*key_index),
                Text(match encoding {
                    Encoding::Base64 => "base64",
                    Encoding::Hex => "hexadecimal",
                }),
            ),
            Self::SecretQuoted { key_index } => write!(
                f,
                "the signature fits secret [{}] without the quotes around it: remove them where it is configured",
                Number::of(*key_index),
            ),
            Self::UrlChanged { change } => write!(
                f,
                "the sender signed another URL, {} differs: hand in the URL it called, not the one that arrived behind a proxy, or configure it",
                Text(change.text()),
            ),
            Self::SecretUsedAsText { key_index, with_prefix } => write!(
                f,
                "the sender uses the text of secret [{}] {} \"whsec_\" as its key, without decoding it: it does not follow Standard Webhooks; to accept it, encode that text as base64 and put whsec_ before it",
                Number::of(*key_index),
                Text(if *with_prefix { "with" } else { "without" }),
            ),
            Self::SignatureMalformed { form } => write!(
                f,
                "the signature header holds {}; ask the sender, or use the scheme it follows",
                Text(form.text()),
            ),
            Self::TimestampMalformed { name, form } => write!(
                f,
                "{} is {}: expected unix seconds in 1 to 11 ASCII digits; ask the sender",
                Text(name),
                Text(form.text()),
            ),
            Self::Valid { key_index } => write!(f, "the webhook verifies, with secret [{}]", Number::of(*key_index)),
        }
    }
}

/// `now` minus the timestamp, in words.
struct Distance(i64);

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.0 < 0 { "ahead of" } else { "behind" };
        write!(
            f,
            "the timestamp is {} s {} this clock, more than the tolerance",
            Number(self.0.unsigned_abs()),
            Text(side),
        )
    }
}
