//! What an issuer publishes of itself: metadata (RFC 8414 and OpenID Connect Discovery) and its keys.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::MS;
use crate::oauth::profile::Profile;
use crate::oauth::settings::{DEVICE_GRANT, IdTokenAlg, SCOPES};
use crate::oauth::signing_key::SigningKey;
use crate::oauth::{OAuthOp, put};
use crate::reply::Reply;

/// What a provider's paths come behind, as the caller reaches it.
pub(crate) fn root(call: &Call, provider: &str) -> String {
    format!("{}/oauth/{provider}", call.origin())
}

/// The issuer's identifier, as the caller reaches it.
pub(crate) fn url(call: &Call, provider: &str) -> String {
    let path = Profile::of(provider).issuer_path;
    format!("{}{path}", root(call, provider))
}

pub(crate) fn metadata(call: &Call, provider: &str) -> Reply {
    let profile = Profile::of(provider);
    let root = root(call, provider);
    let at = |op: OAuthOp| Value::from(format!("{root}/{}", profile.path(op)));
    let methods = json!([
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none"
    ]);
    let algorithms = json!(["ES256", "EdDSA", "RS256", "PS256"]);
    let id_token_alg = call.world.state().options.oauth.id_token_alg;
    // RS256 has to be among them (OpenID Connect Discovery, section 3).
    let mut algs = vec![id_token_alg];
    algs.extend((id_token_alg != IdTokenAlg::Rs256).then_some(IdTokenAlg::Rs256));
    let scopes: Vec<&str> = SCOPES.iter().chain(profile.scopes).copied().collect();
    let mut metadata = json!({
        "issuer": url(call, provider),
        "authorization_endpoint": at(OAuthOp::Authorize),
        "token_endpoint": at(OAuthOp::Token),
        "introspection_endpoint": at(OAuthOp::Introspect),
        "pushed_authorization_request_endpoint": at(OAuthOp::Par),
        "revocation_endpoint": at(OAuthOp::Revoke),
        "userinfo_endpoint": at(OAuthOp::Userinfo),
        "jwks_uri": at(OAuthOp::Jwks),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": profile.grants,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algs,
        "prompt_values_supported": ["none", "login", "consent"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "dpop_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": profile.says_iss,
    });
    if profile.grants.contains(&DEVICE_GRANT) {
        let endpoint = at(OAuthOp::DeviceAuthorization);
        put(&mut metadata, "device_authorization_endpoint", endpoint);
    }
    Reply::json(StatusCode::OK, &metadata)
}

/// The current keys first, those before a rotation as long as they overlap. RS256 is always among them.
pub(crate) fn jwks(call: &Call) -> Reply {
    let now_ns = call.world.clock.now_ns();
    let (seed, alg, rotations, overlaps) = {
        let state = call.world.state();
        let (options, oauth) = (&state.options, &state.oauth);
        let overlap_ns = options.oauth.key_overlap_ms.saturating_mul(MS);
        let overlaps = now_ns < oauth.rotated_ns.saturating_add(overlap_ns);
        let alg = options.oauth.id_token_alg;
        (options.seed, alg, oauth.rotations, overlaps)
    };
    let before = (rotations > 0 && overlaps).then_some(rotations);
    let mut keys = Vec::new();
    for number in [Some(rotations + 1), before].into_iter().flatten() {
        let other = (alg != IdTokenAlg::Rs256).then_some(IdTokenAlg::Rs256);
        for alg in [Some(alg), other].into_iter().flatten() {
            keys.extend(SigningKey::new(alg, seed, number).map(|key| key.jwk()));
        }
    }
    Reply::json(StatusCode::OK, &json!({ "keys": keys }))
}
