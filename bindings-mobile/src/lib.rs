//! The native half of the Swift and Kotlin SDKs: uniffi around the crate `gatewright-boundary`, which has everything that these share with
//! the SDKs for JavaScript. What it exports is called by the SDKs alone, never by their users.
//!
//! The host's own thread drives: it calls [`Port::drive`] in a loop, which runs everything that is under way until something has come of it.
//! So nothing here calls into the host, results cross many at a time, and no thread begins before the first call.
//!
//! | File | What |
//! |---|---|
//! | `port.rs` | what a process has: clients, calls, questions |
//! | `drive.rs` | the loop, and when it ends |
//! | `mailbox.rs` | tasks and frames on their way |
//! | `client.rs`, `login.rs`, `webhook.rs` | the objects |
//! | `blob.rs` | bytes on their way |
//! | `jni.rs`, `handles.rs` | the same for Java's virtual machines, without uniffi |

mod blob;
mod client;
mod drive;
mod error;
#[cfg(not(target_os = "ios"))]
mod handles;
#[cfg(not(target_os = "ios"))]
pub mod jni;
mod login;
mod mailbox;
mod port;
mod webhook;

pub use blob::Blob;
pub use client::NativeClient;
pub use error::NativeError;
pub use login::generate_signing_key;
pub use port::{Delivery, Language, Port};
pub use webhook::{NativeReplayGuard, NativeVerifier, NativeWebhook, generate_secret, replay_key};

uniffi::setup_scaffolding!();

/// The version of the package.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The codes of all kinds of errors.
#[uniffi::export]
#[must_use]
pub fn error_codes() -> Vec<String> {
    gatewright_boundary::error_codes()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// An error, as JSON and in Swift's words, about an answer that was delivered already: `meta` is the answer's, `what` goes on from "was
/// answered 200 OK".
#[uniffi::export]
#[must_use]
pub fn answer_error(meta: &str, code: &str, what: &str) -> String {
    gatewright_boundary::answer_error(Language::Swift.into(), meta, code, what)
}

/// The attempts (JSON) as a picture in text.
#[uniffi::export]
#[must_use]
pub fn timeline(attempts: &str) -> String {
    gatewright_boundary::timeline(attempts)
}
