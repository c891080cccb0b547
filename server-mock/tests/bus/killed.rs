//! Workers are killed at random, brokers too: every event is delivered at least once, and the gateway tells all of its attempts.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::asking::{get, post};
use crate::broker::Broker;
#[cfg(any(feature = "nats", feature = "redis"))]
use crate::broker::Kind;
use crate::processes::{Folder, Gateway, Process, worker};
use crate::receiver::{Ended, Receiver};

/// Workers at the same time.
const WORKERS: usize = 3;
/// Ten thousand events take no longer on any machine.
const LONG: Duration = Duration::from_secs(1_800);

fn events() -> usize {
    std::env::var("GATEWRIGHT_BUS_EVENTS").map_or(200, |events| events.parse().unwrap())
}

/// What delivery does in milliseconds, so that hundreds of failures take seconds.
pub(crate) async fn in_milliseconds(admin: &str) {
    let webhooks = json!({
        "delays_ms": vec![20; 20], "timeout_ms": 2_000, "connect_timeout_ms": 2_000, "disable_failing": false
    });
    post(admin, "/admin/session", json!({ "webhooks": webhooks })).await;
}

/// Publishes `count` events, some at a time.
pub(crate) async fn trigger(admin: &str, count: usize) -> BTreeSet<String> {
    let publish = |number: usize| async move {
        let event = json!({ "type": "load.happened", "data": { "number": number } });
        let told = post(admin, "/admin/webhooks/trigger", event).await;
        assert_eq!(told["deliveries"], 1);
        told["event"].as_str().unwrap().to_owned()
    };
    let ids: BTreeSet<String> = stream::iter(0..count)
        .map(publish)
        .buffer_unordered(16)
        .collect()
        .await;
    assert_eq!(ids.len(), count);
    ids
}

pub(crate) async fn subscribe(admin: &str, receiver: &Receiver) {
    let endpoint = json!({ "url": receiver.url, "types": ["load.*"], "max_in_flight": 32 });
    post(admin, "/admin/webhooks/endpoints", endpoint).await;
}

/// Workers of which one after the other is killed, each time another one takes its place.
struct Crew<'a> {
    bus: &'a str,
    data: Option<&'a Path>,
    workers: Vec<Process>,
    started: usize,
    killed: usize,
    random: u64,
}

impl<'a> Crew<'a> {
    fn new(bus: &'a str, data: Option<&'a Path>) -> Self {
        let mut crew = Self {
            bus,
            data,
            workers: Vec::new(),
            started: 0,
            killed: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        };
        for _ in 0..WORKERS {
            crew.add();
        }
        crew
    }

