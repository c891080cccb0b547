//! Deliveries: their order, what receivers ask for, what is shown of them, redelivery and dead letters.

use std::time::Duration;

use serde_json::{Value, json};

use crate::caller::Caller;
use crate::receiver::Receiver;

const DELIVERIES: &str = "/v1/webhook_deliveries";
const DEAD: &str = "/v1/webhook_dead_letters";

async fn frozen() -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
}

async fn endpoint(caller: &Caller, receiver: &Receiver, mut settings: Value) -> String {
    settings["url"] = json!(receiver.url);
    let made = caller.post("/v1/webhook_endpoints", settings).await;
    assert_eq!(made.status(), 201, "{}", made.json());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Creates contacts of these names.
async fn contacts(caller: &Caller, names: &[&str]) {
    for name in names {
        caller.post("/v1/contacts", json!({"name": name})).await;
    }
}

/// The names that arrived, in order.
fn arrived(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    let names = received.iter().map(|one| {
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        body["data"]["name"].as_str().unwrap().to_owned()
    });
    names.collect()
}

async fn list(caller: &Caller, path: &str) -> Vec<Value> {
    caller.get(path).await.json()["data"]
        .as_array()
        .unwrap()
        .clone()
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

/// Changes how the session delivers.
async fn set(caller: &Caller, webhooks: Value) {
    let set = caller.admin("POST", "/admin/session?session=test");
    let set = set.json(&json!({"webhooks": webhooks})).send().await;
    assert_eq!(set.status(), 200, "{}", set.json());
}

#[tokio::test]
async fn an_ordered_endpoint_gets_each_after_the_one_before_is_done() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[204, 500, 500]).await;
    endpoint(&caller, &receiver, json!({"ordered": true})).await;
    contacts(&caller, &["a", "b", "c", "d"]).await;
    caller.session.settle().await;
    // b failed: c and d wait, though they are due.
    assert_eq!(arrived(&receiver), ["a", "b"]);
    caller.session.advance(Duration::from_secs(6)).await;
    assert_eq!(arrived(&receiver), ["a", "b", "b"]);
    caller.session.run_until_idle().await;
    assert_eq!(arrived(&receiver), ["a", "b", "b", "b", "c", "d"]);
}

#[tokio::test]
async fn in_order_the_next_goes_on_when_the_one_before_has_failed_for_good() {
    let caller = frozen().await;
    set(
        &caller,
        json!({"delays_ms": [1_000], "disable_failing": false}),
    )
    .await;
    let receiver = Receiver::answering(&[500, 500]).await;
    endpoint(&caller, &receiver, json!({"ordered": true})).await;
    contacts(&caller, &["a", "b"]).await;
    caller.session.run_until_idle().await;
    assert_eq!(arrived(&receiver), ["a", "a", "b"]);
    let dead = list(&caller, DEAD).await;
    assert_eq!((dead.len(), &dead[0]["reason"]), (1, &json!("exhausted")));
}

#[tokio::test]
async fn without_order_one_that_fails_holds_up_nobody() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500]).await;
    endpoint(&caller, &receiver, json!({"max_in_flight": 1})).await;
    contacts(&caller, &["a", "b", "c"]).await;
    caller.session.settle().await;
    assert_eq!(arrived(&receiver), ["a", "b", "c"]);
    caller.session.run_until_idle().await;
    assert_eq!(arrived(&receiver), ["a", "b", "c", "a"]);
}

#[tokio::test]
async fn retry_after_makes_the_wait_longer_and_holds_the_endpoint() {
    let caller = frozen().await;
    let busy = answer(429, "retry-after: 120\r\n", "");
    let receiver = Receiver::start([busy].into()).await;
    endpoint(&caller, &receiver, json!({})).await;
    contacts(&caller, &["a"]).await;
    caller.session.settle().await;
    contacts(&caller, &["b"]).await;
    caller.session.advance(Duration::from_secs(119)).await;
    assert_eq!(arrived(&receiver), ["a"]);
    let shown = caller.get(&format!("{DELIVERIES}/dlv_000001")).await.json();
    assert_eq!(shown["attempts"][0]["retry_after_ms"], 120_000);
    caller.session.advance(Duration::from_secs(1)).await;
    let mut names = arrived(&receiver);
    names.sort();
    assert_eq!(names, ["a", "a", "b"]);
}

