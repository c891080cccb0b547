//! HTTP clients side by side: a small JSON GET over loopback, its body decoded. Each in a process of its own; rounds
//! alternate, so that a busy machine disturbs all alike.
//!
//! Usage: `bench-peers URL AT_ONCE WARM_UP_SECONDS ROUNDS CLIENTS PROGRAM ARGUMENT...`, with `bench-server` at the URL.
//! PROGRAM has the clients, as `gatewright_bench::peer` describes; CLIENTS are the beginnings of the names of those that
//! are measured, with commas between them: all, where it is empty.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use gatewright_bench::peer::{Failure, Peer, ROUND, names};

const USAGE: &str =
    "usage: bench-peers URL AT_ONCE WARM_UP_SECONDS ROUNDS CLIENTS PROGRAM ARGUMENT...";

/// The one that the others are compared to.
const OURS: &str = "gatewright";

struct Settings {
    url: String,
    at_once: u64,
    warm_up: Duration,
    rounds: usize,
    clients: String,
    program: Vec<OsString>,
}

impl Settings {
    fn read() -> Option<Self> {
        let mut arguments = std::env::args_os().skip(1);
        let mut text = || arguments.next()?.into_string().ok();
        Some(Self {
            url: text()?,
            at_once: text()?.parse().ok().filter(|&n| n > 0)?,
            warm_up: Duration::from_secs(text()?.parse().ok()?),
            rounds: text()?.parse().ok()?,
            clients: text()?,
            program: arguments.collect(),
        })
    }

    fn wants(&self, name: &str) -> bool {
        let mut starts = self.clients.split(',');
        starts.any(|start| name.starts_with(start))
    }
}

fn main() -> Result<ExitCode, Failure> {
    let settings = Settings::read().ok_or(USAGE)?;
    let mut peers = Vec::new();
    let mut broken = Vec::new();
    for name in names(&settings.program)? {
        if settings.wants(&name) {
            let Settings { url, at_once, .. } = &settings;
            match Peer::start(&settings.program, &name, url, *at_once, settings.warm_up) {
                Ok(peer) => peers.push(peer),
                Err(error) => broken.push(error),
            }
        }
    }
    for round in 0..settings.rounds {
        // Nobody always comes after the same neighbour.
        peers.reverse();
        let all = peers.iter_mut();
        for peer in all {
            peer.round()
                .map_err(|error| format!("in round {round}: {error}"))?;
        }
    }
    print(&settings, &peers);
    for why in &broken {
        println!("\n**Not measured: {why}**");
    }
    Ok(ExitCode::from(u8::from(!broken.is_empty())))
}

fn print(settings: &Settings, peers: &[Peer]) {
    let how = match settings.at_once {
        1 => "one at a time".to_owned(),
        many => format!("{many} at once"),
    };
    println!(
        "| GET of 250 bytes, decoded, {how} | requests/s | gatewright is | CPU ms per 1000 requests | peak memory, MB |"
    );
    println!("|---|---:|---:|---:|---:|");
    let ours = peers.iter().find(|peer| peer.name == OURS);
    let ratio = |peer: &Peer| ours.map_or(f64::NAN, |ours| peer.times_as_long_as(ours));
    let mut sorted: Vec<&Peer> = peers.iter().collect();
    sorted.sort_by(|a, b| {
        a.per_call(|r| r.seconds)
            .total_cmp(&b.per_call(|r| r.seconds))
    });
    for peer in sorted {
        println!(
            "| {} | {} | {:.2} times | {:.0} | {:.0} |",
            peer.title,
            with_commas(1.0 / peer.per_call(|round| round.seconds)),
            ratio(peer),
            peer.per_call(|round| round.cpu_seconds) * 1e6,
            peer.peak_mb()
        );
    }
    println!(
        "\nA process each, {} rounds of {} s that alternate, after {} s of calls; medians of rounds. CPU is the client's whole process.",
        settings.rounds,
        ROUND.as_secs_f64(),
        settings.warm_up.as_secs()
    );
}

/// `12,345`
fn with_commas(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_commas;

    #[test]
    fn thousands_have_commas() {
        assert_eq!(
            [7.4, 999.0, 1000.0, 1_234_567.2].map(with_commas),
            ["7", "999", "1,000", "1,234,567"]
        );
    }
}
