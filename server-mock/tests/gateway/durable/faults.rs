//! Fault rules go on where they stood when the process was killed.

use serde_json::{Value, json};

use super::child::{Folder, Running};

async fn rules(running: &Running) -> Value {
    running.admin_get("/admin/faults").await["rules"].clone()
}

async fn whoami(running: &Running) -> u16 {
    running.ask("GET", "/v1/whoami").send().await.status()
}

#[tokio::test]
async fn a_script_goes_on_with_its_next_step() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    running
        .admin("POST", "/admin/clock", json!({ "freeze": true }))
        .await;
    let set = json!({ "rules": [
        { "match": {"op": "contacts.create"}, "always": "500" },
        { "match": {"op": "whoami"}, "script": ["503", "429", "502"], "name": "script" },
        { "match": {"op": "whoami"}, "random": {"p": 1.0, "seed": 7, "kinds": ["504"]}, "for_ms": 60_000 },
    ]});
    assert_eq!(
        running.admin("PUT", "/admin/faults", set).await.status(),
        200
    );
    assert_eq!(whoami(&running).await, 503);
    let before = rules(&running).await;
    assert_eq!(before[1]["played"], 1);
    running.kill();

    let running = Running::start(&folder.file());
    assert_eq!(rules(&running).await, before);
    assert_eq!(running.create("k").send().await.status(), 500);
    assert_eq!(whoami(&running).await, 429);
    running.kill();
    let running = Running::start(&folder.file());
    assert_eq!((whoami(&running).await, whoami(&running).await), (502, 504));
    let added =
        json!({ "rules": [{ "match": {"op": "health"}, "always": "500", "name": "late" }] });
    running.admin("POST", "/admin/faults", added).await;
    let path = "/admin/faults?name=script";
    running.admin("DELETE", path, json!({})).await;
    running.kill();

    // The span of the second ends on the clock, which stands.
    let running = Running::start(&folder.file());
    let names: Vec<Value> = rules(&running).await.as_array().unwrap().clone();
    let names: Vec<&Value> = names.iter().map(|rule| &rule["name"]).collect();
    assert_eq!(names, [&Value::Null, &Value::Null, &json!("late")]);
    assert_eq!(whoami(&running).await, 504);
    let advance = json!({ "advance_ms": 60_000 });
    running.admin("POST", "/admin/clock", advance).await;
    assert_eq!(whoami(&running).await, 200);
    running.admin("DELETE", "/admin/faults", json!({})).await;
    running.kill();
    let running = Running::start(&folder.file());
    assert_eq!(rules(&running).await, json!([]));
    assert_eq!(running.create("k").send().await.status(), 201);
}

#[tokio::test]
async fn rules_are_set_or_not_when_the_process_dies_and_random_ones_decide_the_same() {
    for (point, happened) in [("before-commit", false), ("after-commit", true)] {
        let folder = Folder::new();
        let set = json!({ "rules": [
            { "random": {"p": 0.5, "seed": 3, "kinds": ["503"]} }, { "match": {"op": "whoami"}, "always": "500" },
        ]});
        let running = Running::start_to_abort(&folder.file(), point);
        let asked = running.admin("PUT", "/admin/faults", set.clone()).await;
        assert_eq!(asked.raw, b"", "{point}");
        running.aborted();
        let running = Running::start(&folder.file());
        let count = rules(&running).await.as_array().unwrap().len();
        assert_eq!(count, if happened { 2 } else { 0 }, "{point}");
        running.admin("PUT", "/admin/faults", set).await;
        let mut seen = [Vec::new(), Vec::new()];
        let mut running = Some(running);
        for seen in &mut seen {
            // Calls of other names are decided by the seed and the rule's number, which a restart does not change.
            let now = running
                .take()
                .unwrap_or_else(|| Running::start(&folder.file()));
            for call in 0..20 {
                let ask = now
                    .ask("GET", "/v1/users")
                    .header("x-mock-call", &call.to_string());
                seen.push(ask.send().await.status());
            }
            now.kill();
        }
        assert_eq!(seen[0], seen[1], "{point}");
        assert!(seen[0].contains(&503) && seen[0].contains(&200), "{point}");
    }
}
