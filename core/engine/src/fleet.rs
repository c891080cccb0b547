//! One quota for any number of processes: the part of it that one process has.

mod state;

pub use state::{ShareMode, ShareState};
