//! The authorization server keeps to its specifications, on the session's clock, and says everything in the journal.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatewright_server_mock::OptionsChange;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::caller::{Asking, Caller, Seen};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:4567/callback";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

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

fn asking(caller: &Caller, path: &str, pairs: &[(&str, &str)]) -> Asking {
    caller
        .anonymous("POST", &format!("/oauth/generic/{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(pairs))
}

async fn token(caller: &Caller, pairs: &[(&str, &str)]) -> Seen {
    asking(caller, "token", pairs).send().await
}

const CREDENTIALS: [(&str, &str); 3] = [
    ("grant_type", "client_credentials"),
    ("client_id", "test-client"),
    ("client_secret", "test-secret"),
];

fn refusal(seen: &Seen) -> (u16, String) {
    (seen.status(), seen.json()["error"].as_str().unwrap().into())
}

async fn whoami(caller: &Caller, token: &str) -> Seen {
    caller
        .anonymous("GET", "/v1/whoami")
        .header("authorization", &format!("Bearer {token}"))
        .send()
        .await
}

fn text(seen: &Seen, name: &str) -> String {
    let json = seen.json();
    json[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {json}"))
        .into()
}

/// Where an authorization request sends the user, as parameters.
async fn authorized(
    caller: &Caller,
    more: &[(&str, &str)],
) -> std::collections::HashMap<String, String> {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "public-client"),
        ("redirect_uri", CALLBACK),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    pairs.extend(more);
    pairs.retain(|(_, value)| !value.is_empty());
    let path = format!("/oauth/generic/authorize?{}", form(&pairs));
    let seen = caller.anonymous("GET", &path).send().await;
    assert_eq!(seen.status(), 302, "{:?}", String::from_utf8(seen.body()));
    let url = url::Url::parse(&seen.header("location").unwrap()).unwrap();
    url.query_pairs().into_owned().collect()
}

async fn redeem(caller: &Caller, code: &str, verifier: &str) -> Seen {
    token(
        caller,
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "public-client"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ],
    )
    .await
}

async fn refresh(caller: &Caller, token_: &str) -> Seen {
    token(
        caller,
        &[
            ("grant_type", "refresh_token"),
            ("client_id", "public-client"),
            ("refresh_token", token_),
        ],
    )
    .await
}

#[tokio::test]
async fn metadata_names_the_issuer_in_every_form_and_the_session_in_the_path() {
    let caller = frozen().await;
    for (path, issuer) in [
        (
            "/.well-known/oauth-authorization-server/oauth/generic",
            "generic",
        ),
        ("/.well-known/openid-configuration/oauth/generic", "generic"),
        ("/oauth/generic/.well-known/openid-configuration", "generic"),
        (
            "/oauth/generic~test/.well-known/openid-configuration",
            "generic~test",
        ),
    ] {
        let seen = caller.anonymous("GET", path).send().await.json();
        let issuer = format!("{}/oauth/{issuer}", caller.gateway.url());
        assert_eq!(seen["issuer"], issuer, "{path}");
        assert_eq!(seen["token_endpoint"], format!("{issuer}/token"));
    }
    // The path counts before the header: the request is in the journal of the session it names.
    let elsewhere = caller
        .anonymous("GET", "/oauth/generic~other/jwks")
        .send()
        .await;
    assert_eq!(elsewhere.status(), 200);
    let other = caller.gateway.session("other").unwrap();
    assert_eq!(other.journal_of("oauth.jwks").len(), 1);
    assert_eq!(
        caller
            .anonymous("POST", "/oauth/generic/jwks")
            .send()
            .await
            .status(),
        405
    );
    assert_eq!(
        caller
            .anonymous("GET", "/oauth/a_b/jwks")
            .send()
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn client_credentials_give_a_token_that_ends_on_the_clock() {
    let caller = frozen().await;
    set(&caller, json!({"access_token_ttl_ms": 5_000}));
    let seen = token(&caller, &CREDENTIALS).await;
    assert_eq!(seen.header("cache-control").as_deref(), Some("no-store"));
    let body = seen.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(5))
    );
    assert!(body.get("refresh_token").is_none());
    let access = text(&seen, "access_token");
    assert_eq!(whoami(&caller, &access).await.json()["tenant"], "acme");
    caller.session.advance(Duration::from_millis(4_999)).await;
    assert_eq!(whoami(&caller, &access).await.status(), 200);
    caller.session.advance(Duration::from_millis(1)).await;
    assert_eq!(
        whoami(&caller, &access).await.json()["code"],
        "token_expired"
    );
    assert_eq!(
        whoami(&caller, "oat_00").await.json()["code"],
        "invalid_token"
    );
    assert_eq!(caller.session.effects("oauth.token").count, 1);
}

#[tokio::test]
async fn scopes_are_those_asked_for_and_no_others() {
    let caller = frozen().await;
    let mut pairs = CREDENTIALS.to_vec();
    pairs.push(("scope", "contacts:read"));
    let access = text(&token(&caller, &pairs).await, "access_token");
    assert_eq!(
        whoami(&caller, &access).await.json()["scopes"],
        json!(["contacts:read"])
    );
    let users = caller
        .anonymous("GET", "/v1/users")
        .header("authorization", &format!("Bearer {access}"))
        .send()
        .await;
    assert_eq!(users.json()["required_scope"], "users:read");
    pairs.pop();
    pairs.push(("scope", "everything"));
    assert_eq!(
        refusal(&token(&caller, &pairs).await),
        (400, "invalid_scope".into())
    );
}

#[tokio::test]
async fn clients_say_who_they_are_in_the_way_they_may() {
    let caller = frozen().await;
    let grant = [("grant_type", "client_credentials")];
    // RFC 6749, section 2.3.1: form-encoded, then joined by the colon.
    let basic = |id: &str, secret: &str| {
        let encoded = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let pair = format!("{}:{}", encoded(id), encoded(secret));
        asking(&caller, "token", &grant)
            .header("authorization", &format!("Basic {}", STANDARD.encode(pair)))
    };
    let odd = "s3cr:et+ %/ü";
    assert_eq!(basic("basic-client", odd).send().await.status(), 200);
    assert_eq!(
        basic("test-client", "test-secret").send().await.status(),
        200
    );
    let refused = basic("test-client", "wrong").send().await;
    assert_eq!(refusal(&refused), (401, "invalid_client".into()));
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .starts_with("Basic")
    );
    assert_eq!(basic("post-client", odd).send().await.status(), 401);
    let posted = |id, secret| {
        let pairs = [grant[0], ("client_id", id), ("client_secret", secret)];
        asking(&caller, "token", &pairs)
    };
    assert_eq!(posted("post-client", odd).send().await.status(), 200);
    assert_eq!(posted("basic-client", odd).send().await.status(), 401);
    let both = posted("test-client", "test-secret").header("authorization", "Basic dDp0");
    assert_eq!(refusal(&both.send().await), (400, "invalid_request".into()));
    let public = [grant[0], ("client_id", "public-client")];
    assert_eq!(
        refusal(&token(&caller, &public).await),
        (400, "unauthorized_client".into())
    );
    let confidential = [grant[0], ("client_id", "test-client")];
    assert_eq!(
        refusal(&token(&caller, &confidential).await),
        (401, "invalid_client".into())
    );
}

