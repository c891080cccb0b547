//! The Swift package `Gatewright`: its sources, what is generated from the native library, and the library itself, which is
//! an archive on Linux and an XCFramework on a Mac.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mirror::Mirror;
use crate::mobile_library::MobileLibrary;
use crate::npm_package::{VERSION, make_empty};
use crate::process::quietly;
use crate::workspace::Workspace;
use crate::{Result, apple_package};

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
        if cfg!(target_os = "macos") {
            let framework = apple_package::build(workspace, &generated, shown)?;
            mirror.take(&framework, apple_package::NAME, &|_| true)?;
        } else {
            mirror.file(&library.archive, "Libraries/libgatewright_mobile.a");
        }
        mirror.into(&folder)?;
        Ok(Self { folder, library })
    }

    /// For a release: the XCFramework as a zip that will be found at `url`, and the `Package.swift` that downloads it.
    pub(crate) fn release(&self, url: &str) -> Result<[PathBuf; 2]> {
        let framework = self.folder.join(apple_package::NAME);
        if !framework.is_dir() {
            return Err("a package for Apple platforms is made on a Mac".into());
        }
        let (zip, checksum) = apple_package::zip(&framework)?;
        let manifest = fs::read_to_string(self.folder.join("Package.swift"))?;
        let released = self.folder.with_file_name("Package.swift");
        fs::write(&released, apple_package::by_url(&manifest, url, &checksum)?)?;
        Ok([zip, released])
    }

    /// Packs it, and tells where the archive is.
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
    mirror.file(
        &generated.join("GatewrightNative.swift"),
        "Sources/GatewrightNative/GatewrightNative.swift",
    );
    let module = ["GatewrightFFI.h", "module.modulemap"];
    // On a Mac the framework has it.
    for name in module.iter().filter(|_| !cfg!(target_os = "macos")) {
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
