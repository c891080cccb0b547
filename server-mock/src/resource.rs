//! The records tenants own: contacts and users, their fields and rules, and how each is written as JSON.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer as _};
use serde_json::{Map, Value};

use crate::clock::NS;
use crate::op::Kind;
use crate::openapi::Schemas;
use crate::openapi::schema::{self, AnySchema, described, or_null, pattern, refer};
use crate::problem::FieldError;
use crate::stable_hash::stable_hash;
use crate::timestamp::rfc3339;

/// Records of one kind a tenant may have.
pub(crate) const MAX_RECORDS: usize = 100_000;
/// 2025-01-01T00:00:00Z, when the first seeded record was created; each next one is a minute later.
const SEEDED_FROM: u64 = 1_735_689_600 * NS;

/// A rule for a field of a record. All fields are text.
struct Field {
    name: &'static str,
    required: bool,
    /// Left out of the JSON when it was never given, instead of `null`.
    hidden_when_absent: bool,
    default: Option<&'static str>,
    check: Check,
}

enum Check {
    Email,
    OneOf(&'static [&'static str]),
    Text,
}

const MAX_TEXT_CHARS: usize = 500;

const fn field(name: &'static str, required: bool, check: Check) -> Field {
    Field {
        name,
        required,
        hidden_when_absent: false,
        default: None,
        check,
    }
}

static CONTACT: [Field; 4] = [
    field("name", true, Check::Text),
    field("email", false, Check::Email),
    field("company", false, Check::Text),
    Field {
        name: "external_id",
        required: false,
        hidden_when_absent: true,
        default: None,
        check: Check::Text,
    },
];

static USER: [Field; 3] = [
    field("name", true, Check::Text),
    field("email", true, Check::Email),
    Field {
        name: "role",
        required: false,
        hidden_when_absent: false,
        default: Some("member"),
        check: Check::OneOf(&["admin", "member", "viewer"]),
    },
];

/// The values of a record's fields, in the order of the kind's rules.
type Values = Vec<Option<String>>;

/// One record, with its JSON and entity tag made when it was written.
pub(crate) struct Record {
    pub(crate) number: u64,
    version: u64,
    created_ns: u64,
    /// When it was last changed.
    pub(crate) updated_ns: u64,
    values: Values,
    pub(crate) json: Bytes,
    pub(crate) etag: HeaderValue,
}

/// A record as its row has it; what is made from it is not kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptRecord {
    version: u64,
    created_ns: u64,
    updated_ns: u64,
    values: Values,
}

impl Kind {
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Contacts => &CONTACT,
            Self::Users => &USER,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Contacts => "ct_",
            Self::Users => "us_",
        }
    }

    /// `ct_000001`.
    pub(crate) fn id(self, number: u64) -> String {
        format!("{}{number:06}", self.prefix())
    }

    /// The number in an id; ids are only known in the form they are written.
    pub(crate) fn number(self, id: &str) -> Option<u64> {
        let digits = id.strip_prefix(self.prefix())?;
        if digits.len() < 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u64 = digits.parse().ok()?;
        (digits.len() == 6 || number > 999_999).then_some(number)
    }

    /// `contact`, for messages and event types.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Users => "user",
        }
    }

    /// Reads the fields for a whole record, or says all that is wrong with them.
    pub(crate) fn values(self, body: &Map<String, Value>) -> Result<Values, Vec<FieldError>> {
        self.merge(vec![None; self.fields().len()], body, true)
    }

    /// Applies a merge patch (RFC 7396): `null` removes, what is left out stays.
    fn merge(
        self,
        mut values: Values,
        patch: &Map<String, Value>,
        whole: bool,
    ) -> Result<Values, Vec<FieldError>> {
        let mut errors = Vec::new();
        for (field, value) in self.fields().iter().zip(values.iter_mut()) {
            match patch.get(field.name) {
                None if whole && field.required => errors.push(field.required_error()),
                None if whole => *value = field.default.map(Into::into),
                None => {}
                Some(Value::Null) if field.required => errors.push(field.required_error()),
                Some(Value::Null) => *value = field.default.map(Into::into),
                Some(Value::String(text)) => match field.fault(text) {
                    Some((code, detail)) => errors.push(field.error(code, detail)),
                    None => *value = Some(text.clone()),
                },
                Some(_) => errors.push(field.error("wrong_type", "must be a string".into())),
            }
        }
        if errors.is_empty() {
            Ok(values)
        } else {
            Err(errors)
        }
    }
}

