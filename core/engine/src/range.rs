//! What answers say about parts of a representation (RFC 9110): strong entity tags, `Content-Range`, `Accept-Ranges`.

use http::{HeaderMap, HeaderValue, header};

/// The entity tag of an answer, where it is a strong one (section 8.8.1): byte for byte the same while it stays the same.
#[must_use]
pub fn strong_etag(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ETAG).filter(|etag| {
        let bytes = etag.as_bytes();
        bytes.len() >= 2 && bytes.starts_with(b"\"") && bytes.ends_with(b"\"")
    })
}

/// The entity tag is there, but only says that the meaning is the same.
#[must_use]
pub fn has_weak_etag(headers: &HeaderMap) -> bool {
    headers
        .get(header::ETAG)
        .is_some_and(|etag| etag.as_bytes().starts_with(b"W/"))
}

/// A `Content-Range` of bytes (section 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes FIRST-LAST/TOTAL`.
    Part {
        /// The first byte, counted from 0.
        first: u64,
        /// The last byte.
        last: u64,
        /// How many there are in all; `None` for `*`.
        total: Option<u64>,
    },
    /// `bytes */TOTAL`: the range that was asked for is none.
    Unsatisfied {
        /// How many there are in all.
        total: u64,
    },
}

impl ContentRange {
    /// Reads it from an answer; `None` where there is none, or where it makes no sense.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::CONTENT_RANGE).iter();
        let value = values.next()?.to_str().ok()?;
        if values.next().is_some() {
            return None;
        }
        let (unit, rest) = value.trim().split_once(' ')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim().split_once('/')?;
        if range == "*" {
            return Some(Self::Unsatisfied {
                total: number(total)?,
            });
        }
        let total = match total {
            "*" => None,
            total => Some(number(total)?),
        };
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let fits = first <= last && total.is_none_or(|total| last < total);
        fits.then_some(Self::Part { first, last, total })
    }
}

/// Digits only: neither a sign nor blanks, and no more than fit.
pub(crate) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// The length of an answer's content, where it says so.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    number(headers.get(header::CONTENT_LENGTH)?.to_str().ok()?)
}

/// The server says that it knows no ranges (section 14.3).
#[must_use]
pub fn refuses_ranges(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_RANGES)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"none"))
}

/// The content is encoded (section 8.4): its bytes are not those that the caller gets.
#[must_use]
pub fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_a_quoted_tag_without_prefix_is_strong() {
        for (tag, strong) in [
            ("\"v1\"", true),
            ("\"\"", true),
            ("W/\"v1\"", false),
            ("v1", false),
            ("\"", false),
            ("", false),
        ] {
            let headers = with(header::ETAG, tag);
            assert_eq!(strong_etag(&headers).is_some(), strong, "{tag}");
        }
        assert!(has_weak_etag(&with(header::ETAG, "W/\"v1\"")));
    }

    #[test]
    fn a_content_range_is_read_or_is_none() {
        let read = |value| ContentRange::of(&with(header::CONTENT_RANGE, value));
        let part = |first, last, total| Some(ContentRange::Part { first, last, total });
        assert_eq!(read("bytes 5-9/10"), part(5, 9, Some(10)));
        assert_eq!(read("Bytes 0-0/*"), part(0, 0, None));
        assert_eq!(
            read("bytes */10"),
            Some(ContentRange::Unsatisfied { total: 10 })
        );
        for wrong in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes -5-9/10",
            "bytes +5-9/10",
            "bytes 5-9/99999999999999999999999",
            "items 5-9/10",
            "bytes */*",
            "bytes 5-/10",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn two_content_ranges_are_none() {
        let mut headers = with(header::CONTENT_RANGE, "bytes 5-9/10");
        headers.append(
            header::CONTENT_RANGE,
            HeaderValue::from_static("bytes 0-9/10"),
        );
        assert_eq!(ContentRange::of(&headers), None);
    }
}
