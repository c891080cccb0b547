//! Files that came in forms outlive the process, with their names and keys.

use super::child::{Folder, Running};
use crate::caller::{Asking, Seen};

fn post(running: &Running, boundary: &str) -> Asking {
    let about = "Content-Disposition: form-data; name=\"upload\"; filename=\"Übung.txt\"";
    let body = format!("--{boundary}\r\n{about}\r\n\r\nhello\r\n--{boundary}--\r\n");
    running
        .ask("POST", "/v1/files")
        .header("idempotency-key", "k")
        .header(
            "content-type",
            &format!("multipart/form-data; boundary={boundary}"),
        )
        .body(body)
}

fn told(seen: &Seen) -> (u16, Option<String>, Option<String>) {
    let replayed = seen.header("idempotency-replayed");
    (seen.status(), seen.header("location"), replayed)
}

#[tokio::test]
async fn a_file_of_a_form_is_what_it_was_and_its_key_holds_for_another_boundary() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let (status, location, _) = told(&post(&running, "one").send().await);
    assert_eq!(status, 201);
    let location = location.unwrap();
    let before = running.get(&location).await;
    assert_eq!(before["filename"], "Übung.txt");
    running.kill();

    let running = Running::start(&folder.file());
    assert_eq!(running.get(&location).await, before);
    let again = post(&running, "two").send().await;
    assert_eq!(told(&again), (201, Some(location), Some("true".into())));
}
