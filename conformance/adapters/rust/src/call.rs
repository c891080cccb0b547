//! Makes a call as a scenario describes it, and reads its answer whole, as a stream, page by page, or event by event.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatewright::telemetry::TraceContext;
use gatewright::{
    Body, BoxError, CacheMode, Client, Event, PageStyle, RequestBuilder, StreamResponse, Timeout,
};
use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::open::timeout;
use crate::{Answer, Unsupported, admission, open, outcome};

mod transfers;

/// A request's members that are not for the builder.
#[derive(Default)]
struct Reading {
    mode: Option<String>,
    pages: PageStyle,
    max_pages: Option<u64>,
    last_event_id: Option<String>,
    idle_timeout: Option<Timeout>,
    max_events: Option<u64>,
    stop_after_bytes: Option<u64>,
    max_line_bytes: Option<u64>,
    max_values: Option<u64>,
    chunk_size: Option<u64>,
    /// The body of an upload.
    source: Option<Body>,
}

pub(crate) async fn call(client: &Client, request: &Value) -> Answer {
    if request.get("mode").is_some_and(|mode| mode == "explain") {
        return admission::explain(client, request);
    }
    let (builder, reading) = build(client, request)?;
    match reading.mode.as_deref() {
        None | Some("whole") => Ok(match builder.send().await {
            Ok(response) => outcome::response(&response),
            Err(error) => outcome::error(&error),
        }),
        Some("stream") => Ok(stream(builder, reading.stop_after_bytes).await),
        Some("pages") => Ok(pages(builder, reading).await),
        Some("events") => Ok(events(builder, reading).await),
        Some("json_lines") => Ok(transfers::json_lines(builder, reading).await),
        Some("download") => Ok(transfers::download(builder, reading).await),
        Some("upload") => Ok(transfers::upload(builder, reading).await),
        Some(other) => Err(Unsupported(format!("the mode {other}"))),
    }
}

fn build(client: &Client, request: &Value) -> Result<(RequestBuilder, Reading), Unsupported> {
    let empty = Map::new();
    let members = request.as_object().unwrap_or(&empty);
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let method = Method::from_bytes(text("method").as_bytes())
        .map_err(|_| Unsupported("that method".to_owned()))?;
    let mut builder = client.request(method, text("path"));
    let mut reading = Reading::default();
    let uploads = text("mode") == "upload";
    for (name, value) in members {
        let wrong = || Unsupported(format!("the request's {name}: {value}"));
        let number = || value.as_u64().ok_or_else(wrong);
        builder = match name.as_str() {
            "method" | "path" | "replayable" => builder,
            "query" => builder.query(pairs(value)),
            "headers" => pairs(value).iter().fold(builder, |builder, (name, value)| {
                builder.header(name, value)
            }),
            "json" => builder.json(value),
            "text" if uploads => {
                reading.source = Some(value.as_str().ok_or_else(wrong)?.to_owned().into());
                builder
            }
            "text" => builder.body(value.as_str().ok_or_else(wrong)?.to_owned()),
            "base64" => builder.body(
                STANDARD
                    .decode(value.as_str().ok_or_else(wrong)?)
                    .map_err(|_| wrong())?,
            ),
            "chunks" => {
                let replayable = members
                    .get("replayable")
                    .and_then(Value::as_bool)
                    .unwrap_or(false);
                let body = chunks(value, replayable);
                if uploads {
                    reading.source = Some(body);
                    builder
                } else {
                    builder.body(body)
                }
            }
            "unencodable" => builder.json(&Unencodable),
            "cache" => builder.cache_mode(
                value
                    .as_str()
                    .and_then(CacheMode::from_name)
                    .ok_or_else(wrong)?,
            ),
            "idempotency_key" => builder.idempotency_key(value.as_str().ok_or_else(wrong)?),
            "credential" => match value.as_str() {
                Some(name) => builder.credential(name),
                None => builder.without_credential(),
            },
            "hedge" => builder.hedge(admission::hedge(value)?),
            "timeout_ms" => builder.timeout(timeout(value)?),
            "attempt_timeout_ms" => builder.attempt_timeout(timeout(value)?),
            "max_attempts" => builder.max_attempts(number()?.try_into().map_err(|_| wrong())?),
            "min_throughput" => {
                builder.min_throughput(open::min_throughput(value).ok_or_else(wrong)?)
            }
            "traceparent" => {
                let context = TraceContext::parse(value.as_str().ok_or_else(wrong)?);
                let state = text("tracestate");
                builder.trace_context(context.map_err(|_| wrong())?.with_state(state))
            }
            "tracestate" => builder,
            "url_template" => builder.url_template(value.as_str().ok_or_else(wrong)?),
            "raise_for_status" => builder.error_for_status(value.as_bool().ok_or_else(wrong)?),
            _ => {
                match name.as_str() {
                    "mode" => reading.mode = value.as_str().map(str::to_owned),
                    "stop_after_bytes" => reading.stop_after_bytes = Some(number()?),
                    "max_pages" => reading.max_pages = Some(number()?),
                    "max_line_bytes" => reading.max_line_bytes = Some(number()?),
                    "max_values" => reading.max_values = Some(number()?),
                    "chunk_size" => reading.chunk_size = Some(number()?),
                    "max_events" => reading.max_events = Some(number()?),
                    "last_event_id" => reading.last_event_id = value.as_str().map(str::to_owned),
                    "idle_timeout_ms" => reading.idle_timeout = Some(timeout(value)?),
                    "pages" => {
                        let field =
                            |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
                        let PageStyle {
                            cursor_field,
                            cursor_param,
                            items_field,
                        } = PageStyle::default();
                        reading.pages = PageStyle {
                            cursor_field: field("cursor").unwrap_or(cursor_field),
                            cursor_param: field("cursor_param").unwrap_or(cursor_param),
                            items_field: field("items").unwrap_or(items_field),
                        };
                    }
                    _ => return Err(Unsupported(format!("the request's {name}"))),
                }
                builder
            }
        };
    }
    Ok((builder, reading))
}

