//! The Swift package `Gatewright` as it is published for servers on Linux: its sources, what is generated from the native
//! library, and the library itself. For Apple platforms `.github/workflows/swift.yml` puts an XCFramework in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::mirror::Mirror;
use crate::mobile_library::MobileLibrary;
use crate::npm_package::{VERSION, make_empty};
use crate::process::quietly;
use crate::workspace::Workspace;

const FOLDER: &str = "bindings-mobile/swift";
const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// The package, staged among what is built.
pub(crate) struct SwiftPackage {
    pub(crate) folder: PathBuf,
    pub(crate) library: MobileLibrary,
}

impl SwiftPackage {
    /// Builds the native library and puts the package together. What did not change keeps its time, so that Swift builds
    /// only what did.
    pub(crate) fn stage(workspace: &Workspace, shown: bool) -> Result<Self> {
        let library = MobileLibrary::build(workspace, shown)?;
        let generated = workspace.scratch("swift/generated");
        library.generate_swift(workspace, &generated, shown)?;
        let folder = workspace.scratch("swift").join("Gatewright");
        let mut mirror = sources(workspace, &generated)?;
        mirror.file(&library.archive, "Libraries/libgatewright_mobile.a");
        mirror.into(&folder)?;
        Ok(Self { folder, library })
    }

    /// Packs it, without its tests, and tells where the archive is.
    pub(crate) fn pack(&self, workspace: &Workspace) -> Result<PathBuf> {
        let (os, cpu) = (std::env::consts::OS, std::env::consts::ARCH);
        let archive = workspace
            .scratch("swift")
            .join(format!("gatewright-swift-{VERSION}-{os}-{cpu}.tar.gz"));
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let mut tar = Command::new("tar");
        tar.args(["--create", "--gzip", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(parent)
            .arg("Gatewright");
        quietly(&mut tar)?;
        Ok(archive)
    }
}

/// Unpacks the archive as a user does, and tells where the package is.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<PathBuf> {
    make_empty(into)?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file"])
        .arg(archive)
        .arg("--directory")
        .arg(into);
    quietly(&mut tar)?;
    Ok(into.join("Gatewright"))
}

/// Everything but the library, which differs between platforms.
fn sources(workspace: &Workspace, generated: &Path) -> Result<Mirror> {
    let mut mirror = Mirror::default();
    let from = workspace.root.join(FOLDER);
    // What somebody built there by hand.
    mirror.take(&from, "", &|name| name != ".build" && name != "Libraries")?;
    for name in ["GatewrightNative.swift"] {
        mirror.file(
            &generated.join(name),
            &format!("Sources/GatewrightNative/{name}"),
        );
    }
    for name in ["GatewrightFFI.h", "module.modulemap"] {
        mirror.file(
            &generated.join(name),
            &format!("Sources/GatewrightFFI/{name}"),
        );
    }
    for licence in LICENCES {
        mirror.file(&workspace.root.join(licence), licence);
    }
    Ok(mirror)
}
