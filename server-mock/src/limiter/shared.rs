//! A limiter whose counts are in a store that others use too: what it asks, what it makes of the answer, and the part it
//! lets in by itself while nobody answers.
//!
//! Names, terms, waits and headers are made here, from the numbers of the store: the same code for every store.

use crate::limiter::{Decision, LimitedCall, Limiter, Place, Report, Shown};
use crate::meter::{Meter, Window};
use crate::quota::{InProgress, Quota, Refusal, Standing, Violated};
use crate::shared_limits::{Answer, Lease, LimitStore, Line, Question, StoreAway};
use crate::stable_hash::stable_hash;
use crate::tier::Limits;

impl Limiter {
    /// Decides one call at `now_ns` with the counts of `store`, which other processes may use too. Those with the same
    /// `caller` and the same limits share them.
    ///
    /// # Errors
    /// The store did not answer within its deadline, or cannot be reached; what then holds is the caller's to say.
    pub async fn decide_in(
        &mut self,
        store: &LimitStore,
        caller: &str,
        now_ns: u64,
        call: &LimitedCall<'_>,
    ) -> Result<Decision, StoreAway> {
        let question = self.question(caller, now_ns, call);
        let (answer, lease) = store.shared().decide(&question).await?;
        let (report, admitted) = self.answered(&question, &answer, lease, call, self.shown);
        Ok(self.decision(now_ns, &report, admitted))
    }

    /// What a store is asked about a call of this caller.
    pub(crate) fn question(&self, caller: &str, now_ns: u64, call: &LimitedCall<'_>) -> Question {
        let (limits, window) = self.quota.terms();
        let rate = Line {
            name: "burst".into(),
            terms: limits.terms(window),
            cost: 1,
        };
        let policies = self
            .concerned(call)
            .into_iter()
            .filter_map(|(place, cost)| {
                let policy = self.policies.get(place.0)?;
                Some(Line {
                    name: format!("p{}:{}", place.0, place.1),
                    terms: policy.terms(window),
                    cost,
                })
            });
        let longest_s = self
            .policies
            .iter()
            .map(|policy| policy.terms(window).window_seconds())
            .chain([limits.terms(window).window_seconds(), 86_400])
            .max()
            .unwrap_or(86_400);
        Question {
            place: format!("{caller}/{:016x}", self.terms_hash()),
            now_ns,
            lines: std::iter::once(rate).chain(policies).collect(),
            per_day: limits.per_day,
            most_at_once: limits.concurrency,
            longest_s,
        }
    }

    /// A question that uses nothing, because it cannot be admitted: what has been counted of the tier's own limits?
    pub(crate) fn glance(&self, caller: &str, now_ns: u64) -> Question {
        let (limits, window) = self.quota.terms();
        Question {
            place: self.place(caller),
            now_ns,
            lines: vec![Line {
                name: "burst".into(),
                terms: limits.terms(window),
                cost: 1,
            }],
            per_day: limits.per_day,
            most_at_once: Some(0),
            longest_s: 0,
        }
    }

    /// Takes over what a glance found, unless the limits have become others meanwhile.
    pub(crate) fn learn(&mut self, glance: &Question, answer: &Answer) -> bool {
        let (limits, window) = self.quota.terms();
        let is_same = glance
            .lines
            .iter()
            .any(|line| line.terms == limits.terms(window));
        match answer.tallies.first() {
            Some(tally) if is_same => {
                self.quota.learn(*tally, answer.day);
                true
            }
            _ => false,
        }
    }

    /// Other limits, other counts: a change of a session's options begins anew, as it does in memory.
    fn terms_hash(&self) -> u64 {
        let (limits, window) = self.quota.terms();
        let terms = serde_json::to_vec(&(limits, window, &*self.policies)).unwrap_or_default();
        stable_hash(&[&terms])
    }

    /// Where the counts of this caller are.
    pub(crate) fn place(&self, caller: &str) -> String {
        format!("{caller}/{:016x}", self.terms_hash())
    }

