//! Building for WebAssembly: the compiler's target, and modules bound to JavaScript and made small.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::node::{Node, Tools};
use crate::npm_package::make_empty;
use crate::process::{answer, run};
use crate::workspace::Workspace;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";
const TOOL: &str = "gatewright-wasm-tool";
/// Its crates are a workspace of their own, with a lock of their own.
pub(crate) const MANIFEST: &str = "bindings-wasm/Cargo.toml";
/// Flags of the compiler, which a manifest cannot hold.
const FLAGS: &str = "bindings-wasm/cargo-flags.toml";

/// What the compiler uses and every host of today knows; wasm-opt wants it said.
const OPTIMISE: &[&str] = &[
    "-Oz",
    // A large function that is called once is smaller on its own, after gzip.
    "--one-caller-inline-max-function-size=0",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-producers",
    "--strip-target-features",
];

/// A crate whose module JavaScript has under a name.
pub(crate) struct Module {
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
    /// Whether wasm-bindgen binds it to JavaScript; otherwise it is bound by hand.
    pub(crate) bindgen: bool,
}

/// The command that installs a target of the compiler, where it is missing.
pub(crate) fn missing_target(target: &str) -> Option<Command> {
    let folder =
        answer(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    if folder.is_ok_and(|folder| Path::new(&folder).is_dir()) {
        return None;
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", target]);
    Some(add)
}

/// Builds the modules, binds them to JavaScript and makes them small. Tells the folder with a
/// `NAME_bg.wasm` for each, and for those of wasm-bindgen a `NAME.js` and the scripts that these import in `snippets`.
pub(crate) fn build(
    workspace: &Workspace,
    node: &Node,
    tools: &Tools,
    modules: &[Module],
    shown: bool,
) -> Result<PathBuf> {
    if let Some(mut add) = missing_target(TARGET) {
        run(&mut add, shown)?;
    }
    // Each alone: built together, the small one would get features of its dependencies that only the large one needs.
    for module in modules {
        let mut cargo = workspace.cargo("build");
        cargo.args(["--locked", "--config", FLAGS, "--manifest-path", MANIFEST]);
        cargo.args(["--profile", PROFILE, "--target", TARGET]);
        run(cargo.args(["--package", module.package]), shown)?;
    }
    let mut cargo = workspace.cargo("build");
    run(cargo.args(["--quiet", "--package", TOOL]), shown)?;
    let bound = workspace.scratch("wasm/bound");
    let small = workspace.scratch("wasm/small");
    make_empty(&bound)?;
    fs::create_dir_all(&small)?;
    for Module {
        package,
        name,
        bindgen,
    } in modules
    {
        let built = workspace
            .target
            .join(TARGET)
            .join(PROFILE)
            .join(format!("{}.wasm", package.replace('-', "_")));
        let file = format!("{name}_bg.wasm");
        if *bindgen {
            let mut bind = Command::new(workspace.built("dev", TOOL));
            run(bind.arg(built).arg(&bound).arg(name), shown)?;
        } else {
            fs::copy(built, bound.join(&file))?;
        }
        optimise(node, tools, &bound.join(&file), &small.join(&file), shown)?;
        fs::copy(small.join(&file), bound.join(&file))?;
    }
    Ok(bound)
}

/// As it takes long, what was made of the same module is kept.
fn optimise(node: &Node, tools: &Tools, from: &Path, to: &Path, shown: bool) -> Result<()> {
    let input = fs::read(from)?;
    let made_of = to.with_extension("made-of");
    let stamp = [&input, OPTIMISE.join(" ").as_bytes()].concat();
    if to.is_file() && fs::read(&made_of).is_ok_and(|made_of| made_of == stamp) {
        return Ok(());
    }
    let mut wasm_opt = tools.script(node, "binaryen/bin/wasm-opt");
    wasm_opt.args(OPTIMISE).arg(from).arg("-o").arg(to);
    run(&mut wasm_opt, shown)?;
    Ok(fs::write(made_of, stamp)?)
}
