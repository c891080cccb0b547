//! Verifies and signs webhooks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{Signer, Webhook};
use serde_json::{Value, json};

use crate::{Answer, Unsupported};

fn failed(code: &str, text: &str) -> Value {
    json!({ "ok": false, "error": { "code": code, "message": text } })
}

fn secrets(request: &Value) -> Vec<String> {
    let all = request.get("secrets").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(|secret| secret.as_str().map(str::to_owned))
        .collect()
}

fn body(request: &Value) -> Result<Vec<u8>, Unsupported> {
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    match (text("text"), text("base64")) {
        (Some(text), None) => Ok(text.as_bytes().to_vec()),
        (None, Some(base64)) => STANDARD
            .decode(base64)
            .map_err(|_| Unsupported("that base64".to_owned())),
        _ => Err(Unsupported(
            "a webhook has one of text and base64".to_owned(),
        )),
    }
}

/// The player of the corpus, the crate's own: a request with a scheme has the members of a case.
#[path = "../../../../core/webhook/tests/corpus/player.rs"]
#[allow(dead_code, reason = "bodies are streamed in the crate's own tests")]
mod player;

fn verify_case(request: &Value) -> Answer {
    let member = |name: &str| request.get(name).cloned().unwrap_or_default();
    let mut case = request.as_object().cloned().unwrap_or_default();
    case.insert("body".to_owned(), member("base64"));
    let verdict = player::play(&case.into(), player::Body::Whole).map_err(Unsupported)?;
    let mut proven = verdict.as_object().cloned().unwrap_or_default();
    let verdict = proven.remove("verdict").unwrap_or_default();
    if verdict != "valid" {
        let code = verdict.as_str().unwrap_or_default();
        return Ok(failed(code, "the player tells the code alone"));
    }
    proven.insert("scheme".to_owned(), member("scheme"));
    Ok(json!({ "ok": true, "verified": proven }))
}

pub(crate) fn verify(request: &Value) -> Answer {
    if request.get("scheme").is_some() {
        return verify_case(request);
    }
    let number = |name: &str| request.get(name).and_then(Value::as_u64);
    let mut builder = Webhook::builder().secrets(secrets(request));
    if let Some(seconds) = number("tolerance_s") {
        builder = builder.tolerance(Duration::from_secs(seconds));
    }
    if let Some(bytes) = number("max_body") {
        builder = builder.max_body(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    let webhook = match builder.build() {
        Ok(webhook) => webhook,
        Err(error) => return Ok(failed(error.code(), &error.to_string())),
    };
    let headers: Vec<(String, String)> = request
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            Some((
                pair.get(0)?.as_str()?.to_owned(),
                pair.get(1)?.as_str()?.to_owned(),
            ))
        })
        .collect();
    let now = request
        .get("now")
        .and_then(Value::as_i64)
        .ok_or_else(|| Unsupported("a webhook without now".to_owned()))?;
    Ok(match webhook.verify(&body(request)?, &headers, now) {
        Ok(verified) => json!({
            "ok": true,
            "verified": {
                "scheme": verified.scheme.name(),
                "algorithm": verified.algorithm.name(),
                "key_index": verified.key_index,
                "timestamp": verified.timestamp,
                "message_id": verified.message_id,
                "body_bound": verified.body_bound.name(),
                "timestamp_signed": verified.timestamp_signed,
                "id_signed": verified.id_signed,
                "url_bound": verified.url_bound,
            },
        }),
        Err(error) => failed(error.code(), &error.to_string()),
    })
}

pub(crate) fn sign(request: &Value) -> Answer {
    let signer = match Signer::new(secrets(request)) {
        Ok(signer) => signer,
        Err(error) => return Ok(failed(error.code(), &error.to_string())),
    };
    let id = request
        .get("message_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let timestamp = request
        .get("timestamp")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    Ok(match signer.sign(id, timestamp, &body(request)?) {
        Ok(signed) => {
            let headers = signed
                .headers()
                .map(|(name, value)| (name.to_owned(), Value::from(value)));
            json!({ "ok": true, "headers": serde_json::Map::from_iter(headers) })
        }
        Err(error) => failed(error.code(), &error.to_string()),
    })
}
