//! The records tenants own: contacts, users, projects and jobs, and how each is written as JSON.
//!
//! Their fields and rules are in `field.rs`; the document's schemas are made from the same rules in `schemas.rs`.

mod field;
mod schemas;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer as _};
use serde_json::{Map, Value, json};

use crate::api_version::ApiVersion;
use crate::clock::NS;
use crate::op::Kind;
use crate::problem::FieldError;
use crate::stable_hash::stable_hash;
use crate::timestamp::rfc3339;
pub(crate) use field::MAX_TEXT_CHARS;
pub(crate) use field::Values;
use field::{CONTACT, Check, Field, JOB, PROJECT, USER};
pub(crate) use schemas::{Shape, filled, id_pattern, older, schemas};

/// Records of one kind a tenant may have.
pub(crate) const MAX_RECORDS: usize = 100_000;
/// 2025-01-01T00:00:00Z, when the first seeded record was created; each next one is a minute later.
const SEEDED_FROM: u64 = 1_735_689_600 * NS;

/// One record, with its JSON and entity tag made when it was written.
pub(crate) struct Record {
    pub(crate) number: u64,
    version: u64,
    pub(crate) created_ns: u64,
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
            Self::Jobs => &JOB,
            Self::Projects => &PROJECT,
            Self::Users => &USER,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Contacts => "ct_",
            Self::Jobs => "jb_",
            Self::Projects => "pj_",
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
        if !(6..=19).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u64 = digits.parse().ok()?;
        (digits.len() == 6 || number > 999_999).then_some(number)
    }

    /// `contact`, for messages and event types.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Jobs => "job",
            Self::Projects => "project",
            Self::Users => "user",
        }
    }

    /// The fields that clients write, by name.
    pub(crate) fn field_names(self) -> impl Iterator<Item = &'static str> {
        self.fields().iter().map(|field| field.name)
    }

    /// Whether lists can be sorted by a field, and filtered by what it is.
    pub(crate) fn is_plain(self, name: &str) -> bool {
        self.fields().iter().any(|field| {
            let is_plain = !matches!(
                field.check,
                Check::Labels | Check::References(_) | Check::Unseen
            );
            field.name == name && is_plain
        })
    }

    /// Whether lists can be filtered by a field.
    pub(crate) fn is_filter(self, name: &str) -> bool {
        let mut fields = self.fields().iter();
        fields.any(|field| {
            field.name == name && !matches!(field.check, Check::Labels | Check::Unseen)
        })
    }

    /// Refuses a value that the field can never have.
    pub(crate) fn check_filter(self, name: &str, value: &str) -> Result<(), String> {
        let field = self.fields().iter().find(|field| field.name == name);
        field.map_or(Ok(()), |field| field.check_filter(value))
    }

    /// Reads the fields for a whole record, or says all that is wrong with them.
    pub(crate) fn values(self, body: &Map<String, Value>) -> Result<Values, Vec<FieldError>> {
        field::merge(self.fields(), Values::new(), body, true)
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
        let mut record = Self {
            number,
            version,
            created_ns,
            updated_ns,
            values,
            etag: HeaderValue::from_static("\"0\""),
            json: Bytes::new(),
        };
        let json = Bytes::from(record.written(kind, ApiVersion::default(), &Map::new()));
        record.etag = record.tag_of(&json);
        record.json = json;
        record
    }

    /// The strong entity tag of one way of writing it.
    pub(crate) fn tag_of(&self, json: &[u8]) -> HeaderValue {
        let tag = format!("\"v{}-{:016x}\"", self.version, stable_hash(&[json]));
        HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
    }

    /// The record as a version of the API has it, with its entity tag.
    pub(crate) fn as_of(&self, kind: Kind, version: ApiVersion) -> (Bytes, HeaderValue) {
        if version == ApiVersion::default() || kind != Kind::Contacts {
            return (self.json.clone(), self.etag.clone());
        }
        let json = Bytes::from(self.written(kind, version, &Map::new()));
        let tag = self.tag_of(&json);
        (json, tag)
    }

    /// The client's own id for the record, by which doubled side effects are found.
    pub(crate) fn external_id(&self, kind: Kind) -> Option<&str> {
        self.value(kind, "external_id")?.as_str()
    }

    /// What a field has; `None` where the kind has no such field.
    pub(crate) fn value(&self, kind: Kind, name: &str) -> Option<&Value> {
        let at = kind.fields().iter().position(|field| field.name == name)?;
        self.values.get(at)
    }

    /// The values of its fields with another one for one of them.
    pub(crate) fn with_value(&self, kind: Kind, name: &str, value: Value) -> Values {
        let mut values = self.values.clone();
        let at = kind.fields().iter().position(|field| field.name == name);
        if let Some(place) = at.and_then(|at| values.get_mut(at)) {
            *place = value;
        }
        values
    }

    /// The record as JSON, members in the order a reader expects them, `more` behind the fields.
    pub(crate) fn written(&self, kind: Kind, of: ApiVersion, more: &Map<String, Value>) -> Vec<u8> {
        let mut text = Vec::with_capacity(256);
        let mut serializer = serde_json::Serializer::new(&mut text);
        let written = (|| {
            let mut members = serializer.serialize_map(None)?;
            members.serialize_entry("id", &kind.id(self.number))?;
            for (field, value) in kind.fields().iter().zip(&self.values) {
                let is_hidden = field.hidden_when_absent && value.is_null();
                if !is_hidden && !matches!(field.check, Check::Unseen) {
                    let (name, value) = of.member(kind, field.name, value);
                    members.serialize_entry(name, &value)?;
                }
            }
            for (name, value) in more {
                members.serialize_entry(name, value)?;
            }
            members.serialize_entry("created_at", &rfc3339(self.created_ns))?;
            members.serialize_entry("updated_at", &rfc3339(self.updated_ns))?;
            members.serialize_entry("version", &self.version)?;
            members.end()
        })();
        debug_assert!(written.is_ok(), "writing text to memory cannot fail");
        text
    }
}

