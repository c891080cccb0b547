//! The one user there is, as each provider describes it: at the userinfo endpoint and in id tokens.

use serde_json::{Value, json};

use crate::oauth::profile::{Profile, google};
use crate::oauth::put;
use crate::oauth::tokens::Grant;

/// The user's id in the gateway's own records.
pub(crate) const USER: &str = "us_000001";
const EMAIL: &str = "test.user@example.com";
const PICTURE: &str = "https://example.com/us_000001.png";

/// The user's id at the provider.
fn subject(profile: &Profile) -> &'static str {
    match profile.name {
        "github" => "1",
        "google" => "100000000000000000001",
        "linkedin" => "tU0000001x",
        "twitter" => "1000000000000000001",
        _ => USER,
    }
}

/// Whether the grant has a scope, by any of its names.
pub(crate) fn has(grant: &Grant, scope: &str) -> bool {
    let other = match scope {
        "email" => google::EMAIL,
        "profile" => google::PROFILE_SCOPE,
        other => other,
    };
    grant
        .scopes
        .iter()
        .any(|known| known == scope || known == other)
}

/// The scope a token needs for the userinfo endpoint.
pub(crate) fn needed_scope(profile: &Profile) -> Option<&'static str> {
    match profile.name {
        "github" => None,
        "twitter" => Some("users.read"),
        _ => Some("openid"),
    }
}

/// What the userinfo endpoint answers.
pub(crate) fn userinfo(profile: &Profile, grant: &Grant) -> Value {
    match profile.name {
        "github" => {
            let public = has(grant, "user") || has(grant, "user:email");
            json!({
                "login": "test-user", "id": 1, "node_id": "MDQ6VXNlcjE=", "avatar_url": PICTURE,
                "type": "User", "site_admin": false, "name": "Test User", "company": null,
                "email": public.then_some(EMAIL), "created_at": "2020-01-01T00:00:00Z",
            })
        }
        "twitter" => {
            let mut data =
                json!({ "id": subject(profile), "name": "Test User", "username": "test_user" });
            if has(grant, "users.email") {
                put(&mut data, "confirmed_email", EMAIL);
            }
            json!({ "data": data })
        }
        _ => {
            let mut info = json!({ "sub": subject(profile) });
            about(profile, grant, &mut info);
            info
        }
    }
}

/// What `GET /user/emails` of GitHub answers.
pub(crate) fn emails() -> Value {
    json!([{ "email": EMAIL, "primary": true, "verified": true, "visibility": "public" }])
}

/// Adds what the scopes `profile` and `email` let a client know.
fn about(profile: &Profile, grant: &Grant, claims: &mut Value) {
    if has(grant, "profile") {
        put(claims, "name", "Test User");
        if profile.name != "generic" {
            put(claims, "given_name", "Test");
            put(claims, "family_name", "User");
            put(claims, "picture", PICTURE);
        }
        if profile.name == "linkedin" {
            put(claims, "locale", "en-US");
        }
    }
    if has(grant, "email") {
        put(claims, "email", EMAIL);
        put(claims, "email_verified", true);
    }
}

/// The claims about the user of an id token, beside those of the protocol.
pub(crate) fn claims(profile: &Profile, grant: &Grant) -> Value {
    let mut claims = json!({ "sub": subject(profile) });
    if profile.name != "generic" {
        about(profile, grant, &mut claims);
    }
    if profile.is_google {
        put(&mut claims, "azp", grant.client_id.as_str());
    }
    claims
}
