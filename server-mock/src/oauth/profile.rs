//! What the providers differ in, as their clients see it: `/oauth/google` answers as Google does, `/oauth/github` as GitHub.
//!
//! A profile has the real provider's paths behind `/oauth/{provider}`, as if the prefix were its host: Google's
//! `https://accounts.google.com/o/oauth2/v2/auth` is `/oauth/google/o/oauth2/v2/auth` here. The plain paths of
//! `/oauth/generic` work for every profile too. Any other word is a provider of the profile `generic`.
//! What is emulated and what is not stands in `docs/oauth-setup.md` and decision 0043.

use crate::oauth::OAuthOp;
use crate::oauth::settings::{DEVICE_GRANT, SCOPES};

pub(crate) mod github;
pub(crate) mod google;
mod linkedin;
mod twitter;

const DAY_S: u64 = 86_400;

/// When a client gets a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// With every grant that has a user.
    Always,
    /// With `access_type=offline`, when the user is asked: the first time, and with `prompt=consent` (Google).
    AskedOffline,
    /// Only clients that are GitHub Apps, whose ids begin with `Iv`.
    Apps,
    /// With this scope.
    Scope(&'static str),
}

/// How one provider differs from another.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    /// The provider's own paths behind `/oauth/{name}/`, and what they are.
    pub(crate) paths: &'static [(&'static str, OAuthOp)],
    /// What the issuer has behind `/oauth/{name}`.
    pub(crate) issuer_path: &'static str,
    /// Whether it publishes metadata and keys, and gives id tokens.
    pub(crate) openid: bool,
    pub(crate) grants: &'static [&'static str],
    /// Scopes of its own, beside those of the gateway.
    pub(crate) scopes: &'static [&'static str],
    /// What stands between the scopes of a token answer.
    pub(crate) scope_separator: &'static str,
    pub(crate) token_type: &'static str,
    /// What access tokens begin with.
    pub(crate) access_prefix: &'static str,
    /// Life of an access token; none lives on until it is revoked.
    pub(crate) access_ttl_s: Option<u64>,
    pub(crate) refresh: Refresh,
    /// Whether a refresh token is good once.
    pub(crate) rotates: bool,
    /// Whether the answer to a refresh repeats a refresh token that stays.
    pub(crate) repeats_refresh_token: bool,
    /// Life of a refresh token, said as `refresh_token_expires_in`.
    pub(crate) refresh_ttl_s: Option<u64>,
    /// Whether token answers are forms unless JSON is asked for, and errors have status 200 (GitHub).
    pub(crate) form_answers: bool,
    /// Whether redirects say who they are from (RFC 9207).
    pub(crate) says_iss: bool,
    /// Whether id tokens repeat the nonce.
    pub(crate) repeats_nonce: bool,
    /// Whether the real provider insists on PKCE; here it is needed everywhere unless the session says `as_provider`.
    pub(crate) needs_pkce: bool,
    /// Whether devices get a `verification_url`, early polls 428, and anybody who has a token may revoke it (Google).
    pub(crate) is_google: bool,
}

/// What a provider is that is no other.
pub(crate) static GENERIC: Profile = Profile {
    name: "generic",
    paths: &[],
    issuer_path: "",
    openid: true,
    grants: &[
        "authorization_code",
        "client_credentials",
        "refresh_token",
        DEVICE_GRANT,
    ],
    scopes: &[],
    scope_separator: " ",
    token_type: "Bearer",
    access_prefix: "oat_",
    access_ttl_s: Some(3_600),
    refresh: Refresh::Always,
    rotates: true,
    repeats_refresh_token: true,
    refresh_ttl_s: None,
    form_answers: false,
    says_iss: true,
    repeats_nonce: true,
    needs_pkce: true,
    is_google: false,
};

static NAMED: [&Profile; 4] = [
    &github::PROFILE,
    &google::PROFILE,
    &linkedin::PROFILE,
    &twitter::PROFILE,
];

