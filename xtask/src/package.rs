//! `cargo xtask package`: what is published, in `dist/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::answer;
use crate::project::Kit;
use crate::python::{Interpreter, build_sdist, build_wheel};
use crate::workspace::Workspace;
use crate::{Ended, Result, chosen_parts, node_package, web_package};

const PARTS: &[&str] = &["python", "node", "web"];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let parts = chosen_parts(PARTS, arguments)?;
    let dist = workspace.root.join("dist");
    fs::create_dir_all(&dist)?;
    let mut made = Vec::new();
    if parts.contains(&"python") {
        made.extend(python(workspace)?);
    }
    let mut notes = Vec::new();
    if parts.contains(&"node") || parts.contains(&"web") {
        let kit = Kit::find(workspace)?;
        if parts.contains(&"node") {
            let package = node_package::build(workspace, &kit.node, &kit.tools, true)?;
            made.extend([package.main, package.platform]);
        }
        if parts.contains(&"web") {
            made.push(web_package::build(workspace, &kit.node, &kit.tools, true)?);
            notes = compressed_sizes(&kit, &workspace.root.join("bindings-wasm/dist"))?;
        }
    }
    println!();
    for file in made {
        let name = Path::new(file.file_name().ok_or("a package without a name")?);
        let size = fs::copy(&file, dist.join(name))?;
        println!("{:>9}  dist/{}", megabytes(size), name.display());
    }
    for note in notes {
        println!("{note}");
    }
    Ok(Ended::Well)
}

fn python(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let python = Interpreter::find()?;
    let mut made = vec![build_wheel(workspace, &python, true)?];
    let sdist = workspace.scratch("sdist");
    if sdist.exists() {
        fs::remove_dir_all(&sdist)?;
    }
    build_sdist(workspace, &python, &sdist)?;
    for entry in fs::read_dir(sdist)? {
        made.push(entry?.path());
    }
    Ok(made)
}

/// What the modules weigh as a server sends them: a line for each.
fn compressed_sizes(kit: &Kit, folder: &Path) -> Result<Vec<String>> {
    let script = "const { readdirSync, readFileSync } = require('node:fs');
        const { brotliCompressSync, gzipSync } = require('node:zlib');
        for (const name of readdirSync('.').filter((name) => name.endsWith('.wasm'))) {
          const bytes = readFileSync(name);
          const sizes = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes), bytes].map((bytes) => bytes.length);
          console.log(name, ...sizes);
        }";
    let said = answer(kit.node.command().args(["-e", script]).current_dir(folder))?;
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let mut size = || Some(kilobytes(words.next()?.parse().ok()?));
        let (gzip, brotli, plain) = (size()?, size()?, size()?);
        Some(format!(
            "{gzip:>9}  {name} in gzip; {brotli} in brotli, {plain} as it is"
        ))
    };
    Ok(said.lines().filter_map(line).collect())
}

/// A size as a person reads it: `0.1 kB`, `88.1 kB`.
fn kilobytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100);
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

/// A size as a person reads it: `0.02 MB`, `3.41 MB`.
fn megabytes(bytes: u64) -> String {
    // Hundredths of a megabyte, rounded up: nothing weighs nothing.
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::{kilobytes, megabytes};

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(
            [3_401_234, 17, 12_000_000].map(megabytes),
            ["3.41 MB", "0.01 MB", "12.00 MB"]
        );
        assert_eq!([88_101, 40_000].map(kilobytes), ["88.2 kB", "40.0 kB"]);
    }
}
