//! `webhook trigger` and `webhook resend`: the gateway publishes an event, or sends a delivery once more.

use serde_json::{Value, json};

use crate::arguments::{Resend, Trigger};
use crate::gateway::{AdminPort, block_on, failed, set, text_of};
use crate::output::Output;
use crate::{Done, Ended, Failure, settings};

/// Publishes an event to every endpoint that wants its type.
pub(crate) fn trigger(asked: &Trigger, out: &Output) -> Done {
    let mut body = json!({ "type": asked.event });
    if let Some(text) = &asked.data {
        let data = serde_json::from_str(&settings::or_file(text)?)
            .map_err(|error| Failure::usage(format!("--data: {error}")))?;
        set(&mut body, "data", data);
    }
    let admin = AdminPort::of(&asked.admin)?;
    block_on(async {
        let told = admin
            .post("/admin/webhooks/trigger", &body)
            .await
            .map_err(|error| failed(&error))?;
        let event = text_of(&told, "event");
        let deliveries = told.get("deliveries").and_then(Value::as_u64).unwrap_or(0);
        let text = match deliveries {
            0 => format!(
                "{event}: no endpoint wants {}; is anything listening?",
                asked.event
            ),
            1 => format!("{event}: 1 delivery"),
            many => format!("{event}: {many} deliveries"),
        };
        out.say(text, &told)?;
        Ok(Ended::Well)
    })
}

/// Sends a delivery once more, or all those of an event.
pub(crate) fn resend(asked: &Resend, out: &Output) -> Done {
    let admin = AdminPort::of(&asked.admin)?;
    block_on(async {
        for delivery in deliveries(&admin, &asked.id).await? {
            let told = admin
                .post(
                    "/admin/webhooks/redeliver",
                    &json!({ "delivery": delivery }),
                )
                .await
                .map_err(|error| failed(&error))?;
            let text = format!(
                "{}: {} once more, to {}",
                text_of(&told, "id"),
                text_of(&told, "event"),
                text_of(&told, "endpoint"),
            );
            out.say(text, &told)?;
        }
        Ok(Ended::Well)
    })
}

/// The delivery that is named, or those of the event: one for each endpoint, however often it was sent already.
async fn deliveries(admin: &AdminPort, id: &str) -> Result<Vec<String>, Failure> {
    if !id.starts_with("evt_") {
        return Ok(vec![id.to_owned()]);
    }
    let answer = admin.get("/admin/webhooks/deliveries").send().await;
    let known: Value = answer
        .and_then(|answer| answer.json())
        .map_err(|error| failed(&error))?;
    let mut found: Vec<(String, String)> = Vec::new();
    let known = known.get("deliveries").and_then(Value::as_array);
    for delivery in known.into_iter().flatten() {
        let endpoint = text_of(delivery, "endpoint");
        let is_new = found.iter().all(|(known, _)| *known != endpoint);
        if text_of(delivery, "event") == id && is_new {
            found.push((endpoint, text_of(delivery, "id")));
        }
    }
    if found.is_empty() {
        return Err(Failure::new(format!(
            "the gateway knows no delivery of {id}"
        )));
    }
    Ok(found.into_iter().map(|(_, delivery)| delivery).collect())
}
