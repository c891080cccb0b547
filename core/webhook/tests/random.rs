//! Random and mutated requests: none panics, none that was changed verifies, and stream and whole always agree.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use gatewright_webhook::{Signer, VerifyError, Webhook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const NOW: i64 = 1_614_265_330;

/// SplitMix64: the same sequence for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Bytes made of pieces that mean something to some parser here.
    fn pieces(&mut self, most: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 40] = [
            b"v1,", b"v1a,", b"v1", b",", b" ", b"=", b"==", b".", b"\0", b"\xff", b"\n", b"\r\n", b"1614265330", b"0", b"-", b"+", b"{",
            b"}", b"[", b"]", b"\"", b"\\", b"\\u", b"d83d", b"\\ud83d\\ude00", b":", b"1e5", b"b'", b"'", b"\\x", b"4", b"\xc3\xa9",
            b"\xef\xbb\xbf", b"eyJhIjoxfQ==", b"null", b"msg_1", b"whsec_", b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", b"\t",
        ];
        (0..self.below(most + 1))
            .flat_map(|_| self.pick(&PIECES).to_vec())
            .collect()
    }

    /// One small change, guaranteed to be one.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        let at = self.below(bytes.len());
        match self.below(5) {
            0 if !changed.is_empty() => changed[at] ^= 1 << self.below(8),
            1 if !changed.is_empty() => drop(changed.remove(at)),
            2 => changed.insert(at, self.next() as u8),
            3 if !changed.is_empty() => changed.truncate(at),
            _ => changed.extend(self.pieces(3)),
        }
        if changed == bytes {
            self.mutate(bytes)
        } else {
            changed
        }
    }
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The verdict, after checking that every way of asking agrees.
fn verdict(
    webhook: &Webhook,
    body: &[u8],
    headers: &Fields,
    now: i64,
    random: &mut Random,
) -> Result<(), VerifyError> {
    let whole = webhook.verify(body, headers, now);
    let streamed = webhook.verifier(headers, now).and_then(|mut verifier| {
        let mut rest = body;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(1 + random.below(rest.len()));
            verifier.update(chunk)?;
            rest = after;
        }
        verifier.finish()
    });
    assert_eq!(whole, streamed);
    if let Err(error) = &whole {
        assert!(VerifyError::ALL.contains(&error.code()));
        assert!(!error.to_string().is_empty());
    }
    whole.map(|_| ())
}

fn webhook() -> Webhook {
    Webhook::builder()
        .secrets([SECRET, PUBLIC_KEY])
        .max_body(4096)
        .build()
        .unwrap()
}

#[test]
fn no_request_made_of_noise_panics_or_verifies() {
    let webhook = webhook();
    let mut random = Random(1);
    let names: [&[u8]; 8] = [
        b"webhook-id",
        b"webhook-timestamp",
        b"webhook-signature",
        b"Webhook-Signature",
        b"svix-id",
        b"content-length",
        b"",
        b"\xff",
    ];
    for round in 0..20_000 {
        let fields = random.below(7);
        let mut headers: Fields = (0..fields)
            .map(|_| (random.pick(&names).to_vec(), random.pieces(6)))
            .collect();
        // Every other request has the three headers, so that the depths are reached.
        if round % 2 == 0 {
            let digits = if random.below(4) == 0 {
                random.pieces(2)
            } else {
                NOW.to_string().into_bytes()
            };
            headers = vec![
                (
                    b"webhook-id".to_vec(),
                    if random.below(4) == 0 {
                        random.bytes(20)
                    } else {
                        b"msg_1".to_vec()
                    },
                ),
                (b"webhook-timestamp".to_vec(), digits),
                (b"webhook-signature".to_vec(), random.pieces(12)),
            ];
        }
        let body = if random.below(2) == 0 {
            random.bytes(100)
        } else {
            random.pieces(20)
        };
        let now = if random.below(8) == 0 {
            random.next() as i64
        } else {
            NOW
        };
        assert!(verdict(&webhook, &body, &headers, now, &mut random).is_err());
        let explanation = webhook.explain(&body, &headers, now);
        assert_ne!(explanation.code(), "valid");
        assert!(!explanation.to_string().is_empty());
    }
}

#[test]
fn no_changed_request_verifies() {
    let webhook = webhook();
    let mut random = Random(2);
    for round in 0..20_000 {
        let secrets: &[&str] = match round % 3 {
            0 => &[SECRET],
            1 => &[SIGNING_KEY],
            _ => &[SIGNING_KEY, SECRET],
        };
        // Ed25519 is slow without optimisation: mostly HMAC.
        let secrets = if round % 20 == 0 { secrets } else { &[SECRET] };
        let body = random.bytes(200);
        let signed = Signer::new(secrets)
            .unwrap()
            .sign("msg_1", NOW, &body)
            .unwrap();
        let good: Fields = signed
            .headers()
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        assert_eq!(verdict(&webhook, &body, &good, NOW, &mut random), Ok(()));

        let (mut body, mut headers) = (body, good);
        match random.below(4) {
            0 => body = random.mutate(&body),
            changed => headers[changed - 1].1 = random.mutate(&headers[changed - 1].1),
        }
        // In a list, other tokens may change: then one good token is left, and that is the rule.
        let still_good = headers[2].1.split(|byte| *byte == b' ').any(|token| {
            signed
                .signature
                .split(' ')
                .any(|good| good.as_bytes() == token)
        });
        let signature_changed = headers[2].1 != signed.signature.as_bytes();
        let expected_good = signature_changed && still_good && headers[2].1.len() < 4096;
        assert_eq!(
            verdict(&webhook, &body, &headers, NOW, &mut random).is_ok(),
            expected_good,
            "round {round}: {:?}",
            headers
                .iter()
                .map(|(_, value)| String::from_utf8_lossy(value))
                .collect::<Vec<_>>(),
        );
        let _ = webhook.explain(&body, &headers, NOW).to_string();
    }
}

#[test]
fn no_text_given_as_a_secret_panics() {
    let mut random = Random(3);
    for _ in 0..20_000 {
        let prefix = random.pick(&["whsec_", "whpk_", "whsk_", "v1,whsec_", "", " "]);
        let rest = match random.below(3) {
            0 => String::from_utf8_lossy(&random.bytes(120)).into_owned(),
            1 => String::from_utf8_lossy(&random.pieces(10)).into_owned(),
            _ => {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.encode(random.bytes(80))
            }
        };
        let text = format!("{prefix}{rest}");
        for error in [Webhook::new([&text]).err(), Signer::new([&text]).err()]
            .into_iter()
            .flatten()
        {
            assert!(!error.to_string().is_empty());
        }
    }
}
