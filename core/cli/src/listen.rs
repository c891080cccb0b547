//! `webhook listen`: the gateway's deliveries come over one connection that this program opens, and go on to the developer's own program.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | to subscribe | the endpoint is made | listening |
//! | listening | a delivery | it is forwarded beside others, its result reported; listening |
//! | listening | the connection broke | listening, from after the last number (the client's own reconnecting) |
//! | listening | the gateway does not know the endpoint any more | to subscribe |
//! | listening | replaced, removed, interrupted, or enough came | over; an endpoint that was made here is removed |

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright::{Client, Error};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::arguments::Listen;
use crate::gateway::{AdminPort, block_on, failed, set, text_of};
use crate::output::{Output, complain};
use crate::{Done, Ended, Failure};

const FORWARD_TIMEOUT: Duration = Duration::from_secs(25);
/// Forwarded at the same time.
const AT_ONCE: usize = 16;
/// Between attempts to reach a gateway that is away.
const AWAY: Duration = Duration::from_secs(1);

/// A delivery as the gateway writes it.
#[derive(Debug, Deserialize)]
struct Delivery {
    seq: u64,
    delivery: String,
    attempt: u64,
    event: String,
    #[serde(rename = "type")]
    kind: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What became of one.
#[derive(Debug)]
struct Forwarded {
    delivery: Delivery,
    result: Result<u16, String>,
    took: Duration,
}

pub(crate) fn listen(asked: &Listen, out: &Output) -> Done {
    let admin = AdminPort::of(&asked.admin)?;
    let forward = match &asked.forward_to {
        Some(url) => Some(Forward::new(url, asked.timeout.unwrap_or(FORWARD_TIMEOUT))?),
        None => None,
    };
    block_on(async {
        let mut endpoint = match &asked.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => subscribe(asked, &admin, out)
                .await
                .map_err(|error| failed(&error))?,
        };
        let ended = tokio::select! {
            ended = receive(asked, &admin, forward.as_ref(), &mut endpoint, out) => ended,
            _ = tokio::signal::ctrl_c() => Ok(Ended::Well),
        };
        if asked.endpoint.is_none() {
            // What it made it takes away; a gateway that is gone has nothing of it either.
            let _ = admin.remove(&endpoint).await;
        }
        ended
    })
}

/// Makes the endpoint, and says what its secret is.
async fn subscribe(asked: &Listen, admin: &AdminPort, out: &Output) -> Result<String, Error> {
    let mut wanted = json!({ "listen": true, "types": asked.types });
    if let Some(secret) = &asked.secret {
        set(&mut wanted, "secret", json!(secret));
    }
    let made = admin.post("/admin/webhooks/endpoints", &wanted).await?;
    let endpoint = text_of(&made, "id");
    let to = asked.forward_to.as_deref().unwrap_or("nobody");
    let secret = match &asked.secret {
        // Who gave it knows it.
        Some(_) => "the secret that was given".to_owned(),
        None => text_of(&made, "secret"),
    };
    let told = json!({ "listening": endpoint, "secret": text_of(&made, "secret"), "forward_to": asked.forward_to });
    let people = format!("listening as {endpoint}, forwarding to {to}\nsigned with {secret}");
    if let Err(error) = out.say(people, &told) {
        complain(error);
    }
    Ok(endpoint)
}

