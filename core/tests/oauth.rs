//! OAuth over a transport that plays both servers, on a virtual clock: what went onto the wire, and what the user got.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use gatewright::oauth::{ClientAuth, Grant, OAuthErrorKind, TokenSet, server_error};
use gatewright::runtime::{BoxFuture, Runtime};
use gatewright::signing::{Dpop, SigningKey};
use gatewright::testing::{VirtualClock, answer_with, failure};
use gatewright::token_store::{MemoryStore, StoreLock, TokenStore};
use gatewright::transport::{Transport, TransportError, TransportRequest, TransportResponse};
use gatewright::{Auth, Body, BoxError, Client, Error, ErrorKind, FailureClass, OAuth};
use serde_json::json;

type Answer = Result<TransportResponse, TransportError>;

/// A request to the OAuth server or to the API.
#[derive(Clone, Debug)]
struct Seen {
    url: String,
    headers: http::HeaderMap,
    form: BTreeMap<String, String>,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Play = dyn Fn(usize, &Seen) -> (Duration, Answer) + Send + Sync;

/// Answers token requests by `play`, which is told how many came before; the API answers 200 to the token that was given last, else 401.
#[derive(Clone)]
struct Servers {
    clock: VirtualClock,
    play: Arc<Play>,
    asked: Arc<Mutex<Vec<Seen>>>,
    called: Arc<Mutex<Vec<Seen>>>,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Servers")
    }
}

impl Transport for Servers {
    fn send(&self, request: TransportRequest) -> BoxFuture<'static, Answer> {
        let this = self.clone();
        Box::pin(async move {
            let body = match request.body {
                Body::Bytes(bytes) => bytes,
                _ => Default::default(),
            };
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            let seen = Seen {
                url: request.url.to_string(),
                headers: request.headers,
                form,
            };
            if request.url.host_str() != Some("as.example") {
                this.called.lock().unwrap().push(seen);
                return answer_with(200, &[], "{}");
            }
            let before = {
                let mut asked = this.asked.lock().unwrap();
                asked.push(seen.clone());
                asked.len() - 1
            };
            let (after, answer) = (this.play)(before, &seen);
            let at = this.clock.instant() + after;
            this.clock.sleep_until(at).await;
            answer
        })
    }
}

struct World {
    clock: VirtualClock,
    servers: Servers,
    client: Client,
}

impl World {
    fn new(
        auth: Auth,
        play: impl Fn(usize, &Seen) -> (Duration, Answer) + Send + Sync + 'static,
    ) -> Self {
        let clock = VirtualClock::new(11);
        let servers = Servers {
            clock: clock.clone(),
            play: Arc::new(play),
            asked: Arc::default(),
            called: Arc::default(),
        };
        let client = Client::builder("https://api.example")
            .runtime(clock.clone())
            .transport(servers.clone())
            .pacing(false)
            .auth(auth)
            .build()
            .unwrap();
        Self {
            clock,
            servers,
            client,
        }
    }

    fn asked(&self) -> Vec<Seen> {
        self.servers.asked.lock().unwrap().clone()
    }

    fn called(&self) -> Vec<Seen> {
        self.servers.called.lock().unwrap().clone()
    }

    fn get(&self) -> Result<gatewright::Response, Error> {
        self.clock.block_on(self.client.get("/x").send())
    }
}

const NOW: Duration = Duration::ZERO;
const TOKEN_URL: &str = "https://as.example/token";

fn tokens(number: usize, expires_in: u64) -> Answer {
    let body = json!({"access_token": format!("access-{number}"), "token_type": "Bearer",
        "expires_in": expires_in, "refresh_token": format!("refresh-{number}")});
    answer_with(200, &[], body.to_string())
}

fn refused(code: &str) -> Answer {
    answer_with(400, &[], json!({"error": code}).to_string())
}

fn credentials() -> OAuth {
    OAuth::client_credentials(TOKEN_URL, "app", "canary-secret").scopes(["a", "b"])
}

fn user() -> OAuth {
    OAuth::refresh(TOKEN_URL, "app", "canary-refresh")
}

