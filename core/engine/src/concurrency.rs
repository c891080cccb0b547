//! How many attempts of one client may be under way at one host at once. The rest stand in line, first come, first served.
//!
//! | State of a [`Slot`] | Event | Next |
//! |---|---|---|
//! | Idle | `poll`, one is free and nobody waits | Taken (`as_many_go_as_there_are_slots`) |
//! | Idle | `poll`, none is free, or others came before | Queued (`they_go_in_the_order_they_came`) |
//! | Idle | `poll`, the line is full | Idle, refused (`a_full_line_refuses`) |
//! | Queued | `poll`, it is the first and one is free | Taken |
//! | Queued | dropped: its caller went away, or its deadline passed | gone, the next is woken (`who_goes_away_leaves_the_line`) |
//! | Taken | `poll` | Taken, counted once |
//! | Taken | dropped | gone, the next is woken (`a_slot_goes_to_the_next_when_it_is_dropped`) |
//!
//! A slot is held for one attempt, up to the end of its answer's body: not while its call waits for its next attempt. It is given back
//! by `Drop` alone, so it cannot be lost.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Those that wait, at most. More are refused.
const LONGEST_LINE: usize = 10_000;

/// The limit of one host.
pub struct Concurrency {
    limit: u32,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    taken: u32,
    last_order: u64,
    line: VecDeque<Waiter>,
}

struct Waiter {
    order: u64,
    waker: Option<Waker>,
}

impl fmt::Debug for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Concurrency")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The answer to an attempt that wants a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It has one.
    Taken,
    /// It stands in line, and will be woken.
    Wait,
    /// The line is full.
    Full,
}

impl Concurrency {
    /// At most `limit` at once; at least one.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As values, for `client.state()`.
    #[must_use]
    pub fn state(&self) -> ConcurrencyState {
        let inner = self.lock();
        ConcurrencyState {
            limit: self.limit,
            in_flight: inner.taken,
            queued: inner.line.len(),
        }
    }
}

impl Inner {
    /// The waker of the first in line, where one is free for it.
    fn next(&mut self, limit: u32) -> Option<Waker> {
        if self.taken < limit {
            self.line.front()?.waker.clone()
        } else {
            None
        }
    }
}

/// The limit at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConcurrencyState {
    /// How many may be under way.
    pub limit: u32,
    /// How many are.
    pub in_flight: u32,
    /// How many wait.
    pub queued: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Queued(u64),
    Taken,
}

/// The place of one attempt. Dropping it gives it back.
pub struct Slot {
    of: Arc<Concurrency>,
    state: State,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.state).finish()
    }
}

impl Slot {
    /// A slot that is to be had.
    #[must_use]
    pub const fn new(of: Arc<Concurrency>) -> Self {
        Self {
            of,
            state: State::Idle,
        }
    }

