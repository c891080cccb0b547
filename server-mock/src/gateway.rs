//! The gateway as a value: starts on its own thread, answers on two ports, stops when dropped.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::admin;
use crate::bus_options::BusOptions;
use crate::client;
use crate::dispatch::desk::Desk;
use crate::dispatch::{self, Dispatch};
use crate::durable::{DEFAULT_MAX_BYTES, Store};
use crate::https::{Https, TlsServer};
use crate::key::is_tenant;
use crate::listener::{Door, serve_admin, serve_data};
use crate::log::{Log, LogFormat, LogLevel};
use crate::otlp::{self, Traces};
use crate::region::Region;
use crate::resting;
use crate::session::{Refused, Session};
use crate::shared_limits::{LimitsSettings, SharedLimits};
use crate::static_files::StaticFiles;
use crate::upstream::{self, Upstream};
use crate::world::{NoWorld, Surroundings, Worlds};

/// A running gateway. Dropping it stops it.
///
/// It runs on threads of its own, so a test's runtime, paused or blocked, does not hold it up.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// let gateway = gatewright_server_mock::Gateway::builder().start().await?;
/// let session = gateway.session("my-test").expect("a plain name");
/// // Point a client at gateway.url() with the header `X-Mock-Session: my-test`, then look:
/// assert!(session.journal(0).is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Gateway {
    data: SocketAddr,
    admin: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    stopped: Option<oneshot::Receiver<()>>,
}

/// What the ports share.
pub(crate) struct Shared {
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) started: std::time::Instant,
    pub(crate) data: SocketAddr,
    pub(crate) static_files: StaticFiles,
    pub(crate) regions: Vec<Region>,
    /// Where HTTPS is served, and with what.
    pub(crate) https: Option<(SocketAddr, Arc<TlsServer>)>,
    pub(crate) desk: Option<Arc<Desk>>,
}

impl Shared {
    /// Opens or closes the port of a region and returns once that is done.
    pub(crate) async fn set_region(&self, name: &str, up: bool) -> Result<(), Refused> {
        let region = self.regions.iter().find(|region| &*region.name == name);
        let region = region.ok_or_else(|| Refused(format!("there is no region {name:?}")))?;
        if region.set(up).await {
            Ok(())
        } else {
            let address = region.address;
            Err(Refused(format!("{address} is taken by something else")))
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// How to start a gateway.
#[derive(Clone, Debug)]
#[must_use]
pub struct GatewayBuilder {
    host: IpAddr,
    port: u16,
    admin_port: u16,
    admin_host: Option<IpAddr>,
    workers: usize,
    max_sessions: usize,
    static_files: Vec<(String, PathBuf)>,
    regions: Vec<(String, u16)>,
    data: Option<PathBuf>,
    max_data_bytes: u64,
    log: Option<(LogFormat, LogLevel)>,
    otlp: Option<String>,
    https: Option<Https>,
    limits: LimitsSettings,
    bus: Option<BusOptions>,
    upstreams: Vec<Upstream>,
    trust_ca: Option<String>,
}

impl Default for GatewayBuilder {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            admin_port: 0,
            admin_host: None,
            workers: 1,
            max_sessions: 4_096,
            static_files: Vec::new(),
            regions: Vec::new(),
            data: None,
            max_data_bytes: DEFAULT_MAX_BYTES,
            upstreams: Vec::new(),
            trust_ca: None,
            log: None,
            otlp: None,
            https: None,
            limits: LimitsSettings::default(),
            bus: None,
        }
    }
}

impl GatewayBuilder {
    /// The address the data port listens on. Default: 127.0.0.1.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// The data port. Default: 0, any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address the admin port listens on, where it is not loopback, as in a container. Whoever reaches it may do everything; pages of
    /// other sites and names that are not of this machine are refused still. Default: that of the data port if it is loopback, else
    /// 127.0.0.1.
    pub fn admin_host(mut self, host: IpAddr) -> Self {
        self.admin_host = Some(host);
        self
    }

    /// The admin port. Default: 0, any free one.
    pub fn admin_port(mut self, port: u16) -> Self {
        self.admin_port = port;
        self
    }

    /// Threads that serve. Default: 1, which is the lightest beside a client under test.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Sessions kept; the one unused longest is dropped for a new one. Default: 4 096.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// Serves the files of a folder on the admin port, below a prefix such as `/` or `/docs/`. May be said several
    /// times; the longest prefix that fits counts. Default: none.
    pub fn static_files(mut self, prefix: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.static_files.push((prefix.into(), folder.into()));
        self
    }

