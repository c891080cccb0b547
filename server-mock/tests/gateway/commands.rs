//! The commands of the program that ask a running gateway: what they print, and what they end with.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::caller::{Caller, nobody};
use crate::limits::until;

/// Runs the program beside the gateway of a test.
fn run(caller: &Caller, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"))
        .args(words)
        .env("GATEWRIGHT_ADMIN_URL", caller.gateway.admin_url())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

#[tokio::test]
async fn faults_are_set_listed_and_cleared() {
    let caller = Caller::new().await;
    let set = "faults set --session test --op contacts.get --name storm 503;ra=2,reset";
    let set: Vec<&str> = set.split(' ').collect();
    assert_eq!(
        text(&run(&caller, &set)),
        "1. [storm] op=contacts.get: 503;ra=2, reset (0 played)\n"
    );
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 503);
    let add = [
        "faults",
        "set",
        "--session=test",
        "--add",
        "--always",
        "500",
        "--json",
    ];
    let rules = json_of(&run(&caller, &add));
    assert_eq!(rules["rules"][1]["always"], "500");
    assert_eq!(rules["rules"][0]["played"], 1);
    let clear = ["faults", "clear", "--session", "test", "--name", "storm"];
    assert_eq!(
        text(&run(&caller, &clear)),
        "1. every request: always 500\n"
    );
    run(&caller, &["faults", "clear", "--session", "test"]);
    let list = run(&caller, &["faults", "list", "--session", "test"]);
    assert_eq!(text(&list), "no faults\n");
}

#[tokio::test]
async fn what_the_gateway_refuses_and_what_cannot_be_read_is_said() {
    let caller = Caller::new().await;
    let refused = run(&caller, &["faults", "set", "--random", "2"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("random.p must be between 0 and 1"), "{said}");
    for wrong in [
        &["faults", "set", "nonsense"][..],
        &["faults", "twist"],
        &["keys", "--tier", "gold"],
        &["verdict", "--fail-below", "E"],
        &["nothing"],
    ] {
        assert_eq!(run(&caller, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn without_a_gateway_it_is_said_how_to_start_one() {
    let (_held, address) = nobody();
    let url = format!("http://{address}");
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"))
        .args(["verdict", "--gateway", &url])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("no gateway at {url}")), "{said}");
    assert!(said.contains("`gatewright-gateway serve`"), "{said}");
}

#[tokio::test]
async fn keys_are_listed_explained_and_made() {
    let caller = Caller::new().await;
    let listed = text(&run(&caller, &["keys", "--tenant", "globex"]));
    assert!(listed.contains("sk_test_tiny_globex "), "{listed}");
    assert!(listed.contains("key_revoked"), "{listed}");
    let made = json_of(&run(
        &caller,
        &["keys", "create", "--tier", "free", "--readonly", "--json"],
    ));
    let key = made["keys"][0]["key"].as_str().unwrap();
    assert_eq!(key, "sk_test_free_acme_readonly");
    assert_eq!(
        made["keys"][0]["scopes"],
        caller
            .ask("GET", "/v1/whoami")
            .header("authorization", &format!("Bearer {key}"))
            .send()
            .await
            .json()["scopes"]
    );
    let explained = text(&run(
        &caller,
        &["keys", "explain", "sk_test_pro_acme_expired"],
    ));
    assert!(explained.contains("401 key_expired"), "{explained}");
    let token = text(&run(
        &caller,
        &["keys", "create", "--ttl", "60", "--session", "test"],
    ));
    let whoami = caller
        .ask("GET", "/v1/whoami")
        .header("authorization", &format!("Bearer {}", token.trim()))
        .send()
        .await;
    assert_eq!(
        (whoami.status(), &whoami.json()["tier"]),
        (200, &json!("pro"))
    );
}

#[tokio::test]
async fn a_verdict_is_an_exit_code_too() {
    let caller = Caller::new().await;
    let verdict = |more: &[&str]| {
        let words = [&["verdict", "--session", "test"], more].concat();
        run(&caller, &words)
    };
    // Nothing arrived: that is no pass.
    assert_eq!(verdict(&["--fail-below", "F"]).status.code(), Some(1));
    assert!(text(&verdict(&[])).contains("no request arrived"));
    caller.get("/v1/contacts/ct_000001").await;
    assert_eq!(verdict(&["--fail-below", "A"]).status.code(), Some(0));
    // One that gives up at once, and one that does not wait.
    let gives_up = caller.ask("GET", "/v1/users").header("x-mock-fault", "500");
    gives_up.send().await;
    assert_eq!(verdict(&["--fail-below", "A"]).status.code(), Some(1));
    assert_eq!(verdict(&["--fail-below", "B"]).status.code(), Some(0));
    let hurried = caller
        .ask("GET", "/v1/contacts")
        .header("x-mock-fault", "503;ra=60,ok");
    hurried.send().await;
    hurried.send().await;
    let judged = json_of(&verdict(&["--json"]));
    assert_eq!(judged["grade"], "C");
    let report = text(&verdict(&["--calls"]));
    assert!(report.contains("when 60000 ms were asked for"), "{report}");
    assert!(text(&verdict(&["--html"])).starts_with("<!doctype html>"));
    assert_eq!(verdict(&["--fail-below", "B"]).status.code(), Some(1));
}

#[tokio::test]
async fn a_client_that_leaves_is_seen_and_sessions_are_judged_together() {
    let caller = Caller::new().await;
    let hang = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-fault", "hang");
    let mut socket = hang.connect().await;
    socket.write_all(&hang.bytes()).await.unwrap();
    until(|| !caller.session.journal(0).is_empty()).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    drop(socket);
    // Asked at once: that it left is noticed a moment later.
    let one = json_of(&run(&caller, &["verdict", "--session", "test", "--json"]));
    let aspects = one["aspects"].as_array().unwrap();
    let timeout = aspects.iter().find(|said| said["aspect"] == "timeout");
    assert_eq!(timeout.unwrap()["mark"], "kept", "{one}");
    let seen = caller.session.journal(0).remove(0).left_ns.unwrap();
    assert!(seen >= 60_000_000, "{seen}");
    caller.get("/v1/whoami").await;
    let other = caller.gateway.session("test-2").unwrap();
    caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-session", other.name())
        .send()
        .await;
    let words = ["verdict", "--session", "test*", "--json"];
    let both = json_of(&run(&caller, &words));
    assert_eq!(
        (&both["requests"], &both["session"]),
        (&json!(3), &json!("test*"))
    );
}

#[tokio::test]
async fn who_is_still_waited_for_holds_a_verdict_up_only_so_long() {
    let caller = Caller::new().await;
    assert!(caller.session.quiet(Duration::ZERO).await);
    let hang = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-fault", "hang");
    let mut socket = hang.connect().await;
    socket.write_all(&hang.bytes()).await.unwrap();
    until(|| !caller.session.journal(0).is_empty()).await;
    assert!(!caller.session.quiet(Duration::from_millis(20)).await);
    let open = json_of(&run(&caller, &["verdict", "--session", "test", "--json"]));
    assert_eq!(open["requests"], 1, "{open}");
    drop(socket);
    assert!(caller.session.quiet(Duration::from_secs(30)).await);
    assert!(caller.session.journal(0)[0].left_ns.is_some());
}