impl Field {
    fn error(&self, code: &'static str, detail: String) -> FieldError {
        FieldError {
            pointer: format!("/{}", self.name),
            code,
            detail,
        }
    }

    fn required_error(&self) -> FieldError {
        self.error("required", format!("{} is required", self.name))
    }

    fn fault(&self, text: &str) -> Option<(&'static str, String)> {
        if self.required && text.trim().is_empty() {
            return Some(("required", format!("{} must not be empty", self.name)));
        }
        if text.chars().count() > MAX_TEXT_CHARS {
            return Some((
                "too_long",
                format!("must be at most {MAX_TEXT_CHARS} characters"),
            ));
        }
        match self.check {
            Check::Text => None,
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
        }
    }
}

/// Which of a kind's three schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// What a client sends for a whole record.
    New,
    /// A merge patch.
    Patch,
    /// What the gateway answers.
    Whole,
}

impl Kind {
    /// The name of a schema in the document.
    pub(crate) fn schema(self, shape: Shape) -> String {
        let name = match self {
            Self::Contacts => "Contact",
            Self::Users => "User",
        };
        match shape {
            Shape::New => format!("New{name}"),
            Shape::Patch => format!("{name}Patch"),
            Shape::Whole => name.into(),
        }
    }

    /// The group in the document.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Contacts => "Contacts",
            Self::Users => "Users",
        }
    }

    /// The first seeded record.
    pub(crate) fn example(self) -> Value {
        let seeds = Collection::seeded(self);
        let first = seeds.records.values().next();
        first.map_or(Value::Null, |record| {
            serde_json::from_slice(&record.json).unwrap_or_default()
        })
    }

    /// What a client sends for it.
    pub(crate) fn example_body(self) -> Value {
        let mut example = self.example();
        if let Value::Object(members) = &mut example {
            members.retain(|name, _| self.fields().iter().any(|field| field.name == name));
        }
        example
    }
}

impl Field {
    /// The schema of a value the client sends, or of one it gets.
    fn schema(&self, shape: Shape) -> AnySchema {
        let schema = match self.check {
            Check::Email => schema::format("email").max_length(Some(MAX_TEXT_CHARS)),
            Check::OneOf(words) => schema::word(words),
            Check::Text if self.required => pattern("\\S").max_length(Some(MAX_TEXT_CHARS)),
            Check::Text => schema::text_of(0, MAX_TEXT_CHARS),
        };
        let always = self.required || (shape == Shape::Whole && self.default.is_some());
        if always {
            schema.into()
        } else {
            or_null(schema)
        }
    }
}

/// The schemas of records, made from the same rules that check them.
pub(crate) fn schemas(schemas: &mut Schemas) {
    for kind in [Kind::Contacts, Kind::Users] {
        for shape in [Shape::New, Shape::Patch] {
            let object = kind
                .fields()
                .iter()
                .fold(schema::object([]), |object, field| {
                    let object = object.property(field.name, field.schema(shape));
                    if field.required && shape == Shape::New {
                        object.required(field.name)
                    } else {
                        object
                    }
                });
            schemas.add(kind.schema(shape), object);
        }
        let id = pattern(&format!("^{}[0-9]{{6,}}$", kind.prefix()));
        let whole = schema::object([("id", described(id, "made by the gateway"))]);
        let whole = kind.fields().iter().fold(whole, |object, field| {
            let object = object.property(field.name, field.schema(Shape::Whole));
            if field.hidden_when_absent {
                object
            } else {
                object.required(field.name)
            }
        });
        let whole = ["created_at", "updated_at"]
            .into_iter()
            .fold(whole, |object, name| {
                object
                    .property(name, schema::format("date-time"))
                    .required(name)
            })
            .property("version", schema::integer(1, i64::MAX))
            .required("version");
        schemas.add(kind.schema(Shape::Whole), whole);
        let page = schema::object([
            (
                "data",
                schema::list(refer(&kind.schema(Shape::Whole))).into(),
            ),
            ("next_cursor", or_null(schema::text())),
            ("has_more", schema::boolean().into()),
        ]);
        schemas.add(format!("{}List", kind.schema(Shape::Whole)), page);
    }
}

