//! Clients as lists of requests, and what is said of them.

use http::Method;

use super::aspect::Aspect;
use super::grade::{Grade, Mark};
use super::report::Verdict;
use super::request::Request;
use crate::told::Told;

/// A request that begins at so many milliseconds and takes one.
fn request(at_ms: u64, method: Method, target: &str, status: u16) -> Request {
    Request {
        seq: 0,
        at_ms: 1_000_000 + at_ms,
        start_ns: at_ms * 1_000_000,
        took_ns: Some(1_000_000),
        left_ns: None,
        op: "contacts.get",
        method,
        target: target.into(),
        body: 7,
        credential: Some(1),
        key: None,
        call: None,
        has_proof: false,
        conditional: false,
        agent: Some("test/1".into()),
        status: Some(status),
        outcome: Some(status),
        committed: false,
        fault: None,
        connection: 1,
        region: None,
        told: Told::default(),
        quota: None,
    }
}

fn get(at_ms: u64, status: u16) -> Request {
    request(at_ms, Method::GET, "/v1/contacts/1", status)
}

fn post(at_ms: u64, status: u16) -> Request {
    request(at_ms, Method::POST, "/v1/contacts", status)
}

impl Request {
    fn asking(mut self, ms: u64) -> Self {
        self.told.retry_after_ms = Some(ms);
        self
    }

    fn key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    fn lost(mut self, committed: bool) -> Self {
        (self.status, self.committed) = (None, committed);
        self
    }

    fn done(mut self) -> Self {
        self.committed = true;
        self
    }

    fn about(mut self, target: &str) -> Self {
        self.target = target.into();
        self
    }

    fn left(mut self, after_ms: u64) -> Self {
        (self.left_ns, self.took_ns, self.status) = (Some(after_ms * 1_000_000), None, None);
        self
    }

    fn taking(mut self, ms: u64) -> Self {
        self.took_ns = Some(ms * 1_000_000);
        self
    }

    fn over(mut self, connection: u64) -> Self {
        self.connection = connection;
        self
    }
}

fn verdict(requests: Vec<Request>) -> Verdict {
    let requests: Vec<Request> = requests
        .into_iter()
        .zip(1..)
        .map(|(request, seq)| Request { seq, ..request })
        .collect();
    Verdict::of("test", &requests)
}

fn mark(verdict: &Verdict, aspect: Aspect) -> Mark {
    let found = verdict.aspects.iter().find(|known| known.aspect == aspect);
    found.unwrap().mark
}

#[test]
fn nothing_arrived_is_no_grade() {
    let verdict = verdict(Vec::new());
    assert_eq!(verdict.grade, None);
    assert!(verdict.to_text(false).contains("no request arrived"));
}

#[test]
fn a_wait_that_was_asked_for_counts_to_the_millisecond() {
    let kept = verdict(vec![get(0, 503).asking(1_000), get(1_001, 200)]);
    assert_eq!(mark(&kept, Aspect::RetryAfter), Mark::Kept);
    assert_eq!((kept.grade, kept.logical_calls), (Some(Grade::A), 1));
    let early = verdict(vec![get(0, 503).asking(1_000), get(601, 200)]);
    assert_eq!(mark(&early, Aspect::RetryAfter), Mark::Major);
    assert_eq!(early.grade, Some(Grade::C));
    assert_eq!(
        early.calls[0].findings[0].text,
        "came back after 600 ms when 1000 ms were asked for"
    );
}

#[test]
fn a_clock_that_is_moved_is_a_wait_too() {
    let mut later = get(5, 200);
    later.at_ms += 60_000;
    let moved = verdict(vec![get(0, 503).asking(60_000), later]);
    assert_eq!(mark(&moved, Aspect::RetryAfter), Mark::Kept);
}

#[test]
fn a_date_has_a_grain_of_a_second() {
    let mut first = get(0, 503).asking(2_000);
    first.told.by_date = true;
    let kept = verdict(vec![first.clone(), get(1_100, 200)]);
    assert_eq!(mark(&kept, Aspect::RetryAfter), Mark::Kept);
    let early = verdict(vec![first, get(900, 200)]);
    assert_eq!(mark(&early, Aspect::RetryAfter), Mark::Major);
}

