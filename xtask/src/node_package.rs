//! The npm package `gatewright` and its addon: a package of JavaScript that is the same everywhere, and beside it one for
//! each platform with the addon alone. npm installs the one that fits; where none does, the WASM build steps in.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::node::{Node, Platform, Tools};
use crate::npm_package::{Staged, VERSION, manifest_of};
use crate::process::run;
use crate::workspace::Workspace;

const CRATE: &str = "gatewright-node";

/// The tarballs of the package.
pub(crate) struct NodePackage {
    pub(crate) main: PathBuf,
    /// For the platform of this machine.
    pub(crate) platform: PathBuf,
}

/// Builds the addon in release and the JavaScript around it, and packs both.
pub(crate) fn build(
    workspace: &Workspace,
    node: &Node,
    tools: &Tools,
    shown: bool,
) -> Result<NodePackage> {
    let from = workspace.root.join("bindings-node");
    let package = platform_package(&manifest_of(&from)?, &node.platform.name())?;
    let addon = build_addon(workspace, shown)?;
    let platform = pack_platform(workspace, node, &package, &addon)?;
    let mut script = node.command();
    script.arg(from.join("build.mjs"));
    run(tools.known_to(&mut script), shown)?;
    let staged = Staged::new(workspace, node, "gatewright")?;
    staged.take(&from)?;
    Ok(NodePackage {
        main: staged.pack()?,
        platform,
    })
}

fn build_addon(workspace: &Workspace, shown: bool) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--release", "--package", CRATE]);
    run(&mut cargo, shown)?;
    let name = format!(
        "{}gatewright_node{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    Ok(workspace.target.join("release").join(name))
}

/// The platforms there are packages for are those of which the main package knows.
fn platform_package(manifest: &Value, platform: &str) -> Result<String> {
    let known = manifest.get("optionalDependencies");
    let known = known
        .and_then(Value::as_object)
        .ok_or("the package names no platform packages")?;
    let name = format!("gatewright-{platform}");
    if known.contains_key(&name) {
        return Ok(name);
    }
    let known: Vec<&str> = known.keys().map(String::as_str).collect();
    Err(format!(
        "there is no package for {platform}; packages are: {}",
        known.join(" ")
    )
    .into())
}

fn pack_platform(
    workspace: &Workspace,
    node: &Node,
    package: &str,
    addon: &Path,
) -> Result<PathBuf> {
    let platform = &node.platform;
    let name = platform.name();
    let staged = Staged::new(workspace, node, package)?;
    fs::copy(addon, staged.folder.join(file_of(&name)))?;
    fs::write(
        staged.folder.join("package.json"),
        serde_json::to_string_pretty(&manifest(package, platform))?,
    )?;
    fs::write(
        staged.folder.join("README.md"),
        format!(
            "# {package}\n\nThe native part of [gatewright]({}) for {name}: it is installed with the package `gatewright`, not by itself.\n",
            env!("CARGO_PKG_REPOSITORY")
        ),
    )?;
    staged.pack()
}

fn file_of(platform: &str) -> String {
    format!("gatewright.{platform}.node")
}

fn manifest(package: &str, platform: &Platform) -> Value {
    let file = file_of(&platform.name());
    let mut manifest = serde_json::json!({
        "name": package,
        "version": VERSION,
        "description": format!("The native part of gatewright for {}", platform.name()),
        "license": env!("CARGO_PKG_LICENSE"),
        "repository": { "type": "git", "url": concat!("git+", env!("CARGO_PKG_REPOSITORY"), ".git") },
        "engines": { "node": ">=20" },
        "os": [platform.os],
        "cpu": [platform.cpu],
        "main": file,
        "files": [file],
    });
    if let (Some(libc), Some(members)) = (platform.libc, manifest.as_object_mut()) {
        members.insert("libc".to_owned(), serde_json::json!([libc]));
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_without_a_package_is_said_with_those_that_have_one() {
        let manifest =
            serde_json::json!({ "optionalDependencies": { "gatewright-darwin-x64": "1.0.0" } });
        assert_eq!(
            platform_package(&manifest, "darwin-x64").unwrap(),
            "gatewright-darwin-x64"
        );
        assert_eq!(
            platform_package(&manifest, "sunos-x64")
                .unwrap_err()
                .to_string(),
            "there is no package for sunos-x64; packages are: gatewright-darwin-x64"
        );
    }

    #[test]
    fn npm_installs_an_addon_only_where_it_fits() {
        let platform = Platform {
            os: "linux".to_owned(),
            cpu: "x64".to_owned(),
            libc: Some("musl"),
        };
        let manifest = manifest("gatewright-linux-x64-musl", &platform);
        assert_eq!(manifest["os"], serde_json::json!(["linux"]));
        assert_eq!(manifest["cpu"], serde_json::json!(["x64"]));
        assert_eq!(manifest["libc"], serde_json::json!(["musl"]));
        assert_eq!(manifest["main"], "gatewright.linux-x64-musl.node");
    }
}
