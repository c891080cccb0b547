//! What the forms of the dashboard do. Each is a `POST` of a form that names the session and the page to go back to.
//!
//! A form is only taken from a page of this origin: with `Origin`, which the admin port's guard has compared with `Host`, or
//! with `Sec-Fetch-Site: same-origin`. Browsers say at least one of them with every form, and no page can make them say another.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT, ORIGIN};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{guarded, refused};
use crate::clock::NS;
use crate::fault::Fault;
use crate::fault_rules::{FaultRule, Match, RandomFaults};
use crate::gateway::Shared;
use crate::session::{Refused, Session};
use crate::webhooks::{Endpoint, Viewer, Which};
use crate::world::DEFAULT_SESSION;

/// The furthest one click moves the clock: a year.
const MAX_ADVANCE_MS: u64 = 366 * 86_400_000;
const MAX_NEXT: usize = 1_000;
/// How long old secrets sign where nothing is said, and at most.
const A_DAY_S: u64 = 86_400;
const MAX_OVERLAP_S: u64 = 7 * A_DAY_S;

/// The fields of all forms.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    session: String,
    /// Where the form was.
    back: String,
    /// What is to be done, where a form can do several things.
    r#do: String,
    /// What it is done to.
    id: String,
    name: String,
    op: String,
    kind: String,
    /// A fault that is none of those offered.
    other: String,
    mode: String,
    times: String,
    share: String,
    seconds: String,
    data: String,
    /// Of an endpoint: event types with commas between them, and the filter.
    types: String,
    filter: String,
    /// Seconds for which the secrets of before go on signing.
    overlap_s: String,
    /// An endpoint whose dead letters are meant; empty for all.
    endpoint: String,
}

/// What was done, in words.
type Done = Result<String, Refused>;

