//! A client's keyword arguments, read once. `_client.py` and `_async_client.py` have their names, types and defaults.

use std::sync::Arc;
use std::time::Duration;

use gatewright::runtime::SystemRuntime;
use gatewright::transport::native::Proxy;
use gatewright::{
    BreakerSettings, Client, ClientBuilder, Error, ErrorKind, OAuth, RetryPolicy, Timeout,
};
use pyo3::exceptions::{PyOverflowError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use crate::credentials;
use crate::error::to_exception;
use crate::hooks::PythonHooks;
use crate::observer::{self, PythonObserver};
use crate::option_values::{self, Hedging};
use crate::quota::RedisQuota;
use crate::slot::Slot;
use crate::token_store::PythonStore;

/// The settings of a client, kept so that a child process can make its client anew.
pub(crate) struct Settings {
    base_url: String,
    given: Py<PyDict>,
    token: Option<Slot>,
    /// The callables among the further credentials.
    tokens: Vec<(String, Slot)>,
    /// The users' own stores of tokens, with the names of their credentials; `None`: that of `auth`.
    stores: Vec<(Option<String>, PythonStore)>,
    before: Option<Slot>,
    after: Option<Slot>,
    observer: Option<Slot>,
    /// Whether calls may ask Python something.
    pub(crate) asks: bool,
}

/// A client, and the OAuth of its credentials, for logins.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) client: Client,
    logins: Arc<[(Option<String>, OAuth)]>,
}

impl Made {
    /// The OAuth of a credential of this name, or of `auth`.
    pub(crate) fn oauth(&self, credential: Option<&str>) -> Result<&OAuth, Error> {
        let found = self
            .logins
            .iter()
            .find(|(name, _)| name.as_deref() == credential);
        found.map(|(_, oauth)| oauth).ok_or_else(|| {
            let what = match credential {
                Some(name) => format!("no credential called {name:?} is an OAuth"),
                None => "the client's `auth` is no OAuth".to_owned(),
            };
            Error::new(ErrorKind::InvalidConfig, what)
        })
    }
}

impl Settings {
    pub(crate) fn read(base_url: String, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let given_value = Given(given);
        let mut stores = Vec::new();
        let token = match given_value.any("auth")? {
            Some(auth) => {
                stores.extend(credentials::token_store(&auth)?.map(|store| (None, store)));
                credentials::callback(&auth)?
            }
            None => None,
        };
        let mut tokens = Vec::new();
        for (name, auth) in given_value.credentials()? {
            let store = credentials::token_store(&auth)?;
            stores.extend(store.map(|store| (Some(name.clone()), store)));
            if let Some(callback) = credentials::callback(&auth)? {
                tokens.push((name, callback));
            }
        }
        let before = given_value.any("before_attempt")?.map(Slot::new);
        let after = given_value.any("after_attempt")?.map(Slot::new);
        let observer = match given_value.any("observer")? {
            Some(observer) => Some(observer::slot(&observer)?),
            None => None,
        };
        Ok(Self {
            base_url,
            given: given.clone().unbind(),
            asks: !tokens.is_empty()
                || !stores.is_empty()
                || [&token, &before, &after, &observer]
                    .iter()
                    .any(|slot| slot.is_some()),
            token,
            tokens,
            stores,
            before,
            after,
            observer,
        })
    }

    /// Makes the client. `behind`: whether something may be done while nobody waits for a call.
    pub(crate) fn client(&self, py: Python<'_>, behind: bool) -> PyResult<Made> {
        let given = Given(self.given.bind(py));
        let mut builder = given.fill(py, Client::builder(self.base_url.clone()))?;
        let mut logins = Vec::new();
        if !behind {
            builder = builder.runtime(SystemRuntime::without_background());
        }
        if let Some(auth) = given.any("auth")? {
            let read = credentials::read(py, &auth, self.token.as_ref(), self.store(None))?;
            logins.extend(read.oauth.map(|oauth| (None, oauth)));
            builder = builder.auth(read.auth);
        }
        for (name, auth) in given.credentials()? {
            let callback = self.tokens.iter().find(|(known, _)| *known == name);
            let callback = callback.map(|(_, callback)| callback);
            let read = credentials::read(py, &auth, callback, self.store(Some(&name)))?;
            logins.extend(read.oauth.map(|oauth| (Some(name.clone()), oauth)));
            builder = builder.credential(name, read.auth);
        }
        if self.before.is_some() || self.after.is_some() {
            builder = builder.hooks(PythonHooks {
                before: self.before.clone(),
                after: self.after.clone(),
            });
        }
        if let Some(observer) = &self.observer {
            builder = builder.observer(PythonObserver(observer.clone()));
        }
        let client = builder.build().map_err(|error| to_exception(py, error))?;
        Ok(Made {
            client,
            logins: logins.into(),
        })
    }

