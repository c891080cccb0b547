//! What pacing is worth: clients against servers that limit in one way or another, over networks with delays.

use super::simulation::{
    Dice, Fixed, Gcra, Limiter, MS, Outcome, SECOND, Says, Simulation, Sliding,
};
use super::*;

/// One client, `count` calls at once.
fn burst<L: Limiter>(limiter: L, seed: u64, count: usize) -> (Outcome, L) {
    let mut simulation = Simulation::new(limiter, seed, 1);
    simulation.at_once(0, count, 0);
    simulation.run()
}

/// Nine intervals of 2/3 s after a burst of three, 3 % more, and a round trip at either end.
const TWELVE_ON_TINY: u64 = 6_180 * MS + 2 * 40 * MS;

#[test]
fn twelve_calls_at_once_on_three_in_two_seconds() {
    for seed in 0..500 {
        let (outcome, _) = burst(Gcra::new(3, 2), seed, 12);
        assert_eq!(outcome.refused, 0, "seed {seed}");
        assert!(
            outcome.took <= TWELVE_ON_TINY,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
        let order: Vec<usize> = outcome.sent.iter().map(|&(caller, _)| caller).collect();
        assert_eq!(order, (0..12).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn twelve_calls_in_turn_on_three_in_two_seconds() {
    for seed in 0..500 {
        let mut simulation = Simulation::new(Gcra::new(3, 2), seed, 1);
        simulation.in_turn(0, 12, 0);
        let (outcome, _) = simulation.run();
        assert_eq!(outcome.refused, 0, "seed {seed}");
        assert!(
            outcome.took <= TWELVE_ON_TINY,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
    }
}

#[test]
fn buckets_of_every_size_are_used_to_the_full_without_a_refusal() {
    for (quota, window, count) in [
        (1, 2, 10),
        (3, 2, 60),
        (10, 10, 60),
        (50, 5, 300),
        (300, 3, 1_500),
    ] {
        let optimum = (count - quota) * window * SECOND / quota;
        for seed in 0..20 {
            let (outcome, _) = burst(
                Gcra::new(quota, window),
                seed,
                usize::try_from(count).unwrap(),
            );
            assert_eq!(outcome.refused, 0, "{quota} in {window} s, seed {seed}");
            let most = optimum + optimum / 33 + 80 * MS;
            assert!(
                outcome.took <= most,
                "{quota} in {window} s, seed {seed}: {} ms",
                outcome.took / MS
            );
        }
    }
}

#[test]
fn a_bucket_smaller_than_its_quota_is_not_overrun() {
    for seed in 0..20 {
        let (outcome, _) = burst(
            Gcra {
                burst: 10,
                ..Gcra::new(60, 60)
            },
            seed,
            100,
        );
        assert_eq!(outcome.refused, 0, "seed {seed}");
        assert!(
            outcome.took <= 92_700 * MS,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
    }
}

#[test]
fn a_bucket_is_found_out_from_the_triple_without_a_window() {
    for seed in 0..50 {
        let (outcome, _) = burst(
            Gcra {
                says: Says::Triple,
                ..Gcra::new(3, 2)
            },
            seed,
            12,
        );
        assert_eq!(outcome.refused, 0, "seed {seed}");
        assert!(
            outcome.took <= 6_300 * MS,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
    }
}

#[test]
fn bursts_and_rests_never_overrun_a_bucket_nor_a_window() {
    for seed in 0..50 {
        for says in [Says::Draft10, Says::Triple] {
            let mut dice = Dice(seed);
            let mut bucket = Simulation::new(
                Gcra {
                    says,
                    ..Gcra::new(10, 10)
                },
                seed,
                1,
            );
            let aligned = Some(dice.below(10 * SECOND));
            let mut window = Simulation::new(
                Fixed {
                    aligned,
                    says,
                    ..Fixed::new(10, 10)
                },
                seed,
                1,
            );
            let mut at = 0;
            for _ in 0..15 {
                let count = 1 + usize::try_from(dice.below(20)).unwrap();
                bucket.at_once(0, count, at);
                window.at_once(0, count, at);
                at += dice.below(20 * SECOND);
            }
            assert_eq!(bucket.run().0.refused, 0, "{says:?}, seed {seed}");
            assert_eq!(window.run().0.refused, 0, "{says:?}, seed {seed}");
        }
    }
}

#[test]
fn fixed_windows_are_used_to_95_percent_without_a_refusal() {
    for seed in 0..50 {
        for says in [Says::Draft10, Says::Triple] {
            let (outcome, limiter) = burst(
                Fixed {
                    says,
                    ..Fixed::new(100, 60)
                },
                seed,
                250,
            );
            assert_eq!(outcome.refused, 0, "{says:?}, seed {seed}");
            assert!(
                limiter.used[..2].iter().all(|&used| used >= 95),
                "{says:?}, seed {seed}: {:?}",
                limiter.used
            );
        }
    }
}

#[test]
fn windows_by_the_clock_are_used_to_95_percent_without_a_refusal() {
    for seed in 0..100 {
        let aligned = Some(Dice(seed).below(60 * SECOND));
        let (outcome, limiter) = burst(
            Fixed {
                aligned,
                ..Fixed::new(100, 60)
            },
            seed,
            350,
        );
        assert_eq!(outcome.refused, 0, "seed {seed}");
        let whole = &limiter.used[1..limiter.used.len() - 1];
        assert!(
            whole.iter().all(|&used| used >= 95),
            "seed {seed}: {:?}",
            limiter.used
        );
    }
}

#[test]
fn short_windows_by_the_clock_are_never_overrun() {
    for (quota, window, count) in [
        (1, 1, 20),
        (3, 2, 60),
        (10, 1, 200),
        (10, 10, 60),
        (1_000, 1, 4_000),
    ] {
        for seed in 0..20 {
            let aligned = Some(Dice(seed).below(window * SECOND));
            let (outcome, _) = burst(
                Fixed {
                    aligned,
                    ..Fixed::new(quota, window)
                },
                seed,
                count,
            );
            assert_eq!(outcome.refused, 0, "{quota} in {window} s, seed {seed}");
        }
    }
}

#[test]
fn a_server_that_rounds_its_seconds_down_refuses_once() {
    for seed in 0..50 {
        let (outcome, _) = burst(
            Fixed {
                rounds_down: true,
                ..Fixed::new(100, 60)
            },
            seed,
            350,
        );
        assert!(outcome.refused <= 1, "seed {seed}: {}", outcome.refused);
    }
}

#[test]
fn a_server_whose_seconds_are_always_zero_is_seen_through() {
    // Windows of a second with what is left of it rounded down: never more than 0.
    for says in [Says::Draft10, Says::Triple] {
        for seed in 0..20 {
            let aligned = Some(Dice(seed).below(SECOND));
            let limiter = Fixed {
                aligned,
                says,
                rounds_down: true,
                ..Fixed::new(10, 1)
            };
            let (outcome, _) = burst(limiter, seed, 100);
            assert!(
                outcome.refused <= 1,
                "{says:?}, seed {seed}: {}",
                outcome.refused
            );
        }
    }
}

#[test]
fn sliding_windows_are_hardly_ever_overrun() {
    let (mut sent, mut refused) = (0, 0);
    for seed in 0..50 {
        let limiter = Sliding {
            quota: 100,
            window: 60,
            taken: Default::default(),
        };
        let (outcome, _) = burst(limiter, seed, 350);
        (sent, refused) = (sent + outcome.sent.len(), refused + outcome.refused);
    }
    assert!(refused * 1_000 < sent, "{refused} of {sent}");
}

#[test]
fn slow_networks_are_paced_too() {
    for seed in 0..50 {
        let mut simulation = Simulation::new(Gcra::new(10, 10), seed, 1);
        simulation.delay = 200 * MS;
        simulation.at_once(0, 60, 0);
        let (outcome, _) = simulation.run();
        assert_eq!(outcome.refused, 0, "seed {seed}");
        assert!(
            outcome.took <= 52_300 * MS,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
    }
}

#[test]
fn slow_answers_do_not_slow_the_pace() {
    // Each answer takes seconds, in which many more calls are due. All that is lost is the time to learn the rate.
    for (quota, window, work) in [(3, 1, 1), (3, 2, 1), (10, 10, 2), (50, 5, 2)] {
        for seed in 0..20 {
            let mut simulation = Simulation::new(Gcra::new(quota, window), seed, 1);
            simulation.work = work * SECOND;
            simulation.at_once(0, 3, 0);
            let after_a_rest = 2 * window * SECOND;
            simulation.at_once(0, usize::try_from(6 * quota).unwrap(), after_a_rest);
            let (outcome, _) = simulation.run();
            assert_eq!(outcome.refused, 0, "{quota} in {window} s, seed {seed}");
            let optimum = after_a_rest + (5 * window + work) * SECOND;
            let most = optimum + 4 * work * SECOND;
            assert!(
                outcome.took <= most,
                "{quota} in {window} s, seed {seed}: {} ms",
                outcome.took / MS
            );
        }
    }
}

#[test]
fn a_server_that_says_nothing_is_obeyed_when_it_refuses() {
    for seed in 0..20 {
        let (outcome, _) = burst(
            Gcra {
                says: Says::Nothing,
                ..Gcra::new(50, 5)
            },
            seed,
            150,
        );
        // Of 150 at once, a hundred are refused; after that, releases grow until the next refusal.
        assert!(outcome.refused < 200, "seed {seed}: {}", outcome.refused);
        assert!(
            outcome.took < 30 * SECOND,
            "seed {seed}: {} ms",
            outcome.took / MS
        );
    }
}

#[test]
fn two_clients_share_a_bucket_with_few_refusals_and_never_two_in_a_row() {
    for (quota, window, count) in [(3, 2, 100), (10, 10, 100), (50, 5, 500), (300, 3, 1_500)] {
        let (mut sent, mut refused, mut worst) = (0, 0, 0);
        let optimum = (2 * count - quota) * window * SECOND / quota;
        for seed in 0..30 {
            let mut simulation = Simulation::new(Gcra::new(quota, window), seed, 2);
            let count = usize::try_from(count).unwrap();
            simulation.at_once(0, count, 0);
            // At about the same time, or when the first has long been going.
            let within = if seed % 2 == 0 {
                3 * SECOND
            } else {
                optimum / 3
            };
            simulation.at_once(1, count, Dice(seed).below(within));
            let (outcome, _) = simulation.run();
            assert!(
                outcome.most_in_a_row <= 1,
                "{quota} in {window} s, seed {seed}"
            );
            (sent, refused) = (sent + outcome.sent.len(), refused + outcome.refused);
            worst = worst.max(outcome.took);
        }
        assert!(
            refused * 100 < sent * 3,
            "{quota} in {window} s: {refused} of {sent}"
        );
        assert!(
            worst < optimum + optimum / 8,
            "{quota} in {window} s: {} ms",
            worst / MS
        );
    }
}

#[test]
fn five_clients_that_share_a_bucket_are_refused_less_than_a_tenth_of_the_time() {
    for (quota, window, count) in [(3, 2, 60), (10, 10, 60), (50, 5, 300)] {
        let (mut sent, mut refused) = (0, 0);
        for seed in 0..20 {
            let mut simulation = Simulation::new(Gcra::new(quota, window), seed, 5);
            for client in 0..5 {
                simulation.at_once(
                    client,
                    count,
                    Dice(seed + 77 * client as u64).below(3 * SECOND),
                );
            }
            let (outcome, _) = simulation.run();
            (sent, refused) = (sent + outcome.sent.len(), refused + outcome.refused);
        }
        assert!(
            refused * 10 < sent,
            "{quota} in {window} s: {refused} of {sent}"
        );
    }
}

#[test]
fn no_header_can_hold_a_client_for_more_than_a_day_nor_make_it_spin() {
    let day = 24 * 3_600 * SECOND;
    let numbers = ["0", "1", "2", "100", "86401", "999999999999999"];
    let mut dice = Dice(7);
    let mut any = || numbers[usize::try_from(dice.below(6)).unwrap()];
    for round in 0..2_000 {
        let mut world = World::new();
        let mut now = 0;
        for _ in 0..6 {
            let mut ticket = Ticket::default();
            let (mut asked, mut waited) = (0, 0);
            while let Admission::Wait { until, .. } =
                world
                    .pacer
                    .poll(&mut ticket, Instant::from_nanos(now), FAR, None)
            {
                assert!(until.as_nanos() > now, "round {round}");
                waited += until.as_nanos() - now;
                now = until.as_nanos();
                asked += 1;
                assert!(
                    asked < 20 && waited <= day + SECOND,
                    "round {round}: {waited} ns, asked {asked} times"
                );
            }
            now += 10 * MS;
            let policy = format!("\"p\";q={};w={}", any(), any());
            let left = format!("\"p\";r={};t={}", any(), any());
            let status = if any() == "0" { 429 } else { 200 };
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-policy", policy.try_into().unwrap());
            headers.insert("ratelimit", left.try_into().unwrap());
            let heard_at = Now {
                instant: Instant::from_nanos(now),
                ..Now::default()
            };
            let readings = read_limits(&headers, heard_at);
            let status = StatusCode::from_u16(status).unwrap();
            world
                .pacer
                .on_response(&mut ticket, heard_at, status, &readings);
            if any() == "1" {
                world
                    .pacer
                    .on_throttled(&mut ticket, heard_at.instant, Duration::MAX);
            }
        }
        assert!(world.pacer.is_idle());
    }
}