    fn add(&mut self) {
        self.started += 1;
        self.workers.push(worker(self.bus, self.data, self.started));
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Waits a moment and kills one.
    async fn lose_one(&mut self) {
        let pause = 50 + self.random(250);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let which = self.random(WORKERS as u64);
        drop(self.workers.remove(usize::try_from(which).unwrap()));
        self.killed += 1;
        self.add();
    }
}

async fn every_event_arrives(bus: &str, data: Option<&Path>, mut broker: Option<&mut Broker>) {
    let receiver = Receiver::failing(30).await;
    let gateway = Gateway::start(bus, data);
    let admin = gateway.admin.as_str();
    in_milliseconds(admin).await;
    subscribe(admin, &receiver).await;
    let count = events();
    let begun = Instant::now();
    let published = async {
        let ids = trigger(admin, count).await;
        (ids, begun.elapsed())
    };
    let delivered = async {
        let mut crew = Crew::new(bus, data);
        while receiver.accepted() < count {
            assert!(begun.elapsed() < LONG, "{} of {count}", receiver.accepted());
            crew.lose_one().await;
            if receiver.accepted() * 2 > count
                && let Some(broker) = broker.take()
            {
                broker.kill();
                tokio::time::sleep(Duration::from_millis(300)).await;
                broker.start_again();
            }
        }
        // What has arrived may not have been reported: the gateway learns of it too.
        loop {
            let state = get(admin, "/admin/bus").await;
            let deliveries = get(admin, "/admin/webhooks/deliveries").await;
            let open = |delivery: &&Value| delivery["state"] != "delivered";
            let all = deliveries["deliveries"].as_array().unwrap();
            if all.len() == count && all.iter().filter(open).count() == 0 {
                return (crew, state, deliveries);
            }
            assert!(begun.elapsed() < LONG, "{state}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ((ids, took), (crew, state, deliveries)) = tokio::join!(published, delivered);
    check(&ids, &receiver, &deliveries);
    let seen = receiver.seen();
    let requests: usize = seen.values().map(Vec::len).sum();
    let attempts: usize = (deliveries["deliveries"].as_array().unwrap().iter())
        .map(|delivery| delivery["attempts"].as_array().unwrap().len())
        .sum();
    let twice = seen.values().filter(|ends| well(ends) > 1).count();
    eprintln!(
        "{bus}: {count} events published in {:.1} s, all delivered in {:.1} s; {} workers killed; {attempts} attempts, {requests} \
         requests, {twice} events accepted more than once, {} attempts taken over from a lost worker, {} asked for \
         again; outages seen by the gateway: {}",
        took.as_secs_f32(),
        begun.elapsed().as_secs_f32(),
        crew.killed,
        state["repeated"],
        state["asked_again"],
        state["outages"]
    );
}

fn well(ends: &[Ended]) -> usize {
    ends.iter()
        .filter(|end| **end == Ended::Answered(204))
        .count()
}

/// Nothing is lost, and what the gateway tells is what the receiver saw.
fn check(ids: &BTreeSet<String>, receiver: &Receiver, deliveries: &Value) {
    let seen = receiver.seen();
    let deliveries = deliveries["deliveries"].as_array().unwrap();
    let told: BTreeSet<String> = deliveries
        .iter()
        .map(|delivery| delivery["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(&told, ids);
    assert_eq!(seen.keys().collect::<BTreeSet<_>>(), ids.iter().collect());
    // In the order of publication.
    let numbers: Vec<&str> = deliveries
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(numbers.is_sorted());
    for delivery in deliveries {
        assert_eq!(delivery["state"], "delivered");
        let ends = &seen[delivery["event"].as_str().unwrap()];
        assert!(well(ends) >= 1, "{delivery}");
        let attempts = delivery["attempts"].as_array().unwrap();
        let at: Vec<u64> = attempts
            .iter()
            .map(|one| one["at_ms"].as_u64().unwrap())
            .collect();
        assert!(at.is_sorted(), "{delivery}");
        let (last, before) = attempts.split_last().unwrap();
        assert_eq!(last["status"], 204, "{delivery}");
        for attempt in attempts {
            assert!(
                attempt["by"]["worker"]
                    .as_str()
                    .unwrap()
                    .starts_with("worker-")
            );
        }
        // Each attempt was a request of its own, that ended as it says.
        assert!(ends.len() >= attempts.len(), "{delivery} {ends:?}");
        let failed = |status: u16| {
            let attempts = before.iter().filter(|one| one["status"] == status).count();
            (
                attempts,
                ends.iter()
                    .filter(|end| **end == Ended::Answered(status))
                    .count(),
            )
        };
        let (told, were) = failed(503);
        assert!(told <= were, "{delivery} {ends:?}");
        for attempt in before {
            assert!(
                attempt["status"] == 503 || attempt["error"].is_string(),
                "{delivery}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_on_a_file() {
    let folder = Folder::new("killed");
    let data = folder.0.join("data.db");
    every_event_arrives("embedded", Some(&data), None).await;
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_on_jetstream_that_is_killed_midway() {
    let Some(mut broker) = Broker::start(Kind::Nats) else {
        return;
    };
    every_event_arrives(&broker.url(), None, Some(&mut broker)).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_on_redis_streams_that_are_killed_midway() {
    let Some(mut broker) = Broker::start(Kind::Redis) else {
        return;
    };
    every_event_arrives(&broker.url(), None, Some(&mut broker)).await;
}
