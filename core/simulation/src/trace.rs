//! What happened, a line for each event: the same script gives the same bytes.

use std::fmt::{self, Write as _};

use crate::clock::MS;

/// Lines, where somebody wants them.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<String>);

impl Trace {
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(String::new))
    }

    /// A line at `real`. `what` is made only where it is wanted.
    pub(crate) fn line(&mut self, real: u64, what: fmt::Arguments<'_>) {
        if let Some(text) = &mut self.0 {
            let _ = writeln!(text, "{:>8}.{:06} ms  {what}", real / MS, real % MS);
        }
    }

    pub(crate) fn take(&mut self) -> String {
        self.0.take().unwrap_or_default()
    }
}
