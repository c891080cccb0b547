//! Keys of a batch's operations across a crash: the batch that is sent again has each effect once.

use serde_json::{Value, json};

use super::child::{Folder, Running};
use crate::caller::Asking;

fn batch(running: &Running) -> Asking {
    let item = |key: &str| {
        json!({
            "method": "POST", "path": "/v1/contacts", "headers": { "idempotency-key": key },
            "body": { "name": "N", "external_id": key }
        })
    };
    let operations = [item("a"), item("b")];
    running
        .ask("POST", "/v1/batch")
        .json(&json!({ "operations": operations }))
}

#[tokio::test]
async fn a_batch_without_a_key_of_its_own_has_each_effect_once() {
    // The first transaction has the keys, the second the effects with the answers.
    for (point, happened) in [
        ("before-commit@1", false),
        ("after-item-keys", false),
        ("before-commit@2", false),
        ("after-commit@2", true),
        ("before-answer", true),
    ] {
        let folder = Folder::new();
        let running = Running::start_to_abort(&folder.file(), point);
        assert_eq!(batch(&running).send().await.raw, b"", "{point}");
        running.aborted();

        let running = Running::start(&folder.file());
        let count = running.created().await["count"].as_u64();
        assert_eq!(count, Some(if happened { 2 } else { 0 }), "{point}");
        let seen = batch(&running).send().await.json();
        for result in seen["results"].as_array().unwrap() {
            let replayed = result["headers"].get("idempotency-replayed");
            let expected = happened.then(|| Value::from("true"));
            assert_eq!(
                (&result["status"], replayed),
                (&json!(201), expected.as_ref()),
                "{point}"
            );
        }
        let effects = running.created().await;
        assert_eq!(
            (&effects["count"], &effects["doubled"]),
            (&json!(2), &json!([])),
            "{point}"
        );
        assert_eq!(running.events().await.len(), 2, "{point}");
    }
}
