//! The program as a child process on a data file, killed as nothing else is killed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::caller::{Asking, Seen, asking};

pub(super) const KEY: &str = "Bearer sk_test_unlimited_acme";

/// A folder of one's own, gone with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "gatewright-durable-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        // What another run may have left.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("gateway.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How many rows of a kind a file has that nobody has open.
pub(super) fn rows_of(file: &Path, kind: &str) -> i64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    let query = "SELECT count(*) FROM rows WHERE kind = ?";
    connection
        .query_row(query, [kind], |row| row.get(0))
        .unwrap()
}

/// A running program; dropped, it is killed.
pub(super) struct Running {
    child: Child,
    pub(super) url: String,
    admin_url: String,
}

fn command(file: &Path, more: &[&str], abort_at: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"));
    command
        .args(["serve", "--port", "0", "--print-json", "--data"])
        .arg(file)
        .args(more)
        .env_remove("GATEWRIGHT_ABORT_AT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !abort_at.is_empty() {
        command.env("GATEWRIGHT_ABORT_AT", abort_at);
    }
    command
}

/// What the program says when it does not start.
pub(super) fn refusal(file: &Path, more: &[&str]) -> String {
    let mut child = command(file, more, "").spawn().unwrap();
    let mut said = String::new();
    let stderr = child.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    let status = ended(&mut child);
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

fn ended(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

impl Running {
    pub(super) fn start(file: &Path) -> Self {
        Self::start_with(file, &[], "")
    }

    /// Starts it and kills it so soon that it may not be ready.
    pub(super) fn killed_after(file: &Path, time: Duration) {
        let mut child = command(file, &[], "").spawn().unwrap();
        std::thread::sleep(time);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// It aborts itself when it passes the point.
    pub(super) fn start_to_abort(file: &Path, point: &str) -> Self {
        Self::start_with(file, &[], point)
    }

    pub(super) fn start_with(file: &Path, more: &[&str], abort_at: &str) -> Self {
        let mut child = command(file, more, abort_at).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            let _ = child.stderr.as_mut().unwrap().read_to_string(&mut said);
            panic!("it did not start: {said}")
        });
        let url = |name: &str| said[name].as_str().unwrap().to_owned();
        Self {
            child,
            url: url("url"),
            admin_url: url("admin_url"),
        }
    }

    /// SIGKILL: no code of the program runs any more.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same; answers what it wrote to standard error.
    pub(super) fn killed_saying(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }

    /// It has ended by itself, and not in order.
    pub(super) fn aborted(mut self) {
        let status = ended(&mut self.child);
        assert_eq!(status.code(), None, "{status}");
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Asking {
        asking(&self.url, method, path).header("authorization", KEY)
    }

    pub(super) fn create(&self, key: &str) -> Asking {
        create(&self.url, key)
    }

    pub(super) fn admin_url(&self) -> &str {
        &self.admin_url
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let seen = self.ask("GET", path).send().await;
        assert_eq!(seen.status(), 200, "{path}: {:?}", seen.json());
        seen.json()
    }

    pub(super) async fn admin(&self, method: &str, path: &str, body: Value) -> Seen {
        asking(&self.admin_url, method, path)
            .json(&body)
            .send()
            .await
    }

    pub(super) async fn admin_get(&self, path: &str) -> Value {
        let seen = asking(&self.admin_url, "GET", path).send().await;
        assert_eq!(seen.status(), 200, "{path}: {:?}", seen.json());
        seen.json()
    }

    /// Side effects of `contacts.create`.
    pub(super) async fn created(&self) -> Value {
        self.admin_get("/admin/effects?op=contacts.create").await
    }

    /// All events, oldest first.
    pub(super) async fn events(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut path = "/v1/events?limit=100".to_owned();
        loop {
            let page = self.get(&path).await;
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/events?limit=100&cursor={cursor}"),
                None => return all,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A contact under a key; the key is its external id too.
pub(super) fn create(url: &str, key: &str) -> Asking {
    asking(url, "POST", "/v1/contacts")
        .header("authorization", KEY)
        .header("idempotency-key", key)
        .json(&serde_json::json!({"name": "Once", "external_id": key}))
}
