//! The dashboard without a browser: its policy, who may send its forms, and what it shows to whom.

use serde_json::json;

use crate::caller::{Caller, Seen};

async fn page(caller: &Caller, path: &str) -> Seen {
    caller.admin("GET", path).send().await
}

fn form(caller: &Caller, action: &str, fields: &str) -> crate::caller::Asking {
    caller
        .admin("POST", &format!("/dashboard/do/{action}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(fields)
}

#[tokio::test]
async fn every_page_is_html_that_may_load_nothing_from_elsewhere() {
    let caller = Caller::new().await;
    caller.get("/v1/whoami").await;
    let root = page(&caller, "/").await;
    assert_eq!(
        (root.status(), root.header("location").as_deref()),
        (303, Some("/dashboard"))
    );
    for path in [
        "/dashboard",
        "/dashboard/requests?session=test",
        "/dashboard/requests/1?session=test",
        "/dashboard/calls?session=test&all=1",
        "/dashboard/limits?session=test",
        "/dashboard/webhooks?session=test",
        "/dashboard/events?session=test",
        "/dashboard/upstreams?session=test",
        "/dashboard/usage?session=test&bucket=day&group_by=tenant",
        "/dashboard/faults?session=test",
        "/dashboard/sessions?session=test",
    ] {
        let seen = page(&caller, path).await;
        assert_eq!(seen.status(), 200, "{path}");
        let policy = seen.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(seen.header("cache-control").as_deref(), Some("no-store"));
        let text = String::from_utf8(seen.body()).unwrap();
        assert!(
            text.starts_with("<!doctype html>") && text.ends_with("</html>"),
            "{path}"
        );
        for inline in [" style=", " onclick=", "javascript:", "http-equiv"] {
            assert!(!text.contains(inline), "{path} has {inline}");
        }
        assert!(!text.contains("sk_test_unlimited"), "{path} shows a key");
    }
    for path in [
        "/dashboard/nothing",
        "/dashboard/requests/99?session=test",
        "/dashboard/assets/../../Cargo.toml",
        "/dashboard/assets/x",
    ] {
        assert_eq!(page(&caller, path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn forms_are_taken_from_its_own_pages_only() {
    let caller = Caller::new().await;
    let own = caller.gateway.admin_url();
    let reset = || form(&caller, "fault", "session=test&kind=503&mode=always");
    for (name, value, status) in [
        ("x-nothing", "", 403),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "none", 403),
    ] {
        let seen = reset().header(name, value).send().await;
        assert_eq!(seen.status(), status, "{name}: {value}");
        assert!(caller.session.faults().is_empty(), "{name}: {value}");
    }
    let by_origin = reset().header("origin", &own).send().await;
    assert_eq!(
        (by_origin.status(), by_origin.header("location").as_deref()),
        (303, Some("/dashboard"))
    );
    let by_site = reset().header("sec-fetch-site", "same-origin").send().await;
    assert_eq!(by_site.status(), 303);
    assert_eq!(caller.session.faults().len(), 2);
    // A page that rebinds its name to this machine names itself as the host.
    let rebound = page(&caller, "/dashboard");
    assert_eq!(rebound.await.status(), 200);
    let rebound = caller
        .admin("GET", "/dashboard")
        .header("host", "evil.example");
    assert_eq!(rebound.send().await.status(), 403);
}

#[tokio::test]
async fn a_form_goes_back_to_pages_of_the_dashboard_only() {
    let caller = Caller::new().await;
    let own = caller.gateway.admin_url();
    for (back, goes_to) in [
        (
            "%2Fdashboard%2Ffaults%3Fsession%3Dtest",
            "/dashboard/faults?session=test",
        ),
        ("https%3A%2F%2Fevil.example%2F", "/dashboard"),
        ("%2F%2Fevil.example%2Fdashboard", "/dashboard"),
    ] {
        let fields = format!("session=test&do=freeze&back={back}");
        let seen = form(&caller, "clock", &fields)
            .header("origin", &own)
            .send()
            .await;
        assert_eq!(seen.header("location").as_deref(), Some(goes_to));
    }
    let nothing = form(&caller, "nothing", "session=test").header("origin", &own);
    assert_eq!(nothing.send().await.status(), 404);
    let asking = form(&caller, "clock", "session=test&do=advance:0")
        .header("origin", &own)
        .header("accept", "application/json");
    let seen = asking.send().await;
    assert_eq!(
        (seen.status(), seen.json()),
        (
            422,
            json!({ "said": "the clock moves by 1 ms to 366 days" })
        )
    );
}

#[tokio::test]
async fn looking_at_a_session_does_not_make_it() {
    let caller = Caller::new().await;
    let count = async || {
        let seen = caller.admin("GET", "/admin/sessions").send().await;
        seen.json()["sessions"].as_array().unwrap().len()
    };
    let before = count().await;
    let seen = page(&caller, "/dashboard/requests?session=nobody").await;
    let text = String::from_utf8(seen.body()).unwrap();
    assert!(text.contains("Waiting for session nobody"), "{text}");
    assert_eq!(count().await, before);
    let wrong = page(&caller, "/dashboard?session=a%20b").await;
    assert_eq!(wrong.status(), 400);
}

#[tokio::test]
async fn sessions_see_only_what_is_theirs() {
    let caller = Caller::new().await;
    caller.get("/v1/contacts/ct_000031").await;
    let own = page(&caller, "/dashboard/requests?session=test").await;
    assert!(String::from_utf8(own.body()).unwrap().contains("ct_000031"));
    caller.gateway.session("other").unwrap();
    let other = page(&caller, "/dashboard/requests?session=other").await;
    assert!(
        !String::from_utf8(other.body())
            .unwrap()
            .contains("ct_000031")
    );
}

#[tokio::test]
async fn a_stream_sends_the_page_first_and_then_what_changed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let caller = Caller::new().await;
    caller.session.freeze();
    let asking = caller
        .admin("GET", "/dashboard/requests?session=test")
        .header("accept", "text/event-stream");
    let mut socket = asking.connect().await;
    socket.write_all(&asking.bytes()).await.unwrap();
    let mut text = String::new();
    let mut buffer = vec![0; 65_536];
    let mut read_until = async |wanted: &str, text: &mut String| {
        while !text.contains(wanted) {
            let read =
                tokio::time::timeout(std::time::Duration::from_secs(20), socket.read(&mut buffer));
            let count = read.await.expect("nothing came").unwrap();
            assert!(count > 0, "the stream ended: {text}");
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    };
    read_until("No requests yet.", &mut text).await;
    assert!(text.contains("event: content\ndata: \""), "{text}");
    caller.get("/v1/contacts/ct_000031").await;
    read_until("ct_000031", &mut text).await;
}

/// The answer to a form as the script sends it: its status and what is said.
async fn done(caller: &Caller, action: &str, fields: &str) -> (u16, String) {
    let fields = format!("session=test&{fields}");
    let seen = form(caller, action, &fields)
        .header("origin", &caller.gateway.admin_url())
        .header("accept", "application/json")
        .send()
        .await;
    (seen.status(), seen.json()["said"].as_str().unwrap().into())
}

#[tokio::test]
async fn endpoints_are_changed_and_dead_letters_seen_to() {
    use crate::receiver::Receiver;

    let caller = Caller::new().await;
    caller.session.freeze();
    let receiver = Receiver::answering(&[410, 204]).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let text = async || {
        let seen = page(&caller, "/dashboard/webhooks?session=test").await;
        String::from_utf8(seen.body()).unwrap()
    };
    assert!(text().await.contains("id=\"dead-dlv_000001\""));
    let (status, said) = done(&caller, "redeliver-dead", "endpoint=").await;
    assert_eq!(status, 200);
    assert!(
        said.starts_with("0 dead letters") && said.contains("1 stay"),
        "{said}"
    );
    done(&caller, "enable", "id=ep_000001").await;
    let (_, said) = done(&caller, "redeliver-dead", "endpoint=ep_000002").await;
    assert_eq!(said, "0 dead letters are sent again");
    let (_, said) = done(&caller, "redeliver-dead", "endpoint=ep_000001").await;
    assert_eq!(said, "1 dead letters are sent again");
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 2);
    assert!(!text().await.contains("id=\"dead-"));
    // Its events and its secret.
    let fields = "id=ep_000001&types=contact.*,+user.created&filter=%24.data.name+%3D%3D+%22Ada%22";
    assert_eq!(done(&caller, "endpoint", fields).await.0, 200);
    let before = caller.session.endpoints().remove(0);
    assert_eq!(before.types, ["contact.*", "user.created"]);
    assert_eq!(before.filter.as_deref(), Some("$.data.name == \"Ada\""));
    let (status, said) = done(&caller, "endpoint", "id=ep_000001&types=&filter=nonsense").await;
    assert_eq!(status, 422, "{said}");
    assert!(said.starts_with("filter: "), "{said}");
    let (_, said) = done(&caller, "rotate", "id=ep_000001&overlap_s=3600").await;
    assert_eq!(said, "ep_000001 has a new secret; 2 sign now");
    let after = caller.session.endpoints().remove(0);
    assert_ne!(after.secret, before.secret);
    assert_eq!(
        done(&caller, "rotate", "id=ep_000001&overlap_s=604801")
            .await
            .0,
        422
    );
    assert_eq!(
        done(&caller, "rotate", "id=ep_000009&overlap_s=0").await.0,
        422
    );
    assert_eq!(done(&caller, "disable", "id=ep_000001").await.0, 200);
    assert!(caller.session.endpoints()[0].disabled.is_some());
}

#[tokio::test]
async fn limits_that_gateways_share_are_those_of_the_store() {
    use gatewright_server_mock::{Gateway, LimitsSettings};

    use crate::caller::asking;

    let name = format!("gatewright-dashboard-{}.db", std::process::id());
    let file = std::env::temp_dir().join(name);
    let remove = || {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", file.display()));
        }
    };
    // What another run may have left.
    remove();
    let settings = LimitsSettings::at(&format!("sqlite:{}", file.display())).unwrap();
    let start = async || {
        let started = Gateway::builder().limits(settings.clone()).start().await;
        let gateway = started.unwrap();
        gateway.session("test").unwrap().freeze();
        gateway
    };
    let (one, other) = (start().await, start().await);
    // One clock: the same instant in both.
    let sessions = [&one, &other].map(|gateway| gateway.session("test").unwrap());
    let now_ms = sessions.iter().map(|session| session.clock().now_ms).max();
    for session in &sessions {
        session.advance_to(now_ms.unwrap() + 1).await;
    }
    let call = async |gateway: &Gateway| {
        asking(&gateway.url(), "GET", "/v1/whoami")
            .header("authorization", "Bearer sk_test_tiny_acme")
            .header("x-mock-session", "test")
            .send()
            .await
            .status()
    };
    assert_eq!(
        (call(&one).await, call(&other).await, call(&other).await),
        (200, 200, 200)
    );
    assert_eq!(call(&other).await, 429);
    // This gateway has let in one of three, and knows that nothing is left.
    let page = asking(&one.admin_url(), "GET", "/dashboard/limits?session=test");
    let text = String::from_utf8(page.send().await.body()).unwrap();
    for part in [
        "Counted in a SQLite file",
        "<span class=\"badge fine\">there</span>",
        "0<span class=\"unit\"> of 3 left",
        "In progress everywhere",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let limits = asking(&one.admin_url(), "GET", "/admin/limits?session=test");
    let limits = limits.send().await.json();
    assert_eq!(limits["tenants"][0]["remaining"], 0);
    // To look uses nothing.
    one.session("test")
        .unwrap()
        .advance(std::time::Duration::from_secs(3600))
        .await;
    let limits = asking(&one.admin_url(), "GET", "/admin/limits?session=test");
    assert_eq!(limits.send().await.json()["tenants"][0]["remaining"], 3);
    assert_eq!(call(&one).await, 200);
    one.shutdown().await;
    other.shutdown().await;
    remove();
}

#[tokio::test]
async fn the_sessions_are_looked_at_together() {
    let caller = Caller::with_key("sk_test_tiny_acme").await;
    caller.session.freeze();
    for _ in 0..4 {
        caller.get("/v1/whoami").await;
    }
    caller.gateway.session("other").unwrap().freeze();
    let seen = page(&caller, "/dashboard/sessions?session=test").await;
    let text = String::from_utf8(seen.body()).unwrap();
    for part in [
        "4 requests of all sessions in the last minute",
        "1 active, 2 frozen, 0 with faults",
        "aria-label=\"4 requests of test\"",
        "<span class=\"badge limited\">1</span>",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
