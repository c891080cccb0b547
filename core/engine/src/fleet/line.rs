//! Those who wait for a permit, in order of arrival. Only the first may go; the others are woken when they become it.

use std::collections::VecDeque;
use std::task::Waker;

use crate::time::Instant;

#[derive(Debug)]
struct Waiter {
    order: u64,
    deadline: Instant,
    waker: Option<Waker>,
}

/// The waiters, earliest first. Bounded by the share, which refuses those that do not fit.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiters: VecDeque<Waiter>,
    last_order: u64,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// A place for a newcomer, behind all that ever came. Never 0.
    pub(super) fn next_order(&mut self) -> u64 {
        self.last_order = self.last_order.saturating_add(1);
        self.last_order
    }

    /// How many are before `order`, and whether it is in the line.
    pub(super) fn place_of(&self, order: u64) -> (usize, bool) {
        // The usual cases are the head and a newcomer; neither needs a search.
        match (self.waiters.front(), self.waiters.back()) {
            (Some(head), _) if head.order == order => (0, true),
            (_, Some(last)) if last.order < order => (self.waiters.len(), false),
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
    pub(super) fn put(&mut self, order: u64, deadline: Instant, waker: Option<&Waker>) {
        let (place, queued) = self.place_of(order);
        let waker = waker.cloned();
        match self.waiters.get_mut(place).filter(|_| queued) {
            Some(waiter) => (waiter.deadline, waiter.waker) = (deadline, waker),
            None => self.waiters.insert(
                place,
                Waiter {
                    order,
                    deadline,
                    waker,
                },
            ),
        }
    }

    /// Leaves. Answers whether it was the head.
    pub(super) fn remove(&mut self, order: u64) -> bool {
        let (place, queued) = self.place_of(order);
        if queued {
            self.waiters.remove(place);
        }
        queued && place == 0
    }

    /// Sweeps out heads whose deadline is past, and pushes their wakers: they learn it from the answer to their next
    /// question. Answers whether there is another head now.
    pub(super) fn sweep(&mut self, now: Instant, wakes: &mut Vec<Waker>) -> bool {
        let before = self.waiters.len();
        while let Some(waiter) = self.waiters.pop_front_if(|head| head.deadline < now) {
            wakes.extend(waiter.waker);
        }
        self.waiters.len() != before
    }

    /// The last moment at which a permit is of use to anybody here.
    pub(super) fn latest_deadline(&self) -> Option<Instant> {
        self.waiters.iter().map(|waiter| waiter.deadline).max()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_order_is_that_of_arrival_whoever_leaves() {
        let mut line = Line::default();
        let orders: Vec<u64> = (0..4).map(|_| line.next_order()).collect();
        for order in [orders[0], orders[1], orders[3], orders[2]] {
            line.put(order, at(order), None);
        }
        assert_eq!(line.place_of(orders[2]), (2, true));
        assert!(!line.remove(orders[1]));
        assert!(line.remove(orders[0]), "it was the head");
        assert!(!line.remove(orders[0]), "and is so no more");
        assert_eq!(line.place_of(orders[3]), (1, true));
        assert_eq!(line.latest_deadline(), Some(at(4)));
    }

    #[test]
    fn heads_that_are_late_are_swept_out() {
        let mut line = Line::default();
        for _ in 0..3 {
            let order = line.next_order();
            line.put(order, at(order), Some(Waker::noop()));
        }
        let mut wakes = Vec::new();
        assert!(line.sweep(at(3), &mut wakes));
        assert_eq!((wakes.len(), line.len()), (2, 1));
        assert!(!line.sweep(at(3), &mut wakes));
    }
}
