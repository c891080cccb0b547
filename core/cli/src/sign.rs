//! `webhook sign`: what a sender would send with a body.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{Outgoing, Scheme, Signer};
use serde_json::json;

use crate::arguments::Sign;
use crate::output::{Output, complain};
use crate::{Done, Ended, Failure, input, settings};

/// Prints the headers, and the body and the URL where those change.
pub(crate) fn sign(asked: &Sign, out: &Output) -> Done {
    let secrets = settings::secrets(&asked.scheme)?;
    let signer = match (settings::scheme(&asked.scheme)?, &asked.scheme.template) {
        (Scheme::Custom, Some(template)) => {
            Signer::by_template(&settings::template(template)?, secrets)
        }
        (scheme, _) => Signer::of(scheme, secrets),
    };
    let signer = signer.map_err(Failure::usage)?;
    let body = input::bytes(asked.body.as_deref().unwrap_or(Path::new("-")))?;
    let id = match &asked.id {
        Some(id) => id.clone(),
        None => new_id()?,
    };
    let mut request = Outgoing::new(&body, asked.now.unwrap_or_else(settings::now)).id(&id);
    if let Some(url) = &asked.scheme.url {
        request = request.url(url);
    }
    let signed = signer.sign_request(&request).map_err(Failure::usage)?;
    if out.is_json() {
        let body = signed.body.as_deref().unwrap_or(&body);
        out.text(json!({
            "headers": signed.headers,
            "body": STANDARD.encode(body),
            "url": signed.url.as_ref().or(asked.scheme.url.as_ref()),
        }))?;
        return Ok(Ended::Well);
    }
    for (name, value) in &signed.headers {
        out.text(format_args!("{name}: {value}"))?;
    }
    if let Some(url) = &signed.url {
        complain(format_args!("send it to {url}"));
    }
    if let Some(body) = &signed.body {
        complain("the signature is in the body; send this one:");
        out.text(String::from_utf8_lossy(body))?;
    }
    Ok(Ended::Well)
}

/// An id that nobody had before.
fn new_id() -> Result<String, Failure> {
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(Failure::new)?;
    let digits: Vec<String> = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("msg_{}", digits.concat()))
}
