//! Reads a stream of server-sent events (WHATWG HTML, "9.2.6 Interpreting an event stream"): bytes in, events out.
//!
//! | State | Byte or line | Next |
//! |---|---|---|
//! | at the start | a byte order mark | within a line; the mark is dropped |
//! | within a line | any other byte | within a line |
//! | within a line | LF, CR, CR LF | the line is read |
//! | line read | `data`, `event`, `id`, `retry` | its field is kept for the event to come |
//! | line read | a comment, an unknown field | nothing is kept |
//! | line read | an empty line | the event is out, where it has data; its id stays for the next |
//!
//! What is unfinished when the stream ends is not an event.

use std::collections::VecDeque;
use std::time::Duration;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What kind of event it is; `message` where the server did not say.
    pub kind: String,
    /// Its data; lines are joined by a line feed.
    pub data: String,
    /// The id of the last event that had one, this included; empty where there was none.
    pub id: String,
}

/// An event, or a line, is larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Takes bytes as they come, gives events.
#[derive(Debug)]
pub struct EventParser {
    limit: usize,
    line: Vec<u8>,
    /// A CR ended the last line: a LF that follows belongs to it.
    after_cr: bool,
    /// The first line was read.
    begun: bool,
    kind: String,
    data: String,
    has_data: bool,
    id: String,
    last_id: String,
    retry: Option<Duration>,
}

