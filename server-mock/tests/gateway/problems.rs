//! What every response has, and errors as problem details.

use std::time::Duration;

use gatewright_server_mock::{FaultRule, OptionsChange};
use serde_json::json;

use crate::caller::{Asking, Caller, End, Seen, read_whole};

#[tokio::test]
async fn every_response_can_be_found_again_and_timed() {
    let caller = Caller::new().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for asking in [
        caller.ask("GET", "/v1/contacts"),
        caller.ask("DELETE", "/v1/contacts/ct_000001"),
        caller.ask("GET", "/nowhere"),
        caller.anonymous("GET", "/v1/contacts"),
        caller
            .ask("GET", "/v1/whoami")
            .header("x-mock-fault", "503"),
        caller.ask("OPTIONS", "/v1/contacts"),
    ] {
        let asking = asking.header("traceparent", trace);
        let seen = asking.send().await;
        let id = seen.header("request-id").unwrap();
        assert!(id.starts_with("req_") && id.len() == 20, "{id}");
        assert_eq!(seen.header("traceparent").as_deref(), Some(trace));
        assert!(seen.header("server-timing").unwrap().starts_with("gw;dur="));
        assert!(httpdate::parse_http_date(&seen.header("date").unwrap()).is_ok());
        assert!(seen.header("access-control-expose-headers").is_none());
        let seen = asking.header("origin", "https://page.example").send().await;
        let exposed = seen.header("access-control-expose-headers").unwrap();
        for name in ["Retry-After", "RateLimit", "Request-Id", "ETag", "Link"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}");
        }
    }
}

#[tokio::test]
async fn errors_have_all_members_of_their_shape() {
    let caller = Caller::new().await;
    let seen = caller.get("/v1/contacts/ct_999999").await;
    assert_eq!(
        seen.header("content-type").as_deref(),
        Some("application/problem+json")
    );
    assert_eq!(
        seen.json(),
        json!({
            "type": "https://gatewright.dev/problems/not-found",
            "title": "Not Found",
            "status": 404,
            "detail": "there is no contact ct_999999",
            "instance": "/v1/contacts/ct_999999",
            "code": "not_found",
            "request_id": seen.header("request-id").unwrap(),
            "errors": [],
            "retryable": false,
        })
    );
}

