//! The same attempt over TLS, by the gateway's client: the name is in the certificate, the addresses are those that were checked.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::timeout;
use url::Url;

use super::{Answer, Kept, MAX_BODY_TIME, Rest, Unanswered, host_and_port};
use crate::client::{Client, Pinned, deepest, tls_trouble};

/// Where to.
pub(super) struct To<'a> {
    pub(super) url: &'a Url,
    /// Checked; nothing else is connected to.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) connect_timeout: Duration,
}

/// The answer's head, and what reads its body.
pub(super) async fn ask(
    client: &Client,
    to: To<'_>,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<(Answer, Rest), Unanswered> {
    // Of its own, because it is pinned, and forgotten with its connection; the TLS session is remembered.
    let client = client
        .builder()?
        .dns_resolver(Pinned(to.addresses))
        .connect_timeout(to.connect_timeout)
        .http1_only()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| error.to_string())?;
    let request = client.post(to.url.clone()).headers(headers).body(payload);
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return Err(unanswered(to.url, error)),
    };
    let found = Answer {
        status: answer.status().as_u16(),
        headers: std::mem::take(answer.headers_mut()),
        ..Answer::default()
    };
    let rest = async move {
        let mut kept = Kept::default();
        let reading = async {
            while let Ok(Some(piece)) = answer.chunk().await {
                if !kept.take(&piece) {
                    return false;
                }
            }
            true
        };
        let whole = timeout(MAX_BODY_TIME, reading).await.unwrap_or(false);
        kept.done(whole)
    };
    Ok((found, Box::pin(rest)))
}

fn unanswered(url: &Url, error: reqwest::Error) -> Unanswered {
    let (host, port) = host_and_port(url);
    // The path may have a secret in it.
    let error = error.without_url();
    let tls = tls_trouble(&error);
    let cause = deepest(&error);
    let why = match tls {
        Some(_) => format!("TLS with {host}:{port}: {cause}"),
        None if error.is_connect() => format!("cannot connect to {host}:{port}: {cause}"),
        None => cause,
    };
    Unanswered { why, tls }
}
