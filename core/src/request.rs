//! Building a request.

use std::time::Duration;

use gatewright_engine::ErrorKind;
use gatewright_engine::call::CallLimits;
use gatewright_engine::reconnect::Reconnect;
use gatewright_engine::resume::Resume;
use gatewright_engine::throughput::MinThroughput;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use crate::Error;
use crate::body::Body;
use crate::cache::{self, CacheMode};
use crate::client::Client;
use crate::credentials::Choice;
use crate::download::TransferSettings;
use crate::events::{EventSettings, Events, can_be_sent_again};
use crate::hedge::Hedge;
use crate::pages::{PageStyle, Pages};
use crate::response::{Response, Silence, StreamResponse};
use crate::runtime::RandomOf;
use crate::send::{Prepared, Sent};
use crate::telemetry::{self, Tracing};
use crate::timeout::{Setting, checked};
use crate::transfer::Transfer;

/// A request in the making. What is wrong with it is said by [`RequestBuilder::send`], before anything is sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    client: Client,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Body,
    limits: CallLimits,
    idempotency_key: Option<String>,
    pub(crate) credential: Choice,
    error_for_status: bool,
    pub(crate) cache_mode: CacheMode,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) transfer: Transfer,
    pub(crate) tracing: Tracing,
    wrong: Option<Error>,
}

