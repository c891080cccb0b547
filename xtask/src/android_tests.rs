//! The AAR is laid out as Android's tools want it, and what Android could not load is refused. There is no NDK for the
//! tests: small libraries that clang links for each ABI stand in for the real ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::android_package::{Abi, pack};
use crate::kotlin_package::{KotlinPackage, list};
use crate::maven::Maven;
use crate::npm_package::make_empty;
use crate::process::{answer, quietly};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{Result, clang};

/// Every entry that is no class.
const ENTRIES: &[&str] = &[
    "AndroidManifest.xml",
    "META-INF/com/android/build/gradle/aar-metadata.properties",
    "R.txt",
    "classes.jar",
    "jni/arm64-v8a/libgatewright_mobile.so",
    "jni/armeabi-v7a/libgatewright_mobile.so",
    "jni/x86_64/libgatewright_mobile.so",
    "proguard.txt",
];

pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    maven: &Maven,
    package: &KotlinPackage,
) {
    let clang = match clang::find_or_install() {
        Ok(clang) => clang,
        Err(why) => return report.skip("the AAR", &why.to_string()),
    };
    let stand_ins = StandIns {
        workspace,
        clang,
        folder: workspace.scratch("android/stand-ins"),
    };
    let pack = |folder: &Path| pack(workspace, maven, package, folder);
    report.check_by("the AAR has what Android's tools want", || {
        let [archive, _] = pack(&stand_ins.link(&[])?)?;
        check_layout(workspace, maven, &archive)
    });
    report.check_by("a library for small pages is not packed", || {
        let small = stand_ins.link(&["-Wl,-z,max-page-size=4096"])?;
        refused(pack(&small), "a part of it is aligned to 4096 bytes")
    });
    report.check_by("a library for Linux is not packed for Android", || {
        let folder = stand_ins.link(&[])?;
        let to = folder.join("x86_64/libgatewright_mobile.so");
        fs::copy(&package.library.shared, to)?;
        let why = if cfg!(target_arch = "x86_64") {
            "which Android does not have"
        } else {
            "of ELF's, not for 62"
        };
        refused(pack(&folder), why)
    });
}

fn refused<T>(packed: Result<T>, why: &str) -> Result<()> {
    match packed {
        Ok(_) => Err("it was packed".into()),
        Err(error) if error.to_string().contains(why) => Ok(()),
        Err(error) => Err(format!("it was refused for another reason: {error}").into()),
    }
}

/// Small libraries in the place of the real ones.
struct StandIns<'a> {
    workspace: &'a Workspace,
    clang: PathBuf,
    folder: PathBuf,
}

impl StandIns<'_> {
    fn link(&self, flags: &[&str]) -> Result<PathBuf> {
        make_empty(&self.folder)?;
        let source = self.folder.join("stand-in.c");
        fs::write(&source, "int JNI_OnLoad(void) { return 0x00010006; }\n")?;
        for abi in Abi::all(self.workspace)? {
            let folder = self.folder.join(&abi.name);
            fs::create_dir_all(&folder)?;
            let mut link = Command::new(&self.clang);
            link.arg(format!("--target={}", abi.clang_target()))
                .args(["-shared", "-nostdlib", "-fuse-ld=lld"])
                .arg("-Wl,-z,max-page-size=16384")
                .args(flags)
                .arg(&source)
                .arg("-o")
                .arg(folder.join("libgatewright_mobile.so"));
            quietly(&mut link)?;
        }
        Ok(self.folder.clone())
    }
}

fn check_layout(workspace: &Workspace, maven: &Maven, archive: &Path) -> Result<()> {
    let mut entries = list(maven, archive)?;
    entries.retain(|entry| !entry.ends_with('/'));
    entries.sort();
    if entries != ENTRIES {
        return Err(format!("it has {entries:?}, not {ENTRIES:?}").into());
    }
    let folder = workspace.scratch("android/unpacked");
    make_empty(&folder)?;
    let mut extract = maven.jdk("jar");
    extract.current_dir(&folder).arg("--extract").arg("--file");
    answer(extract.arg(archive))?;
    let classes = list(maven, &folder.join("classes.jar"))?;
    let has = |name: &str| classes.iter().any(|class| class.starts_with(name));
    if !has("dev/gatewright/Client.class") {
        return Err("classes.jar has no dev.gatewright.Client".into());
    }
    if has("dev/gatewright/native/") || has("META-INF/proguard/") {
        return Err("classes.jar has what only the JVM has use for".into());
    }
    Ok(())
}
