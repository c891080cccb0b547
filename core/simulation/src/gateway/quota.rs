//! The quotas of the modelled gateway, exact to the nanosecond, and what it truly says of them.

use std::collections::VecDeque;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::{MS, SECOND, WALL};
use crate::script::{QuotaKind, QuotaPlan, Says};

/// One quota of one host and credential.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    plan: QuotaPlan,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// When it is full again, in nanoseconds times the limit.
    Bucket(u128),
    /// The window's start, where there is one, and the calls in it.
    Window(Option<u64>, u64),
    /// The calls of the last window.
    Sliding(VecDeque<u64>),
}

/// What is left, and for how long.
#[derive(Clone, Copy, Debug)]
struct Left {
    calls: u64,
    resets_in: u64,
}

impl Quota {
    pub(crate) fn new(plan: QuotaPlan) -> Self {
        let state = match plan.kind {
            QuotaKind::Bucket => State::Bucket(0),
            QuotaKind::Fixed | QuotaKind::Clock => State::Window(None, 0),
            QuotaKind::Sliding => State::Sliding(VecDeque::new()),
        };
        Self { plan, state }
    }

    fn window(&self) -> u64 {
        self.plan.window * SECOND
    }

    fn scaled(&self, nanos: u64) -> u128 {
        u128::from(nanos) * u128::from(self.plan.limit)
    }

    fn unscaled(&self, span: u128) -> u64 {
        u64::try_from(span.div_ceil(u128::from(self.plan.limit))).unwrap_or(u64::MAX)
    }

    /// Begins a new window where the old one is over.
    fn pass_time(&mut self, now: u64) {
        let window = self.window();
        match &mut self.state {
            State::Bucket(_) => {}
            State::Window(start, used) => {
                if start.is_none_or(|start| now >= start + window) {
                    let begins = match self.plan.kind {
                        QuotaKind::Clock => Some(now / window * window),
                        _ => None,
                    };
                    (*start, *used) = (begins, 0);
                }
            }
            State::Sliding(taken) => {
                while taken.front().is_some_and(|first| first + window <= now) {
                    taken.pop_front();
                }
            }
        }
    }

    /// How long until a call may be taken; zero: now.
    pub(crate) fn wait(&mut self, now: u64) -> u64 {
        self.pass_time(now);
        let window = self.window();
        match &self.state {
            State::Bucket(full_at) => {
                let period = u128::from(window);
                let next = (*full_at).max(self.scaled(now)) + period;
                let over = next.saturating_sub(self.scaled(now) + self.scaled(window));
                self.unscaled(over)
            }
            State::Window(start, used) if *used >= self.plan.limit => {
                (start.unwrap_or(now) + window).saturating_sub(now)
            }
            State::Window(..) => 0,
            State::Sliding(taken) => match taken.front() {
                Some(first) if taken.len() as u64 >= self.plan.limit => first + window - now,
                _ => 0,
            },
        }
    }

    /// Takes a call.
    pub(crate) fn take(&mut self, now: u64) {
        self.pass_time(now);
        let (period, at) = (u128::from(self.window()), self.scaled(now));
        match &mut self.state {
            State::Bucket(full_at) => *full_at = (*full_at).max(at) + period,
            State::Window(start, used) => {
                start.get_or_insert(now);
                *used += 1;
            }
            State::Sliding(taken) => taken.push_back(now),
        }
    }

    fn left(&mut self, now: u64) -> Left {
        self.pass_time(now);
        let window = self.window();
        match &self.state {
            State::Bucket(full_at) => {
                let used = full_at.saturating_sub(self.scaled(now));
                let calls = self.scaled(window).saturating_sub(used) / u128::from(window);
                Left {
                    calls: u64::try_from(calls).unwrap_or(0),
                    resets_in: self.unscaled(used),
                }
            }
            State::Window(start, used) => Left {
                calls: self.plan.limit.saturating_sub(*used),
                resets_in: (start.unwrap_or(now) + window).saturating_sub(now),
            },
            State::Sliding(taken) => Left {
                calls: self.plan.limit.saturating_sub(taken.len() as u64),
                resets_in: taken.front().map_or(0, |first| first + window - now),
            },
        }
    }
}

