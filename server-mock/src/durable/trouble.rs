//! What can go wrong with the data file, and what to do about it.

use std::fmt;
use std::io;

use http::StatusCode;

use crate::problem::Problem;

/// Why state could not be kept or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The disk, or the size the file may have, is used up.
    Full(String),
    /// Reading or writing failed.
    Failed(String),
    /// The disk has not answered for 30 s. What was handed in may yet be written.
    Slow,
    /// The gateway stops, or the session was dropped while the request was on its way.
    Gone,
}

impl Trouble {
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }

    /// What SQLite or a row says, without the advice.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Full(why) | Self::Failed(why) => why.clone(),
            Self::Slow => "it does not answer".into(),
            Self::Gone => "it was closed".into(),
        }
    }

    /// What the caller is answered.
    pub(crate) fn problem(&self) -> Problem {
        let (status, code) = match self {
            Self::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "storage_full"),
            Self::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage_failed"),
            Self::Slow => (StatusCode::SERVICE_UNAVAILABLE, "storage_slow"),
            Self::Gone => (StatusCode::SERVICE_UNAVAILABLE, "storage_gone"),
        };
        Problem::new(status, code, self.to_string()).retryable(!matches!(self, Self::Full(_)))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(why) => write!(
                f,
                "nothing was kept, because the data file has no room left ({why}); free some disk, start the gateway \
                 with a larger --data-max-mb, or make room by POST /admin/reset"
            ),
            Self::Failed(why) => write!(
                f,
                "nothing was kept, because the data file failed ({why}); look at the file of --data, then try again"
            ),
            Self::Slow => f.write_str(
                "the data file has not answered for 30 s; look at the disk, then send the request again with the same \
                 Idempotency-Key, by which it happens once",
            ),
            Self::Gone => {
                f.write_str("nothing was kept, because the session ended meanwhile; try again")
            }
        }
    }
}

/// An error of starting, said as it is.
pub(super) fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
