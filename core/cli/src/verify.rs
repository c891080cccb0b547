//! `webhook verify`, `webhook explain` and `webhook schemes`.

use std::path::Path;

use gatewright_webhook::{Received, Scheme, Verified, VerifyError, Webhook};
use serde_json::{Value, json};

use crate::arguments::Inspect;
use crate::input::{self, Captured};
use crate::output::Output;
use crate::{Done, Ended, Failure, certificate, settings};

/// Says whether a request is genuine, and what was proven.
pub(crate) fn verify(asked: &Inspect, out: &Output) -> Done {
    let webhook = settings::webhook(asked)?;
    let captured = capture(asked)?;
    let now = asked.now.unwrap_or_else(settings::now);
    match check(asked, &webhook, &captured, now)? {
        Ok(verified) => {
            out.say(people(&verified), &proven(&verified))?;
            Ok(Ended::Well)
        }
        Err(error) => {
            let refused = json!({
                "genuine": false,
                "code": error.code(),
                "message": error.to_string(),
            });
            let hint = "`gatewright webhook explain` with the same arguments looks for the cause";
            out.say(format_args!("refused: {error}\n{hint}"), &refused)?;
            Ok(Ended::Refused)
        }
    }
}

/// Says why a request does not verify.
pub(crate) fn explain(asked: &Inspect, out: &Output) -> Done {
    let webhook = settings::webhook(asked)?;
    let captured = capture(asked)?;
    let now = asked.now.unwrap_or_else(settings::now);
    let genuine = check(asked, &webhook, &captured, now)?.is_ok();
    let explanation = webhook.explain_request(&received(asked, &captured), now);
    let told = json!({
        "genuine": genuine,
        "code": explanation.code(),
        "message": explanation.to_string(),
        "clock_off_by": explanation.clock_off_by,
    });
    out.say(&explanation, &told)?;
    Ok(if genuine { Ended::Well } else { Ended::Refused })
}

/// The schemes there are.
pub(crate) fn schemes(out: &Output) -> Done {
    for scheme in Scheme::ALL {
        out.say(scheme.name(), &json!({ "scheme": scheme.name() }))?;
    }
    Ok(Ended::Well)
}

fn check(
    asked: &Inspect,
    webhook: &Webhook,
    captured: &Captured,
    now: i64,
) -> Result<Result<Verified, VerifyError>, Failure> {
    let received = received(asked, captured);
    if let Some(file) = &asked.certificate {
        let pem = input::bytes(file)?;
        return Ok(webhook.verify_with_certificate(&received, &pem, now));
    }
    match webhook.verify_request(&received, now) {
        Err(VerifyError::MissingCertificate { url }) if asked.fetch_certificate => {
            let pem = certificate::fetch(&url)?;
            Ok(webhook
                .add_certificate(&url, &pem, now)
                .and_then(|()| webhook.verify_request(&received, now)))
        }
        verdict => Ok(verdict),
    }
}

fn received<'c>(asked: &'c Inspect, captured: &'c Captured) -> Received<'c> {
    let mut received = Received::new(&captured.body, &captured.headers);
    if let Some(url) = &asked.scheme.url {
        received = received.url(url);
    }
    if let Some(method) = asked.method.as_ref().or(captured.method.as_ref()) {
        received = received.method(method);
    }
    received
}

/// The request, from wherever its parts are.
fn capture(asked: &Inspect) -> Result<Captured, Failure> {
    let mut captured = match &asked.request {
        Some(file) => input::request(&input::bytes(file)?)?,
        None => {
            let mut captured = Captured::default();
            if let Some(file) = &asked.headers_file {
                captured = input::head(&input::bytes(file)?)?;
            }
            captured.body = input::bytes(asked.body.as_deref().unwrap_or(Path::new("-")))?;
            captured
        }
    };
    for line in &asked.headers {
        captured.headers.push(input::header(line.as_bytes())?);
    }
    if captured.headers.is_empty() {
        return Err(Failure::usage(
            "no headers: give them with --header, --headers or --request",
        ));
    }
    Ok(captured)
}

fn proven(verified: &Verified) -> Value {
    json!({
        "genuine": true,
        "scheme": verified.scheme.name(),
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

fn people(verified: &Verified) -> String {
    let signed = |is: bool| if is { "signed" } else { "NOT signed" };
    let mut lines = vec![
        "genuine".to_owned(),
        format!("  scheme      {}, {}", verified.scheme, verified.algorithm),
        format!(
            "  secret      number {}, counted from 0",
            verified.key_index
        ),
    ];
    if let Some(timestamp) = verified.timestamp {
        let signed = signed(verified.timestamp_signed);
        lines.push(format!("  timestamp   {timestamp}, {signed}"));
    }
    if let Some(id) = &verified.message_id {
        let signed = signed(verified.id_signed);
        lines.push(format!("  message     {id}, {signed}"));
    }
    lines.push(format!(
        "  body        {}",
        match verified.body_bound.name() {
            "full" => "signed",
            "fields" => "what it says is signed, not how it is written",
            "crc32" => "only its CRC-32 is signed: anybody can make another body with the same one",
            _ => "NOT signed",
        }
    ));
    lines.push(format!("  URL         {}", signed(verified.url_bound)));
    lines.join("\n")
}