pub(super) async fn act(
    State(shared): State<Arc<Shared>>,
    Path(action): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let same_origin = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "same-origin");
    if !headers.contains_key(ORIGIN) && !same_origin {
        return refused(
            StatusCode::FORBIDDEN,
            "a form is only taken from a page of the dashboard; programs use /admin/",
        );
    }
    let done = match session(&shared, &fields) {
        Ok(session) => perform(&shared, &session, &action, &fields).await,
        Err(refused) => Some(Err(refused)),
    };
    let Some(done) = done else {
        return refused(StatusCode::NOT_FOUND, "there is no such action");
    };
    let by_script = headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    match done {
        Ok(said) if by_script => guarded(axum::Json(json!({ "said": said })).into_response()),
        Err(Refused(why)) if by_script => {
            let said = axum::Json(json!({ "said": why }));
            guarded((StatusCode::UNPROCESSABLE_ENTITY, said).into_response())
        }
        Ok(_) => guarded(Redirect::to(own_page(&fields.back)).into_response()),
        Err(Refused(why)) => refused(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

/// Only pages of the dashboard are gone back to.
fn own_page(back: &str) -> &str {
    let plain = back
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain
        && (back == "/dashboard"
            || back.starts_with("/dashboard?")
            || back.starts_with("/dashboard/"))
    {
        back
    } else {
        "/dashboard"
    }
}

fn session(shared: &Shared, fields: &Fields) -> Result<Session, Refused> {
    let name = match fields.session.as_str() {
        "" => DEFAULT_SESSION,
        name => name,
    };
    let world = shared.worlds.existing(name);
    let world = match name {
        DEFAULT_SESSION => world.or_else(|| shared.worlds.world(name).ok()),
        _ => world,
    };
    let world = world.ok_or_else(|| Refused(format!("there is no session {name:?}")))?;
    Ok(Session { world })
}

/// Does it; none where there is no such action.
async fn perform(
    shared: &Arc<Shared>,
    session: &Session,
    action: &str,
    fields: &Fields,
) -> Option<Done> {
    Some(match action {
        "clock" => clock(session, &fields.r#do).await,
        "fault" => set_fault(session, fields),
        "clear-faults" => {
            match fields.name.as_str() {
                "" => session.clear_faults(),
                name => session.clear_faults_named(name),
            }
            Ok("Faults cleared".into())
        }
        "redeliver" => session
            .redeliver(&fields.id)
            .map(|delivery| format!("{} is sent again as {}", fields.id, delivery.id)),
        "enable" => session
            .world
            .enable_endpoint(&fields.id)
            .map(|endpoint| format!("{} is enabled", endpoint.id))
            .map_err(Refused::from),
        "disable" => change(session, &fields.id, [("enabled", false.into())])
            .map(|endpoint| format!("{} is disabled", endpoint.id)),
        "endpoint" => set_events(session, fields),
        "rotate" => rotate(session, fields),
        "redeliver-dead" => Ok(redeliver_dead(session, &fields.endpoint)),
        "purge" => session
            .world
            .with_outbox(|outbox| outbox.purge_one(Viewer::Admin, &fields.id))
            .map(|()| format!("{} is discarded", fields.id))
            .map_err(Refused::from),
        "trigger" => trigger(session, fields),
        "reset" => {
            session.reset();
            Ok(format!("Session {} is as new", session.name()))
        }
        "forget" => {
            shared.worlds.forget(session.name());
            Ok(format!("Session {} is forgotten", session.name()))
        }
        "clear-journal" => {
            session.clear_journal();
            Ok("Requests cleared".into())
        }
        "region" => {
            let up = fields.r#do == "open";
            let word = if up { "open" } else { "closed" };
            let done = shared.set_region(&fields.name, up).await;
            done.map(|()| format!("Region {} is {word}", fields.name))
        }
        _ => return None,
    })
}

async fn clock(session: &Session, what: &str) -> Done {
    match what {
        "freeze" => session.freeze(),
        "resume" => session.resume(),
        "idle" => session.run_until_idle().await,
        other => {
            let ms = other
                .strip_prefix("advance:")
                .and_then(|ms| ms.parse().ok());
            let ms = ms
                .filter(|ms| (1..=MAX_ADVANCE_MS).contains(ms))
                .ok_or_else(|| Refused("the clock moves by 1 ms to 366 days".into()))?;
            session.advance(Duration::from_millis(ms)).await;
        }
    }
    Ok(format!("The clock shows {}", session.clock().now))
}

fn number<T: std::str::FromStr>(what: &str, text: &str) -> Result<Option<T>, Refused> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refused(format!("{what} must be a number"))),
        },
    }
}

fn set_fault(session: &Session, fields: &Fields) -> Done {
    let text = match fields.other.trim() {
        "" => fields.kind.trim(),
        other => other,
    };
    let fault: Fault = text
        .parse()
        .map_err(|error| Refused(format!("fault {text:?}: {error}")))?;
    let seconds: Option<u64> = number("seconds", &fields.seconds)?;
    let mut rule = FaultRule {
        matching: Match {
            op: Some(fields.op.trim().to_owned()).filter(|op| !op.is_empty() && op != "*"),
            ..Match::default()
        },
        for_ms: seconds.map(|seconds| seconds.saturating_mul(1_000)),
        ..FaultRule::default()
    };
    match fields.mode.as_str() {
        "always" => rule.always = Some(fault),
        "random" => {
            let share: f64 = number("percent", &fields.share)?.unwrap_or(30.0);
            rule.random = Some(RandomFaults {
                p: share / 100.0,
                seed: 0,
                kinds: vec![fault],
                max_per_call: None,
            });
        }
        _ => {
            let times = number("times", &fields.times)?.unwrap_or(1);
            if !(1..=MAX_NEXT).contains(&times) {
                return Err(Refused(format!("times must be 1 to {MAX_NEXT}")));
            }
            rule.script = vec![fault; times];
        }
    }
    // A name of its own, so that it can be taken away alone.
    let known = session.faults();
    let taken = |name: &str| {
        known
            .iter()
            .any(|state| state.rule.name.as_deref() == Some(name))
    };
    let name = (1..=known.len() + 1)
        .map(|number| format!("dashboard-{number}"))
        .find(|name| !taken(name));
    rule.name = name;
    session.add_faults(vec![rule])?;
    Ok(format!("Fault {text} is set"))
}

