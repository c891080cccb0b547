//! The transport for servers, desktops and phones: reqwest over tokio and rustls, with everything that reqwest would
//! decide by itself (retries, redirects, cookies, credentials) switched off: that is the engine's.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use gatewright_engine::{ErrorKind, defaults};
use http_body::Body as _;

use super::failures::{Phase, SourceError, classify, root_cause};
pub use super::pins::Pins;
pub use super::sleep::BootClock;
use super::sleep::{Rest, Watch};
use super::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse, roots, tls,
};
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
    /// The public keys that hosts have to show beside a valid certificate. Default none.
    pub pins: Pins,
    /// Idle connections kept for each host. Default: no bound.
    pub max_idle_per_host: Option<usize>,
    /// The clock that tells whether the device slept. Default: the system's.
    pub boot_clock: BootClock,
}

impl Default for NativeSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Some(defaults::CONNECT_TIMEOUT),
            proxy: Proxy::Environment,
            ca_certificates: Vec::new(),
            pins: Pins::default(),
            boot_clock: BootClock::default(),
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
///
/// A device that slept gets new connections with its next attempt: those of before are dead without having been closed.
/// What is under way on them goes on, bound by its timeouts as ever.
#[derive(Clone, Debug)]
pub struct NativeTransport {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    blueprint: Blueprint,
    live: Mutex<Live>,
}

/// The connections that are used now.
#[derive(Debug)]
struct Live {
    client: reqwest::Client,
    watch: Watch,
}

/// All that connections are made from, as often as it takes. The roots and TLS sessions are shared by what is made of it.
#[derive(Debug)]
struct Blueprint {
    settings: NativeSettings,
    tls: rustls::ClientConfig,
}

impl Blueprint {
    fn build(&self) -> Result<reqwest::Client, Error> {
        let invalid = |what: String| Error::new(ErrorKind::InvalidConfig, what);
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_keepalive(Duration::from_secs(30));
        if let Some(timeout) = self.settings.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(max) = self.settings.max_idle_per_host {
            builder = builder.pool_max_idle_per_host(max);
        }
        match &self.settings.proxy {
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
        builder.build().map_err(|error| {
            invalid(format!(
                "the transport cannot be set up: {}",
                root_cause(&error)
            ))
        })
    }
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
        let tls = tls::client_config(extra, settings.pins.clone())
            .map_err(|error| invalid(format!("TLS cannot be set up: {error}")))?;
        let blueprint = Blueprint {
            settings: settings.clone(),
            tls,
        };
        let live = Mutex::new(Live {
            client: blueprint.build()?,
            watch: Watch::new(settings.boot_clock.clone()),
        });
        Ok(Self {
            shared: Arc::new(Shared { blueprint, live }),
        })
    }
}

impl Shared {
    /// The connections for an attempt that begins now, and whether the runtime has to look at its sockets first.
    fn connections(&self) -> (reqwest::Client, bool) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = live.watch.look();
        if rest == Rest::Slept
            // What could be built once can be built again; if not, the old connections are better than none.
            && let Ok(fresh) = self.blueprint.build()
        {
            tracing::debug!(target: "gatewright", "the device slept: new connections");
            live.client = fresh;
        }
        (live.client.clone(), rest == Rest::Unwatched)
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
            fresh: _,
        } = request;
        let mut outgoing = reqwest::Request::new(method, url);
        *outgoing.headers_mut() = headers;
        match body {
            Body::Empty => {}
            Body::Bytes(bytes) => *outgoing.body_mut() = Some(bytes.into()),
            Body::Once { stream, length } => set_stream(&mut outgoing, stream, length),
            Body::Replayable { make, length } => set_stream(&mut outgoing, make(), length),
        }
        let (client, unwatched) = self.shared.connections();
        let pending = client.execute(outgoing);
        Box::pin(async move {
            if unwatched {
                // The runtime reads what its sockets have to say before it goes on here: a connection that was closed
                // meanwhile is then known to be.
                tokio::task::yield_now().await;
            }
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
