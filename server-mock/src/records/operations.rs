//! The rows of records: the same six operations for every kind.

use serde_json::{Value, json};

use super::listing::{MAX_SOUGHT_CHARS, TIMES, names as sort_names};
use crate::api_version::VERSIONS;
use crate::keyed::KEY_PATTERN;
use crate::op::{Action, Kind, Op};
use crate::openapi::About;
use crate::openapi::schema::{
    AnySchema, any_of, format, pattern, refer, text, text_of, whole, word,
};
use crate::parameter::{MAX_CURSOR_CHARS, PAGE};
use crate::resource::{Shape, older};
use crate::routes::Operation;

/// The rows of one kind: its paths.
macro_rules! rows {
    ($kind:expr, $collection:literal, $record:literal) => {
        &[
            Operation {
                op: Op::Resource($kind, Action::List),
                methods: &["GET"],
                path: $collection,
                about: |o| list($kind, o),
            },
            Operation {
                op: Op::Resource($kind, Action::Create),
                methods: &["POST"],
                path: $collection,
                about: |o| create($kind, o),
            },
            Operation {
                op: Op::Resource($kind, Action::Get),
                methods: &["GET"],
                path: $record,
                about: |o| get($kind, o),
            },
            Operation {
                op: Op::Resource($kind, Action::Replace),
                methods: &["PUT"],
                path: $record,
                about: |o| replace($kind, o),
            },
            Operation {
                op: Op::Resource($kind, Action::Update),
                methods: &["PATCH"],
                path: $record,
                about: |o| update($kind, o),
            },
            Operation {
                op: Op::Resource($kind, Action::Delete),
                methods: &["DELETE"],
                path: $record,
                about: |o| delete($kind, o),
            },
        ]
    };
}

pub(crate) static CONTACTS: &[Operation] =
    rows!(Kind::Contacts, "/v1/contacts", "/v1/contacts/{id}");
pub(crate) static USERS: &[Operation] = rows!(Kind::Users, "/v1/users", "/v1/users/{id}");
pub(crate) static PROJECTS: &[Operation] =
    rows!(Kind::Projects, "/v1/projects", "/v1/projects/{id}");
pub(crate) static NESTED: &[Operation] = &[Operation {
    op: Op::ProjectContacts,
    methods: &["GET"],
    path: "/v1/projects/{id}/contacts",
    about: |o| {
        listing(Kind::Contacts, identified(Kind::Projects, o))
            .summary("List the contacts of a project")
    },
}];

pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

fn list(kind: Kind, o: About) -> About {
    listing(kind, versioned(o.tag(kind.tag()))).summary(&format!("List {}", kind.name()))
}

/// A list of a kind: its parameters and its pages.
pub(crate) fn listing(kind: Kind, o: About) -> About {
    let page = json!({ "data": [kind.example()], "next_cursor": null, "has_more": false });
    let mut o = o;
    for name in kind.field_names() {
        if let Some(schema) = kind.filter_schema(name) {
            o = o.query(name, schema, "only those that have this");
        }
    }
    for (name, _) in TIMES {
        o = o.query(
            name,
            format("date-time"),
            "only those of this time (RFC 3339)",
        );
    }
    let sorts: Vec<String> = sort_names(kind)
        .flat_map(|name| [name.to_owned(), format!("-{name}")])
        .collect();
    let sorts: Vec<&str> = sorts.iter().map(String::as_str).collect();
    paged(o)
        .query(
            "q",
            text_of(0, MAX_SOUGHT_CHARS),
            "only those with this in a text, whatever the case",
        )
        .query(
            "sort",
            word(&sorts),
            "by what; `-` for descending; without it in order of creation",
        )
        .ok(200, "a page", whole_or_old(kind, "List"), page)
        .says(
            200,
            "Link",
            "the next page, `rel=\"next\"`, where there is one",
        )
}

/// The parameters of every list.
pub(crate) fn paged(o: About) -> About {
    o.query(
        "limit",
        whole(&PAGE),
        "records on a page; 20 where nothing is said",
    )
    .query(
        "cursor",
        text_of(1, MAX_CURSOR_CHARS),
        "`next_cursor` of the page before",
    )
}

