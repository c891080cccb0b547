//! What a session can set of its authorization server, and the clients it knows without being told.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::is_tenant;
use crate::oauth::profile::Profile;
use crate::tier::Tier;

/// How `/oauth/{provider}` of a session behaves. A change replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OAuthOptions {
    /// Life of an access token in milliseconds of the session's clock. Default: as the provider's profile has it, one
    /// hour for `generic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_ttl_ms: Option<u64>,
    /// Life of an authorization code in milliseconds. Default: one minute.
    pub code_ttl_ms: u64,
    /// Life of a refresh token in milliseconds. Default: as the provider's profile has it, 30 days for `generic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_ttl_ms: Option<u64>,
    /// Whether each refresh gives a new refresh token and uses the old one up, where the provider does so. Default: true.
    pub rotate_refresh_tokens: bool,
    /// How long a refresh token that was used up may be used again, in milliseconds; later it revokes its family. Default: 0.
    pub refresh_reuse_grace_ms: u64,
    /// Whether token answers say `expires_in`. Default: true.
    pub expires_in: bool,
    /// Whether tokens are bound to a key (RFC 9449). Default: `allowed`.
    pub dpop: Dpop,
    /// Whether proofs need the server's nonce, which changes every 5 minutes of the clock. Default: false.
    pub dpop_nonce: bool,
    /// Seconds between polls for a device's token. Default: 5.
    pub device_interval_s: u64,
    /// Life of a device code in seconds. Default: 600.
    pub device_ttl_s: u64,
    /// What happens at the authorization endpoint. Default: `auto`.
    pub consent: Consent,
    /// What redirects say as `iss` (RFC 9207), if not the truth; empty says nothing. Default: none, the truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Real milliseconds each token answer takes. Default: 0; at most 60 000.
    pub token_delay_ms: u64,
    /// Whether `error_description` repeats the secret that came, as careless servers do. Default: false.
    pub echo_secret: bool,
    /// Which authorization requests need PKCE. Default: `required`.
    pub pkce: Pkce,
    /// What id tokens are signed with. Default: `RS256`.
    pub id_token_alg: IdTokenAlg,
    /// How long the key before the last rotation is still published, in milliseconds. Default: one day.
    pub key_overlap_ms: u64,
    /// Whether the test user is logged in at the provider. If not, it logs in at once, and `prompt=none` is refused with
    /// `login_required`. Default: true.
    pub logged_in: bool,
    /// Clients beside those that are always there; one of the same id stands in its place. Default: none.
    pub clients: Vec<OAuthClient>,
}

/// Which authorization requests need PKCE (RFC 7636). `plain` is refused always; a code that was asked for with a
/// challenge always needs its verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pkce {
    /// Those the real provider insists on it for: `generic` and `twitter`.
    AsProvider,
    /// All (RFC 9700, section 2.1.1).
    Required,
}

/// What id tokens are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IdTokenAlg {
    /// Ed25519 (RFC 8037).
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA with PKCS #1 v1.5 and SHA-256, which every OpenID provider has to have (OpenID Connect Core, section 15.1).
    #[serde(rename = "RS256")]
    Rs256,
}

/// Whether tokens are bound to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dpop {
    /// Where the token request has a proof.
    Allowed,
    /// Never; proofs are ignored.
    Off,
    /// Always; a token request without a proof is refused.
    Required,
}

/// What happens at the authorization endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Consent {
    /// The test user agrees at once.
    Auto,
    /// The test user refuses: `access_denied`.
    Deny,
    /// A page with two buttons.
    Page,
}

/// How a client says who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// `Authorization: Basic`, id and secret form-encoded before (RFC 6749, section 2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the form.
    ClientSecretPost,
    /// Only `client_id`: a public client.
    None,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
}

/// A client of the authorization server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OAuthClient {
    /// Its id.
    pub client_id: String,
    /// Its secret. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// How it may say who it is. Default: both secret methods with a secret, `private_key_jwt` with `jwks`, else `none`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auth_methods: Vec<AuthMethod>,
    /// Where the user may be sent back to; the port of a loopback address is free (RFC 8252, section 7.3). Default: none.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// The grants it may use, by `grant_type`. Default: all it can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// The scopes it may have. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The tenant its tokens are for. Default: `acme`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The tier its tokens are on. Default: `unlimited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Its public keys for `private_key_jwt`, as a JWK set. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
}

/// All scopes there are.
pub(crate) const SCOPES: [&str; 15] = [
    "contacts:read",
    "contacts:write",
    "events:read",
    "jobs:read",
    "jobs:write",
    "projects:read",
    "projects:write",
    "users:read",
    "users:write",
    "webhooks:read",
    "webhooks:write",
    "openid",
    "profile",
    "email",
    "offline_access",
];
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CALLBACKS: [&str; 4] = [
    "http://127.0.0.1/callback",
    "http://[::1]/callback",
    "http://localhost/callback",
    "https://app.example/callback",
];
/// The client that the gateway's own "log in with" is.
pub(crate) const LOGIN_CLIENT: &str = "gateway-login";
pub(crate) const LOGIN_SECRET: &str = "gateway-login-secret";
const MAX_CLIENTS: usize = 100;
const YEAR_MS: u64 = 366 * 86_400_000;

