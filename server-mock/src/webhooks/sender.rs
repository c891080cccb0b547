//! Sends one attempt of a delivery: a fresh connection to a checked address, one POST, no redirects, bounded in time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::endpoint::Target;
use super::outbox::Outgoing;
use super::target;
use crate::world::Surroundings;

/// Real time an attempt may take, from looking up the name to the answer's headers.
const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_CONNECT: Duration = Duration::from_secs(3);
const MAX_BODY_TIME: Duration = Duration::from_secs(1);
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The status of the answer, or why there is none.
pub(crate) async fn send(outgoing: &Outgoing, surroundings: &Surroundings) -> Result<u16, String> {
    let url = match &outgoing.target {
        Target::Address(url) => url,
        Target::Listener(listener) => return listener.send(outgoing).await,
    };
    let signed = outgoing.signed.as_ref().map_err(Clone::clone)?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path_and_query(url))
        .header(HOST, authority(url))
        .header(CONTENT_TYPE, "application/json")
        .header(
            USER_AGENT,
            concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION")),
        );
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(outgoing.payload.clone()))
        .map_err(|error| error.to_string())?;
    match timeout(MAX_TIME, exchange(url, request, surroundings)).await {
        Ok(Ok(status)) => Ok(status.as_u16()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(format!("no answer within {} s", MAX_TIME.as_secs())),
    }
}

async fn exchange(
    url: &Url,
    request: Request<Full<Bytes>>,
    surroundings: &Surroundings,
) -> Result<StatusCode, String> {
    let socket = connect(url, surroundings).await?;
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
async fn connect(url: &Url, surroundings: &Surroundings) -> Result<TcpStream, String> {
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
        target::allow(*address, surroundings)?;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(MAX_CONNECT, TcpStream::connect(address)).await {
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
