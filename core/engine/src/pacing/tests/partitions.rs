//! Which calls a quota holds back, and which it lets go: partitions, units, and how far a refusal reaches.

use http::Method;

use super::*;
use crate::limits::Unit;

/// What one answer says: headers by name.
type Said<'a> = [(&'static str, &'a str)];

fn to(path: &str) -> Ticket {
    Ticket::to(Route::new(&Method::GET, path))
}

impl World {
    fn go_to(&mut self, path: &str, now: u64) -> Ticket {
        let mut ticket = to(path);
        assert_eq!(
            self.poll(&mut ticket, now),
            Admission::Go,
            "{path} at {now} ms"
        );
        ticket
    }

    fn wait_for(&mut self, path: &str, now: u64) -> (Ticket, Instant, WaitReason) {
        let mut ticket = to(path);
        match self.poll(&mut ticket, now) {
            Admission::Wait { until, reason } => (ticket, until, reason),
            other => panic!("{other:?} for {path} at {now} ms"),
        }
    }

    /// A call to `path` that is let go at `now` and answered 10 ms later.
    fn call(&mut self, path: &str, now: u64, status: u16, said: &Said<'_>) {
        let mut ticket = self.go_to(path, now);
        self.answer(&mut ticket, now + 10, status, said);
    }
}

fn github<'a>(resource: &'a str, left: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("x-ratelimit-limit", "60"),
        ("x-ratelimit-remaining", left),
        ("x-ratelimit-reset", "3600"),
        ("x-ratelimit-resource", resource),
    ]
}

/// A world that has heard of two resources, one of which has nothing left for an hour.
fn hot_and_cold() -> World {
    let mut world = World::new();
    world.call("/repos/a/b", 0, 200, &github("core", "50"));
    world.call("/search/code", 20, 200, &github("search", "0"));
    world
}

#[test]
fn a_hot_resource_holds_up_nobody_else() {
    let mut world = hot_and_cold();
    let (_, until, reason) = world.wait_for("/search/code", 40);
    assert!(until > at(3_000_000), "{until:?}");
    assert_eq!(reason, quota("x-ratelimit"));
    for n in 0..40 {
        world.call("/repos/a/b", 50 + 20 * n, 200, &github("core", "50"));
    }
    // Those that came first wait in a line of their own, and are first there.
    let state = world.pacer.state(at(900));
    assert_eq!(state.queued, 1);
    let keys: Vec<_> = state
        .gates
        .iter()
        .map(|gate| gate.partition_key.as_deref().unwrap())
        .collect();
    assert_eq!(keys, [&b"core"[..], b"search"]);
}

#[test]
fn identifiers_are_no_partitions_unless_they_are() {
    let mut world = hot_and_cold();
    // Another search is the same endpoint; another family is not known, and one call finds out.
    world.wait_for("/search/code", 40);
    let mut first = world.go_to("/gists/17", 41);
    let (mut second, until, reason) = world.wait_for("/gists/17", 42);
    assert_eq!((until, reason), (at(41 + 150), WaitReason::Scout));
    world.answer(&mut first, 60, 200, &github("core", "49"));
    assert_eq!(world.poll(&mut second, 61), Admission::Go);
    // By now the family is known.
    world.go_to("/gists/18", 62);
}

#[test]
fn each_path_counts_by_itself_where_the_server_says_so() {
    let mut world = World::new();
    let said = |key: &str, left: u64| {
        (
            format!("\"p\";r={left};t=60;pk=\"{key}\""),
            "\"p\";q=5;w=60".to_owned(),
        )
    };
    let call = |world: &mut World, path: &str, now: u64, key: &str, left: u64| {
        let (left, policy) = said(key, left);
        let headers = [
            ("ratelimit", left.as_str()),
            ("ratelimit-policy", policy.as_str()),
        ];
        world.call(path, now, 200, &headers);
    };
    call(&mut world, "/rooms/1", 0, "a", 4);
    call(&mut world, "/rooms/2", 20, "b", 4);
    call(&mut world, "/rooms/1", 40, "a", 0);
    call(&mut world, "/rooms/2", 60, "b", 3);
    world.wait_for("/rooms/1", 80);
    call(&mut world, "/rooms/2", 100, "b", 3);
}

