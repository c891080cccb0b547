//! The transport for servers, desktops and phones: reqwest over tokio and rustls, with everything that reqwest would
//! decide by itself (retries, redirects, cookies, credentials) switched off: that is the engine's.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use gatewright_engine::retry::FailureClass;
use gatewright_engine::{ErrorKind, defaults};
use http_body::Body as _;

use super::{ResponseBody, Transport, TransportError, TransportRequest, TransportResponse, roots};
use crate::Error;
use crate::body::Body;
use crate::runtime::BoxFuture;

/// Idle connections are closed after this: before the usual 60 s of load balancers would close them under us.
const POOL_IDLE: Duration = Duration::from_secs(45);

/// How connections are made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NativeSettings {
    /// TCP and TLS set-up. Default 5 s.
    pub connect_timeout: Option<Duration>,
    /// A proxy for everything, such as `http://user:password@proxy:3128` or `socks5://…`. Default: as the environment
    /// says (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and the system's settings.
    pub proxy: Proxy,
    /// PEM certificates that are trusted beside the system's. Default none.
    pub ca_certificates: Vec<Vec<u8>>,
    /// Idle connections kept for each host. Default: no bound.
    pub max_idle_per_host: Option<usize>,
}

impl Default for NativeSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Some(defaults::CONNECT_TIMEOUT),
            proxy: Proxy::Environment,
            ca_certificates: Vec::new(),
            max_idle_per_host: None,
        }
    }
}

/// Which proxy is used.
#[derive(Clone, Default)]
pub enum Proxy {
    /// As the environment and the system say.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one, for everything but loopback.
    Url(String),
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A proxy's URL often has a password in it.
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Direct => "Direct",
            Self::Url(_) => "Url(***)",
        })
    }
}

/// Carries attempts with reqwest. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct NativeTransport {
    client: reqwest::Client,
}

impl NativeTransport {
    /// A transport with these settings.
    ///
    /// # Errors
    /// `invalid_config` for a proxy that is no URL, and for certificates that are none.
    pub fn new(settings: &NativeSettings) -> Result<Self, Error> {
        let invalid = |what: String| Error::new(ErrorKind::InvalidConfig, what);
        let mut extra = Vec::new();
        for pem in &settings.ca_certificates {
            let read = roots::read_pem(pem)
                .map_err(|why| invalid(format!("`ca_certificates` cannot be read: {why}")))?;
            extra.extend(read);
        }
        let tls = roots::client_config(extra)
            .map_err(|error| invalid(format!("TLS cannot be set up: {error}")))?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_keepalive(Duration::from_secs(30));
        if let Some(timeout) = settings.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(max) = settings.max_idle_per_host {
            builder = builder.pool_max_idle_per_host(max);
        }
        match &settings.proxy {
            Proxy::Environment => {}
            Proxy::Direct => builder = builder.no_proxy(),
            Proxy::Url(url) => {
                let proxy = reqwest::Proxy::all(url)
                    .map_err(|_| {
                        invalid(
                            "`proxy` is no proxy URL; it looks like http://host:port".to_owned(),
                        )
                    })?
                    .no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1"));
                builder = builder.proxy(proxy);
            }
        }
        let client = builder.build().map_err(|error| {
            invalid(format!(
                "the transport cannot be set up: {}",
                root_cause(&error)
            ))
        })?;
        Ok(Self { client })
    }
}

impl Transport for NativeTransport {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let TransportRequest {
            method,
            url,
            headers,
            body,
        } = request;
        let mut outgoing = reqwest::Request::new(method, url);
        *outgoing.headers_mut() = headers;
        match body {
            Body::Empty => {}
            Body::Bytes(bytes) => *outgoing.body_mut() = Some(bytes.into()),
            Body::Once { stream, length } => set_stream(&mut outgoing, stream, length),
            Body::Replayable { make, length } => set_stream(&mut outgoing, make(), length),
        }
        let pending = self.client.execute(outgoing);
        Box::pin(async move {
            let response = pending
                .await
                .map_err(|error| classify(error, Phase::Head))?;
            let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
            Ok(TransportResponse {
                status: head.status,
                headers: head.headers,
                body: ResponseBody::new(Chunks(body)),
            })
        })
    }
}

fn set_stream(
    outgoing: &mut reqwest::Request,
    stream: crate::body::ByteStream,
    length: Option<u64>,
) {
    if let Some(length) = length {
        outgoing
            .headers_mut()
            .insert(http::header::CONTENT_LENGTH, length.into());
    }
    let stream = futures_util::TryStreamExt::map_err(stream, SourceError);
    *outgoing.body_mut() = Some(reqwest::Body::wrap_stream(stream));
}

/// Marks an error as one of the caller's own body stream.
#[derive(Debug)]
struct SourceError(crate::body::BoxError);

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

struct Chunks(reqwest::Body);

impl Stream for Chunks {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(classify(error, Phase::Body)))),
                // Trailers are passed over.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Head,
    Body,
}

/// Finds out what kind of failure it was. In doubt it is a connection lost after sending: the careful answer.
fn classify(error: reqwest::Error, phase: Phase) -> TransportError {
    let text = root_cause(&error);
    let class = class_of(&error, phase);
    // The URL may have a key in its query.
    TransportError {
        class,
        text,
        source: Some(Box::new(error.without_url())),
    }
}

fn class_of(error: &reqwest::Error, phase: Phase) -> FailureClass {
    let chain = || causes(error);
    if chain().any(|e| e.is::<SourceError>()) {
        return FailureClass::BodySource;
    }
    if error.is_connect() {
        if chain().any(|e| rustls_error(e).is_some()) {
            return FailureClass::Tls;
        }
        return if error.is_timeout() {
            FailureClass::ConnectTimeout
        } else {
            FailureClass::Connect
        };
    }
    if error.is_builder() {
        return FailureClass::BodySource;
    }
    for cause in chain() {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() {
                return FailureClass::Protocol;
            }
            if hyper.is_user() {
                return FailureClass::BodySource;
            }
        }
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            let refused = h2.reason() == Some(h2::Reason::REFUSED_STREAM);
            let gone =
                h2.is_go_away() && h2.is_remote() && h2.reason() == Some(h2::Reason::NO_ERROR);
            if refused || gone {
                return FailureClass::NotProcessed;
            }
        }
    }
    // A bad chunk size reaches us as hyper's body error around an io::Error of this kind.
    if chain().any(|e| e.is::<hyper::Error>())
        && chain().any(|e| {
            e.downcast_ref::<io::Error>().is_some_and(|io| {
                matches!(
                    io.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                )
            })
        })
    {
        return FailureClass::Protocol;
    }
    // What the decoder says comes without an error of the connection around it.
    let of_connection = chain().any(|e| {
        e.is::<hyper::Error>()
            || e.is::<h2::Error>()
            || e.downcast_ref::<io::Error>().is_some_and(is_reset)
    });
    if phase == Phase::Body && !of_connection && chain().any(|e| e.is::<io::Error>()) {
        return FailureClass::Decode;
    }
    FailureClass::ConnectionLost
}

fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind as Io;
    matches!(
        error.kind(),
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::NotConnected
    )
}

/// rustls reports through `io::Error`s, often one in another, whose inner errors are not in the chain of sources.
fn rustls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    rustls_error(error.downcast_ref::<io::Error>()?.get_ref()?)
}

/// The innermost cause in words: the outer ones repeat the URL or say "error sending request".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// An error and all that caused it, outermost first.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
