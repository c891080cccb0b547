//! The journal: complete without the client's help, and without its secrets.

use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::json;

use crate::caller::Caller;
use crate::limits::until;

#[tokio::test]
async fn an_entry_says_all_about_a_request() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let seen = caller
        .ask("POST", "/v1/contacts?note=1")
        .header("idempotency-key", "k-1")
        .header("x-multi", "a")
        .body("{\"name\":\"N\"}")
        .send()
        .await;
    let entries = caller.session.journal(0);
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((entry.seq, entry.at_ms), (1, caller.session.clock().now_ms));
    assert_eq!(
        (
            entry.method.as_str(),
            entry.path.as_str(),
            entry.query.as_str()
        ),
        ("POST", "/v1/contacts", "note=1")
    );
    assert_eq!(
        (entry.op, entry.logical.as_str(), entry.attempt),
        ("contacts.create", "key:k-1", 1)
    );
    assert_eq!(
        (entry.status, entry.outcome, entry.committed, entry.replayed),
        (Some(201), Some(201), true, false)
    );
    assert_eq!(
        (entry.body_base64.as_str(), entry.body_length),
        ("eyJuYW1lIjoiTiJ9", 12)
    );
    assert_eq!(
        entry.body_sha256,
        "8589973188d6700ceb0d83fe3ddecf4ceedc13dce10a6d255c6c9a25b45312e0"
    );
    assert_eq!((entry.fault.as_deref(), entry.body_complete), (None, true));
    assert_eq!(Some(entry.request_id.clone()), seen.header("request-id"));
    assert!(entry.headers.contains(&("x-multi".into(), "a".into())));
    assert!(entry.took_ns.is_some_and(|ns| ns > 0));
}

#[tokio::test]
async fn keys_are_shown_by_their_last_four_characters_and_a_hash() {
    let caller = Caller::new().await;
    let secret = "sk_test_pro_verysecrettenant";
    let asking = caller.anonymous("GET", "/v1/whoami");
    asking
        .clone()
        .header("authorization", &format!("Bearer {secret}"))
        .send()
        .await;
    asking.clone().header("x-api-key", secret).send().await;
    asking
        .header("cookie", &format!("api_key={secret}"))
        .send()
        .await;
    caller
        .anonymous("GET", &format!("/v1/whoami?api_key={secret}"))
        .send()
        .await;
    let text = caller
        .admin("GET", "/admin/journal?session=test")
        .send()
        .await
        .body();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("verysecret"), "{text}");
    let entries = caller.session.journal(0);
    let shown = |at: usize, name: &str| {
        let header = entries[at].headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(shown(0, "authorization"), "Bearer ***nant");
    assert_eq!(shown(1, "x-api-key"), "***nant");
    assert_eq!(shown(2, "cookie"), "api_key=***nant");
    assert_eq!(entries[3].query, "api_key=***nant");
    // The hash of the key itself, however it was sent.
    let fingerprint = "sha256:cf20cf3fef9fda8b5c10a910a4fc2d7437ee64628b8dc80162d218421fdcd8ff";
    for entry in &entries {
        assert_eq!(entry.key_fingerprint.as_deref(), Some(fingerprint));
    }
}

#[tokio::test]
async fn it_is_complete_when_the_client_has_its_answer() {
    let caller = Caller::new().await;
    for round in 1..=40 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let asking = caller
                    .ask("POST", "/v1/contacts")
                    .json(&json!({"name": "N"}));
                tokio::spawn(async move { asking.send().await })
            })
            .collect();
        for task in tasks {
            let seen = task.await.unwrap();
            let id = seen.header("request-id").unwrap();
            let entries = caller.session.journal(0);
            let entry = entries.iter().find(|entry| entry.request_id == id).unwrap();
            assert_eq!((entry.status, entry.committed), (Some(201), true));
        }
        assert_eq!(caller.session.journal(0).len(), round * 8);
    }
    let seqs: Vec<u64> = caller
        .session
        .journal(0)
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(seqs, (1..=320).collect::<Vec<_>>());
}

