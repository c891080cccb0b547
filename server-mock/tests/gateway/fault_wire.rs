//! Each fault as it arrives on a socket.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::caller::{Asking, Caller, End, Seen};
use crate::limits::until;

fn faulty(caller: &Caller, fault: &str) -> Asking {
    caller
        .ask("POST", "/v1/contacts")
        .header("x-mock-fault", fault)
        .json(&json!({"name": "Faulty"}))
}

/// Sends it and says how many contacts were created by it.
async fn play(fault: &str) -> (Seen, u64) {
    let caller = Caller::new().await;
    let seen = faulty(&caller, fault).send().await;
    (seen, caller.session.effects("contacts.create").count)
}

#[tokio::test]
async fn reset_comes_before_any_byte_and_nothing_happened() {
    let (seen, effects) = play("reset").await;
    assert_eq!((seen.raw.len(), seen.end, effects), (0, End::Reset, 0));
}

#[tokio::test]
async fn fin_comes_before_any_byte_and_nothing_happened() {
    let (seen, effects) = play("fin").await;
    assert_eq!((seen.raw.len(), seen.end, effects), (0, End::Fin, 0));
}

#[tokio::test]
async fn lost_and_commit_reset_come_before_any_byte_and_the_contact_is_there() {
    for fault in ["lost", "commit_reset"] {
        let (seen, effects) = play(fault).await;
        assert_eq!((seen.raw.len(), seen.end, effects), (0, End::Reset, 1));
    }
}

#[tokio::test]
async fn commit_fin_comes_before_any_byte_and_the_contact_is_there() {
    let (seen, effects) = play("commit_fin").await;
    assert_eq!((seen.raw.len(), seen.end, effects), (0, End::Fin, 1));
}

#[tokio::test]
async fn a_cut_comes_after_exactly_so_many_bytes() {
    for bytes in [0, 1, 20, 300] {
        for (fault, end) in [("reset", End::Reset), ("fin", End::Fin)] {
            let (seen, effects) = play(&format!("{fault}@{bytes}")).await;
            assert_eq!(
                (seen.raw.len(), seen.end, effects),
                (bytes, end, 1),
                "{fault}@{bytes}"
            );
            assert!(b"HTTP/1.1 201 Created\r\n".starts_with(&seen.raw[..bytes.min(22)]));
        }
    }
}

#[tokio::test]
async fn a_cut_in_a_long_stream_lands_on_its_byte() {
    let caller = Caller::new().await;
    for bytes in [5_000, 250_000] {
        let seen = caller
            .ask("GET", "/v1/bytes/1000000")
            .header("x-mock-fault", &format!("fin@{bytes}"))
            .send()
            .await;
        assert_eq!((seen.raw.len(), seen.end), (bytes, End::Fin));
    }
}

#[tokio::test]
async fn a_cut_beyond_the_response_leaves_it_whole() {
    let caller = Caller::new().await;
    let asking = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-fault", "reset@100000");
    // The connection goes on: the cut was for that response only.
    let mut socket = asking
        .clone()
        .header("connection", "keep-alive")
        .connect()
        .await;
    let keep = asking.header("connection", "keep-alive").bytes();
    for _ in 0..2 {
        tokio::io::AsyncWriteExt::write_all(&mut socket, &keep)
            .await
            .unwrap();
        let then = Duration::from_millis(100);
        let seen = crate::caller::read_whole(&mut socket, Seen::is_whole, then).await;
        assert_eq!((seen.status(), seen.end), (200, End::Open));
    }
    assert_eq!(
        caller.session.journal(0)[0].connection,
        caller.session.journal(0)[1].connection
    );
}

