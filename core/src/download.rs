//! A download that goes on where it broke: each connection is a call of its own, and never are two versions mixed.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | to connect | the answer's head came, and is of this version | connected |
//! | to connect | the call failed | the caller is told; to connect, where another call could end differently, else over |
//! | connected | bytes came | connected |
//! | connected | the end, with all bytes there | over |
//! | connected | it broke, stalled, or ended early, and the version has a strong ETag | to connect after a wait, as `gatewright_engine::resume` says |
//! | connected | the same without a strong ETag, or given up | the caller is told, and why it is not taken up again; over |
//! | any | the answer is of another version, or no part that fits | over; the caller is told |
//!
//! Which answer fits is decided by `gatewright_engine::download`. A file is `download/file.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_engine::attempts::{Attempt, Decision};
use gatewright_engine::budget::RetryCost;
use gatewright_engine::call::request_id;
use gatewright_engine::download::{DownloadState, NoResume, Taken, Wrong};
use gatewright_engine::host::Host;
use gatewright_engine::resume::Resume;
use gatewright_engine::retry::{NoRetry, RetryCause};
use gatewright_engine::throughput::{MinThroughput, Throughput};
use gatewright_engine::{ErrorKind, Instant};
use http::{HeaderMap, StatusCode, header};
use url::Url;

use crate::Error;
use crate::record::Record;
use crate::request::RequestBuilder;
use crate::response::StreamResponse;
use crate::runtime::{RandomOf, Runtime};
use crate::throughput::Stalled;
use crate::transport::TransportError;

#[cfg(feature = "native")]
mod file;
#[cfg(feature = "native")]
pub use file::Downloaded;

/// The bytes of a download, piece by piece. Dropping it closes the connection.
#[derive(Debug)]
pub struct Download {
    state: State,
    /// The request for the next connection; `None` where a request cannot be sent twice.
    again: Option<RequestBuilder>,
    transfer: DownloadState,
    resume: Resume,
    floor: Option<MinThroughput>,
    host: Arc<Host>,
    runtime: Arc<dyn Runtime>,
    record: Record,
    /// Those of the first answer.
    headers: HeaderMap,
    /// Status and URL of the first answer, the latter also redacted.
    first: Option<(StatusCode, Url, String)>,
}

#[derive(Debug)]
enum State {
    /// To be connected, after the wait.
    Next(Option<Box<RequestBuilder>>, Duration),
    Connected(Box<StreamResponse>),
    Over,
}

impl RequestBuilder {
    /// The answer's body as a stream that goes on where it breaks: with `Range` and `If-Range`, where the answer has a strong ETag and the
    /// request is a GET without a body. Two versions are never mixed; where the server names a SHA-256 (`Repr-Digest`), it is checked.
    ///
    /// `timeout` bounds how long each connection may take until its head is there; the download itself may take as long as it needs, as long
    /// as it is not slower than [`min_throughput`](RequestBuilder::min_throughput). It is asked for unencoded.
    pub fn download(self) -> Download {
        let request = self.error_for_status(true);
        let again = request.again();
        let settings = request.transfer_settings();
        let transfer = DownloadState::new();
        Download {
            record: Record::begin(&*settings.runtime),
            state: State::Next(Some(Box::new(request)), Duration::ZERO),
            again,
            transfer,
            resume: settings.resume,
            floor: settings.floor,
            host: settings.host,
            runtime: settings.runtime,
            headers: HeaderMap::new(),
            first: None,
        }
    }
}

impl Download {
    /// Connects, where that was not done yet: afterwards headers and length are known. [`Download::chunk`] does it by itself.
    ///
    /// # Errors
    /// As [`Download::chunk`].
    pub async fn connect(&mut self) -> Result<(), Error> {
        while let State::Next(..) = self.state {
            self.next_connection().await?;
        }
        Ok(())
    }

