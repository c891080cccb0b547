//! Clients and a server with a network of delays between them, in virtual time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use http::{HeaderMap, HeaderValue};

use super::super::*;
use crate::limits::read_limits;

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
    /// `RateLimit` and `RateLimit-Policy`.
    Draft10,
    /// Nothing but `Retry-After` when it refuses.
    Nothing,
    /// `RateLimit-*` without a window.
    Triple,
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
            Self::Nothing => {}
            Self::Triple => {
                put("ratelimit-limit", q.to_string());
                put("ratelimit-remaining", r.to_string());
                put("ratelimit-reset", t.to_string());
            }
        }
        headers
    }
}

/// A server's limiter.
pub(super) trait Limiter {
    /// Decides a call at `now`, in nanoseconds. `Err`: refused, with `Retry-After` in seconds.
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap);
}

/// `quota` calls in `window` seconds that come back one by one: GCRA, exact in nanoseconds times `quota`.
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

/// `quota` calls in each window of `window` seconds, which starts with the first call in it, or by the clock.
pub(super) struct Fixed {
    pub(super) quota: u64,
    pub(super) window: u64,
    /// Where windows are aligned with the clock: how far it is off.
    pub(super) aligned: Option<u64>,
    /// Fractions of the seconds to the reset are cut off instead of rounded up.
    pub(super) rounds_down: bool,
    pub(super) says: Says,
    pub(super) start: u64,
    /// Calls let in, in each window.
    pub(super) used: Vec<u64>,
}

impl Fixed {
    pub(super) fn new(quota: u64, window: u64) -> Self {
        let (says, used) = (Says::Draft10, Vec::new());
        Self {
            quota,
            window,
            aligned: None,
            rounds_down: false,
            says,
            start: 0,
            used,
        }
    }
}

