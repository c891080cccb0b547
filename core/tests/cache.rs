//! The cache of a client as its user and its server see it: what goes onto the wire, and what comes back. Virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use gatewright::runtime::{BoxFuture, Instant, Now, Runtime};
use gatewright::testing::{Scripted, Seen, VirtualClock, answer, answer_with, failure};
use gatewright::transport::{Transport, TransportError, TransportRequest, TransportResponse};
use gatewright::{
    Auth, CacheMode, CacheSettings, CacheStatus, Client, ClientBuilder, Error, ErrorKind,
    FailureClass, RequestBuilder, Response,
};

type Step = Result<TransportResponse, TransportError>;

/// Answers after a second, as scripted.
#[derive(Clone, Debug)]
struct Slow(Scripted, VirtualClock);

impl Transport for Slow {
    fn send(&self, request: TransportRequest) -> BoxFuture<'static, Step> {
        let this = self.clone();
        Box::pin(async move {
            let answer = this.0.send(request).await;
            let at = this.1.instant() + Duration::from_secs(1);
            this.1.sleep_until(at).await;
            answer
        })
    }
}

struct World {
    clock: VirtualClock,
    transport: Scripted,
    client: Client,
}

fn world_with(
    script: impl IntoIterator<Item = Step>,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    let (clock, transport) = (VirtualClock::new(7), Scripted::new(script));
    let builder = Client::builder("https://api.example")
        .cache(CacheSettings::default())
        .runtime(clock.clone())
        .transport(transport.clone());
    World {
        client: settings(builder).build().unwrap(),
        clock,
        transport,
    }
}

fn world(script: impl IntoIterator<Item = Step>) -> World {
    world_with(script, |builder| builder)
}

/// A world whose server takes a second for each answer.
fn slow_world(script: impl IntoIterator<Item = Step>) -> World {
    let (clock, transport) = (VirtualClock::new(7), Scripted::new(script));
    let client = Client::builder("https://api.example")
        .cache(CacheSettings::default())
        .runtime(clock.clone())
        .transport(Slow(transport.clone(), clock.clone()))
        .build()
        .unwrap();
    World {
        clock,
        transport,
        client,
    }
}

impl World {
    fn get(&self) -> Response {
        self.call(self.client.get("/a")).unwrap()
    }

    fn call(&self, request: RequestBuilder) -> Result<Response, Error> {
        self.clock.block_on(request.send())
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn sent(&self) -> usize {
        self.transport.requests().len()
    }

    fn last(&self) -> Seen {
        self.transport.requests().pop().unwrap()
    }
}

fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    Some(seen.headers.get(name)?.to_str().unwrap())
}

fn fresh(body: &'static str) -> Step {
    answer_with(
        200,
        &[("cache-control", "max-age=60"), ("etag", "\"1\"")],
        body,
    )
}

fn says(control: &'static str, body: &'static str) -> Step {
    answer_with(200, &[("cache-control", control), ("etag", "\"1\"")], body)
}

fn not_modified() -> Step {
    answer_with(
        304,
        &[("cache-control", "max-age=60"), ("etag", "\"1\"")],
        "",
    )
}

fn seen(response: &Response) -> (u16, String, Option<CacheStatus>) {
    (
        response.status().as_u16(),
        response.text().into_owned(),
        response.cache_status(),
    )
}

const HIT: Option<CacheStatus> = Some(CacheStatus::Hit);
const MISS: Option<CacheStatus> = Some(CacheStatus::Miss);
const STALE: Option<CacheStatus> = Some(CacheStatus::Stale);
const REVALIDATED: Option<CacheStatus> = Some(CacheStatus::Revalidated);

fn is(response: &Response, status: u16, body: &str, cache: Option<CacheStatus>) {
    assert_eq!(seen(response), (status, body.to_owned(), cache));
}

