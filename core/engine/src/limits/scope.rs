//! Which calls a quota counts, and which a refusal is meant for, where servers say so in other ways than by a partition key.

use http::HeaderMap;

/// Which calls of one credential take from a quota that has no partition key, or beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// All of them, or those that the partition key names.
    #[default]
    Credential,
    /// Each endpoint (method and path template) has a counter of its own: X (Twitter).
    Endpoint,
    /// Each thing that the path begins with (`/channels/123`) has a counter of its own for each partition key: Discord's
    /// top-level resources.
    Resource,
}

/// Which calls a refusal (429, or 503 with a wait) is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// Those to the same endpoint: `Stripe-Rate-Limited-Reason: endpoint-rate`.
    Endpoint,
    /// All calls of the credential: `X-RateLimit-Global: true`, `Stripe-Rate-Limited-Reason: global-rate`.
    Everything,
    /// Those that take from the same quota, as far as partitions are known; else all calls of the credential.
    #[default]
    Partition,
    /// Those to the same path: `Stripe-Rate-Limited-Reason: resource-specific`.
    Path,
}

/// What the response says of its reach. `present`: there is a header that may say something.
pub(super) fn read_reach(headers: &HeaderMap, present: bool) -> Reach {
    if !present {
        return Reach::Partition;
    }
    let text = |name: &str| headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    if text("x-ratelimit-global").eq_ignore_ascii_case(b"true")
        || text("x-ratelimit-scope").eq_ignore_ascii_case(b"global")
    {
        return Reach::Everything;
    }
    match text("stripe-rate-limited-reason") {
        b"global-rate" | b"global-concurrency" => Reach::Everything,
        b"endpoint-rate" | b"endpoint-concurrency" => Reach::Endpoint,
        b"resource-specific" => Reach::Path,
        _ => Reach::Partition,
    }
}
