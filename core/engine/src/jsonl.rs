//! Cuts a stream of JSON lines (JSONL, NDJSON) into its lines: bytes in, lines of text out. What a line says is for the caller.
//!
//! | State | Event | Next | Test |
//! |---|---|---|---|
//! | at the start | a byte order mark | within a line; the mark is dropped | `lines_are_the_same_however_the_bytes_are_cut` |
//! | within a line | any other byte | within a line | `lines_are_the_same_however_the_bytes_are_cut` |
//! | within a line | LF, CR LF | the line is out; one of nothing but blanks is passed over | `lines_are_the_same_however_the_bytes_are_cut` |
//! | within a line | it is larger than the limit | broken | `a_line_cannot_grow_without_bound` |
//! | line read | it is not UTF-8 | broken | `what_is_not_utf_8_is_an_error_that_says_where` |
//! | within a line | the stream is complete | its last line is out, marked as one without an end | `the_last_line_needs_no_end` |
//! | within a line | the stream broke off | over: what came of the line is nothing | `a_line_that_is_broken_off_is_no_line` |
//!
//! A CR inside a line stays: JSON knows it as white space.

use std::collections::VecDeque;
use std::fmt;

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text. Not empty.
    pub text: String,
    /// Which line of the stream it is, blank ones counted; 1 for the first.
    pub number: u64,
    /// A line end came after it. The last line of a stream may lack it.
    pub ended: bool,
}

