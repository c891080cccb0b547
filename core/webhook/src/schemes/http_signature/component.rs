//! What the components of a request are (RFC 9421, section 2): its headers, and what is derived from method and URL.
//!
//! The client's signer (`gatewright_engine::signing`) writes the same from a parsed URL. Here the URL is text that somebody hands
//! in, and is used as it is: parsed and written again it could be another one.

use super::structured::{Bare, Item, parameter};
use crate::headers::Headers;

/// A URL in the parts that are signed.
#[derive(Clone, Copy)]
pub(crate) struct Url<'u> {
    /// Without the fragment, which never leaves the sender.
    whole: &'u str,
    scheme: &'u str,
    authority: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Url<'u> {
    /// Splits an absolute `http` or `https` URL (RFC 3986, appendix B). `None`: it is none.
    pub(crate) fn split(url: &'u str) -> Option<Self> {
        if url.bytes().any(|byte| byte <= b' ' || byte == 0x7F) {
            return None;
        }
        let whole = url.split_once('#').map_or(url, |(whole, _)| whole);
        let (scheme, rest) = whole.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        (!authority.is_empty() && !authority.contains(['@', '\\'])).then_some(Self {
            whole,
            scheme,
            authority,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }

    /// Section 2.2.3: lower case, without the port that the scheme has anyway.
    fn authority(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let port = if self.scheme.eq_ignore_ascii_case("https") {
            ":443"
        } else {
            ":80"
        };
        match authority.strip_suffix(port) {
            Some(host) => host.to_owned(),
            None => authority,
        }
    }
}

/// The request that components are taken from.
pub(crate) struct Components<'r, H: Headers + ?Sized> {
    pub(crate) headers: &'r H,
    pub(crate) method: Option<&'r str>,
    pub(crate) url: Option<Url<'r>>,
}

/// Why a component has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// The signature cannot be checked: no such header, or no such component.
    Unknown,
    /// The method was not handed in.
    Method,
    /// The URL was not handed in, or is not one.
    Url,
}

impl<H: Headers + ?Sized> Components<'_, H> {
    /// Appends a component's value to a signature base.
    pub(crate) fn write(&self, item: &Item, base: &mut Vec<u8>) -> Result<(), NoValue> {
        let name = item.text.as_str();
        if name == "@query-param" {
            let [(_, Bare::Text(_))] = &item.parameters[..] else {
                return Err(NoValue::Unknown);
            };
            let Some(Bare::Text(wanted)) = parameter(&item.parameters, "name") else {
                return Err(NoValue::Unknown);
            };
            let query = self.url()?.query.unwrap_or_default();
            base.extend_from_slice(
                query_param(query, wanted)
                    .ok_or(NoValue::Unknown)?
                    .as_bytes(),
            );
            return Ok(());
        }
        // `sf`, `key`, `bs`, `tr`, `req`: other readings of a field than its bytes, which no webhook's sender is known to use.
        if !item.parameters.is_empty() {
            return Err(NoValue::Unknown);
        }
        match name {
            "@method" => base.extend_from_slice(self.method.ok_or(NoValue::Method)?.as_bytes()),
            "@target-uri" => base.extend_from_slice(self.url()?.whole.as_bytes()),
            "@authority" => base.extend_from_slice(self.url()?.authority().as_bytes()),
            "@scheme" => {
                base.extend_from_slice(self.url()?.scheme.to_ascii_lowercase().as_bytes());
            }
            "@request-target" => {
                let url = self.url()?;
                base.extend_from_slice(url.path.as_bytes());
                if let Some(query) = url.query {
                    base.push(b'?');
                    base.extend_from_slice(query.as_bytes());
                }
            }
            "@path" => base.extend_from_slice(self.url()?.path.as_bytes()),
            "@query" => {
                base.push(b'?');
                base.extend_from_slice(self.url()?.query.unwrap_or_default().as_bytes());
            }
            field if is_field_name(field) => {
                base.extend_from_slice(&field_value(self.headers, field).ok_or(NoValue::Unknown)?);
            }
            _ => return Err(NoValue::Unknown),
        }
        Ok(())
    }

    fn url(&self) -> Result<Url<'_>, NoValue> {
        self.url.ok_or(NoValue::Url)
    }
}

/// Field names are covered in lower case (section 2.1).
pub(crate) fn is_field_name(name: &str) -> bool {
    let symbol = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || symbol(byte))
}

/// All values of a field, joined (section 2.1). `None`: there is none, or one that has a line of its own.
pub(crate) fn field_value<H: Headers + ?Sized>(headers: &H, wanted: &str) -> Option<Vec<u8>> {
    let mut joined: Option<Vec<u8>> = None;
    headers.visit(&mut |name, value| {
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            let value = value.trim_ascii();
            match &mut joined {
                Some(joined) => {
                    joined.extend_from_slice(b", ");
                    joined.extend_from_slice(value);
                }
                None => joined = Some(value.to_vec()),
            }
        }
    });
    // A line break in a value would be another line of the base.
    joined.filter(|value| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)))
}

