//! The rows of webhook endpoints, deliveries and dead letters.

use serde_json::{Value, json};

use super::op::WebhookOp;
use crate::op::Op;
use crate::openapi::schema::{
    AnySchema, anything, boolean, count, described, format, integer, list, map, object, or_null,
    refer, text, text_of, whole, word,
};
use crate::openapi::{About, Schemas};
use crate::parameter::INSTANT_MS;
use crate::records::{MERGE_PATCH, conditional, keyed_row as keyed, paged};
use crate::routes::Operation;

const fn row(
    op: WebhookOp,
    methods: &'static [&'static str],
    path: &'static str,
    about: fn(About) -> About,
) -> Operation {
    Operation {
        op: Op::Webhook(op),
        methods,
        path,
        about,
    }
}

const ENDPOINTS: &str = "/v1/webhook_endpoints";
const ENDPOINT: &str = "/v1/webhook_endpoints/{id}";
const DELIVERIES: &str = "/v1/webhook_deliveries";
const DELIVERY: &str = "/v1/webhook_deliveries/{id}";
const DEAD_LETTERS: &str = "/v1/webhook_dead_letters";

pub(crate) static OPERATIONS: &[Operation] = &[
    row(WebhookOp::EndpointsList, &["GET"], ENDPOINTS, |o| {
        paged(o.tag("Webhooks"))
            .summary("List webhook endpoints")
            .ok(
                200,
                "a page",
                refer("WebhookEndpointList"),
                page(endpoint()),
            )
            .says(
                200,
                "Link",
                "the next page, `rel=\"next\"`, where there is one",
            )
    }),
    row(WebhookOp::EndpointCreate, &["POST"], ENDPOINTS, |o| {
        keyed(o.tag("Webhooks"))
            .summary("Create a webhook endpoint")
            .detail("The answer has the secret that signs; it is shown this once.")
            .json(refer("NewWebhookEndpoint"), example())
            .ok(
                201,
                "created",
                refer("WebhookEndpointWithSecret"),
                with_secret(),
            )
            .says(201, "Location", "where it is")
            .says(201, "ETag", "its entity tag")
            .problems(&[415])
    }),
    row(WebhookOp::EndpointGet, &["GET"], ENDPOINT, |o| {
        one(o)
            .summary("Get a webhook endpoint")
            .header("If-None-Match", text(), "entity tags the caller has")
            .ok(
                200,
                "the endpoint, without its secret",
                refer("WebhookEndpoint"),
                endpoint(),
            )
            .says(200, "ETag", "its entity tag, strong")
            .empty(304, "the caller has it")
    }),
    row(WebhookOp::EndpointReplace, &["PUT"], ENDPOINT, |o| {
        written(conditional(one(o)))
            .summary("Replace a webhook endpoint")
            .detail("Its secrets stay. Without `enabled` it is enabled.")
            .json(refer("NewWebhookEndpoint"), example())
    }),
    row(WebhookOp::EndpointUpdate, &["PATCH"], ENDPOINT, |o| {
        written(conditional(keyed(one(o))))
            .summary("Change a webhook endpoint")
            .detail("A merge patch (RFC 7396). `enabled` switches it off and on again; what waits when it is switched off becomes dead letters.")
            .body(MERGE_PATCH, refer("WebhookEndpointPatch"), json!({ "enabled": false }))
            .body("application/json", refer("WebhookEndpointPatch"), json!({ "enabled": false }))
    }),
    row(WebhookOp::EndpointDelete, &["DELETE"], ENDPOINT, |o| {
        conditional(one(o))
            .summary("Delete a webhook endpoint")
            .empty(204, "it is gone; what was to be sent to it has failed")
    }),
    row(
        WebhookOp::EndpointRotate,
        &["POST"],
        "/v1/webhook_endpoints/{id}/rotate",
        |o| {
            conditional(keyed(one(o)))
            .summary("Rotate the secrets of a webhook endpoint")
            .detail("For `overlap_s` seconds of the session's clock deliveries carry the signatures of the old and the new secrets.")
            .optional_body(
                "application/json",
                object([("overlap_s?", or_null(integer(0, 604_800)))]),
                json!({ "overlap_s": 86_400 }),
            )
            .ok(200, "the endpoint with its new secret", refer("WebhookEndpointWithSecret"), with_secret())
            .says(200, "ETag", "its new entity tag")
            .problems(&[415])
        },
    ),
    row(
        WebhookOp::EndpointTest,
        &["POST"],
        "/v1/webhook_endpoints/{id}/test",
        |o| {
            keyed(one(o))
                .summary("Send a test event to a webhook endpoint")
                .detail("Whatever it subscribes to. Not to a disabled endpoint: 409.")
                .optional_body(
                    "application/json",
                    object([
                        ("type?", or_null(text_of(1, 100).pattern(Some("^[!-~]+$")))),
                        ("data?", anything().into()),
                    ]),
                    json!({ "type": "invoice.paid", "data": { "amount": 250 } }),
                )
                .ok(
                    202,
                    "it is on its way",
                    refer("WebhookDelivery"),
                    delivery(),
                )
                .problems(&[415, 507])
        },
    ),
    row(WebhookOp::DeliveriesList, &["GET"], DELIVERIES, |o| {
        meant(paged(o.tag("Webhooks")))
            .summary("List webhook deliveries")
            .query("state", states(), "only these")
            .ok(
                200,
                "a page, in order of publication",
                refer("WebhookDeliveryList"),
                page(delivery()),
            )
            .says(
                200,
                "Link",
                "the next page, `rel=\"next\"`, where there is one",
            )
    }),
    row(
        WebhookOp::DeliveriesRedeliver,
        &["POST"],
        "/v1/webhook_deliveries/redeliver",
        |o| {
            keyed(o.tag("Webhooks"))
            .summary("Redeliver all dead letters")
            .detail("Those whose endpoint is there and enabled; each as another delivery of the same message.")
            .optional_body(
                "application/json",
                object([
                    ("since_ms?", or_null(whole(&INSTANT_MS))),
                    ("endpoint?", or_null(text())),
                ]),
                json!({ "since_ms": 1_767_225_600_000_u64 }),
            )
            .ok(
                202,
                "they are on their way",
                object([("redelivered", count().into()), ("deliveries", list(text()).into())]),
                json!({ "redelivered": 1, "deliveries": ["dlv_000002"] }),
            )
            .problems(&[415])
        },
    ),
    row(WebhookOp::DeliveryGet, &["GET"], DELIVERY, |o| {
        of_delivery(o).summary("Get a webhook delivery").ok(
            200,
            "with its attempts, requests and answers in part",
            refer("WebhookDelivery"),
            delivery(),
        )
    }),
    row(
        WebhookOp::DeliveryRedeliver,
        &["POST"],
        "/v1/webhook_deliveries/{id}/redeliver",
        |o| {
            keyed(of_delivery(o))
                .summary("Redeliver a webhook delivery")
                .detail("Another delivery of the same message, with the same `webhook-id`.")
                .ok(
                    202,
                    "it is on its way",
                    refer("WebhookDelivery"),
                    delivery(),
                )
                .problems(&[507])
        },
    ),
    row(WebhookOp::DeadLettersList, &["GET"], DEAD_LETTERS, |o| {
        meant(paged(o.tag("Webhooks")))
            .summary("List dead letters")
            .detail("Deliveries that failed for good and were neither redelivered nor purged.")
            .query("state", states(), "only these")
            .ok(
                200,
                "a page, in order of publication",
                refer("WebhookDeliveryList"),
                page(delivery()),
            )
            .says(
                200,
                "Link",
                "the next page, `rel=\"next\"`, where there is one",
            )
    }),
    row(
        WebhookOp::DeadLettersPurge,
        &["DELETE"],
        DEAD_LETTERS,
        |o| {
            meant(o.tag("Webhooks"))
                .summary("Purge dead letters")
                .query("state", states(), "only these")
                .ok(
                    200,
                    "how many",
                    object([("purged", count().into())]),
                    json!({ "purged": 3 }),
                )
        },
    ),
    row(
        WebhookOp::DeadLetterDelete,
        &["DELETE"],
        "/v1/webhook_dead_letters/{id}",
        |o| {
            of_delivery(o)
                .summary("Purge a dead letter")
                .empty(204, "it is gone")
        },
    ),
];

