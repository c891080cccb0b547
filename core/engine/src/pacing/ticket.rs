//! The place of one attempt: in the queue, under way, or neither.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Idle | `poll` answers `Go` | Admitted |
//! | Idle | `poll` answers `Wait` | Queued |
//! | Queued | `poll` answers `Go`: it was the head, and had quota | Admitted |
//! | Queued | `poll` answers `Refuse`, or `on_cancelled` | Idle |
//! | Admitted | `poll` | Admitted: `Go` again, counted once (`a_ticket_is_counted_once`) |
//! | Admitted | `on_response`, `on_failed`, `on_throttled`, `on_cancelled` | Idle |
//! | Idle | any `on_*` | Idle: nothing is counted twice (`a_ticket_is_counted_once`) |

use super::counter::Counted;
use super::route::Route;
use crate::limits::Reach;
use crate::time::Instant;

/// Counters that a call is kept track of with; by further ones it is taken to be counted when they name it.
pub(super) const MOST_COUNTED: usize = 6;

/// The place of one call's attempt with a [`Pacer`](super::Pacer); it starts idle.
///
/// A ticket that is idle again may be polled for the next attempt of the same call. It keeps its place in line, so that
/// a call that the server refused is not overtaken by those that came after it.
///
/// A ticket that was polled must be handed back through one of the pacer's `on_*`, so its owner does that in its own
/// `Drop`. One that is lost while queued holds up those behind it until its deadline, then it is swept out; one that is
/// lost after `Go` counts as a call in flight for as long as the pacer lives, which makes the pacer more careful than
/// it had to be, never less.
#[derive(Debug, Default)]
pub struct Ticket {
    pub(super) state: TicketState,
    /// Its place in line, once it has one; lower is earlier, zero is none.
    pub(super) order: u64,
    /// When it got that place.
    pub(super) came_at: Instant,
    /// How many calls had been admitted before it.
    pub(super) index: u64,
    pub(super) sent_at: Instant,
    /// No other call was in flight when it was admitted.
    pub(super) alone: bool,
    /// What to hand in to the release when it is over.
    pub(super) generation: u32,
    /// The same for the release of its route, while that was unknown.
    pub(super) scout: u32,
    /// Where the call goes.
    pub(super) route: Route,
    /// Its place with each counter that was thought to count it, with the counter's slot; most servers have no counter.
    pub(super) counted: Vec<(u8, Counted)>,
    /// Of its last answer: a bit for each counter that it named, and for each of them that had nothing left.
    pub(super) named: u64,
    pub(super) exhausted: u64,
    /// Of its last answer: which calls a refusal is meant for.
    pub(super) reach: Reach,
}

impl Ticket {
    /// A ticket for a call that goes there.
    #[must_use]
    pub fn to(route: Route) -> Self {
        Self {
            route,
            ..Self::default()
        }
    }

    /// A ticket for the same place, with another pacer.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::to(self.route)
    }

    /// The call goes elsewhere than was said. Takes effect with the next attempt.
    pub fn set_route(&mut self, route: Route) {
        self.route = route;
    }

    /// Its places with the counters.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, &Counted)> {
        self.counted
            .iter()
            .map(|(slot, counted)| ((*slot).into(), counted))
    }
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TicketState {
    #[default]
    Idle,
    Queued,
    Admitted,
}
