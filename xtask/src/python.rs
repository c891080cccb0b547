//! Python for the tasks: the interpreter, venvs with pinned packages, and the wheel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{answer, quietly};
use crate::workspace::Workspace;

/// The oldest Python the package supports.
const OLDEST: (u32, u32) = (3, 10);
/// The newest Python looked for by name.
const NEWEST: (u32, u32) = (3, 15);

/// A Python that can make venvs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) path: PathBuf,
    /// Major and minor.
    pub(crate) version: (u32, u32),
    /// As it names itself: `3.11.7`.
    pub(crate) full_version: String,
}

impl Interpreter {
    /// What `GATEWRIGHT_PYTHON` names; otherwise `python3`, or where that is too old the newest `python3.N`.
    pub(crate) fn find() -> Result<Self> {
        if let Some(named) = std::env::var_os("GATEWRIGHT_PYTHON") {
            let found = Self::ask(Path::new(&named))
                .map_err(|error| format!("GATEWRIGHT_PYTHON: {error}"))?;
            if found.version < OLDEST {
                return Err(format!(
                    "GATEWRIGHT_PYTHON is Python {}; 3.10 or newer is needed",
                    found.full_version
                )
                .into());
            }
            return Ok(found);
        }
        let newest_first = (OLDEST.1..=NEWEST.1)
            .rev()
            .map(|minor| format!("python3.{minor}"));
        let mut names = ["python3".to_owned(), "python".to_owned()]
            .into_iter()
            .chain(newest_first);
        let usable = |name: String| {
            Self::ask(Path::new(&name))
                .ok()
                .filter(|found| found.version >= OLDEST)
        };
        names.find_map(usable).ok_or_else(|| {
            "no Python of 3.10 or newer was found; install one (on Debian: apt-get install python3 python3-venv), \
             or name it in GATEWRIGHT_PYTHON"
                .into()
        })
    }

    /// Every other supported Python that is installed, oldest first, one for each version.
    pub(crate) fn others(&self) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for minor in OLDEST.1..=NEWEST.1 {
            let name = format!("python3.{minor}");
            let mut places = vec![PathBuf::from(&name)];
            places.extend(pyenv_versions(minor));
            let wanted = |place: PathBuf| {
                Self::ask(&place)
                    .ok()
                    .filter(|found| found.version == (3, minor))
            };
            found.extend(places.into_iter().find_map(wanted));
        }
        found.retain(|other| other.version != self.version);
        found
    }

    fn ask(program: &Path) -> Result<Self> {
        let script = "import sys, platform; print(sys.version_info[0], sys.version_info[1], platform.python_version(), sys.executable)";
        let said = answer(Command::new(program).args(["-I", "-c", script]))?;
        Self::read(&said)
            .ok_or_else(|| format!("{} is no Python: it said {said:?}", program.display()).into())
    }

    fn read(said: &str) -> Option<Self> {
        let mut words = said.splitn(4, ' ');
        let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let full_version = words.next()?.to_owned();
        Some(Self {
            path: words.next()?.into(),
            version,
            full_version,
        })
    }
}

fn pyenv_versions(minor: u32) -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let entries = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let prefix = format!("3.{minor}.");
    let of_minor = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    of_minor
        .map(|entry| entry.path().join("bin/python3"))
        .collect()
}

