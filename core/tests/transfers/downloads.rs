use std::time::Duration;

use gatewright::engine::download::NoResume;
use gatewright::testing::{answer, answer_with, failure};
use gatewright::{Decision, Download, ErrorKind, FailureClass, NoRetry, Retryability};

use crate::world::{End, Step, World, header, pieces, world, world_with};

const V1: (&str, &str) = ("etag", "\"v1\"");
const TEN: (&str, &str) = ("content-length", "10");

fn first(chunks: &[&'static str], end: End) -> Step {
    pieces(200, &[V1, TEN], chunks, end)
}

fn part(range: &str, chunks: &[&'static str], end: End) -> Step {
    pieces(206, &[V1, ("content-range", range)], chunks, end)
}

fn begin(world: &World) -> Download {
    world.client.get("/v1/files/fi_1/content").download()
}

/// All that is delivered, and the error at the end.
fn all(world: &World, download: &mut Download) -> (String, Option<gatewright::Error>) {
    let mut text = String::new();
    loop {
        match world.clock.block_on(download.chunk()) {
            Ok(Some(bytes)) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Ok(None) => return (text, None),
            Err(why) => return (text, Some(why)),
        }
    }
}

#[test]
fn a_download_that_breaks_goes_on_where_it_broke() {
    let world = world([
        first(&["012", "34"], End::Broken),
        part("bytes 5-9/10", &["56"], End::Broken),
        part("bytes 7-9/10", &["789"], End::Closed),
    ]);
    let mut download = begin(&world);
    let (text, error) = all(&world, &mut download);
    assert_eq!((text.as_str(), error.is_none()), ("0123456789", true));
    let requests = world.wire.requests();
    let ranges: Vec<_> = requests
        .iter()
        .map(|seen| (header(seen, "range"), header(seen, "if-range")))
        .collect();
    assert_eq!(
        ranges,
        [
            (None, None),
            (Some("bytes=5-"), Some("\"v1\"")),
            (Some("bytes=7-"), Some("\"v1\"")),
        ]
    );
    assert!(
        requests
            .iter()
            .all(|seen| header(seen, "accept-encoding") == Some("identity"))
    );
    let attempts = download.attempts();
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(attempts[0].decision, Decision::Retry { .. }));
    assert_eq!(attempts[2].decision, Decision::Return);
    assert_eq!(download.total(), Some(10));
}

#[test]
fn the_deadline_is_for_connecting() {
    let world = world([
        first(&["01234"], End::Broken),
        part("bytes 5-9/10", &["56789"], End::Closed),
    ]);
    let mut download = world
        .client
        .get("/v1/files/fi_1/content")
        .timeout(Duration::from_secs(3))
        .download();
    world.clock.block_on(download.connect()).unwrap();
    assert_eq!(download.headers()["etag"], "\"v1\"");
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(all(&world, &mut download).0, "0123456789");
}

#[test]
fn what_brings_nothing_is_given_up_after_as_many_attempts() {
    let broken = || part("bytes 5-9/10", &[], End::Broken);
    let world = world([
        first(&["01234"], End::Broken),
        broken(),
        broken(),
        part("bytes 5-9/10", &["56789"], End::Closed),
    ]);
    let mut download = begin(&world);
    let (text, error) = all(&world, &mut download);
    assert_eq!(text, "01234");
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.no_retry(), Some(NoRetry::OutOfAttempts));
    assert_eq!(error.retryability(), Retryability::Exhausted);
    assert_eq!(error.attempts().len(), 3);
    // Whoever asks on goes on where it ended.
    assert_eq!(all(&world, &mut download).0, "56789");
}

#[test]
fn progress_resets_the_count_and_the_budget_pays() {
    let mut script = vec![first(&["0"], End::Broken)];
    for at in 1..9 {
        let range = format!("bytes {at}-9/10");
        script.push(pieces(
            206,
            &[V1, ("content-range", &range)],
            &["x"],
            End::Broken,
        ));
    }
    script.push(part("bytes 9-9/10", &["x"], End::Closed));
    let world = world(script);
    let (text, error) = all(&world, &mut begin(&world));
    assert_eq!((text.len(), error.is_none()), (10, true));
    // Nine resumptions at 5; a token back for each answer, and the last one's 5 for the end.
    assert_eq!(world.budget_left(), 500 - 9 * 5 + 9 + 5);
}

#[test]
fn a_budget_that_is_used_up_ends_it() {
    let clock = gatewright::testing::VirtualClock::new(7);
    let script = [
        first(&["0"], End::Broken),
        part("bytes 1-9/10", &["1"], End::Broken),
    ];
    let world = world_with(clock, script, |builder| {
        let mut retry = gatewright::RetryPolicy::default();
        retry.budget = 5;
        builder.retry(retry)
    });
    let (text, error) = all(&world, &mut begin(&world));
    assert_eq!(text, "01");
    assert_eq!(error.unwrap().no_retry(), Some(NoRetry::OutOfBudget));
}

