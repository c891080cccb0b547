//! Measures signing and verifying: `cargo run --release -p gatewright-webhook --example webhook_speed`.
#![allow(clippy::print_stdout, reason = "it is a program")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures time"
)]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gatewright_webhook::{Signer, Webhook, generate_key_pair, generate_secret, limits};

const NOW: i64 = 1_614_265_330;

fn main() -> Result<(), Box<dyn Error>> {
    let secret = generate_secret(&[7; 32])?;
    let retired = generate_secret(&[8; 32])?;
    let pair = generate_key_pair(&[9; 32]);
    for size in [0, 1_000, 20_000, 1_000_000] {
        let body = vec![b'x'; size];
        for (what, signing, verifying) in [
            ("v1", vec![secret.expose()], vec![secret.expose()]),
            (
                "v1, the second of 2 secrets",
                vec![secret.expose()],
                vec![retired.expose(), secret.expose()],
            ),
            (
                "v1a",
                vec![pair.signing.expose()],
                vec![pair.public.as_str()],
            ),
        ] {
            let signer = Signer::new(&signing)?;
            let webhook = Webhook::new(&verifying)?;
            let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, &body)?;
            // As a server sees it: among the usual other fields.
            let mut headers: Vec<(&str, &str)> = vec![
                ("host", "example.com"),
                ("user-agent", "gatewright"),
                ("accept", "*/*"),
                ("content-type", "application/json"),
                ("content-length", "1000"),
                ("accept-encoding", "gzip, br"),
                ("x-forwarded-for", "203.0.113.7"),
            ];
            headers.extend(signed.headers());
            webhook.verify(&body, &headers, NOW)?;

            let verify = best(|| drop(black_box(webhook.verify(black_box(&body), &headers, NOW))));
            let sign = best(|| drop(black_box(signer.sign("msg_1", NOW, black_box(&body)))));
            println!(
                "{size:>9} bytes  {what:<28} verify {:>12}  sign {:>12}",
                text(verify),
                text(sign)
            );
        }
    }
    let tampered = Signer::new([secret.expose()])?.sign("msg_1", NOW, b"x")?;
    let webhook = Webhook::new([secret.expose(), pair.public.as_str()])?;
    let refuse = best(|| drop(black_box(webhook.verify(b"y", &tampered.headers(), NOW))));
    println!(
        "        1 byte   tampered                     refuse {:>12}",
        text(refuse)
    );
    let token = Signer::new([pair.signing.expose()])?
        .sign("m", NOW, b"x")?
        .signature;
    let hostile = [
        ("webhook-id", "m"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            &[token.as_str(); limits::MAX_ED25519_SIGNATURES].join(" "),
        ),
    ];
    let refuse = best(|| drop(black_box(webhook.verify(b"y", &hostile, NOW))));
    println!(
        "        1 byte   8 wrong v1a tokens           refuse {:>12}",
        text(refuse)
    );
    Ok(())
}

/// The time of one call: the best of many batches, so that other work on the machine does not count.
fn best(mut call: impl FnMut()) -> Duration {
    let batch = {
        let start = Instant::now();
        call();
        let once = start.elapsed().max(Duration::from_nanos(50));
        u32::try_from(Duration::from_millis(5).as_nanos() / once.as_nanos())
            .unwrap_or(u32::MAX)
            .max(1)
    };
    (0..60)
        .map(|_| {
            let start = Instant::now();
            (0..batch).for_each(|_| call());
            start.elapsed() / batch
        })
        .min()
        .unwrap_or_default()
}

fn text(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        format!("{:.2} us", time.as_secs_f64() * 1e6)
    } else {
        format!("{:.2} ms", time.as_secs_f64() * 1e3)
    }
}