#[test]
fn client_credentials_are_asked_for_once_and_kept() {
    let oauth = credentials()
        .audience("api")
        .resource("https://api.example/")
        .header("x-tenant", "t1");
    let world = World::new(Auth::oauth(oauth), |n, _| (NOW, tokens(n, 3600)));
    for _ in 0..3 {
        world.get().unwrap();
    }
    let [asked] = &world.asked()[..] else {
        panic!()
    };
    assert_eq!(
        asked.header("authorization"),
        "Basic YXBwOmNhbmFyeS1zZWNyZXQ="
    );
    assert_eq!(asked.header("x-tenant"), "t1");
    let form = |name: &str| asked.form.get(name).map(String::as_str);
    assert_eq!(form("grant_type"), Some("client_credentials"));
    assert_eq!(
        (form("scope"), form("audience")),
        (Some("a b"), Some("api"))
    );
    assert_eq!(form("resource"), Some("https://api.example/"));
    assert!(
        world
            .called()
            .iter()
            .all(|seen| seen.header("authorization") == "Bearer access-0")
    );
}

#[test]
fn five_hundred_calls_wait_for_one_refresh() {
    let world = World::new(Auth::oauth(user()), |n, _| {
        (Duration::from_millis(300), tokens(n, 60))
    });
    world.get().unwrap();
    world.clock.advance(Duration::from_secs(3600));
    let calls = (0..500).map(|_| world.client.get("/x").send());
    let answers = world.clock.block_on(join_all(calls));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.asked().len(), 2);
    assert_eq!(world.asked()[1].form["refresh_token"], "refresh-0");
    let called = world.called();
    assert_eq!(called.len(), 501);
    assert!(
        called[1..]
            .iter()
            .all(|seen| seen.header("authorization") == "Bearer access-1")
    );
}

#[test]
fn five_hundred_calls_on_many_threads_cause_one_refresh() {
    #[derive(Debug)]
    struct Slow(Mutex<usize>);
    impl Transport for Slow {
        fn send(&self, request: TransportRequest) -> BoxFuture<'static, Answer> {
            let token_request = request.url.host_str() == Some("as.example");
            let number = {
                let mut asked = self.0.lock().unwrap();
                *asked += usize::from(token_request);
                *asked
            };
            Box::pin(async move {
                if !token_request {
                    let known = request.headers["authorization"] == "Bearer access-2";
                    return answer_with(if known { 200 } else { 401 }, &[], "{}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                tokens(number, 3600)
            })
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let transport = Arc::new(Slow(Mutex::new(0)));
        #[derive(Debug)]
        struct Shared(Arc<Slow>);
        impl Transport for Shared {
            fn send(&self, request: TransportRequest) -> BoxFuture<'static, Answer> {
                self.0.send(request)
            }
        }
        let client = Client::builder("https://api.example")
            .transport(Shared(Arc::clone(&transport)))
            .pacing(false)
            .auth(Auth::oauth(user()))
            .build()
            .unwrap();
        // The first token is one that the API refuses, as an expired one would be.
        let calls = (0..500).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/x").send().await })
        });
        for answer in join_all(calls).await {
            answer.unwrap().unwrap();
        }
        assert_eq!(*transport.0.lock().unwrap(), 2);
    });
}

#[test]
fn a_refresh_that_fails_does_not_poison() {
    let world = World::new(Auth::oauth(credentials()), |n, _| match n {
        0 => (Duration::from_millis(50), refused("invalid_client")),
        n => (NOW, tokens(n, 60)),
    });
    let calls = (0..500).map(|_| world.client.get("/x").send());
    let answers = world.clock.block_on(join_all(calls));
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_err_and(|e| e.kind() == ErrorKind::Token))
    );
    assert_eq!(world.asked().len(), 1);
    world.get().unwrap();
    assert_eq!(world.asked().len(), 2);
}

#[test]
fn a_cancelled_waiter_does_not_end_the_refresh() {
    let world = World::new(Auth::oauth(user()), |n, _| {
        (Duration::from_secs(5), tokens(n, 3600))
    });
    let hasty = world.client.get("/x").timeout(1.0).send();
    let patient = world.client.get("/x").send();
    let (hasty, patient) = world
        .clock
        .block_on(futures_util::future::join(hasty, patient));
    assert_eq!(hasty.unwrap_err().kind(), ErrorKind::Timeout);
    patient.unwrap();
    assert_eq!(world.asked().len(), 1);
}

