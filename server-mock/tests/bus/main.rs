//! Webhooks by workers that are processes: killed at random, with a receiver that fails, a broker that is killed and comes back, and
//! one that is away at first. What counts is what arrived at the receiver, and what the gateway tells of it. Beside them events that
//! are handed on to consumer groups.
//!
//! `GATEWRIGHT_BUS_EVENTS=10000 cargo test -p gatewright-server-mock --features nats,redis --test bus -- --nocapture
//! --test-threads 1` is the full proof; the default is 200 events. Prints its figures.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod asking;
#[cfg(any(feature = "nats", feature = "redis"))]
mod away;
mod broker;
mod killed;
mod processes;
mod receiver;
mod relay;
