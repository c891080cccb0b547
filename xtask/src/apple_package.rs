//! The native library for Apple platforms: an XCFramework with a static library for phones, one for simulators and one for
//! Macs. It is made on a Mac with Xcode, by `.github/workflows/swift.yml`; everywhere else its commands are only tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::mobile_library::{CRATE, PROFILE};
use crate::npm_package::make_empty;
use crate::process::{answer, run};
use crate::workspace::Workspace;

pub(crate) const NAME: &str = "GatewrightFFI.xcframework";
const ARCHIVE: &str = "libgatewright_mobile.a";

/// What `Package.swift` says of it, and what is put in its place for a release, where it is downloaded.
const BY_PATH: &str = "path: \"GatewrightFFI.xcframework\"";

/// A part of it: several processors share a library.
struct Slice {
    name: &'static str,
    targets: &'static [&'static str],
}

const SLICES: &[Slice] = &[
    Slice {
        name: "ios",
        targets: &["aarch64-apple-ios"],
    },
    Slice {
        name: "ios-simulator",
        targets: &["aarch64-apple-ios-sim", "x86_64-apple-ios"],
    },
    Slice {
        name: "macos",
        targets: &["aarch64-apple-darwin", "x86_64-apple-darwin"],
    },
];

/// Builds it, with the C module that `generated` has, and tells where it is.
pub(crate) fn build(workspace: &Workspace, generated: &Path, shown: bool) -> Result<PathBuf> {
    let scratch = workspace.scratch("apple");
    make_empty(&scratch)?;
    for target in SLICES.iter().flat_map(|slice| slice.targets) {
        if let Some(mut add) = crate::wasm::missing_target(target) {
            run(&mut add, shown)?;
        }
        run(&mut compile(workspace, target), shown)?;
    }
    // In a folder of the module's name: two frameworks' module maps in one folder would be in each other's way.
    let headers = scratch.join("headers").join("GatewrightFFI");
    fs::create_dir_all(&headers)?;
    for name in ["GatewrightFFI.h", "module.modulemap"] {
        fs::copy(generated.join(name), headers.join(name))?;
    }
    for slice in SLICES {
        fs::create_dir_all(scratch.join(slice.name))?;
        run(&mut slice.merge(workspace, &scratch), shown)?;
    }
    let framework = scratch.join(NAME);
    run(&mut assemble(&scratch, &framework), shown)?;
    Ok(framework)
}

/// Zips it for a release, and tells the zip and the checksum by which a package names it.
pub(crate) fn zip(framework: &Path) -> Result<(PathBuf, String)> {
    let zip = framework.with_extension("xcframework.zip");
    let mut ditto = Command::new("ditto");
    ditto
        .args(["-c", "-k", "--sequesterRsrc", "--keepParent"])
        .arg(framework)
        .arg(&zip);
    run(&mut ditto, false)?;
    let mut checksum = Command::new("swift");
    let checksum = answer(checksum.args(["package", "compute-checksum"]).arg(&zip))?;
    Ok((zip, checksum))
}

/// `Package.swift` for a release, which downloads the framework.
pub(crate) fn by_url(manifest: &str, url: &str, checksum: &str) -> Result<String> {
    if manifest.matches(BY_PATH).count() != 1 {
        return Err(format!("Package.swift should have one {BY_PATH}").into());
    }
    Ok(manifest.replace(
        BY_PATH,
        &format!("url: \"{url}\", checksum: \"{checksum}\""),
    ))
}

fn compile(workspace: &Workspace, target: &str) -> Command {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["--profile", PROFILE, "--package", CRATE]);
    cargo.args(["--target", target]);
    cargo.args(["--lib", "--crate-type", "staticlib"]);
    // The oldest systems, as `Package.swift` has them.
    cargo
        .env("IPHONEOS_DEPLOYMENT_TARGET", "16.0")
        .env("MACOSX_DEPLOYMENT_TARGET", "13.0");
    cargo
}

impl Slice {
    fn library(&self, scratch: &Path) -> PathBuf {
        scratch.join(self.name).join(ARCHIVE)
    }

    fn merge(&self, workspace: &Workspace, scratch: &Path) -> Command {
        let mut lipo = Command::new("lipo");
        lipo.arg("-create");
        for target in self.targets {
            lipo.arg(workspace.target.join(target).join(PROFILE).join(ARCHIVE));
        }
        lipo.arg("-output").arg(self.library(scratch));
        lipo
    }
}

fn assemble(scratch: &Path, framework: &Path) -> Command {
    let mut xcodebuild = Command::new("xcodebuild");
    xcodebuild.arg("-create-xcframework");
    for slice in SLICES {
        xcodebuild
            .arg("-library")
            .arg(slice.library(scratch))
            .arg("-headers")
            .arg(scratch.join("headers"));
    }
    xcodebuild.arg("-output").arg(framework);
    xcodebuild
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_device_has_one_library_and_the_headers() {
        let command = assemble(Path::new("/s"), Path::new("/s/F.xcframework"));
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let wanted = "-create-xcframework \
            -library /s/ios/libgatewright_mobile.a -headers /s/headers \
            -library /s/ios-simulator/libgatewright_mobile.a -headers /s/headers \
            -library /s/macos/libgatewright_mobile.a -headers /s/headers \
            -output /s/F.xcframework";
        assert_eq!(words.join(" "), wanted);
    }

    #[test]
    fn processors_of_one_kind_of_device_share_a_library() {
        let workspace = Workspace {
            root: "/w".into(),
            target: "/t".into(),
            crates: Vec::new(),
        };
        let [_, simulator, _] = SLICES else {
            panic!("not three")
        };
        let command = simulator.merge(&workspace, Path::new("/s"));
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let wanted = "-create /t/aarch64-apple-ios-sim/mobile/libgatewright_mobile.a \
            /t/x86_64-apple-ios/mobile/libgatewright_mobile.a -output /s/ios-simulator/libgatewright_mobile.a";
        assert_eq!(words.join(" "), wanted);
    }

    #[test]
    fn a_released_package_downloads_the_framework() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest =
            fs::read_to_string(root.join("bindings-mobile/swift/Package.swift")).unwrap();
        let released = by_url(&manifest, "https://example.com/F.zip", "c0ffee").unwrap();
        assert!(released.contains(
            ".binaryTarget(name: \"GatewrightFFI\", url: \"https://example.com/F.zip\", checksum: \"c0ffee\")"
        ));
        assert!(by_url("let package = 1", "u", "c").is_err());
    }
}