/// All records of one tenant.
#[derive(Clone)]
pub(crate) struct Collections {
    contacts: Collection,
    jobs: Collection,
    projects: Collection,
    users: Collection,
}

impl Collections {
    /// What every tenant starts with.
    pub(crate) fn seeded() -> Self {
        Self {
            contacts: Collection::seeded(Kind::Contacts),
            jobs: Collection::seeded(Kind::Jobs),
            projects: Collection::seeded(Kind::Projects),
            users: Collection::seeded(Kind::Users),
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> &Collection {
        match kind {
            Kind::Contacts => &self.contacts,
            Kind::Jobs => &self.jobs,
            Kind::Projects => &self.projects,
            Kind::Users => &self.users,
        }
    }

    pub(crate) fn of_mut(&mut self, kind: Kind) -> &mut Collection {
        match kind {
            Kind::Contacts => &mut self.contacts,
            Kind::Jobs => &mut self.jobs,
            Kind::Projects => &mut self.projects,
            Kind::Users => &mut self.users,
        }
    }

    /// Says which records that `values` name do not exist.
    pub(crate) fn check_references(
        &self,
        kind: Kind,
        values: &Values,
    ) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        for (field, value) in kind.fields().iter().zip(values) {
            let (of, ids): (Kind, &[Value]) = match (field.check, value) {
                (Check::Reference(of), Value::String(_)) => (of, std::slice::from_ref(value)),
                (Check::References(of), Value::Array(ids)) => (of, ids),
                _ => continue,
            };
            for (at, id) in ids.iter().enumerate() {
                let known = id.as_str().and_then(|id| self.of(of).find(id));
                if known.is_none() {
                    let within = match field.check {
                        Check::Reference(_) => String::new(),
                        _ => format!("/{at}"),
                    };
                    let detail = format!("there is no such {}", of.singular());
                    errors.push(field.error_at(&within, "unknown_reference", detail));
                }
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

/// The records of one kind of one tenant, in order of creation.
#[derive(Clone)]
pub(crate) struct Collection {
    kind: Kind,
    next: u64,
    records: BTreeMap<u64, Arc<Record>>,
}

impl Collection {
    /// The records every tenant starts with, the same everywhere.
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

    /// All records, in order of creation.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.values()
    }

    /// The records after the one numbered `after`, in order of creation.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &Arc<Record>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        self.records.range(range).map(|(_, record)| record)
    }

    pub(crate) fn create(&mut self, values: Values, now_ns: u64) -> Arc<Record> {
        let record = Arc::new(Record::new(self.kind, self.next, 1, now_ns, now_ns, values));
        self.next += 1;
        self.records.insert(record.number, Arc::clone(&record));
        record
    }

    /// The values of `record` after a whole body or a patch.
    pub(crate) fn patched(
        &self,
        record: &Record,
        body: &Map<String, Value>,
        whole: bool,
    ) -> Result<Values, Vec<FieldError>> {
        field::merge(self.kind.fields(), record.values.clone(), body, whole)
    }

    /// Writes the next version of `record`.
    pub(crate) fn change(&mut self, record: &Record, values: Values, now_ns: u64) -> Arc<Record> {
        let next = Arc::new(Record::new(
            self.kind,
            record.number,
            record.version + 1,
            record.created_ns,
            now_ns,
            values,
        ));
        self.records.insert(next.number, Arc::clone(&next));
        next
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
        values.resize(self.kind.fields().len(), Value::Null);
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

/// The records every tenant starts with, made once: 45 contacts, 5 users and 3 projects.
fn seeded(kind: Kind) -> &'static [Arc<Record>] {
    static CONTACTS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    static PROJECTS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    static USERS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    match kind {
        Kind::Contacts => CONTACTS.get_or_init(|| people(kind, 45)),
        Kind::Jobs => &[],
        Kind::Projects => PROJECTS.get_or_init(projects),
        Kind::Users => USERS.get_or_init(|| people(kind, 5)),
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

fn seed(kind: Kind, number: u64, mut values: Values) -> Arc<Record> {
    values.resize(kind.fields().len(), Value::Null);
    let created = SEEDED_FROM + (number - 1) * 60 * NS;
    Arc::new(Record::new(kind, number, 1, created, created, values))
}

/// 45 pairs of 9 first and 5 last names: 9 and 5 share no factor, so no pair repeats.
fn people(kind: Kind, count: u64) -> Vec<Arc<Record>> {
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
            let third = if kind == Kind::Contacts {
                at(&COMPANY, number - 1)
            } else {
                at(&["admin", "member"], (number - 1).min(1))
            };
            let values = vec![format!("{first} {last}").into(), email.into(), third.into()];
            seed(kind, number, values)
        })
        .collect()
}

fn projects() -> Vec<Arc<Record>> {
    let seeds = [
        ("Analytical engine", "active", "2025-06-30", 4_200_000_u64),
        ("Compiler", "planned", "2025-12-31", 1_000_000),
        ("Structured programming", "done", "2025-03-31", 250_000),
    ];
    (1..)
        .zip(seeds)
        .map(|(number, (name, status, due_on, budget))| {
            let contacts = [2 * number - 1, 2 * number].map(|number| Kind::Contacts.id(number));
            let values = vec![
                name.into(),
                Value::Null,
                status.into(),
                Kind::Users.id(number).into(),
                json!(contacts),
                due_on.into(),
                budget.into(),
                json!({ "quarter": format!("q{number}") }),
            ];
            seed(Kind::Projects, number, values)
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
            .map(|record| record.values[0].as_str().unwrap().to_owned())
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
    fn seeded_records_keep_to_their_own_rules() {
        let collections = Collections::seeded();
        for kind in Kind::ALL {
            for record in collections.of(kind).all() {
                let body: Map<String, Value> = serde_json::from_slice(&record.json).unwrap();
                assert_eq!(kind.values(&body).unwrap(), record.values);
                assert!(collections.check_references(kind, &record.values).is_ok());
            }
        }
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
        let body = json!({"email": "nobody", "company": 3});
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

    #[test]
    fn a_merge_patch_goes_into_labels_and_replaces_lists() {
        let projects = Collection::seeded(Kind::Projects);
        let record = projects.find("pj_000001").unwrap();
        let patch = json!({"labels": {"quarter": null, "team": "a"}, "contact_ids": ["ct_000009"]});
        let values = projects
            .patched(record, patch.as_object().unwrap(), false)
            .unwrap();
        assert_eq!(values[4], json!(["ct_000009"]));
        assert_eq!(values[7], json!({"team": "a"}));
        assert_eq!(values[0], "Analytical engine");
    }

    #[test]
    fn what_is_wrong_inside_of_a_field_is_pointed_to() {
        let body = json!({
            "name": "x", "budget_cents": 1.5, "due_on": "2025-02-29", "labels": {"a/b": 1},
            "contact_ids": ["ct_000001", 3, "ct_000001"]
        });
        let errors = Kind::Projects
            .values(body.as_object().unwrap())
            .unwrap_err();
        let seen: Vec<_> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        assert_eq!(
            seen,
            [
                ("/contact_ids/1", "wrong_type"),
                ("/contact_ids/2", "duplicate"),
                ("/due_on", "invalid_date"),
                ("/budget_cents", "out_of_range"),
                ("/labels/a~1b", "wrong_type"),
            ]
        );
    }
}
