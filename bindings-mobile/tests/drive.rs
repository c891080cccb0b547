//! Driving: frames come to whoever drives, a thread that has nothing to drive may end, and no call that begins meanwhile is forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod host;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatewright_mobile::{Language, NativeError, Port};
use gatewright_server_mock::Gateway;
use host::server::until;
use host::{ANSWER, CHUNK, END, ERROR, HEAD, Host, frames, server};

#[test]
fn an_answer_comes_to_the_one_thread_that_there_is() {
    let gateway = Gateway::builder().start_blocking().unwrap();
    let session = gateway.session("mobile").unwrap();
    let port = Port::new(Language::Swift);
    let settings = r#"{"auth": {"kind": "bearer", "token": "sk_test_unlimited_m"}, "headers": [["x-mock-session", "mobile"]]}"#;
    let client = Arc::clone(&port)
        .open_client(&gateway.url(), settings)
        .unwrap();
    let body = br#"{"name": "Ada"}"#.to_vec().into();
    client.start(
        7,
        "POST",
        "/v1/contacts",
        0,
        Some(r#"{"contentType": "application/json"}"#.to_owned()),
        Some(body),
    );
    assert_eq!(port.waiting(), 1);
    let came = frames(&port.drive());
    assert_eq!((came.len(), came[0].call, came[0].kind), (1, 7, ANSWER));
    assert!(
        came[0].text().contains("\"name\":\"Ada\""),
        "{}",
        came[0].text()
    );
    assert_eq!(port.waiting(), 0);
    assert_eq!(session.effects("contacts.create").count, 1);
    client.close();
    assert!(port.drive().frames.is_empty());
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_language() {
    for (language, name) in [
        (Language::Swift, "`baseURL`"),
        (Language::Kotlin, "`baseUrl`"),
    ] {
        let Err(NativeError::Failed { msg }) = Port::new(language).open_client("nonsense", "{}")
        else {
            panic!("a client of nonsense");
        };
        assert!(msg.contains(name), "{msg}");
    }
}

#[test]
fn who_has_nothing_to_drive_may_end() {
    let port = Port::new(Language::Kotlin);
    assert!(port.drive().frames.is_empty());
    let (address, _) = server::begin();
    let client = Arc::clone(&port).open_client(&address, "{}").unwrap();
    let driver = {
        let port = Arc::clone(&port);
        std::thread::spawn(move || port.drive().frames.len())
    };
    // Until the last client is closed, it waits.
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(!driver.is_finished());
    drop(client);
    assert_eq!(driver.join().unwrap(), 0);
    assert!(port.drive().frames.is_empty());
}

#[test]
fn a_refused_call_is_waited_for_until_it_is_told() {
    let (address, _) = server::begin();
    let port = Port::new(Language::Kotlin);
    let client = Arc::clone(&port).open_client(&address, "{}").unwrap();
    client.start(1, "G E T", "/", 0, None, None);
    client.close();
    client.start(2, "GET", "/", 0, None, None);
    assert!(port.waiting() > 0);
    let mut told = Vec::new();
    while port.waiting() > 0 {
        told.extend(frames(&port.drive()));
    }
    told.sort_by_key(|frame| frame.call);
    let told: Vec<_> = told.iter().map(|frame| (frame.call, frame.kind)).collect();
    assert_eq!(told, [(1, ERROR), (2, ERROR)]);
    assert!(port.drive().frames.is_empty());
}

#[test]
fn two_may_drive_at_once() {
    let (address, _) = server::begin();
    let port = Port::new(Language::Kotlin);
    let client = Arc::clone(&port).open_client(&address, "{}").unwrap();
    let drivers: Vec<_> = (0..2)
        .map(|_| {
            let port = Arc::clone(&port);
            std::thread::spawn(move || {
                let mut calls = Vec::new();
                loop {
                    let came = frames(&port.drive());
                    if came.is_empty() {
                        return calls;
                    }
                    calls.extend(came.into_iter().map(|frame| frame.call));
                }
            })
        })
        .collect();
    for call in 1..=500 {
        client.start(call, "GET", "/", 0, None, None);
        if call % 50 == 0 {
            until(|| port.waiting() == 0);
        }
    }
    until(|| port.waiting() == 0);
    client.close();
    let mut calls: Vec<u32> = drivers
        .into_iter()
        .flat_map(|driver| driver.join().unwrap())
        .collect();
    calls.sort_unstable();
    assert_eq!(calls, (1..=500).collect::<Vec<_>>());
}

#[test]
fn calls_that_begin_as_the_driver_ends_are_not_forgotten() {
    let (address, counts) = server::begin();
    let host = Host::new();
    for round in 0..1_500 {
        let client = host.client(&address);
        // A call that is sent, one that is refused at once, one of a client that is closed: each may be the one that is overlooked.
        let calls = [host.get(&client, "/", 0), host.get(&client, "http://[", 0)];
        let waits = round % 2 == 0;
        if waits {
            assert_eq!(host.frame(calls[0]).kind, ANSWER, "round {round}");
        }
        client.close();
        let late = host.get(&client, "/", 0);
        if !waits {
            // Closed before it was sent, or not.
            let kind = host.frame(calls[0]).kind;
            assert!([ANSWER, ERROR].contains(&kind), "round {round}: {kind}");
        }
        assert_eq!(host.frame(calls[1]).kind, ERROR, "round {round}");
        assert_eq!(host.frame(late).kind, ERROR, "round {round}");
    }
    assert!(host.ended().is_empty());
    assert!(host.threads() > 100, "{} threads drove", host.threads());
    // With the last client its connections went.
    until(|| counts.closed.load(Ordering::SeqCst) == counts.opened.load(Ordering::SeqCst));
}

#[test]
fn a_storm_of_calls_that_are_given_up_leaves_nothing() {
    let (address, counts) = server::begin();
    let host = Host::new();
    let client = host.client(&address);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (host, client) = (Arc::clone(&host), Arc::clone(&client));
            std::thread::spawn(move || {
                let mut answered = 0;
                for turn in 0..2_000 {
                    let call = host.get(&client, "/", turn % 2);
                    match (turn + thread) % 3 {
                        0 => host.port.cancel(call),
                        1 => {
                            std::thread::yield_now();
                            host.port.cancel(call);
                        }
                        _ => {
                            let frame = host.frame(call);
                            assert!([ANSWER, HEAD].contains(&frame.kind), "{frame:?}");
                            host.port.cancel(call);
                            answered += 1;
                        }
                    }
                }
                answered
            })
        })
        .collect();
    let answered: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert!(answered > 2_000);
    client.close();
    host.ended();
    assert_eq!(host.port.waiting(), 0);
    until(|| counts.closed.load(Ordering::SeqCst) == counts.opened.load(Ordering::SeqCst));
    // And it goes on.
    let again = host.client(&address);
    let call = host.get(&again, "/", 0);
    assert_eq!(host.frame(call).kind, ANSWER);
    again.close();
    assert!(host.ended().is_empty());
}

