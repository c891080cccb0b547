//! The webhook corpus (`conformance/webhooks`), played through an adapter's `webhook.verify`: every case must have its verdict, and
//! with `valid` its proof. An adapter without the capability `webhook_schemes` plays what it can be asked of Standard Webhooks.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::adapter::{Adapter, Gone};
use crate::play::{Failure, Outcome};
use crate::runner::Played;

/// The capability to be told a scheme, its settings, the URL, and headers that are no text.
const SCHEMES: &str = "webhook_schemes";
/// The capability to verify by certificates, ECDSA and RSA; without it, such a verifier cannot be made.
const ASYMMETRIC: &str = "webhook_asymmetric";
/// The code of such a verifier.
const NEEDS_ASYMMETRIC: &str = "needs_asymmetric";
const STANDARD: &str = "standard-webhooks";
/// Cases that are under way at once.
const AT_ONCE: usize = 16;
/// Differences that are shown of a scheme.
const SHOWN: usize = 10;
/// An adapter that has not answered within this hangs.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Plays all files of a folder, in the order of their names; one result for each. Those whose name has none of `only` are left out.
pub(crate) async fn play(
    folder: &Path,
    command: &[String],
    only: &[String],
) -> Result<Vec<Played>, String> {
    let files = files(folder)?;
    let chosen = files.iter().filter(|(name, _)| {
        only.is_empty() || only.iter().any(|part| name_of(name).contains(part))
    });
    let chosen: Vec<_> = chosen.collect();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let adapter = Adapter::start(command).await.map_err(|gone| gone.0)?;
    let mut played = Vec::new();
    for (scheme, file) in chosen {
        let started = Instant::now();
        let outcome = match cases(file) {
            Ok(cases) => play_scheme(&adapter, scheme, &cases).await,
            Err(why) => Outcome::Failed(Failure::of(format!("{}: {why}", file.display()))),
        };
        played.push(Played {
            name: name_of(scheme),
            about: "every case of the corpus has its verdict".to_owned(),
            source: "webhooks.md".to_owned(),
            outcome,
            took: started.elapsed(),
        });
    }
    adapter.end().await;
    Ok(played)
}

fn name_of(scheme: &str) -> String {
    format!("webhook-corpus/{scheme}")
}

fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut found: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    Ok(found)
}

fn cases(file: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read(file).map_err(|why| why.to_string())?;
    serde_json::from_slice(&text).map_err(|why| why.to_string())
}

async fn play_scheme(adapter: &Adapter, scheme: &str, cases: &[Value]) -> Outcome {
    let knows_schemes = has(adapter, SCHEMES);
    if !knows_schemes && scheme != STANDARD {
        return Outcome::Skipped(adapter.hello.lacking(SCHEMES));
    }
    let has_asymmetric = has(adapter, ASYMMETRIC);
    let mut problems = Vec::new();
    let mut asked = 0;
    let mut lacking = 0;
    for several in cases.chunks(AT_ONCE) {
        let mut answers = Vec::new();
        for case in several {
            if let Some(request) = request(case, knows_schemes) {
                answers.push((case, adapter.send(request).1));
            }
        }
        for (case, answer) in answers {
            let found = match tokio::time::timeout(ANSWERS_WITHIN, answer).await {
                Ok(Ok(answer)) => answer.value,
                Ok(Err(gone)) => return Outcome::AdapterGone(gone),
                Err(_) => {
                    return Outcome::AdapterGone(Gone(format!("no answer to {}", case["name"])));
                }
            };
            if !has_asymmetric && found.pointer("/error/code") == Some(&json!(NEEDS_ASYMMETRIC)) {
                lacking += 1;
                continue;
            }
            asked += 1;
            problems.extend(problem(case, &found));
        }
    }
    if asked == 0 && lacking > 0 {
        return Outcome::Skipped(adapter.hello.lacking(ASYMMETRIC));
    }
    if asked == 0 {
        problems.push("not one case could be asked".to_owned());
    }
    if problems.is_empty() {
        return Outcome::Passed;
    }
    let count = problems.len();
    problems.truncate(SHOWN);
    problems.push(format!("{count} of {asked} cases differ"));
    Outcome::Failed(Failure {
        problems,
        ..Failure::default()
    })
}

fn has(adapter: &Adapter, capability: &str) -> bool {
    let mut known = adapter.hello.capabilities.iter();
    known.any(|one| one == capability)
}

