//! A script from a seed: which clients, which gateway, which calls, and what goes wrong.
//!
//! Each seed has a theme, so that every rule is put under strain in many of them; within it all else is left to chance.

use crate::dice::Dice;
use crate::script::{
    Asks, BreakerPlan, CallPlan, Dead, Death, Fault, FaultKind, Method, QuotaKind, QuotaPlan, Says,
    Script, Sleep, Start, TokenPlan,
};

/// What a script is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    /// Everything goes wrong, all the time.
    Chaos,
    /// Hosts die and come back.
    Dead,
    /// The user's own quota.
    Local,
    /// A device that sleeps, callers that go away.
    Phone,
    /// A quota that the client has for itself.
    Quota,
    /// A quota shared with other clients.
    Shared,
    /// Tokens that expire, and are refused.
    Tokens,
    /// Nothing much.
    Usual,
}

const THEMES: [Theme; 12] = [
    Theme::Chaos,
    Theme::Dead,
    Theme::Dead,
    Theme::Local,
    Theme::Phone,
    Theme::Quota,
    Theme::Quota,
    Theme::Quota,
    Theme::Quota,
    Theme::Shared,
    Theme::Tokens,
    Theme::Usual,
];

/// Draft-10 more often than others.
const DIALECTS: [Says; 7] = [
    Says::Draft10,
    Says::Draft10,
    Says::Draft06,
    Says::Epoch,
    Says::Fractions,
    Says::GitHub,
    Says::OpenAi,
];

const ASKS: [Asks; 6] = [
    Asks::Date,
    Asks::DateAlone,
    Asks::Millis,
    Asks::Nothing,
    Asks::Seconds,
    Asks::Unreadable,
];

/// The script of a seed, with `calls` calls.
#[must_use]
pub fn derive(seed: u64, calls: u32) -> Script {
    let dice = &mut Dice::new(seed, 1);
    let theme = dice.pick(&THEMES);
    let mut script = Script {
        seed,
        ..Script::default()
    };
    settings(&mut script, theme, dice);
    gateway(&mut script, theme, dice);
    let length = make_calls(&mut script, theme, calls, dice);
    dead_times(&mut script, theme, length, dice);
    sleeps(&mut script, theme, length, dice);
    faults(&mut script, theme, dice);
    script
}

fn settings(script: &mut Script, theme: Theme, dice: &mut Dice) {
    let clients = &mut script.clients;
    clients.count = match theme {
        Theme::Shared => dice.pick(&[2, 3, 4]),
        Theme::Quota | Theme::Phone => 1,
        _ => dice.pick(&[1, 1, 2]),
    };
    clients.attempts = dice.pick(&[3, 3, 3, 1, 2, 4, 6]);
    clients.budget = dice.pick(&[500, 500, 500, 50, 20, 0]);
    clients.max_retry_after = dice.pick(&[60_000, 60_000, 10_000, 1_000]);
    clients.attempt_timeout = dice.pick(&[20_000, 20_000, 5_000, 1_000]);
    clients.pacing = theme == Theme::Quota || !dice.chance(50);
    if theme == Theme::Local || dice.chance(50) {
        let per = dice.pick(&[1_000, 2_000, 10_000]);
        let calls = u32::try_from(dice.between(5, 200)).unwrap_or(5);
        let burst = dice.pick(&[1, 2, 10, 50]).min(calls);
        clients.local = Some((calls, per, burst));
    }
    if theme == Theme::Tokens || dice.chance(100) {
        clients.token = Some(TokenPlan {
            lifetime: dice.pick(&[2_000, 10_000, 60_000, 3_600_000]),
            told: !dice.chance(200),
            fetch: dice.pick(&[10, 50, 300]),
            failing: if theme == Theme::Tokens {
                dice.pick(&[0, 50, 300])
            } else {
                0
            },
        });
    }
    if theme == Theme::Dead || dice.chance(500) {
        clients.breaker = Some(BreakerPlan {
            percent: dice.pick(&[50, 50, 20, 100]),
            volume: dice.pick(&[20, 20, 5, 1]),
            window: dice.pick(&[30_000, 30_000, 2_000]),
            open: dice.pick(&[None, None, Some(1_000)]),
        });
    }
    if theme != Theme::Quota && dice.chance(250) {
        clients.concurrency = Some(dice.pick(&[1, 2, 8, 32]));
    }
    clients.regions = theme != Theme::Quota && dice.chance(150);
    clients.late = dice.pick(&[0, 0, 1, 15]);
    clients.redirects = dice.pick(&[5, 5, 5, 2, 0]);
    clients.elsewhere = dice.chance(400);
    if theme != Theme::Quota && dice.chance(250) {
        clients.hedge = Some(dice.pick(&[10, 50, 500]));
    }
}

