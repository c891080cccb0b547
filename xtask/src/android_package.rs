//! The Kotlin library for Android: an AAR with the classes of the jar and a native library for each ABI, and its POM. The
//! files it is laid out from are in `bindings-mobile/kotlin/android`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::elf::SharedLibrary;
use crate::kotlin_package::KotlinPackage;
use crate::maven::Maven;
use crate::mobile_library::{CRATE, PROFILE};
use crate::npm_package::{VERSION, make_empty};
use crate::process::{quietly, run};
use crate::workspace::Workspace;

const FOLDER: &str = "bindings-mobile/kotlin/android";
const LIBRARY: &str = "libgatewright_mobile.so";

/// The oldest Android it runs on, which `AndroidManifest.xml` has too.
const API_LEVEL: u32 = 24;

/// Devices of Android 15 and later may have pages of this size.
const PAGE: u64 = 16 * 1024;

/// What every Android has, of what a library of Rust may need.
const SYSTEM_LIBRARIES: &[&str] = &["libc.so", "libdl.so", "libm.so", "liblog.so"];

/// A kind of processor that Android runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Abi {
    /// As Android names it: `arm64-v8a`.
    pub(crate) name: String,
    /// As Rust names it: `aarch64-linux-android`.
    pub(crate) target: String,
}

impl Abi {
    /// Those of `abis.txt`: a line for each, `ABI TARGET`.
    pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Self>> {
        let path = workspace.root.join(FOLDER).join("abis.txt");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        Ok(lines.filter_map(Self::read).collect())
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Self {
            name: words.next()?,
            target: words.next()?,
        })
    }

    /// ELF's `e_machine`, and whether addresses have 64 bits.
    fn machine(&self) -> Option<(u16, bool)> {
        match self.name.as_str() {
            "arm64-v8a" => Some((183, true)),
            "armeabi-v7a" => Some((40, false)),
            "x86_64" => Some((62, true)),
            _ => None,
        }
    }

    /// The target of the NDK's compilers.
    pub(crate) fn clang_target(&self) -> String {
        let target = self.target.replace("armv7-", "armv7a-");
        format!("{target}{API_LEVEL}")
    }

    /// Whether Android can load it, and an app be published with it; if not, why.
    fn check(&self, library: &[u8]) -> Result<()> {
        let library = SharedLibrary::read(library)?;
        let (machine, wide) = self
            .machine()
            .ok_or_else(|| format!("{} is no ABI of Android", self.name))?;
        if library.machine != machine {
            let found = library.machine;
            return Err(format!("it is for machine {found} of ELF's, not for {machine}").into());
        }
        let is_of_system = |name: &&String| SYSTEM_LIBRARIES.contains(&name.as_str());
        if let Some(name) = library.needs.iter().find(|name| !is_of_system(name)) {
            return Err(format!("it needs {name}, which Android does not have").into());
        }
        if wide && let Some(small) = library.alignments.iter().find(|found| **found < PAGE) {
            return Err(format!(
                "a part of it is aligned to {small} bytes, and pages may be of {PAGE}"
            )
            .into());
        }
        if !library
            .symbols
            .iter()
            .any(|name| name.ends_with("JNI_OnLoad") || name.starts_with("Java_"))
        {
            return Err("it has nothing for Java to call".into());
        }
        Ok(())
    }
}

/// Builds the native library for each ABI with an NDK's compilers, into a folder as `--libs` takes it.
pub(crate) fn build_libraries(workspace: &Workspace, shown: bool) -> Result<PathBuf> {
    let ndk = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "ANDROID_NDK_LATEST_HOME"]
        .iter()
        .find_map(std::env::var_os)
        .ok_or(
            "no NDK was found: name one in ANDROID_NDK_HOME, or give the libraries with --libs DIR, each as DIR/ABI/libgatewright_mobile.so",
        )?;
    let folder = workspace.scratch("android/libs");
    make_empty(&folder)?;
    for abi in Abi::all(workspace)? {
        if let Some(mut add) = crate::wasm::missing_target(&abi.target) {
            run(&mut add, shown)?;
        }
        let mut cargo = workspace.cargo("rustc");
        cargo.args(["--profile", PROFILE, "--package", CRATE]);
        cargo.args(["--target", &abi.target]);
        // Without the archive, which nobody needs here.
        cargo.args(["--lib", "--crate-type", "cdylib"]);
        cargo.envs(ndk_environment(Path::new(&ndk), &abi));
        run(&mut cargo, shown)?;
        let built = workspace
            .target
            .join(&abi.target)
            .join(PROFILE)
            .join(LIBRARY);
        let to = folder.join(&abi.name);
        fs::create_dir_all(&to)?;
        fs::copy(built, to.join(LIBRARY))?;
    }
    Ok(folder)
}

/// Which compiler, archiver and linker an ABI has.
fn ndk_environment(ndk: &Path, abi: &Abi) -> Vec<(String, PathBuf)> {
    let host = if cfg!(target_os = "macos") {
        "darwin-x86_64"
    } else if cfg!(windows) {
        "windows-x86_64"
    } else {
        "linux-x86_64"
    };
    let bin = ndk.join("toolchains/llvm/prebuilt").join(host).join("bin");
    let clang = bin.join(format!("{}-clang", abi.clang_target()));
    let low = abi.target.replace('-', "_");
    let high = low.to_uppercase();
    vec![
        (format!("CC_{low}"), clang.clone()),
        (format!("AR_{low}"), bin.join("llvm-ar")),
        (format!("CARGO_TARGET_{high}_LINKER"), clang),
        // NDKs before r28 align to 4 KB unless told.
        (
            format!("CARGO_TARGET_{high}_RUSTFLAGS"),
            format!("-Clink-arg=-Wl,-z,max-page-size={PAGE}").into(),
        ),
    ]
}

