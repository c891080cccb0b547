//! The npm package `gatewright-web`: two WASM modules, the client's and a small one of webhooks alone, with entries for
//! each kind of host.

use std::path::PathBuf;

use crate::Result;
use crate::node::{Node, Tools};
use crate::npm_package::Staged;
use crate::process::run;
use crate::wasm::{self, Module};
use crate::workspace::Workspace;

pub(crate) const MODULES: &[Module] = &[
    Module {
        package: "gatewright-wasm",
        name: "gatewright",
        bindgen: true,
    },
    Module {
        package: "gatewright-wasm-webhook",
        name: "webhooks",
        bindgen: false,
    },
];

/// Builds the package and tells where its tarball is.
pub(crate) fn build(
    workspace: &Workspace,
    node: &Node,
    tools: &Tools,
    shown: bool,
) -> Result<PathBuf> {
    let bound = wasm::build(workspace, node, tools, MODULES, shown)?;
    let from = workspace.root.join("bindings-wasm");
    let mut script = node.command();
    script
        .arg(from.join("build.mjs"))
        .env("WASM_BINDGEN", bound);
    run(tools.known_to(&mut script), shown)?;
    let staged = Staged::new(workspace, node, "gatewright-web")?;
    staged.take(&from)?;
    staged.pack()
}
