//! What is delivered: an event as it is sent, the same bytes in every attempt and to every endpoint.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value;

/// An event on its way to endpoints.
#[derive(Debug)]
pub(crate) struct Message {
    /// Sent as `webhook-id`.
    pub(crate) id: String,
    pub(crate) kind: String,
    /// Whose event it is; `None`: everybody's.
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) payload: Bytes,
    value: OnceLock<Value>,
}

impl Message {
    pub(crate) fn new(id: String, kind: String, tenant: Option<Box<str>>, payload: Bytes) -> Self {
        Self {
            id,
            kind,
            tenant,
            payload,
            value: OnceLock::new(),
        }
    }

    /// The payload, for filters; read only where there is one.
    pub(crate) fn value(&self) -> &Value {
        self.value
            .get_or_init(|| serde_json::from_slice(&self.payload).unwrap_or(Value::Null))
    }
}
