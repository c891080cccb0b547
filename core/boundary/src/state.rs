//! What a client knows of its host, as JSON: `{budgetLeft, budgetCapacity, limits: [{inFlight, queued, pausedForMs, quotas: [{policy, limit,
//! remaining, windowMs, nextInMs, resetsInMs, shared}]}], breaker, concurrency, cache, regions}`; `sharedQuota` (`shared_quota.rs`) is there only where
//! the client has one; `breaker` and `concurrency` (`admission.rs`)
//! are null where they are off, `cache` (`cache.rs`) is there only where the client has one. `regions: [{name, healthy, ...}]`, each with the
//! members of its host, is there where the client has several.

use gatewright::engine::host::HostState;

use crate::json;

pub(crate) fn to_json(state: &HostState) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(b'{');
    of_host(&mut out, state);
    if !state.regions.is_empty() {
        json::member(&mut out, "regions");
        out.push(b'[');
        for (index, region) in state.regions.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"name\":");
            json::string(&mut out, &region.name);
            json::member(&mut out, "healthy");
            json::boolean(&mut out, region.healthy);
            of_host(&mut out, &region.host);
            out.push(b'}');
        }
        out.push(b']');
    }
    out.push(b'}');
    out
}

/// Writes the members of one host's state.
fn of_host(out: &mut Vec<u8>, state: &HostState) {
    json::member(out, "budgetLeft");
    json::number(out, state.budget_left.into());
    json::member(out, "budgetCapacity");
    json::number(out, state.budget_capacity.into());
    json::member(out, "limits");
    out.push(b'[');
    for (index, pacer) in state.pacers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"inFlight\":");
        json::number(out, pacer.in_flight.into());
        json::member(out, "queued");
        json::number(out, u64::try_from(pacer.queued).unwrap_or(u64::MAX));
        json::member(out, "pausedForMs");
        json::or_null(out, pacer.paused_for, json::milliseconds);
        json::member(out, "quotas");
        out.push(b'[');
        for (index, gate) in pacer.gates.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"policy\":");
            json::string(out, &gate.policy);
            json::member(out, "limit");
            json::number(out, gate.limit);
            json::member(out, "remaining");
            json::number(out, gate.remaining);
            json::member(out, "windowMs");
            json::or_null(out, gate.window, json::milliseconds);
            json::member(out, "nextInMs");
            json::milliseconds(out, gate.next_in);
            json::member(out, "resetsInMs");
            json::or_null(out, gate.resets_in, json::milliseconds);
            json::member(out, "shared");
            json::boolean(out, gate.shared);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
    crate::cache::state(out, state.cache.as_ref());
    crate::shared_quota::state(out, state.shared_quota.as_ref());
    crate::admission::breaker_state(out, state.breaker.as_ref());
    crate::admission::concurrency_state(out, state.concurrency.as_ref());
}
