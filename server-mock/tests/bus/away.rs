//! A broker that is away when the gateway starts: events wait, nothing is lost and no attempt is used up, and all goes on by itself.

use std::time::{Duration, Instant};

use crate::asking::get;
use crate::broker::{Broker, Kind};
use crate::killed::{in_milliseconds, subscribe, trigger};
use crate::processes::{Gateway, worker};
use crate::receiver::Receiver;

const LONG: Duration = Duration::from_secs(60);

async fn events_wait_for_the_broker(kind: Kind) {
    let Some(mut broker) = Broker::away(kind) else {
        return;
    };
    let url = broker.url();
    let receiver = Receiver::failing(0).await;
    let gateway = Gateway::start(&url, None);
    let admin = gateway.admin.as_str();
    let _worker = worker(&url, None, 1);
    in_milliseconds(admin).await;
    subscribe(admin, &receiver).await;
    trigger(admin, 20).await;
    let begun = Instant::now();
    let state = loop {
        let state = get(admin, "/admin/bus").await;
        if state["reach"] == "away" && state["unsent"] != 0 {
            break state;
        }
        assert!(begun.elapsed() < LONG, "{state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        (&state["outages"], &state["published"]),
        (&1.into(), &0.into())
    );
    // What it says is read a moment later.
    let said = || gateway.process.said.lock().unwrap().clone();
    let is_back = format!("gatewright-gateway: the bus {url} is back after ");
    assert_eq!(state["address"], url);
    let deliveries = get(admin, "/admin/webhooks/deliveries").await;
    for delivery in deliveries["deliveries"].as_array().unwrap() {
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), 0);
    }
    broker.start_again();
    while receiver.accepted() < 20 {
        assert!(begun.elapsed() < LONG, "{}", get(admin, "/admin/bus").await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while !said().contains(&is_back) {
        assert!(begun.elapsed() < LONG, "{}", said());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let said = said();
    let first: Vec<&str> = said.lines().take(2).collect();
    let is_away = format!("gatewright-gateway: the bus {url} is away: ");
    assert!(
        first[0].starts_with(&is_away) && first[1].starts_with(&is_back),
        "{said}"
    );
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_for_nats() {
    events_wait_for_the_broker(Kind::Nats).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_for_redis() {
    events_wait_for_the_broker(Kind::Redis).await;
}