#[test]
fn a_token_that_is_still_good_outlives_a_failed_refresh() {
    let world = World::new(Auth::oauth(credentials()), |n, _| match n {
        0 => (NOW, tokens(0, 100)),
        // Nobody answers any more.
        _ => (Duration::from_secs(3600), failure(FailureClass::Timeout)),
    });
    world.get().unwrap();
    world.clock.advance(Duration::from_secs(95));
    let before = world.clock.elapsed();
    let answer = world
        .clock
        .block_on(join_all((0..10).map(|_| world.client.get("/x").send())));
    assert!(answer.iter().all(Result::is_ok));
    let waited = world.clock.elapsed() - before;
    assert!(waited <= Duration::from_secs(2), "{waited:?}");
    assert!(
        world
            .called()
            .iter()
            .all(|seen| seen.header("authorization") == "Bearer access-0")
    );
}

#[test]
fn a_refresh_is_ahead_of_expiry_and_spread() {
    let mut moments = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let clock = VirtualClock::new(seed);
        let servers = Servers {
            clock: clock.clone(),
            play: Arc::new(|n, _: &Seen| (NOW, tokens(n, 600))),
            asked: Arc::default(),
            called: Arc::default(),
        };
        let client = Client::builder("https://api.example")
            .runtime(clock.clone())
            .transport(servers.clone())
            .auth(Auth::oauth(user()))
            .build()
            .unwrap();
        while servers.asked.lock().unwrap().len() < 2 {
            clock.block_on(client.get("/x").send()).unwrap();
            clock.advance(Duration::from_secs(1));
            assert!(clock.elapsed() < Duration::from_secs(600), "not ahead");
        }
        moments.insert(clock.elapsed().as_secs());
    }
    assert!(
        moments.iter().all(|at| (550..=575).contains(at)),
        "{moments:?}"
    );
    assert!(moments.len() > 5, "{moments:?}");
}

#[test]
fn client_credentials_are_asked_for_again_and_a_refresh_is_not() {
    let lost = |n: usize| match n {
        0 => (NOW, failure(FailureClass::ConnectionLost)),
        n => (NOW, tokens(n, 60)),
    };
    let world = World::new(Auth::oauth(credentials()), move |n, _| lost(n));
    world.get().unwrap();
    assert_eq!(world.asked().len(), 2);

    let world = World::new(Auth::oauth(user()), move |n, _| lost(n));
    let error = world.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    let why = server_error(&error).unwrap();
    assert_eq!(why.kind(), OAuthErrorKind::OutcomeUnknown);
    assert_eq!(world.asked().len(), 1);
    // The next call asks once more: there is nothing else to go by.
    world.get().unwrap();
    assert_eq!(world.asked().len(), 2);
}

