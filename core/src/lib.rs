//! Client for HTTP API platforms: retries, rate-limit respect, idempotency and auth from one core.
//!
//! ```no_run
//! # async fn example() -> Result<(), gatewright::Error> {
//! use gatewright::{Auth, Client};
//!
//! let client = Client::builder("https://api.example.com").auth(Auth::bearer("sk_...")).build()?;
//! let contact: serde_json::Value = client.get("/v1/contacts/ct_000001").send().await?.json()?;
//! # Ok(())
//! # }
//! ```

mod breaker;
pub use breaker::BreakerSettings;

mod client;
pub use client::{Client, ClientBuilder};

mod explain;
pub use explain::{Explanation, Hypothetical, Plan};

mod hedge;
pub use hedge::Hedge;

mod regions;

mod request;
pub use request::{RequestBuilder, checked_header};

mod response;
pub use response::{Response, StreamResponse};

mod pacing;
mod pages;
pub use pages::{Page, PageStyle, Pages};

mod events;
pub use events::{Event, Events};

mod json_lines;
pub use json_lines::{JsonLines, Line};

mod download;
pub use download::Download;
#[cfg(feature = "native")]
pub use download::Downloaded;

mod upload;
pub use upload::{Upload, UploadSource, Uploaded};

mod throughput;
pub use throughput::{MinThroughput, Stalled};

mod transfer;

pub mod telemetry;

mod record;

#[cfg(feature = "native")]
mod blocking;

mod auth;
pub use auth::Auth;

mod credentials;

mod token_source;
pub use gatewright_engine::token::Token;
pub use token_source::FetchToken;

pub mod signing;

pub mod oauth;
pub use oauth::OAuth;

pub mod token_store;

mod body;
pub use body::{Body, BoxError, ByteStream};

mod hooks;
pub use hooks::{AfterAttempt, BeforeAttempt, Hooks};

mod shared_quota;
pub use shared_quota::{NoPermit, ShareMode, ShareState, SharedQuota, Taken};
mod cache;
pub use cache::{CacheMode, CacheSettings, CacheStatus};

#[cfg(feature = "redis")]
mod fleet;
#[cfg(feature = "redis")]
pub use fleet::RedisQuota;

#[cfg(feature = "redis")]
pub mod webhooks;

mod timeout;
pub use timeout::Setting as Timeout;

pub mod runtime;
pub mod transport;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod send;
mod target;

/// The engine's own modules, for what has no name here.
pub use gatewright_engine as engine;
pub use gatewright_engine::attempts::{Attempt, Decision, Outcome};
pub use gatewright_engine::retry::{FailureClass, NoRetry, RetryCause, RetryPolicy};
pub use gatewright_engine::{Error, ErrorKind, Retryability};

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
