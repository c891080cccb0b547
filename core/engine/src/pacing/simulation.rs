//! Clients and a server over a network with delays, in virtual time: what pacing is worth, seen from outside.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::limits::read_limits;
use crate::time::UnixMillis;

pub(super) const MS: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000 * MS;

/// A seeded generator (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// How a server says what is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Says {
    Draft10,
    /// `RateLimit-*` without a window.
    Triple,
    Nothing,
}

impl Says {
    fn headers(self, q: u64, w: u64, r: u64, t: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: String| {
            headers.insert(name, HeaderValue::try_from(value).unwrap());
        };
        match self {
            Self::Draft10 => {
                put("ratelimit-policy", format!("\"p\";q={q};w={w}"));
                put("ratelimit", format!("\"p\";r={r};t={t}"));
            }
            Self::Triple => {
                put("ratelimit-limit", q.to_string());
                put("ratelimit-remaining", r.to_string());
                put("ratelimit-reset", t.to_string());
            }
            Self::Nothing => {}
        }
        headers
    }
}

/// A server's limiter. `Err`: refused, with `Retry-After` in seconds.
pub(super) trait Limiter {
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap);
}

/// GCRA in integer nanoseconds times `quota`.
pub(super) struct Gcra {
    pub(super) quota: u64,
    pub(super) window: u64,
    pub(super) burst: u64,
    pub(super) says: Says,
    pub(super) arrival: u128,
}

impl Gcra {
    pub(super) fn new(quota: u64, window: u64) -> Self {
        Self {
            quota,
            window,
            burst: quota,
            says: Says::Draft10,
            arrival: 0,
        }
    }
}

impl Limiter for Gcra {
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap) {
        let scale = u128::from(self.quota);
        let now = u128::from(now) * scale;
        let period = u128::from(self.window * SECOND);
        let capacity = period * u128::from(self.burst);
        let next = self.arrival.max(now) + period;
        let over = (next - now).saturating_sub(capacity);
        if over == 0 {
            self.arrival = next;
        }
        let used = self.arrival.saturating_sub(now);
        let r = u64::try_from((capacity - used.min(capacity)) / period).unwrap();
        let seconds =
            |span: u128| u64::try_from(span.div_ceil(scale * u128::from(SECOND))).unwrap();
        let headers = self.says.headers(self.quota, self.window, r, seconds(used));
        (
            if over == 0 {
                Ok(())
            } else {
                Err(seconds(over).max(1))
            },
            headers,
        )
    }
}

/// So many calls in each window, which starts with the first call in it, or at whole multiples of its length.
pub(super) struct Fixed {
    pub(super) quota: u64,
    pub(super) window: u64,
    /// Where windows are aligned with the clock: how far it is off.
    pub(super) aligned: Option<u64>,
    /// Seconds to the reset are cut off instead of rounded up.
    pub(super) rounds_down: bool,
    pub(super) says: Says,
    pub(super) start: u64,
    pub(super) used: Vec<u64>,
}

impl Fixed {
    pub(super) fn new(quota: u64, window: u64) -> Self {
        Self {
            quota,
            window,
            aligned: None,
            rounds_down: false,
            says: Says::Draft10,
            start: 0,
            used: Vec::new(),
        }
    }
}

impl Limiter for Fixed {
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap) {
        let window = self.window * SECOND;
        let start = match self.aligned {
            Some(off) => (now + off) / window * window,
            None if self.used.is_empty() || now >= self.start + window => now,
            None => self.start,
        };
        let clock = now + self.aligned.unwrap_or(0);
        if self.used.is_empty() || start != self.start {
            self.start = start;
            self.used.push(0);
        }
        let used = self.used.last_mut().unwrap();
        let allowed = *used < self.quota;
        *used += u64::from(allowed);
        let left = start + window - clock;
        let t = if self.rounds_down {
            left / SECOND
        } else {
            left.div_ceil(SECOND)
        };
        let headers = self
            .says
            .headers(self.quota, self.window, self.quota - *used, t);
        (if allowed { Ok(()) } else { Err(t.max(1)) }, headers)
    }
}

/// Notes down which caller was woken.
struct Bell {
    caller: usize,
    rung: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.lock().unwrap().push(self.caller);
    }
}

struct Caller {
    client: usize,
    ticket: Ticket,
    waker: Waker,
    deadline: Instant,
    refused_in_a_row: u32,
    /// It wants to send; otherwise it is under way or done.
    waits: bool,
    /// Another is started when this one is done.
    then: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Poll(usize),
    Arrive(usize),
    Answer(usize, usize),
}

/// What came of it all.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) answered: usize,
    pub(super) refused: usize,
    pub(super) most_in_a_row: u32,
    pub(super) given_up: usize,
    /// When the last answer arrived.
    pub(super) took: u64,
    /// Calls in the order in which they were sent.
    pub(super) sent: Vec<(usize, u64)>,
    pub(super) refused_at: Vec<u64>,
}

