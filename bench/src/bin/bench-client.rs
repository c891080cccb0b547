//! `Client` against bare reqwest on the same loop: what retries, pacing, limits and the record of attempts cost on top.
//!
//! Usage: `bench-client URL`, with `bench-server` at the URL.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use gatewright::transport::native::Proxy;
use gatewright::{Auth, Client};
use gatewright_bench::rounds::Rounds;
use http::{HeaderMap, HeaderValue};

const ROUNDS: usize = 21;
const CALLS_IN_SEQUENCE: usize = 5_000;
const AT_ONCE: usize = 64;
const CALLS_AT_ONCE: usize = 12_800;

type Failure = Box<dyn Error + Send + Sync>;

/// One of the clients under test.
#[derive(Clone)]
enum Candidate {
    Gatewright {
        client: Client,
        path: &'static str,
    },
    Reqwest {
        client: reqwest::Client,
        url: String,
    },
}

impl Candidate {
    /// One GET, its body read whole. The body's length, so that nobody leaves it out.
    async fn call(&self) -> Result<usize, Failure> {
        match self {
            Self::Gatewright { client, path } => Ok(client.get(*path).send().await?.bytes().len()),
            Self::Reqwest { client, url } => Ok(client
                .get(url)
                .send()
                .await?
                .error_for_status()?
                .bytes()
                .await?
                .len()),
        }
    }

    async fn calls(&self, count: usize) -> Result<usize, Failure> {
        let mut bytes = 0;
        for _ in 0..count {
            bytes += self.call().await?;
        }
        Ok(bytes)
    }
}

fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1).ok_or("usage: bench-client URL")?;
    let candidates = [
        (
            "reqwest",
            Candidate::Reqwest {
                client: bare_reqwest()?,
                url: format!("{url}/v1/contacts/ct_000001"),
            },
        ),
        (
            "gatewright",
            Candidate::Gatewright {
                client: gatewright(&url)?,
                path: "/v1/contacts/ct_000001",
            },
        ),
        (
            "gatewright, RateLimit headers read",
            Candidate::Gatewright {
                client: gatewright(&url)?,
                path: "/limited/v1/contacts/ct_000001",
            },
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut table = Vec::new();
    for (name, calls, at_once) in [
        ("one at a time", CALLS_IN_SEQUENCE, 1),
        ("64 at once", CALLS_AT_ONCE, AT_ONCE),
    ] {
        let mut rounds = candidates.each_ref().map(|_| Rounds::default());
        for round in 0..=ROUNDS {
            for ((_, candidate), rounds) in candidates.iter().zip(&mut rounds) {
                let mut outcome = Ok(());
                let mut work = || outcome = runtime.block_on(run(candidate, calls, at_once));
                // The first round opens the connections.
                if round == 0 {
                    work()
                } else {
                    rounds.time(work)
                }
                outcome?;
            }
        }
        let [reqwest, ..] = &rounds;
        for ((candidate, _), rounds) in candidates.iter().zip(&rounds) {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let rate = calls as f64 / rounds.median();
            table.push(format!(
                "| {name} | {candidate} | {rate:.0} | {:.3} |",
                reqwest.ratio_to(rounds)
            ));
        }
    }
    println!("| GET of 250 bytes over loopback | Client | requests/s | throughput, reqwest = 1 |");
    println!("|---|---|---:|---:|");
    table.iter().for_each(|row| println!("{row}"));
    println!("\nOne process, one thread, rounds alternate; medians of {ROUNDS} rounds.");
    Ok(())
}

async fn run(candidate: &Candidate, calls: usize, at_once: usize) -> Result<(), Failure> {
    let tasks = (0..at_once).map(|_| {
        let candidate = candidate.clone();
        let share = calls / at_once;
        async move { tokio::spawn(async move { candidate.calls(share).await }).await? }
    });
    let read: usize = try_join_all(tasks).await?.iter().sum();
    if read < calls {
        Err("bodies are missing".into())
    } else {
        Ok(())
    }
}

fn gatewright(url: &str) -> Result<Client, Failure> {
    Ok(Client::builder(url)
        .auth(Auth::bearer("sk_test_unlimited_bench"))
        .proxy(Proxy::Direct)
        .build()?)
}

/// With the settings of Gatewright's own transport, and the headers that it sends.
fn bare_reqwest() -> Result<reqwest::Client, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_static("Bearer sk_test_unlimited_bench"),
    );
    headers.insert("user-agent", HeaderValue::from_static("gatewright/0.1.0"));
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_idle_timeout(Duration::from_secs(45))
        .tcp_keepalive(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60));
    Ok(client.build()?)
}
