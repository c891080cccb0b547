//! Breaker, slots, regions and hedging, by what goes onto the wire: over a transport that takes its time, and a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod breaker;
mod concurrency;
mod explain;
mod gateway;
mod hedging;
mod regions;
mod timed;

use std::time::Duration;

use gatewright::testing::VirtualClock;
use gatewright::{Client, ClientBuilder};
use timed::{Say, Timed};

/// A client of `https://eu.example` over a transport that answers as `say` says.
pub(crate) struct World {
    pub(crate) clock: VirtualClock,
    pub(crate) wire: Timed,
    pub(crate) client: Client,
}

pub(crate) fn world(
    say: impl FnMut(&timed::Asked) -> Say + Send + 'static,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    let clock = VirtualClock::new(7);
    let wire = Timed::new(&clock, say);
    let builder = Client::builder("https://eu.example")
        .pacing(false)
        .runtime(clock.clone())
        .transport(wire.clone());
    World {
        client: settings(builder).build().unwrap(),
        clock,
        wire,
    }
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
