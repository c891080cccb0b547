//! The proof of the bound: processes, a store and a network on virtual time, with everything that goes wrong. One seed is
//! one run. What all processes sent is checked in every span of time at once: a GCRA with the bound's burst says no to none.

use std::time::Duration;

use super::*;
use crate::pacing::Admission;
use crate::time::{Instant, Random};

struct Dice(u64);

impl Random for Dice {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit.max(1)
    }

    fn micros(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(from + self.below(to - from))
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_nanos((10_000_000 + millis) * 1_000_000)
}

const FAR: Instant = Instant::from_nanos(u64::MAX);

struct Waiting {
    ticket: ShareTicket,
    deadline: Instant,
    /// It goes away at this moment.
    leaves: Instant,
}

/// A question on its way: when it reaches the store, what came of it, when that is known.
struct Way {
    ask: Ask,
    asked: Instant,
    reaches: Instant,
    grant: Option<Grant>,
    known: Instant,
}

struct Process {
    share: Share,
    line: Vec<Waiting>,
    next_call: Instant,
    look: Instant,
    way: Option<Way>,
}

/// What goes wrong, and who feels it.
#[derive(Clone, Copy)]
struct Outage {
    from: Instant,
    to: Instant,
    forgets: bool,
    /// Processes of a lower number than this cannot reach the store.
    cuts_off: usize,
}

struct World {
    terms: Terms,
    ledger: Ledger,
    processes: Vec<Process>,
    dice: Dice,
    outage: Option<Outage>,
    /// Calls each second and process; the line is kept full where it is zero.
    load: u64,
    sent: Vec<Instant>,
    by: Vec<usize>,
    arrived: usize,
    refused: usize,
    left: usize,
}

impl World {
    fn new(quota: &str, processes: usize, load: u64, seed: u64) -> Self {
        let terms = Terms::new(quota.parse().unwrap(), ShareSettings::default()).unwrap();
        let process = || Process {
            share: Share::new(terms.clone()),
            line: Vec::new(),
            next_call: at(0),
            look: FAR,
            way: None,
        };
        Self {
            processes: (0..processes).map(|_| process()).collect(),
            ledger: Ledger::default(),
            dice: Dice(seed),
            outage: None,
            load,
            terms,
            sent: Vec::new(),
            by: vec![0; processes],
            arrived: 0,
            refused: 0,
            left: 0,
        }
    }

    fn run(&mut self, until: Instant) {
        let mut now = at(0);
        while now < until {
            for index in 0..self.processes.len() {
                self.calls_arrive(index, now);
                self.question_moves(index, now);
                self.line_moves(index, now);
                self.driver_moves(index, now);
            }
            let next = self.processes.iter_mut().map(|process| {
                let driver = process.share.errand_at(now);
                let way = process.way.as_ref().map_or(FAR, |way| {
                    if way.grant.is_none() && way.reaches > now {
                        way.reaches
                    } else {
                        way.known
                    }
                });
                driver.min(way).min(process.next_call).min(process.look)
            });
            let next = next.min().unwrap_or(FAR);
            now = next.max(now + Duration::from_micros(1));
        }
    }

    fn calls_arrive(&mut self, index: usize, now: Instant) {
        let load = self.load;
        let Some(process) = self.processes.get_mut(index) else {
            return;
        };
        while process.next_call <= now {
            let full = load == 0 && process.line.len() >= 16;
            if !full {
                let patience = self.dice.micros(500_000, 20_000_000);
                let leaves = match self.dice.below(20) {
                    0 => now + self.dice.micros(0, 1_000_000),
                    _ => FAR,
                };
                process.line.push(Waiting {
                    ticket: ShareTicket::default(),
                    deadline: now + patience,
                    leaves,
                });
                process.look = now;
                self.arrived += 1;
            }
            // Bursts and silences, with the load as their average.
            let pause = match (load, self.dice.below(10)) {
                (0, _) => Duration::from_millis(5),
                (_, 0) => self.dice.micros(1, 12_000_000 / load),
                (_, _) => self.dice.micros(1, 800_000 / load),
            };
            process.next_call = process.next_call + pause;
        }
    }

    fn question_moves(&mut self, index: usize, now: Instant) {
        let outage = self
            .outage
            .filter(|outage| (outage.from..outage.to).contains(&now) && index < outage.cuts_off);
        let Some(process) = self.processes.get_mut(index) else {
            return;
        };
        if let Some(way) = &mut process.way {
            if way.reaches <= now && way.grant.is_none() && outage.is_none() && way.known == FAR {
                let id = u64::try_from(index).unwrap();
                way.grant = Some(self.ledger.answer(&self.terms, id, &way.ask, now));
                way.known = now + self.dice.micros(100, 5_000);
            } else if way.reaches <= now && way.known == FAR {
                // Refused at once, or nothing until the driver gives up.
                way.known = match self.dice.below(2) {
                    0 => now,
                    _ => way.asked + self.terms.settings.timeout,
                };
            }
            if outage.is_some_and(|outage| outage.forgets) {
                self.ledger.forget();
            }
            if way.known <= now {
                match way.grant {
                    Some(grant) => {
                        process.share.on_answer(way.asked, now, &grant);
                    }
                    None => {
                        process.share.on_away(now, &mut self.dice);
                    }
                }
                process.way = None;
                process.look = now;
            }
        }
    }

    fn driver_moves(&mut self, index: usize, now: Instant) {
        let Some(process) = self.processes.get_mut(index) else {
            return;
        };
        if process.way.is_none()
            && let Errand::Ask(ask) = process.share.next(now)
        {
            process.way = Some(Way {
                ask,
                asked: now,
                reaches: now + self.dice.micros(100, 5_000),
                grant: None,
                known: FAR,
            });
        }
    }

