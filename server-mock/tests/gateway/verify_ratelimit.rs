//! `verify-ratelimit` against servers that tell the truth and against one that does not: what it finds, and its exit code.

use std::process::{Command, Output};

use gatewright_server_mock::{Dialect, OptionsChange};
use serde_json::{Value, json};

use crate::caller::Caller;

async fn verified(caller: &Caller, more: &[&str]) -> Output {
    let url = format!("{}/v1/whoami", caller.gateway.url());
    let session = format!("x-mock-session: {}", caller.session.name());
    let more: Vec<String> = more.iter().map(|&word| word.into()).collect();
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"))
            .args(["verify-ratelimit", &url, "--header", &session])
            .args(["--header", "authorization: Bearer sk_test_tiny_acme"])
            .args(["--requests", "50", "--refusals", "1"])
            .args(more)
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn verdicts(output: &Output) -> Value {
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["claim"].as_str().unwrap().to_owned(),
                one["verdict"].clone(),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// One comes back each half of a second.
fn limits() -> Value {
    json!({"count": 3, "period_ms": 1_500, "burst": 3})
}

#[tokio::test]
async fn the_gateway_is_true_in_dialects_of_all_kinds() {
    for dialect in [
        Dialect::Draft10,
        Dialect::Draft07,
        Dialect::Triple,
        Dialect::Github,
        Dialect::Openai,
    ] {
        let caller = Caller::with_key("sk_test_tiny_acme").await;
        let change = json!({"dialect": dialect, "retry_after": "ms", "limits": limits()});
        let change: OptionsChange = serde_json::from_value(change).unwrap();
        caller.session.set(change).unwrap();
        let output = verified(&caller, &["--json"]).await;
        let found = verdicts(&output);
        for claim in [
            "headers",
            "remaining",
            "early",
            "retry-after",
            "wait",
            "late",
        ] {
            assert_eq!(found[claim], "true", "{dialect:?}: {found}");
        }
        assert_eq!(output.status.code(), Some(0));
    }
}

#[tokio::test]
async fn a_server_whose_headers_lie_is_found_out() {
    let caller = Caller::with_key("sk_test_tiny_acme").await;
    let rules = json!([{"set": {"ratelimit-remaining": "2", "retry-after": "soon"}}]);
    let change = json!({"dialect": "triple", "limits": limits(), "response_headers": rules, "retry_after": "none"});
    let change: OptionsChange = serde_json::from_value(change).unwrap();
    caller.session.set(change).unwrap();
    let output = verified(&caller, &["--json"]).await;
    let found = verdicts(&output);
    for claim in ["remaining", "early", "retry-after"] {
        assert_eq!(found[claim], "untrue", "{found}");
    }
    assert_eq!(output.status.code(), Some(1));
    caller.session.reset();
    let text = String::from_utf8(verified(&caller, &["--requests=2"]).await.stdout).unwrap();
    assert!(text.contains("2 requests, 0 refused"), "{text}");
    assert!(!text.contains("sk_test"), "{text}");
}
