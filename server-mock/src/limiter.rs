//! All limits of one tenant together: those of its tier and the session's policies, and what the headers say of them.
//!
//! The data port asks it for each call. A test may use it in process, on any clock: [`Limiter::decide`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;

use crate::dialect::{Dialect, RetryAfter};
use crate::fault_rules::glob;
use crate::meter::{Level, Meter, Terms, Window};
use crate::policy::{Partition, Policy, Unit};
use crate::quota::{InProgress, Quota, Refusal, Standing, Violated};
use crate::tier::Limits;

mod shared;

/// Partitions of policies that are remembered; those that are whole again make room, else all.
const MAX_METERS: usize = 10_000;

/// A policy by its number, and a partition of it.
type Place = (usize, Box<str>);

/// The limits of one caller and what it has used of them. Time is passed in, in nanoseconds since the Unix epoch.
///
/// ```
/// use gatewright_server_mock::{Dialect, LimitedCall, Limiter, Tier};
///
/// let limits = Tier::Tiny.limits().expect("tiny has limits");
/// let mut limiter = Limiter::new(limits).dialect(Dialect::Triple);
/// let start = 1_735_689_600_000_000_000;
/// let decision = limiter.decide(start, &LimitedCall::default());
/// assert_eq!((decision.status, &decision.headers["ratelimit-remaining"]), (200, &"2".parse().unwrap()));
/// ```
#[derive(Debug)]
pub struct Limiter {
    quota: Quota,
    policies: Arc<[Policy]>,
    meters: HashMap<Place, Meter>,
    dialect: Dialect,
    retry_after: RetryAfter,
    shown: Shown,
    /// What this process lets in by itself while a shared store cannot be reached.
    share: Option<Box<Limiter>>,
    /// Whether partitions seen for the first time have nothing to give.
    begin_used_up: bool,
    pub(crate) allowed: u64,
    pub(crate) refused: u64,
}

/// A call as limits see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitedCall<'a> {
    /// The operation, such as `contacts.list`.
    pub op: &'a str,
    /// The path.
    pub path: &'a str,
    /// The tenant; it only names the partition.
    pub tenant: &'a str,
    /// The key or token; it only names the partition, by its hash.
    pub credential: &'a str,
    /// Bytes of the request's body.
    pub body_bytes: u64,
    /// Tokens it costs; `None` is a quarter of the body's bytes, rounded up, and at least 1.
    pub tokens: Option<u64>,
}

/// Whether a call is let in, and what its answer says of the limits. It is in progress until this is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decision {
    /// 200 when it is let in, else 429.
    pub status: u16,
    /// The limit headers in the dialect, and `Retry-After` with a 429.
    pub headers: HeaderMap,
    /// Nanoseconds after which a lone caller is let in; 0 with a 200.
    pub wait_ns: u64,
    /// The names of the policies that refused it.
    pub violated: Vec<String>,
    _in_progress: Option<InProgress>,
}

/// What the headers of one response can say.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The rate of the tier, its day, and the policies the call is about, in this order.
    pub(crate) items: Vec<Item>,
    /// The most calls in progress and whether that was violated, where it was or is said always.
    pub(crate) concurrency: Option<(u32, bool)>,
}

/// What headers of draft 10 say beside names, quotas and what is left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) partition_keys: bool,
    pub(crate) concurrency: bool,
}

/// One policy in a report.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: Cow<'static, str>,
    pub(crate) unit: Unit,
    pub(crate) limit: u64,
    pub(crate) window_s: u64,
    /// The rate: so many units in so many milliseconds.
    pub(crate) count: u64,
    pub(crate) period_ms: u64,
    pub(crate) remaining: u64,
    pub(crate) restored_in_ns: u64,
    /// The partition, where sessions show it.
    pub(crate) key: Option<Vec<u8>>,
}

impl LimitedCall<'_> {
    fn cost(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Requests => 1,
            Unit::ContentBytes => self.body_bytes,
            Unit::Tokens => self
                .tokens
                .unwrap_or_else(|| self.body_bytes.div_ceil(4).max(1)),
        }
    }

    fn partition(&self, partition: Partition) -> String {
        match partition {
            Partition::Tenant => self.tenant.into(),
            Partition::Path => self.path.into(),
            Partition::Credential => {
                let hash = crate::stable_hash::stable_hash(&[self.credential.as_bytes()]);
                format!("{hash:016x}")
            }
        }
    }
}

