//! Plays the corpus of each target, then changes it at random, the same way each time. For where there is no nightly
//! compiler, or no cargo-fuzz; it finds less than libFuzzer, which sees what an input reaches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use gatewright_fuzz::{TARGETS, Target, corpus};

const USAGE: &str = "usage: replay [--runs N] [TARGET|FILE]...

A target is played with its corpus and N inputs more (default 20000); a file is played with the target its folder is named after.";

/// Pieces that parsers know.
const WORDS: &[&str] = &[
    "\n",
    "\r\n",
    ": ",
    ";",
    ",",
    "\"",
    "=",
    "0",
    "-1",
    "18446744073709551616",
    "1e309",
    "NaN",
    "\u{feff}",
    "retry-after: ",
    "data: ",
    "https://",
    "//",
    "\\",
    "@",
    "%2e",
    "{",
    "}",
    "null",
    "max-age=",
    "w=60",
    "<>; rel=next",
    "é",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 1).unwrap_or(0) % bound.max(1)
    }
}

fn main() -> ExitCode {
    let mut runs = 20_000;
    let (mut targets, mut files) = (Vec::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--runs" {
            let Some(number) = arguments.next().and_then(|text| text.parse().ok()) else {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            };
            runs = number;
        } else if let Some(target) = gatewright_fuzz::target(&argument) {
            targets.push(target);
        } else if PathBuf::from(&argument).is_file() {
            files.push(PathBuf::from(argument));
        } else {
            eprintln!("there is no target and no file {argument:?}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    if targets.is_empty() && files.is_empty() {
        targets = TARGETS.iter().collect();
    }
    let mut good = files.iter().all(play_file);
    for target in targets {
        good &= play(target, runs);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn play_file(file: &PathBuf) -> bool {
    let folder = file
        .parent()
        .and_then(|folder| folder.file_name())
        .unwrap_or_default();
    let Some(target) = gatewright_fuzz::target(&folder.to_string_lossy()) else {
        eprintln!("{}: its folder is named after no target", file.display());
        return false;
    };
    let input = std::fs::read(file).unwrap_or_default();
    let good = holds(target, &input);
    println!(
        "{}: {}",
        file.display(),
        if good { "holds" } else { "FAILED" }
    );
    good
}

fn play(target: &Target, runs: usize) -> bool {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let seeds: Vec<Vec<u8>> = match corpus(&folder) {
        Ok(seeds) => seeds.into_values().collect(),
        Err(why) => {
            println!("{}: no corpus in {}: {why}", target.name, folder.display());
            return false;
        }
    };
    let mut dice = Dice(
        target
            .name
            .bytes()
            .fold(0_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)),
    );
    let changed = (0..runs).map(|_| changed(&seeds, &mut dice));
    for input in seeds.iter().cloned().chain(changed) {
        if !holds(target, &input) {
            let file = std::env::temp_dir().join(target.name);
            let kept = std::fs::create_dir_all(&file)
                .and_then(|()| std::fs::write(file.join("failed"), &input));
            println!(
                "{}: FAILED on {:?}",
                target.name,
                String::from_utf8_lossy(&input)
            );
            if kept.is_ok() {
                println!("  kept in {}", file.join("failed").display());
            }
            return false;
        }
    }
    println!(
        "{}: {} seeds and {runs} inputs made of them",
        target.name,
        seeds.len()
    );
    true
}

fn holds(target: &Target, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok()
}

fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = seeds
        .get(dice.below(seeds.len()))
        .cloned()
        .unwrap_or_default();
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() + 1);
        match dice.below(7) {
            0 => input.insert(at, u8::try_from(dice.below(256)).unwrap_or(0)),
            1 if at < input.len() => input[at] ^= 1 << dice.below(8),
            2 if at < input.len() => {
                let to = at + dice.below(input.len() - at) + 1;
                input.drain(at..to.min(input.len()));
            }
            3 => {
                let word = WORDS[dice.below(WORDS.len())].as_bytes();
                input.splice(at..at, word.iter().copied());
            }
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let tail: Vec<u8> = other[from..].to_vec();
                input.splice(at.., tail);
            }
            5 if at < input.len() => input[at] = b'0' + u8::try_from(dice.below(10)).unwrap_or(0),
            _ => {
                let piece: Vec<u8> = input[at..]
                    .iter()
                    .copied()
                    .take(1 + dice.below(40))
                    .collect();
                input.splice(at..at, piece);
            }
        }
    }
    input
}