/// A line that cannot be read. Nothing can be read after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is larger than the limit.
    TooLong {
        /// Which line; 1 for the first.
        number: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is not UTF-8.
    NotUtf8 {
        /// Which line; 1 for the first.
        number: u64,
        /// The first byte of it that is not, counted from 1.
        column: usize,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { number, limit } => {
                write!(f, "line {number} is longer than {limit} bytes")
            }
            Self::NotUtf8 { number, column } => {
                write!(f, "line {number} is not UTF-8 from its byte {column} on")
            }
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Takes bytes as they come, gives lines.
#[derive(Debug)]
pub struct LineParser {
    limit: usize,
    line: Vec<u8>,
    number: u64,
}

impl LineParser {
    /// A parser for one stream. Lines of more than `limit` bytes are refused.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            number: 1,
        }
    }

    /// Reads what came, and puts the lines that are complete to the end of `lines`.
    ///
    /// # Errors
    /// Where a line cannot be read. What came before it is in `lines`; nothing more is to be read.
    pub fn push(&mut self, mut bytes: &[u8], lines: &mut VecDeque<Line>) -> Result<(), LineError> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (piece, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            self.extend(piece)?;
            self.end_line(true, lines)?;
        }
        self.extend(bytes)
    }

    /// The stream is complete: its last line may lack an end.
    ///
    /// # Errors
    /// Where that line is not UTF-8.
    pub fn finish(&mut self, lines: &mut VecDeque<Line>) -> Result<(), LineError> {
        self.end_line(false, lines)
    }

    /// The line that is being read; 1 for the first.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Something came of a line whose end did not come yet.
    #[must_use]
    pub fn is_within_line(&self) -> bool {
        !self.line.iter().all(u8::is_ascii_whitespace)
    }

    fn extend(&mut self, piece: &[u8]) -> Result<(), LineError> {
        // One more for the CR, which is no part of the line.
        if self.line.len().saturating_add(piece.len()) > self.limit.saturating_add(1) {
            return Err(self.too_long());
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    const fn too_long(&self) -> LineError {
        LineError::TooLong {
            number: self.number,
            limit: self.limit,
        }
    }

    fn end_line(&mut self, ended: bool, lines: &mut VecDeque<Line>) -> Result<(), LineError> {
        let number = self.number;
        let mut bytes = self.line.as_slice();
        if number == 1 {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() > self.limit {
            return Err(self.too_long());
        }
        let text = std::str::from_utf8(bytes).map_err(|why| LineError::NotUtf8 {
            number,
            column: why.valid_up_to().saturating_add(1),
        })?;
        if !text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            lines.push_back(Line {
                text: text.to_owned(),
                number,
                ended,
            });
        }
        self.number = number.saturating_add(1);
        // The room is used again.
        self.line.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: usize) -> (Vec<(u64, String, bool)>, LineParser) {
        let mut parser = LineParser::new(1 << 20);
        let mut lines = VecDeque::new();
        for piece in bytes.chunks(size) {
            parser.push(piece, &mut lines).unwrap();
        }
        let told = lines
            .into_iter()
            .map(|line| (line.number, line.text, line.ended));
        (told.collect(), parser)
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_are_cut() {
        let stream = "\u{feff}{\"a\":1}\r\n\r\n  \n{\"ü\":\"\u{1F600}\"}\n[1,\r2]\n3";
        let expected = [
            (1, "{\"a\":1}".to_owned(), true),
            (4, "{\"ü\":\"\u{1F600}\"}".to_owned(), true),
            (5, "[1,\r2]".to_owned(), true),
        ];
        for size in 1..=stream.len() {
            let (lines, parser) = read(stream.as_bytes(), size);
            assert_eq!(lines, expected, "pieces of {size}");
            assert!(parser.is_within_line());
            assert_eq!(parser.number(), 6);
        }
    }

    #[test]
    fn the_last_line_needs_no_end() {
        for (stream, last) in [("1\n2", Some("2")), ("1\n2\r", Some("2")), ("1\n", None)] {
            let (_, mut parser) = read(stream.as_bytes(), 100);
            let mut lines = VecDeque::new();
            parser.finish(&mut lines).unwrap();
            let told = lines.pop_front();
            assert_eq!(told.as_ref().map(|line| line.text.as_str()), last);
            assert!(told.is_none_or(|line| !line.ended && line.number == 2));
        }
    }

    #[test]
    fn a_line_that_is_broken_off_is_no_line() {
        let (lines, parser) = read(b"{\"a\":1}\n{\"a\":", 100);
        assert_eq!(lines.len(), 1);
        assert!(parser.is_within_line());
        let (_, parser) = read(b"{\"a\":1}\n \r", 100);
        assert!(!parser.is_within_line());
    }

    #[test]
    fn what_is_not_utf_8_is_an_error_that_says_where() {
        let mut parser = LineParser::new(100);
        let mut lines = VecDeque::new();
        let error = parser.push(b"1\n\"a\xff\"\n3\n", &mut lines).unwrap_err();
        assert_eq!(
            error,
            LineError::NotUtf8 {
                number: 2,
                column: 3
            }
        );
        assert_eq!(error.to_string(), "line 2 is not UTF-8 from its byte 3 on");
        assert_eq!(lines.len(), 1, "what came before it is there");
        // A character that the end of the stream cuts.
        let mut parser = LineParser::new(100);
        parser.push(b"\"\xc3", &mut lines).unwrap();
        assert_eq!(
            parser.finish(&mut lines),
            Err(LineError::NotUtf8 {
                number: 1,
                column: 2
            })
        );
    }

    #[test]
    fn a_line_cannot_grow_without_bound() {
        for (stream, fits) in [
            (&b"0123456789\n"[..], true),
            (b"0123456789\r\n", true),
            (b"01234567890\n", false),
            (b"0123456789012", false),
            (b"1\n0123456789012", false),
        ] {
            let mut lines = VecDeque::new();
            let read = LineParser::new(10).push(stream, &mut lines);
            assert_eq!(read.is_ok(), fits, "{}", String::from_utf8_lossy(stream));
        }
        // Many lines are no long line.
        let mut parser = LineParser::new(10);
        let mut lines = VecDeque::new();
        for _ in 0..1000 {
            parser.push(b"12345678\n", &mut lines).unwrap();
        }
        assert_eq!(lines.len(), 1000);
    }
}
