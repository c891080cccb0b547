//! The layer around real tower services: what gets through, what the sender is answered, what the developer is told.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod sender;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use gatewright_webhook_tower::webhook::replay::MemoryReplayGuard;
use gatewright_webhook_tower::webhook::{
    BodyBound, Outgoing, Scheme, Signer, Verified, VerifyError, Webhook,
};
use gatewright_webhook_tower::{Delivery, Receiver, WebhookLayer};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full, StreamBody};
use sender::{NOW, SECRET, Told, delivery, receiver, receiver_of, signed, whole};
use tower::util::service_fn;
use tower::{Layer as _, Service, ServiceExt as _};

/// Answers with the body it got, and what was proven of it.
async fn echo(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let verified = request.extensions().get::<Verified>().unwrap();
    let delivery = request.extensions().get::<Delivery>().unwrap().clone();
    assert_eq!(&delivery.verified, verified);
    let proven = format!("{:?} {:?} ", verified.message_id, verified.body_bound);
    let body = request.into_body().collect().await?.to_bytes();
    assert_eq!(body, delivery.body);
    let answer = [proven.as_bytes(), &body].concat();
    Ok(Response::new(Full::new(answer.into())))
}

/// Status and body of the answer.
async fn answer<B: Body<Data = Bytes> + Send + 'static>(
    layer: &WebhookLayer,
    request: Request<B>,
) -> (u16, String)
where
    B::Error: Into<gatewright_webhook_tower::BoxError>,
{
    let response = layer
        .layer(service_fn(echo))
        .oneshot(request)
        .await
        .unwrap();
    read(response).await
}

