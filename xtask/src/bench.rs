//! `cargo xtask bench`: measurements beside others, as Markdown tables. The programs are in `bench/`.

use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::gateway::first_line;
use crate::process::{answer, show_code};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::workspace::Workspace;
use crate::{Ended, Result, chosen_parts};

const PARTS: &[&str] = &[
    "engine",
    "client",
    "python-sync",
    "python-async",
    "webhooks",
    "import",
];
const CRATE: &str = "gatewright-bench";
const SERVER: &str = "bench-server";

/// A proxy between client and server would be measured too.
const PROXY_VARIABLES: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let parts = chosen_parts(PARTS, arguments)?;
    build(workspace, &parts)?;
    let python = if parts.iter().any(|part| is_python(part)) {
        Some(Python::prepare(workspace)?)
    } else {
        None
    };
    println!("\n{}", Machine::ask(python.as_ref()).in_words());
    if let Some(load) = busy() {
        println!(
            "\n**This machine is busy with other things: its load is {load}. Figures are not to be relied on.**"
        );
    }
    let mut ended = Ended::Well;
    for part in parts {
        println!("\n### {part}\n");
        let server = if part == "engine" {
            None
        } else {
            Some(Server::start(workspace)?)
        };
        let url = server.as_ref().map_or("", |server| server.url.as_str());
        let mut command = command_of(part, workspace, python.as_ref(), url)?;
        for name in PROXY_VARIABLES {
            command.env_remove(name);
        }
        if show_code(&mut command)? != 0 {
            ended = Ended::Badly;
        }
    }
    Ok(ended)
}

fn is_python(part: &str) -> bool {
    !matches!(part, "engine" | "client")
}

fn command_of(
    part: &str,
    workspace: &Workspace,
    python: Option<&Python>,
    url: &str,
) -> Result<Command> {
    if !is_python(part) {
        let mut command = Command::new(workspace.built("release", &format!("bench-{part}")));
        if part == "client" {
            command.arg(url);
        }
        return Ok(command);
    }
    let python = python.ok_or("Python was not prepared")?;
    let script = |name: &str| {
        let mut command = python.venv.python();
        command.arg(workspace.root.join("bench/python").join(name));
        command
    };
    let mut command = script(match part {
        "webhooks" => "webhook_table.py",
        "import" => "import_table.py",
        _ => "http_table.py",
    });
    match part {
        "python-sync" => command.args(["sync", url]),
        "python-async" => command.args(["async", url]),
        "import" => command.arg(&python.wheel),
        _ => &mut command,
    };
    Ok(command)
}

fn build(workspace: &Workspace, parts: &[&str]) -> Result<()> {
    let mut command = workspace.cargo("build");
    command.args(["--release", "--package", CRATE, "--bin", SERVER]);
    for part in parts.iter().filter(|part| !is_python(part)) {
        command.args(["--bin", &format!("bench-{part}")]);
    }
    crate::process::show(&mut command)
}

/// The wheel under test and a venv with what it is compared to.
struct Python {
    interpreter: Interpreter,
    venv: Venv,
    wheel: std::path::PathBuf,
}

impl Python {
    fn prepare(workspace: &Workspace) -> Result<Self> {
        let interpreter = Interpreter::find()?;
        let wheel = build_wheel(workspace, &interpreter, true)?;
        println!("making a venv with the others");
        let venv = Venv::kept(workspace, &interpreter, "bench", "requirements-bench.txt")?;
        venv.install(&wheel)?;
        Ok(Self {
            interpreter,
            venv,
            wheel,
        })
    }
}

/// The server all clients talk to, in a process of its own. It ends when this goes away.
struct Server {
    url: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Server {
    fn start(workspace: &Workspace) -> Result<Self> {
        let program = workspace.built("release", SERVER);
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

/// What the figures were measured with.
struct Machine {
    date: String,
    cpu: String,
    cores: usize,
    system: String,
    versions: Vec<String>,
}

impl Machine {
    fn ask(python: Option<&Python>) -> Self {
        let unknown = || "unknown".to_owned();
        let said =
            |program: &str, arguments: &[&str]| answer(Command::new(program).args(arguments)).ok();
        let mut versions = vec![said("rustc", &["--version"]).unwrap_or_else(unknown)];
        if let Some(python) = python {
            versions.push(format!("Python {}", python.interpreter.full_version));
        }
        let system = std::fs::read_to_string("/etc/os-release")
            .ok()
            .and_then(|text| field(&text, "PRETTY_NAME", '='));
        let kernel = said("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
        let cpu = std::fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| field(&text, "model name", ':'));
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(unknown),
            cpu: cpu
                .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
                .unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            system: system.map_or_else(|| kernel.clone(), |name| format!("{name}, {kernel}")),
            versions,
        }
    }

    fn in_words(&self) -> String {
        let Self {
            date,
            cpu,
            cores,
            system,
            versions,
        } = self;
        format!(
            "Measured {date}: {cpu}, {cores} cores; {system}; {}.",
            versions.join("; ")
        )
    }
}

/// The load of the last minute, where it is more than building and idling explain.
fn busy() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    let cores = std::thread::available_parallelism().ok()?.get();
    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    let much = cores as f64 * 1.5;
    (load > much).then_some(load)
}

/// The value of the first `name SEPARATOR value` line, without quotes.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_without_quotes_and_padding() {
        assert_eq!(
            field("NAME=x\nPRETTY_NAME=\"Debian 12\"\n", "PRETTY_NAME", '=').as_deref(),
            Some("Debian 12")
        );
        assert_eq!(
            field("model\t: 2\nmodel name\t: AMD EPYC\n", "model name", ':').as_deref(),
            Some("AMD EPYC")
        );
        assert_eq!(field("", "model name", ':'), None);
    }

    #[test]
    fn the_machine_is_one_sentence() {
        let machine = Machine {
            date: "2026-01-02".to_owned(),
            cpu: "AMD EPYC".to_owned(),
            cores: 2,
            system: "Debian 12, Linux 6.1".to_owned(),
            versions: vec!["rustc 1.95.0".to_owned(), "Python 3.11.7".to_owned()],
        };
        let wanted = "Measured 2026-01-02: AMD EPYC, 2 cores; Debian 12, Linux 6.1; rustc 1.95.0; Python 3.11.7.";
        assert_eq!(machine.in_words(), wanted);
    }
}
