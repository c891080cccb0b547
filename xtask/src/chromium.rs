//! A Chromium for the tests of the web package: one that is there, or Debian's.

use std::path::PathBuf;

use crate::Result;
use crate::apt::{install, may_install, on_path};

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
    if let Some(found) = on_path(NAMES) {
        return Ok(found);
    }
    let nothing = "no Chromium was found";
    if !may_install() {
        return Err(format!(
            "{nothing}: install one (on Debian: apt-get install chromium), or name it in {VARIABLE}"
        )
        .into());
    }
    install(nothing, &["chromium"]).map_err(|error| format!("{error}; name one in {VARIABLE}"))?;
    on_path(NAMES).ok_or_else(|| format!("{nothing}, even after its package was installed").into())
}
