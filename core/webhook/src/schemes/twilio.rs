//! Twilio: signs the URL and the decoded parameters of a form, sorted by name, with nothing between them. A body that is no form is
//! bound by its hash, `bodySHA256`, which the URL then carries in its query. The URL counts with its port and without.

use std::borrow::Cow;
use std::collections::BinaryHeap;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Candidates, Encoding, Form};
use crate::envelope::{Assurance, Envelope, Signed, SignedText};
use crate::error::VerifyError;
use crate::form::parameters;
use crate::headers::{Found, find};
use crate::hex;
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, required, usable_id};
use crate::received::Received;
use crate::url::Parts;
use crate::verified::BodyBound;

const SIGNATURE: Name = Cow::Borrowed("x-twilio-signature");
const ID: &str = "i-twilio-idempotency-token";
const BODY_HASH: &str = "bodySHA256=";

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Twilio,
    signature: SIGNATURE,
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::HmacSha1)]),
        encoding: Encoding::Base64,
    },
    timestamp: None,
    id: Some(Cow::Borrowed(ID)),
    pieces: Cow::Borrowed(&[]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha1,
        prefix: "",
        least: 1,
    },
    tolerance: 300,
};

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let [id, signature] = find(request.headers, [ID, &SIGNATURE]);
    let signature = required(&SIGNATURE, signature)?;
    let url = request.url.ok_or(VerifyError::MissingUrl)?;
    let (signed, body_bound) = match body_hash(url) {
        None => {
            let text = form_text(request.body).ok_or(VerifyError::BodyMalformed)?;
            (text, BodyBound::Fields)
        }
        Some(hash) if is_hash_of(hash, request.body) => (String::new(), BodyBound::Full),
        // Another body than the URL says: no signature can be right.
        Some(_) => return Err(VerifyError::BadSignature),
    };
    let candidates = Candidates::bounded(signature, &LAYOUT.form, &SIGNATURE)?;
    let texts = spellings(url).into_iter().map(|url| SignedText {
        text: [url.as_bytes(), signed.as_bytes()].concat(),
        candidates: candidates.clone(),
    });
    Ok(Envelope {
        certificate: None,
        scheme: Scheme::Twilio,
        signed: Signed::Texts(texts.collect()),
        timestamp: None,
        message_id: match id {
            Found::Once(id) => usable_id(id).map(Cow::Borrowed),
            Found::Missing | Found::Repeated => None,
        },
        assurance: Assurance {
            body_bound,
            timestamp_signed: false,
            id_signed: false,
            url_bound: true,
        },
    })
}

/// Each parameter's name and value, sorted; a value that is there twice counts once.
pub(crate) fn form_text(body: &[u8]) -> Option<String> {
    // A heap's sorting is a fraction of `sort` in size, which counts for what a page loads.
    let mut pairs = BinaryHeap::from(parameters(body)?).into_sorted_vec();
    pairs.dedup();
    Some(
        pairs
            .into_iter()
            .flat_map(|(name, value)| [name, value])
            .collect(),
    )
}

/// The hash of the body that the query carries. If it is there twice, none can be right: one may have been in the URL that was set
/// up, from who knows where, and readers differ in which they take.
fn body_hash(url: &str) -> Option<&str> {
    let parts = Parts::of(url)?;
    let query = parts.query.strip_prefix('?')?;
    let mut hashes = query
        .split('&')
        .filter_map(|item| item.strip_prefix(BODY_HASH));
    let first = hashes.next()?;
    Some(hashes.next().map_or(first, |_| ""))
}

fn is_hash_of(written: &str, body: &[u8]) -> bool {
    let mut hash = [0; 32];
    hex::decode(written.as_bytes(), &mut hash) == Some(32)
        && bool::from(Sha256::digest(body).as_slice().ct_eq(&hash))
}

/// The URL as it is, and with its port added or removed: Twilio signs either, by its product.
fn spellings(url: &str) -> Vec<Cow<'_, str>> {
    let mut all = vec![Cow::Borrowed(url)];
    if let Some(parts) = Parts::of(url) {
        let (host, port) = parts.host_and_port();
        all.push(Cow::Owned(match port {
            Some(_) => parts.written(host),
            None => {
                let port = if parts.scheme == "http" {
                    ":80"
                } else {
                    ":443"
                };
                parts.written(&[host, port].concat())
            }
        }));
    }
    all
}

/// The URL with the hash of `body` in its query.
pub(crate) fn with_body_hash(url: &str, body: &[u8]) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let mut written = url.to_owned();
    written.push(if url.contains('?') { '&' } else { '?' });
    written.push_str(BODY_HASH);
    hex::encode_into(&Sha256::digest(body), &mut written);
    written
}
