//! A resumable upload: a piece at a time, and after a break from where the server says that it is.
//!
//! Which request comes next, and what an answer means, is decided by `gatewright_engine::upload` (with the table of states); how often a
//! break is taken up again by `gatewright_engine::resume`. Each request is a call of its own. A piece has no idempotency key: its offset says
//! what it is, and the server refuses it anywhere else, so that no byte is doubled.

use std::sync::Arc;
use std::time::Duration;

use gatewright_engine::attempts::{Attempt, Decision, Outcome};
use gatewright_engine::budget::RetryCost;
use gatewright_engine::host::Host;
use gatewright_engine::resume::Resume;
use gatewright_engine::retry::{FailureClass, NoRetry, RetryCause};
use gatewright_engine::throughput::MinThroughput;
use gatewright_engine::upload::{Next, UploadState, Wrong};
use gatewright_engine::{ErrorKind, Instant, Retryability, defaults};
use http::{Method, header};

use crate::Error;
use crate::record::Record;
use crate::request::RequestBuilder;
use crate::response::Response;
use crate::runtime::{RandomOf, Runtime};

mod source;
use source::Reader;
pub use source::UploadSource;

/// An upload in the making. After an error, [`Upload::send`] may be called again: it goes on where the server is.
#[derive(Debug)]
pub struct Upload {
    request: RequestBuilder,
    state: UploadState,
    length: Option<u64>,
    reader: Reader,
    /// The upload resource.
    location: Option<String>,
    resume: Resume,
    floor: Option<MinThroughput>,
    host: Arc<Host>,
    runtime: Arc<dyn Runtime>,
    record: Record,
}

/// An upload that is complete.
#[derive(Debug)]
pub struct Uploaded {
    /// What the server answered in the end. Where that answer was lost, it is the one to the question for the offset, which has no body.
    pub response: Response,
    /// It went piece by piece; else in one request, since the server does not speak the draft.
    pub resumable: bool,
    /// The final answer was lost: the server said later that the upload is complete.
    pub answer_lost: bool,
    /// What was done, attempt by attempt, over all requests. Times count from the start of the upload.
    pub attempts: Vec<Attempt>,
    /// From the start of the upload to its end.
    pub elapsed: Duration,
}

impl RequestBuilder {
    /// Uploads `source` so that a break costs no more than a piece (draft-ietf-httpbis-resumable-upload-12); in one request, as
    /// [`send`](RequestBuilder::send) does, where the server does not speak that. The request is the one that the server would get for a
    /// plain upload: its method, path and headers, such as `Content-Type`; its body is not used.
    ///
    /// `timeout` and `attempt_timeout` bound each request, not counting the time in which its body goes out at
    /// [`min_throughput`](RequestBuilder::min_throughput) or faster.
    pub fn upload(self, source: impl Into<UploadSource>) -> Upload {
        let request = self.error_for_status(true);
        let settings = request.transfer_settings();
        let reader = Reader::new(source.into());
        let length = reader.length();
        Upload {
            record: Record::begin(&*settings.runtime),
            state: UploadState::new(length, defaults::UPLOAD_CHUNK),
            length,
            request,
            reader,
            location: None,
            resume: settings.resume,
            floor: settings.floor,
            host: settings.host,
            runtime: settings.runtime,
        }
    }
}

impl Upload {
    /// The size of a piece in bytes, at least 1; one is held in memory. The server's own limits win. Default 8 MiB.
    #[must_use]
    pub fn chunk_size(mut self, bytes: u64) -> Self {
        self.state.set_chunk(bytes);
        self
    }

    /// The server is known to speak the draft: it is not asked. One that does not would take the empty first request for the upload.
    #[must_use]
    pub fn assume_resumable(mut self) -> Self {
        self.state.assume_support();
        self
    }

    /// Goes on with an upload of an earlier run, from its [`location`](Upload::location). The source must be the same.
    #[must_use]
    pub fn resume(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self.state.on_lost();
        self
    }

