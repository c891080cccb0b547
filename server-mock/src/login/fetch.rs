//! The back channel of the login: one request on a fresh connection, no redirects, bounded in time and size.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::https::TlsServer;
use crate::login::own_server;

/// Real time a request may take, from looking up the name to the answer's last byte.
const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 1024 * 1024;
const SESSION: HeaderName = HeaderName::from_static("x-mock-session");

/// Whom to ask.
#[derive(Clone)]
pub(super) enum Peer {
    /// The gateway itself, at the address the browser reached it: a name in `Host` decides nothing.
    Own {
        local: SocketAddr,
        server: Option<Arc<TlsServer>>,
        session: String,
    },
    Other {
        ca_pem: Option<String>,
    },
}

/// A request being put together.
pub(super) struct Fetch {
    address: String,
    form: Option<Vec<(String, String)>>,
    authorization: Option<String>,
}

impl Fetch {
    pub(super) fn get(address: &str) -> Self {
        Self {
            address: address.into(),
            form: None,
            authorization: None,
        }
    }

    pub(super) fn form(address: &str, pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Self {
            form: Some(pairs.collect()),
            ..Self::get(address)
        }
    }

    /// One more pair of the form.
    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        self.form
            .get_or_insert_default()
            .push((name.into(), value.into()));
        self
    }

    /// Id and secret in the header, each form-encoded (RFC 6749, section 2.3.1).
    pub(super) fn basic(mut self, id: &str, secret: &str) -> Self {
        let encoded = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        self.authorization = Some(format!("Basic {pair}"));
        self
    }

    pub(super) fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Sends it; the JSON of a 2xx, or why there is none. An OAuth error is told by its name, never by its text.
    pub(super) async fn json(self, peer: &Peer) -> Result<Value, String> {
        let (ok, body) = timeout(MAX_TIME, self.send(peer))
            .await
            .map_err(|_| format!("no answer within {} s", MAX_TIME.as_secs()))??;
        let body: Value = serde_json::from_slice(&body).map_err(|_| "the answer is no JSON")?;
        // GitHub says errors with status 200.
        match body.get("error").and_then(Value::as_str) {
            Some(error) => {
                let name = error
                    .chars()
                    .filter(|c| c.is_ascii_alphanumeric() || *c == '_');
                Err(name.take(64).collect())
            }
            None if ok => Ok(body),
            None => Err("the answer is an error".into()),
        }
    }

    async fn send(self, peer: &Peer) -> Result<(bool, Bytes), String> {
        let url = Url::parse(&self.address).map_err(|error| error.to_string())?;
        let request = self.request(&url, peer)?;
        let host = url.host_str().unwrap_or("");
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or(80);
        let (socket, tls) = match peer {
            Peer::Own { local, server, .. } => {
                let tls = server.as_deref().map(own_server::trusted).transpose()?;
                (TcpStream::connect(local).await, tls)
            }
            Peer::Other { ca_pem } => {
                let tls = (url.scheme() == "https")
                    .then(|| own_server::public(ca_pem.as_deref()))
                    .transpose()?;
                (TcpStream::connect((host, port)).await, tls)
            }
        };
        let socket = socket.map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
        match tls {
            None => exchange(socket, request).await,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned())
                    .map_err(|_| format!("{host} is no name of a server"))?;
                let socket = TlsConnector::from(config)
                    .connect(name, socket)
                    .await
                    .map_err(|error| format!("TLS with {host}:{port}: {error}"))?;
                exchange(socket, request).await
            }
        }
    }

    fn request(self, url: &Url, peer: &Peer) -> Result<Request<Full<Bytes>>, String> {
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let host = url.host_str().unwrap_or("");
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.into(),
        };
        let mut request = Request::builder()
            .uri(path)
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(
                USER_AGENT,
                concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION")),
            );
        if let Peer::Own { session, .. } = peer {
            request = request.header(SESSION, session);
        }
        if let Some(authorization) = self.authorization {
            let mut value =
                HeaderValue::try_from(authorization).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let body = match self.form {
            None => Bytes::new(),
            Some(pairs) => {
                request = request
                    .method(Method::POST)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(pairs);
                form.finish().into()
            }
        };
        request
            .body(Full::new(body))
            .map_err(|error| error.to_string())
    }
}

async fn exchange(
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(bool, Bytes), String> {
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
        let ok = answer.status().is_success();
        let body = Limited::new(answer.into_body(), MAX_BODY_BYTES)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((ok, body.to_bytes()))
    };
    tokio::select! {
        answer = answer => answer,
        () = connection => Err("the connection ended".into()),
    }
}
