//! Streams of server-sent events, over a scripted transport and a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use gatewright::runtime::BoxFuture;
use gatewright::testing::{Scripted, VirtualClock, answer, answer_with, failure};
use gatewright::transport::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse,
};
use gatewright::{Client, ClientBuilder, ErrorKind, Event, Events, FailureClass};

type Step = Result<TransportResponse, TransportError>;

/// How a connection ends after its pieces.
enum End {
    Closed,
    Broken,
    Silent,
}

/// A connection that brings these pieces.
fn connection(pieces: &[&'static str], end: End) -> Step {
    let mut step = answer_with(
        200,
        &[("content-type", "text/event-stream; charset=utf-8")],
        "",
    )?;
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
        .collect();
    let pieces = stream::iter(pieces);
    step.body = match end {
        End::Closed => ResponseBody::new(pieces),
        End::Broken => {
            let broken = Err(TransportError::new(FailureClass::ConnectionLost, "cut"));
            ResponseBody::new(pieces.chain(stream::iter([broken])))
        }
        End::Silent => ResponseBody::new(pieces.chain(stream::pending())),
    };
    Ok(step)
}

struct World {
    clock: VirtualClock,
    wire: Scripted,
    client: Client,
}

fn world_with(
    script: impl IntoIterator<Item = Step>,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    let (clock, wire) = (VirtualClock::new(7), Scripted::new(script));
    let builder = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(wire.clone());
    World {
        client: settings(builder).build().unwrap(),
        clock,
        wire,
    }
}

fn world(script: impl IntoIterator<Item = Step>) -> World {
    world_with(script, |builder| builder)
}

impl World {
    fn events(&self) -> Events {
        self.client.get("/v1/events").query([("q", "1")]).events()
    }

    fn next(&self, events: &mut Events) -> Result<Option<Event>, gatewright::Error> {
        self.clock.block_on(events.next())
    }

    /// Data of all events to the end.
    fn all(&self, events: &mut Events) -> Vec<String> {
        let next = || self.next(events).unwrap().map(|event| event.data);
        std::iter::from_fn(next).collect()
    }

    /// The `Last-Event-ID` of each request.
    fn ids(&self) -> Vec<Option<String>> {
        let id = |seen: &gatewright::testing::Seen| {
            Some(
                seen.headers
                    .get("last-event-id")?
                    .to_str()
                    .unwrap()
                    .to_owned(),
            )
        };
        self.wire.requests().iter().map(id).collect()
    }
}

#[test]
fn events_come_as_they_are_sent() {
    let world = world([connection(
        &["data: a\n\nevent: add\nda", "ta: b\n\n"],
        End::Closed,
    )]);
    let mut events = world.events();
    let first = world.next(&mut events).unwrap().unwrap();
    assert_eq!(
        (&*first.kind, &*first.data, &*first.id),
        ("message", "a", "")
    );
    let second = world.next(&mut events).unwrap().unwrap();
    assert_eq!((&*second.kind, &*second.data), ("add", "b"));
    assert_eq!(world.next(&mut events).unwrap(), None);
    assert_eq!(world.next(&mut events).unwrap(), None);
    let seen = &world.wire.requests()[0];
    assert_eq!(seen.headers["accept"], "text/event-stream");
    assert_eq!(seen.headers["cache-control"], "no-store");
    assert_eq!(seen.url.query(), Some("q=1"));
    assert_eq!(world.wire.requests().len(), 1);
}

#[test]
fn a_stream_goes_on_after_the_last_event_that_had_an_id() {
    let world = world([
        connection(
            &["id: 1\ndata: a\n\ndata: b\n\nid: 3\ndata: lost"],
            End::Broken,
        ),
        connection(&["id: 2\ndata: c\n\n"], End::Closed),
        connection(&["id: 3\ndata: d\n\n"], End::Broken),
        answer(204),
    ]);
    let mut events = world.events();
    assert_eq!(world.all(&mut events), ["a", "b", "c", "d"]);
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(world.ids(), [None, id("1"), id("2"), id("3")]);
    assert_eq!(events.last_id(), "3");
    assert!(
        world
            .wire
            .requests()
            .iter()
            .all(|seen| seen.url.query() == Some("q=1"))
    );
    // Three waits, each at least half of the first backoff and none longer than the backoff.
    let waited = world.clock.elapsed();
    assert!(
        waited >= Duration::from_millis(750) && waited <= Duration::from_millis(1500),
        "{waited:?}"
    );
}

#[test]
fn the_server_says_when_to_come_back() {
    let world = world([
        connection(&["retry: 3000\nid: 1\ndata: a\n\n"], End::Closed),
        connection(&["id: 2\ndata: b\n\n"], End::Broken),
        answer(204),
    ]);
    assert_eq!(world.all(&mut world.events()), ["a", "b"]);
    assert_eq!(world.clock.elapsed(), Duration::from_secs(6));
}

#[test]
fn without_an_id_a_broken_stream_is_an_error() {
    let world = world([connection(&["data: a\n\n"], End::Broken)]);
    let mut events = world.events();
    world.next(&mut events).unwrap().unwrap();
    let error = world.next(&mut events).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(
        error.to_string().split("; ").next().unwrap(),
        "connection_lost: GET https://api.example/v1/events?q=1 was answered 200 OK, but its body broke off: connection lost: cut (1 attempt, 0 ms)"
    );
    assert_eq!(world.next(&mut events).unwrap(), None);
    assert_eq!(world.wire.requests().len(), 1);
}

#[test]
fn silence_counts_as_broken_after_the_idle_timeout() {
    let world = world([
        connection(&["id: 1\ndata: a\n\n", ": still there\n"], End::Silent),
        answer(204),
    ]);
    let mut events = world.events().idle_timeout(Duration::from_secs(90));
    assert_eq!(world.all(&mut events), ["a"]);
    let waited = world.clock.elapsed();
    assert!(
        waited >= Duration::from_secs(90) && waited < Duration::from_secs(91),
        "{waited:?}"
    );
}

#[test]
fn silence_without_an_id_says_which_setting_it_was() {
    let world = world([connection(&["data: a\n\n"], End::Silent)]);
    let mut events = world.events();
    world.next(&mut events).unwrap().unwrap();
    let error = world.next(&mut events).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(
        text.contains("nothing came within the idle timeout"),
        "{text}"
    );
    assert!(
        text.ends_with("; raise `idle_timeout`, or let the server send comments in between"),
        "{text}"
    );
}

#[test]
fn connections_that_bring_nothing_are_given_up_and_can_be_asked_for_again() {
    let broken = || connection(&[], End::Broken);
    let world = world([
        connection(&["id: 1\ndata: a\n\n"], End::Broken),
        broken(),
        broken(),
        broken(),
        connection(&["id: 2\ndata: b\n\n"], End::Closed),
        answer(204),
    ]);
    let mut events = world.events();
    world.next(&mut events).unwrap().unwrap();
    assert_eq!(
        world.next(&mut events).unwrap_err().kind(),
        ErrorKind::ConnectionLost
    );
    assert_eq!(world.wire.requests().len(), 4);
    assert_eq!(world.all(&mut events), ["b"]);
}

#[test]
fn each_connection_is_a_call_with_retries() {
    let world = world([
        failure(FailureClass::Connect),
        answer(503),
        connection(&["id: 1\ndata: a\n\n"], End::Broken),
        answer(503),
        answer(204),
    ]);
    assert_eq!(world.all(&mut world.events()), ["a"]);
    assert_eq!(world.wire.requests().len(), 5);
}

#[test]
fn what_is_not_a_stream_of_events_is_an_error() {
    for (step, kind, what) in [
        (
            answer_with(200, &[("content-type", "application/json")], "{}"),
            ErrorKind::Protocol,
            "was answered 200 OK with application/json, where text/event-stream was expected",
        ),
        (
            answer_with(200, &[], "data: a\n\n"),
            ErrorKind::Protocol,
            "with no content type",
        ),
        (answer(404), ErrorKind::NotFound, "was answered 404"),
    ] {
        let world = world_with([step], |builder| builder.error_for_status(false));
        let mut events = world.events();
        let error = world.next(&mut events).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(world.next(&mut events).unwrap(), None);
    }
}

#[test]
fn an_event_that_is_too_large_ends_the_stream() {
    let world = world_with(
        [connection(
            &[
                "id: 1\ndata: a\n\n",
                "data: 0123456789012345678901234567890",
            ],
            End::Silent,
        )],
        |builder| builder.max_response_bytes(20),
    );
    let mut events = world.events();
    world.next(&mut events).unwrap().unwrap();
    let error = world.next(&mut events).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error
            .to_string()
            .contains("with an event of more than 20 bytes"),
        "{error}"
    );
    assert_eq!(world.next(&mut events).unwrap(), None);
}