#[tokio::test]
async fn the_date_is_that_of_the_clock() {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
        .session
        .advance(Duration::from_secs(40 * 86_400))
        .await;
    let date = caller.get("/v1/whoami").await.header("date").unwrap();
    let shown = httpdate::parse_http_date(&date).unwrap();
    let expected = caller.session.clock().now_ms / 1_000;
    assert_eq!(
        shown
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
        expected
    );
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let caller = Caller::new().await;
    let seen = caller.ask("DELETE", "/v1/contacts").send().await;
    assert_eq!(
        (seen.status(), &seen.json()["code"]),
        (405, &json!("method_not_allowed"))
    );
    assert_eq!(
        seen.header("allow").as_deref(),
        Some("GET, HEAD, POST, OPTIONS")
    );
    let options = caller
        .anonymous("OPTIONS", "/v1/contacts/ct_000001")
        .send()
        .await;
    assert_eq!(options.status(), 204);
    assert_eq!(
        options.header("allow").as_deref(),
        Some("GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    );
}

/// Asks what a browser asks before it sends a page's request to another origin.
fn asking_first(caller: &Caller, method: &str, path: &str) -> Asking {
    caller
        .anonymous("OPTIONS", path)
        .header("origin", "https://app.example")
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "authorization,idempotency-key",
        )
}

#[tokio::test]
async fn a_page_of_another_origin_may_call() {
    let caller = Caller::new().await;
    for (method, path) in [
        ("POST", "/v1/contacts"),
        // Where nothing is, or needs another method, or answers `OPTIONS` itself: the page is to see what others see.
        ("DELETE", "/v1/contacts"),
        ("GET", "/v1/nowhere"),
        ("GET", "/elsewhere"),
        ("PATCH", "/v1/echo"),
    ] {
        let seen = asking_first(&caller, method, path).send().await;
        assert_eq!(seen.status(), 204, "{method} {path}");
        assert_eq!(
            seen.header("access-control-allow-origin").as_deref(),
            Some("*")
        );
        assert_eq!(
            seen.header("access-control-allow-headers").as_deref(),
            Some("authorization,idempotency-key")
        );
        assert_eq!(
            seen.header("access-control-allow-methods").as_deref(),
            Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        );
    }
    for (path, status) in [("/v1/whoami", 200), ("/v1/nowhere", 404)] {
        let seen = caller
            .ask("GET", path)
            .header("origin", "https://app.example")
            .send()
            .await;
        assert_eq!(
            (
                seen.status(),
                seen.header("access-control-allow-origin").as_deref()
            ),
            (status, Some("*"))
        );
    }
}

#[tokio::test]
async fn all_that_a_page_asks_for_can_be_made_to_arrive() {
    let caller = Caller::new().await;
    for (direct_pages, end, max_age) in [(false, End::Open, "600"), (true, End::Fin, "0")] {
        let change = json!({ "direct_pages": direct_pages });
        caller
            .session
            .set(serde_json::from_value(change).unwrap())
            .unwrap();
        let own = caller.ask("GET", "/v1/whoami");
        let of_a_page = own.clone().header("origin", "https://app.example");
        let asked_first = asking_first(&caller, "POST", "/v1/contacts");
        let not_stored = direct_pages.then(|| "no-store".to_owned());
        for (asking, expected, cached) in [
            (&own, End::Open, None),
            (&of_a_page, end, not_stored.clone()),
            (&asked_first, end, not_stored),
        ] {
            let asking = asking.clone().header("connection", "keep-alive");
            let mut socket = asking.connect().await;
            tokio::io::AsyncWriteExt::write_all(&mut socket, &asking.bytes())
                .await
                .unwrap();
            // What stays open is looked at for a moment; an end is waited for.
            let then = Duration::from_millis(if expected == End::Open { 300 } else { 20_000 });
            let seen = read_whole(&mut socket, Seen::is_whole, then).await;
            assert_eq!(seen.header("cache-control"), cached, "{direct_pages}");
            assert_eq!(seen.end, expected, "{direct_pages}");
        }
        let seen = asked_first.send().await;
        assert_eq!(
            seen.header("access-control-max-age").as_deref(),
            Some(max_age)
        );
    }
}

#[tokio::test]
async fn a_preflight_fails_only_where_a_rule_says_so() {
    let caller = Caller::new().await;
    for (op, status) in [("*", 204), ("contacts.create", 204), ("options", 403)] {
        let rule = FaultRule::on(op).script("403").unwrap();
        caller.session.set_faults(vec![rule]).unwrap();
        let seen = asking_first(&caller, "POST", "/v1/contacts").send().await;
        assert_eq!(seen.status(), status, "{op}");
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_get_413_also_when_they_are_long() {
    let caller = Caller::new().await;
    let small: OptionsChange = serde_json::from_str(r#"{"max_body_bytes":1000}"#).unwrap();
    caller.session.set(small).unwrap();
    let post = caller.ask("POST", "/v1/echo");
    assert_eq!(
        post.clone().body(vec![b'x'; 1_000]).send().await.status(),
        200
    );
    for length in [1_001, 30_000_000] {
        let seen = post.clone().body(vec![b'x'; length]).send().await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (413, &json!("body_too_large")),
            "{length}"
        );
        assert_eq!(seen.json()["max_body_bytes"], 1_000);
    }
    let chunked = post.header("transfer-encoding", "chunked");
    let mut socket = chunked.connect().await;
    let mut bytes = chunked.bytes();
    bytes.extend_from_slice(format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2_000)).as_bytes());
    tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes)
        .await
        .unwrap();
    let seen = crate::caller::read_to_end(&mut socket, Duration::from_secs(20)).await;
    assert_eq!(seen.status(), 413);
}

#[tokio::test]
async fn names_no_session_can_have_are_refused() {
    let caller = Caller::new().await;
    for name in ["", "two words", &"x".repeat(129)] {
        let seen = caller
            .ask("GET", "/v1/whoami")
            .header("x-mock-session", name)
            .send()
            .await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("invalid_session"))
        );
    }
}

#[tokio::test]
async fn a_body_that_would_be_refused_is_not_asked_for() {
    let caller = Caller::new().await;
    let expecting = caller
        .ask("POST", "/v1/echo")
        .header("expect", "100-continue");
    for (length, first_line) in [
        ("5", "HTTP/1.1 100 Continue"),
        ("99999999999", "HTTP/1.1 413 Payload Too Large"),
    ] {
        let asking = expecting.clone().header("content-length", length);
        let mut socket = asking.connect().await;
        tokio::io::AsyncWriteExt::write_all(&mut socket, &asking.bytes())
            .await
            .unwrap();
        let has_come = |seen: &Seen| seen.raw.windows(2).any(|end| end == b"\r\n");
        let seen = read_whole(&mut socket, has_come, Duration::ZERO).await;
        assert_eq!(seen.head().lines().next(), Some(first_line));
    }
}

#[tokio::test]
async fn responses_without_a_body_announce_none() {
    let caller = Caller::new().await;
    let etag = caller
        .get("/v1/users/us_000001")
        .await
        .header("etag")
        .unwrap();
    let unchanged = caller
        .ask("GET", "/v1/users/us_000001")
        .header("if-none-match", &etag);
    let deleted = caller.ask("DELETE", "/v1/users/us_000001");
    for (asking, status) in [(unchanged, 304), (deleted, 204)] {
        let seen = asking.send().await;
        assert_eq!((seen.status(), seen.body().len()), (status, 0));
        assert_eq!(seen.header("content-length"), None);
        assert_eq!(seen.header("transfer-encoding"), None);
    }
}
