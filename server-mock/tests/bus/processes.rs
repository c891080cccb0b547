//! The gateway and its workers as processes, ended with the test.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::asking::text;

/// How long a job belongs to a worker: short, so that those of killed ones come back soon.
pub(crate) const LEASE_MS: &str = "1000";

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) said: Arc<Mutex<String>>,
}

/// A gateway that sends nothing itself.
pub(crate) struct Gateway {
    #[cfg_attr(
        not(any(feature = "nats", feature = "redis")),
        expect(
            dead_code,
            reason = "held until the test ends; only the proofs with brokers look at it"
        )
    )]
    pub(crate) process: Process,
    pub(crate) admin: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said: Arc<Mutex<String>> = Arc::default();
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                kept.lock().unwrap().push_str(&text);
            }
        });
        Self { child, said }
    }

    /// The first line of its output.
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(!line.is_empty(), "{}", self.said.lock().unwrap());
        line
    }
}

impl Drop for Process {
    /// As kill -9 does.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    pub(crate) fn start(bus: &str, data: Option<&Path>) -> Self {
        Self::start_with(bus, data, &[])
    }

    pub(crate) fn start_with(bus: &str, data: Option<&Path>, more: &[&str]) -> Self {
        let mut arguments = command(&["serve", "--port", "0", "--print-json", "--log", "off"]);
        arguments.args([
            "--bus",
            bus,
            "--bus-workers",
            "0",
            "--bus-lease-ms",
            LEASE_MS,
        ]);
        arguments.args(more);
        if let Some(data) = data {
            arguments.arg("--data").arg(data);
        }
        let mut process = Process::start(arguments);
        let said: Value = serde_json::from_str(&process.first_line()).unwrap();
        let admin = said["admin_url"].as_str().unwrap().to_owned();
        Self { process, admin }
    }

    /// What it says of itself to Prometheus.
    pub(crate) async fn metrics(&self) -> String {
        text(&self.admin, "/metrics").await
    }
}

/// A folder that is gone with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("gatewright-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // What another run may have left.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A worker that is at work.
pub(crate) fn worker(bus: &str, data: Option<&Path>, number: usize) -> Process {
    let mut arguments = command(&["worker", "--bus", bus, "--bus-lease-ms", LEASE_MS]);
    arguments.args(["--name", &format!("worker-{number}")]);
    if let Some(data) = data {
        arguments.arg("--data").arg(data);
    }
    let mut process = Process::start(arguments);
    assert_eq!(process.first_line(), "worker ready\n");
    process
}
