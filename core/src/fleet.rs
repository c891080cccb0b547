//! A quota that any number of processes share through Redis (feature `redis`).
//!
//! What is decided is in the engine (`fleet::Share`), what all agree on is one Lua script (`take.lua`), the connection is
//! `store.rs`, and one thread for each quota in use asks for permits ahead of need (`driver.rs`), so that the calls
//! themselves, on whatever runtime they are, only take what is there. Why it is so: `docs/decisions/0018-fleet-quota.md`.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gatewright_engine::ErrorKind;
use gatewright_engine::call::NoPermit;
use gatewright_engine::fleet::{ShareSettings, ShareState, Terms};
use gatewright_engine::pacing::LocalQuota;
use gatewright_engine::redact::Secret;

use crate::Error;
use crate::runtime::{BoxFuture, Instant, Runtime};
use crate::shared_quota::{SharedQuota, Taken};

mod driver;
mod member;
mod store;

use member::Member;

/// The longest name or prefix.
const LONGEST_NAME: usize = 200;

/// A quota that any number of processes share through Redis 5 or later, Valkey, or a Redis Cluster.
///
/// ```no_run
/// # fn example() -> Result<(), gatewright::Error> {
/// use gatewright::{Client, RedisQuota};
///
/// let quota = RedisQuota::new("redis://:password@10.0.0.5:6379", "600/min, burst 50")?.name("billing-api");
/// let client = Client::builder("https://api.example.com").shared_quota(quota).build()?;
/// # Ok(())
/// # }
/// ```
///
/// All processes whose quota has the same name (and prefix) share it. In no span of time do they together send more than the
/// burst and what the rate gives in that span. While Redis cannot be reached, each keeps to its part of the quota, divided by
/// the processes last seen; `client.state()`, the record of attempts and a warning say so, and it ends by itself.
///
/// Nothing is sent to Redis before the first call. Clones share one place in the fleet. `Debug` shows no password.
#[derive(Clone)]
pub struct RedisQuota {
    config: Config,
    member: Arc<OnceLock<Arc<Member>>>,
}

#[derive(Clone)]
pub(crate) struct Config {
    urls: Vec<Secret>,
    cluster: bool,
    quota: LocalQuota,
    settings: ShareSettings,
    name: Option<String>,
    prefix: String,
    ca_certificates: Option<Vec<u8>>,
}

impl fmt::Debug for RedisQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQuota")
            .field("quota", &self.config.quota.to_string())
            .field("name", &self.config.name)
            .field("cluster", &self.config.cluster)
            .finish_non_exhaustive()
    }
}

impl RedisQuota {
    /// A quota such as `600/min, burst 50`, shared through the Redis at `url`: `redis://[user:password@]host[:port][/db]`,
    /// or `rediss://` for TLS. Without a burst it is a tenth of the limit.
    ///
    /// # Errors
    /// `invalid_config` where the URL or the quota is none. Neither is shown where it may have a password.
    pub fn new(url: impl Into<Secret>, quota: &str) -> Result<Self, Error> {
        Self::of(vec![url.into()], false, quota)
    }

    /// The same through a Redis Cluster, of which one node or more are named. All keys of a quota are in one slot.
    ///
    /// # Errors
    /// As [`RedisQuota::new`], and where no node is named.
    pub fn cluster(
        urls: impl IntoIterator<Item = impl Into<Secret>>,
        quota: &str,
    ) -> Result<Self, Error> {
        Self::of(urls.into_iter().map(Into::into).collect(), true, quota)
    }

    fn of(urls: Vec<Secret>, cluster: bool, quota: &str) -> Result<Self, Error> {
        let quota = quota
            .parse()
            .map_err(|why| invalid(format!("`quota`: {why}")))?;
        store::check(&urls)?;
        Ok(Self::with(Config {
            urls,
            cluster,
            quota,
            settings: ShareSettings::default(),
            name: None,
            prefix: "gatewright".to_owned(),
            ca_certificates: None,
        }))
    }

    fn with(config: Config) -> Self {
        Self {
            config,
            member: Arc::default(),
        }
    }

