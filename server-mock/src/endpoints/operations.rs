//! The rows of the plain endpoints.

use serde_json::{Value, json};

use super::{
    EVENT_STREAM, MAX_BYTES, MAX_CHUNK, MAX_DELAY_MS, MAX_DRIPS, MAX_LINES, MAX_TICKS, NDJSON,
    OCTETS,
};
use crate::op::Op;
use crate::openapi::schema::{
    anything, count, described, list, object, pattern, refer, text, whole, word,
};
use crate::openapi::{About, Schemas};
use crate::parameter::COUNT;
use crate::routes::{EVERY_METHOD, Operation};

/// The methods of the echo. Others are refused, because the document could not name them.
const ECHOED: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Whoami,
        methods: &["GET"],
        path: "/v1/whoami",
        about: |o| {
            o.tag("Caller").summary("Who the key belongs to").ok(
                200,
                "tenant, tier and scopes",
                refer("Caller"),
                caller(),
            )
        },
    },
    Operation {
        op: Op::Account,
        methods: &["GET"],
        path: "/v1/account",
        about: |o| {
            o.tag("Caller")
                .summary("What `/v1/whoami` is, which replaces it")
                .deprecated()
                .ok(200, "tenant, tier and scopes", refer("Caller"), caller())
                .says(200, "Deprecation", "since when it is deprecated (RFC 9745)")
                .says(200, "Sunset", "when it goes away (RFC 8594)")
        },
    },
    Operation {
        op: Op::Greeting,
        methods: &["GET"],
        path: "/v1/greeting",
        about: |o| {
            o.tag("Wire")
                .summary("A text in the caller's language")
                .header(
                    "Accept-Language",
                    text(),
                    "languages, best first; en, de, fr and ja are there",
                )
                .header("If-None-Match", text(), "entity tags the caller has")
                .ok(
                    200,
                    "the text",
                    refer("Greeting"),
                    json!({ "language": "de", "text": "Guten Tag" }),
                )
                .says(200, "Vary", "`Accept-Language`")
                .says(200, "Content-Language", "its language")
                .says(200, "ETag", "its entity tag")
                .empty(304, "the caller has it")
        },
    },
    Operation {
        op: Op::Echo,
        methods: ECHOED,
        path: "/v1/echo",
        about: echo,
    },
    Operation {
        op: Op::Echo,
        methods: ECHOED,
        path: "/v1/echo/{path*}",
        about: |o| echo(o).path("path", text().min_length(Some(1)), "any path", "deeper"),
    },
    Operation {
        op: Op::Sink,
        methods: &["POST", "PUT"],
        path: "/v1/sink",
        about: |o| {
            let received = json!({ "body_length": 0, "body_sha256": EMPTY_SHA256 });
            o.tag("Wire")
                .summary("Receive an upload of any size and tell its hash")
                .optional_body("application/octet-stream", anything(), Value::Null)
                .ok(200, "what came", refer("Received"), received)
        },
    },
    Operation {
        op: Op::Bytes,
        methods: &["GET"],
        path: "/v1/bytes/{n}",
        about: |o| {
            o.tag("Wire")
                .summary("So many bytes, always the same")
                .path("n", whole(&(0..=MAX_BYTES)), "how many", 1_024)
                .query("chunk", whole(&(0..=MAX_CHUNK)), "bytes in a piece")
                .query("seed", whole(&COUNT), "which bytes")
                .content(200, "the bytes", text_of(&OCTETS), anything(), Value::Null)
                .says(200, "X-Content-Sha256", "their hash, in hexadecimal")
        },
    },
    Operation {
        op: Op::Lines,
        methods: &["GET"],
        path: "/v1/lines/{n}",
        about: |o| {
            o.tag("Wire")
                .summary("So many lines of JSON")
                .path("n", whole(&(0..=MAX_LINES)), "how many", 3)
                .query(
                    "interval_ms",
                    whole(&(0..=MAX_DELAY_MS)),
                    "a real pause before each",
                )
                .content(200, "lines", text_of(&NDJSON), anything(), Value::Null)
        },
    },
    Operation {
        op: Op::Ticks,
        methods: &["GET"],
        path: "/v1/ticks",
        about: |o| {
            o.tag("Wire")
                .summary("Numbered server-sent events")
                .query("count", whole(&(0..=MAX_TICKS)), "how many there are")
                .query(
                    "interval_ms",
                    whole(&(0..=MAX_DELAY_MS)),
                    "a real pause before each",
                )
                .query(
                    "per_connection",
                    whole(&(0..=MAX_TICKS)),
                    "how many come on one connection",
                )
                .query(
                    "retry_ms",
                    whole(&(0..=MAX_DELAY_MS)),
                    "what the stream says of coming back",
                )
                .header("Last-Event-ID", text(), "the last event the caller had")
                .content(
                    200,
                    "the events",
                    text_of(&EVENT_STREAM),
                    anything(),
                    Value::Null,
                )
                .empty(204, "the caller has them all")
        },
    },
    Operation {
        op: Op::Drip,
        methods: &["GET"],
        path: "/v1/drip",
        about: |o| {
            o.tag("Wire")
                .summary("A body that comes slowly")
                .query("bytes", whole(&(0..=MAX_DRIPS)), "how many `*`")
                .query(
                    "interval_ms",
                    whole(&(0..=MAX_DELAY_MS)),
                    "a real pause before each",
                )
                .content(200, "the bytes", text_of(&OCTETS), anything(), Value::Null)
        },
    },
    Operation {
        op: Op::Redirect,
        methods: EVERY_METHOD,
        path: "/v1/redirect/{status}",
        about: |o| {
            REDIRECTS
                .iter()
                .fold(o, |o, (status, words)| {
                    o.empty(*status, words).says(*status, "Location", "`to`")
                })
                .tag("Wire")
                .summary("Redirect")
                .path(
                    "status",
                    word(&["301", "302", "303", "307", "308"]),
                    "how",
                    "302",
                )
                .required_query(
                    "to",
                    pattern("^[^\\u0000-\\u001f\\u007f]+$"),
                    "the address to redirect to",
                )
                .problems(&[404])
        },
    },
    Operation {
        op: Op::Delay,
        methods: EVERY_METHOD,
        path: "/v1/delay/{ms}",
        about: |o| {
            o.tag("Wire")
                .summary("An answer after so much real time")
                .path("ms", whole(&(0..=MAX_DELAY_MS)), "milliseconds", 1)
                .ok(
                    200,
                    "it is over",
                    refer("Delayed"),
                    json!({ "delayed_ms": 1 }),
                )
        },
    },
    Operation {
        op: Op::Health,
        methods: &["GET"],
        path: "/healthz",
        about: |o| {
            o.tag("Document")
                .summary("Whether the gateway is up")
                .public()
                .ok(200, "it is", refer("Health"), json!({ "status": "ok" }))
        },
    },
];

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const REDIRECTS: &[(u16, &str)] = &[
    (301, "moved; a POST may become a GET"),
    (302, "elsewhere for now; a POST may become a GET"),
    (303, "the answer is elsewhere, with GET"),
    (307, "elsewhere for now, with the same method"),
    (308, "moved, with the same method"),
];

