//! The conformance adapter of the Rust SDK: reads requests line by line, carries them out, answers line by line.
//! The protocol is in `conformance/PROTOCOL.md`.

mod admission;
mod auth;
mod call;
mod open;
mod outcome;
mod webhooks;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};

use crate::open::Counts;

const CAPABILITIES: &[&str] = &[
    "api_key_cookie",
    "breaker",
    "cache",
    "cancel",
    "concurrency",
    "connections",
    "credentials",
    "download",
    "events",
    "explain",
    "failure_kinds",
    "float_times",
    "hedging",
    "hooks",
    "idempotency",
    "input_errors",
    "interruptible_callbacks",
    "json_lines",
    "min_throughput",
    "oauth",
    "oauth_login",
    "only_cache",
    "pacing",
    "pages",
    "partial_bodies",
    "redirects",
    "regions",
    "replayable_upload",
    "signatures",
    "stream_download",
    "stream_upload",
    "tls",
    "token_callback",
    "trace_context",
    "truncated_encodings",
    "upload",
    "webhook_asymmetric",
    "webhook_schemes",
    "webhook_sign",
    "webhook_verify",
];

/// What the harness asked for and the adapter cannot do.
pub(crate) struct Unsupported(pub(crate) String);

type Answer = Result<Value, Unsupported>;

#[derive(Default)]
struct State {
    clients: Mutex<HashMap<String, (Client, Arc<Counts>)>>,
    /// Calls under way, by id, and how to give them up.
    calls: Mutex<HashMap<u64, oneshot::Sender<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::main]
async fn main() -> ExitCode {
    let state = Arc::new(State::default());
    let (answers, mut to_write) = mpsc::unbounded_channel::<Value>();
    let writer = tokio::spawn(async move {
        let mut stdout = tokio::io::stdout();
        while let Some(answer) = to_write.recv().await {
            let line = format!("{answer}\n");
            if stdout.write_all(line.as_bytes()).await.is_err() || stdout.flush().await.is_err() {
                return;
            }
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(request) = serde_json::from_str::<Value>(&line) else {
            return ExitCode::FAILURE;
        };
        let id = request
            .get("id")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let (given_up, told) = oneshot::channel();
        lock(&state.calls).insert(id, given_up);
        let (state, answers) = (Arc::clone(&state), answers.clone());
        tokio::spawn(async move {
            let mut answer = tokio::select! {
                answer = answer(&state, &request) => answer.unwrap_or_else(|Unsupported(what)| json!({ "unsupported": what })),
                Ok(()) = told => json!({ "ok": false, "cancelled": true }),
            };
            lock(&state.calls).remove(&id);
            if let Some(members) = answer.as_object_mut() {
                members.insert("id".to_owned(), id.into());
            }
            // Nobody listens any more: the harness is gone.
            let _ = answers.send(answer);
        });
    }
    drop(answers);
    // A call under way ends with the process; what was answered is written.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), writer).await;
    ExitCode::SUCCESS
}

async fn answer(state: &State, request: &Value) -> Answer {
    let text = |name: &str| {
        request
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let client_name = text("client");
    let client = || {
        lock(&state.clients)
            .get(client_name)
            .map(|(client, counts)| (client.clone(), Arc::clone(counts)))
            .ok_or_else(|| Unsupported(format!("the client {client_name}, which is not open")))
    };
    let nothing = Value::Null;
    match text("op") {
        "hello" => Ok(json!({
            "protocol": 1,
            "sdk": concat!("gatewright for Rust ", env!("CARGO_PKG_VERSION")),
            "capabilities": CAPABILITIES,
        })),
        "client.open" => {
            let (opened, counts) = open::open(request.get("options").unwrap_or(&nothing))?;
            Ok(match opened {
                Ok(client) => {
                    let shown = [format!("{client:?}"), format!("{client:#?}")];
                    lock(&state.clients).insert(client_name.to_owned(), (client, counts));
                    json!({ "ok": true, "shown": shown })
                }
                Err(error) => outcome::error(&error),
            })
        }
        "client.clear_cache" => {
            client()?.0.clear_cache();
            Ok(json!({ "ok": true }))
        }
        "client.shut" => {
            client()?.0.close();
            Ok(json!({ "ok": true }))
        }
        "client.close" => {
            let removed = lock(&state.clients).remove(client_name);
            let (client, counts) = removed.ok_or_else(|| {
                Unsupported(format!("the client {client_name}, which is not open"))
            })?;
            client.close();
            Ok(counts.shown())
        }
        "call"
            if request
                .pointer("/request/mode")
                .is_some_and(|mode| mode == "login") =>
        {
            let (client, counts) = client()?;
            auth::login(&client, &counts, request.get("request").unwrap_or(&nothing)).await
        }
        "call" => call::call(&client()?.0, request.get("request").unwrap_or(&nothing)).await,
        "cancel" => {
            let target = request
                .get("target")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            if let Some(given_up) = lock(&state.calls).remove(&target) {
                // It may just have ended by itself.
                let _ = given_up.send(());
            }
            Ok(json!({ "ok": true }))
        }
        "webhook.verify" => webhooks::verify(request),
        "webhook.sign" => webhooks::sign(request),
        other => Err(Unsupported(format!("the operation {other}"))),
    }
}
