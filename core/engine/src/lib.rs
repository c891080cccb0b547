//! The decisions of a Gatewright call as pure state machines.

mod time;
pub use time::{Instant, Now, Random, UnixMillis};

pub mod limits;
pub mod pacing;
