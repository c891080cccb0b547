//! The document's schemas of records, made from the same rules that check them.

use serde_json::Value;
use utoipa::openapi::schema::ObjectBuilder;

use super::Collection;
use super::field::{
    Check, Field, MAX_AMOUNT, MAX_LABEL_CHARS, MAX_LABELS, MAX_REFERENCES, MAX_TEXT_CHARS,
    filled_pattern,
};
use crate::api_version::ApiVersion;
use crate::op::Kind;
use crate::openapi::Schemas;
use crate::openapi::schema::{
    self, AnySchema, described, format, integer, list, map, or_null, pattern, refer, text_of, word,
};

/// Which of a kind's schemas.
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
            Self::Jobs => "Job",
            Self::Projects => "Project",
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
            Self::Jobs => "Jobs",
            Self::Projects => "Projects",
            Self::Users => "Users",
        }
    }

    /// The first seeded record; of jobs, of which there are none, one as it could be.
    pub(crate) fn example(self) -> Value {
        if self == Self::Jobs {
            return crate::jobs::example();
        }
        let seeds = Collection::seeded(self);
        let first = seeds.all().next();
        first.map_or(Value::Null, |record| {
            serde_json::from_slice(&record.json).unwrap_or_default()
        })
    }

    /// What a client sends for it.
    pub(crate) fn example_body(self) -> Value {
        let mut example = self.example();
        if let Value::Object(members) = &mut example {
            members.retain(|name, _| self.field_names().any(|field| field == name));
        }
        example
    }

    /// The schema by which a list is filtered.
    pub(crate) fn filter_schema(self, name: &str) -> Option<AnySchema> {
        let field = self.fields().iter().find(|field| field.name == name)?;
        Some(match field.check {
            Check::References(of) => pattern(&id_pattern(of)).into(),
            Check::Labels | Check::Unseen => return None,
            Check::OneOf(words) => word(words).into(),
            Check::Amount => integer(0, whole(MAX_AMOUNT)).into(),
            Check::Date => format("date").into(),
            Check::Reference(of) => pattern(&id_pattern(of)).into(),
            Check::Email | Check::Text => text_of(0, MAX_TEXT_CHARS).into(),
        })
    }
}

pub(crate) fn id_pattern(kind: Kind) -> String {
    format!("^{}([0-9]{{6}}|[1-9][0-9]{{6,18}})$", kind.prefix())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Text with something in it that is not blank.
pub(crate) fn filled() -> ObjectBuilder {
    pattern(&filled_pattern()).max_length(Some(MAX_TEXT_CHARS))
}

impl Field {
    /// The schema of a value the client sends, or of one it gets.
    fn schema(&self, shape: Shape) -> AnySchema {
        let schema: AnySchema = match self.check {
            Check::Amount => integer(0, whole(MAX_AMOUNT)).into(),
            Check::Date => format("date").into(),
            Check::Email => format("email").max_length(Some(MAX_TEXT_CHARS)).into(),
            Check::Labels => map(match shape {
                Shape::Whole | Shape::New => text_of(0, MAX_LABEL_CHARS).into(),
                Shape::Patch => or_null(text_of(0, MAX_LABEL_CHARS)),
            })
            .max_properties(Some(MAX_LABELS))
            .property_names(Some(text_of(1, MAX_LABEL_CHARS)))
            .into(),
            Check::Unseen => schema::anything().into(),
            Check::OneOf(words) => word(words).into(),
            Check::Reference(of) => pattern(&id_pattern(of)).into(),
            Check::References(of) => list(pattern(&id_pattern(of)))
                .max_items(Some(MAX_REFERENCES))
                .unique_items(true)
                .into(),
            Check::Text if self.required => filled().into(),
            Check::Text => text_of(0, MAX_TEXT_CHARS).into(),
        };
        let has_default =
            self.default.is_some() || matches!(self.check, Check::Labels | Check::References(_));
        if self.required || (shape == Shape::Whole && has_default) {
            schema
        } else {
            or_null(schema)
        }
    }
}

/// The name of a contact's schema in the version before.
pub(crate) fn older(name: &str) -> String {
    format!("{name}.{}", ApiVersion::May2026.date())
}

/// The schemas of records.
pub(crate) fn schemas(schemas: &mut Schemas) {
    for kind in Kind::WRITTEN {
        let newest = ApiVersion::default();
        add(schemas, kind, newest, |name| name);
        if kind == Kind::Contacts {
            add(schemas, kind, ApiVersion::May2026, |name| older(&name));
        }
    }
}

fn add(schemas: &mut Schemas, kind: Kind, of: ApiVersion, named: fn(String) -> String) {
    for shape in [Shape::New, Shape::Patch] {
        schemas.add(named(kind.schema(shape)), sent(kind, shape, of));
    }
    let name = kind.schema(Shape::Whole);
    schemas.add(named(name.clone()), answered(kind, of));
    let page = schema::object([
        ("data", list(refer(&named(name.clone()))).into()),
        ("next_cursor", or_null(schema::text())),
        ("has_more", schema::boolean().into()),
    ]);
    schemas.add(named(format!("{name}List")), page);
}

/// A field's name and schema as a version has them.
fn property(kind: Kind, field: &Field, shape: Shape, of: ApiVersion) -> (&'static str, AnySchema) {
    let (name, _) = of.member(kind, field.name, &Value::Null);
    let schema = field.schema(shape);
    if name == field.name {
        return (name, schema);
    }
    let organization = schema::object([]).property("name", schema);
    (name, or_null(organization))
}

fn sent(kind: Kind, shape: Shape, of: ApiVersion) -> ObjectBuilder {
    kind.fields()
        .iter()
        .fold(schema::object([]), |object, field| {
            let (name, schema) = property(kind, field, shape, of);
            let object = object.property(name, schema);
            if field.required && shape == Shape::New {
                object.required(field.name)
            } else {
                object
            }
        })
}

fn answered(kind: Kind, of: ApiVersion) -> ObjectBuilder {
    let id = described(pattern(&id_pattern(kind)), "made by the gateway");
    let object = kind
        .fields()
        .iter()
        .fold(schema::object([("id", id)]), |object, field| {
            let (name, schema) = property(kind, field, Shape::Whole, of);
            let object = object.property(name, schema);
            if field.hidden_when_absent {
                object
            } else {
                object.required(name)
            }
        });
    ["created_at", "updated_at"]
        .into_iter()
        .fold(object, |object, name| {
            object.property(name, format("date-time")).required(name)
        })
        .property("version", integer(1, i64::MAX))
        .required("version")
}
