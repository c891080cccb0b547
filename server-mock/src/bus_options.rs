//! What can be set of the bus, for the gateway and for its workers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::bus::Bus;
use crate::bus::address::Address;
use crate::client::{self, Client};
use crate::dispatch;
use crate::dispatch::worker::{Work, work};
use crate::key::is_tenant;

/// Requests one worker makes at the same time, by default.
const AT_ONCE: usize = 32;

/// Which bus carries webhooks to workers, and how. The gateway and its workers must say the same bus, name and lease.
#[derive(Clone)]
#[must_use]
pub struct BusOptions {
    pub(crate) url: String,
    pub(crate) data: Option<PathBuf>,
    name: String,
    pub(crate) workers: usize,
    pub(crate) lease: Duration,
    pub(crate) events: Vec<String>,
}

/// Without the address: it may have a password in it.
impl std::fmt::Debug for BusOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusOptions")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

impl BusOptions {
    /// `embedded`, `nats://[user:password@]host:4222` (JetStream; feature `nats`) or `redis://[user:password@]host:6379/0`
    /// (Streams; feature `redis`). `embedded` is in memory, or the file beside [`data`](Self::data).
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            data: None,
            name: "gatewright".into(),
            workers: 1,
            lease: dispatch::LEASE,
            events: Vec::new(),
        }
    }

    /// The gateway's data file; the embedded bus is that name with `.bus` behind it. Default: none, in memory.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// Keeps the users of one broker apart: 1 to 64 letters, digits, `-` or `_`. Each gateway needs a name of its own.
    /// Default: `gatewright`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Workers in the gateway's own process; with 0 all are processes of their own. Default: 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How long a job belongs to a worker that says nothing more: after that another one makes the request again. At
    /// least 100 ms. Default: 5 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// Publishes every event of every session on the topic `events` for these consumer groups, 1 to 16 names of letters, digits,
    /// `-` or `_`. Events that a group does not take fill the topic, then wait in the gateway, and at last changes are refused.
    /// Default: none, and nothing is published.
    pub fn events<'a>(mut self, groups: impl IntoIterator<Item = &'a str>) -> Self {
        self.events = groups.into_iter().map(str::to_owned).collect();
        self
    }

    /// Opens the bus; a broker need not be there yet.
    pub(crate) fn open(&self) -> io::Result<Arc<dyn Bus>> {
        let wrong = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        if self.events.len() > 16 || !self.events.iter().all(|group| is_tenant(group)) {
            return Err(wrong(
                "the groups of events must be at most 16 names of letters, digits, - or _".into(),
            ));
        }
        let address = Address::parse(&self.url, self.data.as_deref()).map_err(wrong)?;
        address.open(&self.name).map_err(wrong)
    }
}

/// A process that makes the requests of webhooks: `gatewright-gateway worker`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Worker {
    bus: BusOptions,
    name: String,
    at_once: usize,
    trust_ca: Option<String>,
}

impl Worker {
    /// On this bus, which must be one that processes share.
    pub fn new(bus: BusOptions) -> Self {
        Self {
            bus,
            name: format!("pid-{}", std::process::id()),
            at_once: AT_ONCE,
            trust_ca: None,
        }
    }

    /// Shown beside the attempts it makes. Default: `pid-` and the process's number.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Requests at the same time. Default: 32.
    pub fn at_once(mut self, at_once: usize) -> Self {
        self.at_once = at_once.clamp(1, 1_024);
        self
    }

    /// Trusts these CAs too, in PEM, where webhooks go to `https:`. Default: the system's alone.
    pub fn trust_ca(mut self, pem: impl Into<String>) -> Self {
        self.trust_ca = Some(pem.into());
        self
    }

    /// Works until `stop` completes, and ends what it has begun. Fails at once where there can be no such bus; a broker that
    /// is away is waited for.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        if self.bus.url == "embedded" && self.bus.data.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a worker shares a bus with its gateway: name it, or the gateway's data file",
            ));
        }
        let client = client::of_option(self.trust_ca.as_deref())?;
        let bus = self.bus.open()?;
        let (tell, told) = watch::channel(false);
        let job = work(
            bus,
            Work {
                name: self.name,
                at_once: self.at_once,
                lease: self.bus.lease,
                client,
            },
            told,
        );
        tokio::pin!(job);
        tokio::select! {
            () = &mut job => return Ok(()),
            () = stop => {}
        }
        tell.send_replace(true);
        job.await;
        Ok(())
    }
}

/// The work of a worker inside of the gateway.
pub(crate) fn inner_work(number: usize, lease: Duration, client: &Client) -> Work {
    Work {
        name: format!("gateway-{}", number + 1),
        at_once: AT_ONCE,
        lease,
        client: client.clone(),
    }
}