impl Limiter {
    /// These limits, draft-10 headers, `Retry-After` in seconds, a rolling window and no more policies.
    pub fn new(limits: Limits) -> Self {
        Self::of(limits, Window::Rolling, Arc::default())
    }

    pub(crate) fn of(limits: Limits, window: Window, policies: Arc<[Policy]>) -> Self {
        Self {
            quota: Quota::new(limits, window),
            policies,
            meters: HashMap::new(),
            dialect: Dialect::Draft10,
            retry_after: RetryAfter::Seconds,
            shown: Shown::default(),
            share: None,
            begin_used_up: false,
            allowed: 0,
            refused: 0,
        }
    }

    /// Another dialect of headers. Default: [`Dialect::Draft10`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Another way to say how long to wait. Default: [`RetryAfter::Seconds`].
    #[must_use]
    pub fn retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Another way for allowances to come back; what was used is forgotten. Default: [`Window::Rolling`].
    #[must_use]
    pub fn window(self, window: Window) -> Self {
        let limits = self.quota.terms().0;
        Self {
            quota: Quota::new(limits, window),
            meters: HashMap::new(),
            ..self
        }
    }

    /// More limits; what was used is forgotten. Default: none.
    #[must_use]
    pub fn policies(self, policies: Vec<Policy>) -> Self {
        Self {
            policies: policies.into(),
            meters: HashMap::new(),
            ..self
        }
    }

    /// Whether headers of draft 10 carry `pk`, the partition key. Default: false.
    #[must_use]
    pub fn partition_keys(mut self, shown: bool) -> Self {
        self.shown.partition_keys = shown;
        self
    }

    /// Whether headers of draft 10 always name the concurrency limit. Default: only where it refused the call.
    #[must_use]
    pub fn announce_concurrency(mut self, shown: bool) -> Self {
        self.shown.concurrency = shown;
        self
    }

    /// Decides one call at `now_ns`; it consumes from every limit or, refused, from none.
    pub fn decide(&mut self, now_ns: u64, call: &LimitedCall<'_>) -> Decision {
        let (report, admitted) = self.admit(now_ns, call, self.shown);
        self.decision(now_ns, &report, admitted)
    }

    fn decision(
        &self,
        now_ns: u64,
        report: &Report,
        admitted: Result<InProgress, Refusal>,
    ) -> Decision {
        let mut headers = HeaderMap::new();
        self.dialect.write(&mut headers, report, now_ns);
        match admitted {
            Ok(in_progress) => Decision {
                status: 200,
                headers,
                wait_ns: 0,
                violated: Vec::new(),
                _in_progress: Some(in_progress),
            },
            Err(refusal) => {
                self.retry_after
                    .write(&mut headers, refusal.wait_ns, now_ns);
                Decision {
                    status: 429,
                    headers,
                    wait_ns: refusal.wait_ns,
                    violated: refusal
                        .violated
                        .iter()
                        .map(|violated| violated.policy().into())
                        .collect(),
                    _in_progress: None,
                }
            }
        }
    }

    /// Decides one call; the report says what is left after it.
    pub(crate) fn admit(
        &mut self,
        now_ns: u64,
        call: &LimitedCall<'_>,
        shown: Shown,
    ) -> (Report, Result<InProgress, Refusal>) {
        let mut refusal = self.quota.check(now_ns);
        let concerned = self.concerned(call);
        for (place, cost) in &concerned {
            let meter = self.meter(place, now_ns);
            if let Some(wait) = meter.wait(now_ns, *cost)
                && let Some(policy) = self.policies.get(place.0)
            {
                refusal.because(Violated::Policy(policy.name.as_str().into()), wait);
            }
        }
        if !refusal.violated.is_empty() {
            self.refused += 1;
            let mut report = self.own_report(now_ns, call, &concerned, shown);
            if refusal.violated.contains(&Violated::Concurrency) {
                report.concurrency = self.quota.terms().0.concurrency.map(|most| (most, true));
            }
            return (report, Err(refusal));
        }
        for (place, cost) in &concerned {
            self.meter(place, now_ns).take(now_ns, *cost);
        }
        let in_progress = self.quota.take(now_ns);
        self.allowed += 1;
        (
            self.own_report(now_ns, call, &concerned, shown),
            Ok(in_progress),
        )
    }

    /// What the tier's own limits stand at, without consuming.
    pub(crate) fn standing_at(&self, now_ns: u64) -> Standing {
        self.quota.standing_at(now_ns)
    }

