//! The rows of the login.

use serde_json::Value;

use super::LoginOp;
use super::begin::{MAX_OWN_PATH, OWN_PATH_PATTERN};
use crate::oauth::PROVIDER_PATTERN;
use crate::op::Op;
use crate::openapi::schema::{count, object, or_null, pattern, refer, text};
use crate::openapi::{About, Schemas};
use crate::routes::Operation;

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Login(LoginOp::Session),
        methods: &["GET"],
        path: "/login/session",
        about: |o| {
            about(o)
                .summary("Who is logged in with this browser")
                .ok(
                    200,
                    "the user and the session",
                    refer("LoginSession"),
                    Value::Null,
                )
                .problems(&[401])
        },
    },
    Operation {
        op: Op::Login(LoginOp::Begin),
        methods: &["GET"],
        path: "/login/{provider}",
        about: |o| {
            provider(o)
                .summary("Log in with a provider")
                .query(
                    "return_to",
                    pattern(OWN_PATH_PATTERN).max_length(Some(MAX_OWN_PATH)),
                    "a path of the gateway, for afterwards",
                )
                .empty(302, "to the provider, with a cookie of this attempt")
                .says(302, "Location", "the provider's authorization endpoint")
                .says(302, "Set-Cookie", "the attempt's cookie")
                .problems(&[400, 404, 502])
        },
    },
    Operation {
        op: Op::Login(LoginOp::Callback),
        methods: &["GET"],
        path: "/login/{provider}/callback",
        about: |o| {
            provider(o)
                .summary("Come back from the provider")
                .query("state", text(), "that of the attempt")
                .query("code", text(), "what the provider gave")
                .query("iss", text(), "who the provider is (RFC 9207)")
                .query("error", text(), "why the provider refused")
                .empty(303, "logged in, with the session's cookie")
                .says(303, "Location", "`return_to`, or `/login/session`")
                .says(303, "Set-Cookie", "the session's cookie")
                .problems(&[400, 403, 404, 502])
        },
    },
    Operation {
        op: Op::Login(LoginOp::Logout),
        methods: &["POST"],
        path: "/logout",
        about: |o| {
            about(o)
                .summary("Log out")
                .header("X-CSRF-Token", text(), "`csrf_token` of the session")
                .empty(204, "nobody is logged in any more")
                .says(204, "Set-Cookie", "takes the session's cookie away")
                .problems(&[403])
        },
    },
];

fn about(o: About) -> About {
    o.tag("Login").public()
}

fn provider(o: About) -> About {
    let words = "the provider, and behind `~` the session";
    about(o).path("provider", pattern(PROVIDER_PATTERN), words, "generic")
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    schemas.add(
        "LoginSession",
        object([
            ("provider", text().into()),
            ("sub", text().into()),
            ("name", or_null(text())),
            ("email", or_null(text())),
            ("csrf_token", text().into()),
            ("created_at_ms", count().into()),
            ("expires_at_ms", count().into()),
        ])
        .description(Some("Who is logged in.")),
    );
}