#[test]
fn without_the_setting_nothing_is_kept() {
    let world = world_with([fresh("1"), fresh("2")], |builder| builder.cache(None));
    is(&world.get(), 200, "1", None);
    is(&world.get(), 200, "2", None);
    assert!(world.client.state().cache.is_none());
    world.client.clear_cache();
}

#[test]
fn a_fresh_answer_is_given_without_the_server() {
    let world = world([fresh("1"), fresh("2")]);
    is(&world.get(), 200, "1", MISS);
    world.pass(59);
    let hit = world.get();
    is(&hit, 200, "1", HIT);
    assert_eq!(
        (hit.header("age"), hit.header("etag")),
        (Some("59"), Some("\"1\""))
    );
    assert!(hit.from_cache() && hit.attempts().is_empty());
    assert_eq!(hit.url().as_str(), "https://api.example/a");
    assert_eq!(world.sent(), 1);
    let state = world.client.state().cache.unwrap();
    assert_eq!((state.entries, state.hits, state.misses), (1, 1, 1));
    assert!(state.bytes > 512 && state.max_bytes == CacheSettings::DEFAULT_BYTES);
    // A fragment makes no other URL, a query does.
    is(
        &world.call(world.client.get("/a#top")).unwrap(),
        200,
        "1",
        HIT,
    );
    is(
        &world.call(world.client.get("/a?b=1")).unwrap(),
        200,
        "2",
        MISS,
    );
}

#[test]
fn what_is_stored_ages_while_the_device_sleeps() {
    let world = world([fresh("1"), not_modified()]);
    world.get();
    world.clock.sleep(Duration::from_secs(3600));
    is(&world.get(), 200, "1", REVALIDATED);
}

#[test]
fn a_stale_answer_is_validated_and_renewed() {
    let modified = "Thu, 01 Jan 2026 00:00:00 GMT";
    let first = answer_with(
        200,
        &[
            ("cache-control", "max-age=60"),
            ("etag", "W/\"1\""),
            ("last-modified", modified),
            ("x-count", "1"),
        ],
        "body",
    );
    let second = answer_with(
        304,
        &[
            ("cache-control", "max-age=600"),
            ("etag", "W/\"1\""),
            ("x-count", "2"),
        ],
        "",
    );
    let world = world([first, second]);
    world.get();
    world.pass(60);
    let validated = world.get();
    is(&validated, 200, "body", REVALIDATED);
    assert_eq!(validated.header("x-count"), Some("2"));
    assert_eq!(validated.attempts().len(), 1);
    let request = world.last();
    assert_eq!(header(&request, "if-none-match"), Some("W/\"1\""));
    assert_eq!(header(&request, "if-modified-since"), Some(modified));
    // By the new lifetime, with the new fields and the old ones.
    world.pass(599);
    let hit = world.get();
    is(&hit, 200, "body", HIT);
    assert_eq!(
        (hit.header("x-count"), hit.header("last-modified")),
        (Some("2"), Some(modified))
    );
    assert_eq!(world.sent(), 2);
}

#[test]
fn a_changed_answer_takes_the_place_of_the_old() {
    let world = world([fresh("1"), fresh("2")]);
    world.get();
    world.pass(60);
    is(&world.get(), 200, "2", MISS);
    is(&world.get(), 200, "2", HIT);
    assert_eq!(world.client.state().cache.unwrap().entries, 1);
}