#[test]
fn a_refresh_that_never_reached_the_server_is_sent_again() {
    let world = World::new(Auth::oauth(user()), |n, _| match n {
        0 => (NOW, failure(FailureClass::Connect)),
        1 => (NOW, answer_with(429, &[("retry-after", "2")], "")),
        n => (NOW, tokens(n, 60)),
    });
    world.get().unwrap();
    assert_eq!(world.asked().len(), 3);
    assert!(world.clock.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_rotated_refresh_token_is_used_next() {
    let world = World::new(Auth::oauth(user()), |n, _| (NOW, tokens(n, 60)));
    for _ in 0..3 {
        world.get().unwrap();
        world.clock.advance(Duration::from_secs(61));
    }
    let sent: Vec<_> = world
        .asked()
        .iter()
        .map(|seen| seen.form["refresh_token"].clone())
        .collect();
    assert_eq!(sent, ["canary-refresh", "refresh-0", "refresh-1"]);
}

#[test]
fn a_token_in_the_store_is_used_without_a_request() {
    let store = MemoryStore::new();
    let world = World::new(Auth::oauth(user().store(store.clone())), |n, _| {
        (NOW, tokens(n, 60))
    });
    world
        .clock
        .block_on(store.save(&TokenSet::new("stored")))
        .unwrap();
    world.get().unwrap();
    assert_eq!(world.called()[0].header("authorization"), "Bearer stored");
    assert!(world.asked().is_empty());
}

#[test]
fn nobody_logged_in_is_said_before_anything_is_sent() {
    let world = World::new(
        Auth::oauth(OAuth::new("app").token_url(TOKEN_URL)),
        |n, _| (NOW, tokens(n, 60)),
    );
    let error = world.get().unwrap_err();
    assert_eq!(
        error.to_string(),
        "token: GET https://api.example/x was not sent: no token: nobody is logged in; log in (authorization code or device), and try again"
    );
    assert!(world.asked().is_empty() && world.called().is_empty());
}

#[test]
fn the_servers_words_are_there_and_no_secret_is() {
    let echo = json!({"error": "invalid_grant", "error_description": "canary-refresh of canary-secret\u{7} is used up"});
    let body = echo.to_string();
    let world = World::new(
        Auth::oauth(user().client_secret("canary-secret")),
        move |_, _| (NOW, answer_with(400, &[], body.clone())),
    );
    let error = world.get().unwrap_err();
    let why = server_error(&error).unwrap();
    assert_eq!(
        (why.code(), why.status(), why.kind()),
        (Some("invalid_grant"), Some(400), OAuthErrorKind::Refused)
    );
    assert_eq!(
        error.to_string(),
        "token: GET https://api.example/x was not sent: no token: the token endpoint answered 400: invalid_grant (*** of ***  is used up); \
         log in again: the code or refresh token is not good any more"
    );
    let shown = format!("{error:?} {:?} {:?} {why:?}", world.client, user());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn settings_that_cannot_be_are_refused_when_the_client_is_built() {
    for oauth in [
        OAuth::new("app"),
        OAuth::new("").token_url(TOKEN_URL),
        OAuth::client_credentials("http://as.example/token", "app", "canary"),
        OAuth::client_credentials(TOKEN_URL, "app", ""),
        OAuth::new("app")
            .token_url(TOKEN_URL)
            .grant(Grant::ClientCredentials),
        OAuth::new("app").issuer("https://as.example?canary=1"),
        user().client_auth(ClientAuth::PrivateKeyJwt),
        user().header("x-a", "canary\n"),
        user().dpop(Dpop::new(SigningKey::hmac("canary"))),
    ] {
        let error = Client::builder("https://api.example")
            .auth(Auth::oauth(oauth))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_login_is_pkce_with_state_and_issuer_and_its_tokens_serve_the_client() {
    let oauth = OAuth::new("app").issuer("https://as.example").scopes(["a"]);
    let world = World::new(Auth::oauth(oauth.clone()), |n, seen| {
        let answer = match seen.url.as_str() {
            "https://as.example/.well-known/oauth-authorization-server" => {
                answer_with(404, &[], "")
            }
            "https://as.example/.well-known/openid-configuration" => {
                let metadata = json!({"issuer": "https://as.example", "token_endpoint": TOKEN_URL,
                    "authorization_endpoint": "https://as.example/authorize",
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true});
                answer_with(200, &[], metadata.to_string())
            }
            TOKEN_URL => tokens(n, 60),
            other => panic!("{other}"),
        };
        (NOW, answer)
    });
    let login = world
        .clock
        .block_on(
            oauth
                .over(&world.client)
                .authorization("https://app.example/cb"),
        )
        .unwrap();
    let query: BTreeMap<_, _> = login.url().query_pairs().into_owned().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], "https://app.example/cb");
    let redirect = format!(
        "https://app.example/cb?code=c1&state={}&iss=https%3A%2F%2Fas.example",
        query["state"]
    );
    assert!(!format!("{login:?}").contains(&query["state"]));
    let set = world.clock.block_on(login.finish(&redirect)).unwrap();
    assert_eq!(set.access_token.expose(), "access-2");
    let asked = &world.asked()[2];
    assert_eq!(asked.form["grant_type"], "authorization_code");
    assert_eq!(asked.form["client_id"], "app");
    let verifier = asked.form["code_verifier"].clone();
    let challenge = gatewright::engine::oauth::Pkce::from_verifier(verifier.into());
    assert_eq!(challenge.challenge(), query["code_challenge"]);
    world.get().unwrap();
    assert_eq!(world.called()[0].header("authorization"), "Bearer access-2");
    assert_eq!(world.asked().len(), 3);
}

#[test]
fn a_redirect_of_somebody_elses_ends_nothing_and_sends_nothing() {
    let oauth = OAuth::new("app")
        .token_url(TOKEN_URL)
        .authorization_url("https://as.example/authorize");
    let world = World::new(Auth::none(), |n, _| (NOW, tokens(n, 60)));
    let flow = oauth.over(&world.client);
    let login = world
        .clock
        .block_on(flow.authorization("https://app.example/cb"));
    let finished = login
        .unwrap()
        .finish("https://app.example/cb?code=c1&state=guessed");
    let error = world.clock.block_on(finished).unwrap_err();
    assert_eq!(
        server_error(&error).unwrap().kind(),
        OAuthErrorKind::WrongRedirect
    );
    assert!(world.asked().is_empty());
}

#[test]
fn a_code_whose_exchange_broke_off_is_not_sent_again() {
    let oauth = OAuth::new("app")
        .token_url(TOKEN_URL)
        .authorization_url("https://as.example/authorize");
    let world = World::new(Auth::none(), |_, _| {
        (NOW, failure(FailureClass::ConnectionLost))
    });
    let flow = oauth.over(&world.client);
    let login = world
        .clock
        .block_on(flow.authorization("https://app.example/cb"))
        .unwrap();
    let query: BTreeMap<_, _> = login.url().query_pairs().into_owned().collect();
    let redirect = format!(
        "https://app.example/cb?code=canary-code&state={}",
        query["state"]
    );
    let error = world.clock.block_on(login.finish(&redirect)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert_eq!(world.asked().len(), 1);
}

#[test]
fn a_device_is_logged_in_at_the_servers_pace() {
    let oauth = OAuth::new("tv")
        .token_url(TOKEN_URL)
        .device_authorization_url("https://as.example/device");
    let world = World::new(Auth::oauth(oauth.clone()), |n, _| {
        let body = json!({"device_code": "canary-device", "user_code": "ABCD-EFGH",
            "verification_uri": "https://as.example/activate", "expires_in": 600, "interval": 5});
        let answer = match n {
            0 => answer_with(200, &[], body.to_string()),
            1 => refused("authorization_pending"),
            2 => refused("slow_down"),
            3 => failure(FailureClass::ConnectionLost),
            n => tokens(n, 60),
        };
        (NOW, answer)
    });
    let flow = oauth.over(&world.client);
    let login = world.clock.block_on(flow.device()).unwrap();
    assert_eq!(login.user_code(), "ABCD-EFGH");
    assert!(!format!("{login:?}").contains("canary-device"));
    world.clock.block_on(login.wait()).unwrap();
    // 5 s, 5 s, then 10 s, then twice that.
    assert_eq!(world.clock.elapsed(), Duration::from_secs(40));
    assert_eq!(world.asked().len(), 5);
    world.get().unwrap();
}

#[test]
fn a_device_code_that_expires_ends_the_wait() {
    let oauth = OAuth::new("tv")
        .token_url(TOKEN_URL)
        .device_authorization_url("https://as.example/device");
    let world = World::new(Auth::none(), |n, _| {
        let body = json!({"device_code": "d", "user_code": "ABCD",
            "verification_uri": "https://as.example/activate", "expires_in": 12});
        let answer = if n == 0 {
            answer_with(200, &[], body.to_string())
        } else {
            refused("authorization_pending")
        };
        (NOW, answer)
    });
    let flow = oauth.over(&world.client);
    let login = world.clock.block_on(flow.device()).unwrap();
    let error = world.clock.block_on(login.wait()).unwrap_err();
    assert_eq!(
        server_error(&error).unwrap().kind(),
        OAuthErrorKind::Expired
    );
    assert_eq!(world.clock.elapsed(), Duration::from_secs(12));
}

#[test]
fn logging_out_revokes_and_forgets() {
    let store = MemoryStore::new();
    let oauth = user()
        .revocation_url("https://as.example/revoke")
        .store(store.clone());
    let world = World::new(Auth::oauth(oauth.clone()), |n, seen| {
        let answer = if seen.url.ends_with("/revoke") {
            answer_with(200, &[], "")
        } else {
            tokens(n, 60)
        };
        (NOW, answer)
    });
    world.get().unwrap();
    world
        .clock
        .block_on(oauth.over(&world.client).revoke())
        .unwrap();
    assert_eq!(world.asked()[1].form["token"], "refresh-0");
    assert!(world.clock.block_on(store.load()).unwrap().is_none());
}

#[test]
fn a_store_that_cannot_save_loses_nothing_while_the_process_lives() {
    #[derive(Debug)]
    struct Full;
    impl TokenStore for Full {
        fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn save<'a>(&'a self, _: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
            Box::pin(std::future::ready(Err("the disk is full".into())))
        }
        fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let world = World::new(Auth::oauth(user().store(Full)), |n, _| (NOW, tokens(n, 60)));
    world.get().unwrap();
    world.clock.advance(Duration::from_secs(61));
    world.get().unwrap();
    assert_eq!(world.asked()[1].form["refresh_token"], "refresh-0");
}

#[test]
fn a_lock_that_another_holds_is_waited_for() {
    #[derive(Debug)]
    struct Busy(MemoryStore, VirtualClock);
    impl TokenStore for Busy {
        fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
            self.0.load()
        }
        fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
            self.0.save(tokens)
        }
        fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
            self.0.clear()
        }
        fn lock(&self) -> BoxFuture<'_, Result<Option<StoreLock>, BoxError>> {
            let free = self.1.elapsed() >= Duration::from_secs(1);
            Box::pin(async move {
                if free {
                    // The one before saved a token.
                    self.0.save(&TokenSet::new("of-another-process")).await?;
                }
                Ok(free.then(StoreLock::none))
            })
        }
    }
    let clock = VirtualClock::new(5);
    let servers = Servers {
        clock: clock.clone(),
        play: Arc::new(|_, _: &Seen| panic!("no refresh is needed")),
        asked: Arc::default(),
        called: Arc::default(),
    };
    let store = Busy(MemoryStore::new(), clock.clone());
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(servers.clone())
        .auth(Auth::oauth(user().store(store)))
        .build()
        .unwrap();
    clock.block_on(client.get("/x").send()).unwrap();
    let called = servers.called.lock().unwrap();
    assert_eq!(
        called[0].header("authorization"),
        "Bearer of-another-process"
    );
}

