use super::super::{Ledger, ShareSettings};
use super::*;

struct Middle;
impl Random for Middle {
    fn next_u64(&mut self) -> u64 {
        u64::MAX / 2
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

const DEADLINE: u64 = 60_000;

/// A process and a store that answers at once.
struct World {
    share: Share,
    ledger: Ledger,
    asked: Vec<Ask>,
}

impl World {
    fn new(quota: &str) -> Self {
        let terms = Terms::new(quota.parse().unwrap(), ShareSettings::default()).unwrap();
        Self {
            share: Share::new(terms),
            ledger: Ledger::default(),
            asked: Vec::new(),
        }
    }

    fn poll(&mut self, ticket: &mut ShareTicket, now: u64) -> Admission {
        self.share.poll(ticket, at(now), at(DEADLINE), None)
    }

    fn goes(&mut self, ticket: &mut ShareTicket, now: u64) -> bool {
        self.poll(ticket, now) == Admission::Go
    }

    /// Does what is to be done, and answers when the next is.
    fn drive(&mut self, now: u64) -> Instant {
        loop {
            match self.share.next(at(now)) {
                Errand::Sleep { until } => return until,
                Errand::Ask(ask) => {
                    self.asked.push(ask);
                    let terms = self.share.terms().clone();
                    let grant = self.ledger.answer(&terms, 1, &ask, at(now + 1_000_000));
                    self.share.on_answer(at(now), at(now), &grant);
                }
            }
        }
    }

    fn lose_the_store(&mut self, now: u64) -> bool {
        self.share.next(at(now));
        self.share.on_away(at(now), &mut Middle)
    }

    fn mode(&self) -> ShareMode {
        self.share.state(at(0)).mode
    }
}

#[test]
fn the_first_call_asks_the_store() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    assert_eq!(world.mode(), ShareMode::New);
    assert!(matches!(
        world.poll(&mut ticket, 0),
        Admission::Wait {
            reason: WaitReason::SharedQuota { away: false },
            ..
        }
    ));
    world.drive(0);
    assert_eq!(world.asked.len(), 1);
    assert_eq!(world.mode(), ShareMode::Shared);
    assert!(world.goes(&mut ticket, 0));
    assert!(world.goes(&mut ticket, 0), "a ticket is counted once");
    assert_eq!(world.share.state(at(0)).used, 1);
}

#[test]
fn calls_go_in_order_at_the_times_of_their_permits() {
    let mut world = World::new("600/min, burst 60");
    let mut tickets: Vec<ShareTicket> = (0..4).map(|_| ShareTicket::default()).collect();
    for ticket in &mut tickets {
        assert!(!world.goes(ticket, 0));
    }
    world.drive(0);
    assert!(!world.goes(&mut tickets[3], 0), "it is the last in line");
    let mut went = Vec::new();
    for now in 0..1_000 {
        for (index, ticket) in tickets.iter_mut().enumerate() {
            if ticket.void_at().is_none() && world.goes(ticket, now) {
                went.push((index, now));
            }
        }
    }
    assert_eq!(went, [(0, 0), (1, 100), (2, 200), (3, 300)]);
}

#[test]
fn more_is_asked_for_before_all_is_used() {
    let mut world = World::new("6000/min, burst 600");
    let mut now = 0;
    // One call after the other, as fast as they go.
    for _ in 0..500 {
        let mut ticket = ShareTicket::default();
        while !world.goes(&mut ticket, now) {
            world.drive(now);
            if !world.goes(&mut ticket, now) {
                now += 1;
            }
        }
        world.drive(now);
    }
    let state = world.share.state(at(now));
    assert_eq!(state.used, 500);
    assert!(state.round_trips < 60, "{state:?}");
    assert!(now < 5_000, "nothing waits for the round trip: {now} ms");
}

#[test]
fn what_lies_unused_is_given_back() {
    let mut world = World::new("6000/min, burst 600");
    let mut tickets: Vec<ShareTicket> = (0..20).map(|_| ShareTicket::default()).collect();
    for ticket in &mut tickets {
        world.poll(ticket, 0);
    }
    world.drive(0);
    for ticket in &mut tickets {
        world.share.on_cancelled(ticket, at(0));
    }
    assert_eq!(world.share.state(at(0)).held, 20);
    let until = world.drive(0);
    assert_eq!(until, at(250), "half of the time for which it is good");
    world.drive(250);
    assert_eq!(world.share.state(at(250)).held, 0);
    let last = world.asked.last().unwrap();
    assert_eq!((last.want, last.back, last.back_last), (0, 20, 20));
    assert_eq!(last.back_age, Duration::from_millis(250));
}

#[test]
fn a_call_that_goes_away_leaves_its_permit_to_the_next() {
    let mut world = World::new("1/min, burst 1");
    let (mut first, mut second) = (ShareTicket::default(), ShareTicket::default());
    world.poll(&mut first, 0);
    world.poll(&mut second, 0);
    world.drive(0);
    assert!(world.goes(&mut first, 0));
    assert!(!world.goes(&mut second, 5));
    world.share.on_cancelled(&mut first, at(10));
    assert!(world.goes(&mut second, 10));
    assert_eq!(world.share.state(at(10)).used, 1);
}

#[test]
fn who_cannot_make_the_deadline_is_refused() {
    let mut world = World::new("60/min, burst 1");
    let (mut first, mut second) = (ShareTicket::default(), ShareTicket::default());
    world.poll(&mut first, 0);
    world.drive(0);
    assert!(world.goes(&mut first, 0));
    let admission = world.share.poll(&mut second, at(100), at(800), None);
    assert_eq!(
        admission,
        Admission::Refuse {
            retry_after: Duration::from_millis(900),
            reason: WaitReason::SharedQuota { away: false },
        }
    );
}

#[test]
fn a_line_that_is_full_takes_nobody() {
    let settings = ShareSettings {
        max_queue: 2,
        ..ShareSettings::default()
    };
    let mut world = World::new("60/min, burst 1");
    world.share = Share::new(Terms::new("60/min, burst 1".parse().unwrap(), settings).unwrap());
    let mut tickets: Vec<ShareTicket> = (0..3).map(|_| ShareTicket::default()).collect();
    let answers: Vec<Admission> = tickets
        .iter_mut()
        .map(|ticket| world.share.poll(ticket, at(0), at(DEADLINE), None))
        .collect();
    assert!(matches!(answers[1], Admission::Wait { .. }));
    assert!(matches!(
        answers[2],
        Admission::Refuse {
            reason: WaitReason::Queue,
            ..
        }
    ));
}

#[test]
fn away_it_keeps_to_its_part() {
    let mut world = World::new("600/min, burst 60");
    for id in 1..=4 {
        let terms = world.share.terms().clone();
        world
            .ledger
            .answer(&terms, id, &Ask::default(), at(1_000_000));
    }
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    assert!(world.goes(&mut ticket, 0));
    assert!(world.lose_the_store(5_000));
    assert!(!world.lose_the_store(6_000), "told once");
    let state = world.share.state(at(6_500));
    assert_eq!(state.mode, ShareMode::Away);
    assert_eq!(state.away_for, Some(Duration::from_millis(1_500)));
    assert_eq!(state.processes, 4);
    // A second for what others were given ahead, then a permit each 400 ms: a quarter of 10 each second.
    let mut went = Vec::new();
    let mut ticket = ShareTicket::default();
    for now in 6_000..9_000 {
        if world.goes(&mut ticket, now) {
            went.push(now);
            ticket = ShareTicket::default();
        }
    }
    assert_eq!(went[..4], [6_400, 6_800, 7_200, 7_600]);
    let waits = world.poll(&mut ShareTicket::default(), 9_000);
    let away = WaitReason::SharedQuota { away: true };
    assert!(matches!(waits, Admission::Wait { reason, .. } if reason == away));
}

#[test]
fn who_never_reached_the_store_assumes_how_many_there_are() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    assert!(world.lose_the_store(0));
    assert!(!world.goes(&mut ticket, 799));
    assert!(world.goes(&mut ticket, 800), "an eighth of the quota");
}

