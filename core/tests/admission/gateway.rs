//! The same over real connections to the gateway: what arrived is what its journal says.

use std::time::Duration;

use gatewright::testing::VirtualClock;
use gatewright::{Auth, BreakerSettings, Client, ClientBuilder, ErrorKind, Hedge};
use gatewright_server_mock::{FaultRule, Gateway, Session};

async fn gateway(script: &[&str]) -> (Gateway, Session) {
    let gateway = Gateway::builder().start().await.unwrap();
    let session = gateway.session("admission").unwrap();
    let rule = serde_json::json!({"match": {"op": "contacts.get"}, "script": script});
    let rule: FaultRule = serde_json::from_value(rule).unwrap();
    session.set_faults(vec![rule]).unwrap();
    (gateway, session)
}

fn client(base: &str, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let builder = Client::builder(base)
        .auth(Auth::bearer("sk_test_unlimited_admission"))
        .header("x-mock-session", "admission")
        .proxy(gatewright::transport::native::Proxy::Direct);
    settings(builder).build().unwrap()
}

const PATH: &str = "/v1/contacts/ct_000001";

#[tokio::test]
async fn a_dead_host_is_left_alone_and_found_again() {
    let script: Vec<&str> = ["503"; 5].to_vec();
    let (gateway, session) = gateway(&script).await;
    // It goes on only when told, so that no busy machine closes the breaker.
    let clock = VirtualClock::new(7);
    let client = client(&gateway.url(), |b| {
        let mut breaker = BreakerSettings::default();
        breaker.minimum_calls = 5;
        b.breaker(breaker).max_attempts(1).runtime(clock.clone())
    });
    for _ in 0..5 {
        assert!(client.get(PATH).send().await.is_err());
    }
    let refused = client.get(PATH).send().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(session.journal(0).len(), 5);
    clock.advance(refused.retry_after().unwrap());
    let back = client.get(PATH).send().await.unwrap();
    assert_eq!(back.status(), 200);
}

#[tokio::test]
async fn a_port_that_refuses_is_another_regions_call() {
    let (gateway, session) = gateway(&[]).await;
    let refusing = tokio::net::TcpSocket::new_v4().unwrap();
    refusing.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let down = format!("http://{}", refusing.local_addr().unwrap());
    let client = client(&down, |b| b.regions([gateway.url()]));
    for _ in 0..3 {
        assert!(client.get(PATH).send().await.is_ok());
    }
    assert_eq!(session.journal(0).len(), 3);
    let state = client.state();
    assert_eq!(state.regions.len(), 2);
    assert!(!state.regions[0].healthy && state.regions[1].healthy);
}

#[tokio::test]
async fn the_loser_of_two_copies_leaves_no_connection_behind() {
    let (gateway, session) = gateway(&["latency=60000", "ok"]).await;
    let client = client(&gateway.url(), |b| {
        b.hedge(Hedge::after(Duration::from_millis(100)))
    });
    let answer = client.get(PATH).send().await.unwrap();
    assert!(answer.attempts()[1].hedge);
    // Were the first waited for, it would have ended with its attempt timeout.
    assert!(answer.elapsed() < Duration::from_secs(15));
    assert_eq!(session.journal(0).len(), 2);
    assert_eq!(client.state().pacers[0].in_flight, 0);
}

#[tokio::test]
async fn no_more_connections_than_attempts_at_once() {
    let (gateway, session) = gateway(&[]).await;
    let client = client(&gateway.url(), |b| b.max_concurrency(3).pacing(false));
    let calls = (0..30).map(|_| client.get(PATH).send());
    let came = futures_util::future::join_all(calls).await;
    assert!(came.iter().all(Result::is_ok));
    let connections: std::collections::BTreeSet<_> = session
        .journal(0)
        .iter()
        .map(|entry| entry.connection)
        .collect();
    assert!(connections.len() <= 3, "{connections:?}");
}
