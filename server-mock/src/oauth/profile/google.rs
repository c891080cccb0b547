//! Google: OpenID Connect, refresh tokens only for `access_type=offline`, the device flow with names of its own.
//!
//! Source: "Using OAuth 2.0 for Web Server Applications", "OAuth 2.0 for TV and Limited-Input Device Applications" and
//! "OpenID Connect" in Google's documentation.

use super::{Profile, Refresh};
use crate::oauth::OAuthOp;
use crate::oauth::settings::DEVICE_GRANT;

pub(crate) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
pub(crate) const PROFILE_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.profile";

pub(super) static PROFILE: Profile = Profile {
    name: "google",
    paths: &[
        ("o/oauth2/v2/auth", OAuthOp::Authorize),
        ("o/oauth2/auth", OAuthOp::Authorize),
        ("token", OAuthOp::Token),
        ("device/code", OAuthOp::DeviceAuthorization),
        ("v1/userinfo", OAuthOp::Userinfo),
        ("oauth2/v3/certs", OAuthOp::Jwks),
        ("revoke", OAuthOp::Revoke),
    ],
    issuer_path: "",
    openid: true,
    grants: &["authorization_code", "refresh_token", DEVICE_GRANT],
    scopes: &[EMAIL, PROFILE_SCOPE],
    scope_separator: " ",
    token_type: "Bearer",
    access_prefix: "ya29.",
    access_ttl_s: Some(3_599),
    refresh: Refresh::AskedOffline,
    rotates: false,
    repeats_refresh_token: false,
    refresh_ttl_s: None,
    form_answers: false,
    says_iss: true,
    repeats_nonce: true,
    needs_pkce: false,
    is_google: true,
};
