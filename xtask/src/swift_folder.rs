//! A folder with a Debian of its own that has Swift, for machines whose own system has none. It is made once and kept
//! outside of the repository; programs run in it by `chroot`, with mounts that only they see (`xtask/swift-folder/enter.sh`).
//!
//! | State on disk | What it is | What is done |
//! |---|---|---|
//! | nothing | never made | made as `NAME.partial`, renamed when it is whole |
//! | `NAME.partial` | a run was ended while it made it | deleted, made anew |
//! | `NAME` with another list of packages in `made-of` | of an older version of these tasks | deleted, made anew |
//! | `NAME` | whole: it was renamed after its Swift had run | used |

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::apt;
use crate::process::quietly;

/// The Debian that has a Swift of 6.0.
const SUITE: &str = "trixie";
/// Swift, and what it compiles C with.
const PACKAGES: &[&str] = &["swiftlang", "libc6-dev", "libstdc++-14-dev"];
const ENTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/swift-folder/enter.sh");
const NOTHING: &str = "no Swift of 6.0 or newer was found";

/// The folder, whole.
pub(crate) struct SwiftFolder {
    path: PathBuf,
}

impl SwiftFolder {
    /// Makes it where it is not there yet, which takes a minute and 2 GB. An error says what to do instead.
    pub(crate) fn find_or_make() -> Result<Self> {
        let instead = "install it from swift.org";
        if !apt::is_root() {
            return Err(format!(
                "{NOTHING}: {instead}, or run this as root on Debian, where it is put into a folder of its own"
            )
            .into());
        }
        quietly(namespace().arg("true")).map_err(|error| {
            format!("{error}\n{NOTHING}, and this machine lets nobody mount: {instead}")
        })?;
        let cache = cache()?;
        fs::create_dir_all(&cache)?;
        // Builds into another target folder have another lock, and use the same folder.
        let lock = File::create(cache.join("swift.lock"))?;
        lock.lock()?;
        let folder = Self {
            path: cache.join("swift"),
        };
        if folder.is_whole() {
            return Ok(folder);
        }
        println!(
            "   note: {NOTHING}: making one of Debian {SUITE} in {} (a minute, 2 GB)",
            folder.path.display()
        );
        folder
            .make()
            .map_err(|error| format!("{error}\n{NOTHING}, and none could be made: {instead}"))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A command to which the program to run in the folder is added.
    pub(crate) fn enter(&self, workdir: &Path, shared: &[PathBuf]) -> Command {
        enter(&self.path, workdir, shared)
    }

    fn is_whole(&self) -> bool {
        fs::read_to_string(self.path.join("made-of")).is_ok_and(|made_of| made_of == made_of_now())
    }

    fn make(&self) -> Result<()> {
        if apt::on_path(&["debootstrap"]).is_none() {
            if !apt::may_install() {
                return Err("debootstrap was not found".into());
            }
            // Other systems than Debian do not have its keys.
            let packages = ["debootstrap", "debian-archive-keyring"];
            apt::install("debootstrap was not found", &packages)?;
        }
        let partial = self.path.with_extension("partial");
        for old in [&partial, &self.path] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        let inside = |words: &[&str]| {
            let mut command = enter(&partial, Path::new("/"), &[]);
            command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
            quietly(&mut command)
        };
        // It mounts too.
        let mut debootstrap = namespace();
        debootstrap
            .args([
                "debootstrap",
                "--variant=minbase",
                "--include=ca-certificates",
            ])
            .arg(SUITE)
            .arg(&partial);
        quietly(&mut debootstrap)?;
        inside(&["apt-get", "update"])?;
        let install = ["apt-get", "install", "--yes", "--no-install-recommends"];
        inside(&[&install, PACKAGES].concat())?;
        inside(&["apt-get", "clean"])?;
        inside(&["swift", "--version"])?;
        fs::write(partial.join("made-of"), made_of_now())?;
        Ok(fs::rename(&partial, &self.path)?)
    }
}

/// A command with mounts and processes of its own. It and all it started end when this program does: nothing goes on
/// writing into a folder that the next run makes anew.
fn namespace() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    command.args(["unshare", "--mount", "--propagation", "private"]);
    command.args(["--pid", "--fork", "--kill-child"]);
    command
}

fn enter(folder: &Path, workdir: &Path, shared: &[PathBuf]) -> Command {
    let mut command = namespace();
    command.args(["sh", ENTER]).arg(folder).arg(workdir);
    command.args(shared).arg("--");
    command
}

fn made_of_now() -> String {
    format!("{SUITE} {}\n", PACKAGES.join(" "))
}

/// What these tasks keep for all clones.
fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    cache_in(set("XDG_CACHE_HOME"), set("HOME"))
        .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is set".into())
}

fn cache_in(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let cache = cache.map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(home?).join(".cache")))?;
    Some(cache.join("gatewright"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_where_caches_are() {
        let at = |cache: Option<&str>, home: Option<&str>| {
            cache_in(cache.map(Into::into), home.map(Into::into))
        };
        assert_eq!(at(Some("/c"), Some("/h")), Some("/c/gatewright".into()));
        assert_eq!(at(None, Some("/h")), Some("/h/.cache/gatewright".into()));
        assert_eq!(at(None, None), None);
    }

    #[test]
    fn a_half_made_folder_and_one_of_other_packages_are_not_used() {
        let path = std::env::temp_dir().join(format!("gatewright-whole-{}", std::process::id()));
        let folder = SwiftFolder { path: path.clone() };
        fs::create_dir_all(&path).unwrap();
        assert!(!folder.is_whole());
        fs::write(path.join("made-of"), "bookworm swiftlang\n").unwrap();
        assert!(!folder.is_whole());
        fs::write(path.join("made-of"), made_of_now()).unwrap();
        assert!(folder.is_whole());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn programs_are_run_with_mounts_that_only_they_see() {
        let shared = [PathBuf::from("/work"), PathBuf::from("/t")];
        let command = enter(Path::new("/f"), Path::new("/work/a b"), &shared);
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let wanted =
            "--pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child sh";
        let wanted = wanted
            .split(' ')
            .chain([ENTER, "/f", "/work/a b", "/work", "/t", "--"]);
        let wanted: Vec<_> = wanted.collect();
        assert_eq!(words, wanted);
    }
}
