//! Filters made at random mean what a second, slower reading of the language says, and no text and no event makes one panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use gatewright_event_filter::{Filter, MAX_BYTES};
use serde_json::{Map, Value, json};

/// Random choices that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 1).unwrap() % bound
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

const NAMES: [&str; 6] = ["a", "b", "data", "my name", "é", "a-b"];
const TEXTS: [&str; 8] = ["", "a", "ab", "b", "aab", "é\"'\\", "*", "a?\n"];

/// What a filter says, with nothing clever about it.
#[derive(Debug)]
enum Said {
    And(Box<Said>, Box<Said>),
    Compare(Side, &'static str, Side),
    Exists(Vec<Step>),
    In(Side, Vec<Value>),
    InPath(Value, Vec<Step>),
    Matches(Side, &'static str),
    Not(Box<Said>),
    Or(Box<Said>, Box<Said>),
}

#[derive(Debug)]
enum Side {
    Path(Vec<Step>),
    Value(Value),
}

#[derive(Clone, Debug)]
enum Step {
    Each,
    Index(i64),
    Name(&'static str),
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(8) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 | 3 => json!(dice.below(4)),
        4 => json!(dice.below(4) as f64 / 2.0),
        5 => json!(-1),
        _ => json!(dice.of(&TEXTS)),
    }
}

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 3 } else { 7 }) {
        0..3 => scalar(dice),
        3 | 4 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => {
            let mut members = Map::new();
            for _ in 0..dice.below(4) {
                let name = dice.of(&NAMES).to_owned();
                members.insert(name, value(dice, depth - 1));
            }
            Value::Object(members)
        }
    }
}

fn path(dice: &mut Dice, many: bool) -> Vec<Step> {
    (0..dice.below(4))
        .map(|_| match dice.below(5) {
            0 if many => Step::Each,
            1 => Step::Index(i64::try_from(dice.below(5)).unwrap() - 2),
            _ => Step::Name(dice.of(&NAMES)),
        })
        .collect()
}

fn side(dice: &mut Dice, many: bool) -> Side {
    if dice.below(3) == 0 {
        Side::Value(scalar(dice))
    } else {
        Side::Path(path(dice, many))
    }
}

fn said(dice: &mut Dice, depth: usize) -> Said {
    let inner = |dice: &mut Dice| Box::new(said(dice, depth - 1));
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0 => Said::Exists(path(dice, true)),
        1 => Said::In(
            side(dice, true),
            (0..=dice.below(3)).map(|_| scalar(dice)).collect(),
        ),
        2 => Said::InPath(scalar(dice), path(dice, false)),
        3 => Said::Matches(
            side(dice, true),
            dice.of(&["*", "a*", "*b", "?", "a*b", "", "\\*", "*a*a*"]),
        ),
        4 | 5 => Said::Compare(
            side(dice, true),
            dice.of(&["==", "!=", "<", "<=", ">", ">="]),
            side(dice, false),
        ),
        6 => Said::Not(inner(dice)),
        7 | 8 => Said::And(inner(dice), inner(dice)),
        _ => Said::Or(inner(dice), inner(dice)),
    }
}

fn blank(dice: &mut Dice) -> &'static str {
    dice.of(&["", " ", "  ", "\n\t"])
}

fn write(said: &Said, dice: &mut Dice) -> String {
    match said {
        Said::And(a, b) => format!(
            "({}{}&&{}{})",
            write(a, dice),
            blank(dice),
            blank(dice),
            write(b, dice)
        ),
        Said::Or(a, b) => format!(
            "({}{}||{}{})",
            write(a, dice),
            blank(dice),
            blank(dice),
            write(b, dice)
        ),
        Said::Not(inner) => format!("!{}{}", blank(dice), write(inner, dice)),
        Said::Compare(a, sign, b) => {
            let (a, b) = (write_side(a, dice), write_side(b, dice));
            format!("{a}{}{sign}{}{b}", blank(dice), blank(dice))
        }
        Said::Exists(path) => format!("exists {}", write_path(path, dice)),
        Said::In(side, values) => {
            let values: Vec<String> = values.iter().map(|value| literal(value, dice)).collect();
            format!("{} in [{}]", write_side(side, dice), values.join(" ,"))
        }
        Said::InPath(value, path) => {
            format!("{} in {}", literal(value, dice), write_path(path, dice))
        }
        Said::Matches(side, glob) => format!(
            "{} matches {}",
            write_side(side, dice),
            literal(&json!(glob), dice)
        ),
    }
}

fn write_side(side: &Side, dice: &mut Dice) -> String {
    match side {
        Side::Path(path) => write_path(path, dice),
        Side::Value(value) => literal(value, dice),
    }
}

fn literal(value: &Value, dice: &mut Dice) -> String {
    match value {
        Value::String(text) if dice.below(2) == 0 => {
            let quoted = value.to_string();
            let inner = &quoted[1..quoted.len() - 1];
            let inner = inner.replace("\\\"", "\"");
            format!(
                "'{}'",
                if text.contains('\'') {
                    inner.replace('\'', "\\'")
                } else {
                    inner
                }
            )
        }
        other => other.to_string(),
    }
}

fn write_path(path: &[Step], dice: &mut Dice) -> String {
    let mut text = "$".to_owned();
    for step in path {
        text += &match step {
            Step::Each if dice.below(2) == 0 => ".*".into(),
            Step::Each => "[ * ]".into(),
            Step::Index(index) => format!("[{index}]"),
            Step::Name(name) if !name.contains(' ') && dice.below(2) == 0 => format!(".{name}"),
            Step::Name(name) => format!("[{}]", literal(&json!(name), dice)),
        };
    }
    text
}

