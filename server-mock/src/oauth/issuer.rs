//! What an issuer publishes of itself: metadata (RFC 8414 and OpenID Connect Discovery) and its keys.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::oauth::jose::SigningKey;
use crate::oauth::settings::{DEVICE_GRANT, SCOPES};
use crate::reply::Reply;

/// The issuer's identifier, as the caller reaches it.
pub(crate) fn url(call: &Call, provider: &str) -> String {
    format!("{}/oauth/{provider}", call.origin())
}

pub(crate) fn metadata(issuer: &str) -> Reply {
    let at = |path: &str| Value::from(format!("{issuer}/{path}"));
    let methods = json!([
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none"
    ]);
    let algorithms = json!(["ES256", "EdDSA", "RS256", "PS256"]);
    Reply::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "device_authorization_endpoint": at("device_authorization"),
            "introspection_endpoint": at("introspect"),
            "revocation_endpoint": at("revoke"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("jwks"),
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", DEVICE_GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "dpop_signing_alg_values_supported": algorithms,
            "authorization_response_iss_parameter_supported": true,
        }),
    )
}

/// The current key first, the one before it after a rotation.
pub(crate) fn jwks(call: &Call) -> Reply {
    let (seed, rotations) = {
        let state = call.world.state();
        (state.options.seed, state.oauth.rotations)
    };
    let numbers = [Some(rotations + 1), (rotations > 0).then_some(rotations)];
    let keys: Vec<Value> = numbers
        .into_iter()
        .flatten()
        .filter_map(|number| Some(SigningKey::new(seed, number)?.jwk()))
        .collect();
    Reply::json(StatusCode::OK, &json!({ "keys": keys }))
}