#[test]
fn a_304_of_something_else_is_not_believed() {
    let other = answer_with(304, &[("etag", "\"9\"")], "");
    let world = world([fresh("1"), other, fresh("2")]);
    world.get();
    world.pass(60);
    let answered = world.get();
    is(&answered, 200, "2", MISS);
    assert_eq!(header(&world.last(), "if-none-match"), None);
    // The record has both requests.
    let numbers: Vec<_> = answered.attempts().iter().map(|a| a.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn five_hundred_calls_make_one_validation() {
    let world = slow_world([fresh("1"), not_modified()]);
    world.get();
    world.pass(60);
    let calls = (0..500).map(|_| world.client.get("/a").send());
    let answers = world.clock.block_on(join_all(calls));
    for answer in answers {
        is(&answer.unwrap(), 200, "1", REVALIDATED);
    }
    assert_eq!(world.sent(), 2);
    assert_eq!(world.client.state().cache.unwrap().revalidated, 500);
}

#[test]
fn whoever_began_a_validation_may_go() {
    let world = slow_world([fresh("1"), not_modified(), fresh("2")]);
    world.get();
    world.pass(60);
    let mut leader = Box::pin(world.client.get("/a").send());
    let mut other = Box::pin(world.client.get("/a").send());
    world.clock.block_on(async {
        assert!((&mut leader).now_or_never().is_none());
        assert!((&mut other).now_or_never().is_none());
    });
    drop(leader);
    is(&world.clock.block_on(other).unwrap(), 200, "1", REVALIDATED);
    assert_eq!(world.sent(), 2);
}

#[test]
fn a_validation_that_nobody_waits_for_ends() {
    let world = slow_world([fresh("1"), not_modified(), not_modified()]);
    world.get();
    world.pass(60);
    let mut only = Box::pin(world.client.get("/a").send());
    world
        .clock
        .block_on(async { assert!((&mut only).now_or_never().is_none()) });
    drop(only);
    is(&world.get(), 200, "1", REVALIDATED);
    assert_eq!(world.sent(), 3);
}

#[test]
fn each_call_has_its_own_deadline() {
    let world = slow_world([fresh("1"), not_modified(), not_modified()]);
    world.get();
    world.pass(60);
    let patient = world.client.get("/a").send();
    let hasty = world
        .client
        .get("/a")
        .timeout(Duration::from_millis(300))
        .send();
    let (patient, hasty) = world.clock.block_on(join(patient, hasty));
    is(&patient.unwrap(), 200, "1", REVALIDATED);
    let error = hasty.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.elapsed(), Duration::from_millis(300));
    assert_eq!(world.sent(), 2);
}

#[test]
fn the_impatience_of_one_is_not_that_of_others() {
    let world = slow_world([fresh("1"), not_modified(), not_modified()]);
    world.get();
    world.pass(60);
    let hasty = world
        .client
        .get("/a")
        .timeout(Duration::from_millis(300))
        .send();
    let patient = world.client.get("/a").send();
    let (hasty, patient) = world.clock.block_on(join(hasty, patient));
    assert_eq!(hasty.unwrap_err().kind(), ErrorKind::Timeout);
    is(&patient.unwrap(), 200, "1", REVALIDATED);
}

#[test]
fn a_failure_is_shared_by_those_who_waited_and_remembered_by_nobody() {
    let failures = || (0..3).map(|_| failure(FailureClass::Connect));
    let world = slow_world(
        [fresh("1")]
            .into_iter()
            .chain(failures())
            .chain([not_modified()]),
    );
    world.get();
    world.pass(60);
    let calls = (0..20).map(|_| world.client.get("/a").send());
    for outcome in world.clock.block_on(join_all(calls)) {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts().len()),
            (ErrorKind::Connect, 3)
        );
        assert!(error.to_string().contains("https://api.example/a"));
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(world.sent(), 4);
    is(&world.get(), 200, "1", REVALIDATED);
}

#[test]
fn calls_of_other_variants_do_not_share() {
    let vary = |body: &'static str| {
        answer_with(
            200,
            &[
                ("cache-control", "max-age=60"),
                ("vary", "accept-language"),
                ("etag", "\"1\""),
            ],
            body,
        )
    };
    let world = slow_world([vary("hello"), vary("hallo"), vary("hello2"), vary("hallo2")]);
    let get = |language: &str| world.client.get("/a").header("accept-language", language);
    is(&world.call(get("en")).unwrap(), 200, "hello", MISS);
    is(&world.call(get("de")).unwrap(), 200, "hallo", MISS);
    is(&world.call(get("en")).unwrap(), 200, "hello", HIT);
    world.pass(60);
    let both = world
        .clock
        .block_on(join(get("en").send(), get("de").send()));
    is(&both.0.unwrap(), 200, "hello2", MISS);
    is(&both.1.unwrap(), 200, "hallo2", MISS);
}