impl EventParser {
    /// A parser for one connection. Lines and events of more than `limit` bytes are refused.
    #[must_use]
    pub fn new(limit: usize, last_id: &str) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            begun: false,
            kind: String::new(),
            data: String::new(),
            has_data: false,
            id: last_id.to_owned(),
            last_id: last_id.to_owned(),
            retry: None,
        }
    }

    /// The id to go on from, as `Last-Event-ID`; empty where there was none.
    #[must_use]
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// How long to wait before connecting again, where the server said so on this connection.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Reads what came, and puts the events that are complete to the end of `events`.
    ///
    /// # Errors
    /// Where an event is too large. What came before it is in `events`; nothing more is to be read.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut VecDeque<Event>,
    ) -> Result<(), EventTooLarge> {
        if self.after_cr {
            if let Some(rest) = bytes.strip_prefix(b"\n") {
                bytes = rest;
                self.after_cr = false;
            } else if !bytes.is_empty() {
                self.after_cr = false;
            }
        }
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.make_room(piece.len())?;
            self.line.extend_from_slice(piece);
            bytes = match rest {
                [] => rest,
                [b'\r', b'\n', rest @ ..] => {
                    self.end_line(events)?;
                    rest
                }
                [end, rest @ ..] => {
                    self.after_cr = *end == b'\r' && rest.is_empty();
                    self.end_line(events)?;
                    rest
                }
            };
        }
        Ok(())
    }

    fn make_room(&self, more: usize) -> Result<(), EventTooLarge> {
        let size = self.line.len() + self.data.len();
        if size.saturating_add(more) > self.limit {
            return Err(EventTooLarge { limit: self.limit });
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut VecDeque<Event>) -> Result<(), EventTooLarge> {
        let line = std::mem::take(&mut self.line);
        let mut bytes = line.as_slice();
        if !std::mem::replace(&mut self.begun, true) {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        if bytes.is_empty() {
            self.dispatch(events);
        } else {
            self.field(&String::from_utf8_lossy(bytes))?;
        }
        // The room is used again.
        self.line = line;
        self.line.clear();
        Ok(())
    }

    fn field(&mut self, line: &str) -> Result<(), EventTooLarge> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                // What is not UTF-8 grows when it is replaced.
                if self.data.len() + value.len() > self.limit {
                    return Err(EventTooLarge { limit: self.limit });
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.kind),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                // More digits than fit are a time without end.
                let milliseconds = value.parse().unwrap_or(u64::MAX);
                self.retry = Some(Duration::from_millis(milliseconds));
            }
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, events: &mut VecDeque<Event>) {
        self.id.clone_into(&mut self.last_id);
        let kind = std::mem::take(&mut self.kind);
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.has_data) {
            return;
        }
        events.push_back(Event {
            kind: if kind.is_empty() {
                "message".to_owned()
            } else {
                kind
            },
            data,
            id: self.last_id.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 1 << 20;

    /// All events, from these bytes in pieces of `size`.
    fn read(bytes: &[u8], size: usize) -> (Vec<(String, String, String)>, EventParser) {
        let mut parser = EventParser::new(ROOM, "");
        let mut events = VecDeque::new();
        for piece in bytes.chunks(size) {
            parser.push(piece, &mut events).unwrap();
        }
        let told = events
            .into_iter()
            .map(|event| (event.kind, event.data, event.id));
        (told.collect(), parser)
    }

    fn event(kind: &str, data: &str, id: &str) -> (String, String, String) {
        (kind.to_owned(), data.to_owned(), id.to_owned())
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream = "\u{feff}: hello\r\nid: 1\r\ndata: first\r\n\r\ndata:second\rid\r\r\
            event: add\ndata: a\ndata\ndata:  c\nid: 7\n\ndata\n\ndata: ü\u{1F600}\nretry: 1500\n\ndata: unfinished";
        let expected = [
            event("message", "first", "1"),
            event("message", "second", ""),
            event("add", "a\n\n c", "7"),
            event("message", "", "7"),
            event("message", "ü\u{1F600}", "7"),
        ];
        for size in 1..=stream.len() {
            let (events, parser) = read(stream.as_bytes(), size);
            assert_eq!(events, expected, "pieces of {size}");
            assert_eq!(parser.last_id(), "7");
            assert_eq!(parser.retry(), Some(Duration::from_millis(1500)));
        }
    }

    #[test]
    fn an_id_counts_even_where_its_event_has_no_data() {
        let (events, parser) = read(b"id: 5\nevent: none\n\n", 3);
        assert!(events.is_empty());
        assert_eq!(parser.last_id(), "5");
        // Not before the empty line, though.
        let (_, parser) = read(b"id: 5\ndata: x\n\nid: 6\n", 3);
        assert_eq!(parser.last_id(), "5");
    }

    #[test]
    fn a_kind_is_for_one_event_only() {
        let (events, _) = read(
            b"event: a\n\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n",
            100,
        );
        let kinds: Vec<_> = events.iter().map(|(kind, ..)| kind.as_str()).collect();
        assert_eq!(kinds, ["message", "b", "message"]);
    }

    #[test]
    fn what_is_not_as_it_should_be_is_passed_over() {
        let (events, parser) = read(
            b"id: a\0b\nretry: 1s\nretry: -5\nretry:\nunknown: x\ndata : no\n:data: no\ndata: \xff\n\n",
            100,
        );
        assert_eq!(events, [event("message", "\u{fffd}", "")]);
        assert_eq!(parser.retry(), None);
        let (_, parser) = read(b"retry: 99999999999999999999999999\n", 100);
        assert_eq!(parser.retry(), Some(Duration::from_millis(u64::MAX)));
    }

    #[test]
    fn a_new_connection_goes_on_from_an_id() {
        let mut parser = EventParser::new(ROOM, "41");
        let mut events = VecDeque::new();
        parser.push(b"data: x\n\n", &mut events).unwrap();
        assert_eq!(events.pop_front().unwrap().id, "41");
        assert_eq!(parser.last_id(), "41");
    }

    #[test]
    fn an_event_cannot_grow_without_bound() {
        for (stream, fits) in [
            (&b"data: 0123456789\n\n"[..], true),
            (b"data: 01234567890123456789", false),
            (b"data: 0123456789\ndata: 01234", false),
            (b":01234567890123456789", false),
            (b"data: \xff\xff\xff\xff\xff\xff\xff\n\n", false),
        ] {
            let mut events = VecDeque::new();
            let read = EventParser::new(20, "").push(stream, &mut events);
            assert_eq!(read.is_ok(), fits, "{}", String::from_utf8_lossy(stream));
        }
        // Many events are no large event.
        let mut parser = EventParser::new(20, "");
        let mut events = VecDeque::new();
        for _ in 0..1000 {
            parser.push(b"data: 0123\n\n", &mut events).unwrap();
        }
        assert_eq!(events.len(), 1000);
    }
}
