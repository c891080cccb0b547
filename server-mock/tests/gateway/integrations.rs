//! Notices to people: what Slack and a mail server get, what a sink shows, and what becomes of those that are not taken.

use std::collections::VecDeque;
use std::time::Duration;

use gatewright_server_mock::{Gateway, Notice, NoticeState};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::caller::{Caller, nobody};
use crate::receiver::Receiver;

async fn set(caller: &Caller, integrations: Value) -> (u16, Value) {
    let path = format!("/admin/session?session={}", caller.session.name());
    let set = caller.admin("POST", &path);
    let answer = set
        .json(&json!({ "integrations": integrations }))
        .send()
        .await;
    (answer.status(), answer.json())
}

async fn until(caller: &Caller, what: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    for _ in 0..2_000 {
        let notices = caller.session.notices();
        if what(&notices) {
            return notices;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it has not come: {:?}", caller.session.notices());
}

fn all(notices: &[Notice], count: usize, state: NoticeState) -> bool {
    notices.len() == count && notices.iter().all(|notice| notice.state == state)
}

async fn create(caller: &Caller, name: &str) {
    let made = caller.post("/v1/contacts", json!({ "name": name })).await;
    assert_eq!(made.status(), 201);
}

#[tokio::test]
async fn slack_gets_the_text_of_events_that_fit_and_no_markup_of_theirs() {
    let caller = Caller::new().await;
    let slack = Receiver::answering(&[200, 200]).await;
    let integration = json!({
        "name": "ops", "events": ["contact.created"], "filter": "$.data.name matches \"*A*\"",
        "template": "*New contact* {{ data.name }}", "slack": {"url": slack.url},
    });
    assert_eq!(set(&caller, json!([integration])).await.0, 200);
    for name in ["Ada <!channel>", "bob", "Alan & co"] {
        create(&caller, name).await;
    }
    let notices = until(&caller, |notices| all(notices, 2, NoticeState::Sent)).await;
    assert_eq!(notices[0].attempts[0].outcome, "200");
    let texts: Vec<Value> = slack
        .received()
        .iter()
        .map(|got| serde_json::from_slice(&got.body).unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            json!({"text": "*New contact* Ada &lt;!channel&gt;"}),
            json!({"text": "*New contact* Alan &amp; co"}),
        ]
    );
}

#[tokio::test]
async fn what_slack_does_not_take_now_is_tried_again_by_the_clock_and_what_it_refuses_is_not() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let busy = "HTTP/1.1 429 Status\r\nretry-after: 20\r\ncontent-length: 0\r\n\r\n".to_owned();
    let broken = "HTTP/1.1 500 Status\r\ncontent-length: 0\r\n\r\n".to_owned();
    let gone = "HTTP/1.1 404 Status\r\ncontent-length: 0\r\n\r\n".to_owned();
    let slack = Receiver::start(VecDeque::from([busy, broken, gone])).await;
    set(
        &caller,
        json!([{"name": "ops", "slack": {"url": slack.url}}]),
    )
    .await;
    create(&caller, "Ada").await;
    let tried = |attempts: usize| {
        move |notices: &[Notice]| {
            notices[0].attempts.len() == attempts && notices[0].state != NoticeState::Sending
        }
    };
    let first = until(&caller, tried(1)).await.remove(0);
    assert_eq!(
        first.next_attempt_ms,
        Some(first.attempts[0].at_ms + 20_000)
    );
    caller.session.advance(Duration::from_secs(20)).await;
    let second = until(&caller, tried(2)).await.remove(0);
    assert_eq!(
        second.next_attempt_ms,
        Some(second.attempts[1].at_ms + 5_000)
    );
    caller.session.advance(Duration::from_secs(5)).await;
    let third = until(&caller, tried(3)).await.remove(0);
    assert_eq!(
        (third.state, third.next_attempt_ms),
        (NoticeState::Failed, None)
    );
    assert!(third.attempts[2].outcome.starts_with("404"));
    assert_eq!(slack.received().len(), 3);
}

#[tokio::test]
async fn a_sink_sends_nothing_and_shows_what_it_would_have_sent() {
    let caller = Caller::new().await;
    let email = json!({"smtp": "sink", "from": "Gateway <gateway@example.com>", "to": ["ada@example.com"], "subject": "{{ type }}:\n{{ data.name }}"});
    set(&caller, json!([
        {"name": "chat", "slack": {"url": "sink"}},
        {"name": "post", "events": ["contact.*"], "template": "Hello {{ data.name }}", "email": email},
    ])).await;
    create(&caller, "Ada").await;
    let notices = until(&caller, |notices| all(notices, 2, NoticeState::Sent)).await;
    assert_eq!(notices[0].text, "contact.created: Ada");
    assert_eq!(notices[1].subject.as_deref(), Some("contact.created: Ada"));
    assert_eq!(notices[1].text, "Hello Ada");
    let path = format!("/admin/notices?session={}", caller.session.name());
    let shown = caller.admin("GET", &path).send().await.json();
    assert_eq!(shown["notices"].as_array().unwrap().len(), 2);
    let test = format!(
        "/admin/integrations/test?session={}&name=chat",
        caller.session.name()
    );
    assert_eq!(caller.admin("POST", &test).send().await.status(), 200);
    let notices = until(&caller, |notices| all(notices, 3, NoticeState::Sent)).await;
    assert_eq!(notices[2].text, "integration.test: a test");
}

