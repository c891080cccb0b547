//! An export of JSON lines, with the irregularities that readers have to bear.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::call::Call;
use crate::problem::{Problem, invalid_parameter};
use crate::reply::{Body, Pieces, Reply};

pub(super) fn export(call: &Call) -> Result<Reply, Problem> {
    let number = |name: &str, default: u64, most: u64| match call.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| {
                invalid_parameter(name, format!("{name} must be a number up to {most}"))
            }),
    };
    let items = number("items", 10, 10_000_000)?;
    let pause = number("interval_ms", 0, 60_000)?;
    let end = match call.parameter("newline").as_deref() {
        Some("crlf") => "\r\n",
        _ => "\n",
    };
    let lines = Lines {
        next: number("after", 0, u64::MAX)?,
        items,
        end,
        blank: number("blank_every", 0, u64::MAX)?,
        bad: number("bad_at", 0, u64::MAX)?,
        last: call.parameter("last_newline").as_deref() != Some("false"),
    };
    let body = if pause == 0 {
        Body::pieces(lines)
    } else {
        Body::paced(lines, Duration::from_millis(pause))
    };
    let kind = HeaderValue::from_static("application/jsonl");
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, kind)
        .with_body(body))
}

/// `{"id":1,"name":"Item 1"}`, a line each.
struct Lines {
    next: u64,
    items: u64,
    end: &'static str,
    /// An empty line behind every so many; 0 for none.
    blank: u64,
    /// The item that is no JSON; 0 for none.
    bad: u64,
    /// Whether the last line ends.
    last: bool,
}

impl Pieces for Lines {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.next >= self.items {
            return None;
        }
        self.next += 1;
        let id = self.next;
        let mut text = if id == self.bad {
            String::from("{not json")
        } else {
            format!("{{\"id\":{id},\"name\":\"Item {id}\"}}")
        };
        if id < self.items || self.last {
            text.push_str(self.end);
        }
        if self.blank > 0 && id.is_multiple_of(self.blank) && id < self.items {
            text.push_str(self.end);
        }
        Some(text.into())
    }

    fn remaining(&self) -> Option<u64> {
        (self.next >= self.items).then_some(0)
    }
}
