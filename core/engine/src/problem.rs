//! Problem details (RFC 9457): what an error body says, as far as it can be read.

use serde_json::Value;

/// The members of a problem document. Unknown members are kept in `extensions`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// A URI that names the kind of problem.
    pub kind: Option<String>,
    /// A short summary of the kind.
    pub title: Option<String>,
    /// What went wrong this time.
    pub detail: Option<String>,
    /// A URI that names this occurrence.
    pub instance: Option<String>,
    /// The provider's own code.
    pub code: Option<String>,
    /// Everything else that the body said.
    pub extensions: serde_json::Map<String, Value>,
}

/// Reads an error body: `application/problem+json`, or the JSON shapes that are common elsewhere
/// (`{"error": {"message", "code", "type"}}`, `{"error": "...", "error_description": "..."}`, `{"message": "..."}`).
/// `None` where it is none of these.
#[must_use]
pub fn read_problem(body: &[u8]) -> Option<Problem> {
    let mut members: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut problem = Problem {
        kind: take_text(&mut members, "type"),
        title: take_text(&mut members, "title"),
        detail: take_text(&mut members, "detail"),
        instance: take_text(&mut members, "instance"),
        code: take_text(&mut members, "code"),
        extensions: serde_json::Map::new(),
    };
    match members.get("error") {
        Some(Value::Object(inner)) => {
            let text = |name| inner.get(name).and_then(Value::as_str).map(str::to_owned);
            problem.detail = problem.detail.or_else(|| text("message"));
            problem.code = problem
                .code
                .or_else(|| text("code"))
                .or_else(|| text("type"));
        }
        Some(Value::String(code)) => {
            problem.code = problem.code.or_else(|| Some(code.clone()));
            let described = members
                .get("error_description")
                .and_then(Value::as_str)
                .map(str::to_owned);
            problem.detail = problem.detail.or(described);
        }
        _ => {}
    }
    if problem.detail.is_none() {
        problem.detail = members
            .get("message")
            .and_then(Value::as_str)
            .map(str::to_owned);
    }
    problem.extensions = members;
    Some(problem)
}

fn take_text(members: &mut serde_json::Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name) {
        Some(Value::String(_)) => match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

impl Problem {
    /// Whether the server says that an idempotent request is still being worked on.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|k| k.ends_with("idempotency-in-flight"))
            || self.code.as_deref().is_some_and(|c| {
                matches!(
                    c,
                    "idempotency_in_flight"
                        | "idempotency_key_in_use"
                        | "idempotency-in-flight"
                        | "concurrent_request"
                )
            })
    }

    /// The best one-line text: detail, else title, else code.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.detail
            .as_deref()
            .or(self.title.as_deref())
            .or(self.code.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_documents_are_read_whole() {
        let body = br#"{"type":"https://x/in-use","title":"T","detail":"D","instance":"/i","code":"c","balance":30}"#;
        let problem = read_problem(body).unwrap();
        assert_eq!(problem.kind.as_deref(), Some("https://x/in-use"));
        assert_eq!(problem.text(), Some("D"));
        assert_eq!(problem.code.as_deref(), Some("c"));
        assert_eq!(problem.extensions.get("balance"), Some(&Value::from(30)));
    }

    #[test]
    fn other_common_shapes_give_a_text_and_a_code() {
        let openai = read_problem(
            br#"{"error":{"message":"bad key","type":"invalid_request_error","code":null}}"#,
        )
        .unwrap();
        assert_eq!(
            (openai.text(), openai.code.as_deref()),
            (Some("bad key"), Some("invalid_request_error"))
        );
        let oauth =
            read_problem(br#"{"error":"invalid_grant","error_description":"expired"}"#).unwrap();
        assert_eq!(
            (oauth.text(), oauth.code.as_deref()),
            (Some("expired"), Some("invalid_grant"))
        );
        assert_eq!(
            read_problem(br#"{"message":"m"}"#).unwrap().text(),
            Some("m")
        );
    }

    #[test]
    fn what_is_no_json_object_is_no_problem_document() {
        for body in [
            &b""[..],
            b"<html>",
            b"[]",
            b"3",
            b"null",
            b"{",
            &[0xff, 0xfe],
        ] {
            assert_eq!(read_problem(body), None);
        }
    }

    #[test]
    fn members_of_the_wrong_type_are_kept_as_extensions() {
        let problem = read_problem(br#"{"type":3,"title":["x"]}"#).unwrap();
        assert_eq!((problem.kind, problem.extensions.len()), (None, 2));
    }
}
