//! What the document forbids of a parameter is refused, and what it allows to the last is taken: nothing is clamped.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use crate::caller::{Asking, Caller};

/// Numbers that cost real time or a large answer: their greatest value is not asked for.
const DEAR: [&str; 7] = [
    "bytes",
    "count",
    "interval_ms",
    "items",
    "ms",
    "n",
    "per_connection",
];

/// Of parameters with a regular expression: what it forbids, and what it just allows.
fn of_pattern(name: &str) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let mut wrong: Vec<String>;
    let mut right: Vec<String>;
    match name {
        "Idempotency-Key" => {
            wrong = texts(&["", "\"\"", "\"", "a b", "\"a", "a\"", "ä"]);
            wrong.extend(["k".repeat(256), format!("\"{}\"", "k".repeat(256))]);
            right = texts(&["~", "\"!\"", "a\"b"]);
            right.extend(["k".repeat(255), format!("\"{}\"", "k".repeat(255))]);
        }
        "Last-Event-ID" => {
            wrong = texts(&["", "x", "-1", "+1", "1.0", "00000000000000000001"]);
            right = texts(&["9999999999999999999"]);
        }
        "contact_ids" | "owner_id" => {
            wrong = texts(&["", "xx_000001", "us_1", "ct_1", "us_0000001", "ct_0000001"]);
            let prefix = if name == "owner_id" { "us_" } else { "ct_" };
            right = vec![
                format!("{prefix}000000"),
                format!("{prefix}9999999999999999999"),
            ];
        }
        "return_to" => {
            wrong = texts(&["", "a", "//a", "/\\a", "/a b", "/ä", "https://a/"]);
            wrong.push(format!("/{}", "a".repeat(2_048)));
            right = texts(&["/", "/a?b=c//"]);
        }
        "to" => {
            wrong = texts(&["", "/a\nb", "/a\u{7f}"]);
            right = texts(&["/a b", "//ä"]);
        }
        "type" => {
            wrong = texts(&["", ",", "a,,b", "a b", "ä"]);
            wrong.push(vec!["a"; 101].join(","));
            right = texts(&["a", "contact.* , user.created"]);
            right.push(vec!["a"; 100].join(","));
        }
        other => panic!("say here what the expression of {other} forbids and allows"),
    }
    right.sort();
    (wrong, right)
}

/// Values that a schema forbids, and the last ones that it allows.
fn wrong_and_right(name: &str, schema: &Value) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let number = |of: &str| schema[of].as_u64();
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| word.as_str().unwrap().to_owned());
        return (texts(&["", "no-such-word"]), words.collect());
    }
    if schema["pattern"].is_string() {
        return of_pattern(name);
    }
    let (mut wrong, mut right): (Vec<String>, Vec<String>);
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), _) => {
            let (least, most) = (number("minimum"), number("maximum"));
            let (least, most) = (least.unwrap(), most.expect("a maximum"));
            wrong = texts(&["", "x", "+1", "1.5", "1e0", " "]);
            wrong.push((i128::from(least) - 1).to_string());
            wrong.push((i128::from(most) + 1).to_string());
            right = vec![least.to_string()];
            if !DEAR.contains(&name) {
                right.push(most.to_string());
            }
        }
        (Some("boolean"), _) => {
            (wrong, right) = (texts(&["", "yes", "1"]), texts(&["true", "false"]))
        }
        (_, Some("date-time")) => {
            wrong = texts(&["", "yesterday", "2026-02-30T12:00:00Z", "2026-11-01"]);
            right = texts(&["2026-11-01T12:00:00Z"]);
        }
        (_, Some("date")) => {
            (wrong, right) = (texts(&["", "2026-02-30"]), texts(&["2026-11-01"]));
        }
        _ if schema["anyOf"].is_array() => {
            (wrong, right) = (texts(&["", "x", "-1", "253402300800000"]), Vec::new());
        }
        _ => {
            (wrong, right) = (Vec::new(), Vec::new());
            if number("minLength").unwrap_or(0) > 0 {
                wrong.push(String::new());
            }
            if let Some(most) = number("maxLength") {
                wrong.push("x".repeat(usize::try_from(most).unwrap() + 1));
                // A cursor has to be one that a list has made.
                if name != "cursor" {
                    right.push("x".repeat(usize::try_from(most).unwrap()));
                }
            }
        }
    }
    (wrong, right)
}

/// An operation of the document, at what is there.
struct Documented<'a> {
    caller: &'a Caller,
    method: String,
    template: &'a str,
    operation: &'a Value,
    event: &'a str,
}

impl Documented<'_> {
    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
    }

    /// A request that is right but for one parameter.
    fn with(&self, place: &str, name: &str, value: &str) -> Asking {
        let encoded = |text: &str| -> String { byte_serialize(text.as_bytes()).collect() };
        let mut path = self.template.to_owned();
        let mut query = String::new();
        let mut headers = Vec::new();
        for parameter in self.parameters() {
            let own = parameter["name"].as_str().unwrap();
            let example = &parameter["example"];
            let usual = match (own, example.as_str()) {
                ("id", _) if path.starts_with("/v1/events/") => self.event.to_owned(),
                (_, Some(text)) => text.to_owned(),
                _ => example.to_string(),
            };
            let is_it = (parameter["in"].as_str(), own) == (Some(place), name);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{own}}}"), &encoded(&usual)),
                Some("query") if is_it => query += &format!("&{own}={}", encoded(value)),
                Some("query") if parameter["required"] == true => query += &format!("&{own}=/x"),
                Some("header") if is_it => headers.push((own, value)),
                Some("header") if parameter["required"] == true => {
                    headers.push((own, parameter["schema"]["enum"][0].as_str().unwrap_or("0")));
                }
                _ => {}
            }
        }
        let asking = self.caller.ask(&self.method, &format!("{path}?{query}"));
        let asking = headers
            .into_iter()
            .fold(asking, |asking, (name, value)| asking.header(name, value));
        let Some((media_type, content)) = self.operation["requestBody"]["content"]
            .as_object()
            .and_then(|contents| contents.iter().next())
        else {
            return asking;
        };
        let body = match &content["example"] {
            Value::Null => Vec::new(),
            example => example.to_string().into_bytes(),
        };
        asking.header("content-type", media_type).body(body)
    }
}