    /// More data ports of the same gateway, any free ones, each with a name of 1 to 64 letters, digits, `-` or `_`. They
    /// share all sessions with each other and with the data port. Default: none.
    pub fn regions<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            self = self.region(name, 0);
        }
        self
    }

    /// One more region, on this port.
    pub fn region(mut self, name: &str, port: u16) -> Self {
        self.regions.push((name.into(), port));
        self
    }

    /// Keeps the state of all sessions in this file, an SQLite database that is made if it is not there: what was
    /// answered outlives the process. One gateway at a time has it. Default: none, all is in memory.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// The size the data file may grow to, in bytes; beyond it changes are answered 507. Default: 4 GiB.
    pub fn max_data_bytes(mut self, bytes: u64) -> Self {
        self.max_data_bytes = bytes;
        self
    }

    /// Has webhooks sent by workers, which get them over this bus. Default: the gateway sends them itself.
    pub fn bus(mut self, bus: BusOptions) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Writes a line for each request to standard error. Default: none.
    pub fn log(mut self, format: LogFormat, level: LogLevel) -> Self {
        self.log = Some((format, level));
        self
    }

    /// Sends a span of each request, and metrics every ten seconds and at the end, to the OTLP collector at `url`, such as
    /// `http://127.0.0.1:4318`, in JSON over HTTP or HTTPS. A request's `traceparent` is the span's parent. Default: none.
    pub fn otlp(mut self, url: impl Into<String>) -> Self {
        self.otlp = Some(url.into());
        self
    }

    /// Serves HTTPS too, on a port of its own: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1. Default: it does not.
    pub fn https(mut self, https: Https) -> Self {
        self.https = Some(https);
        self
    }

    /// Trusts these CAs too, in PEM, where it asks others by TLS: webhooks, upstreams, providers to log in with, collectors. Start fails
    /// where there is no certificate in it. Default: the system's alone.
    pub fn trust_ca(mut self, pem: impl Into<String>) -> Self {
        self.trust_ca = Some(pem.into());
        self
    }

    /// Where limits are counted, and what holds while that place cannot be reached. Default: in memory.
    pub fn limits(mut self, settings: LimitsSettings) -> Self {
        self.limits = settings;
        self
    }

    /// A real server that each new session has at `/upstream/{name}`; start fails where it cannot be one. Default: none.
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.upstreams.push(upstream);
        self
    }

    /// Starts it and returns when both ports answer. Fails when a port cannot be bound or a folder cannot be served.
    pub async fn start(self) -> io::Result<Gateway> {
        let (ready, started) = oneshot::channel();
        self.spawn(move |result| drop(ready.send(result)))?;
        started
            .await
            .map_err(|_| io::Error::other("the gateway's thread ended while starting"))?
    }

    /// Starts it from code that is not async.
    pub fn start_blocking(self) -> io::Result<Gateway> {
        let (ready, started) = std::sync::mpsc::sync_channel(1);
        self.spawn(move |result| drop(ready.send(result)))?;
        started
            .recv()
            .map_err(|_| io::Error::other("the gateway's thread ended while starting"))?
    }

    fn spawn(self, ready: impl FnOnce(io::Result<Gateway>) + Send + 'static) -> io::Result<()> {
        let mut runtime = if self.workers == 1 {
            tokio::runtime::Builder::new_current_thread()
        } else {
            let mut threads = tokio::runtime::Builder::new_multi_thread();
            threads.worker_threads(self.workers);
            threads
        };
        let runtime = runtime.enable_io().enable_time().build()?;
        thread::Builder::new()
            .name("gatewright-gateway".into())
            .spawn(move || runtime.block_on(self.run(ready)))?;
        Ok(())
    }

    /// The bus, with the embedded one beside the data file.
    fn dispatch(&self) -> io::Result<Option<Dispatch>> {
        let bus = self.bus.clone().map(|bus| match &self.data {
            Some(file) => bus.data(file),
            None => bus,
        });
        bus.as_ref().map(Dispatch::open).transpose()
    }

    /// Serves until told to stop.
    async fn run(self, ready: impl FnOnce(io::Result<Gateway>)) {
        let (stop, told) = watch::channel(false);
        let (ended, stopped) = oneshot::channel();
        let admin_host = match self.admin_host.unwrap_or(self.host) {
            host if self.admin_host.is_some() => host,
            host if host.is_loopback() => host,
            _ => Ipv4Addr::LOCALHOST.into(),
        };
        let opened = client::of_option(self.trust_ca.as_deref())
            .and_then(|client| Ok((client, self.dispatch()?)));
        let (client, dispatch) = match opened {
            Ok(opened) => opened,
            Err(error) => return ready(Err(error)),
        };
        let bound = async {
            upstream::check_all(&self.upstreams).map_err(invalid)?;
            let static_files = StaticFiles::open(&self.static_files)?;
            let kept = self
                .data
                .as_deref()
                .map(|file| Store::open(file, self.max_data_bytes, self.max_sessions))
                .transpose()?;
            let data = TcpListener::bind((self.host, self.port)).await?;
            let admin = TcpListener::bind((admin_host, self.admin_port)).await?;
            let regions = bound_regions(self.host, &self.regions).await?;
            let https = bound_https(self.host, self.https.as_ref()).await?;
            let addresses = (data.local_addr()?, admin.local_addr()?);
            let log = self.log.map(|(format, level)| Log::start(format, level));
            let log = log.transpose()?;
            let traces = self.otlp.as_deref();
            let traces = traces.map(|url| Traces::start(url, &client)).transpose()?;
            let limits = SharedLimits::open(self.limits.clone()).await?;
            io::Result::Ok((
                static_files,
                kept,
                addresses,
                data,
                admin,
                (regions, https),
                (log, traces),
                limits,
            ))
        };
        let (static_files, kept, addresses, data, admin, (regions, https), (log, traces), limits) =
            match bound.await {
                Ok(bound) => bound,
                Err(error) => return ready(Err(error)),
            };
        let (data_address, admin_address) = addresses;
        let (store, sessions) = kept.unzip();
        let (regions, listeners): (Vec<Region>, Vec<TcpListener>) = regions.into_iter().unzip();
        let own_ports = regions
            .iter()
            .map(|region| region.address)
            .chain([data_address, admin_address])
            .chain(https.iter().map(|https| https.address))
            .map(|address| address.port())
            .collect();
        let desk = dispatch.map(|dispatch| dispatch.start(&told, &client));
        let mut surroundings = Surroundings::new(own_ports, told.clone())
            .proxying(self.upstreams)
            .keeping(store.clone())
            .observed_by(log, traces)
            .with_desk(desk.clone());
        surroundings.shared_limits = limits;
        surroundings.client = client;
        let worlds = Arc::new(Worlds::new(self.max_sessions, surroundings));
        for (at, (session, has_work)) in sessions.iter().flatten().enumerate() {
            if at >= self.max_sessions {
                if *has_work {
                    worlds.resting().add(session);
                }
            } else if let (Err(NoWorld::Unreadable(trouble)), Some(store)) =
                (worlds.world(session), &store)
            {
                return ready(Err(store.unreadable(&trouble.reason())));
            }
        }
        if store.is_some() {
            tokio::spawn(resting::wake(Arc::downgrade(&worlds), told.clone()));
        }
        if let (Some(desk), Some(bus)) = (&desk, &self.bus) {
            dispatch::start_relay(desk, &bus.events, &worlds, &told);
        }
        let shared = Arc::new(Shared {
            worlds,
            started: std::time::Instant::now(),
            data: data_address,
            static_files,
            regions,
            https: https
                .as_ref()
                .map(|https| (https.address, Arc::clone(&https.server))),
            desk,
        });
        let numbers = Arc::<AtomicU64>::default();
        let router = admin::router(Arc::clone(&shared), admin_address);
        let only = self.https.as_ref().is_some_and(|https| https.only);
        let https_port = https.as_ref().map(|https| https.address.port());
        let door = |region| Door {
            worlds: Arc::clone(&shared.worlds),
            numbers: Arc::clone(&numbers),
            region,
            tls: None,
            https_port: https_port.filter(|_| only),
        };
        let mut serving = tokio::task::JoinSet::new();
        if self.otlp.is_some() {
            serving.spawn(otlp::tell_metrics(Arc::clone(&shared), told.clone()));
        }
        if let Some(https) = https {
            let door = Door {
                tls: Some(https.server),
                ..door(None)
            };
            serving.spawn(serve_data(https.listener, door, told.clone()));
        }
        for (at, listener) in listeners.into_iter().enumerate() {
            let (shared, stop) = (Arc::clone(&shared), told.clone());
            let name = shared
                .regions
                .get(at)
                .map(|region| Arc::clone(&region.name));
            let door = door(name);
            serving.spawn(async move {
                if let Some(region) = shared.regions.get(at) {
                    region.serve(listener, door, stop).await;
                }
            });
        }
        let own_door = door(None);
        ready(Ok(Gateway {
            data: data_address,
            admin: admin_address,
            shared,
            stop,
            stopped: Some(stopped),
        }));
        tokio::join!(
            serve_data(data, own_door, told.clone()),
            serve_admin(admin, router, told)
        );
        serving.join_all().await;
        if let Some(store) = store {
            // What is on its way has no connection to answer on any more.
            store.close();
        }
        // The receiver is gone when the gateway was dropped instead of shut down.
        let _ = ended.send(());
    }
}

