//! Every default, with its reason (see `docs/decisions/0002-defaults.md`).

use std::time::Duration;

/// Attempts in all, the first included. Every major SDK does three.
pub const MAX_ATTEMPTS: u32 = 3;
/// One deadline over queueing, token refresh, connecting, every attempt, every wait and the body.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// From sending an attempt to its response head.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// TCP and TLS set-up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two pieces of a response body.
pub const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Silence after which a stream of events counts as broken: servers send a comment every 15 to 30 s.
pub const EVENTS_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// What a download or a resumable upload has to achieve on average, in bytes a second; the slowest links in use bring more than twice that.
pub const MIN_BYTES_PER_SECOND: u64 = 1024;
/// How long a transfer may be slower than that.
pub const THROUGHPUT_GRACE: Duration = Duration::from_secs(20);
/// Bytes of one piece of a resumable upload; it is held in memory.
pub const UPLOAD_CHUNK: u64 = 8 * 1024 * 1024;
/// The longest line of JSON lines, in bytes.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;
/// First backoff; doubles with each retry.
pub const BACKOFF_BASE: Duration = Duration::from_millis(500);
/// The longest backoff.
pub const BACKOFF_CAP: Duration = Duration::from_secs(8);
/// A server may ask for this much patience; more is returned to the caller at once.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Jitter on top of a Retry-After, as a share of it.
pub const RETRY_AFTER_JITTER: f64 = 0.1;
/// Tokens of the retry budget of one client and host.
pub const BUDGET_TOKENS: u32 = 500;
/// What a retry costs.
pub const RETRY_COST: u32 = 5;
/// What a retry after a timeout costs: the server may still be busy with the first.
pub const TIMEOUT_RETRY_COST: u32 = 10;
/// What a success without a retry gives back.
pub const SUCCESS_REFUND: u32 = 1;
/// Redirects followed for one call.
pub const MAX_REDIRECTS: u32 = 5;
/// The header that carries the idempotency key.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// The largest response body that is buffered, in bytes.
pub const MAX_RESPONSE_BYTES: u64 = 100 * 1024 * 1024;
/// What is kept of an error's body, in bytes.
pub const MAX_ERROR_BYTES: usize = 256 * 1024;
/// How long before its expiry a token is renewed.
pub const TOKEN_REFRESH_AHEAD: Duration = Duration::from_secs(30);
/// Hosts of which one client keeps state; the least recently used is forgotten first.
pub const MAX_HOSTS: usize = 256;
/// The share of failures at which a breaker opens.
pub const BREAKER_FAILURE_RATE: f64 = 0.5;
/// Attempts before that share counts: a few failures are no outage.
pub const BREAKER_MINIMUM_CALLS: u32 = 20;
/// How long a breaker remembers an attempt.
pub const BREAKER_WINDOW: Duration = Duration::from_secs(30);
/// How long a breaker stays open before it tries for the first time; twice as long after each try that failed.
pub const BREAKER_FIRST_OPEN: Duration = Duration::from_secs(1);
/// How long a breaker stays open at most before it tries again.
pub const BREAKER_OPEN: Duration = Duration::from_secs(10);
/// How far that is spread, to either side, as a share of it.
pub const BREAKER_OPEN_JITTER: f64 = 0.1;