#[test]
fn what_is_stale_is_given_at_once_while_it_is_validated() {
    let control = "max-age=60, stale-while-revalidate=30";
    let world = slow_world([says(control, "1"), says(control, "2")]);
    world.get();
    world.pass(70);
    let (first, second) = world.clock.block_on(join(
        world.client.get("/a").send(),
        world.client.get("/a").send(),
    ));
    for stale in [first.unwrap(), second.unwrap()] {
        is(&stale, 200, "1", STALE);
        assert_eq!(stale.elapsed(), Duration::ZERO);
        assert_eq!(stale.header("age"), Some("71"));
    }
    world.clock.block_on(
        world
            .clock
            .sleep_until(world.clock.instant() + Duration::from_secs(2)),
    );
    is(&world.get(), 200, "2", HIT);
    assert_eq!(world.sent(), 2);
    // Beyond the window nobody gets it unvalidated.
    world.pass(90);
    assert_eq!(
        world
            .call(world.client.get("/a").max_attempts(1))
            .unwrap_err()
            .kind(),
        ErrorKind::ConnectionLost
    );
}

/// A host that drives nothing but what somebody waits for.
#[derive(Clone, Debug)]
struct Foreground(VirtualClock);

impl Runtime for Foreground {
    fn instant(&self) -> Instant {
        self.0.instant()
    }
    fn now(&self) -> Now {
        self.0.now()
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.0.sleep_until(at)
    }
    fn random(&self) -> u64 {
        self.0.random()
    }
}

#[test]
fn where_nothing_runs_behind_calls_the_first_call_validates() {
    let control = "max-age=60, stale-while-revalidate=30";
    let (clock, transport) = (
        VirtualClock::new(7),
        Scripted::new([says(control, "1"), says(control, "2"), answer(500)]),
    );
    let client = Client::builder("https://api.example")
        .cache(CacheSettings::default())
        .max_attempts(1)
        .runtime(Foreground(clock.clone()))
        .transport(Slow(transport.clone(), clock.clone()))
        .build()
        .unwrap();
    let get = || client.get("/a").send();
    clock.block_on(get()).unwrap();
    clock.advance(Duration::from_secs(70));
    let (first, second) = clock.block_on(join(get(), get()));
    is(&first.unwrap(), 200, "2", MISS);
    is(&second.unwrap(), 200, "1", STALE);
    // And where it fails, what is stale is still good enough.
    clock.advance(Duration::from_secs(70));
    let stale = clock.block_on(get()).unwrap();
    is(&stale, 200, "2", STALE);
    assert_eq!(stale.attempts().len(), 1);
    assert_eq!(transport.requests().len(), 3);
}

#[test]
fn where_the_server_fails_what_is_stale_is_given() {
    for fault in [
        (|| answer(500)) as fn() -> Step,
        || answer(502),
        || answer(503),
        || answer(504),
        || failure(FailureClass::Connect),
        || failure(FailureClass::ConnectionLost),
        || failure(FailureClass::Timeout),
        || failure(FailureClass::Tls),
    ] {
        for raise in [true, false] {
            let control = "max-age=60, stale-if-error=30";
            let world = world([says(control, "1"), fault(), fault()]);
            world.get();
            world.pass(61);
            let get = || {
                world
                    .client
                    .get("/a")
                    .max_attempts(1)
                    .error_for_status(raise)
            };
            let stale = world.call(get()).unwrap();
            is(&stale, 200, "1", STALE);
            assert_eq!(stale.attempts().len(), 1);
            world.pass(60);
            let late = world.call(get());
            assert!(late.is_err() || late.unwrap().status().as_u16() >= 500);
        }
    }
}