#[tokio::test]
async fn a_code_is_good_once_with_its_verifier_for_a_minute() {
    let caller = frozen().await;
    let back = authorized(
        &caller,
        &[("scope", "openid contacts:read"), ("nonce", "n1")],
    )
    .await;
    assert_eq!(back["state"], "xyz");
    assert_eq!(
        back["iss"],
        format!("{}/oauth/generic", caller.gateway.url())
    );
    let seen = redeem(&caller, &back["code"], VERIFIER).await;
    let access = text(&seen, "access_token");
    let claims = claims(&text(&seen, "id_token"));
    assert_eq!(
        (&claims["nonce"], &claims["aud"], &claims["sub"]),
        (&json!("n1"), &json!("public-client"), &json!("us_000001"))
    );
    assert_eq!(whoami(&caller, &access).await.status(), 200);
    // Used again it is refused, and what came of it is revoked.
    let again = redeem(&caller, &back["code"], VERIFIER).await;
    assert_eq!(refusal(&again), (400, "invalid_grant".into()));
    assert_eq!(
        whoami(&caller, &access).await.json()["code"],
        "token_revoked"
    );
    assert_eq!(
        refresh(&caller, &text(&seen, "refresh_token"))
            .await
            .status(),
        400
    );

    let code = &authorized(&caller, &[]).await["code"];
    let wrong = redeem(&caller, code, &"a".repeat(43)).await;
    assert_eq!(refusal(&wrong), (400, "invalid_grant".into()));
    assert_eq!(redeem(&caller, code, VERIFIER).await.status(), 400);

    let code = &authorized(&caller, &[]).await["code"];
    caller.session.advance(Duration::from_secs(60)).await;
    assert_eq!(
        refusal(&redeem(&caller, code, VERIFIER).await),
        (400, "invalid_grant".into())
    );
}

