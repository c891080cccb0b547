//! Killed at random under load, again and again: every answered change is there, every key has one effect, and a stream
//! that comes back has seen every event once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::child::{Folder, KEY, Running, create};

const CLIENTS: usize = 8;

/// How often it is killed: 4 times, or as `GATEWRIGHT_CRASH_ROUNDS` says.
fn rounds() -> u64 {
    let said = std::env::var("GATEWRIGHT_CRASH_ROUNDS").ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(4)
}

/// One client: it sends its next key until it is answered, and goes on; keys go on from life to life.
async fn client(url: String, number: usize, answered: Arc<Mutex<BTreeMap<String, Vec<u8>>>>) {
    loop {
        let next = {
            let answered = answered.lock().unwrap();
            let mine = format!("{number}-");
            answered.keys().filter(|key| key.starts_with(&mine)).count()
        };
        let key = format!("{number}-{next:06}");
        let Some(raw) = sent(&url, &create(&url, &key).bytes()).await else {
            return;
        };
        let text = String::from_utf8_lossy(&raw).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return;
        };
        if head.starts_with("HTTP/1.1 201 ") && body.ends_with('}') {
            let body = body.as_bytes().to_vec();
            answered.lock().unwrap().insert(key, body);
        }
    }
}

/// What came back before the end; none if nobody listens any more.
async fn sent(url: &str, request: &[u8]) -> Option<Vec<u8>> {
    let address = url.strip_prefix("http://")?;
    let mut socket = TcpStream::connect(address).await.ok()?;
    socket.write_all(request).await.ok()?;
    let mut raw = Vec::new();
    socket.read_to_end(&mut raw).await.ok()?;
    Some(raw)
}

/// Follows the stream until the connection ends; what it has seen stays.
async fn follow(url: String, seen: Arc<Mutex<Vec<(u64, Value)>>>) {
    let last = seen.lock().unwrap().last().map_or(0, |(id, _)| *id);
    let address = url.strip_prefix("http://").unwrap();
    let Ok(mut socket) = TcpStream::connect(address).await else {
        return;
    };
    let request = format!(
        "GET /v1/events/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: {KEY}\r\nlast-event-id: {last}\r\n\r\n"
    );
    if socket.write_all(request.as_bytes()).await.is_err() {
        return;
    }
    let mut text = String::new();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = socket.read(&mut buffer).await {
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if let Some(end) = text.find("\r\n\r\n").filter(|_| text.starts_with("HTTP/")) {
            text.drain(..end + 4);
        }
        if text.starts_with("HTTP/") {
            continue;
        }
        // Events are whole where they end; chunk sizes are lines of their own between them.
        while let Some(begin) = text.find("id: ") {
            let Some(end) = text[begin..].find("\n\n") else {
                break;
            };
            let event: String = text.drain(..begin + end + 2).collect();
            let mut lines = event[begin..].lines();
            let id = lines.next().unwrap().strip_prefix("id: ").unwrap();
            let data = lines.find_map(|line| line.strip_prefix("data: ")).unwrap();
            let told = (id.parse().unwrap(), serde_json::from_str(data).unwrap());
            seen.lock().unwrap().push(told);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_under_load_nothing_is_lost_or_doubled() {
    let folder = Folder::new();
    let answered = Arc::new(Mutex::new(BTreeMap::new()));
    let seen = Arc::new(Mutex::new(Vec::new()));
    for round in 0..rounds() {
        let running = Running::start(&folder.file());
        let mut tasks: Vec<_> = (0..CLIENTS)
            .map(|number| tokio::spawn(client(running.url.clone(), number, Arc::clone(&answered))))
            .collect();
        tasks.push(tokio::spawn(follow(running.url.clone(), Arc::clone(&seen))));
        // Another moment in each round, the same in each run.
        let wait = 40 + (round * 7_919) % 160;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        running.kill();
        for task in tasks {
            task.await.unwrap();
        }
    }

    let running = Running::start(&folder.file());
    // What was on its way when the process died is sent once more.
    for number in 0..CLIENTS {
        let next = {
            let answered = answered.lock().unwrap();
            let mine = format!("{number}-");
            answered.keys().filter(|key| key.starts_with(&mine)).count()
        };
        let key = format!("{number}-{next:06}");
        let last = running.create(&key).send().await;
        assert_eq!(last.status(), 201);
        answered.lock().unwrap().insert(key, last.body());
    }
    let answered = answered.lock().unwrap().clone();
    let effects = running.created().await;
    let count = answered.len();
    assert_eq!(effects["count"], count, "{effects}");
    assert_eq!(effects["distinct_external_ids"], count, "{effects}");
    assert_eq!(
        effects["by_key"],
        json!({"distinct": count, "duplicates": 0, "without_key": 0})
    );
    for (key, body) in answered.iter().step_by(1 + count / 200) {
        let again = running.create(key).send().await;
        assert_eq!((again.status(), &again.body()), (201, body), "{key}");
    }

    let events = running.events().await;
    let by_key: BTreeMap<&str, &Value> = events
        .iter()
        .map(|event| {
            (
                event["data"]["external_id"].as_str().unwrap(),
                &event["data"],
            )
        })
        .collect();
    assert_eq!((events.len(), by_key.len()), (count, count));
    for (key, body) in &answered {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(*by_key[key.as_str()], body, "{key}");
    }
    let numbers: Vec<u64> = events
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=count as u64).collect::<Vec<_>>());

    let followed = tokio::spawn(follow(running.url.clone(), Arc::clone(&seen)));
    while seen.lock().unwrap().len() < count {
        assert!(!followed.is_finished(), "the stream ended");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    running.kill();
    followed.await.unwrap();
    let seen = seen.lock().unwrap();
    let ids: Vec<u64> = seen.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, numbers);
    let told: Vec<&Value> = seen.iter().map(|(_, event)| event).collect();
    assert_eq!(told, events.iter().collect::<Vec<_>>());
}