fn change<const N: usize>(
    session: &Session,
    id: &str,
    members: [(&str, Value); N],
) -> Result<Endpoint, Refused> {
    let members = members.map(|(name, value)| (name.to_owned(), value));
    session.change_endpoint(id, &members.into_iter().collect())
}

/// Which events an endpoint gets: by type, and by what they contain.
fn set_events(session: &Session, fields: &Fields) -> Done {
    let types = fields
        .types
        .split([',', ' '])
        .filter(|kind| !kind.is_empty());
    let types: Vec<&str> = types.collect();
    let filter = match fields.filter.trim() {
        "" => Value::Null,
        filter => filter.into(),
    };
    let members = [("types", json!(types)), ("filter", filter)];
    let endpoint = change(session, &fields.id, members)?;
    Ok(format!("The events of {} are set", endpoint.id))
}

fn rotate(session: &Session, fields: &Fields) -> Done {
    let overlap_s = number("seconds", &fields.overlap_s)?.unwrap_or(A_DAY_S);
    if overlap_s > MAX_OVERLAP_S {
        return Err(Refused("old secrets sign for a week at most".into()));
    }
    let seed = session.options().seed;
    let now_ns = session.world.clock.now_ns();
    let (id, signing) = session.world.with_outbox(|outbox| {
        let overlap_ns = overlap_s.saturating_mul(NS);
        let rotated = outbox.rotate(Viewer::Admin, &fields.id, None, overlap_ns, seed, now_ns)?;
        let shown = rotated.shown(now_ns);
        Ok::<_, Refused>((shown.id, shown.secrets.len()))
    })?;
    let signing = match signing {
        1 => "it alone signs".to_owned(),
        many => format!("{many} sign now"),
    };
    Ok(format!("{id} has a new secret; {signing}"))
}

fn redeliver_dead(session: &Session, endpoint: &str) -> String {
    let which = Which {
        endpoint: Some(endpoint.to_owned()).filter(|id| !id.is_empty()),
        dead: true,
        ..Which::default()
    };
    let now_ns = session.world.clock.now_ns();
    let (sent, left) = session.world.with_outbox(|outbox| {
        let sent = outbox.redeliver_all(Viewer::Admin, &which, now_ns).len();
        (sent, outbox.deliveries(Viewer::Admin, &which, 0).count())
    });
    match left {
        0 => format!("{sent} dead letters are sent again"),
        left => format!(
            "{sent} dead letters are sent again; {left} stay: their endpoints are disabled or gone"
        ),
    }
}

fn trigger(session: &Session, fields: &Fields) -> Done {
    let kind = fields.kind.trim();
    if kind.is_empty() {
        return Err(Refused(
            "an event needs a type, such as contact.created".into(),
        ));
    }
    let data = match fields.data.trim() {
        "" => crate::admin::example_of(kind),
        text => serde_json::from_str::<Value>(text)
            .map_err(|error| Refused(format!("data is no JSON: {error}")))?,
    };
    let (event, deliveries) = session.world.trigger(kind, data).map_err(Refused)?;
    Ok(format!("{event} goes to {deliveries} endpoints"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_are_gone_back_to() {
        for own in [
            "/dashboard",
            "/dashboard?session=a",
            "/dashboard/faults?session=a&op=b",
        ] {
            assert_eq!(own_page(own), own);
        }
        for foreign in [
            "",
            "//evil.example/dashboard",
            "https://evil.example",
            "/dashboardx",
            "/\\evil",
            "/dashboard/\r\nx: y",
            "/admin/",
        ] {
            assert_eq!(own_page(foreign), "/dashboard", "{foreign:?}");
        }
    }
}
