//! GitHub: OAuth 2 without OpenID Connect, token answers as forms, errors with status 200, tokens that do not expire.
//!
//! Source: "Authorizing OAuth apps", "Troubleshooting OAuth app access token request errors" and "Refreshing user access
//! tokens" in GitHub's documentation. A client whose id begins with `Iv` is a GitHub App, whose tokens expire.

use super::{DAY_S, Profile, Refresh};
use crate::oauth::OAuthOp;
use crate::oauth::settings::DEVICE_GRANT;

/// Life of an access token of a GitHub App.
pub(crate) const APP_ACCESS_TTL_S: u64 = 28_800;

pub(super) static PROFILE: Profile = Profile {
    name: "github",
    paths: &[
        ("login/oauth/authorize", OAuthOp::Authorize),
        ("login/oauth/access_token", OAuthOp::Token),
        ("login/device/code", OAuthOp::DeviceAuthorization),
        ("login/device", OAuthOp::Device),
        ("user", OAuthOp::Userinfo),
        ("user/emails", OAuthOp::Emails),
    ],
    issuer_path: "",
    openid: false,
    grants: &["authorization_code", "refresh_token", DEVICE_GRANT],
    scopes: &[
        "user",
        "read:user",
        "user:email",
        "repo",
        "public_repo",
        "read:org",
        "gist",
    ],
    scope_separator: ",",
    token_type: "bearer",
    access_prefix: "gho_",
    access_ttl_s: None,
    refresh: Refresh::Apps,
    rotates: true,
    repeats_refresh_token: true,
    refresh_ttl_s: Some(184 * DAY_S),
    form_answers: true,
    says_iss: false,
    repeats_nonce: false,
    needs_pkce: false,
    is_google: false,
};

/// Whether a client is a GitHub App.
pub(crate) fn is_app(client_id: &str) -> bool {
    client_id.starts_with("Iv")
}