    fn set(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(&mut self.config);
        Self::with(self.config)
    }

    /// The name under which the quota is shared. Default: the host and port of the client's base URL. Processes that use
    /// different credentials of one API, each with a quota of its own, need a name for each.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set(|config| config.name = Some(name.into()))
    }

    /// What the keys in Redis begin with: `{prefix:name}`. Default `gatewright`.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.set(|config| config.prefix = prefix.into())
    }

    /// How far ahead permits are taken, 10 ms to 60 s. A busy process asks Redis about once for the calls that it makes in a
    /// quarter of this time; a pause is known to all within this time. Default 1 s.
    #[must_use]
    pub fn ahead(self, ahead: Duration) -> Self {
        self.set(|config| config.settings.ahead = ahead)
    }

    /// How late a permit that was taken ahead may be used, 20 ms to 60 s. What it is worth is taken off the burst. Default
    /// 500 ms, and never more than half of what the burst is worth.
    #[must_use]
    pub fn keep(self, keep: Duration) -> Self {
        self.set(|config| config.settings.keep = keep)
    }

    /// How long Redis may take to answer before it counts as away, 1 ms to 60 s; to connect, four times as long. Default
    /// 250 ms.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.settings.timeout = timeout)
    }

    /// How often Redis is tried while it is away, 10 ms to 60 s. Default 500 ms.
    #[must_use]
    pub fn probe(self, probe: Duration) -> Self {
        self.set(|config| config.settings.probe = probe)
    }

    /// How many processes share the quota, for a process that has never reached Redis. Default 8.
    #[must_use]
    pub fn assumed_processes(self, processes: u32) -> Self {
        self.set(|config| config.settings.assumed_processes = processes)
    }

    /// Calls of this process that may wait for a permit; more are refused. Default 10 000.
    #[must_use]
    pub fn max_queue(self, calls: usize) -> Self {
        self.set(|config| config.settings.max_queue = calls)
    }

    /// PEM certificates that are trusted in place of the system's, for `rediss://`.
    #[must_use]
    pub fn ca_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        self.set(|config| config.ca_certificates = Some(pem.into()))
    }

    fn member(&self, origin: &str) -> Result<&Arc<Member>, Error> {
        if let Some(member) = self.member.get() {
            return Ok(member);
        }
        let named = |what: &str, name: &str| {
            let good = !name.is_empty()
                && name.len() <= LONGEST_NAME
                && !name.contains(['{', '}'])
                && !name.contains(char::is_control);
            let wrong = format!(
                "`{what}` is {name:?}; it must have 1 to {LONGEST_NAME} characters, without braces and control characters"
            );
            if good { Ok(()) } else { Err(invalid(wrong)) }
        };
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        // An address of IPv6 has brackets, not braces.
        let name = self.config.name.as_deref().unwrap_or(host);
        named("name", name)?;
        named("prefix", &self.config.prefix)?;
        let terms = Terms::new(self.config.quota, self.config.settings.clone())
            .map_err(|why| invalid(format!("`quota`: {why}")))?;
        let member = Member::new(self.config.clone(), name.to_owned(), terms);
        Ok(self.member.get_or_init(|| Arc::new(member)))
    }
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidConfig, what)
}

impl SharedQuota for RedisQuota {
    fn take<'a>(
        &'a self,
        runtime: &'a dyn Runtime,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Taken, NoPermit>> {
        match self.member("default") {
            Ok(member) => Box::pin(member.take(runtime, deadline)),
            // `on_client` has refused it before.
            Err(_) => Box::pin(std::future::ready(Ok(Taken::default()))),
        }
    }

    fn give_back(&self, ticket: u64) {
        if let Some(member) = self.member.get() {
            member.give_back(ticket);
        }
    }

    fn on_throttled(&self, pause: Duration) {
        if let Some(member) = self.member.get() {
            member.on_throttled(pause);
        }
    }

    fn on_client(&self, origin: &str) -> Result<(), Error> {
        self.member(origin).map(|_| ())
    }

    fn state(&self) -> Option<ShareState> {
        self.member.get().map(|member| member.state())
    }
}

#[cfg(test)]
mod tests;
