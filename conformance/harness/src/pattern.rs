//! What a scenario expects of a value: an example of it, in which objects with `$` keys are rules.
//!
//! | Pattern | Fits |
//! |---|---|
//! | `null` | what is absent or null |
//! | a text, number or boolean | the same; 1 and 1.0 are the same |
//! | a list | a list of the same length, item by item |
//! | an object | an object that has these members, each fitting; others do not matter |
//! | an object of rules | what all of its rules fit, see [`Rule`] |

use regex_lite::Regex;
use serde_json::{Map, Value};

/// A pattern that has been read.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Absent,
    Equals(Value),
    Items(Vec<Pattern>),
    Members(Vec<(String, Pattern)>),
    Rules(Vec<Rule>),
}

/// One `$` rule.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// `$all`: every one of these patterns.
    All(Vec<Pattern>),
    /// `$any`: at least one of these patterns.
    Any(Vec<Pattern>),
    /// `$contains`: a text with this text in it, or a list with an item that fits.
    Contains(Pattern),
    /// `$distinct`: a list in which no two items have the same value at this JSON pointer; `""` is the item itself.
    Distinct(String),
    /// `$each`: a list of which every item fits.
    Each(Pattern),
    /// `$length`: a list or text whose length fits.
    Length(Pattern),
    /// `$max`: a number of at most this.
    Max(f64),
    /// `$min`: a number of at least this.
    Min(f64),
    /// `$not`: what this pattern does not fit.
    Not(Pattern),
    /// `$present`: whether there is a value at all.
    Present(bool),
    /// `$re`: a text in which this regular expression is found.
    Re(Regex),
    /// `$same_as`: the value at this JSON pointer of everything seen (`/wire/0/request_id`).
    SameAs(String),
}

/// A value that a pattern does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where it is, such as `user[0].error.code`.
    pub(crate) at: String,
    /// What was expected, in words.
    pub(crate) expected: String,
    /// What was there.
    pub(crate) got: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: got {} when expecting {}",
            self.at, self.got, self.expected
        )
    }
}

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Self::Absent),
            Value::Array(items) => Ok(Self::Items(read_all(items)?)),
            Value::Object(members) if members.keys().any(|name| name.starts_with('$')) => members
                .iter()
                .map(|(name, value)| Rule::read(name, value))
                .collect::<Result<_, _>>()
                .map(Self::Rules),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| Ok((name.clone(), Self::read(value)?)))
                .collect::<Result<_, String>>()
                .map(Self::Members),
            plain => Ok(Self::Equals(plain.clone())),
        }
    }

    /// Says where `seen` does not fit. `whole` is what `$same_as` points into.
    pub(crate) fn check(&self, seen: Option<&Value>, at: &str, whole: &Value) -> Vec<Mismatch> {
        let mut found = Vec::new();
        self.compare(seen.filter(|value| !value.is_null()), at, whole, &mut found);
        found
    }

    fn fits(&self, seen: Option<&Value>, whole: &Value) -> bool {
        self.check(seen, "", whole).is_empty()
    }

    fn compare(&self, seen: Option<&Value>, at: &str, whole: &Value, found: &mut Vec<Mismatch>) {
        let mut wrong = |expected: String| {
            found.push(Mismatch {
                at: at.to_owned(),
                expected,
                got: shown(seen),
            });
        };
        match (self, seen) {
            (Self::Absent, None) => {}
            (Self::Absent, Some(_)) => wrong("nothing".to_owned()),
            (Self::Equals(wanted), Some(value)) if same(wanted, value) => {}
            (Self::Equals(wanted), _) => wrong(shown(Some(wanted))),
            (Self::Items(wanted), Some(Value::Array(items))) => {
                if items.len() != wanted.len() {
                    return wrong(format!("{} items", wanted.len()));
                }
                for (index, (pattern, item)) in wanted.iter().zip(items).enumerate() {
                    found.extend(pattern.check(Some(item), &format!("{at}[{index}]"), whole));
                }
            }
            (Self::Items(wanted), _) => wrong(format!("a list of {} items", wanted.len())),
            (Self::Members(wanted), Some(Value::Object(members))) => {
                for (name, pattern) in wanted {
                    let at = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    found.extend(pattern.check(members.get(name), &at, whole));
                }
            }
            // Members that must be absent are absent from nothing.
            (Self::Members(wanted), None) if wanted.iter().all(|(_, p)| p.fits(None, whole)) => {}
            (Self::Members(wanted), _) => {
                let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
                wrong(format!("an object with {}", names.join(", ")));
            }
            (Self::Rules(rules), seen) => {
                for rule in rules {
                    rule.compare(seen, at, whole, found);
                }
            }
        }
    }
}

