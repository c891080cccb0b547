//! Files: ranges under a strong entity tag, uploads that go on where they broke, and lines.

use std::time::Duration;

use serde_json::json;

use crate::caller::{Asking, Caller, End, Seen, read_whole};

const GENERATED: &str = "/v1/files/gen-1000-7/content";

#[tokio::test]
async fn a_download_goes_on_where_it_broke_unless_the_file_has_changed() {
    let caller = Caller::new().await;
    let whole = caller.get(GENERATED).await;
    let (bytes, etag) = (whole.body(), whole.header("etag").unwrap());
    assert_eq!(
        (bytes.len(), whole.header("accept-ranges").as_deref()),
        (1_000, Some("bytes"))
    );
    let part = |range: &str| {
        caller
            .ask("GET", GENERATED)
            .header("range", range)
            .header("if-range", &etag)
    };
    for (range, from, to) in [
        ("bytes=100-", 100, 1_000),
        ("bytes=0-0", 0, 1),
        ("bytes=-5", 995, 1_000),
        ("bytes=990-2000", 990, 1_000),
    ] {
        let seen = part(range).send().await;
        assert_eq!(
            (seen.status(), seen.body().as_slice()),
            (206, &bytes[from..to]),
            "{range}"
        );
        assert_eq!(
            seen.header("content-range").unwrap(),
            format!("bytes {from}-{}/1000", to - 1)
        );
    }
    let beyond = part("bytes=1000-").send().await;
    assert_eq!(
        (beyond.status(), beyond.header("content-range").as_deref()),
        (416, Some("bytes */1000"))
    );
    caller.session.change_file("gen-1000-7");
    let changed = part("bytes=100-").send().await;
    assert_eq!((changed.status(), changed.body().len()), (200, 1_000));
    assert_ne!(changed.header("etag").unwrap(), etag);
    assert_ne!(changed.body(), bytes);
}

fn upload(caller: &Caller, method: &str, path: &str, complete: &str, body: &[u8]) -> Asking {
    caller
        .ask(method, path)
        .header("upload-complete", complete)
        .header("content-type", "application/partial-upload")
        .body(body)
}

