//! A client as built by default, over a scripted transport and a virtual clock: what would have gone onto the wire.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatewright::testing::{Never, Scripted, VirtualClock, answer, answer_with, failure};
use gatewright::transport::{TransportError, TransportResponse};
use gatewright::{
    Auth, Body, Client, ClientBuilder, Decision, Error, ErrorKind, FailureClass, NoRetry, Outcome,
    Token,
};

type Step = Result<TransportResponse, TransportError>;

struct World {
    clock: VirtualClock,
    transport: Scripted,
    client: Client,
}

fn world_with(
    script: impl IntoIterator<Item = Step>,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    let (clock, transport) = (VirtualClock::new(7), Scripted::new(script));
    let builder = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(transport.clone());
    World {
        client: settings(builder).build().unwrap(),
        clock,
        transport,
    }
}

fn world(script: impl IntoIterator<Item = Step>) -> World {
    world_with(script, |builder| builder)
}

fn key_of(seen: &gatewright::testing::Seen) -> Option<String> {
    Some(
        seen.headers
            .get("idempotency-key")?
            .to_str()
            .unwrap()
            .to_owned(),
    )
}

#[test]
fn the_same_key_goes_with_every_attempt_and_another_with_the_next_call() {
    let world = world([
        failure(FailureClass::ConnectionLost),
        answer(503),
        answer(201),
        answer(201),
    ]);
    let post = || {
        world
            .client
            .post("/v1/contacts")
            .json(&serde_json::json!({"name": "Ada"}))
            .send()
    };
    let response = world.clock.block_on(post()).unwrap();
    world.clock.block_on(post()).unwrap();
    let keys: Vec<_> = world.transport.requests().iter().map(key_of).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0].is_some() && keys[0] == keys[1] && keys[1] == keys[2]);
    assert_ne!(keys[2], keys[3]);
    assert!(
        world
            .transport
            .requests()
            .iter()
            .take(3)
            .all(|seen| seen.body == r#"{"name":"Ada"}"#)
    );
    let outcomes: Vec<_> = response
        .attempts()
        .iter()
        .map(|a| a.outcome.to_string())
        .collect();
    assert_eq!(outcomes, ["connection lost", "503", "201"]);
}

#[test]
fn get_carries_no_key() {
    let world = world([answer(200)]);
    world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(key_of(&world.transport.requests()[0]), None);
}

#[test]
fn without_keys_a_lost_post_has_an_unknown_outcome() {
    let world = world_with([failure(FailureClass::ConnectionLost)], |b| {
        b.idempotency_keys(false)
    });
    let error = world
        .clock
        .block_on(world.client.post("/v1/pay?api_key=canary").send())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.no_retry()),
        (ErrorKind::OutcomeUnknown, Some(NoRetry::NotIdempotent))
    );
    assert_eq!(
        error.to_string(),
        "outcome_unknown: POST https://api.example/v1/pay?api_key=*** failed: connection lost (scripted) (1 attempt, 0 ms); \
         no other attempt: the request is not safe to repeat; look whether it took effect before you send it again, \
         or send it with an idempotency key"
    );
}

#[test]
fn a_stream_is_sent_once_and_the_error_says_so() {
    let world = world([answer(503), answer(200)]);
    let chunks = futures_util::stream::iter([Ok("a".into()), Ok("b".into())]);
    let sent = world.client.put("/f").body(Body::once(chunks, None)).send();
    let error = world.clock.block_on(sent).unwrap_err();
    assert_eq!(error.no_retry(), Some(NoRetry::BodyNotReplayable));
    assert_eq!(world.transport.requests()[0].body, "ab");
}

#[test]
fn a_replayable_stream_is_sent_again() {
    let world = world([answer(503), answer(200)]);
    let body = Body::replayable(
        || Box::pin(futures_util::stream::iter([Ok("ab".into())])),
        Some(2),
    );
    world
        .clock
        .block_on(world.client.put("/f").body(body).send())
        .unwrap();
    assert_eq!(world.transport.requests()[1].body, "ab");
}

#[test]
fn one_deadline_covers_everything() {
    let clock = VirtualClock::new(1);
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(Never)
        .build()
        .unwrap();
    let error = clock.block_on(client.get("/x").send()).unwrap_err();
    // Three attempts of 20 s would be a minute and the waits between them.
    assert!(
        clock.elapsed() <= Duration::from_secs(60),
        "{:?}",
        clock.elapsed()
    );
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.attempts().iter().all(|a| matches!(
        a.outcome,
        Outcome::Failed {
            class: FailureClass::Timeout,
            ..
        }
    )));
}