#[test]
fn a_stream_may_be_read_on_when_its_client_is_gone() {
    let (address, counts) = server::begin();
    let host = Host::new();
    let client = host.client(&address);
    let call = host.get(&client, "/stream", 1);
    assert_eq!(host.frame(call).kind, HEAD);
    drop(client);
    assert!(host.ended().is_empty());
    host.port.pull(call);
    host.drive();
    let piece = host.frame(call);
    assert_eq!((piece.kind, &piece.payload[4..]), (CHUNK, &b"first"[..]));
    assert!(host.ended().is_empty());
    assert_eq!(counts.closed.load(Ordering::SeqCst), 0);
    // Nobody drives, and still the connection goes when it is given up.
    host.port.cancel(call);
    until(|| counts.closed.load(Ordering::SeqCst) == 1);
    host.port.pull(call);
    host.drive();
    assert_eq!(host.frame(call).kind, ERROR);
}

#[test]
fn of_two_streams_one_is_given_up_when_their_client_is_gone() {
    let (address, counts) = server::begin();
    let host = Host::new();
    let client = host.client(&address);
    let streams = [0; 2].map(|_| host.get(&client, "/stream", 1));
    for stream in streams {
        assert_eq!(host.frame(stream).kind, HEAD);
    }
    drop(client);
    assert!(host.ended().is_empty());
    // Nobody drives, and still its connection goes, and no other.
    host.port.cancel(streams[0]);
    until(|| counts.closed.load(Ordering::SeqCst) == 1);
    host.port.pull(streams[1]);
    host.drive();
    assert_eq!(&host.frame(streams[1]).payload[4..], b"first");
    assert_eq!(counts.closed.load(Ordering::SeqCst), 1);
    host.port.cancel(streams[1]);
    until(|| counts.closed.load(Ordering::SeqCst) == 2);
}

#[test]
fn a_page_is_asked_for_and_forgotten() {
    let gateway = Gateway::builder().start_blocking().unwrap();
    let host = Host::new();
    let client = host.client(&gateway.url());
    let (list, style) = (host.number(), r#"{"items": "data"}"#);
    client.pages(list, "/v1/contacts", None, style);
    let mut pages = 0;
    loop {
        let call = host.number();
        host.port.next_page(call, list);
        host.drive();
        match host.frame(call).kind {
            ANSWER => pages += 1,
            kind => {
                assert_eq!(kind, END);
                break;
            }
        }
    }
    assert!(pages > 0);
    host.port.drop_pages(list);
    let call = host.number();
    host.port.next_page(call, list);
    assert_eq!(host.frame(call).kind, ERROR);
    client.close();
    assert!(host.ended().is_empty());
}

#[test]
fn stop_ends_everything() {
    let (address, counts) = server::begin();
    let host = Host::new();
    let client = host.client(&address);
    let call = host.get(&client, "/never", 0);
    until(|| counts.requests.load(Ordering::SeqCst) == 1);
    host.port.stop();
    assert!(host.ended().is_empty());
    assert_eq!(host.port.waiting(), 0);
    until(|| counts.closed.load(Ordering::SeqCst) == 1);
    client.start(call + 1, "GET", "/", 0, None, None);
    assert!(host.port.drive().frames.is_empty());
}
