//! What becomes of connections while the device sleeps or the process stands still: the next call is neither lost nor
//! held up, and arrives once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatewright::transport::native::{BootClock, NativeSettings, NativeTransport};
use gatewright::{Client, Response};

/// A clock that goes on in sleep, and a way to let the device sleep.
#[derive(Clone, Default)]
struct Sleep(Arc<AtomicU64>);

impl Sleep {
    fn for_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn clock(&self) -> BootClock {
        let (slept, began) = (Arc::clone(&self.0), Instant::now());
        BootClock::new(move || {
            began.elapsed() + Duration::from_millis(slept.load(Ordering::SeqCst))
        })
    }
}

/// A server that keeps its connections, and the requests that came, each with the number of its connection.
struct Server {
    url: String,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    seen: Receiver<(usize, String)>,
}

impl Server {
    /// Answers the first `answered` requests of its first connection; whatever comes on it after that, it says nothing more.
    /// Later connections are answered always.
    fn start(answered: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (saw, seen) = channel();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&connections);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let stream = stream.unwrap();
                kept.lock().unwrap().push(stream.try_clone().unwrap());
                let saw = saw.clone();
                let answered = if number == 0 { answered } else { usize::MAX };
                std::thread::spawn(move || serve(stream, number, answered, &saw));
            }
        });
        Self {
            url,
            connections,
            seen,
        }
    }

    fn client(&self, sleep: &Sleep) -> Client {
        let mut settings = NativeSettings::default();
        settings.boot_clock = sleep.clock();
        Client::builder(&self.url)
            .transport(NativeTransport::new(&settings).unwrap())
            .attempt_timeout(Duration::from_secs(30))
            .build()
            .unwrap()
    }

    /// What came up to now.
    fn seen(&self) -> Vec<(usize, String)> {
        self.seen.try_iter().collect()
    }

    /// Ends a connection, as servers do with idle ones.
    fn end(&self, number: usize) {
        self.connections.lock().unwrap()[number]
            .shutdown(Shutdown::Write)
            .unwrap();
    }

    /// Answers on a connection what was not answered yet.
    fn answer(&self, number: usize) {
        let mut connections = self.connections.lock().unwrap();
        connections[number].write_all(ANSWER).unwrap();
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Requests here have no body.
fn serve(mut stream: TcpStream, number: usize, answered: usize, saw: &Sender<(usize, String)>) {
    for count in 0.. {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let line = String::from_utf8(head).unwrap();
        let line = line.split(" HTTP").next().unwrap().to_owned();
        if saw.send((number, line)).is_err() {
            return;
        }
        if count < answered && stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

fn seen(requests: &[(usize, &str)]) -> Vec<(usize, String)> {
    requests
        .iter()
        .map(|(number, line)| (*number, (*line).to_owned()))
        .collect()
}

/// A runtime that runs only while something is waited for, as that of a phone's SDK does.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn assert_at_once(response: &Response) {
    assert_eq!(response.attempts().len(), 1, "{:?}", response.attempts());
    assert!(
        response.elapsed() < Duration::from_secs(15),
        "{:?}",
        response.elapsed()
    );
}

#[test]
fn after_a_sleep_the_first_call_takes_a_new_connection_and_arrives_once() {
    let (server, sleep) = (Server::start(1), Sleep::default());
    let client = server.client(&sleep);
    let runtime = runtime();
    runtime.block_on(client.get("/before").send()).unwrap();
    // The connection dies without a word: the server says nothing more on it, and does not end it.
    sleep.for_ms(10 * 60_000);
    let response = runtime.block_on(client.post("/after").send()).unwrap();
    assert_at_once(&response);
    assert_eq!(
        server.seen(),
        seen(&[(0, "GET /before"), (1, "POST /after")])
    );
    // The new connection is kept like any other.
    runtime.block_on(client.post("/later").send()).unwrap();
    assert_eq!(server.seen(), seen(&[(1, "POST /later")]));
}

#[test]
fn a_nap_and_a_busy_device_keep_their_connections() {
    let (server, sleep) = (Server::start(usize::MAX), Sleep::default());
    let client = server.client(&sleep);
    let runtime = runtime();
    // All together less than a sleep, since a busy machine may let real seconds pass in between.
    for nap in [0, 20, 1_500, 3_000] {
        sleep.for_ms(nap);
        runtime.block_on(client.post("/").send()).unwrap();
    }
    assert_eq!(server.seen(), seen(&[(0, "POST /"); 4]));
}

#[test]
fn what_is_under_way_during_a_sleep_goes_on() {
    let (server, sleep) = (Server::start(0), Sleep::default());
    let client = server.client(&sleep);
    runtime().block_on(async {
        let slow = tokio::spawn(client.get("/slow").send());
        let under_way = loop {
            match server.seen.try_recv() {
                Ok(request) => break request,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        assert_eq!(under_way, (0, "GET /slow".to_owned()));
        sleep.for_ms(60_000);
        assert_at_once(&client.post("/after").send().await.unwrap());
        server.answer(0);
        assert_at_once(&slow.await.unwrap().unwrap());
    });
    assert_eq!(server.seen(), seen(&[(1, "POST /after")]));
}

#[test]
fn a_connection_that_was_ended_while_nothing_ran_is_not_used_again() {
    let (server, sleep) = (Server::start(1), Sleep::default());
    let client = server.client(&sleep);
    let runtime = runtime();
    runtime.block_on(client.get("/before").send()).unwrap();
    server.end(0);
    // Long enough for the runtime to look, and too short for a sleep: only the closed socket tells.
    sleep.for_ms(1_000);
    let response = runtime.block_on(client.post("/after").send()).unwrap();
    assert_at_once(&response);
    assert_eq!(
        server.seen(),
        seen(&[(0, "GET /before"), (1, "POST /after")])
    );
}
