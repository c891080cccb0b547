//! What a client knows, as dictionaries.

use gatewright::Client;
use gatewright::engine::host::HostState;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::json;

/// A client's state.
pub(crate) fn state<'py>(py: Python<'py>, client: &Client) -> PyResult<Bound<'py, PyAny>> {
    let state = client.state();
    let mut shown = host(&state);
    let regions = state.regions.iter().map(|region| {
        let mut shown = host(&region.host);
        set(&mut shown, "name", json!(&*region.name));
        set(&mut shown, "healthy", json!(region.healthy));
        shown
    });
    set(&mut shown, "regions", regions.collect());
    set(
        &mut shown,
        "cache",
        json!(state.cache.as_ref().map(crate::cache::state)),
    );
    let shared = state.shared_quota.as_ref().map(crate::quota::state);
    set(&mut shown, "shared_quota", json!(shared));
    json::decode(py, shown.to_string().as_bytes()).map_err(PyRuntimeError::new_err)
}

/// The state of one host.
pub(crate) fn of_host<'py>(py: Python<'py>, state: &HostState) -> PyResult<Bound<'py, PyAny>> {
    json::decode(py, host(state).to_string().as_bytes()).map_err(PyRuntimeError::new_err)
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn host(state: &HostState) -> Value {
    let limits = state.pacers.iter().map(|pacer| {
        let quotas = pacer.gates.iter().map(|gate| {
            json!({
                "policy": gate.policy,
                "limit": gate.limit,
                "remaining": gate.remaining,
                "window": gate.window.map(|window| window.as_secs_f64()),
                "next_in": gate.next_in.as_secs_f64(),
                "resets_in": gate.resets_in.map(|wait| wait.as_secs_f64()),
                "shared": gate.shared,
            })
        });
        json!({
            "in_flight": pacer.in_flight,
            "queued": pacer.queued,
            "paused_for": pacer.paused_for.map(|wait| wait.as_secs_f64()),
            "quotas": quotas.collect::<Vec<_>>(),
        })
    });
    let breaker = state.breaker.as_ref().map(|breaker| {
        json!({
            "state": breaker.phase.as_str(),
            "failures": breaker.failures,
            "calls": breaker.calls,
            "retry_after": breaker.retry_after.map(|wait| wait.as_secs_f64()),
            "last_failure": breaker.last_failure.map(|failure| failure.to_string()),
        })
    });
    let concurrency = state.concurrency.as_ref().map(|concurrency| {
        json!({
            "limit": concurrency.limit,
            "in_flight": concurrency.in_flight,
            "queued": concurrency.queued,
        })
    });
    json!({
        "budget_left": state.budget_left,
        "budget_capacity": state.budget_capacity,
        "breaker": breaker,
        "concurrency": concurrency,
        "limits": limits.collect::<Vec<_>>(),
    })
}