#[tokio::test]
async fn an_upload_keeps_what_came_and_refuses_a_wrong_offset() {
    let caller = Caller::new().await;
    let options = caller.ask("OPTIONS", "/v1/files").send().await;
    assert_eq!(
        options.header("accept-patch").as_deref(),
        Some("application/partial-upload")
    );
    assert!(
        options
            .header("upload-limit")
            .unwrap()
            .contains("max-append-size=")
    );
    let created = upload(&caller, "POST", "/v1/files", "?0", b"")
        .header("upload-length", "10")
        .send()
        .await;
    assert_eq!(created.status(), 201);
    let location = created.header("location").unwrap();
    let path = location.strip_prefix(&caller.gateway.url()).unwrap();
    let append = |offset: &str, complete: &str, body: &[u8]| {
        upload(&caller, "PATCH", path, complete, body).header("upload-offset", offset)
    };
    let broken = append("0", "?1", b"0123456789")
        .header("x-mock-fault", "cut-upload@4")
        .send()
        .await;
    assert!(broken.raw.is_empty());
    let head = async || {
        let seen = caller.ask("HEAD", path).send().await;
        (
            seen.header("upload-offset").unwrap(),
            seen.header("upload-complete").unwrap(),
        )
    };
    assert_eq!(head().await, ("4".into(), "?0".into()));
    let wrong = append("0", "?1", b"0123456789").send().await;
    assert_eq!(
        (wrong.status(), wrong.header("upload-offset").as_deref()),
        (409, Some("4"))
    );
    assert_eq!(wrong.json()["expected-offset"], 4);
    let middle = append("4", "?0", b"45").send().await;
    assert_eq!(
        (middle.status(), middle.header("upload-offset").as_deref()),
        (204, Some("6"))
    );
    assert_eq!(append("6", "?1", b"6").send().await.status(), 400);
    let last = append("6", "?1", b"6789").send().await;
    assert_eq!(
        (last.status(), last.header("upload-complete").as_deref()),
        (201, Some("?1"))
    );
    assert_eq!(head().await, ("10".into(), "?1".into()));
    let content = caller
        .get(&format!(
            "/v1/files/{}/content",
            last.json()["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(content.body(), b"0123456789");
    assert_eq!(caller.session.effects("files.create").count, 1);
}

#[tokio::test]
async fn a_repeated_key_stores_no_second_file() {
    let caller = Caller::new().await;
    let post = |body: &str| {
        caller
            .ask("POST", "/v1/files")
            .header("idempotency-key", "k-1")
            .body(body)
    };
    let lost = post("hello").header("x-mock-fault", "lost").send().await;
    assert!(lost.raw.is_empty());
    let again = post("hello").send().await;
    assert_eq!(
        (again.status(), again.header("idempotency-replayed")),
        (201, Some("true".into()))
    );
    let location = again.header("location").unwrap();
    assert!(again.header("repr-digest").is_some());
    let content = caller.get(&format!("{location}/content")).await;
    assert_eq!(content.body(), b"hello");
    let other = post("other").send().await;
    assert_eq!(other.json()["code"], "idempotency_key_reused");
    let effects = caller.session.effects("files.create");
    assert_eq!((effects.count, effects.by_key.distinct), (1, 1));

    // Creating an upload in parts again leads to the same upload.
    let begin = upload(&caller, "POST", "/v1/files", "?0", b"01").header("idempotency-key", "k-2");
    let (first, second) = (begin.send().await, begin.send().await);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.header("upload-offset").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_file_that_broke_off_is_not_stored_and_keeps_no_key() {
    let caller = Caller::new().await;
    let post = caller
        .ask("POST", "/v1/files")
        .header("idempotency-key", "k-1")
        .body("hello");
    let broken = post.clone().header("x-mock-fault", "cut-upload@2");
    assert!(broken.send().await.raw.is_empty());
    assert_eq!(caller.session.effects("files.create").count, 0);
    let stored = post.send().await;
    assert_eq!(
        (stored.status(), stored.json()["size"].as_u64()),
        (201, Some(5))
    );
    assert_eq!(stored.header("idempotency-replayed"), None);
}

#[tokio::test]
async fn a_digest_that_does_not_fit_is_refused() {
    let caller = Caller::new().await;
    let post = |digest: &str| {
        caller
            .ask("POST", "/v1/files")
            .header("content-digest", digest)
            .body("hello")
    };
    let good = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
    assert_eq!(post(good).send().await.status(), 201);
    let bad = post("sha-256=:AAAAul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:")
        .send()
        .await;
    assert_eq!(
        (bad.status(), bad.json()["code"].as_str()),
        (400, Some("digest_mismatch"))
    );
}

#[tokio::test]
async fn a_stalled_body_says_its_length_and_stops() {
    let caller = Caller::new().await;
    let asking = caller
        .ask("GET", GENERATED)
        .header("x-mock-fault", "stall@100");
    let mut socket = asking.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut socket, &asking.bytes())
        .await
        .unwrap();
    let has_come = |seen: &Seen| !seen.raw.is_empty() && seen.body().len() >= 100;
    let seen = read_whole(&mut socket, has_come, Duration::from_millis(200)).await;
    assert_eq!((seen.end, seen.body().len()), (End::Open, 100));
    assert_eq!(seen.header("content-length").as_deref(), Some("1000"));
}

#[tokio::test]
async fn an_export_is_a_line_for_each_item() {
    let caller = Caller::new().await;
    let seen = caller
        .get("/v1/exports?items=3&newline=crlf&last_newline=false&bad_at=2")
        .await;
    assert_eq!(
        seen.header("content-type").as_deref(),
        Some("application/jsonl")
    );
    let text = String::from_utf8(seen.body()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[1..], ["{not json", r#"{"id":3,"name":"Item 3"}"#]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(lines[0]).unwrap(),
        json!({"id": 1, "name": "Item 1"})
    );
}
