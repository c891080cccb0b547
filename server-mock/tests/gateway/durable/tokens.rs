//! Who may call, after a kill: minted tokens, the authorization server's tokens, codes, devices and keys, and who is logged in.

use serde_json::{Value, json};

use super::child::{Folder, Running};
use crate::caller::{Asking, Seen, asking};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:4567/callback";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn oauth(running: &Running, path: &str, pairs: &[(&str, &str)]) -> Asking {
    asking(&running.url, "POST", &format!("/oauth/generic/{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(pairs))
}

async fn token(running: &Running, pairs: &[(&str, &str)]) -> Seen {
    oauth(running, "token", pairs).send().await
}

async fn refresh(running: &Running, token_: &str) -> Seen {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", "public-client"),
        ("refresh_token", token_),
    ];
    token(running, &pairs).await
}

async fn code(running: &Running) -> String {
    let asked = form(&[
        ("response_type", "code"),
        ("client_id", "public-client"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let path = format!("/oauth/generic/authorize?{asked}");
    let seen = asking(&running.url, "GET", &path).send().await;
    assert_eq!(seen.status(), 302);
    let url = url::Url::parse(&seen.header("location").unwrap()).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap().1.into_owned()
}

async fn redeem(running: &Running, code: &str) -> Seen {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", "public-client"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    token(running, &pairs).await
}

fn text(seen: &Seen, name: &str) -> String {
    seen.json()[name].as_str().unwrap().to_owned()
}

async fn status(running: &Running, token: &str) -> u16 {
    let ask = running.ask("GET", "/v1/whoami");
    let ask = ask.header("authorization", &format!("Bearer {token}"));
    ask.send().await.status()
}

fn again(running: Running, folder: &Folder) -> Running {
    running.kill();
    Running::start(&folder.file())
}

#[tokio::test]
async fn minted_tokens_are_good_until_they_end_and_none_comes_twice() {
    let folder = Folder::new();
    let mut running = Running::start(&folder.file());
    let freeze = json!({ "freeze": true });
    running.admin("POST", "/admin/clock", freeze).await;
    let mint = json!({ "tier": "pro", "tenant": "acme", "ttl_ms": 60_000 });
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let minted = running.admin("POST", "/admin/tokens", mint.clone()).await;
        assert_eq!(minted.status(), 201);
        tokens.push(text(&minted, "token"));
        running = again(running, &folder);
    }
    assert!(
        tokens[0] != tokens[1] && tokens[1] != tokens[2],
        "{tokens:?}"
    );
    let who = running.ask("GET", "/v1/whoami");
    let who = who.header("authorization", &format!("Bearer {}", tokens[0]));
    let who = who.send().await.json();
    assert_eq!(
        (&who["tier"], &who["tenant"]),
        (&json!("pro"), &json!("acme"))
    );
    let advance = json!({ "advance_ms": 60_000 });
    running.admin("POST", "/admin/clock", advance).await;
    let running = again(running, &folder);
    for token in &tokens {
        assert_eq!(status(&running, token).await, 401);
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_whatever_came_in_between() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let issued = redeem(&running, &code(&running).await).await;
    let (access, first) = (
        text(&issued, "access_token"),
        text(&issued, "refresh_token"),
    );
    let running = again(running, &folder);
    assert_eq!(status(&running, &access).await, 200);
    let second = refresh(&running, &first).await;
    assert_eq!(second.status(), 200);
    let running = again(running, &folder);
    let newer = text(&second, "access_token");
    assert_eq!(status(&running, &newer).await, 200);
    // Used up before the restart: whoever comes with it now has stolen it, and the whole family is revoked.
    let stolen = refresh(&running, &first).await;
    assert_eq!(
        (stolen.status(), text(&stolen, "error")),
        (400, "invalid_grant".into())
    );
    let running = again(running, &folder);
    for token in [&access, &newer] {
        assert_eq!(status(&running, token).await, 401);
    }
    let last = refresh(&running, &text(&second, "refresh_token")).await;
    assert_eq!(text(&last, "error"), "invalid_grant");
}

#[tokio::test]
async fn a_code_is_good_once_and_a_device_is_approved_across_restarts() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let code = code(&running).await;
    let running = again(running, &folder);
    let issued = redeem(&running, &code).await;
    assert_eq!(issued.status(), 200);
    let access = text(&issued, "access_token");
    let running = again(running, &folder);
    assert_eq!(status(&running, &access).await, 200);
    assert_eq!(redeem(&running, &code).await.status(), 400);
    let running = again(running, &folder);
    assert_eq!(status(&running, &access).await, 401);

    let pairs = [("client_id", "public-client")];
    let device = oauth(&running, "device_authorization", &pairs).send().await;
    let running = again(running, &folder);
    let device_code = text(&device, "device_code");
    let poll = [
        ("grant_type", DEVICE),
        ("client_id", "public-client"),
        ("device_code", device_code.as_str()),
    ];
    let pending = token(&running, &poll).await;
    assert_eq!(text(&pending, "error"), "authorization_pending");
    let decided = json!({ "user_code": text(&device, "user_code"), "decision": "approve" });
    let approved = running.admin("POST", "/admin/oauth/device", decided).await;
    assert_eq!(approved.status(), 200);
    let running = again(running, &folder);
    let issued = token(&running, &poll).await;
    assert_eq!(issued.status(), 200, "{:?}", issued.json());
    let running = again(running, &folder);
    assert_eq!(status(&running, &text(&issued, "access_token")).await, 200);
    let spent = token(&running, &poll).await;
    assert_eq!(text(&spent, "error"), "invalid_grant");
}

#[tokio::test]
async fn what_was_revoked_or_rotated_stays_so() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let issued = redeem(&running, &code(&running).await).await;
    let keys = async |running: &Running| running.get("/oauth/generic/jwks").await;
    let first = keys(&running).await;
    running
        .admin("POST", "/admin/oauth/rotate-keys", json!({}))
        .await;
    let second = keys(&running).await;
    assert_ne!(first, second);
    let running = again(running, &folder);
    assert_eq!(keys(&running).await, second);
    let revoke = json!({ "refresh_tokens": true });
    running.admin("POST", "/admin/oauth/revoke", revoke).await;
    let running = again(running, &folder);
    assert_eq!(status(&running, &text(&issued, "access_token")).await, 401);
    let refused = refresh(&running, &text(&issued, "refresh_token")).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn tokens_are_given_or_not_when_the_process_dies() {
    for (point, happened) in [("before-commit", false), ("after-commit", true)] {
        let folder = Folder::new();
        let running = Running::start(&folder.file());
        let code = code(&running).await;
        running.kill();
        let running = Running::start_to_abort(&folder.file(), point);
        assert_eq!(redeem(&running, &code).await.raw, b"", "{point}");
        running.aborted();
        let running = Running::start(&folder.file());
        // Of tokens that nobody has seen the code was used all the same.
        let seen = redeem(&running, &code).await;
        assert_eq!(seen.status(), if happened { 400 } else { 200 }, "{point}");
    }
}

fn cookies(seen: &Seen) -> Vec<String> {
    let head = seen.head();
    let lines = head
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "));
    lines
        .filter(|cookie| !cookie.contains("Max-Age=0"))
        .map(|cookie| cookie.split(';').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn whoever_is_logged_in_stays_so_and_an_attempt_begins_again() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let open = async |running: &Running, to: &str, cookie: &str| {
        let path = to.strip_prefix(&running.url).unwrap_or(to);
        let ask = asking(&running.url, "GET", path);
        ask.header("cookie", cookie).send().await
    };
    let begun = open(&running, "/login/generic", "").await;
    let attempt = cookies(&begun).join("; ");
    let back = open(&running, &begun.header("location").unwrap(), "").await;
    let done = open(&running, &back.header("location").unwrap(), &attempt).await;
    assert_eq!(done.status(), 303);
    let session = cookies(&done).join("; ");
    let under_way = open(&running, "/login/generic", "").await;
    let other = cookies(&under_way).join("; ");
    let back = open(&running, &under_way.header("location").unwrap(), "").await;
    let back = back.header("location").unwrap();
    let back = back.strip_prefix(&running.url).unwrap().to_owned();

    let running = again(running, &folder);
    let who = open(&running, "/login/session", &session).await;
    assert_eq!(who.status(), 200);
    assert_eq!(who.json()["email"], "test.user@example.com");
    let lost = open(&running, &back, &other).await;
    assert_eq!(
        (lost.status(), text(&lost, "code")),
        (400, "login_state_mismatch".into())
    );
    let csrf = text(&who, "csrf_token");
    let out = asking(&running.url, "POST", "/logout").header("cookie", &session);
    let out = out.header("x-csrf-token", &csrf).send().await;
    assert_eq!(out.status(), 204);
    let running = again(running, &folder);
    assert_eq!(
        open(&running, "/login/session", &session).await.status(),
        401
    );
}

#[tokio::test]
async fn a_snapshot_has_tokens_and_rules_and_putting_it_back_puts_them_back() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let mint = json!({ "tier": "pro", "tenant": "acme", "ttl_ms": 60_000 });
    let minted = running.admin("POST", "/admin/tokens", mint.clone()).await;
    let rule = json!({ "rules": [{ "match": {"op": "users.list"}, "always": "503" }] });
    running.admin("PUT", "/admin/faults", rule).await;
    let issued = redeem(&running, &code(&running).await).await;
    let snapshot = running.admin_get("/admin/snapshot").await;
    running.admin("POST", "/admin/reset", json!({})).await;
    let access = text(&issued, "access_token");
    assert_eq!(status(&running, &access).await, 401);
    let restored = running.admin("POST", "/admin/snapshot", snapshot).await;
    assert_eq!(restored.status(), 200);
    let running = again(running, &folder);
    assert_eq!(status(&running, &access).await, 200);
    assert_eq!(status(&running, &text(&minted, "token")).await, 200);
    assert_eq!(running.ask("GET", "/v1/users").send().await.status(), 503);
    let next = running.admin("POST", "/admin/tokens", mint).await;
    assert_ne!(text(&next, "token"), text(&minted, "token"));
    let faults: Value = running.admin_get("/admin/faults").await;
    assert_eq!(faults["rules"].as_array().unwrap().len(), 1);
}
