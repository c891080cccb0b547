//! The Kotlin library `dev.gatewright:gatewright` for the JVM: a jar with the native libraries of the platforms in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::Result;
use crate::maven::Maven;
use crate::mirror::Mirror;
use crate::mobile_library::{MobileLibrary, shared_name};
use crate::npm_package::VERSION;
use crate::process::run;
use crate::workspace::Workspace;

const FOLDER: &str = "bindings-mobile/kotlin";

/// Whether this run has installed it already: several parts need it.
static INSTALLED: OnceLock<()> = OnceLock::new();

/// The library, built and installed in the tasks' own repository, from which projects take it as a user's do.
pub(crate) struct KotlinPackage {
    pub(crate) library: MobileLibrary,
    build: PathBuf,
}

impl KotlinPackage {
    /// Builds the native library, and with it the jar without running its tests; installs it.
    pub(crate) fn install(workspace: &Workspace, maven: &Maven, shown: bool) -> Result<Self> {
        Self::install_with(workspace, maven, None, shown)
    }

    /// The same with the native libraries of other platforms, each in a folder of its platform's name.
    pub(crate) fn install_with(
        workspace: &Workspace,
        maven: &Maven,
        others: Option<&Path>,
        shown: bool,
    ) -> Result<Self> {
        let package = Self::prepare_with(workspace, others, shown)?;
        if INSTALLED.get().is_some() {
            return Ok(package);
        }
        let mut command = package.maven(workspace, maven);
        run(command.args(["-DskipTests", "install"]), shown)?;
        Self::is_installed();
        Ok(package)
    }

    /// Says that it was installed by this run, and need not be again.
    pub(crate) fn is_installed() {
        let _ = INSTALLED.set(());
    }

    /// Builds the native library and lays it out for the jar.
    pub(crate) fn prepare(workspace: &Workspace, shown: bool) -> Result<Self> {
        Self::prepare_with(workspace, None, shown)
    }

    fn prepare_with(workspace: &Workspace, others: Option<&Path>, shown: bool) -> Result<Self> {
        let library = MobileLibrary::build(workspace, shown)?;
        let mut mirror = Mirror::default();
        if let Some(others) = others {
            mirror.take(others, "", &|_| true)?;
        }
        let name = format!("{}/{}", platform(), shared_name());
        mirror.file(&library.shared, &name);
        mirror.into(&natives(workspace))?;
        Ok(Self {
            library,
            build: workspace.scratch("kotlin/build"),
        })
    }

    /// Maven in the library's folder; goals are added to it.
    pub(crate) fn maven(&self, workspace: &Workspace, maven: &Maven) -> Command {
        let mut command = maven.command(&workspace.root.join(FOLDER), &self.build);
        let mut libraries = std::ffi::OsString::from("-DnativeLibraries=");
        libraries.push(natives(workspace));
        command.arg(libraries);
        command
    }

    /// What is published: the jar, its sources and its POM, under the names it has in a repository.
    pub(crate) fn files(&self, workspace: &Workspace) -> Result<Vec<PathBuf>> {
        let name = |end: &str| self.build.join(format!("gatewright-{VERSION}{end}"));
        let pom = name(".pom");
        fs::copy(workspace.root.join(FOLDER).join("pom.xml"), &pom)?;
        Ok(vec![self.jar(), name("-sources.jar"), pom])
    }

    /// The jar.
    pub(crate) fn jar(&self) -> PathBuf {
        self.build.join(format!("gatewright-{VERSION}.jar"))
    }
}

/// A folder with the native libraries, as they lie in the jar.
fn natives(workspace: &Workspace) -> PathBuf {
    workspace.scratch("kotlin/native")
}

/// As the jar's folders are named: `linux-x86-64`.
pub(crate) fn platform() -> String {
    platform_of(std::env::consts::OS, std::env::consts::ARCH)
}

fn platform_of(os: &str, cpu: &str) -> String {
    let os = match os {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    format!("{os}-{}", cpu.replace('_', "-"))
}

/// A library of a JVM, to be looked into with `jar --list`.
pub(crate) fn list(maven: &Maven, archive: &Path) -> Result<Vec<String>> {
    let mut jar = maven.jdk("jar");
    let listed = crate::process::answer(jar.arg("--list").arg("--file").arg(archive))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::platform_of;

    #[test]
    fn platforms_have_the_names_that_the_loader_looks_for() {
        assert_eq!(platform_of("linux", "x86_64"), "linux-x86-64");
        assert_eq!(platform_of("macos", "aarch64"), "darwin-aarch64");
        assert_eq!(platform_of("windows", "x86_64"), "win32-x86-64");
    }
}
