//! The OpenAPI 3.1 document at `/openapi.json` and `/openapi.yaml`, written from the rows of the router's table.
//!
//! It is made when it is first asked for, and is the same for every session. Each subject describes its bodies in a file of
//! its own and adds them by one line in [`SCHEMAS`].

mod about;
mod events;
mod problems;
pub(crate) mod schema;
mod yaml;

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use utoipa::openapi::header::Header;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::{HttpMethod, PathsBuilder};
use utoipa::openapi::schema::{Components, ComponentsBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{OpenApi, OpenApiBuilder, PathItem, RefOr, Schema};

pub(crate) use about::About;

use crate::call::Call;
use crate::op::Op;
use crate::records::listed;
use crate::reply::Reply;
use crate::routes::{Operation, operations};
use crate::stable_hash::stable_hash;
use schema::{AnySchema, anything, count, text};

/// The schemas that operations refer to, by name.
#[derive(Default)]
pub(crate) struct Schemas(Vec<(String, AnySchema)>);

impl Schemas {
    /// Adds a schema that `refer(name)` means.
    pub(crate) fn add(&mut self, name: impl Into<String>, schema: impl Into<AnySchema>) {
        self.0.push((name.into(), schema.into()));
    }
}

/// The schemas of each subject.
const SCHEMAS: &[fn(&mut Schemas)] = &[
    problems::schemas,
    crate::resource::schemas,
    crate::batch::schemas,
    crate::jobs::schemas,
    crate::endpoints::schemas,
    crate::files::schemas,
    crate::usage::schemas,
    crate::events::schemas,
    crate::oauth::schemas,
    crate::login::schemas,
    events::schemas,
    crate::webhooks::schemas,
];

/// The document itself.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::OpenApi,
        methods: &["GET"],
        path: "/openapi.json",
        about: |o| {
            o.tag("Document")
                .summary("This document, as JSON")
                .public()
                .content(200, "the document", JSON, anything(), Value::Null)
                .says(200, "ETag", "the document's entity tag")
        },
    },
    Operation {
        op: Op::OpenApi,
        methods: &["GET"],
        path: "/openapi.yaml",
        about: |o| {
            o.tag("Document")
                .summary("This document, as YAML")
                .public()
                .content(200, "the document", YAML, anything(), Value::Null)
                .says(200, "ETag", "the document's entity tag")
        },
    },
];

/// The media types registered for the two forms (RFC 9512 for YAML).
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// What the document begins with.
const INTRODUCTION: &str = "\
The data port of a gateway on your own machine: correct limits, real idempotency, one clock you can move, faults on demand.

Keys need no set-up: `sk_test_{tier}_{tenant}`, with the tiers `tiny`, `free`, `starter`, `pro`, `enterprise` and \
`unlimited`; `_revoked`, `_expired` and `_readonly` behind it are what they say.

Any request may have `X-Mock-Session: NAME`, which selects a world of its own, and `X-Mock-Fault: FAULT`, which is done to \
its answer. Requests below `/v1` may have `Api-Version: DATE`. `HEAD` is answered where `GET` is, `OPTIONS` everywhere.";

/// Tags, in the order of the document.
const TAGS: &[(&str, &str)] = &[
    ("Contacts", "People outside."),
    ("Users", "People inside."),
    ("Projects", "What users do for contacts."),
    ("Batch", "Many operations in one request."),
    ("Jobs", "Work that takes time on the session's clock."),
    (
        "Files",
        "Uploads, whole, in forms or in parts, and downloads.",
    ),
    ("Events", "What happened."),
    ("Webhooks", "Who is told of it."),
    ("Usage", "What a key has used."),
    ("Caller", "Who is calling."),
    (
        "Wire",
        "What a client has to bear: echoes, streams, delays, redirects.",
    ),
    ("Upstreams", "Real servers behind the gateway."),
    (
        "Authorization",
        "The authorization server (OAuth 2, OpenID Connect).",
    ),
    (
        "Login",
        "Logging in with a provider, and the session that comes of it.",
    ),
    ("Document", "This document, and whether the gateway is up."),
];

/// Answers `GET /openapi.json` and `/openapi.yaml`.
pub(crate) fn respond(call: &Call) -> Reply {
    static JSON_TEXT: OnceLock<(Bytes, String)> = OnceLock::new();
    static YAML_TEXT: OnceLock<(Bytes, String)> = OnceLock::new();
    let with_tag = |text: String| {
        let tag = format!("\"{:016x}\"", stable_hash(&[text.as_bytes()]));
        (Bytes::from(text), tag)
    };
    let (media_type, (text, tag)) = if call.path().ends_with(".yaml") {
        let made = YAML_TEXT.get_or_init(|| with_tag(yaml::written(&document_value())));
        (YAML, made)
    } else {
        let made = JSON_TEXT.get_or_init(|| with_tag(document_value().to_string()));
        (JSON, made)
    };
    let fresh = listed(&call.parts.headers, &IF_NONE_MATCH)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag);
    let reply = if fresh {
        Reply::new(StatusCode::NOT_MODIFIED)
    } else {
        Reply::new(StatusCode::OK)
            .with(CONTENT_TYPE, HeaderValue::from_static(media_type))
            .with_body(text.clone())
    };
    reply
        .with_text(ETAG, tag.as_str())
        .with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