/// The header that says which version is meant.
pub(crate) fn versioned(o: About) -> About {
    let dates = VERSIONS.map(|(date, _)| date);
    o.header(
        "Api-Version",
        word(&dates),
        "the version of the API; without it the newest, or the key's",
    )
}

/// What is answered: as the newest version has it, or as the one before.
fn whole_or_old(kind: Kind, suffix: &str) -> AnySchema {
    versions(&format!("{}{suffix}", kind.schema(Shape::Whole)), kind)
}

/// A schema by its name and, where an older version has another, either.
fn versions(name: &str, kind: Kind) -> AnySchema {
    match kind {
        Kind::Contacts => any_of([refer(name), refer(&older(name))]),
        _ => refer(name),
    }
}

fn create(kind: Kind, o: About) -> About {
    keyed(versioned(o.tag(kind.tag())))
        .summary(&format!("Create a {}", kind.singular()))
        .json(
            versions(&kind.schema(Shape::New), kind),
            kind.example_body(),
        )
        .ok(201, "created", whole_or_old(kind, ""), kind.example())
        .says(201, "Location", "where it is")
        .says(201, "ETag", "its entity tag")
        .problems(&[415])
}

/// The header of an idempotency key and what may come of it.
pub(crate) fn keyed(o: About) -> About {
    o.header(
        "Idempotency-Key",
        pattern(KEY_PATTERN),
        "makes a repetition have no second effect, for 24 hours of the session's clock; quotation marks around it do not count",
    )
    .problems(&[409, 422])
}

pub(crate) fn identified(kind: Kind, o: About) -> About {
    let id = kind.example().get("id").cloned().unwrap_or(Value::Null);
    let about = format!("the id of the {}", kind.singular());
    versioned(o.tag(kind.tag()))
        .path("id", text().min_length(Some(1)), &about, id)
        .problems(&[404])
}

fn get(kind: Kind, o: About) -> About {
    let o = identified(kind, o);
    let o = match kind {
        Kind::Projects => {
            let names = ["owner", "contacts", "owner,contacts", "contacts,owner"];
            o.query("expand", word(&names), "records it names, in place")
        }
        _ => o,
    };
    o.summary(&format!("Get a {}", kind.singular()))
        .header("If-None-Match", text(), "entity tags the caller has")
        .ok(200, "the record", whole_or_old(kind, ""), kind.example())
        .says(200, "ETag", "its entity tag, strong")
        .empty(304, "the caller has it")
}

/// The header of a change that heeds what the caller saw.
pub(crate) fn conditional(o: About) -> About {
    o.header(
        "If-Match",
        text(),
        "entity tags of which one has to be the record's",
    )
    .problems(&[412])
}

fn written(kind: Kind, o: About) -> About {
    o.ok(
        200,
        "the record as it is now",
        whole_or_old(kind, ""),
        kind.example(),
    )
    .says(200, "ETag", "its new entity tag")
    .problems(&[415, 422])
}

fn replace(kind: Kind, o: About) -> About {
    let o = conditional(identified(kind, o))
        .summary(&format!("Replace a {}", kind.singular()))
        .json(
            versions(&kind.schema(Shape::New), kind),
            kind.example_body(),
        );
    written(kind, o)
}

fn update(kind: Kind, o: About) -> About {
    let patch = || versions(&kind.schema(Shape::Patch), kind);
    let o = conditional(keyed(identified(kind, o)))
        .summary(&format!("Change a {}", kind.singular()))
        .detail("A merge patch (RFC 7396): `null` removes, what is left out stays.")
        .body(MERGE_PATCH, patch(), kind.example_body())
        .body("application/json", patch(), kind.example_body());
    written(kind, o)
}

fn delete(kind: Kind, o: About) -> About {
    conditional(identified(kind, o))
        .summary(&format!("Delete a {}", kind.singular()))
        .empty(204, "it is gone")
}