#[test]
fn a_new_key_for_each_attempt_is_found_and_so_is_what_it_did_twice() {
    let verdict = verdict(vec![
        post(0, 201).key("a").lost(true),
        post(500, 201).key("b").done(),
    ]);
    assert_eq!(verdict.logical_calls, 1);
    assert_eq!(mark(&verdict, Aspect::IdempotencyKey), Mark::Major);
    assert_eq!(mark(&verdict, Aspect::SideEffects), Mark::Critical);
    assert_eq!(verdict.grade, Some(Grade::F));
}

#[test]
fn a_client_that_keeps_its_keys_makes_two_calls_with_two_keys() {
    let verdict = verdict(vec![
        post(0, 503).key("a"),
        post(500, 201).key("a").done(),
        post(600, 503).key("b"),
        post(1_100, 201).key("b").done(),
    ]);
    assert_eq!((verdict.logical_calls, verdict.grade), (2, Some(Grade::A)));
    assert_eq!(mark(&verdict, Aspect::SideEffects), Mark::Kept);
}

#[test]
fn a_post_without_a_key_is_repeated_only_where_nothing_was_done() {
    let lost = verdict(vec![post(0, 201).lost(true), post(500, 201).done()]);
    assert_eq!(mark(&lost, Aspect::UnsafeRetry), Mark::Major);
    assert_eq!(mark(&lost, Aspect::SideEffects), Mark::Critical);
    let limited = verdict(vec![post(0, 429).asking(100), post(500, 201).done()]);
    assert_eq!(limited.grade, Some(Grade::A));
    let given_up = verdict(vec![post(0, 201).lost(true)]);
    assert_eq!(mark(&given_up, Aspect::UnsafeRetry), Mark::Kept);
    assert_eq!(given_up.grade, Some(Grade::A));
}

#[test]
fn what_cannot_succeed_is_not_repeated() {
    let mut again = vec![get(0, 404), get(300, 404)];
    assert_eq!(
        mark(&verdict(again.clone()), Aspect::FinalErrors),
        Mark::Minor
    );
    for request in &mut again {
        request.call = Some("c".into());
    }
    assert_eq!(mark(&verdict(again), Aspect::FinalErrors), Mark::Major);
    let mut refreshed = vec![get(0, 401), get(10, 200)];
    refreshed[1].credential = Some(2);
    let refreshed = verdict(refreshed);
    assert_eq!(
        (refreshed.logical_calls, refreshed.grade),
        (1, Some(Grade::A))
    );
    let much_later = verdict(vec![get(0, 404), get(20_000, 404)]);
    assert_eq!(much_later.logical_calls, 2);
}

#[test]
fn attempts_without_a_wait_are_hammering() {
    let hammering = verdict(vec![get(0, 503), get(2, 503), get(4, 503), get(6, 200)]);
    assert_eq!(mark(&hammering, Aspect::Backoff), Mark::Major);
    let patient = verdict(vec![get(0, 503), get(300, 503), get(1_000, 200)]);
    assert_eq!(mark(&patient, Aspect::Backoff), Mark::Kept);
}

#[test]
fn short_waits_by_chance_are_no_hammering() {
    // Full jitter begins at nothing: one call of ten came back twice within a moment.
    let calls = |hurried: u64| {
        let requests = (0..10).flat_map(move |n| {
            let (at, wait) = (n * 10_000, if n < hurried { 5 } else { 300 });
            let target = format!("/v1/contacts/{n}");
            [get(at, 500), get(at + wait, 500), get(at + 3 * wait, 200)]
                .map(|one| one.about(&target))
        });
        verdict(requests.collect())
    };
    assert_eq!(mark(&calls(1), Aspect::Backoff), Mark::Kept);
    assert_eq!(mark(&calls(4), Aspect::Backoff), Mark::Major);
    // A single retry without a wait says nothing.
    let once = verdict(vec![get(0, 500), get(5, 200)]);
    assert_eq!(mark(&once, Aspect::Backoff), Mark::Unseen);
}

