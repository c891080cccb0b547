//! Where things are: the repository, its crates, and the folder builds go to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;

/// The repository as cargo sees it.
pub(crate) struct Workspace {
    /// The repository's folder.
    pub(crate) root: PathBuf,
    /// Where cargo builds; follows `CARGO_TARGET_DIR` and cargo's settings.
    pub(crate) target: PathBuf,
    /// All crates, in the order of `Cargo.toml`.
    pub(crate) crates: Vec<Crate>,
}

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// It has features beside `default`, so it must build without and with all of them.
    pub(crate) has_features: bool,
    /// It has a target that `cargo doc` documents.
    pub(crate) has_docs: bool,
    /// It has a target that `cargo test` runs.
    pub(crate) has_tests: bool,
    /// The names of its binaries.
    pub(crate) binaries: Vec<String>,
    /// The names of its examples.
    pub(crate) examples: Vec<String>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // What cargo says as it runs this, first: a build kept outside of the clone may have been made in another one.
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let output = Command::new(cargo_program())
            .args([
                "metadata",
                "--no-deps",
                "--format-version",
                "1",
                "--manifest-path",
            ])
            .arg(here.join("Cargo.toml"))
            .output()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "cargo metadata failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        Self::read(&output.stdout)
    }

    fn read(metadata: &[u8]) -> Result<Self> {
        let metadata: Value = serde_json::from_slice(metadata)?;
        let folder = |key: &str| {
            let path = metadata.get(key).and_then(Value::as_str);
            path.map(PathBuf::from)
                .ok_or(format!("cargo metadata has no {key}"))
        };
        let packages = metadata.get("packages").and_then(Value::as_array);
        let crates = packages
            .into_iter()
            .flatten()
            .filter_map(Crate::read)
            .collect();
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            crates,
        })
    }

    /// A folder of xtask's own among what is built: venvs, wheels, logs.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }

    /// A program that cargo built.
    pub(crate) fn built(&self, profile: &str, name: &str) -> PathBuf {
        let folder = if profile == "dev" { "debug" } else { profile };
        self.target
            .join(folder)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A cargo command in the repository.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(cargo_program());
        command.arg(subcommand);
        self.prepare_build(&mut command);
        command
    }

    /// Makes a command that builds do so as if the user had typed it in the repository.
    pub(crate) fn prepare_build(&self, command: &mut Command) {
        command.current_dir(&self.root);
        // Where it was given as a relative path it was relative to the user's folder, not to the repository.
        command.env("CARGO_TARGET_DIR", &self.target);
        // What `cargo run` tells this program of itself. Some build scripts look at it, and would build anew for it.
        for (name, _) in std::env::vars_os()
            .filter(|(name, _)| is_of_the_running_package(&name.to_string_lossy()))
        {
            command.env_remove(name);
        }
    }

    /// Waits until no other xtask works in the same target folder. Holds as long as the answer lives.
    pub(crate) fn lock(&self) -> Result<File> {
        let folder = self.target.join("xtask");
        fs::create_dir_all(&folder)?;
        let file = File::create(folder.join("lock"))?;
        if file.try_lock().is_err() {
            eprintln!(
                "another xtask works in {}: waiting for it",
                self.target.display()
            );
            file.lock()?;
        }
        Ok(file)
    }
}

impl Crate {
    fn read(package: &Value) -> Option<Self> {
        let targets = package.get("targets")?.as_array()?;
        let of_kind = |kind: &str| -> Vec<String> {
            let is_kind = |target: &&Value| {
                let kinds = target.get("kind").and_then(Value::as_array);
                kinds.is_some_and(|kinds| kinds.iter().any(|k| k.as_str() == Some(kind)))
            };
            let names = targets
                .iter()
                .filter(is_kind)
                .filter_map(|target| target.get("name")?.as_str());
            names.map(str::to_owned).collect()
        };
        let any_is = |key: &str| {
            targets
                .iter()
                .any(|target| target.get(key).and_then(Value::as_bool) == Some(true))
        };
        let features = package.get("features")?.as_object()?;
        Some(Self {
            name: package.get("name")?.as_str()?.to_owned(),
            folder: Path::new(package.get("manifest_path")?.as_str()?)
                .parent()?
                .to_owned(),
            has_features: features.keys().any(|name| name != "default"),
            has_docs: any_is("doc"),
            has_tests: any_is("test") || any_is("doctest"),
            binaries: of_kind("bin"),
            examples: of_kind("example"),
        })
    }
}

fn is_of_the_running_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_")
        || variable.starts_with("CARGO_MANIFEST_")
        || matches!(
            variable,
            "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR"
        )
}

/// The cargo that runs this program, so that all use the same toolchain.
fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "workspace_root": "/w", "target_directory": "/t",
        "packages": [
            {"name": "gatewright", "manifest_path": "/w/core/Cargo.toml", "features": {"default": ["native"], "native": []},
             "targets": [{"name": "gatewright", "kind": ["lib"], "test": true, "doctest": true, "doc": true}]},
            {"name": "gateway", "manifest_path": "/w/server-mock/Cargo.toml", "features": {},
             "targets": [{"name": "gateway", "kind": ["bin"], "test": false}, {"name": "first_call", "kind": ["example"]}]}
        ]
    }"#;

    #[test]
    fn cargo_metadata_tells_folders_and_targets() {
        let workspace = Workspace::read(METADATA.as_bytes()).unwrap();
        assert_eq!(workspace.root, Path::new("/w"));
        assert_eq!(workspace.scratch("venv"), Path::new("/t/xtask/venv"));
        let [core, gateway] = workspace.crates.as_slice() else {
            panic!("not two")
        };
        assert_eq!(core.name, "gatewright");
        assert!(core.has_features && core.has_docs && core.has_tests && core.binaries.is_empty());
        assert_eq!(gateway.folder, Path::new("/w/server-mock"));
        assert!(!gateway.has_features && !gateway.has_docs && !gateway.has_tests);
        assert_eq!(
            (gateway.binaries.join(" "), gateway.examples.join(" ")),
            ("gateway".to_owned(), "first_call".to_owned())
        );
    }

    #[test]
    fn builds_are_not_told_which_package_runs_them() {
        assert!(
            [
                "CARGO_PKG_NAME",
                "CARGO_MANIFEST_DIR",
                "CARGO_MANIFEST_PATH"
            ]
            .into_iter()
            .all(is_of_the_running_package)
        );
        assert!(
            !["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO", "PATH"]
                .into_iter()
                .any(is_of_the_running_package)
        );
    }

    #[test]
    fn the_dev_profile_is_in_the_folder_debug() {
        let workspace = Workspace::read(METADATA.as_bytes()).unwrap();
        assert!(workspace.built("dev", "gateway").starts_with("/t/debug"));
        assert!(
            workspace
                .built("release", "gateway")
                .starts_with("/t/release")
        );
    }
}