#[test]
fn the_deadline_is_for_connecting_alone() {
    let mut step = connection(&[], End::Closed).unwrap();
    let (clock, wire) = (VirtualClock::new(7), Scripted::new([]));
    let late = {
        use gatewright::runtime::Runtime as _;
        let clock = clock.clone();
        async move {
            let until = clock.instant() + Duration::from_secs(40);
            clock.sleep_until(until).await;
            Ok(Bytes::from_static(b"data: late\n\n"))
        }
    };
    step.body = ResponseBody::new(stream::once(late));
    drop(wire);
    let wire = Scripted::new([Ok(step)]);
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(wire)
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let mut events = client.get("/v1/events").events();
    let event = clock.block_on(events.next()).unwrap().unwrap();
    assert_eq!(event.data, "late");
    assert_eq!(clock.elapsed(), Duration::from_secs(40));
}

#[test]
fn a_post_is_sent_once() {
    let world = world([connection(&["id: 1\ndata: a\n\n"], End::Broken)]);
    let mut events = world.client.post("/v1/answers").body("{}").events();
    world.next(&mut events).unwrap().unwrap();
    assert!(world.next(&mut events).is_err());
    assert_eq!(world.next(&mut events).unwrap(), None);
    assert_eq!(world.wire.requests().len(), 1);
    assert!(
        world.wire.requests()[0]
            .headers
            .contains_key("idempotency-key")
    );
}

