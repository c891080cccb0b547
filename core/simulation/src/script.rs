//! A script: everything that a simulation does, written out. A seed is turned into one (`derive.rs`), a failing one is
//! made small (`minimise.rs`), and it can be kept as text and played again (`script/text.rs`, `script/read.rs`).
//!
//! All times are milliseconds from the start of the simulation, in real (the servers') time, unless they are said to be
//! spans.

mod read;
mod text;
pub use text::ScriptError;

/// All that happens in one simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Decides latencies and jitter: whatever is not written out.
    pub seed: u64,
    /// How the clients are set.
    pub clients: Clients,
    /// What the gateway is like.
    pub gateway: Gateway,
    /// What the network is like when nothing goes wrong.
    pub network: Network,
    /// Times in which a host is dead.
    pub dead: Vec<Dead>,
    /// Times in which the device of a client sleeps.
    pub sleeps: Vec<Sleep>,
    /// The calls.
    pub calls: Vec<CallPlan>,
    /// What goes wrong with single attempts.
    pub faults: Vec<Fault>,
}

/// How the clients are set; all have the same settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// How many clients share the gateway.
    pub count: u32,
    /// Attempts in all.
    pub attempts: u32,
    /// Tokens of the retry budget.
    pub budget: u32,
    /// The longest Retry-After that is waited out.
    pub max_retry_after: u64,
    /// The time an attempt may take.
    pub attempt_timeout: u64,
    /// Whether calls are held back by what the gateway says.
    pub pacing: bool,
    /// Calls, span and burst of the quota that the user set.
    pub local: Option<(u32, u64, u32)>,
    /// The credentials are tokens that are fetched.
    pub token: Option<TokenPlan>,
    /// How late timers fire, at most.
    pub late: u64,
    /// The circuit breaker.
    pub breaker: Option<BreakerPlan>,
    /// Calls to a host that may be under way at once.
    pub concurrency: Option<u32>,
    /// The hosts are regions of one API: a call may go to any of them.
    pub regions: bool,
    /// A second copy of a GET is sent when its answer takes so long.
    pub hedge: Option<u64>,
    /// Redirects that a call follows at most.
    pub redirects: u32,
    /// Redirects to other hosts are followed too, without the credential.
    pub elsewhere: bool,
}

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPlan {
    /// Failures of a hundred attempts.
    pub percent: u32,
    /// Attempts that are needed for a judgement.
    pub volume: u32,
    /// The span of time that is looked at.
    pub window: u64,
    /// How long it stays open; `None`: ever longer, as by default.
    pub open: Option<u64>,
}

/// How tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPlan {
    /// How long one is good.
    pub lifetime: u64,
    /// Whether its source says so.
    pub told: bool,
    /// How long fetching one takes.
    pub fetch: u64,
    /// Of a thousand fetches, so many fail.
    pub failing: u32,
}

/// What the gateway is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// How many hosts there are.
    pub hosts: u32,
    /// The quotas of each host and credential; a call takes one of each.
    pub quotas: Vec<QuotaPlan>,
    /// How it says what is left of them.
    pub says: Says,
    /// How it says when to come back after a 429.
    pub asks: Asks,
    /// The time in which it does its work, least and most.
    pub work: (u64, u64),
}

/// One quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaPlan {
    /// How it comes back.
    pub kind: QuotaKind,
    /// Calls in a window.
    pub limit: u64,
    /// The window's length in seconds.
    pub window: u64,
}

/// How a quota comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaKind {
    /// Call by call (GCRA).
    Bucket,
    /// As a whole; a window begins with the first call in it.
    Fixed,
    /// As a whole; windows follow the clock.
    Clock,
    /// Each call a window after it was made.
    Sliding,
}

/// How a gateway says what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// `RateLimit-Limit`, `-Remaining`, `-Reset`.
    Draft06,
    /// `RateLimit` and `RateLimit-Policy` as lists.
    Draft10,
    /// `X-RateLimit-*` with seconds since the epoch.
    Epoch,
    /// As draft-06, with a reset to the millisecond: `RateLimit-Reset: 1.470`.
    Fractions,
    /// As GitHub: `X-RateLimit-*` with seconds since the epoch, what is used, and of which group.
    GitHub,
    /// Nothing.
    Nothing,
    /// As OpenAI: `X-RateLimit-*-Requests` and `-Tokens` with durations such as `6m0s`.
    OpenAi,
}

/// How a gateway says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// As an HTTP-date, beside the response's own `Date`.
    Date,
    /// As an HTTP-date; the response has no `Date`.
    DateAlone,
    /// As `retry-after-ms`.
    Millis,
    /// Not at all.
    Nothing,
    /// As whole seconds.
    Seconds,
    /// By something that nobody can read.
    Unreadable,
}

/// What the network is like when nothing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The time each way takes, least and most.
    pub latency: (u64, u64),
}

/// A time in which a host is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Which host.
    pub host: u32,
    /// From when.
    pub from: u64,
    /// Until when.
    pub to: u64,
    /// How it shows.
    pub by: Death,
}

/// How a dead host shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Connections are refused.
    Refused,
    /// Nothing comes back.
    Silent,
    /// This status, and how long it asks to wait.
    Status(u16, Asks, u64),
}

/// A time in which the device of a client sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// Which client.
    pub client: u32,
    /// From when.
    pub from: u64,
    /// Until when.
    pub to: u64,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPlan {
    /// Its number, by which faults and other calls name it.
    pub id: u32,
    /// When it begins.
    pub start: Start,
    /// Which client makes it.
    pub client: u32,
    /// To which host.
    pub host: u32,
    /// With which credential of that client.
    pub credential: u32,
    /// What it asks for.
    pub method: Method,
    /// The body can be sent only once.
    pub once: bool,
    /// Its deadline, from its start.
    pub deadline: Option<u64>,
    /// The caller goes away so long after its start.
    pub cancel: Option<u64>,
}

/// When a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When another has ended.
    After(u32),
    /// Then.
    At(u64),
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing changes.
    Get,
    /// A side effect, and no key.
    Post,
    /// A side effect, under an idempotency key.
    PostKeyed,
}

/// What goes wrong with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of this call.
    pub call: u32,
    /// Its attempt, 1 for the first.
    pub attempt: u32,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The gateway answers so, before it does anything.
    Answer(u16, Asks, u64),
    /// The gateway does its work, then answers so.
    AnswerAfter(u16),
    /// The connection is not set up in time.
    ConnectTimeout,
    /// The gateway says by the connection that it did nothing (REFUSED_STREAM).
    NotProcessed,
    /// The gateway sends the request elsewhere: with this status, to this host.
    Redirect(u16, u32),
    /// The connection is refused.
    Refused,
    /// The connection breaks before the gateway has the request.
    ResetBefore,
    /// The connection breaks after the gateway did its work.
    ResetAfter,
    /// The gateway answers so, with `x-should-retry`, before it does anything.
    ShouldRetry(u16, bool),
    /// Nothing comes back; the gateway did nothing.
    SilentBefore,
    /// Nothing comes back; the gateway did its work.
    SilentAfter,
    /// The answer comes so much later.
    Slow(u64),
}
