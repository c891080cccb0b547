//! What would be done, told by a client.

use gatewright::{ErrorKind, FailureClass, Hypothetical, NoRetry, Plan};
use http::Method;

use crate::timed::Say;
use crate::{ms, world};

#[test]
fn it_tells_what_the_call_then_does() {
    let world = world(|_| Say::Status(503), |b| b.max_attempts(2));
    let post = || Hypothetical::answer(503).method(Method::POST);
    let told = |supposed| world.client.explain(supposed).unwrap();
    let first = told(post().attempt(1));
    let second = told(post().attempt(2));
    assert!(world.wire.asked().is_empty());
    let error = world
        .clock
        .block_on(world.client.post("/x").send())
        .unwrap_err();
    let Plan::Retry { least, most, .. } = first.decision else {
        panic!("{first}")
    };
    let waited = error.attempts()[1].started;
    assert!(least <= waited && waited <= most, "{least:?} {waited:?}");
    assert_eq!(second.decision, Plan::GiveUp(error.no_retry().unwrap()));
    assert_eq!(second.kind, Some(error.kind()));
}

#[test]
fn keys_are_as_the_client_sends_them() {
    let world = world(|_| Say::Status(200), |b| b);
    let lost = || Hypothetical::failure(FailureClass::ConnectionLost).method(Method::POST);
    let told = |supposed| world.client.explain(supposed).unwrap();
    assert!(matches!(told(lost()).decision, Plan::Retry { .. }));
    let without = told(lost().idempotency_key(false));
    assert_eq!(without.decision, Plan::GiveUp(NoRetry::NotIdempotent));
    assert_eq!(without.kind, Some(ErrorKind::OutcomeUnknown));
}

#[test]
fn redirects_are_told_by_where_they_lead() {
    let world = world(|_| Say::Status(200), |b| b);
    let told = |to: &str| {
        let supposed = Hypothetical::answer(307).header("location", to);
        world.client.explain(supposed.path("/a/b")).unwrap()
    };
    let to = "https://eu.example/a/c".to_owned();
    assert_eq!(told("c").decision, Plan::Redirect { to });
    let refused = told("https://evil.example/");
    assert_eq!(refused.kind, Some(ErrorKind::CrossOrigin));
    assert_eq!(refused.decision, Plan::GiveUp(NoRetry::NotRetryable));
}

#[test]
fn another_region_is_named() {
    let world = world(|_| Say::Status(200), |b| b.regions(["https://us.example"]));
    let told = |supposed| world.client.explain(supposed).unwrap();
    let down = told(Hypothetical::failure(FailureClass::Connect));
    assert_eq!(down.region.as_deref(), Some("us.example"));
    let Plan::Retry { most, .. } = down.decision else {
        panic!("{down}")
    };
    assert_eq!(most, ms(0));
    let both = told(Hypothetical::failure(FailureClass::Connect).attempt(2));
    assert_eq!(both.region, None);
}

#[test]
fn what_cannot_be_supposed_is_refused() {
    let world = world(|_| Say::Status(200), |b| b);
    for (supposed, kind) in [
        (Hypothetical::answer(99), ErrorKind::InvalidRequest),
        (Hypothetical::answer(1000), ErrorKind::InvalidRequest),
        (
            Hypothetical::answer(200).header("a b", "c"),
            ErrorKind::InvalidRequest,
        ),
        (
            Hypothetical::answer(200).timeout(f64::NAN),
            ErrorKind::InvalidConfig,
        ),
        (
            Hypothetical::answer(200).path("https://evil.example"),
            ErrorKind::CrossOrigin,
        ),
    ] {
        assert_eq!(world.client.explain(supposed).unwrap_err().kind(), kind);
    }
}
