//! JavaScript's part of the measurements: a project with the packages from their tarballs and what they are compared to,
//! and the scripts of `bench/node` and `bench/web`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::chromium;
use crate::npm_package::make_empty;
use crate::process::quietly;
use crate::project::{Kit, Packages};
use crate::workspace::Workspace;

use super::server;

/// The packages under test in a project with what they are compared to.
pub(super) struct JavaScript {
    kit: Kit,
    project: PathBuf,
    scripts: PathBuf,
    server: PathBuf,
    /// Where a part needs it.
    chromium: Option<PathBuf>,
}

impl JavaScript {
    pub(super) fn prepare(workspace: &Workspace, in_browser: bool) -> Result<Self> {
        let kit = Kit::find(workspace)?;
        let chromium = in_browser.then(chromium::find_or_install).transpose()?;
        let packages = Packages::build(workspace, &kit, true)?;
        println!("making a project with the others");
        let project = project_with_peers(workspace, &kit)?;
        let mut npm = kit.node.npm();
        npm.args([
            "install",
            "--no-save",
            "--prefer-offline",
            "--ignore-scripts",
        ])
        .args(packages.all())
        .current_dir(&project);
        quietly(&mut npm)?;
        Ok(Self {
            kit,
            project,
            scripts: workspace.root.join("bench"),
            server: server::program(workspace),
            chromium,
        })
    }

    pub(super) fn version(&self) -> String {
        format!("Node {}", self.kit.node.version)
    }

    /// The command of a part: `node-http` is the table `http` of `bench/node`. It starts the server by itself.
    pub(super) fn command(&self, part: &str) -> Command {
        let (folder, table) = part.split_once('-').unwrap_or((part, ""));
        let mut command = self.kit.node.command();
        command
            .arg(self.scripts.join(folder).join("run.mjs"))
            .arg("--project")
            .arg(&self.project)
            .arg("--server")
            .arg(&self.server)
            .args(["--tables", table]);
        self.kit.tools.known_to(&mut command);
        if let Some(chromium) = &self.chromium {
            command.env(chromium::VARIABLE, chromium);
        }
        command
    }
}

/// What `bench/node` pins, installed anew only when that has changed.
fn project_with_peers(workspace: &Workspace, kit: &Kit) -> Result<PathBuf> {
    let pinned = workspace.root.join("bench/node");
    let folder = workspace.scratch("bench-project");
    let stamp_file = folder.join("made-of");
    let lock = fs::read_to_string(pinned.join("package-lock.json"))?;
    let stamp = format!("{}\n{lock}", kit.node.version);
    if fs::read_to_string(&stamp_file).is_ok_and(|made_of| made_of == stamp) {
        return Ok(folder);
    }
    make_empty(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(pinned.join(name), folder.join(name))?;
    }
    quietly(
        kit.node
            .npm()
            .args(["ci", "--ignore-scripts"])
            .current_dir(&folder),
    )?;
    fs::write(stamp_file, stamp)?;
    Ok(folder)
}
