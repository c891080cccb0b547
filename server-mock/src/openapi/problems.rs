//! The document's errors: one schema for all (RFC 9457 with the gateway's members), and one response for each status.

use serde_json::json;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Ref};

use super::Schemas;
use super::about::with_headers;
use super::schema::{boolean, described, format, integer, list, object, refer, text};

/// Statuses that are answered with a problem: what they mean, and a code as an example.
const PROBLEMS: &[(u16, &str, &str)] = &[
    (400, "the request cannot be understood", "malformed_json"),
    (401, "who is calling is not known", "missing_credentials"),
    (403, "the key may not do this", "insufficient_scope"),
    (404, "there is nothing of this name", "not_found"),
    (406, "no such form of the answer", "not_acceptable"),
    (408, "the request took too long", "timeout"),
    (
        409,
        "the request does not fit what there is now",
        "idempotency_in_flight",
    ),
    (410, "it is gone", "gone"),
    (411, "the length has to be said", "length_required"),
    (
        412,
        "it has changed since the caller saw it",
        "precondition_failed",
    ),
    (413, "the body is too large", "body_too_large"),
    (415, "no such form of the body", "unsupported_media_type"),
    (416, "no such range", "range_not_satisfiable"),
    (421, "not for this server", "misdirected_request"),
    (
        422,
        "fields are wrong, or an idempotency key was used with another body",
        "validation_failed",
    ),
    (
        428,
        "the request has to say what it changes",
        "precondition_required",
    ),
    (429, "a limit is used up", "rate_limited"),
    (500, "the gateway has a bug", "internal_error"),
    (501, "not made yet", "not_implemented"),
    (
        502,
        "what is behind the gateway answered nothing of use",
        "bad_gateway",
    ),
    (503, "it cannot be done just now", "unavailable"),
    (
        504,
        "what is behind the gateway did not answer",
        "gateway_timeout",
    ),
    (
        507,
        "a session or a tenant has all it can have",
        "too_many_records",
    ),
];

pub(super) fn schemas(schemas: &mut Schemas) {
    schemas.add(
        "FieldError",
        object([
            (
                "pointer",
                described(text(), "a JSON Pointer (RFC 6901) into the body"),
            ),
            ("code", described(text(), "stable, such as `required`")),
            ("detail", described(text(), "for people")),
        ])
        .description(Some("What is wrong with one field.")),
    );
    schemas.add(
        "Problem",
        object([
            (
                "type",
                described(format("uri"), "what kind of problem it is"),
            ),
            ("title", text().into()),
            (
                "status",
                described(integer(400, 599), "the status of the answer"),
            ),
            (
                "detail",
                described(text(), "what happened and what to do next"),
            ),
            ("instance", described(text(), "the path of the request")),
            ("code", described(text(), "stable; programs look at this")),
            (
                "request_id",
                described(text(), "names the request in the journal"),
            ),
            ("errors", list(refer("FieldError")).into()),
            (
                "retryable",
                described(boolean(), "whether the same request can succeed later"),
            ),
        ])
        .description(Some(
            "An error (RFC 9457). Some codes have members of their own.",
        )),
    );
}

/// `Problem404` and so on.
pub(super) fn responses() -> impl Iterator<Item = (String, Response)> {
    PROBLEMS.iter().map(|(status, words, code)| {
        let errors = match *code {
            "validation_failed" => json!([{
                "pointer": "/name", "code": "required", "detail": "name is required"
            }]),
            _ => json!([]),
        };
        let title = http::StatusCode::from_u16(*status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let example = json!({
            "type": format!("https://gatewright.dev/problems/{}", code.replace('_', "-")),
            "title": title,
            "status": status,
            "detail": words,
            "instance": "/v1/contacts",
            "code": code,
            "request_id": "req_e220a8397b1dcdaf",
            "errors": errors,
            "retryable": matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        });
        let content = ContentBuilder::new()
            .schema(Some(refer("Problem")))
            .example(Some(example));
        let mut response = ResponseBuilder::new()
            .description(*words)
            .content("application/problem+json", content.build());
        if *status == 429 {
            let header = Ref::new("#/components/headers/Retry-After");
            response = response.header_ref("Retry-After", header);
        }
        (
            format!("Problem{status}"),
            with_headers(response, *status == 429),
        )
    })
}
