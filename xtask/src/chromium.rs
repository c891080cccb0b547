//! A Chromium for the tests of the web package: one that is there, or Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{answer, quietly};

/// Under these names it is looked for.
const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The variable that names it, for these tasks and for the tests.
pub(crate) const VARIABLE: &str = "GATEWRIGHT_CHROMIUM";

/// What `GATEWRIGHT_CHROMIUM` names, or one on the path; where there is none, it is installed if that can be done.
/// An error says what to do.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(named)
        } else {
            Err(format!("{VARIABLE}: there is no {}", named.display()).into())
        };
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let nothing = "no Chromium was found";
    if !may_install() {
        return Err(format!(
            "{nothing}: install one (on Debian: apt-get install chromium), or name it in {VARIABLE}"
        )
        .into());
    }
    println!("   note: {nothing}: apt-get install chromium");
    for arguments in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends", "chromium"],
    ] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        quietly(&mut apt).map_err(|error| {
            format!("{error}\n{nothing} and could not be installed; name one in {VARIABLE}")
        })?;
    }
    on_path().ok_or_else(|| format!("{nothing}, even after its package was installed").into())
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// On Debian and its kin, and only as root.
fn may_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file()
        && answer(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}
