//! What the native library under the Swift and Kotlin packages weighs, for this machine, stripped.

use std::fs;

use crate::Result;
use crate::mobile_library::{CRATE, PROFILE, shared_name};
use crate::process::quietly;
use crate::workspace::Workspace;

/// For whom each profile is.
const PROFILES: &[(&str, &str)] = &[("release", "servers, desktops"), (PROFILE, "phones")];

/// Builds it both ways, and prints the table.
pub(super) fn print(workspace: &Workspace) -> Result<()> {
    println!("| {} | for | bytes |\n|---|---|---:|", shared_name());
    for (profile, whom) in PROFILES {
        let mut cargo = workspace.cargo("build");
        quietly(cargo.args(["--profile", profile, "--package", CRATE]))?;
        let library = workspace.target.join(profile).join(shared_name());
        let bytes = fs::metadata(library)?.len();
        println!("| `{profile}` | {whom} | {bytes} |");
    }
    println!("\nWhat takes the space is in docs/decisions/0011-mobile-size.md.");
    Ok(())
}
