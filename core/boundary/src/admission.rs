//! Breaker, slots, regions and hedging: their settings from JSON, their state into JSON.

use std::time::Duration;

use gatewright::engine::breaker::BreakerState;
use gatewright::engine::concurrency::ConcurrencyState;
use gatewright::{BreakerSettings, Hedge};

use crate::json;
use crate::members::{Member, shown_name};

/// Reads `true`, `false` or `{failureRate, minimumCalls, windowMs, openMs}`.
pub(crate) fn breaker(member: &Member<'_>) -> Result<Option<BreakerSettings>, String> {
    if let Ok(on) = member.flag() {
        return Ok(on.then(BreakerSettings::default));
    }
    let parts = member
        .members()
        .map_err(|_| member.must_be("true, false or an object"))?;
    let mut settings = BreakerSettings::default();
    for part in parts {
        let name = part.name.clone();
        match &*name {
            "failureRate" => settings.failure_rate = part.called("breaker.failureRate").number()?,
            "minimumCalls" => {
                settings.minimum_calls = part.called("breaker.minimumCalls").count(1)?;
            }
            "windowMs" => settings.window = part.called("breaker.window").duration()?,
            "openMs" => settings.open = Some(part.called("breaker.open").duration()?),
            other => return Err(unknown("breaker", other)),
        }
    }
    Ok(Some(settings))
}

/// Reads `false` or `null`, `"p95"`, or `{afterMs}`.
pub(crate) fn hedge(member: &Member<'_>) -> Result<Option<Hedge>, String> {
    let wrong = || member.must_be("false, \"p95\" or an object with a time");
    if member.is_null() || matches!(member.flag(), Ok(false)) {
        return Ok(None);
    }
    if let Ok(name) = member.text() {
        return match &*name {
            "p95" => Ok(Some(Hedge::p95())),
            _ => Err(wrong()),
        };
    }
    let mut after: Option<Duration> = None;
    for part in member.members().map_err(|_| wrong())? {
        match &*part.name.clone() {
            "afterMs" => after = Some(part.called("hedge.after").duration()?),
            other => return Err(unknown("hedge", other)),
        }
    }
    after
        .map(|after| Some(Hedge::after(after)))
        .ok_or_else(wrong)
}

fn unknown(place: &str, name: &str) -> String {
    let name = shown_name(name);
    format!("`{place}` has a member \"{name}\", which it does not know")
}

/// Writes `{state, failures, calls, retryAfterMs, lastFailure}`, or `null` where it is off.
pub(crate) fn breaker_state(out: &mut Vec<u8>, state: Option<&BreakerState>) {
    json::member(out, "breaker");
    json::or_null(out, state, |out, state| {
        out.extend_from_slice(b"{\"state\":");
        json::string(out, state.phase.as_str());
        json::member(out, "failures");
        json::number(out, state.failures.into());
        json::member(out, "calls");
        json::number(out, state.calls.into());
        json::member(out, "retryAfterMs");
        json::or_null(out, state.retry_after, json::milliseconds);
        json::member(out, "lastFailure");
        json::or_null(out, state.last_failure, json::shown);
        out.push(b'}');
    });
}

/// Writes `{limit, inFlight, queued}`, or `null` where there is no limit.
pub(crate) fn concurrency_state(out: &mut Vec<u8>, state: Option<&ConcurrencyState>) {
    json::member(out, "concurrency");
    json::or_null(out, state, |out, state| {
        out.extend_from_slice(b"{\"limit\":");
        json::number(out, state.limit.into());
        json::member(out, "inFlight");
        json::number(out, state.in_flight.into());
        json::member(out, "queued");
        json::number(out, u64::try_from(state.queued).unwrap_or(u64::MAX));
        out.push(b'}');
    });
}
