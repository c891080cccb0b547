//! The row of `/v1/usage`, and the schema of what it answers.

use serde_json::json;

use super::answer::UNTIL_9999_MS;
use crate::op::Op;
use crate::openapi::schema::{
    AnySchema, any_of, count, described, format, list, map, object, or_null, refer, text, whole,
    word,
};
use crate::openapi::{About, Schemas};
use crate::routes::Operation;

pub(crate) static OPERATIONS: &[Operation] = &[Operation {
    op: Op::Usage,
    methods: &["GET"],
    path: "/v1/usage",
    about,
}];

fn about(o: About) -> About {
    let counts = json!({
        "requests": 12, "by_status": { "2xx": 11, "4xx": 1 }, "refused": 1, "replayed": 0, "faulted": 0,
        "latency_ms": { "p50": 0.2, "p90": 0.4, "p99": 1.1, "max": 1.1 }
    });
    let mut point = counts.clone();
    if let Some(point) = point.as_object_mut() {
        point.insert("start".into(), "2026-01-31T11:59:00.000Z".into());
    }
    let example = json!({
        "tenant": "acme", "from": "2026-01-31T11:00:00.000Z", "to": "2026-01-31T12:00:00.000Z", "bucket": "minute",
        "totals": counts, "series": [point]
    });
    let instant = "RFC 3339 in UTC, or milliseconds since 1970";
    o.tag("Caller")
        .summary("What the tenant of the key has used")
        .detail("Requests that are over, on the session's clock. Buckets without a request have no point; at most 2000 at once.")
        .query("from", instants(), instant)
        .query("to", instants(), instant)
        .query("bucket", word(&["minute", "hour", "day"]), "how long a point is; minute by default")
        .query("group_by", word(&["op", "status", "tier"]), "what points are told apart by, beside time")
        .ok(200, "totals, and points in order of time", refer("Usage"), example)
        .problems(&[400])
}

fn instants() -> AnySchema {
    any_of([format("date-time").into(), whole(&UNTIL_9999_MS).into()])
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    let number = || {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
    };
    let latency = || {
        object([
            ("p50", number().into()),
            ("p90", number().into()),
            ("p99", number().into()),
            ("max", number().into()),
        ])
    };
    let counts = || {
        [
            ("requests", count().into()),
            ("by_status", map(count()).into()),
            ("refused", described(count(), "by a limit")),
            ("replayed", count().into()),
            ("faulted", count().into()),
            ("latency_ms", or_null(latency())),
        ]
    };
    let [a, b, c, d, e, f] = counts();
    let point = object([
        ("start", format("date-time").into()),
        ("group?", text().into()),
        a,
        b,
        c,
        d,
        e,
        f,
    ]);
    let [a, b, c, d, e, f] = counts();
    schemas.add("UsageCounts", object([a, b, c, d, e, f]));
    schemas.add("UsagePoint", point);
    schemas.add(
        "Usage",
        object([
            ("tenant", text().into()),
            ("from", format("date-time").into()),
            ("to", format("date-time").into()),
            ("bucket", word(&["minute", "hour", "day"]).into()),
            ("totals", refer("UsageCounts")),
            ("series", list(refer("UsagePoint")).into()),
        ]),
    );
}
