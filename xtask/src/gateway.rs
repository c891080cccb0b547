//! The reference gateway as a process beside a task: started on free ports, ended with the task.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Result;
use crate::report::Report;
use crate::workspace::Workspace;

/// The crate and its program.
const CRATE: &str = "gatewright-server-mock";
const PROGRAM: &str = "gatewright-gateway";

/// It is ready in well under a second; a machine under load gets more.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// From its standard input's end to its own.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A running gateway. It ends when this goes away.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) admin_url: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

/// The cargo command that builds it.
pub(crate) fn build_command(workspace: &Workspace, profile: &str) -> Command {
    let mut command = workspace.cargo("build");
    command.args(["--profile", profile, "--package", CRATE, "--bin", PROGRAM]);
    command
}

/// Where it is when it has been built.
pub(crate) fn program(workspace: &Workspace, profile: &str) -> PathBuf {
    workspace.built(profile, PROGRAM)
}

impl Gateway {
    /// Starts the built gateway on free ports of this machine.
    pub(crate) fn start(workspace: &Workspace, profile: &str) -> Result<Self> {
        Self::start_with_files(workspace, profile, &[])
    }

    /// The same, with folders whose files it serves on its admin port: prefix and folder.
    pub(crate) fn start_with_files(
        workspace: &Workspace,
        profile: &str,
        files: &[(&str, &Path)],
    ) -> Result<Self> {
        let program = program(workspace, profile);
        let mut command = Command::new(&program);
        command.args([
            "serve",
            "--port",
            "0",
            "--print-json",
            "--until-stdin-closes",
        ]);
        for (prefix, folder) in files {
            let mut mount = OsString::from(format!("{prefix}="));
            mount.push(folder);
            command.arg("--static").arg(mount);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        let stdin = child.stdin.take();
        let ready = child
            .stdout
            .take()
            .and_then(|stdout| first_line(stdout, READY_WITHIN));
        let mut gateway = Self {
            url: String::new(),
            admin_url: String::new(),
            child,
            stdin,
        };
        let line = ready.ok_or_else(|| {
            format!(
                "the gateway was not ready within {} s",
                READY_WITHIN.as_secs()
            )
        })?;
        (gateway.url, gateway.admin_url) = addresses(&line).ok_or_else(|| {
            format!("the gateway's first line should have its addresses, got {line:?}")
        })?;
        Ok(gateway)
    }

    /// Tells a program where the gateway is.
    pub(crate) fn known_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("GATEWRIGHT_URL", &self.url)
            .env("GATEWRIGHT_ADMIN_URL", &self.admin_url)
    }
}

/// Runs a step beside a gateway of its own; one that does not start is the step's failure.
pub(crate) fn with_gateway(
    workspace: &Workspace,
    report: &mut Report,
    name: &str,
    run: impl FnOnce(&mut Report, &Gateway),
) {
    match Gateway::start(workspace, "dev") {
        Ok(gateway) => run(report, &gateway),
        Err(error) => report.fail(name, &error.to_string()),
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line of a stream, if it comes in time. What follows is read and thrown away.
pub(crate) fn first_line(
    stream: impl std::io::Read + Send + 'static,
    within: Duration,
) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stream).lines();
        if let Some(Ok(line)) = lines.next() {
            let _ = sender.send(line);
        }
        lines.for_each(drop);
    });
    receiver.recv_timeout(within).ok()
}

/// `{"url": "http://127.0.0.1:4010", "admin_url": "http://127.0.0.1:4011", …}`
fn addresses(line: &str) -> Option<(String, String)> {
    let ready: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| ready.get(key)?.as_str().map(str::to_owned);
    Some((text("url")?, text("admin_url")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_has_both_addresses() {
        let line = r#"{"admin_url":"http://127.0.0.1:2","pid":7,"url":"http://127.0.0.1:1"}"#;
        assert_eq!(
            addresses(line),
            Some((
                "http://127.0.0.1:1".to_owned(),
                "http://127.0.0.1:2".to_owned()
            ))
        );
        assert_eq!(addresses(r#"{"url":"http://127.0.0.1:1"}"#), None);
        assert_eq!(addresses("listening"), None);
    }

    #[test]
    fn the_first_line_is_all_that_is_waited_for() {
        assert_eq!(
            first_line(&b"ready\nmore\n"[..], READY_WITHIN).as_deref(),
            Some("ready")
        );
        assert_eq!(first_line(&b""[..], READY_WITHIN), None);
    }
}
