//! What is printed: text for people, or one JSON value a line. A pipe that was closed is no error.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use serde_json::Value;

/// Standard output, in one of the two forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Says one thing, in the form that was asked for.
    pub(crate) fn say(self, people: impl fmt::Display, scripts: &Value) -> io::Result<()> {
        if self.json {
            self.text(scripts)
        } else {
            self.text(people)
        }
    }

    /// A text as it is, on a line of its own.
    pub(crate) fn text(self, text: impl fmt::Display) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            // Whoever read has seen enough: `gatewright … | head -1`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}

/// An error or a note, which is no output.
pub(crate) fn complain(what: impl fmt::Display) {
    // Where even standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "gatewright: {what}");
}
