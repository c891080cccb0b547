//! Sends one attempt of a delivery: a fresh connection to a checked address, one POST, no redirects, bounded in time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::outbox::Outgoing;
use super::target;

/// Real time an attempt may take, from looking up the name to the answer's headers.
const MAX_TIME_MS: u64 = 10_000;
const MAX_CONNECT_MS: u64 = 3_000;
const MAX_BODY_TIME: Duration = Duration::from_secs(1);
const MAX_BODY_BYTES: usize = 64 * 1024;

/// One attempt as it goes out, whoever sends it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Bytes,
    /// Real time from looking up the name to the answer's headers.
    pub(crate) timeout_ms: u64,
    pub(crate) connect_timeout_ms: u64,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) goes_on: bool,
}

impl Answer {
    /// One of which only the status is known.
    pub(crate) fn of(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }
}

impl Outgoing {
    /// What is sent to its address.
    pub(crate) fn post(&self, url: &Url) -> Result<Post, String> {
        let signed = self.signed.as_ref().map_err(Clone::clone)?;
        let agent = concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION"));
        let mut headers = vec![
            (CONTENT_TYPE.as_str().into(), "application/json".into()),
            (USER_AGENT.as_str().into(), agent.into()),
        ];
        for (name, value) in signed.headers() {
            headers.push((name.into(), value.into()));
        }
        Ok(Post {
            url: url.to_string(),
            headers,
            payload: self.payload.clone(),
            timeout_ms: MAX_TIME_MS,
            connect_timeout_ms: MAX_CONNECT_MS,
        })
    }
}

/// Sends a request to where webhooks may go, and answers with what came back, or why nothing did.
pub(crate) async fn post(post: &Post, own_ports: &[u16]) -> Result<Answer, String> {
    let url = Url::parse(&post.url).map_err(|error| error.to_string())?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path_and_query(&url))
        .header(HOST, authority(&url));
    for (name, value) in &post.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(post.payload.clone()))
        .map_err(|error| error.to_string())?;
    let connect_time = Duration::from_millis(post.connect_timeout_ms);
    let asked = exchange(&url, request, own_ports, connect_time);
    match timeout(Duration::from_millis(post.timeout_ms), asked).await {
        Ok(Ok(status)) => Ok(Answer::of(status.as_u16())),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(format!("no answer within {} s", post.timeout_ms / 1_000)),
    }
}

async fn exchange(
    url: &Url,
    request: Request<Full<Bytes>>,
    own_ports: &[u16],
    connect_time: Duration,
) -> Result<StatusCode, String> {
    let socket = connect(url, own_ports, connect_time).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
        .await
        .map_err(|error| error.to_string())?;
    let connection = async {
        // Its error is the request's error too.
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status();
        // Reading a little of the body lets the receiver finish in peace; what it says does not matter.
        let _ = timeout(
            MAX_BODY_TIME,
            Limited::new(answer.into_body(), MAX_BODY_BYTES).collect(),
        )
        .await;
        Ok(status)
    };
    tokio::select! {
        answer = answer => answer,
        () = connection => Err("the connection ended".into()),
    }
}

/// Connects to an address that has been checked, so that the name cannot mean another one a moment later.
async fn connect(url: &Url, own_ports: &[u16], most: Duration) -> Result<TcpStream, String> {
    let port = url.port_or_known_default().unwrap_or(80);
    let host = url
        .host_str()
        .unwrap_or("")
        .trim_start_matches('[')
        .trim_end_matches(']');
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(|error| format!("{host}: {error}"))?
        .collect();
    for address in &addresses {
        target::allow(*address, own_ports)?;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(most, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(format!("cannot connect to {host}:{port}: {last}"))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.into(),
    }
}

fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().into(),
    }
}