fn gateway(script: &mut Script, theme: Theme, dice: &mut Dice) {
    let gateway = &mut script.gateway;
    gateway.hosts = if script.clients.regions {
        dice.pick(&[2, 3])
    } else {
        dice.pick(&[1, 1, 1, 2])
    };
    let quick = theme == Theme::Quota && dice.chance(700);
    gateway.work = dice.pick(&[(0, 2), (1, 20), (5, 60), (10, 400)]);
    script.network.latency = dice.pick(&[(0, 1), (1, 10), (5, 40), (20, 100)]);
    if quick {
        gateway.work = dice.pick(&[(0, 2), (1, 20), (5, 60)]);
        script.network.latency = dice.pick(&[(0, 1), (1, 10), (5, 40)]);
    }
    gateway.asks = dice.pick(&ASKS);
    let limited = matches!(theme, Theme::Quota | Theme::Shared);
    if limited || dice.chance(150) {
        let kinds = [
            QuotaKind::Bucket,
            QuotaKind::Fixed,
            QuotaKind::Clock,
            QuotaKind::Sliding,
        ];
        let (limit, window) =
            dice.pick(&[(5, 1), (20, 2), (50, 5), (100, 10), (100, 60), (600, 60)]);
        gateway.quotas.push(QuotaPlan {
            kind: dice.pick(&kinds),
            limit,
            window,
        });
        gateway.says = dice.pick(&DIALECTS);
        if gateway.says == Says::Draft10 && dice.chance(200) {
            gateway.quotas.push(QuotaPlan {
                kind: dice.pick(&kinds),
                limit: limit * 4,
                window: window * 6,
            });
        }
        if quick {
            gateway.says = dice.pick(&DIALECTS);
        } else if dice.chance(150) {
            gateway.says = Says::Nothing;
        }
    }
}

/// Makes the calls, and answers about how long they take, in milliseconds.
fn make_calls(script: &mut Script, theme: Theme, count: u32, dice: &mut Dice) -> u64 {
    let lanes = dice.pick(&[1, 4, 16, 64]);
    let mut gap = dice.pick(&[1, 5, 20, 100]);
    let mut shape = dice.below(4);
    if theme == Theme::Dead && dice.chance(500) {
        // Calls come for as long as a breaker needs to be seen to stay open for longer and longer.
        (shape, gap) = (2, dice.pick(&[100, 400]));
    }
    let credentials = dice.pick(&[1, 1, 1, 2, 3]);
    let keyed = dice.pick(&[0, 500, 900]);
    let cancelled = match theme {
        Theme::Phone => 200,
        Theme::Chaos => 100,
        Theme::Quota => dice.pick(&[0, 0, 20]),
        _ => dice.pick(&[0, 20]),
    };
    let patience = match theme {
        Theme::Quota => dice.pick(&[3_600_000, 3_600_000, 600_000, 60_000, 5_000]),
        _ => dice.pick(&[60_000, 60_000, 30_000, 5_000, 2_000]),
    };
    let mut clock = 0;
    for id in 0..count {
        let start = match shape {
            // All at once, in bursts, one by one, or each when another is done.
            0 => Start::At(0),
            1 => Start::At(u64::from(id / 50) * dice.between(500, 3_000)),
            2 => {
                clock += dice.below(2 * gap + 1);
                Start::At(clock)
            }
            _ if id >= lanes => Start::After(id - lanes),
            _ => Start::At(0),
        };
        let method = if dice.chance(400) {
            Method::Get
        } else if dice.chance(keyed) {
            Method::PostKeyed
        } else {
            Method::Post
        };
        // A few have all the time in the world, a few hardly any.
        let deadline = match dice.below(40) {
            0 if theme != Theme::Quota => Some(dice.between(1, 300)),
            1 if shape == 3 => None,
            _ => Some(patience),
        };
        let cancel = dice.chance(cancelled).then(|| {
            let most = dice.pick(&[50, 500, 5_000]);
            dice.below(most)
        });
        script.calls.push(CallPlan {
            id,
            start,
            client: u32::try_from(dice.below(script.clients.count.into())).unwrap_or(0),
            host: u32::try_from(dice.below(script.gateway.hosts.into())).unwrap_or(0),
            credential: u32::try_from(dice.below(credentials)).unwrap_or(0),
            method,
            once: dice.chance(30),
            deadline,
            cancel,
        });
    }
    clock.max(10_000)
}

