//! Projects, lists that are filtered and sorted, versions of the API, and batches.

use gatewright_server_mock::OptionsChange;
use serde_json::{Value, json};

use crate::caller::Caller;

fn names(page: &Value) -> Vec<&str> {
    let records = page["data"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn lists_are_filtered_and_sorted_and_pages_of_them_double_none() {
    let caller = Caller::new().await;
    let first = caller
        .get("/v1/contacts?company=Acme&sort=-name&limit=5")
        .await
        .json();
    let mut seen: Vec<String> = names(&first).into_iter().map(str::to_owned).collect();
    // One that is deleted meanwhile takes no other away.
    let last = first["data"][4]["id"].as_str().unwrap();
    caller
        .ask("DELETE", &format!("/v1/contacts/{last}"))
        .send()
        .await;
    let mut cursor = first["next_cursor"].as_str().map(str::to_owned);
    while let Some(next) = cursor {
        let path = format!("/v1/contacts?company=Acme&sort=-name&limit=5&cursor={next}");
        let page = caller.get(&path).await.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(seen.len(), 12);
    assert!(seen.is_sorted_by(|a, b| a >= b), "{seen:?}");
    let found = caller.get("/v1/users?q=ADA").await.json();
    assert_eq!(names(&found), ["Ada Byron"]);
    let late = caller
        .get("/v1/users?created_after=2025-01-01T00:02:00Z")
        .await
        .json();
    assert_eq!(late["data"].as_array().unwrap().len(), 2);
    for wrong in [
        "sort=shoe",
        "status=lost",
        "created_after=yesterday",
        "budget_cents=-1",
    ] {
        let seen = caller.get(&format!("/v1/projects?{wrong}")).await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("invalid_parameter")),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_project_names_its_records_and_shows_them_in_place() {
    let caller = Caller::new().await;
    let project = caller
        .get("/v1/projects/pj_000001?expand=owner,contacts")
        .await
        .json();
    assert_eq!(project["owner"]["id"], project["owner_id"]);
    assert_eq!(project["contacts"][1]["id"], project["contact_ids"][1]);
    let nested = caller
        .get("/v1/projects/pj_000001/contacts?limit=1")
        .await
        .json();
    assert_eq!(
        (&nested["data"][0]["id"], &nested["has_more"]),
        (&json!("ct_000001"), &json!(true))
    );
    let body =
        json!({ "name": "x", "owner_id": "us_000099", "contact_ids": ["ct_000001", "ct_009999"] });
    let refused = caller.post("/v1/projects", body).await;
    let pointers: Vec<_> = refused.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        (refused.status(), pointers),
        (422, vec!["/owner_id".into(), "/contact_ids/1".into()])
    );
}

#[tokio::test]
async fn the_older_version_writes_and_reads_contacts_in_its_own_way() {
    let caller = Caller::new().await;
    let old =
        |method: &str, path: &str| caller.ask(method, path).header("api-version", "2026-05-01");
    let seen = old("GET", "/v1/contacts/ct_000001").send().await;
    assert_eq!(seen.json()["organization"], json!({ "name": "Acme" }));
    assert!(seen.json().get("company").is_none());
    assert_eq!(seen.header("api-version").as_deref(), Some("2026-05-01"));
    assert_eq!(seen.header("deprecation").as_deref(), Some("@1793491200"));
    assert_eq!(
        seen.header("sunset").as_deref(),
        Some("Mon, 01 Nov 2027 00:00:00 GMT")
    );
    let new = caller.get("/v1/contacts/ct_000001").await;
    assert_eq!(new.header("api-version").as_deref(), Some("2026-11-01"));
    assert_eq!(new.header("deprecation").as_deref(), None);
    // Two ways of writing it are two representations.
    assert_ne!(new.header("etag"), seen.header("etag"));
    let patch = json!({ "organization": { "name": "Globex" } });
    let changed = old("PATCH", "/v1/contacts/ct_000001")
        .json(&patch)
        .send()
        .await;
    assert_eq!(changed.json()["organization"]["name"], "Globex");
    let wrong = json!({ "name": "x", "organization": { "name": 3 } });
    let refused = old("POST", "/v1/contacts").json(&wrong).send().await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/organization/name");
    let pinned = caller
        .ask("GET", "/v1/contacts/ct_000001")
        .header("authorization", "Bearer sk_test_pro_acme_v2026-05-01")
        .send()
        .await;
    assert_eq!(pinned.json()["organization"]["name"], "Globex");
    let unknown = caller
        .ask("GET", "/v1/whoami")
        .header("api-version", "2020-01-01")
        .send()
        .await;
    assert_eq!(
        (unknown.status(), &unknown.json()["supported"]),
        (400, &json!(["2026-05-01", "2026-11-01"]))
    );
    let account = caller.get("/v1/account").await;
    assert_eq!(
        account.header("deprecation").as_deref(),
        Some("@1788220800")
    );
    assert_eq!(account.json(), caller.get("/v1/whoami").await.json());
}

#[tokio::test]
async fn changes_are_conditional_where_the_session_asks_for_it() {
    let caller = Caller::new().await;
    let mut options = OptionsChange::default();
    options.require_if_match = Some(true);
    caller.session.set(options).unwrap();
    let patch = json!({ "name": "Ada" });
    let path = "/v1/contacts/ct_000001";
    let refused = caller.ask("PATCH", path).json(&patch).send().await;
    assert_eq!(
        (refused.status(), &refused.json()["code"]),
        (428, &json!("precondition_required"))
    );
    let tag = caller.get(path).await.header("etag").unwrap();
    let done = caller
        .ask("PATCH", path)
        .header("if-match", &tag)
        .json(&patch);
    assert_eq!(done.send().await.status(), 200);
    let patch = caller
        .ask("PATCH", path)
        .header("if-match", "*")
        .header("content-type", "application/json-patch+json")
        .body("[]")
        .send()
        .await;
    assert_eq!(patch.status(), 415);
    assert!(
        patch
            .header("accept-patch")
            .unwrap()
            .contains("merge-patch")
    );
}

#[tokio::test]
async fn a_batch_has_a_result_for_each_operation_and_happens_once() {
    let caller = Caller::new().await;
    let batch = json!({ "operations": [
        { "method": "POST", "path": "/v1/contacts", "body": { "name": "Emmy" } },
        { "method": "POST", "path": "/v1/contacts", "body": { "name": "" } },
        { "method": "GET", "path": "/v1/contacts/ct_000046" },
        { "method": "GET", "path": "/v1/whoami" }
    ] });
    let ask = || {
        caller
            .ask("POST", "/v1/batch")
            .header("idempotency-key", "b1")
            .json(&batch)
    };
    let seen = ask().send().await.json();
    let statuses: Vec<_> = seen["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [201, 422, 200, 404]);
    assert_eq!(seen["results"][2]["body"]["name"], "Emmy");
    assert_eq!(
        seen["results"][0]["headers"]["location"],
        "/v1/contacts/ct_000046"
    );
    let again = ask().send().await;
    assert_eq!(
        (
            again.header("idempotency-replayed").as_deref(),
            again.json()
        ),
        (Some("true"), seen)
    );
    assert_eq!(caller.session.effects("contacts.create").count, 1);
}

#[tokio::test]
async fn of_an_atomic_batch_nothing_happens_when_one_operation_fails() {
    let caller = Caller::new().await;
    let batch = |second: &str| {
        json!({ "atomic": true, "operations": [
            { "method": "DELETE", "path": "/v1/contacts/ct_000001" },
            { "method": "DELETE", "path": second }
        ] })
    };
    let refused = caller
        .post("/v1/batch", batch("/v1/contacts/ct_000001"))
        .await
        .json();
    assert_eq!(refused["results"][0]["status"], 424);
    assert_eq!(refused["results"][1]["status"], 404);
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    assert_eq!(caller.session.effects("contacts.delete").count, 0);
    let done = caller
        .post("/v1/batch", batch("/v1/contacts/ct_000002"))
        .await
        .json();
    assert_eq!(done["results"][1]["status"], 204);
    assert_eq!(caller.session.effects("contacts.delete").count, 2);
}

#[tokio::test]
async fn the_document_is_served_in_both_forms_and_validated() {
    let caller = Caller::new().await;
    let json = caller.anonymous("GET", "/openapi.json").send().await;
    assert_eq!(json.json()["openapi"], "3.1.0");
    let tag = json.header("etag").unwrap();
    let fresh = caller
        .anonymous("GET", "/openapi.json")
        .header("if-none-match", &tag);
    assert_eq!(fresh.send().await.status(), 304);
    let yaml = caller.anonymous("GET", "/openapi.yaml").send().await;
    assert_eq!(
        yaml.header("content-type").as_deref(),
        Some("application/yaml")
    );
}
