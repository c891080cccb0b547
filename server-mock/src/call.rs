//! One request on the data port, read whole and recorded, on its way to an answer.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;

use crate::noted::Noted;
use crate::op::Op;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::{Route, route};
use crate::signing::{Flaw, Signer};
use crate::via::Via;
use crate::world::World;

/// A request that has been read.
pub(crate) struct Call {
    pub(crate) world: Arc<World>,
    pub(crate) parts: Parts,
    pub(crate) op: Op,
    /// The region it came to, if it came to one.
    pub(crate) region: Option<Arc<str>>,
    pub(crate) via: Via,
    pub(crate) upload: Upload,
    pub(crate) credential: Option<String>,
    /// What came of the check of its signature, where it was checked.
    pub(crate) signature: Option<Result<Signer, Flaw>>,
    pub(crate) request_id: String,
    pub(crate) received: Instant,
    /// The session's clock when it arrived.
    pub(crate) at_ns: u64,
    pub(crate) noted: Noted,
}

/// What was received of a body.
#[derive(Default)]
pub(crate) struct Upload {
    /// All of it, or as much as is kept.
    pub(crate) bytes: Bytes,
    /// How much was received.
    pub(crate) length: u64,
    /// Given when `bytes` is not all that was received.
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) end: UploadEnd,
}

/// Why reading a body stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UploadEnd {
    /// The client left or broke the framing.
    Broken,
    #[default]
    Complete,
    TooLarge,
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(crate) fn route(&self) -> Route<'_> {
        route(&self.parts.method, self.path())
    }

    /// The value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.parts.uri.query()?.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.parts.headers.get(name).map(|value| value.as_bytes())
    }

    /// `http://HOST` or `https://HOST`, as the caller wrote it.
    pub(crate) fn origin(&self) -> String {
        let host = self.header("host").unwrap_or(b"localhost");
        let scheme = if self.via.https() { "https" } else { "http" };
        format!("{scheme}://{}", String::from_utf8_lossy(host))
    }

    /// The request's address without its query.
    pub(crate) fn own_url(&self) -> String {
        format!("{}{}", self.origin(), self.path())
    }

    /// A header that is a whole number.
    pub(crate) fn number_in_header(&self, name: &str) -> Option<u64> {
        self.parts.headers.get(name)?.to_str().ok()?.parse().ok()
    }

    pub(crate) fn problem(&self, problem: Problem) -> Reply {
        self.noted.problem(problem.code(), problem.detail());
        problem.reply(self.path(), &self.request_id)
    }
}
