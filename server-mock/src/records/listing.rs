//! Lists of records: filtered, sorted and in pages. Records made or deleted meanwhile double none on the pages that follow.
//!
//! A cursor says where the page before ended: at which record, and in a sorted list at which value.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use http::header::LINK;
use serde_json::{Value, json};

use super::Asked;
use crate::op::Kind;
use crate::parameter::{cursor_text, page_limit};
use crate::problem::{Problem, invalid_parameter};
use crate::reply::Reply;
use crate::resource::{Collection, Record};
use crate::timestamp::{parse_rfc3339, rfc3339};

/// Characters of `q`.
pub(super) const MAX_SOUGHT_CHARS: usize = 500;
/// Parameters by which lists are filtered by time; `true` for those after it.
pub(super) const TIMES: [(&str, bool); 4] = [
    ("created_after", true),
    ("created_before", false),
    ("updated_after", true),
    ("updated_before", false),
];

/// All records of a kind.
pub(super) fn all(asked: &Asked, collection: &Collection) -> Result<Reply, Problem> {
    let page = Page::asked_for(asked)?;
    if page.sort.is_some() {
        return Ok(page.sorted(asked, collection.all()));
    }
    Ok(page.in_order(asked, collection.after(page.after)))
}

/// Some records of a kind, in order of creation.
pub(super) fn among(asked: &Asked, records: &[Arc<Record>]) -> Result<Reply, Problem> {
    let page = Page::asked_for(asked)?;
    if page.sort.is_some() {
        return Ok(page.sorted(asked, records.iter()));
    }
    let rest = records.iter().filter(|record| record.number > page.after);
    Ok(page.in_order(asked, rest))
}

/// What a list was asked for.
struct Page {
    limit: usize,
    filters: Vec<Filter>,
    sort: Option<Sort>,
    /// The number of the last record of the page before.
    after: u64,
    /// Its value in a sorted list.
    value: Value,
}

enum Filter {
    /// A field has this value, or this among its values.
    Is(String, String),
    /// A text of the record has this in it, whatever the case.
    Has(String),
    Time {
        updated: bool,
        later: bool,
        than_ns: u64,
    },
}

/// By what a list is sorted; records that are alike stay in order of creation.
struct Sort {
    name: String,
    descending: bool,
}

impl Page {
    fn asked_for(asked: &Asked) -> Result<Self, Problem> {
        let parameters: Vec<(String, String)> = url::form_urlencoded::parse(asked.query.as_bytes())
            .into_owned()
            .collect();
        let parameter = |name: &str| {
            let found = parameters.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let limit = page_limit(parameter("limit"))?;
        let kind = asked.kind;
        let mut filters = Vec::new();
        for name in kind.field_names() {
            if let Some(value) = parameter(name).filter(|_| kind.is_filter(name)) {
                kind.check_filter(name, value)
                    .map_err(|detail| invalid_parameter(name, format!("{name} {detail}")))?;
                filters.push(Filter::Is(name.into(), value.into()));
            }
        }
        for (name, later) in TIMES {
            if let Some(text) = parameter(name) {
                let than_ns = parse_rfc3339(text).ok_or_else(|| {
                    invalid_parameter(
                        name,
                        format!("{name} must be a time such as 2026-11-01T12:00:00Z"),
                    )
                })?;
                let updated = name.starts_with("updated");
                filters.push(Filter::Time {
                    updated,
                    later,
                    than_ns,
                });
            }
        }
        if let Some(text) = parameter("q") {
            if text.chars().count() > MAX_SOUGHT_CHARS {
                let detail = format!("q must be at most {MAX_SOUGHT_CHARS} characters");
                return Err(invalid_parameter("q", detail));
            }
            filters.push(Filter::Has(text.to_lowercase()));
        }
        let sort = parameter("sort")
            .map(|text| Sort::read(text, kind))
            .transpose()?;
        let (after, value) = match parameter("cursor") {
            None => (0, Value::Null),
            Some(text) => cursor_read(text, sort.as_ref(), kind).ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_cursor",
                    "the cursor was not made by this list; start again without one",
                )
            })?,
        };
        Ok(Self {
            limit,
            filters,
            sort,
            after,
            value,
        })
    }

    /// Whether a record passes all filters.
    fn wants(&self, kind: Kind, record: &Record) -> bool {
        self.filters.iter().all(|filter| match filter {
            Filter::Is(name, wanted) => match record.value(kind, name) {
                Some(Value::String(text)) => text == wanted,
                Some(Value::Number(number)) => number.to_string() == *wanted,
                Some(Value::Array(values)) => values.iter().any(|value| value == wanted),
                _ => false,
            },
            Filter::Has(part) => kind
                .field_names()
                .filter_map(|name| record.value(kind, name)?.as_str())
                .any(|text| text.to_lowercase().contains(part)),
            Filter::Time {
                updated,
                later,
                than_ns,
            } => {
                let at = if *updated {
                    record.updated_ns
                } else {
                    record.created_ns
                };
                if *later { at > *than_ns } else { at < *than_ns }
            }
        })
    }

    fn in_order<'a>(&self, asked: &Asked, rest: impl Iterator<Item = &'a Arc<Record>>) -> Reply {
        let mut rest = rest.filter(|record| self.wants(asked.kind, record));
        let records: Vec<_> = rest.by_ref().take(self.limit).collect();
        let more = rest.next().is_some();
        self.reply(asked, &records, more)
    }

    fn sorted<'a>(&self, asked: &Asked, all: impl Iterator<Item = &'a Arc<Record>>) -> Reply {
        let Some(sort) = &self.sort else {
            return self.in_order(asked, all);
        };
        let mut rest: Vec<_> = all
            .filter(|record| self.wants(asked.kind, record))
            .map(|record| (sort.value(asked.kind, record), record))
            .filter(|(value, record)| {
                self.after == 0
                    || sort
                        .order(value, &self.value)
                        .then(record.number.cmp(&self.after))
                        .is_gt()
            })
            .collect();
        let order = |a: &(Value, &Arc<Record>), b: &(Value, &Arc<Record>)| {
            sort.order(&a.0, &b.0).then(a.1.number.cmp(&b.1.number))
        };
        let more = rest.len() > self.limit;
        if more {
            // Only the page is sorted, not all that is left.
            rest.select_nth_unstable_by(self.limit, order);
            rest.truncate(self.limit);
        }
        rest.sort_unstable_by(order);
        let records: Vec<_> = rest.into_iter().map(|(_, record)| record).collect();
        self.reply(asked, &records, more)
    }

    fn reply(&self, asked: &Asked, records: &[&Arc<Record>], more: bool) -> Reply {
        let size: usize = records.iter().map(|record| record.json.len() + 1).sum();
        let mut text = Vec::with_capacity(64 + size);
        text.extend_from_slice(b"{\"data\":[");
        for (at, record) in records.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&asked.shown(record).0);
        }
        let last = records.last().filter(|_| more);
        let cursor = last.map(|last| cursor_written(last, self.sort.as_ref(), asked.kind));
        match &cursor {
            Some(cursor) => {
                text.extend_from_slice(format!("],\"next_cursor\":\"{cursor}\"").as_bytes())
            }
            None => text.extend_from_slice(b"],\"next_cursor\":null"),
        }
        text.extend_from_slice(format!(",\"has_more\":{more}}}").as_bytes());
        let reply = Reply::json_text(StatusCode::OK, Bytes::from(text));
        match cursor {
            Some(cursor) => reply.with_text(LINK, link(&asked.url, asked.query, &cursor)),
            None => reply,
        }
    }
}

