//! A server that dies and comes back, and what clients do to it and to their callers meanwhile, with their defaults.
//!
//! A thousand calls come in evenly, 50 a second, at most 64 at once. From the second second on the server answers 503,
//! without a `Retry-After`, for eight seconds; before and after it answers within 5 ms. Each client has a server of its own.
//!
//! Usage: `bench-dead-server [PYTHON SCRIPT]`; with a Python and `bench/python/dead_server.py` its clients are in the table.

#![allow(clippy::print_stdout, reason = "a table is printed")]

use std::convert::Infallible;
use std::error::Error;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use gatewright::Client;
use gatewright::transport::native::Proxy;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tokio::net::TcpListener;

const CALLS: u32 = 1_000;
const AT_ONCE: usize = 64;
const APART: Duration = Duration::from_millis(20);
const DEAD_FROM: Duration = Duration::from_secs(2);
const DEAD_UNTIL: Duration = Duration::from_secs(10);
const WORK: Duration = Duration::from_millis(5);
const PATH: &str = "/v1/contacts/ct_000001";

type Failure = Box<dyn Error + Send + Sync>;

/// What the server saw.
#[derive(Debug, Default)]
struct Seen {
    begun: Option<Instant>,
    requests: u32,
    while_dead: u32,
    /// Time from the recovery to the first request after it.
    noticed_after: Option<Duration>,
}

impl Seen {
    /// A request came in: what it is answered.
    fn request(&mut self) -> StatusCode {
        let since = self.begun.get_or_insert_with(Instant::now).elapsed();
        self.requests += 1;
        if (DEAD_FROM..DEAD_UNTIL).contains(&since) {
            self.while_dead += 1;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        if since >= DEAD_UNTIL {
            self.noticed_after.get_or_insert(since - DEAD_UNTIL);
        }
        StatusCode::OK
    }
}

/// A server on a thread of its own, for as long as the process lives.
fn serve() -> Result<(String, Arc<Mutex<Seen>>), Failure> {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let (say, said) = std::sync::mpsc::channel();
    let of_server = Arc::clone(&seen);
    std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            say.send(format!("http://{}", listener.local_addr()?))?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let seen = Arc::clone(&of_server);
                tokio::spawn(async move {
                    let service = service_fn(move |_| {
                        let status = seen
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .request();
                        async move {
                            tokio::time::sleep(WORK).await;
                            let mut response =
                                Response::new(Full::new(Bytes::from_static(b"{\"data\":[]}")));
                            *response.status_mut() = status;
                            response.headers_mut().insert(
                                http::header::CONTENT_TYPE,
                                HeaderValue::from_static("application/json"),
                            );
                            Ok::<_, Infallible>(response)
                        }
                    });
                    // A client that goes away in the middle is no concern of ours.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        })
    });
    Ok((said.recv()?, seen))
}

/// What callers saw.
struct Got {
    lost: u64,
    took: f64,
}

/// Makes all calls; `call` says whether one brought what was asked for.
async fn load<F: Future<Output = bool>>(call: impl Fn() -> F) -> Got {
    let start = tokio::time::Instant::now();
    let call = &call;
    let lost = stream::iter(0..CALLS)
        .map(|number| async move {
            tokio::time::sleep_until(start + APART * number).await;
            call().await
        })
        .buffer_unordered(AT_ONCE)
        .filter(|brought| std::future::ready(!brought))
        .count()
        .await;
    Got {
        lost: u64::try_from(lost).unwrap_or(u64::MAX),
        took: start.elapsed().as_secs_f64(),
    }
}

fn gatewright(url: &str) -> Result<Client, Failure> {
    Ok(Client::builder(url).proxy(Proxy::Direct).build()?)
}

/// As the crate's documentation shows.
fn reqwest_retry(url: &str) -> Result<(ClientWithMiddleware, String), Failure> {
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    // With `rustls-no-provider`, and never used: the server speaks plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = ClientBuilder::new(reqwest::Client::builder().no_proxy().build()?)
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    Ok((client, format!("{url}{PATH}")))
}

fn in_python(python: &str, script: &str, client: &str, url: &str) -> Result<Got, Failure> {
    let output = Command::new(python).args([script, client, url]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let said: serde_json::Value = serde_json::from_str(text.trim()).map_err(|why| {
        format!(
            "{client} said {text:?} ({why}): {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let of = |name: &str| said.get(name).ok_or_else(|| format!("{client}: no {name}"));
    Ok(Got {
        lost: of("lost")?.as_u64().unwrap_or(u64::MAX),
        took: of("took")?.as_f64().unwrap_or(f64::NAN),
    })
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "| Client | Requests while dead | Requests in all | Noticed after | Calls lost | Took |"
    );
    println!("|---|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (url, seen) = serve()?;
    let client = gatewright(&url)?;
    let got = runtime.block_on(load(|| async { client.get(PATH).send().await.is_ok() }));
    row("gatewright (Rust)", &got, &seen);
    let (url, seen) = serve()?;
    let client = Client::builder(&url)
        .proxy(Proxy::Direct)
        .breaker(None)
        .build()?;
    let got = runtime.block_on(load(|| async { client.get(PATH).send().await.is_ok() }));
    row("gatewright (Rust), breaker off", &got, &seen);
    let (url, seen) = serve()?;
    let (client, url) = reqwest_retry(&url)?;
    let got = runtime.block_on(load(|| async {
        let sent = client.get(&url).send().await;
        sent.is_ok_and(|response| response.status().is_success())
    }));
    row("reqwest-retry, 3 retries", &got, &seen);
    if let [python, script] = &arguments[..] {
        for (client, name) in [
            ("gatewright", "gatewright (Python)"),
            ("openai", "openai-python"),
            ("urllib3", "urllib3, `Retry` by default"),
            (
                "urllib3-status",
                "urllib3, `Retry(3, backoff_factor=0.5, status_forcelist=[503])`",
            ),
        ] {
            let (url, seen) = serve()?;
            row(name, &in_python(python, script, client, &url)?, &seen);
        }
    }
    Ok(())
}

fn row(name: &str, got: &Got, seen: &Mutex<Seen>) {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let noticed = seen.noticed_after.map_or_else(
        || "never".to_owned(),
        |after| format!("{:.2} s", after.as_secs_f64()),
    );
    println!(
        "| {name} | {} | {} | {noticed} | {} | {:.1} s |",
        seen.while_dead, seen.requests, got.lost, got.took
    );
}
