//! Chooses the fault of a request: the inline header first, then the session's rules in order.
//!
//! 1. `X-Mock-Fault: FAULT` every attempt; `once:FAULT` the first attempt; `FAULT,FAULT,...` by attempt, then normal.
//! 2. The first rule that matches and still has something to say: its script, one step per matching request, then the
//!    fault it always has or its random part; nothing once its span of the session's clock is over. Random faults are decided by hash(seed, rule, logical call, attempt), so the order in which
//!    concurrent requests arrive cannot change them.

mod keep;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{MS, nanos};
use crate::durable::Touched;
use crate::fault::{Fault, FaultError};
use crate::logical::{Logical, Seen};
use crate::op::Op;
use crate::stable_hash::{mix, stable_hash, unit};

pub(crate) use keep::KINDS;

/// Rules a session may have, and steps a script may have.
const MAX_RULES: usize = 1_000;
const MAX_STEPS: usize = 100_000;
/// Longest name of a rule.
const MAX_NAME_BYTES: usize = 128;

/// Which requests go wrong, and how.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// The requests it is about; empty means all but `/healthz` and `options`, a browser's preflights.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// One fault per matching request, in order; then it says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<Fault>,
    /// Faults by chance, once the script is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomFaults>,
    /// The fault of every matching request, once the script is over: a dead server. Not together with `random`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always: Option<Fault>,
    /// How long the rule holds, in milliseconds of the session's clock from the moment it is set. Default: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// A name to take the rule away by; several rules may share it. 1 to 128 bytes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The requests a rule is about: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Match {
    /// An operation such as `contacts.create`; a `*` at the end stands for any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// A method, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A path; a `*` at the end stands for any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The region it came to; a `*` at the end stands for any rest. What comes to the data port is of no region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// What rules know of a request: its operation, method, path and region.
pub(crate) type Request<'a> = (Op, &'a str, &'a str, Option<&'a str>);

/// Faults by chance, decided by a seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RandomFaults {
    /// The share of attempts that go wrong, 0 to 1.
    pub p: f64,
    /// Another seed, another set of faults. Default: 0.
    #[serde(default)]
    pub seed: u64,
    /// What can happen, each as likely. Default: reset, commit_reset, 503, 429, lost.
    #[serde(default = "default_kinds")]
    pub kinds: Vec<Fault>,
    /// Most faults one logical call gets. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_call: Option<u32>,
}

fn default_kinds() -> Vec<Fault> {
    Fault::list("reset,commit_reset,503,429,lost").unwrap_or_default()
}

impl FaultRule {
    /// A rule about one operation, such as `contacts.create`; `*` is any.
    pub fn on(op: &str) -> Self {
        Self {
            matching: Match {
                op: (op != "*").then(|| op.into()),
                ..Match::default()
            },
            ..Self::default()
        }
    }

    /// Adds a script, written as a list: `503;ra=2,reset,ok`.
    pub fn script(mut self, list: &str) -> Result<Self, FaultError> {
        self.script = Fault::list(list)?;
        Ok(self)
    }

    /// Adds faults by chance out of `kinds`, written as a list.
    pub fn random(mut self, p: f64, seed: u64, kinds: &str) -> Result<Self, FaultError> {
        self.random = Some(RandomFaults {
            p,
            seed,
            kinds: Fault::list(kinds)?,
            max_per_call: None,
        });
        Ok(self)
    }

    /// Only for requests that came to this region.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.matching.region = Some(region.into());
        self
    }

    /// Gives every matching request this fault, once the script is over: `503`, `reset`.
    pub fn always(mut self, fault: &str) -> Result<Self, FaultError> {
        self.always = Some(fault.parse()?);
        Ok(self)
    }

    /// Ends the rule after so much of the session's clock, in whole milliseconds.
    #[must_use]
    pub fn lasting(mut self, span: Duration) -> Self {
        self.for_ms = Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Names the rule, so that it can be taken away alone.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What cannot be played in it.
    fn flaw(&self) -> Option<String> {
        if self.script.len() > MAX_STEPS {
            return Some(format!("a script has at most {MAX_STEPS} steps"));
        }
        if let Some(random) = &self.random {
            if self.always.is_some() {
                return Some("always and random exclude each other".into());
            }
            if !(0.0..=1.0).contains(&random.p) {
                return Some(format!(
                    "random.p must be between 0 and 1, got {}",
                    random.p
                ));
            }
            if random.kinds.is_empty() {
                return Some("random.kinds must not be empty".into());
            }
        }
        let name = self.name.as_ref();
        name.is_some_and(|name| !(1..=MAX_NAME_BYTES).contains(&name.len()))
            .then(|| format!("name must be 1 to {MAX_NAME_BYTES} bytes"))
    }
}

impl Match {
    fn holds(&self, (op, method, path, region): Request<'_>) -> bool {
        holds([&self.op, &self.method, &self.path], op, method, path)
            && self
                .region
                .as_deref()
                .is_none_or(|pattern| region.is_some_and(|region| glob(pattern, region)))
    }
}