    fn store(&self, credential: Option<&str>) -> Option<&PythonStore> {
        let mut stores = self.stores.iter();
        let found = stores.find(|(name, _)| name.as_deref() == credential);
        found.map(|(_, store)| store)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        [&self.token, &self.before, &self.after, &self.observer]
            .into_iter()
            .flatten()
            .chain(self.tokens.iter().map(|(_, slot)| slot))
            .chain(self.stores.iter().map(|(_, store)| store.slot()))
    }

    /// Shows the garbage collector everything of Python's that is held.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.given)?;
        self.slots().try_for_each(|slot| slot.traverse(visit))
    }

    /// Breaks cycles through callbacks. The settings themselves stay.
    pub(crate) fn clear(&self) {
        self.slots().for_each(Slot::clear);
    }
}

/// What a method of a subclass meets that never called `super().__init__()`.
pub(crate) fn not_initialised() -> PyErr {
    PyRuntimeError::new_err("the client was not initialised: call super().__init__() first")
}

struct Given<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Given<'_, 'py> {
    fn get<T: for<'a> FromPyObject<'a, 'py, Error = PyErr>>(
        &self,
        name: &str,
    ) -> PyResult<Option<T>> {
        match self.any(name)? {
            None => Ok(None),
            Some(value) => value.extract().map(Some).map_err(|wrong: PyErr| {
                let py = value.py();
                if wrong.is_instance_of::<PyOverflowError>(py) {
                    invalid(py, format!("`{name}` is {value}, which is out of range"))
                } else {
                    wrong
                }
            }),
        }
    }

    fn credentials(&self) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        match self.any("credentials")? {
            Some(credentials) => credentials
                .cast_into::<PyDict>()?
                .iter()
                .map(|(name, auth)| Ok((name.extract()?, auth)))
                .collect(),
            None => Ok(Vec::new()),
        }
    }

    /// A number of seconds.
    fn seconds(&self, py: Python<'py>, of: &Bound<'py, PyAny>, name: &str) -> PyResult<Duration> {
        let seconds: f64 = of.getattr(name)?.extract()?;
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            let what =
                format!("`{name}` is {seconds}; it must be a number of seconds, zero or more");
            invalid(py, what)
        })
    }

    fn breaker(&self, py: Python<'py>) -> PyResult<Option<BreakerSettings>> {
        let mut settings = BreakerSettings::default();
        let Some(given) = self.any("breaker")? else {
            return Ok(Some(settings));
        };
        if let Ok(on) = given.extract::<bool>() {
            return Ok(on.then_some(settings));
        }
        settings.failure_rate = given.getattr("failure_rate")?.extract()?;
        settings.minimum_calls = given.getattr("minimum_calls")?.extract()?;
        settings.window = self.seconds(py, &given, "window")?;
        if !given.getattr("open")?.is_none() {
            settings.open = Some(self.seconds(py, &given, "open")?);
        }
        Ok(Some(settings))
    }

    fn max_queue(&self, py: Python<'py>, pacing: &Bound<'py, PyAny>) -> PyResult<usize> {
        let calls = pacing.getattr("max_queue")?;
        calls.extract().map_err(|_| {
            let what = format!("`pacing.max_queue` is {calls}; it must be a number of calls");
            invalid(py, what)
        })
    }

    fn timeout(&self, name: &str) -> PyResult<Timeout> {
        Ok(self
            .get::<f64>(name)?
            .map_or(Timeout::None, Timeout::Seconds))
    }

    fn any(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn fill(&self, py: Python<'py>, mut builder: ClientBuilder) -> PyResult<ClientBuilder> {
        builder = builder
            .timeout(self.timeout("timeout")?)
            .attempt_timeout(self.timeout("attempt_timeout")?)
            .connect_timeout(self.timeout("connect_timeout")?)
            .read_timeout(self.timeout("read_timeout")?);
        if let Some(headers) = self.any("headers")? {
            for (name, value) in crate::request::pairs(&headers)? {
                let value = crate::request::header_bytes(&value)?;
                builder = builder.header(crate::request::header_name(&name)?, value);
            }
        }
        let mut retry = RetryPolicy::default();
        if let Some(attempts) = self.get::<u32>("max_attempts")? {
            if attempts == 0 {
                let what = "`max_attempts` is 0; the first attempt is one of them".to_owned();
                return Err(invalid(py, what));
            }
            retry.max_attempts = attempts;
        }
        if let Some(budget) = self.get("budget")? {
            retry.budget = budget;
        }
        for (name, setting) in [
            ("backoff_base", &mut retry.backoff.base),
            ("backoff_cap", &mut retry.backoff.cap),
            ("max_retry_after", &mut retry.max_retry_after),
        ] {
            if let Some(seconds) = self.get::<f64>(name)? {
                *setting = Duration::try_from_secs_f64(seconds).map_err(|_| {
                    let what = format!(
                        "`{name}` is {seconds}; it must be a number of seconds, zero or more"
                    );
                    invalid(py, what)
                })?;
            }
        }
        builder = builder.retry(retry);
        if let Some(pacing) = self.any("pacing")? {
            builder = match pacing.extract::<bool>() {
                Ok(on) => builder.pacing(on),
                Err(_) => builder.max_queue(self.max_queue(py, &pacing)?),
            };
        }
        if let Some(floor) = self.0.get_item("min_throughput")?
            && let Some(floor) = option_values::floor(&floor, ErrorKind::InvalidConfig)?
        {
            builder = builder.min_throughput(floor);
        }
        if let Some(quota) = self.any("quota")? {
            builder = match quota.cast::<RedisQuota>() {
                Ok(shared) => builder.shared_quota(shared.get().shared()),
                Err(_) => builder.quota(quota.extract::<String>()?),
            };
        }
        if let Some(attempts) = self.get("max_concurrency")? {
            builder = builder.max_concurrency(attempts);
        }
        builder = builder
            .breaker(self.breaker(py)?)
            .regions(self.get::<Vec<String>>("regions")?.unwrap_or_default());
        if let Some(cache) = self.any("cache")? {
            builder = builder.cache(crate::cache::settings(&cache)?);
        }
        if let Some(Hedging(hedge)) = self.get("hedge")? {
            builder = builder.hedge(hedge);
        }
        if let Some(automatic) = self.get("idempotency_keys")? {
            builder = builder.idempotency_keys(automatic);
        }
        if let Some(name) = self.get::<String>("idempotency_header")? {
            builder =
                builder.idempotency_header(name, self.get("idempotency_quoted")?.unwrap_or(false));
        }
        if let Some(max) = self.get("max_redirects")? {
            builder = builder.max_redirects(max);
        }
        for origin in self
            .get::<Vec<String>>("allowed_origins")?
            .unwrap_or_default()
        {
            builder = builder.allow_origin(origin);
        }
        if let Some(allow) = self.get("allow_http")? {
            builder = builder.allow_http(allow);
        }
        if let Some(proxy) = self.any("proxy")? {
            builder = builder.proxy(match proxy.extract::<bool>() {
                Ok(false) => Proxy::Direct,
                _ => Proxy::Url(proxy.extract()?),
            });
        }
        if let Some(pem) = self.get::<Vec<u8>>("ca_certificates")? {
            builder = builder.ca_certificates(pem);
        }
        if let Some(pins) = self.get::<Vec<String>>("pins")? {
            builder = builder.pins(pins);
        }
        if let Some(max) = self.get("max_response_bytes")? {
            builder = builder.max_response_bytes(max);
        }
        if let Some(raise) = self.get("raise_for_status")? {
            builder = builder.error_for_status(raise);
        }
        Ok(builder)
    }
}

fn invalid(py: Python<'_>, what: String) -> PyErr {
    to_exception(py, Error::new(ErrorKind::InvalidConfig, what))
}
