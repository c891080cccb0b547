//! `client.explain(...)`: a supposition from JSON, `{status | failure, headers, body, method, path, idempotencyKey, replayable, attempt,
//! elapsedMs, maxAttempts, timeoutMs}`, and what would be done into JSON, `{decision, reason, leastWaitMs, mostWaitMs, to, code, repeatable,
//! retryAfterMs, cost, budgetLeft, counted, breaker, pausedForMs, region, quotas: [{policy, limit, remaining, windowMs, resetsInMs}],
//! reasons, text}`.

use gatewright::engine::limits::Reading;
use gatewright::{Error, Explanation, FailureClass, Hypothetical, Plan};
use http::Method;

use crate::headers;
use crate::json;
use crate::members::{Member, Members, shown_name};
use crate::options::invalid;

/// Reads a supposition.
pub(crate) fn supposed(text: &str) -> Result<Hypothetical, Error> {
    let members =
        Members::read(text).map_err(|must_be| invalid(format!("the supposition {must_be}")))?;
    let members: Vec<Member<'_>> = members.into_iter().collect();
    let find = |name: &str| members.iter().find(|member| member.name == name);
    let mut supposed = match (find("status"), find("failure")) {
        (Some(status), None) => {
            let status = status.count(100).map_err(invalid)?;
            Hypothetical::answer(u16::try_from(status).unwrap_or(u16::MAX))
        }
        (None, Some(failure)) => Hypothetical::failure(class(failure).map_err(invalid)?),
        _ => {
            let what = "a supposition has either `status` or `failure`".to_owned();
            return Err(invalid(what));
        }
    };
    for member in members {
        let name = member.name.clone();
        supposed = match &*name {
            "status" | "failure" => supposed,
            "headers" => set_headers(supposed, &member)?,
            "body" => supposed.body(member.text().map_err(invalid)?),
            "method" => {
                let text = member.text().map_err(invalid)?.to_ascii_uppercase();
                let method = Method::from_bytes(text.as_bytes())
                    .map_err(|_| invalid(member.must_be("an HTTP method")))?;
                supposed.method(method)
            }
            "path" => supposed.path(member.text().map_err(invalid)?),
            "idempotencyKey" => supposed.idempotency_key(member.flag().map_err(invalid)?),
            "replayable" => supposed.replayable(member.flag().map_err(invalid)?),
            "attempt" => supposed.attempt(member.count(1).map_err(invalid)?),
            "elapsedMs" => supposed.elapsed(member.called("elapsed").duration().map_err(invalid)?),
            "maxAttempts" => supposed.max_attempts(member.count(1).map_err(invalid)?),
            "timeoutMs" => supposed.timeout(member.called("timeout").timeout().map_err(invalid)?),
            other => {
                let what = format!("\"{}\" is no part of a supposition", shown_name(other));
                return Err(invalid(what));
            }
        };
    }
    Ok(supposed)
}

fn class(member: &Member<'_>) -> Result<FailureClass, String> {
    let named = member.text().ok();
    let mut all = FailureClass::ALL.iter();
    let found = named.and_then(|name| all.find(|class| class.code() == name));
    found.copied().ok_or_else(|| {
        let names: Vec<_> = FailureClass::ALL.iter().map(|c| c.code()).collect();
        member.must_be(&format!("one of {}", names.join(", ")))
    })
}

fn set_headers(mut supposed: Hypothetical, member: &Member<'_>) -> Result<Hypothetical, Error> {
    for (name, value) in member.pairs().map_err(invalid)? {
        let bytes = headers::bytes_of(&name, &value)?;
        supposed = supposed.header(&name, bytes);
    }
    Ok(supposed)
}

/// Writes what would be done.
pub(crate) fn to_json(explained: &Explanation) -> Vec<u8> {
    let (decision, reason, wait, to) = match &explained.decision {
        Plan::Return => ("return", None, None, None),
        Plan::Retry { cause, least, most } => {
            let wait = Some((*least, *most));
            ("retry", Some(cause.to_string()), wait, None)
        }
        Plan::RefreshToken => ("refresh_token", None, None, None),
        Plan::Redirect { to } => ("redirect", None, None, Some(to.as_str())),
        Plan::GiveUp(why) => ("give_up", Some(why.to_string()), None, None),
    };
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"decision\":");
    json::string(&mut out, decision);
    let texts = [
        ("reason", reason.as_deref()),
        ("to", to),
        ("code", explained.kind.map(|kind| kind.code())),
        ("counted", explained.counted.map(|counted| counted.as_str())),
        ("breaker", explained.breaker.map(|phase| phase.as_str())),
        ("region", explained.region.as_deref()),
    ];
    for (name, text) in texts {
        json::member(&mut out, name);
        json::or_null(&mut out, text, json::string);
    }
    for (name, time) in [
        ("leastWaitMs", wait.map(|(least, _)| least)),
        ("mostWaitMs", wait.map(|(_, most)| most)),
        ("retryAfterMs", explained.retry_after),
        ("pausedForMs", explained.paused_for),
    ] {
        json::member(&mut out, name);
        json::or_null(&mut out, time, json::milliseconds);
    }
    json::member(&mut out, "repeatable");
    json::boolean(&mut out, explained.repeatable);
    json::member(&mut out, "cost");
    json::or_null(&mut out, explained.cost, |out, cost| {
        json::number(out, cost.into());
    });
    json::member(&mut out, "budgetLeft");
    json::number(&mut out, explained.budget_left.into());
    json::member(&mut out, "quotas");
    list(&mut out, &explained.readings, quota);
    json::member(&mut out, "reasons");
    list(&mut out, &explained.reasons, |out, reason| {
        json::string(out, reason);
    });
    json::member(&mut out, "text");
    json::shown(&mut out, explained);
    out.push(b'}');
    out
}

fn quota(out: &mut Vec<u8>, reading: &Reading) {
    out.extend_from_slice(b"{\"policy\":");
    json::string(out, &reading.policy);
    for (name, number) in [("limit", reading.limit), ("remaining", reading.remaining)] {
        json::member(out, name);
        json::or_null(out, number, json::number);
    }
    for (name, time) in [
        ("windowMs", reading.window),
        ("resetsInMs", reading.reset_after),
    ] {
        json::member(out, name);
        json::or_null(out, time, json::milliseconds);
    }
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
