//! Each rule, switched off, is noticed within a hundred seeds; and with all rules on nothing is.

use gatewright_simulation::{BrokenRule, Invariant, derive, minimise, play, play_many};

const SEEDS: u64 = 100;
const CALLS: u32 = 150;

/// The first seed that notices.
fn noticed(rule: BrokenRule) -> Option<u64> {
    (0..SEEDS).find(|seed| {
        let played = play(&derive(*seed, CALLS), Some(rule), false);
        played
            .violations
            .iter()
            .any(|one| one.invariant == rule.breaks())
    })
}

#[test]
fn every_rule_that_is_switched_off_is_noticed() {
    let missed: Vec<&BrokenRule> = BrokenRule::ALL
        .iter()
        .filter(|rule| noticed(**rule).is_none())
        .collect();
    assert!(
        missed.is_empty(),
        "not noticed within {SEEDS} seeds: {missed:?}"
    );
}

#[test]
fn every_invariant_is_broken_by_a_rule() {
    for invariant in Invariant::ALL {
        let rules = BrokenRule::ALL
            .iter()
            .filter(|rule| rule.breaks() == *invariant);
        assert!(rules.count() > 0, "{invariant}");
    }
}

#[test]
fn with_all_rules_nothing_is_noticed() {
    let sum = play_many(0, SEEDS, CALLS, None, 2);
    assert_eq!(sum.violations, [], "of {} calls", sum.calls);
}

#[test]
fn a_failure_is_made_small_and_still_fails_when_read_from_text() {
    for rule in [
        BrokenRule::KeyPerAttempt,
        BrokenRule::RetryAfterHidden,
        BrokenRule::CancelForgotten,
    ] {
        let seed = noticed(rule).unwrap();
        let small = minimise(&derive(seed, CALLS), rule.breaks(), Some(rule));
        assert!(small.calls.len() <= 8, "{rule}:\n{small}");
        let read = small.to_string().parse().unwrap();
        let played = play(&read, Some(rule), false);
        let still = played
            .violations
            .iter()
            .any(|one| one.invariant == rule.breaks());
        assert!(still, "{rule}:\n{small}");
        assert_eq!(play(&read, None, false).violations, [], "{rule}:\n{small}");
    }
}
