//! clang, which compiles C for every target: one that is there, or Debian's.

use std::path::PathBuf;

use crate::Result;
use crate::apt::{install, may_install, on_path};

/// clang with its linker; where they are missing, they are installed if that can be done. An error says what to do.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    let found = || on_path(&["clang"]).filter(|_| on_path(&["ld.lld"]).is_some());
    if let Some(found) = found() {
        return Ok(found);
    }
    let nothing = "no clang with lld was found";
    if !may_install() {
        return Err(
            format!("{nothing}: install them (on Debian: apt-get install clang lld)").into(),
        );
    }
    install(nothing, &["clang", "lld"])?;
    found().ok_or_else(|| format!("{nothing}, even after their packages were installed").into())
}