/// The document as a value; one that cannot be written is a bug and shows as `null`.
fn document_value() -> Value {
    serde_json::to_value(document()).unwrap_or(Value::Null)
}

/// The document.
pub(crate) fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for row in operations() {
        for method in row.methods {
            let Some(verb) = verb(method) else { continue };
            let operation = (row.about)(About::new()).build(row, method);
            let path = row.path.replace("*}", "}");
            paths = paths.path(path, PathItem::new(verb, operation));
        }
    }
    let info = InfoBuilder::new()
        .title("Gatewright reference gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ));
    let tags = TAGS.iter().map(|(name, words)| {
        TagBuilder::new()
            .name(*name)
            .description(Some(*words))
            .build()
    });
    let none: [&str; 0] = [];
    let security = about::SECURITY.map(|name| SecurityRequirement::new(name, none));
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .paths(paths)
        .webhooks(Some(events::webhooks()))
        .components(Some(components()))
        .security(Some(security))
        .tags(Some(tags))
        .build()
}

fn verb(method: &str) -> Option<HttpMethod> {
    Some(match method {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        "OPTIONS" => HttpMethod::Options,
        _ => return None,
    })
}

fn components() -> Components {
    let mut schemas = Schemas::default();
    for add in SCHEMAS {
        add(&mut schemas);
    }
    let schemas: Vec<(String, RefOr<Schema>)> = schemas.0;
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .responses_from_iter(problems::responses());
    let components = headers()
        .into_iter()
        .fold(components, |components, (name, header)| {
            components.header(name, header)
        });
    security_schemes()
        .into_iter()
        .fold(components, |components, (name, scheme)| {
            components.security_scheme(name, scheme)
        })
        .build()
}

/// The headers that answers refer to.
fn headers() -> [(&'static str, Header); 5] {
    let header = |words, schema| about::header(words, schema).build();
    [
        (
            "Request-Id",
            header("names the request in the journal", text()),
        ),
        (
            "Server-Timing",
            header("`gw;dur=MS`: real time the gateway took", text()),
        ),
        (
            "RateLimit",
            header(
                "what is left: `\"burst\";r=299;t=1` (draft-ietf-httpapi-ratelimit-headers-10)",
                text(),
            ),
        ),
        (
            "RateLimit-Policy",
            header("the limits: `\"burst\";q=300;w=3`", text()),
        ),
        (
            "Retry-After",
            header("seconds after which it is let in", count()),
        ),
    ]
}

fn security_schemes() -> [(&'static str, SecurityScheme); 5] {
    let http = |scheme, words: &str| {
        let scheme = HttpBuilder::new().scheme(scheme).description(Some(words));
        SecurityScheme::Http(scheme.build())
    };
    let words = "a key, `sk_test_pro_acme`";
    let [bearer, basic, header, query, cookie] = about::SECURITY;
    [
        (
            bearer,
            http(
                HttpAuthScheme::Bearer,
                "a key, a token of the admin port, or an access token",
            ),
        ),
        (
            basic,
            http(HttpAuthScheme::Basic, "a key as the user, no password"),
        ),
        (
            header,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-API-Key",
                words,
            ))),
        ),
        (
            query,
            SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(
                "api_key", words,
            ))),
        ),
        (
            cookie,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "api_key", words,
            ))),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Everything a `$ref` points to.
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(target) if name == "$ref" => {
                            found.insert(target);
                        }
                        member => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_names_the_operations_of_the_router_and_no_others() {
        let document = document_value();
        let mut written = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                let key = (method.to_uppercase(), path.clone());
                assert!(written.insert(key, id).is_none());
            }
        }
        let ids: BTreeSet<_> = written.values().collect();
        assert_eq!(ids.len(), written.len(), "operation ids are distinct");
        let mut expected = BTreeSet::new();
        for row in operations() {
            for method in row.methods {
                let path = row.path.replace("*}", "}");
                // Where the document has it, the router finds that very operation.
                let request = path
                    .replace("{provider}", "generic")
                    .replace(['{', '}'], "");
                let method_of = http::Method::from_bytes(method.as_bytes()).unwrap();
                let found = crate::routes::route(&method_of, &request);
                assert_eq!(found.op, row.op, "{method} {request}");
                let id = &written[&((*method).to_owned(), path.clone())];
                assert!(id.starts_with(row.op.name()), "{id} is {}", row.op.name());
                expected.insert(((*method).to_owned(), path));
            }
        }
        assert_eq!(written.into_keys().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn every_reference_has_its_target() {
        let document = document_value();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 10);
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} is missing");
        }
    }

    #[test]
    fn every_operation_is_described() {
        let document = document_value();
        let tags: BTreeSet<_> = TAGS.iter().map(|(name, _)| *name).collect();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = &operation["operationId"];
                assert!(operation["summary"].is_string(), "{id} has no summary");
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                assert!(tags.contains(tag), "{id} has the unknown tag {tag:?}");
                let answers = operation["responses"].as_object().unwrap();
                let good = answers.keys().any(|status| status.starts_with(['2', '3']));
                assert!(good, "{id} never succeeds");
            }
        }
    }
}
