//! A sender: signed requests, and what is told of them.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use gatewright_webhook_tower::webhook::{Outgoing, Scheme, Signer, Webhook};
use gatewright_webhook_tower::{Failure, Receiver};
use http::Request;
use http_body_util::Full;

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as `scheme` signs it.
pub(crate) fn signed(scheme: Scheme, secret: &str, id: &str, body: &str) -> Request<String> {
    let signer = Signer::of(scheme, [secret]).unwrap();
    let mut outgoing = Outgoing::new(body.as_bytes(), NOW);
    if matches!(scheme, Scheme::StandardWebhooks) {
        outgoing = outgoing.id(id);
    }
    let url = "https://hooks.example.com/hooks?from=sender";
    if matches!(scheme, Scheme::Square) {
        outgoing = outgoing.url(url);
    }
    let headers = signer.sign_request(&outgoing).unwrap().headers;
    let request = Request::post("/hooks?from=sender").header("host", "hooks.example.com");
    let request = headers.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    request.body(body.to_owned()).unwrap()
}

/// A delivery of Standard Webhooks.
pub(crate) fn delivery(id: &str, body: &str) -> Request<String> {
    signed(Scheme::StandardWebhooks, SECRET, id, body)
}

/// In one chunk.
pub(crate) fn whole(request: Request<String>) -> Request<Full<bytes::Bytes>> {
    request.map(|body| Full::new(body.into()))
}

/// What the developer was told: codes and texts.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Told {
    pub(crate) fn by(&self) -> impl Fn(&Failure) + Send + Sync + 'static {
        let told = self.clone();
        move |failure| {
            let mut list = told.0.lock().unwrap();
            list.push((failure.code(), failure.to_string()));
        }
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let list = self.0.lock().unwrap();
        list.iter().map(|(code, _)| *code).collect()
    }

    pub(crate) fn last(&self) -> String {
        let list = self.0.lock().unwrap();
        list.last()
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    }
}

pub(crate) fn receiver_of(webhook: Webhook, told: &Told) -> Receiver {
    Receiver::new(webhook).clock(|| NOW).on_failure(told.by())
}

pub(crate) fn receiver(told: &Told) -> Receiver {
    receiver_of(Webhook::new([SECRET]).unwrap(), told)
}
