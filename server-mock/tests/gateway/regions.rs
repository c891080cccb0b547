//! Regions: other ports of the same gateway, which can be closed, and share what has happened.

use std::net::TcpStream;

use gatewright_server_mock::{FaultRule, Gateway, Session};
use serde_json::{Value, json};

use crate::caller::{Asking, HOST_OF_ONES_OWN, asking};

async fn gateway() -> (Gateway, Session) {
    let gateway = Gateway::builder()
        .host(HOST_OF_ONES_OWN)
        .regions(["eu", "us"]);
    let gateway = gateway.start().await.unwrap();
    let session = gateway.session("test").unwrap();
    (gateway, session)
}

fn ask(url: &str, method: &str, path: &str) -> Asking {
    asking(url, method, path)
        .header("x-mock-session", "test")
        .header("authorization", "Bearer sk_test_unlimited_acme")
}

fn listens(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok()
}

#[tokio::test]
async fn regions_share_records_and_idempotency() {
    let (gateway, session) = gateway().await;
    let [eu, us] = ["eu", "us"].map(|name| gateway.region_url(name).unwrap());
    assert_eq!(gateway.region_url("moon"), None);
    let create = |url: &str| {
        ask(url, "POST", "/v1/contacts")
            .header("idempotency-key", "k-1")
            .json(&json!({"name": "Ada"}))
    };
    let first = create(&eu).send().await;
    assert_eq!(first.header("x-mock-region").as_deref(), Some("eu"));
    let second = create(&us).send().await;
    assert_eq!(
        second.header("idempotency-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(first.json()["id"], second.json()["id"]);
    let path = first.header("location").unwrap();
    let main = ask(&gateway.url(), "GET", &path).send().await;
    assert_eq!((main.status(), main.header("x-mock-region")), (200, None));
    assert_eq!(session.effects("contacts.create").count, 1);
    let entries = session.journal(0);
    let regions: Vec<_> = entries
        .iter()
        .map(|entry| entry.region.as_deref())
        .collect();
    assert_eq!(regions, [Some("eu"), Some("us"), None]);
    let mut connections: Vec<_> = entries.iter().map(|entry| entry.connection).collect();
    connections.dedup();
    assert_eq!(connections.len(), 3);
}

#[tokio::test]
async fn a_rule_is_for_one_region_alone() {
    let (gateway, session) = gateway().await;
    let rule = FaultRule::on("*").always("503").unwrap().in_region("eu");
    session.set_faults(vec![rule]).unwrap();
    let status = async |url: &str| ask(url, "GET", "/v1/whoami").send().await.status();
    assert_eq!(status(&gateway.region_url("eu").unwrap()).await, 503);
    assert_eq!(status(&gateway.region_url("us").unwrap()).await, 200);
    assert_eq!(status(&gateway.url()).await, 200);
}

#[tokio::test]
async fn a_region_that_is_down_does_not_listen_until_it_is_up() {
    let (gateway, _session) = gateway().await;
    let [eu, us] = ["eu", "us"].map(|name| gateway.region_url(name).unwrap());
    let admin = gateway.admin_url();
    let set = async |change: Value| {
        let post = asking(&admin, "POST", "/admin/regions").json(&change);
        post.send().await
    };
    // An open connection ends with its region.
    let asking_eu = ask(&eu, "GET", "/v1/delay/60000");
    let held = tokio::spawn(async move { asking_eu.send().await });
    let started = std::time::Instant::now();
    while gateway.session("test").unwrap().journal(0).is_empty() {
        assert!(started.elapsed().as_secs() < 30);
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let down = set(json!({"name": "eu", "up": false})).await;
        assert_eq!(
            down.json()["regions"][0],
            json!({"name": "eu", "url": eu, "up": false})
        );
        assert!(!listens(&eu) && listens(&us) && listens(&gateway.url()));
        assert_eq!(set(json!({"name": "eu", "up": true})).await.status(), 200);
        assert_eq!(ask(&eu, "GET", "/v1/whoami").send().await.status(), 200);
    }
    assert!(held.await.unwrap().raw.is_empty());
    assert_eq!(set(json!({"name": "moon", "up": true})).await.status(), 422);
    gateway.shutdown().await;
    assert!(!listens(&eu) && !listens(&us));
}

#[tokio::test]
async fn names_are_their_own_and_plain() {
    for names in [["eu", "eu"], ["eu", ""], ["eu", "a b"]] {
        let refused = Gateway::builder().regions(names).start().await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    }
}
