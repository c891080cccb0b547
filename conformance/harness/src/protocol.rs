//! What every answer of an adapter must be like, whatever the scenario: PROTOCOL.md as checks.

use serde_json::Value;

/// The codes of errors.
const CODES: [&str; 27] = [
    "authentication",
    "bad_request",
    "circuit_open",
    "closed",
    "conflict",
    "connect",
    "connection_lost",
    "cross_origin",
    "decode",
    "hook",
    "insecure_url",
    "invalid_config",
    "invalid_request",
    "not_cached",
    "not_found",
    "outcome_unknown",
    "permission_denied",
    "precondition_failed",
    "protocol",
    "rate_limited",
    "redirect",
    "response_too_large",
    "server",
    "timeout",
    "tls",
    "token",
    "unprocessable",
];
const DECISIONS: [&str; 6] = [
    "give_up",
    "none",
    "redirect",
    "refresh_token",
    "retry",
    "return",
];
const RETRYABILITIES: [&str; 3] = ["exhausted", "permanent", "temporary"];

/// What is wrong with the answer to `client.open` or `call`.
pub(crate) fn faults(answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(what) = answer.get("unsupported") {
        found.push(format!("the adapter does not support {what}"));
        return found;
    }
    if answer
        .get("cancelled")
        .is_some_and(|cancelled| cancelled == true)
    {
        return found;
    }
    match (
        answer.get("ok").and_then(Value::as_bool),
        answer.get("error"),
    ) {
        (Some(true), None) => {}
        (Some(false), Some(error)) => error_faults(error, &mut found),
        _ => found.push("an answer has `ok: true`, or `ok: false` and an `error`".to_owned()),
    }
    attempt_faults(answer.get("attempts"), &mut found);
    found
}

fn error_faults(error: &Value, found: &mut Vec<String>) {
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = text("code");
    if !CODES.contains(&code) {
        found.push(format!("error.code is {code:?}, which is no code"));
    }
    if !RETRYABILITIES.contains(&text("retryability")) {
        found.push(format!("error.retryability is {:?}", text("retryability")));
    }
    // The same text in every language, with the advice at its end.
    let message = text("message");
    if !message.starts_with(&format!("{code}: "))
        || !message.contains("; ")
        || message.contains(['\n', '\r'])
    {
        found.push(format!(
            "error.message is not \"{code}: what happened; what to do\": {message:?}"
        ));
    }
    if error
        .get("shown")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        found.push("error.shown has no text that the language shows of the error".to_owned());
    }
}

fn attempt_faults(attempts: Option<&Value>, found: &mut Vec<String>) {
    let Some(attempts) = attempts.filter(|attempts| !attempts.is_null()) else {
        return;
    };
    let Some(attempts) = attempts.as_array() else {
        return found.push("attempts is no list".to_owned());
    };
    for (index, attempt) in attempts.iter().enumerate() {
        if attempt.get("number").and_then(Value::as_u64) != u64::try_from(index + 1).ok() {
            found.push(format!(
                "attempts[{index}].number is {:?}",
                attempt.get("number")
            ));
        }
        let decision = attempt
            .get("decision")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !DECISIONS.contains(&decision) {
            found.push(format!("attempts[{index}].decision is {decision:?}"));
        }
        let known = |name: &str| attempt.get(name).is_some_and(|value| !value.is_null());
        if known("status") == known("error") {
            found.push(format!(
                "attempts[{index}] has to have one of status and error"
            ));
        }
        if (decision == "retry") != known("wait_ms") {
            found.push(format!(
                "attempts[{index}].wait_ms goes with the decision to retry"
            ));
        }
        for name in ["started_ms", "queued_ms", "took_ms"] {
            if attempt
                .get(name)
                .and_then(Value::as_f64)
                .is_none_or(|ms| ms < 0.0)
            {
                found.push(format!("attempts[{index}].{name} is no time"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attempt() -> Value {
        json!({"number": 1, "started_ms": 0, "queued_ms": 0, "took_ms": 1.5, "status": 200, "decision": "return"})
    }

    #[test]
    fn good_answers_have_no_faults() {
        for good in [
            json!({"ok": true, "attempts": [attempt()]}),
            json!({"ok": false, "cancelled": true}),
            json!({"ok": false, "error": {"code": "timeout", "retryability": "exhausted", "message": "timeout: x; y", "shown": ["x"]}}),
        ] {
            assert_eq!(faults(&good), Vec::<String>::new());
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(
            faults(&json!({"unsupported": "quota"})),
            ["the adapter does not support \"quota\""]
        );
        assert_eq!(faults(&json!({"ok": false})).len(), 1);
        assert_eq!(
            faults(&json!({"ok": false, "error": {"code": "oops"}})).len(),
            4
        );
        let mut second = attempt();
        second["decision"] = json!("retry");
        second["error"] = json!("connection lost");
        second["took_ms"] = json!(-1);
        assert_eq!(
            faults(&json!({"ok": true, "attempts": [second.clone()]})).len(),
            3
        );
    }
}
