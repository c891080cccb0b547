//! "Log in with", as a browser that nobody here wrote would do it: it follows redirects and keeps cookies, and forged
//! callbacks, replays and pages of other origins get nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::{Value, json};

use crate::caller::{Caller, Seen, asking};

/// A browser: no header of the tests' own, cookies by their paths.
struct Browser<'c> {
    caller: &'c Caller,
    cookies: BTreeMap<String, (String, String)>,
}

impl<'c> Browser<'c> {
    fn new(caller: &'c Caller) -> Self {
        Self {
            caller,
            cookies: BTreeMap::new(),
        }
    }

    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Seen {
        let mut ask = asking(&self.caller.gateway.url(), method, path);
        let only = path.split('?').next().unwrap();
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, (_, of))| only.starts_with(of.as_str()))
            .map(|(name, (value, _))| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            ask = ask.header("cookie", &cookies.join("; "));
        }
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let seen = ask.send().await;
        for line in seen.head().lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                self.keep(cookie);
            }
        }
        seen
    }

    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let parts: Vec<&str> = parts.collect();
        assert!(
            parts.contains(&"HttpOnly") && parts.contains(&"SameSite=Lax"),
            "{cookie}"
        );
        assert!(!parts.contains(&"Secure"), "{cookie}");
        let path = parts
            .iter()
            .find_map(|part| part.strip_prefix("Path="))
            .unwrap();
        if parts.contains(&"Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies
                .insert(name.into(), (value.into(), path.into()));
        }
    }

    async fn open(&mut self, path: &str) -> Seen {
        self.send("GET", path, &[]).await
    }

    /// Where a redirect leads, as a path of the gateway.
    fn way(&self, seen: &Seen) -> String {
        let to = seen
            .header("location")
            .unwrap_or_else(|| panic!("{}", seen.head()));
        to.strip_prefix(&self.caller.gateway.url())
            .unwrap_or(&to)
            .to_owned()
    }

    /// Begins, and is sent back by the provider; the callback is not opened yet.
    async fn at_callback(&mut self, login: &str) -> String {
        let seen = self.open(login).await;
        assert_eq!(seen.status(), 302, "{}", String::from_utf8_lossy(&seen.raw));
        let seen = self.open(&self.way(&seen)).await;
        assert_eq!(seen.status(), 302, "{}", String::from_utf8_lossy(&seen.raw));
        self.way(&seen)
    }

    async fn log_in(&mut self, login: &str) -> Seen {
        let callback = self.at_callback(login).await;
        let seen = self.open(&callback).await;
        assert_eq!(seen.status(), 303, "{}", String::from_utf8_lossy(&seen.raw));
        self.open(&self.way(&seen)).await
    }
}

fn code(seen: &Seen) -> (u16, String) {
    (seen.status(), seen.json()["code"].as_str().unwrap().into())
}

#[tokio::test]
async fn a_browser_logs_in_with_every_provider_and_out_again() {
    let caller = Caller::new().await;
    for (provider, subject) in [
        ("generic", "us_000001"),
        ("github", "1"),
        ("google", "100000000000000000001"),
        ("linkedin", "tU0000001x"),
        ("twitter", "1000000000000000001"),
    ] {
        let mut browser = Browser::new(&caller);
        let who = browser.log_in(&format!("/login/{provider}~test")).await;
        assert_eq!(who.status(), 200, "{provider}");
        let who = who.json();
        assert_eq!(
            (&who["provider"], &who["sub"]),
            (&json!(provider), &json!(subject))
        );
        assert_eq!(
            (&who["name"], &who["email"]),
            (&json!("Test User"), &json!("test.user@example.com"))
        );
        // Only the session's cookie is left.
        assert_eq!(browser.cookies.len(), 1);

        let token = who["csrf_token"].as_str().unwrap();
        let origin = caller.gateway.url();
        for headers in [
            &[][..],
            &[("x-csrf-token", "wrong")],
            &[("x-csrf-token", token), ("origin", "https://evil.example")],
        ] {
            let seen = browser.send("POST", "/logout~test", headers).await;
            assert_eq!(code(&seen), (403, "csrf_mismatch".into()));
        }
        assert_eq!(browser.open("/login/session~test").await.status(), 200);
        let old = browser.cookies.clone();
        let headers = [("x-csrf-token", token), ("origin", origin.as_str())];
        let seen = browser.send("POST", "/logout~test", &headers).await;
        assert_eq!(seen.status(), 204);
        assert!(browser.cookies.is_empty());
        // The cookie is of no use to whoever kept it.
        browser.cookies = old;
        let seen = browser.open("/login/session~test").await;
        assert_eq!(code(&seen), (401, "no_session".into()));
    }
    // What the gateway sent to its own provider arrived like anybody's, and is in the journal without secrets.
    let exchanged = caller.session.journal_of("oauth.token");
    assert_eq!(exchanged.len(), 5);
    let all = serde_json::to_string(&caller.session.journal(0)).unwrap();
    assert!(!all.contains("gateway-login-secret"));
    for callback in caller.session.journal_of("login.callback") {
        assert!(callback.query.contains("code=***"), "{}", callback.query);
    }
}

