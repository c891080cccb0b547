//! The document's webhooks: the types of events that endpoints can subscribe to, and what each is sent with.

use serde_json::{Value, json};
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, PathItem, Required};

use super::Schemas;
use super::schema::{count, described, format, object, refer, text, word};

/// Types of events, the schema of their data, and what happened.
const EVENT_TYPES: &[(&str, &str, &str)] = &[
    ("contact.created", "Contact", "A contact was created."),
    ("contact.updated", "Contact", "A contact was changed."),
    (
        "contact.deleted",
        "Contact",
        "A contact was deleted; the data is what it was.",
    ),
    ("user.created", "User", "A user was created."),
    ("user.updated", "User", "A user was changed."),
    (
        "user.deleted",
        "User",
        "A user was deleted; the data is what it was.",
    ),
];

fn schema_name(kind: &str) -> String {
    let words = kind.split('.').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    format!("{}Event", words.collect::<String>())
}

pub(super) fn schemas(schemas: &mut Schemas) {
    for (kind, data, words) in EVENT_TYPES {
        schemas.add(
            schema_name(kind),
            object([
                (
                    "id",
                    described(text(), "names the event; the same in every delivery"),
                ),
                ("type", word(&[*kind]).into()),
                ("timestamp", format("date-time").into()),
                ("sequence", count().into()),
                ("data", refer(data)),
            ])
            .description(Some(*words)),
        );
    }
}

/// One request for each type, signed by Standard Webhooks.
pub(super) fn webhooks() -> Paths {
    let headers = [
        ("webhook-id", "the event's id"),
        (
            "webhook-timestamp",
            "when it was sent, in seconds since 1970",
        ),
        (
            "webhook-signature",
            "`v1,BASE64` or `v1a,BASE64`; several are separated by a space",
        ),
    ];
    EVENT_TYPES
        .iter()
        .fold(PathsBuilder::new(), |paths, (kind, _, words)| {
            let content = ContentBuilder::new()
                .schema(Some(refer(&schema_name(kind))))
                .example(Some(example(kind)));
            let body = RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content("application/json", content.build());
            let operation = headers.iter().fold(
                OperationBuilder::new()
                    .summary(Some(*words))
                    .tag("Webhooks")
                    .operation_id(Some(*kind))
                    .request_body(Some(body.build())),
                |operation, (name, words)| {
                    operation.parameter(
                        ParameterBuilder::new()
                            .name(*name)
                            .parameter_in(ParameterIn::Header)
                            .required(Required::True)
                            .description(Some(*words))
                            .schema(Some(text()))
                            .build(),
                    )
                },
            );
            let answer = |words: &str| ResponseBuilder::new().description(words).build();
            let operation = operation
                .response("2XX", answer("received; anything else is tried again"))
                .response("410", answer("nothing more is sent to this endpoint"));
            paths.path(*kind, PathItem::new(HttpMethod::Post, operation))
        })
        .build()
}

fn example(kind: &str) -> Value {
    let data = match kind.split('.').next() {
        Some("user") => json!({
            "id": "us_000001", "name": "Ada Byron", "email": "ada.byron@example.com", "role": "admin",
            "created_at": "2025-01-01T00:00:00.000Z", "updated_at": "2025-01-01T00:00:00.000Z", "version": 1
        }),
        _ => json!({
            "id": "ct_000001", "name": "Ada Byron", "email": "ada.byron@example.com", "company": "Acme",
            "created_at": "2025-01-01T00:00:00.000Z", "updated_at": "2025-01-01T00:00:00.000Z", "version": 1
        }),
    };
    json!({
        "id": "evt_8d1f8c2a5f0e4b37", "type": kind, "timestamp": "2026-11-01T12:00:00.000Z", "sequence": 1, "data": data
    })
}
