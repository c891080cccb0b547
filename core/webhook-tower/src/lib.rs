//! Receives webhooks in [tower](https://docs.rs/tower) services and [axum](https://docs.rs/axum) handlers. What verifies is the crate
//! `gatewright-webhook`; this one reads the raw body, answers the sender and tells the developer.
//!
//! | Want | Take |
//! |---|---|
//! | A service or router behind the verification, each message handled once | [`WebhookLayer`] |
//! | One axum handler that gets verified bytes or a typed payload | `SignedBody`, `SignedJson` (feature `axum`) |
//! | A handler for each type of event | [`Events`] |
//! | Something else | [`Receiver::receive`] |
//!
//! The sender is told nothing but a status and [`VerifyError::FOR_SENDER`](gatewright_webhook::VerifyError::FOR_SENDER):
//!
//! | Status | When |
//! |---|---|
//! | the handler's | it verified, and was not handled before |
//! | 200 | a challenge was answered, or the message was handled before |
//! | 400 | it did not verify, or its body broke off; 401 from Discord, which asks for that |
//! | 413 | the body is larger than the verifier's `max_body` |
//! | 422 | it verified, and its payload is not of the handler's type |
//! | 503 | a handler has the message now; the replay store, or the fetching of a certificate, failed: the sender tries again |
//!
//! The reason is for you: a `tracing` warning with target `gatewright_webhook`, and [`Receiver::on_failure`].
//!
//! Deadlines are the server's, as with every body in tower: put a timeout layer (tower-http's `RequestBodyTimeoutLayer` or
//! `TimeoutLayer`) around this one, so that a sender that stops in the middle of a body does not keep a connection.

#![forbid(unsafe_code)]

mod receiver;
pub use receiver::Receiver;

mod reading;

#[cfg(feature = "asymmetric")]
mod certificates;

mod delivery;
pub use delivery::Delivery;

mod failure;
pub use failure::Failure;

mod answer;
pub use answer::Answer;

mod guard;

mod layer;
pub use layer::{WebhookLayer, WebhookService};

mod events;
pub use events::{DispatchError, Dispatched, Events};

#[cfg(feature = "axum")]
mod extractors;
#[cfg(feature = "axum")]
pub use extractors::{SignedBody, SignedJson};

pub use gatewright_webhook as webhook;

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

pub(crate) type BoxFuture<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// The Rust examples of the page on axum and tower, compiled and run.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/webhooks/axum.md")]
struct Guide;