#[tokio::test]
async fn a_callback_is_good_once_for_the_browser_that_began() {
    let caller = Caller::new().await;
    let mut browser = Browser::new(&caller);
    let callback = browser.at_callback("/login/generic~test").await;
    // Another browser (of an attacker's victim, or an attacker with the victim's callback) gets nowhere, and ends nothing.
    let mut other = Browser::new(&caller);
    assert_eq!(
        code(&other.open(&callback).await),
        (400, "login_state_mismatch".into())
    );
    other.at_callback("/login/generic~test").await;
    assert_eq!(
        code(&other.open(&callback).await),
        (400, "login_state_mismatch".into())
    );
    for forged in [
        "/login/generic~test/callback?code=oac_1".to_owned(),
        callback.replace("state=", "state=x"),
        format!("{callback}&state=again"),
    ] {
        assert_eq!(
            code(&browser.open(&forged).await),
            (400, "login_state_mismatch".into()),
            "{forged}"
        );
    }
    assert!(caller.session.journal_of("oauth.token").is_empty());
    assert_eq!(browser.open(&callback).await.status(), 303);
    assert_eq!(
        code(&browser.open(&callback).await),
        (400, "login_state_mismatch".into())
    );
    assert_eq!(caller.session.journal_of("oauth.token").len(), 1);
}

#[tokio::test]
async fn an_answer_of_another_provider_reaches_no_token_endpoint() {
    let caller = Caller::new().await;
    let mut browser = Browser::new(&caller);
    let callback = browser.at_callback("/login/generic~test").await;
    let elsewhere = callback.replace("/login/generic~test/", "/login/google~test/");
    assert_eq!(
        code(&browser.open(&elsewhere).await),
        (400, "login_issuer_mismatch".into())
    );
    let callback = browser.at_callback("/login/generic~test").await;
    let (front, _) = callback.split_once("&iss=").unwrap();
    assert_eq!(
        code(&browser.open(front).await),
        (400, "login_issuer_mismatch".into())
    );
    let callback = browser.at_callback("/login/generic~test").await;
    let (front, _) = callback.split_once("&iss=").unwrap();
    let forged = format!("{front}&iss=https%3A%2F%2Fevil.example");
    assert_eq!(
        code(&browser.open(&forged).await),
        (400, "login_issuer_mismatch".into())
    );
    assert!(caller.session.journal_of("oauth.token").is_empty());
}

#[tokio::test]
async fn logins_and_sessions_end_on_the_clock() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let mut browser = Browser::new(&caller);
    let callback = browser.at_callback("/login/generic~test").await;
    caller.session.advance(Duration::from_secs(600)).await;
    assert_eq!(
        code(&browser.open(&callback).await),
        (400, "login_expired".into())
    );
    assert_eq!(browser.log_in("/login/generic~test").await.status(), 200);
    let first = browser.cookies.clone();
    caller
        .session
        .advance(Duration::from_secs(8 * 3_600 - 1))
        .await;
    assert_eq!(browser.open("/login/session~test").await.status(), 200);
    caller.session.advance(Duration::from_secs(1)).await;
    assert_eq!(
        code(&browser.open("/login/session~test").await),
        (401, "no_session".into())
    );
    // A login gives a new session, and ends the browser's old one: nobody can have prepared it.
    assert_eq!(browser.log_in("/login/google~test").await.status(), 200);
    assert_ne!(browser.cookies, first);
    let second = browser.cookies.clone();
    assert_eq!(browser.log_in("/login/google~test").await.status(), 200);
    browser.cookies = second;
    assert_eq!(browser.open("/login/session~test").await.status(), 401);
}