#[test]
fn a_stream_begins_after_an_id_of_an_earlier_one() {
    let world = world([connection(&["data: b\n\n"], End::Closed), answer(204)]);
    let mut events = world.events().last_event_id("41");
    assert_eq!(world.next(&mut events).unwrap().unwrap().id, "41");
    assert_eq!(world.ids(), [Some("41".to_owned())]);
}

#[test]
fn nothing_is_sent_for_wrong_settings() {
    let world = world([]);
    for mut events in [
        world.events().idle_timeout(Duration::ZERO),
        world.client.get("https://other.example/").events(),
        world.events().last_event_id("a\nb"),
    ] {
        assert!(world.next(&mut events).is_err());
        assert_eq!(world.next(&mut events).unwrap(), None);
    }
    assert!(world.wire.requests().is_empty());
}

/// Does not answer the first request; the others as scripted.
#[derive(Debug)]
struct FirstNever(std::sync::atomic::AtomicBool, Scripted);

impl Transport for FirstNever {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        if self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return self.1.send(request);
        }
        Box::pin(std::future::pending())
    }
}

#[test]
fn who_gives_up_while_it_connects_may_ask_again() {
    let (clock, wire) = (
        VirtualClock::new(7),
        Scripted::new([connection(&["data: a\n\n"], End::Closed)]),
    );
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(FirstNever(false.into(), wire.clone()))
        .build()
        .unwrap();
    let mut events = client.get("/v1/events").events();
    let mut given_up = Box::pin(events.next());
    let waiting = clock.block_on(std::future::poll_fn(|cx| {
        std::task::Poll::Ready(given_up.as_mut().poll(cx).is_pending())
    }));
    assert!(waiting);
    drop(given_up);
    let event = clock.block_on(events.next()).unwrap().unwrap();
    assert_eq!((&*event.data, wire.requests().len()), ("a", 1));
}
