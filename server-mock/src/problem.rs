//! Errors of the data port as problem details (RFC 9457), each with a stable code and whether a retry can help.

use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::key::Unauthorized;
use crate::quota::Refusal;
use crate::reply::Reply;

pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The types of draft-ietf-httpapi-ratelimit-headers-10, section 5.
pub(crate) const QUOTA_EXCEEDED: &str =
    "https://iana.org/assignments/http-problem-types#quota-exceeded";
pub(crate) const REDUCED_CAPACITY: &str =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// An error before it knows which request it answers.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) retryable: bool,
    /// Type and title where they are not those of the code and the status.
    kind: Option<Box<(String, Option<&'static str>)>>,
    errors: Vec<FieldError>,
    extra: Map<String, Value>,
}

/// What is wrong with one field; `pointer` is a JSON Pointer (RFC 6901) into the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) pointer: String,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    errors: &'a [FieldError],
    retryable: bool,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            retryable: matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
            kind: None,
            errors: Vec::new(),
            extra: Map::new(),
        }
    }

    /// The same error once more, as far as refusals of requests have it.
    pub(crate) fn again(&self) -> Self {
        Self {
            errors: self.errors.clone(),
            extra: self.extra.clone(),
            ..Self::new(self.status, self.code.clone(), self.detail.clone())
        }
        .retryable(self.retryable)
    }

    pub(crate) fn of_type(mut self, kind: impl Into<String>, title: Option<&'static str>) -> Self {
        self.kind = Some(Box::new((kind.into(), title)));
        self
    }

    pub(crate) fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    pub(crate) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer to the request `request_id` for `instance`.
    pub(crate) fn reply(self, instance: &str, request_id: &str) -> Reply {
        let own = format!(
            "https://gatewright.dev/problems/{}",
            self.code.replace('_', "-")
        );
        let (kind, title) = match self.kind.as_deref() {
            Some((kind, title)) => (Some(kind.as_str()), *title),
            None => (None, None),
        };
        let details = Details {
            r#type: kind.unwrap_or(&own),
            title: title.or(self.status.canonical_reason()).unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: &self.code,
            request_id,
            errors: &self.errors,
            retryable: self.retryable,
            extra: &self.extra,
        };
        Reply::json(self.status, &details).with(CONTENT_TYPE, PROBLEM_JSON)
    }
}

/// 401, with the challenge of RFC 6750, section 3: without credentials it names no error.
pub(crate) fn unauthorized(why: Unauthorized) -> (Problem, &'static str) {
    let (code, detail, challenge) = match why {
        Unauthorized::Missing => (
            "missing_credentials",
            "no credentials were sent; send `Authorization: Bearer KEY`, `X-API-Key: KEY` or `?api_key=KEY`",
            r#"Bearer realm="gatewright""#,
        ),
        Unauthorized::TokenRevoked => (
            "token_revoked",
            "the token has been revoked; get a new one",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the token has been revoked""#,
        ),
        Unauthorized::TokenUnknown => (
            "invalid_token",
            "the token is not known; get a new one",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the token is not known""#,
        ),
        Unauthorized::ProofMissing => (
            "proof_missing",
            "the token is bound to a key; send `Authorization: DPoP TOKEN` and a DPoP proof",
            r#"DPoP realm="gatewright", error="invalid_token", error_description="the token is bound to a key", algs="ES256 EdDSA RS256 PS256""#,
        ),
        Unauthorized::ProofInvalid => (
            "invalid_dpop_proof",
            "the DPoP proof is not right for this request, this token and its key, or was used before",
            r#"DPoP realm="gatewright", error="invalid_dpop_proof", algs="ES256 EdDSA RS256 PS256""#,
        ),
        Unauthorized::ProofNonce => (
            "use_dpop_nonce",
            "the DPoP proof needs the nonce of DPoP-Nonce",
            r#"DPoP realm="gatewright", error="use_dpop_nonce", error_description="the proof needs the nonce of DPoP-Nonce""#,
        ),
        Unauthorized::Signature(flaw) => {
            let (code, detail) = flaw.told();
            (code, detail, r#"HMAC-SHA256 realm="gatewright""#)
        }
        Unauthorized::Unknown => (
            "invalid_api_key",
            "the key is not known; test keys look like sk_test_pro_acme",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the key is not known""#,
        ),
        Unauthorized::Revoked => (
            "key_revoked",
            "the key has been revoked; use another key",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the key has been revoked""#,
        ),
        Unauthorized::Expired => (
            "key_expired",
            "the key has expired; use another key",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the key has expired""#,
        ),
        Unauthorized::TokenExpired => (
            "token_expired",
            "the token has expired; get a new one",
            r#"Bearer realm="gatewright", error="invalid_token", error_description="the token has expired""#,
        ),
    };
    (
        Problem::new(StatusCode::UNAUTHORIZED, code, detail),
        challenge,
    )
}

/// Adds a challenge to a 401 or 403.
pub(crate) fn challenged(reply: Reply, challenge: &str) -> Reply {
    reply.with_text(WWW_AUTHENTICATE, challenge)
}

/// 403 for a key that lacks `scope`.
pub(crate) fn insufficient_scope(scope: &str) -> (Problem, String) {
    let problem = Problem::new(
        StatusCode::FORBIDDEN,
        "insufficient_scope",
        format!("the key lacks the scope {scope}"),
    )
    .with_member("required_scope", scope);
    let challenge =
        format!(r#"Bearer realm="gatewright", error="insufficient_scope", scope="{scope}""#);
    (problem, challenge)
}

/// 429, of the draft's type, naming the policies that refused.
pub(crate) fn quota_exceeded(refusal: &Refusal) -> Problem {
    let policies: Vec<&str> = refusal
        .violated
        .iter()
        .map(|limit| limit.policy())
        .collect();
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        format!(
            "the limit {} is used up; wait {} s",
            policies.join(" and "),
            refusal.retry_after_seconds()
        ),
    )
    .of_type(
        QUOTA_EXCEEDED,
        Some("Request cannot be satisfied as assigned quota has been exceeded"),
    )
    .with_member("violated-policies", policies)
}

/// 404 for a path or a record.
pub(crate) fn not_found(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

/// 405, with the methods that are allowed.
pub(crate) fn method_not_allowed(method: &str, allow: &'static str) -> (Problem, HeaderValue) {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{method} is not allowed here; allowed are {allow}"),
    );
    (problem, HeaderValue::from_static(allow))
}

/// Adds `Allow`.
pub(crate) fn allowing(reply: Reply, allow: HeaderValue) -> Reply {
    reply.with(ALLOW, allow)
}

/// 400 for a parameter that cannot be used.
pub(crate) fn invalid_parameter(name: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
        .with_member("parameter", name)
}

/// 422 with what is wrong, field by field.
pub(crate) fn validation_failed(errors: Vec<FieldError>) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} fields are wrong; see errors", many.len()),
        },
    )
    .with_errors(errors)
}