#[tokio::test]
async fn statuses_come_with_their_waits_and_nothing_happened() {
    let (seen, effects) = play("503;ra=2").await;
    assert_eq!(
        (
            seen.status(),
            seen.header("retry-after").as_deref(),
            effects
        ),
        (503, Some("2"), 0)
    );
    let problem = seen.json();
    assert_eq!(
        problem["type"],
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    );
    assert_eq!(
        (&problem["code"], &problem["retryable"]),
        (&json!("overloaded"), &json!(true))
    );

    let (seen, _) = play("429").await;
    assert_eq!(
        seen.json()["type"],
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
    assert_eq!(seen.header("retry-after"), None);

    let (seen, _) = play("429;ra-ms=1500").await;
    assert_eq!(seen.header("retry-after-ms").as_deref(), Some("1500"));
    let (seen, _) = play("503;ra=\"next week, maybe\"").await;
    assert_eq!(
        seen.header("retry-after").as_deref(),
        Some("next week, maybe")
    );
    let (seen, _) = play("500;retryable=false").await;
    assert_eq!(seen.header("x-should-retry").as_deref(), Some("false"));
    assert_eq!(
        (&seen.json()["code"], &seen.json()["retryable"]),
        (&json!("internal_server_error"), &json!(false))
    );
    let (seen, _) = play("400;code=odd;type=https://example.com/odd").await;
    assert_eq!(
        (&seen.json()["code"], &seen.json()["type"]),
        (&json!("odd"), &json!("https://example.com/odd"))
    );
    let (seen, _) = play("502;type=text/html;body=\"<h1>Bad; gateway</h1>\"").await;
    assert_eq!(seen.header("content-type").as_deref(), Some("text/html"));
    assert_eq!(seen.body(), b"<h1>Bad; gateway</h1>");
    let (seen, _) = play("204").await;
    assert_eq!((seen.status(), seen.body().len()), (204, 0));
}

#[tokio::test]
async fn a_date_to_wait_for_is_one_of_the_clock() {
    let caller = Caller::new().await;
    caller.session.freeze();
    // To the millisecond: what a clock shows between two cannot be said by `now_ms`.
    let tomorrow_ms = caller.session.clock().now_ms + 86_400_000;
    caller.session.advance_to(tomorrow_ms).await;
    let seen = faulty(&caller, "503;ra=date:+30").send().await;
    let at = httpdate::parse_http_date(&seen.header("retry-after").unwrap()).unwrap();
    let at = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(at, caller.session.clock().now_ms.div_ceil(1_000) + 30);
}

#[tokio::test]
async fn latency_delays_the_normal_answer() {
    let started = Instant::now();
    let (seen, effects) = play("latency=40").await;
    assert_eq!((seen.status(), effects), (201, 1));
    assert!(started.elapsed() >= Duration::from_millis(40));
    let started = Instant::now();
    let (seen, effects) = play("503;latency=40").await;
    assert_eq!((seen.status(), effects), (503, 0));
    assert!(started.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn hang_answers_nothing_and_notices_that_the_client_leaves() {
    let caller = Caller::new().await;
    let hang = faulty(&caller, "hang");
    let mut socket = hang.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut socket, &hang.bytes())
        .await
        .unwrap();
    let entry = || caller.session.journal(0).pop();
    until(|| entry().is_some_and(|entry| entry.fault.is_some())).await;
    let seen = crate::caller::read_to_end(&mut socket, Duration::from_millis(60)).await;
    assert_eq!((seen.raw.len(), seen.end), (0, End::Open));
    drop(socket);
    until(|| entry().is_some_and(|entry| entry.left_ns.is_some())).await;
    let entry = entry().unwrap();
    assert_eq!(
        (entry.fault.as_deref(), entry.status, entry.committed),
        (Some("hang"), None, false)
    );
}

#[tokio::test]
async fn garbage_is_no_http() {
    let (seen, effects) = play("garbage").await;
    assert!(!seen.raw.is_empty() && !seen.raw.starts_with(b"HTTP/"));
    assert_eq!((seen.end, effects), (End::Fin, 0));
}

#[tokio::test]
async fn bad_chunk_breaks_off_after_a_good_one() {
    let (seen, effects) = play("bad-chunk").await;
    assert_eq!((seen.status(), seen.end, effects), (201, End::Fin, 1));
    assert_eq!(seen.header("transfer-encoding").as_deref(), Some("chunked"));
    assert!(seen.header("request-id").is_some() && seen.header("content-length").is_none());
    let text = String::from_utf8_lossy(&seen.raw).into_owned();
    assert!(text.contains("\r\nnot-a-size\r\n"), "{text}");
}

#[tokio::test]
async fn short_promises_more_than_it_sends() {
    let (seen, effects) = play("short").await;
    let promised: usize = seen.header("content-length").unwrap().parse().unwrap();
    assert_eq!((seen.status(), seen.end, effects), (201, End::Fin, 1));
    assert_eq!(promised, seen.body().len() + 100);
}

#[tokio::test]
async fn bad_gzip_is_the_answer_as_it_is_under_a_wrong_name() {
    let (seen, effects) = play("bad-gzip").await;
    assert_eq!((seen.status(), effects), (201, 1));
    assert_eq!(seen.header("content-encoding").as_deref(), Some("gzip"));
    assert!(seen.json()["id"].is_string());
}

#[tokio::test]
async fn truncated_gzip_is_framed_well_and_ends_early() {
    let (seen, effects) = play("truncated-gzip").await;
    assert_eq!((seen.status(), effects), (201, 1));
    assert_eq!(seen.header("content-encoding").as_deref(), Some("gzip"));
    let body = seen.body();
    assert_eq!(
        seen.header("content-length").unwrap(),
        body.len().to_string()
    );
    assert_eq!(body[..4], [0x1f, 0x8b, 8, 0]);
    let promised = usize::from(u16::from_le_bytes([body[11], body[12]]));
    assert_eq!(promised, body.len() - 15 + 100);
}

#[tokio::test]
async fn big_headers_are_a_mebibyte() {
    let (seen, effects) = play("big-headers").await;
    assert_eq!((seen.status(), effects), (201, 1));
    assert!(seen.head().len() > 1024 * 1024);
}

#[tokio::test]
async fn drip_sends_the_body_piece_by_piece() {
    let started = Instant::now();
    let caller = Caller::new().await;
    let asking = caller.ask("GET", "/v1/contacts/ct_000001");
    let normal = asking.send().await.body();
    let seen = asking.header("x-mock-fault", "drip=5;n=20").send().await;
    assert_eq!(seen.body(), normal);
    assert!(started.elapsed() >= Duration::from_millis(5 * (normal.len() as u64 / 20)));
}

#[tokio::test]
async fn a_reset_does_not_wait_for_what_the_client_still_sends() {
    let caller = Caller::new().await;
    let seen = faulty(&caller, "reset")
        .body(vec![b' '; 1_000_000])
        .send()
        .await;
    assert_eq!((seen.raw.len(), seen.end), (0, End::Reset));
}

#[tokio::test]
async fn faults_that_cannot_be_read_are_refused_in_words() {
    let (seen, effects) = play("resett").await;
    assert_eq!((seen.status(), effects), (400, 0));
    assert_eq!(seen.json()["code"], "invalid_fault");
    assert!(
        seen.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("got fault \"resett\" when expecting ok, a status")
    );
}
