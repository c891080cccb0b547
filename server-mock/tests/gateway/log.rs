//! The log of the program: one line a request, true, and without secrets.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::caller::asking;

struct Program {
    child: Child,
    url: String,
}

fn start(arguments: &[&str]) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"))
        .args([
            "serve",
            "--port",
            "0",
            "--print-json",
            "--until-stdin-closes",
        ])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let url = said["url"].as_str().unwrap().into();
    Program { child, url }
}

/// All that was logged until the program ended.
fn log_of(mut program: Program) -> String {
    drop(program.child.stdin.take());
    let mut text = String::new();
    let mut stderr = program.child.stderr.take().unwrap();
    stderr.read_to_string(&mut text).unwrap();
    program.child.wait().unwrap();
    text
}

async fn some_requests(url: &str) {
    let key = "Bearer sk_test_tiny_hushhush";
    for path in [
        "/v1/whoami",
        "/v1/contacts/private-id?api_key=sk_test_pro_hushhush",
    ] {
        let asking = asking(url, "GET", path)
            .header("authorization", key)
            .header("x-mock-session", "hushsession")
            .header(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            );
        asking.send().await;
    }
    let faulted = asking(url, "GET", "/v1/whoami")
        .header("authorization", key)
        .header("x-mock-fault", "503;body=hushbody");
    faulted.send().await;
    asking(url, "GET", "/healthz").send().await;
}

#[tokio::test]
async fn a_line_of_json_for_each_request_without_secrets() {
    let program = start(&["--log", "json"]);
    some_requests(&program.url).await;
    let text = log_of(program);
    assert!(
        !text.contains("hush") && !text.contains("private"),
        "{text}"
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<(&str, u64, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["op"].as_str().unwrap(),
                line["status"].as_u64().unwrap(),
                line["level"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("whoami", 200, "info"),
            ("contacts.get", 404, "info"),
            ("whoami", 503, "warn"),
        ]
    );
    assert_eq!(lines[0]["tenant"], lines[1]["tenant"]);
    assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(lines[0]["request_id"].as_str().unwrap().starts_with("req_"));
    assert!(lines[0]["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&lines[0]["tier"], &lines[2]["fault"]),
        (&"tiny".into(), &"503".into())
    );
}

#[tokio::test]
async fn levels_choose_and_text_is_for_people() {
    let program = start(&["--log=text", "--log-level", "warn"]);
    some_requests(&program.url).await;
    let text = log_of(program);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains(" 503 GET ") && text.contains("fault 503"),
        "{text}"
    );
    let program = start(&["--log=text", "--log-level", "debug"]);
    some_requests(&program.url).await;
    let text = log_of(program);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("healthz") && !text.contains("hush"), "{text}");
}

#[tokio::test]
async fn without_a_terminal_nothing_is_logged_unless_asked_for() {
    let program = start(&[]);
    some_requests(&program.url).await;
    assert_eq!(log_of(program), "");
}