/// All places a path leads to, all at once.
fn places<'v>(path: &[Step], event: &'v Value) -> Vec<&'v Value> {
    let mut places = vec![event];
    for step in path {
        places = places
            .into_iter()
            .flat_map(|place| match (step, place) {
                (Step::Each, Value::Array(items)) => items.iter().collect(),
                (Step::Each, Value::Object(members)) => members.values().collect(),
                (Step::Index(index), Value::Array(items)) => {
                    let at = if *index < 0 {
                        index + items.len() as i64
                    } else {
                        *index
                    };
                    usize::try_from(at)
                        .ok()
                        .and_then(|at| items.get(at))
                        .into_iter()
                        .collect()
                }
                (Step::Name(name), place) => place.get(*name).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    places
}

fn places_of<'v>(side: &'v Side, event: &'v Value) -> Vec<&'v Value> {
    match side {
        Side::Path(path) => places(path, event),
        Side::Value(value) => vec![value],
    }
}

/// The numbers here are small, so floats are exact.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn less(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.as_f64()? < b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.chars().lt(b.chars())),
        _ => None,
    }
}

/// By the table of all beginnings.
fn fits(glob: &str, text: &str) -> bool {
    let mut pieces = Vec::new();
    let mut chars = glob.chars();
    while let Some(char) = chars.next() {
        pieces.push(if char == '\\' {
            (chars.next().unwrap_or('\\'), true)
        } else {
            (char, false)
        });
    }
    let text: Vec<char> = text.chars().collect();
    let mut row: Vec<bool> = (0..=text.len()).map(|at| at == 0).collect();
    for (char, exactly) in pieces {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = if char == '*' && !exactly {
                row[at] || (at > 0 && next[at - 1])
            } else {
                at > 0 && row[at - 1] && ((char == '?' && !exactly) || text[at - 1] == char)
            };
        }
        row = next;
    }
    row[text.len()]
}

fn expected(said: &Said, event: &Value) -> bool {
    match said {
        Said::And(a, b) => expected(a, event) & expected(b, event),
        Said::Or(a, b) => expected(a, event) | expected(b, event),
        Said::Not(inner) => !expected(inner, event),
        Said::Exists(path) => !places(path, event).is_empty(),
        Said::In(side, values) => places_of(side, event)
            .iter()
            .any(|place| values.iter().any(|value| same(place, value))),
        Said::InPath(value, path) => places(path, event)
            .first()
            .and_then(|place| place.as_array())
            .is_some_and(|items| items.iter().any(|item| same(item, value))),
        Said::Matches(side, glob) => places_of(side, event)
            .iter()
            .any(|place| place.as_str().is_some_and(|text| fits(glob, text))),
        Said::Compare(a, sign, b) => {
            let (a, b) = (places_of(a, event), places_of(b, event));
            let one = |holds: &dyn Fn(&Value, &Value) -> bool| {
                a.iter().any(|a| b.iter().any(|b| holds(a, b)))
            };
            match *sign {
                "==" => one(&same),
                "!=" => !one(&same),
                "<" => one(&|a, b| less(a, b) == Some(true)),
                ">=" => one(&|a, b| less(a, b) == Some(false)),
                ">" => one(&|a, b| less(b, a) == Some(true)),
                _ => one(&|a, b| less(b, a) == Some(false)),
            }
        }
    }
}

#[test]
fn filters_mean_what_a_slower_reading_says() {
    let mut dice = Dice(7);
    let mut wanted = 0;
    for _ in 0..20_000 {
        let said = said(&mut dice, 3);
        let text = write(&said, &mut dice);
        if text.len() > MAX_BYTES {
            continue;
        }
        let filter = Filter::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        for _ in 0..4 {
            let event = value(&mut dice, 3);
            let expected = expected(&said, &event);
            assert_eq!(filter.matches(&event), Ok(expected), "{text}\n{event}");
            wanted += usize::from(expected);
        }
    }
    // Neither always nor never.
    assert!((16_000..64_000).contains(&wanted), "{wanted}");
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let mut dice = Dice(11);
    for _ in 0..20_000 {
        let text = write(&said(&mut dice, 3), &mut dice);
        let Ok(filter) = Filter::parse(&text) else {
            assert!(text.len() > MAX_BYTES, "{text}");
            continue;
        };
        let written = filter.to_string();
        if written.len() > MAX_BYTES {
            continue;
        }
        assert_eq!(
            Filter::parse(&written).as_ref(),
            Ok(&filter),
            "{text}\n{written}"
        );
    }
}

#[test]
fn no_text_and_no_event_makes_one_panic() {
    const PIECES: [&str; 34] = [
        "$",
        ".",
        "a",
        "data",
        "[",
        "]",
        "*",
        "0",
        "-1",
        "'",
        "\"",
        "\\",
        "\\u",
        "d800",
        "==",
        "!=",
        "<",
        "<=",
        "!",
        "(",
        ")",
        "&&",
        "||",
        " ",
        "in",
        "matches",
        "exists",
        "null",
        "true",
        "1e9",
        "é",
        ",",
        "\u{0}",
        "99999999999999999999",
    ];
    let mut dice = Dice(13);
    let mut read = 0;
    for _ in 0..100_000 {
        let text: String = (0..dice.below(14)).map(|_| dice.of(&PIECES)).collect();
        match Filter::parse(&text) {
            Ok(filter) => {
                read += 1;
                let _ = filter.matches(&value(&mut dice, 3));
            }
            Err(error) => {
                assert!(
                    (1..=text.chars().count() + 1).contains(&error.at),
                    "{text:?} {error}"
                );
                assert!(!error.expected.is_empty() && !error.found.is_empty());
                let _ = error.pointing(&text);
            }
        }
    }
    assert!(read > 0);
}