/// A mail server that says these lines in turn, and gives back what it was told.
async fn mail_server(
    answers: &'static [&'static str],
) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (read, mut write) = socket.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut told = Vec::new();
        write.write_all(b"220 ready\r\n").await.unwrap();
        let mut answers = answers.iter();
        let mut in_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            told.push(line.clone());
            if in_data && line != "." {
                continue;
            }
            let Some(answer) = answers.next() else { break };
            in_data = answer.starts_with("354");
            write
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
        }
        told
    });
    (url, served)
}

fn email(url: &str) -> Value {
    json!([{
        "name": "post", "template": "Hello {{ data.name }}",
        "email": {"smtp": url, "from": "Gateway <gateway@example.com>", "to": ["Ada <ada@example.com>"], "subject": "News of {{ data.name }}"},
    }])
}

#[tokio::test]
async fn a_mail_server_gets_the_message() {
    let caller = Caller::new().await;
    let (url, served) = mail_server(&[
        "250 hello",
        "250 from",
        "250 to",
        "354 go on",
        "250 taken",
        "221 bye",
    ])
    .await;
    assert_eq!(set(&caller, email(&url)).await.0, 200);
    create(&caller, "Ada").await;
    let notices = until(&caller, |notices| all(notices, 1, NoticeState::Sent)).await;
    assert_eq!(notices[0].attempts.len(), 1);
    drop(caller);
    let told = served.await.unwrap();
    let has = |line: &str| {
        assert!(
            told.iter().any(|known| known == line),
            "{line} in {told:#?}"
        )
    };
    has("MAIL FROM:<gateway@example.com>");
    has("RCPT TO:<ada@example.com>");
    has("Subject: News of Ada");
    has("Hello Ada");
    assert!(
        told.iter()
            .any(|line| line.starts_with("Message-ID: <evt_")),
        "{told:#?}"
    );
}

#[tokio::test]
async fn an_address_that_a_mail_server_refuses_for_good_is_not_tried_again() {
    let caller = Caller::new().await;
    let (url, served) =
        mail_server(&["250 hello", "250 from", "550 no such user", "250 reset"]).await;
    set(&caller, email(&url)).await;
    create(&caller, "Ada").await;
    let notices = until(&caller, |notices| all(notices, 1, NoticeState::Failed)).await;
    assert!(
        notices[0].attempts[0].outcome.contains("550")
            || notices[0].attempts[0].outcome.contains("no such user"),
        "{notices:?}"
    );
    served.abort();
}

#[tokio::test]
async fn what_is_no_integration_is_said_before_anything_is_set() {
    let caller = Caller::new().await;
    for (integration, word) in [
        (json!({"name": "a"}), "either slack or email"),
        (
            json!({"name": "a", "slack": {"url": "nowhere"}}),
            "http or https",
        ),
        (
            json!({"name": "a", "template": "{{ data.", "slack": {"url": "sink"}}),
            "template",
        ),
        (
            json!({"name": "a", "filter": "$.data.", "slack": {"url": "sink"}}),
            "filter",
        ),
        (
            json!({"name": "a", "email": {"smtp": "sink", "from": "x", "to": ["y@example.com"]}}),
            "\"x\"",
        ),
        (
            json!({"name": "a", "email": {"smtp": "http://secret@x", "from": "a@example.com", "to": ["y@example.com"]}}),
            "smtps://",
        ),
    ] {
        let (status, fault) = set(&caller, json!([integration])).await;
        let detail = fault["detail"].as_str().unwrap();
        assert!(status == 422 && detail.contains(word), "{status} {detail}");
        assert!(!detail.contains("secret"), "{detail}");
    }
}

#[tokio::test]
async fn notices_that_are_pending_outlive_the_gateway() {
    let folder = std::env::temp_dir().join(format!("gatewright-notices-{}", std::process::id()));
    // What another run may have left.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("data.db");
    let slack = Receiver::answering(&[200]).await;
    let (_held, nowhere) = nobody();
    let nowhere = format!("http://{nowhere}/");
    for (url, sent) in [(nowhere, false), (slack.url.clone(), true)] {
        let gateway = Gateway::builder().data(&file).start().await.unwrap();
        let session = gateway.session("kept").unwrap();
        let change = json!({ "integrations": [{"name": "ops", "slack": {"url": url}}] });
        session
            .set(serde_json::from_value(change).unwrap())
            .unwrap();
        if !sent {
            session.freeze();
            let call = crate::caller::asking(&gateway.url(), "POST", "/v1/contacts");
            let call = call
                .header("authorization", "Bearer sk_test_unlimited_acme")
                .header("x-mock-session", "kept");
            assert_eq!(
                call.json(&json!({"name": "Ada"})).send().await.status(),
                201
            );
        } else {
            session.advance(Duration::from_secs(3_600)).await;
        }
        for _ in 0..2_000 {
            let notices = session.notices();
            let done = match sent {
                true => all(&notices, 1, NoticeState::Sent),
                false => {
                    notices.len() == 1
                        && notices[0].attempts.len() == 1
                        && notices[0].state == NoticeState::Pending
                }
            };
            if done {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let notices = session.notices();
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].state == NoticeState::Sent, sent, "{notices:?}");
        gateway.shutdown().await;
    }
    assert_eq!(slack.received().len(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}
