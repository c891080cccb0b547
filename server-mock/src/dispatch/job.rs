//! What goes over the bus: a job, which is one request to make, and its report. Neither has a secret that signs in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::client::TlsTrouble;
use crate::webhooks::{Answer, Post};

/// What is told of an answer's headers.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// One request to make.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Known by it, in this and every other gateway.
    pub(crate) id: String,
    /// The session, delivery and attempt it is for: who looks into the bus sees what waits there.
    pub(crate) session: String,
    pub(crate) delivery: String,
    pub(crate) attempt: usize,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// In base64: what was signed are bytes.
    pub(crate) body: String,
    pub(crate) timeout_ms: u64,
    pub(crate) connect_timeout_ms: u64,
    /// Ports of loopback that are the gateway's own, where no webhook goes.
    pub(crate) own_ports: Vec<u16>,
}

/// How a request ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) job: String,
    pub(crate) worker: String,
    /// How often the job had been taken, this time included: all before were lost with their workers.
    pub(crate) taken: u64,
    /// The answer, or why there is none.
    pub(crate) result: Result<Came, String>,
    /// What was wrong with TLS, if that is why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsTrouble>,
    /// Real milliseconds the request took.
    pub(crate) took_ms: u64,
}

/// What is told of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Came {
    status: u16,
    headers: Vec<(String, String)>,
    /// The body's first bytes, in base64.
    body: String,
    goes_on: bool,
}

impl Came {
    /// Of an answer; of very long headers the rest is left out.
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut bytes = 0;
        let headers = answer.headers.iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            bytes += name.as_str().len() + value.len();
            (bytes <= MAX_HEADER_BYTES).then(|| (name.as_str().to_owned(), value.to_owned()))
        });
        Self {
            status: answer.status,
            headers: headers.collect(),
            body: STANDARD.encode(&answer.body),
            goes_on: answer.goes_on,
        }
    }

    /// The answer as it came.
    pub(crate) fn answer(self) -> Answer {
        let headers = self.headers.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::try_from(value).ok()?))
        });
        Answer {
            status: self.status,
            headers: headers.collect(),
            body: STANDARD.decode(self.body).unwrap_or_default().into(),
            goes_on: self.goes_on,
        }
    }
}

impl Job {
    /// With the request in it.
    pub(crate) fn carry(mut self, post: &Post) -> Self {
        self.url.clone_from(&post.url);
        self.headers.clone_from(&post.headers);
        self.body = STANDARD.encode(&post.payload);
        self.timeout_ms = post.timeout_ms;
        self.connect_timeout_ms = post.connect_timeout_ms;
        self
    }

    /// The request.
    pub(crate) fn post(&self) -> Result<Post, String> {
        let payload = STANDARD
            .decode(&self.body)
            .map_err(|error| format!("the job's body: {error}"))?;
        Ok(Post {
            url: self.url.clone(),
            headers: self.headers.clone(),
            payload: Bytes::from(payload),
            timeout_ms: self.timeout_ms,
            connect_timeout_ms: self.connect_timeout_ms,
        })
    }
}
