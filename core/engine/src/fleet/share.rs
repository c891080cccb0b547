//! The part that one process has of a shared quota: who goes, who waits, when the store is asked.
//!
//! 1. [`Share::poll`] answers a call with `Go`, `Wait` or `Refuse`; [`Share::on_cancelled`] where it goes away.
//! 2. [`Share::next`] tells the driver what to do: ask the store, or sleep. One question is under way at a time. What came
//!    of it is told: [`Share::on_answer`] or [`Share::on_away`].
//! 3. After every one of these, [`Share::take_wakes`]: wake what it returns once the share's lock is released. And
//!    [`Share::errand_at`]: where that is sooner than the driver sleeps, wake the driver.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | New | `poll` | New: waits for the store's first answer (`the_first_call_asks_the_store`) |
//! | New, Shared, Rejoining | `on_answer` with permits | Shared: those who wait go, in order, at the permits' times (`calls_go_in_order_at_the_times_of_their_permits`) |
//! | Shared | half of what is wanted is used | Shared: asks for more, so that nobody waits for the round trip (`more_is_asked_for_before_all_is_used`) |
//! | Shared | permits lie unused | Shared: given back (`what_lies_unused_is_given_back`) |
//! | Shared | `poll` by who cannot make its deadline | Shared: refused at once (`who_cannot_make_the_deadline_is_refused`) |
//! | New, Shared | `on_away` | Away: the quota divided by the processes last seen, from when all permits given ahead are used (`away_it_keeps_to_its_part`) |
//! | Away | `on_answer` | Shared, or Rejoining where the others are to be waited for (`back_again_it_waits_for_the_others`) |
//! | Rejoining | the time comes | Shared |
//! | Rejoining | `on_away` | Away, with the same part as before |
//! | any | `on_throttled`, or an answer says so | paused: nobody goes (`a_pause_of_one_is_a_pause_of_all`) |

use std::task::Waker;
use std::time::Duration;

use super::demand::Demand;
use super::lease::Lease;
use super::ledger::{Ask, Grant};
use super::line::Line;
use super::state::{ShareMode, ShareState};
use super::terms::Terms;
use crate::backoff::share_of;
use crate::pacing::bucket::{Bucket, after};
use crate::pacing::{Admission, WaitReason};
use crate::time::{Instant, Random};

/// How soon the store is asked again that had nothing to give.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// How soon somebody looks again whether the deadline can still be made. Whoever has a turn is woken.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What is expected is what came in this part of the time for which permits are taken ahead.
const FORESIGHT: u64 = 4;
const FAR: Instant = Instant::from_nanos(u64::MAX);

/// The place of one call; it starts idle. A ticket that was polled is polled until `Go` or `Refuse`, or handed to
/// [`Share::on_cancelled`].
#[derive(Debug, Default)]
pub struct ShareTicket {
    order: u64,
    queued: bool,
    /// Admitted: when the permit is void.
    void_at: Option<Instant>,
}

impl ShareTicket {
    /// When the permit of an admitted call is void: until then it may be given back.
    #[must_use]
    pub fn void_at(&self) -> Option<Instant> {
        self.void_at
    }
}

/// What the driver is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Ask the store, then tell what came of it.
    Ask(Ask),
    /// Nothing until then, or until woken.
    Sleep {
        /// When to come back.
        until: Instant,
    },
}

/// The part that one process has of a shared quota.
#[derive(Debug)]
pub struct Share {
    terms: Terms,
    mode: ShareMode,
    lease: Lease,
    line: Line,
    demand: Demand,
    /// As last seen; 0: never.
    processes: u32,
    asking: bool,
    ask_not_before: Instant,
    /// No permit is given before this, as the store said.
    next_free: Instant,
    /// What the last answer with permits ended with.
    end: Instant,
    /// Its own part, where the store is away.
    local: Bucket,
    away_since: Instant,
    rejoins_at: Instant,
    paused_until: Instant,
    tell_pause: bool,
    last_contact: Instant,
    used: u64,
    round_trips: u64,
    wakes: Vec<Waker>,
}