#[test]
fn an_open_circuit_is_a_server_that_fails() {
    let lost = (0..40).map(|_| failure(FailureClass::Connect));
    let world = world(
        [says("max-age=60, stale-if-error=3600", "1")]
            .into_iter()
            .chain(lost),
    );
    world.get();
    world.pass(61);
    let mut opened = false;
    for _ in 0..40 {
        let other = world.call(world.client.get("/other").max_attempts(1));
        opened = opened || other.unwrap_err().kind() == ErrorKind::CircuitOpen;
    }
    assert!(opened);
    let before = world.sent();
    is(&world.get(), 200, "1", STALE);
    assert_eq!(world.sent(), before);
}

#[test]
fn nothing_stale_is_given_where_it_must_not() {
    for control in [
        "max-age=60, must-revalidate, stale-if-error=30, stale-while-revalidate=30",
        "no-cache, stale-if-error=30, stale-while-revalidate=30",
        "max-age=60",
    ] {
        let world = world([says(control, "1"), answer(503), answer(403), answer(503)]);
        world.get();
        world.pass(61);
        let get = || world.client.get("/a").max_attempts(1);
        assert_eq!(
            world.call(get()).unwrap_err().kind(),
            ErrorKind::Server,
            "{control}"
        );
        // And a refusal ends what was stored.
        assert_eq!(
            world.call(get()).unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
        let kept = world.call(get().cache_mode(CacheMode::OnlyIfCached));
        assert_eq!(kept.unwrap_err().kind(), ErrorKind::NotCached);
    }
    let allowed = CacheSettings::default().stale_if_error(Duration::from_secs(30));
    let world = world_with([says("max-age=60", "1"), answer(503)], |b| b.cache(allowed));
    world.get();
    world.pass(61);
    is(
        &world.call(world.client.get("/a").max_attempts(1)).unwrap(),
        200,
        "1",
        STALE,
    );
}

#[test]
fn a_change_makes_what_is_stored_worthless() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "MYSTERY"] {
        let changed = answer_with(
            201,
            &[
                ("location", "/b"),
                ("content-location", "https://api.example/c"),
                ("x-other", "/d"),
            ],
            "{}",
        );
        let script = (0..5)
            .map(|_| fresh("1"))
            .chain([changed])
            .chain((0..4).map(|_| fresh("2")));
        let world = world(script);
        let get = |path: &str| seen(&world.call(world.client.get(path)).unwrap()).1;
        for path in ["/a", "/a?page=2", "/b", "/c", "/d"] {
            get(path);
        }
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        world.call(world.client.request(method, "/a")).unwrap();
        let now = ["/a", "/a?page=2", "/b", "/c", "/d"].map(get);
        assert_eq!(now, ["2", "2", "2", "2", "1"]);
    }
}

#[test]
fn a_change_that_was_refused_changes_nothing() {
    let elsewhere = answer_with(201, &[("location", "https://other.example/a")], "{}");
    let world = world([
        fresh("1"),
        answer(422),
        elsewhere,
        failure(FailureClass::ConnectionLost),
        fresh("2"),
    ]);
    world.get();
    let put = |path: &str| world.call(world.client.put(path).max_attempts(1));
    assert!(put("/a").is_err());
    is(&world.get(), 200, "1", HIT);
    put("/z").unwrap();
    is(&world.get(), 200, "1", HIT);
    // One whose outcome is not known may have happened.
    assert!(put("/a").is_err());
    is(&world.get(), 200, "2", MISS);
}

#[test]
fn what_was_asked_for_before_a_change_is_not_kept_after_it() {
    let world = slow_world([answer(200), fresh("old"), fresh("new")]);
    let half_a_second = world
        .clock
        .sleep_until(world.clock.instant() + Duration::from_millis(500));
    // The answer to the GET comes half a second after that to the PUT.
    let (put, get) = world
        .clock
        .block_on(join(world.client.put("/a").send(), async {
            half_a_second.await;
            world.client.get("/a").send().await
        }));
    put.unwrap();
    is(&get.unwrap(), 200, "old", MISS);
    is(&world.get(), 200, "new", MISS);
    is(&world.get(), 200, "new", HIT);
}

