//! `cargo xtask demo`: what a new user would do by hand, in one command.

use crate::gateway::{self, Gateway};
use crate::process::{show, show_code};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    if let Some(unknown) = arguments.first() {
        return Err(Box::new(Usage(format!(
            "demo takes no arguments, got {unknown:?}"
        ))));
    }
    let python = Interpreter::find()?;
    println!("1. building the gateway");
    show(&mut gateway::build_command(workspace, "release"))?;
    println!("2. building the wheel");
    let wheel = build_wheel(workspace, &python, true)?;
    println!(
        "3. installing it in a new venv (Python {})",
        python.full_version
    );
    let venv = Venv::fresh(workspace, &python, "demo", &[])?;
    venv.install(&wheel)?;
    println!("4. starting the gateway");
    let gateway = Gateway::start(workspace, "release")?;
    println!("5. running examples/python/quickstart.py\n");
    let mut quickstart = venv.python();
    quickstart.arg(workspace.root.join("examples/python/quickstart.py"));
    Ok(match show_code(gateway.known_to(&mut quickstart))? {
        0 => Ended::Well,
        code => Ended::With(code),
    })
}
