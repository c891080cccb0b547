//! Sends one attempt of a delivery: a fresh connection to a checked address, one POST, no redirects, bounded in time and size.

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

/// Sends a request to where webhooks may go, and answers with what came back, or why nothing did.
pub(crate) async fn post(post: &Post, own_ports: &[u16]) -> Result<Answer, String> {
    post_by(post, own_ports, |host, port| async move {
        Ok(lookup_host((host.as_str(), port)).await?.collect())
    })
    .await
}

/// The same, with names looked up by `resolve`.
async fn post_by<R, F>(post: &Post, own_ports: &[u16], resolve: R) -> Result<Answer, String>
where
    R: FnOnce(String, u16) -> F,
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let url = target::parse(&post.url, own_ports)?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path_and_query(&url))
        .header(HOST, authority(&url));
    for (name, value) in &post.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|error| error.to_string())?;
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(post.payload.clone()))
        .map_err(|error| error.to_string())?;
    let most = Duration::from_millis(post.timeout_ms);
    let asked = async {
        let connect_timeout = Duration::from_millis(post.connect_timeout_ms);
        let socket = connect(&url, own_ports, connect_timeout, resolve).await?;
        ask(socket, request).await
    };
    let (mut answer, body) = match timeout(most, asked).await {
        Ok(asked) => asked?,
        Err(_) => return Err(format!("no answer within {} ms", post.timeout_ms)),
    };
    if let Some(body) = body {
        (answer.body, answer.goes_on) = body.await;
    }
    Ok(answer)
}

/// The rest of an answer: reading it may take a moment more.
type Rest = std::pin::Pin<Box<dyn Future<Output = (Bytes, bool)> + Send>>;

/// The answer's head, and what reads its body.
async fn ask(
    socket: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<(Answer, Option<Rest>), String> {
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
        let mut kept = Vec::new();
        let mut read = 0;
        let reading = async {
            while let Some(Ok(frame)) = body.frame().await {
                let Some(data) = frame.data_ref() else {
                    continue;
                };
                read += data.len();
                let room = KEPT_BODY_BYTES.saturating_sub(kept.len());
                kept.extend(data.iter().take(room));
                if read > MAX_BODY_BYTES {
                    return false;
                }
            }
            true
        };
        let whole = tokio::select! {
            whole = timeout(MAX_BODY_TIME, reading) => whole.unwrap_or(false),
            () = connection => false,
        };
        let goes_on = !whole || read > kept.len();
        (Bytes::from(kept), goes_on)
    };
    Ok((found, Some(Box::pin(rest))))
}

/// Connects to an address that has been checked, so that the name cannot mean another one a moment later: it is looked up once, and
/// what was checked is what is connected to.
async fn connect<R, F>(
    url: &Url,
    own_ports: &[u16],
    most: Duration,
    resolve: R,
) -> Result<TcpStream, String>
where
    R: FnOnce(String, u16) -> F,
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let port = url.port_or_known_default().unwrap_or(80);
    let host = url
        .host_str()
        .unwrap_or("")
        .trim_start_matches('[')
        .trim_end_matches(']');
    let addresses = resolve(host.into(), port)
        .await
        .map_err(|error| format!("{host}: {error}"))?;
    for address in &addresses {
        target::allow(*address, own_ports)?;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(most, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // A public address may be one of this machine, where the gateway listens too.
                let of_this_machine = socket
                    .local_addr()
                    .is_ok_and(|own| own.ip() == address.ip());
                if of_this_machine && own_ports.contains(&address.port()) {
                    return Err(format!("{address} is the gateway itself"));
                }
                return Ok(socket);
            }
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

#[cfg(test)]
mod tests;
