//! Several base URLs.

use gatewright::{Auth, ClientBuilder, ErrorKind, FailureClass};

use crate::timed::{Asked, Say};
use crate::{World, ms};

fn two(say: impl FnMut(&Asked) -> Say + Send + 'static) -> World {
    with(say, |b| b)
}

fn with(
    say: impl FnMut(&Asked) -> Say + Send + 'static,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    crate::world(say, |b| {
        settings(
            b.regions(["https://us.example/v2"])
                .auth(Auth::bearer("canary")),
        )
    })
}

/// The first region is down in this way, the other is well.
fn down(how: FailureClass) -> impl FnMut(&Asked) -> Say + Send {
    move |asked| match &*asked.host {
        "eu.example" => Say::Fail(how),
        _ => Say::Status(200),
    }
}

#[test]
fn where_no_connection_can_be_made_the_next_region_gets_the_call_at_once() {
    let world = two(down(FailureClass::Connect));
    let sent = world.client.post("/contacts?a=1").send();
    let answer = world.clock.block_on(sent).unwrap();
    let asked = world.wire.asked();
    assert_eq!(asked[1].url, "https://us.example/v2/contacts?a=1");
    assert_eq!(world.clock.elapsed(), ms(0));
    // The same request: key and credential go along.
    assert!(asked[0].key.is_some());
    assert_eq!(asked[0].key, asked[1].key);
    assert!(asked[1].credential.as_ref().unwrap().contains("canary"));
    let regions: Vec<_> = answer.attempts().iter().map(|a| a.region.clone()).collect();
    assert_eq!(
        regions,
        [Some("eu.example".into()), Some("us.example".into())]
    );
    assert_eq!(answer.url().host_str(), Some("us.example"));
}

#[test]
fn after_one_failed_connection_the_rest_go_to_the_next_region() {
    let world = two(down(FailureClass::ConnectTimeout));
    for _ in 0..10 {
        world.clock.block_on(world.client.get("/x").send()).unwrap();
    }
    let hosts = world.wire.hosts();
    assert_eq!(hosts.iter().filter(|host| *host == "eu.example").count(), 1);
    assert_eq!(hosts.len(), 11);
    let state = world.client.state();
    let healthy: Vec<_> = state
        .regions
        .iter()
        .map(|r| (&*r.name, r.healthy))
        .collect();
    assert_eq!(healthy, [("eu.example", false), ("us.example", true)]);
}

#[test]
fn a_region_that_is_back_gets_its_calls_back() {
    let world = two(|asked| match &*asked.host {
        "eu.example" if asked.at < ms(5_000) => Say::Fail(FailureClass::Connect),
        _ => Say::Status(200),
    });
    let get = || world.clock.block_on(world.client.get("/x").send()).unwrap();
    get();
    world.clock.advance(ms(9_000));
    assert_eq!(get().url().host_str(), Some("us.example"));
    world.clock.advance(ms(1_000));
    assert_eq!(get().url().host_str(), Some("eu.example"));
    assert_eq!(get().url().host_str(), Some("eu.example"));
}

#[test]
fn what_may_have_taken_effect_stays_where_it_was_without_a_key() {
    let world = with(down(FailureClass::ConnectionLost), |b| {
        b.idempotency_keys(false)
    });
    let error = world
        .clock
        .block_on(world.client.post("/pay").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(world.wire.hosts(), ["eu.example"]);
    // With a key, or where it is idempotent, the other region gets it.
    let keyed = world.client.post("/pay").idempotency_key("k-1").send();
    assert!(world.clock.block_on(keyed).is_ok());
    assert!(world.clock.block_on(world.client.get("/x").send()).is_ok());
    assert_eq!(world.wire.hosts().last().unwrap(), "us.example");
}

#[test]
fn a_failing_region_opens_its_breaker_and_is_left_alone() {
    let world = two(|asked| match &*asked.host {
        "eu.example" => Say::Status(500),
        _ => Say::Status(200),
    });
    for _ in 0..100 {
        world.clock.block_on(world.client.get("/x").send()).unwrap();
    }
    let hosts = world.wire.hosts();
    assert_eq!(
        hosts.iter().filter(|host| *host == "eu.example").count(),
        20
    );
    // Each call had its answer at once.
    assert_eq!(world.clock.elapsed(), ms(0));
}

#[test]
fn a_redirect_to_another_region_is_followed_with_its_credential() {
    let world = two(|asked| match &*asked.host {
        "eu.example" => Say::Redirect("https://us.example/v2/moved"),
        _ => Say::Status(200),
    });
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    let asked = world.wire.asked();
    assert_eq!(asked[1].url, "https://us.example/v2/moved");
    assert!(asked[1].credential.is_some());
    assert_eq!(answer.attempts()[1].region.as_deref(), Some("us.example"));
}

#[test]
fn a_redirect_elsewhere_is_still_refused() {
    let world = two(|_| Say::Redirect("https://evil.example/"));
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossOrigin);
    assert_eq!(world.wire.asked().len(), 1);
}

#[test]
fn pages_go_on_in_the_region_that_a_link_names_and_elsewhere_where_it_is_down() {
    let world = two(|asked| match (asked.number, &*asked.host) {
        (1, _) => Say::Page("<https://us.example/v2/list?page=2>; rel=\"next\""),
        (_, "us.example") if asked.url.contains("page=2") => {
            Say::Page("</v2/list?page=3>; rel=\"next\"")
        }
        (_, "us.example") => Say::Fail(FailureClass::Connect),
        _ => Say::Page(""),
    });
    let all: Vec<u32> = world
        .clock
        .block_on(world.client.get("/list").pages().collect())
        .unwrap();
    assert_eq!(all, [1, 1, 1]);
    let urls: Vec<_> = world.wire.asked().into_iter().map(|a| a.url).collect();
    assert_eq!(
        urls,
        [
            "https://eu.example/list",
            "https://us.example/v2/list?page=2",
            "https://us.example/v2/list?page=3",
            "https://eu.example/list?page=3",
        ]
    );
}

#[test]
fn where_every_region_is_down_the_error_tells_of_each() {
    let world = two(|_| Say::Fail(FailureClass::Connect));
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let regions: Vec<_> = error
        .attempts()
        .iter()
        .map(|a| a.region.as_deref().unwrap())
        .collect();
    assert_eq!(regions, ["eu.example", "us.example", "eu.example"]);
}

#[test]
fn regions_that_cannot_be_are_refused() {
    for (regions, kind) in [
        (vec!["https://eu.example/v2"], ErrorKind::InvalidConfig),
        (vec!["us.example"], ErrorKind::InvalidConfig),
        (vec!["http://us.example"], ErrorKind::InsecureUrl),
        (
            vec!["https://a.example", "https://a.example"],
            ErrorKind::InvalidConfig,
        ),
    ] {
        let built = gatewright::Client::builder("https://eu.example").regions(regions.clone());
        assert_eq!(built.build().unwrap_err().kind(), kind, "{regions:?}");
    }
}
