//! Lists, a page at a time.

use gatewright::testing::{answer, answer_with};
use serde_json::json;

use super::stage::{ANSWER, END, ERROR, Stage};

const STYLE: &str = r#"{"items": "rows", "cursor": "meta.next", "cursorParam": "after"}"#;

#[test]
fn pages_follow_the_cursor_to_the_end() {
    let stage = Stage::new([
        answer_with(200, &[], r#"{"rows": [1, 2], "meta": {"next": "c2"}}"#),
        answer_with(200, &[], r#"{"rows": [3]}"#),
    ]);
    let client = stage.client("{}");
    client.pages(7, "/list", Some(r#"{"query": [["q", "1"]]}"#), STYLE);
    stage.port.next_page(1, 7);
    assert_eq!(stage.port.waiting(), 1);
    let (status, _, body) = stage.frame().answer();
    assert_eq!(
        (status, &*body),
        (200, &br#"{"rows": [1, 2], "meta": {"next": "c2"}}"#[..])
    );
    stage.port.next_page(2, 7);
    assert_eq!(stage.frame().answer().2, br#"{"rows": [3]}"#);
    stage.port.next_page(3, 7);
    let end = stage.frame();
    assert_eq!((end.call, end.kind), (3, END));
    let urls: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|r| r.url.to_string())
        .collect();
    assert_eq!(
        urls,
        [
            "https://api.example.com/v1/list?q=1",
            "https://api.example.com/v1/list?q=1&after=c2"
        ]
    );
    stage.port.drop_pages(7);
    stage.assert_empty();
}

#[test]
fn a_page_that_failed_is_asked_for_again() {
    let stage = Stage::new([answer_with(404, &[], ""), answer_with(200, &[], "[1]")]);
    stage.client("{}").pages(7, "/list", None, "{}");
    stage.port.next_page(1, 7);
    assert_eq!(stage.error(1)["code"], "not_found");
    stage.port.next_page(2, 7);
    assert_eq!(stage.frame().kind, ANSWER);
}

#[test]
fn a_page_without_items_is_an_error() {
    let stage = Stage::new([answer(200)]);
    stage.client("{}").pages(7, "/list", None, STYLE);
    stage.port.next_page(1, 7);
    let error = stage.error(1);
    assert_eq!(
        (&error["code"], &error["status"]),
        (&json!("decode"), &json!(200))
    );
    assert!(
        error["what"].as_str().unwrap().contains("\"rows\""),
        "{error}"
    );
}

#[test]
fn what_is_wrong_with_a_list_comes_in_place_of_its_first_page() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    for (options, style, what) in [
        (
            Some(r#"{"timeoutMs": -1}"#),
            "{}",
            "`timeout` is -1; it must be a number of milliseconds above zero, or null for no limit",
        ),
        (
            Some(r#"{"nope": 1}"#),
            "{}",
            "\"nope\" is no option of this request",
        ),
        (
            Some(r#"{"stream": {}}"#),
            "{}",
            "\"stream\" is no option of this request",
        ),
        (None, r#"{"items": 1}"#, "`items` is 1; it must be a string"),
        (None, r#"{"nope": 1}"#, "\"nope\" is no option of pages"),
        (None, "7", "the style of pages must be an object"),
    ] {
        client.pages(7, "/list", options, style);
        stage.port.next_page(1, 7);
        assert_eq!(stage.error(1)["what"], what);
        stage.port.next_page(2, 7);
        assert_eq!(stage.frame().kind, END);
        stage.port.drop_pages(7);
    }
    stage.assert_empty();
}

#[test]
fn a_list_that_is_gone_says_so() {
    let stage = Stage::new([]);
    stage.port.next_page(1, 7);
    assert_eq!(stage.error(1)["code"], "closed");
    stage.client("{}").pages(7, "/list", None, "{}");
    stage.port.drop_pages(7);
    stage.port.drop_pages(7);
    stage.port.next_page(2, 7);
    let gone = stage.frame();
    assert_eq!((gone.call, gone.kind), (2, ERROR));
    stage.assert_empty();
}

#[test]
fn a_page_that_was_given_up_is_asked_for_again() {
    let stage = Stage::new([answer_with(200, &[], "[1]")]);
    let client = stage.client(r#"{"hooks": {"before": true}}"#);
    client.pages(7, "/list", None, "{}");
    stage.port.next_page(1, 7);
    assert_eq!(stage.question()["call"], 1);
    stage.port.cancel(1);
    stage.port.next_page(2, 7);
    let told: Vec<_> = stage
        .frames()
        .iter()
        .map(super::stage::Seen::json)
        .collect();
    assert_eq!(
        (&told[0]["what"], &told[1]["call"]),
        (&json!("abandon"), &json!(2))
    );
    let question = super::stage::number(&told[1]["question"]);
    stage.port.answer(question, None, None);
    assert_eq!(stage.frame().kind, ANSWER);
}
