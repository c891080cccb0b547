//! Files for pages on the admin port: the right ones, with the right types, and none from outside their folder.

use std::fs;
use std::path::PathBuf;

use gatewright_server_mock::Gateway;

use crate::caller::{Seen, asking};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("gatewright-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (file, text) in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn fetched(gateway: &Gateway, path: &str) -> Seen {
    asking(&gateway.admin_url(), "GET", path).send().await
}

#[tokio::test]
async fn files_come_with_the_types_that_browsers_insist_on() {
    let page = Folder::new(
        "page",
        &[
            ("index.html", "<p>page</p>"),
            ("style.css", "p {}"),
            ("sub/index.html", "sub"),
        ],
    );
    let lib = Folder::new(
        "lib",
        &[
            ("index.js", "export {}"),
            ("gatewright.wasm", "\0asm"),
            ("notes", "?"),
        ],
    );
    let gateway = Gateway::builder()
        .static_files("/", &page.0)
        .static_files("/lib", &lib.0)
        .start()
        .await
        .unwrap();
    for (path, kind, text) in [
        ("/", "text/html; charset=utf-8", "<p>page</p>"),
        ("/index.html", "text/html; charset=utf-8", "<p>page</p>"),
        ("/sub/", "text/html; charset=utf-8", "sub"),
        ("/style.css?v=1", "text/css; charset=utf-8", "p {}"),
        (
            "/lib/index.js",
            "text/javascript; charset=utf-8",
            "export {}",
        ),
        ("/lib/gatewright.wasm", "application/wasm", "\0asm"),
        ("/lib/notes", "application/octet-stream", "?"),
    ] {
        let seen = fetched(&gateway, path).await;
        assert_eq!(seen.status(), 200, "{path}");
        assert_eq!(seen.header("content-type").as_deref(), Some(kind), "{path}");
        assert_eq!(
            seen.header("x-content-type-options").as_deref(),
            Some("nosniff")
        );
        assert_eq!(seen.header("cache-control").as_deref(), Some("no-cache"));
        assert_eq!(seen.body(), text.as_bytes(), "{path}");
    }
    for path in ["/missing.js", "/sub", "/lib/", "/lib/style.css"] {
        let seen = fetched(&gateway, path).await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (404, &"not_found".into()),
            "{path}"
        );
    }
    assert_eq!(fetched(&gateway, "/admin/health").await.status(), 200);
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() {
    let page = Folder::new("etag", &[("a.js", "1")]);
    let gateway = Gateway::builder()
        .static_files("/", &page.0)
        .start()
        .await
        .unwrap();
    let etag = fetched(&gateway, "/a.js").await.header("etag").unwrap();
    let known = asking(&gateway.admin_url(), "GET", "/a.js").header("if-none-match", &etag);
    let seen = known.send().await;
    assert_eq!((seen.status(), seen.body()), (304, Vec::new()));
    fs::write(page.0.join("a.js"), "2").unwrap();
    let seen = known.send().await;
    assert_eq!((seen.status(), seen.body()), (200, b"2".to_vec()));
}

#[tokio::test]
async fn files_can_only_be_read() {
    let page = Folder::new("read", &[("a.js", "1")]);
    let gateway = Gateway::builder()
        .static_files("/", &page.0)
        .start()
        .await
        .unwrap();
    let head = asking(&gateway.admin_url(), "HEAD", "/a.js").send().await;
    assert_eq!((head.status(), head.body()), (200, Vec::new()));
    assert_eq!(head.header("content-length").as_deref(), Some("1"));
    for method in ["POST", "PUT", "DELETE"] {
        let seen = asking(&gateway.admin_url(), method, "/a.js").send().await;
        assert_eq!(seen.status(), 405, "{method}");
        assert_eq!(seen.header("allow").as_deref(), Some("GET, HEAD"));
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let outside = Folder::new(
        "outside",
        &[
            ("secret.txt", "secret"),
            ("page/a.js", "1"),
            ("page/.env", "secret"),
        ],
    );
    let page = outside.0.join("page");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.0.join("secret.txt"), page.join("link.txt")).unwrap();
    let gateway = Gateway::builder()
        .static_files("/", &page)
        .start()
        .await
        .unwrap();
    assert_eq!(fetched(&gateway, "/a.js").await.status(), 200);
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/link.txt",
        "/.env",
        "/a.js%00",
    ] {
        let seen = fetched(&gateway, path).await;
        assert_eq!(seen.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn files_are_kept_from_other_sites_as_the_rest_of_the_admin_port_is() {
    let page = Folder::new("guard", &[("a.js", "1")]);
    let gateway = Gateway::builder()
        .static_files("/", &page.0)
        .start()
        .await
        .unwrap();
    let asking = asking(&gateway.admin_url(), "GET", "/a.js");
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example")] {
        let seen = asking.clone().header(name, value).send().await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (403, &"foreign_caller".into())
        );
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_served_is_refused_at_the_start() {
    let page = Folder::new("refused", &[("a.js", "1")]);
    for (prefix, folder, why) in [
        ("page", page.0.clone(), "a prefix begins with a slash"),
        ("/admin/x", page.0.clone(), "/admin/ is the gateway's own"),
        ("/", page.0.join("a.js"), "that is no folder"),
        ("/", page.0.join("missing"), "No such file"),
    ] {
        let error = Gateway::builder()
            .static_files(prefix, &folder)
            .start()
            .await
            .unwrap_err()
            .to_string();
        let expected = format!("cannot serve {} at {prefix:?}: {why}", folder.display());
        assert!(error.starts_with(&expected), "{error}");
    }
    let twice = Gateway::builder()
        .static_files("/", &page.0)
        .static_files("/", &page.0);
    let error = twice.start().await.unwrap_err().to_string();
    assert!(
        error.ends_with("that prefix has a folder already"),
        "{error}"
    );
}
