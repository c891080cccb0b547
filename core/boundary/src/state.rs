//! What a client knows of its host, as JSON: `{budgetLeft, budgetCapacity, limits: [{inFlight, queued, pausedForMs, quotas: [{policy, limit,
//! remaining, windowMs, nextInMs, resetsInMs, shared}]}], cache}`; `cache` (`cache.rs`) only
//! where the client has one.

use gatewright::engine::host::HostState;

use crate::json;

pub(crate) fn to_json(state: &HostState) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"budgetLeft\":");
    json::number(&mut out, state.budget_left.into());
    json::member(&mut out, "budgetCapacity");
    json::number(&mut out, state.budget_capacity.into());
    json::member(&mut out, "limits");
    out.push(b'[');
    for (index, pacer) in state.pacers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"inFlight\":");
        json::number(&mut out, pacer.in_flight.into());
        json::member(&mut out, "queued");
        json::number(&mut out, u64::try_from(pacer.queued).unwrap_or(u64::MAX));
        json::member(&mut out, "pausedForMs");
        json::or_null(&mut out, pacer.paused_for, json::milliseconds);
        json::member(&mut out, "quotas");
        out.push(b'[');
        for (index, gate) in pacer.gates.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"policy\":");
            json::string(&mut out, &gate.policy);
            json::member(&mut out, "limit");
            json::number(&mut out, gate.limit);
            json::member(&mut out, "remaining");
            json::number(&mut out, gate.remaining);
            json::member(&mut out, "windowMs");
            json::or_null(&mut out, gate.window, json::milliseconds);
            json::member(&mut out, "nextInMs");
            json::milliseconds(&mut out, gate.next_in);
            json::member(&mut out, "resetsInMs");
            json::or_null(&mut out, gate.resets_in, json::milliseconds);
            json::member(&mut out, "shared");
            json::boolean(&mut out, gate.shared);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
    crate::cache::state(&mut out, state.cache.as_ref());
    out.push(b'}');
    out
}
