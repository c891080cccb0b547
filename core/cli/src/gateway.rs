//! Calls to the gateway's admin port.

use std::time::Duration;

use gatewright::{Client, Error, RequestBuilder};
use serde_json::Value;

use crate::Failure;
use crate::arguments::Admin;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The admin port of one gateway, and one of its sessions.
#[derive(Clone, Debug)]
pub(crate) struct AdminPort {
    client: Client,
    session: Option<String>,
}

impl AdminPort {
    pub(crate) fn of(admin: &Admin) -> Result<Self, Failure> {
        let client = Client::builder(&admin.url)
            // It is on the developer's own machine, or reached by a way that is as good.
            .allow_http(true)
            .pacing(false)
            .breaker(None)
            .timeout(TIMEOUT)
            .max_attempts(2)
            .build()
            .map_err(Failure::usage)?;
        Ok(Self {
            client,
            session: admin.session.clone(),
        })
    }

    /// With the session that was named.
    fn about(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.session {
            Some(session) => request.query([("session", session.as_str())]),
            None => request,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.about(self.client.get(path))
    }

    /// Posts JSON, and answers with what came back.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.about(self.client.post(path))
            .json(body)
            .send()
            .await?
            .json()
    }

    /// Removes an endpoint.
    pub(crate) async fn remove(&self, endpoint: &str) -> Result<(), Error> {
        self.about(self.client.delete("/admin/webhooks/endpoints"))
            .query([("id", endpoint)])
            .send()
            .await
            .map(|_| ())
    }
}

/// A runtime of one thread, for one command.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// A failed call, with what to do where the gateway is not there.
pub(crate) fn failed(error: &Error) -> Failure {
    if error.status().is_none() {
        return Failure::new(format!(
            "{error}\nis the gateway running? `gatewright-gateway serve`; --gateway names its admin address"
        ));
    }
    Failure::new(error)
}

/// A member that is a text; empty where there is none.
pub(crate) fn text_of(value: &Value, member: &str) -> String {
    let text = value.get(member).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Sets a member of an object.
pub(crate) fn set(object: &mut Value, member: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
}
