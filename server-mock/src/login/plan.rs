//! What the login has to know of a provider: of the gateway's own ones from their profiles, of others from their metadata.

use std::net::SocketAddr;

use http::StatusCode;
use serde_json::Value;

use crate::call::Call;
use crate::login::fetch::{Fetch, Peer};
use crate::login::problem;
use crate::login::settings::{LoginProvider, is_safe};
use crate::oauth::OAuthOp;
use crate::oauth::profile::Profile;
use crate::oauth::settings::{LOGIN_CLIENT, LOGIN_SECRET};
use crate::problem::Problem;

/// A provider, ready to log in with.
#[derive(Clone)]
pub(super) struct Plan {
    /// The word in `/login/{provider}`, with the session of the gateway where it is in the path.
    pub(super) provider: String,
    /// Who id tokens and redirects must be from; none of a provider without OpenID Connect.
    pub(super) issuer: Option<String>,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) client_id: String,
    pub(super) client_secret: Option<String>,
    /// Whether the client sends its secret in the form instead of the header.
    pub(super) secret_in_form: bool,
    pub(super) scopes: Vec<String>,
    /// Whether redirects must say `iss` (RFC 9207).
    pub(super) says_iss: bool,
    pub(super) repeats_nonce: bool,
    /// Whether it is the gateway itself: then ids follow the session's clock and secrets its seed.
    pub(super) own: bool,
    pub(super) peer: Peer,
}

/// The names of the gateway's own providers.
const OWN: [&str; 5] = ["generic", "github", "google", "linkedin", "twitter"];

/// Finds out about the provider in the path.
pub(super) async fn plan(call: &Call, provider: &str) -> Result<Plan, Box<Problem>> {
    let name = provider.split('~').next().unwrap_or_default();
    let options = std::sync::Arc::clone(&call.world.state().options);
    let configured = options
        .login
        .providers
        .iter()
        .find(|known| known.name == name);
    match configured {
        Some(configured) => of_other(call, provider, configured).await,
        None if OWN.contains(&name) => Ok(of_own(call, provider, call.via.local())),
        None => Err(problem(
            StatusCode::NOT_FOUND,
            "unknown_provider",
            format!(
                "there is no provider {name:?} to log in with; there are {} and those of the option login.providers",
                OWN.join(", ")
            ),
        )),
    }
}

fn of_own(call: &Call, provider: &str, local: SocketAddr) -> Plan {
    let profile = Profile::of(provider);
    let root = format!("{}/oauth/{provider}", call.origin());
    let at = |op: OAuthOp| format!("{root}/{}", profile.path(op));
    let scopes: &[&str] = match profile.name {
        "github" => &["read:user", "user:email"],
        "twitter" => &["tweet.read", "users.read", "users.email"],
        _ => &["openid", "profile", "email"],
    };
    Plan {
        provider: provider.into(),
        issuer: profile
            .openid
            .then(|| format!("{root}{}", profile.issuer_path)),
        authorization_endpoint: at(OAuthOp::Authorize),
        token_endpoint: at(OAuthOp::Token),
        userinfo_endpoint: Some(at(OAuthOp::Userinfo)),
        jwks_uri: profile.openid.then(|| at(OAuthOp::Jwks)),
        client_id: LOGIN_CLIENT.into(),
        client_secret: Some(LOGIN_SECRET.into()),
        secret_in_form: false,
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        says_iss: profile.says_iss,
        repeats_nonce: profile.repeats_nonce,
        own: true,
        peer: Peer::Own {
            local,
            server: call.via.tls().cloned(),
            session: call.world.name.to_string(),
        },
    }
}

