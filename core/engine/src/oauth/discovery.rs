//! A server's metadata (RFC 8414, OpenID Connect Discovery 1.0): where its endpoints are, once its issuer was checked.

use serde_json::Value;
use url::{Host, Url};

use super::error::{OAuthError, OAuthErrorKind};

/// Where a server's endpoints are, and what it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer, exactly as it was asked for.
    pub issuer: Option<String>,
    /// Where tokens come from.
    pub token_endpoint: Option<Url>,
    /// Where users log in.
    pub authorization_endpoint: Option<Url>,
    /// Where a login on another device begins (RFC 8628).
    pub device_authorization_endpoint: Option<Url>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Whether redirects name the issuer (RFC 9207).
    pub iss_parameter: bool,
    /// Whether S256 is among `code_challenge_methods_supported`; `None`: the server does not say.
    pub pkce_s256: Option<bool>,
    /// `token_endpoint_auth_methods_supported`; empty: the server does not say.
    pub token_auth_methods: Vec<String>,
}

/// Whether a URL may carry tokens: https, or loopback, or plain http where that was allowed.
///
/// # Errors
/// `Config`, naming `what`.
pub fn check_endpoint(what: &str, text: &str, allow_http: bool) -> Result<Url, OAuthError> {
    // The text itself is not shown: a secret may be in it.
    let wrong = |why: &str| OAuthError::new(OAuthErrorKind::Config, format!("{what} {why}"));
    let url = Url::parse(text)
        .map_err(|_| wrong("is no URL; it looks like https://login.example.com/token"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("is no web address"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("may not have a user, a password or a fragment"));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err(wrong("must be https: tokens travel there"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Where the metadata of `issuer` may be, in the order in which it is looked for: RFC 8414, section 3.1 (between host and path), then
/// OpenID Connect Discovery, section 4 (behind the path).
///
/// # Errors
/// `Config` where the issuer is no URL that may carry tokens, or has a query.
pub fn metadata_urls(issuer: &str, allow_http: bool) -> Result<[Url; 2], OAuthError> {
    let url = check_endpoint("`issuer`", issuer, allow_http)?;
    if url.query().is_some() {
        return Err(OAuthError::new(
            OAuthErrorKind::Config,
            "`issuer` may not have a query",
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let (mut oauth, mut openid) = (url.clone(), url);
    oauth.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    openid.set_path(&format!("{path}/.well-known/openid-configuration"));
    Ok([oauth, openid])
}

/// Reads a metadata document.
///
/// # Errors
/// `BadAnswer` where it is none, its `issuer` is another than the one asked for (RFC 8414, section 3.3), or an endpoint is not https.
pub fn read_metadata(issuer: &str, body: &[u8], allow_http: bool) -> Result<Metadata, OAuthError> {
    let bad = |what: String| OAuthError::new(OAuthErrorKind::BadAnswer, what);
    let json: Value = serde_json::from_slice(body)
        .map_err(|_| bad("the server's metadata is no JSON".to_owned()))?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(bad(
            "the server's metadata names another issuer than the one that was asked for".to_owned(),
        ));
    }
    let endpoint = |name: &str| {
        text(name)
            .map(|url| check_endpoint(name, url, allow_http))
            .transpose()
            .map_err(|wrong| bad(format!("the server's metadata: {wrong}")))
    };
    let texts = |name: &str| -> Option<Vec<String>> {
        let list = json.get(name)?.as_array()?;
        Some(
            list.iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .take(32)
                .collect(),
        )
    };
    Ok(Metadata {
        issuer: Some(issuer.to_owned()),
        token_endpoint: endpoint("token_endpoint")?,
        authorization_endpoint: endpoint("authorization_endpoint")?,
        device_authorization_endpoint: endpoint("device_authorization_endpoint")?,
        revocation_endpoint: endpoint("revocation_endpoint")?,
        iss_parameter: json
            .get("authorization_response_iss_parameter_supported")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
        pkce_s256: texts("code_challenge_methods_supported")
            .map(|methods| methods.iter().any(|method| method == "S256")),
        token_auth_methods: texts("token_endpoint_auth_methods_supported").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(issuer: &str) -> Vec<String> {
        metadata_urls(issuer, false)
            .unwrap()
            .map(String::from)
            .to_vec()
    }

    #[test]
    fn metadata_is_looked_for_where_the_rfcs_say() {
        assert_eq!(
            urls("https://as.example/tenant1"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant1",
                "https://as.example/tenant1/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            urls("https://as.example"),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn the_issuer_must_be_the_one_asked_for() {
        let body = br#"{"issuer":"https://as.example/","token_endpoint":"https://as.example/t"}"#;
        let error = read_metadata("https://as.example", body, false).unwrap_err();
        assert_eq!(error.kind(), OAuthErrorKind::BadAnswer);
        let read = read_metadata("https://as.example/", body, false).unwrap();
        assert_eq!(
            read.token_endpoint.unwrap().as_str(),
            "https://as.example/t"
        );
    }

    #[test]
    fn endpoints_are_https_or_loopback() {
        let with = |endpoint: &str| {
            let body =
                format!(r#"{{"issuer":"https://as.example","token_endpoint":"{endpoint}"}}"#);
            read_metadata("https://as.example", body.as_bytes(), false)
        };
        for bad in [
            "http://as.example/t",
            "ftp://as.example",
            "nonsense",
            "https://u:p@as.example/t",
            "https://as.example/t#x",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
        for good in [
            "https://other.example/t",
            "http://127.0.0.1:8/t",
            "http://[::1]:8/t",
            "http://localhost/t",
        ] {
            assert!(with(good).is_ok(), "{good}");
        }
        assert!(check_endpoint("x", "http://as.example/t", true).is_ok());
        assert!(metadata_urls("http://as.example", false).is_err());
        assert!(metadata_urls("https://as.example?a=b", false).is_err());
    }

    #[test]
    fn what_the_server_can_do_is_read() {
        let body = br#"{"issuer":"https://as.example","code_challenge_methods_supported":["plain"],
            "authorization_response_iss_parameter_supported":true,"token_endpoint_auth_methods_supported":["client_secret_post"]}"#;
        let read = read_metadata("https://as.example", body, false).unwrap();
        assert_eq!((read.pkce_s256, read.iss_parameter), (Some(false), true));
        assert_eq!(read.token_auth_methods, ["client_secret_post"]);
    }
}