impl Limiter for Fixed {
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap) {
        let window = self.window * SECOND;
        let clock = now + self.aligned.unwrap_or(0);
        let start = match self.aligned {
            Some(_) => clock / window * window,
            None if self.used.is_empty() || now >= self.start + window => now,
            None => self.start,
        };
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

/// `quota` calls in any span of `window` seconds; says when the oldest of them falls out.
pub(super) struct Sliding {
    pub(super) quota: u64,
    pub(super) window: u64,
    pub(super) taken: VecDeque<u64>,
}

impl Limiter for Sliding {
    fn take(&mut self, now: u64) -> (Result<(), u64>, HeaderMap) {
        let window = self.window * SECOND;
        while self
            .taken
            .front()
            .is_some_and(|first| first + window <= now)
        {
            self.taken.pop_front();
        }
        let left = self.quota - self.taken.len() as u64;
        if left > 0 {
            self.taken.push_back(now);
        }
        let t = self
            .taken
            .front()
            .map_or(0, |first| (first + window - now).div_ceil(SECOND));
        let headers = Says::Draft10.headers(self.quota, self.window, left.saturating_sub(1), t);
        (if left > 0 { Ok(()) } else { Err(t.max(1)) }, headers)
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
    refused_in_a_row: u32,
    /// It wants to send; otherwise it is under way or done.
    waits: bool,
    /// The timer that it waits for; those it set before are of no account.
    timer: u64,
    /// Another is started when this one is done.
    then: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Answer(usize, usize),
    Arrive(usize),
    Poll(usize),
    Timer(usize, u64),
}

/// What came of it all.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) answered: usize,
    pub(super) refused: usize,
    /// The most refusals of one call in a row.
    pub(super) most_in_a_row: u32,
    /// When the last answer arrived.
    pub(super) took: u64,
    /// Who was sent when.
    pub(super) sent: Vec<(usize, u64)>,
}

/// Callers of one or more clients, and the limiter they share.
pub(super) struct Simulation<L> {
    pub(super) limiter: L,
    /// The longest delay each way.
    pub(super) delay: u64,
    /// How long the server takes for its answer, once it has counted the call.
    pub(super) work: u64,
    dice: Dice,
    pacers: Vec<Pacer>,
    callers: Vec<Caller>,
    rung: Arc<Mutex<Vec<usize>>>,
    answers: Vec<(Result<(), u64>, HeaderMap)>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    ties: u64,
    outcome: Outcome,
}

impl<L: Limiter> Simulation<L> {
    pub(super) fn new(limiter: L, seed: u64, clients: usize) -> Self {
        Self {
            limiter,
            delay: 20 * MS,
            work: 0,
            dice: Dice(seed),
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
        for n in 1..=count {
            let caller = self.caller(client);
            self.callers[caller].then = (n < count).then_some(first + n);
        }
        self.at(time, Event::Poll(first));
    }

    /// Runs until every call is answered.
    pub(super) fn run(mut self) -> (Outcome, L) {
        let mut steps = 0;
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            steps += 1;
            assert!(
                steps < 1_000_000,
                "a busy loop at {time}: {:?} answered",
                self.outcome.answered
            );
            match event {
                Event::Answer(caller, answer) => self.answer(caller, answer, time),
                Event::Arrive(caller) => {
                    let answer = self.limiter.take(time);
                    self.answers.push(answer);
                    let back = time + self.work + self.dice.below(self.delay + 1);
                    self.at(back, Event::Answer(caller, self.answers.len() - 1));
                }
                Event::Timer(caller, timer) if timer != self.callers[caller].timer => {}
                Event::Poll(caller) | Event::Timer(caller, _) => self.poll(caller, time),
            }
        }
        assert_eq!(
            self.outcome.answered,
            self.callers.len(),
            "every call is answered in the end"
        );
        assert!(self.pacers.iter().all(Pacer::is_idle));
        (self.outcome, self.limiter)
    }

    fn at(&mut self, time: u64, event: Event) {
        self.ties += 1;
        self.events.push(Reverse((time, self.ties, event)));
    }

    fn caller(&mut self, client: usize) -> usize {
        let caller = self.callers.len();
        let waker = Arc::new(Bell {
            caller,
            rung: Arc::clone(&self.rung),
        })
        .into();
        let ticket = Ticket::default();
        self.callers.push(Caller {
            client,
            ticket,
            waker,
            refused_in_a_row: 0,
            waits: true,
            timer: 0,
            then: None,
        });
        caller
    }

    fn poll(&mut self, caller: usize, time: u64) {
        let now = Instant::from_nanos(time);
        let Caller {
            client,
            ticket,
            waker,
            waits,
            timer,
            ..
        } = &mut self.callers[caller];
        if !*waits {
            return;
        }
        let far = Instant::from_nanos(u64::MAX);
        match self.pacers[*client].poll(ticket, now, far, Some(waker)) {
            Admission::Go => {
                *waits = false;
                self.outcome.sent.push((caller, time));
                let there = time + self.dice.below(self.delay + 1);
                self.at(there, Event::Arrive(caller));
            }
            Admission::Wait { until, .. } => {
                assert!(until > now, "told to wait until now");
                *timer += 1;
                let event = Event::Timer(caller, *timer);
                self.at(until.as_nanos(), event);
            }
            refuse => panic!("no deadline and yet {refuse:?}"),
        }
        self.wake(time);
    }

    fn answer(&mut self, caller: usize, answer: usize, time: u64) {
        let now = Now {
            instant: Instant::from_nanos(time),
            ..Now::default()
        };
        let (result, headers) = &self.answers[answer];
        let readings = read_limits(headers, now);
        let Caller {
            client,
            ticket,
            refused_in_a_row,
            waits,
            then,
            ..
        } = &mut self.callers[caller];
        let pacer = &mut self.pacers[*client];
        match *result {
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
                *waits = true;
                self.outcome.refused += 1;
                self.outcome.most_in_a_row = self.outcome.most_in_a_row.max(*refused_in_a_row);
                self.at(time, Event::Poll(caller));
            }
        }
        self.wake(time);
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
}
