//! The rows of upstreams.

use serde_json::Value;

use crate::op::Op;
use crate::openapi::About;
use crate::openapi::schema::{anything, text};
use crate::routes::{EVERY_METHOD, Operation};

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Upstream,
        methods: EVERY_METHOD,
        path: "/upstream/{name}",
        about,
    },
    Operation {
        op: Op::Upstream,
        methods: EVERY_METHOD,
        path: "/upstream/{name}/{rest*}",
        about,
    },
];

fn about(o: About) -> About {
    o.tag("Upstreams")
        .summary("A real server behind the gateway")
        .detail("Which there are is the session's option `upstreams`. The answer is the upstream's own.")
        .path("name", text(), "the upstream's name", "orders")
        .optional_body("*/*", anything(), Value::Null)
        .content(200, "what the upstream answers", "*/*", anything(), Value::Null)
        .problems(&[400, 404, 502, 503, 504])
}
