//! cargo run -p gatewright-examples --bin webhook_server
//!
//! Serves a webhook endpoint with axum, sends itself a good delivery, its retry and a body that was written again, shows what came, ends.

#![allow(clippy::print_stdout, reason = "an example is there to be watched")]

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::post_service;
use gatewright::Client;
use gatewright_webhook_tower::webhook::replay::MemoryReplayGuard;
use gatewright_webhook_tower::webhook::{Signer, Webhook};
use gatewright_webhook_tower::{Events, Receiver, WebhookLayer};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_layer::Layer as _;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Deserialize)]
struct User {
    id: String,
    name: String,
}

fn app() -> Result<Router, Box<dyn std::error::Error>> {
    let receiver = Receiver::new(Webhook::new([SECRET])?)
        .explain(true)
        .on_failure(|failure| println!("  refused: {failure}"));
    let verifying = WebhookLayer::new(receiver).replay_guard("users", MemoryReplayGuard::new());
    let events = Events::new().payload_in(["data"]).on::<User, _>(
        "user.created",
        |user, delivery| async move {
            let message = delivery.verified.message_id.unwrap_or_default();
            println!("  {} ({}) in {message}", user.name, user.id);
            Ok(())
        },
    );
    Ok(Router::new().route("/hooks", post_service(verifying.layer(events))))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let body = r#"{"type": "user.created", "data": {"id": "u_1", "name": "Ada"}}"#;
    let signed = Signer::new([SECRET])?.sign("msg_1", now.try_into()?, body.as_bytes())?;
    let sender = Client::builder(url).build()?;
    for (what, sent, wanted) in [
        ("a delivery", body.to_owned(), 204),
        ("its retry", body.to_owned(), 200),
        ("written again", body.replace(": ", ":"), 400),
    ] {
        println!("{what}:");
        let mut request = sender.post("/hooks").body(sent);
        for (name, value) in signed.headers() {
            request = request.header(name, value);
        }
        let status = match request.send().await {
            Ok(response) => response.status().as_u16(),
            Err(error) => error.status().ok_or("no answer")?.as_u16(),
        };
        println!("  answered {status}");
        if status != wanted {
            return Err(format!("{what} should be answered {wanted}").into());
        }
    }
    Ok(())
}
