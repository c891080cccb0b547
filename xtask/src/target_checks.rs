//! The native library must compile for phones. There is no SDK of theirs for the tests, and none is needed to check Rust;
//! but some crates compile C and assembly on the way, which clang does with stand-ins for the SDKs' headers
//! (`xtask/stand-in-headers`). Linking is left to `.github/workflows`, where the SDKs are.

use std::path::Path;
use std::process::Command;

use crate::mobile_library::CRATE;
use crate::process::{answer, in_short, quietly};
use crate::report::Report;
use crate::wasm::missing_target;
use crate::workspace::Workspace;
use crate::{Result, clang};

/// A kind of phone.
struct Target {
    name: &'static str,
    /// As the NDK names it for clang, where that differs.
    clang: Option<&'static str>,
}

const TARGETS: &[Target] = &[
    Target {
        name: "aarch64-apple-ios",
        clang: None,
    },
    Target {
        name: "aarch64-apple-ios-sim",
        clang: None,
    },
    Target {
        name: "aarch64-linux-android",
        clang: Some("aarch64-linux-android24"),
    },
    Target {
        name: "armv7-linux-androideabi",
        clang: Some("armv7a-linux-androideabi24"),
    },
    Target {
        name: "x86_64-linux-android",
        clang: Some("x86_64-linux-android24"),
    },
];

/// The oldest iOS, as in the Swift package.
const IOS: &str = "16.0";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let clang = match clang::find_or_install() {
        Ok(clang) => clang,
        Err(why) => {
            return report.skip(&format!("check {CRATE} for phones"), &why.to_string());
        }
    };
    for target in TARGETS {
        let name = format!("check {CRATE} for {}", target.name);
        let standard_library = match StandardLibrary::find_or_install(report, target.name) {
            Ok(found) => found,
            Err(why) => {
                report.skip(&name, &why.to_string());
                continue;
            }
        };
        let mut check = workspace.cargo("check");
        check.args(["--quiet", "--package", CRATE, "--target", target.name]);
        target.prepare(workspace, &clang, &mut check);
        let name = match standard_library {
            StandardLibrary::Compiled => name,
            StandardLibrary::Source => {
                check.args(["-Z", "build-std=std,panic_abort"]);
                // Nothing of what it builds runs for long.
                check.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
                // The compiler is asked for what it has for others only. What it then builds is kept apart: some crates
                // look at this variable, and would be built anew for all other steps.
                check
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_DIR", workspace.scratch("from-source"));
                format!("{name}, with the standard library from its source")
            }
        };
        report.check(&name, &mut check);
    }
}

impl Target {
    /// Has C compiled by clang with the stand-ins. Apple's tools are not asked for anything.
    fn prepare(&self, workspace: &Workspace, clang: &Path, command: &mut Command) {
        let headers = workspace.root.join("xtask/stand-in-headers");
        let name = self.name.replace('-', "_");
        let mut flags = format!("-nostdlibinc -isystem {}", headers.display());
        if let Some(target) = self.clang {
            flags.push_str(&format!(" --target={target}"));
        }
        command
            .env(format!("CC_{name}"), clang)
            // An archive that is never linked may be any archiver's.
            .env(format!("AR_{name}"), "ar")
            .env(format!("CFLAGS_{name}"), flags)
            .env("SDKROOT", &headers)
            .env("IPHONEOS_DEPLOYMENT_TARGET", IOS);
    }
}

/// How the standard library of a target is had.
enum StandardLibrary {
    Compiled,
    /// Where rustup has none for the target, the compiler checks it too.
    Source,
}

impl StandardLibrary {
    fn find_or_install(report: &Report, target: &str) -> Result<Self> {
        let Some(mut add) = missing_target(target) else {
            return Ok(Self::Compiled);
        };
        report.note(&format!("{target} is not installed: {}", in_short(&add)));
        let Err(why) = quietly(&mut add) else {
            return Ok(Self::Compiled);
        };
        let why = first_error(&why.to_string());
        report.note(&format!("{why}; its source is taken"));
        let sysroot = answer(Command::new("rustc").args(["--print", "sysroot"]))?;
        let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/src/lib.rs");
        if !source.is_file() {
            let mut add = Command::new("rustup");
            quietly(add.args(["component", "add", "rust-src"]))?;
        }
        Ok(Self::Source)
    }
}

/// Of what rustup says, the one line that tells why.
fn first_error(said: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("error: "));
    let line = line.or(said.lines().last()).unwrap_or(said);
    // Which file it was, and where it was looked for, is of no use to the reader.
    line.split(": could not download")
        .next()
        .unwrap_or(line)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_rustup_says_the_reason_is_shown() {
        let said = "info: downloading\nerror: component download failed for rust-std-x: could not download file from 'u'\nCaused by\n";
        assert_eq!(
            first_error(said),
            "error: component download failed for rust-std-x"
        );
        assert_eq!(first_error("rustup cannot be run"), "rustup cannot be run");
    }
}
