//! Plays a case of `conformance/webhooks` through the verifier, as its `README.md` says, and tells the verdict as the case has it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{
    Algorithm, Encoding, KeyError, Received, Scheme, SecretEncoding, Template, Verified,
    VerifyError, Webhook,
};
use serde_json::{Value, json};

/// How the body is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// At once.
    Whole,
    /// In pieces of 7 bytes.
    Streamed,
}

/// The verdict on a case, in the form of its `expect`; an error for what is no case.
pub(crate) fn play(case: &Value, body: Body) -> Result<Value, String> {
    let request = Request::read(case)?;
    let webhook = match webhook(case)? {
        Ok(webhook) => webhook,
        Err(_) => return Ok(json!({"verdict": "key_error"})),
    };
    Ok(match request.verdict(&webhook, case, body)? {
        Ok(verified) => proven(&verified),
        Err(error) => json!({"verdict": error.code()}),
    })
}

/// The code of what `explain` says to a case whose body was changed; an error for what is no case.
#[allow(dead_code, reason = "each user takes what it needs")]
pub(crate) fn explain(case: &Value, change: fn(&mut Vec<u8>)) -> Result<String, String> {
    let mut request = Request::read(case)?;
    let webhook = webhook(case)?.map_err(|error| error.to_string())?;
    if let (Some(certificate), Ok(Some(url))) = (
        case.pointer("/settings/certificate")
            .and_then(Value::as_str),
        webhook.certificate_url(&request.received(case)),
    ) {
        let kept = webhook.add_certificate(url.as_str(), certificate.as_bytes(), request.now);
        kept.map_err(|error| error.to_string())?;
    }
    change(&mut request.body);
    let explanation = webhook.explain_request(&request.received(case), request.now);
    Ok(explanation.code().to_owned())
}

struct Request {
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    now: i64,
}

impl Request {
    fn read(case: &Value) -> Result<Self, String> {
        let pairs = case["headers"].as_array().ok_or("headers are pairs")?;
        let header = |pair: &Value| -> Result<(String, Vec<u8>), String> {
            let value = match &pair[1] {
                Value::String(text) => text.clone().into_bytes(),
                other => decoded(&other["base64"])?,
            };
            Ok((text(&pair[0])?.to_owned(), value))
        };
        Ok(Self {
            headers: pairs.iter().map(header).collect::<Result<_, _>>()?,
            body: decoded(&case["body"])?,
            now: case["now"].as_i64().ok_or("now is a number")?,
        })
    }

    fn received<'r>(&'r self, case: &'r Value) -> Received<'r> {
        let mut received = Received::new(&self.body, &self.headers);
        if let Some(url) = case["url"].as_str() {
            received = received.url(url);
        }
        if let Some(method) = case["method"].as_str() {
            received = received.method(method);
        }
        received
    }

    fn verdict(
        &self,
        webhook: &Webhook,
        case: &Value,
        body: Body,
    ) -> Result<Result<Verified, VerifyError>, String> {
        let received = self.received(case);
        let settings = &case["settings"];
        if let Some(certificate) = settings["certificate"].as_str() {
            return Ok(self.certified(webhook, &received, certificate.as_bytes(), body));
        }
        Ok(match body {
            Body::Whole => webhook.verify_request(&received, self.now),
            Body::Streamed => self.stream(webhook, &received),
        })
    }

    /// With the certificate that was fetched: handed in with the request, or kept before it.
    fn certified(
        &self,
        webhook: &Webhook,
        received: &Received<'_>,
        certificate: &[u8],
        body: Body,
    ) -> Result<Verified, VerifyError> {
        if body == Body::Whole {
            return webhook.verify_with_certificate(received, certificate, self.now);
        }
        let Ok(Some(url)) = webhook.certificate_url(received) else {
            return self.stream(webhook, received);
        };
        let kept = webhook.add_certificate(url.as_str(), certificate, self.now);
        match (self.stream(webhook, received), kept) {
            (Err(VerifyError::MissingCertificate { .. }), Err(error)) => Err(error),
            (verdict, _) => verdict,
        }
    }

