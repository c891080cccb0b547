//! Files and uploads are there after a kill, whole or not at all, and a key makes one file.

use serde_json::{Value, json};

use super::child::{Folder, Running, rows_of};
use crate::caller::{Asking, Seen};

/// Three blocks of the data file, the last of them not full.
fn content(seed: u8) -> Vec<u8> {
    let bytes = 0..300_000_u32;
    bytes.map(|n| (n / 7) as u8 ^ seed).collect()
}

fn create(running: &Running, key: &str, body: &[u8]) -> Asking {
    running
        .ask("POST", "/v1/files")
        .header("idempotency-key", key)
        .header("content-type", "image/x-test")
        .body(body)
}

fn part(running: &Running, method: &str, path: &str, complete: &str, body: &[u8]) -> Asking {
    running
        .ask(method, path)
        .header("upload-complete", complete)
        .header("content-type", "application/partial-upload")
        .body(body)
}

async fn download(running: &Running, location: &str) -> Seen {
    let path = format!("{location}/content");
    running.ask("GET", &path).send().await
}

fn path_of(location: &str) -> String {
    let at = location.find("/v1/").unwrap();
    location[at..].to_owned()
}

async fn effects(running: &Running) -> Value {
    running.admin_get("/admin/effects?op=files.create").await
}

#[tokio::test]
async fn a_file_is_whole_or_not_there_wherever_the_process_dies() {
    for (point, happened) in [
        ("before-key", false),
        ("after-commit@1", false),
        ("before-commit@2", false),
        ("after-commit@2", true),
        ("before-answer", true),
    ] {
        let folder = Folder::new();
        let body = content(1);
        let running = Running::start_to_abort(&folder.file(), point);
        assert_eq!(
            create(&running, "k", &body).send().await.raw,
            b"",
            "{point}"
        );
        running.aborted();

        let running = Running::start(&folder.file());
        let count = effects(&running).await["count"].clone();
        assert_eq!(count, u64::from(happened), "{point}");
        let there = running.ask("GET", "/v1/files/fl_000001").send().await;
        assert_eq!(there.status(), if happened { 200 } else { 404 }, "{point}");
        let first = create(&running, "k", &body).send().await;
        let replayed = first.header("idempotency-replayed");
        let expected = happened.then(|| "true".to_owned());
        assert_eq!((first.status(), replayed), (201, expected), "{point}");
        let location = first.header("location").unwrap();
        running.kill();

        let running = Running::start(&folder.file());
        let seen = download(&running, &location).await;
        assert!(seen.body() == body, "{point}");
        let kind = seen.header("content-type");
        assert_eq!(kind.as_deref(), Some("image/x-test"), "{point}");
        let again = create(&running, "k", &body).send().await;
        assert_eq!(
            (again.status(), again.body()),
            (201, first.body()),
            "{point}"
        );
        let effects = effects(&running).await;
        assert_eq!(
            (&effects["count"], &effects["doubled"]),
            (&json!(1), &json!([]))
        );
        running.kill();
        assert_eq!(rows_of(&folder.file(), "file_block"), 3, "{point}");
    }
}

