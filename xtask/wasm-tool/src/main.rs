//! Makes a WebAssembly module that cargo built ready for JavaScript: `gatewright-wasm-tool INPUT.wasm OUT_DIR NAME` writes
//! `NAME_bg.wasm` and `NAME.js`, an ES module with `initSync` and `init`, for the packages' build scripts to put together.
//!
//! It is a crate of its own, apart from `xtask`, because it is long to compile and seldom needed. wasm-bindgen wants its
//! tool and its macro to be of one version exactly; a test holds them together.

#![allow(
    clippy::print_stderr,
    reason = "a program for a terminal speaks through it"
)]

use std::error::Error;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out, name] = arguments.as_slice() else {
        eprintln!("usage: gatewright-wasm-tool INPUT.wasm OUT_DIR NAME");
        return ExitCode::from(2);
    };
    match bind(input, out, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatewright-wasm-tool: {input}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bind(input: &str, out: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name);
    // Each package has entries of its own, which tell where the module is; its types are kept by hand.
    bindgen.web(true)?.omit_default_module_path(true);
    bindgen.typescript(false);
    bindgen
        .remove_name_section(true)
        .remove_producers_section(true);
    Ok(bindgen.generate(out)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The versions of a package in a lock.
    fn locked(lock: &str, name: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(lock);
        let text = std::fs::read_to_string(path).unwrap();
        let of_name = |package: &&str| package.contains(&format!("\nname = \"{name}\"\n"));
        let version = |package: &str| {
            let (_, rest) = package.split_once("\nversion = \"").unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let packages = text.split("[[package]]");
        packages.filter(of_name).map(version).collect()
    }

    #[test]
    fn the_tool_is_of_the_version_that_the_modules_are_compiled_with() {
        let tool = locked("../../Cargo.lock", "wasm-bindgen-cli-support");
        assert_eq!(tool.len(), 1, "{tool:?}");
        assert_eq!(
            locked("../../bindings-wasm/Cargo.lock", "wasm-bindgen"),
            tool
        );
    }
}
