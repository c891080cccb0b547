//! A stream of server-sent events: read as they come, and connected to again where it breaks.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | to connect | the answer's head came, and is an event stream | connected |
//! | to connect | who waits gives up | to connect, where the request can be sent again, else over |
//! | to connect | status 204 | over |
//! | to connect | the call failed, or something else was answered | the caller is told; to connect where it can be resumed, else over |
//! | connected | events came | connected |
//! | connected | it ended, it broke, it was silent for too long | as `gatewright_engine::reconnect` decides: to connect after a wait, over, or failed |
//!
//! Each connection is a call of its own, with retries and pacing of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use gatewright_engine::reconnect::{Ended, Reconnect, Then};
use gatewright_engine::sse::EventParser;
use gatewright_engine::{ErrorKind, Instant, defaults};
use http::{HeaderName, Method, StatusCode, header};

pub use gatewright_engine::sse::Event;

use crate::Error;
use crate::body::Body;
use crate::request::RequestBuilder;
use crate::response::{Silence, StreamResponse};
use crate::runtime::{RandomOf, Runtime};
use crate::timeout::{Setting, checked};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Server-sent events, one after the other. Dropping it closes the connection.
#[derive(Debug)]
pub struct Events {
    state: State,
    /// The request for the next connection; `None` where a request cannot be sent twice.
    again: Option<RequestBuilder>,
    runtime: Arc<dyn Runtime>,
    reconnect: Reconnect,
    idle_timeout: Setting,
    limit: usize,
    parser: EventParser,
    came: VecDeque<Event>,
}

#[derive(Debug)]
enum State {
    /// To be connected, after the wait.
    Next(Option<Box<RequestBuilder>>, Duration),
    Connected(Box<StreamResponse>),
    Over,
}

impl Events {
    pub(crate) fn new(request: RequestBuilder) -> Self {
        let request = request
            .header_default("accept", "text/event-stream")
            .header_default("cache-control", "no-store")
            .error_for_status(true);
        let again = request.again();
        let settings = request.event_settings();
        Self {
            state: State::Next(Some(Box::new(request)), Duration::ZERO),
            again,
            runtime: settings.runtime,
            reconnect: settings.reconnect,
            idle_timeout: defaults::EVENTS_IDLE_TIMEOUT.into(),
            limit: settings.limit,
            parser: EventParser::new(settings.limit, ""),
            came: VecDeque::new(),
        }
    }

    /// Goes on after the event of this id, from an earlier stream.
    #[must_use]
    pub fn last_event_id(mut self, id: &str) -> Self {
        self.parser = EventParser::new(self.limit, id);
        self
    }

