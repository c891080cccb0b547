//! The npm packages of the gateway's program: `gatewright-gateway`, which finds it, and beside it one for each platform with
//! the program alone. npm installs the one that fits. `gatewright/testing` starts what they bring.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::gateway;
use crate::node::{Node, Platform};
use crate::npm_package::{Staged, VERSION, manifest_of};
use crate::process::run;
use crate::workspace::Workspace;

const PACKAGE: &str = "gatewright-gateway";

/// The tarballs.
pub(crate) struct GatewayPackages {
    main: PathBuf,
    /// For the platform of this machine.
    platform: PathBuf,
}

impl GatewayPackages {
    pub(crate) fn all(self) -> [PathBuf; 2] {
        [self.main, self.platform]
    }
}

/// Builds the program and packs both. A profile is cargo's: `release`, or `dev` where it is for a test.
pub(crate) fn build(
    workspace: &Workspace,
    node: &Node,
    profile: &str,
    shown: bool,
) -> Result<GatewayPackages> {
    let from = workspace.root.join("server-mock/npm");
    let name = platform_package(&manifest_of(&from)?, &node.platform)?;
    run(&mut gateway::build_command(workspace, profile), shown)?;
    let platform = pack_platform(
        workspace,
        node,
        &name,
        &gateway::program(workspace, profile),
    )?;
    let staged = Staged::new(workspace, node, PACKAGE)?;
    staged.take(&from)?;
    Ok(GatewayPackages {
        main: staged.pack()?,
        platform,
    })
}

/// The platforms there are packages for are those of which the main package knows.
fn platform_package(manifest: &Value, platform: &Platform) -> Result<String> {
    let name = format!("{PACKAGE}-{}", platform.name());
    let known = manifest
        .get("optionalDependencies")
        .and_then(Value::as_object);
    if known.is_some_and(|known| known.contains_key(&name)) {
        return Ok(name);
    }
    Err(format!("server-mock/npm/package.json knows no {name}").into())
}

fn pack_platform(
    workspace: &Workspace,
    node: &Node,
    package: &str,
    program: &Path,
) -> Result<PathBuf> {
    let staged = Staged::new(workspace, node, package)?;
    let file = format!("{PACKAGE}{}", std::env::consts::EXE_SUFFIX);
    fs::copy(program, staged.folder.join(&file))?;
    fs::write(
        staged.folder.join("package.json"),
        serde_json::to_string_pretty(&manifest(package, &node.platform, &file))?,
    )?;
    fs::write(
        staged.folder.join("README.md"),
        format!(
            "# {package}\n\nThe program of [gatewright-gateway]({}) for {}: it is installed with the package `{PACKAGE}`, not by itself.\n",
            env!("CARGO_PKG_REPOSITORY"),
            node.platform.name()
        ),
    )?;
    staged.pack()
}

fn manifest(package: &str, platform: &Platform, file: &str) -> Value {
    let mut manifest = serde_json::json!({
        "name": package,
        "version": VERSION,
        "description": format!("The program gatewright-gateway for {}", platform.name()),
        "license": env!("CARGO_PKG_LICENSE"),
        "repository": { "type": "git", "url": concat!("git+", env!("CARGO_PKG_REPOSITORY"), ".git") },
        "engines": { "node": ">=20" },
        "os": [platform.os],
        "cpu": [platform.cpu],
        "files": [file],
        // Package managers that keep packages in archives have to unpack a program.
        "preferUnplugged": true,
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
    fn this_platform_has_a_package() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server-mock/npm");
        let platform = Platform {
            os: "linux".to_owned(),
            cpu: "x64".to_owned(),
            libc: Some("glibc"),
        };
        let manifest = manifest_of(&root).unwrap();
        assert_eq!(
            platform_package(&manifest, &platform).unwrap(),
            "gatewright-gateway-linux-x64-gnu"
        );
    }
}