async fn receive(
    asked: &Listen,
    admin: &AdminPort,
    forward: Option<&Forward>,
    endpoint: &mut String,
    out: &Output,
) -> Done {
    let mut left = asked.count.unwrap_or(u64::MAX);
    let mut under_way: JoinSet<Forwarded> = JoinSet::new();
    let mut events = connect(admin, endpoint);
    loop {
        if left == 0 && under_way.is_empty() {
            return Ok(Ended::Well);
        }
        let room = under_way.len() < AT_ONCE && left > 0;
        tokio::select! {
            Some(done) = under_way.join_next() => {
                if let Ok(forwarded) = done {
                    report(admin, endpoint, forwarded, out).await?;
                }
            }
            event = events.next(), if room => match event {
                Ok(Some(event)) if event.kind == "delivery" => {
                    let delivery: Delivery = serde_json::from_str(&event.data)
                        .map_err(|error| Failure::new(format!("the gateway sent what is no delivery: {error}")))?;
                    left -= 1;
                    let forward = forward.cloned();
                    under_way.spawn(async move {
                        let begun = Instant::now();
                        let result = match &forward {
                            Some(forward) => forward.send(&delivery).await,
                            None => Ok(200),
                        };
                        Forwarded { delivery, result, took: begun.elapsed() }
                    });
                }
                Ok(Some(event)) if event.kind == "replaced" => {
                    return Err(Failure::new("another listener took this one's place"));
                }
                Ok(Some(event)) if event.kind == "removed" => {
                    return Err(Failure::new("the endpoint was removed"));
                }
                Ok(Some(_)) => {}
                Ok(None) => events = connect(admin, endpoint),
                Err(error) => {
                    // A gateway that was started anew knows nothing of the endpoint.
                    let unknown = error.status().is_some_and(|status| status.is_client_error());
                    if unknown && asked.endpoint.is_some() {
                        return Err(failed(&error));
                    }
                    complain(&error);
                    if unknown {
                        *endpoint = subscribe(asked, admin, out).await.map_err(|error| failed(&error))?;
                        events = connect(admin, endpoint);
                    } else {
                        tokio::time::sleep(AWAY).await;
                    }
                }
            },
        }
    }
}

fn connect(admin: &AdminPort, endpoint: &str) -> gatewright::Events {
    admin
        .get("/admin/webhooks/listen")
        .query([("id", endpoint)])
        .events()
}

/// Tells the gateway and the developer how a delivery ended.
async fn report(
    admin: &AdminPort,
    endpoint: &str,
    forwarded: Forwarded,
    out: &Output,
) -> Result<(), Failure> {
    let Forwarded {
        delivery,
        result,
        took,
    } = forwarded;
    let mut outcome = json!({ "endpoint": endpoint, "seq": delivery.seq });
    let mut told = json!({
        "delivery": delivery.delivery,
        "attempt": delivery.attempt,
        "event": delivery.event,
        "type": delivery.kind,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    let (member, value, shown) = match &result {
        Ok(status) => ("status", json!(status), status.to_string()),
        Err(error) => ("error", json!(error), error.clone()),
    };
    set(&mut outcome, member, value.clone());
    set(&mut told, member, value);
    // Should the report be lost, the gateway sends the event again; the receiver knows it by its id.
    if let Err(error) = admin.post("/admin/webhooks/results", &outcome).await {
        complain(error);
    }
    let again = match delivery.attempt {
        1 => String::new(),
        attempt => format!(" (attempt {attempt})"),
    };
    let ms = took.as_millis();
    out.say(
        format_args!(
            "{} {}{again} -> {shown}, {ms} ms",
            delivery.event, delivery.kind
        ),
        &told,
    )?;
    Ok(())
}

/// Where deliveries go on to.
#[derive(Clone, Debug)]
struct Forward {
    client: Client,
    url: String,
}

impl Forward {
    fn new(url: &str, timeout: Duration) -> Result<Self, Failure> {
        let client = Client::builder(url)
            .allow_http(true)
            .pacing(false)
            .breaker(None)
            .idempotency_keys(false)
            .error_for_status(false)
            .max_redirects(0)
            .max_attempts(1)
            .timeout(timeout)
            .build()
            .map_err(|error| Failure::usage(format!("--forward-to: {error}")))?;
        Ok(Self {
            client,
            url: url.to_owned(),
        })
    }

    /// Sends it on, byte by byte as it was: the status of the answer, or why there is none.
    async fn send(&self, delivery: &Delivery) -> Result<u16, String> {
        let body = STANDARD
            .decode(&delivery.body)
            .map_err(|error| format!("the gateway sent what is no base64: {error}"))?;
        let mut request = self.client.post(self.url.as_str()).body(body);
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => match error.status() {
                Some(status) => Ok(status.as_u16()),
                None => Err(error.to_string()),
            },
        }
    }
}