#[test]
fn a_call_may_have_a_deadline_of_its_own() {
    let clock = VirtualClock::new(1);
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(Never)
        .build()
        .unwrap();
    let error = clock
        .block_on(client.get("/x").timeout(1.5).send())
        .unwrap_err();
    assert_eq!(clock.elapsed(), Duration::from_millis(1500));
    assert_eq!(
        error.to_string(),
        "timeout: GET https://api.example/x failed: no answer in time; its deadline was 1.50 s (1 attempt, 1.50 s); \
         no other attempt: the deadline would pass first; raise `timeout`, or see in the attempts what took the time"
    );
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let world = world([]);
    let client = &world.client;
    let kind = |request: gatewright::RequestBuilder| {
        world.clock.block_on(request.send()).unwrap_err().kind()
    };
    assert_eq!(
        kind(client.get("/x").header("x-a", "canary\nb")),
        ErrorKind::InvalidRequest
    );
    assert_eq!(
        kind(client.get("/x").header("x a", "b")),
        ErrorKind::InvalidRequest
    );
    assert_eq!(
        kind(client.get("/x").timeout(f64::NAN)),
        ErrorKind::InvalidConfig
    );
    assert_eq!(
        kind(client.get("https://other.example/x")),
        ErrorKind::CrossOrigin
    );
    assert_eq!(kind(client.get("https://")), ErrorKind::InvalidRequest);
    assert_eq!(
        kind(client.post("/x").idempotency_key("a b")),
        ErrorKind::InvalidRequest
    );
    let unencodable = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(
        kind(client.post("/x").json(&unencodable)),
        ErrorKind::InvalidRequest
    );
    client.close();
    assert_eq!(kind(client.get("/x")), ErrorKind::Closed);
    assert!(world.transport.requests().is_empty());
}

#[test]
fn credentials_stay_with_their_origin() {
    let redirect = |to: &str| answer_with(307, &[("location", to)], "");
    let world = world_with([redirect("https://cdn.example/f"), answer(200)], |b| {
        b.auth(Auth::bearer("canary-secret"))
            .header("x-team", "blue")
            .allow_origin("https://cdn.example")
    });
    world
        .clock
        .block_on(world.client.get("/f").header("accept", "image/png").send())
        .unwrap();
    let [first, second] = &world.transport.requests()[..] else {
        panic!("not two requests")
    };
    assert_eq!(first.headers["authorization"], "Bearer canary-secret");
    assert!(
        !second.headers.contains_key("authorization") && !second.headers.contains_key("x-team")
    );
    assert_eq!(second.headers["accept"], "image/png");
}

#[test]
fn redirects_elsewhere_are_refused() {
    let world = world([answer_with(
        302,
        &[("location", "https://evil.example/")],
        "",
    )]);
    let error = world
        .clock
        .block_on(world.client.get("/f").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossOrigin);
    assert_eq!(world.transport.requests().len(), 1);
}

fn counted(calls: &Arc<AtomicU32>, lifetime: Option<Duration>) -> Auth {
    let calls = Arc::clone(calls);
    Auth::token(move || {
        let number = calls.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            Ok(Token {
                secret: format!("token-{number}").into(),
                expires_in: lifetime,
            })
        }
    })
}

#[test]
fn a_refused_token_is_fetched_once_more() {
    let calls = Arc::default();
    let world = world_with([answer(401), answer(200), answer(401), answer(401)], |b| {
        b.auth(counted(&calls, None))
    });
    let response = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(response.attempts()[0].decision, Decision::RefreshToken);
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    let tokens: Vec<_> = world
        .transport
        .requests()
        .iter()
        .map(|seen| seen.headers["authorization"].clone())
        .collect();
    assert_eq!(
        tokens,
        [
            "Bearer token-1",
            "Bearer token-2",
            "Bearer token-2",
            "Bearer token-3"
        ]
    );
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn one_token_is_fetched_for_all_who_wait() {
    let (calls, clock) = (Arc::new(AtomicU32::new(0)), VirtualClock::new(1));
    let (counter, timer) = (Arc::clone(&calls), clock.clone());
    let auth = Auth::token(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let timer = timer.clone();
        async move {
            use gatewright::runtime::Runtime as _;
            timer
                .sleep_until(timer.instant() + Duration::from_millis(50))
                .await;
            Ok(Token {
                secret: "tok1".into(),
                expires_in: None,
            })
        }
    });
    let transport = Scripted::new((0..20).map(|_| answer(200)));
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(transport)
        .auth(auth)
        .pacing(false);
    let client = client.build().unwrap();
    let all = clock.block_on(futures_util::future::join_all(
        (0..20).map(|_| client.get("/x").send()),
    ));
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failed_token_is_told_with_its_cause_and_not_remembered() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let world = world_with([answer(200)], |b| {
        b.auth(Auth::token(move || {
            let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first {
                    Err("vault is sealed".into())
                } else {
                    Ok(Token {
                        secret: "tok1".into(),
                        expires_in: None,
                    })
                }
            }
        }))
    });
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert!(
        error.to_string().contains("no token: vault is sealed"),
        "{error}"
    );
    assert!(world.clock.block_on(world.client.get("/x").send()).is_ok());
}

