//! The rows of jobs.

use serde_json::{Value, json};

use super::JobOp;
use super::job::{MAX_CODE_CHARS, MAX_DETAIL_CHARS, MAX_TAKES_MS, STATUSES};
use crate::op::{Kind, Op};
use crate::openapi::Schemas;
use crate::openapi::schema::{
    anything, boolean, described, format, integer, list, object, or_null, pattern, refer, text,
    text_of, word,
};
use crate::records::{identified, keyed_row, listing_row, versioned};
use crate::resource::{MAX_TEXT_CHARS, filled, id_pattern};
use crate::routes::Operation;

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Job(JobOp::List),
        methods: &["GET"],
        path: "/v1/jobs",
        about: |o| listing_row(Kind::Jobs, versioned(o.tag("Jobs"))).summary("List jobs"),
    },
    Operation {
        op: Op::Job(JobOp::Create),
        methods: &["POST"],
        path: "/v1/jobs",
        about: |o| {
            let asked = json!({ "kind": "report", "takes_ms": 4000, "result": { "rows": 3 } });
            keyed_row(versioned(o.tag("Jobs")))
                .summary("Begin a job")
                .detail(
                    "It takes `takes_ms` of the session's clock. Then it is `completed` with the `result`, or `failed` with \
                     a problem of what `fails` says. `job.created`, `job.completed`, `job.failed` and `job.cancelled` tell \
                     of it. The oldest jobs that are over are forgotten when a tenant has 10000.",
                )
                .json(refer("NewJob"), asked)
                .ok(202, "it has begun", refer("Job"), example())
                .says(202, "Location", "where to poll it")
                .says(202, "Retry-After", "seconds until it is worth asking")
                .says(202, "ETag", "its entity tag")
                .problems(&[415, 503])
        },
    },
    Operation {
        op: Op::Job(JobOp::Get),
        methods: &["GET"],
        path: "/v1/jobs/{id}",
        about: |o| {
            identified(Kind::Jobs, o)
                .summary("Poll a job")
                .header("If-None-Match", text(), "entity tags the caller has")
                .ok(200, "the job as it is now", refer("Job"), example())
                .says(
                    200,
                    "Retry-After",
                    "seconds until it is worth asking again, while it runs",
                )
                .says(
                    200,
                    "ETag",
                    "its entity tag, another one when it has made progress",
                )
                .empty(304, "the caller has it")
                .says(304, "Retry-After", "the same, while it runs")
        },
    },
    Operation {
        op: Op::Job(JobOp::Cancel),
        methods: &["POST"],
        path: "/v1/jobs/{id}/cancel",
        about: |o| {
            let mut cancelled = example();
            if let Some(members) = cancelled.as_object_mut() {
                members.insert("status".into(), "cancelled".into());
                members.insert("finished_at".into(), "2026-11-01T12:00:01.000Z".into());
            }
            keyed_row(identified(Kind::Jobs, o))
                .summary("Cancel a running job")
                .detail("One that was cancelled before is answered as it is; 409 where it has ended by itself.")
                .header(
                    "If-Match",
                    text(),
                    "entity tags of which one has to be the job's",
                )
                .ok(200, "the job, cancelled", refer("Job"), cancelled)
                .says(200, "ETag", "its new entity tag")
                .problems(&[409, 412, 503])
        },
    },
];

/// A running job.
pub(crate) fn example() -> Value {
    json!({
        "id": "jb_000001", "kind": "report", "status": "running", "takes_ms": 4000, "progress": 25,
        "result": null, "error": null, "finished_at": null,
        "created_at": "2026-11-01T12:00:00.000Z", "updated_at": "2026-11-01T12:00:00.000Z", "version": 1
    })
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    let takes_ms = || integer(0, i64::try_from(MAX_TAKES_MS).unwrap_or(i64::MAX));
    let fails = object([
        (
            "status?",
            or_null(integer(400, 599).description(Some("500 where it is not said"))),
        ),
        (
            "code?",
            or_null(pattern(&format!("^[a-z0-9_]{{1,{MAX_CODE_CHARS}}}$"))),
        ),
        ("detail?", or_null(text_of(0, MAX_DETAIL_CHARS))),
        ("retryable?", or_null(boolean())),
    ]);
    schemas.add(
        "NewJob",
        object([
            (
                "kind",
                described(filled(), "what it does, in words of the caller's own"),
            ),
            (
                "takes_ms?",
                or_null(takes_ms().description(Some(
                    "milliseconds of the session's clock; 1000 where it is not said",
                ))),
            ),
            ("external_id?", or_null(text_of(0, MAX_TEXT_CHARS))),
            (
                "result?",
                described(
                    anything(),
                    "what it has when it is completed, at most 16384 bytes",
                ),
            ),
            (
                "fails?",
                or_null(fails.description(Some("the problem it ends with, in place of a result"))),
            ),
        ]),
    );
    schemas.add(
        "Job",
        object([
            (
                "id",
                described(pattern(&id_pattern(Kind::Jobs)), "made by the gateway"),
            ),
            ("kind", filled().into()),
            ("status", word(&STATUSES).into()),
            ("takes_ms", takes_ms().into()),
            ("external_id?", text_of(0, MAX_TEXT_CHARS).into()),
            (
                "progress",
                described(integer(0, 100), "percent; 100 when it is completed"),
            ),
            ("result", described(anything(), "of a completed job")),
            ("error", or_null(refer("Problem"))),
            ("finished_at", or_null(format("date-time"))),
            ("created_at", format("date-time").into()),
            ("updated_at", format("date-time").into()),
            ("version", integer(1, i64::MAX).into()),
        ]),
    );
    schemas.add(
        "JobList",
        object([
            ("data", list(refer("Job")).into()),
            ("next_cursor", or_null(text())),
            ("has_more", boolean().into()),
        ]),
    );
}
