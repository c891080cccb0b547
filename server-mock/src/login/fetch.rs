//! The back channel of the login: one request on a fresh connection, no redirects, bounded in time and size.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue};
use rustls::RootCertStore;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::client::{self, Client, Pinned, deepest, tls_trouble};
use crate::https::TlsServer;
use crate::login::own_server;

/// Real time a request may take, from looking up the name to the answer's last byte.
const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A name that is never looked up (RFC 6761): it is pinned.
const OWN_NAME: &str = "gateway.invalid";
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
    /// Another one, whom the client knows by its roots, or by this CA in PEM beside them.
    Other { ca_pem: Option<String> },
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
    pub(super) async fn json(self, peer: &Peer, client: &Client) -> Result<Value, String> {
        let (ok, body) = timeout(MAX_TIME, self.send(peer, client))
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

    async fn send(self, peer: &Peer, client: &Client) -> Result<(bool, Vec<u8>), String> {
        let mut url = Url::parse(&self.address).map_err(|error| error.to_string())?;
        let host = named(&url);
        let client = match peer {
            Peer::Own { server, local, .. } => {
                let tls = match server {
                    Some(server) => own_server::trusted(server)?,
                    None => client::config(RootCertStore::empty())?,
                };
                let scheme = if server.is_some() { "https" } else { "http" };
                let at = format!("{scheme}://{OWN_NAME}:{}", local.port());
                let mut own = Url::parse(&at).map_err(|error| error.to_string())?;
                own.set_path(url.path());
                own.set_query(url.query());
                url = own;
                client::builder(tls).dns_resolver(Pinned(vec![*local]))
            }
            Peer::Other { ca_pem: Some(pem) } => client
                .builder_with(pem)
                .map_err(|why| format!("ca_pem: {why}"))?,
            Peer::Other { ca_pem: None } => client.builder()?,
        };
        let client = client.build().map_err(|error| error.to_string())?;
        let request = self.request(client, url, &host, peer)?;
        let failed = |error: reqwest::Error| match (tls_trouble(&error), error.is_connect()) {
            (Some(_), _) => format!("TLS with {host}: {}", deepest(&error.without_url())),
            (None, true) => format!(
                "cannot connect to {host}: {}",
                deepest(&error.without_url())
            ),
            (None, false) => deepest(&error.without_url()),
        };
        let mut answer = request.send().await.map_err(failed)?;
        let ok = answer.status().is_success();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > MAX_BODY_BYTES {
                return Err(format!("the answer has more than {MAX_BODY_BYTES} bytes"));
            }
            body.extend_from_slice(&piece);
        }
        Ok((ok, body))
    }

    fn request(
        self,
        client: reqwest::Client,
        url: Url,
        host: &str,
        peer: &Peer,
    ) -> Result<reqwest::RequestBuilder, String> {
        let mut request = match self.form {
            None => client.get(url),
            Some(pairs) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(pairs);
                client
                    .post(url)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
        };
        request = request
            .header(HOST, host)
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
        Ok(request)
    }
}

/// What `Host` says.
fn named(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.into(),
    }
}
