//! A replay guard in Redis, for receivers that are several processes. Each step is one script, so that it is atomic; the ends of leases and
//! of the retention are those of Redis's own clock.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatewright_engine::ErrorKind;
use gatewright_engine::redact::{HIDDEN, Secret};
use gatewright_webhook::replay::{AsyncReplayGuard, ReplayKey, Reservation, Reserve, Settled};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisError};

use crate::Error;

/// `h` and the token while a handler has the message, `d` once it is done. Answers 0 (reserved), 1 (done) or 2 and the rest of the lease.
const RESERVE: &str = r"
local held = redis.call('GET', KEYS[1])
if held == false then
  redis.call('SET', KEYS[1], 'h' .. ARGV[1], 'PX', ARGV[2])
  return {0, 0}
end
if held == 'd' then return {1, 0} end
return {2, redis.call('PTTL', KEYS[1])}
";

/// Answers 1 where the reservation still held.
const COMMIT: &str = r"
if redis.call('GET', KEYS[1]) ~= 'h' .. ARGV[1] then return {0, 0} end
redis.call('SET', KEYS[1], 'd', 'PX', ARGV[2])
return {1, 0}
";

/// As `COMMIT`.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) ~= 'h' .. ARGV[1] then return {0, 0} end
redis.call('DEL', KEYS[1])
return {1, 0}
";

/// Remembers messages in Redis 5 or later, or Valkey.
///
/// ```no_run
/// # async fn example(verified: gatewright_webhook::Verified, now: i64) -> Result<(), Box<dyn std::error::Error>> {
/// use gatewright::webhooks::RedisReplayGuard;
/// use gatewright_webhook::replay::{AsyncReplayGuard, Reserve};
///
/// let guard = RedisReplayGuard::new("redis://:password@10.0.0.5:6379")?;
/// if let Reserve::New(reservation) = guard.reserve(&verified.replay_key("billing"), now).await? {
///     // handle it, then
///     let _ = guard.commit(reservation, now).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// One connection, made when it is first needed and again after it broke. It needs a Tokio runtime. `Debug` shows no password.
pub struct RedisReplayGuard {
    url: Secret,
    node: ConnectionInfo,
    prefix: String,
    retention: Duration,
    lease: Duration,
    timeout: Duration,
    link: Mutex<Option<MultiplexedConnection>>,
}

impl RedisReplayGuard {
    /// Over the Redis at `url`: `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. Retention 4 days, lease 5 minutes,
    /// keys `gatewright:replay:…`, 2 seconds for each step.
    ///
    /// # Errors
    /// `invalid_config` where the URL is none. It is not shown: it may have a password.
    pub fn new(url: impl Into<Secret>) -> Result<Self, Error> {
        let url = url.into();
        let Ok(node) = url.expose().into_connection_info() else {
            let what = "`url` is no URL of a Redis; it must look like redis://host:6379 or rediss://user:password@host:6379/0";
            return Err(Error::new(ErrorKind::InvalidConfig, what));
        };
        Ok(Self {
            url,
            node,
            prefix: "gatewright:replay:".to_owned(),
            retention: Duration::from_secs(4 * 24 * 60 * 60),
            lease: Duration::from_secs(5 * 60),
            timeout: Duration::from_secs(2),
            link: Mutex::new(None),
        })
    }

    /// What keys begin with. Default `gatewright:replay:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a handled message is remembered; at least the sender's whole retry span. Default 4 days.
    #[must_use]
    pub const fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How long a handler may take before it is taken for crashed. Default 5 minutes.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long a step may take, the connection with it. Default 2 seconds.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn link(&self) -> Option<MultiplexedConnection> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.clone()
    }

    fn set_link(&self, link: Option<MultiplexedConnection>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    async fn connected(&self) -> Result<MultiplexedConnection, RedisError> {
        if let Some(link) = self.link() {
            return Ok(link);
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The crate takes the process's provider, and would not go on where two are built in and none is chosen.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let client = Client::open(self.node.clone())?;
        let link = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        self.set_link(Some(link.clone()));
        Ok(link)
    }

    /// Runs a script on one key, within the time a step may take.
    async fn run(
        &self,
        script: &str,
        key: &ReplayKey,
        token: u64,
        span: Duration,
    ) -> Result<(i64, i64), ReplayStoreError> {
        let key = format!("{}{key}", self.prefix);
        // Redis takes no time of 0, and none beyond i64.
        let span = i64::try_from(span.as_millis().max(1)).unwrap_or(i64::MAX >> 1);
        let asked = async {
            let mut link = self.connected().await?;
            let script = redis::Script::new(script);
            let mut call = script.key(key);
            call.arg(format!("{token:016x}")).arg(span);
            call.invoke_async(&mut link).await
        };
        let why = match tokio::time::timeout(self.timeout, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => self.told(&error),
            Err(_) => format!("no answer within {} ms", self.timeout.as_millis()),
        };
        self.set_link(None);
        Err(ReplayStoreError { why })
    }

    /// An error in words, without what is secret.
    fn told(&self, error: &RedisError) -> String {
        let mut text = error.to_string().replace(self.url.expose(), HIDDEN);
        if let Some(password) = self
            .node
            .redis_settings()
            .password()
            .filter(|text| !text.is_empty())
        {
            text = text.replace(password, HIDDEN);
        }
        text
    }

    async fn settle(
        &self,
        script: &str,
        reservation: &Reservation,
    ) -> Result<Settled, ReplayStoreError> {
        let answer = self.run(
            script,
            reservation.key(),
            reservation.token(),
            self.retention,
        );
        Ok(match answer.await? {
            (1, _) => Settled::Settled,
            _ => Settled::Lost,
        })
    }
}

impl AsyncReplayGuard for RedisReplayGuard {
    type Error = ReplayStoreError;

    async fn reserve(&self, key: &ReplayKey, now: i64) -> Result<Reserve, ReplayStoreError> {
        let token = getrandom::u64().map_err(|_| ReplayStoreError {
            why: "the system has no randomness for a token".to_owned(),
        })?;
        Ok(match self.run(RESERVE, key, token, self.lease).await? {
            (0, _) => Reserve::New(Reservation::new(*key, token)),
            (1, _) => Reserve::AlreadyDone,
            (_, rest) => Reserve::InProgress {
                until: now.saturating_add(rest.max(0).saturating_add(999) / 1000),
            },
        })
    }

    async fn commit(&self, reservation: Reservation, _: i64) -> Result<Settled, ReplayStoreError> {
        self.settle(COMMIT, &reservation).await
    }

    async fn release(&self, reservation: Reservation, _: i64) -> Result<Settled, ReplayStoreError> {
        self.settle(RELEASE, &reservation).await
    }
}

impl fmt::Debug for RedisReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayGuard")
            .field("prefix", &self.prefix)
            .field("retention", &self.retention)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// The store could not be asked. Answer the sender 503, so that it tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayStoreError {
    why: String,
}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the replay guard's Redis cannot be asked: {}; answer 503, so that the sender tries again",
            self.why
        )
    }
}

impl std::error::Error for ReplayStoreError {}
