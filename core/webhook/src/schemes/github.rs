//! GitHub: signs the body alone. There is no timestamp, and the id of the delivery is not signed.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::GitHub,
    signature: Cow::Borrowed("x-hub-signature-256"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed("sha256="), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: None,
    id: Some(Cow::Borrowed("x-github-delivery")),
    pieces: Cow::Borrowed(&[Piece::Body]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 1,
    },
    tolerance: 300,
};
