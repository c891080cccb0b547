//! Slack: signs `v0:timestamp:body`.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Slack,
    signature: Cow::Borrowed("x-slack-signature"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed("v0="), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: Some(TimestampAt::Header(Cow::Borrowed(
        "x-slack-request-timestamp",
    ))),
    id: None,
    pieces: Cow::Borrowed(&[
        Piece::Text(Cow::Borrowed("v0:")),
        Piece::Timestamp,
        Piece::Text(Cow::Borrowed(":")),
        Piece::Body,
    ]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 300,
};
