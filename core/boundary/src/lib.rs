//! What the SDKs for JavaScript, Swift and Kotlin share: the native half of each is this crate, and a host around it.
//!
//! The host language numbers its calls. What comes of them crosses as frames, many in one batch (`frame.rs`, `batch.rs`); what the core asks of
//! the host language (a token, a hook, the next piece of a body) crosses as questions (`question.rs`). Settings, options, errors and records are
//! JSON. A [`Port`] has all of that: one for each thread of JavaScript's, one for a process of Swift's or Kotlin's. A [`Host`] is what it needs of
//! its surroundings.
//!
//! The feature `client` is all of that; `webhook` alone is only [`HostWebhook`] and what it comes with, without any of the client;
//! `credentials` alone only [`credential_parts`], which Python has of it.

#[cfg(any(feature = "client", feature = "webhook"))]
mod json;
#[cfg(feature = "client")]
mod json_lines;
#[cfg(feature = "webhook")]
mod webhook;

#[cfg(feature = "client")]
mod admission;
#[cfg(feature = "client")]
mod auth;
#[cfg(feature = "client")]
mod batch;
#[cfg(feature = "client")]
mod cache;
#[cfg(feature = "client")]
mod call;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "credentials")]
pub mod credential_parts;
#[cfg(feature = "client")]
mod download;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod events;
#[cfg(feature = "client")]
mod explain;
#[cfg(feature = "client")]
mod floor;
#[cfg(feature = "client")]
mod frame;
#[cfg(feature = "client")]
mod headers;
#[cfg(feature = "client")]
mod hooks;
#[cfg(feature = "client")]
mod host;
#[cfg(feature = "client")]
mod list;
#[cfg(feature = "client")]
mod login;
#[cfg(feature = "client")]
mod members;
#[cfg(feature = "client")]
mod meta;
#[cfg(feature = "client")]
mod names;
#[cfg(feature = "client")]
mod observer;
#[cfg(feature = "client")]
mod options;
#[cfg(feature = "client")]
mod port;
#[cfg(feature = "client")]
mod question;
#[cfg(feature = "client")]
mod record;
#[cfg(feature = "client")]
mod settings;
#[cfg(feature = "client")]
mod shared_quota;
#[cfg(feature = "client")]
mod state;
#[cfg(feature = "client")]
mod stream;
#[cfg(feature = "client")]
mod table;
#[cfg(feature = "client")]
mod token;
#[cfg(feature = "client")]
mod token_store;
#[cfg(feature = "client")]
mod trace;
#[cfg(feature = "client")]
mod upload;
#[cfg(feature = "client")]
mod upload_resumable;

#[cfg(all(feature = "client", feature = "native"))]
pub use crate::auth::generate_signing_key;
#[cfg(feature = "client")]
pub use crate::{
    batch::Batch,
    client::HostClient,
    frame::Frame,
    host::{Host, Task},
    names::Language,
    port::Port,
    record::{answer_error, error_codes, timeline},
};
#[cfg(feature = "client")]
pub use gatewright::{Body, ClientBuilder};
#[cfg(feature = "webhook")]
pub use webhook::{HostReplayGuard, HostVerifier, HostWebhook, generate_secret};

#[cfg(test)]
#[cfg(feature = "client")]
mod tests;