    /// The next bytes, `None` at the end.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]; `connection_lost` or `timeout` where it broke or stalled and cannot be taken up again, with the reason;
    /// `precondition_failed` where there is another version now; `protocol` where the server sends another part than the one asked for, or
    /// another number of bytes than it named; `decode` where the SHA-256 is not the one it named. Where another call may end differently, the
    /// next one connects again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match &mut self.state {
                State::Over => return Ok(None),
                State::Next(..) => self.next_connection().await?,
                State::Connected(answer) => match answer.chunk().await {
                    Ok(Some(bytes)) => match self.transfer.on_bytes(bytes) {
                        Ok(bytes) if bytes.is_empty() => {}
                        Ok(bytes) => {
                            self.resume.on_progress();
                            return Ok(Some(bytes));
                        }
                        Err(wrong) => return Err(self.refuse(&wrong)),
                    },
                    Ok(None) => match self.transfer.on_end() {
                        Ok(()) => {
                            self.resume.on_done(&self.host);
                            self.state = State::Over;
                        }
                        Err(early @ Wrong::TooLittle { .. }) => {
                            let what = format!("but {early}");
                            let error = answer.error(ErrorKind::ConnectionLost, &what);
                            self.broke(error)?;
                        }
                        Err(wrong) => return Err(self.refuse(&wrong)),
                    },
                    Err(why) => self.broke(why)?,
                },
            }
        }
    }

    /// The headers of the first answer; empty before it came.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The status of the first answer; `None` before it came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.first.as_ref().map(|(status, ..)| *status)
    }

    /// The URL that answered first, without the credential; `None` before it did.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.first.as_ref().map(|(_, url, _)| url)
    }

    /// The URL that answered first, redacted, for logs; `None` before it did.
    #[must_use]
    pub fn shown_url(&self) -> Option<&str> {
        self.first.as_ref().map(|(.., shown)| &**shown)
    }

    /// The server's id of the first request, where it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)?.to_str().ok()
    }

    /// Bytes delivered so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.transfer.position()
    }

    /// How many bytes there are in all, where the server said so.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.transfer.total()
    }

    /// Why it could not be taken up again if it broke now; `None` where it could.
    #[must_use]
    pub fn no_resume(&self) -> Option<NoResume> {
        if self.again.is_none() && self.position() > 0 {
            return Some(NoResume::NotRepeatable);
        }
        self.transfer.no_resume()
    }

    /// What was done so far, attempt by attempt, over all connections. Times count from the start of the download.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record.attempts()
    }

    /// From the start of the download until now.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.record.elapsed(&*self.runtime)
    }

    async fn next_connection(&mut self) -> Result<(), Error> {
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
        let request = match (request, &self.again) {
            (Some(request), _) => Some(*request),
            (None, template) => template.as_ref().and_then(RequestBuilder::again),
        };
        let Some(mut request) = request else {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "the download was given up while it connected, and its request cannot be sent again",
            ));
        };
        if request.has_header(&header::RANGE) || request.has_header(&header::IF_RANGE) {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "a download sets Range and If-Range itself; for a part of it, send a request of one's own",
            ));
        }
        request = request.header_in_place(header::ACCEPT_ENCODING, "identity");
        let wanted = self.transfer.wanted();
        if let Some(wanted) = &wanted {
            request = request
                .header_in_place(header::RANGE, &wanted.range)
                .header_in_place(
                    header::IF_RANGE,
                    wanted.if_range.to_str().unwrap_or_default(),
                );
        }
        let begun = self.runtime.instant();
        // Whoever stops waiting here and asks again later has not come to the end.
        self.state = State::Next(None, Duration::ZERO);
        let answer = request.stream().await;
        self.state = State::Over;
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return self.not_connected(why, wanted.is_some(), begun),
        };
        self.record.add(begun, answer.attempts());
        if self.first.is_none() {
            self.headers = answer.headers().clone();
            let (status, url) = (answer.status(), answer.url().clone());
            self.first = Some((status, url, answer.shown_url()));
        }
        self.on_head(answer)
    }

    fn on_head(&mut self, mut answer: StreamResponse) -> Result<(), Error> {
        match self.transfer.on_head(answer.status(), answer.headers()) {
            Ok(Taken::Complete) => return Ok(()),
            Ok(Taken::On | Taken::Anew) => {}
            Err(wrong) => return Err(self.wrong(&answer, &wrong)),
        }
        answer.deadline = Instant::from_nanos(u64::MAX);
        answer.throughput = self.floor.map(Throughput::new);
        self.state = State::Connected(Box::new(answer));
        Ok(())
    }

    /// The call for a connection failed.
    fn not_connected(&mut self, why: Error, ranged: bool, begun: Instant) -> Result<(), Error> {
        self.record.add(begun, why.attempts());
        if ranged && why.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) {
            return match self.transfer.on_unsatisfied(why.headers()) {
                Ok(Some(_)) => Ok(()),
                Ok(None) => {
                    self.state = State::Next(None, Duration::ZERO);
                    Ok(())
                }
                Err(wrong) => {
                    let mut parts = why.into_parts();
                    parts.kind = kind_of(&wrong);
                    parts.advice = Some(advice_of(&wrong));
                    parts.what.push_str(&format!("; {wrong}"));
                    Err(self.record.complete(parts))
                }
            };
        }
        if why.retryability() != crate::Retryability::Permanent && self.again.is_some() {
            self.state = State::Next(None, Duration::ZERO);
        }
        Err(self.record.complete(why.into_parts()))
    }

    /// A connection broke: it is taken up again, or the caller is told.
    fn broke(&mut self, why: Error) -> Result<(), Error> {
        self.state = State::Over;
        if why.kind() == ErrorKind::Decode {
            return Err(self.record.complete(why.into_parts()));
        }
        let timed_out = why.kind() == ErrorKind::Timeout;
        if stalled(&why) {
            self.resume.on_stalled();
        }
        let no_resume = self.no_resume();
        let mut parts = why.into_parts();
        if let Some(reason) = no_resume {
            parts
                .what
                .push_str(&format!("; it is not taken up again: {reason}"));
            parts.advice = Some("download it again from the start");
            self.record.decide(Decision::GiveUp(NoRetry::NotRetryable));
            return Err(self.record.complete(parts));
        }
        let (cause, cost) = if timed_out {
            (RetryCause::Timeout, RetryCost::AfterTimeout)
        } else {
            (RetryCause::ConnectionLost, RetryCost::Plain)
        };
        if self.again.is_none() {
            // Nothing was delivered, but it cannot be sent again either.
            self.record.decide(Decision::GiveUp(NoRetry::NotIdempotent));
            parts.no_retry = Some(NoRetry::NotIdempotent);
            return Err(self.record.complete(parts));
        }
        let random = &mut RandomOf(&*self.runtime);
        match self.resume.on_broken(cost, None, &self.host, random) {
            Ok(wait) => {
                self.record.decide(Decision::Retry { cause, wait });
                self.state = State::Next(None, wait);
                Ok(())
            }
            Err(no_retry) => {
                self.record.decide(Decision::GiveUp(no_retry));
                parts.no_retry = Some(no_retry);
                parts.retryability = crate::Retryability::Exhausted;
                // Whoever asks on goes on where it ended.
                self.state = State::Next(None, Duration::ZERO);
                Err(self.record.complete(parts))
            }
        }
    }

    fn refuse(&mut self, wrong: &Wrong) -> Error {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Connected(answer) => self.wrong(&answer, wrong),
            _ => Error::new(kind_of(wrong), wrong.to_string()),
        }
    }

    fn wrong(&mut self, answer: &StreamResponse, wrong: &Wrong) -> Error {
        let what = match wrong {
            Wrong::Mismatch(what) => what.clone(),
            other => format!("but {other}"),
        };
        let mut parts = answer.error(kind_of(wrong), &what).into_parts();
        parts.advice = Some(advice_of(wrong));
        self.record.decide(Decision::GiveUp(NoRetry::NotRetryable));
        self.record.complete(parts)
    }
}

/// What the client's settings say about transfers.
pub(crate) struct TransferSettings {
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) host: Arc<Host>,
    pub(crate) resume: Resume,
    pub(crate) floor: Option<MinThroughput>,
}

const fn kind_of(wrong: &Wrong) -> ErrorKind {
    match wrong {
        Wrong::Changed { .. } => ErrorKind::PreconditionFailed,
        Wrong::Digest => ErrorKind::Decode,
        _ => ErrorKind::Protocol,
    }
}

const fn advice_of(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::Changed { .. } => "throw away what came, and download it again from the start",
        Wrong::Digest => {
            "throw away what came, and download it again; if it goes on, look at what lies between"
        }
        _ => "look at the server, or at a cache or proxy on the way",
    }
}

/// It was too slow, or silent: what came before does not count as progress.
fn stalled(why: &Error) -> bool {
    let source = std::error::Error::source(why)
        .and_then(|source| source.downcast_ref::<TransportError>())
        .and_then(|error| error.source.as_ref());
    source.is_some_and(|source| source.is::<Stalled>())
}