    pub(crate) fn in_progress(&self) -> u32 {
        self.quota.in_progress()
    }

    /// Whether it was made for these.
    pub(crate) fn is_for(&self, limits: Limits, window: Window, policies: &Arc<[Policy]>) -> bool {
        self.quota.terms() == (limits, window)
            && (Arc::ptr_eq(&self.policies, policies) || self.policies == *policies)
    }

    /// The policies a call is about, the partition of each, and what the call costs there.
    fn concerned(&self, call: &LimitedCall<'_>) -> Vec<(Place, u64)> {
        self.policies
            .iter()
            .enumerate()
            .filter(|(_, policy)| policy.op.as_deref().is_none_or(|op| glob(op, call.op)))
            .map(|(at, policy)| {
                let partition = call.partition(policy.partition).into_boxed_str();
                ((at, partition), call.cost(policy.unit))
            })
            .collect()
    }

    fn meter(&mut self, place: &Place, now_ns: u64) -> &mut Meter {
        if !self.meters.contains_key(place) && self.meters.len() >= MAX_METERS {
            self.meters
                .retain(|_, meter| meter.level(now_ns).remaining < meter.terms().limit());
            if self.meters.len() >= MAX_METERS {
                self.meters.clear();
            }
        }
        let window = self.quota.terms().1;
        let (policies, used_up) = (&self.policies, self.begin_used_up);
        self.meters.entry(place.clone()).or_insert_with(|| {
            let policy = policies.get(place.0).cloned().unwrap_or_default();
            let terms = policy.terms(window);
            if used_up {
                Meter::used_up(terms, now_ns)
            } else {
                Meter::new(terms)
            }
        })
    }

    fn own_report(
        &mut self,
        now_ns: u64,
        call: &LimitedCall<'_>,
        concerned: &[(Place, u64)],
        shown: Shown,
    ) -> Report {
        let standing = self.quota.standing_at(now_ns);
        let levels: Vec<(Terms, Level)> = concerned
            .iter()
            .map(|(place, _)| {
                let meter = self.meter(place, now_ns);
                (meter.terms(), meter.level(now_ns))
            })
            .collect();
        let places = concerned.iter().map(|(place, _)| place).zip(levels);
        self.report(&standing, places, call, shown)
    }

    /// What headers can say of the tier's own limits and the policies a call is about.
    fn report<'p>(
        &self,
        standing: &Standing,
        policies: impl ExactSizeIterator<Item = (&'p Place, (Terms, Level))>,
        call: &LimitedCall<'_>,
        shown: Shown,
    ) -> Report {
        let key = |text: &str| shown.partition_keys.then(|| text.as_bytes().to_vec());
        let mut items = Vec::with_capacity(2 + policies.len());
        items.push(Item {
            name: "burst".into(),
            unit: Unit::Requests,
            limit: standing.limit,
            window_s: standing.window_s,
            count: standing.limits.count.into(),
            period_ms: standing.limits.period_ms,
            remaining: standing.remaining,
            restored_in_ns: standing.restored_in_ns,
            key: key(call.tenant),
        });
        if let Some(day) = standing.day {
            items.push(Item {
                name: "day".into(),
                unit: Unit::Requests,
                limit: day.limit.into(),
                window_s: 86_400,
                count: day.limit.into(),
                period_ms: 86_400_000,
                remaining: day.remaining.into(),
                restored_in_ns: day.ends_in_ns,
                key: key(call.tenant),
            });
        }
        for (place, (terms, level)) in policies {
            let Some(policy) = self.policies.get(place.0) else {
                continue;
            };
            items.push(Item {
                name: Cow::Owned(policy.name.clone()),
                unit: policy.unit,
                limit: terms.limit(),
                window_s: terms.window_seconds(),
                count: terms.count.into(),
                period_ms: terms.period_ms,
                remaining: level.remaining,
                restored_in_ns: level.restored_in_ns,
                key: key(&place.1),
            });
        }
        Report {
            items,
            concurrency: standing
                .limits
                .concurrency
                .filter(|_| shown.concurrency)
                .map(|most| (most, false)),
        }
    }
}

impl Report {
    /// The policy of a unit that will refuse first: the one with the least left, of those the slowest.
    pub(crate) fn tightest(&self, unit: Unit) -> Option<&Item> {
        self.items
            .iter()
            .filter(|item| item.unit == unit)
            .min_by_key(|item| (item.remaining, std::cmp::Reverse(item.restored_in_ns)))
    }
}
