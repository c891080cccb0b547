//! Patterns with `*` and `?`, matched without recursion and without a table: a text of n characters and a pattern of m take n × m
//! steps at most, and nearly always n.

use std::str::Chars;

use crate::evaluate::{TooMuchWork, Work};

/// A pattern over a whole text: `*` is any number of characters, `?` is one, `\` takes the meaning from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    AnyNumber,
    Exactly(char),
    One,
}

impl Glob {
    /// Reads a pattern; every text is one. A `\` at its end stands for itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let piece = match char {
                '*' => Piece::AnyNumber,
                '?' => Piece::One,
                '\\' => Piece::Exactly(chars.next().unwrap_or('\\')),
                other => Piece::Exactly(other),
            };
            // Several in a row mean the same as one, and would only cost time.
            if piece != Piece::AnyNumber || pieces.last() != Some(&Piece::AnyNumber) {
                pieces.push(piece);
            }
        }
        Self {
            text: text.into(),
            pieces,
        }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` fits. A text too long for [`MAX_WORK`](crate::MAX_WORK) does not.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.fits(text, &mut Work::default()).unwrap_or(false)
    }

    /// Goes forward through both; where they part, the last `*` takes one character more.
    pub(crate) fn fits(&self, text: &str, work: &mut Work) -> Result<bool, TooMuchWork> {
        let mut rest = text.chars();
        let mut at = 0;
        let mut star: Option<(usize, Chars<'_>)> = None;
        loop {
            work.spend(1)?;
            match self.pieces.get(at) {
                Some(Piece::AnyNumber) => {
                    at += 1;
                    if at == self.pieces.len() {
                        return Ok(true);
                    }
                    star = Some((at, rest.clone()));
                    continue;
                }
                Some(Piece::One) => {
                    if rest.next().is_none() {
                        return Ok(false);
                    }
                    at += 1;
                    continue;
                }
                Some(Piece::Exactly(wanted)) => {
                    let mut ahead = rest.clone();
                    match ahead.next() {
                        None => return Ok(false),
                        Some(char) if char == *wanted => {
                            rest = ahead;
                            at += 1;
                            continue;
                        }
                        Some(_) => {}
                    }
                }
                None if rest.as_str().is_empty() => return Ok(true),
                None => {}
            }
            let Some((after, from)) = &mut star else {
                return Ok(false);
            };
            if from.next().is_none() {
                return Ok(false);
            }
            rest = from.clone();
            at = *after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("**", "x", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*c", "abc", true),
            ("*c", "abcd", false),
            ("a*c", "abcbc", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("*.created", "contact.created", true),
            ("*.created", "contact.updated", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"a\", r"a\", true),
            ("*aab", "aaaaab", true),
        ] {
            assert_eq!(Glob::new(pattern).is_match(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_ends() {
        let pattern = Glob::new(&"a*".repeat(120));
        let text = "a".repeat(100_000) + "b";
        assert!(pattern.is_match(&text));
        let never = Glob::new(&format!("{}c", "*a".repeat(120)));
        assert!(!never.is_match(&"a".repeat(100_000)));
    }
}
