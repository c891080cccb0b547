//! Webhooks of every scheme. A head names the scheme, the URL and the method beside the headers; what verifies was signed.

use gatewright_webhook::{
    BodyBound, Cause, Outgoing, Received, Scheme, Signer, Template, Verified, VerifyError, Webhook,
};
use http::HeaderMap;
use serde_json::Value;

use crate::{head_and_body, headers};

/// Within the dates of the certificate.
const NOW: i64 = 1_800_000_000;
const URL: &str = "https://example.com/hooks?a=1";

/// Of the key pair whose private half signed the seeds, as `core/webhook/tests/keys` has it.
const RSA_CERTIFICATE: &[u8] = include_bytes!("../../core/webhook/tests/keys/sns.pem");
const P256: &str = include_str!("../../core/webhook/tests/keys/p256.pub.pem");
const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:MyTopic";

/// The secret of each scheme that signs with one, and another one.
fn secrets(scheme: Scheme) -> [&'static str; 2] {
    match scheme {
        Scheme::StandardWebhooks | Scheme::Svix | Scheme::HttpSignature => [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ],
        Scheme::Discord => [
            "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
            "1398f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca",
        ],
        _ => ["whsec_it_is_a_secret", "whsec_it_is_another"],
    }
}

fn template() -> Template {
    Template::new("x-signature", "{id}.{timestamp}.{body}.{url}")
        .timestamp_header("x-timestamp")
        .id_header("x-id")
}

fn webhook(scheme: Scheme, secret: &str) -> Webhook {
    let mut builder = Webhook::builder().scheme(scheme).secret(secret).url(URL);
    if scheme == Scheme::Custom {
        builder = builder.template(template());
    }
    builder.build().expect("a secret")
}

fn signer(scheme: Scheme) -> Signer {
    let [secret, _] = secrets(scheme);
    match scheme {
        Scheme::Custom => Signer::by_template(&template(), [secret]),
        // The seed of the public key above.
        Scheme::Discord => Signer::of(scheme, ["07".repeat(32)]),
        _ => Signer::of(scheme, [secret]),
    }
    .expect("a secret")
}

