//! What callers see of a pacer, one rule at a time, with time advanced by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::limits::read_limits;
use crate::time::Slept;

mod partitions;
mod servers;
mod simulation;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const FAR: Instant = Instant::from_nanos(u64::MAX);

fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A waker that counts.
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A pacer with its callers.
struct World {
    pacer: Pacer,
}

impl World {
    fn new() -> Self {
        Self::with(PacingSettings::default())
    }

    fn with(settings: PacingSettings) -> Self {
        Self {
            pacer: Pacer::new(settings),
        }
    }

    /// One that has heard, from a first call at 0 ms, what `headers` say.
    fn heard(headers: &[(&'static str, &str)]) -> Self {
        let mut world = Self::new();
        let mut first = world.go(0);
        world.answer(&mut first, 10, 200, headers);
        world
    }

    fn poll(&mut self, ticket: &mut Ticket, now: u64) -> Admission {
        self.pacer.poll(ticket, at(now), FAR, None)
    }

    /// A new call that must be let go at once.
    fn go(&mut self, now: u64) -> Ticket {
        let mut ticket = Ticket::default();
        assert_eq!(self.poll(&mut ticket, now), Admission::Go, "at {now} ms");
        ticket
    }

    /// A new call that must wait; what for, and until when.
    fn wait(&mut self, now: u64) -> (Ticket, Instant, WaitReason) {
        let mut ticket = Ticket::default();
        match self.poll(&mut ticket, now) {
            Admission::Wait { until, reason } => (ticket, until, reason),
            other => panic!("{other:?} at {now} ms"),
        }
    }

    fn answer(
        &mut self,
        ticket: &mut Ticket,
        now: u64,
        status: u16,
        headers: &[(&'static str, &str)],
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let now = Now {
            instant: at(now),
            ..Now::default()
        };
        let readings = read_limits(&map, now);
        self.pacer.on_response(
            ticket,
            now,
            StatusCode::from_u16(status).unwrap(),
            &readings,
        );
    }

    /// How many of `count` new calls go at `now`.
    fn how_many_go(&mut self, count: usize, now: u64) -> usize {
        (0..count)
            .filter(|_| self.poll(&mut Ticket::default(), now) == Admission::Go)
            .count()
    }
}

fn quota(policy: &str) -> WaitReason {
    WaitReason::Quota {
        policy: policy.into(),
    }
}

#[test]
fn a_burst_at_the_start_waits_for_the_first_answer() {
    let mut world = World::new();
    let mut first = world.go(0);
    let (mut second, until, reason) = world.wait(1);
    assert_eq!((until, reason), (at(150), WaitReason::Scout));
    world.wait(2);
    world.answer(
        &mut first,
        20,
        200,
        &[
            ("ratelimit", "\"p\";r=1;t=30"),
            ("ratelimit-policy", "\"p\";q=2;w=60"),
        ],
    );
    assert!(
        matches!(world.poll(&mut second, 21), Admission::Wait { reason, .. } if reason == quota("p"))
    );
}

#[test]
fn without_limit_headers_everybody_goes() {
    let mut world = World::heard(&[]);
    assert_eq!(world.how_many_go(1000, 11), 1000);
    assert!(world.pacer.state(at(11)).gates.is_empty());
}

#[test]
fn a_failed_scout_hands_its_role_on() {
    for cancelled in [false, true] {
        let mut world = World::new();
        let mut first = world.go(0);
        let (mut second, ..) = world.wait(1);
        let (mut third, ..) = world.wait(2);
        if cancelled {
            world.pacer.on_cancelled(&mut first, at(30), false);
        } else {
            world.pacer.on_failed(&mut first, at(30));
        }
        assert_eq!(world.poll(&mut second, 31), Admission::Go);
        let wait = world.poll(&mut third, 32);
        assert_eq!(
            wait,
            Admission::Wait {
                until: at(181),
                reason: WaitReason::Scout
            }
        );
    }
}

#[test]
fn a_slow_scout_does_not_hold_up_the_others_for_long() {
    let mut world = World::new();
    world.go(0);
    let mut waiting: Vec<Ticket> = (0..20).map(|_| world.wait(1).0).collect();
    let mut gone_at = Vec::new();
    for now in (1..2_000).step_by(10) {
        waiting.retain_mut(|ticket| {
            let go = world.poll(ticket, now) == Admission::Go;
            gone_at.extend(go.then_some(now));
            !go
        });
    }
    // Two are under way after 150 ms, four after 300, and so on.
    assert_eq!(gone_at.iter().filter(|&&now| now < 300).count(), 1);
    assert_eq!(gone_at.iter().filter(|&&now| now < 450).count(), 3);
    assert_eq!(gone_at.iter().filter(|&&now| now < 900).count(), 20);
}

#[test]
fn who_is_in_a_hurry_waits_for_the_first_answer_with_half_of_its_time() {
    let mut world = World::new();
    let mut first = world.go(0);
    let mut patient: Vec<Ticket> = (0..8).map(|_| world.wait(1).0).collect();
    let (mut hurried, deadline) = (Ticket::default(), at(101));
    let mut ask = |world: &mut World, now| world.pacer.poll(&mut hurried, at(now), deadline, None);
    let waits = |answer: &Admission| {
        matches!(
            answer,
            Admission::Wait {
                reason: WaitReason::Scout,
                ..
            }
        )
    };
    assert!(waits(&ask(&mut world, 1)));
    // Half of its time is over at 51 ms.
    for now in [20, 50] {
        assert!(waits(&ask(&mut world, now)), "at {now} ms");
        assert!(
            patient
                .iter_mut()
                .all(|ticket| waits(&world.poll(ticket, now)))
        );
    }
    let headers = [
        ("ratelimit-policy", "\"p\";q=5;w=1"),
        ("ratelimit", "\"p\";r=4;t=1"),
    ];
    world.answer(&mut first, 50, 200, &headers);
    let went = patient
        .iter_mut()
        .map(|ticket| world.poll(ticket, 50))
        .filter(|admission| *admission == Admission::Go)
        .count();
    assert!(went <= 4, "{went} of a quota of 5, after the first");
}

#[test]
fn who_has_waited_half_of_its_time_goes_with_all_before_it() {
    let mut world = World::new();
    world.go(0);
    let (mut before, ..) = world.wait(1);
    let (mut hurried, deadline) = (Ticket::default(), at(101));
    let asked = world.pacer.poll(&mut hurried, at(1), deadline, None);
    assert!(matches!(asked, Admission::Wait { .. }));
    assert!(matches!(
        world.pacer.poll(&mut hurried, at(51), deadline, None),
        Admission::Wait { .. }
    ));
    assert_eq!(world.poll(&mut before, 51), Admission::Go);
    assert_eq!(
        world.pacer.poll(&mut hurried, at(51), deadline, None),
        Admission::Go
    );
    // A head that waits alone asks again when half of its time is over.
    let mut world = World::new();
    world.go(0);
    let asked = world
        .pacer
        .poll(&mut Ticket::default(), at(1), deadline, None);
    assert_eq!(
        asked,
        Admission::Wait {
            until: at(51),
            reason: WaitReason::Scout
        }
    );
}

#[test]
fn a_scout_that_had_to_fetch_a_token_first_is_waited_for_from_when_it_is_sent() {
    let mut world = World::new();
    let mut first = world.go(0);
    world.pacer.on_sent(&mut first, at(140));
    assert_eq!(world.wait(141).1, at(290));
}

const FIVE_A_SECOND: [(&str, &str); 2] = [
    ("ratelimit-policy", "\"p\";q=5;w=1"),
    ("ratelimit", "\"p\";r=4;t=1"),
];

#[test]
fn a_redirect_says_nothing_of_a_quota() {
    let mut world = World::heard(&FIVE_A_SECOND);
    // Sent after the reset, and answered by something that names no quota.
    let mut redirected = world.go(1_500);
    world.answer(&mut redirected, 1_510, 307, &[]);
    assert!(world.how_many_go(100, 1_511) <= 5);
}

#[test]
fn a_pause_outlives_what_an_answer_does_not_name() {
    let mut world = World::heard(&FIVE_A_SECOND);
    // After the reset one goes ahead, and whoever cannot wait.
    let (mut first, mut second) = (world.go(1_500), Ticket::default());
    assert_eq!(
        world.pacer.poll(&mut second, at(1_500), at(1_501), None),
        Admission::Go
    );
    let used_up = [FIVE_A_SECOND[0], ("ratelimit", "\"p\";r=0;t=0")];
    world.answer(&mut first, 1_510, 429, &used_up);
    world
        .pacer
        .on_throttled(&mut first, at(1_510), millis(3_000));
    // It had to fetch a token first, so that it is sent after the reset that was told.
    world.pacer.on_sent(&mut second, at(1_520));
    world.answer(&mut second, 1_530, 200, &[]);
    assert_eq!(world.how_many_go(10, 2_600), 0);
}

#[test]
fn waiting_calls_go_in_the_order_they_came() {
    let headers = [
        ("ratelimit-policy", "\"p\";q=4;w=2"),
        ("ratelimit", "\"p\";r=0;t=2"),
    ];
    let mut world = World::heard(&headers);
    let mut waiting: Vec<(usize, Ticket)> =
        (0..10).map(|n| (n, world.wait(20 + n as u64).0)).collect();
    waiting.reverse();
    let mut order = Vec::new();
    for now in (30..20_000).step_by(7) {
        waiting.retain_mut(|(n, ticket)| {
            let go = world.poll(ticket, now) == Admission::Go;
            order.extend(go.then_some(*n));
            !go
        });
    }
    assert_eq!(order, (0..10).collect::<Vec<_>>());
}

#[test]
fn only_the_head_is_woken_and_only_outside_of_the_lock() {
    let mut world = World::new();
    let mut first = world.go(0);
    let bells: Vec<Arc<Bell>> = (0..3)
        .map(|_| Arc::new(Bell(AtomicUsize::new(0))))
        .collect();
    let rung = || {
        bells
            .iter()
            .map(|bell| bell.0.load(Ordering::Relaxed))
            .collect::<Vec<_>>()
    };
    let mut tickets: Vec<Ticket> = Vec::new();
    for bell in &bells {
        let mut ticket = Ticket::default();
        world
            .pacer
            .poll(&mut ticket, at(1), FAR, Some(&Arc::clone(bell).into()));
        tickets.push(ticket);
    }
    world.answer(&mut first, 20, 200, &[]);
    assert_eq!(rung(), [0, 0, 0], "not before take_wakes");
    world.pacer.take_wakes().into_iter().for_each(Waker::wake);
    assert_eq!(rung(), [1, 0, 0]);
    assert_eq!(world.poll(&mut tickets[0], 21), Admission::Go);
    world.pacer.take_wakes().into_iter().for_each(Waker::wake);
    assert_eq!(rung(), [1, 1, 0], "the next in line");
    world.pacer.on_cancelled(&mut tickets[1], at(22), false);
    world.pacer.take_wakes().into_iter().for_each(Waker::wake);
    assert_eq!(rung(), [1, 1, 1], "who goes away wakes the next");
}

#[test]
fn who_cannot_make_the_deadline_is_refused_at_once() {
    let headers = [
        ("ratelimit-policy", "\"p\";q=4;w=60"),
        ("ratelimit", "\"p\";r=0;t=60"),
    ];
    let mut world = World::heard(&headers);
    let mut ticket = Ticket::default();
    let answer = world.pacer.poll(&mut ticket, at(10), at(30_000), None);
    assert_eq!(
        answer,
        Admission::Refuse {
            retry_after: millis(60_000),
            reason: quota("p")
        }
    );
    assert!(world.pacer.is_idle());
    // The fifth in line has to wait for the window after the next.
    for _ in 0..4 {
        world.wait(10);
    }
    let answer = world
        .pacer
        .poll(&mut Ticket::default(), at(10), at(90_000), None);
    assert_eq!(
        answer,
        Admission::Refuse {
            retry_after: millis(120_000),
            reason: quota("p")
        }
    );
}

#[test]
fn who_waits_is_refused_when_a_pause_makes_it_too_late() {
    let mut world = World::new();
    let mut first = world.go(0);
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    world.wait(1);
    let mut second = Ticket::default();
    world.pacer.poll(
        &mut second,
        at(1),
        at(5_000),
        Some(&Arc::clone(&bell).into()),
    );
    world.answer(&mut first, 20, 429, &[]);
    world.pacer.on_throttled(&mut first, at(20), millis(10_000));
    world.pacer.take_wakes().into_iter().for_each(Waker::wake);
    assert_eq!(
        bell.0.load(Ordering::Relaxed),
        1,
        "though it is not the head"
    );
    let answer = world.pacer.poll(&mut second, at(21), at(5_000), None);
    assert_eq!(
        answer,
        Admission::Refuse {
            retry_after: millis(9_999),
            reason: WaitReason::Paused
        }
    );
}

#[test]
fn an_even_spread_never_costs_a_deadline() {
    // Four of ten are left for 40 s: one each 9.4 s, if nobody is in a hurry.
    let headers = [
        ("ratelimit-policy", "\"p\";q=10;w=60"),
        ("ratelimit", "\"p\";r=4;t=40"),
    ];
    let mut world = World::heard(&headers);
    assert!(world.wait(20).1 > at(9_000));
    let mut hurried = Ticket::default();
    let in_line = world.pacer.poll(&mut hurried, at(21), at(2_000), None);
    assert!(
        matches!(in_line, Admission::Wait { .. }),
        "there is one before it"
    );
    let mut world = World::heard(&headers);
    assert_eq!(
        world.pacer.poll(&mut hurried, at(21), at(2_000), None),
        Admission::Go
    );
}

#[test]
fn a_full_queue_refuses() {
    let mut world = World::with(PacingSettings {
        max_queue: 2,
        ..PacingSettings::default()
    });
    let mut first = world.go(0);
    world.wait(1);
    let (mut second, ..) = world.wait(1);
    let mut third = Ticket::default();
    assert!(matches!(
        world.poll(&mut third, 1),
        Admission::Refuse {
            reason: WaitReason::Queue,
            ..
        }
    ));
    assert_eq!(world.pacer.state(at(1)).queued, 2);
    world.pacer.on_cancelled(&mut second, at(2), false);
    assert!(matches!(world.poll(&mut third, 2), Admission::Wait { .. }));
    world.answer(&mut first, 3, 200, &[]);
}

#[test]
fn a_cancelled_call_gives_its_place_to_the_next() {
    let mut world = World::with(PacingSettings {
        local: vec!["1/min".parse().unwrap()],
        ..PacingSettings::default()
    });
    let mut first = world.go(0);
    world.answer(&mut first, 5, 200, &[]);
    let (mut second, until, reason) = world.wait(10);
    assert_eq!((until, reason), (at(60_000), WaitReason::LocalQuota));
    let (mut third, ..) = world.wait(11);
    // One that waits has no place yet: the next takes over where it stands.
    world.pacer.on_cancelled(&mut second, at(12), false);
    let wait = world.poll(&mut third, 12);
    assert_eq!(
        wait,
        Admission::Wait {
            until: at(60_000),
            reason: WaitReason::LocalQuota
        }
    );
    assert_eq!(world.poll(&mut third, 60_000), Admission::Go);
    // One that was let go and never sent hands its place on.
    let (mut fourth, ..) = world.wait(60_001);
    world.pacer.on_cancelled(&mut third, at(60_002), false);
    assert_eq!(world.poll(&mut fourth, 60_002), Admission::Go);
    // One that was sent does not.
    let (mut fifth, ..) = world.wait(60_003);
    world.pacer.on_cancelled(&mut fourth, at(60_004), true);
    assert!(matches!(
        world.poll(&mut fifth, 60_004),
        Admission::Wait { .. }
    ));
}

#[test]
fn a_place_given_back_counts_for_the_servers_quota_too() {
    for headers in [
        [
            ("ratelimit-policy", "\"p\";q=10;w=60"),
            ("ratelimit", "\"p\";r=1;t=60"),
        ],
        [
            ("ratelimit-policy", "\"p\";q=2;w=2"),
            ("ratelimit", "\"p\";r=1;t=1"),
        ],
    ] {
        let mut world = World::heard(&headers);
        let mut second = Ticket::default();
        world.pacer.poll(&mut second, at(20), at(100), None);
        world.pacer.on_cancelled(&mut second, at(25), false);
        assert_eq!(world.pacer.state(at(25)).gates[0].remaining, 1);
        assert_eq!(
            world.pacer.poll(&mut second, at(26), at(100), None),
            Admission::Go
        );
    }
}

#[test]
fn a_place_given_back_is_free_at_once_even_where_calls_are_spread() {
    // Four of ten are left for 40 s.
    let headers = [
        ("ratelimit-policy", "\"p\";q=10;w=60"),
        ("ratelimit", "\"p\";r=4;t=40"),
    ];
    let mut world = World::heard(&headers);
    let (mut second, until, _) = world.wait(20);
    let then = until.as_nanos() / MS + 1;
    assert_eq!(world.poll(&mut second, then), Admission::Go);
    let (mut third, until, _) = world.wait(then);
    assert!(until > at(then + 9_000));
    world.pacer.on_cancelled(&mut second, at(then + 1), false);
    assert_eq!(world.poll(&mut third, then + 2), Admission::Go);
}

#[test]
fn a_pause_holds_everybody_and_is_never_shortened() {
    let mut world = World::heard(&[]);
    let mut first = world.go(20);
    let mut second = world.go(20);
    world.answer(&mut first, 30, 429, &[]);
    world.pacer.on_throttled(&mut first, at(30), millis(2_000));
    world.answer(&mut second, 40, 503, &[]);
    world.pacer.on_throttled(&mut second, at(40), millis(500));
    let (mut third, until, reason) = world.wait(50);
    assert_eq!((until, reason), (at(2_030), WaitReason::Paused));
    assert_eq!(world.pacer.state(at(50)).paused_for, Some(millis(1_980)));
    assert!(matches!(
        world.poll(&mut third, 2_029),
        Admission::Wait { .. }
    ));
    assert_eq!(world.poll(&mut third, 2_030), Admission::Go);
}

#[test]
fn releases_after_a_pause_are_spread() {
    let mut world = World::heard(&[]);
    let mut first = world.go(20);
    world.answer(&mut first, 30, 429, &[]);
    world.pacer.on_throttled(&mut first, at(30), millis(1_000));
    let mut waiting: Vec<Ticket> = (0..200).map(|_| world.wait(31).0).collect();
    // Answers take 20 ms: one call goes, then two, four, eight, ...
    let mut flying: Vec<(u64, Ticket)> = Vec::new();
    let mut rounds = Vec::new();
    for now in (1_030..1_200).step_by(20) {
        for (_, ticket) in &mut flying {
            world.answer(ticket, now, 200, &[]);
        }
        flying.clear();
        while let Some(ticket) = waiting.first_mut() {
            if world.poll(ticket, now) != Admission::Go {
                break;
            }
            flying.push((now, waiting.remove(0)));
        }
        rounds.push(flying.len());
    }
    assert_eq!(
        rounds[..6],
        [1, 2, 4, 8, 16, 169],
        "all that are left, once 32 may be under way"
    );
}

#[test]
fn a_refused_call_is_not_overtaken_by_those_behind_it() {
    let mut world = World::heard(&[]);
    let mut refused = world.go(20);
    let mut waiting: Vec<Ticket> = Vec::new();
    world.answer(&mut refused, 30, 429, &[]);
    world
        .pacer
        .on_throttled(&mut refused, at(30), millis(1_000));
    for _ in 0..3 {
        waiting.push(world.wait(31).0);
    }
    // Its next attempt comes last, and is first in line all the same.
    assert!(
        matches!(world.poll(&mut refused, 40), Admission::Wait { until, .. } if until == at(1_030))
    );
    assert!(matches!(
        world.poll(&mut waiting[0], 1_030),
        Admission::Wait { .. }
    ));
    assert_eq!(world.poll(&mut refused, 1_030), Admission::Go);
}

#[test]
fn a_ticket_is_counted_once() {
    let mut world = World::new();
    let mut ticket = world.go(0);
    assert_eq!(
        world.poll(&mut ticket, 1),
        Admission::Go,
        "again, without another place"
    );
    assert_eq!(world.pacer.state(at(1)).in_flight, 1);
    world.answer(&mut ticket, 2, 200, &[]);
    world.pacer.on_failed(&mut ticket, at(3));
    world.pacer.on_cancelled(&mut ticket, at(4), true);
    world.pacer.on_throttled(&mut ticket, at(5), Duration::ZERO);
    assert_eq!(world.pacer.state(at(5)).in_flight, 0);
    assert!(world.pacer.is_idle());
}

#[test]
fn a_lost_ticket_holds_up_the_line_until_its_deadline_only() {
    let headers = [
        ("ratelimit-policy", "\"p\";q=4;w=2"),
        ("ratelimit", "\"p\";r=0;t=2"),
    ];
    let mut world = World::heard(&headers);
    let mut lost = Ticket::default();
    world.pacer.poll(&mut lost, at(20), at(5_000), None);
    let (mut next, ..) = world.wait(21);
    assert!(matches!(
        world.poll(&mut next, 4_000),
        Admission::Wait { .. }
    ));
    assert_eq!(world.poll(&mut next, 5_001), Admission::Go);
}

#[test]
fn what_a_server_forbids_for_a_time_is_over_sooner_on_a_device_that_sleeps() {
    let mut world = World::heard(&[
        ("ratelimit-policy", "\"p\";q=4;w=3600"),
        ("ratelimit", "\"p\";r=0;t=3600"),
    ]);
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&bell));
    let (mut first, mut second) = (Ticket::default(), Ticket::default());
    for ticket in [&mut first, &mut second] {
        let waits = world
            .pacer
            .poll(ticket, at(100), at(4_000_000), Some(&waker));
        assert!(matches!(waits, Admission::Wait { .. }), "{waits:?}");
    }
    let Admission::Wait { until, .. } =
        world
            .pacer
            .poll(&mut first, at(200), at(4_000_000), Some(&waker))
    else {
        panic!("the quota is used up");
    };
    // Half of it: still forbidden, for half as long, by the clock of the callers.
    world.pacer.on_slept(Slept::from_nanos(1_800 * SECOND));
    let rung = world.pacer.take_wakes();
    assert_eq!(rung.len(), 1, "the head, to look how long it still is");
    rung.into_iter().for_each(Waker::wake);
    let halved = world
        .pacer
        .poll(&mut first, at(300), at(4_000_000), Some(&waker));
    assert!(
        matches!(halved, Admission::Wait { until: now, .. } if now + Duration::from_secs(1_800) == until),
        "{halved:?}, {until:?} before"
    );
    // All of it, and far beyond the deadlines that they would have awake: both are still in line, for an even spread.
    world.pacer.on_slept(Slept::from_nanos(9_000 * SECOND));
    for (ticket, slept) in [(&mut first, 9_000), (&mut second, 9_900)] {
        world.pacer.on_slept(Slept::from_nanos(slept * SECOND));
        let goes = world
            .pacer
            .poll(ticket, at(20_000), at(4_000_000), Some(&waker));
        assert!(matches!(goes, Admission::Go), "{goes:?} after {slept} s");
    }
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
}

#[test]
fn answers_that_do_not_name_a_quota_do_not_use_it_up() {
    let headers = [
        ("ratelimit-policy", "\"p\";q=5;w=60"),
        ("ratelimit", "\"p\";r=4;t=3600"),
    ];
    let mut world = World::heard(&headers);
    for now in [100, 200, 300, 400, 500, 600] {
        let mut ticket = world.go(now);
        world.answer(&mut ticket, now + 10, 200, &[]);
    }
    assert_eq!(world.pacer.state(at(700)).gates[0].remaining, 4);
    // An error may come from in front of what counts.
    let mut ticket = world.go(800);
    world.answer(&mut ticket, 810, 502, &[]);
    assert_eq!(world.pacer.state(at(900)).gates[0].remaining, 3);
    // And a quota that was reset and is not heard of again is forgotten.
    let mut ticket = world.go(3_700_000);
    world.answer(&mut ticket, 3_700_010, 200, &[]);
    assert!(world.pacer.state(at(3_700_020)).gates.is_empty());
}

#[test]
fn where_pacing_is_off_only_the_local_quota_holds() {
    let mut world = World::with(PacingSettings {
        enabled: false,
        ..PacingSettings::default()
    });
    assert_eq!(world.how_many_go(5, 0), 5);
    let mut ticket = world.go(1);
    let headers = [
        ("ratelimit-policy", "\"p\";q=4;w=60"),
        ("ratelimit", "\"p\";r=0;t=60"),
    ];
    world.answer(&mut ticket, 10, 429, &headers);
    world
        .pacer
        .on_throttled(&mut ticket, at(10), millis(10_000));
    assert_eq!(world.how_many_go(5, 11), 5);
    let local = vec!["2/s, burst 2".parse().unwrap()];
    let mut world = World::with(PacingSettings {
        enabled: false,
        local,
        ..PacingSettings::default()
    });
    assert_eq!(world.how_many_go(5, 0), 2);
}

#[test]
fn the_local_quota_is_kept_exactly() {
    let local = vec!["100/min, burst 20".parse().unwrap()];
    let mut world = World::with(PacingSettings {
        enabled: false,
        local,
        ..PacingSettings::default()
    });
    let mut waiting: Vec<Ticket> = (0..150).map(|_| Ticket::default()).collect();
    let mut gone = Vec::new();
    let mut now = 0;
    while !waiting.is_empty() {
        waiting.retain_mut(|ticket| {
            let go = world.poll(ticket, now) == Admission::Go;
            gone.extend(go.then_some(now));
            !go
        });
        now += 50;
    }
    assert_eq!(gone.iter().filter(|&&at| at == 0).count(), 20);
    assert_eq!(
        gone.last(),
        Some(&(130 * 600)),
        "the other 130 at 600 ms each"
    );
}

#[test]
fn state_is_told_in_values() {
    let world = World::heard(&[
        ("ratelimit-policy", "\"burst\";q=10;w=60;pk=:QQ==:"),
        ("ratelimit", "\"burst\";r=2;t=30"),
    ]);
    let state = world.pacer.state(at(1_010));
    assert_eq!(
        (
            state.in_flight,
            state.queued,
            state.scouting,
            state.paused_for
        ),
        (0, 0, false, None)
    );
    let [gate] = &state.gates[..] else {
        panic!("{state:?}")
    };
    assert_eq!(
        (&*gate.policy, gate.partition_key.as_deref()),
        ("burst", Some(&b"A"[..]))
    );
    assert_eq!(
        (gate.model, gate.limit, gate.window),
        (GateModel::Window, 10, Some(millis(60_000)))
    );
    assert_eq!((gate.remaining, gate.resets_in), (2, Some(millis(29_000))));
    assert!(gate.next_in > millis(12_000), "two are spread over 30 s");
}

#[test]
fn reasons_are_told_in_words() {
    let told: Vec<String> = [
        quota("burst"),
        WaitReason::LocalQuota,
        WaitReason::Paused,
        WaitReason::Queue,
        WaitReason::Scout,
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    let expected = [
        "quota \"burst\"",
        "local quota",
        "pause asked for by the server",
        "calls before it",
        "answer to the first call",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_error_without_limit_headers_takes_nothing_back() {
    for status in [400, 401, 404, 502] {
        let mut world = World::heard(&[
            ("ratelimit-policy", "\"p\";q=5;w=1"),
            ("ratelimit", "\"p\";r=0;t=1"),
        ]);
        // The first of the next window is answered by something in front of what counts.
        let mut first = world.go(1_020);
        world.answer(&mut first, 1_030, status, &[]);
        let (_, until, reason) = world.wait(1_031);
        assert_eq!((until, reason), (at(1_220), quota("p")), "after a {status}");
    }
}