fn one(o: About) -> About {
    o.tag("Webhooks")
        .path(
            "id",
            text().min_length(Some(1)),
            "the id of the endpoint",
            "ep_000001",
        )
        .problems(&[404])
}

fn of_delivery(o: About) -> About {
    o.tag("Webhooks")
        .path(
            "id",
            text().min_length(Some(1)),
            "the id of the delivery",
            "dlv_000001",
        )
        .problems(&[404])
}

fn written(o: About) -> About {
    o.ok(
        200,
        "the endpoint as it is now",
        refer("WebhookEndpoint"),
        endpoint(),
    )
    .says(200, "ETag", "its new entity tag")
    .problems(&[415, 422])
}

/// The parameters that say which deliveries are meant.
fn meant(o: About) -> About {
    let instant = || whole(&INSTANT_MS);
    o.query("endpoint", text(), "only of this endpoint")
        .query("event", text(), "only of this event")
        .query("type", text(), "only of events of this type")
        .query(
            "since_ms",
            instant(),
            "made then or later, on the session's clock",
        )
        .query(
            "before_ms",
            instant(),
            "made before, on the session's clock",
        )
}

fn states() -> impl Into<AnySchema> {
    word(&["delivered", "failed", "pending", "sending"])
}

fn page(one: Value) -> Value {
    json!({ "data": [one], "next_cursor": null, "has_more": false })
}

