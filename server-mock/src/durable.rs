//! State that outlives the process: what `--data FILE` keeps, and when an answer may leave.
//!
//! Memory is the working copy. Every hold of a session's lock that changed something kept hands its rows to one writer
//! thread, which commits whatever is waiting in one transaction and one `fsync` (group commit). An answer is held back
//! until all its session had written by then is on disk, so nobody ever sees what a crash could take back.
//!
//! | A session's memory | Meanwhile | Leaves by |
//! |---|---|---|
//! | as the file | answers leave at once | a change |
//! | ahead of the file | answers wait | the commit, or its failure |
//! | refused: a commit failed | answers are 507 or 503, and what is waiting is refused too | the next request reads the session anew from the file |
//!
//! Without `--data` there is no file, nothing is written as a row, and no answer waits. See decision 0038.

mod abort;
mod changes;
mod data_file;
mod keeps;
mod kept;
mod parts;
mod records;
mod snapshot;
mod trouble;
mod writer;

pub(crate) use abort::abort_at;
pub(crate) use changes::{Changes, Row, Rows, Value};
pub(crate) use data_file::DEFAULT_MAX_BYTES;
pub(crate) use keeps::{Keeps, Name, Touched, Written};
pub(crate) use kept::Kept;
pub(crate) use trouble::Trouble;
pub(crate) use writer::Store;
