//! Python's part of the measurements: a venv with the wheel and what it is compared to, and the scripts of `bench/python`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::python::{Interpreter, Venv, build_wheel};
use crate::workspace::Workspace;

/// The wheel under test and a venv with what it is compared to.
pub(super) struct Python {
    interpreter: Interpreter,
    venv: Venv,
    wheel: PathBuf,
    scripts: PathBuf,
}

impl Python {
    pub(super) fn prepare(workspace: &Workspace) -> Result<Self> {
        let interpreter = Interpreter::find()?;
        let wheel = build_wheel(workspace, &interpreter, true)?;
        println!("making a venv with the others");
        let venv = Venv::kept(workspace, &interpreter, "bench", "requirements-bench.txt")?;
        venv.install(&wheel)?;
        Ok(Self {
            interpreter,
            venv,
            wheel,
            scripts: workspace.root.join("bench/python"),
        })
    }

    pub(super) fn version(&self) -> String {
        format!("Python {}", self.interpreter.full_version)
    }

    /// The command that measures all clients against a server that dies: `program` is bench-dead-server, built.
    pub(super) fn dead_server(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .arg(self.venv.python().get_program())
            .arg(self.scripts.join("dead_server.py"));
        command
    }

    /// The command of a part, with bench-server at the URL.
    pub(super) fn command(&self, part: &str, url: &str) -> Command {
        let mut command = self.venv.python();
        command.arg(self.scripts.join(match part {
            "python-webhooks" => "webhook_table.py",
            "import" => "import_table.py",
            _ => "http_table.py",
        }));
        match part {
            "python-sync" => command.args(["sync", url]),
            "python-async" => command.args(["async", url]),
            "import" => command.arg(&self.wheel),
            _ => &mut command,
        };
        command
    }
}
