//! The document's webhooks: the types of events that endpoints can subscribe to, and what each is sent with.

use serde_json::{Value, json};
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, PathItem, Required};

use super::Schemas;
use super::schema::{count, described, format, integer, object, or_null, refer, text, word};
use crate::op::Kind;

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
    ("project.created", "Project", "A project was created."),
    ("project.updated", "Project", "A project was changed."),
    (
        "project.deleted",
        "Project",
        "A project was deleted; the data is what it was.",
    ),
    ("job.created", "Job", "A job has begun."),
    ("job.completed", "Job", "A job has its result."),
    ("job.failed", "Job", "A job has failed; `error` says why."),
    ("job.cancelled", "Job", "A job was cancelled."),
    (
        "webhook_endpoint.disabled",
        DISABLED,
        "Nothing more is sent to an endpoint.",
    ),
];

/// The schema of what is said of an endpoint that was disabled.
const DISABLED: &str = "WebhookEndpointDisabled";

/// A job as the event of this type has it.
fn job(kind: &str) -> Value {
    let mut job = Kind::Jobs.example();
    let changed = match kind {
        "job.completed" => {
            json!({ "status": "completed", "progress": 100, "result": { "rows": 3 } })
        }
        "job.failed" => json!({
            "status": "failed", "progress": 99,
            "error": {
                "type": "https://gatewright.dev/problems/disk-full", "title": "Insufficient Storage", "status": 507,
                "detail": "the disk is full", "instance": "/v1/jobs/jb_000001", "code": "disk_full",
                "request_id": "req_e220a8397b1dcdaf", "errors": [], "retryable": false
            }
        }),
        "job.cancelled" => json!({ "status": "cancelled" }),
        _ => json!({ "progress": 0 }),
    };
    if let (Value::Object(job), Value::Object(changed)) = (&mut job, changed) {
        let is_over = changed.contains_key("status");
        job.extend(changed);
        if is_over {
            let at = "2026-11-01T12:00:04.000Z";
            job.extend([
                ("finished_at".into(), at.into()),
                ("updated_at".into(), at.into()),
            ]);
            job.insert("version".into(), 2.into());
        }
    }
    job
}

fn schema_name(kind: &str) -> String {
    let words = kind.split(['.', '_']).map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    format!("{}Event", words.collect::<String>())
}

pub(super) fn schemas(schemas: &mut Schemas) {
    schemas.add(
        DISABLED,
        object([
            ("id", described(text(), "the endpoint")),
            ("reason", word(&["failing", "gone", "owner"]).into()),
            ("failing_since", or_null(format("date-time"))),
            (
                "last_status",
                or_null(integer(100, 599).description(Some("what it answered last"))),
            ),
            (
                "last_error",
                or_null(text().description(Some("why it answered nothing"))),
            ),
        ]),
    );
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
        Some("user") => Kind::Users.example(),
        Some("project") => Kind::Projects.example(),
        Some("job") => job(kind),
        Some("webhook_endpoint") => json!({
            "id": "ep_000001", "reason": "failing", "failing_since": "2026-10-31T12:00:00.000Z",
            "last_status": 500, "last_error": null
        }),
        _ => Kind::Contacts.example(),
    };
    json!({
        "id": "evt_8d1f8c2a5f0e4b37", "type": kind, "timestamp": "2026-11-01T12:00:00.000Z", "sequence": 1, "data": data
    })
}
