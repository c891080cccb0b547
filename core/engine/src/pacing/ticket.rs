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

use crate::time::Instant;

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
    /// How many calls had been admitted before it.
    pub(super) index: u64,
    pub(super) sent_at: Instant,
    /// No other call was in flight when it was admitted.
    pub(super) alone: bool,
    /// What to hand in to the release when it is over.
    pub(super) generation: u32,
    /// A bit for each gate whose headers said that nothing was left, which the gate took for refilled.
    pub(super) overruled: u32,
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TicketState {
    #[default]
    Idle,
    Queued,
    Admitted,
}
