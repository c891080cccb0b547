//! The Gatewright reference gateway: correct, deterministic API gateway behaviour on one's own machine.
//!
//! Limits whose headers are true, real idempotency, one clock for everything, faults down to the byte, and a journal
//! that needs no help from the client. Run it as `gatewright-gateway serve`, or embed it: [`Gateway::builder`].
//! The whole surface is in `docs/gateway.md`.

#![forbid(unsafe_code)]

mod admin;
mod admission;
mod api_version;
mod batch;
mod bounded;
mod bus;
mod bus_options;
mod call;
mod client;
mod clock;
mod dashboard;
mod dialect;
mod dispatch;
mod durable;
mod effects;
mod endpoints;
mod events;
mod exchange;
mod fault;
mod fault_rules;
mod files;
mod gateway;
mod greeting;
mod header_rules;
mod https;
mod idempotency;
mod integrations;
mod jobs;
mod journal;
mod key;
mod keyed;
mod known_keys;
mod limiter;
mod listener;
mod lock;
mod log;
mod logical;
mod login;
mod meter;
mod metrics;
mod normalised;
mod noted;
mod oauth;
mod op;
mod openapi;
mod options;
mod otlp;
mod parameter;
mod play;
mod policy;
mod private_file;
mod problem;
mod quota;
mod receive;
mod records;
mod redact;
mod region;
mod reply;
mod resource;
mod resting;
mod routes;
mod session;
mod shared_limits;
mod signing;
mod stable_hash;
mod static_files;
mod swagger_ui;
mod tier;
mod timeline;
mod timestamp;
mod told;
mod upstream;
mod usage;
mod verdict;
mod via;
mod webhooks;
mod wire;
mod world;

pub use bus_options::{BusOptions, Worker};
pub use client::TlsTrouble;
#[doc(hidden)]
pub use client::http_client;
pub use dialect::{Dialect, RetryAfter};
pub use dispatch::desk::SentBy;
pub use effects::{ByKey, Effects};
pub use fault::{Fault, FaultError};
pub use fault_rules::{FaultRule, Match, RandomFaults, RuleState};
pub use gateway::{Gateway, GatewayBuilder};
pub use header_rules::{HeaderRule, HeaderText};
pub use https::Https;
pub use integrations::{Email, Integration, Notice, NoticeAttempt, NoticeState, Slack};
pub use journal::JournalEntry;
pub use key::Token;
pub use known_keys::KnownKey;
pub use limiter::{Decision, LimitedCall, Limiter};
pub use log::{LogFormat, LogLevel};
pub use login::{LoginOptions, LoginProvider};
pub use meter::Window;
pub use normalised::NormalisedEntry;
pub use noted::{ProblemSaid, QuotaLevel};
pub use oauth::{AuthMethod, Consent, Dpop, IdTokenAlg, OAuthClient, OAuthOptions, Pkce};
pub use options::{Auth, Options, OptionsChange, Shared};
pub use policy::{Partition, Policy, Unit};
pub use session::{ClockState, LimitState, Refused, Session};
pub use shared_limits::{LimitStore, LimitsFail, LimitsSettings, StoreAway};
pub use signing::{SigningMode, SigningOptions, VerifyingKey};
pub use tier::{Limits, Tier};
pub use told::Told;
pub use upstream::{HealthCheck, Upstream, UpstreamBreaker, UpstreamState};
pub use usage::{Bucket, Usage, UsageCounts, UsagePoint};
pub use verdict::{
    Aspect, AspectVerdict, AttemptVerdict, CallVerdict, Finding, Grade, Mark, Quota, Verdict,
};
pub use webhooks::{
    Attempt, Delivery, DeliveryState, Disabled, Endpoint, Excerpt, Failed, WebhookOptions,
};

/// The Rust example of the guide, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/gateway.md")]
struct Guide;
