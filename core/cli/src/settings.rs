//! From arguments to a verifier or a signer: schemes by name, secrets from where they are kept, templates as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_webhook::{
    Algorithm, Encoding, Scheme, SecretEncoding, Template, Webhook, WebhookBuilder,
};
use serde::Deserialize;

use crate::arguments::{self, Inspect};
use crate::{Failure, input};

/// Where a secret may be, so that it is in no list of processes.
const SECRET_VARIABLE: &str = "GATEWRIGHT_WEBHOOK_SECRET";

/// The scheme that was named, else Standard Webhooks, or the user's own where there is a template.
pub(crate) fn scheme(asked: &arguments::Scheme) -> Result<Scheme, Failure> {
    match &asked.name {
        None if asked.template.is_some() => Ok(Scheme::Custom),
        None => Ok(Scheme::StandardWebhooks),
        Some(name) => Scheme::from_name(name).ok_or_else(|| {
            let known: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
            Failure::usage(format!(
                "there is no scheme {name:?}; there are: {}",
                known.join(", ")
            ))
        }),
    }
}

/// The secrets, from files, flags, or the environment.
pub(crate) fn secrets(asked: &arguments::Scheme) -> Result<Vec<String>, Failure> {
    let mut secrets = Vec::new();
    for file in &asked.secret_files {
        secrets.extend(input::secrets(file)?);
    }
    secrets.extend(asked.secrets.iter().cloned());
    if secrets.is_empty()
        && let Ok(secret) = std::env::var(SECRET_VARIABLE)
    {
        secrets.push(secret);
    }
    Ok(secrets)
}

/// A verifier of what was asked for.
pub(crate) fn webhook(asked: &Inspect) -> Result<Webhook, Failure> {
    let mut builder: WebhookBuilder = Webhook::builder()
        .scheme(scheme(&asked.scheme)?)
        .secrets(secrets(&asked.scheme)?)
        .max_body(usize::MAX);
    if let Some(tolerance) = asked.tolerance {
        builder = builder.tolerance(tolerance);
    }
    if let Some(id) = &asked.scheme.webhook_id {
        builder = builder.webhook_id(id);
    }
    if let Some(arn) = &asked.scheme.topic_arn {
        builder = builder.topic_arn(arn);
    }
    if !asked.scheme.key_ids.is_empty() {
        builder = builder.key_ids(&asked.scheme.key_ids);
    }
    if let Some(components) = &asked.scheme.components {
        builder = builder.components(components);
    }
    if let Some(text) = &asked.scheme.template {
        builder = builder.template(template(text)?);
    }
    builder.build().map_err(Failure::usage)
}

/// A template as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    signature_header: String,
    signed: String,
    timestamp_header: Option<String>,
    timestamp_item: Option<String>,
    id_header: Option<String>,
    algorithm: Option<String>,
    encoding: Option<String>,
    prefix: Option<String>,
    separator: Option<char>,
    secret_encoding: Option<String>,
}

/// JSON, or `@` and the file it is in.
pub(crate) fn template(text: &str) -> Result<Template, Failure> {
    let written: Written = serde_json::from_str(&or_file(text)?)
        .map_err(|error| Failure::usage(format!("--template: {error}")))?;
    let unknown =
        |what: &str, got: &str| Failure::usage(format!("--template: there is no {what} {got:?}"));
    let mut template = Template::new(&written.signature_header, &written.signed);
    if let Some(name) = &written.timestamp_header {
        template = template.timestamp_header(name);
    }
    if let Some(prefix) = &written.timestamp_item {
        template = template.timestamp_item(prefix);
    }
    if let Some(name) = &written.id_header {
        template = template.id_header(name);
    }
    if let Some(name) = &written.algorithm {
        let algorithm = Algorithm::from_name(name);
        template = template.algorithm(algorithm.ok_or_else(|| unknown("algorithm", name))?);
    }
    if let Some(name) = &written.encoding {
        template = template.encoding(match name.as_str() {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            _ => return Err(unknown("encoding", name)),
        });
    }
    if let Some(prefix) = &written.prefix {
        template = template.prefix(prefix);
    }
    if let Some(separator) = written.separator {
        template = template.separator(separator);
    }
    if let Some(name) = &written.secret_encoding {
        template = template.secret_encoding(match name.as_str() {
            "text" => SecretEncoding::Text,
            "base64" => SecretEncoding::Base64,
            "hex" => SecretEncoding::Hex,
            _ => return Err(unknown("secret_encoding", name)),
        });
    }
    Ok(template)
}

/// A text, or `@` and the file it is in.
pub(crate) fn or_file(text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some(file) => input::text(file.as_ref()),
        None => Ok(text.to_owned()),
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
