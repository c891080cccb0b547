//! A device that sleeps between two calls, or during one: what servers and tokens count goes on, what callers wait for does not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatewright::testing::{Scripted, VirtualClock, answer, answer_with, failure};
use gatewright::transport::{TransportError, TransportResponse};
use gatewright::{Auth, Client, ClientBuilder, ErrorKind, FailureClass, Token};

const HOUR: Duration = Duration::from_secs(3_600);

fn client(
    script: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
    settings: impl FnOnce(ClientBuilder, VirtualClock) -> ClientBuilder,
) -> (Client, VirtualClock, Scripted) {
    let (clock, transport) = (VirtualClock::new(3), Scripted::new(script));
    let builder = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(transport.clone());
    (
        settings(builder, clock.clone()).build().unwrap(),
        clock,
        transport,
    )
}

#[test]
fn a_pause_that_a_server_asked_for_is_over_after_a_sleep_of_its_length() {
    let script = [
        answer_with(429, &[("retry-after", "3600")], ""),
        answer(200),
    ];
    let (client, clock, transport) = client(script, |builder, _| builder);
    let get = || clock.block_on(client.get("/x").send());
    assert_eq!(get().unwrap_err().kind(), ErrorKind::RateLimited);
    clock.sleep(HOUR / 2);
    let refused = get().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert!(refused.retry_after().unwrap() <= HOUR / 2, "{refused}");
    assert_eq!(transport.requests().len(), 1, "held back, not sent");
    clock.sleep(HOUR / 2);
    assert_eq!(get().unwrap().status().as_u16(), 200);
}

#[test]
fn a_token_that_ran_out_in_sleep_is_not_sent() {
    let fetched = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&fetched);
    let (client, clock, transport) = client([answer(200), answer(200)], |builder, _| {
        builder.auth(Auth::token(move || {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                Ok(Token {
                    secret: format!("token-{number}").into(),
                    expires_in: Some(HOUR),
                })
            }
        }))
    });
    clock.block_on(client.get("/x").send()).unwrap();
    clock.sleep(2 * HOUR);
    clock.block_on(client.get("/x").send()).unwrap();
    let sent: Vec<_> = transport
        .requests()
        .into_iter()
        .map(|seen| seen.headers.get("authorization").unwrap().clone())
        .collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-2"]);
}

#[test]
fn a_deadline_does_not_run_in_sleep() {
    let script = [failure(FailureClass::ConnectionLost), answer(200)];
    let (client, clock, _) = client(script, |builder, clock| {
        builder.after_attempt(move |_| {
            clock.sleep(HOUR);
            Ok(())
        })
    });
    let response = clock.block_on(client.get("/x").send()).unwrap();
    assert_eq!(response.attempts().len(), 2);
    assert!(response.elapsed() < Duration::from_secs(60));
}
