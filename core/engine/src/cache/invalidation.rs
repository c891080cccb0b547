//! What a change makes worthless (RFC 9111, section 4.4): the URL that was changed, and those of the same origin that its answer
//! names in `Location` and `Content-Location`.
//!
//! More than the RFC asks for: of each, the answers for all queries, because a list of an API has its pages and filters there.

use http::HeaderMap;
use http::header::{CONTENT_LOCATION, LOCATION};
use url::Url;

/// The URLs whose stored answers are worth nothing after this successful answer to an unsafe request to `url`.
#[must_use]
pub fn invalidated(url: &Url, answer: &HeaderMap) -> Vec<Url> {
    let mut urls = vec![url.clone()];
    for name in [LOCATION, CONTENT_LOCATION] {
        let named = answer
            .get(name)
            .and_then(|value| url.join(value.to_str().ok()?).ok());
        // Of another origin, it would let one server empty what came from another.
        if let Some(named) = named
            && named.origin() == url.origin()
            && !urls.contains(&named)
        {
            urls.push(named);
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn section_4_4_the_target_and_what_the_answer_names() {
        let url = Url::parse("https://h.example/v1/a?x=1").unwrap();
        let of = |location: &'static str| {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
            let urls = invalidated(&url, &headers);
            urls.into_iter()
                .skip(1)
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("/v1/b"), ["https://h.example/v1/b"]);
        assert_eq!(of("b?y"), ["https://h.example/v1/b?y"]);
        for none in [
            "https://other.example/v1/b",
            "http://h.example/v1/b",
            "https://h.example:444/b",
            "https://[",
            "/v1/a?x=1",
        ] {
            assert!(of(none).is_empty(), "{none}");
        }
    }
}