impl RequestBuilder {
    pub(crate) fn new(client: Client, method: Method, path: String) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Empty,
            limits: client.inner.limits,
            idempotency_key: None,
            credential: Choice::Default,
            error_for_status: client.inner.error_for_status,
            cache_mode: CacheMode::Default,
            hedge: client.inner.hedge,
            transfer: Transfer::of(client.inner.min_throughput),
            tracing: Tracing::default(),
            wrong: None,
            client,
        }
    }

    pub(crate) fn or_wrong<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                // The first mistake is the one to tell of.
                self.wrong.get_or_insert(error);
                None
            }
        }
    }

    /// Adds parameters to the query.
    pub fn query<K: Into<String>, V: Into<String>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.query.extend(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        self
    }

    /// Sets a header; one of the client's default headers of that name is replaced.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Some((name, value)) = self.or_wrong(checked_header(name, value.as_ref())) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets a header where the request has none of that name yet.
    pub fn header_default(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Some((name, value)) = self.or_wrong(checked_header(name, value.as_ref())) {
            self.headers.entry(name).or_insert(value);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to `value` as JSON, and the content type where none is set.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let encoded = serde_json::to_vec(value).map_err(|why| {
            Error::new(
                ErrorKind::InvalidRequest,
                format!("the body cannot be encoded as JSON: {why}"),
            )
            .caused_by(why)
        });
        if let Some(bytes) = self.or_wrong(encoded) {
            self.body = bytes.into();
            self.headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("application/json"));
        }
        self
    }

    /// The deadline of this call, over everything. Default: the client's.
    pub fn timeout(mut self, timeout: impl Into<Setting>) -> Self {
        if let Some(timeout) = self.or_wrong(checked("timeout", timeout.into())) {
            self.limits.timeout = timeout;
        }
        self
    }

    /// From sending an attempt to its response head. Default: the client's.
    pub fn attempt_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        if let Some(timeout) = self.or_wrong(checked("attempt_timeout", timeout.into())) {
            self.limits.attempt_timeout = timeout;
        }
        self
    }

    /// Attempts in all, at least 1. Default: the client's.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.limits.max_attempts = Some(attempts.max(1));
        self
    }

    /// The idempotency key of this call, in place of one made up. Makes any method safe to repeat, if the server knows
    /// the header.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Whether an error status is an error (the default) or an answer like any other.
    pub fn error_for_status(mut self, yes: bool) -> Self {
        self.error_for_status = yes;
        self
    }

    /// Sends the request, and reads the answer whole.
    ///
    /// # Errors
    /// Every kind of [`ErrorKind`]; see there.
    pub async fn send(self) -> Result<Response, Error> {
        match self.go(false).await?.1 {
            Sent::Whole(response) => Ok(response),
            Sent::Streamed(response) => Ok(Response {
                head: response.head,
                body: bytes::Bytes::new(),
            }),
        }
    }

    /// Sends the request, and hands the answer over as soon as its head is there. Retries are over then.
    ///
    /// # Errors
    /// As [`RequestBuilder::send`]. The deadline covers the body too: lift it for long streams with `timeout(None)`.
    pub async fn stream(self) -> Result<StreamResponse, Error> {
        let (client, sent) = self.go(true).await?;
        match sent {
            Sent::Streamed(response) => Ok(response),
            Sent::Whole(response) => Ok(StreamResponse {
                head: response.head,
                body: crate::transport::ResponseBody::full(response.body),
                runtime: std::sync::Arc::clone(&client.inner.runtime),
                deadline: gatewright_engine::Instant::from_nanos(u64::MAX),
                read_timeout: client.inner.read_timeout,
                throughput: None,
                silence: Silence::ReadTimeout,
                slot: None,
            }),
        }
    }

    /// The pages of a list, from this request on.
    pub fn pages(self) -> Pages {
        self.pages_with(PageStyle::default())
    }

    /// The pages of a list whose members have names of their own.
    pub fn pages_with(self, style: PageStyle) -> Pages {
        Pages::new(self, style)
    }

    /// The answer as a stream of server-sent events. `timeout` bounds how long connecting may take; the stream itself may last for ever.
    pub fn events(self) -> Events {
        Events::new(self)
    }

    /// The same request once more, `None` where it cannot be sent twice.
    pub(crate) fn again(&self) -> Option<Self> {
        if self.wrong.is_some() || !can_be_sent_again(&self.method, &self.body) {
            return None;
        }
        let mut again = self.at(self.base_url());
        again.path.clone_from(&self.path);
        again.query.clone_from(&self.query);
        again.idempotency_key.clone_from(&self.idempotency_key);
        Some(again)
    }

    /// Sets a header in place of what was there.
    pub(crate) fn header_in_place(mut self, name: HeaderName, value: &str) -> Self {
        if let Some((name, value)) = self.or_wrong(checked_header(name.as_str(), value.as_bytes()))
        {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn event_settings(&self) -> EventSettings {
        let inner = &self.client.inner;
        let policy = inner.engine.policy();
        let max_attempts = self.limits.max_attempts.unwrap_or(policy.max_attempts);
        EventSettings {
            runtime: std::sync::Arc::clone(&inner.runtime),
            reconnect: Reconnect::new(policy.backoff, max_attempts, policy.max_retry_after),
            limit: usize::try_from(inner.max_response_bytes).unwrap_or(usize::MAX),
        }
    }

    /// What the client's settings say about downloads and uploads.
    pub(crate) fn transfer_settings(&self) -> TransferSettings {
        let inner = &self.client.inner;
        let policy = inner.engine.policy();
        let max_attempts = self.limits.max_attempts.unwrap_or(policy.max_attempts);
        let url = self.full_url();
        TransferSettings {
            runtime: std::sync::Arc::clone(&inner.runtime),
            host: inner.host_of(url.as_ref().unwrap_or(self.base_url())),
            resume: Resume::new(policy.backoff, max_attempts, policy.max_retry_after),
            floor: self.transfer.floor.of_transfers(),
        }
    }

    /// Whether the caller set this header.
    pub(crate) fn has_header(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name)
    }

    /// The same request without its body.
    pub(crate) fn once_more(&mut self) -> Self {
        let mut again = self.to(self.method.clone(), None);
        again.headers.clone_from(&self.headers);
        again.idempotency_key.clone_from(&self.idempotency_key);
        again.wrong = self.wrong.take();
        again
    }

    /// A request that belongs to this one: to the same place or to another, with its headers but those that are about its body.
    pub(crate) fn to(&self, method: Method, url: Option<&str>) -> Self {
        let mut other = self.at(self.base_url());
        other.method = method;
        match url {
            Some(url) => url.clone_into(&mut other.path),
            None => {
                other.path.clone_from(&self.path);
                other.query.clone_from(&self.query);
            }
        }
        let about_body: Vec<HeaderName> = other
            .headers
            .keys()
            .filter(|name| {
                let name = name.as_str();
                name.starts_with("content-") || name.starts_with("if-") || name == "repr-digest"
            })
            .cloned()
            .collect();
        for name in about_body {
            other.headers.remove(name);
        }
        other
    }

    /// The body of `size` bytes may take as long as it goes out at `floor`; `piece`: no idempotency key goes along.
    pub(crate) fn body_out_at(
        mut self,
        floor: Option<MinThroughput>,
        size: u64,
        piece: bool,
    ) -> Self {
        self.transfer.keyless = piece;
        // Without a floor the timeouts are as ever: something has to bound it.
        if let Some(floor) = floor {
            self.transfer.upload = Some(self.limits.attempt_timeout.take());
            self.limits.timeout = self.limits.timeout.and_then(|timeout| {
                let seconds = size.checked_div(floor.bytes_per_second)?;
                let going_out = Duration::from_secs(seconds).saturating_add(floor.grace);
                Some(timeout.saturating_add(going_out))
            });
        }
        self
    }

    pub(crate) fn base_url(&self) -> &url::Url {
        self.client.inner.base.url()
    }

    /// The URL with its query, `None` where something is wrong with the request.
    pub(crate) fn full_url(&self) -> Option<url::Url> {
        if self.wrong.is_some() {
            return None;
        }
        let mut url = self.client.inner.base.join(&self.path).ok()?.url;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }

    /// For the page after: the same request at another URL, which has its query in it.
    pub(crate) fn at(&self, url: &url::Url) -> Self {
        Self {
            client: self.client.clone(),
            method: self.method.clone(),
            path: url.to_string(),
            query: Vec::new(),
            headers: self.headers.clone(),
            body: Body::Empty,
            limits: self.limits,
            idempotency_key: None,
            credential: self.credential.clone(),
            error_for_status: true,
            cache_mode: self.cache_mode,
            hedge: self.hedge,
            transfer: self.transfer,
            tracing: self.tracing.clone(),
            wrong: None,
        }
    }

    async fn go(mut self, streamed: bool) -> Result<(Client, Sent), Error> {
        let tracing = std::mem::take(&mut self.tracing);
        let (client, mut prepared) = self.prepare(streamed)?;
        telemetry::begin(&client, &mut prepared, tracing);
        let trace = prepared.trace.clone();
        let sent = cache::send(&client, prepared).await;
        telemetry::end(trace, &sent);
        Ok((client, sent?))
    }

    fn prepare(mut self, streamed: bool) -> Result<(Client, Prepared), Error> {
        let inner = std::sync::Arc::clone(&self.client.inner);
        if let Some(wrong) = self.wrong.take() {
            let mut parts = wrong.into_parts();
            parts.method = Some(self.method.clone());
            // The path may be what is wrong, so it is shown only where it can be redacted as a URL.
            parts.url = inner
                .base
                .join(&self.path)
                .ok()
                .map(|target| inner.redactor.url(&target.url));
            return Err(parts.into());
        }
        if inner.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the client is closed"));
        }
        let auth = inner.credentials.get(&self.credential)?;
        auth.auth.check_body(&self.body)?;
        let mut target = inner.base.join(&self.path)?;
        if !self.query.is_empty() {
            target.url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut headers = if target.cross_origin {
            HeaderMap::new()
        } else {
            inner.headers.clone()
        };
        for name in self.headers.keys() {
            headers.remove(name);
        }
        headers.extend(self.headers.drain());
        let idempotency = &inner.idempotency;
        if let Some(key) = &self.idempotency_key {
            let value = idempotency.value_of(key).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidRequest,
                    "the idempotency key is empty or has a character that no header can carry",
                )
            })?;
            headers.insert(idempotency.header.clone(), value);
        } else if !self.transfer.keyless
            && idempotency.applies_to(&self.method)
            && !headers.contains_key(&idempotency.header)
        {
            headers.insert(
                idempotency.header.clone(),
                idempotency.fresh(&mut RandomOf(&*inner.runtime)),
            );
        }
        let prepared = Prepared {
            once: !self.body.is_replayable(),
            auth,
            method: self.method,
            url: target.url,
            headers,
            body: self.body,
            limits: self.limits,
            cross_origin: target.cross_origin,
            error_for_status: self.error_for_status,
            transfer: self.transfer,
            trace: None,
            streamed,
            cache_mode: self.cache_mode,
            watch: None,
            hedge: self.hedge,
        };
        Ok((self.client, prepared))
    }
}

/// Checks a header. Its value is not shown: it may be a secret.
pub fn checked_header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), Error> {
    let invalid = |what: String| Error::new(ErrorKind::InvalidRequest, what);
    let parsed = HeaderName::try_from(name).map_err(|_| {
        let shown: String = name
            .chars()
            .take(60)
            .flat_map(char::escape_default)
            .collect();
        invalid(format!("\"{shown}\" is no header name"))
    })?;
    let value = HeaderValue::from_bytes(value).map_err(|_| {
        invalid(format!(
            "the value of the header {parsed} has a character that no header can carry (a newline?)"
        ))
    })?;
    Ok((parsed, value))
}