fn example() -> Value {
    json!({
        "url": "http://127.0.0.1:9000/hook",
        "types": ["invoice.*"],
        "filter": "$.data.amount >= 100 && $.data.tags[*] == \"vip\"",
        "headers": { "x-tenant": "acme" }
    })
}

fn endpoint() -> Value {
    json!({
        "id": "ep_000001",
        "url": "http://127.0.0.1:9000/hook",
        "description": null,
        "types": ["invoice.*"],
        "filter": "$.data.amount >= 100 && $.data.tags[*] == \"vip\"",
        "headers": { "x-tenant": "acme" },
        "ordered": false,
        "max_in_flight": 8,
        "timeout_ms": null,
        "enabled": true,
        "disabled": null,
        "failing_since": null,
        "public_key": null,
        "old_secrets_until": null,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
        "version": 1
    })
}

fn with_secret() -> Value {
    let mut shown = endpoint();
    if let Some(members) = shown.as_object_mut() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        members.insert("secret".into(), secret.into());
    }
    shown
}

fn delivery() -> Value {
    json!({
        "id": "dlv_000001",
        "endpoint": "ep_000001",
        "event": "evt_8d1f8c2a5f0e4b37",
        "type": "invoice.paid",
        "state": "delivered",
        "reason": null,
        "created_at_ms": 1_767_225_600_000_u64,
        "next_attempt_ms": null,
        "redelivery_of": null,
        "redelivered_as": null,
        "attempts": [{
            "at_ms": 1_767_225_600_000_u64,
            "status": 204,
            "error": null,
            "took_ms": 3
        }]
    })
}

