//! `verify-ratelimit`: whether what any server says of its limits is true.

mod findings;
mod said;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gatewright_server_mock::http_client;
use http::HeaderMap;
use http::header::{DATE, HeaderName, HeaderValue, USER_AGENT};
use serde_json::json;
use tokio::time::{sleep, timeout};
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
    let client = http_client().map_err(Failure::Said)?;
    let started = Instant::now();
    let mut seen: Vec<Seen> = Vec::new();
    let (mut refused, mut after_wait) = (0, false);
    for _ in 0..plan.requests {
        let asked_s = started.elapsed().as_secs_f64();
        let (status, headers) = match timeout(TIMEOUT, fetch(plan, &client)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(no_answer(plan, &cause(&error.without_url()))),
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

async fn fetch(plan: &Plan, client: &reqwest::Client) -> Result<(u16, HeaderMap), reqwest::Error> {
    let request = client
        .get(plan.url.clone())
        .header(
            USER_AGENT,
            concat!("gatewright-gateway/", env!("CARGO_PKG_VERSION")),
        )
        .headers(plan.headers.clone());
    let mut answer = request.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    // The call may count as in progress until its last byte; what it is does not matter.
    let mut read = 0;
    while let Ok(Some(piece)) = answer.chunk().await {
        read += piece.len();
        if read > MAX_BODY_BYTES {
            break;
        }
    }
    Ok((status, headers))
}

/// The cause below all others.
fn cause(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
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
