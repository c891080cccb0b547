//! A `redis-server` of a test's own: on a free port, with nothing on disk, ended with the test.

#![allow(dead_code, reason = "each user takes what it needs")]

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

/// Longer than it takes on a slow machine.
const LONG: Duration = Duration::from_secs(30);

pub(crate) struct RedisServer {
    port: Port,
    arguments: Vec<String>,
    folder: std::path::PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// `None` where there is no `redis-server`; it has been said.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// A cluster of one node, which has all slots.
    pub(crate) fn start_cluster() -> Option<Self> {
        let bus = Port::reserve();
        let server = Self::start_with(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus.number.to_string(),
        ])?;
        server.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        let until = Instant::now() + LONG;
        while !server
            .ask(&["CLUSTER", "INFO"])
            .contains("cluster_state:ok")
        {
            assert!(Instant::now() < until, "the cluster does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    fn start_with(arguments: &[&str]) -> Option<Self> {
        let port = Port::reserve();
        let folder = std::env::temp_dir().join(format!(
            "gatewright-redis-{}-{}",
            std::process::id(),
            port.number
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            port,
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            folder,
            child: None,
        };
        if !server.spawn() {
            assert!(
                std::env::var_os("GATEWRIGHT_REDIS_REQUIRED").is_none(),
                "there is no redis-server on the path"
            );
            eprintln!("skipped: there is no redis-server on the path");
            return None;
        }
        Some(server)
    }

    fn spawn(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.number.to_string()])
            .args(["--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            return false;
        };
        let child = self.child.insert(child);
        let until = Instant::now() + LONG;
        while TcpStream::connect(("127.0.0.1", self.port.number)).is_err() {
            let ended = child.try_wait().unwrap();
            assert_eq!(ended, None, "redis-server does not start");
            assert!(Instant::now() < until, "redis-server does not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port.number)
    }

    /// Ends it at once, with all that it knew.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn start_again(&mut self) {
        assert!(self.spawn());
    }

    /// What a command is answered, as one line of text.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        let port = self.port.number.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port])
            .args(command)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// A port that nobody else gets, even while the server is stopped: it stays bound, which keeps the system from giving it to
/// others, and nobody listens, so that whoever connects is refused. A server may still listen there, since it reuses addresses
/// as this does.
pub(crate) struct Port {
    pub(crate) number: u16,
    _bound: Option<TcpSocket>,
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            number: socket.local_addr().unwrap().port(),
            // Elsewhere two sockets cannot have one address.
            _bound: cfg!(target_os = "linux").then_some(socket),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
