//! Where counts are kept, and what holds while that place cannot be reached.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::session::Refused;

/// What a gateway does with calls while it cannot ask its store of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LimitsFail {
    /// Refuses them: 503 of the problem type `temporary-reduced-capacity`, `Retry-After: 1`.
    #[default]
    Closed,
    /// Lets in one part of [`LimitsSettings::share`] of every limit, counted in memory, and says
    /// `X-Mock-Limits: local`.
    Local,
    /// Lets all of them in, without limit headers, and says `X-Mock-Limits: open`.
    Open,
}

/// Where the counts of limits are kept, and how that is used.
#[derive(Clone, PartialEq, Eq)]
pub struct LimitsSettings {
    pub(super) at: At,
    pub(super) fail: LimitsFail,
    pub(super) deadline: Duration,
    pub(super) share: u32,
    pub(super) lease: Duration,
}

/// A place for counts.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum At {
    Memory,
    Sqlite(PathBuf),
    #[cfg(feature = "redis")]
    Redis(RedisUrls),
}

/// One server, or nodes of a cluster; they may have passwords.
#[cfg(feature = "redis")]
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RedisUrls {
    pub(super) nodes: Vec<String>,
    pub(super) cluster: bool,
}

/// Without what may be a password.
impl std::fmt::Debug for LimitsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LimitsSettings")
            .field("store", &self.at.kind())
            .field("fail", &self.fail)
            .field("deadline", &self.deadline)
            .field("share", &self.share)
            .field("lease", &self.lease)
            .finish()
    }
}

impl Default for LimitsSettings {
    fn default() -> Self {
        Self {
            at: At::Memory,
            fail: LimitsFail::default(),
            deadline: Duration::from_millis(250),
            share: 8,
            lease: Duration::from_secs(10),
        }
    }
}

impl LimitsSettings {
    /// In `memory`, `sqlite:FILE`, `redis://[user:password@]host[:port][/db]` (`rediss://` for TLS), or
    /// `redis+cluster://host:port,host:port` (`rediss+cluster://`). Redis needs the feature `redis`.
    ///
    /// # Errors
    /// It names no such place.
    pub fn at(place: &str) -> Result<Self, Refused> {
        let at = match place.split_once(':') {
            None if place == "memory" => At::Memory,
            Some(("sqlite", file)) if !file.is_empty() => At::Sqlite(file.into()),
            Some((scheme, rest)) if is_redis(scheme) => redis(scheme, rest)?,
            // What it is instead is not shown: it may have a password.
            _ => {
                return Err(Refused(
                    "limits are kept in memory, sqlite:FILE, redis://host:port or \
                     redis+cluster://host:port,host:port"
                        .into(),
                ));
            }
        };
        Ok(Self {
            at,
            ..Self::default()
        })
    }

    /// These settings for another place, which is named as in [`LimitsSettings::at`].
    ///
    /// # Errors
    /// It names no such place.
    pub fn moved_to(self, place: &str) -> Result<Self, Refused> {
        let at = Self::at(place)?.at;
        Ok(Self { at, ..self })
    }

    /// What holds while the store cannot be reached. Default: [`LimitsFail::Closed`].
    #[must_use]
    pub fn fail(mut self, fail: LimitsFail) -> Self {
        self.fail = fail;
        self
    }

    /// How long the store may take to decide about a call, 1 ms to 60 s; to connect, four times as long. A late one is
    /// away. Default: 250 ms.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.clamp(Duration::from_millis(1), Duration::from_secs(60));
        self
    }

    /// With [`LimitsFail::Local`], how many gateway processes there are, so how small one's part is; at least 1.
    /// Default: 8.
    #[must_use]
    pub fn share(mut self, processes: u32) -> Self {
        self.share = processes.max(1);
        self
    }

    /// How long the place of a call in progress lasts when its gateway has died, 100 ms to one hour of real time; a living
    /// one renews it. Default: 10 s.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Duration::from_millis(100), Duration::from_secs(3_600));
        self
    }
}

impl At {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            #[cfg(feature = "redis")]
            Self::Redis(urls) if urls.cluster => "redis-cluster",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "redis",
        }
    }
}

impl LimitsFail {
    /// The word of `--limits-fail` and of the header.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Local => "local",
            Self::Open => "open",
        }
    }
}

impl std::str::FromStr for LimitsFail {
    type Err = Refused;

    fn from_str(word: &str) -> Result<Self, Refused> {
        [Self::Closed, Self::Local, Self::Open]
            .into_iter()
            .find(|fail| fail.word() == word)
            .ok_or_else(|| Refused("it is open, closed or local".into()))
    }
}

fn is_redis(scheme: &str) -> bool {
    ["redis", "rediss", "redis+cluster", "rediss+cluster"].contains(&scheme)
}

#[cfg(feature = "redis")]
fn redis(scheme: &str, rest: &str) -> Result<At, Refused> {
    let wrong = || {
        Refused("a Redis is named as redis://host:port, nodes of a cluster as redis+cluster://host:port,host:port".into())
    };
    let rest = rest.strip_prefix("//").ok_or_else(wrong)?;
    let (plain, cluster) = match scheme.strip_suffix("+cluster") {
        Some(plain) => (plain, true),
        None => (scheme, false),
    };
    let nodes: Vec<String> = if cluster {
        // What is before the `@` is for every node.
        let (user, hosts) = match rest.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), rest),
        };
        hosts
            .trim_end_matches('/')
            .split(',')
            .map(|host| format!("{plain}://{user}{host}"))
            .collect()
    } else {
        vec![format!("{plain}://{rest}")]
    };
    use ::redis::IntoConnectionInfo as _;
    let named = |node: &String| {
        !node.ends_with("//")
            && !node.ends_with('@')
            && node.as_str().into_connection_info().is_ok()
    };
    if !nodes.iter().all(named) {
        return Err(wrong());
    }
    Ok(At::Redis(RedisUrls { nodes, cluster }))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str, _: &str) -> Result<At, Refused> {
    Err(Refused(
        "this gateway was built without Redis; build it with --features redis".into(),
    ))
}
