//! Contacts and users: created, read, replaced, patched, deleted, and guarded by their entity tags.

use serde_json::json;

use crate::caller::Caller;

#[tokio::test]
async fn a_contact_lives_from_create_to_delete() {
    let caller = Caller::new().await;
    let created = caller
        .post(
            "/v1/contacts",
            json!({"name": "Grace", "email": "grace@example.com", "external_id": "x-1"}),
        )
        .await;
    assert_eq!(created.status(), 201);
    assert_eq!(
        created.header("location").as_deref(),
        Some("/v1/contacts/ct_000046")
    );
    let contact = created.json();
    assert_eq!(
        (&contact["id"], &contact["version"]),
        (&json!("ct_000046"), &json!(1))
    );
    assert_eq!(contact["external_id"], "x-1");
    assert_eq!(contact["company"], json!(null));

    let path = "/v1/contacts/ct_000046";
    let read = caller.get(path).await;
    assert_eq!((read.status(), read.json()), (200, contact.clone()));
    assert_eq!(read.header("etag"), created.header("etag"));

    let replaced = caller
        .ask("PUT", path)
        .json(&json!({"name": "Grace H."}))
        .send()
        .await
        .json();
    assert_eq!(
        (&replaced["name"], &replaced["email"]),
        (&json!("Grace H."), &json!(null))
    );
    assert_eq!(replaced["version"], 2);
    assert_eq!(replaced["created_at"], contact["created_at"]);

    let patch = caller
        .ask("PATCH", path)
        .header("content-type", "application/merge-patch+json");
    let patched = patch
        .body(r#"{"company":"Navy","email":"g@example.com"}"#)
        .send()
        .await
        .json();
    assert_eq!(
        (&patched["company"], &patched["name"]),
        (&json!("Navy"), &json!("Grace H."))
    );
    let removed = caller
        .ask("PATCH", path)
        .json(&json!({"company": null}))
        .send()
        .await
        .json();
    assert_eq!(
        (&removed["company"], &removed["version"]),
        (&json!(null), &json!(4))
    );

    let deleted = caller.ask("DELETE", path).send().await;
    assert_eq!((deleted.status(), deleted.body().len()), (204, 0));
    for method in ["GET", "DELETE", "PUT", "PATCH"] {
        let seen = caller.ask(method, path).body("{}").send().await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (404, &json!("not_found")),
            "{method}"
        );
    }
    // A number is never given out twice.
    let next = caller.post("/v1/contacts", json!({"name": "Next"})).await;
    assert_eq!(next.json()["id"], "ct_000047");
}

#[tokio::test]
async fn users_have_their_own_rules() {
    let caller = Caller::new().await;
    let seen = caller
        .post(
            "/v1/users",
            json!({"name": "Alan", "email": "alan@example.com"}),
        )
        .await;
    assert_eq!(
        (seen.status(), &seen.json()["role"]),
        (201, &json!("member"))
    );
    assert_eq!(seen.json()["id"], "us_000006");
    let wrong = caller
        .post("/v1/users", json!({"name": "Alan", "role": "king"}))
        .await;
    assert_eq!(wrong.status(), 422);
    let errors = wrong.json()["errors"].clone();
    assert_eq!(
        (&errors[0]["pointer"], &errors[0]["code"]),
        (&json!("/email"), &json!("required"))
    );
    assert_eq!(
        (&errors[1]["pointer"], &errors[1]["code"]),
        (&json!("/role"), &json!("invalid_choice"))
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_field_by_field() {
    let caller = Caller::new().await;
    let seen = caller
        .post("/v1/contacts", json!({"email": "nobody", "company": 7}))
        .await;
    assert_eq!(
        (seen.status(), &seen.json()["code"]),
        (422, &json!("validation_failed"))
    );
    assert_eq!(
        seen.json()["errors"],
        json!([
            {"pointer": "/name", "code": "required", "detail": "name is required"},
            {"pointer": "/email", "code": "invalid_email", "detail": "must be an e-mail address"},
            {"pointer": "/company", "code": "wrong_type", "detail": "must be a string"},
        ])
    );
    let removed = caller
        .ask("PATCH", "/v1/contacts/ct_000001")
        .json(&json!({"name": null}))
        .send()
        .await;
    assert_eq!(removed.status(), 422);
    assert_eq!(caller.session.effects("contacts.create").count, 0);
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused_in_words() {
    let caller = Caller::new().await;
    let post = caller.ask("POST", "/v1/contacts");
    let broken = post.clone().body("{\"name\": ").send().await;
    assert_eq!(
        (broken.status(), &broken.json()["code"]),
        (400, &json!("malformed_json"))
    );
    assert_eq!(
        broken.json()["detail"],
        "the body is not JSON at line 1, column 9"
    );
    let array = post.clone().body("[1]").send().await;
    assert_eq!(array.json()["detail"], "the body must be a JSON object");
    let text = post
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await;
    assert_eq!(
        (text.status(), &text.json()["code"]),
        (415, &json!("unsupported_media_type"))
    );
}

#[tokio::test]
async fn an_entity_tag_saves_the_body_and_guards_the_change() {
    let caller = Caller::new().await;
    let path = "/v1/contacts/ct_000001";
    let etag = caller.get(path).await.header("etag").unwrap();
    assert!(etag.starts_with('"'), "{etag} is not strong");

    for tag in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
        "*".into(),
    ] {
        let seen = caller
            .ask("GET", path)
            .header("if-none-match", &tag)
            .send()
            .await;
        assert_eq!((seen.status(), seen.body().len()), (304, 0), "{tag}");
        assert_eq!(seen.header("etag"), Some(etag.clone()));
    }
    let other = caller
        .ask("GET", path)
        .header("if-none-match", "\"other\"")
        .send()
        .await;
    assert_eq!(other.status(), 200);

    for method in ["PUT", "PATCH", "DELETE"] {
        // A weak tag never matches where a strong one is needed.
        for tag in ["\"other\"".to_owned(), format!("W/{etag}")] {
            let seen = caller
                .ask(method, path)
                .header("if-match", &tag)
                .json(&json!({"name": "A"}))
                .send()
                .await;
            assert_eq!(
                (seen.status(), &seen.json()["code"]),
                (412, &json!("precondition_failed"))
            );
        }
    }
    let change = caller.ask("PATCH", path).json(&json!({"name": "A"}));
    let changed = change.clone().header("if-match", &etag).send().await;
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.header("etag"), Some(etag.clone()));
    assert_eq!(change.header("if-match", &etag).send().await.status(), 412);
    assert_eq!(
        caller
            .ask("DELETE", path)
            .header("if-match", "*")
            .send()
            .await
            .status(),
        204
    );
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let caller = Caller::new().await;
    let get = caller.get("/v1/contacts/ct_000001").await;
    let head = caller.ask("HEAD", "/v1/contacts/ct_000001").send().await;
    assert_eq!((head.status(), head.body().len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("etag"), get.header("etag"));
}

#[tokio::test]
async fn tenants_and_sessions_have_their_own_records() {
    let caller = Caller::new().await;
    caller.ask("DELETE", "/v1/contacts/ct_000001").send().await;
    let asking = caller.ask("GET", "/v1/contacts/ct_000001");
    assert_eq!(asking.send().await.status(), 404);
    let other_tenant = asking
        .clone()
        .header("authorization", "Bearer sk_test_pro_globex");
    let other_session = asking.clone().header("x-mock-session", "other");
    for asking in [other_tenant, other_session] {
        assert_eq!(asking.send().await.json()["name"], "Ada Byron");
    }
}