#[test]
fn a_quota_that_all_partitions_share_is_shared() {
    let mut world = World::new();
    let said = |key: &str, left: u64, of_all: u64| {
        [
            format!("\"all\";r={of_all};t=60, \"part\";r={left};t=60;pk=\"{key}\""),
            "\"all\";q=100;w=60, \"part\";q=50;w=60".to_owned(),
        ]
    };
    for (path, now, key, of_all) in [("/a", 0, "a", 90), ("/b", 20, "b", 80), ("/a", 40, "a", 0)] {
        let [left, policy] = said(key, 40, of_all);
        let headers = [
            ("ratelimit", left.as_str()),
            ("ratelimit-policy", policy.as_str()),
        ];
        world.call(path, now, 200, &headers);
    }
    assert_eq!(world.wait_for("/b", 60).2, quota("all"));
    assert_eq!(world.wait_for("/a", 61).2, quota("all"));
}

#[test]
fn of_a_shared_quota_what_those_before_need_is_left_to_them() {
    let mut world = World::new();
    let headers = |key: &'static str, of_all: &'static str, part: &'static str| {
        [
            ("ratelimit", of_all.to_owned() + part + key),
            (
                "ratelimit-policy",
                "\"all\";q=100;w=60, \"part\";q=50;w=60".to_owned(),
            ),
        ]
    };
    let call = |world: &mut World, path: &str, now, said: [(&'static str, String); 2]| {
        let said: Vec<(&'static str, &str)> = said.iter().map(|(n, v)| (*n, v.as_str())).collect();
        world.call(path, now, 200, &said);
    };
    call(
        &mut world,
        "/a",
        0,
        headers("\"a\"", "\"all\";r=99;t=60, ", "\"part\";r=40;t=60;pk="),
    );
    call(
        &mut world,
        "/b",
        20,
        headers("\"b\"", "\"all\";r=0;t=60, ", "\"part\";r=40;t=60;pk="),
    );
    let (mut first, ..) = world.wait_for("/a", 40);
    let (mut second, ..) = world.wait_for("/b", 41);
    // After the reset one call goes ahead: the one that came first, though both lines are asked at once.
    let reset = 60_100;
    assert!(matches!(
        world.poll(&mut second, reset),
        Admission::Wait { .. }
    ));
    assert_eq!(world.poll(&mut first, reset), Admission::Go);
}

#[test]
fn a_refusal_pauses_its_partition_and_only_that() {
    let mut world = hot_and_cold();
    let mut ticket = world.go_to("/repos/a/b", 100);
    world.answer(&mut ticket, 110, 429, &github("core", "0"));
    world
        .pacer
        .on_throttled(&mut ticket, at(110), millis(5_000));
    let (_, until, reason) = world.wait_for("/repos/a/b", 120);
    assert!(until >= at(5_110), "{until:?}");
    assert!(matches!(
        reason,
        WaitReason::Paused | WaitReason::Quota { .. }
    ));
    // A call elsewhere goes.
    let mut world = World::new();
    world.call("/repos/a/b", 0, 200, &github("core", "50"));
    world.call("/search/code", 20, 200, &github("search", "9"));
    let mut ticket = world.go_to("/search/code", 40);
    // This time the answer names nothing: the route is known.
    world.answer(&mut ticket, 50, 429, &[]);
    world.pacer.on_throttled(&mut ticket, at(50), millis(5_000));
    assert_eq!(world.wait_for("/search/code", 60).1, at(5_050));
    assert_eq!(world.wait_for("/search/code", 61).2, WaitReason::Paused);
    world.call("/repos/a/b", 62, 200, &github("core", "49"));
    let state = world.pacer.state(at(80));
    assert_eq!(state.paused_for, None, "not everybody");
    let paused: Vec<_> = state
        .gates
        .iter()
        .map(|gate| gate.paused_for.is_some())
        .collect();
    assert_eq!(paused, [false, true]);
}

#[test]
fn endpoints_with_limits_of_different_sizes_count_by_themselves() {
    let said = |limit: &'static str, left: &'static str| {
        [
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", left),
            ("x-ratelimit-reset", "60"),
        ]
    };
    let mut world = World::new();
    world.call("/items", 0, 200, &said("1000", "999"));
    world.call("/login", 20, 200, &said("5", "1"));
    // Nothing is left in a hurry: what is left is spread, for those who call there.
    world.wait_for("/login", 60);
    for n in 0..10 {
        world.call("/items", 70 + 20 * n, 200, &said("1000", "900"));
    }
    // Another limit may be another quota, which was nearer to its end, or the same that has changed: what it was is kept
    // until it is reset, and forgotten when it is not shown again.
    world.call("/items", 300, 200, &said("2000", "1900"));
    assert_eq!(world.pacer.state(at(320)).gates.len(), 3);
    world.call("/items", 100_000, 200, &said("2000", "1900"));
    let limits: Vec<u64> = world
        .pacer
        .state(at(100_020))
        .gates
        .iter()
        .map(|gate| gate.limit)
        .collect();
    assert_eq!(limits, [5, 2000]);
}

#[test]
fn an_endpoint_whose_answers_name_no_quota_takes_from_none() {
    let mut world = World::new();
    world.call("/health", 0, 200, &[]);
    let said = [
        ("ratelimit-policy", "\"p\";q=5;w=60"),
        ("ratelimit", "\"p\";r=0;t=60"),
    ];
    world.call("/items", 20, 200, &said);
    world.wait_for("/items", 40);
    // Nothing is known of it since there are quotas: it waits, unless its answers say that it need not.
    world.wait_for("/health", 41);
    let mut world = World::new();
    world.call(
        "/items",
        0,
        200,
        &[("ratelimit", "\"p\";r=9;t=60"), said[0]],
    );
    world.call("/health", 20, 200, &[]);
    world.call("/items", 40, 200, &said);
    world.wait_for("/items", 60);
    for n in 0..5 {
        world.call("/health", 61 + 20 * n, 200, &[]);
    }
}

#[test]
fn a_refusal_for_one_endpoint_pauses_that_endpoint_only() {
    for (reason, path, other) in [
        ("endpoint-rate", "/v1/charges/ch_1", "/v1/customers"),
        ("resource-specific", "/v1/charges/ch_1", "/v1/charges/ch_2"),
    ] {
        let mut world = World::new();
        world.call(path, 0, 200, &[]);
        let mut ticket = world.go_to(path, 20);
        world.answer(
            &mut ticket,
            30,
            429,
            &[("stripe-rate-limited-reason", reason)],
        );
        world.pacer.on_throttled(&mut ticket, at(30), millis(2_000));
        assert_eq!(world.wait_for(path, 40).1, at(2_030), "{reason}");
        world.call(other, 41, 200, &[]);
        assert_eq!(
            world.pacer.state(at(60)).gates.len(),
            0,
            "a pause is no quota"
        );
    }
    let mut world = World::new();
    world.call("/v1/charges", 0, 200, &[]);
    let mut ticket = world.go_to("/v1/charges", 20);
    world.answer(
        &mut ticket,
        30,
        429,
        &[("stripe-rate-limited-reason", "global-rate")],
    );
    world.pacer.on_throttled(&mut ticket, at(30), millis(2_000));
    world.wait_for("/v1/customers", 40);
}

#[test]
fn a_bucket_of_discord_counts_each_channel_by_itself() {
    let said = |left: &'static str| {
        [
            ("x-ratelimit-limit", "5"),
            ("x-ratelimit-remaining", left),
            ("x-ratelimit-reset-after", "4.2"),
            ("x-ratelimit-bucket", "abcd1234"),
        ]
    };
    let mut world = World::new();
    world.call("/channels/1/messages", 0, 200, &said("0"));
    world.call("/channels/2/messages", 20, 200, &said("4"));
    assert!(world.wait_for("/channels/1/messages", 40).1 > at(4_000));
    world.call("/channels/2/messages", 60, 200, &said("3"));
}