#[test]
fn a_change_whose_caller_goes_away_may_have_happened() {
    let world = slow_world([fresh("1"), answer(200), fresh("2")]);
    world.get();
    let mut put = Box::pin(world.client.put("/a").send());
    world
        .clock
        .block_on(async { assert!((&mut put).now_or_never().is_none()) });
    drop(put);
    is(&world.get(), 200, "2", MISS);
}

#[test]
fn answers_of_one_credential_are_not_given_to_another() {
    let world = world_with([fresh("ann"), fresh("bob"), fresh("none")], |b| {
        b.auth(Auth::none())
    });
    let get = |token: &str| world.client.get("/a").header("authorization", token);
    is(&world.call(get("Bearer ann")).unwrap(), 200, "ann", MISS);
    is(&world.call(get("Bearer bob")).unwrap(), 200, "bob", MISS);
    is(&world.get(), 200, "none", MISS);
    is(&world.call(get("Bearer ann")).unwrap(), 200, "ann", HIT);
    is(&world.call(get("Bearer bob")).unwrap(), 200, "bob", HIT);
    let secret = format!("{:?}", world.client);
    assert!(!secret.contains("ann"));
}

#[test]
fn modes_say_what_a_call_wants() {
    let world = world([
        fresh("1"),
        fresh("2"),
        fresh("3"),
        not_modified(),
        fresh("5"),
    ]);
    let get = |mode| world.call(world.client.get("/a").cache_mode(mode));
    let error = get(CacheMode::OnlyIfCached).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotCached);
    let shown = error.to_string();
    assert!(shown.contains("GET https://api.example/a"), "{shown}");
    is(&get(CacheMode::NoStore).unwrap(), 200, "1", None);
    is(&get(CacheMode::Default).unwrap(), 200, "2", MISS);
    is(&get(CacheMode::Reload).unwrap(), 200, "3", MISS);
    assert_eq!(header(&world.last(), "if-none-match"), None);
    is(&get(CacheMode::Default).unwrap(), 200, "3", HIT);
    is(&get(CacheMode::NoCache).unwrap(), 200, "3", REVALIDATED);
    assert_eq!(header(&world.last(), "if-none-match"), Some("\"1\""));
    world.pass(100_000);
    is(&get(CacheMode::ForceCache).unwrap(), 200, "3", STALE);
    is(&get(CacheMode::OnlyIfCached).unwrap(), 200, "3", STALE);
    is(&get(CacheMode::Reload).unwrap(), 200, "5", MISS);
    is(&get(CacheMode::ForceCache).unwrap(), 200, "5", HIT);
    assert_eq!(world.sent(), 5);
}

#[test]
fn only_if_cached_needs_a_cache() {
    let world = world_with([fresh("1")], |builder| builder.cache(None));
    let asked = world.client.get("/a").cache_mode(CacheMode::OnlyIfCached);
    assert_eq!(world.call(asked).unwrap_err().kind(), ErrorKind::NotCached);
    assert_eq!(world.sent(), 0);
}

#[test]
fn requests_may_say_it_in_their_own_words() {
    let world = world([fresh("1"), not_modified(), fresh("3")]);
    let get = |control: &str| world.call(world.client.get("/a").header("cache-control", control));
    assert_eq!(
        get("only-if-cached").unwrap_err().kind(),
        ErrorKind::NotCached
    );
    world.get();
    is(&get("no-cache").unwrap(), 200, "1", REVALIDATED);
    world.pass(61);
    assert_eq!(
        get("only-if-cached").unwrap_err().kind(),
        ErrorKind::NotCached
    );
    is(&get("max-stale=10").unwrap(), 200, "1", STALE);
    is(&get("no-store").unwrap(), 200, "3", None);
    is(&get("max-stale").unwrap(), 200, "1", STALE);
}

