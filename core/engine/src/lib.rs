//! The decisions of a Gatewright call as pure state machines: retries, limits, credentials, errors.
//!
//! Nothing here does I/O, reads a clock or makes up a random number: time and randomness are arguments, so that every
//! rule can be simulated, and so that every language behaves the same. The driver is the crate `gatewright`.
//!
//! [`call::Call`] is the loop of one call; [`host::Engine`] has what calls share.

mod decimal;

mod time;
pub use time::{Instant, Now, Random, UnixMillis};

pub mod defaults;

pub mod error;
pub use error::{Error, ErrorKind, Retryability};

pub mod attempts;
pub mod call;
pub mod explain;
pub mod host;
mod latency;
pub mod timeline;

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod concurrency;
pub mod idempotency;
pub mod problem;
pub mod regions;
pub mod retry;
pub mod retry_after;

pub mod fleet;
pub mod limits;
pub mod pacing;

pub mod auth;
pub mod oauth;
pub mod redact;
pub mod signing;
pub mod token;

pub mod next_page;
pub mod redirect;

pub mod cache;

pub mod jsonl;

pub mod reconnect;
pub mod sse;

pub mod digest;
pub mod download;
pub mod range;
pub mod resume;
pub mod throughput;
pub mod upload;

pub mod trace_context;