fn text_of(media_type: &http::HeaderValue) -> &str {
    media_type.to_str().unwrap_or_default()
}

fn echo(o: About) -> About {
    let example = json!({
        "method": "GET", "path": "/v1/echo", "query": "", "headers": [["host", "127.0.0.1:4010"]],
        "body_base64": "", "body_sha256": EMPTY_SHA256, "body_length": 0
    });
    o.tag("Wire")
        .summary("What was received, as it was received")
        .optional_body("application/octet-stream", anything(), Value::Null)
        .ok(200, "the request", refer("Echo"), example)
}

fn caller() -> Value {
    json!({ "tenant": "acme", "tier": "pro", "scopes": ["contacts:read", "contacts:write"] })
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    let sha256 = || {
        described(
            text().pattern(Some("^[0-9a-f]{64}$")),
            "SHA-256, in hexadecimal",
        )
    };
    let tiers = ["tiny", "free", "starter", "pro", "enterprise", "unlimited"];
    schemas.add(
        "Caller",
        object([
            ("tenant", text().into()),
            ("tier", word(&tiers).into()),
            ("scopes", list(text()).into()),
        ]),
    );
    schemas.add(
        "Greeting",
        object([
            ("language", word(&["en", "de", "fr", "ja"]).into()),
            ("text", text().into()),
        ]),
    );
    let pair = list(text()).min_items(Some(2)).max_items(Some(2));
    schemas.add(
        "Echo",
        object([
            ("method", text().into()),
            ("path", text().into()),
            ("query", text().into()),
            ("headers", list(pair).into()),
            ("body_base64", described(text(), "the body, in base64")),
            ("body_sha256", sha256()),
            ("body_length", count().into()),
        ]),
    );
    schemas.add(
        "Received",
        object([("body_length", count().into()), ("body_sha256", sha256())]),
    );
    schemas.add(
        "Delayed",
        object([("delayed_ms", whole(&(0..=MAX_DELAY_MS)).into())]),
    );
    schemas.add("Health", object([("status", word(&["ok"]).into())]));
}
