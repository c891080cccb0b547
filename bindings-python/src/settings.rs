//! A client's keyword arguments, read once. `gatewright/_client.py` has their names, types and defaults.

use gatewright::transport::native::Proxy;
use gatewright::{Auth, Client, ClientBuilder, RetryPolicy, Timeout};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::credentials;
use crate::error::to_exception;
use crate::hooks::PythonHooks;

/// The settings of a client, kept so that a child process can make its client anew.
pub(crate) struct Settings {
    base_url: String,
    given: Py<PyDict>,
    /// Whether calls may ask Python something.
    pub(crate) asks: bool,
}

impl Settings {
    pub(crate) fn read(base_url: String, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let set =
            |name: &str| PyResult::Ok(given.get_item(name)?.is_some_and(|value| !value.is_none()));
        let callback = match given.get_item("auth")? {
            Some(auth) => auth.cast::<PyTuple>()?.get_item(0)?.extract::<String>()? == "callback",
            None => false,
        };
        let asks = callback || set("before_attempt")? || set("after_attempt")?;
        Ok(Self {
            base_url,
            given: given.clone().unbind(),
            asks,
        })
    }

    /// Makes the client.
    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<Client> {
        let given = Given(self.given.bind(py));
        let builder = Client::builder(self.base_url.clone());
        let builder = given.fill(py, builder)?;
        builder.build().map_err(|error| to_exception(py, error))
    }
}

struct Given<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Given<'_, 'py> {
    fn get<T: for<'a> FromPyObject<'a, 'py, Error = PyErr>>(
        &self,
        name: &str,
    ) -> PyResult<Option<T>> {
        match self.0.get_item(name)? {
            Some(value) if !value.is_none() => value.extract().map(Some),
            _ => Ok(None),
        }
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
        let auth = match self.any("auth")? {
            Some(parts) => credentials::read(py, parts.cast::<PyTuple>()?)?,
            None => Auth::none(),
        };
        builder = builder
            .auth(auth)
            .timeout(self.timeout("timeout")?)
            .attempt_timeout(self.timeout("attempt_timeout")?)
            .connect_timeout(self.timeout("connect_timeout")?)
            .read_timeout(self.timeout("read_timeout")?);
        if let Some(headers) = self.any("headers")? {
            for (name, value) in crate::request::pairs(&headers)? {
                let value = crate::request::header_bytes(&value)?;
                builder = builder.header(name.extract::<String>()?, value);
            }
        }
        let mut retry = RetryPolicy::default();
        if let Some((attempts, base, cap, longest, budget)) =
            self.get::<(u32, f64, f64, f64, u32)>("retry")?
        {
            let seconds = |name: &str, value: f64| {
                std::time::Duration::try_from_secs_f64(value).map_err(|_| {
                    let what = format!(
                        "`Retry.{name}` is {value}; it must be a number of seconds, zero or more"
                    );
                    to_exception(
                        py,
                        gatewright::Error::new(gatewright::ErrorKind::InvalidConfig, what),
                    )
                })
            };
            retry.max_attempts = attempts.max(1);
            retry.backoff.base = seconds("backoff_base", base)?;
            retry.backoff.cap = seconds("backoff_cap", cap)?;
            retry.max_retry_after = seconds("max_retry_after", longest)?;
            retry.budget = budget;
        }
        builder = builder.retry(retry);
        if let Some(pacing) = self.get("pacing")? {
            builder = builder.pacing(pacing);
        }
        if let Some(quota) = self.get::<String>("quota")? {
            builder = builder.quota(quota);
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
        if let Some(max) = self.get("max_response_bytes")? {
            builder = builder.max_response_bytes(max);
        }
        if let Some(raise) = self.get("raise_for_status")? {
            builder = builder.error_for_status(raise);
        }
        let hooks = PythonHooks {
            before: self.any("before_attempt")?.map(Bound::unbind),
            after: self.any("after_attempt")?.map(Bound::unbind),
        };
        if hooks.before.is_some() || hooks.after.is_some() {
            builder = builder.hooks(hooks);
        }
        Ok(builder)
    }
}

/// A client's state as JSON, for Python to make values of.
pub(crate) fn state_json(client: &Client) -> String {
    let state = client.state();
    serde_json::json!({
        "budget_left": state.budget_left,
        "budget_capacity": state.budget_capacity,
        "pacers": state.pacers.iter().map(|pacer| format!("{pacer:?}")).collect::<Vec<_>>(),
    })
    .to_string()
}
