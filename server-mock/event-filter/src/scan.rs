//! Reads the small things a filter is made of, and says at which character something else was expected.

use crate::error::FilterError;

/// A place in the text of a filter.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    /// In bytes, always between two characters.
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn place(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    /// Goes over blanks and line ends.
    pub(crate) fn skip_blanks(&mut self) {
        let trimmed = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - trimmed.len();
    }

    /// Takes `sign`, if it is what comes.
    pub(crate) fn take(&mut self, sign: &str) -> bool {
        let comes = self.rest().starts_with(sign);
        if comes {
            self.at += sign.len();
        }
        comes
    }

    /// Takes `word`, if it is the whole of the word that comes.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.word() == word && self.take(word)
    }

    /// The letters, digits and underscores that come.
    pub(crate) fn word(&self) -> &'t str {
        self.run(|char| char.is_ascii_alphanumeric() || char == '_')
    }

    /// As much of what comes as `fits`.
    pub(crate) fn run(&self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|char| !fits(char)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }

    /// Takes as much of what comes as `fits`.
    pub(crate) fn take_run(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let run = self.run(fits);
        self.at += run.len();
        run
    }

    /// That something else was expected here.
    pub(crate) fn expected(&self, expected: impl Into<String>) -> FilterError {
        self.expected_at(self.at, expected)
    }

    /// That something else was expected at `place`.
    pub(crate) fn expected_at(&self, place: usize, expected: impl Into<String>) -> FilterError {
        let before = self.text.get(..place).unwrap_or(self.text);
        let there = Self {
            text: self.text,
            at: place,
        };
        let word: String = there.word().chars().take(20).collect();
        let found = match there.peek() {
            None => "the end of the filter".into(),
            Some(_) if !word.is_empty() => format!("`{word}`"),
            Some(char) if char.is_control() => format!("`{}`", char.escape_default()),
            Some(char) => format!("`{char}`"),
        };
        FilterError {
            at: before.chars().count() + 1,
            expected: expected.into(),
            found,
        }
    }
}

/// Whether a name can stand after a dot.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(begins_name) && chars.all(goes_on_name)
}

pub(crate) fn begins_name(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

pub(crate) fn goes_on_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-'
}
