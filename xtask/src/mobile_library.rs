//! The native library under the Swift and Kotlin packages, and what is generated from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::npm_package::make_empty;
use crate::process::run;
use crate::workspace::Workspace;

pub(crate) const CRATE: &str = "gatewright-mobile";
const NAME: &str = "gatewright_mobile";
const TOOL: &str = "gatewright-mobile-tool";
/// Of what phones download: small.
pub(crate) const PROFILE: &str = "mobile";

/// The built library.
pub(crate) struct MobileLibrary {
    /// For the JVM and Android: `libgatewright_mobile.so`.
    pub(crate) shared: PathBuf,
    /// For Swift: `libgatewright_mobile.a`.
    pub(crate) archive: PathBuf,
}

impl MobileLibrary {
    /// Builds it for this machine, for speed: what servers and desktops get (docs/decisions/0011-mobile-size.md).
    pub(crate) fn build(workspace: &Workspace, shown: bool) -> Result<Self> {
        let mut cargo = workspace.cargo("build");
        cargo.args(["--release", "--package", CRATE]);
        run(&mut cargo, shown)?;
        let folder = workspace.target.join("release");
        Ok(Self {
            shared: folder.join(shared_name()),
            archive: folder.join(format!("lib{NAME}.a")),
        })
    }

    /// Generates the Swift that calls it, with its C module, into a folder that has nothing else.
    pub(crate) fn generate_swift(
        &self,
        workspace: &Workspace,
        into: &Path,
        shown: bool,
    ) -> Result<()> {
        let mut cargo = workspace.cargo("build");
        run(cargo.args(["--quiet", "--package", TOOL]), shown)?;
        make_empty(into)?;
        let mut tool = Command::new(workspace.built("dev", TOOL));
        // The shared one is stripped of what the tool looks for.
        tool.current_dir(&workspace.root)
            .arg("--library")
            .arg(&self.archive)
            .arg("--swift")
            .arg(into);
        run(&mut tool, shown)
    }

    /// What it weighs as it is installed: a line for the person at the terminal.
    pub(crate) fn size(&self) -> Result<String> {
        let bytes = fs::metadata(&self.shared)?.len();
        Ok(format!(
            "{:>9}  {} for this machine; for phones it is built smaller (cargo xtask bench mobile-size)",
            crate::package::megabytes(bytes),
            shared_name()
        ))
    }
}

/// Its file's name on this machine.
pub(crate) fn shared_name() -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}{NAME}{suffix}")
}