#[test]
fn a_little_jitter_is_jitter() {
    // A tenth of a second on top of one: of six such waits four happen to lie close together.
    let spread = [1_001, 1_047, 1_050, 1_052, 1_055, 1_093];
    let waits = |all: &[u64]| {
        let requests = all.iter().enumerate().flat_map(|(n, wait)| {
            let (at, target) = (n as u64 * 10_000, format!("/v1/contacts/{n}"));
            [get(at, 500), get(at + 1 + wait, 200)].map(|one| one.about(&target))
        });
        verdict(requests.collect())
    };
    assert_eq!(mark(&waits(&spread), Aspect::Jitter), Mark::Kept);
    assert_eq!(mark(&waits(&[500; 6]), Aspect::Jitter), Mark::Minor);
    // Of many the machine may have made some longer.
    let mut many = [500; 24];
    many[3] = 620;
    assert_eq!(mark(&waits(&many), Aspect::Jitter), Mark::Minor);
}

#[test]
fn what_the_server_asks_for_again_may_be_sent_again() {
    let mut first = post(0, 503);
    first.told.should_retry = Some(true);
    let asked = verdict(vec![first, post(500, 201).done()]);
    assert_eq!(mark(&asked, Aspect::UnsafeRetry), Mark::Unseen);
    let unasked = verdict(vec![post(0, 503), post(500, 201).done()]);
    assert_eq!(mark(&unasked, Aspect::UnsafeRetry), Mark::Major);
}

#[test]
fn two_copies_of_a_request_are_one_call() {
    let copy = |at_ms: u64| get(at_ms, 200).over(at_ms);
    // The second copy is answered, and the first one left; or the other way round.
    for (first, second) in [
        (copy(0).left(152), copy(150)),
        (copy(0).taking(160), copy(150).left(12)),
    ] {
        let hedged = verdict(vec![first, second]);
        assert_eq!((hedged.logical_calls, hedged.grade), (1, Some(Grade::A)));
        assert_eq!(hedged.calls[0].outcome, "200");
        assert_eq!(mark(&hedged, Aspect::Timeout), Mark::Unseen);
    }
    // Who leaves long after it has nothing to do with it.
    let alone = verdict(vec![copy(0).left(5_000), copy(150)]);
    assert_eq!(alone.logical_calls, 2);
    assert_eq!(mark(&alone, Aspect::Recovery), Mark::Minor);
}

#[test]
fn who_has_a_copy_under_way_has_not_given_up() {
    let hedged = verdict(vec![get(0, 200).taking(600), get(150, 500).over(2)]);
    assert_eq!(mark(&hedged, Aspect::Recovery), Mark::Unseen);
    let other = get(150, 500).over(2).about("/v1/contacts/2");
    let apart = verdict(vec![get(0, 200).taking(600), other]);
    assert_eq!(mark(&apart, Aspect::Recovery), Mark::Minor);
}

#[test]
fn a_token_more_is_no_damage() {
    let token = |at_ms: u64| {
        let mut one = request(at_ms, Method::POST, "/oauth/generic/token", 200);
        one.op = "oauth.token";
        one
    };
    let again = verdict(vec![token(0).lost(true), token(500).done()]);
    assert_eq!((again.logical_calls, again.grade), (1, Some(Grade::A)));
    // A proof without the server's nonce is made anew with it.
    let mut asked = [token(0), token(10)];
    (asked[0].status, asked[1].has_proof) = (Some(400), true);
    assert_eq!(
        mark(&verdict(asked.to_vec()), Aspect::FinalErrors),
        Mark::Unseen
    );
    asked[1].has_proof = false;
    assert_eq!(
        mark(&verdict(asked.to_vec()), Aspect::FinalErrors),
        Mark::Minor
    );
}

#[test]
fn what_names_the_state_it_is_for_may_be_repeated() {
    let append = |at_ms: u64, conditional: bool| {
        let mut one = request(at_ms, Method::PATCH, "/v1/uploads/1", 204);
        one.conditional = conditional;
        one
    };
    let again = |conditional| {
        let requests = vec![append(0, conditional).lost(false), append(500, conditional)];
        mark(&verdict(requests), Aspect::UnsafeRetry)
    };
    assert_eq!((again(true), again(false)), (Mark::Unseen, Mark::Major));
}

