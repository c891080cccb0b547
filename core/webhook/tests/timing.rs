//! How long a comparison takes does not tell how much of a signature is right: its instructions are counted, not its seconds.
//!
//! Valgrind runs this program again, with the test below that is ignored otherwise, and writes down how many instructions each call
//! of one function took. The numbers are exact, so nothing here depends on how busy the machine is. Where there is no valgrind
//! (it is there for Linux), only what is counted is run, and `cargo xtask test` says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is prepared must work"
)]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{Encoding, Outgoing, Scheme, Signer, VerifyError, Webhook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"type":"invoice.paid"}"#;
const MAC: usize = 32;

/// A webhook that is refused, since its signature is wrong in one byte.
struct Delivery {
    webhook: Webhook,
    headers: Vec<(String, String)>,
    /// What is between the prefix of the signature and its end.
    encoding: Encoding,
}

impl Delivery {
    fn signed(scheme: Scheme, encoding: Encoding) -> Self {
        let outgoing = Outgoing::new(BODY, 1).id("msg_1");
        let signed = Signer::of(scheme, [SECRET])
            .unwrap()
            .sign_request(&outgoing)
            .unwrap();
        Self {
            webhook: Webhook::of(scheme, [SECRET]).unwrap(),
            headers: signed.headers,
            encoding,
        }
    }

    /// Turns the lowest bit of one byte of the MAC. The text stays where it is: to copy from another address takes a few
    /// instructions more or fewer, for any byte of it. A digit becomes a digit and a letter a letter.
    fn flip(&mut self, byte: usize) {
        let (_, signature) = self.headers.last_mut().unwrap();
        let at = signature.find([',', '=']).unwrap() + 1;
        let (prefix, text) = signature.split_at(at);
        let mut mac: Vec<u8> = match self.encoding {
            Encoding::Hex => (0..MAC)
                .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
                .collect(),
            _ => STANDARD.decode(text).unwrap(),
        };
        assert_eq!(mac.len(), MAC);
        mac[byte] ^= 1;
        let text = match self.encoding {
            Encoding::Hex => mac.iter().map(|byte| format!("{byte:02x}")).collect(),
            _ => STANDARD.encode(mac),
        };
        let other = format!("{prefix}{text}");
        signature.clear();
        signature.push_str(&other);
    }
}

/// What is counted. Not inlined, and called by these names from outside, so that valgrind finds them.
#[unsafe(no_mangle)]
#[inline(never)]
fn counted_base64_verification(delivery: &Delivery) -> Result<(), VerifyError> {
    verify(delivery, 1)
}

#[unsafe(no_mangle)]
#[inline(never)]
fn counted_hex_verification(delivery: &Delivery) -> Result<(), VerifyError> {
    verify(delivery, 2)
}

/// `now` differs so that the compiler keeps two functions.
fn verify(delivery: &Delivery, now: i64) -> Result<(), VerifyError> {
    let body = black_box(BODY);
    delivery
        .webhook
        .verify(body, &delivery.headers, now)
        .map(|_| ())
}

/// The comparison that everybody writes first, to show that the count would find it.
#[unsafe(no_mangle)]
#[inline(never)]
fn counted_naive_comparison(expected: &[u8; MAC], got: &[u8; MAC]) -> bool {
    for (one, other) in expected.iter().zip(got) {
        if black_box(one) != black_box(other) {
            return false;
        }
    }
    true
}

/// Each function once for each place of the first wrong byte.
#[test]
#[ignore = "valgrind runs it, from the test below"]
fn the_counted_part() {
    let kinds = [
        (
            Scheme::StandardWebhooks,
            Encoding::Base64,
            counted_base64_verification as fn(&Delivery) -> _,
        ),
        (Scheme::GitHub, Encoding::Hex, counted_hex_verification),
    ];
    for (scheme, encoding, counted) in kinds {
        let mut delivery = Delivery::signed(scheme, encoding);
        assert_eq!(verify(&delivery, 1), Ok(()));
        for byte in 0..MAC {
            delivery.flip(byte);
            assert_eq!(
                counted(black_box(&delivery)),
                Err(VerifyError::BadSignature)
            );
            delivery.flip(byte);
        }
    }
    let expected = [7; MAC];
    for byte in 0..MAC {
        let mut got = expected;
        got[byte] ^= 1;
        assert!(!counted_naive_comparison(
            black_box(&expected),
            black_box(&got)
        ));
    }
}

/// The instructions of each call of `function`, in order.
fn counts(folder: &Path, function: &str) -> Vec<u64> {
    let folder = folder.join(function);
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={function}"))
        .arg(format!("--dump-after={function}"))
        .arg(format!("--callgrind-out-file={}/out", folder.display()))
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "the_counted_part",
            "--test-threads=1",
        ])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    (1..=MAC)
        .map(|call| {
            let dump = std::fs::read_to_string(folder.join(format!("out.{call}"))).unwrap();
            let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
            total.unwrap().trim().parse().unwrap()
        })
        .collect()
}

#[test]
fn instructions_do_not_tell_where_the_first_wrong_byte_is() {
    let version = Command::new("valgrind").arg("--version").output();
    if !version.is_ok_and(|version| version.status.success()) {
        the_counted_part();
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("timing");
    let _ = std::fs::remove_dir_all(&folder);
    let naive: BTreeSet<u64> = counts(&folder, "counted_naive_comparison")
        .into_iter()
        .collect();
    assert_eq!(
        naive.len(),
        MAC,
        "the count does not see a comparison that stops early"
    );

    for function in ["counted_base64_verification", "counted_hex_verification"] {
        let ours = counts(&folder, function);
        // The first one also finds out what the processor can.
        let later: BTreeSet<u64> = ours.iter().skip(1).copied().collect();
        assert_eq!(later.len(), 1, "instructions of each {function}: {ours:?}");
        assert!(later.iter().all(|count| *count > 1_000), "{ours:?}");
    }
    let _ = std::fs::remove_dir_all(&folder);
}