#[tokio::test]
async fn what_the_provider_refuses_or_breaks_is_said() {
    let caller = Caller::new().await;
    let set = |change: Value| {
        let change: OptionsChange = serde_json::from_value(change).unwrap();
        caller.session.set(change)
    };
    let mut browser = Browser::new(&caller);
    set(json!({"oauth": {"consent": "deny"}})).unwrap();
    let callback = browser.at_callback("/login/generic~test").await;
    assert_eq!(
        code(&browser.open(&callback).await),
        (403, "login_refused".into())
    );
    set(json!({"oauth": {"code_ttl_ms": 0}})).unwrap();
    let callback = browser.at_callback("/login/github~test").await;
    let seen = browser.open(&callback).await;
    assert_eq!(code(&seen), (502, "login_provider_failed".into()));
    assert!(
        seen.json()["detail"]
            .as_str()
            .unwrap()
            .contains("bad_verification_code")
    );
    set(json!({"oauth": {}})).unwrap();
    assert_eq!(
        code(&browser.open("/login/nobody~test").await),
        (404, "unknown_provider".into())
    );
    for evil in [
        "//evil.example",
        "https://evil.example/",
        "/%5Cevil.example",
    ] {
        let path = format!("/login/generic~test?return_to={evil}");
        assert_eq!(
            code(&browser.open(&path).await),
            (400, "invalid_return_to".into())
        );
    }
    let who = browser
        .log_in("/login/generic~test?return_to=/v1/whoami")
        .await;
    assert_eq!(who.status(), 401);
    for bad in [
        json!({"name": "session", "client_id": "c", "issuer": "https://a.example"}),
        json!({"name": "a", "client_id": "c", "issuer": "http://a.example"}),
        json!({"name": "a", "client_id": "c", "token_endpoint": "https://a.example"}),
    ] {
        assert!(set(json!({"login": {"providers": [bad]}})).is_err());
    }
}

#[tokio::test]
async fn any_issuer_is_discovered_and_its_answers_are_checked() {
    let caller = Caller::new().await;
    // Another gateway, of which this one knows no more than its address.
    let other = Caller::new().await;
    let issuer = format!("{}/oauth/generic~test", other.gateway.url());
    let change: OptionsChange = serde_json::from_value(json!({"login": {"providers": [
        {"name": "work", "client_id": "test-client", "client_secret": "test-secret", "issuer": issuer},
    ]}}))
    .unwrap();
    caller.session.set(change).unwrap();
    let callback = format!("{}/login/work~test/callback", caller.gateway.url());
    let change: OptionsChange = serde_json::from_value(json!({"oauth": {"clients": [
        {"client_id": "test-client", "client_secret": "test-secret", "redirect_uris": [callback]},
    ]}}))
    .unwrap();
    other.session.set(change).unwrap();
    let mut browser = Browser::new(&caller);
    let begin = async |browser: &mut Browser<'_>| {
        let seen = browser.open("/login/work~test").await;
        let to = seen.header("location").unwrap();
        let path = to.strip_prefix(&other.gateway.url()).unwrap();
        let seen = asking(&other.gateway.url(), "GET", path).send().await;
        browser.way(&seen)
    };
    let callback = begin(&mut browser).await;
    let seen = browser.open(&callback).await;
    assert_eq!(seen.status(), 303, "{}", String::from_utf8_lossy(&seen.raw));
    let who = browser.open(&browser.way(&seen)).await.json();
    assert_eq!(
        (&who["provider"], &who["sub"]),
        (&json!("work"), &json!("us_000001"))
    );
    // Its clock is an hour off: its id tokens are of no use.
    other.session.advance(Duration::from_secs(3_700)).await;
    let callback = begin(&mut browser).await;
    let seen = browser.open(&callback).await;
    assert_eq!(code(&seen), (502, "login_id_token_invalid".into()));
    let said = caller
        .admin("GET", "/admin/session?session=test")
        .send()
        .await;
    assert!(!String::from_utf8_lossy(&said.body()).contains("test-secret"));
}
