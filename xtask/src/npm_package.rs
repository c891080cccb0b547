//! Packing what npm publishes: a copy of a package's folder gets the workspace's version and licences, and is packed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::node::Node;
use crate::process::answer;
use crate::workspace::Workspace;

/// The version of all packages: they move in lockstep, and xtask with them.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// A package's folder among what is built, before it is packed.
pub(crate) struct Staged<'a> {
    workspace: &'a Workspace,
    node: &'a Node,
    name: String,
    pub(crate) folder: PathBuf,
}

impl<'a> Staged<'a> {
    /// An empty one, but for the licences.
    pub(crate) fn new(workspace: &'a Workspace, node: &'a Node, name: &str) -> Result<Self> {
        let folder = workspace.scratch("npm").join(name);
        make_empty(&folder)?;
        for licence in LICENCES {
            fs::copy(workspace.root.join(licence), folder.join(licence))?;
        }
        Ok(Self {
            workspace,
            node,
            name: name.to_owned(),
            folder,
        })
    }

    /// Takes over a package's folder; its `package.json` says what of it is packed.
    pub(crate) fn take(&self, folder: &Path) -> Result<()> {
        copy_folder(folder, &self.folder, &|name| name != "node_modules")?;
        check_versions(&manifest_of(folder)?)
            .map_err(|error| format!("{}: {error}", folder.join("package.json").display()).into())
    }

    /// Packs it and tells where the tarball is.
    pub(crate) fn pack(self) -> Result<PathBuf> {
        let out = self.workspace.scratch("npm");
        let mut npm = self.node.npm();
        npm.args(["pack", "--ignore-scripts", "--pack-destination"])
            .arg(&out)
            .current_dir(&self.folder);
        answer(&mut npm)?;
        let tarball = out.join(format!("{}-{VERSION}.tgz", self.name));
        if tarball.is_file() {
            Ok(tarball)
        } else {
            Err(format!("npm pack made no {}", tarball.display()).into())
        }
    }
}

/// A package's `package.json`.
pub(crate) fn manifest_of(folder: &Path) -> Result<Value> {
    let path = folder.join("package.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The package's own version, and those it wants of the other packages, must be the workspace's: it is one for all.
fn check_versions(manifest: &Value) -> Result<(), String> {
    let own = manifest.get("version").map(|version| ("version", version));
    let others = ["dependencies", "optionalDependencies", "peerDependencies"]
        .iter()
        .filter_map(|key| manifest.get(key)?.as_object())
        .flatten()
        .map(|(name, version)| (name.as_str(), version))
        .filter(|(name, _)| name.starts_with("gatewright"));
    let mut versions = own.into_iter().chain(others);
    match versions.find(|(_, version)| version.as_str() != Some(VERSION)) {
        None => Ok(()),
        Some((what, version)) => Err(format!(
            "{what} is {version}, and the workspace's version is {VERSION:?}"
        )),
    }
}

/// Makes a folder that is empty.
pub(crate) fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Copies what is in a folder, with all below it of which `is_wanted` the name.
pub(crate) fn copy_folder(from: &Path, to: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from)
        .map_err(|error| format!("{} cannot be read: {error}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if !is_wanted(&name.to_string_lossy()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(name), is_wanted)?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_packages_are_of_the_workspaces_version() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for name in ["bindings-node", "bindings-wasm", "server-mock/npm"] {
            let manifest = manifest_of(&root.join(name)).unwrap();
            assert_eq!(check_versions(&manifest), Ok(()), "{name}");
        }
        let cargo = fs::read_to_string(root.join(crate::wasm::MANIFEST)).unwrap();
        assert!(cargo.contains(&format!("\nversion = \"{VERSION}\"\n")));
    }

    #[test]
    fn a_package_that_was_left_behind_is_named() {
        let manifest = serde_json::json!({
            "version": VERSION,
            "dependencies": { "gatewright-web": "^0.0.1", "other": "3.0.0" },
        });
        assert_eq!(
            check_versions(&manifest),
            Err(format!(
                "gatewright-web is \"^0.0.1\", and the workspace's version is {VERSION:?}"
            ))
        );
    }
}
