//! Format, lint and types of all JavaScript and TypeScript here.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Result;
use crate::project::Kit;
use crate::report::Report;
use crate::workspace::Workspace;

/// Below these, what has a `tsconfig.json` is checked by TypeScript.
const FOLDERS: &[&str] = &[
    "bindings-node",
    "bindings-wasm",
    "conformance/adapters",
    "examples",
    "bench",
];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(kit) = report.prepare_by("find Node, install the tools", || Kit::find(workspace))
    else {
        return;
    };
    let mut biome = kit.tools.script(&kit.node, "@biomejs/biome/bin/biome");
    biome
        .current_dir(&workspace.root)
        .args(["check", "--error-on-warnings", "--colors=off", "."]);
    report.check("biome check", &mut biome);
    let Some(configs) = report.prepare_by("find each tsconfig.json", || configs(workspace, &kit))
    else {
        return;
    };
    for (name, config) in configs {
        let mut tsc = kit.tools.tsc(&kit.node);
        tsc.current_dir(&workspace.root)
            .arg("--project")
            .arg(config);
        report.check(&format!("tsc {name}"), &mut tsc);
    }
}

/// A configuration for each `tsconfig.json`, which extends it by where the tools and the packages are.
fn configs(workspace: &Workspace, kit: &Kit) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        find(&workspace.root.join(folder), &mut found)?;
    }
    found.sort();
    let out = workspace.scratch("tsconfig");
    fs::create_dir_all(&out)?;
    let mut made = Vec::new();
    for config in found {
        let folder = config.parent().unwrap_or(&workspace.root);
        let name = folder
            .strip_prefix(&workspace.root)?
            .to_string_lossy()
            .into_owned();
        let path = out.join(format!("{}.json", name.replace(['/', '\\'], "-")));
        let extending = extend(workspace, kit, &config);
        fs::write(&path, serde_json::to_string_pretty(&extending)?)?;
        made.push((name, path));
    }
    Ok(made)
}

fn extend(workspace: &Workspace, kit: &Kit, config: &Path) -> serde_json::Value {
    let modules = kit.tools.modules();
    let types = workspace.root.join("bindings-node/types");
    json!({
        "extends": config,
        "compilerOptions": {
            "typeRoots": [modules.join("@types")],
            "types": ["node"],
            "paths": {
                "gatewright": [types.join("index.d.ts")],
                "gatewright/testing": [types.join("testing.d.ts")],
                "gatewright/webhooks": [types.join("webhooks.d.ts")],
                "gatewright-web": [types.join("shared.d.ts")],
                "gatewright-web/webhooks": [types.join("webhooks.d.ts")],
                "playwright-core": [modules.join("playwright-core/index.d.ts")],
            },
        },
    })
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                find(&path, found)?;
            }
        } else if path.file_name().is_some_and(|name| name == "tsconfig.json") {
            found.push(path);
        }
    }
    Ok(())
}