impl Record {
    fn new(
        kind: Kind,
        number: u64,
        version: u64,
        created_ns: u64,
        updated_ns: u64,
        values: Values,
    ) -> Self {
        let json = Bytes::from(write_json(
            kind, number, version, created_ns, updated_ns, &values,
        ));
        let tag = format!("\"v{version}-{:016x}\"", stable_hash(&[&json]));
        Self {
            number,
            version,
            created_ns,
            updated_ns,
            values,
            etag: HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"0\"")),
            json,
        }
    }

    /// The client's own id for the record, by which doubled side effects are found.
    pub(crate) fn external_id(&self, kind: Kind) -> Option<&str> {
        let at = kind
            .fields()
            .iter()
            .position(|field| field.name == "external_id")?;
        self.values.get(at)?.as_deref()
    }
}

/// The record as JSON, members in the order a reader expects them.
fn write_json(
    kind: Kind,
    number: u64,
    version: u64,
    created_ns: u64,
    updated_ns: u64,
    values: &Values,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut text);
    let written = (|| {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("id", &kind.id(number))?;
        for (field, value) in kind.fields().iter().zip(values) {
            if value.is_some() || !field.hidden_when_absent {
                members.serialize_entry(field.name, value)?;
            }
        }
        members.serialize_entry("created_at", &rfc3339(created_ns))?;
        members.serialize_entry("updated_at", &rfc3339(updated_ns))?;
        members.serialize_entry("version", &version)?;
        members.end()
    })();
    debug_assert!(written.is_ok(), "writing text to memory cannot fail");
    text
}

/// The records of one kind of one tenant, in order of creation.
pub(crate) struct Collection {
    kind: Kind,
    next: u64,
    records: BTreeMap<u64, Arc<Record>>,
}

impl Collection {
    /// The records every tenant starts with: 45 contacts or 5 users, the same everywhere.
    pub(crate) fn seeded(kind: Kind) -> Self {
        let seeds = seeded(kind);
        Self {
            kind,
            next: seeds.len() as u64 + 1,
            records: seeds
                .iter()
                .map(|record| (record.number, Arc::clone(record)))
                .collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Record>> {
        self.records.get(&self.kind.number(id)?)
    }

    /// Up to `limit` records after the one numbered `after`, and whether there are more.
    pub(crate) fn page(&self, after: u64, limit: usize) -> (Vec<&Arc<Record>>, bool) {
        let mut rest = self
            .records
            .range((Bound::Excluded(after), Bound::Unbounded));
        let page: Vec<_> = rest
            .by_ref()
            .take(limit)
            .map(|(_, record)| record)
            .collect();
        (page, rest.next().is_some())
    }

    pub(crate) fn create(&mut self, values: Values, now_ns: u64) -> Arc<Record> {
        let record = Arc::new(Record::new(self.kind, self.next, 1, now_ns, now_ns, values));
        self.next += 1;
        self.records.insert(record.number, Arc::clone(&record));
        record
    }

    /// Writes the next version of `record`, from a whole body or from a patch.
    pub(crate) fn change(
        &mut self,
        record: &Record,
        body: &Map<String, Value>,
        whole: bool,
        now_ns: u64,
    ) -> Result<Arc<Record>, Vec<FieldError>> {
        let values = self.kind.merge(record.values.clone(), body, whole)?;
        let next = Arc::new(Record::new(
            self.kind,
            record.number,
            record.version + 1,
            record.created_ns,
            now_ns,
            values,
        ));
        self.records.insert(next.number, Arc::clone(&next));
        Ok(next)
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.records.remove(&number);
    }

    /// The number the next record gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn set_next(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// The record of this number as its row has it.
    pub(crate) fn kept(&self, number: u64) -> Option<KeptRecord> {
        let record = self.records.get(&number)?;
        Some(KeptRecord {
            version: record.version,
            created_ns: record.created_ns,
            updated_ns: record.updated_ns,
            values: record.values.clone(),
        })
    }

    /// Puts a record back as its row has it.
    pub(crate) fn restore(&mut self, number: u64, kept: KeptRecord) {
        let KeptRecord {
            version,
            created_ns,
            updated_ns,
            mut values,
        } = kept;
        values.resize(self.kind.fields().len(), None);
        let record = Record::new(self.kind, number, version, created_ns, updated_ns, values);
        self.next = self.next.max(number.saturating_add(1));
        self.records.insert(number, Arc::new(record));
    }

    /// Whether the record of this number is one of those every tenant starts with.
    pub(crate) fn is_first(&self, number: u64) -> bool {
        (1..=seeded(self.kind).len() as u64).contains(&number)
    }

    /// Whether it is as every tenant starts with it.
    pub(crate) fn is_untouched(&self) -> bool {
        self.next == seeded(self.kind).len() as u64 + 1 && self.changed().next().is_none()
    }

    /// The numbers of the records that are not as every tenant starts with them, those that are gone too.
    pub(crate) fn changed(&self) -> impl Iterator<Item = u64> {
        let firsts = seeded(self.kind);
        let gone = firsts
            .iter()
            .map(|record| record.number)
            .filter(|number| !self.records.contains_key(number));
        let others = self.records.iter().filter_map(move |(number, record)| {
            let mut firsts = firsts.iter();
            let same = firsts.any(|first| Arc::ptr_eq(first, record));
            (!same).then_some(*number)
        });
        gone.chain(others)
    }
}

/// The records every tenant starts with, made once.
fn seeded(kind: Kind) -> &'static [Arc<Record>] {
    static CONTACTS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    static USERS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    match kind {
        Kind::Contacts => CONTACTS.get_or_init(|| seeds(kind, 45)),
        Kind::Users => USERS.get_or_init(|| seeds(kind, 5)),
    }
}

const FIRST: [&str; 9] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Edsger",
    "Frances",
    "Grace",
    "Katherine",
    "Niklaus",
];
const LAST: [&str; 5] = ["Byron", "Hopper", "Liskov", "Shannon", "Wirth"];
const COMPANY: [&str; 4] = ["Acme", "Globex", "Initech", "Umbrella"];

