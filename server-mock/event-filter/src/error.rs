//! Why a text is no filter: where, what was expected there, and what stood there.

use std::error::Error;
use std::fmt;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterError {
    /// The character at which it went wrong, counted from 1; one past the last where something is missing at the end.
    pub at: usize,
    /// What could have stood there.
    pub expected: String,
    /// What stood there.
    pub found: String,
}

impl FilterError {
    /// The filter with a caret below the character, on two lines.
    #[must_use]
    pub fn pointing(&self, text: &str) -> String {
        let line: String = text
            .chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .collect();
        let before = " ".repeat(self.at.saturating_sub(1));
        format!("{line}\n{before}^")
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            expected,
            found,
        } = self;
        write!(f, "character {at}: expected {expected}, found {found}")
    }
}

impl Error for FilterError {}
