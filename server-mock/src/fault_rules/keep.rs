//! Fault rules as rows of a data file: `fault_rule` of the rule's number, `fault_step` of it with how many steps of its script
//! were played, and `fault_rules` with the number of the next one.
//!
//! How often random faults met each logical call is not kept: after a restart each call is a new one to them.

use serde::{Deserialize, Serialize};

use super::{FaultRule, FaultRules, MAX_RULES, Running};
use crate::durable::{Keeps, Name, Touched, Value, Written};
use crate::logical::Seen;

pub(super) const RULE: &str = "fault_rule";
pub(super) const RULES: &str = "fault_rules";
pub(super) const STEP: &str = "fault_step";

/// The kinds of rows that are fault rules'.
pub(crate) const KINDS: [&str; 3] = [RULE, RULES, STEP];

#[derive(Serialize, Deserialize)]
struct KeptRule {
    rule: FaultRule,
    /// None where it holds for good.
    ends_ns: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct KeptRules {
    next: u64,
}

/// In the order of the numbers.
pub(super) fn row_id(number: u64) -> String {
    format!("{number:020}")
}

impl FaultRules {
    /// No rules. With `kept` what changes is noted for the data file.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            touched: Touched::new(kept),
            ..Self::default()
        }
    }

    /// Notes all rules there are, before they go or when they have come.
    pub(super) fn touch_all(&mut self) {
        for running in &self.rules {
            for kind in [RULE, STEP] {
                self.touched.note_with(kind, || row_id(running.number));
            }
        }
        self.touched.note(RULES, "");
    }

    fn running(&self, id: &str) -> Option<&Running> {
        let number: u64 = id.parse().ok()?;
        self.rules.iter().find(|running| running.number == number)
    }
}

impl Keeps for FaultRules {
    fn touched(&mut self) -> Vec<Name> {
        self.touched.take()
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        for running in &self.rules {
            names.push((RULE, row_id(running.number).into()));
            names.push((STEP, row_id(running.number).into()));
        }
        if self.next > 0 {
            names.push((RULES, "".into()));
        }
        names
    }

    fn row(&self, kind: &str, id: &str) -> Option<Written> {
        match kind {
            RULE => {
                let running = self.running(id)?;
                Some(Value::of(&KeptRule {
                    rule: running.rule.clone(),
                    ends_ns: running.rule.for_ms.map(|_| running.ends_ns),
                }))
            }
            STEP => {
                let played = self.running(id)?.step;
                (played > 0).then(|| Value::of(&played))
            }
            _ => (self.next > 0).then(|| Value::of(&KeptRules { next: self.next })),
        }
    }

    fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        if kind == RULES {
            self.next = value.read::<KeptRules>()?.next;
            return Ok(());
        }
        let number: u64 = id.parse().map_err(|_| "its id is no number".to_owned())?;
        let at = self.rules.partition_point(|known| known.number < number);
        let known = self.rules.get_mut(at);
        let known = known.filter(|known| known.number == number);
        if kind == STEP {
            known.ok_or("it is of no rule")?.step = value.read()?;
            return Ok(());
        }
        if known.is_some() || self.rules.len() >= MAX_RULES {
            return Err(format!(
                "a session has at most {MAX_RULES} fault rules, each with a number of its own"
            ));
        }
        let kept: KeptRule = value.read()?;
        if let Some(flaw) = kept.rule.flaw() {
            return Err(flaw);
        }
        let running = Running {
            rule: kept.rule,
            number,
            ends_ns: kept.ends_ns.unwrap_or(u64::MAX),
            step: 0,
            seen: Seen::default(),
        };
        self.rules.insert(at, running);
        Ok(())
    }

    fn taken(&mut self) -> Result<(), String> {
        let last = self.rules.last().map_or(0, |running| running.number + 1);
        self.next = self.next.max(last);
        Ok(())
    }
}
