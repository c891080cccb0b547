//! The rows of events.

use serde_json::{Value, json};

use super::EventOp;
use super::api::TYPES_PATTERN;
use super::stream::{EVENT_STREAM, MAX_ID_DIGITS, WITHIN_MS};
use crate::op::Op;
use crate::openapi::schema::{
    anything, count, described, format, list, object, or_null, pattern, refer, text, whole,
};
use crate::openapi::{About, Schemas};
use crate::parameter::COUNT;
use crate::records::paged;
use crate::routes::Operation;

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Event(EventOp::List),
        methods: &["GET"],
        path: "/v1/events",
        about: |o| {
            let page = json!({ "data": [example()], "next_cursor": null, "has_more": false });
            typed(paged(o.tag("Events")))
                .summary("List events, oldest first")
                .ok(200, "a page", refer("EventList"), page)
                .says(
                    200,
                    "Link",
                    "the next page, `rel=\"next\"`, where there is one",
                )
                .problems(&[410])
        },
    },
    // Before the events' own addresses: no event has this id.
    Operation {
        op: Op::Event(EventOp::Stream),
        methods: &["GET"],
        path: "/v1/events/stream",
        about: |o| {
            typed(o.tag("Events"))
                .summary("Events as they happen, as server-sent events")
                .detail("`id` is the event's `sequence`, `event` its type, `data` the event. A comment is sent in silence.")
                .query("after", whole(&COUNT), "begin after the event of this sequence; else with what happens next")
                .query("heartbeat_ms", whole(&WITHIN_MS), "real milliseconds of silence before a comment")
                .header("Last-Event-ID", pattern(&format!("^[0-9]{{1,{MAX_ID_DIGITS}}}$")), "the `id` the caller had last; counts before `after`")
                .content(
                    200,
                    "the stream",
                    EVENT_STREAM.to_str().unwrap_or_default(),
                    anything(),
                    Value::Null,
                )
                .problems(&[410])
        },
    },
    Operation {
        op: Op::Event(EventOp::Get),
        methods: &["GET"],
        path: "/v1/events/{id}",
        about: |o| {
            o.tag("Events")
                .summary("Get an event")
                .path(
                    "id",
                    pattern("^evt_[0-9a-f]{16}$"),
                    "the event's id",
                    "evt_8d1f8c2a5f0e4b37",
                )
                .ok(200, "the event", refer("Event"), example())
                .problems(&[404])
        },
    },
];

fn typed(o: About) -> About {
    o.query(
        "type",
        pattern(TYPES_PATTERN),
        "types with commas between them, exact or ending in `*`; else all",
    )
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    schemas.add(
        "Event",
        object([
            (
                "id",
                described(text(), "names the event; `webhook-id` of its deliveries"),
            ),
            ("type", described(text(), "such as `contact.created`")),
            ("timestamp", format("date-time").into()),
            (
                "sequence",
                described(count(), "counts the session's events, without gaps"),
            ),
            (
                "data",
                described(
                    anything(),
                    "the record after the change; a deleted one as it was",
                ),
            ),
        ]),
    );
    schemas.add(
        "EventList",
        object([
            ("data", list(refer("Event")).into()),
            ("next_cursor", or_null(text())),
            ("has_more", crate::openapi::schema::boolean().into()),
        ]),
    );
}

fn example() -> Value {
    json!({
        "id": "evt_8d1f8c2a5f0e4b37", "type": "contact.created", "timestamp": "2026-11-01T12:00:00.000Z", "sequence": 1,
        "data": {
            "id": "ct_000046", "name": "Ada Byron", "email": "ada.byron@example.com", "company": null,
            "created_at": "2026-11-01T12:00:00.000Z", "updated_at": "2026-11-01T12:00:00.000Z", "version": 1
        }
    })
}
