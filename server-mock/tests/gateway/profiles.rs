//! The providers' profiles, as a client sees them: paths, forms of answers, refresh tokens, users, and what is not there.

use std::collections::HashMap;
use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::{Value, json};

use crate::caller::{Caller, Seen};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:4567/callback";

async fn frozen() -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
}

fn set(caller: &Caller, oauth: Value) {
    let change: OptionsChange = serde_json::from_value(json!({ "oauth": oauth })).unwrap();
    caller.session.set(change).unwrap();
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn post(caller: &Caller, path: &str, pairs: &[(&str, &str)], accept: &str) -> Seen {
    caller
        .anonymous("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", accept)
        .body(form(pairs))
        .send()
        .await
}

/// Where the user is sent back to.
async fn authorize(caller: &Caller, path: &str, more: &[(&str, &str)]) -> HashMap<String, String> {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "test-client"),
        ("redirect_uri", CALLBACK),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    pairs.extend(more);
    pairs.retain(|(_, value)| !value.is_empty());
    let seen = caller
        .anonymous("GET", &format!("{path}?{}", form(&pairs)))
        .send()
        .await;
    assert_eq!(seen.status(), 302, "{}", String::from_utf8_lossy(&seen.raw));
    let url = url::Url::parse(&seen.header("location").unwrap()).unwrap();
    let mut said: HashMap<_, _> = url.query_pairs().into_owned().collect();
    said.insert("path".into(), url.path().into());
    said
}

const SECRET: [(&str, &str); 2] = [
    ("client_id", "test-client"),
    ("client_secret", "test-secret"),
];

async fn exchange(caller: &Caller, path: &str, code: &str, accept: &str) -> Seen {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    pairs.extend(SECRET);
    post(caller, path, &pairs, accept).await
}

async fn get(caller: &Caller, path: &str, access: &str) -> Seen {
    caller
        .anonymous("GET", path)
        .header("authorization", &format!("Bearer {access}"))
        .send()
        .await
}

fn claims(jwt: &str) -> Value {
    use base64::Engine as _;
    let part = jwt.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[tokio::test]
async fn github_answers_in_forms_and_says_errors_with_200() {
    let caller = frozen().await;
    let token = "/oauth/github/login/oauth/access_token";
    let back = authorize(
        &caller,
        "/oauth/github/login/oauth/authorize",
        &[("response_type", ""), ("scope", "read:user,user:email")],
    )
    .await;
    assert_eq!(back.get("iss"), None);
    let seen = exchange(&caller, token, &back["code"], "*/*").await;
    assert_eq!(seen.status(), 200);
    let kind = seen.header("content-type").unwrap();
    assert!(
        kind.starts_with("application/x-www-form-urlencoded"),
        "{kind}"
    );
    let body = seen.body();
    let said: HashMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
    assert_eq!(said["token_type"], "bearer");
    assert_eq!(said["scope"], "read:user,user:email");
    assert!(!said.contains_key("expires_in") && !said.contains_key("refresh_token"));
    let access = said["access_token"].clone();
    assert!(access.starts_with("gho_"));
    // It never expires.
    caller
        .session
        .advance(Duration::from_secs(10 * 365 * 86_400))
        .await;
    let user = get(&caller, "/oauth/github/user", &access).await.json();
    assert_eq!(
        (&user["login"], &user["id"]),
        (&json!("test-user"), &json!(1))
    );
    let emails = get(&caller, "/oauth/github/user/emails", &access)
        .await
        .json();
    assert_eq!(emails[0]["primary"], true);

    let again = exchange(&caller, token, &back["code"], "application/json").await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.json()["error"], "bad_verification_code");
    assert!(
        again.json()["error_uri"]
            .as_str()
            .unwrap()
            .contains("#bad-verification-code")
    );
    let wrong = [
        ("client_id", "test-client"),
        ("client_secret", "no"),
        ("code", "x"),
    ];
    let seen = post(&caller, token, &wrong, "application/json").await;
    assert_eq!(
        (seen.status(), &seen.json()["error"]),
        (200, &json!("incorrect_client_credentials"))
    );
    // What came of the code is gone with its second use.
    assert_eq!(
        get(&caller, "/oauth/github/user", &access).await.status(),
        401
    );

    let back = authorize(
        &caller,
        "/oauth/github/login/oauth/authorize",
        &[("redirect_uri", "https://evil.example/")],
    )
    .await;
    assert_eq!(back["error"], "redirect_uri_mismatch");
    assert_eq!(
        (back["path"].as_str(), back["state"].as_str()),
        ("/callback", "xyz")
    );
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn a_github_app_has_tokens_that_expire_and_rotate() {
    let caller = frozen().await;
    let token = "/oauth/github/login/oauth/access_token";
    let app = [
        ("client_id", "Iv1.github-app"),
        ("client_secret", "test-secret"),
    ];
    let back = authorize(
        &caller,
        "/oauth/github/login/oauth/authorize",
        &[("client_id", "Iv1.github-app")],
    )
    .await;
    let mut pairs = vec![("code", back["code"].as_str()), ("code_verifier", VERIFIER)];
    pairs.extend(app);
    let seen = post(&caller, token, &pairs, "application/json")
        .await
        .json();
    assert_eq!(
        (&seen["expires_in"], &seen["refresh_token_expires_in"]),
        (&json!(28_800), &json!(184 * 86_400))
    );
    let old = seen["refresh_token"].as_str().unwrap();
    let refresh = async |token_: &str| {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token_)];
        pairs.extend(app);
        post(&caller, token, &pairs, "application/json")
            .await
            .json()
    };
    let next = refresh(old).await;
    assert_ne!(next["refresh_token"], old);
    assert_eq!(refresh(old).await["error"], "bad_refresh_token");
    // The family is gone.
    let newest = next["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(newest).await["error"], "bad_refresh_token");
}

