//! Breaker, regions, hedging and explanations in the words of the protocol.

use gatewright::engine::limits::Reading;
use gatewright::{BreakerSettings, Client, Explanation, FailureClass, Hedge, Hypothetical, Plan};
use http::Method;
use serde_json::{Value, json};

use crate::open::timeout;
use crate::outcome::millis;
use crate::{Answer, Unsupported, outcome};

fn wrong(name: &str, value: &Value) -> Unsupported {
    Unsupported(format!("{name}: {value}"))
}

fn duration(name: &str, value: &Value) -> Result<std::time::Duration, Unsupported> {
    let ms = value.as_u64().ok_or_else(|| wrong(name, value))?;
    Ok(std::time::Duration::from_millis(ms))
}

/// `false`, or an object.
pub(crate) fn breaker(value: &Value) -> Result<Option<BreakerSettings>, Unsupported> {
    if value == &Value::Bool(false) {
        return Ok(None);
    }
    let mut settings = BreakerSettings::default();
    for (name, value) in value.as_object().ok_or_else(|| wrong("breaker", value))? {
        let refused = || wrong(name, value);
        match name.as_str() {
            "failure_rate" => settings.failure_rate = value.as_f64().ok_or_else(refused)?,
            "minimum_calls" => {
                let count = value.as_u64().and_then(|n| n.try_into().ok());
                settings.minimum_calls = count.ok_or_else(refused)?;
            }
            "window_ms" => settings.window = duration(name, value)?,
            "open_ms" => settings.open = Some(duration(name, value)?),
            _ => return Err(refused()),
        }
    }
    Ok(Some(settings))
}

/// `null`, `"p95"`, or `{"after_ms": 100}`.
pub(crate) fn hedge(value: &Value) -> Result<Option<Hedge>, Unsupported> {
    match value {
        Value::Null => Ok(None),
        Value::String(name) if name == "p95" => Ok(Some(Hedge::p95())),
        Value::Object(members) => {
            let after = members.get("after_ms").unwrap_or(&Value::Null);
            Ok(Some(Hedge::after(duration("hedge", after)?)))
        }
        _ => Err(wrong("hedge", value)),
    }
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What the client would do with what the request supposes.
pub(crate) fn explain(client: &Client, request: &Value) -> Answer {
    let supposed = supposed(request)?;
    Ok(match client.explain(supposed) {
        Ok(explained) => json!({ "ok": true, "explained": shown(&explained) }),
        Err(error) => outcome::error(&error),
    })
}

fn supposed(request: &Value) -> Result<Hypothetical, Unsupported> {
    let nothing = Value::Null;
    let supposed = request.get("supposed").unwrap_or(&nothing);
    let members = supposed
        .as_object()
        .ok_or_else(|| wrong("supposed", supposed))?;
    let text = |name: &str| {
        let value = request.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let mut hypothetical = match (members.get("status"), members.get("failure")) {
        (Some(status), None) => {
            let number = status.as_u64().and_then(|n| u16::try_from(n).ok());
            Hypothetical::answer(number.ok_or_else(|| wrong("status", status))?)
        }
        (None, Some(failure)) => {
            let mut all = FailureClass::ALL.iter();
            let class = all.find(|class| failure == class.code());
            Hypothetical::failure(*class.ok_or_else(|| wrong("failure", failure))?)
        }
        _ => return Err(wrong("supposed", supposed)),
    };
    let method = Method::from_bytes(text("method").as_bytes());
    hypothetical = hypothetical
        .method(method.map_err(|_| Unsupported("that method".to_owned()))?)
        .path(text("path"));
    if let Some(value) = request.get("timeout_ms") {
        hypothetical = hypothetical.timeout(timeout(value)?);
    }
    let attempts = request.get("max_attempts").and_then(Value::as_u64);
    if let Some(most) = attempts.and_then(|n| u32::try_from(n).ok()) {
        hypothetical = hypothetical.max_attempts(most);
    }
    for (name, value) in members {
        let refused = || wrong(name, value);
        hypothetical = match name.as_str() {
            "status" | "failure" => hypothetical,
            "headers" => {
                let headers = value.as_object().into_iter().flatten();
                headers.fold(hypothetical, |hypothetical, (name, value)| {
                    hypothetical.header(name, value.as_str().unwrap_or_default())
                })
            }
            "body" => hypothetical.body(value.as_str().ok_or_else(refused)?.to_owned()),
            "idempotency_key" => hypothetical.idempotency_key(value.as_bool().ok_or_else(refused)?),
            "replayable" => hypothetical.replayable(value.as_bool().ok_or_else(refused)?),
            "attempt" => {
                let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
                hypothetical.attempt(number.ok_or_else(refused)?)
            }
            "elapsed_ms" => hypothetical.elapsed(duration(name, value)?),
            _ => return Err(refused()),
        };
    }
    Ok(hypothetical)
}

fn shown(explained: &Explanation) -> Value {
    let (decision, reason, wait, to) = match &explained.decision {
        Plan::Return => ("return", None, None, None),
        Plan::Retry { cause, least, most } => {
            let wait = Some((millis(*least), millis(*most)));
            ("retry", Some(cause.to_string()), wait, None)
        }
        Plan::RefreshToken => ("refresh_token", None, None, None),
        Plan::Redirect { to } => ("redirect", None, None, Some(to)),
        Plan::GiveUp(why) => ("give_up", Some(why.to_string()), None, None),
    };
    json!({
        "decision": decision,
        "reason": reason,
        "least_wait_ms": wait.map(|(least, _)| least),
        "most_wait_ms": wait.map(|(_, most)| most),
        "to": to,
        "code": explained.kind.map(|kind| kind.code()),
        "repeatable": explained.repeatable,
        "retry_after_ms": explained.retry_after.map(millis),
        "cost": explained.cost,
        "budget_left": explained.budget_left,
        "counted": explained.counted.map(|counted| counted.as_str()),
        "breaker": explained.breaker.map(|phase| phase.as_str()),
        "paused_for_ms": explained.paused_for.map(millis),
        "region": explained.region,
        "quotas": explained.readings.iter().map(quota).collect::<Vec<_>>(),
        "reasons": explained.reasons,
        "text": explained.to_string(),
    })
}

fn quota(reading: &Reading) -> Value {
    json!({
        "policy": reading.policy,
        "limit": reading.limit,
        "remaining": reading.remaining,
        "window_ms": reading.window.map(millis),
        "resets_in_ms": reading.reset_after.map(millis),
    })
}
