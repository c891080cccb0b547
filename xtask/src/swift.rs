//! Swift for the tasks: the `swift` of this machine, or one in a folder of its own that is made where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::answer;
use crate::swift_folder::SwiftFolder;
use crate::workspace::Workspace;

/// The oldest Swift the package supports.
const OLDEST: (u32, u32) = (6, 0);

/// The variable that names it.
const VARIABLE: &str = "GATEWRIGHT_SWIFT";

/// A Swift that builds packages and runs their programs.
pub(crate) struct Swift {
    place: Place,
    /// As it names itself: `6.0.3`.
    pub(crate) version: String,
}

enum Place {
    /// On this machine, under this path.
    Here(PathBuf),
    /// In a folder with a Debian of its own, which sees these folders of this machine.
    Folder {
        folder: SwiftFolder,
        shared: Vec<PathBuf>,
    },
}

impl Swift {
    /// What `GATEWRIGHT_SWIFT` names, or `swift`; where there is none, it is installed in a folder if that can be done.
    /// An error says what to do.
    pub(crate) fn find_or_install(workspace: &Workspace) -> Result<Self> {
        if let Some(named) = std::env::var_os(VARIABLE) {
            return Self::here(Path::new(&named))
                .map_err(|error| format!("{VARIABLE}: {error}").into());
        }
        // Others have programs of this name too.
        match Self::here(Path::new("swift")) {
            Ok(found) => Ok(found),
            Err(why) => Self::in_folder(workspace)
                .map_err(|error| format!("{error} ({why}), or name one in {VARIABLE}").into()),
        }
    }

    fn here(program: &Path) -> Result<Self> {
        let said = answer(Command::new(program).arg("--version"))?;
        let version = new_enough(&program.display().to_string(), &said)?;
        Ok(Self {
            place: Place::Here(program.to_owned()),
            version,
        })
    }

    fn in_folder(workspace: &Workspace) -> Result<Self> {
        let folder = SwiftFolder::find_or_make()?;
        let temporary = temporary(workspace);
        std::fs::create_dir_all(&temporary)?;
        let shared = [
            workspace.root.clone(),
            workspace.target.clone(),
            temporary,
            "/etc/hosts".into(),
            "/etc/resolv.conf".into(),
        ];
        let mut swift = Self {
            place: Place::Folder {
                folder,
                shared: shared.into_iter().filter(|path| path.exists()).collect(),
            },
            version: String::new(),
        };
        let said = answer(swift.command(Path::new("/")).arg("--version"))?;
        swift.version = new_enough("the Swift in its folder", &said)?;
        Ok(swift)
    }

    /// `swift`, to be run in a folder of the repository, of what is built, or of [`temporary`].
    pub(crate) fn command(&self, workdir: &Path) -> Command {
        match &self.place {
            Place::Here(swift) => {
                let mut command = Command::new(swift);
                command.current_dir(workdir);
                command
            }
            Place::Folder { .. } => self.program(Path::new("swift"), workdir),
        }
    }

    /// A program that Swift built, to be run where its libraries are.
    pub(crate) fn program(&self, program: &Path, workdir: &Path) -> Command {
        match &self.place {
            Place::Here(_) => {
                let mut command = Command::new(program);
                command.current_dir(workdir);
                command
            }
            Place::Folder { folder, shared } => {
                let mut command = folder.enter(workdir, shared);
                command.arg(program);
                command
            }
        }
    }

    /// Where it is, in words.
    pub(crate) fn place(&self) -> String {
        match &self.place {
            Place::Here(swift) => swift.display().to_string(),
            Place::Folder { folder, .. } => folder.path().display().to_string(),
        }
    }
}

/// A folder outside of the repository for projects that a user might have; this workspace's own.
pub(crate) fn temporary(workspace: &Workspace) -> PathBuf {
    crate::project::temporary(workspace).join("swift")
}

/// The version in what `swift --version` says, if the packages support it.
fn new_enough(name: &str, said: &str) -> Result<String> {
    let version = version(said).ok_or_else(|| format!("{name} is no Swift: it said {said:?}"))?;
    let mut numbers = version.split('.').map(|n| n.parse().unwrap_or(0));
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if number < OLDEST {
        let (major, minor) = OLDEST;
        return Err(
            format!("{name} is Swift {version}; {major}.{minor} or newer is needed").into(),
        );
    }
    Ok(version.to_owned())
}

/// `Swift version 6.0.3 (swift-6.0.3-RELEASE)`, and on a Mac with more in front.
fn version(said: &str) -> Option<&str> {
    let (_, version) = said.split_once("Swift version ")?;
    version.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_swift_says() {
        let linux = "Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-unknown-linux-gnu";
        let mac = "swift-driver version: 1.120.5 Apple Swift version 6.1.2 (swiftlang-6.1.2.1.2)";
        assert_eq!(new_enough("swift", linux).unwrap(), "6.0.3");
        assert_eq!(new_enough("swift", mac).unwrap(), "6.1.2");
    }

    #[test]
    fn another_program_of_that_name_is_no_swift() {
        assert_eq!(
            new_enough("swift", "python-swiftclient 4.1.0")
                .unwrap_err()
                .to_string(),
            "swift is no Swift: it said \"python-swiftclient 4.1.0\""
        );
    }

    #[test]
    fn an_old_swift_is_refused() {
        assert_eq!(
            new_enough("swift", "Swift version 5.10.1 (swift-5.10.1-RELEASE)")
                .unwrap_err()
                .to_string(),
            "swift is Swift 5.10.1; 6.0 or newer is needed"
        );
    }
}