#[tokio::test]
async fn other_bytes_of_a_file_are_the_old_or_the_new_ones_and_nothing_of_both() {
    for (point, happened) in [("before-commit", false), ("after-commit", true)] {
        let folder = Folder::new();
        let running = Running::start(&folder.file());
        let made = create(&running, "k", &content(1)).send().await;
        let location = made.header("location").unwrap();
        let before = download(&running, &location).await.header("etag");
        running.kill();

        let running = Running::start_to_abort(&folder.file(), point);
        let path = format!("{location}/content");
        let other = &content(2)[..200_000];
        let put = running.ask("PUT", &path).body(other);
        assert_eq!(put.send().await.raw, b"", "{point}");
        running.aborted();

        let running = Running::start(&folder.file());
        let seen = download(&running, &location).await;
        let (expected, blocks) = if happened {
            (other.to_vec(), 2)
        } else {
            (content(1), 3)
        };
        assert!(seen.body() == expected, "{point}");
        assert_eq!(seen.header("etag") != before, happened, "{point}");
        let gone = running.ask("DELETE", &location).send().await;
        running.kill();
        assert_eq!(gone.status(), 204);
        let rows = |kind| rows_of(&folder.file(), kind);
        assert_eq!(
            (rows("file"), rows("file_block")),
            (0, 0),
            "{point} {blocks}"
        );
        let running = Running::start(&folder.file());
        assert_eq!(download(&running, &location).await.status(), 404);
        // Its id is not given out again.
        let next = create(&running, "next", b"x").send().await;
        assert_ne!(next.header("location").unwrap(), location);
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stood_when_the_process_was_killed() {
    let folder = Folder::new();
    let body = content(3);
    let running = Running::start(&folder.file());
    let begun = part(&running, "POST", "/v1/files", "?0", &body[..1_000])
        .header("upload-length", &body.len().to_string())
        .send()
        .await;
    let path = path_of(&begun.header("location").unwrap());
    running.kill();

    // A part that is killed before it is on disk did not come; one that is killed after it did.
    for (point, from, to, stands) in [
        ("before-commit", 1_000, 140_000, 1_000),
        ("after-commit", 1_000, 140_000, 140_000),
        ("after-commit", 140_000, 140_003, 140_003),
    ] {
        let running = Running::start_to_abort(&folder.file(), point);
        let append = part(&running, "PATCH", &path, "?0", &body[from..to]);
        let append = append.header("upload-offset", &from.to_string());
        assert_eq!(append.send().await.raw, b"", "{point}");
        running.aborted();
        let running = Running::start(&folder.file());
        let head = running.ask("HEAD", &path).send().await;
        let offset = head.header("upload-offset");
        assert_eq!(offset, Some(stands.to_string()), "{point}");
        assert_eq!(head.header("upload-complete").as_deref(), Some("?0"));
        assert_eq!(head.header("upload-length"), Some(body.len().to_string()));
        running.kill();
    }

    for (point, happened) in [("before-commit", false), ("after-commit", true)] {
        let running = Running::start_to_abort(&folder.file(), point);
        let last = part(&running, "PATCH", &path, "?1", &body[140_003..]);
        let last = last.header("upload-offset", "140003");
        assert_eq!(last.send().await.raw, b"", "{point}");
        running.aborted();
        let running = Running::start(&folder.file());
        let count = effects(&running).await["count"].clone();
        assert_eq!(count, u64::from(happened), "{point}");
        let head = running.ask("HEAD", &path).send().await;
        let complete = head.header("upload-complete");
        let expected = if happened { "?1" } else { "?0" };
        assert_eq!(complete.as_deref(), Some(expected), "{point}");
        if happened {
            let location = head.header("location").unwrap();
            assert!(download(&running, &location).await.body() == body);
        }
        running.kill();
    }
    // The blocks are those that the parts wrote.
    assert_eq!(rows_of(&folder.file(), "file_block"), 3);
}

#[tokio::test]
async fn what_is_cancelled_or_changed_on_demand_stays_so_and_a_snapshot_has_the_bytes() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let begun = part(&running, "POST", "/v1/files", "?0", b"01234")
        .send()
        .await;
    let upload = path_of(&begun.header("location").unwrap());
    assert_eq!(running.ask("DELETE", &upload).send().await.status(), 204);
    let made = create(&running, "k", &content(4)).send().await;
    let location = made.header("location").unwrap();
    let id = location.rsplit('/').next().unwrap().to_owned();
    let changed = json!({ "id": id });
    running.admin("POST", "/admin/files/change", changed).await;
    let before = download(&running, &location).await;
    let snapshot = running.admin_get("/admin/snapshot").await;
    running.kill();
    assert_eq!(rows_of(&folder.file(), "upload"), 0);

    let running = Running::start(&folder.file());
    assert_eq!(running.ask("HEAD", &upload).send().await.status(), 404);
    let after = download(&running, &location).await;
    assert_eq!(after.header("etag"), before.header("etag"));
    assert!(after.body() == before.body() && after.body() != content(4));
    running.admin("POST", "/admin/reset", json!({})).await;
    assert_eq!(download(&running, &location).await.status(), 404);
    let restored = running.admin("POST", "/admin/snapshot", snapshot.clone());
    assert_eq!(restored.await.status(), 200);
    assert!(download(&running, &location).await.body() == before.body());

    // A snapshot whose bytes are not all there changes nothing.
    let mut broken = snapshot;
    let rows = broken["rows"].as_array_mut().unwrap();
    let block = rows.iter().position(|row| row["kind"] == "file_block");
    rows.remove(block.unwrap());
    let refused = running.admin("POST", "/admin/snapshot", broken).await;
    assert_eq!(refused.status(), 422);
    let why = refused.json()["detail"].to_string();
    assert!(why.contains("bytes and should have 300000"), "{why}");
    assert!(download(&running, &location).await.body() == before.body());
}
