//! Programs that Debian has: installed where they are missing, if that may be done here, and said aloud.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{answer, quietly};

/// The first of these programs that is on the path.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// On Debian and its kin, and only as root.
pub(crate) fn may_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file() && is_root()
}

pub(crate) fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// Installs packages and says so. `nothing` tells what is missing, as in "no Chromium was found".
pub(crate) fn install(nothing: &str, packages: &[&str]) -> Result<()> {
    println!("   note: {nothing}: apt-get install {}", packages.join(" "));
    let install = ["install", "--yes", "--no-install-recommends"];
    for arguments in [&["update"][..], &[&install, packages].concat()] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        quietly(&mut apt)
            .map_err(|error| format!("{error}\n{nothing} and could not be installed"))?;
    }
    Ok(())
}