#[tokio::test]
async fn what_the_document_forbids_of_parameters_is_refused_and_what_it_allows_is_not() {
    let caller = Caller::new().await;
    let document = caller.anonymous("GET", "/openapi.json").send().await.json();
    // What the examples of the document name.
    let endpoint = json!({ "url": "http://127.0.0.1:9/hook" });
    let made = caller.post("/v1/webhook_endpoints", endpoint).await;
    assert_eq!(made.status(), 201);
    let made = caller.post("/v1/contacts", json!({ "name": "N" })).await;
    assert_eq!(made.status(), 201);
    let job = json!({ "kind": "report", "takes_ms": 600_000 });
    assert_eq!(caller.post("/v1/jobs", job).await.status(), 202);
    let begun = caller.ask("POST", "/v1/files");
    let begun = begun.header("upload-complete", "?0").send().await;
    assert_eq!(begun.status(), 201);
    let event = caller.get("/v1/events").await.json()["data"][0]["id"].clone();
    let (mut refused, mut taken, mut wrongly) = (0, 0, Vec::new());
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let documented = Documented {
                caller: &caller,
                method: method.to_ascii_uppercase(),
                template,
                operation,
                event: event.as_str().unwrap(),
            };
            for parameter in documented.parameters() {
                let name = parameter["name"].as_str().unwrap();
                let place = parameter["in"].as_str().unwrap();
                if place == "path" {
                    // What is nowhere is 404 or, where it is read, 400: the tests of the router and of each operation.
                    continue;
                }
                let (wrong, right) = wrong_and_right(name, &parameter["schema"]);
                for value in wrong {
                    let seen = documented.with(place, name, &value).send().await;
                    let names_it =
                        [400, 422].contains(&seen.status()) && seen.json()["code"].is_string();
                    if !names_it {
                        let value: String = value.chars().take(40).collect();
                        wrongly.push(format!(
                            "{method} {template} {name}={value:?} is {}",
                            seen.status()
                        ));
                    }
                    refused += 1;
                }
                // A stream has no end, and what is deleted is not there for the operations that follow.
                if template == "/v1/events/stream" || method == "delete" {
                    continue;
                }
                for value in right {
                    let seen = documented.with(place, name, &value).send().await;
                    if [400, 422].contains(&seen.status()) {
                        let why = seen.json()["detail"].clone();
                        let value: String = value.chars().take(40).collect();
                        wrongly.push(format!("{method} {template} {name}={value:?}: {why}"));
                    }
                    taken += 1;
                }
            }
        }
    }
    assert!(wrongly.is_empty(), "{}", wrongly.join("\n"));
    assert!(
        refused > 400 && taken > 200,
        "{refused} refused, {taken} taken"
    );
}

/// The characters that an expression of the form `[^\uXXXX-\uXXXX…]` leaves out.
fn left_out(pattern: &str) -> Vec<char> {
    let ranges = pattern.strip_prefix("[^").unwrap();
    let ranges = ranges.strip_suffix(']').unwrap();
    let ends: Vec<u32> = ranges
        .split("\\u")
        .skip(1)
        .map(|end| u32::from_str_radix(end.trim_end_matches('-'), 16).unwrap())
        .collect();
    let pairs = ends.chunks(2);
    let all = pairs.flat_map(|pair| pair[0]..=pair[1]);
    all.map(|c| char::from_u32(c).unwrap()).collect()
}

#[tokio::test]
async fn a_text_that_is_required_is_blank_for_the_server_where_it_is_for_the_document() {
    let caller = Caller::new().await;
    let document = caller.anonymous("GET", "/openapi.json").send().await.json();
    for (path, schema, name, made) in [
        ("/v1/contacts", "NewContact", "name", 201),
        ("/v1/jobs", "NewJob", "kind", 202),
    ] {
        let schema = &document["components"]["schemas"][schema]["properties"][name];
        let blank = left_out(schema["pattern"].as_str().unwrap());
        assert!(blank.len() > 25, "{blank:?}");
        let all: String = blank.iter().collect();
        let wrong = blank.iter().map(char::to_string).chain([all.clone()]);
        for text in wrong {
            let seen = caller.post(path, json!({ name: text })).await;
            assert_eq!(seen.status(), 422, "{path}: {text:?}");
        }
        // What is no white space for Unicode, and has something of it; and blanks around one that is none.
        for text in [
            "\u{1b}",
            "\u{7f}",
            "\u{200b}",
            "\u{2060}",
            "\u{feff}",
            "\u{180e}",
            &format!("{all}a{all}"),
        ] {
            let seen = caller.post(path, json!({ name: text })).await;
            assert_eq!(seen.status(), made, "{path}: {text:?}");
        }
    }
}
