//! What a scenario expects: of the results, of what the gateway received, of side effects.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::judged::Judged;
use crate::pattern::{Mismatch, Pattern, check_members};

const MEMBERS: [&str; 9] = [
    "client",
    "clients",
    "effects",
    "elsewhere",
    "may_show_secrets",
    "never_shown",
    "user",
    "verdict",
    "wire",
];
const WIRE: [&str; 7] = [
    "connections",
    "count",
    "distinct",
    "each",
    "requests",
    "span_ms",
    "statuses",
];

/// What is expected, read.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    /// Of each client: `opened`, `tokens_fetched`, `hooks_called`.
    clients: BTreeMap<String, Pattern>,
    /// The side effects, by operation.
    effects: Vec<(String, Pattern)>,
    /// The requests that reached the other origin.
    elsewhere: Option<Pattern>,
    /// The results, one for each call.
    user: Option<Pattern>,
    wire: Vec<(&'static str, Pattern)>,
    /// How many different values a header has over all requests.
    distinct: Vec<(String, Pattern)>,
    /// How many requests were answered with a status.
    statuses: Vec<(String, Pattern)>,
    /// The gateway's verdict on the clients.
    pub(crate) verdict: Judged,
    /// Texts that no answer of the adapter may contain, beside the secrets it was given.
    pub(crate) never_shown: Vec<String>,
    /// The answers may contain secrets, because the gateway is asked to echo them.
    pub(crate) may_show_secrets: bool,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) clients: Map<String, Value>,
    pub(crate) user: Vec<Value>,
    pub(crate) wire: Vec<Value>,
    pub(crate) elsewhere: Vec<Value>,
    /// By operation.
    pub(crate) effects: Map<String, Value>,
}

impl Expectation {
    /// Reads what is expected, or says what is wrong with it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("expect is an object")?;
        check_members(members, &MEMBERS, "expect")?;
        let mut read = Self::default();
        let mut clients = object(members, "clients")?;
        if let Some(default) = members.get("client") {
            clients.insert("default".to_owned(), default.clone());
        }
        for (name, expected) in clients {
            let known = ["hooks_called", "opened", "tokens_fetched"];
            check_members(
                expected
                    .as_object()
                    .ok_or("a client's expectation is an object")?,
                &known,
                "a client",
            )?;
            read.clients.insert(name, Pattern::read(&expected)?);
        }
        read.effects = patterns(object(members, "effects")?)?;
        read.elsewhere = members.get("elsewhere").map(Pattern::read).transpose()?;
        read.user = members.get("user").map(Pattern::read).transpose()?;
        if let Some(texts) = members.get("never_shown") {
            read.never_shown = serde_json::from_value(texts.clone())
                .map_err(|why| format!("never_shown: {why}"))?;
        }
        if let Some(may) = members.get("may_show_secrets") {
            read.may_show_secrets = may.as_bool().ok_or("may_show_secrets is true or false")?;
        }
        read.verdict = Judged::read(object(members, "verdict")?)?;
        let wire = object(members, "wire")?;
        check_members(&wire, &WIRE, "wire")?;
        for name in WIRE {
            match (name, wire.get(name)) {
                (_, None) => {}
                ("distinct", Some(_)) => read.distinct = patterns(object(&wire, "distinct")?)?,
                ("statuses", Some(_)) => read.statuses = patterns(object(&wire, "statuses")?)?,
                (name, Some(value)) => read.wire.push((name, Pattern::read(value)?)),
            }
        }
        Ok(read)
    }

    /// Whether a client is expected not to open.
    pub(crate) fn speaks_of_opening(&self, client: &str) -> bool {
        matches!(self.clients.get(client), Some(Pattern::Members(members)) if members.iter().any(|(name, _)| name == "opened"))
    }

    /// The operations whose side effects are to be looked at.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.effects.iter().map(|(name, _)| name.as_str())
    }

    /// Says where what was seen is not what was expected.
    pub(crate) fn check(&self, seen: &Seen) -> Vec<Mismatch> {
        let user = Value::from(seen.user.clone());
        let wire = Value::from(seen.wire.clone());
        let whole = json!({ "user": user, "wire": wire });
        let mut found = Vec::new();
        for (name, pattern) in &self.clients {
            let at = if name == "default" {
                "client".to_owned()
            } else {
                format!("clients.{name}")
            };
            found.extend(pattern.check(seen.clients.get(name), &at, &whole));
        }
        if let Some(pattern) = &self.user {
            found.extend(pattern.check(Some(&user), "user", &whole));
        }
        for (name, pattern) in &self.wire {
            let (at, part) = match *name {
                "count" => ("number of requests", seen.wire.len().into()),
                "connections" => (
                    "number of connections",
                    distinct(seen.wire.iter().map(|r| r.get("connection"))).into(),
                ),
                "span_ms" => ("time from first to last request", span(&seen.wire)),
                "each" => {
                    for (index, request) in seen.wire.iter().enumerate() {
                        found.extend(pattern.check(
                            Some(request),
                            &format!("wire[{index}]"),
                            &whole,
                        ));
                    }
                    continue;
                }
                _ => ("wire", wire.clone()),
            };
            found.extend(pattern.check(Some(&part), at, &whole));
        }
        for (header, pattern) in &self.distinct {
            let count = distinct(
                seen.wire
                    .iter()
                    .map(|request| request.get("headers")?.get(header)),
            );
            found.extend(pattern.check(
                Some(&count.into()),
                &format!("different values of {header}"),
                &whole,
            ));
        }
        for (status, pattern) in &self.statuses {
            let answered = |request: &&Value| {
                request.get("status").map(ToString::to_string).as_ref() == Some(status)
            };
            let count = seen.wire.iter().filter(answered).count();
            found.extend(pattern.check(
                Some(&count.into()),
                &format!("number of answers {status}"),
                &whole,
            ));
        }
        if let Some(pattern) = &self.elsewhere {
            let elsewhere = Value::from(seen.elsewhere.clone());
            found.extend(pattern.check(Some(&elsewhere), "elsewhere", &whole));
        }
        for (operation, pattern) in &self.effects {
            found.extend(pattern.check(
                seen.effects.get(operation),
                &format!("effects.{operation}"),
                &whole,
            ));
        }
        found
    }
}

