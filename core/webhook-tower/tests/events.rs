//! Typed events, behind the layer and by themselves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod sender;

use std::sync::{Arc, Mutex};

use gatewright_webhook_tower::{Events, WebhookLayer};
use sender::{Told, delivery, receiver, whole};
use serde::Deserialize;
use tower::{Layer as _, ServiceExt as _};

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

async fn status_of(events: &Events, request: http::Request<String>) -> u16 {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let service = layer.layer(events.clone());
    let response = service.oneshot(whole(request)).await.unwrap();
    response.status().as_u16()
}

#[tokio::test]
async fn each_type_goes_to_its_handler() {
    let (seen, told) = (Seen::default(), Told::default());
    let (created, deleted) = (seen.clone(), seen.clone());
    let events = Events::new()
        .payload_in(["data"])
        .on::<User, _>("user.created", move |user, delivery| {
            let (seen, id) = (created.clone(), delivery.verified.message_id);
            async move {
                seen.add(format!("created {} in {}", user.id, id.unwrap_or_default()));
                Ok(())
            }
        })
        .on::<User, _>("user.deleted", move |user, _| {
            let seen = deleted.clone();
            async move {
                seen.add(format!("deleted {}", user.id));
                Err("the database is down".into())
            }
        })
        .on_failure(told.by());

    let created = delivery("msg_1", r#"{"type":"user.created","data":{"id":"u_1"}}"#);
    assert_eq!(status_of(&events, created).await, 204);
    assert_eq!(seen.take(), ["created u_1 in msg_1"]);

    let deleted = delivery("msg_2", r#"{"data":{"id":"u_2"},"type":"user.deleted"}"#);
    assert_eq!(status_of(&events, deleted).await, 500);
    assert_eq!(seen.take(), ["deleted u_2"]);
    assert_eq!(told.codes(), ["handler_failed"]);
    assert!(told.last().contains("the database is down"));

    let unknown = delivery("msg_3", r#"{"type":"user.renamed","data":{}}"#);
    assert_eq!(status_of(&events, unknown).await, 204);

    for wrong in [
        r#"{"type":"user.created","data":{"id":1}}"#,
        r#"{"type":"user.created"}"#,
        r#"{"type":1,"data":{"id":"u_1"}}"#,
        "[]",
        "\"",
    ] {
        assert_eq!(
            status_of(&events, delivery("msg_4", wrong)).await,
            422,
            "{wrong}"
        );
    }
    let forged =
        delivery("msg_5", "x").map(|_| r#"{"type":"user.created","data":{"id":"u_1"}}"#.to_owned());
    assert_eq!(status_of(&events, forged).await, 400);
    assert_eq!(seen.take(), [""; 0]);
}

#[tokio::test]
async fn types_are_read_where_the_provider_writes_them() {
    #[derive(Deserialize)]
    struct Message {
        event: User,
    }
    let seen = Seen::default();
    let slack = seen.clone();
    let events = Events::new().type_in(["event", "type"]);
    let events = events.on::<Message, _>("message", move |message, _| {
        slack.add(message.event.id);
        std::future::ready(Ok(()))
    });
    let body = r#"{"type":"event_callback","event":{"type":"message","id":"m_1"}}"#;
    assert_eq!(status_of(&events, delivery("1", body)).await, 204);
    assert_eq!(seen.take(), ["m_1"]);

    let github = seen.clone();
    let events = Events::new().type_header("X-GitHub-Event");
    let events = events.on::<User, _>("push", move |push, _| {
        github.add(push.id);
        std::future::ready(Ok(()))
    });
    let mut push = delivery("2", r#"{"id":"p_1"}"#);
    assert_eq!(status_of(&events, push.clone()).await, 422, "no header");
    let headers = push.headers_mut();
    headers.insert("x-github-event", "push".parse().unwrap());
    assert_eq!(status_of(&events, push.clone()).await, 204);
    assert_eq!(seen.take(), ["p_1"]);
    push.headers_mut()
        .append("x-github-event", "ping".parse().unwrap());
    assert_eq!(status_of(&events, push).await, 422, "which of them?");
}

#[tokio::test]
async fn without_a_layer_nothing_is_handled() {
    let told = Told::default();
    let events = Events::new()
        .on::<User, _>("user.created", |_, _| async { panic!("unverified") })
        .on_failure(told.by());
    let request = delivery("msg_1", r#"{"type":"user.created","id":"u_1"}"#);
    let response = events.oneshot(whole(request)).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(told.codes(), ["no_layer"]);
}