#[test]
fn parts_and_conditions_of_ones_own_pass_by() {
    let part = answer_with(
        206,
        &[
            ("cache-control", "max-age=60"),
            ("content-range", "bytes 0-0/1"),
        ],
        "p",
    );
    let world = world([fresh("1"), part, not_modified(), fresh("2")]);
    world.get();
    let get = |name: &str, value: &str| world.call(world.client.get("/a").header(name, value));
    is(&get("range", "bytes=0-0").unwrap(), 206, "p", None);
    is(&get("if-none-match", "\"1\"").unwrap(), 304, "", None);
    let posted = world.client.request(http::Method::GET, "/a").body("query");
    is(&world.call(posted).unwrap(), 200, "2", None);
    is(&world.get(), 200, "1", HIT);
}

#[test]
fn head_is_answered_by_a_get_and_tells_of_changes() {
    let same = || answer_with(200, &[("etag", "\"1\"")], "");
    let other = answer_with(200, &[("etag", "\"2\"")], "");
    let world = world([fresh("1"), same(), not_modified(), other, fresh("2")]);
    world.get();
    let head = || world.call(world.client.head("/a")).unwrap();
    let hit = head();
    is(&hit, 200, "", HIT);
    assert_eq!(hit.header("etag"), Some("\"1\""));
    world.pass(61);
    is(&head(), 200, "", MISS);
    is(&world.get(), 200, "1", REVALIDATED);
    world.pass(61);
    is(&head(), 200, "", MISS);
    is(&world.get(), 200, "2", MISS);
    assert_eq!(header(&world.last(), "if-none-match"), None);
}

#[test]
fn what_is_not_there_is_remembered_too() {
    let gone = |status| {
        answer_with(
            status,
            &[
                ("cache-control", "max-age=60"),
                ("content-length", "18"),
                ("request-id", "req_1"),
            ],
            "{\"detail\":\"nobody\"}".get(..18).unwrap(),
        )
    };
    let world = world([gone(404), fresh("1")]);
    let first = world.call(world.client.get("/a")).unwrap_err();
    let second = world.call(world.client.get("/a")).unwrap_err();
    for error in [&first, &second] {
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::NotFound, 404)
        );
        assert_eq!(
            (error.body().len(), error.request_id()),
            (18, Some("req_1"))
        );
    }
    assert!(second.to_string().contains("(from the cache)"), "{second}");
    is(
        &world
            .call(world.client.get("/a").error_for_status(false))
            .unwrap(),
        404,
        &first_body(&first),
        HIT,
    );
    assert_eq!(world.sent(), 1);
    world.pass(60);
    is(&world.get(), 200, "1", MISS);
}

fn first_body(error: &Error) -> String {
    String::from_utf8_lossy(error.body()).into_owned()
}

#[test]
fn an_error_that_may_be_cut_short_is_not_kept() {
    let unmeasured = answer_with(404, &[("cache-control", "max-age=60")], "{}");
    let world = world([unmeasured, fresh("1")]);
    assert!(world.call(world.client.get("/a")).is_err());
    is(&world.get(), 200, "1", MISS);
}

#[test]
fn what_came_by_a_redirect_is_not_kept_under_the_first_name() {
    let to_b = || answer_with(302, &[("location", "/b")], "");
    let world = world([to_b(), fresh("1"), to_b(), fresh("2")]);
    is(&world.get(), 200, "1", MISS);
    is(&world.get(), 200, "2", MISS);
    assert_eq!(world.sent(), 4);
}

