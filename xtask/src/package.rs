//! `cargo xtask package`: what is published, in `dist/`.

use std::fs;
use std::path::Path;

use crate::python::{Interpreter, build_sdist, build_wheel};
use crate::workspace::Workspace;
use crate::{Ended, Result, chosen_parts};

const PARTS: &[&str] = &["python"];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let dist = workspace.root.join("dist");
    fs::create_dir_all(&dist)?;
    let mut made = Vec::new();
    if chosen_parts(PARTS, arguments)?.contains(&"python") {
        let python = Interpreter::find()?;
        let wheel = build_wheel(workspace, &python, true)?;
        let sdist = workspace.scratch("sdist");
        if sdist.exists() {
            fs::remove_dir_all(&sdist)?;
        }
        build_sdist(workspace, &python, &sdist)?;
        made.push(wheel);
        for entry in fs::read_dir(sdist)? {
            made.push(entry?.path());
        }
    }
    println!();
    for file in made {
        let name = Path::new(file.file_name().ok_or("a package without a name")?);
        let size = fs::copy(&file, dist.join(name))?;
        println!("{:>9}  dist/{}", megabytes(size), name.display());
    }
    Ok(Ended::Well)
}

/// A size as a person reads it: `0.02 MB`, `3.41 MB`.
fn megabytes(bytes: u64) -> String {
    // Hundredths of a megabyte, rounded up: nothing weighs nothing.
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn sizes_are_rounded_up_to_hundredths() {
        assert_eq!(
            [3_401_234, 17, 12_000_000].map(megabytes),
            ["3.41 MB", "0.01 MB", "12.00 MB"]
        );
    }
}
