//! Pages of endpoints and deliveries, by cursor, as all lists of the data port are.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::LINK;
use serde_json::{Value, json};

use crate::call::Call;
use crate::parameter::{cursor_text, page_limit};
use crate::problem::Problem;
use crate::records::link;
use crate::reply::Reply;

/// A page that is asked for.
pub(super) struct Page {
    /// The number of the last one of the page before.
    pub(super) after: u64,
    pub(super) limit: usize,
    list: &'static str,
}

impl Page {
    /// Of the list of this name.
    pub(super) fn asked_for(call: &Call, list: &'static str) -> Result<Self, Problem> {
        let limit = page_limit(call.parameter("limit").as_deref())?;
        let after = match call.parameter("cursor") {
            None => 0,
            Some(text) => number_in(&text, list).ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_cursor",
                    "the cursor was not made by this list; start again without one",
                )
            })?,
        };
        Ok(Self { after, limit, list })
    }

    /// The page of these, each with its number; one more than the limit means that there are more.
    pub(super) fn reply(&self, call: &Call, mut items: Vec<(u64, Value)>) -> Reply {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().map(|(number, _)| *number).filter(|_| more);
        let cursor = last.map(|number| URL_SAFE_NO_PAD.encode(format!("{}:{number}", self.list)));
        let data: Vec<Value> = items.into_iter().map(|(_, value)| value).collect();
        let body = json!({ "data": data, "next_cursor": cursor, "has_more": more });
        let reply = Reply::json(StatusCode::OK, &body);
        match cursor {
            Some(cursor) => {
                let query = call.parts.uri.query().unwrap_or("");
                reply.with_text(LINK, link(&call.own_url(), query, &cursor))
            }
            None => reply,
        }
    }
}

fn number_in(cursor: &str, list: &str) -> Option<u64> {
    let text = cursor_text(cursor)?;
    text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
}
