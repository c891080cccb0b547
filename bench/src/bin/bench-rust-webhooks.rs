//! Webhook verification side by side: what one delivery costs whoever receives it. The floor is the HMAC alone, its key prepared.
//!
//! Usage: bench-rust-webhooks [ROUNDS]

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gatewright_bench::rounds::Rounds;
use gatewright_webhook::{Signer, Webhook, generate_secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 31;
const ROUND: Duration = Duration::from_millis(50);
const SIZES: [(&str, usize); 4] = [
    ("256 B", 256),
    ("2 kB", 2_000),
    ("20 kB", 20_000),
    ("1 MB", 1_000_000),
];
const MESSAGE_ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const RANDOM: [u8; 32] = [7; 32];

/// What arrives: how many signatures by other keys come first, and whether one that fits follows.
const SITUATIONS: [(&str, u8, bool); 3] = [
    ("valid", 0, true),
    ("valid, the last of three signatures", 2, true),
    ("refused", 1, false),
];

/// Says whether the delivery verified.
struct Candidate<'c> {
    name: &'static str,
    verify: Box<dyn Fn() -> bool + 'c>,
    /// Calls in a round.
    count: u32,
    rounds: Rounds,
}

fn main() -> Result<()> {
    let rounds = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => ROUNDS,
    };
    for (title, others, fits) in SITUATIONS {
        let mut rows: Vec<(&str, String)> = Vec::new();
        for (_, size) in SIZES {
            let measured = measure(size, others, fits, rounds)?;
            for (at, (name, cell)) in measured.into_iter().enumerate() {
                match rows.get_mut(at) {
                    Some((_, row)) => *row += &cell,
                    None => rows.push((name, cell)),
                }
            }
        }
        let sizes = SIZES.map(|(size, _)| format!(" {size}, /s | times as long |"));
        println!("| {title} |{}", sizes.concat());
        println!("|---|{}", "---:|---:|".repeat(SIZES.len()));
        for (name, cells) in rows {
            println!("| {name} |{cells}");
        }
        println!();
    }
    println!(
        "One thread, {rounds} rounds of {} s that alternate; medians of rounds. Nothing is decoded.",
        ROUND.as_secs_f64()
    );
    Ok(())
}

/// The cells of each candidate.
fn measure(
    size: usize,
    others: u8,
    fits: bool,
    rounds: usize,
) -> Result<Vec<(&'static str, String)>> {
    let secret = generate_secret(&RANDOM)?;
    let body = vec![b'x'; size];
    let now = unix_seconds();
    let strangers: Vec<_> = (0..others)
        .map(|n| generate_secret(&[100 + n; 32]))
        .collect::<std::result::Result<_, _>>()?;
    let own = fits.then(|| secret.expose());
    let secrets = strangers.iter().map(|stranger| stranger.expose());
    let signer = Signer::new(secrets.chain(own))?;
    let signed = signer.sign(MESSAGE_ID, now, &body)?;
    let mut headers = HeaderMap::new();
    // As a server sees it: among the usual other fields.
    for (name, value) in [
        ("host", "hooks.example.com"),
        ("user-agent", "Example-Webhooks/1.0"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, br"),
        ("content-type", "application/json"),
    ]
    .into_iter()
    .chain(signed.headers())
    {
        headers.insert(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }

    let ours = Webhook::new([secret.expose()])?;
    let standard = standardwebhooks::Webhook::new(secret.expose())?;
    let floor = Hmac::<Sha256>::new_from_slice(&RANDOM)?;
    let start = format!("{MESSAGE_ID}.{now}.");
    let mut candidates = vec![
        Candidate::new("gatewright-webhook", || {
            ours.verify(black_box(&body), &headers, unix_seconds())
                .is_ok()
        }),
        Candidate::new("standardwebhooks 1.0.1", || {
            standard.verify(black_box(&body), &headers).is_ok()
        }),
        Candidate::new("floor: hmac", || {
            let mut mac = floor.clone();
            mac.update(start.as_bytes());
            mac.update(black_box(&body));
            black_box(mac.finalize());
            fits
        }),
    ];
    for candidate in &mut candidates {
        candidate.prepare(fits)?;
    }
    for round in 0..rounds {
        let mut order: Vec<&mut Candidate<'_>> = candidates.iter_mut().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        order.into_iter().for_each(Candidate::round);
    }
    let Some(first) = candidates.first() else {
        return Ok(Vec::new());
    };
    // A round of one has not as many calls as a round of another.
    let per_call = |candidate: &Candidate<'_>| f64::from(candidate.count);
    Ok(candidates
        .iter()
        .map(|candidate| {
            let second = per_call(candidate) / candidate.rounds.median();
            let ratio =
                candidate.rounds.ratio_to(&first.rounds) * per_call(first) / per_call(candidate);
            (candidate.name, format!(" {second:.0} | {ratio:.2} |"))
        })
        .collect())
}

impl<'c> Candidate<'c> {
    fn new(name: &'static str, verify: impl Fn() -> bool + 'c) -> Self {
        Self {
            name,
            verify: Box::new(verify),
            count: 1,
            rounds: Rounds::default(),
        }
    }

    /// Warms it up, and finds out how many calls make a round.
    fn prepare(&mut self, fits: bool) -> Result<()> {
        if (self.verify)() != fits {
            return Err(format!("{} does not answer as it should", self.name).into());
        }
        let begun = Instant::now();
        let mut calls = 0_u32;
        while begun.elapsed() < ROUND {
            (self.verify)();
            calls += 1;
        }
        self.count = calls.max(1);
        Ok(())
    }

    fn round(&mut self) {
        let Self {
            verify,
            count,
            rounds,
            ..
        } = self;
        rounds.time(|| {
            for _ in 0..*count {
                black_box(verify());
            }
        });
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
