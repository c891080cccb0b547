//! A stream of JSON lines (JSONL, NDJSON): a value from each line, as they come.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | to connect | the answer's head came | connected |
//! | to connect | the call failed | over; the caller is told |
//! | connected | lines came | connected |
//! | connected | the end, and a last line without an end that is a whole value | that value, then over |
//! | connected | the end in the middle of a value, a break, silence, a line that cannot be read | over; the caller is told |
//!
//! What is between two lines cannot be named, so a stream that breaks is not connected to again.

use std::collections::VecDeque;

use gatewright_engine::jsonl::LineParser;
use gatewright_engine::{ErrorKind, Instant, defaults};
use serde::de::DeserializeOwned;

pub use gatewright_engine::jsonl::Line;

use crate::Error;
use crate::request::RequestBuilder;
use crate::response::{Silence, StreamResponse};
use crate::timeout::{Setting, checked};

/// Values, one from each line. Dropping it closes the connection.
#[derive(Debug)]
pub struct JsonLines {
    state: State,
    idle_timeout: Setting,
    limit: usize,
    came: VecDeque<Line>,
    /// What ended the stream; told once the lines before it are taken.
    broke: Option<Error>,
    /// The answer, for errors about its lines.
    head: Option<Box<StreamResponse>>,
}

#[derive(Debug)]
enum State {
    Next(Box<RequestBuilder>),
    Connected(LineParser),
    Over,
}

impl RequestBuilder {
    /// The answer as a stream of JSON lines (`application/jsonl`, `application/x-ndjson`), a value from each. `timeout` bounds how long
    /// connecting may take; the stream itself may last for ever.
    pub fn json_lines(self) -> JsonLines {
        let request = self
            .header_default("accept", "application/jsonl, application/x-ndjson")
            .error_for_status(true);
        JsonLines {
            state: State::Next(Box::new(request)),
            idle_timeout: defaults::EVENTS_IDLE_TIMEOUT.into(),
            limit: defaults::MAX_LINE_BYTES,
            came: VecDeque::new(),
            broke: None,
            head: None,
        }
    }
}

impl JsonLines {
    /// Silence for longer than this is an error; a blank line keeps a stream alive. Default 60 s.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.idle_timeout = timeout.into();
        self
    }

    /// The longest line in bytes. Default 16 MiB.
    #[must_use]
    pub const fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// The next value, `None` at the end of the stream.
    ///
    /// # Errors
    /// As [`JsonLines::next_line`], and `decode` where a line is not the JSON expected; the error names the line. The next call goes on with
    /// the line after it.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        match self.next_line().await? {
            Some(line) => self.value(&line).map(Some),
            None => Ok(None),
        }
    }

    /// The value of a line of this stream.
    ///
    /// # Errors
    /// `decode` where it is not the JSON expected; the error names the line.
    pub fn value<T: DeserializeOwned>(&self, line: &Line) -> Result<T, Error> {
        serde_json::from_str(&line.text).map_err(|why| {
            let cut = if !line.ended && why.is_eof() {
                ", the last, which is broken off"
            } else {
                ""
            };
            // A place in the line, not in the text, which is one line only.
            let what = format!(
                "with a line that is not the JSON expected: line {}{cut}, column {}: {}",
                line.number,
                why.column(),
                category(&why)
            );
            self.error(ErrorKind::Decode, &what).caused_by(why)
        })
    }

    /// The next line as text, without its end, `None` at the end of the stream. For lines that are no JSON, such as `[DONE]`.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]; `protocol` where a line is longer than `max_line_bytes`, `decode` where it is not UTF-8,
    /// `connection_lost` or `timeout` where the stream broke or was silent for too long. What came of an unfinished line is no value.
    pub async fn next_line(&mut self) -> Result<Option<Line>, Error> {
        self.fill().await?;
        Ok(self.came.pop_front())
    }

    /// All lines that are there, at least one; none at the end of the stream.
    ///
    /// # Errors
    /// As [`JsonLines::next_line`].
    pub async fn next_batch(&mut self) -> Result<Vec<Line>, Error> {
        self.fill().await?;
        Ok(self.came.drain(..).collect())
    }

    /// An error about the answer, for callers that decode lines themselves: it names request, attempts and request id.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, what: &str) -> Error {
        match &self.head {
            Some(answer) => answer.error(kind, what),
            None => Error::new(kind, what),
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        while self.came.is_empty() {
            if let Some(broke) = self.broke.take() {
                return Err(broke);
            }
            match &mut self.state {
                State::Over => return Ok(()),
                State::Next(_) => self.connect().await?,
                State::Connected(parser) => {
                    let Some(answer) = &mut self.head else {
                        self.state = State::Over;
                        return Ok(());
                    };
                    let read = match answer.chunk().await {
                        Ok(Some(chunk)) => parser.push(&chunk, &mut self.came),
                        Ok(None) => {
                            let read = parser.finish(&mut self.came);
                            if read.is_ok() {
                                self.state = State::Over;
                            }
                            read
                        }
                        Err(why) => {
                            let mut parts = why.into_parts();
                            if parser.is_within_line() {
                                let number = parser.number();
                                parts.what.push_str(&format!(" (within line {number})"));
                            }
                            self.broke = Some(parts.into());
                            self.state = State::Over;
                            continue;
                        }
                    };
                    if let Err(why) = read {
                        let kind = match why {
                            gatewright_engine::jsonl::LineError::TooLong { .. } => {
                                ErrorKind::Protocol
                            }
                            gatewright_engine::jsonl::LineError::NotUtf8 { .. } => {
                                ErrorKind::Decode
                            }
                        };
                        self.broke =
                            Some(answer.error(kind, &format!("with JSON lines, but {why}")));
                        self.state = State::Over;
                    }
                }
            }
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let State::Next(request) = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(());
        };
        let idle_timeout = checked("idle_timeout", self.idle_timeout)?;
        let mut answer = request.stream().await?;
        answer.deadline = Instant::from_nanos(u64::MAX);
        answer.read_timeout = idle_timeout;
        answer.silence = Silence::IdleTimeout;
        self.head = Some(Box::new(answer));
        self.state = State::Connected(LineParser::new(self.limit));
        Ok(())
    }
}

/// What is wrong, without the place, which serde counts from the start of the line's text.
fn category(why: &serde_json::Error) -> String {
    let text = why.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}
