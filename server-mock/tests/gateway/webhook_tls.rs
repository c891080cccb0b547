//! Webhooks to `https:`: what arrives over TLS, whom the gateway trusts, and what an attempt says of TLS. The receiver is another gateway,
//! so that its journal says what arrived.

use gatewright_server_mock::{
    BusOptions, DeliveryState, Gateway, Https, OptionsChange, Session, TlsTrouble,
};
use serde_json::{Value, json};

use crate::caller::asking;

/// A gateway with HTTPS, and a session of it that takes webhooks.
struct Behind {
    gateway: Gateway,
    session: Session,
}

impl Behind {
    async fn new() -> Self {
        let gateway = Gateway::builder()
            .host("0.0.0.0".parse().unwrap())
            .https(Https::default());
        let gateway = gateway.start().await.unwrap();
        let session = gateway.session("behind").unwrap();
        Self { gateway, session }
    }

    /// The address of something that answers 200, at this host.
    fn url(&self, host: &str) -> String {
        let url = self.gateway.https_url().unwrap();
        let port = url.rsplit(':').next().unwrap();
        format!("https://{host}:{port}/v1/echo/hook")
    }

    fn ca(&self) -> &str {
        self.gateway.ca_pem().unwrap()
    }
}

/// An endpoint there, made on the data port, which may ask for a key.
async fn subscribe(gateway: &Gateway, url: &str) -> Value {
    let headers = json!({
        "authorization": "Bearer sk_test_unlimited_behind",
        "x-mock-session": "behind",
    });
    let made = asking(&gateway.url(), "POST", "/v1/webhook_endpoints")
        .header("authorization", "Bearer sk_test_unlimited_acme")
        .header("x-mock-session", "test")
        .json(&json!({"url": url, "headers": headers}))
        .send()
        .await;
    assert_eq!(made.status(), 201, "{}", made.json());
    made.json()
}

/// Makes a contact, and sends what there is to be sent once.
async fn contact(gateway: &Gateway) -> Session {
    let session = gateway.session("test").unwrap();
    session.freeze();
    let made = asking(&gateway.url(), "POST", "/v1/contacts")
        .header("authorization", "Bearer sk_test_unlimited_acme")
        .header("x-mock-session", "test")
        .json(&json!({"name": "Grace"}));
    assert_eq!(made.send().await.status(), 201);
    session.settle().await;
    session
}

#[tokio::test]
async fn they_arrive_over_tls_where_the_ca_is_trusted() {
    for by_a_worker in [false, true] {
        let behind = Behind::new().await;
        let mut builder = Gateway::builder().trust_ca(behind.ca());
        if by_a_worker {
            builder = builder.bus(BusOptions::new("embedded"));
        }
        let gateway = builder.start().await.unwrap();
        let made = subscribe(&gateway, &behind.url("localhost")).await;
        let session = contact(&gateway).await;
        let delivery = &session.deliveries()[0];
        assert_eq!(delivery.state, DeliveryState::Delivered, "{delivery:?}");
        assert_eq!(delivery.attempts[0].by.is_some(), by_a_worker);
        let arrived = &behind.session.journal(0)[0];
        assert_eq!(
            (arrived.method.as_str(), arrived.path.as_str()),
            ("POST", "/v1/echo/hook")
        );
        let header = |name: &str| {
            let mut all = arrived.headers.iter();
            all.find_map(|(known, value)| (known == name).then_some(value.as_str()))
        };
        assert_eq!(header("webhook-id"), Some(delivery.event.as_str()));
        let secret = made["secret"].as_str().unwrap();
        let webhook = gatewright_webhook::Webhook::new([secret]).unwrap();
        let body = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            &arrived.body_base64,
        )
        .unwrap();
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers = names.map(|name| (name, header(name).unwrap()));
        let now_s = i64::try_from(session.clock().now_ms / 1_000).unwrap();
        assert!(webhook.verify(&body, &headers, now_s).is_ok());
    }
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_on_the_attempt() {
    let behind = Behind::new().await;
    let plain = behind.gateway.url();
    let plain = format!("https://127.0.0.1:{}/", plain.rsplit(':').next().unwrap());
    for (trusted, url, expected) in [
        (false, behind.url("localhost"), TlsTrouble::UnknownIssuer),
        // Another name of this machine, which is not in the certificate (macOS has none).
        #[cfg(not(target_os = "macos"))]
        (true, behind.url("127.0.0.2"), TlsTrouble::WrongName),
        (true, plain, TlsTrouble::Handshake),
    ] {
        let mut builder = Gateway::builder();
        if trusted {
            builder = builder.trust_ca(behind.ca());
        }
        let gateway = builder.start().await.unwrap();
        subscribe(&gateway, &url).await;
        let session = contact(&gateway).await;
        let delivery = &session.deliveries()[0];
        // It is tried again, as after every attempt without an answer.
        assert_eq!(delivery.state, DeliveryState::Pending);
        let attempt = &delivery.attempts[0];
        assert_eq!((attempt.status, attempt.tls_error), (None, Some(expected)));
        let path = "/v1/webhook_deliveries/dlv_000001";
        let shown = asking(&gateway.url(), "GET", path)
            .header("authorization", "Bearer sk_test_unlimited_acme")
            .header("x-mock-session", "test")
            .send()
            .await;
        let shown = &shown.json()["attempts"][0];
        assert_eq!(shown["tls_error"], json!(expected));
        let error = shown["error"].as_str().unwrap();
        assert!(
            error.starts_with("TLS with ") && !error.contains("hook"),
            "{error}"
        );
    }
    assert!(behind.session.journal(0).is_empty());
}

#[tokio::test]
async fn the_same_ca_counts_for_upstreams() {
    let behind = Behind::new().await;
    for (trusted, status) in [(true, 200), (false, 502)] {
        let mut builder = Gateway::builder();
        if trusted {
            builder = builder.trust_ca(behind.ca());
        }
        let gateway = builder.start().await.unwrap();
        let session = gateway.session("test").unwrap();
        let headers = json!({
            "authorization": "Bearer sk_test_unlimited_behind",
            "x-mock-session": "behind",
        });
        let url = behind.url("localhost");
        let upstream = json!({"name": "behind", "url": url, "headers": headers});
        let change: OptionsChange =
            serde_json::from_value(json!({ "upstreams": [upstream] })).unwrap();
        session.set(change).unwrap();
        let seen = asking(&gateway.url(), "GET", "/upstream/behind/x")
            .header("authorization", "Bearer sk_test_unlimited_acme")
            .header("x-mock-session", "test")
            .send()
            .await;
        assert_eq!(
            seen.status(),
            status,
            "{}",
            String::from_utf8_lossy(&seen.raw)
        );
    }
}

#[tokio::test]
async fn a_ca_that_is_none_is_said_at_the_start() {
    for wrong in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let error = Gateway::builder()
            .trust_ca(wrong)
            .start()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(
            error
                .to_string()
                .starts_with("the CA to trust cannot be used: "),
            "{error}"
        );
    }
}