#[test]
fn streams_are_answered_from_what_is_stored_but_not_stored() {
    let world = world([fresh("s"), fresh("1"), not_modified(), fresh("2")]);
    let stream = || {
        world.clock.block_on(async {
            let mut answer = world.client.get("/a").stream().await.unwrap();
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.unwrap() {
                body.extend_from_slice(&chunk);
            }
            (String::from_utf8(body).unwrap(), answer.cache_status())
        })
    };
    assert_eq!(stream(), ("s".to_owned(), MISS));
    is(&world.get(), 200, "1", MISS);
    assert_eq!(stream(), ("1".to_owned(), HIT));
    world.pass(60);
    assert_eq!(stream(), ("1".to_owned(), REVALIDATED));
    world.pass(60);
    assert_eq!(stream(), ("2".to_owned(), MISS));
    assert_eq!(world.sent(), 4);
}

#[test]
fn it_stays_within_its_bytes() {
    let large: Arc<str> = "x".repeat(10_000).into();
    let script = (0..40).map({
        let large = Arc::clone(&large);
        move |_| answer_with(200, &[("cache-control", "max-age=60")], large.to_string())
    });
    let settings = CacheSettings::memory(50_000).max_entry_bytes(20_000);
    let world = world_with(script, |b| b.cache(settings));
    for n in 0..20 {
        world.call(world.client.get(format!("/{n}"))).unwrap();
        let state = world.client.state().cache.unwrap();
        assert!(state.bytes <= 50_000 && state.entries <= 4);
    }
    assert_eq!(world.client.state().cache.unwrap().evicted, 16);
    assert_eq!(
        world.call(world.client.get("/19")).unwrap().cache_status(),
        HIT
    );
    assert_eq!(
        world.call(world.client.get("/0")).unwrap().cache_status(),
        MISS
    );
    // By default no answer takes more than an eighth.
    let small = CacheSettings::memory(50_000);
    let world = world_with(
        [answer_with(
            200,
            &[("cache-control", "max-age=60")],
            large.to_string(),
        )],
        |b| b.cache(small),
    );
    world.get();
    assert_eq!(world.client.state().cache.unwrap().entries, 0);
}

#[test]
fn a_cache_without_room_is_refused() {
    let error = Client::builder("https://api.example")
        .cache(CacheSettings::memory(0))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().contains("`cache`"), "{error}");
}

#[test]
fn it_can_be_emptied() {
    let world = world([fresh("1"), fresh("2")]);
    world.get();
    world.client.clear_cache();
    assert_eq!(world.client.state().cache.unwrap().entries, 0);
    is(&world.get(), 200, "2", MISS);
}

#[test]
fn what_hooks_choose_by_is_not_kept() {
    let vary = || {
        answer_with(
            200,
            &[("cache-control", "max-age=60"), ("vary", "x-shape")],
            "1",
        )
    };
    let hooked = |name: &'static str, script: [Step; 2]| {
        world_with(script, |builder| {
            builder.before_attempt(move |attempt| {
                attempt
                    .headers
                    .insert(name, http::HeaderValue::from_static("v"));
                Ok(())
            })
        })
    };
    for (name, script, kept) in [
        ("x-shape", [vary(), vary()], false),
        ("x-tenant", [fresh("1"), fresh("1")], false),
        ("x-trace", [fresh("1"), fresh("1")], true),
    ] {
        let world = hooked(name, script);
        world.get();
        let again = world.get().cache_status();
        assert_eq!(again, if kept { HIT } else { MISS }, "{name}");
    }
}

#[test]
fn a_guess_is_made_only_where_it_is_allowed() {
    let old = || {
        answer_with(
            200,
            &[
                ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
                ("last-modified", "Wed, 31 Dec 2025 00:00:00 GMT"),
            ],
            "1",
        )
    };
    let world = world([old(), answer_with(304, &[], "")]);
    world.get();
    is(&world.get(), 200, "1", REVALIDATED);
    let guessing = CacheSettings::default().heuristic_freshness(Duration::from_secs(3600));
    let world = world_with([old(), answer_with(304, &[], "")], |b| b.cache(guessing));
    world.get();
    world.pass(3599);
    is(&world.get(), 200, "1", HIT);
    world.pass(1);
    is(&world.get(), 200, "1", REVALIDATED);
}
