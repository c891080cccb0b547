//! Discord: signs `timestamp` and `body` with nothing between, by Ed25519. A bad signature must be answered with status 401, which is
//! tried out when the endpoint is set up.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Discord,
    signature: Cow::Borrowed("x-signature-ed25519"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::Ed25519)]),
        encoding: Encoding::Hex,
    },
    timestamp: Some(TimestampAt::Header(Cow::Borrowed("x-signature-timestamp"))),
    id: None,
    pieces: Cow::Borrowed(&[Piece::Timestamp, Piece::Body]),
    key: KeyForm::Ed25519Hex,
    tolerance: 300,
};
