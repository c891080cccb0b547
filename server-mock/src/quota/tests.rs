//! Claims about admission: the bound holds for every schedule, a lone waiter always gets in, refusals are free.

use super::*;
use crate::clock::MS;
use crate::stable_hash::mix;
use crate::tier::Tier;

/// 2025-01-01T00:00:00Z.
const START: u64 = 1_735_689_600 * NS;

fn quota(tier: Tier) -> Quota {
    Quota::new(tier.limits().unwrap(), Window::Rolling)
}

fn admit(quota: &mut Quota, now: u64) -> Result<InProgress, Refusal> {
    let refusal = quota.check(now);
    if refusal.violated.is_empty() {
        Ok(quota.take(now))
    } else {
        Err(refusal)
    }
}

/// Finishes the call at once.
fn admitted(quota: &mut Quota, now: u64) -> bool {
    admit(quota, now).is_ok()
}

fn refusal(quota: &mut Quota, now: u64) -> Refusal {
    admit(quota, now).expect_err("the call was let in")
}

#[test]
fn at_most_burst_plus_rate_times_window_for_any_schedule() {
    for tier in Tier::ALL {
        let Some(limits) = tier.limits() else {
            continue;
        };
        for seed in 0..20u64 {
            let mut quota = Quota::new(limits, Window::Rolling);
            let mut random = seed;
            let mut now = START;
            let mut let_in = Vec::new();
            let typical = u64::from(limits.period_ms as u32) * MS / u64::from(limits.count);
            for _ in 0..1_500 {
                random = mix(random);
                // Between no pause and three emission intervals, with rare long rests.
                now += match random % 8 {
                    0..4 => random % (typical / 8 + 1),
                    4..7 => random % (typical * 3),
                    _ => random % (typical * 40),
                };
                if admitted(&mut quota, now) {
                    let_in.push(now);
                }
            }
            for (first, &from) in let_in.iter().enumerate() {
                for (more, &to) in let_in[first..].iter().enumerate().step_by(7) {
                    let calls = more as u128 + 1;
                    let window = u128::from(to - from);
                    let rate_part = window * u128::from(limits.count)
                        / (u128::from(limits.period_ms) * 1_000_000);
                    assert!(
                        calls <= u128::from(limits.burst) + rate_part,
                        "{tier:?} seed {seed}: {calls} calls in {window} ns"
                    );
                }
            }
        }
    }
}

#[test]
fn a_lone_caller_that_waits_retry_after_is_always_let_in() {
    for tier in Tier::ALL {
        let Some(limits) = tier.limits() else {
            continue;
        };
        let mut quota = Quota::new(limits, Window::Rolling);
        let mut random = 7;
        let mut now = START;
        let mut refusals = 0;
        for _ in 0..20_000 {
            random = mix(random);
            now += random % 1_000;
            if let Err(refusal) = admit(&mut quota, now) {
                refusals += 1;
                now += refusal.retry_after_seconds() * NS;
                assert!(admitted(&mut quota, now), "{tier:?} refused after the wait");
            }
        }
        assert!(refusals > 3, "{tier:?} met {refusals} refusals");
    }
}

#[test]
fn one_nanosecond_before_the_wait_ends_is_too_early() {
    let mut quota = quota(Tier::Tiny);
    for _ in 0..3 {
        assert!(admitted(&mut quota, START));
    }
    let wait = refusal(&mut quota, START).wait_ns;
    assert_eq!(wait, 666_666_667);
    assert_eq!(refusal(&mut quota, START + wait - 1).wait_ns, 1);
    assert!(admitted(&mut quota, START + wait));
}

#[test]
fn a_refusal_consumes_nothing() {
    let mut quota = quota(Tier::Free);
    for _ in 0..10 {
        assert!(admitted(&mut quota, START));
    }
    let before = quota.standing_at(START);
    for _ in 0..1_000 {
        refusal(&mut quota, START);
    }
    assert_eq!(quota.standing_at(START), before);
    assert!(admitted(&mut quota, START + NS));
}

#[test]
fn tiny_counts_down_from_two_and_is_whole_after_two_seconds() {
    let mut quota = quota(Tier::Tiny);
    let mut seen = Vec::new();
    for _ in 0..3 {
        assert!(admitted(&mut quota, START));
        let standing = quota.standing_at(START);
        seen.push((standing.remaining, standing.restored_in_ns.div_ceil(NS)));
    }
    assert_eq!(seen, [(2, 1), (1, 2), (0, 2)]);
    assert_eq!(quota.standing_at(START + 2 * NS).remaining, 3);
}

#[test]
fn the_day_ends_at_midnight_of_the_clock() {
    let mut quota = quota(Tier::Free);
    // From noon, one call a second until the day is used up.
    let noon = START + 43_200 * NS;
    for n in 0..1_000u64 {
        assert!(admitted(&mut quota, noon + n * NS));
    }
    let now = noon + 1_000 * NS;
    let refused = refusal(&mut quota, now);
    assert_eq!(refused.violated, [Violated::Day]);
    assert_eq!(refused.retry_after_seconds(), 43_200 - 1_000);
    assert!(!admitted(&mut quota, now + refused.wait_ns - 1));
    assert!(admitted(&mut quota, now + refused.wait_ns));
    assert_eq!(
        quota
            .standing_at(now + refused.wait_ns)
            .day
            .unwrap()
            .remaining,
        999
    );
}

#[test]
fn calls_in_progress_count_until_they_end() {
    let mut quota = quota(Tier::Free);
    let first = admit(&mut quota, START);
    let second = admit(&mut quota, START);
    assert_eq!(refusal(&mut quota, START).violated, [Violated::Concurrency]);
    assert_eq!(quota.standing_at(START).remaining, 8);
    drop(first);
    assert!(admitted(&mut quota, START));
    drop(second);
    assert_eq!(quota.in_progress(), 0);
}

#[test]
fn waits_for_the_longest_of_all_violated_limits() {
    let limits = Limits {
        count: 1,
        period_ms: 10_000,
        burst: 1,
        per_day: Some(1),
        concurrency: None,
    };
    let mut quota = Quota::new(limits, Window::Rolling);
    assert!(admitted(&mut quota, START));
    let refused = refusal(&mut quota, START);
    assert_eq!(refused.violated, [Violated::Burst, Violated::Day]);
    assert_eq!(refused.retry_after_seconds(), 86_400);
}
