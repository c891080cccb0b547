//! The deliveries of one endpoint that are not finished: which may go next, and when.
//!
//! | A delivery is | Leaves by | To |
//! |---|---|---|
//! | waiting, due at an instant | its turn: the instant has come, no pause holds it, there is room; in an ordered lane also: all before it are finished | going |
//! | going | an answer that asks for another attempt | waiting |
//! | going | its end | out of the lane |
//!
//! A pause (`Retry-After` with 429 or 503) holds all of a lane.

use std::collections::{BTreeMap, BTreeSet};

/// The deliveries of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    by_due: BTreeSet<(u64, u64)>,
    /// When each is due, by its number: in order of publication.
    by_number: BTreeMap<u64, u64>,
    going: BTreeSet<u64>,
    pub(crate) paused_until_ns: u64,
}

impl Lane {
    /// The delivery of this number is due at `due_ns`.
    pub(crate) fn wait(&mut self, number: u64, due_ns: u64) {
        self.leave(number);
        self.by_due.insert((due_ns, number));
        self.by_number.insert(number, due_ns);
    }

    /// The delivery of this number is of no concern any more.
    pub(crate) fn leave(&mut self, number: u64) {
        self.going.remove(&number);
        if let Some(due_ns) = self.by_number.remove(&number) {
            self.by_due.remove(&(due_ns, number));
        }
    }

    /// All that waits is due at `now_ns` at the latest.
    pub(crate) fn hurry(&mut self, now_ns: u64) {
        for (number, due_ns) in &mut self.by_number {
            if *due_ns > now_ns {
                self.by_due.remove(&(*due_ns, *number));
                self.by_due.insert((now_ns, *number));
                *due_ns = now_ns;
            }
        }
        self.paused_until_ns = self.paused_until_ns.min(now_ns);
    }

    /// When the next may go; `None` where none waits, or an attempt has to end before.
    pub(crate) fn next_due(&self, ordered: bool, room: usize) -> Option<u64> {
        let (due_ns, _) = self.next(ordered, room)?;
        Some(due_ns.max(self.paused_until_ns))
    }

    fn next(&self, ordered: bool, room: usize) -> Option<(u64, u64)> {
        if !ordered {
            return self
                .by_due
                .first()
                .copied()
                .filter(|_| self.going.len() < room);
        }
        let (number, due_ns) = self.by_number.first_key_value()?;
        self.going.is_empty().then_some((*due_ns, *number))
    }

    /// Takes the next that may go at `now_ns`.
    pub(crate) fn take(&mut self, ordered: bool, room: usize, now_ns: u64) -> Option<u64> {
        if self.next_due(ordered, room)? > now_ns {
            return None;
        }
        let (due_ns, number) = self.next(ordered, room)?;
        self.by_due.remove(&(due_ns, number));
        self.by_number.remove(&number);
        self.going.insert(number);
        Some(number)
    }

    /// All that waits, in order of publication; nothing waits any more.
    pub(crate) fn give_up(&mut self) -> Vec<u64> {
        self.by_due.clear();
        std::mem::take(&mut self.by_number).into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unordered_lane_sends_what_is_due_as_far_as_there_is_room() {
        let mut lane = Lane::default();
        for (number, due) in [(1, 30), (2, 10), (3, 20)] {
            lane.wait(number, due);
        }
        assert_eq!(lane.next_due(false, 2), Some(10));
        assert_eq!(lane.take(false, 2, 9), None);
        assert_eq!(lane.take(false, 2, 20), Some(2));
        assert_eq!(lane.take(false, 2, 20), Some(3));
        // No room, though the first is due.
        assert_eq!(lane.next_due(false, 2), None);
        assert_eq!(lane.take(false, 2, 30), None);
        lane.leave(2);
        assert_eq!(lane.take(false, 2, 30), Some(1));
    }

    #[test]
    fn in_an_ordered_lane_each_waits_for_the_one_before_however_late_that_is() {
        let mut lane = Lane::default();
        for number in 1..=3 {
            lane.wait(number, 0);
        }
        assert_eq!(lane.take(true, 1, 0), Some(1));
        assert_eq!(lane.take(true, 1, 0), None);
        lane.wait(1, 500);
        assert_eq!(lane.next_due(true, 1), Some(500));
        assert_eq!(lane.take(true, 1, 499), None);
        assert_eq!(lane.take(true, 1, 500), Some(1));
        lane.leave(1);
        assert_eq!(lane.take(true, 1, 500), Some(2));
    }

    #[test]
    fn a_pause_holds_all_of_it() {
        let mut lane = Lane::default();
        lane.wait(1, 0);
        lane.paused_until_ns = 100;
        assert_eq!(
            (lane.next_due(false, 8), lane.next_due(true, 1)),
            (Some(100), Some(100))
        );
        assert_eq!(lane.take(false, 8, 99), None);
        assert_eq!(lane.take(false, 8, 100), Some(1));
    }

    #[test]
    fn who_comes_back_gets_all_that_waits_at_once() {
        let mut lane = Lane::default();
        lane.wait(1, 500);
        lane.wait(2, 5);
        lane.hurry(10);
        assert_eq!(lane.take(false, 8, 10), Some(2));
        assert_eq!(lane.take(false, 8, 10), Some(1));
        assert_eq!(lane.next_due(false, 8), None);
    }
}
