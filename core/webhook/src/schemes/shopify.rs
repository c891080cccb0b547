//! Shopify: signs the body alone, with the client secret of the app. There is no timestamp, and the id of the event is not signed.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Shopify,
    signature: Cow::Borrowed("x-shopify-hmac-sha256"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::HmacSha256)]),
        encoding: Encoding::Base64,
    },
    timestamp: None,
    id: Some(Cow::Borrowed("x-shopify-event-id")),
    pieces: Cow::Borrowed(&[Piece::Body]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 300,
};
