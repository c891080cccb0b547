//! The rules for the fields of records, and how a merge patch (RFC 7396) is applied to them.

use serde_json::{Map, Value};

use crate::op::Kind;
use crate::parameter::digits;
use crate::problem::FieldError;
use crate::timestamp::is_date;

/// Characters of a text.
pub(crate) const MAX_TEXT_CHARS: usize = 500;
/// Labels of a record, and characters of each name and value.
pub(super) const MAX_LABELS: usize = 20;
pub(super) const MAX_LABEL_CHARS: usize = 100;
/// Records that one names in a field.
pub(super) const MAX_REFERENCES: usize = 100;
/// The largest sum, so that sums of many stay exact in every language.
pub(super) const MAX_AMOUNT: u64 = 1_000_000_000_000;

/// A rule for a field of a record.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    /// Left out of the JSON when it was never given, instead of `null`.
    pub(super) hidden_when_absent: bool,
    pub(super) default: Option<&'static str>,
    pub(super) check: Check,
}

/// What a field's values look like.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// A whole number from 0 to [`MAX_AMOUNT`].
    Amount,
    /// `2026-11-01`.
    Date,
    Email,
    /// Texts by name.
    Labels,
    OneOf(&'static [&'static str]),
    /// The id of a record.
    Reference(Kind),
    /// Ids of records, each once.
    References(Kind),
    Text,
    /// JSON that the gateway keeps with the record and does not show as a field.
    Unseen,
}

const fn field(name: &'static str, required: bool, check: Check) -> Field {
    Field {
        name,
        required,
        hidden_when_absent: false,
        default: None,
        check,
    }
}

pub(super) static CONTACT: [Field; 4] = [
    field("name", true, Check::Text),
    field("email", false, Check::Email),
    field("company", false, Check::Text),
    Field {
        hidden_when_absent: true,
        ..field("external_id", false, Check::Text)
    },
];

/// What a client asks of a job, and what only the gateway writes: `status`, and what the job will come to.
pub(super) static JOB: [Field; 5] = [
    field("kind", true, Check::Text),
    Field {
        default: Some("running"),
        ..field("status", false, Check::OneOf(&crate::jobs::STATUSES))
    },
    field("takes_ms", false, Check::Amount),
    Field {
        hidden_when_absent: true,
        ..field("external_id", false, Check::Text)
    },
    field("outcome", false, Check::Unseen),
];

pub(super) static PROJECT: [Field; 8] = [
    field("name", true, Check::Text),
    field("description", false, Check::Text),
    Field {
        default: Some("planned"),
        ..field(
            "status",
            false,
            Check::OneOf(&["planned", "active", "done"]),
        )
    },
    field("owner_id", false, Check::Reference(Kind::Users)),
    field("contact_ids", false, Check::References(Kind::Contacts)),
    field("due_on", false, Check::Date),
    field("budget_cents", false, Check::Amount),
    field("labels", false, Check::Labels),
];

pub(super) static USER: [Field; 3] = [
    field("name", true, Check::Text),
    field("email", true, Check::Email),
    Field {
        default: Some("member"),
        ..field("role", false, Check::OneOf(&["admin", "member", "viewer"]))
    },
];

/// The values of a record's fields, in the order of the kind's rules; `null` for none.
pub(crate) type Values = Vec<Value>;

