//! The lines that calls wait in: one for all calls that take from the same counters, so that one hot resource holds up
//! nobody else.
//!
//! Within a line the order is exact. Between lines there is none: who waits for nothing but what it shares with another
//! line leaves there what those who came before it need (`ahead`), unless they wait for something else.

use std::task::Waker;
use std::time::Duration;

use super::queue::{Queue, Waiter};
use super::route::Route;
use crate::time::Instant;

/// Lines that are told apart; further ones stand in the first.
const MAX_LANES: usize = 64;

/// What the calls of one line have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneKey {
    /// A bit for each counter that they take from.
    pub(super) mask: u64,
    /// Where they go, while it is unknown what calls that go there take from; else 0.
    pub(super) unknown: u64,
}

/// One line.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: LaneKey,
    pub(super) queue: Queue,
    /// What its head was told to wait for; `None` where it has been woken since.
    pub(super) head_waits_until: Option<Instant>,
    /// Where its calls go, while that is unknown.
    pub(super) route: Route,
}

impl Lane {
    fn new(key: LaneKey, route: Route) -> Self {
        Self {
            key,
            queue: Queue::default(),
            head_waits_until: None,
            route,
        }
    }

    pub(super) fn wake_head(&mut self, wakes: &mut Vec<Waker>) {
        self.head_waits_until = None;
        wakes.extend(self.queue.head_waker());
    }
}

/// The lines in which somebody waits.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    waiting: usize,
}

impl Lanes {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// All that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Lane> {
        self.lanes.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Lane> {
        self.lanes.iter_mut()
    }

    fn at(&self, key: LaneKey) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.key == key)
    }

    pub(super) fn get(&self, key: LaneKey) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.key == key)
    }

    pub(super) fn get_mut(&mut self, key: LaneKey) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.key == key)
    }

    /// The line in which `order` stands, where somebody said that it stands in one.
    pub(super) fn line_of(&self, key: LaneKey, order: u64) -> Option<LaneKey> {
        let stands = |lane: &Lane| lane.queue.place_of(order).1;
        let own = self.get(key).filter(|lane| stands(lane));
        own.or_else(|| self.lanes.iter().find(|lane| stands(lane)))
            .map(|lane| lane.key)
    }

    /// The line that calls of `key` stand in: their own, or the first where there are too many.
    pub(super) fn key_for(&self, key: LaneKey) -> LaneKey {
        match self.lanes.first() {
            Some(first) if self.lanes.len() >= MAX_LANES && self.at(key).is_none() => first.key,
            _ => key,
        }
    }

    /// Joins a line, or renews what is known of a waiter.
    pub(super) fn put(&mut self, key: LaneKey, waiter: Waiter) {
        let at = match self.at(key) {
            Some(at) => at,
            None => {
                self.lanes.push(Lane::new(key, waiter.route));
                self.lanes.len() - 1
            }
        };
        if let Some(lane) = self.lanes.get_mut(at) {
            let before = lane.queue.len();
            lane.queue.put(waiter);
            self.waiting += lane.queue.len().saturating_sub(before);
        }
    }

    /// Leaves a line. Whoever is first now is woken.
    pub(super) fn remove(&mut self, key: LaneKey, order: u64, wakes: &mut Vec<Waker>) {
        let Some(at) = self.at(key) else { return };
        let Some(lane) = self.lanes.get_mut(at) else {
            return;
        };
        let before = lane.queue.len();
        let was_head = lane.queue.remove(order);
        self.waiting = self
            .waiting
            .saturating_sub(before.saturating_sub(lane.queue.len()));
        if was_head {
            lane.wake_head(wakes);
        }
        if lane.queue.is_empty() {
            self.lanes.swap_remove(at);
        }
    }

    /// Sweeps out heads whose deadline is past.
    pub(super) fn sweep(&mut self, now: Instant, wakes: &mut Vec<Waker>) {
        let mut swept = 0;
        self.lanes.retain_mut(|lane| {
            let before = lane.queue.len();
            if lane.queue.sweep(now, wakes) {
                swept += before.saturating_sub(lane.queue.len());
                lane.wake_head(wakes);
            }
            !lane.queue.is_empty()
        });
        self.waiting = self.waiting.saturating_sub(swept);
    }

    /// All deadlines are later by this much.
    pub(super) fn postpone(&mut self, by: Duration) {
        for lane in &mut self.lanes {
            lane.queue.postpone(by);
        }
    }

    /// Something was learned of which calls take from what: everybody stands where it belongs now, in its old order. All
    /// heads are woken, to look what they wait for.
    pub(super) fn sort(&mut self, key_of: impl Fn(Route) -> LaneKey, wakes: &mut Vec<Waker>) {
        if self.lanes.is_empty() {
            return;
        }
        let mut everybody: Vec<Waiter> = std::mem::take(&mut self.lanes)
            .into_iter()
            .flat_map(|lane| lane.queue)
            .collect();
        self.waiting = 0;
        everybody.sort_unstable_by_key(Waiter::order);
        for waiter in everybody {
            let key = self.key_for(key_of(waiter.route));
            self.put(key, waiter);
        }
        for lane in &mut self.lanes {
            lane.wake_head(wakes);
        }
    }
}