async fn of_other(
    call: &Call,
    provider: &str,
    known: &LoginProvider,
) -> Result<Plan, Box<Problem>> {
    let peer = Peer::Other {
        ca_pem: known.ca_pem.clone(),
    };
    let base = Plan {
        provider: provider.into(),
        issuer: None,
        authorization_endpoint: known.authorization_endpoint.clone().unwrap_or_default(),
        token_endpoint: known.token_endpoint.clone().unwrap_or_default(),
        userinfo_endpoint: known.userinfo_endpoint.clone(),
        jwks_uri: None,
        client_id: known.client_id.clone(),
        client_secret: known.client_secret.clone(),
        secret_in_form: false,
        scopes: known.scopes.clone(),
        says_iss: false,
        repeats_nonce: !known.without_nonce,
        own: false,
        peer,
    };
    let Some(issuer) = &known.issuer else {
        return Ok(base);
    };
    let address = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let metadata = Fetch::get(&address)
        .json(&base.peer, &call.world.surroundings.client)
        .await
        .map_err(|why| failed(&format!("its metadata: {why}")))?;
    of_metadata(base, issuer, &metadata)
}

/// Adds what the metadata say (OpenID Connect Discovery, section 3; RFC 8414, section 2).
fn of_metadata(base: Plan, issuer: &str, metadata: &Value) -> Result<Plan, Box<Problem>> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(failed("its metadata are those of another issuer"));
    }
    let endpoint = |name: &str| -> Result<String, Box<Problem>> {
        let address = text(name).ok_or_else(|| failed(&format!("its metadata have no {name}")))?;
        is_safe(address).map_err(|why| failed(&why))?;
        Ok(address.into())
    };
    let lists = |name: &str, what: &str| -> Option<bool> {
        let list = metadata.get(name)?.as_array()?;
        Some(list.iter().any(|known| known.as_str() == Some(what)))
    };
    if lists("code_challenge_methods_supported", "S256") == Some(false) {
        return Err(failed("it has no PKCE with S256"));
    }
    let basic = lists(
        "token_endpoint_auth_methods_supported",
        "client_secret_basic",
    );
    let scopes = if base.scopes.is_empty() {
        ["openid", "profile", "email"].map(String::from).to_vec()
    } else {
        base.scopes.clone()
    };
    Ok(Plan {
        issuer: Some(issuer.into()),
        authorization_endpoint: endpoint("authorization_endpoint")?,
        token_endpoint: endpoint("token_endpoint")?,
        userinfo_endpoint: text("userinfo_endpoint")
            .map(|_| endpoint("userinfo_endpoint"))
            .transpose()?,
        jwks_uri: Some(endpoint("jwks_uri")?),
        secret_in_form: basic == Some(false),
        scopes,
        says_iss: metadata.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        ..base
    })
}

/// The provider did not do its part.
pub(super) fn failed(why: &str) -> Box<Problem> {
    problem(
        StatusCode::BAD_GATEWAY,
        "login_provider_failed",
        format!("the provider did not do its part: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Plan {
        Plan {
            provider: "x".into(),
            issuer: None,
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            userinfo_endpoint: None,
            jwks_uri: None,
            client_id: "c".into(),
            client_secret: None,
            secret_in_form: false,
            scopes: Vec::new(),
            says_iss: false,
            repeats_nonce: true,
            own: false,
            peer: Peer::Other { ca_pem: None },
        }
    }

    fn metadata() -> Value {
        json!({
            "issuer": "https://a.example", "authorization_endpoint": "https://a.example/a",
            "token_endpoint": "https://a.example/t", "jwks_uri": "https://a.example/k",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    #[test]
    fn metadata_of_another_issuer_or_without_pkce_or_over_http_are_refused() {
        let good =
            of_metadata(base(), "https://a.example", &metadata()).unwrap_or_else(|_| panic!());
        assert!(good.says_iss && good.userinfo_endpoint.is_none());
        assert!(of_metadata(base(), "https://b.example", &metadata()).is_err());
        for (name, value) in [
            ("token_endpoint", json!("http://a.example/t")),
            ("token_endpoint", json!(null)),
            ("code_challenge_methods_supported", json!(["plain"])),
        ] {
            let mut bad = metadata();
            bad[name] = value;
            assert!(
                of_metadata(base(), "https://a.example", &bad).is_err(),
                "{name}"
            );
        }
    }
}
