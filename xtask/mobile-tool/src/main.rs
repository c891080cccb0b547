//! Generates what the Swift and Kotlin SDKs call, from a built library: `gatewright-mobile-tool --library LIBRARY --swift DIR` writes
//! `GatewrightNative.swift`, `GatewrightFFI.h` and `module.modulemap`, `--kotlin DIR` writes a Kotlin file below `dev/gatewright/internal/ffi`.
//! The library is one that is not stripped of its symbols, or a shared one.
//!
//! It is a crate of its own, apart from `xtask`, because it is long to compile and seldom needed. uniffi wants its generator and its macros to
//! be of one version exactly, which the workspace says once for both.

#![allow(
    clippy::print_stderr,
    reason = "a program for a terminal speaks through it"
)]

mod internal;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use uniffi::{GenerateOptions, TargetLanguage};

const USAGE: &str = "usage: gatewright-mobile-tool --library LIBRARY [--swift DIR] [--kotlin DIR]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(wanted) = Wanted::read(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match wanted.generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatewright-mobile-tool: {}: {error}", wanted.library);
            ExitCode::FAILURE
        }
    }
}

/// What is to be generated.
#[derive(Default)]
struct Wanted {
    library: String,
    swift: Option<String>,
    kotlin: Option<String>,
}

impl Wanted {
    fn read(arguments: &[String]) -> Option<Self> {
        let mut wanted = Self::default();
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--library" => wanted.library.clone_from(value),
                [name, value] if name == "--swift" => wanted.swift = Some(value.clone()),
                [name, value] if name == "--kotlin" => wanted.kotlin = Some(value.clone()),
                _ => return None,
            }
        }
        (!wanted.library.is_empty() && (wanted.swift.is_some() || wanted.kotlin.is_some()))
            .then_some(wanted)
    }

    fn generate(&self) -> Result<(), Box<dyn Error>> {
        if let Some(folder) = &self.swift {
            self.generate_for(TargetLanguage::Swift, folder)?;
            // The name under which clang looks for it.
            let folder = Path::new(folder);
            fs::rename(
                folder.join("GatewrightFFI.modulemap"),
                folder.join("module.modulemap"),
            )?;
        }
        if let Some(folder) = &self.kotlin {
            self.generate_for(TargetLanguage::Kotlin, folder)?;
            let file = Path::new(folder).join("dev/gatewright/internal/ffi/gatewright_mobile.kt");
            fs::write(&file, internal::kotlin(&fs::read_to_string(&file)?))?;
        }
        Ok(())
    }

    fn generate_for(&self, language: TargetLanguage, folder: &str) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        // Named by where it is, so that the generator need not ask cargo where the crate is.
        let settings = include_str!("../../../bindings-mobile/uniffi.toml")
            .replace("[bindings.", "[crates.gatewright_mobile.bindings.");
        let config = Path::new(folder).join("uniffi.toml");
        fs::write(&config, settings)?;
        let generated = uniffi::generate(GenerateOptions {
            languages: vec![language],
            source: self.library.as_str().into(),
            out_dir: folder.into(),
            config_override: Some(config.clone().try_into()?),
            ..GenerateOptions::default()
        });
        fs::remove_file(&config)?;
        Ok(generated?)
    }
}
