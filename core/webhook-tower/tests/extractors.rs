//! axum: extractors, the layer on routes and nested routers, and a server on a socket.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod sender;

use axum::body::{Body, to_bytes};
use axum::extract::FromRef;
use axum::routing::{any_service, post};
use axum::{Extension, Json, Router};
use gatewright_webhook_tower::webhook::{Scheme, Verified, VerifyError, Webhook};
use gatewright_webhook_tower::{Events, Receiver, SignedBody, SignedJson, WebhookLayer};
use http::Request;
use sender::{Told, delivery, receiver, receiver_of, signed};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, ServiceExt as _};

#[derive(Deserialize)]
struct Invoice {
    id: String,
}

#[derive(Clone)]
struct App {
    receiver: Receiver,
}

impl FromRef<App> for Receiver {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

fn app(told: &Told) -> Router {
    async fn raw(SignedBody(delivery): SignedBody) -> String {
        format!("{} bytes", delivery.body.len())
    }
    async fn typed(SignedJson { payload, verified }: SignedJson<Invoice>) -> String {
        format!("{} in {:?}", payload.id, verified.message_id)
    }
    Router::new()
        .route("/hooks", post(typed))
        .route("/raw", post(raw))
        .with_state(App {
            receiver: receiver(told),
        })
}

async fn send(app: Router, request: Request<String>) -> (u16, String) {
    let response = app.oneshot(request.map(Body::from)).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn to(path: &str, mut request: Request<String>) -> Request<String> {
    *request.uri_mut() = path.parse().unwrap();
    request
}

#[tokio::test]
async fn handlers_get_raw_bodies_and_typed_payloads() {
    let told = Told::default();
    let paid = || delivery("msg_1", r#"{"id":"in_1"}"#);
    let got = send(app(&told), paid()).await;
    assert_eq!(got, (200, r#"in_1 in Some("msg_1")"#.to_owned()));
    let got = send(app(&told), to("/raw", paid())).await;
    assert_eq!(got, (200, "13 bytes".to_owned()));

    let refused = VerifyError::FOR_SENDER.to_owned();
    let forged = paid().map(|body| body.replace('1', "2"));
    assert_eq!(send(app(&told), forged).await, (400, refused.clone()));
    let other = delivery("msg_2", r#"{"id":7}"#);
    assert_eq!(send(app(&told), other).await, (422, refused));
    assert_eq!(told.codes(), ["bad_signature", "bad_payload"]);
    assert!(told.last().contains("invalid type"), "{}", told.last());
}

#[tokio::test]
async fn behind_the_layer_axums_own_extractors_work() {
    async fn typed(
        Extension(verified): Extension<Verified>,
        Json(invoice): Json<Invoice>,
    ) -> String {
        format!("{} by key {}", invoice.id, verified.key_index)
    }
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let routes = Router::new().route("/hooks", post(typed).layer(layer.clone()));
    // A layer around a whole router.
    let all = Router::new().route("/hooks", post(typed)).layer(layer);
    for app in [routes, all] {
        let mut request = delivery("msg_1", r#"{"id":"in_1"}"#);
        let json = "application/json".parse().unwrap();
        request.headers_mut().insert("content-type", json);
        let got = send(app, request).await;
        assert_eq!(got, (200, "in_1 by key 0".to_owned()));
    }
}

#[tokio::test]
async fn in_a_nested_router_the_whole_url_counts() {
    let secret = "asdf1234asdf1234";
    let webhook = Webhook::of(Scheme::Square, [secret]).unwrap();
    let receiver = receiver_of(webhook, &Told::default());
    let handler =
        |SignedBody(delivery): SignedBody| async move { delivery.verified.url_bound.to_string() };
    let inner = Router::new().route("/", post(handler)).with_state(receiver);
    let app = Router::new().nest("/hooks", inner);
    let got = send(app, signed(Scheme::Square, secret, "", "{}")).await;
    assert_eq!(got, (200, "true".to_owned()));
}

#[tokio::test]
async fn a_server_on_a_socket_answers_both() {
    let events = Events::new().on::<Invoice, _>("invoice.paid", |_, _| async { Ok(()) });
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let app = Router::new().route("/hooks", any_service(layer.layer(events)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let body = r#"{"type":"invoice.paid","id":"in_1"}"#;
    for (sent, wanted) in [(body.to_owned(), "204"), (body.replace('1', "2"), "400")] {
        let signed = delivery("msg_1", body);
        let mut wire =
            "POST /hooks HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
                .to_owned();
        for (name, value) in signed.headers() {
            wire += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        let (start, end) = sent.split_at(10);
        wire += &format!(
            "\r\n{:x}\r\n{start}\r\n{:x}\r\n{end}\r\n0\r\n\r\n",
            start.len(),
            end.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(wire.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {wanted} ")),
            "{answer}"
        );
    }
    server.abort();
}
