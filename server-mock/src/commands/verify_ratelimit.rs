//! `verify-ratelimit`: whether what any server says of its limits is true.

mod findings;
mod said;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, DATE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use url::Url;

use super::{Failure, Subcommand, print, print_json};
use crate::arguments::Arguments;
use findings::{Finding, Seen, Verdict, judge};

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "verify-ratelimit",
    summary: "Find out whether what a server says of its limits is true",
    help: HELP,
    run,
};

const HELP: &str = "\
Asks a server again and again, and compares what it says of its limits with what it does: whether the calls left fall as
requests are made, whether it refuses before nothing is left or lets in after, and whether waiting as told helps.

Usage: gatewright-gateway verify-ratelimit URL [OPTIONS]

Options:
  --header 'NAME: VALUE'  A header of every request, such as the key; may be repeated
  --requests N            Requests at most [default: 60]
  --refusals N            Enough once it refused so often [default: 3]
  --pause-ms N            A pause between requests [default: 0]
  --max-wait SECONDS      The longest wait that is tried [default: 60]
  --json                  Print one line of JSON
  -h, --help              Print this

Only GET requests are sent, one after the other. They use the limit up: do not ask a server that others depend on.

Exit code: 0 where nothing was found untrue, else 1.
";

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an answer's body is read.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

struct Plan {
    url: Url,
    headers: HeaderMap,
    requests: u32,
    refusals: u32,
    pause: Duration,
    max_wait_s: f64,
}

fn run(mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let (mut url, mut headers, mut json) = (None, HeaderMap::new(), false);
    let (mut requests, mut refusals, mut pause_ms, mut max_wait) = (60, 3, 0, 60_u32);
    while let Some(argument) = arguments.next() {
        match argument.name() {
            "--header" => {
                let (name, value) = header(&arguments.value(&argument)?)?;
                headers.append(name, value);
            }
            "--requests" => requests = arguments.number(&argument)?,
            "--refusals" => refusals = arguments.number(&argument)?,
            "--pause-ms" => pause_ms = arguments.number(&argument)?,
            "--max-wait" => max_wait = arguments.number(&argument)?,
            "--json" if argument.is_bare() => json = true,
            _ => match argument.word() {
                Some(word) if url.is_none() => url = Some(target(word)?),
                _ => return Err(arguments.unknown(&argument).into()),
            },
        }
    }
    let plan = Plan {
        url: url.ok_or_else(|| Failure::usage("verify-ratelimit needs the URL to ask"))?,
        headers,
        requests,
        refusals,
        pause: Duration::from_millis(pause_ms),
        max_wait_s: max_wait.into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let seen = runtime.block_on(ask(&plan))?;
    let found = judge(&seen);
    let untrue = found.iter().any(|one| one.verdict == Verdict::Untrue);
    if json {
        print_json(
            &json!({"url": plan.url.as_str(), "true": !untrue, "findings": found, "requests": seen}),
        )?;
    } else {
        print(&report(&seen, &found))?;
    }
    Ok(ExitCode::from(u8::from(untrue)))
}

/// `NAME: VALUE`. It is not repeated in an error: it may be a key.
fn header(line: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = || Failure::usage("--header cannot be that when expecting 'NAME: VALUE'");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().parse().map_err(|_| wrong())?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn target(word: &str) -> Result<Url, Failure> {
    Url::parse(word)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::usage(format!(
                "the URL cannot be {word:?} when expecting one such as https://api.example.com/v1/items"
            ))
        })
}

async fn ask(plan: &Plan) -> Result<Vec<Seen>, Failure> {
    let started = Instant::now();
    let mut seen: Vec<Seen> = Vec::new();
    let (mut refused, mut after_wait) = (0, false);
    for _ in 0..plan.requests {
        let asked_s = started.elapsed().as_secs_f64();
        let (status, headers) = match timeout(TIMEOUT, fetch(plan)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(no_answer(plan, &error.to_string())),
            Err(_) => return Err(no_answer(plan, "it does not answer within 30 s")),
        };
        let now_s = headers
            .get(DATE)
            .and_then(|date| said::epoch_s(date.to_str().ok()?))
            .unwrap_or_else(here_s);
        let one = Seen {
            asked_s,
            answered_s: started.elapsed().as_secs_f64(),
            status,
            said: said::read(&headers, now_s),
            retry_after: (status == 429)
                .then(|| said::retry_after(&headers, now_s))
                .flatten(),
            after_wait,
        };
        after_wait = false;
        let wait_s = match &one.retry_after {
            Some(Ok(wait_s)) if *wait_s <= plan.max_wait_s => Some(*wait_s),
            _ => None,
        };
        seen.push(one);
        if status == 429 {
            refused += 1;
            if let Some(wait_s) = wait_s {
                sleep(Duration::from_secs_f64(wait_s)).await;
                after_wait = true;
            } else {
                break;
            }
        }
        if refused >= plan.refusals && !after_wait {
            break;
        }
        if !after_wait {
            sleep(plan.pause).await;
        }
    }
    Ok(seen)
}

fn here_s() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

fn no_answer(plan: &Plan, why: &str) -> Failure {
    let host = plan.url.host_str().unwrap_or_default();
    Failure::Said(format!("{host} did not answer: {why}"))
}

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn fetch(plan: &Plan) -> Result<(u16, HeaderMap), Error> {
    let host = plan.url.host_str().unwrap_or_default();
    let port = plan.url.port_or_known_default().unwrap_or(80);
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    if plan.url.scheme() == "http" {
        return exchange(plan, socket).await;
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())?;
    let socket = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await?;
    exchange(plan, socket).await
}

async fn exchange(
    plan: &Plan,
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(u16, HeaderMap), Error> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    let connection = tokio::spawn(connection);
    let url = &plan.url;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let mut request = Request::get(target).body(Empty::<Bytes>::new())?;
    let own = request.headers_mut();
    own.insert(HOST, HeaderValue::try_from(host)?);
    own.insert(ACCEPT, HeaderValue::from_static("*/*"));
    own.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION"))),
    );
    for (name, value) in &plan.headers {
        own.insert(name, value.clone());
    }
    let (parts, body) = sender.send_request(request).await?.into_parts();
    // The call may count as in progress until its last byte; what it is does not matter.
    let _ = Limited::new(body, MAX_BODY_BYTES).collect().await;
    connection.abort();
    Ok((parts.status.as_u16(), parts.headers))
}

fn report(seen: &[Seen], found: &[Finding]) -> String {
    let refused = seen.iter().filter(|one| one.status == 429).count();
    let mut text = format!("{} requests, {refused} refused\n\n", seen.len());
    for one in found {
        let verdict = match one.verdict {
            Verdict::True => "true   ",
            Verdict::Unknown => "unknown",
            Verdict::Untrue => "UNTRUE ",
        };
        text.push_str(&format!("{verdict}  {:<12}{}\n", one.claim, one.detail));
    }
    text
}
