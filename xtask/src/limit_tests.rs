//! The limits of the gateway, in memory, SQLite and Redis, beside an oracle in Python and with Redis taken away: a small run
//! of what `conformance/ratelimits` can do. Its README has the full one.

use std::process::Command;

use crate::apt;
use crate::python::Interpreter;
use crate::redis;
use crate::report::Report;
use crate::workspace::Workspace;

/// The subject `limits` of the part `gateway`.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    redis::ensure();
    if apt::on_path(&["redis-server"]).is_none() {
        return;
    }
    let Some(python) = report.prepare_by("find Python", Interpreter::find) else {
        return;
    };
    let mut build = Command::new("cargo");
    build.current_dir(&workspace.root).args([
        "build",
        "-q",
        "-p",
        "gatewright-server-mock",
        "--features",
        "redis",
        "--bins",
        "--examples",
    ]);
    if !report.prepare("build the gateway with Redis", &mut build) {
        return;
    }
    let program = workspace.built("dev", "gatewright-gateway");
    let steps = workspace.built("dev", "examples/limit_steps");
    let race = workspace.built("dev", "examples/limit_race");
    let script = |name: &str| {
        let mut command = Command::new(&python.path);
        command
            .current_dir(workspace.root.join("conformance/ratelimits"))
            .arg(name);
        command
    };
    report.check(
        "decisions and headers are the oracle's, in every store",
        script("steps.py")
            .arg("--driver")
            .arg(&steps)
            .args(["--store", "all", "--steps", "6000"]),
    );
    report.check(
        "the same over HTTP, and waiting as told helps",
        script("http_steps.py")
            .arg("--program")
            .arg(&program)
            .args(["--steps", "300"]),
    );
    report.check(
        "64 at once are linearisable, from one gateway and from two",
        script("linearisable.py")
            .arg("--program")
            .arg(&program)
            .arg("--race")
            .arg(&race)
            .args(["--calls", "10"]),
    );
    report.check(
        "Redis stopped and killed: the declared fail mode, and back without a restart",
        script("outages.py").arg("--program").arg(&program).args([
            "--only",
            "outages",
            "--seconds",
            "0.8",
        ]),
    );
    report.check(
        "a master of a cluster killed: over-admission within its bound",
        script("outages.py").arg("--program").arg(&program).args([
            "--only",
            "cluster",
            "--seconds",
            "0.8",
        ]),
    );
}
