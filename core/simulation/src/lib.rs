//! Plays the engine's decisions against a modelled gateway and a modelled network, on a virtual clock: one seed, one trace.
//!
//! 1. [`derive()`] makes a [`Script`] from a seed: clients, gateway, calls, faults.
//! 2. [`play()`] plays it: events in the order of their times (`world.rs`), a gateway that keeps quotas, tokens and keys
//!    (`gateway.rs`), and a checker that watches from outside what must hold (`check.rs`).
//! 3. [`minimise()`] makes a script that breaks an [`Invariant`] as small as it gets.
//!
//! [`BrokenRule`] switches rules off, to show that it would be noticed. See `docs/simulation.md`.

#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    reason = "places in the simulation's own lists; if one is wrong, it is the simulation that must stop"
)]

mod clock;
mod dice;
mod gateway;
mod tokens;
mod trace;

mod script;
pub use script::{
    Asks, BreakerPlan, CallPlan, Clients, Dead, Death, Fault, FaultKind, Gateway, Method, Network,
    QuotaKind, QuotaPlan, Says, Script, ScriptError, Sleep, Start, TokenPlan,
};

mod derive;
pub use derive::derive;

mod check;
pub use check::{Invariant, Violation};

mod broken;
pub use broken::BrokenRule;

mod world;
pub use world::{Played, play};

mod minimise;
pub use minimise::minimise;

mod many;
pub use many::{Sum, play_many};
