//! `Authorization: HMAC-SHA256 keyid="…", ts="<unix s>", nonce="…", signature="<base64>"`, over
//! `METHOD\npath?query\nts\nnonce\nbase64(sha256(body))`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::sha256_base64;
use super::{Flaw, SigningOptions, Verified, is_nonce};
use crate::call::Call;
use crate::oauth::is_near;

const SCHEME: &str = "hmac-sha256 ";

/// What follows the scheme, where the header is of it.
pub(super) fn parameters(header: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

pub(super) fn verify(
    call: &Call,
    options: &SigningOptions,
    parameters: &str,
) -> Result<Verified, Flaw> {
    let [keyid, ts, nonce, signature] = read(parameters).ok_or(Flaw::Malformed)?;
    let seconds: u64 = ts.parse().map_err(|_| Flaw::Malformed)?;
    let signature = STANDARD.decode(signature).map_err(|_| Flaw::Malformed)?;
    if !is_nonce(nonce) {
        return Err(Flaw::Malformed);
    }
    let key = options.key(keyid).ok_or(Flaw::KeyUnknown)?;
    let target = call.parts.uri.path_and_query();
    let text = format!(
        "{}\n{}\n{ts}\n{nonce}\n{}",
        call.parts.method,
        target.map_or("/", |target| target.as_str()),
        sha256_base64(call),
    );
    if key.algorithm() != "hmac-sha256" || !key.is_signed(text.as_bytes(), &signature) {
        return Err(Flaw::Invalid);
    }
    if !is_near(seconds, call.world.clock.now_ns()) {
        return Err(Flaw::Expired);
    }
    Ok(Verified {
        key,
        nonce: Some(nonce.to_owned()),
        in_authorization: true,
    })
}

/// The four parameters in any order, each once.
fn read(parameters: &str) -> Option<[&str; 4]> {
    let names = ["keyid", "ts", "nonce", "signature"];
    let mut found = [None; 4];
    for pair in parameters.split(',') {
        let (name, value) = pair.trim().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        let at = names.iter().position(|known| *known == name)?;
        if found.get_mut(at)?.replace(value).is_some() {
            return None;
        }
    }
    let [keyid, ts, nonce, signature] = found;
    Some([keyid?, ts?, nonce?, signature?])
}
