//! What a session can set of the gateway's own login.

use serde::{Deserialize, Serialize};
use url::Url;

/// How `/login/{provider}` behaves. A change replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Life of a session in milliseconds of the session's clock. Default: 8 hours.
    pub session_ttl_ms: u64,
    /// How long the user may take at the provider, in milliseconds. Default: 10 minutes.
    pub attempt_ttl_ms: u64,
    /// Providers beside the gateway's own `generic`, `github`, `google`, `linkedin` and `twitter`; one of the same name
    /// stands in its place. Default: none.
    pub providers: Vec<LoginProvider>,
}

/// A provider to log in with: one that publishes OpenID Connect metadata at its issuer, or endpoints without.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LoginProvider {
    /// The word in `/login/{provider}`: 1 to 32 letters, digits or `-`, not `session`.
    pub name: String,
    /// The client's id there. Its redirect URI is `/login/{name}/callback` of the gateway.
    pub client_id: String,
    /// Its secret; none for a public client. Never shown again.
    #[serde(default, skip_serializing)]
    pub client_secret: Option<String>,
    /// The issuer, https or on this machine, whose metadata say the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The scopes to ask for. Default: `openid profile email` with an issuer, else none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Without an issuer: where the user is sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Without an issuer: where the code is exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Without an issuer: who the user is, by `sub` or `id`, `name` and `email`, also below `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Whether its id tokens need not repeat the nonce, as LinkedIn's do not. Default: false.
    #[serde(default)]
    pub without_nonce: bool,
    /// A CA in PEM that is trusted for this provider beside those of the system. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
}

impl std::fmt::Debug for LoginProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginProvider")
            .field("name", &self.name)
            .field("client_id", &self.client_id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

const MAX_PROVIDERS: usize = 20;
const YEAR_MS: u64 = 366 * 86_400_000;

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            session_ttl_ms: 8 * 3_600_000,
            attempt_ttl_ms: 600_000,
            providers: Vec::new(),
        }
    }
}

impl LoginOptions {
    /// Why it cannot be so, if it cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.providers.len() > MAX_PROVIDERS {
            return Err(format!("a session has at most {MAX_PROVIDERS} providers"));
        }
        if self.session_ttl_ms > YEAR_MS || self.attempt_ttl_ms > YEAR_MS {
            return Err("no span may be longer than a year".into());
        }
        for provider in &self.providers {
            provider
                .check()
                .map_err(|why| format!("{:?}: {why}", provider.name))?;
        }
        Ok(())
    }
}

impl LoginProvider {
    fn check(&self) -> Result<(), String> {
        let name = self.name.as_bytes();
        let in_order = (1..=32).contains(&name.len())
            && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if !in_order || self.name == "session" {
            return Err("a name is 1 to 32 letters, digits or -, and not session".into());
        }
        let endpoints = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
        ];
        match &self.issuer {
            Some(issuer) => {
                if endpoints.iter().any(|endpoint| endpoint.is_some()) {
                    return Err("an issuer says its endpoints itself".into());
                }
                is_safe(issuer)
            }
            None => endpoints
                .into_iter()
                .try_for_each(|endpoint| match endpoint {
                    Some(endpoint) => is_safe(endpoint),
                    None => Err("needs an issuer, or all three endpoints".into()),
                }),
        }
    }
}

/// An address that a secret may be sent to: https, or this machine.
pub(super) fn is_safe(address: &str) -> Result<(), String> {
    let url = Url::parse(address).map_err(|error| format!("{address:?}: {error}"))?;
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || url.scheme() == "http" && here {
        Ok(())
    } else {
        Err(format!(
            "{address:?} must be https, or http on this machine"
        ))
    }
}
