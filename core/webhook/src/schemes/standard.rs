//! Standard Webhooks 1.0.0: signs `id.timestamp.body`; the signature header is a space-separated list of `v1,` and `v1a,` tokens.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

pub(crate) static LAYOUT: Layout = layout(Scheme::StandardWebhooks, ID, TIMESTAMP, SIGNATURE);

/// The layout under other names.
pub(super) const fn layout(
    scheme: Scheme,
    id: &'static str,
    timestamp: &'static str,
    signature: &'static str,
) -> Layout {
    Layout {
        scheme,
        signature: Cow::Borrowed(signature),
        form: Form {
            separator: Some(b' '),
            prefixes: Cow::Borrowed(&[
                (Cow::Borrowed("v1,"), Algorithm::HmacSha256),
                (Cow::Borrowed("v1a,"), Algorithm::Ed25519),
            ]),
            encoding: Encoding::Base64,
        },
        timestamp: Some(TimestampAt::Header(Cow::Borrowed(timestamp))),
        id: Some(Cow::Borrowed(id)),
        pieces: Cow::Borrowed(&[
            Piece::Id,
            Piece::Text(Cow::Borrowed(".")),
            Piece::Timestamp,
            Piece::Text(Cow::Borrowed(".")),
            Piece::Body,
        ]),
        key: KeyForm::Prefixed,
        tolerance: 300,
    }
}