async fn read<B: Body<Data = Bytes>>(response: Response<B>) -> (u16, String)
where
    B::Error: std::fmt::Debug,
{
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn what_verifies_gets_through_with_its_raw_body() {
    let told = Told::default();
    let layer = WebhookLayer::new(receiver(&told));
    let got = answer(&layer, whole(delivery("msg_1", r#"{"a": 1}"#))).await;
    assert_eq!(got, (200, r#"Some("msg_1") Full {"a": 1}"#.to_owned()));
    assert_eq!(told.codes(), [""; 0]);
}

#[tokio::test]
async fn a_body_in_chunks_is_the_same_body() {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let chunks = delivery("msg_1", "one two three").map(|_| {
        let chunks = ["one ", "", "two ", "three"];
        let frames = chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))));
        StreamBody::new(futures_util::stream::iter(frames))
    });
    let got = answer(&layer, chunks).await;
    assert_eq!(got, (200, r#"Some("msg_1") Full one two three"#.to_owned()));
}

#[tokio::test]
async fn the_sender_learns_nothing_and_the_developer_the_cause() {
    let told = Told::default();
    let layer = WebhookLayer::new(receiver(&told).explain(true));
    // Parsed and written again.
    let request = whole(delivery("msg_1", r#"{"a": 1}"#).map(|_| r#"{"a":1}"#.to_owned()));
    let refused = (400, VerifyError::FOR_SENDER.to_owned());
    assert_eq!(answer(&layer, request).await, refused);
    assert_eq!(told.codes(), ["bad_signature"]);
    assert!(told.last().contains("parsed as JSON"), "{}", told.last());

    let mut request = delivery("msg_2", "{}");
    request.headers_mut().remove("webhook-signature");
    assert_eq!(answer(&layer, whole(request)).await, refused);
    assert_eq!(told.codes(), ["bad_signature", "missing_header"]);

    // The clock is off: found although the headers were refused before the body.
    let late = Receiver::new(Webhook::new([SECRET]).unwrap());
    let late = late.clock(|| NOW + 4_000).on_failure(told.by());
    let layer = WebhookLayer::new(late.explain(true));
    assert_eq!(
        answer(&layer, whole(delivery("msg_3", "{}"))).await,
        refused
    );
    assert!(told.last().contains("clock"), "{}", told.last());
}

#[tokio::test]
async fn without_explain_no_cause_is_looked_for() {
    let told = Told::default();
    let layer = WebhookLayer::new(receiver(&told));
    let request = whole(delivery("msg_1", r#"{"a": 1}"#).map(|_| r#"{"a":1}"#.to_owned()));
    assert_eq!(answer(&layer, request).await.0, 400);
    assert!(!told.last().contains("JSON"), "{}", told.last());
}

#[tokio::test]
async fn headers_that_cannot_be_right_are_refused_before_the_body_is_read() {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let mut request = delivery("msg_1", "");
    request.headers_mut().remove("webhook-id");
    // Never ends.
    let endless = request.map(|_| {
        StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Infallible>,
        >())
    });
    assert_eq!(answer(&layer, endless).await.0, 400);
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_as_soon_as_it_is() {
    let told = Told::default();
    let webhook = Webhook::builder().secret(SECRET).max_body(10);
    let layer = WebhookLayer::new(receiver_of(webhook.build().unwrap(), &told));
    // Without an end: whoever read on would never answer.
    let endless = delivery("msg_1", "").map(|_| {
        let chunk = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"12345678")));
        StreamBody::new(futures_util::stream::repeat_with(chunk))
    });
    let got = answer(&layer, endless).await;
    assert_eq!(got, (413, VerifyError::FOR_SENDER.to_owned()));
    assert_eq!(told.codes(), ["body_too_large"]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let told = Told::default();
    let layer = WebhookLayer::new(receiver(&told));
    let broken = delivery("msg_1", "{}").map(|_| {
        let frames = [
            Ok(Frame::data(Bytes::from_static(b"{"))),
            Err(std::io::Error::other("reset")),
        ];
        StreamBody::new(futures_util::stream::iter(frames))
    });
    assert_eq!(answer(&layer, broken).await.0, 400);
    assert_eq!(told.codes(), ["body_broken"]);
    assert!(told.last().contains("reset"));
}

/// Answers these statuses, one after the other, and counts its runs.
#[allow(clippy::type_complexity, reason = "it is written once")]
fn scripted(
    statuses: &'static [u16],
) -> (
    Arc<AtomicUsize>,
    impl Service<
        Request<Full<Bytes>>,
        Response = Response<Full<Bytes>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static,
) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let handler = service_fn(move |_| {
        let status = statuses[counted.fetch_add(1, Ordering::SeqCst)];
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        std::future::ready(Ok(response))
    });
    (runs, handler)
}

#[tokio::test]
async fn a_message_is_handled_once_and_again_after_a_failure() {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let layer = layer.replay_guard("billing", MemoryReplayGuard::new());
    let (runs, handler) = scripted(&[500, 302, 201, 200]);
    let service = layer.layer(handler);
    let send = async |id: &str| {
        let request = whole(delivery(id, "{}"));
        let response = service.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    };
    assert_eq!(send("msg_1").await, 500, "released");
    assert_eq!(send("msg_1").await, 302, "released: not 2xx");
    assert_eq!(send("msg_1").await, 201, "committed");
    assert_eq!(send("msg_1").await, 200, "done before");
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    assert_eq!(send("msg_2").await, 200);
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_retry_that_was_signed_again_is_known_by_the_id_of_its_event() {
    let secret = "whsec_5f3c2b1a09f8e7d6";
    let body = r#"{"id":"evt_1","type":"invoice.paid"}"#;
    // Signed at other times.
    let sent = |at: i64| {
        let signer = Signer::of(Scheme::Stripe, [secret]).unwrap();
        let outgoing = Outgoing::new(body.as_bytes(), at);
        let headers = signer.sign_request(&outgoing).unwrap().headers;
        let request = headers
            .iter()
            .fold(Request::post("/"), |request, (name, value)| {
                request.header(name, value)
            });
        whole(request.body(body.to_owned()).unwrap())
    };
    for (by_id, runs_wanted) in [(false, 2), (true, 1)] {
        let webhook = Webhook::of(Scheme::Stripe, [secret]).unwrap();
        let layer = WebhookLayer::new(receiver_of(webhook, &Told::default()));
        let mut layer = layer.replay_guard("stripe", MemoryReplayGuard::new());
        if by_id {
            layer = layer.event_id(|delivery| {
                let event: serde_json::Value = delivery.json().ok()?;
                Some(event["id"].as_str()?.to_owned())
            });
        }
        let (runs, handler) = scripted(&[200, 200]);
        let service = layer.layer(handler);
        for at in [NOW - 5, NOW] {
            let response = service.clone().oneshot(sent(at)).await.unwrap();
            assert_eq!(response.status(), 200);
        }
        assert_eq!(runs.load(Ordering::SeqCst), runs_wanted);
    }
}

#[tokio::test]
async fn what_does_not_verify_reserves_nothing() {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let layer = layer.replay_guard("billing", MemoryReplayGuard::new());
    let forged = delivery("msg_1", "{}").map(|_| "forged".to_owned());
    assert_eq!(answer(&layer, whole(forged)).await.0, 400);
    assert_eq!(answer(&layer, whole(delivery("msg_1", "{}"))).await.0, 200);
}

#[tokio::test]
async fn while_a_handler_has_a_message_its_retry_is_put_off() {
    let layer = WebhookLayer::new(receiver(&Told::default()));
    let layer = layer.replay_guard("billing", MemoryReplayGuard::new());
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let slow = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let gate = Arc::clone(&waiting);
        async move {
            let _ = gate.acquire().await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    }));
    let first = tokio::spawn(slow.clone().oneshot(whole(delivery("msg_1", "{}"))));
    tokio::task::yield_now().await;
    let second = slow.clone().oneshot(whole(delivery("msg_1", "{}"))).await;
    assert_eq!(second.unwrap().status(), 503);
    gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let third = slow.oneshot(whole(delivery("msg_1", "{}"))).await;
    assert_eq!(third.unwrap().status(), 200);
}

#[tokio::test]
async fn challenges_are_answered_and_events_are_not() {
    let told = Told::default();
    let secret = "8f742231b10e8888abcd99yyyzzz85a5";
    for (scheme, body, wanted) in [
        (
            Scheme::Slack,
            r#"{"type":"url_verification","challenge":"3eZbrz"}"#,
            "3eZbrz",
        ),
        (
            Scheme::Zoom,
            r#"{"event":"endpoint.url_validation","payload":{"plainToken":"q9ibPhGeRZ6ayx5WTrXjRw"}}"#,
            r#"{"plainToken":"q9ibPhGeRZ6ayx5WTrXjRw","encryptedToken":""#,
        ),
    ] {
        let webhook = Webhook::of(scheme, [secret]).unwrap();
        let layer = WebhookLayer::new(receiver_of(webhook, &told));
        let (status, text) = answer(&layer, whole(signed(scheme, secret, "", body))).await;
        assert_eq!(status, 200);
        assert!(text.starts_with(wanted), "{text}");
        let event = whole(signed(scheme, secret, "", r#"{"type":"event_callback"}"#));
        assert!(answer(&layer, event).await.1.starts_with("None Full"));
        // Not for somebody who does not know the secret.
        let forged = signed(scheme, "another-secret-of-length", "", body);
        assert_eq!(answer(&layer, whole(forged)).await.0, 400);
    }
}

#[tokio::test]
async fn discord_is_answered_pings_and_401() {
    let told = Told::default();
    let pair = gatewright_webhook_tower::webhook::generate_key_pair(&[7; 32]);
    let public: String = bytes_of(&pair.public)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let seed = "07".repeat(32);
    let webhook = Webhook::of(Scheme::Discord, [public]).unwrap();
    let layer = WebhookLayer::new(receiver_of(webhook, &told));
    let ping = || signed(Scheme::Discord, &seed, "", r#"{"type":1}"#);
    let got = answer(&layer, whole(ping())).await;
    assert_eq!(got, (200, r#"{"type":1}"#.to_owned()));
    let forged = ping().map(|_| r#"{"type":2}"#.to_owned());
    let refused = (401, VerifyError::FOR_SENDER.to_owned());
    assert_eq!(answer(&layer, whole(forged)).await, refused);
}

/// The bytes of `whpk_…`.
fn bytes_of(key: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = key.split_once('_').unwrap().1.trim_end_matches('=');
    let bits = text.bytes().map(|digit| {
        let value = DIGITS.iter().position(|one| *one == digit).unwrap();
        format!("{value:06b}")
    });
    let bits: String = bits.collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

#[tokio::test]
async fn a_signed_url_is_the_requests_or_the_configured_one() {
    let told = Told::default();
    let secret = "asdf1234asdf1234";
    let by_host = Webhook::of(Scheme::Square, [secret]).unwrap();
    let layer = WebhookLayer::new(receiver_of(by_host, &told));
    let sent = || signed(Scheme::Square, secret, "", "{}");
    assert_eq!(answer(&layer, whole(sent())).await.0, 200);
    // A proxy changed the host.
    let proxied = || {
        let mut request = sent();
        request
            .headers_mut()
            .insert("host", "10.0.0.7:8080".parse().unwrap());
        whole(request)
    };
    assert_eq!(answer(&layer, proxied()).await.0, 400);
    let configured = Webhook::builder().scheme(Scheme::Square).secret(secret);
    let configured = configured.url("https://hooks.example.com").build().unwrap();
    let layer = WebhookLayer::new(receiver_of(configured, &told));
    assert_eq!(answer(&layer, proxied()).await.0, 200);
}

#[tokio::test]
async fn where_the_body_is_not_signed_the_delivery_says_so() {
    let told = Told::default();
    let secret = "key-0123456789abcdef";
    let webhook = Webhook::of(Scheme::Mailgun, [secret]).unwrap();
    let layer = WebhookLayer::new(receiver_of(webhook, &told));
    let signer = Signer::of(Scheme::Mailgun, [secret]).unwrap();
    let outgoing = Outgoing::new(br#"{"event-data":{}}"#, NOW);
    let token = "0123456789abcdef0123456789abcdef0123456789abcdef01";
    let sent = signer.sign_request(&outgoing.id(token)).unwrap();
    let body = Full::new(Bytes::from(sent.body.unwrap()));
    let (status, text) = answer(&layer, Request::post("/").body(body).unwrap()).await;
    assert_eq!(status, 200);
    assert!(text.contains(&format!("{:?}", BodyBound::None)), "{text}");
}

#[tokio::test]
async fn an_id_in_a_body_that_is_not_signed_does_not_count() {
    let secret = "key-0123456789abcdef";
    let webhook = Webhook::of(Scheme::Mailgun, [secret]).unwrap();
    let layer = WebhookLayer::new(receiver_of(webhook, &Told::default()))
        .replay_guard("mail", MemoryReplayGuard::new())
        .event_id(|delivery| {
            let event: serde_json::Value = delivery.json().ok()?;
            Some(event["event-data"]["id"].as_str()?.to_owned())
        });
    let signer = Signer::of(Scheme::Mailgun, [secret]).unwrap();
    let token = "0123456789abcdef0123456789abcdef0123456789abcdef01";
    let outgoing = Outgoing::new(br#"{"event-data":{"id":"one"}}"#, NOW).id(token);
    let sent = signer.sign_request(&outgoing).unwrap().body.unwrap();
    let sent = String::from_utf8(sent).unwrap();
    let (runs, handler) = scripted(&[200, 200]);
    let service = layer.layer(handler);
    for body in [sent.clone(), sent.replace("one", "two")] {
        let request = Request::post("/").body(body).unwrap();
        let response = service.clone().oneshot(whole(request)).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// A case of the corpus: its verifier, its certificate and its request.
fn sns(name: &str) -> (Webhook, Bytes, Request<String>) {
    let cases = include_str!("../../../conformance/webhooks/sns.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(cases).unwrap();
    let case = cases.iter().find(|case| case["name"] == name).unwrap();
    let settings = &case["settings"];
    let webhook = Webhook::builder()
        .scheme(Scheme::Sns)
        .topic_arn(settings["topic_arn"].as_str().unwrap())
        .build();
    let pem = settings["certificate"].as_str().unwrap().to_owned();
    let body = bytes_of(&format!("_{}", case["body"].as_str().unwrap()));
    let request = Request::post("/").body(String::from_utf8(body).unwrap());
    (webhook.unwrap(), pem.into(), request.unwrap())
}

#[tokio::test]
async fn a_certificate_is_fetched_once() {
    let told = Told::default();
    let (webhook, pem, request) = sns("notification");
    let fetched = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fetched);
    let receiver = receiver_of(webhook.clone(), &told).fetch_certificate(move |url| {
        counted.fetch_add(1, Ordering::SeqCst);
        let name = "SimpleNotificationService-";
        assert!(
            url.starts_with(&format!("https://sns.us-west-2.amazonaws.com/{name}")),
            "{url}"
        );
        std::future::ready(Ok(pem.clone()))
    });
    let layer = WebhookLayer::new(receiver);
    for _ in 0..2 {
        let (status, text) = answer(&layer, whole(request.clone())).await;
        assert_eq!(status, 200);
        assert!(text.contains("Hello world!"), "{text}");
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
    let forged = request.map(|body| body.replace("Hello", "Hullo"));
    assert_eq!(answer(&layer, whole(forged)).await.0, 400);
    assert_eq!(told.codes(), ["bad_signature"]);
}

#[tokio::test]
async fn without_its_certificate_nothing_verifies() {
    let told = Told::default();
    let (webhook, pem, request) = sns("notification");
    let layer = WebhookLayer::new(receiver_of(webhook.clone(), &told));
    assert_eq!(answer(&layer, whole(request.clone())).await.0, 400);
    assert_eq!(told.codes(), ["missing_certificate"]);

    for (fetched, status, code) in [
        (Err("no route to host"), 503, "certificate_not_fetched"),
        (Ok(vec![b'-'; 100_000]), 503, "certificate_not_fetched"),
        (Ok(pem[..500].to_vec()), 400, "bad_certificate"),
    ] {
        let told = Told::default();
        let receiver = receiver_of(webhook.clone(), &told).fetch_certificate(move |_| {
            let fetched = fetched.clone().map(Bytes::from);
            std::future::ready(fetched.map_err(Into::into))
        });
        let got = answer(&WebhookLayer::new(receiver), whole(request.clone())).await;
        assert_eq!(got, (status, VerifyError::FOR_SENDER.to_owned()));
        assert_eq!(told.codes(), [code]);
    }
}

#[tokio::test]
async fn a_subscription_is_confirmed_where_that_is_wanted() {
    let (webhook, pem, request) = sns("subscription");
    let told = Told::default();
    let receiver =
        receiver_of(webhook, &told).fetch_certificate(move |_| std::future::ready(Ok(pem.clone())));
    let layer = WebhookLayer::new(receiver.clone());
    let (status, text) = answer(&layer, whole(request.clone())).await;
    assert_eq!(status, 200);
    assert!(text.contains("SubscribeURL"), "the handler has it: {text}");

    let visited = Arc::new(std::sync::Mutex::new(Vec::new()));
    let visits = Arc::clone(&visited);
    let confirming = receiver.clone().confirm_subscription(move |url| {
        visits.lock().unwrap().push(url);
        std::future::ready(Ok(()))
    });
    let got = answer(&WebhookLayer::new(confirming), whole(request.clone())).await;
    assert_eq!(got, (200, String::new()));
    let visited = visited.lock().unwrap().clone();
    assert_eq!(visited.len(), 1);
    assert!(
        visited[0].starts_with("https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription")
    );

    let failing = receiver.confirm_subscription(|_| std::future::ready(Err("timeout".into())));
    assert_eq!(
        answer(&WebhookLayer::new(failing), whole(request)).await.0,
        503
    );
    assert_eq!(told.codes(), ["not_confirmed"]);
}
