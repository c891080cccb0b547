//! Plays the plan with one client: `verdict-clients NAME URL PREFIX PLAN`. Each step is a session of its own, named
//! `PREFIX-STEP`. Every client has three attempts in all and a timeout of one second for each; everything else is as its
//! documentation shows it.

use std::error::Error;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use http::{HeaderMap, HeaderValue, Method};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use serde::Deserialize;

const TIMEOUT: Duration = Duration::from_secs(1);

/// One step of the plan.
#[derive(Deserialize)]
struct Step {
    name: String,
    #[serde(default = "unlimited")]
    key: String,
    every_ms: Option<u64>,
    repeat: Option<usize>,
    calls: Vec<(String, String)>,
}

fn unlimited() -> String {
    "sk_test_unlimited_acme".into()
}

type Failure = Box<dyn Error + Send + Sync>;
/// Sends one call with a client of the step's own.
type Call = Box<
    dyn Fn(Method, String, Option<serde_json::Value>) -> BoxFuture<'static, Result<(), Failure>>
        + Send
        + Sync,
>;

fn gatewright(url: &str, session: &str, key: &str) -> Result<Call, Failure> {
    let client = gatewright::Client::builder(url)
        .auth(gatewright::Auth::bearer(key))
        .header("X-Mock-Session", session)
        .attempt_timeout(TIMEOUT)
        .build()?;
    Ok(Box::new(move |method, path, body| {
        let request = client.request(method, path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        Box::pin(async move { Ok(request.send().await.map(drop)?) })
    }))
}

fn reqwest_retry(url: &str, session: &str, key: &str) -> Result<Call, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert("X-Mock-Session", HeaderValue::from_str(session)?);
    headers.insert(
        "Authorization",
        HeaderValue::from_str(&format!("Bearer {key}"))?,
    );
    // The SDK has reqwest take whichever provider there is. Plain http asks for one too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bare = reqwest::Client::builder()
        .default_headers(headers)
        .timeout(TIMEOUT)
        .build()?;
    let policy = ExponentialBackoff::builder().build_with_max_retries(2);
    let client = ClientBuilder::new(bare)
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    let url = url.to_owned();
    Ok(Box::new(move |method, path, body| {
        let request = client.request(method, format!("{url}{path}"));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        Box::pin(async move {
            request.send().await?.bytes().await?;
            Ok(())
        })
    }))
}

async fn play(call: &Call, step: &Step) {
    let calls = step
        .calls
        .iter()
        .cycle()
        .take(step.calls.len() * step.repeat.unwrap_or(1));
    let mut going = Vec::new();
    for (method, path) in calls {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let body = (method == Method::POST).then(|| serde_json::json!({ "name": step.name }));
        let one = call(method, path.clone(), body);
        let told = |ended: Result<(), Failure>| {
            if let Err(error) = ended {
                eprintln!("{}: {error}", step.name);
            }
        };
        match step.every_ms {
            None => told(one.await),
            Some(ms) => {
                going.push(tokio::spawn(one));
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
        }
    }
    for ended in join_all(going).await {
        if let Ok(Err(error)) = ended {
            eprintln!("{}: {error}", step.name);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, url, prefix, plan] = words.as_slice() else {
        return Err("verdict-clients NAME URL PREFIX PLAN".into());
    };
    let plan: Vec<Step> = serde_json::from_slice(&std::fs::read(plan)?)?;
    for step in &plan {
        let session = format!("{prefix}-{}", step.name);
        let call = match name.as_str() {
            "gatewright-rust" => gatewright(url, &session, &step.key)?,
            "reqwest-retry" => reqwest_retry(url, &session, &step.key)?,
            other => return Err(format!("{other} is no client here").into()),
        };
        play(&call, step).await;
    }
    Ok(())
}