/// The headers and, out of them, what is none of the request's.
fn request(head: &[u8]) -> (HeaderMap, Option<String>, Option<String>, Option<String>) {
    let mut headers = headers(head);
    let mut take = |name: &str| {
        let value = headers.remove(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let (scheme, url, method) = (take("fuzz-scheme"), take("fuzz-url"), take("fuzz-method"));
    (headers, scheme, url, method)
}

/// The same verdict whole and in pieces; what explains and remembers it takes anything too.
fn verdict(webhook: &Webhook, request: &Received<'_>) -> Result<Verified, VerifyError> {
    let whole = webhook.verify_request(request, NOW);
    let pieces = webhook.verifier_of(request, NOW).and_then(|mut verifier| {
        let mut pieces = request.body.chunks(3);
        pieces.try_for_each(|piece| verifier.update(piece))?;
        verifier.finish()
    });
    assert_eq!(whole, pieces);
    // It tries hundreds of hypotheses, so not each time.
    if whole.is_ok() || request.body.len().is_multiple_of(8) {
        let explained = webhook.explain_request(request, NOW);
        let explained_as_valid = matches!(explained.cause, Cause::Valid { .. });
        assert_eq!(whole.is_ok(), explained_as_valid, "{explained:?}");
    }
    if let Ok(verified) = &whole {
        let _ = verified.replay_key("fuzz");
        let _ = webhook.challenge(verified, request.body);
    }
    whole
}

/// Schemes with a shared secret, and Discord.
pub(crate) fn webhook_secret(data: &[u8]) {
    let (head, body) = head_and_body(data);
    let (headers, scheme, url, method) = request(head);
    let Some(scheme) = scheme.and_then(|name| Scheme::from_name(&name)) else {
        return;
    };
    if matches!(scheme, Scheme::SendGrid | Scheme::Sns | Scheme::PayPal) {
        return;
    }
    let [ours, other] = secrets(scheme).map(|secret| webhook(scheme, secret));
    let mut received = Received::new(body, &headers);
    received.url = url.as_deref();
    received.method = method.as_deref();
    if let Ok(verified) = verdict(&ours, &received) {
        assert!(other.verify_request(&received, NOW).is_err());
        let mut longer = body.to_vec();
        longer.push(b'!');
        let mut changed = received;
        changed.body = &longer;
        assert!(
            verified.body_bound != BodyBound::Full || ours.verify_request(&changed, NOW).is_err()
        );
    }
    // What is signed is verified, whatever its id and its body; and not by another secret, nor later.
    let id = String::from_utf8_lossy(head);
    let outgoing = Outgoing::new(body, NOW).url(URL);
    for outgoing in [outgoing.id(&id), outgoing.id("id"), outgoing] {
        let Ok(signed) = signer(scheme).sign_request(&outgoing) else {
            continue;
        };
        let sent = signed.body.as_deref().unwrap_or(body);
        let url = signed.url.as_deref().unwrap_or(URL);
        let received = Received::new(sent, &signed.headers).url(url);
        let ours = Webhook::clone(&match url {
            URL => ours.clone(),
            url => Webhook::builder()
                .scheme(scheme)
                .secret(secrets(scheme)[0])
                .url(url)
                .build()
                .expect("a secret"),
        });
        let verdict = verdict(&ours, &received);
        // Linear's time is in the body, whatever that is.
        let has_no_time = scheme == Scheme::Linear && verdict != Err(VerifyError::BadSignature);
        assert!(
            verdict.is_ok() || has_no_time,
            "{scheme} {id:?} {verdict:?}"
        );
        assert!(other.verify_request(&received, NOW).is_err());
        let later = ours.verify_request(&received, NOW + 10_000);
        assert!(later.is_err() || verdict.is_ok_and(|verified| verified.timestamp.is_none()));
    }
}

/// SendGrid, SNS and PayPal: only the seeds were ever signed, so what verifies says what they say, to another parser too.
pub(crate) fn webhook_public_key(data: &[u8]) {
    let (head, body) = head_and_body(data);
    let (headers, scheme, ..) = request(head);
    let received = Received::new(body, &headers);
    match scheme.as_deref() {
        Some("sendgrid") => {
            let webhook = Webhook::of(Scheme::SendGrid, [between_the_lines(P256)]).expect("a key");
            if verdict(&webhook, &received).is_ok() {
                assert_eq!(body, b"[{\"event\":\"delivered\"}]\r\n");
            }
        }
        Some("sns") => {
            let webhook = Webhook::builder().scheme(Scheme::Sns).topic_arn(TOPIC);
            let webhook = webhook.build().expect("a topic");
            if with_certificate(&webhook, &received).is_some() {
                let seen: Value = serde_json::from_slice(body).expect("JSON");
                for (name, said) in [
                    ("Message", "Hello\nworld"),
                    ("MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
                    ("Subject", "My First Message"),
                    ("Timestamp", "2027-01-15T08:00:00.000Z"),
                    ("TopicArn", TOPIC),
                    ("Type", "Notification"),
                ] {
                    assert_eq!(seen[name], said, "{name}");
                }
            }
        }
        Some("paypal") => {
            let webhook = Webhook::builder()
                .scheme(Scheme::PayPal)
                .webhook_id("8PT597110X687430LKGECATA");
            let webhook = webhook.build().expect("an id");
            if let Some(verified) = with_certificate(&webhook, &received) {
                assert_eq!(
                    verified.message_id.as_deref(),
                    Some("dfb3be50-fd74-11e4-8bf3-77339302725b")
                );
                assert_eq!(verified.timestamp, Some(NOW));
            }
        }
        _ => {}
    }
}

/// Hands in the certificate that is asked for, which is of a host that may be asked.
fn with_certificate(webhook: &Webhook, request: &Received<'_>) -> Option<Verified> {
    let error = verdict(webhook, request).expect_err("no certificate is there yet");
    let VerifyError::MissingCertificate { url } = error else {
        return None;
    };
    assert!(is_of_a_provider(&url), "{url}");
    webhook
        .add_certificate(&url, RSA_CERTIFICATE, NOW)
        .expect("a certificate");
    verdict(webhook, request).ok()
}

/// What a PEM file holds.
fn between_the_lines(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// By a parser of URLs.
fn is_of_a_provider(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let sns = host.starts_with("sns.")
        && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"));
    let paypal = host == "api.paypal.com" || host.ends_with(".paypal.com");
    url.scheme() == "https"
        && (sns || paypal)
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && text
            .to_ascii_lowercase()
            .contains(&url.path().to_ascii_lowercase())
}

/// Secrets, keys and certificates that users hand in are read or refused, and never shown.
pub(crate) fn webhook_key(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for scheme in Scheme::ALL {
        let mut builder = Webhook::builder()
            .scheme(*scheme)
            .secret(&text)
            .webhook_id("x")
            .topic_arn("x");
        if *scheme == Scheme::Custom {
            builder = builder.template(template());
        }
        let shown = match builder.build() {
            Ok(webhook) => format!("{webhook:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        let telling = text.chars().filter(char::is_ascii_alphanumeric).count() > 20;
        assert!(!telling || !shown.contains(&*text), "{shown}");
        let _ = Signer::of(*scheme, [&text]);
    }
    let _ = Webhook::builder()
        .scheme(Scheme::HttpSignature)
        .secret(secrets(Scheme::Svix)[0])
        .components([&text])
        .build();
    if let Ok(certificate) = gatewright_webhook::Certificate::from_pem(data) {
        // Good at any time, it is good when it ends.
        let end = certificate.not_after();
        assert!(certificate.is_valid_at(end) || !certificate.is_valid_at(NOW));
    }
    let webhook = Webhook::builder()
        .scheme(Scheme::Sns)
        .topic_arn("x")
        .build()
        .expect("a topic");
    if webhook.add_certificate(&text, RSA_CERTIFICATE, NOW).is_ok() {
        assert!(is_of_a_provider(&text), "{text}");
    }
    let _ = Template::new("x-signature", text.as_ref()).prefix("v1=");
}
