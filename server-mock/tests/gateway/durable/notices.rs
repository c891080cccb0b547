//! Notices to people that cannot be made, because too many are pending: counted, said once, and counted on after a kill.

use serde_json::json;

use super::child::{Folder, Running};
use crate::caller::asking;

/// What `/metrics` says of a sample.
async fn metric(running: &Running, name: &str) -> Option<String> {
    let seen = asking(running.admin_url(), "GET", "/metrics").send().await;
    let text = String::from_utf8(seen.body()).unwrap();
    let mut lines = text.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

#[tokio::test]
async fn notices_that_are_not_made_are_counted_and_said() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    running
        .admin("POST", "/admin/clock", json!({ "freeze": true }))
        .await;
    // Nobody listens there, and the clock stands: all stay pending.
    let integrations: Vec<_> = (0..32)
        .map(|n| {
            let name = format!("i-{n}");
            json!({ "name": name, "template": "x", "slack": { "url": "http://127.0.0.1:9/hook" } })
        })
        .collect();
    let set = json!({ "integrations": integrations });
    let set = running.admin("POST", "/admin/session", set).await;
    assert_eq!(set.status(), 200, "{:?}", set.json());
    let dropped =
        async |running: &Running| running.admin_get("/admin/notices").await["dropped"].clone();
    for count in [100, 100, 100, 13] {
        assert_eq!(dropped(&running).await, 0);
        let create = json!({ "method": "POST", "path": "/v1/contacts", "body": { "name": "N" } });
        let batch = json!({ "operations": vec![create; count] });
        let made = running.ask("POST", "/v1/batch").json(&batch).send().await;
        assert_eq!(made.status(), 200, "{:?}", made.json());
    }
    // 313 events, 32 notices each.
    assert_eq!(dropped(&running).await, 16);
    let name = "gatewright_notices_dropped_total";
    assert_eq!(metric(&running, name).await.as_deref(), Some("16"));
    let test = running
        .admin("POST", "/admin/integrations/test?name=i-0", json!({}))
        .await;
    assert_eq!(test.status(), 422);
    assert_eq!(dropped(&running).await, 17);
    let said = running.killed_saying();
    let lines = said
        .lines()
        .filter(|line| line.contains("notices to people are pending"));
    assert_eq!(lines.count(), 1, "{said}");

    let running = Running::start(&folder.file());
    assert_eq!(dropped(&running).await, 17);
    let made = running
        .ask("POST", "/v1/contacts")
        .json(&json!({ "name": "N" }));
    assert_eq!(made.send().await.status(), 201);
    assert_eq!(dropped(&running).await, 17 + 32);
    running.admin("POST", "/admin/reset", json!({})).await;
    assert_eq!(dropped(&running).await, 0);
}