/// Lays out the AAR of the jar and the libraries in a folder, and tells where it and its POM are.
pub(crate) fn pack(
    workspace: &Workspace,
    maven: &Maven,
    package: &KotlinPackage,
    libraries: &Path,
) -> Result<[PathBuf; 2]> {
    let scratch = workspace.scratch("android");
    let folder = scratch.join("aar");
    make_empty(&folder)?;
    let from = workspace.root.join(FOLDER);
    let copy = |name: &str, to: &str| -> Result<()> {
        let to = folder.join(to);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from.join(name), to).map_err(|error| format!("{FOLDER}/{name}: {error}"))?;
        Ok(())
    };
    copy("AndroidManifest.xml", "AndroidManifest.xml")?;
    copy("consumer-rules.pro", "proguard.txt")?;
    copy(
        "aar-metadata.properties",
        "META-INF/com/android/build/gradle/aar-metadata.properties",
    )?;
    // It has no resources, and says so.
    fs::write(folder.join("R.txt"), "")?;
    for abi in Abi::all(workspace)? {
        let path = libraries.join(&abi.name).join(LIBRARY);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        abi.check(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let to = folder.join("jni").join(&abi.name);
        fs::create_dir_all(&to)?;
        fs::write(to.join(LIBRARY), bytes)?;
    }
    classes(maven, package, &scratch, &folder.join("classes.jar"))?;
    let name = format!("gatewright-android-{VERSION}");
    let archive = scratch.join(format!("{name}.aar"));
    zip(maven, &folder, &archive)?;
    let pom = scratch.join(format!("{name}.pom"));
    fs::copy(from.join("gatewright-android.pom"), &pom)?;
    Ok([archive, pom])
}

/// What the libraries weigh: a line for each.
pub(crate) fn sizes(workspace: &Workspace, libraries: &Path) -> Result<Vec<String>> {
    let line = |abi: &Abi| -> Result<String> {
        let bytes = fs::metadata(libraries.join(&abi.name).join(LIBRARY))?.len();
        let size = crate::package::megabytes(bytes);
        Ok(format!("{size:>9}  {LIBRARY} for {}", abi.name))
    };
    Abi::all(workspace)?.iter().map(line).collect()
}

/// The jar without what only the JVM has use for: its native libraries, and rules that the AAR has by itself.
fn classes(maven: &Maven, package: &KotlinPackage, scratch: &Path, to: &Path) -> Result<()> {
    let folder = scratch.join("classes");
    make_empty(&folder)?;
    let mut extract = maven.jdk("jar");
    extract
        .current_dir(&folder)
        .arg("--extract")
        .arg("--file")
        .arg(package.jar());
    quietly(&mut extract)?;
    for only_jvm in ["dev/gatewright/native", "META-INF/proguard"] {
        let unwanted = folder.join(only_jvm);
        if unwanted.exists() {
            fs::remove_dir_all(unwanted)?;
        }
    }
    // Made anew with the archive.
    let manifest = folder.join("META-INF/MANIFEST.MF");
    if manifest.exists() {
        fs::remove_file(manifest)?;
    }
    zip(maven, &folder, to)
}

/// A zip of a folder, the same for the same content.
fn zip(maven: &Maven, folder: &Path, to: &Path) -> Result<()> {
    let mut jar: Command = maven.jdk("jar");
    jar.args(["--create", "--no-manifest", "--date=2026-01-01T00:00:00Z"])
        .arg("--file")
        .arg(to)
        .arg("-C")
        .arg(folder)
        .arg(".");
    quietly(&mut jar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abi(line: &str) -> Abi {
        Abi::read(line).unwrap()
    }

    #[test]
    fn each_abi_is_compiled_by_its_own_compiler_of_the_ndk() {
        let abi = abi("armeabi-v7a   armv7-linux-androideabi");
        let environment = ndk_environment(Path::new("/ndk"), &abi);
        let value = |name: &str| {
            let found = environment.iter().find(|(found, _)| found == name);
            found.map(|(_, value)| value.to_string_lossy().into_owned())
        };
        let linker = value("CARGO_TARGET_ARMV7_LINUX_ANDROIDEABI_LINKER").unwrap();
        assert!(linker.starts_with("/ndk/toolchains/llvm/prebuilt/"));
        assert!(linker.ends_with("/bin/armv7a-linux-androideabi24-clang"));
        assert_eq!(value("CC_armv7_linux_androideabi"), Some(linker));
        assert_eq!(
            value("CARGO_TARGET_ARMV7_LINUX_ANDROIDEABI_RUSTFLAGS").unwrap(),
            "-Clink-arg=-Wl,-z,max-page-size=16384"
        );
    }

    #[test]
    fn all_abis_are_known_and_have_the_manifests_oldest_android() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let workspace = Workspace {
            root: root.clone(),
            target: PathBuf::new(),
            crates: Vec::new(),
        };
        let abis = Abi::all(&workspace).unwrap();
        assert_eq!(abis.len(), 3);
        assert!(abis.iter().all(|abi| abi.machine().is_some()));
        let manifest = fs::read_to_string(root.join(FOLDER).join("AndroidManifest.xml")).unwrap();
        assert!(manifest.contains(&format!("android:minSdkVersion=\"{API_LEVEL}\"")));
    }
}
