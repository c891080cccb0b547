//! Swagger UI as it is served: part of the program, compressed, under a policy.

use crate::caller::Caller;

const GZIP: [u8; 2] = [0x1f, 0x8b];

#[tokio::test]
async fn the_page_and_its_files_need_no_key_and_load_nothing_from_elsewhere() {
    let caller = Caller::new().await;
    let page = caller.anonymous("GET", "/docs").send().await;
    assert_eq!(page.status(), 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(!policy.contains("unsafe"));
    let html = String::from_utf8(page.body()).unwrap();
    let links: Vec<&str> = html
        .split('"')
        .filter(|text| text.starts_with('/'))
        .collect();
    assert_eq!(links.len(), 6, "{links:?}");
    assert!(!html.contains("://"));
    for link in links {
        let seen = caller.anonymous("GET", link).send().await;
        assert_eq!(seen.status(), 200, "{link}");
        let tag = seen.header("etag").unwrap();
        let again = caller.anonymous("GET", link).header("if-none-match", &tag);
        assert_eq!(again.send().await.status(), 304, "{link}");
    }
    let unknown = caller.anonymous("GET", "/docs/other.js").send().await;
    assert_eq!(
        (unknown.status(), &unknown.json()["code"]),
        (404, &"not_found".into())
    );
}

#[tokio::test]
async fn large_files_are_sent_as_they_are_kept() {
    let caller = Caller::new().await;
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "license.txt"] {
        let path = format!("/docs/{file}");
        let seen = caller
            .anonymous("GET", &path)
            .header("accept-encoding", "br, gzip")
            .send()
            .await;
        assert_eq!(seen.header("content-encoding").as_deref(), Some("gzip"));
        assert_eq!(seen.header("vary").as_deref(), Some("Accept-Encoding"));
        assert!(seen.body().starts_with(&GZIP) && seen.body().len() < 500_000);
        let refused = caller
            .anonymous("GET", &path)
            .header("accept-encoding", "identity")
            .send()
            .await;
        assert_eq!(
            (refused.status(), &refused.json()["code"]),
            (406, &"not_acceptable".into())
        );
    }
}