/// An object's members; one whose value is a list comes once for each item.
fn pairs(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    value
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(name, value)| match value {
            Value::Array(items) => items
                .iter()
                .map(|item| (name.clone(), text(item)))
                .collect(),
            one => vec![(name.clone(), text(one))],
        })
        .collect()
}

fn chunks(value: &Value, replayable: bool) -> Body {
    let chunks: Vec<Bytes> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|chunk| chunk.as_str().map(|text| Bytes::from(text.to_owned())))
        .collect();
    let stream =
        move || futures_util::stream::iter(chunks.clone().into_iter().map(Ok::<_, BoxError>));
    if replayable {
        Body::replayable(move || Box::pin(stream()), None)
    } else {
        Body::once(stream(), None)
    }
}

/// What JSON has no form for.
struct Unencodable;

impl serde::Serialize for Unencodable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value has no form in JSON"))
    }
}

async fn stream(builder: RequestBuilder, stop_after: Option<u64>) -> Value {
    let mut response = match builder.stream().await {
        Ok(response) => response,
        Err(error) => return outcome::error(&error),
    };
    let head = outcome::head(&response);
    let (body, ended) = read(&mut response, stop_after).await;
    let mut answer = match ended {
        Ok(()) => head,
        Err(error) => outcome::error(&error),
    };
    let name = if answer.get("ok").is_some_and(|ok| ok == true) {
        "body"
    } else {
        "delivered"
    };
    if let Some(members) = answer.as_object_mut() {
        members.insert(name.to_owned(), body);
    }
    answer
}

async fn read(
    response: &mut StreamResponse,
    stop_after: Option<u64>,
) -> (Value, Result<(), gatewright::Error>) {
    let (mut hasher, mut length, mut chunks) = (Sha256::new(), 0u64, 0u64);
    let ended = loop {
        if stop_after.is_some_and(|most| length >= most) {
            break Ok(());
        }
        match response.chunk().await {
            Ok(Some(chunk)) => {
                hasher.update(&chunk);
                length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                chunks += 1;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    (
        json!({ "length": length, "chunks": chunks, "sha256": outcome::hex(&hasher.finalize()) }),
        ended,
    )
}

async fn events(builder: RequestBuilder, reading: Reading) -> Value {
    let mut events = builder.events();
    if let Some(id) = &reading.last_event_id {
        events = events.last_event_id(id);
    }
    if let Some(timeout) = reading.idle_timeout {
        events = events.idle_timeout(timeout);
    }
    let mut came = Vec::new();
    let most = reading.max_events.unwrap_or(100);
    let mut answer = loop {
        if u64::try_from(came.len()).unwrap_or(u64::MAX) >= most {
            break json!({ "ok": true });
        }
        match events.next().await {
            Ok(Some(Event { kind, data, id })) => {
                came.push(json!({ "event": kind, "data": data, "id": id }));
            }
            Ok(None) => break json!({ "ok": true }),
            Err(error) => break outcome::error(&error),
        }
    };
    if let Some(members) = answer.as_object_mut() {
        members.insert("events".to_owned(), came.into());
    }
    answer
}

async fn pages(builder: RequestBuilder, reading: Reading) -> Value {
    let mut pages = builder.pages_with(reading.pages);
    let (mut items, mut lengths) = (Vec::<Value>::new(), Vec::new());
    let most = reading.max_pages.unwrap_or(100);
    let mut answer = loop {
        if u64::try_from(lengths.len()).unwrap_or(u64::MAX) >= most {
            break json!({ "ok": true, "stopped": true });
        }
        let found = match pages.next_page().await {
            Ok(Some(page)) => page.items::<Value>(),
            Ok(None) => break json!({ "ok": true }),
            Err(error) => break outcome::error(&error),
        };
        match found {
            Ok(found) => {
                lengths.push(found.len());
                items.extend(found);
            }
            Err(error) => break outcome::error(&error),
        }
    };
    if let Some(members) = answer.as_object_mut() {
        members.insert("pages".to_owned(), lengths.into());
        members.insert("items".to_owned(), items.into());
    }
    answer
}