#[test]
fn two_credentials_are_two_clients() {
    let mut other = get(10, 200);
    other.credential = Some(2);
    let apart = verdict(vec![get(0, 429).asking(5_000), other, get(5_100, 200)]);
    assert_eq!(apart.logical_calls, 2);
    assert_eq!(mark(&apart, Aspect::RetryAfter), Mark::Kept);
}

#[test]
fn who_leaves_and_comes_back_at_once_is_one_call() {
    // That the connection was closed is seen a moment after the new one was opened.
    let back = verdict(vec![get(0, 200).left(1_002), get(1_000, 200).taking(5)]);
    assert_eq!(back.logical_calls, 1);
    assert_eq!(mark(&back, Aspect::Recovery), Mark::Kept);
}

/// Calls with two waits each, as a function of the call's number.
fn calls(first: impl Fn(u64) -> u64, second: impl Fn(u64) -> u64) -> Vec<Request> {
    (0..8)
        .flat_map(|n| {
            let (begin, target) = (n * 10_000, format!("/v1/contacts/{n}"));
            let again = begin + 1 + first(n);
            let last = again + 1 + second(n);
            [get(begin, 500), get(again, 500), get(last, 200)].map(|one| one.about(&target))
        })
        .collect()
}

#[test]
fn waits_are_spread_and_grow() {
    let good = verdict(calls(|n| 50 + n * 60, |n| 100 + n * 110));
    assert_eq!(mark(&good, Aspect::Jitter), Mark::Kept);
    assert_eq!(mark(&good, Aspect::Backoff), Mark::Kept);
    let same = verdict(calls(|_| 500, |_| 1_000));
    assert_eq!(mark(&same, Aspect::Jitter), Mark::Minor);
    assert_eq!(mark(&same, Aspect::Backoff), Mark::Kept);
    let flat = verdict(calls(|n| 300 + n * 20, |n| 300 + n * 20));
    assert_eq!(mark(&flat, Aspect::Backoff), Mark::Minor);
    // A busy machine made one of the first waits very long.
    let late = verdict(calls(
        |n| if n == 3 { 1_600 } else { 400 + n * 10 },
        |n| 800 + n * 20,
    ));
    assert_eq!(mark(&late, Aspect::Backoff), Mark::Kept);
}

#[test]
fn a_server_that_is_down_is_left_alone() {
    let outage = |n: u64, every_ms: u64| {
        (0..n).map(move |n| get(n * every_ms, 503).about(&format!("/v1/contacts/{n}")))
    };
    let on = verdict(outage(60, 20).collect());
    assert_eq!(mark(&on, Aspect::Outage), Mark::Minor);
    let probes = (0..3).map(|n| get(10_000 + n * 10_000, 503).about(&format!("/v1/users/{n}")));
    let broken = verdict(outage(21, 20).chain(probes).collect());
    assert_eq!(mark(&broken, Aspect::Outage), Mark::Kept);
    // Whoever gives up then spares the server.
    assert_eq!(mark(&broken, Aspect::Recovery), Mark::Unseen);
    let few = verdict(outage(10, 20).collect());
    assert_eq!(mark(&few, Aspect::Outage), Mark::Unseen);
}

#[test]
fn other_calls_wait_while_a_pause_runs() {
    let paused = |at_ms| {
        verdict(vec![
            get(0, 429).asking(1_000),
            get(at_ms, 200).about("/v1/contacts/2"),
            get(1_200, 200),
        ])
    };
    assert_eq!(mark(&paused(300), Aspect::Pause), Mark::Minor);
    assert_eq!(mark(&paused(1_100), Aspect::Pause), Mark::Kept);
    // Over the connection that said so it is known at once, over another it takes a moment.
    assert_eq!(mark(&paused(10), Aspect::Pause), Mark::Minor);
    let other = get(10, 200).about("/v1/contacts/2").over(2);
    let in_flight = verdict(vec![get(0, 429).asking(1_000), other, get(1_200, 200)]);
    assert_eq!(mark(&in_flight, Aspect::Pause), Mark::Unseen);
}

