//! Sends one attempt of a delivery: a fresh connection to a checked address, one POST, no redirects, bounded in time and size.
//!
//! `http:` goes on a socket of its own, as cheaply as there is; `https:` by the gateway's client ([`over_tls`]).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::outbox::Outgoing;
use super::target;
use crate::client::{Client, TlsTrouble};

mod over_tls;

const MAX_BODY_TIME: Duration = Duration::from_secs(1);
/// What is read of an answer's body, so that the receiver finishes in peace.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// What is kept of it.
const KEPT_BODY_BYTES: usize = 1_025;

/// One attempt as it goes out, whoever sends it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) url: String,
    /// All but those of HTTP's framing.
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
    /// The first bytes of the body.
    pub(crate) body: Bytes,
    /// Whether it goes on.
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

    pub(crate) fn retry_after(&self) -> Option<&str> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()
    }
}

impl Outgoing {
    /// What is sent to its address, signed as sent at `at_ns`.
    pub(crate) fn post(&self, url: &Url, at_ns: u64) -> Result<Post, String> {
        let signed = self.signed(at_ns)?;
        let agent = concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION"));
        let mut headers = vec![
            (CONTENT_TYPE.as_str().into(), "application/json".into()),
            (USER_AGENT.as_str().into(), agent.into()),
        ];
        for (name, value) in signed.headers() {
            headers.push((name.into(), value.into()));
        }
        for (name, value) in self.headers.iter() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.push((name.as_str().into(), value));
        }
        Ok(Post {
            url: url.to_string(),
            headers,
            payload: self.message.payload.clone(),
            timeout_ms: self.timeout_ms,
            connect_timeout_ms: self.connect_timeout_ms,
        })
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    pub(crate) why: String,
    /// What was wrong with TLS, if that is what was wrong.
    pub(crate) tls: Option<TlsTrouble>,
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self { why, tls: None }
    }
}

/// Sends a request to where webhooks may go, and answers with what came back, or why nothing did. `client` is for `https:`.
pub(crate) async fn post(
    post: &Post,
    own_ports: &[u16],
    client: &Client,
) -> Result<Answer, Unanswered> {
    post_by(post, own_ports, client, |host, port| async move {
        Ok(lookup_host((host.as_str(), port)).await?.collect())
    })
    .await
}

/// The same, with names looked up by `resolve`.
async fn post_by<R, F>(
    post: &Post,
    own_ports: &[u16],
    client: &Client,
    resolve: R,
) -> Result<Answer, Unanswered>
where
    R: FnOnce(String, u16) -> F,
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let url = target::parse(&post.url, own_ports)?;
    let mut headers = HeaderMap::with_capacity(post.headers.len() + 1);
    for (name, value) in &post.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    let most = Duration::from_millis(post.timeout_ms);
    let connect_timeout = Duration::from_millis(post.connect_timeout_ms);
    let asked = async {
        let addresses = looked_up(&url, own_ports, resolve).await?;
        if url.scheme() == "https" {
            let to = over_tls::To {
                url: &url,
                addresses,
                connect_timeout,
            };
            return over_tls::ask(client, to, headers, post.payload.clone()).await;
        }
        let request = plain_request(&url, headers, post.payload.clone())?;
        let socket = connect(&url, addresses, connect_timeout).await?;
        ask(socket, request).await.map_err(Unanswered::from)
    };
    let (mut answer, body) = match timeout(most, asked).await {
        Ok(asked) => asked?,
        Err(_) => return Err(format!("no answer within {} ms", post.timeout_ms).into()),
    };
    (answer.body, answer.goes_on) = body.await;
    Ok(answer)
}

fn plain_request(
    url: &Url,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path_and_query(url))
        .header(HOST, authority(url));
    if let Some(all) = request.headers_mut() {
        all.extend(headers);
    }
    request
        .body(Full::new(payload))
        .map_err(|error| error.to_string())
}

/// The rest of an answer: reading it may take a moment more.
type Rest = std::pin::Pin<Box<dyn Future<Output = (Bytes, bool)> + Send>>;

/// The answer's head, and what reads its body.
async fn ask(socket: TcpStream, request: Request<Full<Bytes>>) -> Result<(Answer, Rest), String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
        .await
        .map_err(|error| error.to_string())?;
    let mut connection = Box::pin(async move {
        // Its error is the request's error too, and what it has read is still to be had when it has ended.
        let _ = connection.await;
        std::future::pending::<()>().await;
    });
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer.map_err(|error| error.to_string())?,
        () = &mut connection => return Err("the connection ended".into()),
    };
    let (head, mut body) = answer.into_parts();
    let found = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        ..Answer::default()
    };
    let rest = async move {
        // Kept, so that the connection stays open while the body is read.
        let _sender = sender;
        let mut kept = Kept::default();
        let reading = async {
            while let Some(Ok(frame)) = body.frame().await {
                if let Some(data) = frame.data_ref()
                    && !kept.take(data)
                {
                    return false;
                }
            }
            true
        };
        let whole = tokio::select! {
            whole = timeout(MAX_BODY_TIME, reading) => whole.unwrap_or(false),
            () = connection => false,
        };
        kept.done(whole)
    };
    Ok((found, Box::pin(rest)))
}

/// What is kept of a body while it is read.
#[derive(Default)]
struct Kept {
    first: Vec<u8>,
    read: usize,
}

impl Kept {
    /// Whether it may go on.
    fn take(&mut self, data: &[u8]) -> bool {
        self.read += data.len();
        let room = KEPT_BODY_BYTES.saturating_sub(self.first.len());
        self.first.extend(data.iter().take(room));
        self.read <= MAX_BODY_BYTES
    }

    /// The first bytes, and whether there are more.
    fn done(self, whole: bool) -> (Bytes, bool) {
        let goes_on = !whole || self.read > self.first.len();
        (Bytes::from(self.first), goes_on)
    }
}

/// The addresses of a URL, all of them checked. Its name is looked up once and what was checked is what is connected to, so that it
/// cannot mean another one a moment later.
async fn looked_up<R, F>(
    url: &Url,
    own_ports: &[u16],
    resolve: R,
) -> Result<Vec<SocketAddr>, String>
where
    R: FnOnce(String, u16) -> F,
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let (host, port) = host_and_port(url);
    let addresses = resolve(host.into(), port)
        .await
        .map_err(|error| format!("{host}: {error}"))?;
    for address in &addresses {
        target::allow(*address, own_ports)?;
    }
    if addresses.is_empty() {
        return Err(format!("{host}: the name has no address"));
    }
    Ok(addresses)
}

async fn connect(
    url: &Url,
    addresses: Vec<SocketAddr>,
    most: Duration,
) -> Result<TcpStream, String> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match timeout(most, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    let (host, port) = host_and_port(url);
    Err(format!("cannot connect to {host}:{port}: {last}"))
}

/// The host without the brackets of an IPv6 address.
fn host_and_port(url: &Url) -> (&str, u16) {
    let host = url.host_str().unwrap_or("");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host, url.port_or_known_default().unwrap_or(80))
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

#[cfg(test)]
mod tests;
