//! Reads a webhook's settings from JSON. By the reader that the webhooks have anyway, since the small module for pages has no other.

use std::time::Duration;

use gatewright_webhook::json_members::{Value, members};
use gatewright_webhook::{
    Algorithm, Encoding, KeyError, Scheme, SecretEncoding, Signer, Template, Webhook,
    WebhookBuilder,
};

use super::answer::failed;

/// A value of the settings.
type Given<'j> = Option<Value<'j>>;

/// The verifier, if there is a key to verify by, and the signer, or why there is none as JSON.
pub(super) type Halves = (Option<Webhook>, Result<Signer, String>);

/// Reads the settings.
pub(super) fn open(json: &str) -> Result<Halves, String> {
    let [
        scheme,
        secrets,
        signing,
        tolerance,
        future,
        max_body,
        url,
        webhook_id,
        topic,
        key_ids,
        components,
        template,
    ] = members(
        json,
        [
            "scheme",
            "secrets",
            "signingSecrets",
            "tolerance",
            "futureTolerance",
            "maxBody",
            "url",
            "webhookId",
            "topicArn",
            "keyIds",
            "components",
            "template",
        ],
    )
    .ok_or_else(|| wrong("the settings must be a JSON object"))?;
    let template = template.map(|value| read_template(&value)).transpose()?;
    let scheme = match (text("scheme", scheme)?, &template) {
        (Some(name), _) => Scheme::from_name(&name).ok_or_else(|| unknown_scheme(&name))?,
        (None, Some(_)) => Scheme::Custom,
        (None, None) => Scheme::StandardWebhooks,
    };
    if template.is_some() && scheme != Scheme::Custom {
        return Err(wrong("a `template` is for the scheme `custom`"));
    }
    let keys = Keys {
        scheme,
        secrets: texts("secrets", secrets)?.unwrap_or_default(),
        ids: texts("keyIds", key_ids)?.unwrap_or_default(),
        signing: texts("signingSecrets", signing)?,
    };
    let mut builder = Webhook::builder().scheme(scheme);
    if let Some(template) = &template {
        builder = builder.template(template.clone());
    }
    if let Some(tolerance) = whole("tolerance", tolerance)? {
        builder = builder.tolerance(Duration::from_millis(tolerance));
    }
    if let Some(future) = whole("futureTolerance", future)? {
        builder = builder.future_tolerance(Duration::from_millis(future));
    }
    if let Some(bytes) = whole("maxBody", max_body)? {
        builder = builder.max_body(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(url) = text("url", url)? {
        builder = builder.url(url);
    }
    if let Some(id) = text("webhookId", webhook_id)? {
        builder = builder.webhook_id(id);
    }
    if let Some(topic) = text("topicArn", topic)? {
        builder = builder.topic_arn(topic);
    }
    if let Some(components) = texts("components", components)? {
        builder = builder.components(components);
    }
    Ok((keys.verifier(builder)?, keys.signer(template.as_ref())))
}

/// The keys for both halves.
struct Keys {
    scheme: Scheme,
    secrets: Vec<String>,
    ids: Vec<String>,
    signing: Option<Vec<String>>,
}

impl Keys {
    /// Whether a key says what it is for by how it begins.
    const fn is_typed(&self) -> bool {
        matches!(
            self.scheme,
            Scheme::StandardWebhooks | Scheme::Svix | Scheme::HttpSignature
        )
    }

    fn fits(&self, secret: &str, unfit: &str) -> bool {
        !(self.is_typed() && secret.starts_with(unfit))
    }

    /// `None` where all secrets are for signing.
    fn verifier(&self, builder: WebhookBuilder) -> Result<Option<Webhook>, String> {
        let mut ids = self.ids.iter();
        let (mut verifying, mut their_ids) = (Vec::new(), Vec::new());
        for secret in &self.secrets {
            let id = ids.next().map_or("", String::as_str);
            if self.fits(secret, "whsk_") {
                verifying.push(secret);
                their_ids.push(id);
            }
        }
        if verifying.is_empty() && !self.secrets.is_empty() {
            return Ok(None);
        }
        let builder = builder.secrets(verifying).key_ids(their_ids);
        builder.build().map(Some).map_err(|error| unfit(&error))
    }

    fn signer(&self, template: Option<&Template>) -> Result<Signer, String> {
        let secrets = match &self.signing {
            Some(secrets) => secrets.iter(),
            // The same form as the key that signs, so it has to be said.
            None if self.scheme == Scheme::Discord => [].iter(),
            None => self.secrets.iter(),
        };
        let secrets: Vec<&String> = secrets
            .filter(|secret| self.fits(secret, "whpk_"))
            .collect();
        if secrets.is_empty() {
            return Err(cannot_sign());
        }
        let signer = match template {
            // What is said to sign has to sign.
            Some(template) if self.signing.is_some() => Signer::by_template(template, secrets),
            None if self.signing.is_some() => Signer::of(self.scheme, secrets),
            template => Signer::of_receiver(self.scheme, template, &secrets),
        };
        signer.map_err(|error| unfit(&error))
    }
}

/// The error of a webhook that can only verify.
pub(super) fn cannot_sign() -> String {
    failed(
        "public_key_cannot_sign",
        "a public key is for verifying; sign with a secret or a private key",
    )
}

/// A secret's error as JSON.
pub(super) fn unfit(error: &KeyError) -> String {
    failed(error.code(), &error.to_string())
}

fn wrong(message: &str) -> String {
    failed("bad_setting", message)
}

fn unknown_scheme(name: &str) -> String {
    let shown: String = name
        .chars()
        .take(60)
        .filter(|char| !char.is_control())
        .collect();
    let mut message = ["there is no scheme `", &shown, "`; there are"].concat();
    for scheme in Scheme::ALL {
        message.push(' ');
        message.push_str(scheme.name());
    }
    failed("unknown_scheme", &message)
}

fn must_be(name: &str, what: &str) -> String {
    wrong(&["`", name, "` must be ", what].concat())
}

fn text(name: &str, value: Given<'_>) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    let text = value.text().ok_or_else(|| must_be(name, "a text"));
    text.map(Some)
}

fn texts(name: &str, value: Given<'_>) -> Result<Option<Vec<String>>, String> {
    let Some(value) = value else { return Ok(None) };
    let texts = value
        .texts()
        .ok_or_else(|| must_be(name, "a list of texts"));
    texts.map(Some)
}

/// A whole number of zero or more; `"Infinity"` is more than any other.
pub(super) fn whole(name: &str, value: Given<'_>) -> Result<Option<u64>, String> {
    let number = match value {
        None => return Ok(None),
        Some(Value::Number(digits)) => digits.parse().ok(),
        Some(Value::Text(text)) if text == "Infinity" => Some(u64::MAX),
        Some(_) => None,
    };
    let number = number.ok_or_else(|| must_be(name, "a whole number of zero or more"));
    number.map(Some)
}

fn read_template(value: &Value<'_>) -> Result<Template, String> {
    let Value::Object(json) = value else {
        return Err(must_be("template", "an object"));
    };
    let [
        header,
        signed,
        timestamp_header,
        timestamp_item,
        id_header,
        algorithm,
        encoding,
        prefix,
        separator,
        secret,
    ] = members(
        json,
        [
            "signatureHeader",
            "signed",
            "timestampHeader",
            "timestampItem",
            "idHeader",
            "algorithm",
            "encoding",
            "prefix",
            "separator",
            "secretEncoding",
        ],
    )
    .ok_or_else(|| must_be("template", "an object"))?;
    let header = text("signatureHeader", header)?;
    let signed = text("signed", signed)?;
    let (Some(header), Some(signed)) = (header, signed) else {
        return Err(wrong("a template needs `signatureHeader` and `signed`"));
    };
    let mut template = Template::new(&header, &signed);
    if let Some(name) = text("timestampHeader", timestamp_header)? {
        template = template.timestamp_header(&name);
    }
    if let Some(prefix) = text("timestampItem", timestamp_item)? {
        template = template.timestamp_item(&prefix);
    }
    if let Some(name) = text("idHeader", id_header)? {
        template = template.id_header(&name);
    }
    if let Some(name) = text("algorithm", algorithm)? {
        let what = "hmac-sha1, hmac-sha256, hmac-sha512 or ed25519";
        let algorithm = Algorithm::from_name(&name).ok_or_else(|| must_be("algorithm", what))?;
        template = template.algorithm(algorithm);
    }
    if let Some(name) = text("encoding", encoding)? {
        template = template.encoding(match &*name {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            _ => return Err(must_be("encoding", "hex or base64")),
        });
    }
    if let Some(prefix) = text("prefix", prefix)? {
        template = template.prefix(&prefix);
    }
    if let Some(separator) = text("separator", separator)? {
        let mut chars = separator.chars();
        template = match (chars.next(), chars.next()) {
            (Some(char), None) => template.separator(char),
            _ => return Err(must_be("separator", "one character")),
        };
    }
    if let Some(name) = text("secretEncoding", secret)? {
        template = template.secret_encoding(match &*name {
            "text" => SecretEncoding::Text,
            "hex" => SecretEncoding::Hex,
            "base64" => SecretEncoding::Base64,
            _ => return Err(must_be("secretEncoding", "text, hex or base64")),
        });
    }
    Ok(template)
}
