//! Signs requests for the host language.

use gatewright_webhook::{Outgoing, SignedRequest, Signer};

use super::answer::{failed, text_member};
use crate::json;

/// The headers as a JSON object, or the error as `{"code", "message"}`; by Standard Webhooks or Svix.
pub(super) fn sign(signer: &Signer, body: &[u8], message_id: &str, at: i64) -> String {
    match signer.sign(message_id, at, body) {
        Ok(signed) => {
            let mut out = vec![b'{'];
            for (name, value) in signed.headers() {
                text_member(&mut out, name, value);
            }
            out.push(b'}');
            json::text(out)
        }
        Err(error) => failed(error.code(), &error.to_string()),
    }
}

/// `{"headers": [[name, value]...], "body", "url"}`, the last two where another body or URL is to be sent; or the error as
/// `{"code", "message"}`. An empty id or URL is none.
pub(super) fn sign_request(signer: &Signer, body: &[u8], id: &str, url: &str, at: i64) -> String {
    let mut request = Outgoing::new(body, at);
    if !id.is_empty() {
        request = request.id(id);
    }
    if !url.is_empty() {
        request = request.url(url);
    }
    match signer.sign_request(&request) {
        Ok(signed) => written(&signed),
        Err(error) => failed(error.code(), &error.to_string()),
    }
}

fn written(signed: &SignedRequest) -> String {
    let mut out = b"{\"headers\":[".to_vec();
    for (at, (name, value)) in signed.headers.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"[" } else { b",[" });
        json::string(&mut out, name);
        out.push(b',');
        json::string(&mut out, value);
        out.push(b']');
    }
    out.push(b']');
    // It is JSON, so text.
    let body = signed.body.as_deref();
    if let Some(body) = body.and_then(|body| std::str::from_utf8(body).ok()) {
        text_member(&mut out, "body", body);
    }
    if let Some(url) = &signed.url {
        text_member(&mut out, "url", url);
    }
    out.push(b'}');
    json::text(out)
}
