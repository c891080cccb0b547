//! Hooks of the host language's, asked around each attempt.

use std::sync::Arc;

use gatewright::runtime::BoxFuture;
use gatewright::{AfterAttempt, BeforeAttempt, BoxError, Hooks};

use crate::members::Pairs;
use crate::port::Port;
use crate::question::ask;
use crate::{call, headers, json, meta};

/// The hooks of one client: which of them there are.
#[derive(Debug)]
pub(crate) struct HostHooks {
    pub(crate) port: Arc<Port>,
    /// The host language's number of the client.
    pub(crate) client: u32,
    pub(crate) before: bool,
    pub(crate) after: bool,
}

/// Begins the member `attempt`.
fn begin(out: &mut Vec<u8>, number: u32, method: &http::Method, url: &str) {
    json::member(out, "attempt");
    out.extend_from_slice(b"{\"number\":");
    json::number(out, number.into());
    json::member(out, "method");
    json::string(out, method.as_str());
    json::member(out, "url");
    json::string(out, url);
    json::member(out, "headers");
}

impl Hooks for HostHooks {
    fn before<'a>(&'a self, attempt: &'a mut BeforeAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        if !self.before {
            return Box::pin(std::future::ready(Ok(())));
        }
        let asked = ask(&self.port, self.client, call::current(), "before", |out| {
            begin(out, attempt.number, &attempt.method, &attempt.url);
            meta::headers(out, &attempt.headers);
            out.push(b'}');
        });
        Box::pin(async move {
            let Some(text) = asked.await?.text else {
                return Ok(());
            };
            let pairs: Pairs = serde_json::from_str(&text)
                .map_err(|_| "the hook left headers that are no pairs of strings")?;
            attempt.headers = headers::read(&pairs).map_err(|wrong| {
                format!(
                    "the hook left headers that cannot be sent: {}",
                    wrong.what()
                )
            })?;
            Ok(())
        })
    }

    fn after<'a>(&'a self, attempt: &'a AfterAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        if !self.after {
            return Box::pin(std::future::ready(Ok(())));
        }
        let asked = ask(&self.port, self.client, call::current(), "after", |out| {
            begin(out, attempt.number, &attempt.method, &attempt.url);
            json::or_null(out, attempt.answer.as_ref(), |out, (_, headers)| {
                meta::headers(out, headers);
            });
            json::member(out, "status");
            json::or_null(out, attempt.answer.as_ref(), |out, (status, _)| {
                json::number(out, status.as_u16().into());
            });
            json::member(out, "error");
            json::or_null(out, attempt.error.as_deref(), json::string);
            json::member(out, "tookMs");
            json::milliseconds(out, attempt.took);
            out.push(b'}');
        });
        Box::pin(async move { asked.await.map(drop) })
    }
}