#[tokio::test]
async fn google_gives_refresh_tokens_only_when_the_user_is_asked_for_offline_access() {
    let caller = frozen().await;
    let path = "/oauth/google/o/oauth2/v2/auth";
    let offline = ("access_type", "offline");
    let mut had = Vec::new();
    for more in [&[][..], &[offline], &[offline, ("prompt", "consent")]] {
        let mut asked = vec![("scope", "openid email")];
        asked.extend(more);
        let back = authorize(&caller, path, &asked).await;
        let seen = exchange(&caller, "/oauth/google/token", &back["code"], "*/*").await;
        had.push(seen.json());
    }
    // The first request was the user's consent; asking for offline access later is not asked again.
    assert!(had[0].get("refresh_token").is_none());
    assert!(had[1].get("refresh_token").is_none());
    let last = &had[2];
    assert_eq!(last["expires_in"], 3_599);
    assert_eq!(
        last["scope"],
        "openid https://www.googleapis.com/auth/userinfo.email"
    );
    let id = claims(last["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["azp"], &id["email"], &id["sub"]),
        (
            &json!("test-client"),
            &json!("test.user@example.com"),
            &json!("100000000000000000001")
        )
    );
    let refresh = last["refresh_token"].as_str().unwrap();
    let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    pairs.extend(SECRET);
    for _ in 0..2 {
        let seen = post(&caller, "/oauth/google/token", &pairs, "*/*").await;
        assert_eq!(seen.status(), 200);
        assert!(seen.json().get("refresh_token").is_none());
    }
    // Whoever has it may revoke it.
    let gone = post(
        &caller,
        &format!("/oauth/google/revoke?token={refresh}"),
        &[],
        "*/*",
    )
    .await;
    assert_eq!(gone.status(), 200);
    let seen = post(&caller, "/oauth/google/token", &pairs, "*/*").await;
    assert_eq!(
        (seen.status(), &seen.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    let unknown = post(&caller, "/oauth/google/revoke?token=none", &[], "*/*").await;
    assert_eq!(
        (unknown.status(), &unknown.json()["error"]),
        (400, &json!("invalid_token"))
    );
    let mut pairs = vec![("grant_type", "client_credentials")];
    pairs.extend(SECRET);
    let seen = post(&caller, "/oauth/google/token", &pairs, "*/*").await;
    assert_eq!(seen.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn google_tells_devices_in_its_own_words() {
    let caller = frozen().await;
    let seen = post(&caller, "/oauth/google/device/code", &SECRET, "*/*")
        .await
        .json();
    let page = seen["verification_url"].as_str().unwrap();
    assert!(page.ends_with("/oauth/google/device") && seen.get("verification_uri").is_none());
    let mut pairs = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", seen["device_code"].as_str().unwrap()),
    ];
    pairs.extend(SECRET);
    let poll = async || post(&caller, "/oauth/google/token", &pairs, "*/*").await;
    for (status, error) in [(428, "authorization_pending"), (403, "slow_down")] {
        let seen = poll().await;
        assert_eq!(
            (seen.status(), &seen.json()["error"]),
            (status, &json!(error))
        );
    }
    caller
        .session
        .decide_device(seen["user_code"].as_str().unwrap(), true)
        .unwrap();
    caller.session.advance(Duration::from_secs(11)).await;
    assert!(poll().await.json()["refresh_token"].is_string());
}

#[tokio::test]
async fn linkedin_repeats_no_nonce_and_keeps_its_refresh_tokens() {
    let caller = frozen().await;
    let metadata = caller
        .anonymous(
            "GET",
            "/oauth/linkedin/oauth/.well-known/openid-configuration",
        )
        .send()
        .await
        .json();
    let root = format!("{}/oauth/linkedin", caller.gateway.url());
    assert_eq!(metadata["issuer"], format!("{root}/oauth"));
    assert_eq!(
        metadata["token_endpoint"],
        format!("{root}/oauth/v2/accessToken")
    );
    let back = authorize(
        &caller,
        "/oauth/linkedin/oauth/v2/authorization",
        &[("scope", "openid profile email"), ("nonce", "n")],
    )
    .await;
    let token = "/oauth/linkedin/oauth/v2/accessToken";
    let seen = exchange(&caller, token, &back["code"], "*/*").await.json();
    assert_eq!(seen["scope"], "openid,profile,email");
    assert_eq!(
        (&seen["expires_in"], &seen["refresh_token_expires_in"]),
        (&json!(5_184_000), &json!(31_536_000))
    );
    let id = claims(seen["id_token"].as_str().unwrap());
    assert_eq!(id["iss"], format!("{root}/oauth"));
    assert_eq!((id.get("nonce"), &id["locale"]), (None, &json!("en-US")));
    let refresh = seen["refresh_token"].as_str().unwrap();
    let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    pairs.extend(SECRET);
    caller.session.advance(Duration::from_secs(86_400)).await;
    let next = post(&caller, token, &pairs, "*/*").await.json();
    assert_eq!(
        (&next["refresh_token"], &next["refresh_token_expires_in"]),
        (&json!(refresh), &json!(31_536_000 - 86_400))
    );
    let device = post(
        &caller,
        "/oauth/linkedin/device_authorization",
        &SECRET,
        "*/*",
    )
    .await;
    assert_eq!(device.json()["error"], "unauthorized_client");
}

#[tokio::test]
async fn twitter_refreshes_with_offline_access_and_wraps_the_user() {
    let caller = frozen().await;
    for path in [
        "/oauth/twitter/.well-known/openid-configuration",
        "/.well-known/openid-configuration/oauth/twitter",
        "/oauth/twitter/jwks",
        "/oauth/github/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/oauth/github",
    ] {
        assert_eq!(
            caller.anonymous("GET", path).send().await.status(),
            404,
            "{path}"
        );
    }
    let path = "/oauth/twitter/i/oauth2/authorize";
    let back = authorize(&caller, path, &[("scope", "tweet.read users.read")]).await;
    let token = "/oauth/twitter/2/oauth2/token";
    let seen = exchange(&caller, token, &back["code"], "*/*").await.json();
    assert_eq!(
        (&seen["token_type"], &seen["expires_in"]),
        (&json!("bearer"), &json!(7_200))
    );
    assert!(seen.get("refresh_token").is_none() && seen.get("id_token").is_none());
    let me = "/oauth/twitter/2/users/me";
    let user = get(&caller, me, seen["access_token"].as_str().unwrap())
        .await
        .json();
    assert_eq!(user["data"]["username"], "test_user");
    let scope = ("scope", "users.read offline.access");
    let back = authorize(&caller, path, &[scope]).await;
    let seen = exchange(&caller, token, &back["code"], "*/*").await.json();
    let refresh = seen["refresh_token"].as_str().unwrap();
    let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    pairs.extend(SECRET);
    let next = post(&caller, token, &pairs, "*/*").await.json();
    let access = next["access_token"].as_str().unwrap();
    assert_eq!(get(&caller, me, access).await.status(), 200);
    let reused = post(&caller, token, &pairs, "*/*").await;
    assert_eq!(
        (reused.status(), &reused.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(get(&caller, me, access).await.status(), 401);
}

#[tokio::test]
async fn pkce_is_needed_everywhere_unless_the_session_says_as_the_provider() {
    let caller = frozen().await;
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let plain = [
        ("code_challenge_method", "plain"),
        ("code_challenge", VERIFIER),
    ];
    for provider in ["generic", "google", "github", "linkedin", "twitter"] {
        let path = format!("/oauth/{provider}/authorize");
        for more in [none, plain] {
            let back = authorize(&caller, &path, &more).await;
            assert_eq!(back["error"], "invalid_request", "{provider}");
            assert_eq!(back["state"], "xyz");
        }
    }
    set(&caller, json!({"pkce": "as_provider"}));
    for (provider, refused) in [
        ("generic", true),
        ("google", false),
        ("github", false),
        ("linkedin", false),
        ("twitter", true),
    ] {
        let path = format!("/oauth/{provider}/authorize");
        let back = authorize(&caller, &path, &none).await;
        assert_eq!(back.contains_key("error"), refused, "{provider}");
        assert_eq!(
            authorize(&caller, &path, &plain).await["error"],
            "invalid_request"
        );
    }
    // RFC 9700, section 4.8.2: a verifier without a challenge is a code that was swapped.
    let back = authorize(&caller, "/oauth/google/authorize", &none).await;
    let seen = exchange(&caller, "/oauth/google/token", &back["code"], "*/*").await;
    assert_eq!(seen.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn the_user_logs_in_anew_when_the_client_wants_it() {
    let caller = frozen().await;
    let path = "/oauth/generic/authorize";
    let now_s = || caller.session.clock().now_ms / 1_000;
    let auth_time = async |back: &HashMap<String, String>| {
        let seen = exchange(&caller, "/oauth/generic/token", &back["code"], "*/*").await;
        claims(seen.json()["id_token"].as_str().unwrap())["auth_time"].clone()
    };
    let begun = now_s();
    let back = authorize(&caller, path, &[("max_age", "60")]).await;
    assert_eq!(auth_time(&back).await, begun);
    caller.session.advance(Duration::from_secs(60)).await;
    let back = authorize(&caller, path, &[("max_age", "60"), ("prompt", "none")]).await;
    assert_eq!(auth_time(&back).await, begun);
    caller.session.advance(Duration::from_secs(1)).await;
    let back = authorize(&caller, path, &[("max_age", "60"), ("prompt", "none")]).await;
    assert_eq!(back["error"], "login_required");
    let back = authorize(&caller, path, &[("max_age", "60")]).await;
    assert_eq!(auth_time(&back).await, now_s());
    caller.session.advance(Duration::from_secs(5)).await;
    let back = authorize(&caller, path, &[("prompt", "login")]).await;
    assert_eq!(auth_time(&back).await, now_s());
    for bad in [("max_age", "soon"), ("prompt", "none login")] {
        assert_eq!(
            authorize(&caller, path, &[bad]).await["error"],
            "invalid_request"
        );
    }
    set(&caller, json!({"consent": "page"}));
    let back = authorize(&caller, path, &[("prompt", "none")]).await;
    assert_eq!(back["error"], "consent_required");
    set(&caller, json!({"logged_in": false}));
    let back = authorize(&caller, path, &[("prompt", "none")]).await;
    assert_eq!(back["error"], "login_required");
}

#[tokio::test]
async fn id_tokens_are_signed_as_asked_and_keys_overlap() {
    let caller = frozen().await;
    let keys = async || -> Vec<String> {
        let seen = caller
            .anonymous("GET", "/oauth/generic/jwks")
            .send()
            .await
            .json();
        let keys = seen["keys"].as_array().unwrap().clone();
        assert!(
            keys.iter()
                .all(|key| key.get("d").is_none() && key.get("p").is_none())
        );
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().into())
            .collect()
    };
    assert_eq!(keys().await, ["key-1-rs256"]);
    caller.session.rotate_oauth_keys();
    assert_eq!(keys().await, ["key-2-rs256", "key-1-rs256"]);
    caller.session.advance(Duration::from_secs(86_400)).await;
    assert_eq!(keys().await, ["key-2-rs256"]);
    for (alg, all) in [
        ("ES256", vec!["key-2-es256", "key-2-rs256"]),
        ("EdDSA", vec!["key-2", "key-2-rs256"]),
    ] {
        set(&caller, json!({ "id_token_alg": alg }));
        assert_eq!(keys().await, all);
        let metadata = caller
            .anonymous("GET", "/oauth/generic/.well-known/openid-configuration")
            .send()
            .await
            .json();
        assert_eq!(
            metadata["id_token_signing_alg_values_supported"],
            json!([alg, "RS256"])
        );
    }
}

#[tokio::test]
async fn a_pushed_request_is_used_once_and_by_its_client() {
    let caller = frozen().await;
    let mut pairs = vec![
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("state", "pushed"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.extend(SECRET);
    let seen = post(&caller, "/oauth/generic/par", &pairs, "*/*").await;
    assert_eq!(seen.status(), 201);
    let name = seen.json()["request_uri"].as_str().unwrap().to_owned();
    let ask = async |client: &str| {
        let query = form(&[("client_id", client), ("request_uri", &name)]);
        caller
            .anonymous("GET", &format!("/oauth/generic/authorize?{query}"))
            .send()
            .await
    };
    assert_eq!(ask("public-client").await.status(), 400);
    let back = ask("test-client").await;
    let url = url::Url::parse(&back.header("location").unwrap()).unwrap();
    let said: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(said["state"], "pushed");
    assert_eq!(ask("test-client").await.status(), 400);
    let seen = exchange(&caller, "/oauth/generic/token", &said["code"], "*/*").await;
    assert_eq!(seen.status(), 200);
    pairs[1].1 = "https://evil.example/";
    let seen = post(&caller, "/oauth/generic/par", &pairs, "*/*").await;
    assert_eq!(
        (seen.status(), &seen.json()["error"]),
        (400, &json!("invalid_request"))
    );
}
