//! Node for the tasks: the interpreter with its npm, and the pinned tools of `xtask/node-tools`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::process::{answer, quietly};
use crate::workspace::Workspace;

/// The oldest Node the packages support.
const OLDEST: u64 = 20;

/// Everything the tasks want to know of a Node, asked at once.
const ABOUT: &str = "JSON.stringify({ version: process.versions.node, path: process.execPath, os: process.platform, \
     cpu: process.arch, glibc: Boolean(process.report?.getReport().header.glibcVersionRuntime) })";

/// A Node with its npm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    path: PathBuf,
    /// As it names itself: `20.20.2`.
    pub(crate) version: String,
    pub(crate) platform: Platform,
}

/// What an addon is built for, in Node's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// `linux`, `darwin`, `win32`.
    pub(crate) os: String,
    /// `x64`, `arm64`.
    pub(crate) cpu: String,
    /// The C library, where a system has several.
    pub(crate) libc: Option<&'static str>,
}

impl Platform {
    /// As in the names of platform packages: `linux-x64-gnu`.
    pub(crate) fn name(&self) -> String {
        let abi = match (self.os.as_str(), self.libc) {
            ("win32", _) => "-msvc",
            (_, Some("glibc")) => "-gnu",
            (_, Some("musl")) => "-musl",
            _ => "",
        };
        format!("{}-{}{abi}", self.os, self.cpu)
    }
}

impl Node {
    /// What `GATEWRIGHT_NODE` names, otherwise `node`.
    pub(crate) fn find() -> Result<Self> {
        let named = std::env::var_os("GATEWRIGHT_NODE");
        let program = named.clone().unwrap_or_else(|| "node".into());
        let found = Self::ask(Path::new(&program)).map_err(|error| {
            if named.is_some() {
                format!("GATEWRIGHT_NODE: {error}")
            } else {
                format!("{error}; install Node {OLDEST} or newer, or name it in GATEWRIGHT_NODE")
            }
        })?;
        let major = found.version.split('.').next().and_then(|n| n.parse().ok());
        if major.is_none_or(|major: u64| major < OLDEST) {
            return Err(format!(
                "{} is Node {}; {OLDEST} or newer is needed",
                found.path.display(),
                found.version
            )
            .into());
        }
        quietly(found.npm().arg("--version")).map_err(|error| {
            format!("{error}; npm comes with Node, but Debian has it in a package of its own: apt-get install npm")
        })?;
        Ok(found)
    }

    fn ask(program: &Path) -> Result<Self> {
        let said = answer(Command::new(program).args(["-p", ABOUT]))?;
        Self::read(&said)
            .ok_or_else(|| format!("{} is no Node: it said {said:?}", program.display()).into())
    }

    fn read(said: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(said).ok()?;
        let text = |key: &str| said.get(key)?.as_str().map(str::to_owned);
        let os = text("os")?;
        let libc = match (os.as_str(), said.get("glibc")?.as_bool()?) {
            ("linux", true) => Some("glibc"),
            ("linux", false) => Some("musl"),
            _ => None,
        };
        Some(Self {
            path: text("path")?.into(),
            version: text("version")?,
            platform: Platform {
                os,
                cpu: text("cpu")?,
                libc,
            },
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Node as a command, as a user has it who has set nothing.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        self.prepare(&mut command);
        command
    }

    /// npm as a command. It says nothing unless something is wrong.
    pub(crate) fn npm(&self) -> Command {
        let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let beside = self.path.with_file_name(name);
        let mut command = Command::new(if beside.is_file() {
            beside
        } else {
            name.into()
        });
        self.prepare(&mut command);
        command
            .env("npm_config_loglevel", "error")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false");
        command
    }

    fn prepare(&self, command: &mut Command) {
        let mut path: Vec<PathBuf> = self.path.parent().map(Path::to_owned).into_iter().collect();
        path.extend(
            std::env::var_os("PATH")
                .iter()
                .flat_map(std::env::split_paths),
        );
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_PATH");
    }
}

/// The tools that build and check the JavaScript packages, as `xtask/node-tools` pins them.
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Installed anew only when what is pinned has changed.
    pub(crate) fn install(workspace: &Workspace, node: &Node) -> Result<Self> {
        let pinned = workspace.root.join("xtask/node-tools");
        let folder = workspace.scratch("node-tools");
        let stamp_file = folder.join("made-of");
        let lock = fs::read_to_string(pinned.join("package-lock.json"))?;
        // Some of them are programs of the platform.
        let stamp = format!("{}\n{lock}", node.platform.name());
        if fs::read_to_string(&stamp_file).is_ok_and(|made_of| made_of == stamp) {
            return Ok(Self { folder });
        }
        fs::create_dir_all(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(name), folder.join(name))?;
        }
        quietly(
            node.npm()
                .args(["ci", "--ignore-scripts"])
                .current_dir(&folder),
        )?;
        fs::write(stamp_file, stamp)?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells a script where they are: its `NODE_TOOLS`.
    pub(crate) fn known_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("NODE_TOOLS", &self.folder)
    }

    /// The packages.
    pub(crate) fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    /// A tool that is a Node script, as a command: `typescript/bin/tsc`.
    pub(crate) fn script(&self, node: &Node, path: &str) -> Command {
        let mut command = node.command();
        command.arg(self.modules().join(path));
        command
    }

    /// TypeScript's compiler; it writes nothing but errors.
    pub(crate) fn tsc(&self, node: &Node) -> Command {
        let mut command = self.script(node, "typescript/bin/tsc");
        command.args(["--noEmit", "--pretty", "false"]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(os: &str, glibc: bool) -> String {
        let said = format!(
            r#"{{"version":"22.1.0","path":"/usr/bin/node","os":"{os}","cpu":"arm64","glibc":{glibc}}}"#
        );
        Node::read(&said).unwrap().platform.name()
    }

    #[test]
    fn platforms_have_the_names_that_the_loader_looks_for() {
        assert_eq!(platform("linux", true), "linux-arm64-gnu");
        assert_eq!(platform("linux", false), "linux-arm64-musl");
        assert_eq!(platform("darwin", false), "darwin-arm64");
        assert_eq!(platform("win32", false), "win32-arm64-msvc");
    }

    #[test]
    fn what_is_no_node_is_none() {
        assert_eq!(Node::read("undefined"), None);
        assert_eq!(Node::read(r#"{"version":"22.1.0"}"#), None);
    }
}
