//! Brokers of a test's own: `redis-server` and `nats-server` on free ports, with what they keep in a folder of theirs; they can
//! be killed and started again over it. Ended with the test.

#![allow(dead_code, reason = "each user takes what it needs")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nats,
    Redis,
}

pub(crate) struct Broker {
    kind: Kind,
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Broker {
    /// One that runs. `None` where its program is missing; it has been said.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let mut broker = Self::away(kind)?;
        broker.start_again();
        Some(broker)
    }

    /// One that does not run yet.
    pub(crate) fn away(kind: Kind) -> Option<Self> {
        let program = kind.program();
        let there = Command::new(&program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok();
        if !there {
            assert!(
                std::env::var_os("GATEWRIGHT_BROKERS_REQUIRED").is_none(),
                "there is no {program}"
            );
            eprintln!("skipped: there is no {program}");
            return None;
        }
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("gatewright-{kind:?}-{port}"));
        // What another run may have left.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self {
            kind,
            port,
            folder,
            child: None,
        })
    }

    pub(crate) fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new(self.kind.program());
        match self.kind {
            Kind::Redis => command
                .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "yes", "--appendfsync", "everysec"]),
            Kind::Nats => command
                .args(["--addr", "127.0.0.1", "--port", &port, "--jetstream"])
                .arg("--store_dir")
                .arg(self.folder.join("jetstream")),
        };
        command
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "{:?} does not come up", self.kind);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once, as kill -9 does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it in order: it has written all that it acknowledged.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let told = Command::new("kill").arg(child.id().to_string()).status();
            assert!(told.unwrap().success());
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        match self.kind {
            Kind::Nats => format!("nats://127.0.0.1:{}", self.port),
            Kind::Redis => format!("redis://127.0.0.1:{}", self.port),
        }
    }
}

impl Kind {
    /// `GATEWRIGHT_NATS_SERVER` and `GATEWRIGHT_REDIS_SERVER` name others than those on the path.
    fn program(self) -> String {
        let (variable, name) = match self {
            Self::Nats => ("GATEWRIGHT_NATS_SERVER", "nats-server"),
            Self::Redis => ("GATEWRIGHT_REDIS_SERVER", "redis-server"),
        };
        std::env::var(variable).unwrap_or_else(|_| name.into())
    }
}

/// A port below those that systems give to whoever asks for any: nobody takes it before the broker does, or while that is
/// away.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 300) as u16 * 40;
    loop {
        let port = 15_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
