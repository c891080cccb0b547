//! The rows of records: the same six operations for every kind.

use serde_json::{Value, json};

use crate::op::{Action, Kind, Op};
use crate::openapi::About;
use crate::openapi::schema::{integer, pattern, refer, text, text_of};
use crate::resource::Shape;
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

const MERGE_PATCH: &str = "application/merge-patch+json";

fn list(kind: Kind, o: About) -> About {
    let page = json!({ "data": [kind.example()], "next_cursor": null, "has_more": false });
    paged(o.tag(kind.tag()))
        .summary(&format!("List {}", kind.name()))
        .ok(
            200,
            "a page",
            refer(&format!("{}List", kind.schema(Shape::Whole))),
            page,
        )
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
        integer(1, 1_000_000),
        "records on a page; more than 100 mean 100",
    )
    .query(
        "cursor",
        text_of(1, 2_000),
        "`next_cursor` of the page before",
    )
}

fn create(kind: Kind, o: About) -> About {
    keyed(o.tag(kind.tag()))
        .summary(&format!("Create a {}", kind.singular()))
        .json(refer(&kind.schema(Shape::New)), kind.example_body())
        .ok(
            201,
            "created",
            refer(&kind.schema(Shape::Whole)),
            kind.example(),
        )
        .says(201, "Location", "where it is")
        .says(201, "ETag", "its entity tag")
        .problems(&[415])
}

/// The header of an idempotency key and what may come of it.
pub(crate) fn keyed(o: About) -> About {
    o.header(
        "Idempotency-Key",
        pattern("^[!-~]{1,255}$"),
        "makes a repetition have no second effect, for 24 hours of the session's clock",
    )
    .problems(&[409, 422])
}

fn identified(kind: Kind, o: About) -> About {
    let id = kind.example().get("id").cloned().unwrap_or(Value::Null);
    let about = format!("the id of the {}", kind.singular());
    o.tag(kind.tag())
        .path("id", text().min_length(Some(1)), &about, id)
        .problems(&[404])
}

fn get(kind: Kind, o: About) -> About {
    identified(kind, o)
        .summary(&format!("Get a {}", kind.singular()))
        .header("If-None-Match", text(), "entity tags the caller has")
        .ok(
            200,
            "the record",
            refer(&kind.schema(Shape::Whole)),
            kind.example(),
        )
        .says(200, "ETag", "its entity tag, strong")
        .empty(304, "the caller has it")
}

/// The header of a change that heeds what the caller saw.
fn conditional(o: About) -> About {
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
        refer(&kind.schema(Shape::Whole)),
        kind.example(),
    )
    .says(200, "ETag", "its new entity tag")
    .problems(&[415, 422])
}

fn replace(kind: Kind, o: About) -> About {
    let o = conditional(identified(kind, o))
        .summary(&format!("Replace a {}", kind.singular()))
        .json(refer(&kind.schema(Shape::New)), kind.example_body());
    written(kind, o)
}

fn update(kind: Kind, o: About) -> About {
    let patch = || refer(&kind.schema(Shape::Patch));
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