/// Applies a merge patch: `null` removes, what is left out stays, unless the body is meant to be whole.
pub(super) fn merge(
    fields: &[Field],
    mut values: Values,
    patch: &Map<String, Value>,
    whole: bool,
) -> Result<Values, Vec<FieldError>> {
    let mut errors = Vec::new();
    values.resize(fields.len(), Value::Null);
    for (field, value) in fields.iter().zip(values.iter_mut()) {
        match patch.get(field.name) {
            None | Some(Value::Null)
                if field.required && (whole || patch.contains_key(field.name)) =>
            {
                errors.push(field.error("required", format!("{} is required", field.name)));
            }
            None if whole => *value = field.absent(),
            None => {}
            Some(Value::Null) => *value = field.absent(),
            Some(given) => {
                let before = if whole { Value::Null } else { value.take() };
                *value = field.taken(before, given, &mut errors);
            }
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

impl Field {
    fn error(&self, code: &'static str, detail: String) -> FieldError {
        self.error_at("", code, detail)
    }

    /// An error inside of the field's value, such as at `/3`.
    pub(super) fn error_at(&self, within: &str, code: &'static str, detail: String) -> FieldError {
        FieldError {
            pointer: format!("/{}{within}", self.name),
            code,
            detail,
        }
    }

    /// What the field has when nothing was given.
    fn absent(&self) -> Value {
        match self.check {
            Check::References(_) => Value::Array(Vec::new()),
            Check::Labels => Value::Object(Map::new()),
            _ => self.default.map_or(Value::Null, Value::from),
        }
    }

    /// The value a patch leads to, or what is wrong with it.
    fn taken(&self, before: Value, given: &Value, errors: &mut Vec<FieldError>) -> Value {
        match (self.check, given) {
            (Check::Unseen, _) => given.clone(),
            (Check::Labels, Value::Object(patch)) => self.labels(before, patch, errors),
            (Check::References(_), Value::Array(ids)) => {
                self.references(ids, errors);
                given.clone()
            }
            (Check::Amount, Value::Number(number)) => {
                let whole = number.as_f64().filter(|number| number.fract() == 0.0);
                let good = whole.filter(|number| (0.0..=MAX_AMOUNT as f64).contains(number));
                match good {
                    // Exact: at most 10^12, far below 2^53.
                    Some(amount) => return Value::from(amount as u64),
                    None => errors.push(self.error(
                        "out_of_range",
                        format!("must be a whole number from 0 to {MAX_AMOUNT}"),
                    )),
                }
                Value::Null
            }
            (
                Check::Text | Check::Email | Check::OneOf(_) | Check::Date | Check::Reference(_),
                Value::String(text),
            ) => {
                if let Some((code, detail)) = self.fault(text) {
                    errors.push(self.error(code, detail));
                }
                given.clone()
            }
            _ => {
                let kind = match self.check {
                    Check::Amount => "a whole number",
                    Check::Labels => "an object",
                    Check::References(_) => "a list",
                    _ => "a string",
                };
                errors.push(self.error("wrong_type", format!("must be {kind}")));
                Value::Null
            }
        }
    }

    /// What is wrong with a text.
    fn fault(&self, text: &str) -> Option<(&'static str, String)> {
        if self.required && text.chars().all(is_blank) {
            return Some(("required", format!("{} must not be empty", self.name)));
        }
        if text.chars().count() > MAX_TEXT_CHARS {
            return Some(too_long(MAX_TEXT_CHARS));
        }
        match self.check {
            Check::Email => {
                let good = text
                    .split_once('@')
                    .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
                (!good).then(|| ("invalid_email", "must be an e-mail address".into()))
            }
            Check::OneOf(words) => (!words.contains(&text)).then(|| {
                (
                    "invalid_choice",
                    format!("must be one of {}", words.join(", ")),
                )
            }),
            Check::Date => (!is_date(text))
                .then(|| ("invalid_date", "must be a date such as 2026-11-01".into())),
            _ => None,
        }
    }

    /// Refuses a text that no value of the field can be.
    pub(super) fn check_filter(&self, text: &str) -> Result<(), String> {
        let fault = match self.check {
            Check::Amount => {
                let amount = digits(text);
                let good = amount.is_some_and(|amount| amount <= MAX_AMOUNT);
                (!good).then(|| format!("must be a whole number from 0 to {MAX_AMOUNT}"))
            }
            Check::Reference(of) | Check::References(of) => of
                .number(text)
                .is_none()
                .then(|| format!("must be the id of a {}", of.singular())),
            Check::OneOf(_) | Check::Date => self.fault(text).map(|(_, detail)| detail),
            Check::Email | Check::Labels | Check::Text | Check::Unseen => {
                let long = text.chars().count() > MAX_TEXT_CHARS;
                long.then(|| too_long(MAX_TEXT_CHARS).1)
            }
        };
        fault.map_or(Ok(()), Err)
    }

    fn labels(
        &self,
        before: Value,
        patch: &Map<String, Value>,
        errors: &mut Vec<FieldError>,
    ) -> Value {
        let mut labels = match before {
            Value::Object(labels) => labels,
            _ => Map::new(),
        };
        for (name, given) in patch {
            let within = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            match given {
                Value::Null => drop(labels.remove(name)),
                Value::String(text) => {
                    if name.is_empty() {
                        let detail = "a label has a name".into();
                        errors.push(self.error_at(&within, "required", detail));
                    }
                    if [name, text]
                        .iter()
                        .any(|text| text.chars().count() > MAX_LABEL_CHARS)
                    {
                        let (code, detail) = too_long(MAX_LABEL_CHARS);
                        errors.push(self.error_at(&within, code, detail));
                    }
                    labels.insert(name.clone(), given.clone());
                }
                _ => {
                    let detail = "must be a string".into();
                    errors.push(self.error_at(&within, "wrong_type", detail));
                }
            }
        }
        if labels.len() > MAX_LABELS {
            errors.push(self.error("too_many", format!("there are at most {MAX_LABELS} labels")));
        }
        Value::Object(labels)
    }

    fn references(&self, ids: &[Value], errors: &mut Vec<FieldError>) {
        if ids.len() > MAX_REFERENCES {
            errors.push(self.error("too_many", format!("there are at most {MAX_REFERENCES}")));
            return;
        }
        for (at, id) in ids.iter().enumerate() {
            let (code, detail) = match id {
                Value::String(_) if ids.iter().take(at).any(|other| other == id) => {
                    ("duplicate", "is there twice")
                }
                Value::String(_) => continue,
                _ => ("wrong_type", "must be a string"),
            };
            errors.push(self.error_at(&format!("/{at}"), code, detail.into()));
        }
    }
}

fn too_long(most: usize) -> (&'static str, String) {
    ("too_long", format!("must be at most {most} characters"))
}

/// White space as Unicode has it, and the separators of ASCII: first and last of those that follow each other. What `\s`
/// means depends on who reads it: the document lists them.
const BLANKS: [(char, char); 10] = [
    ('\t', '\r'),
    ('\u{1c}', ' '),
    ('\u{85}', '\u{85}'),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

fn is_blank(c: char) -> bool {
    BLANKS.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// The regular expression of a text that has something in it: a character that is not blank.
pub(crate) fn filled_pattern() -> String {
    let ranges = BLANKS.map(|(from, to)| format!("\\u{:04x}-\\u{:04x}", from as u32, to as u32));
    format!("[^{}]", ranges.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_white_space_is_blank_and_so_are_the_separators_of_ascii() {
        for c in '\0'..=char::MAX {
            let expected = c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
            assert_eq!(is_blank(c), expected, "{c:?}");
        }
    }

    #[test]
    fn the_pattern_lists_what_is_blank() {
        assert_eq!(
            filled_pattern(),
            "[^\\u0009-\\u000d\\u001c-\\u0020\\u0085-\\u0085\\u00a0-\\u00a0\\u1680-\\u1680\\u2000-\\u200a\\u2028-\\u2029\\u202f-\\u202f\\u205f-\\u205f\\u3000-\\u3000]"
        );
    }
}
