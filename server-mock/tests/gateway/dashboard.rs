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
