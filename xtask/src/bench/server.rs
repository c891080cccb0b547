//! The program `bench-server` in a process beside a measurement.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::gateway::first_line;
use crate::workspace::Workspace;

/// The name of its binary.
pub(super) const NAME: &str = "bench-server";

/// Where it is when it has been built.
pub(super) fn program(workspace: &Workspace) -> PathBuf {
    workspace.built("release", NAME)
}

/// The server all clients talk to, in a process of its own. It ends when this goes away.
pub(super) struct Server {
    pub(super) url: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Server {
    /// Starts it, built, on a free port.
    pub(super) fn start(workspace: &Workspace) -> Result<Self> {
        let program = program(workspace);
        let spawned = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child =
            spawned.map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        let stdin = child.stdin.take();
        let url = child
            .stdout
            .take()
            .and_then(|stdout| first_line(stdout, Duration::from_secs(10)));
        let server = Self {
            url: url.unwrap_or_default(),
            child,
            stdin,
        };
        if server.url.is_empty() {
            Err("the bench server did not say its URL".into())
        } else {
            Ok(server)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
