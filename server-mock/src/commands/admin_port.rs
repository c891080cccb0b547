//! Asking a running gateway's admin port from a shell.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

use super::Failure;
use crate::arguments::{Argument, Arguments, UsageError};

/// Where a gateway's admin port is unless something else is said.
const DEFAULT_URL: &str = "http://127.0.0.1:4011";
/// The variable that names another.
const URL_VARIABLE: &str = "GATEWRIGHT_ADMIN_URL";
/// How long a whole answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// The options that say which gateway and which of its sessions, for a command's help.
macro_rules! help {
    () => {
        "  --gateway URL      The gateway's admin address [default: GATEWRIGHT_ADMIN_URL, else http://127.0.0.1:4011]
  --session NAME     The gateway's session [default: default]
"
    };
}
pub(super) use help;

/// Which gateway, and which of its sessions.
#[derive(Debug, Default)]
pub(super) struct AdminPort {
    url: Option<String>,
    session: Option<String>,
}

impl AdminPort {
    /// Takes `--gateway` and `--session`; says whether it was one of them.
    pub(super) fn take(
        &mut self,
        argument: &Argument,
        arguments: &mut Arguments,
    ) -> Result<bool, UsageError> {
        match argument.name() {
            "--gateway" => self.url = Some(arguments.value(argument)?),
            "--session" => self.session = Some(arguments.value(argument)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads one of its lists or values; `path` comes after `/admin/` and may have a query.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None)
    }

    /// Sends a request and reads what came back as JSON; a refusal is a failure with the gateway's own words.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let text = self.text(method, path, body)?;
        serde_json::from_slice(&text).map_err(|_| {
            Failure::Said("the answer is no JSON; is this a gateway's admin port?".into())
        })
    }

    /// The same, with the answer as it came.
    pub(super) fn text(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Failure> {
        let url = self.target(path)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = exchange(&url, method, body);
        let answer = runtime.block_on(async { tokio::time::timeout(TIMEOUT, work).await });
        match answer {
            Ok(Ok((status, text))) if status.is_success() => Ok(text),
            Ok(Ok((status, text))) => Err(Failure::Said(refusal(status, &text))),
            Ok(Err(error)) => Err(not_there(&url, &error)),
            Err(_) => Err(not_there(&url, &"it does not answer")),
        }
    }

    fn target(&self, path: &str) -> Result<Url, Failure> {
        let base = match &self.url {
            Some(url) => url.clone(),
            None => std::env::var(URL_VARIABLE).unwrap_or_else(|_| DEFAULT_URL.into()),
        };
        let wrong = || {
            Failure::usage(format!(
                "the gateway's address cannot be {base:?} when expecting its admin address, such as {DEFAULT_URL}"
            ))
        };
        let mut url = Url::parse(&base)
            .ok()
            .filter(|url| url.scheme() == "http" && url.has_host())
            .and_then(|url| url.join(&format!("/admin/{path}")).ok())
            .ok_or_else(wrong)?;
        if let Some(session) = &self.session {
            url.query_pairs_mut().append_pair("session", session);
        }
        Ok(url)
    }
}

/// What the gateway said against it.
fn refusal(status: StatusCode, text: &[u8]) -> String {
    let problem: Option<Value> = serde_json::from_slice(text).ok();
    let detail = problem
        .as_ref()
        .and_then(|problem| problem.get("detail")?.as_str());
    match detail {
        Some(detail) => format!("the gateway refused: {detail}"),
        None => {
            format!("{status} came back; is this the admin port of a gateway of the same version?")
        }
    }
}

fn not_there(url: &Url, error: &dyn std::fmt::Display) -> Failure {
    let (host, port) = (
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or_default(),
    );
    Failure::Said(format!(
        "no gateway at http://{host}:{port}: {error}\nstart one with `gatewright-gateway serve`, or name its admin address with --gateway or {URL_VARIABLE}"
    ))
}

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    url: &Url,
    method: Method,
    body: Option<&Value>,
) -> Result<(StatusCode, Bytes), Error> {
    let (host, port) = (
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or(80),
    );
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, format!("{host}:{port}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?;
    Ok((parts.status, body.to_bytes()))
}
