//! The rows of the authorization server. Its errors are those of RFC 6749, section 5.2, not problem details.

use serde_json::{Value, json};

use super::OAuthOp;
use crate::op::Op;
use crate::openapi::schema::{
    anything, boolean, count, format, list, map, object, pattern, refer, text, word,
};
use crate::openapi::{About, Schemas};
use crate::routes::Operation;

/// Whether a segment can be an issuer's name, with or without a session: `generic`, `generic~my-session`.
pub(crate) fn is_provider(segment: &str) -> bool {
    let name = segment.split('~').next().unwrap_or_default();
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What [`is_provider`] takes with a session's name behind it.
pub(crate) const PROVIDER_PATTERN: &str = "^[A-Za-z0-9-]{1,32}(~[!-~]{1,128})?$";

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::OAuth(OAuthOp::Metadata),
        methods: &["GET"],
        path: "/oauth/{provider}/.well-known/openid-configuration",
        about: metadata,
    },
    Operation {
        op: Op::OAuth(OAuthOp::Metadata),
        methods: &["GET"],
        path: "/.well-known/openid-configuration/oauth/{provider}",
        about: metadata,
    },
    Operation {
        op: Op::OAuth(OAuthOp::Metadata),
        methods: &["GET"],
        path: "/.well-known/oauth-authorization-server/oauth/{provider}",
        about: metadata,
    },
    Operation {
        op: Op::OAuth(OAuthOp::Jwks),
        methods: &["GET"],
        path: "/oauth/{provider}/jwks",
        about: |o| {
            issuer(o).summary("The public keys (RFC 7517)").ok(
                200,
                "the current one first",
                refer("Jwks"),
                Value::Null,
            )
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Authorize),
        methods: &["GET", "POST"],
        path: "/oauth/{provider}/authorize",
        about: |o| {
            AUTHORIZE
                .iter()
                .fold(issuer(o), |o, (name, words)| o.query(name, text(), words))
                .summary("Ask the user (RFC 6749, section 4.1.1; PKCE with S256)")
                .optional_body(FORM, map(text()), Value::Null)
                .empty(302, "back to the client, with a code or an error")
                .says(
                    302,
                    "Location",
                    "`redirect_uri` with `code`, `state` and `iss`, or `error`",
                )
                .content(200, "a page that asks", HTML, text(), Value::Null)
                .content(
                    400,
                    "a page that says what is wrong",
                    HTML,
                    text(),
                    Value::Null,
                )
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Token),
        methods: &["POST"],
        path: "/oauth/{provider}/token",
        about: |o| {
            let tokens = json!({ "access_token": "oat_5f1d7a84db00d2fc", "token_type": "Bearer", "expires_in": 3600 });
            client(o)
                .summary("Get tokens for a grant (RFC 6749, section 5)")
                .header("DPoP", text(), "a proof of a key (RFC 9449)")
                .body(
                    FORM,
                    map(text()),
                    json!({ "grant_type": "client_credentials" }),
                )
                .ok(200, "the tokens", refer("OAuthTokens"), tokens)
                .content(200, "the tokens", FORM, map(text()), Value::Null)
                .ok(
                    403,
                    "what is wrong, as Google says it",
                    refer("OAuthError"),
                    Value::Null,
                )
                .ok(
                    428,
                    "the user has not decided yet, as Google says it",
                    refer("OAuthError"),
                    Value::Null,
                )
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::DeviceAuthorization),
        methods: &["POST"],
        path: "/oauth/{provider}/device_authorization",
        about: |o| {
            client(o)
                .summary("Begin for a device (RFC 8628)")
                .body(FORM, map(text()), json!({ "client_id": "public-client" }))
                .ok(200, "the codes", refer("OAuthDevice"), Value::Null)
                .content(200, "the codes", FORM, map(text()), Value::Null)
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Device),
        methods: &["GET", "POST"],
        path: "/oauth/{provider}/device",
        about: |o| {
            issuer(o)
                .summary("The page where a user decides about a device")
                .query("user_code", text(), "the code that the device shows")
                .optional_body(FORM, map(text()), Value::Null)
                .content(200, "the page", HTML, text(), Value::Null)
                .content(
                    400,
                    "a page that says what is wrong",
                    HTML,
                    text(),
                    Value::Null,
                )
                .content(404, "no such code", HTML, text(), Value::Null)
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Par),
        methods: &["POST"],
        path: "/oauth/{provider}/par",
        about: |o| {
            client(o)
                .summary("Push an authorization request (RFC 9126)")
                .body(
                    FORM,
                    map(text()),
                    json!({ "client_id": "public-client", "response_type": "code" }),
                )
                .ok(201, "its name", refer("OAuthPushed"), Value::Null)
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Introspect),
        methods: &["POST"],
        path: "/oauth/{provider}/introspect",
        about: |o| {
            client(o)
                .summary("What a token is (RFC 7662)")
                .body(
                    FORM,
                    map(text()),
                    json!({ "token": "oat_5f1d7a84db00d2fc" }),
                )
                .ok(
                    200,
                    "`active`, and what is known",
                    refer("OAuthIntrospection"),
                    json!({ "active": false }),
                )
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Revoke),
        methods: &["POST"],
        path: "/oauth/{provider}/revoke",
        about: |o| {
            client(o)
                .summary("End a token (RFC 7009)")
                .body(
                    FORM,
                    map(text()),
                    json!({ "token": "oat_5f1d7a84db00d2fc" }),
                )
                .empty(200, "it has ended, or was none")
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Userinfo),
        methods: &["GET", "POST"],
        path: "/oauth/{provider}/userinfo",
        about: |o| {
            issuer(o)
                .summary("Who the user is (OpenID Connect Core, section 5.3)")
                .ok(
                    200,
                    "the claims of the token's scopes",
                    refer("OAuthUser"),
                    json!({ "sub": "user-1" }),
                )
                .problems(&[401, 403])
        },
    },
    Operation {
        op: Op::OAuth(OAuthOp::Emails),
        methods: &["GET"],
        path: "/oauth/github/user/emails",
        about: |o| {
            let email =
                json!([{ "email": "test.user@example.com", "primary": true, "verified": true }]);
            o.tag("Authorization")
                .public()
                .summary("The user's addresses, as GitHub says them")
                .ok(200, "the addresses", list(map(anything())), email)
                .problems(&[401, 403, 404])
        },
    },
];

