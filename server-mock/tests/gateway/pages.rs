//! Lists: every record once, whatever happens between two pages.

use serde_json::{Value, json};

use crate::caller::Caller;

fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|record| record["id"].as_str().unwrap().into())
        .collect()
}

fn all(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("ct_{number:06}"))
        .collect()
}

#[tokio::test]
async fn cursors_lead_through_all_contacts_once() {
    let caller = Caller::new().await;
    for limit in [1, 7, 20, 44, 45, 46, 100] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/contacts?limit={limit}");
        loop {
            let page = caller.get(&path).await.json();
            let on_page = ids(&page);
            assert!(!on_page.is_empty() && on_page.len() <= limit);
            seen.extend(on_page);
            let cursor = page["next_cursor"].as_str();
            assert_eq!(page["has_more"], cursor.is_some());
            let Some(cursor) = cursor else { break };
            path = format!("/v1/contacts?limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, all(45), "limit {limit}");
    }
}

#[tokio::test]
async fn links_lead_through_all_contacts_once() {
    let caller = Caller::new().await;
    let mut seen = Vec::new();
    let mut path = "/v1/contacts?limit=10&api_key=sk_test_pro_acme&note=a%20b".to_owned();
    loop {
        let page = caller.get(&path).await;
        seen.extend(ids(&page.json()));
        let Some(link) = page.header("link") else {
            break;
        };
        let url = link
            .strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"")
            .unwrap();
        path = url.strip_prefix(&caller.gateway.url()).unwrap().into();
        assert!(path.contains("limit=10&note=a+b&cursor="), "{path}");
        assert!(!path.contains("sk_test"), "the link shows a key: {path}");
    }
    assert_eq!(seen, all(45));
}

#[tokio::test]
async fn records_made_or_deleted_between_pages_double_and_hide_nothing_else() {
    let caller = Caller::new().await;
    let first = caller.get("/v1/contacts?limit=20").await.json();
    for deleted in ["ct_000003", "ct_000020", "ct_000021"] {
        caller
            .ask("DELETE", &format!("/v1/contacts/{deleted}"))
            .send()
            .await;
    }
    caller.post("/v1/contacts", json!({"name": "New"})).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = caller
        .get(&format!("/v1/contacts?limit=100&cursor={cursor}"))
        .await
        .json();
    let expected: Vec<String> = all(46).split_off(21);
    assert_eq!(ids(&rest), expected);
}

#[tokio::test]
async fn twenty_by_default_and_a_hundred_at_most() {
    let caller = Caller::new().await;
    assert_eq!(ids(&caller.get("/v1/contacts").await.json()).len(), 20);
    for number in 0..80 {
        caller
            .post("/v1/contacts", json!({"name": format!("n{number}")}))
            .await;
    }
    assert_eq!(
        ids(&caller.get("/v1/contacts?limit=100").await.json()).len(),
        100
    );
    assert_eq!(ids(&caller.get("/v1/users").await.json()).len(), 5);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let caller = Caller::new().await;
    for limit in ["0", "-1", "101", "1e1", "ten", ""] {
        let seen = caller.get(&format!("/v1/contacts?limit={limit}")).await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("invalid_parameter"))
        );
        assert_eq!(seen.json()["parameter"], "limit");
    }
    // A cursor of another list is none of this one.
    let users = caller.get("/v1/users?limit=1").await.json();
    for cursor in ["xyz", "", users["next_cursor"].as_str().unwrap()] {
        let seen = caller.get(&format!("/v1/contacts?cursor={cursor}")).await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("invalid_cursor")),
            "{cursor}"
        );
    }
}
