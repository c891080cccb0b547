//! A token store in a file that its owner alone can read.
//!
//! | File | What it is |
//! |---|---|
//! | `PATH` | the tokens as JSON, mode 0600; replaced whole |
//! | `PATH.lock` | an empty file whose advisory lock a refresh holds; the system gives it back when the process ends |
//! | `PATH.new` | what is about to become `PATH`; left over only by a crash, and overwritten by the next save |

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_engine::oauth::TokenSet;
use zeroize::Zeroizing;

use super::{StoreLock, TokenStore};
use crate::body::BoxError;
use crate::runtime::BoxFuture;

/// No token set is larger.
const MOST_BYTES: u64 = 1024 * 1024;

/// Keeps tokens in a file. Processes that share it refresh one at a time. On Unix the file is refused where others than its owner can read
/// or write it; on Windows it has the rights of its folder.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
    /// Advisory locks are per process on some systems: within this one, this is the lock.
    here: Arc<Mutex<bool>>,
}

/// Both locks.
struct Held {
    here: Arc<Mutex<bool>>,
    // Given back by being closed.
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.here.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl FileStore {
    /// A store at `path`. Its folder must be there; the file need not.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            here: Arc::default(),
        }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self
            .path
            .file_name()
            .map_or_else(OsString::new, OsString::from);
        name.push(end);
        self.path.with_file_name(name)
    }

    fn read(&self) -> Result<Option<TokenSet>, BoxError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("cannot be read", &self.path, &error)),
        };
        check_rights(&file, &self.path)?;
        let mut text = Zeroizing::new(String::new());
        file.take(MOST_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| failed("cannot be read", &self.path, &error))?;
        let tokens = TokenSet::from_json(&text)
            .map_err(|error| format!("the token file {}: {error}", self.path.display()))?;
        Ok(Some(tokens))
    }

    fn write(&self, tokens: &TokenSet) -> Result<(), BoxError> {
        let new = self.beside(".new");
        let write = || -> io::Result<()> {
            // Made anew, so that nobody has it open or has put a link there.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private(&mut OpenOptions::new())
                .create_new(true)
                .open(&new)?;
            file.write_all(tokens.to_json().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_folder(&self.path)
        };
        write().map_err(|error| failed("cannot be written", &self.path, &error))
    }

    fn try_lock(&self) -> Result<Option<StoreLock>, BoxError> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        if *here {
            return Ok(None);
        }
        let path = self.beside(".lock");
        let file = private(&mut OpenOptions::new())
            .create(true)
            .open(&path)
            .map_err(|error| failed("cannot be locked", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                *here = true;
                Ok(Some(StoreLock::new(Held {
                    here: Arc::clone(&self.here),
                    _file: file,
                })))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("cannot be locked", &path, &error)),
        }
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> BoxError {
    format!("the token file {} {what}: {error}", path.display()).into()
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.write(true)
}

#[cfg(unix)]
fn check_rights(file: &File, path: &Path) -> Result<(), BoxError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file
        .metadata()
        .map_err(|error| failed("cannot be read", path, &error))?;
    if !metadata.is_file() {
        return Err(format!("the token file {} is no file", path.display()).into());
    }
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "the token file {} can be read or written by others (mode {:o}); chmod 600 it, and log in anew if they may have read it",
            path.display(),
            mode & 0o777
        )
        .into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_rights(_: &File, _: &Path) -> Result<(), BoxError> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

impl TokenStore for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
        Box::pin(std::future::ready(self.read()))
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(std::future::ready(self.write(tokens)))
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("cannot be removed", &self.path, &error))
            }
            _ => Ok(()),
        };
        Box::pin(std::future::ready(removed))
    }

    fn lock(&self) -> BoxFuture<'_, Result<Option<StoreLock>, BoxError>> {
        Box::pin(std::future::ready(self.try_lock()))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn store(name: &str) -> FileStore {
        let folder = std::env::temp_dir().join(format!(
            "gatewright-token-store-{}-{name}",
            std::process::id()
        ));
        fs::create_dir_all(&folder).unwrap();
        FileStore::new(folder.join("tokens.json"))
    }

    #[test]
    fn what_is_saved_is_read_and_is_the_owners_alone() {
        let store = store("saved");
        assert!(store.read().unwrap().is_none());
        for token in ["a1", "a2"] {
            store.write(&TokenSet::new(token)).unwrap();
            assert_eq!(store.read().unwrap().unwrap().access_token.expose(), token);
        }
        let mode = fs::metadata(&store.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!store.beside(".new").exists());
        fs::remove_dir_all(store.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let store = store("others");
        store.write(&TokenSet::new("canary-token")).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&store.path, fs::Permissions::from_mode(mode)).unwrap();
            let error = store.read().unwrap_err().to_string();
            assert!(
                error.contains("chmod 600") && !error.contains("canary"),
                "{error}"
            );
        }
        fs::remove_dir_all(store.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_a_crash_left_behind_is_overwritten() {
        let store = store("crash");
        fs::write(store.beside(".new"), "half").unwrap();
        store.write(&TokenSet::new("a1")).unwrap();
        assert!(store.read().unwrap().is_some());
        fs::write(&store.path, "{\"canary\"").unwrap();
        let error = store.read().unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
        fs::remove_dir_all(store.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let (first, second) = (store("lock"), store("lock"));
        let held = first.try_lock().unwrap().unwrap();
        assert!(first.try_lock().unwrap().is_none());
        assert!(second.try_lock().unwrap().is_none());
        drop(held);
        assert!(second.try_lock().unwrap().is_some());
        fs::remove_dir_all(first.path.parent().unwrap()).unwrap();
    }
}