#[test]
fn two_versions_are_never_mixed() {
    let v2 = ("etag", "\"v2\"");
    for second in [
        pieces(200, &[v2, TEN], &["abcdefghij"], End::Closed),
        pieces(
            206,
            &[v2, ("content-range", "bytes 5-9/10")],
            &["fghij"],
            End::Closed,
        ),
        pieces(
            206,
            &[V1, ("content-range", "bytes 5-19/20")],
            &["fghij"],
            End::Closed,
        ),
        pieces(416, &[("content-range", "bytes */3")], &[""], End::Closed),
    ] {
        let world = world([first(&["01234"], End::Broken), second]);
        let mut download = begin(&world);
        let (text, error) = all(&world, &mut download);
        assert_eq!(text, "01234");
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
        assert!(error.what().contains("it changed after 5 bytes"), "{error}");
        assert_eq!(error.attempts().len(), 2);
        assert_eq!(all(&world, &mut download).0, "", "it is over");
        assert_eq!(world.wire.requests().len(), 2);
    }
}

#[test]
fn without_a_strong_tag_it_is_not_taken_up_again_and_says_why() {
    for (headers, why) in [
        (&[TEN][..], "has no ETag"),
        (&[TEN, ("etag", "W/\"v1\"")], "a weak one"),
        (&[TEN, V1, ("accept-ranges", "none")], "knows no ranges"),
    ] {
        let world = world([pieces(200, headers, &["01234"], End::Broken)]);
        let (text, error) = all(&world, &mut begin(&world));
        assert_eq!(text, "01234");
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
        assert!(error.what().contains(why), "{error}");
        assert_eq!(world.wire.requests().len(), 1);
    }
}

#[test]
fn nothing_delivered_is_nothing_to_mix() {
    let world = world([
        pieces(200, &[TEN], &[], End::Broken),
        pieces(200, &[("content-length", "2")], &["ab"], End::Closed),
    ]);
    assert_eq!(all(&world, &mut begin(&world)).0, "ab");
    assert_eq!(header(&world.wire.requests()[1], "range"), None);
}

#[test]
fn a_body_that_ends_early_is_not_taken_for_whole() {
    let world = world([
        first(&["01234"], End::Closed),
        part("bytes 5-9/10", &["56789"], End::Closed),
    ]);
    let (text, error) = all(&world, &mut begin(&world));
    assert_eq!((text.as_str(), error.is_none()), ("0123456789", true));
}

#[test]
fn a_server_without_ranges_sends_it_again_and_nothing_comes_twice() {
    let world = world([
        first(&["01234"], End::Broken),
        first(&["0123456", "789"], End::Closed),
    ]);
    assert_eq!(all(&world, &mut begin(&world)).0, "0123456789");
}

#[test]
fn a_digest_that_does_not_fit_is_an_error() {
    // That of `hello`.
    let digest = (
        "repr-digest",
        "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
    );
    for (rest, fits) in [("lo", true), ("l!", false)] {
        let world = world([
            pieces(
                200,
                &[V1, digest, ("content-length", "5")],
                &["hel"],
                End::Broken,
            ),
            pieces(
                206,
                &[V1, ("content-range", "bytes 3-4/5")],
                &[rest],
                End::Closed,
            ),
        ]);
        let (_, error) = all(&world, &mut begin(&world));
        assert_eq!(
            error.map(|error| error.kind()),
            (!fits).then_some(ErrorKind::Decode)
        );
    }
}

#[test]
fn resuming_retries_like_any_call() {
    let world = world([
        first(&["01234"], End::Broken),
        failure(FailureClass::Connect),
        answer(503),
        part("bytes 5-9/10", &["56789"], End::Closed),
    ]);
    let mut download = begin(&world);
    assert_eq!(all(&world, &mut download).0, "0123456789");
    assert_eq!(download.attempts().len(), 4);
}

#[test]
fn an_error_status_is_an_error() {
    let world = world([answer_with(404, &[], "{}")]);
    let error = all(&world, &mut begin(&world)).1.unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_request_that_cannot_be_sent_again_says_so() {
    let world = world([first(&["01234"], End::Broken)]);
    let mut download = world.client.post("/v1/speech").json(&1).download();
    let error = all(&world, &mut download).1.unwrap();
    assert!(error.what().contains("not a GET without a body"), "{error}");
    assert_eq!(download.no_resume(), Some(NoResume::NotRepeatable));
}

#[test]
fn a_range_of_ones_own_is_refused_before_anything_is_sent() {
    let world = world([]);
    let mut download = world
        .client
        .get("/x")
        .header("range", "bytes=1-")
        .download();
    let error = all(&world, &mut download).1.unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(world.wire.requests().is_empty());
}

#[test]
fn who_stopped_waiting_for_a_connection_has_not_come_to_the_end() {
    let world = world([first(&["01234", "56789"], End::Closed)]);
    let mut download = begin(&world);
    {
        // Dropped after its first poll, with the request under way.
        let connect = std::pin::pin!(download.connect());
        let waker = std::task::Waker::noop();
        let _ = connect.poll(&mut std::task::Context::from_waker(waker));
    }
    let (text, error) = all(&world, &mut download);
    assert_eq!((text.as_str(), error.is_none()), ("0123456789", true));
}