/// 45 pairs of 9 first and 5 last names: 9 and 5 share no factor, so no pair repeats.
fn seeds(kind: Kind, count: u64) -> Vec<Arc<Record>> {
    let at = |list: &'static [&'static str], n: u64| -> &'static str {
        list.get(n as usize % list.len()).copied().unwrap_or("")
    };
    (1..=count)
        .map(|number| {
            let (first, last) = (at(&FIRST, number - 1), at(&LAST, number - 1));
            let email = format!(
                "{}.{}@example.com",
                first.to_lowercase(),
                last.to_lowercase()
            );
            let third = match kind {
                Kind::Contacts => at(&COMPANY, number - 1),
                Kind::Users => at(&["admin", "member"], (number - 1).min(1)),
            };
            let mut values = vec![
                Some(format!("{first} {last}")),
                Some(email),
                Some(third.into()),
            ];
            values.resize(kind.fields().len(), None);
            let created = SEEDED_FROM + (number - 1) * 60 * NS;
            Arc::new(Record::new(kind, number, 1, created, created, values))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn seeded_names_are_distinct_and_always_the_same() {
        let contacts = Collection::seeded(Kind::Contacts);
        let names: BTreeSet<_> = contacts
            .records
            .values()
            .map(|record| record.values[0].clone())
            .collect();
        assert_eq!((contacts.len(), names.len()), (45, 45));
        let first: Value =
            serde_json::from_slice(&contacts.find("ct_000001").unwrap().json).unwrap();
        assert_eq!(
            first,
            serde_json::json!({
                "id": "ct_000001", "name": "Ada Byron", "email": "ada.byron@example.com", "company": "Acme",
                "created_at": "2025-01-01T00:00:00.000Z", "updated_at": "2025-01-01T00:00:00.000Z", "version": 1
            })
        );
        assert_eq!(Collection::seeded(Kind::Users).len(), 5);
    }

    #[test]
    fn ids_are_known_only_as_written() {
        assert_eq!(Kind::Contacts.number("ct_000001"), Some(1));
        assert_eq!(Kind::Contacts.number("ct_1000000"), Some(1_000_000));
        for wrong in [
            "ct_1",
            "ct_0000001",
            "us_000001",
            "ct_00000x",
            "ct_99999999999999999999999",
        ] {
            assert_eq!(Kind::Contacts.number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let body = serde_json::json!({"email": "nobody", "company": 3});
        let errors = Kind::Contacts
            .values(body.as_object().unwrap())
            .unwrap_err();
        let seen: Vec<_> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        assert_eq!(
            seen,
            [
                ("/name", "required"),
                ("/email", "invalid_email"),
                ("/company", "wrong_type")
            ]
        );
    }
}
