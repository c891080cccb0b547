//! What is kept of a request and of an answer: bounded, and without secrets.

use std::collections::VecDeque;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::custom_headers;

const MAX_HEADERS: usize = 20;
const MAX_VALUE_CHARS: usize = 200;
const MAX_BODY_BYTES: usize = 1_024;
/// What all excerpts of a session may take; the oldest are dropped.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

/// A part of a request or of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Excerpt {
    /// The headers, at most 20, values of at most 200 characters. Credentials and signatures are `***` and their last four
    /// characters, as in the journal; secrets in other headers are `***`.
    pub headers: Vec<(String, String)>,
    /// The first 1 024 bytes of the body, as text; secrets in it are `***`.
    pub body: String,
    /// Whether the body goes on.
    pub cut: bool,
}

impl Excerpt {
    /// What it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        headers + self.body.len() + 64
    }
}

/// An excerpt of a body and of headers that were shortened already.
pub(crate) fn excerpt_of(
    headers: Vec<(String, String)>,
    body: &[u8],
    goes_on: bool,
    hidden: &[String],
) -> Excerpt {
    let kept = body.get(..MAX_BODY_BYTES).unwrap_or(body);
    let mut text = String::from_utf8_lossy(kept).into_owned();
    for secret in hidden {
        text = text.replace(secret.as_str(), "***");
    }
    // One that was cut off at the end is still a good part of it.
    for secret in hidden {
        let begins = (8..secret.len())
            .rev()
            .filter_map(|end| secret.get(..end))
            .find(|beginning| text.ends_with(beginning));
        if let Some(beginning) = begins {
            text.truncate(text.len() - beginning.len());
            text.push_str("***");
        }
    }
    Excerpt {
        headers,
        body: text,
        cut: goes_on || body.len() > MAX_BODY_BYTES,
    }
}

/// Headers as they are kept.
pub(crate) fn shortened(headers: &HeaderMap, hidden: &[String]) -> Vec<(String, String)> {
    headers
        .iter()
        .take(MAX_HEADERS)
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            // A credential by its name is shown as the journal shows it; only then is looked for secrets elsewhere.
            let mut text = custom_headers::shown(name.as_str(), &text);
            for secret in hidden {
                text = text.replace(secret.as_str(), "***");
            }
            let text = text.chars().take(MAX_VALUE_CHARS).collect();
            (name.as_str().into(), text)
        })
        .collect()
}

/// Which attempts have excerpts, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    attempts: VecDeque<(u64, usize, usize)>,
    bytes: usize,
}

impl Kept {
    /// An attempt of a delivery has excerpts of so many bytes; answers with those that have to go.
    pub(crate) fn add(&mut self, delivery: u64, attempt: usize, bytes: usize) -> Vec<(u64, usize)> {
        self.attempts.push_back((delivery, attempt, bytes));
        self.bytes += bytes;
        let mut gone = Vec::new();
        while self.bytes > MAX_KEPT_BYTES
            && let Some((delivery, attempt, bytes)) = self.attempts.pop_front()
        {
            self.bytes -= bytes;
            gone.push((delivery, attempt));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn bodies_are_cut_and_lose_secrets() {
        let hidden = ["whsec_0123456789".to_owned()];
        let excerpt = excerpt_of(Vec::new(), b"you sent whsec_0123456789!", false, &hidden);
        assert_eq!(
            (excerpt.body.as_str(), excerpt.cut),
            ("you sent ***!", false)
        );
        let long = format!("{}whsec_0123456789", "x".repeat(MAX_BODY_BYTES - 10));
        let excerpt = excerpt_of(Vec::new(), long.as_bytes(), false, &hidden);
        assert!(
            excerpt.cut && excerpt.body.ends_with("x***"),
            "{}",
            excerpt.body
        );
    }

    #[test]
    fn headers_are_bounded_and_lose_credentials() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "set-cookie",
            HeaderValue::from_static("session=abcdefghijkl"),
        );
        headers.insert("x-echo", HeaderValue::from_static("whsec_0123456789"));
        let own = HeaderValue::from_static("Bearer 0123456789abcdef");
        headers.insert("authorization", own);
        headers.insert("x-long", HeaderValue::from_str(&"y".repeat(500)).unwrap());
        for n in 0..40 {
            headers.append("x-many", n.into());
        }
        let hidden = ["whsec_0123456789".into(), "0123456789abcdef".into()];
        let shown = shortened(&headers, &hidden);
        assert_eq!(shown.len(), MAX_HEADERS);
        assert_eq!(shown[0], ("set-cookie".into(), "***ijkl".into()));
        assert_eq!(shown[1], ("x-echo".into(), "***".into()));
        assert_eq!(shown[2], ("authorization".into(), "Bearer ***cdef".into()));
        assert_eq!(shown[3].1.len(), MAX_VALUE_CHARS);
    }

    #[test]
    fn the_oldest_excerpts_go_first() {
        let mut kept = Kept::default();
        assert!(kept.add(1, 0, MAX_KEPT_BYTES / 2).is_empty());
        assert!(kept.add(1, 1, MAX_KEPT_BYTES / 2).is_empty());
        assert_eq!(kept.add(2, 0, 10), [(1, 0)]);
    }
}