#[tokio::test]
async fn retry_after_is_bounded_and_never_shortens_a_wait() {
    for (header, least_s, most_s) in [("9999999", 60, 60), ("1", 4, 6)] {
        let caller = frozen().await;
        set(&caller, json!({"max_retry_after_ms": 60_000})).await;
        let busy = answer(503, &format!("retry-after: {header}\r\n"), "");
        let receiver = Receiver::start([busy].into()).await;
        endpoint(&caller, &receiver, json!({})).await;
        contacts(&caller, &["a"]).await;
        caller.session.settle().await;
        let shown = list(&caller, DELIVERIES).await.remove(0);
        let waits =
            shown["next_attempt_ms"].as_u64().unwrap() - shown["created_at_ms"].as_u64().unwrap();
        assert!(
            (least_s * 1_000..=most_s * 1_000).contains(&waits),
            "{header}: {waits}"
        );
    }
}

#[tokio::test]
async fn the_schedule_and_timeouts_can_be_set_and_wrong_ones_are_refused() {
    let caller = frozen().await;
    set(&caller, json!({"delays_ms": [100, 200], "timeout_ms": 50})).await;
    let silent = Receiver::start(["".into(), "".into()].into()).await;
    endpoint(&caller, &silent, json!({})).await;
    contacts(&caller, &["a"]).await;
    caller.session.run_until_idle().await;
    let shown = list(&caller, DELIVERIES).await.remove(0);
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    // The receiver closes without an answer, or is given up.
    assert!(attempts[0]["error"].is_string() && attempts[0]["status"].is_null());
    for wrong in [
        json!({"timeout_ms": 0}),
        json!({"connect_timeout_ms": 30_001}),
        json!({"delays_ms": vec![1; 21]}),
        json!({"max_retry_after_ms": 2_592_000_001_u64}),
        json!({"unknown": 1}),
    ] {
        let set = caller.admin("POST", "/admin/session?session=test");
        let refused = set.json(&json!({"webhooks": wrong})).send().await;
        assert!([400, 422].contains(&refused.status()), "{wrong}");
    }
}

#[tokio::test]
async fn attempts_are_shown_with_request_and_answer_bounded_and_without_secrets() {
    let caller = frozen().await;
    let echo = "you sent Bearer 0123456789abcdef ";
    let body = echo.to_owned() + &"x".repeat(5_000);
    let refusal = answer(
        400,
        "set-cookie: session=abcdefghijkl\r\nx-why: no\r\n",
        &body,
    );
    let receiver = Receiver::start([refusal].into()).await;
    let headers = json!({"authorization": "Bearer 0123456789abcdef"});
    endpoint(&caller, &receiver, json!({"headers": headers})).await;
    contacts(&caller, &["Grace"]).await;
    caller.session.settle().await;
    let one = caller.get(&format!("{DELIVERIES}/dlv_000001")).await.json();
    let attempt = &one["attempts"][0];
    let header = |part: &str, name: &str| {
        let all = attempt[part]["headers"].as_array().unwrap();
        let found = all.iter().find(|pair| pair[0] == name);
        found.map(|pair| pair[1].as_str().unwrap().to_owned())
    };
    // As the journal and the endpoint show it.
    assert_eq!(
        header("request", "authorization").unwrap(),
        "Bearer ***cdef"
    );
    let signature = header("request", "webhook-signature").unwrap();
    assert!(
        signature.starts_with("***") && signature.len() == 7,
        "{signature}"
    );
    assert!(header("request", "webhook-id").unwrap().starts_with("evt_"));
    assert!(
        attempt["request"]["body"]
            .as_str()
            .unwrap()
            .contains("Grace")
    );
    assert_eq!(header("response", "set-cookie").unwrap(), "***ijkl");
    assert_eq!(header("response", "x-why").unwrap(), "no");
    let shown = attempt["response"]["body"].as_str().unwrap();
    assert!(
        shown.starts_with("you sent Bearer *** x") && shown.len() <= 1_024,
        "{shown}"
    );
    assert_eq!(attempt["response"]["cut"], true);
    // A list is without them.
    assert!(
        list(&caller, DELIVERIES).await[0]["attempts"][0]
            .get("request")
            .is_none()
    );
    // The admin port shows the same.
    let path = "/admin/webhooks/deliveries?session=test&id=dlv_000001";
    assert_eq!(caller.admin("GET", path).send().await.json(), one);
}

