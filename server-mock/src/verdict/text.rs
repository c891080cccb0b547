//! The verdict for a terminal: plain text, nothing wider than it has to be.

use std::fmt::Write as _;

use super::grade::Mark;
use super::report::{CallVerdict, Verdict};

/// Calls listed when none is asked for: those that were not all right.
const WORST_CALLS: usize = 10;

/// Writing to a `String` cannot fail.
macro_rules! put {
    ($text:expr, $($what:tt)*) => { let _ = writeln!($text, $($what)*); };
}

pub(super) fn of(verdict: &Verdict, all_calls: bool) -> String {
    let mut text = String::new();
    let grade = verdict.grade.map_or("none", |grade| grade.letter());
    put!(text, "verdict   {grade}  ({})", verdict.reason);
    put!(text, "session   {}", verdict.session);
    put!(
        text,
        "seen      {} requests, {} calls, {} connections",
        verdict.requests,
        verdict.logical_calls,
        verdict.connections
    );
    for agent in &verdict.agents {
        put!(text, "client    {agent}");
    }
    if verdict.grade.is_none() {
        return text;
    }
    put!(text, "");
    for aspect in &verdict.aspects {
        if aspect.mark == Mark::Unseen {
            continue;
        }
        put!(
            text,
            "{:<9} {:<16} {}",
            aspect.mark.name(),
            aspect.aspect.name(),
            aspect.reason
        );
        if let Some(advice) = aspect.advice {
            put!(text, "{:26} do: {advice}", "");
            put!(text, "{:26} by: {}", "", aspect.source);
        }
    }
    let unseen: Vec<&str> = verdict
        .aspects
        .iter()
        .filter(|aspect| aspect.mark == Mark::Unseen)
        .map(|aspect| aspect.aspect.name())
        .collect();
    if !unseen.is_empty() {
        put!(text, "{:<9} {}", Mark::Unseen.name(), unseen.join(", "));
    }
    let calls: Vec<&CallVerdict> = verdict
        .calls
        .iter()
        .filter(|call| all_calls || !call.findings.is_empty())
        .collect();
    let most = if all_calls { calls.len() } else { WORST_CALLS };
    for call in calls.iter().take(most) {
        put!(text, "");
        one(&mut text, call);
    }
    let left_out = calls.len().saturating_sub(most) + verdict.calls_left_out;
    if left_out > 0 {
        put!(text, "\n{left_out} more calls");
    }
    text
}

fn one(text: &mut String, call: &CallVerdict) {
    let mut words = vec![call.outcome.clone()];
    match call.effects {
        0 => {}
        1 => words.push("1 effect".into()),
        n => words.push(format!("{n} effects")),
    }
    put!(
        text,
        "{}  call {} {}: {}",
        call.grade,
        call.number,
        call.name,
        words.join(", ")
    );
    for attempt in &call.attempts {
        let mut line = format!("   {:>9.0} ms  {}", attempt.start_ms, attempt.outcome);
        if let Some(waited) = attempt.waited_ms {
            let _ = write!(line, "  after {waited:.0} ms");
        }
        if let Some(asked) = attempt.asked_ms {
            let _ = write!(line, "  asks for {asked} ms");
        }
        if let Some(fault) = &attempt.fault {
            let _ = write!(line, "  [{fault}]");
        }
        put!(text, "{line}");
    }
    for finding in &call.findings {
        put!(
            text,
            "   {}: {}: {}",
            finding.mark.name(),
            finding.aspect.name(),
            finding.text
        );
    }
}