impl Profile {
    /// The profile of a provider; `~session` behind the name changes nothing.
    pub(crate) fn of(provider: &str) -> &'static Self {
        let name = provider.split('~').next().unwrap_or_default();
        NAMED
            .iter()
            .find(|profile| profile.name == name)
            .copied()
            .unwrap_or(&GENERIC)
    }

    /// The path of an operation, behind `/oauth/{provider}/`: the provider's own, else the plain one.
    pub(crate) fn path(&self, op: OAuthOp) -> &'static str {
        let own = self.paths.iter().find(|(_, known)| *known == op);
        let plain = PLAIN.iter().find(|(_, known)| *known == op);
        own.or(plain).map_or("", |(path, _)| path)
    }

    /// Whether there is such a scope.
    pub(crate) fn knows_scope(&self, scope: &str) -> bool {
        SCOPES.contains(&scope) || self.scopes.contains(&scope)
    }
}

/// The paths every provider has.
const PLAIN: &[(&str, OAuthOp)] = &[
    (".well-known/openid-configuration", OAuthOp::Metadata),
    ("authorize", OAuthOp::Authorize),
    ("device", OAuthOp::Device),
    ("device_authorization", OAuthOp::DeviceAuthorization),
    ("introspect", OAuthOp::Introspect),
    ("jwks", OAuthOp::Jwks),
    ("par", OAuthOp::Par),
    ("revoke", OAuthOp::Revoke),
    ("token", OAuthOp::Token),
    ("userinfo", OAuthOp::Userinfo),
];

/// What a path means, and the provider in it.
pub(crate) fn op_at(path: &str) -> Option<(OAuthOp, &str)> {
    for well_known in [
        "/.well-known/oauth-authorization-server/oauth/",
        "/.well-known/openid-configuration/oauth/",
    ] {
        if let Some(provider) = path.strip_prefix(well_known) {
            let op = op_behind(provider, ".well-known/openid-configuration")?;
            return (!provider.contains('/')).then_some((op, provider));
        }
    }
    let (provider, rest) = path.strip_prefix("/oauth/")?.split_once('/')?;
    Some((op_behind(provider, rest)?, provider))
}

/// What a path behind `/oauth/{provider}/` means.
fn op_behind(provider: &str, rest: &str) -> Option<OAuthOp> {
    let profile = Profile::of(provider);
    let known = |paths: &[(&str, OAuthOp)]| {
        let found = paths.iter().find(|(path, _)| *path == rest);
        found.map(|(_, op)| *op)
    };
    let op = known(profile.paths).or_else(|| known(PLAIN))?;
    let published = matches!(op, OAuthOp::Jwks | OAuthOp::Metadata);
    (profile.openid || !published).then_some(op)
}

/// Whether a credential has the form of an access token of one of the profiles.
pub(crate) fn is_access_token(token: &str) -> bool {
    let begins = |profile: &&Profile| token.starts_with(profile.access_prefix);
    begins(&&GENERIC) || NAMED.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_the_paths_of_its_provider_and_the_plain_ones() {
        for (provider, rest, op) in [
            ("generic", "token", OAuthOp::Token),
            ("anything", "token", OAuthOp::Token),
            ("google", "o/oauth2/v2/auth", OAuthOp::Authorize),
            ("google~s", "o/oauth2/v2/auth", OAuthOp::Authorize),
            ("google", "authorize", OAuthOp::Authorize),
            ("github", "login/oauth/access_token", OAuthOp::Token),
            ("linkedin", "oauth/v2/accessToken", OAuthOp::Token),
            ("twitter", "2/users/me", OAuthOp::Userinfo),
        ] {
            assert_eq!(op_behind(provider, rest), Some(op), "{provider} {rest}");
        }
        assert_eq!(op_behind("generic", "o/oauth2/v2/auth"), None);
        assert_eq!(op_behind("github", "jwks"), None);
        assert_eq!(
            op_behind("twitter", ".well-known/openid-configuration"),
            None
        );
        assert_eq!(GENERIC.path(OAuthOp::Token), "token");
        assert_eq!(
            Profile::of("github").path(OAuthOp::Token),
            "login/oauth/access_token"
        );
    }

    #[test]
    fn tokens_of_every_profile_are_told_from_keys() {
        for profile in NAMED.into_iter().chain([&GENERIC]) {
            assert!(is_access_token(&format!("{}x", profile.access_prefix)));
        }
        for key in ["sk_test_pro_acme", "tok_1", "", "oat", "AQ"] {
            assert!(!is_access_token(key), "{key}");
        }
    }
}