/// Whether a request is what an operation, a method and a path say, as far as they are given. Without an operation
/// `/healthz` and preflights are not meant.
pub(crate) fn holds(
    [wanted_op, wanted_method, wanted_path]: [&Option<String>; 3],
    op: Op,
    method: &str,
    path: &str,
) -> bool {
    let op_holds = match wanted_op.as_deref() {
        None => !matches!(op, Op::Health | Op::Preflight),
        Some(pattern) => glob(pattern, op.name()),
    };
    op_holds
        && wanted_method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
        && wanted_path
            .as_deref()
            .is_none_or(|pattern| glob(pattern, path))
}

pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

/// The rules of a session and how far each has got.
#[derive(Default)]
pub(crate) struct FaultRules {
    rules: Vec<Running>,
    /// The number of the next rule: what is taken away changes no other rule's chance.
    next: u64,
    inline: Seen,
    touched: Touched,
}

struct Running {
    rule: FaultRule,
    number: u64,
    /// When it ends on the session's clock; `u64::MAX` for never.
    ends_ns: u64,
    step: usize,
    seen: Seen,
}

/// A rule and how far it has got, as the admin port shows it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RuleState {
    /// The rule as it was given.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Steps of the script already played.
    pub played: usize,
    /// When it ends on the session's clock, in milliseconds since the Unix epoch, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<u64>,
}

impl FaultRules {
    /// Adds rules at `now_ns`, behind those that are there; all of them or, with the reason, none.
    pub(crate) fn add(&mut self, rules: Vec<FaultRule>, now_ns: u64) -> Result<(), String> {
        if self.rules.len() + rules.len() > MAX_RULES {
            return Err(format!("a session has at most {MAX_RULES} fault rules"));
        }
        for (n, rule) in rules.iter().enumerate() {
            if let Some(flaw) = rule.flaw() {
                return Err(format!("rules[{n}]: {flaw}"));
            }
        }
        for rule in rules {
            self.touched
                .note_with(keep::RULE, || keep::row_id(self.next));
            self.touched.note(keep::RULES, "");
            let ends_ns = rule.for_ms.map_or(u64::MAX, |ms| {
                now_ns.saturating_add(nanos(Duration::from_millis(ms)))
            });
            self.rules.push(Running {
                rule,
                number: self.next,
                ends_ns,
                step: 0,
                seen: Seen::default(),
            });
            self.next += 1;
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.touch_all();
        self.rules.clear();
        self.next = 0;
    }

    /// Takes the rules of one name away.
    pub(crate) fn clear_named(&mut self, name: &str) {
        self.touch_all();
        self.rules
            .retain(|running| running.rule.name.as_deref() != Some(name));
    }

    /// Takes the rules of `fresh`; attempts of inline faults go on counting.
    pub(crate) fn replace(&mut self, fresh: Self) {
        self.touch_all();
        self.rules = fresh.rules;
        self.next = fresh.next;
        self.touch_all();
    }

    pub(crate) fn state(&self) -> Vec<RuleState> {
        self.rules
            .iter()
            .map(|running| RuleState {
                rule: running.rule.clone(),
                played: running.step,
                ends_at_ms: running.rule.for_ms.map(|_| running.ends_ns / MS),
            })
            .collect()
    }

    /// The fault of a request without the inline header, if it has one.
    pub(crate) fn choose(
        &mut self,
        request: Request<'_>,
        logical: &Logical,
        now_ns: u64,
    ) -> Option<Fault> {
        for running in &mut self.rules {
            if now_ns < running.ends_ns
                && running.rule.matching.holds(request)
                && let Some(fault) = running.next(logical, &mut self.touched)
            {
                return Some(fault);
            }
        }
        None
    }

    /// The fault an inline header asks for, if any is left.
    pub(crate) fn inline(
        &mut self,
        header: &str,
        logical: &Logical,
    ) -> Result<Option<Fault>, FaultError> {
        let header = header.trim();
        let (list, once) = match header.strip_prefix("once:") {
            Some(rest) => (rest, true),
            None => (header, false),
        };
        let mut list = Fault::list(list)?;
        if !once && list.len() == 1 {
            return Ok(list.pop());
        }
        let call = stable_hash(&[&logical.hash().to_le_bytes(), header.as_bytes()]);
        let attempt = self.inline.next(call).seen as usize;
        let index = attempt.saturating_sub(1);
        Ok((index < list.len()).then(|| list.swap_remove(index)))
    }
}

impl Running {
    fn next(&mut self, logical: &Logical, touched: &mut Touched) -> Option<Fault> {
        if let Some(fault) = self.rule.script.get(self.step) {
            self.step += 1;
            touched.note_with(keep::STEP, || keep::row_id(self.number));
            return Some(fault.clone());
        }
        if let Some(fault) = &self.rule.always {
            return Some(fault.clone());
        }
        let random = self.rule.random.as_ref()?;
        let count = self.seen.next(logical.hash());
        let decision = stable_hash(&[
            &random.seed.to_le_bytes(),
            &self.number.to_le_bytes(),
            &logical.hash().to_le_bytes(),
            &count.seen.to_le_bytes(),
        ]);
        if unit(decision) >= random.p
            || random
                .max_per_call
                .is_some_and(|most| count.faulted >= most)
        {
            return None;
        }
        count.faulted += 1;
        let which = mix(decision) % (random.kinds.len() as u64).max(1);
        random.kinds.get(usize::try_from(which).ok()?).cloned()
    }
}

#[cfg(test)]
mod tests;