#[test]
fn secrets_are_shown_nowhere() {
    let echo = r#"{"detail":"the key canary-secret is unknown"}"#;
    for auth in [
        Auth::bearer("canary-secret"),
        Auth::basic("me", "canary-secret"),
        Auth::api_key("x-api-key", "canary-secret").unwrap(),
        Auth::api_key_query("k", "canary-secret"),
        Auth::api_key_cookie("k", "canary-secret"),
        Auth::token(|| async {
            Ok(Token {
                secret: "canary-secret".into(),
                expires_in: None,
            })
        }),
    ] {
        let script = [answer_with(403, &[], echo), failure(FailureClass::Connect)];
        let world = world_with(script, |b| b.auth(auth).max_attempts(1));
        let shown = |error: &Error| {
            format!(
                "{error} {error:?} {:?} {:?} {:?}",
                error.problem(),
                error.body(),
                world.client
            )
        };
        for _ in 0..2 {
            let error = world
                .clock
                .block_on(world.client.get("/x").send())
                .unwrap_err();
            assert!(!shown(&error).contains("canary"), "{}", shown(&error));
        }
        let wire = format!("{:?}", world.transport.requests()[0].url)
            + &format!("{:?}", world.transport.requests()[0].body);
        assert!(!wire.is_empty());
    }
}

#[test]
fn hooks_see_every_attempt_and_no_secret() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (before, after) = (Arc::clone(&seen), Arc::clone(&seen));
    let world = world_with([answer(503), answer(200)], |b| {
        b.auth(Auth::bearer("canary-secret"))
            .before_attempt(move |attempt| {
                attempt.headers.insert("x-attempt", attempt.number.into());
                before.lock().unwrap().push(format!("{attempt:?}"));
                Ok(())
            })
            .after_attempt(move |attempt| {
                after.lock().unwrap().push(format!(
                    "{} {:?}",
                    attempt.number,
                    attempt.answer.as_ref().map(|(s, _)| s.as_u16())
                ));
                Ok(())
            })
    });
    world.clock.block_on(world.client.get("/x").send()).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        (seen.len(), &*seen[1], &*seen[3]),
        (4, "1 Some(503)", "2 Some(200)")
    );
    assert!(seen.iter().all(|line| !line.contains("canary")));
    assert_eq!(world.transport.requests()[1].headers["x-attempt"], "2");
}

#[test]
fn a_failing_hook_ends_the_call() {
    let world = world_with([answer(200)], |b| {
        b.before_attempt(|_| Err("no entry".into()))
    });
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Hook);
    assert!(error.to_string().contains("no entry"));
    assert!(world.transport.requests().is_empty());
}

#[test]
fn bodies_are_bounded() {
    let world = world_with([answer_with(200, &[], "x".repeat(11))], |b| {
        b.max_response_bytes(10)
    });
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
}

#[test]
fn pages_end_and_loops_are_told() {
    let page = |next: &str| {
        answer_with(
            200,
            &[],
            format!(r#"{{"data":[1,2],"next_cursor":{next}}}"#),
        )
    };
    let world = world([page("\"b\""), page("null"), page("\"b\""), page("\"b\"")]);
    let all: Vec<u32> = world
        .clock
        .block_on(
            world
                .client
                .get("/l")
                .query([("limit", "2")])
                .pages()
                .collect(),
        )
        .unwrap();
    assert_eq!(all, [1, 2, 1, 2]);
    assert_eq!(
        world.transport.requests()[1].url.query(),
        Some("limit=2&cursor=b")
    );
    let error = world
        .clock
        .block_on(world.client.get("/l").pages().collect::<u32>())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[test]
fn a_page_that_failed_is_asked_for_again() {
    let world = world_with([answer(404), answer_with(200, &[], "[7]")], |b| {
        b.max_attempts(1)
    });
    let mut pages = world.client.get("/l").query([("limit", "2")]).pages();
    assert_eq!(
        world.clock.block_on(pages.next_page()).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let page = world.clock.block_on(pages.next_page()).unwrap().unwrap();
    assert_eq!(page.items::<u32>().unwrap(), [7]);
    assert!(world.clock.block_on(pages.next_page()).unwrap().is_none());
    assert!(
        world
            .transport
            .requests()
            .iter()
            .all(|seen| seen.url.query() == Some("limit=2"))
    );
}

#[test]
fn an_error_status_may_be_an_answer() {
    let world = world([answer(404)]);
    let response = world
        .clock
        .block_on(world.client.get("/x").error_for_status(false).send())
        .unwrap();
    assert_eq!(response.status().as_u16(), 404);
}

#[test]
fn calls_can_be_sent_to_other_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let world = world([answer(200)]);
    world
        .clock
        .block_on(is_send(world.client.get("/x").send()))
        .unwrap();
    drop(is_send(world.client.get("/x").stream()));
}

#[test]
fn a_token_that_is_never_fetched_to_its_end_goes_with_its_client() {
    let held = Arc::new(());
    let kept = Arc::clone(&held);
    let world = world_with([], |builder| {
        builder
            .timeout(Duration::from_secs(1))
            .auth(Auth::token(move || {
                let kept = Arc::clone(&kept);
                async move {
                    std::future::pending::<()>().await;
                    drop(kept);
                    Err::<Token, _>("never".into())
                }
            }))
    });
    let error = world
        .clock
        .block_on(world.client.get("/v1/contacts").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(Arc::strong_count(&held), 3);
    drop(world);
    assert_eq!(Arc::strong_count(&held), 1);
}