    /// Where the upload can be gone on with, once it was created; not for logs, whoever knows it can write there.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The bytes that the server has acknowledged.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.state.offset()
    }

    /// The bytes in all, where that is known.
    #[must_use]
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// What was done so far, attempt by attempt.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.record.attempts()
    }

    /// Uploads all of it.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`], of whichever request failed for good; `invalid_request` where the source fails or cannot go back;
    /// `protocol` where the server's offsets make no sense; `bad_request` where its limits do not allow the upload. Where another try may end
    /// differently, the same upload can be sent again.
    pub async fn send(&mut self) -> Result<Uploaded, Error> {
        loop {
            if let Some(uploaded) = self.step().await? {
                return Ok(uploaded);
            }
        }
    }

    /// Sends one request of the upload, for whoever wants to tell how far it is in between: [`location`](Upload::location) and
    /// [`offset`](Upload::offset) are known after each. `None`: there is more to do.
    ///
    /// # Errors
    /// As [`Upload::send`].
    pub async fn step(&mut self) -> Result<Option<Uploaded>, Error> {
        if let Some(length) = self.reader.open().await? {
            self.length = Some(length);
            self.state.set_length(length);
        }
        let begun = self.runtime.instant();
        match self.state.next() {
            Next::Discover => self.discover(begun).await?,
            Next::Create => self.create(begun).await?,
            Next::Plain => return self.plain(begun).await.map(Some),
            Next::Append { offset, at_most } => {
                let response = self.append(begun, offset, at_most).await?;
                return Ok(response.map(|response| self.done(response, true, false)));
            }
            Next::Ask => {
                let response = self.ask(begun).await?;
                return Ok(response.map(|response| self.done(response, true, true)));
            }
            Next::Done => {
                return Err(Error::new(
                    ErrorKind::InvalidRequest,
                    "the upload is complete; make another one to upload again",
                ));
            }
        }
        Ok(None)
    }

    async fn discover(&mut self, begun: Instant) -> Result<(), Error> {
        let request = self
            .request
            .to(Method::OPTIONS, None)
            .error_for_status(false);
        let response = self.sent(begun, request.send().await)?;
        let headers = response.status().is_success().then(|| response.headers());
        match self.state.on_discovered(headers) {
            Ok(()) => Ok(()),
            Err(wrong) => Err(self.wrong(&response, &wrong)),
        }
    }

    async fn create(&mut self, begun: Instant) -> Result<(), Error> {
        let mut request = self.request.once_more();
        for (name, value) in self.state.creation() {
            request = request.header_in_place(name, value.to_str().unwrap_or_default());
        }
        let response = self.sent(begun, request.send().await)?;
        let location = response
            .header(header::LOCATION.as_str())
            .and_then(|location| response.url().join(location).ok());
        let located = location.is_some();
        self.location = location.map(String::from);
        match self.state.on_created(response.headers(), located) {
            Ok(()) => Ok(()),
            Err(wrong) => Err(self.wrong(&response, &wrong)),
        }
    }

    async fn plain(&mut self, begun: Instant) -> Result<Uploaded, Error> {
        let body = self.reader.whole()?;
        let size = self.length.unwrap_or(u64::MAX);
        let request = self
            .request
            .once_more()
            .body(body)
            .body_out_at(self.floor, size, false);
        let response = self.sent(begun, request.send().await)?;
        Ok(self.done(response, false, false))
    }

    /// Sends a piece; the answer, where it is the last one.
    async fn append(
        &mut self,
        begun: Instant,
        offset: u64,
        at_most: u64,
    ) -> Result<Option<Response>, Error> {
        let (piece, last) = self.reader.piece(offset, at_most).await?;
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let mut request = self.request.to(Method::PATCH, self.location.as_deref());
        for (name, value) in self.state.append(last) {
            request = request.header_in_place(name, value.to_str().unwrap_or_default());
        }
        let request = request.body(piece).body_out_at(self.floor, size, true);
        let why = match request.send().await {
            Ok(response) => {
                self.record.add(begun, response.attempts());
                let (status, headers) = (response.status(), response.headers());
                return match self.state.on_appended(status, headers, size, last) {
                    Ok(over) => {
                        self.resume.on_progress();
                        Ok(over.then_some(response))
                    }
                    Err(wrong) => Err(self.wrong(&response, &wrong)),
                };
            }
            Err(why) => why,
        };
        self.record.add(begun, why.attempts());
        if let Some(status) = why.status() {
            match self.state.on_refused(status, why.headers(), size) {
                Ok(true) => return Ok(None),
                Ok(false) => {}
                Err(wrong) => {
                    let mut parts = why.into_parts();
                    parts.kind = ErrorKind::Protocol;
                    parts.what.push_str(&format!("; it said {wrong}"));
                    return Err(self.record.complete(parts));
                }
            }
        }
        if self.state.next() == Next::Done || !may_go_on(&why) {
            return Err(self.record.complete(why.into_parts()));
        }
        self.broke(why).await?;
        Ok(None)
    }

    /// Asks how far the server is; its answer, where it has all of it.
    async fn ask(&mut self, begun: Instant) -> Result<Option<Response>, Error> {
        let request = self.request.to(Method::HEAD, self.location.as_deref());
        let response = match request.send().await {
            Ok(response) => response,
            Err(why) => {
                self.record.add(begun, why.attempts());
                if !may_go_on(&why) {
                    return Err(self.record.complete(why.into_parts()));
                }
                self.broke(why).await?;
                return Ok(None);
            }
        };
        self.record.add(begun, response.attempts());
        match self.state.on_offset(response.headers()) {
            Ok(further) => {
                if further {
                    self.resume.on_progress();
                }
                Ok((self.state.next() == Next::Done).then_some(response))
            }
            Err(wrong) => Err(self.wrong(&response, &wrong)),
        }
    }

    /// Waits before the server is asked where it is, or says why not.
    async fn broke(&mut self, why: Error) -> Result<(), Error> {
        self.state.on_lost();
        // What became of it can be asked for: what counts is how it failed.
        let kind = match why.kind() {
            ErrorKind::OutcomeUnknown if timed_out(&why) => ErrorKind::Timeout,
            ErrorKind::OutcomeUnknown => ErrorKind::ConnectionLost,
            other => other,
        };
        let (cause, cost) = match kind {
            ErrorKind::Timeout => (RetryCause::Timeout, RetryCost::AfterTimeout),
            ErrorKind::Server => (RetryCause::ServerError, RetryCost::Plain),
            ErrorKind::RateLimited => (RetryCause::RateLimited, RetryCost::Plain),
            _ => (RetryCause::ConnectionLost, RetryCost::Plain),
        };
        let asked = why.retry_after();
        let then = {
            let random = &mut RandomOf(&*self.runtime);
            self.resume.on_broken(cost, asked, &self.host, random)
        };
        match then {
            Ok(wait) => {
                self.record.decide(Decision::Retry { cause, wait });
                let until = self.runtime.instant() + wait;
                while self.runtime.instant() < until {
                    self.runtime.sleep_until(until).await;
                }
                Ok(())
            }
            Err(no_retry) => {
                self.record.decide(Decision::GiveUp(no_retry));
                let mut parts = why.into_parts();
                parts.no_retry = Some(no_retry);
                parts.retryability = Retryability::Exhausted;
                parts.kind = kind;
                parts.advice = Some("send the same upload again: it goes on where the server is");
                Err(self.record.complete(parts))
            }
        }
    }

    fn sent(&mut self, begun: Instant, sent: Result<Response, Error>) -> Result<Response, Error> {
        match sent {
            Ok(response) => {
                self.record.add(begun, response.attempts());
                Ok(response)
            }
            Err(why) => {
                self.record.add(begun, why.attempts());
                Err(self.record.complete(why.into_parts()))
            }
        }
    }

    fn done(&mut self, response: Response, resumable: bool, answer_lost: bool) -> Uploaded {
        self.resume.on_done(&self.host);
        Uploaded {
            response,
            resumable,
            answer_lost,
            attempts: self.record.attempts().to_vec(),
            elapsed: self.record.elapsed(&*self.runtime),
        }
    }

    fn wrong(&mut self, response: &Response, wrong: &Wrong) -> Error {
        let kind = match wrong {
            Wrong::Limit(_) => ErrorKind::BadRequest,
            _ => ErrorKind::Protocol,
        };
        self.record.decide(Decision::GiveUp(NoRetry::NotRetryable));
        let mut parts = response.error(kind, &wrong.to_string()).into_parts();
        if kind == ErrorKind::Protocol {
            parts.advice = Some("begin another upload, or look at the server");
        }
        self.record.complete(parts)
    }
}

fn timed_out(why: &Error) -> bool {
    why.attempts().last().is_some_and(|attempt| {
        matches!(
            attempt.outcome,
            Outcome::Failed {
                class: FailureClass::Timeout | FailureClass::ReadTimeout,
                ..
            }
        )
    })
}

/// The server may be asked where it is, and the upload may go on from there.
fn may_go_on(why: &Error) -> bool {
    match why.kind() {
        ErrorKind::ConnectionLost
        | ErrorKind::OutcomeUnknown
        | ErrorKind::Connect
        | ErrorKind::CircuitOpen
        | ErrorKind::Server
        | ErrorKind::RateLimited => true,
        // Of a request that was never sent, the deadline has passed.
        ErrorKind::Timeout => !why.attempts().is_empty(),
        _ => false,
    }
}
