//! One quota for any number of processes: the part of it that one process has.
//!
//! The quota itself is kept where all processes can reach it (Redis: `core/src/fleet/`). Each process takes a few permits
//! ahead, a lease, so that most calls need no round trip. This is the state machine of one process: [`Share`]. It decides
//! when to ask and for how much, who goes next, and what is done while the store cannot be reached; the driver asks.
//! Why it is so, and the proof of the bound: `docs/decisions/0018-fleet-quota.md`.

mod demand;
mod lease;
mod ledger;
mod line;
mod share;
mod state;
mod terms;

#[cfg(test)]
mod simulation;

pub use ledger::{Ask, Grant, Ledger};
pub use share::{Errand, Share, ShareTicket};
pub use state::{ShareMode, ShareState};
pub use terms::{ShareSettings, Terms, TermsError};
