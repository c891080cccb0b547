//! A file that may not grow any more: refused in words, nothing answered is lost, and room helps at once.

use serde_json::json;

use super::child::{Folder, Running};

/// Creates contacts until one is refused; answers how many were made, and the refusal.
async fn fill(running: &Running) -> (usize, crate::caller::Seen) {
    let long = "x".repeat(500);
    for made in 0..5_000 {
        let key = format!("k-{made}");
        let body = json!({"name": long, "company": long, "external_id": key});
        let seen = running.create(&key).json(&body).send().await;
        if seen.status() != 201 {
            return (made, seen);
        }
    }
    panic!("it never was full");
}

#[tokio::test]
async fn a_full_file_refuses_changes_and_loses_none_that_was_answered() {
    let folder = Folder::new();
    let running = Running::start_with(&folder.file(), &["--data-max-mb", "1"], "");
    let (made, refused) = fill(&running).await;
    assert!(made > 50, "{made}");
    assert_eq!(
        (
            refused.status(),
            &refused.json()["code"],
            &refused.json()["retryable"]
        ),
        (507, &json!("storage_full"), &json!(false))
    );
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("--data-max-mb") && detail.contains("POST /admin/reset"),
        "{detail}"
    );

    // It goes on: what is there is read, what was refused is not there, and is refused again.
    let path = format!("/v1/contacts/ct_{:06}", 45 + made);
    assert_eq!(running.ask("GET", &path).send().await.status(), 200);
    let path = format!("/v1/contacts/ct_{:06}", 46 + made);
    assert_eq!(running.ask("GET", &path).send().await.status(), 404);
    assert_eq!(running.created().await["count"], made);
    let key = format!("k-{made}");
    let long = "x".repeat(500);
    let body = json!({"name": long, "company": long, "external_id": key});
    assert_eq!(running.create(&key).json(&body).send().await.status(), 507);
    running.kill();

    let running = Running::start(&folder.file());
    let effects = running.created().await;
    assert_eq!(
        (&effects["count"], &effects["doubled"]),
        (&json!(made), &json!([]))
    );
    assert_eq!(running.events().await.len(), made);
    let retried = running.create(&key).json(&body).send().await;
    assert_eq!(
        (retried.status(), retried.header("idempotency-replayed")),
        (201, None)
    );
    assert_eq!(running.created().await["count"], made + 1);
}

#[tokio::test]
async fn a_reset_makes_room_in_a_full_file() {
    let folder = Folder::new();
    let running = Running::start_with(&folder.file(), &["--data-max-mb", "1"], "");
    fill(&running).await;
    let reset = running.admin("POST", "/admin/reset", json!({})).await;
    assert_eq!(reset.status(), 200, "{:?}", reset.json());
    assert_eq!(running.create("again").send().await.status(), 201);
    running.kill();
    let running = Running::start(&folder.file());
    assert_eq!(running.created().await["count"], 1);
    assert_eq!(running.events().await.len(), 1);
}
