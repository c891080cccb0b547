//! A limit of a session beside its tiers': on some operations, in some unit, counted for each partition by itself.

use serde::{Deserialize, Serialize};

use crate::meter::{Terms, Window};

/// Policies a session may have.
pub(crate) const MAX_POLICIES: usize = 16;

/// One more limit that calls must keep to. All limits of a call are consumed, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Its name in headers and problem details: 1 to 64 letters, digits, `-`, `_` or `.`.
    pub name: String,
    /// Units in `period_ms`.
    pub count: u32,
    /// The period `count` refers to, in milliseconds.
    pub period_ms: u64,
    /// Units let in at once after a rest; means nothing with a fixed window. Default: `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// The operations it is about; a `*` at the end stands for any rest. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What is counted. Default: `requests`.
    #[serde(default)]
    pub unit: Unit,
    /// Whose calls are counted together. Default: `tenant`.
    #[serde(default)]
    pub partition: Partition,
    /// How it comes back. Default: as the session's `window`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// What a policy counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of the request's body.
    ContentBytes,
    /// Calls.
    #[default]
    Requests,
    /// What `X-Mock-Tokens` says, else a quarter of the body's bytes, rounded up, and at least 1.
    Tokens,
}

/// Whose calls a policy counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Partition {
    /// Those with the same key or token.
    Credential,
    /// Those for the same path.
    Path,
    /// Those of a tenant.
    #[default]
    Tenant,
}

impl Policy {
    /// `count` requests in `period_ms`.
    pub fn new(name: impl Into<String>, count: u32, period_ms: u64) -> Self {
        Self {
            name: name.into(),
            count,
            period_ms,
            ..Self::default()
        }
    }

    /// Only about these operations; a `*` at the end stands for any rest.
    #[must_use]
    pub fn on(mut self, op: impl Into<String>) -> Self {
        self.op = Some(op.into());
        self
    }

    /// Counts something else than requests.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Counts for each partition by itself.
    #[must_use]
    pub fn partition(mut self, partition: Partition) -> Self {
        self.partition = partition;
        self
    }

    /// Lets so many units in at once after a rest.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    pub(crate) fn terms(&self, window: Window) -> Terms {
        Terms {
            count: self.count,
            period_ms: self.period_ms,
            burst: self.burst.unwrap_or(self.count),
            window: self.window.unwrap_or(window),
        }
    }

    /// Why it cannot be enforced, if it cannot.
    pub(crate) fn fault(&self) -> Option<String> {
        let named = (1..=64).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !named {
            return Some("a policy's name has 1 to 64 letters, digits, -, _ or .".into());
        }
        if ["burst", "day", "concurrency"].contains(&self.name.as_str()) {
            return Some(format!("{} is the name of a tier's own policy", self.name));
        }
        if self.count == 0 || self.burst == Some(0) {
            return Some(format!("{}: count and burst must be at least 1", self.name));
        }
        if self.period_ms == 0 || self.period_ms > 366 * 86_400_000 {
            return Some(format!(
                "{}: period_ms must be between 1 and 31622400000",
                self.name
            ));
        }
        None
    }
}

impl Unit {
    /// The word of draft-ietf-httpapi-ratelimit-headers-10, section 3.1.2; `tokens` is no registered unit.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ContentBytes => "content-bytes",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}