    /// Silence for longer than this counts as a broken connection; servers send comments to keep it alive. Default 60 s.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.idle_timeout = timeout.into();
        self
    }

    /// The id of the last event that had one; empty where there was none.
    #[must_use]
    pub fn last_id(&self) -> &str {
        self.parser.last_id()
    }

    /// The next event, `None` at the end of the stream.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]; `protocol` where something other than an event stream is answered, and where an event is larger than
    /// `max_response_bytes`; `connection_lost` or `timeout` where the stream broke and cannot be resumed. Where it can (a GET, whose last
    /// event had an id), the next call connects again.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        self.fill().await?;
        Ok(self.came.pop_front())
    }

    /// All events that are there, at least one; none at the end of the stream.
    ///
    /// # Errors
    /// As [`Events::next`].
    pub async fn next_batch(&mut self) -> Result<Vec<Event>, Error> {
        self.fill().await?;
        Ok(self.came.drain(..).collect())
    }

    /// Reads until there is an event, or the stream is over.
    async fn fill(&mut self) -> Result<(), Error> {
        while self.came.is_empty() {
            match &mut self.state {
                State::Over => return Ok(()),
                State::Next(..) => self.connect().await?,
                State::Connected(answer) => {
                    let chunk = match answer.chunk().await {
                        Ok(Some(chunk)) => chunk,
                        Ok(None) => {
                            self.ended(None)?;
                            continue;
                        }
                        Err(why) => {
                            self.ended(Some(why))?;
                            continue;
                        }
                    };
                    if let Err(large) = self.parser.push(&chunk, &mut self.came) {
                        let what = format!("with an event of more than {} bytes", large.limit);
                        let error = answer.error(ErrorKind::Protocol, &what);
                        self.state = State::Over;
                        return Err(error);
                    }
                    if !self.came.is_empty() {
                        self.reconnect.on_event();
                    }
                }
            }
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let idle_timeout = match checked("idle_timeout", self.idle_timeout) {
            Ok(timeout) => timeout,
            Err(wrong) => {
                self.state = State::Over;
                return Err(wrong);
            }
        };
        if let State::Next(_, wait) = &mut self.state
            && !wait.is_zero()
        {
            let until = self.runtime.instant() + *wait;
            while self.runtime.instant() < until {
                self.runtime.sleep_until(until).await;
            }
            *wait = Duration::ZERO;
        }
        let State::Next(request, _) = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(());
        };
        let mut request = match (request, &self.again) {
            (Some(request), _) => *request,
            (None, Some(template)) => match template.again() {
                Some(request) => request,
                None => return Ok(()),
            },
            (None, None) => return Ok(()),
        };
        // Whoever gives up waiting here, and asks again, is connected anew.
        if self.again.is_some() {
            self.state = State::Next(None, Duration::ZERO);
        }
        let id = self.parser.last_id().to_owned();
        if !id.is_empty() {
            request = request.header_in_place(LAST_EVENT_ID, &id);
        }
        // The end of this connection may be followed by another, which begins with an empty line buffer.
        self.parser = EventParser::new(self.limit, &id);
        let mut answer = match request.stream().await {
            Ok(answer) => answer,
            Err(why) => {
                if !self.is_resumable() || why.retryability() == crate::Retryability::Permanent {
                    self.state = State::Over;
                }
                return Err(why);
            }
        };
        self.state = State::Over;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(());
        }
        if !is_event_stream(&answer) {
            let kind = answer.header("content-type").unwrap_or("no content type");
            let what = format!("with {kind}, where text/event-stream was expected");
            return Err(answer.error(ErrorKind::Protocol, &what));
        }
        answer.deadline = Instant::from_nanos(u64::MAX);
        answer.read_timeout = idle_timeout;
        answer.silence = Silence::IdleTimeout;
        self.state = State::Connected(Box::new(answer));
        Ok(())
    }

    fn is_resumable(&self) -> bool {
        self.again.is_some() && !self.parser.last_id().is_empty()
    }

    /// The connection ended, or broke for this reason.
    fn ended(&mut self, broke: Option<Error>) -> Result<(), Error> {
        let ended = match broke {
            None => Ended::Closed,
            Some(_) => Ended::Broke,
        };
        let resumable = self.is_resumable();
        let random = &mut RandomOf(&*self.runtime);
        let then = self
            .reconnect
            .on_ended(ended, resumable, self.parser.retry(), random);
        self.state = match then {
            Then::Again { wait } => State::Next(None, wait),
            // After a failure the caller may ask on.
            Then::Fail if resumable => State::Next(None, Duration::ZERO),
            Then::Fail | Then::End => State::Over,
        };
        match (then, broke) {
            (Then::Fail, Some(why)) => Err(why),
            _ => Ok(()),
        }
    }
}

/// What the client's settings say about streams of events.
pub(crate) struct EventSettings {
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) reconnect: Reconnect,
    pub(crate) limit: usize,
}

fn is_event_stream(answer: &StreamResponse) -> bool {
    let kind = answer.header(header::CONTENT_TYPE.as_str());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Whether a request can be sent again for another connection.
pub(crate) fn can_be_sent_again(method: &Method, body: &Body) -> bool {
    *method == Method::GET && matches!(body, Body::Empty)
}