/// The port of HTTPS, bound, and what it is served with.
struct BoundHttps {
    listener: TcpListener,
    address: SocketAddr,
    server: Arc<TlsServer>,
}

async fn bound_https(host: IpAddr, wanted: Option<&Https>) -> io::Result<Option<BoundHttps>> {
    let Some(https) = wanted else {
        return Ok(None);
    };
    let server = Arc::new(https.server()?);
    let listener = TcpListener::bind((host, https.port)).await?;
    Ok(Some(BoundHttps {
        address: listener.local_addr()?,
        listener,
        server,
    }))
}

fn invalid(fault: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, fault)
}

/// The ports of regions, bound.
async fn bound_regions(
    host: IpAddr,
    wanted: &[(String, u16)],
) -> io::Result<Vec<(Region, TcpListener)>> {
    let mut bound: Vec<(Region, TcpListener)> = Vec::new();
    for (name, port) in wanted {
        if !is_tenant(name) || bound.iter().any(|(other, _)| *other.name == **name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "region {name:?}: each has a name of its own, of 1 to 64 letters, digits, - or _"
                ),
            ));
        }
        let listener = TcpListener::bind((host, *port)).await?;
        let region = Region::new(name, listener.local_addr()?);
        bound.push((region, listener));
    }
    Ok(bound)
}