/// What the adapter is asked; nothing where it cannot be told this case.
fn request(case: &Value, knows_schemes: bool) -> Option<Value> {
    let mut request = Map::new();
    request.insert("op".to_owned(), "webhook.verify".into());
    for name in ["secrets", "now", "headers"] {
        request.insert(name.to_owned(), case.get(name)?.clone());
    }
    request.insert("base64".to_owned(), case.get("body")?.clone());
    if knows_schemes {
        for name in ["scheme", "settings", "method", "url"] {
            if let Some(value) = case.get(name) {
                request.insert(name.to_owned(), value.clone());
            }
        }
        return Some(request.into());
    }
    let is_text = |header: &Value| header.get(1).is_some_and(Value::is_string);
    if !case.get("headers")?.as_array()?.iter().all(is_text) {
        return None;
    }
    for (name, value) in case
        .get("settings")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let name = if name == "tolerance" {
            "tolerance_s"
        } else {
            name
        };
        request.insert(name.to_owned(), value.clone());
    }
    Some(request.into())
}

/// How an answer differs from what the case expects.
fn problem(case: &Value, answer: &Value) -> Option<String> {
    let expected = &case["expect"];
    let name = case["name"].as_str().unwrap_or_default();
    if let Some(what) = answer.get("unsupported") {
        return Some(format!("{name}: unsupported: {what}"));
    }
    let (verdict, found) = if answer["ok"] == json!(true) {
        let mut proven = answer["verified"].as_object().cloned().unwrap_or_default();
        proven.remove("scheme");
        proven.insert("verdict".to_owned(), "valid".into());
        ("valid", Value::Object(proven))
    } else {
        let code = answer.pointer("/error/code").and_then(Value::as_str);
        let code = code.unwrap_or("an error without a code");
        (code, json!({"verdict": code}))
    };
    let refused_secret = expected["verdict"] == json!("key_error")
        && verdict != "valid"
        && !VERDICTS.contains(&verdict);
    (found != *expected && !refused_secret)
        .then(|| format!("{name}: expected {expected}, got {found}"))
}

/// The codes of a refused request; any other is that of a secret or setting that cannot be used.
const VERDICTS: &[&str] = &[
    "bad_certificate",
    "bad_certificate_url",
    "bad_message_id",
    "bad_signature",
    "bad_timestamp",
    "body_malformed",
    "body_too_large",
    "empty_header",
    "missing_certificate",
    "missing_header",
    "missing_url",
    "not_covered",
    "repeated_header",
    "too_many_signatures",
    "too_new",
    "too_old",
    "wrong_topic",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Value {
        json!({
            "name": "as-sent", "secrets": ["s"], "now": 1, "headers": [["a", "b"]], "body": "e30=",
            "settings": {"tolerance": 5}, "scheme": "stripe", "expect": {"verdict": "valid", "key_index": 0},
        })
    }

    #[test]
    fn an_adapter_of_standard_webhooks_is_told_what_it_knows() {
        let asked = request(&case(), false).unwrap();
        assert_eq!(asked["tolerance_s"], 5);
        assert!(asked.get("scheme").is_none());
        assert_eq!(request(&case(), true).unwrap()["scheme"], "stripe");
    }

    #[test]
    fn a_header_that_is_no_text_is_only_for_those_who_take_it() {
        let mut binary = case();
        binary["headers"] = json!([["a", {"base64": "/w=="}]]);
        assert_eq!(request(&binary, false), None);
        assert!(request(&binary, true).is_some());
    }

    #[test]
    fn verdict_and_proof_are_compared() {
        let right = json!({"ok": true, "verified": {"scheme": "stripe", "key_index": 0}});
        assert_eq!(problem(&case(), &right), None);
        let wrong = json!({"ok": true, "verified": {"scheme": "stripe", "key_index": 1}});
        assert!(problem(&case(), &wrong).is_some());
        let refused = json!({"ok": false, "error": {"code": "bad_signature"}});
        assert!(problem(&case(), &refused).is_some());
    }

    #[test]
    fn any_error_about_a_secret_is_one() {
        let mut secret = case();
        secret["expect"] = json!({"verdict": "key_error"});
        let refused = |code: &str| json!({"ok": false, "error": {"code": code}});
        assert_eq!(problem(&secret, &refused("empty_secret")), None);
        assert!(problem(&secret, &refused("bad_signature")).is_some());
    }
}
