//! The modules for Ktor and Spring, which receive webhooks in the real frameworks; and their examples, which take them and the library from
//! the tasks' own repository, as a user's project does.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::closing_lines::surefire;
use crate::maven::Maven;
use crate::npm_package::VERSION;
use crate::process::run;
use crate::report::Report;
use crate::workspace::Workspace;

/// Each is a folder of `bindings-mobile/kotlin` and of `examples/kotlin`.
const FRAMEWORKS: &[&str] = &["ktor", "spring"];

/// Tests and installs the modules, then their examples. The library is installed already.
pub(crate) fn test(workspace: &Workspace, report: &mut Report, maven: &Maven) {
    for framework in FRAMEWORKS {
        let mut module = maven.command(&folder(workspace, framework), &build(workspace, framework));
        let name = format!("mvn install of gatewright-{framework}, with its tests");
        if !report.suite(&name, module.arg("install"), surefire) {
            continue;
        }
        let mut example = maven.command(
            &workspace.root.join("examples/kotlin").join(framework),
            &workspace.scratch(&format!("kotlin/{framework}-example-build")),
        );
        let name = format!("kotlin: examples/kotlin/{framework}");
        report.suite(&name, example.args(["clean", "test"]), surefire);
    }
}

/// Builds and installs them without their tests, and answers what is published: jar, sources and POM of each.
pub(crate) fn files(workspace: &Workspace, maven: &Maven, shown: bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for framework in FRAMEWORKS {
        let (folder, build) = (folder(workspace, framework), build(workspace, framework));
        let mut module = maven.command(&folder, &build);
        run(module.args(["-DskipTests", "install"]), shown)?;
        let name = |end: &str| build.join(format!("gatewright-{framework}-{VERSION}{end}"));
        std::fs::copy(folder.join("pom.xml"), name(".pom"))?;
        files.extend([name(".jar"), name("-sources.jar"), name(".pom")]);
    }
    Ok(files)
}

fn folder(workspace: &Workspace, framework: &str) -> PathBuf {
    workspace
        .root
        .join(Path::new("bindings-mobile/kotlin").join(framework))
}

fn build(workspace: &Workspace, framework: &str) -> PathBuf {
    workspace.scratch(&format!("kotlin/{framework}-build"))
}