impl Rule {
    fn read(name: &str, value: &Value) -> Result<Self, String> {
        let wrong = |what: &str| format!("{name} takes {what}, got {}", shown(Some(value)));
        let patterns = || {
            value
                .as_array()
                .ok_or_else(|| wrong("a list of patterns"))
                .and_then(|items| read_all(items))
        };
        let text = |what: &str| value.as_str().map(str::to_owned).ok_or_else(|| wrong(what));
        Ok(match name {
            "$all" => Self::All(patterns()?),
            "$any" => Self::Any(patterns()?),
            "$contains" => Self::Contains(Pattern::read(value)?),
            "$distinct" => Self::Distinct(text("a JSON pointer")?),
            "$each" => Self::Each(Pattern::read(value)?),
            "$length" => Self::Length(Pattern::read(value)?),
            "$max" => Self::Max(value.as_f64().ok_or_else(|| wrong("a number"))?),
            "$min" => Self::Min(value.as_f64().ok_or_else(|| wrong("a number"))?),
            "$not" => Self::Not(Pattern::read(value)?),
            "$present" => Self::Present(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "$re" => Self::Re(
                Regex::new(&text("a regular expression")?)
                    .map_err(|why| format!("{name}: {why}"))?,
            ),
            "$same_as" => Self::SameAs(text("a JSON pointer")?),
            _ => {
                return Err(format!(
                    "there is no rule {name}; members and rules cannot stand side by side either"
                ));
            }
        })
    }

    fn compare(&self, seen: Option<&Value>, at: &str, whole: &Value, found: &mut Vec<Mismatch>) {
        let expected = match self {
            Self::All(patterns) => {
                for pattern in patterns {
                    found.extend(pattern.check(seen, at, whole));
                }
                return;
            }
            Self::Each(pattern) => {
                if let Some(Value::Array(items)) = seen {
                    for (index, item) in items.iter().enumerate() {
                        found.extend(pattern.check(Some(item), &format!("{at}[{index}]"), whole));
                    }
                    return;
                }
                "a list".to_owned()
            }
            Self::Length(pattern) => {
                let length = match seen {
                    Some(Value::Array(items)) => Some(items.len()),
                    Some(Value::String(text)) => Some(text.chars().count()),
                    _ => None,
                };
                if let Some(length) = length {
                    found.extend(pattern.check(
                        Some(&length.into()),
                        &format!("length of {at}"),
                        whole,
                    ));
                    return;
                }
                "a list or a text".to_owned()
            }
            other => match other.expectation(seen, whole) {
                None => return,
                Some(expected) => expected,
            },
        };
        found.push(Mismatch {
            at: at.to_owned(),
            expected,
            got: shown(seen),
        });
    }

    /// What was expected, where the rule does not fit.
    fn expectation(&self, seen: Option<&Value>, whole: &Value) -> Option<String> {
        let number = seen.and_then(Value::as_f64);
        let (fits, expected) = match self {
            Self::Any(patterns) => (
                patterns.iter().any(|p| p.fits(seen, whole)),
                format!("any of {patterns:?}"),
            ),
            Self::Contains(pattern) => {
                let fits = match (seen, pattern) {
                    (Some(Value::String(text)), Pattern::Equals(Value::String(part))) => {
                        text.contains(part)
                    }
                    (Some(Value::Array(items)), pattern) => {
                        items.iter().any(|item| pattern.fits(Some(item), whole))
                    }
                    _ => false,
                };
                (fits, format!("something with {pattern:?} in it"))
            }
            Self::Distinct(pointer) => {
                let mut values: Vec<String> = seen
                    .and_then(Value::as_array)
                    .map(|items| {
                        items
                            .iter()
                            .map(|item| shown(item.pointer(pointer)))
                            .collect()
                    })
                    .unwrap_or_default();
                let count = values.len();
                values.sort_unstable();
                values.dedup();
                (
                    seen.is_some_and(Value::is_array) && values.len() == count,
                    format!("no two items with the same {pointer}"),
                )
            }
            Self::Max(most) => (
                number.is_some_and(|number| number <= *most),
                format!("at most {most}"),
            ),
            Self::Min(least) => (
                number.is_some_and(|number| number >= *least),
                format!("at least {least}"),
            ),
            Self::Not(pattern) => (
                !pattern.fits(seen, whole),
                format!("anything but {pattern:?}"),
            ),
            Self::Present(wanted) => (
                seen.is_some() == *wanted,
                if *wanted { "something" } else { "nothing" }.to_owned(),
            ),
            Self::Re(regex) => {
                let fits = seen
                    .and_then(Value::as_str)
                    .is_some_and(|text| regex.is_match(text));
                (fits, format!("a text that matches {:?}", regex.as_str()))
            }
            Self::SameAs(pointer) => {
                let other = whole.pointer(pointer).filter(|value| !value.is_null());
                let fits = matches!((seen, other), (Some(a), Some(b)) if same(a, b));
                (fits, format!("{}, as at {pointer}", shown(other)))
            }
            // Dealt with by `compare`.
            Self::All(_) | Self::Each(_) | Self::Length(_) => (true, String::new()),
        };
        (!fits).then_some(expected)
    }
}

fn read_all(items: &[Value]) -> Result<Vec<Pattern>, String> {
    items.iter().map(Pattern::read).collect()
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// A value on one line, at most 300 characters.
pub(crate) fn shown(value: Option<&Value>) -> String {
    const MOST: usize = 300;
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!(
            "{}… ({} characters)",
            text.get(..end).unwrap_or_default(),
            text.chars().count()
        ),
        None => text,
    }
}

/// Whether `name` may be a member that holds a pattern: used to find slips of the pen in scenarios.
pub(crate) fn check_members(
    members: &Map<String, Value>,
    known: &[&str],
    what: &str,
) -> Result<(), String> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!(
            "{what} has no {name:?}; it has {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mismatches(pattern: Value, seen: Value) -> Vec<String> {
        let whole = json!({"wire": [{"request_id": "r1"}]});
        Pattern::read(&pattern)
            .unwrap()
            .check(Some(&seen), "x", &whole)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn fits(pattern: Value, seen: Value) -> bool {
        mismatches(pattern, seen).is_empty()
    }

    #[test]
    fn plain_values_are_compared() {
        assert!(fits(json!(1), json!(1.0)));
        assert!(
            fits(json!("a"), json!("a"))
                && !fits(json!("a"), json!("b"))
                && !fits(json!(1), json!("1"))
        );
        assert!(fits(json!(null), json!(null)) && !fits(json!(null), json!(0)));
        assert_eq!(
            mismatches(json!({"a": {"b": 1}}), json!({"a": {"b": 2}})),
            ["x.a.b: got 2 when expecting 1"]
        );
    }

    #[test]
    fn objects_are_subsets_and_lists_are_whole() {
        assert!(fits(json!({"a": 1}), json!({"a": 1, "b": 2})));
        assert!(!fits(json!({"a": 1}), json!({})));
        assert!(fits(json!({"a": null}), json!({})));
        assert!(fits(json!([1, {"a": 1}]), json!([1, {"a": 1, "b": 2}])));
        assert_eq!(
            mismatches(json!([1]), json!([1, 2])),
            ["x: got [1,2] when expecting 1 items"]
        );
    }

    #[test]
    fn rules_say_what_they_expected() {
        assert!(fits(json!({"$min": 2, "$max": 3}), json!(2.5)));
        assert_eq!(
            mismatches(json!({"$min": 2}), json!(1)),
            ["x: got 1 when expecting at least 2"]
        );
        assert_eq!(
            mismatches(json!({"$re": "^a+$"}), json!("b")),
            ["x: got \"b\" when expecting a text that matches \"^a+$\""]
        );
        assert!(
            fits(json!({"$any": [1, "a"]}), json!("a"))
                && !fits(json!({"$any": [1, "a"]}), json!(2))
        );
        assert!(
            fits(json!({"$contains": "b"}), json!("abc"))
                && fits(json!({"$contains": {"a": 1}}), json!([{"a": 1}]))
        );
        assert!(fits(
            json!({"$each": {"$min": 1}, "$length": 2}),
            json!([1, 2])
        ));
        assert!(fits(
            json!({"$distinct": "/id"}),
            json!([{"id": 1}, {"id": 2}])
        ));
        assert!(!fits(json!({"$distinct": ""}), json!([1, 1])));
        assert!(fits(
            json!({"$not": {"$contains": "secret"}}),
            json!("fine")
        ));
        assert!(
            fits(json!({"a": {"$present": false}}), json!({}))
                && !fits(json!({"a": {"$present": true}}), json!({}))
        );
        assert!(fits(json!({"$same_as": "/wire/0/request_id"}), json!("r1")));
        assert!(!fits(
            json!({"$same_as": "/wire/9/request_id"}),
            json!("r1")
        ));
        assert!(fits(json!({"$all": [{"$min": 1}, {"$max": 2}]}), json!(1)));
    }

    #[test]
    fn a_rule_about_something_that_is_not_there_does_not_fit() {
        let pattern = Pattern::read(&json!({"a": {"$max": 5}})).unwrap();
        assert_eq!(pattern.check(Some(&json!({})), "", &Value::Null).len(), 1);
    }

    #[test]
    fn slips_of_the_pen_are_found_when_reading() {
        for wrong in [
            json!({"$mim": 1}),
            json!({"$min": "1"}),
            json!({"$re": "("}),
            json!({"$min": 1, "a": 1}),
            json!({"$any": 1}),
        ] {
            assert!(Pattern::read(&wrong).is_err(), "{wrong}");
        }
    }
}
