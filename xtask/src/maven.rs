//! Java and Maven for the tasks: those of this machine, or Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::apt::{install, may_install};
use crate::process::answer;
use crate::workspace::Workspace;

/// The oldest Java that builds the packages.
const OLDEST_JAVA: u32 = 17;

/// The variable that names Maven.
const VARIABLE: &str = "GATEWRIGHT_MAVEN";
const PACKAGES: &[&str] = &["maven", "openjdk-17-jdk-headless"];

/// A Maven with its JDK, and a local repository of these tasks' own.
pub(crate) struct Maven {
    program: PathBuf,
    version: String,
    java_home: PathBuf,
    java_version: String,
    repository: PathBuf,
}

impl Maven {
    /// What `GATEWRIGHT_MAVEN` names, or `mvn`; where there is none, or none with a JDK, it is installed if that can be
    /// done. An error says what to do.
    pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Self> {
        // What is installed into it is of this target folder, and no user's own repository has anything of it.
        let repository = workspace.scratch("m2");
        let ask = |program: &Path| Self::ask(program, repository.clone());
        if let Some(named) = std::env::var_os(VARIABLE) {
            return ask(Path::new(&named)).map_err(|error| format!("{VARIABLE}: {error}").into());
        }
        let program = Path::new("mvn");
        let why = match ask(program) {
            Ok(found) => return Ok(found),
            Err(why) => why,
        };
        if !may_install() {
            let packages = PACKAGES.join(" ");
            return Err(format!(
                "{why}: install Maven and a JDK of {OLDEST_JAVA} or newer (on Debian: apt-get install {packages}), \
                 or name a Maven in {VARIABLE}"
            )
            .into());
        }
        install(&why.to_string(), PACKAGES)?;
        ask(program)
    }

    fn ask(program: &Path, repository: PathBuf) -> Result<Self> {
        let said = answer(Command::new(program).args(["--batch-mode", "-version"]))?;
        Self::read(program, &said, repository)
    }

    fn read(program: &Path, said: &str, repository: PathBuf) -> Result<Self> {
        let name = program.display();
        let none = || format!("{name} is no Maven: it said {said:?}");
        let (_, version) = said.split_once("Apache Maven ").ok_or_else(none)?;
        let (_, java) = said.split_once("Java version: ").ok_or_else(none)?;
        let (_, home) = said.split_once("runtime: ").ok_or_else(none)?;
        let word = |text: &str| {
            text.split([' ', ',', '\n', '\u{1b}'])
                .next()
                .map(str::to_owned)
        };
        let java_version = word(java).ok_or_else(none)?;
        let major = java_version.split('.').next().and_then(|n| n.parse().ok());
        if major.is_none_or(|major: u32| major < OLDEST_JAVA) {
            return Err(format!(
                "{name} runs with Java {java_version}; {OLDEST_JAVA} or newer is needed"
            )
            .into());
        }
        let java_home = PathBuf::from(home.lines().next().unwrap_or_default().trim());
        let javac = format!("bin/javac{}", std::env::consts::EXE_SUFFIX);
        if !java_home.join(javac).is_file() {
            return Err(format!("{name} runs with a Java that has no compiler").into());
        }
        Ok(Self {
            program: program.to_owned(),
            version: word(version).ok_or_else(none)?,
            java_home,
            java_version,
            repository,
        })
    }

    /// Maven for the project in a folder, which builds into another; goals and properties are added to it.
    pub(crate) fn command(&self, project: &Path, build: &Path) -> Command {
        let property = |name: &str, value: &Path| {
            let mut word = std::ffi::OsString::from(format!("-D{name}="));
            word.push(value);
            word
        };
        let mut command = Command::new(&self.program);
        command
            .current_dir(project)
            .args(["--batch-mode", "--no-transfer-progress"])
            // A compiler that stays behind would hold memory that other steps need.
            .arg("-Dkotlin.compiler.daemon=false")
            .arg(property("maven.repo.local", &self.repository))
            .arg(property("buildDirectory", build));
        command
    }

    /// Whether an artifact (`group:name:version`) can be had. Those of Google's own repository cannot be everywhere: a
    /// project that names that repository itself would not build where a mirror is used in its place.
    pub(crate) fn resolves(&self, artifact: &str) -> bool {
        let mut command = Command::new(&self.program);
        command
            .args(["--batch-mode", "--quiet", "--no-transfer-progress"])
            .arg("dependency:get")
            .arg(format!("-Dartifact={artifact}"))
            .arg("-Dtransitive=false")
            .arg(format!("-Dmaven.repo.local={}", self.repository.display()));
        answer(&mut command).is_ok()
    }

    /// The Java that Maven runs with.
    pub(crate) fn java(&self) -> Command {
        self.jdk("java")
    }

    /// A program of the JDK.
    pub(crate) fn jdk(&self, name: &str) -> Command {
        Command::new(self.java_home.join("bin").join(name))
    }

    /// `JDK 17.0.15, Maven 3.8.7`.
    pub(crate) fn versions(&self) -> String {
        format!("JDK {}, Maven {}", self.java_version, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(said: &str) -> Result<Maven> {
        Maven::read(Path::new("mvn"), said, PathBuf::new())
    }

    #[test]
    fn an_old_java_is_refused() {
        let said = "Apache Maven 3.9.9 (8e8579a9)\nMaven home: /m\nJava version: 11.0.2, vendor: Eclipse, runtime: /j\n";
        assert_eq!(
            read(said).err().unwrap().to_string(),
            "mvn runs with Java 11.0.2; 17 or newer is needed"
        );
    }

    #[test]
    fn a_java_without_a_compiler_is_refused() {
        let said = "Apache Maven 3.9.9\nJava version: 21, vendor: Eclipse, runtime: /no/jdk\n";
        assert_eq!(
            read(said).err().unwrap().to_string(),
            "mvn runs with a Java that has no compiler"
        );
    }

    #[test]
    fn what_is_no_maven_is_said() {
        assert_eq!(
            read("mvn 1").err().unwrap().to_string(),
            "mvn is no Maven: it said \"mvn 1\""
        );
    }
}
