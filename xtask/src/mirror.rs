//! Makes a folder the same as others are, and touches nothing that is so already: what builds by the times of files then
//! builds only what changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// What a folder should have, by the path in it.
#[derive(Default)]
pub(crate) struct Mirror {
    files: BTreeMap<PathBuf, PathBuf>,
}

impl Mirror {
    /// Everything below `from` of which `is_wanted` the name, under `to`.
    pub(crate) fn take(
        &mut self,
        from: &Path,
        to: &str,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let mut found = Vec::new();
        list(from, is_wanted, &mut found)?;
        for path in found {
            let relative = path.strip_prefix(from)?.to_owned();
            self.files.insert(Path::new(to).join(relative), path);
        }
        Ok(())
    }

    /// One file, under a path.
    pub(crate) fn file(&mut self, from: &Path, to: &str) {
        self.files.insert(to.into(), from.to_owned());
    }

    /// Copies what differs into the folder, and deletes what should not be there.
    pub(crate) fn into(self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        for (relative, from) in &self.files {
            let to = folder.join(relative);
            let bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
            if fs::read(&to).is_ok_and(|there| there == bytes) {
                continue;
            }
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(from, to)?;
        }
        let mut there = Vec::new();
        list(folder, &|_| true, &mut there)?;
        for path in there {
            if !self.files.contains_key(path.strip_prefix(folder)?) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn list(folder: &Path, is_wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if !is_wanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(&entry.path(), is_wanted, found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_touched_and_what_is_gone_goes() {
        let folder = std::env::temp_dir().join(format!("gatewright-mirror-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("a/.build")).unwrap();
        for name in ["a/one", "a/two", "a/.build/three"] {
            fs::write(from.join(name), name).unwrap();
        }
        let copy = || {
            let mut mirror = Mirror::default();
            mirror
                .take(&from.join("a"), "b", &|name| name != ".build")
                .unwrap();
            mirror.file(&from.join("a/.build/three"), "c/three");
            mirror.into(&to).unwrap();
        };
        copy();
        let time = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        let before = (time("b/one"), time("c/three"));
        fs::remove_file(from.join("a/two")).unwrap();
        fs::write(from.join("a/.build/three"), "other").unwrap();
        copy();
        assert_eq!(time("b/one"), before.0);
        assert_eq!(fs::read_to_string(to.join("c/three")).unwrap(), "other");
        assert!(!to.join("b/two").exists() && !to.join("b/.build").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
