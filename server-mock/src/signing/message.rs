//! HTTP Message Signatures (RFC 9421): the first of those a request has.

use super::base::Request;
use super::fields::{Item, bytes_of, first_list};
use super::{Flaw, SigningOptions, Verified, digest, is_nonce};
use crate::call::Call;
use crate::clock::{NS, real_now_ns};
use crate::oauth::is_near;

/// The longest field looked at.
const MAX_FIELD_BYTES: usize = 8 * 1024;

pub(super) fn verify(call: &Call, options: &SigningOptions) -> Result<Verified, Flaw> {
    let input = joined(call, "signature-input").ok_or(Flaw::Malformed)?;
    let signatures = joined(call, "signature").ok_or(Flaw::Malformed)?;
    let (label, covered) = first_list(&input).ok_or(Flaw::Malformed)?;
    let signature = bytes_of(&signatures, label).ok_or(Flaw::Malformed)?;
    let text = |wanted: &str| {
        covered
            .parameters
            .iter()
            .find_map(|(name, item)| match item {
                Item::Text(text) if *name == wanted => Some(text.as_str()),
                _ => None,
            })
    };
    let time = |wanted: &str| {
        covered
            .parameters
            .iter()
            .find_map(|(name, item)| match item {
                Item::Number(seconds) if *name == wanted => u64::try_from(*seconds).ok(),
                _ => None,
            })
    };
    let key = text("keyid").and_then(|keyid| options.key(keyid));
    let key = key.ok_or(Flaw::KeyUnknown)?;
    let request = Request::of(call).ok_or(Flaw::Malformed)?;
    let base = request.base(&covered)?;
    let named = text("alg").is_none_or(|alg| alg == key.algorithm());
    if !named || !key.is_signed(base.as_bytes(), &signature) {
        return Err(Flaw::Invalid);
    }
    let covers = |wanted: &str| covered.items.iter().any(|(_, name, _)| name == wanted);
    let with_digest = covers("content-digest");
    let needs_digest = call.upload.length > 0 && !options.unsigned_bodies;
    if !options.components.iter().all(|name| covers(name)) || (needs_digest && !with_digest) {
        return Err(Flaw::Incomplete);
    }
    if with_digest {
        let header = joined(call, "content-digest").ok_or(Flaw::Digest)?;
        if !digest::is_right(call, &header) {
            return Err(Flaw::Digest);
        }
    }
    let now_ns = call.world.clock.now_ns();
    let created = time("created").ok_or(Flaw::Incomplete)?;
    let is_over = |end: u64| [now_ns, real_now_ns()].iter().all(|now| now / NS >= end);
    if !is_near(created, now_ns) || time("expires").is_some_and(is_over) {
        return Err(Flaw::Expired);
    }
    let nonce = text("nonce");
    if nonce.is_some_and(|nonce| !is_nonce(nonce)) {
        return Err(Flaw::Malformed);
    }
    Ok(Verified {
        nonce: nonce.map(str::to_owned),
        key,
        in_authorization: false,
    })
}

/// A field's lines as one.
fn joined(call: &Call, name: &str) -> Option<String> {
    let lines: Vec<&str> = call
        .parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().ok())
        .collect::<Option<_>>()?;
    let field = lines.join(", ");
    (1..=MAX_FIELD_BYTES)
        .contains(&field.len())
        .then_some(field)
}