    /// Whether it is had.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.state == State::Taken
    }

    /// Whether the attempt may go. `waker` is woken when it is its turn to ask again.
    pub fn poll(&mut self, waker: Option<&Waker>) -> Turn {
        if self.state == State::Taken {
            return Turn::Taken;
        }
        let mut inner = self.of.lock();
        let first = match (self.state, inner.line.front()) {
            (_, None) => true,
            (State::Queued(order), Some(front)) => front.order == order,
            _ => false,
        };
        if first && inner.taken < self.of.limit {
            if self.state != State::Idle {
                inner.line.pop_front();
            }
            inner.taken += 1;
            self.state = State::Taken;
            // More than one may have become free before the first in line came to ask.
            let next = inner.next(self.of.limit);
            drop(inner);
            if let Some(waker) = next {
                waker.wake();
            }
            return Turn::Taken;
        }
        match self.state {
            State::Queued(order) => {
                if let Ok(place) = inner.line.binary_search_by_key(&order, |w| w.order)
                    && let Some(waiter) = inner.line.get_mut(place)
                {
                    waiter.waker = waker.cloned();
                }
            }
            _ if inner.line.len() >= LONGEST_LINE => return Turn::Full,
            _ => {
                inner.last_order += 1;
                let order = inner.last_order;
                inner.line.push_back(Waiter {
                    order,
                    waker: waker.cloned(),
                });
                self.state = State::Queued(order);
            }
        }
        Turn::Wait
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut inner = self.of.lock();
        match self.state {
            State::Idle => return,
            State::Taken => inner.taken = inner.taken.saturating_sub(1),
            State::Queued(order) => {
                if let Ok(place) = inner.line.binary_search_by_key(&order, |w| w.order) {
                    inner.line.remove(place);
                }
            }
        }
        let next = inner.next(self.of.limit);
        drop(inner);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    fn of(limit: u32) -> Arc<Concurrency> {
        Arc::new(Concurrency::new(limit))
    }

    fn slot(of: &Arc<Concurrency>) -> Slot {
        Slot::new(Arc::clone(of))
    }

    #[derive(Default)]
    struct Woken(AtomicU32);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn woken() -> (Arc<Woken>, Waker) {
        let woken = Arc::new(Woken::default());
        (Arc::clone(&woken), woken.into())
    }

    #[test]
    fn as_many_go_as_there_are_slots() {
        let of = of(2);
        let mut slots: Vec<_> = (0..3).map(|_| slot(&of)).collect();
        let turns: Vec<_> = slots.iter_mut().map(|slot| slot.poll(None)).collect();
        assert_eq!(turns, [Turn::Taken, Turn::Taken, Turn::Wait]);
        assert_eq!(slots[0].poll(None), Turn::Taken);
        let state = of.state();
        assert_eq!((state.limit, state.in_flight, state.queued), (2, 2, 1));
    }

    #[test]
    fn they_go_in_the_order_they_came() {
        let of = of(1);
        let mut first = slot(&of);
        assert_eq!(first.poll(None), Turn::Taken);
        let (mut second, mut third) = (slot(&of), slot(&of));
        second.poll(None);
        third.poll(None);
        drop(first);
        // Neither who came later nor who comes only now is before the second.
        assert_eq!(third.poll(None), Turn::Wait);
        assert_eq!(slot(&of).poll(None), Turn::Wait);
        assert_eq!(second.poll(None), Turn::Taken);
    }

    #[test]
    fn a_slot_goes_to_the_next_when_it_is_dropped() {
        let of = of(1);
        let mut first = slot(&of);
        first.poll(None);
        let (woken, waker) = woken();
        let mut second = slot(&of);
        second.poll(Some(&waker));
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
        drop(first);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(second.poll(None), Turn::Taken);
    }

    #[test]
    fn who_goes_away_leaves_the_line() {
        let of = of(1);
        let mut first = slot(&of);
        first.poll(None);
        let (woken, waker) = woken();
        let (mut second, mut third) = (slot(&of), slot(&of));
        second.poll(None);
        third.poll(Some(&waker));
        drop(first);
        // The second was woken, but goes away before it asks.
        drop(second);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(third.poll(None), Turn::Taken);
        drop(third);
        assert_eq!((of.state().in_flight, of.state().queued), (0, 0));
    }

    #[test]
    fn two_that_become_free_at_once_let_two_go() {
        let of = of(2);
        let mut taken = [slot(&of), slot(&of)];
        taken.iter_mut().for_each(|slot| {
            slot.poll(None);
        });
        let ((one, first_waker), (two, second_waker)) = (woken(), woken());
        let (mut first, mut second) = (slot(&of), slot(&of));
        first.poll(Some(&first_waker));
        second.poll(Some(&second_waker));
        drop(taken);
        assert!(one.0.load(Ordering::SeqCst) > 0);
        assert_eq!(first.poll(None), Turn::Taken);
        assert_eq!(two.0.load(Ordering::SeqCst), 1);
        assert_eq!(second.poll(None), Turn::Taken);
    }

    #[test]
    fn a_full_line_refuses() {
        let of = of(1);
        let mut first = slot(&of);
        first.poll(None);
        let mut line: Vec<_> = (0..LONGEST_LINE).map(|_| slot(&of)).collect();
        assert!(line.iter_mut().all(|slot| slot.poll(None) == Turn::Wait));
        assert_eq!(slot(&of).poll(None), Turn::Full);
        line.pop();
        assert_eq!(slot(&of).poll(None), Turn::Wait);
    }
}