#[tokio::test]
async fn lists_can_be_narrowed_and_have_pages() {
    let caller = frozen().await;
    let (good, bad) = tokio::join!(Receiver::answering(&[]), Receiver::answering(&[410]));
    let good = endpoint(&caller, &good, json!({})).await;
    endpoint(&caller, &bad, json!({"types": ["contact.created"]})).await;
    contacts(&caller, &["a"]).await;
    caller.session.settle().await;
    caller.session.advance(Duration::from_secs(10)).await;
    let later = caller.session.clock().now_ms;
    contacts(&caller, &["b"]).await;
    caller.session.settle().await;
    let count = |query: String| {
        let caller = &caller;
        async move { list(caller, &format!("{DELIVERIES}?{query}")).await.len() }
    };
    assert_eq!(count("limit=100".into()).await, 4);
    assert_eq!(count("state=failed".into()).await, 1);
    assert_eq!(count("state=delivered".into()).await, 3);
    assert_eq!(count(format!("endpoint={good}")).await, 3);
    assert_eq!(count("type=contact.created".into()).await, 3);
    assert_eq!(count(format!("since_ms={later}")).await, 1);
    assert_eq!(count(format!("before_ms={later}")).await, 3);
    let page = caller.get(&format!("{DELIVERIES}?limit=3")).await;
    assert!(page.header("link").unwrap().ends_with("rel=\"next\""));
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(count(format!("limit=3&cursor={cursor}")).await, 1);
    for wrong in ["state=lost", "since_ms=x", "limit=0", "cursor=x"] {
        let seen = caller.get(&format!("{DELIVERIES}?{wrong}")).await;
        assert_eq!(seen.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn dead_letters_are_redelivered_once_one_or_all_since_a_time_and_purged() {
    let caller = frozen().await;
    set(&caller, json!({"delays_ms": [], "disable_failing": false})).await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let id = endpoint(&caller, &receiver, json!({})).await;
    contacts(&caller, &["a"]).await;
    caller.session.settle().await;
    caller.session.advance(Duration::from_secs(60)).await;
    let since = caller.session.clock().now_ms;
    contacts(&caller, &["b"]).await;
    caller.session.settle().await;
    caller.session.advance(Duration::from_secs(60)).await;
    contacts(&caller, &["c"]).await;
    caller.session.settle().await;
    assert_eq!(list(&caller, DEAD).await.len(), 3);

    let all = caller
        .post(
            &format!("{DELIVERIES}/redeliver"),
            json!({"since_ms": since, "endpoint": id}),
        )
        .await;
    assert_eq!(all.status(), 202);
    assert_eq!(
        all.json(),
        json!({"redelivered": 2, "deliveries": ["dlv_000004", "dlv_000005"]})
    );
    caller.session.settle().await;
    let mut names = arrived(&receiver);
    names.sort();
    assert_eq!(names, ["a", "b", "b", "c", "c"]);
    let received = receiver.received();
    let ids: std::collections::BTreeSet<_> = received
        .iter()
        .map(|one| one.header("webhook-id"))
        .collect();
    assert_eq!(ids.len(), 3);
    let again = caller.get(&format!("{DELIVERIES}/dlv_000004")).await.json();
    assert_eq!(
        (&again["redelivery_of"], &again["state"]),
        (&json!("dlv_000002"), &json!("delivered"))
    );
    let first = caller.get(&format!("{DELIVERIES}/dlv_000002")).await.json();
    assert_eq!(
        (&first["redelivered_as"], &first["state"]),
        (&json!("dlv_000004"), &json!("failed"))
    );
    // What was redelivered is no dead letter, and a second time redelivers nothing.
    assert_eq!(list(&caller, DEAD).await.len(), 1);
    let none = caller
        .post(
            &format!("{DELIVERIES}/redeliver"),
            json!({"since_ms": since}),
        )
        .await;
    assert_eq!(none.json()["redelivered"], 0);

    let one = caller
        .post(&format!("{DELIVERIES}/dlv_000001/redeliver"), json!({}))
        .await;
    assert_eq!(
        (one.status(), &one.json()["redelivery_of"]),
        (202, &json!("dlv_000001"))
    );
    caller.session.settle().await;
    assert!(list(&caller, DEAD).await.is_empty());
}

#[tokio::test]
async fn purging_forgets_dead_letters_only() {
    let caller = frozen().await;
    set(&caller, json!({"delays_ms": [], "disable_failing": false})).await;
    let receiver = Receiver::answering(&[500, 500, 500, 204]).await;
    endpoint(&caller, &receiver, json!({})).await;
    for name in ["a", "b", "c", "d"] {
        contacts(&caller, &[name]).await;
        caller.session.settle().await;
        caller.session.advance(Duration::from_secs(1)).await;
    }
    let one = |id: &str| caller.ask("DELETE", &format!("{DEAD}/{id}"));
    assert_eq!(one("dlv_000001").send().await.status(), 204);
    assert_eq!(one("dlv_000001").send().await.status(), 404);
    assert_eq!(one("dlv_000004").send().await.status(), 404);
    let purge = caller.ask("DELETE", DEAD).send().await;
    assert_eq!((purge.status(), purge.json()), (200, json!({"purged": 2})));
    let left = list(&caller, DELIVERIES).await;
    assert_eq!((left.len(), &left[0]["id"]), (1, &json!("dlv_000004")));
}

#[tokio::test]
async fn redelivering_to_an_endpoint_that_is_not_there_is_refused() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[410]).await;
    let id = endpoint(&caller, &receiver, json!({})).await;
    contacts(&caller, &["a"]).await;
    caller.session.settle().await;
    let again = || caller.post("/v1/webhook_deliveries/dlv_000001/redeliver", json!({}));
    let refused = again().await;
    assert_eq!(
        (refused.status(), &refused.json()["code"]),
        (409, &json!("endpoint_disabled"))
    );
    let path = format!("/v1/webhook_endpoints/{id}");
    assert_eq!(caller.ask("DELETE", &path).send().await.status(), 204);
    let refused = again().await;
    assert_eq!(
        (refused.status(), &refused.json()["code"]),
        (409, &json!("endpoint_removed"))
    );
    assert_eq!(
        caller.get("/v1/webhook_deliveries/nonsense").await.status(),
        404
    );
}

#[tokio::test]
async fn the_admin_port_does_the_same_for_all_tenants() {
    let caller = frozen().await;
    set(&caller, json!({"delays_ms": [], "disable_failing": false})).await;
    let receiver = Receiver::answering(&[500, 500]).await;
    let id = endpoint(&caller, &receiver, json!({})).await;
    contacts(&caller, &["a", "b"]).await;
    caller.session.settle().await;
    let get = |path: &str| caller.admin("GET", &format!("/admin/webhooks/{path}?session=test"));
    let post = |path: &str, body: Value| {
        caller
            .admin("POST", &format!("/admin/webhooks/{path}?session=test"))
            .json(&body)
    };
    let dead = get("dead-letters").send().await.json();
    assert_eq!(dead["dead_letters"].as_array().unwrap().len(), 2);
    let rotated = post("rotate", json!({"endpoint": id, "overlap_s": 60}))
        .send()
        .await
        .json();
    assert_eq!(rotated["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(rotated["tenant"], "acme");
    let path = format!("/admin/webhooks/endpoints?session=test&id={id}");
    let patched = caller
        .admin("PATCH", &path)
        .json(&json!({"ordered": true}))
        .send()
        .await
        .json();
    assert_eq!(
        (&patched["ordered"], &patched["max_in_flight"]),
        (&json!(true), &json!(1))
    );
    let off = post("disable", json!({"endpoint": id})).send().await.json();
    assert_eq!(off["disabled"], "owner");
    let on = post("enable", json!({"endpoint": id})).send().await.json();
    assert_eq!(on["disabled"], json!(null));
    let again = post("redeliver", json!({"since_ms": 0})).send().await;
    assert_eq!(
        (again.status(), &again.json()["redelivered"]),
        (202, &json!(2))
    );
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 4);
    let wrong = post(
        "redeliver",
        json!({"delivery": "dlv_000001", "since_ms": 0}),
    );
    assert_eq!(wrong.send().await.status(), 422);
    let purge = caller.admin("DELETE", "/admin/webhooks/dead-letters?session=test");
    assert_eq!(purge.send().await.json(), json!({"purged": 0}));
}
