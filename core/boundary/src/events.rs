//! A stream of server-sent events, which the host language asks for as they come: each answer is the events that are there, at least one,
//! as JSON, `[{event, data, id}]`. A stream of JSON lines (`json_lines.rs`) is asked in the same way.

use std::sync::Arc;

use futures_util::lock::Mutex;
use gatewright::{Error, Event, Events, RequestBuilder, Timeout};

use crate::call::Control;
use crate::frame::Frame;
use crate::json_lines::Values;
use crate::members::{Members, shown_name};
use crate::options::invalid;
use crate::port::Port;
use crate::{error, json};

/// A stream. Two that ask for its next events at once get them one after the other.
pub(crate) struct EventStream(Mutex<State>);

enum State {
    Events(Box<Events>),
    Lines(Box<Values>),
    /// What is wrong is said in place of the first event.
    Wrong(Option<Error>),
}

impl EventStream {
    /// A stream with this style, of `{lastEventId, idleTimeoutMs}`.
    pub(crate) fn new(request: Result<RequestBuilder, Error>, style: &str) -> Self {
        let events = request.and_then(|request| styled(request.events(), style));
        Self::of(events.map(|events| State::Events(Box::new(events))))
    }

    /// A stream of JSON lines with this style, of `{idleTimeoutMs, maxLineBytes, asText}`.
    pub(crate) fn of_lines(request: Result<RequestBuilder, Error>, style: &str) -> Self {
        let values = request.and_then(|request| Values::new(request, style));
        Self::of(values.map(|values| State::Lines(Box::new(values))))
    }

    fn of(state: Result<State, Error>) -> Self {
        Self(Mutex::new(
            state.unwrap_or_else(|wrong| State::Wrong(Some(wrong))),
        ))
    }

    /// The call that waits for the next events.
    pub(crate) async fn next(self: Arc<Self>, port: Arc<Port>, call: u32, control: Arc<Control>) {
        let frame = match self.batch().await {
            Ok(None) => Frame::End { call },
            Ok(Some(batch)) => Frame::Chunk {
                call,
                bytes: batch.into(),
            },
            Err(error) => Frame::Error {
                call,
                error: error::to_json(&error, port.language()),
            },
        };
        port.settle(call, &control, true, frame);
    }

    async fn batch(&self) -> Result<Option<Vec<u8>>, Error> {
        match &mut *self.0.lock().await {
            State::Wrong(wrong) => wrong.take().map_or(Ok(None), Err),
            State::Events(events) => {
                let came = events.next_batch().await?;
                Ok((!came.is_empty()).then(|| to_json(&came)))
            }
            State::Lines(values) => values.batch().await,
        }
    }
}

fn styled(mut events: Events, style: &str) -> Result<Events, Error> {
    let members = Members::read(style)
        .map_err(|must_be| invalid(format!("the style of events {must_be}")))?;
    for member in members {
        events = match &*member.name {
            "lastEventId" => events.last_event_id(&member.text().map_err(invalid)?),
            "idleTimeoutMs" => {
                let timeout: Timeout = member.called("idleTimeout").timeout().map_err(invalid)?;
                events.idle_timeout(timeout)
            }
            other => {
                let what = format!("\"{}\" is no option of events", shown_name(other));
                return Err(invalid(what));
            }
        };
    }
    Ok(events)
}

fn to_json(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * events.len());
    out.push(b'[');
    for event in events {
        if !matches!(out.last(), Some(b'[')) {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"event\":");
        json::string(&mut out, &event.kind);
        json::member(&mut out, "data");
        json::string(&mut out, &event.data);
        json::member(&mut out, "id");
        json::string(&mut out, &event.id);
        out.push(b'}');
    }
    out.push(b']');
    out
}