impl Share {
    /// A share of which nothing was asked yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            demand: Demand::new(Duration::from_nanos(terms.ahead / FORESIGHT)),
            local: Bucket::new(1, terms.interval, 1),
            terms,
            mode: ShareMode::New,
            lease: Lease::default(),
            line: Line::default(),
            processes: 0,
            asking: false,
            ask_not_before: Instant::ORIGIN,
            next_free: Instant::ORIGIN,
            end: Instant::ORIGIN,
            away_since: Instant::ORIGIN,
            rejoins_at: Instant::ORIGIN,
            paused_until: Instant::ORIGIN,
            tell_pause: false,
            last_contact: Instant::ORIGIN,
            used: 0,
            round_trips: 0,
            wakes: Vec::new(),
        }
    }

    /// What all processes agree on.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether this process keeps to its part by itself, the store being away or only just back.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(self.mode, ShareMode::Away | ShareMode::Rejoining)
    }

    /// Whether the call may go at `now`. One that waits is in line until it goes, is refused, or is cancelled.
    pub fn poll(
        &mut self,
        ticket: &mut ShareTicket,
        now: Instant,
        deadline: Instant,
        waker: Option<&Waker>,
    ) -> Admission {
        if ticket.void_at.is_some() {
            return Admission::Go;
        }
        self.pass_time(now);
        if ticket.order == 0 && !ticket.queued {
            self.demand.on_call(now);
        }
        if !ticket.queued && self.line.is_empty() && self.admit(ticket, now) {
            return Admission::Go;
        }
        if ticket.order == 0 {
            ticket.order = self.line.next_order();
        }
        let (ahead, queued) = self.line.place_of(ticket.order);
        if ahead == 0 && self.admit(ticket, now) {
            self.leave(ticket);
            return Admission::Go;
        }
        let reason = WaitReason::SharedQuota {
            away: self.is_alone(),
        };
        let earliest = self.earliest(now, ahead);
        let full = !queued && self.line.len() >= self.terms.settings.max_queue;
        if full || deadline <= now || earliest.is_some_and(|earliest| earliest > deadline) {
            self.leave(ticket);
            let retry_after = earliest.map_or(ASK_AGAIN, |earliest| earliest.since(now));
            return Admission::Refuse {
                retry_after: retry_after.max(ASK_AGAIN),
                reason: if full { WaitReason::Queue } else { reason },
            };
        }
        self.line.put(ticket.order, deadline, waker);
        ticket.queued = true;
        let mut until = earliest.unwrap_or(now + LOOK_AGAIN).min(now + LOOK_AGAIN);
        if ahead > 0 {
            until = now + LOOK_AGAIN;
        }
        Admission::Wait {
            until: until.max(now + Duration::from_nanos(1)).min(deadline),
            reason,
        }
    }

    /// The caller went away. Its permit, where it had one, was not used.
    pub fn on_cancelled(&mut self, ticket: &mut ShareTicket, now: Instant) {
        self.leave(ticket);
        if let Some(void_at) = ticket.void_at.take() {
            self.give_back(now, void_at);
        }
    }

    /// A permit was not used that is void at `void_at`.
    pub fn give_back(&mut self, now: Instant, void_at: Instant) {
        self.lease.put_back(now, void_at);
        self.used = self.used.saturating_sub(1);
        self.wake_head();
    }

    /// The server asked this process to be quiet for so long: all shall be.
    pub fn on_throttled(&mut self, now: Instant, pause: Duration) {
        let until = now + pause;
        if until > self.paused_until {
            self.paused_until = until;
            self.tell_pause = true;
            self.wakes.extend(self.line.late_wakers(until));
            self.wake_head();
        }
    }

    /// When the driver has something to do. Far off while it is at it.
    pub fn errand_at(&mut self, now: Instant) -> Instant {
        self.pass_time(now);
        if self.asking {
            return FAR;
        }
        let mut at = self.last_contact + self.terms.settings.beat;
        if self.mode == ShareMode::Away {
            return self.ask_not_before;
        }
        if self.tell_pause || self.wanted(now) > 0 {
            at = at.min(self.ask_not_before);
        }
        if let Some(idle_at) = self.lease.idle_at().filter(|_| self.line.is_empty()) {
            at = at.min(idle_at);
        }
        at.max(now)
    }

    /// What to do now. After [`Errand::Ask`], come back with what came of it.
    pub fn next(&mut self, now: Instant) -> Errand {
        let at = self.errand_at(now);
        if at > now {
            return Errand::Sleep { until: at };
        }
        let longest = self.line.latest_deadline().unwrap_or(FAR);
        let mut ask = Ask {
            want: self.wanted(now),
            patience: longest.since(now),
            away: self.mode == ShareMode::Away,
            ..Ask::default()
        };
        let idle = self.lease.idle_at().is_some_and(|at| at <= now);
        if idle && self.line.is_empty() {
            self.unused(&mut ask, now);
        }
        if self.tell_pause {
            self.tell_pause = false;
            ask.pause = Some(self.paused_until.since(now)).filter(|pause| !pause.is_zero());
        }
        self.asking = true;
        Errand::Ask(ask)
    }

    /// The last question: all permits go back, and this process is counted no more.
    pub fn farewell(&mut self, now: Instant) -> Ask {
        let mut ask = Ask {
            leave: true,
            ..Ask::default()
        };
        self.unused(&mut ask, now);
        ask
    }

    /// The store answered at `now` what it was asked at `asked`. `true`: it had been away.
    pub fn on_answer(&mut self, asked: Instant, now: Instant, grant: &Grant) -> bool {
        self.asking = false;
        self.round_trips = self.round_trips.saturating_add(1);
        self.processes = grant.processes.max(1);
        self.last_contact = now;
        let was_away = self.mode == ShareMode::Away;
        if was_away && !grant.stay_away.is_zero() {
            self.mode = ShareMode::Rejoining;
            self.rejoins_at = now + grant.stay_away;
        } else if self.mode != ShareMode::Rejoining {
            self.mode = ShareMode::Shared;
        }
        self.paused_until = self.paused_until.max(now + grant.paused);
        let interval = self.terms.interval;
        let keep = Duration::from_nanos(self.terms.keep);
        self.lease
            .add(asked, now, grant.first, interval, keep, grant.granted);
        if grant.granted > 0 {
            self.end = grant.end;
        }
        let taken = interval.saturating_mul(grant.granted.into());
        let free_in = grant.first.saturating_add_unsigned(taken).max(0);
        self.next_free = after(now, free_in.unsigned_abs());
        self.ask_not_before = now;
        if grant.granted == 0 {
            let horizon = self.terms.horizon(self.processes);
            let over = free_in.unsigned_abs().saturating_sub(horizon);
            self.ask_not_before = after(now, over).max(now + ASK_AGAIN);
        }
        self.wakes.extend(self.line.late_wakers(self.next_free));
        self.wake_head();
        was_away
    }

    /// The store cannot be reached. `true`: until now it could.
    pub fn on_away(&mut self, now: Instant, random: &mut dyn Random) -> bool {
        self.asking = false;
        // Not all at once, and half as late again at the most: `Terms::settle` counts on it.
        let probe = self.terms.settings.probe;
        self.ask_not_before = now + probe + share_of(probe, random.next_unit() / 2.0);
        if self.mode == ShareMode::Away {
            return false;
        }
        let rejoining = std::mem::replace(&mut self.mode, ShareMode::Away) == ShareMode::Rejoining;
        if rejoining {
            return false;
        }
        let processes = match self.processes {
            0 => self.terms.settings.assumed_processes,
            seen => seen,
        };
        self.away_since = now;
        // What others have been given ahead is used first; and what this process may have at once it has had.
        let begins = match self.processes {
            0 => now,
            seen => after(now, self.terms.horizon(seen)),
        };
        let interval = self.terms.interval.saturating_mul(processes.into());
        let burst = self.terms.burst / u64::from(processes);
        self.local = Bucket::empty(interval, burst, begins);
        self.wake_head();
        true
    }

    /// Those to wake, once the lock that guards this share is released.
    #[must_use = "who is not woken waits longer than it has to"]
    pub fn take_wakes(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakes)
    }

    /// What is known at `now`, for people.
    #[must_use]
    pub fn state(&self, now: Instant) -> ShareState {
        let left = |until: Instant| Some(until.since(now)).filter(|left| !left.is_zero());
        ShareState {
            name: String::new(),
            quota: self.terms.quota.to_string(),
            mode: self.mode,
            processes: self.processes,
            held: self.lease.held(),
            queued: self.line.len(),
            paused_for: left(self.paused_until),
            away_for: self.is_alone().then(|| now.since(self.away_since)),
            used: self.used,
            round_trips: self.round_trips,
        }
    }

    fn pass_time(&mut self, now: Instant) {
        if self.mode == ShareMode::Rejoining && now >= self.rejoins_at {
            self.mode = ShareMode::Shared;
        }
        self.lease.drop_void(now);
        if self.line.sweep(now, &mut self.wakes) {
            self.wake_head();
        }
    }

    fn admit(&mut self, ticket: &mut ShareTicket, now: Instant) -> bool {
        if self.paused_until > now {
            return false;
        }
        let void_at = match self.lease.take(now) {
            Some(void_at) => void_at,
            None if self.is_alone() && self.local.ready_at(0) <= now => {
                self.local.take(now);
                now + Duration::from_nanos(self.terms.keep)
            }
            None => return false,
        };
        ticket.void_at = Some(void_at);
        self.used = self.used.saturating_add(1);
        true
    }

    fn leave(&mut self, ticket: &mut ShareTicket) {
        if ticket.queued && self.line.remove(ticket.order) {
            self.wake_head();
        }
        ticket.queued = false;
    }

    /// The soonest that a call can go which has `ahead` others before it, as far as that is known.
    fn earliest(&self, now: Instant, ahead: usize) -> Option<Instant> {
        let known = self.lease.time_of(ahead).or_else(|| {
            let held = usize::try_from(self.lease.held()).unwrap_or(usize::MAX);
            let beyond = u64::try_from(ahead.saturating_sub(held)).unwrap_or(u64::MAX);
            if self.is_alone() {
                return Some(self.local.ready_at(beyond));
            }
            let later = self.terms.interval.saturating_mul(beyond);
            (self.next_free > now).then(|| after(self.next_free, later))
        });
        match known {
            Some(at) => Some(at.max(self.paused_until)),
            None => Some(self.paused_until).filter(|until| *until > now),
        }
    }

    /// Permits to ask for now.
    fn wanted(&mut self, now: Instant) -> u32 {
        let waiting = u32::try_from(self.line.len()).unwrap_or(u32::MAX);
        let expected = self.demand.expected(now);
        let most = self.terms.most_held(self.processes.max(1));
        let target = waiting.max(expected).min(most);
        let held = self.lease.held();
        if held == 0 || held <= target / 2 {
            target.saturating_sub(held)
        } else {
            0
        }
    }

    fn unused(&mut self, ask: &mut Ask, now: Instant) {
        let unused = self.lease.take_unused();
        ask.want = 0;
        ask.back = unused.all;
        ask.back_last = unused.last;
        ask.back_age = now.since(unused.since);
        ask.back_end = self.end;
        // What was expected did not come.
        self.demand = Demand::new(Duration::from_nanos(self.terms.ahead / FORESIGHT));
    }

    fn wake_head(&mut self) {
        self.wakes.extend(self.line.head_waker());
    }
}

#[cfg(test)]
mod tests;