pub(super) struct Simulation<L> {
    pub(super) limiter: L,
    pub(super) dice: Dice,
    /// The longest delay each way.
    pub(super) delay: u64,
    /// How long the server takes.
    pub(super) work: u64,
    pacers: Vec<Pacer>,
    callers: Vec<Caller>,
    rung: Arc<Mutex<Vec<usize>>>,
    answers: Vec<(Result<(), u64>, HeaderMap)>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    ties: u64,
    pub(super) outcome: Outcome,
}

impl<L: Limiter> Simulation<L> {
    pub(super) fn new(limiter: L, seed: u64, clients: usize) -> Self {
        Self {
            limiter,
            dice: Dice(seed),
            delay: 20 * MS,
            work: 0,
            pacers: (0..clients)
                .map(|_| Pacer::new(PacingSettings::default()))
                .collect(),
            callers: Vec::new(),
            rung: Arc::default(),
            answers: Vec::new(),
            events: BinaryHeap::new(),
            ties: 0,
            outcome: Outcome::default(),
        }
    }

    fn at(&mut self, time: u64, event: Event) {
        self.ties += 1;
        self.events.push(Reverse((time, self.ties, event)));
    }

    fn caller(&mut self, client: usize) -> usize {
        let bell = Bell {
            caller: self.callers.len(),
            rung: Arc::clone(&self.rung),
        };
        self.callers.push(Caller {
            client,
            ticket: Ticket::default(),
            waker: Arc::new(bell).into(),
            deadline: Instant::from_nanos(u64::MAX),
            refused_in_a_row: 0,
            waits: true,
            then: None,
        });
        self.callers.len() - 1
    }

    /// `count` calls of `client`, all at `time`.
    pub(super) fn at_once(&mut self, client: usize, count: usize, time: u64) {
        for _ in 0..count {
            let caller = self.caller(client);
            self.at(time, Event::Poll(caller));
        }
    }

    /// `count` calls of `client`, each after the one before.
    pub(super) fn in_turn(&mut self, client: usize, count: usize, time: u64) {
        let first = self.callers.len();
        for n in 0..count {
            let caller = self.caller(client);
            self.callers[caller].then = (n + 1 < count).then_some(first + n + 1);
        }
        self.at(time, Event::Poll(first));
    }

    pub(super) fn run(mut self) -> (Outcome, L) {
        let mut steps = 0;
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            steps += 1;
            assert!(
                steps < 5_000_000,
                "a busy loop at {time}: {} answered",
                self.outcome.answered
            );
            match event {
                Event::Poll(caller) => self.poll(caller, time),
                Event::Arrive(caller) => {
                    let answer = self.limiter.take(time);
                    self.answers.push(answer);
                    let back = time + self.work + self.dice.below(self.delay + 1);
                    self.at(back, Event::Answer(caller, self.answers.len() - 1));
                }
                Event::Answer(caller, answer) => self.answer(caller, answer, time),
            }
        }
        (self.outcome, self.limiter)
    }

    fn poll(&mut self, caller: usize, time: u64) {
        let now = Instant::from_nanos(time);
        let Caller {
            client,
            ticket,
            waker,
            deadline,
            waits,
            ..
        } = &mut self.callers[caller];
        if !*waits {
            return;
        }
        let admission = self.pacers[*client].poll(ticket, now, *deadline, Some(waker));
        *waits = matches!(admission, Admission::Wait { .. });
        self.wake(time);
        match admission {
            Admission::Go => {
                self.outcome.sent.push((caller, time));
                let there = time + self.dice.below(self.delay + 1);
                self.at(there, Event::Arrive(caller));
            }
            Admission::Wait { until, .. } => {
                assert!(until > now, "told to wait until now");
                self.at(until.as_nanos(), Event::Poll(caller));
            }
            Admission::Refuse { .. } => self.outcome.given_up += 1,
        }
    }

    fn wake(&mut self, time: u64) {
        for pacer in &mut self.pacers {
            pacer.take_wakes().into_iter().for_each(Waker::wake);
        }
        let rung = std::mem::take(&mut *self.rung.lock().unwrap());
        for caller in rung {
            self.at(time, Event::Poll(caller));
        }
    }

    fn answer(&mut self, caller: usize, answer: usize, time: u64) {
        let now = Now {
            instant: Instant::from_nanos(time),
            wall: UnixMillis::default(),
        };
        let (result, headers) = &self.answers[answer];
        let result = *result;
        let readings = read_limits(headers, now);
        let Caller {
            client,
            ticket,
            refused_in_a_row,
            then,
            ..
        } = &mut self.callers[caller];
        let pacer = &mut self.pacers[*client];
        match result {
            Ok(()) => {
                pacer.on_response(ticket, now, StatusCode::OK, &readings);
                *refused_in_a_row = 0;
                self.outcome.answered += 1;
                self.outcome.took = time;
                if let Some(next) = *then {
                    self.at(time, Event::Poll(next));
                }
            }
            Err(retry_after) => {
                pacer.on_response(ticket, now, StatusCode::TOO_MANY_REQUESTS, &readings);
                pacer.on_throttled(ticket, now.instant, Duration::from_secs(retry_after));
                *refused_in_a_row += 1;
                self.outcome.most_in_a_row = self.outcome.most_in_a_row.max(*refused_in_a_row);
                self.outcome.refused += 1;
                self.outcome.refused_at.push(time);
                self.callers[caller].waits = true;
                self.at(time, Event::Poll(caller));
            }
        }
        self.wake(time);
    }
}