impl Default for OAuthOptions {
    fn default() -> Self {
        Self {
            access_token_ttl_ms: None,
            code_ttl_ms: 60_000,
            refresh_token_ttl_ms: None,
            rotate_refresh_tokens: true,
            refresh_reuse_grace_ms: 0,
            expires_in: true,
            dpop: Dpop::Allowed,
            dpop_nonce: false,
            device_interval_s: 5,
            device_ttl_s: 600,
            consent: Consent::Auto,
            iss: None,
            token_delay_ms: 0,
            echo_secret: false,
            pkce: Pkce::Required,
            id_token_alg: IdTokenAlg::Rs256,
            key_overlap_ms: 86_400_000,
            logged_in: true,
            clients: Vec::new(),
        }
    }
}

impl OAuthOptions {
    /// Why it cannot be so, if it cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.clients.len() > MAX_CLIENTS {
            return Err(format!("a session has at most {MAX_CLIENTS} clients"));
        }
        if self.token_delay_ms > 60_000 {
            return Err("token_delay_ms must be at most 60000".into());
        }
        let spans = [
            self.access_token_ttl_ms.unwrap_or(0),
            self.key_overlap_ms,
            self.code_ttl_ms,
            self.refresh_token_ttl_ms.unwrap_or(0),
            self.refresh_reuse_grace_ms,
            self.device_ttl_s.saturating_mul(1_000),
            self.device_interval_s.saturating_mul(1_000),
        ];
        if spans.iter().any(|ms| *ms > YEAR_MS) {
            return Err("no span may be longer than a year".into());
        }
        for client in &self.clients {
            if !is_tenant(client.tenant()) {
                return Err(format!(
                    "{}: a tenant is 1 to 64 letters, digits, - or _",
                    client.client_id
                ));
            }
            if let Some(scope) = client.scopes.iter().find(|scope| !is_scope(scope)) {
                return Err(format!("{}: there is no scope {scope}", client.client_id));
            }
        }
        Ok(())
    }

    /// The client of this id: the session's own, else one that is always there.
    pub(crate) fn client(&self, id: &str) -> Option<&OAuthClient> {
        let named = |clients: &'static [OAuthClient]| clients.iter().find(|c| c.client_id == id);
        self.clients
            .iter()
            .find(|client| client.client_id == id)
            .or_else(|| named(built_in()))
    }
}

/// Whether any provider has this scope.
fn is_scope(scope: &str) -> bool {
    ["generic", "github", "google", "linkedin", "twitter"]
        .iter()
        .any(|provider| Profile::of(provider).knows_scope(scope))
}

/// The clients every session knows.
fn built_in() -> &'static [OAuthClient] {
    static CLIENTS: OnceLock<Vec<OAuthClient>> = OnceLock::new();
    CLIENTS.get_or_init(|| {
        let client = |id: &str, secret: Option<&str>, methods: &[AuthMethod]| OAuthClient {
            client_id: id.into(),
            client_secret: secret.map(Into::into),
            auth_methods: methods.to_vec(),
            redirect_uris: CALLBACKS.map(Into::into).to_vec(),
            ..OAuthClient::default()
        };
        vec![
            client("test-client", Some("test-secret"), &[]),
            client("public-client", None, &[]),
            client("Iv1.github-app", Some("test-secret"), &[]),
            OAuthClient {
                // Its address is the gateway's own, whatever that is: see `login`.
                redirect_uris: Vec::new(),
                ..client(LOGIN_CLIENT, Some(LOGIN_SECRET), &[])
            },
            client(
                "basic-client",
                Some("s3cr:et+ %/ü"),
                &[AuthMethod::ClientSecretBasic],
            ),
            client(
                "post-client",
                Some("s3cr:et+ %/ü"),
                &[AuthMethod::ClientSecretPost],
            ),
        ]
    })
}

impl OAuthClient {
    pub(crate) fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or("acme")
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier.unwrap_or(Tier::Unlimited)
    }

    pub(crate) fn may_have(&self, scope: &str, profile: &Profile) -> bool {
        profile.knows_scope(scope)
            && (self.scopes.is_empty() || self.scopes.iter().any(|s| s == scope))
    }

    pub(crate) fn may_use(&self, grant: &str) -> bool {
        self.grants.is_empty() || self.grants.iter().any(|known| known == grant)
    }

    pub(crate) fn is_public(&self) -> bool {
        self.client_secret.is_none() && self.jwks.is_none()
    }

    pub(crate) fn allows(&self, method: AuthMethod) -> bool {
        if !self.auth_methods.is_empty() {
            return self.auth_methods.contains(&method);
        }
        match method {
            AuthMethod::None => self.is_public(),
            AuthMethod::PrivateKeyJwt => self.jwks.is_some(),
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
                self.client_secret.is_some()
            }
        }
    }

    /// Whether the user may be sent to `uri`: exactly one of those it named, the port of a loopback address aside.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|known| known == uri || without_port(uri).is_some_and(|bare| bare == *known))
    }
}

/// A loopback address without its port.
fn without_port(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("http://")?;
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let Some(rest) = rest
            .strip_prefix(host)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (port, path) = rest.split_at(end);
        let ends_well = path.is_empty() || path.starts_with(['/', '?']);
        return (port.parse::<u16>().is_ok() && ends_well).then(|| format!("http://{host}{path}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        let options = OAuthOptions::default();
        let client = options.client("public-client").unwrap();
        for good in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:5123/callback",
            "http://[::1]:1/callback",
            "https://app.example/callback",
        ] {
            assert!(client.may_redirect_to(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:5123/callback/",
            "http://127.0.0.1:5123@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:99999/callback",
            "https://app.example:8443/callback",
            "https://127.0.0.1:5123/callback",
            "http://127.0.0.1:5123/callback?a=1",
        ] {
            assert!(!client.may_redirect_to(bad), "{bad}");
        }
    }
}