    fn line_moves(&mut self, index: usize, now: Instant) {
        let Some(process) = self.processes.get_mut(index) else {
            return;
        };
        if process.look > now {
            return;
        }
        process.look = FAR;
        let (share, look) = (&mut process.share, &mut process.look);
        process.line.retain_mut(|waiting| {
            if waiting.leaves <= now {
                share.on_cancelled(&mut waiting.ticket, now);
                self.left += 1;
                return false;
            }
            match share.poll(&mut waiting.ticket, now, waiting.deadline, None) {
                Admission::Go => {
                    assert!(now <= waiting.deadline, "it went after its deadline");
                    self.sent.push(now);
                    self.by[index] += 1;
                    false
                }
                Admission::Refuse { .. } => {
                    self.refused += 1;
                    false
                }
                Admission::Wait { until, .. } => {
                    *look = (*look).min(until).min(waiting.leaves).max(now);
                    true
                }
            }
        });
        if share.take_wakes().is_empty() && *look <= now {
            *look = now + Duration::from_micros(1);
        }
    }

    /// No call went that a GCRA with the quota's own burst and `extra` more would have refused; and none was lost.
    fn check(&self, extra: u64) {
        let burst = u64::from(self.terms.quota.burst().get()) + extra;
        let burst = self.terms.interval * burst;
        let mut paid_at = Instant::ORIGIN;
        for (index, &sent) in self.sent.iter().enumerate() {
            paid_at = paid_at.max(sent) + Duration::from_nanos(self.terms.interval);
            let owed = paid_at.since(sent);
            assert!(
                owed <= Duration::from_nanos(burst),
                "call {index} at {:?} is {:?} over the bound",
                sent.since(at(0)),
                owed - Duration::from_nanos(burst)
            );
        }
        let settled = self.sent.len() + self.refused + self.left;
        let waiting: usize = self
            .processes
            .iter()
            .map(|process| process.line.len())
            .sum();
        assert_eq!(settled + waiting, self.arrived, "a call was lost");
    }

    fn sent_between(&self, from: u64, to: u64) -> usize {
        let span = at(from)..at(to);
        self.sent.iter().filter(|sent| span.contains(sent)).count()
    }
}

#[test]
fn eight_busy_processes_use_the_quota_to_the_full_and_never_more() {
    for quota in [
        "6000/min, burst 300",
        "600/min, burst 50",
        "60/min, burst 10",
    ] {
        for seed in 0..2 {
            let mut world = World::new(quota, 8, 0, seed);
            world.run(at(30_000));
            world.check(0);
            let full = 30_000_000_000 / world.terms.interval;
            let used = u64::try_from(world.sent.len()).unwrap();
            assert!(used * 100 >= full * 99, "{used} of {full}, {quota}");
            let (least, most) = (world.by.iter().min(), world.by.iter().max());
            assert!(
                (least.unwrap() + 1) * 10 >= most.unwrap() * 9,
                "{:?}, {quota}",
                world.by
            );
        }
    }
}

#[test]
fn a_busy_process_asks_once_for_many_calls() {
    let mut world = World::new("60000/min, burst 3000", 8, 0, 1);
    world.run(at(5_000));
    world.check(0);
    let trips: u64 = world
        .processes
        .iter()
        .map(|process| process.share.state(at(5_000)).round_trips)
        .sum();
    let calls = u64::try_from(world.sent.len()).unwrap();
    assert!(calls > trips * 7, "{trips} round trips for {calls} calls");
}

#[test]
fn under_any_load_the_bound_holds() {
    for seed in 0..12 {
        let load = 1 + seed % 30;
        let mut world = World::new("600/min, burst 60", 5, load, seed);
        world.run(at(60_000));
        world.check(0);
    }
}

#[test]
fn while_the_store_is_away_and_when_it_is_back_the_bound_holds() {
    for seed in 0..12 {
        let load = [0, 2, 10, 30][usize::try_from(seed % 4).unwrap()];
        let mut world = World::new("600/min, burst 60", 8, load, seed);
        world.outage = Some(Outage {
            from: at(15_000),
            to: at(30_000 + seed * 37),
            forgets: seed % 3 > 0,
            cuts_off: 8,
        });
        world.run(at(60_000));
        world.check(0);
        if load == 0 {
            let meanwhile = world.sent_between(18_000, 30_000);
            assert!(meanwhile >= 112, "{meanwhile} of 120 while away");
            let after = world.sent_between(34_000, 60_000);
            assert!(after >= 255, "{after} of 260 once it is back");
        }
    }
}

#[test]
fn who_alone_is_cut_off_takes_its_part_on_top() {
    for seed in 0..4 {
        let mut world = World::new("600/min, burst 60", 8, 0, seed);
        world.outage = Some(Outage {
            from: at(15_000),
            to: at(30_000),
            forgets: false,
            cuts_off: 1,
        });
        world.run(at(60_000));
        // 15 s of an eighth of 10/s.
        world.check(15 * 10 / 8 + 1);
    }
}

#[test]
fn processes_that_start_without_the_store_keep_to_the_number_assumed() {
    for seed in 0..4 {
        let mut world = World::new("600/min, burst 60", 8, 0, seed);
        world.outage = Some(Outage {
            from: at(0),
            to: at(20_000),
            forgets: true,
            cuts_off: 8,
        });
        world.run(at(40_000));
        world.check(0);
        let meanwhile = world.sent_between(1_000, 20_000);
        assert!(meanwhile >= 180, "{meanwhile} of 190 while away");
    }
}