#[test]
fn a_private_key_proves_the_client_anew_with_each_attempt() {
    let (key, _) = SigningKey::generate_p256().unwrap();
    let oauth = OAuth::new("app")
        .token_url(TOKEN_URL)
        .client_key(key, Some("k1"))
        .grant(Grant::ClientCredentials);
    let world = World::new(Auth::oauth(oauth), |n, _| match n {
        0 => (NOW, answer_with(503, &[], "")),
        n => (NOW, tokens(n, 60)),
    });
    world.get().unwrap();
    let asked = world.asked();
    assert_ne!(
        asked[0].form["client_assertion"],
        asked[1].form["client_assertion"]
    );
    assert_eq!(
        asked[1].form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(asked[1].header("authorization"), "");
}

#[test]
fn issuers_and_endpoints_of_metadata_are_checked() {
    for metadata in [
        json!({"issuer": "https://evil.example", "token_endpoint": TOKEN_URL}),
        json!({"issuer": "https://as.example", "token_endpoint": "http://as.example/token"}),
    ] {
        let oauth = OAuth::new("app")
            .issuer("https://as.example")
            .client_secret("s")
            .grant(Grant::ClientCredentials);
        let body = metadata.to_string();
        let world = World::new(Auth::oauth(oauth), move |_, _| {
            (NOW, answer_with(200, &[], body.clone()))
        });
        let error = world.get().unwrap_err();
        assert_eq!(
            server_error(&error).unwrap().kind(),
            OAuthErrorKind::BadAnswer
        );
        assert_eq!(world.asked().len(), 1);
    }
}

/// Keeps all that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::field::Visit for Log {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0
            .lock()
            .unwrap()
            .push_str(&format!("{field}={value:?}\n"));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn no_secret_is_logged() {
    #[derive(Debug)]
    struct Full;
    impl TokenStore for Full {
        fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn save<'a>(&'a self, _: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
            Box::pin(std::future::ready(Err("the disk is full".into())))
        }
        fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let (key, _) = SigningKey::generate_ed25519().unwrap();
        let oauth = user()
            .client_secret("canary-secret")
            .dpop(Dpop::new(key))
            .store(Full);
        let world = World::new(Auth::oauth(oauth), |n, _| {
            let body = json!({"access_token": format!("canary-access-{n}"), "token_type": "DPoP",
                "expires_in": 60, "refresh_token": format!("canary-refresh-{n}")});
            (NOW, answer_with(200, &[], body.to_string()))
        });
        world.get().unwrap();
        assert!(world.called()[0].header("dpop").contains('.'));
    });
    let logged = log.0.lock().unwrap().clone();
    assert!(logged.contains("the disk is full"), "{logged}");
    assert!(!logged.contains("canary"), "{logged}");
}
