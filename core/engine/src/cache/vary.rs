//! `Vary` (RFC 9111, section 4.1): which fields of a request chose the answer, and whether another request would have chosen
//! the same.
//!
//! Values are compared by their members, whatever space or lines are between them; those of `Accept-Language` and its like
//! in any case. An absent field fits only an absent one. Credentials are no part of this: the key tells them apart.

use http::header::{ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderName};

/// The fields of a request that chose an answer, with their values as they are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selecting(Vec<(HeaderName, Option<Vec<u8>>)>);

impl Selecting {
    /// What chose this answer to a request with these fields; `None` where nothing that is known did: `Vary: *`, or what is
    /// no name.
    #[must_use]
    pub fn of(answer: &HeaderMap, request: &HeaderMap) -> Option<Self> {
        let mut fields = Vec::new();
        for name in names(answer)? {
            if !fields.iter().any(|(known, _)| *known == name) {
                let value = compared(request, &name);
                fields.push((name, value));
            }
        }
        Some(Self(fields))
    }

    /// Whether a request with these fields would have been answered the same.
    #[must_use]
    pub fn fits(&self, request: &HeaderMap) -> bool {
        self.0
            .iter()
            .all(|(name, value)| compared(request, name) == *value)
    }

    /// Whether it chose by one of these fields.
    #[must_use]
    pub fn names_any(&self, names: &[HeaderName]) -> bool {
        self.0.iter().any(|(name, _)| names.contains(name))
    }

    pub(super) fn size(&self) -> usize {
        let of = |(name, value): &(HeaderName, Option<Vec<u8>>)| {
            name.as_str().len() + value.as_ref().map_or(0, Vec::len) + 48
        };
        self.0.iter().map(of).sum()
    }
}

/// The names in an answer's `Vary`.
fn names(answer: &HeaderMap) -> Option<Vec<HeaderName>> {
    let mut names = Vec::new();
    for value in answer.get_all(VARY) {
        for name in value.as_bytes().split(|b| *b == b',') {
            let name = name.trim_ascii();
            if name.is_empty() {
                continue;
            }
            if name == b"*" {
                return None;
            }
            names.push(HeaderName::from_bytes(name).ok()?);
        }
    }
    Some(names)
}

/// A request's field as it is compared: its members with one comma between.
fn compared(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let mut whole: Option<Vec<u8>> = None;
    for value in request.get_all(name) {
        let whole = whole.get_or_insert_with(Vec::new);
        for member in value.as_bytes().split(|b| *b == b',') {
            let member = member.trim_ascii();
            if !member.is_empty() {
                if !whole.is_empty() {
                    whole.push(b',');
                }
                whole.extend_from_slice(member);
            }
        }
    }
    if [ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE].contains(name)
        && let Some(whole) = &mut whole
    {
        whole.make_ascii_lowercase();
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn section_4_1_what_fits() {
        let two = [("foo", "1"), ("bar", "abc")];
        for (vary, first, second, fits) in [
            ("Foo", &[("foo", "1")][..], &[("foo", "1")][..], true),
            ("Foo", &[("foo", "1")], &[("foo", "2")], false),
            ("Foo", &[], &[("foo", "1")], false),
            ("Foo", &[("foo", "1")], &[], false),
            ("Foo", &[], &[], true),
            (
                "Foo",
                &[("foo", "1"), ("other", "a")],
                &[("foo", "1"), ("other", "b")],
                true,
            ),
            ("Foo, Bar", &two, &two, true),
            ("Foo, Bar", &two, &[("foo", "1"), ("bar", "abcde")], false),
            ("Foo, Bar", &two, &[("foo", "1")], false),
            ("Foo,,  bar", &two, &[("bar", "abc"), ("foo", "1")], true),
            (
                "Foo",
                &[("foo", "1, 2")],
                &[("foo", "1"), ("foo", "2")],
                true,
            ),
            ("Foo", &[("foo", "1,2")], &[("foo", " 1, 2 ")], true),
            ("Foo", &[("foo", "a")], &[("foo", "A")], false),
            (
                "Accept-Language",
                &[("accept-language", "en, de")],
                &[("accept-language", "eN,De")],
                true,
            ),
            ("", &[("foo", "1")], &[], true),
        ] {
            let selecting = Selecting::of(
                &HeaderMap::from_iter([(VARY, HeaderValue::from_static(vary))]),
                &headers(first),
            );
            assert_eq!(
                selecting.unwrap().fits(&headers(second)),
                fits,
                "{vary} {first:?} {second:?}"
            );
        }
    }

    #[test]
    fn a_star_anywhere_fits_nothing() {
        for lines in [
            &["*"][..],
            &["*, *"],
            &["*", "*"],
            &[", *"],
            &["", "*"],
            &["*, Foo"],
            &["Foo, *"],
            &["a b"],
        ] {
            let mut answer = HeaderMap::new();
            for line in lines {
                answer.append(VARY, HeaderValue::from_static(line));
            }
            assert_eq!(Selecting::of(&answer, &HeaderMap::new()), None, "{lines:?}");
        }
    }
}
