//! A transport that answers what a test says, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use gatewright_engine::retry::FailureClass;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::body::Body;
use crate::runtime::BoxFuture;
use crate::transport::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse,
};

/// Answers in order; after the last, every attempt is a lost connection. Clones share script and record.
#[derive(Clone, Debug)]
pub struct Scripted(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    script: VecDeque<Result<TransportResponse, TransportError>>,
    seen: Vec<Seen>,
}

/// A request as it would have gone onto the wire.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The URL, credential included.
    pub url: Url,
    /// The headers, credential included.
    pub headers: HeaderMap,
    /// The body, read whole.
    pub body: Bytes,
}

impl Scripted {
    /// A transport with this script.
    pub fn new(
        script: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
    ) -> Self {
        Self(Arc::new(Mutex::new(State {
            script: script.into_iter().collect(),
            seen: Vec::new(),
        })))
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Scripted {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let this = self.clone();
        Box::pin(async move {
            let body = match request.body {
                Body::Empty => Bytes::new(),
                Body::Bytes(bytes) => bytes,
                Body::Once { stream, .. } => read(stream).await?,
                Body::Replayable { make, .. } => read(make()).await?,
            };
            let mut state = this.state();
            state.seen.push(Seen {
                method: request.method,
                url: request.url,
                headers: request.headers,
                body,
            });
            state
                .script
                .pop_front()
                .unwrap_or_else(|| failure(FailureClass::ConnectionLost))
        })
    }
}

async fn read(mut stream: crate::body::ByteStream) -> Result<Bytes, TransportError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|error| TransportError::new(FailureClass::BodySource, error.to_string()))?;
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// An answer with this status and an empty JSON object.
///
/// # Errors
/// None; a step of a script is a result.
pub fn answer(status: u16) -> Result<TransportResponse, TransportError> {
    answer_with(status, &[], "{}")
}

/// An answer with these headers and this body. A status, name or value that is none becomes a protocol failure.
///
/// # Errors
/// None; a step of a script is a result.
pub fn answer_with(
    status: u16,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<TransportResponse, TransportError> {
    let unusable = |_| {
        TransportError::new(
            FailureClass::Protocol,
            "the script has a status or header that is none",
        )
    };
    let status = StatusCode::from_u16(status).map_err(|_| unusable(()))?;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).map_err(|_| unusable(()))?;
        map.append(
            name,
            HeaderValue::from_str(value).map_err(|_| unusable(()))?,
        );
    }
    Ok(TransportResponse {
        status,
        headers: map,
        body: ResponseBody::full(body.into()),
    })
}

/// An attempt that brings no answer.
///
/// # Errors
/// Always; a step of a script is a result.
pub fn failure(class: FailureClass) -> Result<TransportResponse, TransportError> {
    Err(TransportError::new(class, "scripted"))
}