fn object(members: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    match members.get(name) {
        None => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(_) => Err(format!("{name} is an object")),
    }
}

fn patterns(members: Map<String, Value>) -> Result<Vec<(String, Pattern)>, String> {
    members
        .into_iter()
        .map(|(name, value)| Ok((name, Pattern::read(&value)?)))
        .collect()
}

/// How many different values there are, those that are absent left out.
fn distinct<'a>(values: impl Iterator<Item = Option<&'a Value>>) -> usize {
    values
        .flatten()
        .filter(|value| !value.is_null())
        .map(ToString::to_string)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

fn span(wire: &[Value]) -> Value {
    let at = |request: Option<&Value>| request.and_then(|r| r.get("at_ms")).and_then(Value::as_f64);
    match (at(wire.first()), at(wire.last())) {
        (Some(first), Some(last)) => (last - first).into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let wire = |key: &str, at_ms: u32, status: u16, connection: u32| json!({"headers": {"idempotency-key": key}, "at_ms": at_ms, "status": status, "connection": connection});
        Seen {
            user: vec![json!({"ok": true})],
            wire: vec![
                wire("a", 0, 503, 1),
                wire("a", 40, 200, 1),
                wire("b", 90, 200, 2),
            ],
            ..Seen::default()
        }
    }

    fn mismatches(expect: Value) -> Vec<String> {
        Expectation::read(&expect)
            .unwrap()
            .check(&seen())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn requests_are_counted_in_every_way() {
        let all = json!({"wire": {
            "count": 3, "connections": 2, "span_ms": {"$min": 90}, "distinct": {"idempotency-key": 2, "x": 0},
            "statuses": {"200": 2, "429": 0}, "each": {"headers": {"idempotency-key": {"$present": true}}}
        }, "user": [{"ok": true}]});
        assert_eq!(mismatches(all), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_said() {
        let wrong = json!({"wire": {"count": 2, "statuses": {"429": 1}, "each": {"status": 200}}, "user": []});
        assert_eq!(
            mismatches(wrong),
            [
                "user: got [{\"ok\":true}] when expecting 0 items",
                "number of requests: got 3 when expecting 2",
                "wire[0].status: got 503 when expecting 200",
                "number of answers 429: got 0 when expecting 1",
            ]
        );
    }

    #[test]
    fn slips_of_the_pen_are_refused() {
        for wrong in [
            json!({"wires": {}}),
            json!({"wire": {"counts": 1}}),
            json!({"client": {"open": {}}}),
            json!({"verdict": {"patience": "kept"}}),
            json!([]),
        ] {
            assert!(Expectation::read(&wrong).is_err(), "{wrong}");
        }
    }
}