fn dead_times(script: &mut Script, theme: Theme, length: u64, dice: &mut Dice) {
    let times = match theme {
        Theme::Dead => dice.between(1, 3),
        Theme::Chaos => dice.below(2),
        _ => 0,
    };
    for _ in 0..times {
        let from = dice.below(length);
        let span = dice.pick(&[500, 5_000, 30_000, 120_000]);
        let status = dice.pick(&[503, 503, 500, 502, 429]);
        let asks = dice.pick(&ASKS);
        let wait = dice.pick(&[0, 300, 1_000, 5_000, 90_000]);
        let by = match dice.below(4) {
            0 => Death::Refused,
            1 => Death::Silent,
            _ => Death::Status(status, asks, wait),
        };
        script.dead.push(Dead {
            host: u32::try_from(dice.below(script.gateway.hosts.into())).unwrap_or(0),
            from,
            to: from + span,
            by,
        });
    }
}

fn sleeps(script: &mut Script, theme: Theme, length: u64, dice: &mut Dice) {
    let times = match theme {
        Theme::Phone => dice.between(1, 6),
        Theme::Chaos => dice.below(2),
        _ => 0,
    };
    for _ in 0..times {
        let from = dice.below(length);
        let span = dice.pick(&[20, 1_000, 45_000, 3_600_000]);
        script.sleeps.push(Sleep {
            client: u32::try_from(dice.below(script.clients.count.into())).unwrap_or(0),
            from,
            to: from + span,
        });
    }
}

fn faults(script: &mut Script, theme: Theme, dice: &mut Dice) {
    let per_mille = match theme {
        Theme::Chaos => dice.pick(&[200, 400]),
        Theme::Dead | Theme::Shared => dice.pick(&[0, 20]),
        Theme::Quota => dice.pick(&[0, 0, 5]),
        _ => dice.pick(&[0, 20, 100]),
    };
    let refused_tokens = if theme == Theme::Tokens { 60 } else { 0 };
    let redirected = match theme {
        Theme::Quota => dice.pick(&[0, 0, 0, 10]),
        _ if script.clients.regions => 0,
        _ => dice.pick(&[0, 0, 30, 200]),
    };
    for call in 0..script.calls.len() {
        let hops = if dice.chance(redirected) {
            dice.pick(&[1, 1, 2, 8])
        } else {
            0
        };
        for attempt in 1..=(script.clients.attempts + 1).max(hops) {
            let kind = if attempt <= hops {
                redirect(script, call, dice)
            } else if script.clients.token.is_some() && dice.chance(refused_tokens) {
                FaultKind::Answer(401, Asks::Nothing, 0)
            } else if dice.chance(per_mille) {
                fault(dice)
            } else {
                continue;
            };
            script.faults.push(Fault {
                call: u32::try_from(call).unwrap_or(0),
                attempt,
                kind,
            });
        }
    }
}

/// Mostly to where the call goes anyway.
fn redirect(script: &Script, call: usize, dice: &mut Dice) -> FaultKind {
    let own = script.calls[call].host;
    let host = if dice.chance(700) {
        own
    } else {
        u32::try_from(dice.below(script.gateway.hosts.into())).unwrap_or(own)
    };
    FaultKind::Redirect(dice.pick(&[301, 302, 303, 307, 307, 308]), host)
}

fn fault(dice: &mut Dice) -> FaultKind {
    let statuses = [
        400, 404, 408, 409, 422, 425, 429, 500, 502, 503, 503, 503, 504,
    ];
    let spans = [0, 200, 1_000, 3_000, 20_000, 100_000];
    match dice.below(14) {
        0..4 => FaultKind::Answer(dice.pick(&statuses), dice.pick(&ASKS), dice.pick(&spans)),
        4 | 5 => FaultKind::AnswerAfter(dice.pick(&[500, 502, 503, 504])),
        6 => FaultKind::ConnectTimeout,
        7 => FaultKind::NotProcessed,
        8 => FaultKind::Refused,
        9 => FaultKind::ResetBefore,
        10 => FaultKind::ResetAfter,
        11 => FaultKind::ShouldRetry(dice.pick(&[400, 409, 500, 503]), dice.chance(500)),
        12 => {
            if dice.chance(500) {
                FaultKind::SilentBefore
            } else {
                FaultKind::SilentAfter
            }
        }
        _ => FaultKind::Slow(dice.pick(&[200, 1_000, 4_000, 30_000])),
    }
}