#[tokio::test]
async fn refused_and_unanswered_requests_are_in_it_too() {
    let caller = Caller::new().await;
    caller.anonymous("GET", "/v1/contacts").send().await;
    caller.get("/nowhere").await;
    caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-fault", "reset")
        .send()
        .await;
    caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-fault", "reset@10")
        .send()
        .await;
    let lost = caller
        .ask("POST", "/v1/contacts")
        .header("x-mock-fault", "lost")
        .json(&json!({"name": "N"}));
    lost.send().await;
    let seen: Vec<_> = caller
        .session
        .journal(0)
        .into_iter()
        .map(|entry| {
            (
                entry.op,
                entry.fault,
                entry.status,
                entry.outcome,
                entry.committed,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("contacts.list", None, Some(401), Some(401), false),
            ("unknown", None, Some(404), Some(404), false),
            ("whoami", Some("reset".into()), None, None, false),
            (
                "whoami",
                Some("reset@10".into()),
                Some(200),
                Some(200),
                false
            ),
            (
                "contacts.create",
                Some("lost".into()),
                None,
                Some(201),
                true
            ),
        ]
    );
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_its_body_is_recorded() {
    let caller = Caller::new().await;
    let asking = caller
        .ask("POST", "/v1/contacts")
        .header("content-length", "100");
    let mut socket = asking.connect().await;
    let mut bytes = asking.bytes();
    bytes.extend_from_slice(b"{\"name\":");
    tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes)
        .await
        .unwrap();
    drop(socket);
    until(|| !caller.session.journal(0).is_empty()).await;
    let entry = &caller.session.journal(0)[0];
    assert_eq!(
        (entry.body_complete, entry.body_length, entry.status),
        (false, 8, None)
    );
    assert_eq!(caller.session.effects("contacts.create").count, 0);
}

#[tokio::test]
async fn it_can_be_read_on_from_a_number_and_for_one_operation() {
    let caller = Caller::new().await;
    for path in ["/v1/whoami", "/v1/contacts", "/v1/whoami"] {
        caller.get(path).await;
    }
    let read = async |query: &str| {
        let shown = caller
            .admin("GET", &format!("/admin/journal?session=test{query}"))
            .send()
            .await
            .json();
        let entries = shown["entries"].as_array().unwrap();
        let seqs: Vec<u64> = entries
            .iter()
            .map(|entry| entry["seq"].as_u64().unwrap())
            .collect();
        (seqs, shown["last_seq"].as_u64().unwrap())
    };
    assert_eq!(read("").await, (vec![1, 2, 3], 3));
    assert_eq!(read("&since=1").await, (vec![2, 3], 3));
    assert_eq!(read("&since=1&limit=1").await, (vec![2], 3));
    assert_eq!(read("&op=whoami").await, (vec![1, 3], 3));
    assert_eq!(read("&since=99").await, (vec![], 3));
    caller
        .admin("DELETE", "/admin/journal?session=test")
        .send()
        .await;
    assert_eq!(read("").await, (vec![], 3));
    caller.get("/v1/whoami").await;
    assert_eq!(read("").await, (vec![4], 4));
}

#[tokio::test]
async fn it_is_bounded_in_entries_and_keeps_the_front_of_large_bodies() {
    let caller = Caller::new().await;
    let few: OptionsChange = serde_json::from_str(r#"{"journal_entries":3}"#).unwrap();
    caller.session.set(few).unwrap();
    for _ in 0..5 {
        caller.get("/v1/whoami").await;
    }
    let seqs: Vec<u64> = caller
        .session
        .journal(0)
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(seqs, [3, 4, 5]);
    caller
        .ask("POST", "/v1/echo")
        .body(vec![b'x'; 3_000_000])
        .send()
        .await;
    let entry = caller.session.journal(5).remove(0);
    assert_eq!(entry.body_length, 3_000_000);
    assert_eq!(entry.body_base64.len(), (1024 * 1024usize).div_ceil(3) * 4);
}

#[tokio::test]
async fn connections_and_arrival_times_tell_requests_apart() {
    let caller = Caller::new().await;
    caller.get("/v1/whoami").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    caller.get("/v1/whoami").await;
    let entries = caller.session.journal(0);
    assert_ne!(entries[0].connection, entries[1].connection);
    assert!(entries[1].received_ns >= entries[0].received_ns + 5_000_000);
}