/// The fields that can be written; in a patch none has to be there.
fn writable(whole: bool) -> utoipa::openapi::schema::ObjectBuilder {
    let url = described(
        text_of(1, 2_048).pattern(Some("^https?://.")),
        "an `http:` or `https:` address, public or on loopback",
    );
    let value = text_of(0, 1_024).pattern(Some("^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$"));
    let value: AnySchema = match whole {
        true => value.into(),
        // As a merge patch has it: null takes it away.
        false => or_null(value),
    };
    let base = object([
        ("description?", or_null(text_of(0, 500))),
        (
            "types?",
            or_null(list(text_of(1, 100).pattern(Some("^[!-~]+$"))).max_items(Some(100))),
        ),
        ("filter?", or_null(text_of(1, 1_024))),
        (
            "headers?",
            or_null(map(value).max_properties(Some(16)).property_names(Some(
                text_of(1, 64).pattern(Some("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")),
            ))),
        ),
        ("ordered?", or_null(boolean())),
        ("max_in_flight?", or_null(integer(1, 32))),
        ("timeout_ms?", or_null(integer(100, 30_000))),
        ("enabled?", or_null(boolean())),
    ]);
    if whole {
        base.property("url", url)
            .required("url")
            .property("key_pair", or_null(boolean()))
    } else {
        base.property("url", url)
    }
}

fn shown() -> utoipa::openapi::schema::ObjectBuilder {
    let date = || format("date-time");
    let disabled = object([
        ("reason", word(&["failing", "gone", "owner"]).into()),
        ("at", date().into()),
    ]);
    object([
        ("id", text().into()),
        ("url", text().into()),
        ("description", or_null(text())),
        ("types", list(text()).into()),
        ("filter", or_null(text())),
        ("headers", map(text()).into()),
        ("ordered", boolean().into()),
        ("max_in_flight", integer(1, 32).into()),
        ("timeout_ms", or_null(integer(100, 30_000))),
        ("enabled", boolean().into()),
        ("disabled", or_null(disabled)),
        ("failing_since", or_null(date())),
        ("public_key", or_null(text())),
        ("old_secrets_until", or_null(date())),
        ("created_at", date().into()),
        ("updated_at", date().into()),
        ("version", count().into()),
    ])
}

fn excerpt() -> AnySchema {
    object([
        (
            "headers",
            list(list(text()).min_items(Some(2)).max_items(Some(2))).into(),
        ),
        ("body", text().into()),
        ("cut", boolean().into()),
    ])
    .into()
}

/// What `tls_error` says.
const TLS_ERRORS: [&str; 7] = [
    "expired",
    "handshake",
    "invalid_certificate",
    "not_yet_valid",
    "revoked",
    "unknown_issuer",
    "wrong_name",
];

/// The schemas of these operations.
pub(crate) fn schemas(schemas: &mut Schemas) {
    schemas.add("NewWebhookEndpoint", writable(true));
    schemas.add("WebhookEndpointPatch", writable(false));
    schemas.add("WebhookEndpoint", shown());
    schemas.add(
        "WebhookEndpointWithSecret",
        shown()
            .property("secret", described(text(), "`whsec_…`, shown this once"))
            .required("secret"),
    );
    let attempt = object([
        ("at_ms", count().into()),
        ("status", or_null(integer(100, 999))),
        ("error", or_null(text())),
        ("tls_error?", word(&TLS_ERRORS).into()),
        ("took_ms", count().into()),
        ("retry_after_ms?", count().into()),
        ("request?", excerpt()),
        ("response?", excerpt()),
    ]);
    let reasons = ["endpoint_disabled", "endpoint_removed", "exhausted", "gone"];
    schemas.add(
        "WebhookDelivery",
        object([
            ("id", text().into()),
            ("endpoint", text().into()),
            ("event", text().into()),
            ("type", text().into()),
            (
                "state",
                word(&["delivered", "failed", "pending", "sending"]).into(),
            ),
            ("reason", or_null(word(&reasons))),
            ("created_at_ms", count().into()),
            ("next_attempt_ms", or_null(count())),
            ("redelivery_of", or_null(text())),
            ("redelivered_as", or_null(text())),
            ("attempts", list(attempt).into()),
        ]),
    );
    for (name, one) in [
        ("WebhookEndpointList", "WebhookEndpoint"),
        ("WebhookDeliveryList", "WebhookDelivery"),
    ] {
        schemas.add(
            name,
            object([
                ("data", list(refer(one)).into()),
                ("next_cursor", or_null(text())),
                ("has_more", boolean().into()),
            ]),
        );
    }
}