#[test]
fn a_client_that_was_told_that_nothing_is_left_does_not_send() {
    let left = |at_ms: u64, status: u16, remaining: u64| {
        let mut one = get(at_ms, status).about(&format!("/v1/contacts/{at_ms}"));
        one.told.remaining = Some(remaining);
        one
    };
    let blind = verdict(vec![left(0, 200, 0), left(100, 429, 0).asking(1)]);
    assert_eq!(mark(&blind, Aspect::RateLimit), Mark::Minor);
    let paced = verdict(vec![left(0, 200, 0), left(1_000, 200, 0)]);
    assert_eq!(mark(&paced, Aspect::RateLimit), Mark::Kept);
}

#[test]
fn connections_are_used_again() {
    let each_its_own = (0..6).map(|n| get(n * 10, 200).about("/v1/x").over(n));
    assert_eq!(
        mark(&verdict(each_its_own.collect()), Aspect::Connections),
        Mark::Minor
    );
    let shared = (0..6).map(|n| get(n * 10, 200).about("/v1/x"));
    let shared = verdict(shared.collect());
    assert_eq!(mark(&shared, Aspect::Connections), Mark::Kept);
    assert_eq!(shared.connections, 1);
}

#[test]
fn a_client_that_leaves_has_a_timeout() {
    let left = verdict(vec![get(0, 200).left(1_000), get(1_500, 200)]);
    assert_eq!(mark(&left, Aspect::Timeout), Mark::Kept);
    let mut patient = get(0, 200);
    (patient.took_ns, patient.status) = (Some(60_000_000_000), None);
    assert_eq!(mark(&verdict(vec![patient]), Aspect::Timeout), Mark::Major);
}

#[test]
fn one_that_gives_up_at_once_is_told_so() {
    assert_eq!(
        mark(&verdict(vec![get(0, 503)]), Aspect::Recovery),
        Mark::Minor
    );
    let kept_away = verdict(vec![get(0, 503).asking(120_000)]);
    assert_eq!(kept_away.grade, Some(Grade::A));
}

#[test]
fn many_attempts_are_too_many() {
    let attempts = |n: u64| (0..n).map(|n| get(n * n * 300, 503)).collect::<Vec<_>>();
    assert_eq!(mark(&verdict(attempts(5)), Aspect::Attempts), Mark::Kept);
    assert_eq!(mark(&verdict(attempts(6)), Aspect::Attempts), Mark::Minor);
    let mut named = attempts(11);
    for request in &mut named {
        request.call = Some("c".into());
    }
    assert_eq!(mark(&verdict(named), Aspect::Attempts), Mark::Major);
    assert_eq!(mark(&verdict(attempts(11)), Aspect::Attempts), Mark::Minor);
}

#[test]
fn what_arrived_cannot_break_the_page() {
    let mut evil = get(0, 503);
    evil.target = "/v1/<script>alert('x')</script>".into();
    evil.agent = Some("<b>\"".into());
    let page = verdict(vec![evil]).to_html();
    assert!(
        !page.contains("<script") && !page.contains("<b>\""),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn calls_at_once_keep_their_own_waits() {
    // Two calls of the same kind fail together and come back together: each waited what it was asked to.
    let verdict = verdict(vec![
        get(0, 503).asking(1_000),
        get(0, 503).asking(1_000).over(2),
        get(1_002, 200),
        get(1_002, 200).over(2),
    ]);
    assert_eq!(verdict.logical_calls, 2);
    assert_eq!(mark(&verdict, Aspect::RetryAfter), Mark::Kept);
}

#[test]
fn calls_shown_are_bounded_and_the_worst_stay() {
    let mut requests: Vec<Request> = (0..1_500)
        .map(|n| get(n * 10, 200).about(&format!("/v1/contacts/{n}")))
        .collect();
    requests.push(get(20_000, 503).about("/v1/last"));
    let verdict = verdict(requests);
    assert_eq!((verdict.calls.len(), verdict.calls_left_out), (1_000, 501));
    assert!(verdict.calls.iter().any(|call| call.name == "GET /v1/last"));
}
