//! Square: signs the notification URL, as it was registered, and the body.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Square,
    signature: Cow::Borrowed("x-square-hmacsha256-signature"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::HmacSha256)]),
        encoding: Encoding::Base64,
    },
    timestamp: None,
    id: None,
    pieces: Cow::Borrowed(&[Piece::Url, Piece::Body]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 300,
};