/// Says what is left of these quotas.
pub(crate) fn say(says: Says, quotas: &mut [Quota], now: u64, headers: &mut HeaderMap) {
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if says == Says::Draft10 {
        let (mut policies, mut left) = (Vec::new(), Vec::new());
        for (at, quota) in quotas.iter_mut().enumerate() {
            let Left { calls, resets_in } = quota.left(now);
            let QuotaPlan { limit, window, .. } = quota.plan;
            policies.push(format!("\"p{at}\";q={limit};w={window}"));
            left.push(format!(
                "\"p{at}\";r={calls};t={}",
                resets_in.div_ceil(SECOND)
            ));
        }
        if !policies.is_empty() {
            put("ratelimit-policy", policies.join(", "));
            put("ratelimit", left.join(", "));
        }
        return;
    }
    // The other dialects can name one only: the one of which the least is left.
    let least = quotas
        .iter_mut()
        .map(|quota| (quota.left(now), quota.plan.limit))
        .min_by_key(|(left, _)| left.calls);
    let Some((Left { calls, resets_in }, limit)) = least else {
        return;
    };
    match says {
        Says::Draft06 => {
            put("ratelimit-limit", limit.to_string());
            put("ratelimit-remaining", calls.to_string());
            put("ratelimit-reset", resets_in.div_ceil(SECOND).to_string());
        }
        Says::Fractions => {
            put("ratelimit-limit", limit.to_string());
            put("ratelimit-remaining", calls.to_string());
            let millis = resets_in.div_ceil(MS);
            let reset = format!("{}.{:03}", millis / 1_000, millis % 1_000);
            put("ratelimit-reset", reset);
        }
        Says::Epoch | Says::GitHub => {
            put("x-ratelimit-limit", limit.to_string());
            put("x-ratelimit-remaining", calls.to_string());
            let reset = WALL + (now + resets_in).div_ceil(SECOND);
            put("x-ratelimit-reset", reset.to_string());
            if says == Says::GitHub {
                put("x-ratelimit-used", (limit - calls).to_string());
                put("x-ratelimit-resource", "core".to_owned());
            }
        }
        Says::OpenAi => {
            put("x-ratelimit-limit-requests", limit.to_string());
            put("x-ratelimit-remaining-requests", calls.to_string());
            put("x-ratelimit-reset-requests", duration(resets_in));
            // Tokens enough: they must not hold anybody back.
            put("x-ratelimit-limit-tokens", "1000000".to_owned());
            put("x-ratelimit-remaining-tokens", "999000".to_owned());
            put("x-ratelimit-reset-tokens", "60ms".to_owned());
        }
        Says::Draft10 | Says::Nothing => {}
    }
}

/// As OpenAI writes it: `120ms`, `1.205s`, `6m0s`.
fn duration(nanos: u64) -> String {
    let millis = nanos.div_ceil(MS);
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    let fraction = match rest {
        0 => String::new(),
        _ => format!(".{rest:03}"),
    };
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{millis}ms"),
        (0, seconds) => format!("{seconds}{fraction}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_in(kind: QuotaKind, times: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut quota = Quota::new(QuotaPlan {
            kind,
            limit: 2,
            window: 10,
        });
        let mut taken = Vec::new();
        for second in times {
            if quota.wait(second * SECOND) == 0 {
                quota.take(second * SECOND);
                taken.push(second);
            }
        }
        taken
    }

    #[test]
    fn each_kind_comes_back_in_its_way() {
        assert_eq!(let_in(QuotaKind::Bucket, 3..20), [3, 4, 8, 13, 18]);
        assert_eq!(let_in(QuotaKind::Fixed, 3..20), [3, 4, 13, 14]);
        assert_eq!(let_in(QuotaKind::Clock, 3..20), [3, 4, 10, 11]);
        assert_eq!(let_in(QuotaKind::Sliding, 3..20), [3, 4, 13, 14]);
    }

    #[test]
    fn what_is_said_is_true() {
        for kind in [
            QuotaKind::Bucket,
            QuotaKind::Fixed,
            QuotaKind::Clock,
            QuotaKind::Sliding,
        ] {
            let mut quota = Quota::new(QuotaPlan {
                kind,
                limit: 5,
                window: 10,
            });
            for millis in (0..60_000).step_by(137) {
                let now = millis * 1_000_000;
                let left = quota.left(now);
                let may = quota.wait(now) == 0;
                assert_eq!(may, left.calls > 0, "{kind} at {millis}");
                if may {
                    quota.take(now);
                }
            }
        }
    }
}