    /// The decision in a store's answer; the report says what is left after it.
    pub(crate) fn answered(
        &mut self,
        question: &Question,
        answer: &Answer,
        lease: Option<Lease>,
        call: &LimitedCall<'_>,
        shown: Shown,
    ) -> (Report, Result<InProgress, Refusal>) {
        self.share = None;
        let now_ns = question.now_ns;
        let (limits, window) = self.quota.terms();
        let mut meters = (question.lines.iter().zip(&answer.tallies))
            .map(|(line, tally)| Meter::of(line.terms, *tally));
        let rate = meters
            .next()
            .unwrap_or_else(|| Meter::new(limits.terms(window)));
        let policies: Vec<(Place, Meter, u64)> = (self.concerned(call).into_iter())
            .zip(meters)
            .map(|((place, cost), meter)| (place, meter, cost))
            .collect();
        let day = answer.day.at(now_ns);
        self.quota.learn(rate.tally(), day);
        let standing = Standing::of(limits, &rate, day, now_ns);
        let levels = policies
            .iter()
            .map(|(place, meter, _)| (place, (meter.terms(), meter.level(now_ns))));
        let mut report = self.report(&standing, levels, call, shown);
        if answer.admitted {
            self.allowed += 1;
            return (report, Ok(self.quota.begun(lease)));
        }
        self.refused += 1;
        let mut refusal = Refusal::default();
        if let Some(wait) = rate.wait(now_ns, 1) {
            refusal.because(Violated::Burst, wait);
        }
        if limits.per_day.is_some_and(|most| day.used >= most) {
            refusal.because(Violated::Day, day.ends_in_ns(now_ns));
        }
        if let Some(most) = limits.concurrency.filter(|most| answer.at_once >= *most) {
            refusal.because(Violated::Concurrency, crate::clock::NS);
            report.concurrency = Some((most, true));
        }
        for (place, meter, cost) in &policies {
            if let Some(wait) = meter.wait(now_ns, *cost)
                && let Some(policy) = self.policies.get(place.0)
            {
                refusal.because(Violated::Policy(policy.name.as_str().into()), wait);
            }
        }
        (report, Err(refusal))
    }

    /// A call that nothing was asked about is in progress too.
    pub(crate) fn begun(&self) -> InProgress {
        self.quota.begun(None)
    }

    /// One part of `of` of these limits, in memory, for as long as the store cannot be reached. It begins with nothing to
    /// give, because the store may just have given all of it; so parts and store together let in no more than the rate.
    pub(crate) fn share(&mut self, of: u32, now_ns: u64) -> &mut Self {
        let (quota, policies) = (&self.quota, &self.policies);
        self.share.get_or_insert_with(|| {
            let (limits, window) = quota.terms();
            let part = Part(of.max(1));
            let (count, period_ms, burst) =
                part.rate((limits.count, limits.period_ms, limits.burst), window);
            let limits = Limits {
                count,
                period_ms,
                burst,
                per_day: quota.of_day_left(now_ns).map(|left| left / part.0),
                concurrency: limits.concurrency.map(|most| part.at_least_one(most)),
            };
            let policies = policies.iter().map(|policy| {
                let own = policy.window.unwrap_or(window);
                let burst = policy.burst.unwrap_or(policy.count);
                let (count, period_ms, burst) =
                    part.rate((policy.count, policy.period_ms, burst), own);
                let mut policy = policy.clone();
                (policy.count, policy.period_ms, policy.burst) = (count, period_ms, Some(burst));
                policy
            });
            let mut share = Self::of(limits, window, policies.collect());
            share.quota = Quota::used_up(limits, window, now_ns);
            share.begin_used_up = true;
            Box::new(share)
        })
    }
}

/// One of so many parts.
struct Part(u32);

impl Part {
    /// A rolling rate comes so much slower; a fixed window has so much less in it, and at least one.
    fn rate(&self, (count, period_ms, burst): (u32, u64, u32), window: Window) -> (u32, u64, u32) {
        let burst = self.at_least_one(burst);
        match window {
            Window::Rolling => (count, period_ms.saturating_mul(self.0.into()), burst),
            Window::Fixed => (self.at_least_one(count), period_ms, burst),
        }
    }

    fn at_least_one(&self, most: u32) -> u32 {
        (most / self.0).max(1)
    }
}