/// A virtual environment.
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// A new venv with the packages of `requirements`; one that was there is deleted.
    pub(crate) fn fresh(
        workspace: &Workspace,
        python: &Interpreter,
        name: &str,
        requirements: &[&str],
    ) -> Result<Self> {
        let folder = workspace.scratch("venv").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent)?;
        }
        quietly(Command::new(&python.path).args(["-m", "venv"]).arg(&folder)).map_err(|error| {
            format!("{error}\nno venv could be made; on Debian: apt-get install python3-venv")
        })?;
        let venv = Self { folder };
        for name in requirements {
            let file = workspace.root.join("xtask").join(name);
            quietly(venv.pip_install().arg("--requirement").arg(file))?;
        }
        Ok(venv)
    }

    /// A venv that is kept as long as its requirements and its Python stay the same.
    pub(crate) fn kept(
        workspace: &Workspace,
        python: &Interpreter,
        name: &str,
        requirements: &str,
    ) -> Result<Self> {
        let folder = workspace.scratch("venv").join(name);
        let stamp_file = folder.join("made-of");
        let wanted = fs::read_to_string(workspace.root.join("xtask").join(requirements))?;
        let stamp = format!(
            "{} {}\n{wanted}",
            python.path.display(),
            python.full_version
        );
        if fs::read_to_string(&stamp_file).is_ok_and(|made_of| made_of == stamp) {
            return Ok(Self { folder });
        }
        let venv = Self::fresh(workspace, python, name, &[requirements])?;
        fs::write(stamp_file, stamp)?;
        Ok(venv)
    }

    /// Installs a wheel with what it depends on.
    pub(crate) fn install(&self, wheel: &Path) -> Result<()> {
        quietly(self.pip_install().arg("--force-reinstall").arg(wheel))
    }

    /// Installs packages by what a requirements file would say of them.
    pub(crate) fn install_named(&self, requirements: &[&str]) -> Result<()> {
        quietly(self.pip_install().args(requirements))
    }

    /// A command of the venv, with the venv activated.
    pub(crate) fn command(&self, name: &str) -> Command {
        let folder = self.programs();
        let mut command =
            Command::new(folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
        let mut path = vec![folder];
        path.extend(
            std::env::var_os("PATH")
                .iter()
                .flat_map(std::env::split_paths),
        );
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command
            .env("VIRTUAL_ENV", &self.folder)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        command
    }

    /// The venv's Python, as a command.
    pub(crate) fn python(&self) -> Command {
        self.command("python")
    }

    /// Where the venv's Python is.
    pub(crate) fn python_path(&self) -> PathBuf {
        self.programs()
            .join(format!("python{}", std::env::consts::EXE_SUFFIX))
    }

    fn programs(&self) -> PathBuf {
        self.folder
            .join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    fn pip_install(&self) -> Command {
        let mut command = self.python();
        command.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]);
        command
    }
}

/// Builds the wheel in release into a folder of xtask's own and tells where it is. maturin's output goes to the
/// terminal if `shown`.
pub(crate) fn build_wheel(
    workspace: &Workspace,
    python: &Interpreter,
    shown: bool,
) -> Result<PathBuf> {
    let out = workspace.scratch("wheel");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut maturin = maturin(workspace, python, "build")?;
    maturin
        .arg("--release")
        .arg("--interpreter")
        .arg(&python.path)
        .arg("--out")
        .arg(&out);
    crate::process::run(&mut maturin, shown)?;
    only_file(&out, "whl")
}

/// Builds the wheel of the gateway's program, which `gatewright[testing]` brings along, and tells where it is.
pub(crate) fn build_gateway_wheel(
    workspace: &Workspace,
    python: &Interpreter,
    profile: &str,
    shown: bool,
) -> Result<PathBuf> {
    let out = workspace.scratch("gateway-wheel");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut maturin = maturin_of(workspace, python, "build", "server-mock/Cargo.toml")?;
    maturin.args(["--profile", profile, "--out"]).arg(&out);
    crate::process::run(&mut maturin, shown)?;
    only_file(&out, "whl")
}

/// Builds the source distribution into `out`.
pub(crate) fn build_sdist(workspace: &Workspace, python: &Interpreter, out: &Path) -> Result<()> {
    crate::process::show(maturin(workspace, python, "sdist")?.arg("--out").arg(out))
}

fn maturin(workspace: &Workspace, python: &Interpreter, subcommand: &str) -> Result<Command> {
    maturin_of(workspace, python, subcommand, "bindings-python/Cargo.toml")
}

fn maturin_of(
    workspace: &Workspace,
    python: &Interpreter,
    subcommand: &str,
    manifest: &str,
) -> Result<Command> {
    let tools = Venv::kept(workspace, python, "build", "requirements-build.txt")?;
    let mut command = tools.command("maturin");
    command
        .arg(subcommand)
        .arg("--manifest-path")
        .arg(workspace.root.join(manifest));
    workspace.prepare_build(&mut command);
    Ok(command)
}

fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(format!(
            "expected one .{extension} in {}, found {}",
            folder.display(),
            files.len()
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_tells_its_version_and_place() {
        let read = Interpreter::read("3 14 3.14.0rc1 /opt/my python/bin/python3").unwrap();
        assert_eq!(read.version, (3, 14));
        assert_eq!(read.full_version, "3.14.0rc1");
        assert_eq!(read.path, Path::new("/opt/my python/bin/python3"));
    }

    #[test]
    fn the_gateway_that_tests_bring_along_is_of_the_same_version() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let project = fs::read_to_string(root.join("bindings-python/pyproject.toml")).unwrap();
        let wanted = format!(
            "testing = [\"gatewright-gateway=={}\"]",
            crate::npm_package::VERSION
        );
        assert!(project.contains(&wanted), "{wanted}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let read = Interpreter::read("3 9 3.9.18 /usr/bin/python3").unwrap();
        assert!(read.version < OLDEST);
    }

    #[test]
    fn what_is_no_python_is_none() {
        assert_eq!(Interpreter::read("Python was not found"), None);
    }
}