#[test]
fn back_again_it_waits_for_the_others() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    world.lose_the_store(5_000);
    world.ledger.forget();
    world.drive(9_000);
    assert_eq!(world.mode(), ShareMode::Rejoining);
    let settle = world.share.terms().settle() / 1_000_000;
    world.drive(9_000 + settle);
    assert_eq!(world.mode(), ShareMode::Shared);
    assert_eq!(world.share.state(at(9_000 + settle)).away_for, None);
}

#[test]
fn one_that_was_away_alone_joins_at_once() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    world.lose_the_store(5_000);
    let terms = world.share.terms().clone();
    world
        .ledger
        .answer(&terms, 2, &Ask::default(), at(1_000_000 + 8_900));
    world.drive(9_000);
    assert_eq!(world.mode(), ShareMode::Shared);
}

#[test]
fn a_pause_of_one_is_a_pause_of_all() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    assert!(world.goes(&mut ticket, 0));
    world.share.on_throttled(at(100), Duration::from_secs(5));
    world.drive(100);
    assert_eq!(
        world.asked.last().unwrap().pause,
        Some(Duration::from_secs(5))
    );
    let mut other = Share::new(world.share.terms().clone());
    let mut waits = ShareTicket::default();
    other.poll(&mut waits, at(100), at(DEADLINE), None);
    let Errand::Ask(ask) = other.next(at(100)) else {
        panic!("it asks")
    };
    let terms = other.terms().clone();
    let grant = world.ledger.answer(&terms, 2, &ask, at(1_000_100));
    other.on_answer(at(100), at(100), &grant);
    assert_eq!(
        other.state(at(100)).paused_for,
        Some(Duration::from_secs(5))
    );
    let hasty = other.poll(&mut ShareTicket::default(), at(100), at(5_000), None);
    assert!(matches!(hasty, Admission::Refuse { retry_after, .. } if retry_after.as_secs() == 5));
}

#[test]
fn a_heartbeat_tells_the_others_that_it_is_there() {
    let mut world = World::new("600/min, burst 60");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    assert!(world.goes(&mut ticket, 0));
    assert_eq!(world.drive(2_000), at(5_000));
    world.drive(5_000);
    assert_eq!(world.asked.last().unwrap().want, 0);
}

#[test]
fn the_farewell_gives_all_back() {
    let mut world = World::new("6000/min, burst 600");
    let mut ticket = ShareTicket::default();
    world.poll(&mut ticket, 0);
    world.drive(0);
    world.share.on_cancelled(&mut ticket, at(0));
    let ask = world.share.farewell(at(10));
    assert!(ask.leave);
    assert_eq!(ask.back, 1);
}