/// The one value of a parameter, encoded again (section 2.2.8). One that is there twice cannot be covered.
fn query_param(query: &str, encoded: &str) -> Option<String> {
    let mut found = None;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if recoded(name) == encoded && found.replace(recoded(value)).is_some() {
            return None;
        }
    }
    found
}

/// Decoded as a form is, and encoded as the RFC says: everything but ASCII letters, digits and `*-._`.
fn recoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let mut two = bytes.clone();
                let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
                match (hex(two.next()), hex(two.next())) {
                    (Some(high), Some(low)) => {
                        bytes = two;
                        let [.., byte] = (high << 4 | low).to_be_bytes();
                        byte
                    }
                    _ => byte,
                }
            }
            byte => byte,
        };
        if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::structured::inner_lists;
    use super::{Components, NoValue, Url};

    fn value(component: &str, url: Option<&str>) -> Result<String, NoValue> {
        let lists = inner_lists(format!("s=({component})").as_bytes(), 1).unwrap();
        let headers = [
            ("X-Two", " a "),
            ("x-two", "b"),
            ("x-lines", "a\nb"),
            ("X-Empty", ""),
        ];
        let components = Components {
            headers: &headers,
            method: Some("POST"),
            url: url.and_then(Url::split),
        };
        let mut base = Vec::new();
        components.write(&lists[0].items[0], &mut base)?;
        Ok(String::from_utf8(base).unwrap())
    }

    /// RFC 9421, sections 2.1 and 2.2.
    #[test]
    fn components_are_those_of_section_2() {
        const URL: &str = "HTTPS://www.Example.com:443/path?param=value&foo=bar&Pet=dog#part";
        for (component, expected) in [
            (r#""@method""#, "POST"),
            (
                r#""@target-uri""#,
                "HTTPS://www.Example.com:443/path?param=value&foo=bar&Pet=dog",
            ),
            (r#""@authority""#, "www.example.com"),
            (r#""@scheme""#, "https"),
            (r#""@request-target""#, "/path?param=value&foo=bar&Pet=dog"),
            (r#""@path""#, "/path"),
            (r#""@query""#, "?param=value&foo=bar&Pet=dog"),
            (r#""@query-param";name="Pet""#, "dog"),
            (r#""x-two""#, "a, b"),
            (r#""x-empty""#, ""),
        ] {
            assert_eq!(
                value(component, Some(URL)).as_deref(),
                Ok(expected),
                "{component}"
            );
        }
        for (url, path, query) in [
            ("http://a", "/", "?"),
            ("http://a?", "/", "?"),
            ("http://a:80?x", "/", "?x"),
        ] {
            assert_eq!(value(r#""@path""#, Some(url)).as_deref(), Ok(path), "{url}");
            assert_eq!(
                value(r#""@query""#, Some(url)).as_deref(),
                Ok(query),
                "{url}"
            );
            assert_eq!(
                value(r#""@authority""#, Some(url)).as_deref(),
                Ok("a"),
                "{url}"
            );
        }
    }

    #[test]
    fn query_parameters_are_those_of_section_2_2_8() {
        const URL: &str = "https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&twice=1&twice=2&odd=%4&none";
        for (name, expected) in [
            ("var", Ok("this%20is%20a%20big%0Amultiline%20value")),
            ("bar", Ok("with%20plus%20whitespace")),
            ("fa%C3%A7ade%22%3A%20", Ok("something")),
            ("odd", Ok("%254")),
            ("none", Ok("")),
            ("twice", Err(NoValue::Unknown)),
            ("other", Err(NoValue::Unknown)),
        ] {
            let component = format!(r#""@query-param";name="{name}""#);
            assert_eq!(
                value(&component, Some(URL)),
                expected.map(str::to_owned),
                "{name}"
            );
        }
    }

    #[test]
    fn what_has_no_value_is_told() {
        for (component, url, why) in [
            (r#""@path""#, None, NoValue::Url),
            (r#""@path""#, Some("/only"), NoValue::Url),
            (r#""@path""#, Some("https://user@a/"), NoValue::Url),
            (r#""@path""#, Some("https:///"), NoValue::Url),
            (r#""@path""#, Some("https://a/ b"), NoValue::Url),
            (r#""@status""#, Some("https://a"), NoValue::Unknown),
            (r#""@query-param""#, Some("https://a"), NoValue::Unknown),
            (
                r#""@query-param";name="a";x"#,
                Some("https://a?a=1"),
                NoValue::Unknown,
            ),
            (r#""x-not""#, None, NoValue::Unknown),
            (r#""X-Two""#, None, NoValue::Unknown),
            (r#""x-lines""#, None, NoValue::Unknown),
            (r#""x-two";bs"#, None, NoValue::Unknown),
            (r#""""#, None, NoValue::Unknown),
        ] {
            assert_eq!(value(component, url), Err(why), "{component} {url:?}");
        }
    }
}