#[test]
fn calls_wait_while_no_token_is_left() {
    let said = |left: &'static str| {
        [
            ("x-ratelimit-limit-tokens", "1000"),
            ("x-ratelimit-remaining-tokens", left),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]
    };
    let mut world = World::heard(&said("1"));
    assert_eq!(
        world.how_many_go(5, 20),
        5,
        "nobody knows what a call takes"
    );
    let mut world = World::heard(&said("0"));
    let (_, until, reason) = world.wait(20);
    assert_eq!((until, reason), (at(360_010), quota("tokens")));
    let state = world.pacer.state(at(20));
    assert_eq!(
        (
            state.gates[0].unit,
            state.gates[0].remaining,
            state.gates[0].model
        ),
        (Unit::Tokens, 0, GateModel::Reported)
    );
}

#[test]
fn a_later_answer_ends_the_wait() {
    let said = |left: &'static str| {
        [
            ("x-ratelimit-limit-tokens", "1000"),
            ("x-ratelimit-remaining-tokens", left),
            ("x-ratelimit-reset-tokens", "60s"),
        ]
    };
    let mut world = World::heard(&said("500"));
    let (mut first, mut second) = (world.go(20), world.go(21));
    world.answer(&mut first, 30, 200, &said("0"));
    let (mut waiting, ..) = world.wait(31);
    world.answer(&mut second, 40, 200, &said("90"));
    assert_eq!(world.poll(&mut waiting, 41), Admission::Go);
}

