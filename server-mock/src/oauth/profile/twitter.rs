//! Twitter (X): OAuth 2 without OpenID Connect, PKCE always, refresh tokens for `offline.access` that are good once.
//!
//! Source: "OAuth 2.0 Authorization Code Flow with PKCE", "OAuth 2.0 Bearer Token (App-only)" and "GET /2/users/me" in X's
//! documentation.

use super::{Profile, Refresh};
use crate::oauth::OAuthOp;

pub(crate) const OFFLINE: &str = "offline.access";

pub(super) static PROFILE: Profile = Profile {
    name: "twitter",
    paths: &[
        ("i/oauth2/authorize", OAuthOp::Authorize),
        ("2/oauth2/token", OAuthOp::Token),
        ("oauth2/token", OAuthOp::Token),
        ("2/oauth2/revoke", OAuthOp::Revoke),
        ("2/users/me", OAuthOp::Userinfo),
    ],
    issuer_path: "",
    openid: false,
    grants: &["authorization_code", "client_credentials", "refresh_token"],
    scopes: &[
        "tweet.read",
        "tweet.write",
        "users.read",
        "users.email",
        "follows.read",
        OFFLINE,
    ],
    scope_separator: " ",
    token_type: "bearer",
    access_prefix: "xat_",
    access_ttl_s: Some(7_200),
    refresh: Refresh::Scope(OFFLINE),
    rotates: true,
    repeats_refresh_token: true,
    refresh_ttl_s: None,
    form_answers: false,
    says_iss: false,
    repeats_nonce: false,
    needs_pkce: true,
    is_google: false,
};
