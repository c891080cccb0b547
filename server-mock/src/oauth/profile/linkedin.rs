//! LinkedIn: OpenID Connect without `nonce`, scopes with commas in answers, refresh tokens that stay.
//!
//! Source: "Authorization Code Flow (3-legged)", "Client Credential Flow", "Refresh Tokens with OAuth 2.0" and "Sign In
//! with LinkedIn using OpenID Connect" in LinkedIn's documentation. That id tokens repeat no nonce is what its clients
//! report (authlib, issue 763). Refresh tokens are given as to LinkedIn's approved partners.

use super::{DAY_S, Profile, Refresh};
use crate::oauth::OAuthOp;

pub(super) static PROFILE: Profile = Profile {
    name: "linkedin",
    paths: &[
        ("oauth/.well-known/openid-configuration", OAuthOp::Metadata),
        ("oauth/v2/authorization", OAuthOp::Authorize),
        ("oauth/v2/accessToken", OAuthOp::Token),
        ("oauth/v2/introspectToken", OAuthOp::Introspect),
        ("oauth/v2/revoke", OAuthOp::Revoke),
        ("oauth/openid/jwks", OAuthOp::Jwks),
        ("v2/userinfo", OAuthOp::Userinfo),
    ],
    issuer_path: "/oauth",
    openid: true,
    grants: &["authorization_code", "client_credentials", "refresh_token"],
    scopes: &["w_member_social", "r_basicprofile"],
    scope_separator: ",",
    token_type: "Bearer",
    access_prefix: "AQX",
    access_ttl_s: Some(60 * DAY_S),
    refresh: Refresh::Always,
    rotates: false,
    repeats_refresh_token: true,
    refresh_ttl_s: Some(365 * DAY_S),
    form_answers: false,
    says_iss: false,
    repeats_nonce: false,
    needs_pkce: false,
    is_google: false,
};