impl Sort {
    /// `name`, or `-name` for the other way round.
    fn read(text: &str, kind: Kind) -> Result<Self, Problem> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        if !names(kind).any(|known| known == name) {
            let known: Vec<_> = names(kind).collect();
            return Err(invalid_parameter(
                "sort",
                format!(
                    "sort must be one of {}, with - before it for descending",
                    known.join(", ")
                ),
            ));
        }
        Ok(Self {
            name: name.into(),
            descending,
        })
    }

    fn value(&self, kind: Kind, record: &Record) -> Value {
        match self.name.as_str() {
            "created_at" => rfc3339(record.created_ns).into(),
            "updated_at" => rfc3339(record.updated_ns).into(),
            name => record.value(kind, name).cloned().unwrap_or_default(),
        }
    }

    /// Nothing comes before something, numbers by size, texts by their characters.
    fn order(&self, a: &Value, b: &Value) -> Ordering {
        let order = match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.as_u64().cmp(&b.as_u64()),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (a, b) => a.is_null().cmp(&b.is_null()).reverse(),
        };
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// What lists of a kind can be sorted by.
pub(super) fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    let plain = kind.field_names().filter(move |name| kind.is_plain(name));
    plain.chain(["created_at", "updated_at"])
}

fn cursor_written(last: &Record, sort: Option<&Sort>, kind: Kind) -> String {
    let id = kind.id(last.number);
    URL_SAFE_NO_PAD.encode(match sort {
        None => format!("after:{id}"),
        Some(sort) => {
            let value = sort.value(kind, last);
            json!([sort.name, sort.descending, value, id]).to_string()
        }
    })
}

/// The number and the value of the last record before, if the cursor is one of this list.
fn cursor_read(cursor: &str, sort: Option<&Sort>, kind: Kind) -> Option<(u64, Value)> {
    let text = cursor_text(cursor)?;
    let Some(sort) = sort else {
        let number = kind.number(text.strip_prefix("after:")?)?;
        return Some((number, Value::Null));
    };
    let (name, descending, value, id): (String, bool, Value, String) =
        serde_json::from_str(&text).ok()?;
    let number = kind.number(&id).filter(|number| *number > 0)?;
    (name == sort.name && descending == sort.descending).then_some((number, value))
}

/// The address of the next page as the caller would write it, without credentials.
pub(crate) fn link(address: &str, asked: &str, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(asked.as_bytes()) {
        if name != "cursor" && name != "api_key" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    format!("<{address}?{}>; rel=\"next\"", query.finish())
}