#[test]
fn explore() {
    let mut worst = (0, 0u64);
    for seed in 0..500 {
        for turn in [false, true] {
            let mut sim = Simulation::new(Gcra::new(3, 2), seed, 1);
            if turn {
                sim.in_turn(0, 12, 0)
            } else {
                sim.at_once(0, 12, 0)
            }
            let (outcome, _) = sim.run();
            worst.0 = worst.0.max(outcome.refused);
            worst.1 = worst.1.max(outcome.took);
            if seed == 0 {
                println!(
                    "{turn} {:?}",
                    outcome
                        .sent
                        .iter()
                        .map(|s| (s.0, s.1 / MS))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    println!("gcra 12: {worst:?}");
    let mut table = |name: &str, run: &dyn Fn(u64) -> (Outcome, Vec<u64>)| {
        let (mut refused, mut sent, mut row, mut took, mut with) = (0, 0, 0, 0, 0);
        let mut used = Vec::new();
        for seed in 0..100 {
            let (outcome, u) = run(seed);
            refused += outcome.refused;
            with += usize::from(outcome.refused > 0);
            sent += outcome.sent.len();
            row = row.max(outcome.most_in_a_row);
            took += outcome.took / MS;
            used = u;
        }
        println!(
            "{name}: refused {refused} of {sent}, runs with any {with}, in a row {row}, took {} ms, used {used:?}",
            took / 100
        );
    };
    table("fixed 250", &|seed| {
        let mut sim = Simulation::new(Fixed::new(100, 60), seed, 1);
        sim.at_once(0, 250, 0);
        let (o, l) = sim.run();
        (o, l.used)
    });
    table("aligned 250", &|seed| {
        let mut limiter = Fixed::new(100, 60);
        limiter.aligned = Some(Dice(seed).below(60 * SECOND));
        let mut sim = Simulation::new(limiter, seed, 1);
        sim.at_once(0, 350, 0);
        let (o, l) = sim.run();
        (o, l.used)
    });
    table("aligned 10/1s", &|seed| {
        let mut limiter = Fixed::new(10, 1);
        limiter.aligned = Some(Dice(seed).below(60 * SECOND));
        let mut sim = Simulation::new(limiter, seed, 1);
        sim.at_once(0, 350, 0);
        let (o, l) = sim.run();
        (o, l.used)
    });
    table("aligned 3/2s", &|seed| {
        let mut limiter = Fixed::new(3, 2);
        limiter.aligned = Some(Dice(seed).below(60 * SECOND));
        let mut sim = Simulation::new(limiter, seed, 1);
        sim.at_once(0, 50, 0);
        let (o, l) = sim.run();
        (o, l.used)
    });
    table("floor 250", &|seed| {
        let mut limiter = Fixed::new(100, 60);
        limiter.rounds_down = true;
        let mut sim = Simulation::new(limiter, seed, 1);
        sim.at_once(0, 250, 0);
        let (o, l) = sim.run();
        (o, l.used)
    });
    for (q, w, n) in [
        (3, 2, 60),
        (10, 10, 60),
        (50, 5, 300),
        (300, 3, 1500),
        (3000, 3, 12000),
        (1, 1, 20),
        (2, 1, 20),
        (5, 3600, 8),
    ] {
        for says in [Says::Draft10, Says::Triple] {
            table(
                &format!(
                    "gcra {q}/{w} {n} {says:?} (optimum {} ms)",
                    (n - q) * w * 1000 / q
                ),
                &|seed| {
                    let mut limiter = Gcra::new(q, w);
                    limiter.says = says;
                    let mut sim = Simulation::new(limiter, seed, 1);
                    sim.at_once(0, n as usize, 0);
                    let (o, _) = sim.run();
                    (o, vec![])
                },
            );
        }
    }
    for (q, w, n) in [(3, 2, 100), (10, 10, 100), (50, 5, 500), (300, 3, 2000)] {
        for clients in [2, 3, 5] {
            table(
                &format!(
                    "{clients} clients gcra {q}/{w} (optimum {} ms)",
                    (clients * n - q) * w * 1000 / q
                ),
                &|seed| {
                    let mut sim = Simulation::new(Gcra::new(q, w), seed, clients as usize);
                    for c in 0..clients {
                        sim.at_once(
                            c as usize,
                            n as usize,
                            Dice(seed + 77 * c).below(3 * SECOND),
                        );
                    }
                    let (o, _) = sim.run();
                    (o, vec![])
                },
            );
        }
    }
}
