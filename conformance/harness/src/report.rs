//! What a run prints: each failing scenario with what differed and what was seen, and a last line with the sums.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::adapter::Gone;
use crate::pattern::shown;
use crate::play::{Failure, Outcome};
use crate::runner::Played;
use crate::scenario::Unreadable;

/// Requests and results of a failed scenario that are shown.
const MOST_SHOWN: usize = 12;

/// The sums of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Sums {
    pub(crate) fn of(played: &[Played]) -> Self {
        let mut sums = Self::default();
        for one in played {
            match one.outcome {
                Outcome::Passed => sums.passed += 1,
                Outcome::Failed(_) | Outcome::AdapterGone(_) => sums.failed += 1,
                Outcome::Skipped(_) => sums.skipped += 1,
            }
        }
        sums
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// A file that is no scenario counts as one that failed.
pub(crate) fn unreadable(file: Unreadable) -> Played {
    Played {
        name: file.file,
        about: "every file is a scenario".to_owned(),
        source: "PROTOCOL.md".to_owned(),
        outcome: Outcome::Failed(Failure::of(file.why)),
        took: std::time::Duration::ZERO,
    }
}

/// The text for people.
pub(crate) fn text(played: &[Played]) -> String {
    let mut text = String::new();
    let mut lacking = std::collections::BTreeMap::<&str, usize>::new();
    for one in played {
        match &one.outcome {
            Outcome::Passed => {}
            Outcome::Failed(failure) => push_failure(&mut text, one, failure),
            Outcome::AdapterGone(Gone(why)) => {
                push_failure(&mut text, one, &Failure::of(why.clone()))
            }
            Outcome::Skipped(why) => *lacking.entry(why).or_default() += 1,
        }
    }
    for (why, count) in lacking {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "skipped {count}: {why}");
    }
    text
}

fn push_failure(text: &mut String, one: &Played, failure: &Failure) {
    let first = failure.problems.first().map_or("", String::as_str);
    let _ = writeln!(text, "FAIL {}: {first}", one.name);
    for problem in failure.problems.iter().skip(1) {
        let _ = writeln!(text, "     and {problem}");
    }
    let _ = writeln!(text, "     rule: {} ({})", one.about, one.source);
    for line in failure.wire_lines().take(MOST_SHOWN) {
        let _ = writeln!(text, "     wire: {line}");
    }
    for (index, result) in failure.seen.user.iter().enumerate().take(MOST_SHOWN) {
        let _ = writeln!(text, "     user[{index}]: {}", result_line(result));
    }
}

/// One line for a result: its message, or its status and attempts.
fn result_line(result: &Value) -> String {
    if let Some(message) = result.pointer("/error/message").and_then(Value::as_str) {
        return message.to_owned();
    }
    let attempts = result
        .get("attempts")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    match result.get("status") {
        Some(status) => format!("{status} after {attempts} attempts"),
        None => shown(Some(result)),
    }
}

/// One JSON object for a scenario.
pub(crate) fn object(one: &Played) -> Value {
    let (outcome, problems, seen) = match &one.outcome {
        Outcome::Passed => ("passed", Vec::new(), Value::Null),
        Outcome::Skipped(why) => ("skipped", vec![why.clone()], Value::Null),
        Outcome::AdapterGone(Gone(why)) => ("failed", vec![why.clone()], Value::Null),
        Outcome::Failed(failure) => {
            let seen = json!({ "clients": failure.seen.clients, "user": failure.seen.user, "wire": failure.seen.wire });
            ("failed", failure.problems.clone(), seen)
        }
    };
    json!({
        "name": one.name,
        "about": one.about,
        "source": one.source,
        "outcome": outcome,
        "problems": problems,
        "took_ms": u64::try_from(one.took.as_millis()).unwrap_or(u64::MAX),
        "seen": seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expectation::Seen;

    fn played(outcome: Outcome) -> Played {
        Played {
            name: "a/b".to_owned(),
            about: "the rule".to_owned(),
            source: "its place".to_owned(),
            outcome,
            took: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn sums_count_what_is_skipped_only_where_there_is_any() {
        let mut all = vec![
            played(Outcome::Passed),
            played(Outcome::Failed(Failure::of("x"))),
        ];
        assert_eq!(Sums::of(&all).to_string(), "1 passed, 1 failed");
        all.push(played(Outcome::Skipped("pages".to_owned())));
        assert_eq!(Sums::of(&all).to_string(), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_failure_says_what_differed_and_what_was_seen() {
        let seen = Seen {
            user: vec![json!({"ok": true, "status": 200, "attempts": [{}]})],
            wire: vec![json!({"method": "GET", "path": "/a", "status": 200, "at_ms": 0.0})],
            ..Seen::default()
        };
        let failure = Failure {
            problems: vec!["x: one".to_owned(), "y: two".to_owned()],
            seen,
            out_of_time: false,
        };
        assert_eq!(
            text(&[
                played(Outcome::Failed(failure)),
                played(Outcome::Skipped("the adapter has no pages: why".to_owned()))
            ]),
            "FAIL a/b: x: one\n     and y: two\n     rule: the rule (its place)\n     wire: 1. at 0.0 ms GET /a -> 200\n     \
             user[0]: 200 after 1 attempts\nskipped 1: the adapter has no pages: why\n"
        );
    }
}
