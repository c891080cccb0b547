//! One attempt at Slack: a POST of `{"text"}` to an incoming webhook.

use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::{Notice, Outcome, Slack};
use crate::client::Client;

const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_WAIT_S: u64 = 600;

pub(super) async fn send(client: &Client, slack: &Slack, notice: &Notice) -> Outcome {
    let client = match client.pooled() {
        Ok(client) => client,
        Err(why) => return Outcome::Later { why, wait_ms: None },
    };
    let body = serde_json::json!({ "text": notice.text });
    let post = client
        .post(&slack.url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string());
    match tokio::time::timeout(TIMEOUT, post.send()).await {
        Err(_) => later(format!("no answer within {} s", TIMEOUT.as_secs())),
        // The URL is a secret, so it is not in the error.
        Ok(Err(error)) if error.is_connect() => later("it cannot be connected to".into()),
        Ok(Err(error)) => later(error.without_url().to_string()),
        Ok(Ok(answer)) => {
            let status = answer.status();
            let wait_ms = answer.headers().get(RETRY_AFTER).and_then(|value| {
                let seconds: u64 = value.to_str().ok()?.parse().ok()?;
                Some(seconds.min(LONGEST_WAIT_S) * 1_000)
            });
            let passes =
                [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
            match status.is_success() {
                true => Outcome::Sent(status.as_u16().to_string()),
                false if status.is_client_error() && !passes => Outcome::Refused(format!(
                    "{}: the URL or the text is not taken",
                    status.as_u16()
                )),
                false => Outcome::Later {
                    why: status.as_u16().to_string(),
                    wait_ms,
                },
            }
        }
    }
}

fn later(why: String) -> Outcome {
    Outcome::Later { why, wait_ms: None }
}