impl Gateway {
    /// How to start one.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// Where clients call: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.data)
    }

    /// Where the admin port is: `http://127.0.0.1:PORT`.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Where clients call it over HTTPS: `https://127.0.0.1:PORT`; `None` where it does not serve it.
    pub fn https_url(&self) -> Option<String> {
        let (address, _) = self.shared.https.as_ref()?;
        Some(format!("https://{address}"))
    }

    /// The CA, in PEM, that clients trust to call [`Gateway::https_url`]; `None` without HTTPS, or with a certificate of
    /// one's own.
    pub fn ca_pem(&self) -> Option<&str> {
        let (_, server) = self.shared.https.as_ref()?;
        server.ca_pem.as_deref()
    }

    /// Where clients call a region; `None` where there is none of this name.
    pub fn region_url(&self, name: &str) -> Option<String> {
        let mut regions = self.shared.regions.iter();
        regions
            .find(|region| &*region.name == name)
            .map(Region::url)
    }

    /// The names of the regions, in the order in which they were given.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.shared.regions.iter().map(|region| &*region.name)
    }

    /// Closes the port of a region, and its connections, or opens it again; returns once that is done.
    pub async fn set_region(&self, name: &str, up: bool) -> Result<(), Refused> {
        self.shared.set_region(name, up).await
    }

    /// A session, made on first use. Names are 1 to 128 visible ASCII characters.
    pub fn session(&self, name: &str) -> Result<Session, Refused> {
        let world = self.shared.worlds.world(name).map_err(|why| match why {
            NoWorld::InvalidName => {
                Refused("a session's name is 1 to 128 visible ASCII characters".into())
            }
            NoWorld::Unreadable(trouble) => Refused(trouble.to_string()),
        })?;
        Ok(Session { world })
    }

    /// Stops it and returns when both ports are closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(stopped) = self.stopped.take() {
            // An error means that it ended already.
            let _ = stopped.await;
        }
        let surroundings = self.shared.worlds.surroundings();
        if let Some(log) = &surroundings.log {
            log.flush();
        }
        if let Some(traces) = &surroundings.traces {
            traces.metrics(&self.shared);
            traces.flush();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
