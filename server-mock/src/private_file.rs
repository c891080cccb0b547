//! Files with tokens and secrets are made so that only their owner reads them.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// Makes an empty file with the mode 0600, if there is none; one that is there keeps its mode. SQLite gives what it
/// makes beside a database the database's mode. On Windows a file has the permissions of its folder.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