#[test]
fn releases_after_an_empty_meter_are_spread() {
    let mut world = World::heard(&[
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "2s"),
    ]);
    let mut waiting: Vec<Ticket> = (0..10).map(|_| world.wait(20).0).collect();
    let gone = |world: &mut World, waiting: &mut Vec<Ticket>, now| {
        let before = waiting.len();
        waiting.retain_mut(|ticket| world.poll(ticket, now) != Admission::Go);
        before - waiting.len()
    };
    assert_eq!(gone(&mut world, &mut waiting, 2_009), 0);
    assert_eq!(gone(&mut world, &mut waiting, 2_010), 1, "one goes ahead");
}

#[test]
fn units_that_a_call_may_not_take_from_hold_nobody() {
    for unit in ["content-bytes", "moons"] {
        let policy = format!("\"p\";q=10;w=60;qu=\"{unit}\"");
        let mut world = World::heard(&[
            ("ratelimit-policy", policy.as_str()),
            ("ratelimit", "\"p\";r=0;t=60"),
        ]);
        assert_eq!(world.how_many_go(5, 20), 5, "{unit}");
        assert_eq!(world.pacer.state(at(20)).gates[0].limit, 10);
    }
}

#[test]
fn so_many_are_under_way_and_no_more() {
    let mut world = World::heard(&[(
        "ratelimit-policy",
        "\"concurrency\";q=2;qu=\"concurrent-requests\"",
    )]);
    let (mut first, _second) = (world.go(20), world.go(20));
    let (mut third, _, reason) = world.wait(20);
    assert_eq!(reason, quota("concurrency"));
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&bell));
    let deadline = world
        .pacer
        .poll(&mut third, at(21), at(30_000), Some(&waker));
    assert!(
        matches!(deadline, Admission::Wait { .. }),
        "it may come back at any time"
    );
    world.answer(&mut first, 500, 200, &[]);
    world.pacer.take_wakes().into_iter().for_each(Waker::wake);
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    assert_eq!(world.poll(&mut third, 501), Admission::Go);
}

#[test]
fn however_many_partitions_a_server_names_few_are_kept() {
    let mut world = World::new();
    let mut waiting: Vec<(u64, Ticket)> = (0..400)
        .map(|n| (n, to(&format!("/things/{n}/of/{}", n % 97))))
        .collect();
    let mut now = 0;
    while !waiting.is_empty() {
        now += 50;
        assert!(now < 600_000, "{} still wait", waiting.len());
        waiting.retain_mut(|(n, ticket)| {
            let goes = world.pacer.poll(ticket, at(now), FAR, None) == Admission::Go;
            if goes {
                let left = format!("\"p\";r={};t=2;pk=\"{n}\"", *n % 2);
                let said = [
                    ("ratelimit-policy", "\"p\";q=5;w=2"),
                    ("ratelimit", left.as_str()),
                ];
                world.answer(ticket, now + 1, 200, &said);
            }
            !goes
        });
    }
    let state = world.pacer.state(at(now));
    assert!(state.gates.len() <= 64, "{}", state.gates.len());
    assert!(world.pacer.is_idle());
}

#[test]
fn a_path_that_is_used_up_waits_though_it_was_heard_of_as_an_endpoint() {
    let mut world = World::new();
    let call = |world: &mut World, path: &str, now: u64, left: u64, resets: u64| {
        let left = format!(
            "\"burst\";r=299;t=1;pk=:dA==:, \"per-path\";r={left};t={resets};pk=\"{path}\""
        );
        let headers = [
            ("ratelimit", left.as_str()),
            (
                "ratelimit-policy",
                "\"burst\";q=300;w=3;pk=:dA==:, \"per-path\";q=2;w=60",
            ),
        ];
        let mut ticket = to(path);
        let admission = world
            .pacer
            .poll(&mut ticket, at(now), at(now + 2_000), None);
        if admission == Admission::Go {
            world.answer(&mut ticket, now + 10, 200, &headers);
        }
        admission
    };
    let go = Admission::Go;
    assert_eq!(call(&mut world, "/v1/contacts/1", 0, 1, 30), go);
    assert_eq!(call(&mut world, "/v1/contacts/2", 20, 1, 30), go);
    assert_eq!(call(&mut world, "/v1/contacts/1", 40, 0, 60), go);
    let refused = call(&mut world, "/v1/contacts/1", 60, 0, 60);
    assert!(
        matches!(&refused, Admission::Refuse { reason, .. } if *reason == quota("per-path")),
        "{refused:?}"
    );
    assert_eq!(call(&mut world, "/v1/contacts/2", 80, 0, 60), go);
}
