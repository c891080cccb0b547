//! A fresh npm project outside of the repository, with the packages installed from their tarballs, as a user has it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use crate::Result;
use crate::node::{Node, Tools};
use crate::node_package::{self, NodePackage};
use crate::npm_package::{copy_folder, make_empty};
use crate::process::quietly;
use crate::web_package;
use crate::workspace::Workspace;

/// Node and its tools, found once for a task.
pub(crate) struct Kit {
    pub(crate) node: Node,
    pub(crate) tools: Tools,
}

impl Kit {
    pub(crate) fn find(workspace: &Workspace) -> Result<Self> {
        let node = Node::find()?;
        let tools = Tools::install(workspace, &node).map_err(|error| {
            format!("{error}\nthe tools in xtask/node-tools were not installed")
        })?;
        Ok(Self { node, tools })
    }
}

/// The tarballs of all npm packages.
pub(crate) struct Packages {
    pub(crate) node: NodePackage,
    pub(crate) web: PathBuf,
}

impl Packages {
    pub(crate) fn build(workspace: &Workspace, kit: &Kit, shown: bool) -> Result<Self> {
        Ok(Self {
            node: node_package::build(workspace, &kit.node, &kit.tools, shown)?,
            web: web_package::build(workspace, &kit.node, &kit.tools, shown)?,
        })
    }

    /// What has to be installed together.
    pub(crate) fn all(&self) -> [&Path; 3] {
        [&self.node.main, &self.node.platform, &self.web]
    }
}

/// The project. It is deleted when this goes away.
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    /// An empty project in which nothing but these tarballs is installed. Nothing is asked of the network.
    pub(crate) fn fresh(
        workspace: &Workspace,
        node: &Node,
        name: &str,
        tarballs: &[&Path],
    ) -> Result<Self> {
        let folder = temporary(workspace).join(name);
        make_empty(&folder)?;
        let project = Self {
            folder: folder.canonicalize()?,
        };
        fs::write(
            project.folder.join("package.json"),
            format!("{{ \"name\": \"a-{name}-project\", \"private\": true }}\n"),
        )?;
        let mut npm = node.npm();
        npm.args(["install", "--offline", "--ignore-scripts"])
            .args(tarballs)
            .current_dir(&project.folder);
        quietly(&mut npm)?;
        Ok(project)
    }

    /// A project with what a folder's `package.json` and `package-lock.json` name, and these tarballs beside it. Needs the network, or npm's
    /// cache.
    pub(crate) fn pinned(
        workspace: &Workspace,
        node: &Node,
        name: &str,
        pinned: &Path,
        tarballs: &[&Path],
    ) -> Result<Self> {
        let folder = temporary(workspace).join(name);
        make_empty(&folder)?;
        let project = Self {
            folder: folder.canonicalize()?,
        };
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(file), project.folder.join(file))?;
        }
        // Not `ci`: it wants every platform's optional packages in the lock, and these are left out.
        let mut npm = node.npm();
        npm.args([
            "install",
            "--ignore-scripts",
            "--omit=optional",
            "--prefer-offline",
            "--no-save",
        ]);
        quietly(npm.args(tarballs).current_dir(&project.folder))?;
        Ok(project)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies a folder of the repository into the project, so that what it imports is what is installed.
    pub(crate) fn take(&self, from: &Path, name: &str) -> Result<PathBuf> {
        let to = self.folder.join(name);
        copy_folder(from, &to, &|name| name != "node_modules")?;
        Ok(to)
    }
}

/// A folder for projects outside of the repository, this workspace's own: in the repository, what is not installed would be
/// looked for in its folders too.
pub(crate) fn temporary(workspace: &Workspace) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    workspace.target.hash(&mut hasher);
    let mine = format!("gatewright-{:08x}", hasher.finish() & 0xffff_ffff);
    std::env::temp_dir().join(mine)
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
