//! `cargo xtask package`: what is published, in `dist/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kotlin_package::KotlinPackage;
use crate::maven::Maven;
use crate::process::answer;
use crate::project::Kit;
use crate::python::{Interpreter, build_gateway_wheel, build_sdist, build_wheel};
use crate::swift_package::SwiftPackage;
use crate::workspace::Workspace;
use crate::{
    Ended, Result, Usage, android_package, chosen_parts, gateway_package, node_package, web_package,
};

const PARTS: &[&str] = &["python", "node", "web", "swift", "kotlin"];

/// Needs an SDK, so it is made only when it is asked for.
const ANDROID: &str = "android";

/// What to pack.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    parts: Vec<&'static str>,
    android: bool,
    /// For Android, where the native libraries are: `DIR/ABI/libgatewright_mobile.so`.
    libraries: Option<PathBuf>,
    /// For the JVM, where those of other platforms are: `DIR/linux-aarch64/libgatewright_mobile.so`.
    natives: Option<PathBuf>,
    /// For Swift, where the framework of a release will be found.
    url: Option<String>,
}

impl Asked {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut names = Vec::new();
        let (mut libraries, mut natives, mut url) = (None, None, None);
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (flag, joined) = argument
                .split_once('=')
                .map_or((argument.as_str(), None), |(flag, value)| {
                    (flag, Some(value))
                });
            let mut value = || {
                let value = joined.or_else(|| arguments.next().map(String::as_str));
                value.ok_or_else(|| Usage(format!("{flag} needs a value")))
            };
            match flag {
                "--libs" => libraries = Some(PathBuf::from(value()?)),
                "--natives" => natives = Some(PathBuf::from(value()?)),
                "--url" => url = Some(value()?.to_owned()),
                _ => names.push(argument.clone()),
            }
        }
        let android = names.iter().any(|name| name == ANDROID);
        if libraries.is_some() && !android {
            return Err(Box::new(Usage("--libs is for android".to_owned())));
        }
        let others: Vec<String> = names
            .iter()
            .filter(|name| *name != ANDROID)
            .cloned()
            .collect();
        let parts = if android && others.is_empty() {
            Vec::new()
        } else {
            chosen_parts(PARTS, &others)?
        };
        if natives.is_some() && !parts.contains(&"kotlin") {
            return Err(Box::new(Usage("--natives is for kotlin".to_owned())));
        }
        if url.is_some() && !parts.contains(&"swift") {
            return Err(Box::new(Usage("--url is for swift".to_owned())));
        }
        Ok(Self {
            parts,
            android,
            libraries,
            natives,
            url,
        })
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let Asked {
        parts,
        android,
        libraries,
        natives,
        url,
    } = Asked::read(arguments)?;
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
            made.extend(gateway_package::build(workspace, &kit.node, "release", true)?.all());
        }
        if parts.contains(&"web") {
            made.push(web_package::build(workspace, &kit.node, &kit.tools, true)?);
            notes = compressed_sizes(&kit, &workspace.root.join("bindings-wasm/dist"))?;
        }
    }
    if parts.contains(&"swift") {
        let package = SwiftPackage::stage(workspace, true)?;
        match url {
            Some(url) => made.extend(package.release(&url)?),
            None => made.push(package.pack(workspace)?),
        }
        notes.push(package.library.size()?);
    }
    if parts.contains(&"kotlin") || android {
        let maven = Maven::find_or_install(workspace)?;
        let package = KotlinPackage::install_with(workspace, &maven, natives.as_deref(), true)?;
        if parts.contains(&"kotlin") {
            made.extend(package.files(workspace)?);
            made.extend(crate::kotlin_frameworks::files(workspace, &maven, true)?);
            notes.push(package.library.size()?);
        }
        if android {
            let libraries = match libraries {
                Some(folder) => folder,
                None => android_package::build_libraries(workspace, true)?,
            };
            made.extend(android_package::pack(
                workspace, &maven, &package, &libraries,
            )?);
            notes.extend(android_package::sizes(workspace, &libraries)?);
        }
    }
    notes.dedup();
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
    let mut made = vec![
        build_wheel(workspace, &python, true)?,
        build_gateway_wheel(workspace, &python, "release", true)?,
    ];
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
pub(crate) fn megabytes(bytes: u64) -> String {
    // Hundredths of a megabyte, rounded up: nothing weighs nothing.
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Asked> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Asked::read(&arguments)
    }

    #[test]
    fn android_is_packed_only_when_it_is_asked_for() {
        let all = asked(&[]).unwrap();
        assert_eq!((all.parts.as_slice(), all.android), (PARTS, false));
        let android = asked(&["android", "--libs", "a/b"]).unwrap();
        assert!(android.parts.is_empty() && android.android);
        assert_eq!(android.libraries, Some("a/b".into()));
        let both = asked(&["android", "kotlin"]).unwrap();
        assert_eq!(
            (both.parts.as_slice(), both.android),
            (&["kotlin"][..], true)
        );
    }

    #[test]
    fn misuse_is_said() {
        let said = |arguments: &[&str]| asked(arguments).unwrap_err().to_string();
        assert_eq!(said(&["--libs=x"]), "--libs is for android");
        assert_eq!(said(&["swift", "--natives=x"]), "--natives is for kotlin");
        assert_eq!(said(&["kotlin", "--url=x"]), "--url is for swift");
        assert_eq!(said(&["android", "--libs"]), "--libs needs a value");
        assert_eq!(
            said(&["cobol"]),
            "there is no part \"cobol\"; parts are: python node web swift kotlin"
        );
    }

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(
            [3_401_234, 17, 12_000_000].map(megabytes),
            ["3.41 MB", "0.01 MB", "12.00 MB"]
        );
        assert_eq!([88_101, 40_000].map(kilobytes), ["88.2 kB", "40.0 kB"]);
    }
}
