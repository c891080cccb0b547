//! Answers of authorization servers, redirects of logins, what is signed, and what is never shown.

use std::time::Duration;

use gatewright_engine::UnixMillis;
use gatewright_engine::oauth::{
    ExpectedRedirect, TokenSet, metadata_urls, read_device_authorization, read_metadata,
    read_redirect, read_tokens,
};
use gatewright_engine::redact::{Redactor, Secret};
use gatewright_engine::signing::{Component, Template};
use url::Url;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const CANARY: &str = "canary-4b1c0ffee";

/// Tokens that are read can be kept and read again; what is refused does not show the refresh token.
pub(crate) fn token_answer(data: &[u8]) {
    let refresh: Secret = CANARY.into();
    for status in [200, 400, 503] {
        match read_tokens(status, data, NOW, Some(&refresh)) {
            Ok(tokens) => {
                assert_eq!(status, 200);
                assert!(!tokens.access_token.expose().is_empty());
                let kept = tokens.to_json();
                let read = TokenSet::from_json(&kept).expect("what it wrote");
                assert_eq!(read.access_token.expose(), tokens.access_token.expose());
                assert_eq!(read.expires_at, tokens.expires_at);
                assert_eq!(read.to_json(), kept);
            }
            Err(error) => {
                let told_by_the_server = String::from_utf8_lossy(data).contains("canary");
                assert!(
                    told_by_the_server || !error.to_string().contains(CANARY),
                    "{error}"
                );
            }
        }
    }
    let _ = TokenSet::from_json(&String::from_utf8_lossy(data));
}

/// Nobody is asked in a busy loop.
pub(crate) fn device_authorization(data: &[u8]) {
    if let Ok(answer) = read_device_authorization(200, data) {
        assert!(
            answer.interval >= Duration::from_secs(1),
            "{:?}",
            answer.interval
        );
    }
    assert!(read_device_authorization(400, data).is_err());
}

/// Endpoints that tokens go to are https.
pub(crate) fn metadata(data: &[u8]) {
    let issuer = "https://login.example";
    if let Ok(read) = read_metadata(issuer, data, false) {
        let endpoints = [
            read.token_endpoint,
            read.authorization_endpoint,
            read.device_authorization_endpoint,
            read.revocation_endpoint,
        ];
        for url in endpoints.iter().flatten() {
            assert!(is_safe(url), "{url}");
        }
    }
    if let Ok(urls) = metadata_urls(&String::from_utf8_lossy(data), false) {
        assert!(urls.iter().all(is_safe), "{urls:?}");
    }
}

fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let loopback = host.ends_with("localhost") || host.starts_with("127.") || host == "[::1]";
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// Without the state of this login no code is taken.
pub(crate) fn oauth_redirect(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(url) = Url::parse(&format!("http://127.0.0.1:1/callback?{text}")) else {
        return;
    };
    let expected = ExpectedRedirect {
        state: CANARY.into(),
        issuer: Some("https://login.example".to_owned()),
        issuer_is_sent: false,
    };
    match read_redirect(&url, &expected) {
        Ok(code) => {
            assert!(!code.expose().is_empty());
            assert!(
                url.query_pairs()
                    .any(|(name, value)| name == "state" && value == CANARY)
            );
        }
        Err(why) => {
            let error = why.into_error().to_string();
            assert!(
                text.contains("canary") || !error.contains(CANARY),
                "{error}"
            );
        }
    }
}

/// Components and templates that users write are read or refused.
pub(crate) fn signing(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(why) = Component::parse(&text) {
        assert!(why.len() < 2_000, "{why}");
    }
    if let Ok(template) = Template::new(&text, |_| true) {
        let _ = template.fill(str::to_uppercase);
        let _ = template.has(|_| false);
    }
}

/// No secret is shown, whatever stands around it.
pub(crate) fn redact(data: &[u8]) {
    let redactor = Redactor::new(vec![CANARY.into()], Some("key".to_owned()));
    let text = String::from_utf8_lossy(data);
    let shown = redactor.text(&text);
    assert!(!shown.contains(CANARY), "{shown}");
    if !text.contains(CANARY) {
        assert_eq!(redactor.text(&shown), shown);
    }
    if let Ok(url) = Url::parse(&text) {
        let shown = redactor.url(&url);
        assert!(!shown.contains(CANARY), "{shown}");
    }
    if let Some(shown) = redactor.bytes(data) {
        assert!(
            !shown
                .windows(CANARY.len())
                .any(|bytes| bytes == CANARY.as_bytes())
        );
    }
}