    fn stream(&self, webhook: &Webhook, received: &Received<'_>) -> Result<Verified, VerifyError> {
        let mut verifier = webhook.verifier_of(received, self.now)?;
        for piece in self.body.chunks(7) {
            verifier.update(piece)?;
        }
        verifier.finish()
    }
}

/// The receiver of a case. The outer error is for what is no case.
fn webhook(case: &Value) -> Result<Result<Webhook, KeyError>, String> {
    let settings = &case["settings"];
    let scheme = Scheme::from_name(text(&case["scheme"])?).ok_or("an unknown scheme")?;
    let secrets = case["secrets"].as_array().ok_or("secrets are a list")?;
    let secrets: Vec<&str> = secrets.iter().map(text).collect::<Result<_, _>>()?;
    let mut builder = Webhook::builder().scheme(scheme).secrets(secrets);
    if let Some(seconds) = settings["tolerance"].as_u64() {
        builder = builder.tolerance(Duration::from_secs(seconds));
    }
    if let Some(bytes) = settings["max_body"].as_u64() {
        builder = builder.max_body(usize::try_from(bytes).map_err(|error| error.to_string())?);
    }
    if let Some(url) = settings["url"].as_str() {
        builder = builder.url(url);
    }
    if let Some(id) = settings["webhook_id"].as_str() {
        builder = builder.webhook_id(id);
    }
    if let Some(arn) = settings["topic_arn"].as_str() {
        builder = builder.topic_arn(arn);
    }
    let texts = |name: &str| -> Option<Vec<&str>> {
        settings[name]
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect()
    };
    if let Some(ids) = texts("key_ids") {
        builder = builder.key_ids(ids);
    }
    if let Some(components) = texts("components") {
        builder = builder.components(components);
    }
    if settings["template"].is_object() {
        builder = builder.template(template(&settings["template"])?);
    }
    Ok(builder.build())
}

fn template(settings: &Value) -> Result<Template, String> {
    let mut template = Template::new(
        text(&settings["signature_header"])?,
        text(&settings["signed"])?,
    )
    .algorithm(match text(&settings["algorithm"])? {
        "hmac-sha1" => Algorithm::HmacSha1,
        "hmac-sha256" => Algorithm::HmacSha256,
        "hmac-sha512" => Algorithm::HmacSha512,
        "ed25519" => Algorithm::Ed25519,
        other => return Err(format!("an unknown algorithm {other}")),
    })
    .encoding(match text(&settings["encoding"])? {
        "hex" => Encoding::Hex,
        "base64" => Encoding::Base64,
        other => return Err(format!("an unknown encoding {other}")),
    })
    .secret_encoding(match settings["secret_encoding"].as_str() {
        None | Some("text") => SecretEncoding::Text,
        Some("hex") => SecretEncoding::Hex,
        Some("base64") => SecretEncoding::Base64,
        Some(other) => return Err(format!("an unknown encoding {other}")),
    });
    if let Some(name) = settings["timestamp_header"].as_str() {
        template = template.timestamp_header(name);
    }
    if let Some(prefix) = settings["timestamp_item"].as_str() {
        template = template.timestamp_item(prefix);
    }
    if let Some(name) = settings["id_header"].as_str() {
        template = template.id_header(name);
    }
    if let Some(prefix) = settings["prefix"].as_str() {
        template = template.prefix(prefix);
    }
    if let Some(separator) = settings["separator"]
        .as_str()
        .and_then(|text| text.chars().next())
    {
        template = template.separator(separator);
    }
    Ok(template)
}

/// Everything that `Verified` says but the scheme.
fn proven(verified: &Verified) -> Value {
    json!({
        "verdict": "valid",
        "algorithm": verified.algorithm.name(),
        "key_index": verified.key_index,
        "timestamp": verified.timestamp,
        "message_id": verified.message_id,
        "body_bound": verified.body_bound.name(),
        "timestamp_signed": verified.timestamp_signed,
        "id_signed": verified.id_signed,
        "url_bound": verified.url_bound,
    })
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

fn decoded(value: &Value) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text(value)?)
        .map_err(|error| error.to_string())
}
