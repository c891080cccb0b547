//! An export of JSON lines, with the irregularities that readers have to bear.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::call::Call;
use crate::parameter::whole;
use crate::problem::{Problem, invalid_parameter};
use crate::reply::{Body, Pieces, Reply};

/// The most items, and the longest pause before each, in real milliseconds.
pub(super) const MAX_ITEMS: u64 = 10_000_000;
pub(super) const MAX_PAUSE_MS: u64 = 60_000;

pub(super) fn export(call: &Call) -> Result<Reply, Problem> {
    let number = |name: &str, default: u64, most: u64| match call.parameter(name) {
        None => Ok(default),
        Some(text) => whole(name, &text, &(0..=most)),
    };
    let items = number("items", 10, MAX_ITEMS)?;
    let pause = number("interval_ms", 0, MAX_PAUSE_MS)?;
    let end = match call.parameter("newline").as_deref() {
        None | Some("lf") => "\n",
        Some("crlf") => "\r\n",
        Some(_) => return Err(invalid_parameter("newline", "newline must be lf or crlf")),
    };
    let last = match call.parameter("last_newline").as_deref() {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => {
            let detail = "last_newline must be true or false";
            return Err(invalid_parameter("last_newline", detail));
        }
    };
    let lines = Lines {
        next: number("after", 0, u64::MAX)?,
        items,
        end,
        blank: number("blank_every", 0, u64::MAX)?,
        bad: number("bad_at", 0, u64::MAX)?,
        last,
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
