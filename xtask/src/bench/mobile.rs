//! Kotlin's and Swift's part of the measurements: the packages in projects of their own, beside what people use there today.
//! The projects are in `bench/mobile`; each has the clients of its language, and `bench-peers` measures them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::kotlin_package::KotlinPackage;
use crate::maven::Maven;
use crate::process::quietly;
use crate::swift::Swift;
use crate::swift_package::SwiftPackage;
use crate::workspace::Workspace;

/// What runs the rounds and prints the table.
pub(super) const DRIVER: &str = "bench-peers";

const ROUNDS: &str = "31";

/// The JVM's compilers have compiled what is hot after this; Swift opens its connections in less.
const WARM_UP_SECONDS: &str = "10";

/// The same for all that run in a JVM: a heap that does not grow between rounds.
const JVM: &[&str] = &["-Xms128m", "-Xmx128m"];

/// The clients of a language, built.
pub(super) struct Mobile {
    version: String,
    /// The program that has them; `bench-peers` starts it.
    program: Command,
    driver: PathBuf,
}

impl Mobile {
    /// Builds the package for Kotlin and the project that compares it.
    pub(super) fn kotlin(workspace: &Workspace) -> Result<Self> {
        let maven = Maven::find_or_install(workspace)?;
        KotlinPackage::install(workspace, &maven, true)?;
        println!("making a project with OkHttp and Ktor");
        let build = workspace.scratch("bench-kotlin");
        let mut package = maven.command(&project(workspace, "kotlin"), &build);
        quietly(package.args(["--quiet", "package"]))?;
        let mut program = maven.java();
        program
            .args(JVM)
            .arg("-jar")
            .arg(build.join("gatewright-bench-kotlin.jar"));
        Ok(Self::new(workspace, maven.versions(), program))
    }

    /// Builds the package for Swift and the project that compares it.
    pub(super) fn swift(workspace: &Workspace) -> Result<Self> {
        let swift = Swift::find_or_install(workspace)?;
        let package = SwiftPackage::stage(workspace, true)?;
        println!("making a package with URLSession");
        let folder = project(workspace, "swift");
        let build = workspace.scratch("bench-swift");
        let mut command = swift.command(&folder);
        command
            .args(["build", "--configuration", "release", "--scratch-path"])
            .arg(&build)
            .env("GATEWRIGHT_SWIFT_PACKAGE", &package.folder);
        quietly(&mut command)?;
        let built = build.join("release/gatewright-bench-swift");
        let program = swift.program(&built, Path::new("/"));
        Ok(Self::new(
            workspace,
            format!("Swift {}", swift.version),
            program,
        ))
    }

    fn new(workspace: &Workspace, version: String, program: Command) -> Self {
        Self {
            version,
            program,
            driver: workspace.built("release", DRIVER),
        }
    }

    pub(super) fn version(&self) -> String {
        self.version.clone()
    }

    /// The command that prints the table, with bench-server at the URL.
    pub(super) fn command(&self, url: &str, at_once: u32) -> Command {
        let mut command = Command::new(&self.driver);
        command
            .args([url, &at_once.to_string(), WARM_UP_SECONDS, ROUNDS, ""])
            .arg(self.program.get_program())
            .args(self.program.get_args());
        if let Some(folder) = self.program.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in self.program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

fn project(workspace: &Workspace, language: &str) -> PathBuf {
    workspace.root.join("bench/mobile").join(language)
}
