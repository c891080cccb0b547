//! One step of a scenario's `calls`: a call, several at once, a wait, a change of the gateway, a webhook.

use serde_json::{Map, Value};

use crate::pattern::check_members;
use crate::scenario::GatewaySetup;

/// What belongs to the harness in a call; all else goes to the adapter as the request.
const OF_HARNESS: [&str; 6] = [
    "after_ms",
    "after_requests",
    "cancel_after_ms",
    "cancel_after_requests",
    "client",
    "repeat",
];
/// What an adapter understands of a request, see PROTOCOL.md.
const OF_REQUEST: [&str; 36] = [
    "attempt_timeout_ms",
    "base64",
    "cache",
    "chunk_size",
    "chunks",
    "credential",
    "decision",
    "headers",
    "hedge",
    "idempotency_key",
    "idle_timeout_ms",
    "json",
    "last_event_id",
    "login",
    "max_attempts",
    "max_events",
    "max_line_bytes",
    "max_pages",
    "max_values",
    "method",
    "min_throughput",
    "mode",
    "pages",
    "path",
    "query",
    "raise_for_status",
    "redirect",
    "replayable",
    "stop_after_bytes",
    "supposed",
    "text",
    "timeout_ms",
    "traceparent",
    "tracestate",
    "unencodable",
    "url_template",
];
const OF_VERIFY: [&str; 7] = [
    "base64",
    "headers",
    "max_body",
    "now",
    "secrets",
    "text",
    "tolerance_s",
];
const OF_SIGN: [&str; 5] = ["base64", "message_id", "secrets", "text", "timestamp"];

/// A step that has been read.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Call(Call),
    ClearCache(String),
    Close(String),
    Gateway(Box<GatewaySetup>),
    Together(Vec<Call>),
    Wait(u64),
    Webhook {
        op: &'static str,
        options: Map<String, Value>,
    },
}

/// A call of a client.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) client: String,
    /// Started so long after its step.
    pub(crate) after_ms: u64,
    /// Started when the gateway has so many requests.
    pub(crate) after_requests: usize,
    /// When it is given up by its caller.
    pub(crate) cancel: Option<Cancel>,
    /// How often it is made: one after the other, or at once within `together`.
    pub(crate) repeat: usize,
    pub(crate) request: Map<String, Value>,
}

/// When a caller gives up: so long after the call was started, or after the gateway had so many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancel {
    pub(crate) after_requests: usize,
    pub(crate) after_ms: u64,
}

impl Step {
    /// Reads a step, or says what is wrong with it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("a step is an object")?;
        if members.contains_key("method") {
            return Call::read(members).map(Self::Call);
        }
        let (name, inner) = match members.iter().next() {
            Some(only) if members.len() == 1 => only,
            _ => return Err("a step is a call (with a `method`) or has one member".to_owned()),
        };
        match (name.as_str(), inner) {
            ("clear_cache", Value::String(client)) => Ok(Self::ClearCache(client.clone())),
            ("close", Value::String(client)) => Ok(Self::Close(client.clone())),
            ("gateway", change) => {
                GatewaySetup::deserialize_from(change).map(|setup| Self::Gateway(Box::new(setup)))
            }
            ("together", Value::Array(calls)) => calls
                .iter()
                .map(|call| {
                    call.as_object()
                        .ok_or("a call is an object".to_owned())
                        .and_then(Call::read)
                })
                .collect::<Result<_, _>>()
                .map(Self::Together),
            ("wait_ms", Value::Number(ms)) => {
                Ok(Self::Wait(ms.as_u64().ok_or("wait_ms is a whole number")?))
            }
            ("webhook", Value::Object(kinds)) => read_webhook(kinds),
            _ => Err(format!("there is no step {name:?} of this shape")),
        }
    }

    /// The clients it calls.
    pub(crate) fn clients(&self) -> Vec<&str> {
        match self {
            Self::Call(call) => vec![&call.client],
            Self::Together(calls) => calls.iter().map(|call| call.client.as_str()).collect(),
            Self::ClearCache(client) | Self::Close(client) => vec![client],
            Self::Gateway(_) | Self::Wait(_) | Self::Webhook { .. } => Vec::new(),
        }
    }
}

fn read_webhook(kinds: &Map<String, Value>) -> Result<Step, String> {
    let (op, known, options) = match (kinds.get("verify"), kinds.get("sign")) {
        (Some(Value::Object(options)), None) => ("webhook.verify", &OF_VERIFY[..], options),
        (None, Some(Value::Object(options))) => ("webhook.sign", &OF_SIGN[..], options),
        _ => return Err("a webhook step has one of `verify` and `sign`".to_owned()),
    };
    check_members(options, known, op)?;
    Ok(Step::Webhook {
        op,
        options: options.clone(),
    })
}

impl Call {
    fn read(members: &Map<String, Value>) -> Result<Self, String> {
        let known: Vec<&str> = OF_HARNESS.iter().chain(&OF_REQUEST).copied().collect();
        check_members(members, &known, "a call")?;
        let number = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| format!("{name} is a whole number")),
        };
        let count = |name: &str| {
            let given = number(name)?.map(usize::try_from).transpose();
            given.map_err(|why| why.to_string())
        };
        let cancel = match (number("cancel_after_ms")?, count("cancel_after_requests")?) {
            (None, None) => None,
            (ms, requests) => Some(Cancel {
                after_requests: requests.unwrap_or(0),
                after_ms: ms.unwrap_or(0),
            }),
        };
        let client = members.get("client").map_or(Ok("default"), |value| {
            value.as_str().ok_or("client is a name")
        })?;
        let mut request = members.clone();
        request.retain(|name, _| !OF_HARNESS.contains(&name.as_str()));
        Ok(Self {
            client: client.to_owned(),
            after_ms: number("after_ms")?.unwrap_or(0),
            after_requests: count("after_requests")?.unwrap_or(0),
            cancel,
            repeat: count("repeat")?.unwrap_or(1),
            request,
        })
    }
}

impl GatewaySetup {
    fn deserialize_from(value: &Value) -> Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|why| format!("gateway: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(members: Value) -> Result<Call, String> {
        match Step::read(&members)? {
            Step::Call(call) => Ok(call),
            other => panic!("a call was read as {other:?}"),
        }
    }

    #[test]
    fn a_caller_gives_up_after_a_time_or_after_requests() {
        let cancel = |members| call(members).unwrap().cancel;
        let after = |after_requests, after_ms| {
            Some(Cancel {
                after_requests,
                after_ms,
            })
        };
        assert_eq!(cancel(json!({"method": "GET"})), None);
        assert_eq!(
            cancel(json!({"method": "GET", "cancel_after_ms": 5})),
            after(0, 5)
        );
        assert_eq!(
            cancel(json!({"method": "GET", "cancel_after_requests": 2})),
            after(2, 0)
        );
    }

    #[test]
    fn numbers_of_the_harness_are_not_sent_to_the_adapter() {
        let read = call(json!({"method": "GET", "after_requests": 1, "repeat": 2})).unwrap();
        assert_eq!((read.after_requests, read.repeat), (1, 2));
        assert_eq!(Value::from(read.request), json!({"method": "GET"}));
        assert!(call(json!({"method": "GET", "after_requests": -1})).is_err());
    }
}
