//! `cargo xtask demo`: what a new user would do by hand, in one command; for each language, or for those named.

use std::path::Path;

use crate::gateway::{self, Gateway};
use crate::kotlin_package::KotlinPackage;
use crate::kotlin_tests::FreshProject;
use crate::maven::Maven;
use crate::process::{show, show_code};
use crate::project::{Kit, Packages, Project};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::swift::Swift;
use crate::swift_package::SwiftPackage;
use crate::swift_tests::FreshPackage;
use crate::workspace::Workspace;
use crate::{Ended, Error, Result, chosen_parts, chromium, web_package};

/// Shows a language's package and tells the exit code of what was run.
type Demo = fn(&Workspace) -> Result<u8>;

const LANGUAGES: &[(&str, Demo)] = &[
    ("python", python),
    ("node", node),
    ("web", web),
    ("swift", swift),
    ("kotlin", kotlin),
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let names: Vec<&'static str> = LANGUAGES.iter().map(|(name, _)| *name).collect();
    let chosen = chosen_parts(&names, arguments)?;
    println!("building the gateway");
    show(&mut gateway::build_command(workspace, "release"))?;
    let mut ended = Ended::Well;
    for (name, demo) in LANGUAGES.iter().filter(|(name, _)| chosen.contains(name)) {
        println!("\n== {name}");
        if arguments.is_empty()
            && let Some(why) = missing_toolchain(workspace, name)
        {
            println!("skipped: {why}");
            continue;
        }
        match demo(workspace)? {
            0 => {}
            code => ended = Ended::With(code),
        }
    }
    Ok(ended)
}

/// Why a language that not every developer has a toolchain of cannot be shown here.
fn missing_toolchain(workspace: &Workspace, language: &str) -> Option<Error> {
    match language {
        "swift" => Swift::find_or_install(workspace).err(),
        "kotlin" => Maven::find_or_install(workspace).err(),
        _ => None,
    }
}

fn python(workspace: &Workspace) -> Result<u8> {
    let python = Interpreter::find()?;
    println!("1. building the wheel");
    let wheel = build_wheel(workspace, &python, true)?;
    println!(
        "2. installing it in a new venv (Python {})",
        python.full_version
    );
    let venv = Venv::fresh(workspace, &python, "demo", &[])?;
    venv.install(&wheel)?;
    println!("3. starting a gateway");
    let gateway = Gateway::start(workspace, "release")?;
    println!("4. running examples/python/quickstart.py\n");
    let mut quickstart = venv.python();
    quickstart.arg(workspace.root.join("examples/python/quickstart.py"));
    show_code(gateway.known_to(&mut quickstart))
}

fn node(workspace: &Workspace) -> Result<u8> {
    let kit = Kit::find(workspace)?;
    println!("1. building the npm packages");
    let packages = Packages::build(workspace, &kit, true)?;
    let project = install(workspace, &kit, &packages.all())?;
    println!("3. starting a gateway");
    let gateway = Gateway::start(workspace, "release")?;
    println!("4. running examples/node/quickstart.mjs\n");
    // What a script imports is looked for where the script is.
    let examples = project.take(&workspace.root.join("examples/node"), "examples/node")?;
    let mut quickstart = kit.node.command();
    quickstart
        .arg(examples.join("quickstart.mjs"))
        .current_dir(project.folder());
    // npm's tools say nothing in colours; an example may.
    quickstart.env_remove("NO_COLOR");
    if let Some(no_colour) = std::env::var_os("NO_COLOR") {
        quickstart.env("NO_COLOR", no_colour);
    }
    show_code(gateway.known_to(&mut quickstart))
}

fn install(workspace: &Workspace, kit: &Kit, tarballs: &[&Path]) -> Result<Project> {
    println!("2. installing in a new project (Node {})", kit.node.version);
    Project::fresh(workspace, &kit.node, "demo", tarballs)
}

fn web(workspace: &Workspace) -> Result<u8> {
    let chromium = chromium::find_or_install()?;
    let kit = Kit::find(workspace)?;
    println!("1. building the npm package");
    let package = web_package::build(workspace, &kit.node, &kit.tools, true)?;
    let project = install(workspace, &kit, &[&package])?;
    println!("3. starting a gateway that also serves the page in examples/web");
    let page = workspace.root.join("examples/web");
    let package = project.folder().join("node_modules/gatewright-web/dist");
    let files = [("/", page.as_path()), ("/gatewright-web", &package)];
    let gateway = Gateway::start_with_files(workspace, "release", &files)?;
    println!("4. using the page in Chromium\n");
    let pictures = workspace.root.join("dist/demo");
    let mut visit = kit.node.command();
    visit
        .arg(page.join("screenshot.mjs"))
        .arg(&gateway.admin_url)
        .arg(&pictures)
        .env(chromium::VARIABLE, chromium);
    show_code(gateway.known_to(kit.tools.known_to(&mut visit)))
}

fn swift(workspace: &Workspace) -> Result<u8> {
    let swift = Swift::find_or_install(workspace)?;
    println!("1. building the Swift package");
    let package = SwiftPackage::stage(workspace, true)?;
    println!(
        "2. unpacking it, and building a new package that uses it (Swift {})",
        swift.version
    );
    let fresh = FreshPackage::unpacked(workspace, &package)?;
    fresh.take_quickstart(workspace)?;
    show(&mut fresh.build_command(workspace, &swift, "quickstart"))?;
    println!("3. starting a gateway");
    let gateway = Gateway::start(workspace, "release")?;
    println!("4. running examples/swift/Sources/quickstart\n");
    show_code(gateway.known_to(&mut fresh.program(workspace, &swift, "quickstart")))
}

fn kotlin(workspace: &Workspace) -> Result<u8> {
    let maven = Maven::find_or_install(workspace)?;
    println!(
        "1. building the Kotlin library and installing it ({})",
        maven.versions()
    );
    KotlinPackage::install(workspace, &maven, true)?;
    println!("2. making a new project that uses it");
    let fresh = FreshProject::with_quickstart(workspace)?;
    println!("3. starting a gateway");
    let gateway = Gateway::start(workspace, "release")?;
    println!("4. running examples/kotlin/quickstart\n");
    show_code(gateway.known_to(&mut fresh.quickstart(workspace, &maven)))
}
