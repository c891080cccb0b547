//! Finds the next page of a list: `Link: <…>; rel="next"` (RFC 8288), or a cursor in the JSON body.

use http::HeaderMap;
use http::header::LINK;
use serde_json::Value;
use url::Url;

/// Where pages name the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageStyle {
    /// The body's member with the cursor. Default `next_cursor`. Dots go into objects: `meta.next`.
    pub cursor_field: String,
    /// The query parameter that takes the cursor. Default `cursor`.
    pub cursor_param: String,
    /// The body's member with the items. Default `data`; where the body itself is an array, that is it.
    pub items_field: String,
}

impl Default for PageStyle {
    fn default() -> Self {
        Self {
            cursor_field: "next_cursor".into(),
            cursor_param: "cursor".into(),
            items_field: "data".into(),
        }
    }
}

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPage {
    /// There.
    At(Url),
    /// This was the last.
    End,
    /// The page names itself as the next: following it would never end.
    Loop(Url),
}

/// Finds the page after the one at `url`. A `Link` wins over a cursor. `body` is asked for only without one.
pub fn find_next_page(
    style: &PageStyle,
    url: &Url,
    headers: &HeaderMap,
    body: impl FnOnce() -> Option<Value>,
) -> NextPage {
    let next = match next_link(headers) {
        Some(target) => url.join(&target).ok(),
        None => body()
            .and_then(|body| next_cursor(style, &body))
            .map(|cursor| with_cursor(style, url, &cursor)),
    };
    match next {
        None => NextPage::End,
        Some(next) if next == *url => NextPage::Loop(next),
        Some(next) => NextPage::At(next),
    }
}

fn next_cursor(style: &PageStyle, body: &Value) -> Option<String> {
    match style
        .cursor_field
        .split('.')
        .try_fold(body, |value, name| value.get(name))?
    {
        Value::String(cursor) if !cursor.is_empty() => Some(cursor.clone()),
        Value::Number(cursor) => Some(cursor.to_string()),
        _ => None,
    }
}

fn with_cursor(style: &PageStyle, url: &Url, cursor: &str) -> Url {
    let mut next = url.clone();
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| *name != style.cursor_param)
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    next.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(&style.cursor_param, cursor);
    next
}

/// The target of the first `rel="next"` link.
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| {
            let mut rest = value;
            while let Some(start) = rest.find('<') {
                let after = rest.get(start + 1..)?;
                let (target, tail) = after.split_once('>')?;
                let (parameters, next) = parameters_of(tail);
                if is_next(parameters) {
                    return Some(target.trim().to_owned());
                }
                rest = next;
            }
            None
        })
}

/// Splits at the comma that ends this link's parameters: one outside of quotes.
fn parameters_of(tail: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in tail.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                let (parameters, rest) = tail.split_at(at);
                return (parameters, rest.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (tail, "")
}

fn is_next(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|p| p.split_once('='))
        .any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split_ascii_whitespace()
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn next(link: Option<&'static str>, body: Value) -> NextPage {
        let headers = link
            .map(|l| (LINK, HeaderValue::from_static(l)))
            .into_iter()
            .collect();
        let url = Url::parse("https://h.example/v1/contacts?limit=2&cursor=a").unwrap();
        find_next_page(&PageStyle::default(), &url, &headers, || Some(body))
    }

    fn at(text: &str) -> NextPage {
        NextPage::At(Url::parse(text).unwrap())
    }

    #[test]
    fn links_are_found_among_others() {
        let link = r#"</p>; rel="prev"; title="a, b", </n?x=1>; foo=bar; rel="last next""#;
        assert_eq!(next(Some(link), Value::Null), at("https://h.example/n?x=1"));
        assert_eq!(
            next(Some("<https://h.example/q>; REL=Next"), Value::Null),
            at("https://h.example/q")
        );
    }

    #[test]
    fn cursors_replace_the_one_before() {
        let body = serde_json::json!({"next_cursor": "b c"});
        assert_eq!(
            next(None, body),
            at("https://h.example/v1/contacts?limit=2&cursor=b+c")
        );
        assert_eq!(
            next(None, serde_json::json!({"next_cursor": 7})),
            at("https://h.example/v1/contacts?limit=2&cursor=7")
        );
    }

    #[test]
    fn the_last_page_ends_it() {
        for body in [
            serde_json::json!({"next_cursor": null}),
            serde_json::json!({"next_cursor": ""}),
            serde_json::json!([]),
        ] {
            assert_eq!(next(None, body), NextPage::End);
        }
    }

    #[test]
    fn a_page_that_names_itself_is_a_loop() {
        assert!(matches!(
            next(None, serde_json::json!({"next_cursor": "a"})),
            NextPage::Loop(_)
        ));
    }

    #[test]
    fn hostile_links_do_no_harm() {
        for link in [
            "<",
            "<>",
            "<a",
            "<a>;rel=\"next",
            ",,,<,",
            "<a>; rel",
            "<a>;rel=\"\\",
        ] {
            let _ = next(Some(link), Value::Null);
        }
    }
}
