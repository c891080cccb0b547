//! Whatever an adapter does, a run ends in time, with a verdict that says what happened.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Says hello, whatever its id is, with all capabilities that the scenarios here need.
const HELLO: &str = r#"read line; echo '{"id":1,"protocol":1,"sdk":"sh","capabilities":[]}'; "#;

/// A folder with scenarios, and an adapter as a shell script.
struct Stage(PathBuf);

impl Stage {
    fn new(name: &str, scenarios: &[(&str, &str)], script: &str) -> Self {
        let folder = std::env::temp_dir().join(format!(
            "gatewright-conformance-{}-{name}",
            std::process::id()
        ));
        std::fs::create_dir_all(folder.join("scenarios")).unwrap();
        for (file, text) in scenarios {
            std::fs::write(folder.join("scenarios").join(file), text).unwrap();
        }
        std::fs::write(folder.join("adapter.sh"), script).unwrap();
        Self(folder)
    }

    fn play(&self, arguments: &[&str]) -> (Output, Duration) {
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_gatewright-conformance"))
            .arg("--adapter")
            .arg(format!("sh '{}'", self.0.join("adapter.sh").display()))
            .arg("--scenarios")
            .arg(self.0.join("scenarios"))
            .args(arguments)
            .output()
            .unwrap();
        (output, started.elapsed())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Its deadline is the harness's, but where `members` has another.
fn scenario(name: &str, members: &str) -> String {
    format!(
        r#"{{"name":"{name}","about":"x","source":"y"{members},"calls":[{{"method":"GET","path":"/"}}],"expect":{{}}}}"#
    )
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn last_line(output: &Output) -> String {
    stdout(output).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn one_that_falls_silent_is_left_at_the_deadline() {
    let script = format!("{HELLO} sleep 600");
    let stage = Stage::new(
        "silent",
        &[
            ("a.json", &scenario("a", r#","deadline_ms":300"#)),
            ("b.json", &scenario("b", r#","deadline_ms":300"#)),
        ],
        &script,
    );
    let (output, took) = stage.play(&[]);
    assert_eq!(last_line(&output), "0 passed, 2 failed");
    assert!(
        stdout(&output).contains("FAIL a: did not finish within 0.3 s"),
        "{}",
        stdout(&output)
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn one_that_dies_fails_what_it_was_asked_and_says_its_last_words() {
    let script = format!("{HELLO} read line; echo 'out of coffee' >&2; exit 3");
    let stage = Stage::new(
        "dies",
        &[
            ("a.json", &scenario("a", "")),
            ("b.json", &scenario("b", "")),
        ],
        &script,
    );
    let (output, _) = stage.play(&[]);
    assert_eq!(last_line(&output), "0 passed, 2 failed");
    for name in ["a", "b"] {
        let line =
            format!("FAIL {name}: the adapter ended (exit status: 3); it said: out of coffee");
        assert!(stdout(&output).contains(&line), "{}", stdout(&output));
    }
}

#[test]
fn one_that_writes_what_is_no_answer_is_ended() {
    for (name, answer, said) in [
        ("prose", "hello there\\n", "wrote what is not JSON"),
        ("stray", "{\"id\":99}\\n", "answered what nobody asked"),
        ("endless", "{", "has no end"),
    ] {
        let script = format!("{HELLO} read line; printf '{answer}'");
        let stage = Stage::new(name, &[("a.json", &scenario("a", ""))], &script);
        let (output, _) = stage.play(&[]);
        assert_eq!(last_line(&output), "0 passed, 1 failed");
        assert!(
            stdout(&output).contains(said),
            "{name}: {}",
            stdout(&output)
        );
    }
}

#[test]
fn one_that_cannot_be_started_or_says_no_hello_is_named() {
    let stage = Stage::new("mute", &[("a.json", &scenario("a", ""))], "exit 0");
    let (output, _) = stage.play(&[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("the adapter ended (exit status: 0)"),
        "{said}"
    );
    let (output, _) = stage.play(&["--adapter", "/nowhere/adapter"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("the adapter cannot be started: /nowhere/adapter"),
        "{said}"
    );
}

#[test]
fn what_an_adapter_lacks_is_skipped_and_what_it_does_not_know_fails() {
    let script = format!(
        r#"{HELLO} read line; echo '{{"id":2,"unsupported":"the option auth"}}'; sleep 600"#
    );
    let scenarios = [
        ("a.json", scenario("a", r#","needs":["pages"]"#)),
        ("b.json", scenario("b", "")),
    ];
    let scenarios: Vec<(&str, &str)> = scenarios
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    let (output, _) = Stage::new("lacks", &scenarios, &script).play(&[]);
    assert_eq!(last_line(&output), "0 passed, 1 failed, 1 skipped");
    assert!(
        stdout(&output)
            .contains("FAIL b: opening default: the adapter does not support \"the option auth\""),
        "{}",
        stdout(&output)
    );
    assert!(stdout(&output).contains("skipped 1: the adapter has no pages"));
}

#[test]
fn a_file_that_is_no_scenario_fails_and_the_others_are_played() {
    let script = format!("{HELLO} sleep 600");
    let files = [
        ("a.json", r#"{"name":"a"}"#.to_owned()),
        ("b.json", scenario("b", r#","needs":["pages"]"#)),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    let (output, _) = Stage::new("unreadable", &files, &script).play(&["--json"]);
    let lines: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcome = |name: &str| {
        lines
            .iter()
            .find(|l| l["name"] == name)
            .map(|l| l["outcome"].clone())
            .unwrap()
    };
    assert_eq!(
        (outcome("a.json"), outcome("b")),
        ("failed".into(), "skipped".into())
    );
    let whole = lines.last().unwrap();
    assert_eq!(
        (&whole["failed"], &whole["skipped"], &whole["name"]),
        (&1.into(), &1.into(), &"sh".into())
    );
}

#[test]
fn a_folder_without_scenarios_is_a_mistake() {
    let stage = Stage::new("empty", &[], "exit 0");
    assert_eq!(stage.play(&[]).0.status.code(), Some(2));
}

#[test]
fn one_that_lacks_a_capability_says_why() {
    let hello = r#"read line; echo '{"id":1,"protocol":1,"sdk":"sh","capabilities":[],"lacks":{"tls":"no keys"}}'; "#;
    let needs = |name: &str, what: &str| scenario(name, &format!(r#","needs":["{what}"]"#));
    let stage = Stage::new(
        "lacks",
        &[
            ("a.json", &needs("a", "tls")),
            ("b.json", &needs("b", "pages")),
        ],
        &format!("{hello} sleep 600"),
    );
    let (output, _) = stage.play(&[]);
    let said = stdout(&output);
    assert!(
        said.contains("skipped 1: the adapter has no tls: no keys\n"),
        "{said}"
    );
    assert!(
        said.contains("skipped 1: the adapter has no pages\n"),
        "{said}"
    );
    assert_eq!(last_line(&output), "0 passed, 0 failed, 2 skipped");
}

#[test]
fn one_that_asks_for_it_is_in_one_scenario_at_a_time() {
    // It looks whether a second request is there while it has not answered the first.
    let script = r#"read line; echo '{"id":1,"protocol":1,"sdk":"sh","capabilities":[],"at_once":1}'
        for id in 2 3; do
            read line
            all=one
            if timeout 0.1 sh -c 'read more'; then all=two; fi
            echo "{\"id\":$id,\"unsupported\":\"$all at once\"}"
        done
        sleep 600"#;
    let scenarios = [("a.json", scenario("a", "")), ("b.json", scenario("b", ""))];
    let scenarios: Vec<(&str, &str)> = scenarios
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    let (output, _) = Stage::new("at-once", &scenarios, script).play(&[]);
    let said = stdout(&output);
    assert!(
        said.contains("one at once") && !said.contains("two at once"),
        "{said}"
    );
    assert_eq!(last_line(&output), "0 passed, 2 failed");
}

/// An SDK in bash whose one call does what `calls` says with `ask`, a GET; then it says that all is well.
fn bash(name: &str, members: &str, calls: &str) -> Output {
    let scenario = format!(
        r#"{{"name":"a","about":"x","source":"y","calls":[{{"method":"GET","path":"/v1/contacts/ct_000001"}}],{members}}}"#
    );
    let script = format!(
        r#"
        read -r line; echo '{{"id":1,"protocol":1,"sdk":"bash","capabilities":[]}}'
        read -r line
        port=${{line#*127.0.0.1:}}; port=${{port%%[^0-9]*}}
        session=${{line#*\"x-mock-session\":\"}}; session=${{session%%\"*}}
        echo '{{"id":2,"ok":true}}'
        ask() {{
            exec 3<>"/dev/tcp/127.0.0.1/$port"
            printf 'GET /v1/contacts/ct_000001 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n' >&3
            printf 'authorization: Bearer sk_test_unlimited_conformance\r\nx-mock-session: %s\r\n\r\n' "$session" >&3
            cat <&3 >/dev/null
            exec 3>&-
        }}
        read -r line; {calls}; echo '{{"id":3,"ok":true,"status":200}}'
        read -r line; echo '{{"id":4,"ok":true}}'
        cat >/dev/null"#
    );
    let stage = Stage::new(name, &[("a.json", &scenario)], &script);
    let bash = format!("bash '{}'", stage.0.join("adapter.sh").display());
    stage.play(&["--adapter", &bash]).0
}

#[test]
fn one_that_does_not_wait_as_asked_is_caught_by_the_verdict() {
    let told_to_wait = |name: &str, ms: u32, calls: &str, expected: &str| {
        let faults =
            format!(r#"[{{"match":{{"op":"contacts.get"}},"script":["503;ra-ms={ms}","ok"]}}]"#);
        let members = format!(r#""gateway":{{"faults":{faults}}},"expect":{expected}"#);
        bash(name, &members, calls)
    };
    // The scenario expects nothing: what every client must keep is looked at in all of them. However busy the machine is, it
    // does not take this one so long to come back.
    let hasty = told_to_wait("hasty", 14_000, "ask; ask", "{}");
    let said = stdout(&hasty);
    let found = "FAIL a: the verdict on retry-after: major: not in 1 of 1: came back after ";
    assert!(said.contains(found), "{said}");
    assert!(said.contains(" ms when 14000 ms were asked for"), "{said}");
    assert_eq!(last_line(&hasty), "0 passed, 1 failed");
    let patient = told_to_wait(
        "patient",
        400,
        "ask; sleep 0.45; ask",
        r#"{"verdict":{"retry-after":"kept","grade":"A"}}"#,
    );
    let said = stdout(&patient);
    assert_eq!(last_line(&patient), "1 passed, 0 failed", "{said}");
}

#[test]
fn a_timer_of_the_clients_is_measured_from_the_call() {
    let hedged = |name: &str, ms: u32, calls: &str| {
        let since = format!(r#"{{"since_ms":{{"$min":{ms}}}}}"#);
        let members = format!(r#""expect":{{"wire":{{"requests":[{{}},{since}]}}}}"#);
        bash(name, &members, calls)
    };
    let early = hedged("early", 14_000, "ask; ask");
    let said = stdout(&early);
    assert!(said.contains("FAIL a: wire[1].since_ms: got "), "{said}");
    // The first was long on its way: 250 ms lie between the two arrivals, and yet the second was sent in time.
    let delayed = hedged("delayed", 500, "sleep 0.3; ask; sleep 0.25; ask");
    let said = stdout(&delayed);
    assert_eq!(last_line(&delayed), "1 passed, 0 failed", "{said}");
}
