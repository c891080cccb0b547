//! The client: its settings, and what all its calls share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatewright_engine::breaker::BreakerSettings;
use gatewright_engine::call::CallLimits;
use gatewright_engine::host::{Engine, Host, HostState};
use gatewright_engine::idempotency::Idempotency;
use gatewright_engine::pacing::{LocalQuota, PacingSettings};
use gatewright_engine::redact::Redactor;
use gatewright_engine::redirect::RedirectPolicy;
use gatewright_engine::retry::RetryPolicy;
use gatewright_engine::{ErrorKind, defaults};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::Error;
use crate::auth::Auth;
use crate::body::BoxError;
use crate::cache::{Cache, CacheSettings};
use crate::credentials::Credentials;
use crate::hedge::{Hedge, checked_hedge};
use crate::hooks::{AfterAttempt, AfterFn, BeforeAttempt, BeforeFn, Hooks};
use crate::regions::RegionUrls;
use crate::request::{RequestBuilder, checked_header};
use crate::runtime::Runtime;
use crate::shared_quota::SharedQuota;
use crate::target::{Base, same_origin};
use crate::telemetry::Observer;
use crate::throughput::Floor;
use crate::timeout::{Setting, checked};
use crate::transport::Transport;
#[cfg(feature = "native")]
use crate::transport::native::{NativeSettings, NativeTransport, Pins, Proxy};

/// What `User-Agent` says where the caller sets none.
pub(crate) const AGENT: &str = concat!("gatewright/", env!("CARGO_PKG_VERSION"));

/// What carries attempts, and what tells the time.
type Machine = (Arc<dyn Transport>, Arc<dyn Runtime>);

/// A client of one API. Cheap to clone; clones share connections, limits and budget.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) base: Base,
    pub(crate) engine: Engine,
    base_host: Arc<Host>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) credentials: Credentials,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) headers: HeaderMap,
    pub(crate) limits: CallLimits,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) min_throughput: Floor,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) idempotency: Idempotency,
    pub(crate) redirects: RedirectPolicy,
    pub(crate) hooks: Vec<Arc<dyn Hooks>>,
    pub(crate) max_response_bytes: u64,
    pub(crate) error_for_status: bool,
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) shared_quota: Option<Arc<dyn SharedQuota>>,
    pub(crate) regions: Option<RegionUrls>,
    pub(crate) hedge: Option<Hedge>,
    closed: AtomicBool,
}

impl Inner {
    pub(crate) fn host_of(&self, url: &Url) -> Arc<Host> {
        if same_origin(url, self.base.url()) {
            return Arc::clone(&self.base_host);
        }
        self.engine.host(&url.origin().ascii_serialization())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.redactor.url(self.inner.base.url()))
            .field("auth", self.inner.credentials.default())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the API at `base_url`, with all defaults.
    ///
    /// # Errors
    /// `invalid_config` or `insecure_url`, see [`ClientBuilder::build`].
    #[cfg(feature = "native")]
    pub fn new(base_url: &str) -> Result<Self, Error> {
        Self::builder(base_url).build()
    }

    /// Begins the settings of a client of the API at `base_url`.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

    /// Begins a request. `path` is joined to the base URL; an absolute URL must be of the same origin.
    pub fn request(&self, method: Method, path: impl Into<String>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, path.into())
    }

    /// Begins a GET request.
    pub fn get(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Begins a HEAD request.
    pub fn head(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::HEAD, path)
    }

    /// Begins a POST request. It carries an idempotency key.
    pub fn post(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Begins a PUT request.
    pub fn put(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// Begins a PATCH request. It carries an idempotency key.
    pub fn patch(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::PATCH, path)
    }

    /// Begins a DELETE request.
    pub fn delete(&self, path: impl Into<String>) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// The base URL, redacted.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.inner.redactor.url(self.inner.base.url())
    }

    /// Budget and limits of the base URL's host, as they are now.
    #[must_use]
    pub fn state(&self) -> HostState {
        self.inner.engine.on_slept(self.inner.runtime.slept());
        let mut state = self.inner.base_host.state(self.inner.runtime.instant());
        state.cache = self.inner.cache.as_ref().map(|cache| cache.state());
        state.shared_quota = self
            .inner
            .shared_quota
            .as_ref()
            .and_then(|quota| quota.state());
        if let Some(regions) = &self.inner.regions {
            state.regions = regions.state(self.inner.runtime.instant());
        }
        state
    }

    /// Refuses further calls. Those under way go on.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Relaxed);
    }
}