#[tokio::test]
async fn authorization_requests_out_of_order_are_sent_back_or_not_at_all() {
    let caller = frozen().await;
    for (more, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("scope", "everything")], "invalid_scope"),
    ] {
        let back = authorized(&caller, &more).await;
        assert_eq!(
            (back["error"].as_str(), back["state"].as_str()),
            (error, "xyz")
        );
        assert!(back.contains_key("iss") && !back.contains_key("code"));
    }
    for wrong in [
        "client_id=nobody&redirect_uri=http://127.0.0.1/callback",
        "client_id=public-client&redirect_uri=https://evil.example/callback",
        "client_id=public-client",
    ] {
        let path = format!("/oauth/generic/authorize?response_type=code&{wrong}");
        let seen = caller.anonymous("GET", &path).send().await;
        assert_eq!(
            (seen.status(), seen.header("location")),
            (400, None),
            "{wrong}"
        );
    }
    set(
        &caller,
        json!({"consent": "deny", "iss": "https://evil.example"}),
    );
    let back = authorized(&caller, &[]).await;
    assert_eq!(
        (back["error"].as_str(), back["iss"].as_str()),
        ("access_denied", "https://evil.example")
    );
}

#[tokio::test]
async fn the_page_asks_and_the_answer_counts() {
    let caller = frozen().await;
    set(&caller, json!({"consent": "page"}));
    let query = form(&[
        ("response_type", "code"),
        ("client_id", "public-client"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let path = format!("/oauth/generic/authorize?{query}");
    let page = caller.anonymous("GET", &path).send().await;
    assert_eq!(page.status(), 200);
    assert!(
        String::from_utf8(page.body())
            .unwrap()
            .contains("decision=approve")
    );
    for (decision, found) in [("approve", "code=oac_"), ("deny", "error=access_denied")] {
        let path = format!("{path}&decision={decision}");
        let seen = caller.anonymous("POST", &path).send().await;
        assert!(
            seen.header("location").unwrap().contains(found),
            "{decision}"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_revokes_its_family() {
    let caller = frozen().await;
    let code = &authorized(&caller, &[]).await["code"];
    let first = redeem(&caller, code, VERIFIER).await;
    let second = refresh(&caller, &text(&first, "refresh_token")).await;
    assert_ne!(
        text(&second, "refresh_token"),
        text(&first, "refresh_token")
    );
    assert_eq!(
        whoami(&caller, &text(&second, "access_token"))
            .await
            .status(),
        200
    );
    let again = refresh(&caller, &text(&first, "refresh_token")).await;
    assert_eq!(refusal(&again), (400, "invalid_grant".into()));
    let last = refresh(&caller, &text(&second, "refresh_token")).await;
    assert_eq!(refusal(&last), (400, "invalid_grant".into()));
    assert_eq!(
        whoami(&caller, &text(&second, "access_token"))
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn rotation_can_be_off_or_have_a_grace() {
    let caller = frozen().await;
    set(&caller, json!({"rotate_refresh_tokens": false}));
    let code = &authorized(&caller, &[]).await["code"];
    let token = text(&redeem(&caller, code, VERIFIER).await, "refresh_token");
    for _ in 0..3 {
        assert_eq!(
            text(&refresh(&caller, &token).await, "refresh_token"),
            token
        );
    }
    set(&caller, json!({"refresh_reuse_grace_ms": 10_000}));
    assert_eq!(refresh(&caller, &token).await.status(), 200);
    caller.session.advance(Duration::from_millis(9_999)).await;
    assert_eq!(refresh(&caller, &token).await.status(), 200);
    caller.session.advance(Duration::from_millis(1)).await;
    assert_eq!(refresh(&caller, &token).await.status(), 400);
}

#[tokio::test]
async fn an_answer_lost_after_the_rotation_is_lost_for_the_client_only() {
    let caller = frozen().await;
    let code = &authorized(&caller, &[]).await["code"];
    let token_ = text(&redeem(&caller, code, VERIFIER).await, "refresh_token");
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", "public-client"),
        ("refresh_token", token_.as_str()),
    ];
    let asking = asking(&caller, "token", &pairs).header("x-mock-fault", "once:lost");
    assert!(asking.send().await.raw.is_empty());
    let entry = caller.session.journal_of("oauth.token").pop().unwrap();
    assert_eq!(
        (entry.status, entry.outcome, entry.committed),
        (None, Some(200), true)
    );
    assert_eq!(refresh(&caller, &token_).await.status(), 400);
}

#[tokio::test]
async fn the_journal_shows_forms_without_their_secrets() {
    let caller = frozen().await;
    token(&caller, &CREDENTIALS).await;
    let entry = caller.session.journal_of("oauth.token").pop().unwrap();
    let body = String::from_utf8(STANDARD.decode(entry.body_base64).unwrap()).unwrap();
    assert_eq!(
        body,
        "grant_type=client_credentials&client_id=test-client&client_secret=***cret"
    );
}

#[tokio::test]
async fn a_device_polls_until_its_user_has_decided() {
    let caller = frozen().await;
    let start = async || {
        asking(
            &caller,
            "device_authorization",
            &[("client_id", "public-client")],
        )
        .send()
        .await
        .json()
    };
    let poll = async |device: &Value| {
        let code = device["device_code"].as_str().unwrap();
        token(
            &caller,
            &[
                ("grant_type", DEVICE),
                ("client_id", "public-client"),
                ("device_code", code),
            ],
        )
        .await
    };
    let error = |seen: &Seen| refusal(seen).1;
    let device = start().await;
    assert_eq!(
        (&device["interval"], &device["expires_in"]),
        (&json!(5), &json!(600))
    );
    assert_eq!(error(&poll(&device).await), "authorization_pending");
    caller.session.advance(Duration::from_millis(4_999)).await;
    assert_eq!(error(&poll(&device).await), "slow_down");
    // From now on it is ten seconds.
    caller.session.advance(Duration::from_millis(9_999)).await;
    assert_eq!(error(&poll(&device).await), "slow_down");
    caller.session.advance(Duration::from_secs(15)).await;
    assert_eq!(error(&poll(&device).await), "authorization_pending");
    let user_code = device["user_code"]
        .as_str()
        .unwrap()
        .replace('-', "")
        .to_lowercase();
    let decided = caller
        .admin("POST", "/admin/oauth/device?session=test")
        .json(&json!({"user_code": user_code, "decision": "approve"}))
        .send()
        .await;
    assert_eq!(decided.status(), 200);
    let seen = poll(&device).await;
    assert_eq!(
        whoami(&caller, &text(&seen, "access_token")).await.status(),
        200
    );
    assert!(seen.json()["refresh_token"].is_string());
    assert_eq!(error(&poll(&device).await), "invalid_grant");

    let denied = start().await;
    let page = caller
        .anonymous("POST", "/oauth/generic/device")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&[
            ("user_code", denied["user_code"].as_str().unwrap()),
            ("decision", "deny"),
        ]))
        .send()
        .await;
    assert_eq!(page.status(), 200);
    assert_eq!(error(&poll(&denied).await), "access_denied");

    let late = start().await;
    caller.session.advance(Duration::from_secs(600)).await;
    assert_eq!(error(&poll(&late).await), "expired_token");
}

#[tokio::test]
async fn tokens_are_looked_into_and_revoked_by_their_client() {
    let caller = frozen().await;
    let access = text(&token(&caller, &CREDENTIALS).await, "access_token");
    let about = |path: &str, token: &str| {
        let pairs = [CREDENTIALS[1], CREDENTIALS[2], ("token", token)];
        asking(&caller, path, &pairs)
    };
    let seen = about("introspect", &access).send().await.json();
    assert_eq!(
        (&seen["active"], &seen["client_id"], &seen["token_type"]),
        (&json!(true), &json!("test-client"), &json!("Bearer"))
    );
    assert_eq!(about("revoke", &access).send().await.status(), 200);
    assert_eq!(
        about("introspect", &access).send().await.json(),
        json!({"active": false})
    );
    assert_eq!(about("revoke", "oat_unknown").send().await.status(), 200);
    assert_eq!(
        whoami(&caller, &access).await.json()["code"],
        "token_revoked"
    );
    // All at once, as a server that forgets its tokens would.
    let access = text(&token(&caller, &CREDENTIALS).await, "access_token");
    let seen = caller
        .admin("POST", "/admin/oauth/revoke?session=test")
        .send()
        .await;
    assert_eq!(seen.status(), 200);
    assert_eq!(whoami(&caller, &access).await.status(), 401);
}

#[tokio::test]
async fn userinfo_is_for_tokens_with_openid() {
    let caller = frozen().await;
    let info = async |access: &str| {
        caller
            .anonymous("GET", "/oauth/generic/userinfo")
            .header("authorization", &format!("Bearer {access}"))
            .send()
            .await
    };
    let code = &authorized(&caller, &[("scope", "openid email")]).await["code"];
    let access = text(&redeem(&caller, code, VERIFIER).await, "access_token");
    let seen = info(&access).await.json();
    assert_eq!(
        (&seen["sub"], &seen["email"]),
        (&json!("us_000001"), &json!("test.user@example.com"))
    );
    assert!(seen.get("name").is_none());
    let machine = text(&token(&caller, &CREDENTIALS).await, "access_token");
    assert_eq!(info(&machine).await.status(), 403);
    assert_eq!(info("nonsense").await.status(), 401);
}

/// A key of the client's own, and what it signs.
enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Signer {
    fn new(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn p256() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    fn jwk(&self) -> Value {
        match self {
            Self::Ed25519(pair) => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match self {
            Self::Ed25519(pair) => URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes())),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                URL_SAFE_NO_PAD.encode(signature.unwrap())
            }
        };
        format!("{signed}.{signature}")
    }

    fn proof(&self, caller: &Caller, method: &str, path: &str, more: Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": self.alg(), "jwk": self.jwk()});
        self.proof_under(&header, caller, method, path, more)
    }

    fn proof_under(
        &self,
        header: &Value,
        caller: &Caller,
        method: &str,
        path: &str,
        more: Value,
    ) -> String {
        let mut claims = json!({
            "htm": method, "htu": format!("{}{path}", caller.gateway.url()),
            "iat": caller.session.clock().now_ms / 1_000, "jti": "first",
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.sign(header, &claims)
    }
}

fn claims(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_bound_token_needs_a_fresh_proof_of_its_key_each_time() {
    for (signer, other) in [
        (Signer::new(1), Signer::new(2)),
        (Signer::p256(), Signer::p256()),
        (Signer::p256(), Signer::new(2)),
    ] {
        bound_token(&signer, &other).await;
    }
}

/// A token bound to the key of `signer` is of no use without it.
async fn bound_token(signer: &Signer, other: &Signer) {
    let caller = frozen().await;
    let path = "/oauth/generic/token";
    let proof = signer.proof(&caller, "POST", path, json!({}));
    let seen = asking(&caller, "token", &CREDENTIALS)
        .header("dpop", &proof)
        .send()
        .await;
    assert_eq!(seen.json()["token_type"], "DPoP");
    let replayed = asking(&caller, "token", &CREDENTIALS)
        .header("dpop", &proof)
        .send()
        .await;
    assert_eq!(refusal(&replayed), (400, "invalid_dpop_proof".into()));
    let access = text(&seen, "access_token");
    assert_eq!(
        whoami(&caller, &access).await.json()["code"],
        "proof_missing"
    );
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&access));
    let ask = async |proof: String| {
        caller
            .anonymous("GET", "/v1/whoami?a=1")
            .header("authorization", &format!("DPoP {access}"))
            .header("dpop", &proof)
            .send()
            .await
    };
    let good = signer.proof(
        &caller,
        "GET",
        "/v1/whoami",
        json!({"ath": hash, "jti": "a"}),
    );
    assert_eq!(ask(good.clone()).await.status(), 200);
    for bad in [
        good,
        signer.proof(
            &caller,
            "POST",
            "/v1/whoami",
            json!({"ath": hash, "jti": "b"}),
        ),
        signer.proof(
            &caller,
            "GET",
            "/v1/other",
            json!({"ath": hash, "jti": "c"}),
        ),
        signer.proof(&caller, "GET", "/v1/whoami", json!({"jti": "d"})),
        signer.proof(
            &caller,
            "GET",
            "/v1/whoami",
            json!({"ath": hash, "jti": "e", "iat": 1_000}),
        ),
        other.proof(
            &caller,
            "GET",
            "/v1/whoami",
            json!({"ath": hash, "jti": "f"}),
        ),
        signer.proof_under(
            &json!({"typ": "dpop+jwt", "alg": "none", "jwk": signer.jwk()}),
            &caller,
            "GET",
            "/v1/whoami",
            json!({"ath": hash, "jti": "g"}),
        ),
        signer.proof_under(
            &json!({"typ": "dpop+jwt", "alg": signer.alg(), "jwk": other.jwk()}),
            &caller,
            "GET",
            "/v1/whoami",
            json!({"ath": hash, "jti": "h"}),
        ),
    ] {
        let seen = ask(bad).await;
        assert_eq!(
            (seen.status(), seen.json()["code"].as_str()),
            (401, Some("invalid_dpop_proof"))
        );
        assert!(
            seen.header("www-authenticate")
                .unwrap()
                .starts_with("DPoP ")
        );
    }
}

#[tokio::test]
async fn proofs_may_need_the_servers_nonce_which_changes() {
    let caller = frozen().await;
    set(&caller, json!({"dpop": "required", "dpop_nonce": true}));
    assert_eq!(
        refusal(&token(&caller, &CREDENTIALS).await).1,
        "invalid_dpop_proof"
    );
    let signer = Signer::new(1);
    let ask = async |more: Value| {
        let proof = signer.proof(&caller, "POST", "/oauth/generic/token", more);
        asking(&caller, "token", &CREDENTIALS)
            .header("dpop", &proof)
            .send()
            .await
    };
    let without = ask(json!({"jti": "1"})).await;
    assert_eq!(refusal(&without), (400, "use_dpop_nonce".into()));
    let nonce = without.header("dpop-nonce").unwrap();
    let seen = ask(json!({"jti": "2", "nonce": nonce})).await;
    let access = text(&seen, "access_token");
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&access));
    let resource = async |more: Value| {
        caller
            .anonymous("GET", "/v1/whoami")
            .header("authorization", &format!("DPoP {access}"))
            .header("dpop", &signer.proof(&caller, "GET", "/v1/whoami", more))
            .send()
            .await
    };
    let seen = resource(json!({"ath": hash, "jti": "3"})).await;
    assert_eq!(
        (seen.status(), seen.json()["code"].as_str()),
        (401, Some("use_dpop_nonce"))
    );
    assert_eq!(seen.header("dpop-nonce").as_ref(), Some(&nonce));
    let seen = resource(json!({"ath": hash, "jti": "4", "nonce": nonce})).await;
    assert_eq!(seen.status(), 200);
    caller.session.advance(Duration::from_secs(600)).await;
    let late = resource(json!({"ath": hash, "jti": "5", "nonce": nonce})).await;
    assert_ne!(late.header("dpop-nonce").unwrap(), nonce);
    assert_eq!(late.json()["code"], "use_dpop_nonce");
}

#[tokio::test]
async fn a_client_may_sign_an_assertion_with_its_own_key() {
    for (signer, other) in [
        (Signer::new(7), Signer::new(8)),
        (Signer::p256(), Signer::p256()),
    ] {
        assertions(&signer, &other).await;
    }
}

/// A client with the key of `signer` says who it is by its assertions alone.
async fn assertions(signer: &Signer, other: &Signer) {
    let caller = frozen().await;
    set(
        &caller,
        json!({"clients": [{"client_id": "jwt-client", "jwks": {"keys": [signer.jwk()]}}]}),
    );
    let url = format!("{}/oauth/generic/token", caller.gateway.url());
    let exp = caller.session.clock().now_ms / 1_000 + 60;
    let ask = async |claims: Value, signer: &Signer| {
        let assertion = signer.sign(&json!({"alg": signer.alg()}), &claims);
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        token(
            &caller,
            &[
                ("grant_type", "client_credentials"),
                ("client_assertion_type", kind),
                ("client_assertion", &assertion),
            ],
        )
        .await
        .status()
    };
    let good =
        json!({"iss": "jwt-client", "sub": "jwt-client", "aud": url, "exp": exp, "jti": "1"});
    assert_eq!(ask(good.clone(), signer).await, 200);
    assert_eq!(ask(good.clone(), signer).await, 401);
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("exp", json!(1)),
        ("iss", json!("x")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        bad["jti"] = name.into();
        assert_eq!(ask(bad, signer).await, 401, "{name}");
    }
    let mut foreign = good;
    foreign["jti"] = "2".into();
    assert_eq!(ask(foreign, other).await, 401);
}

#[tokio::test]
async fn the_same_session_gives_the_same_tokens_in_every_run() {
    let first = text(&token(&frozen().await, &CREDENTIALS).await, "access_token");
    let second = text(&token(&frozen().await, &CREDENTIALS).await, "access_token");
    assert_eq!(first, second);
}
