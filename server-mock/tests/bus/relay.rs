//! Events on the bus (`--bus-events`), seen by who consumes them: the gateway is killed and started again in the middle, brokers
//! go and come back, and each group gets every event that the gateway tells of, once for its message id and in its session's order.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::asking::{ask, get, post};
#[cfg(any(feature = "nats", feature = "redis"))]
use crate::broker::{Broker, Kind};
use crate::processes::{Folder, Gateway};

const GROUPS: [&str; 2] = ["audit", "search"];
const SESSIONS: [&str; 2] = ["default", "other"];
/// Nothing of it takes that long on any machine.
const LONG: Duration = Duration::from_secs(60);

/// A message as a group has it: its id and its payload.
type Taken = (String, Value);

fn start(bus: &str, data: Option<&Path>) -> Gateway {
    Gateway::start_with(bus, data, &["--bus-events", "audit,search"])
}

/// Publishes `count` events in each session.
async fn publish(gateway: &Gateway, count: usize) {
    for number in 0..count {
        for session in SESSIONS {
            let path = format!("/admin/webhooks/trigger?session={session}");
            let event = json!({ "type": "load.happened", "data": { "number": number } });
            post(&gateway.admin, &path, event).await;
        }
    }
}

/// The state of the bus, when the gateway has handed on so many events in this life.
async fn relayed(gateway: &Gateway, count: u64) -> Value {
    let begun = Instant::now();
    loop {
        let state = get(&gateway.admin, "/admin/bus").await;
        if state["relayed"].as_u64().unwrap() >= count {
            return state;
        }
        assert!(begun.elapsed() < LONG, "{state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What `/metrics` says of a sample.
async fn metric(gateway: &Gateway, name: &str) -> Option<f64> {
    let text = gateway.metrics().await;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// What each session's log says, oldest first.
async fn logs(gateway: &Gateway) -> BTreeMap<String, Vec<Value>> {
    let mut logs = BTreeMap::new();
    for session in SESSIONS {
        let path = format!("/admin/snapshot?session={session}");
        let snapshot = get(&gateway.admin, &path).await;
        let rows = snapshot["rows"].as_array().unwrap();
        let events = rows.iter().filter(|row| row["kind"] == "event");
        let numbers = events.map(|row| row["id"].as_str().unwrap().parse::<u64>().unwrap().into());
        logs.insert(session.to_owned(), numbers.collect());
    }
    logs
}

/// Every group has every event of the logs, in order, and each once.
fn check(taken: &[Taken], logs: &BTreeMap<String, Vec<Value>>) {
    for (session, numbers) in logs {
        let mine: Vec<&Taken> = taken
            .iter()
            .filter(|(_, payload)| payload["session"] == **session)
            .collect();
        let told: Vec<&Value> = mine
            .iter()
            .map(|(_, payload)| &payload["event"]["sequence"])
            .collect();
        assert_eq!(told, numbers.iter().collect::<Vec<_>>(), "{session}");
        for (id, payload) in mine {
            let (event, tenant) = (payload["event"]["id"].as_str().unwrap(), &payload["tenant"]);
            assert!(
                id.starts_with(&format!("{session}/")) && id.ends_with(event),
                "{id}"
            );
            assert_eq!(
                (tenant, &payload["event"]["type"]),
                (&Value::Null, &json!("load.happened"))
            );
        }
    }
    let all: usize = logs.values().map(Vec::len).sum();
    assert_eq!(taken.len(), all);
}

/// The messages of a group in a bus's file, which nobody has taken.
fn in_file(bus: &Path, group: &str) -> Vec<Taken> {
    let connection = rusqlite::Connection::open(bus).unwrap();
    let query = "SELECT id, payload FROM work JOIN messages USING (seq)
        WHERE topic LIKE '%events' AND grp = ? ORDER BY seq";
    let mut statement = connection.prepare(query).unwrap();
    let messages = statement.query_map([group], |row| {
        let payload: Vec<u8> = row.get(1)?;
        Ok((row.get(0)?, serde_json::from_slice(&payload).unwrap()))
    });
    messages.unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_in_a_file_survive_kills_of_the_gateway() {
    let folder = Folder::new("relay");
    let data = folder.0.join("data.db");
    for _ in 0..3 {
        let gateway = start("embedded", Some(&data));
        // The last of them may not have been handed on when it is killed.
        publish(&gateway, 20).await;
    }
    let gateway = start("embedded", Some(&data));
    publish(&gateway, 1).await;
    let begun = Instant::now();
    let waiting = "gatewright_bus_events_waiting";
    while metric(&gateway, waiting).await != Some(0.0) {
        assert!(begun.elapsed() < LONG, "{}", gateway.metrics().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let logs = logs(&gateway).await;
    assert_eq!(logs["default"].len(), 61);
    for group in GROUPS {
        check(&in_file(&data.with_extension("db.bus"), group), &logs);
    }
    // After a reset events have the ids of those before; they are others all the same.
    post(&gateway.admin, "/admin/reset", json!({})).await;
    let before = get(&gateway.admin, "/admin/bus").await["relayed"].clone();
    publish(&gateway, 5).await;
    relayed(&gateway, before.as_u64().unwrap() + 10).await;
    let all = in_file(&data.with_extension("db.bus"), "audit");
    assert_eq!(all.len(), 2 * 61 + 10);
    let ids: std::collections::BTreeSet<&String> = all.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_in_memory_are_handed_on_and_counted() {
    let gateway = start("embedded", None);
    assert_eq!(relayed(&gateway, 0).await["refused"], 0);
    publish(&gateway, 30).await;
    let state = relayed(&gateway, 60).await;
    assert_eq!(
        (&state["relayed"], &state["reach"]),
        (&json!(60), &json!("up"))
    );
    for (name, value) in [
        ("gatewright_bus_events_relayed_total", 60.0),
        ("gatewright_bus_events_refused_total", 0.0),
        ("gatewright_bus_reach{reach=\"up\"}", 1.0),
        ("gatewright_bus_reach{reach=\"away\"}", 0.0),
        ("gatewright_bus_outages_total", 0.0),
        ("gatewright_bus_jobs{state=\"unsent\"}", 0.0),
        ("gatewright_bus_jobs{state=\"in_flight\"}", 0.0),
        ("gatewright_bus_jobs_published_total", 0.0),
        ("gatewright_bus_reports_total", 0.0),
    ] {
        assert_eq!(metric(&gateway, name).await, Some(value), "{name}");
    }
    // Without the flag nothing is handed on, and nothing waits for it.
    let plain = Gateway::start("embedded", None);
    publish(&plain, 1).await;
    assert!(
        get(&plain.admin, "/admin/bus")
            .await
            .get("relayed")
            .is_none()
    );
    assert_eq!(
        metric(&plain, "gatewright_bus_events_relayed_total").await,
        None
    );
    let (status, _) = ask(&plain.admin, "GET", "/metrics", None).await;
    assert_eq!(status, 200);
}

/// A gateway on a broker: it is killed in the middle, then the broker goes and comes back. Answers what the logs say.
#[cfg(any(feature = "nats", feature = "redis"))]
async fn through_a_broker(broker: &mut Broker, data: &Path) -> BTreeMap<String, Vec<Value>> {
    let url = broker.url();
    {
        let gateway = start(&url, Some(data));
        relayed(&gateway, 0).await;
        publish(&gateway, 15).await;
    }
    let gateway = start(&url, Some(data));
    publish(&gateway, 10).await;
    let begun = Instant::now();
    let until_none_waits = async |gateway: &Gateway| {
        while metric(gateway, "gatewright_bus_events_waiting").await != Some(0.0) {
            assert!(begun.elapsed() < LONG, "{}", gateway.metrics().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    until_none_waits(&gateway).await;
    let outages = async || {
        metric(&gateway, "gatewright_bus_outages_total")
            .await
            .unwrap()
    };
    let before = outages().await;
    broker.stop();
    publish(&gateway, 10).await;
    while metric(&gateway, "gatewright_bus_reach{reach=\"away\"}").await != Some(1.0) {
        assert!(begun.elapsed() < LONG, "{}", gateway.metrics().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // An outage is no attempt that failed; but a broker that ends in order may answer once more on its way.
    let seen = outages().await - before;
    assert!((1.0..=5.0).contains(&seen), "{seen}");
    let waiting = metric(&gateway, "gatewright_bus_events_waiting").await;
    assert!(waiting.is_some_and(|waiting| waiting > 0.0), "{waiting:?}");
    broker.start_again();
    publish(&gateway, 5).await;
    until_none_waits(&gateway).await;
    let logs = logs(&gateway).await;
    assert_eq!(logs["other"].len(), 40);
    logs
}

#[cfg(feature = "redis")]
fn list(value: &redis::Value) -> Vec<redis::Value> {
    match value {
        redis::Value::Array(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "redis")]
fn bytes(value: &redis::Value) -> Vec<u8> {
    match value {
        redis::Value::BulkString(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_redis_survive_the_gateway_and_the_broker() {
    let Some(mut broker) = Broker::start(Kind::Redis) else {
        return;
    };
    let folder = Folder::new("relay-redis");
    let logs = through_a_broker(&mut broker, &folder.0.join("data.db")).await;
    let client = redis::Client::open(broker.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    for group in GROUPS {
        // As a consumer does: the stream is named by the documents.
        let stream = format!("{{gatewright}}:events:{group}");
        let answer: redis::Value = redis::cmd("XREADGROUP")
            .arg(&[
                "GROUP", group, "test", "COUNT", "1000", "STREAMS", &stream, ">",
            ])
            .query(&mut connection)
            .unwrap();
        // One stream: its name, and of each entry the id and the fields.
        let entries = list(&list(&list(&answer)[0])[1]);
        let taken: Vec<Taken> = entries
            .iter()
            .map(|entry| {
                let fields = list(&list(entry)[1]);
                let field = |name: &str| {
                    let at = fields
                        .iter()
                        .position(|field| bytes(field) == name.as_bytes());
                    bytes(&fields[at.unwrap() + 1])
                };
                let payload = serde_json::from_slice(&field("payload")).unwrap();
                (String::from_utf8(field("id")).unwrap(), payload)
            })
            .collect();
        check(&taken, &logs);
    }
}

#[cfg(feature = "nats")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_jetstream_survive_the_gateway_and_the_broker() {
    use futures_util::StreamExt as _;

    let Some(mut broker) = Broker::start(Kind::Nats) else {
        return;
    };
    let folder = Folder::new("relay-nats");
    let logs = through_a_broker(&mut broker, &folder.0.join("data.db")).await;
    let all: usize = logs.values().map(Vec::len).sum();
    let client = async_nats::connect(broker.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    for group in GROUPS {
        // As a consumer does: stream and consumer are named by the documents.
        let stream = context.get_stream("gatewright_events").await.unwrap();
        let consumer: async_nats::jetstream::consumer::PullConsumer =
            stream.get_consumer(group).await.unwrap();
        let mut messages = consumer
            .fetch()
            .max_messages(all + 1)
            .messages()
            .await
            .unwrap();
        let mut taken: Vec<Taken> = Vec::new();
        while taken.len() < all
            && let Some(message) = messages.next().await
        {
            let message = message.unwrap();
            let id = message
                .headers
                .as_ref()
                .unwrap()
                .get("Nats-Msg-Id")
                .unwrap();
            let payload = serde_json::from_slice(&message.payload).unwrap();
            taken.push((id.to_string(), payload));
        }
        check(&taken, &logs);
    }
}