const FORM: &str = "application/x-www-form-urlencoded";
const HTML: &str = "text/html";
const AUTHORIZE: [(&str, &str); 8] = [
    ("client_id", "the client, `test-client`"),
    (
        "redirect_uri",
        "where the user goes back to; exactly one of the client's",
    ),
    ("response_type", "`code`"),
    ("scope", "scopes, separated by spaces"),
    ("state", "comes back as it is"),
    ("nonce", "comes back in the ID token"),
    ("code_challenge", "of PKCE (RFC 7636)"),
    ("code_challenge_method", "`S256`"),
];

fn issuer(o: About) -> About {
    let words =
        "the issuer; any word, and behind `~` the session, for clients that send no header for it";
    o.tag("Authorization")
        .public()
        .path("provider", pattern(PROVIDER_PATTERN), words, "generic")
        .problems(&[400, 404])
}

/// An operation where a client says who it is.
fn client(o: About) -> About {
    let error = || refer("OAuthError");
    let refused =
        json!({ "error": "invalid_client", "error_description": "the client is not known" });
    issuer(o)
        .header(
            "Authorization",
            text(),
            "the client's name and secret, as Basic has them",
        )
        .ok(
            400,
            "what is wrong",
            error(),
            json!({ "error": "invalid_request", "error_description": "grant_type is missing" }),
        )
        .ok(401, "the client is not known", error(), refused)
}

fn metadata(o: About) -> About {
    issuer(o)
        .summary("Where everything is (RFC 8414, OpenID Connect Discovery)")
        .ok(200, "the metadata", refer("OAuthMetadata"), Value::Null)
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    let url = || format("uri").into();
    schemas.add(
        "OAuthMetadata",
        object([
            ("issuer", url()),
            ("authorization_endpoint", url()),
            ("token_endpoint", url()),
            ("jwks_uri", url()),
            ("response_types_supported", list(text()).into()),
            ("grant_types_supported", list(text()).into()),
            ("scopes_supported", list(text()).into()),
        ])
        .description(Some("Some of what RFC 8414 has; there is more.")),
    );
    let key = object([("kty", text().into()), ("kid", text().into())]);
    schemas.add("Jwks", object([("keys", list(key).into())]));
    schemas.add(
        "OAuthError",
        object([
            ("error", text().into()),
            ("error_description?", text().into()),
        ]),
    );
    schemas.add(
        "OAuthTokens",
        object([
            ("access_token", text().into()),
            ("token_type", word(&["Bearer", "DPoP", "bearer"]).into()),
            ("expires_in?", count().into()),
            ("refresh_token?", text().into()),
            ("scope?", text().into()),
            ("id_token?", text().into()),
        ]),
    );
    schemas.add(
        "OAuthDevice",
        object([
            ("device_code", text().into()),
            ("user_code", text().into()),
            ("verification_uri", url()),
            ("verification_uri_complete?", url()),
            ("expires_in", count().into()),
            ("interval", count().into()),
        ]),
    );
    schemas.add(
        "OAuthPushed",
        object([
            ("request_uri", text().into()),
            ("expires_in", count().into()),
        ]),
    );
    schemas.add("OAuthIntrospection", object([("active", boolean().into())]));
    schemas.add(
        "OAuthUser",
        object([
            ("sub", text().into()),
            ("name?", text().into()),
            ("email?", text().into()),
        ]),
    );
}