/// The settings of a client.
#[must_use = "settings do nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) base_url: String,
    pub(crate) auth: Auth,
    pub(crate) credentials: Vec<(String, Auth)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) timeout: Setting,
    pub(crate) attempt_timeout: Setting,
    pub(crate) read_timeout: Setting,
    pub(crate) min_throughput: Floor,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) retry: RetryPolicy,
    pub(crate) breaker: Option<BreakerSettings>,
    pub(crate) max_concurrency: Option<u32>,
    pub(crate) regions: Vec<String>,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) pacing: PacingSettings,
    pub(crate) quota: Option<String>,
    pub(crate) idempotency: Idempotency,
    pub(crate) idempotency_header: Option<String>,
    pub(crate) max_redirects: u32,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) allow_http: bool,
    pub(crate) hooks: Vec<Arc<dyn Hooks>>,
    pub(crate) max_response_bytes: u64,
    pub(crate) error_for_status: bool,
    pub(crate) cache: Option<CacheSettings>,
    pub(crate) shared_quota: Option<Arc<dyn SharedQuota>>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    #[cfg(feature = "native")]
    pub(crate) native: NativeSettings,
    #[cfg(feature = "native")]
    pub(crate) pins: Vec<String>,
    #[cfg(feature = "native")]
    pub(crate) connect_timeout: Option<Setting>,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    fn new(base_url: String) -> Self {
        Self {
            base_url,
            auth: Auth::none(),
            credentials: Vec::new(),
            headers: Vec::new(),
            timeout: defaults::TIMEOUT.into(),
            attempt_timeout: defaults::ATTEMPT_TIMEOUT.into(),
            read_timeout: defaults::READ_TIMEOUT.into(),
            min_throughput: Floor::default(),
            observer: None,
            retry: RetryPolicy::default(),
            breaker: Some(BreakerSettings::default()),
            max_concurrency: None,
            regions: Vec::new(),
            hedge: None,
            pacing: PacingSettings::default(),
            quota: None,
            idempotency: Idempotency::default(),
            idempotency_header: None,
            max_redirects: defaults::MAX_REDIRECTS,
            allowed_origins: Vec::new(),
            allow_http: false,
            hooks: Vec::new(),
            max_response_bytes: defaults::MAX_RESPONSE_BYTES,
            error_for_status: true,
            cache: None,
            shared_quota: None,
            transport: None,
            runtime: None,
            #[cfg(feature = "native")]
            native: NativeSettings::default(),
            #[cfg(feature = "native")]
            pins: Vec::new(),
            #[cfg(feature = "native")]
            connect_timeout: None,
        }
    }

    /// How requests prove who they are. Default none.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// A header of every request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The deadline of a call, over queueing, connecting, every attempt, every wait and the body. Default 60 s.
    pub fn timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// From sending an attempt to its response head. Default 20 s.
    pub fn attempt_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.attempt_timeout = timeout.into();
        self
    }

    /// Between two pieces of a body. Default 20 s.
    pub fn read_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.read_timeout = timeout.into();
        self
    }

    /// TCP and TLS set-up. Default 5 s.
    #[cfg(feature = "native")]
    pub fn connect_timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.connect_timeout = Some(timeout.into());
        self
    }

    /// Attempts in all, at least 1. Default 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.retry.max_attempts = attempts.max(1);
        self
    }

    /// All rules of retrying.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Whether calls are held back so that the server's quota lasts. Default true.
    pub fn pacing(mut self, enabled: bool) -> Self {
        self.pacing.enabled = enabled;
        self
    }

    /// A quota of one's own, such as `100/min, burst 20`, or several with a semicolon between them, such as
    /// `100/min, burst 20; 1000/day`: a call takes from each. At most 8. Default none.
    pub fn quota(mut self, quota: impl Into<String>) -> Self {
        self.quota = Some(quota.into());
        self
    }

    /// Whether POST and PATCH get an idempotency key by themselves. Default true.
    pub fn idempotency_keys(mut self, automatic: bool) -> Self {
        self.idempotency.automatic = automatic;
        self
    }

    /// The header of the idempotency key, and whether its value is quoted as the IETF draft has it.
    /// Default `idempotency-key`, not quoted.
    pub fn idempotency_header(mut self, name: impl Into<String>, quoted: bool) -> Self {
        self.idempotency_header = Some(name.into());
        self.idempotency.quoted = quoted;
        self
    }

    /// Redirects followed for one call; 0 hands them to the caller. Default 5.
    pub fn max_redirects(mut self, max: u32) -> Self {
        self.max_redirects = max;
        self
    }

    /// Another origin to which requests and redirects may go, without credentials. Default none.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.push(origin.into());
        self
    }

    /// Allows plain http to other machines. Default false: loopback only.
    pub fn allow_http(mut self, yes: bool) -> Self {
        self.allow_http = yes;
        self
    }

    /// Adds hooks around each attempt.
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks.push(Arc::new(hooks));
        self
    }

    /// Adds a hook before each attempt.
    pub fn before_attempt<F>(self, hook: F) -> Self
    where
        F: Fn(&mut BeforeAttempt) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.hooks(BeforeFn(hook))
    }

    /// Adds a hook after each attempt.
    pub fn after_attempt<F>(self, hook: F) -> Self
    where
        F: Fn(&AfterAttempt) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.hooks(AfterFn(hook))
    }

    /// The largest body that is read whole. Default 100 MiB.
    pub fn max_response_bytes(mut self, bytes: u64) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Whether an error status is an error (the default) or an answer like any other.
    pub fn error_for_status(mut self, yes: bool) -> Self {
        self.error_for_status = yes;
        self
    }

    /// A proxy for everything but loopback. Default: as the environment says.
    #[cfg(feature = "native")]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.native.proxy = proxy;
        self
    }

    /// Public keys of which the base URL's host has to show one, beside a certificate that is valid as usual. Each is
    /// `sha256/` and the base64 of the SHA-256 of a `SubjectPublicKeyInfo`, as OkHttp, curl and HPKP write it:
    ///
    /// ```sh
    /// openssl s_client -connect api.example.com:443 </dev/null | openssl x509 -pubkey -noout \
    ///   | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
    /// ```
    ///
    /// Compared are the keys of the verified chain: the server's own, those of the intermediates that lead from it to a
    /// root, and the root's; not those of certificates that are sent along without need. Name, dates and signatures are
    /// checked as without pins. For an allowed origin write `files.example.com=sha256/…`; hosts without pins are not
    /// pinned. Give a second pin, of a key that is kept for the day on which the first is lost. May be called more than once.
    ///
    /// [`build`](Self::build) refuses pins that have another form, that are for a host to which this client never goes, or
    /// that would not be checked: over plain http, or by a transport of one's own.
    #[cfg(feature = "native")]
    pub fn pins(mut self, pins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.pins.extend(pins.into_iter().map(Into::into));
        self
    }

    /// PEM certificates that are trusted beside the system's. May be given more than once.
    #[cfg(feature = "native")]
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.native.ca_certificates.push(pem.into());
        self
    }

    /// A transport in place of the native one.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// A runtime in place of the system's.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    /// `invalid_config` for a setting that cannot be, `insecure_url` for plain http to another machine.
    pub fn build(mut self) -> Result<Client, Error> {
        let mut base = Base::new(&self.base_url, self.allow_http, &self.allowed_origins)?;
        let bases = self.region_bases(&base)?;
        base.is_beside(&bases);
        let credentials =
            Credentials::new(self.auth.clone(), std::mem::take(&mut self.credentials))?;
        if let Some(quota) = &self.quota {
            self.pacing.local = LocalQuota::read_all(quota)
                .map_err(|why| Error::new(ErrorKind::InvalidConfig, format!("`quota`: {why}")))?;
        }
        if let Some(name) = &self.idempotency_header {
            self.idempotency.header = HeaderName::try_from(name.as_str()).map_err(|_| {
                Error::new(
                    ErrorKind::InvalidConfig,
                    format!("`idempotency_header`: {name:?} is no header name"),
                )
            })?;
        }
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in &self.headers {
            let (name, value) = checked_header(name, value).map_err(|error| {
                let mut parts = error.into_parts();
                parts.kind = ErrorKind::InvalidConfig;
                Error::from(parts)
            })?;
            headers.insert(name, value);
        }
        let limits = CallLimits {
            timeout: checked("timeout", self.timeout)?,
            attempt_timeout: checked("attempt_timeout", self.attempt_timeout)?,
            max_attempts: None,
        };
        let read_timeout = checked("read_timeout", self.read_timeout)?;
        let (transport, runtime) = self.machine(&base)?;
        let hedge = checked_hedge(self.hedge)?;
        let settings = self.engine_settings()?;
        let engine = Engine::with(self.retry, settings);
        let base_host = engine.host(&base.url().origin().ascii_serialization());
        if let Some(quota) = &self.shared_quota {
            quota.on_client(&base.url().origin().ascii_serialization())?;
        }
        let redirects = RedirectPolicy {
            max: self.max_redirects,
            allowed_origins: base.allowed().to_vec(),
            own_origins: bases.iter().map(|base| base.url().origin()).collect(),
        };
        let regions = RegionUrls::new(bases, &engine);
        let cache = self.cache.map(CacheSettings::checked).transpose()?;
        let cache = cache.map(|rules| Arc::new(Cache::new(rules, &*runtime)));
        let inner = Inner {
            base_host,
            engine,
            transport,
            runtime,
            redactor: Arc::new(credentials.redactor()),
            credentials,
            headers,
            limits,
            read_timeout,
            min_throughput: self.min_throughput,
            observer: self.observer,
            idempotency: self.idempotency,
            redirects,
            hooks: self.hooks,
            max_response_bytes: self.max_response_bytes,
            error_for_status: self.error_for_status,
            shared_quota: self.shared_quota,
            regions,
            hedge,
            base,
            cache,
            closed: AtomicBool::new(false),
        };
        Ok(Client {
            inner: Arc::new(inner),
        })
    }

    #[cfg(feature = "native")]
    fn machine(&mut self, base: &Base) -> Result<Machine, Error> {
        if let Some(timeout) = self.connect_timeout {
            self.native.connect_timeout = checked("connect_timeout", timeout)?;
        }
        if !self.pins.is_empty() && self.transport.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "`pins` are checked by the native transport, but another one is given",
            ));
        }
        self.native.pins = Pins::of_client(&self.pins, base)?;
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => Arc::new(NativeTransport::new(&self.native)?),
        };
        let runtime = self
            .runtime
            .take()
            .unwrap_or_else(|| Arc::new(crate::runtime::SystemRuntime::default()));
        Ok((transport, runtime))
    }

    #[cfg(all(feature = "web", target_arch = "wasm32", not(feature = "native")))]
    fn machine(&mut self, _: &Base) -> Result<Machine, Error> {
        use gatewright_engine::auth::Credential;
        if matches!(self.auth.credential, Credential::ApiKeyCookie { .. })
            && crate::transport::web::in_browser()
        {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "`auth`: a browser does not let a page set the header Cookie; take another way, or let the server set the cookie",
            ));
        }
        let transport = self
            .transport
            .take()
            .unwrap_or_else(|| Arc::new(crate::transport::web::WebTransport));
        let runtime = self
            .runtime
            .take()
            .unwrap_or_else(|| Arc::new(crate::runtime::web::WebRuntime));
        Ok((transport, runtime))
    }

    #[cfg(not(any(feature = "native", all(feature = "web", target_arch = "wasm32"))))]
    fn machine(&mut self, _: &Base) -> Result<Machine, Error> {
        match (self.transport.take(), self.runtime.take()) {
            (Some(transport), Some(runtime)) => Ok((transport, runtime)),
            _ => Err(Error::new(
                ErrorKind::InvalidConfig,
                "without the feature `native`, give a transport and a runtime",
            )),
        }
    }
}
