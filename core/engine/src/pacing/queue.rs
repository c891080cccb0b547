//! Those who wait in one line, in order of arrival.
//!
//! The order is exact: only the first may go. Waiting costs no timer but the head's; the others are woken when they
//! become the head, and ask again from time to time to see whether they still make their deadline.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use super::route::Route;
use crate::time::Instant;

/// One that waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) order: u64,
    pub(super) deadline: Instant,
    pub(super) waker: Option<Waker>,
    /// It makes its deadline only if nobody is held back for politeness.
    pub(super) pressed: bool,
    /// Where it goes.
    pub(super) route: Route,
}

impl Waiter {
    pub(super) fn order(&self) -> u64 {
        self.order
    }
}

/// The waiters, earliest first. Bounded by the pacer, which refuses those that do not fit.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiters: VecDeque<Waiter>,
    pressed: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// The order of the head.
    pub(super) fn first(&self) -> u64 {
        self.waiters.front().map_or(u64::MAX, |head| head.order)
    }

    /// Whether somebody misses a deadline if waits are kept that no server asks for.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed > 0
    }

    /// How many are before `order`, and whether it is in the queue.
    pub(super) fn place_of(&self, order: u64) -> (usize, bool) {
        // The usual cases are the head and a newcomer; neither needs a search.
        match (self.waiters.front(), self.waiters.back()) {
            (Some(head), _) if head.order == order => (0, true),
            (_, Some(last)) if last.order < order => (self.waiters.len(), false),
            (None, _) => (0, false),
            _ => match self
                .waiters
                .binary_search_by_key(&order, |waiter| waiter.order)
            {
                Ok(place) => (place, true),
                Err(place) => (place, false),
            },
        }
    }

    /// Joins, or renews what is known of a waiter.
    pub(super) fn put(&mut self, new: Waiter) {
        let (place, queued) = self.place_of(new.order);
        self.pressed += usize::from(new.pressed);
        if !queued {
            self.waiters.insert(place, new);
            return;
        }
        if let Some(waiter) = self.waiters.get_mut(place) {
            self.pressed = self.pressed.saturating_sub(usize::from(waiter.pressed));
            *waiter = new;
        }
    }

    /// Leaves. Answers whether it was the head.
    pub(super) fn remove(&mut self, order: u64) -> bool {
        let (place, queued) = self.place_of(order);
        if queued && let Some(waiter) = self.waiters.remove(place) {
            self.pressed = self.pressed.saturating_sub(usize::from(waiter.pressed));
        }
        queued && place == 0
    }

    /// Sweeps out heads whose deadline is past: they have gone away without a word, and would hold up the rest.
    /// Pushes their wakers: who is late rather than gone learns it from the answer to the next question.
    pub(super) fn sweep(&mut self, now: Instant, wakes: &mut Vec<Waker>) -> bool {
        let before = self.waiters.len();
        while let Some(waiter) = self.waiters.pop_front_if(|head| head.deadline < now) {
            self.pressed = self.pressed.saturating_sub(usize::from(waiter.pressed));
            wakes.extend(waiter.waker);
        }
        self.waiters.len() != before
    }

    /// All deadlines are later by this much.
    pub(super) fn postpone(&mut self, by: Duration) {
        for waiter in &mut self.waiters {
            waiter.deadline = waiter.deadline + by;
        }
    }

    /// The head's waker.
    pub(super) fn head_waker(&self) -> Option<Waker> {
        self.waiters.front()?.waker.clone()
    }

    /// The wakers of those behind the head whose deadline is before `ready`: they wait in vain.
    pub(super) fn late_wakers(&self, ready: Instant) -> impl Iterator<Item = Waker> {
        let behind = self.waiters.iter().skip(1);
        let late = behind.filter(move |waiter| waiter.deadline < ready);
        late.filter_map(|waiter| waiter.waker.clone())
    }
}

impl IntoIterator for Queue {
    type Item = Waiter;
    type IntoIter = std::collections::vec_deque::IntoIter<Waiter>;

    fn into_iter(self) -> Self::IntoIter {
        self.waiters.into_iter()
    }
}
