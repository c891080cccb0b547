//! `RedisQuota`: a quota that processes share through Redis.

use std::time::Duration;

use gatewright::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error::to_exception;

/// A quota that processes share. Clients that are given the same object have one place in the fleet.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct RedisQuota(gatewright::RedisQuota, String);

impl RedisQuota {
    pub(crate) fn shared(&self) -> gatewright::RedisQuota {
        self.0.clone()
    }
}

#[pymethods]
impl RedisQuota {
    #[new]
    #[pyo3(signature = (url, quota, *, name=None, prefix="gatewright", cluster=false, ahead=1.0, keep=0.5, timeout=0.25,
        probe=0.5, assumed_processes=8, max_queue=10_000, ca_certificates=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the keywords of a Python constructor"
    )]
    fn new(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        quota: &str,
        name: Option<String>,
        prefix: &str,
        cluster: bool,
        ahead: f64,
        keep: f64,
        timeout: f64,
        probe: f64,
        assumed_processes: u32,
        max_queue: usize,
        ca_certificates: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let seconds = |name: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|_| {
                let what = format!("`{name}` is {seconds}; it must be a number of seconds");
                to_exception(py, Error::new(ErrorKind::InvalidConfig, what))
            })
        };
        let one = url.extract::<String>();
        let made = match (cluster, one) {
            (false, Ok(url)) => gatewright::RedisQuota::new(url, quota),
            (true, Ok(url)) => gatewright::RedisQuota::cluster([url], quota),
            (true, Err(_)) => {
                // What a wrong argument is stays hidden: it may have a password in it.
                let urls = url.extract::<Vec<String>>().map_err(|_| {
                    PyTypeError::new_err("`url` must be a str, or a list of str for a cluster")
                })?;
                gatewright::RedisQuota::cluster(urls, quota)
            }
            (false, Err(_)) => {
                return Err(PyTypeError::new_err(
                    "`url` must be a str; several are for `cluster=True`",
                ));
            }
        };
        let mut made = made
            .map_err(|error| to_exception(py, error))?
            .prefix(prefix)
            .ahead(seconds("ahead", ahead)?)
            .keep(seconds("keep", keep)?)
            .timeout(seconds("timeout", timeout)?)
            .probe(seconds("probe", probe)?)
            .assumed_processes(assumed_processes)
            .max_queue(max_queue);
        if let Some(name) = name {
            made = made.name(name);
        }
        if let Some(pem) = ca_certificates {
            made = made.ca_certificates(pem);
        }
        Ok(Self(made, quota.to_owned()))
    }

    fn __repr__(&self) -> String {
        // The URL may have a password in it.
        format!("RedisQuota(***, {:?})", self.1)
    }
}

/// What is known of a shared quota.
pub(crate) fn state(state: &gatewright::ShareState) -> serde_json::Value {
    serde_json::json!({
        "name": state.name,
        "quota": state.quota,
        "mode": state.mode.as_str(),
        "processes": state.processes,
        "held": state.held,
        "queued": state.queued,
        "paused_for": state.paused_for.map(|wait| wait.as_secs_f64()),
        "away_for": state.away_for.map(|time| time.as_secs_f64()),
        "used": state.used,
        "round_trips": state.round_trips,
    })
}
