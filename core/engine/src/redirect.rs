//! Where a redirect may lead: the same origin, at most five times (RFC 9110, section 15.4).
//! API keys leak on redirects elsewhere, so another origin is refused unless the caller allowed it, and even then
//! only allow-listed headers travel.

use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, LOCATION, USER_AGENT};
use http::{HeaderName, Method, StatusCode};
use url::{Origin, Url};

/// Which redirects are followed.
#[derive(Clone, Debug)]
pub struct RedirectPolicy {
    /// The most for one call. Default 5; 0 returns redirects to the caller.
    pub max: u32,
    /// Other origins to which requests may go, without credentials. Default none.
    pub allowed_origins: Vec<Origin>,
    /// The client's own origins, where it has several: between them redirects go with all headers. Default none.
    pub own_origins: Vec<Origin>,
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self {
            max: crate::defaults::MAX_REDIRECTS,
            allowed_origins: Vec::new(),
            own_origins: Vec::new(),
        }
    }
}

/// Headers that may travel to another origin.
const TRAVELLING: [HeaderName; 4] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT];

/// What to do with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// It is none, or redirects are off.
    No,
    /// Go there.
    Follow {
        /// Where.
        url: Url,
        /// How: 303 turns everything into GET, 301 and 302 turn POST into GET (as the Fetch standard does).
        method: Method,
        /// Whether the body goes along.
        keep_body: bool,
        /// Whether it is another origin, so that only allow-listed headers go along.
        cross_origin: bool,
    },
    /// Refused.
    Refused(RedirectRefusal),
}

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectRefusal {
    /// It leads to another origin that is not allowed.
    CrossOrigin(Url),
    /// It leads from https to http.
    Downgrade(Url),
    /// There were too many.
    TooMany(u32),
    /// Its `Location` is missing or unreadable.
    BadLocation,
}

/// Judges an answer to `method` at `url`, after `followed` redirects.
#[must_use]
pub fn judge_redirect(
    policy: &RedirectPolicy,
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    followed: u32,
) -> Redirect {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) || policy.max == 0 {
        return Redirect::No;
    }
    let target = headers
        .get(LOCATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|l| url.join(l).ok());
    let Some(target) = target.filter(|t| matches!(t.scheme(), "http" | "https")) else {
        return Redirect::Refused(RedirectRefusal::BadLocation);
    };
    if followed >= policy.max {
        return Redirect::Refused(RedirectRefusal::TooMany(policy.max));
    }
    let is_own = |origin: &Origin| policy.own_origins.contains(origin);
    let cross_origin =
        target.origin() != url.origin() && !(is_own(&target.origin()) && is_own(&url.origin()));
    if url.scheme() == "https" && target.scheme() == "http" {
        return Redirect::Refused(RedirectRefusal::Downgrade(target));
    }
    if cross_origin && !policy.allowed_origins.contains(&target.origin()) {
        return Redirect::Refused(RedirectRefusal::CrossOrigin(target));
    }
    let to_get = match status.as_u16() {
        303 => *method != Method::HEAD,
        301 | 302 => *method == Method::POST,
        _ => false,
    };
    let method = if to_get { Method::GET } else { method.clone() };
    Redirect::Follow {
        url: target,
        method,
        keep_body: !to_get,
        cross_origin,
    }
}

/// Takes away what may not travel to another origin.
pub fn keep_travelling_headers(headers: &mut HeaderMap) {
    let kept = TRAVELLING
        .iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
        .collect();
    *headers = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn judge(method: Method, status: u16, location: &'static str, followed: u32) -> Redirect {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
        let url = Url::parse("https://api.example/a/b").unwrap();
        let policy = RedirectPolicy {
            allowed_origins: vec![Url::parse("https://cdn.example").unwrap().origin()],
            ..RedirectPolicy::default()
        };
        judge_redirect(
            &policy,
            &method,
            &url,
            StatusCode::from_u16(status).unwrap(),
            &headers,
            followed,
        )
    }

    #[test]
    fn same_origin_redirects_are_followed() {
        let Redirect::Follow {
            url,
            method,
            keep_body,
            cross_origin,
        } = judge(Method::POST, 307, "../c", 0)
        else {
            panic!("not followed")
        };
        assert_eq!(
            (url.as_str(), method, keep_body, cross_origin),
            ("https://api.example/c", Method::POST, true, false)
        );
    }

    #[test]
    fn post_becomes_get_as_fetch_does_it() {
        for (method, status, expected) in [
            (Method::POST, 301, "GET"),
            (Method::POST, 302, "GET"),
            (Method::PUT, 302, "PUT"),
            (Method::PUT, 303, "GET"),
            (Method::HEAD, 303, "HEAD"),
        ] {
            let Redirect::Follow { method, .. } = judge(method, status, "/x", 0) else {
                panic!("not followed")
            };
            assert_eq!(method.as_str(), expected);
        }
    }

    #[test]
    fn other_origins_are_refused_unless_allowed() {
        for elsewhere in [
            "https://evil.example/",
            "https://api.example:444/",
            "//evil.example/x",
        ] {
            assert!(
                matches!(
                    judge(Method::GET, 302, elsewhere, 0),
                    Redirect::Refused(RedirectRefusal::CrossOrigin(_))
                ),
                "{elsewhere}"
            );
        }
        assert!(matches!(
            judge(Method::GET, 302, "https://cdn.example/f", 0),
            Redirect::Follow {
                cross_origin: true,
                ..
            }
        ));
        assert!(matches!(
            judge(Method::GET, 302, "http://api.example/", 0),
            Redirect::Refused(RedirectRefusal::Downgrade(_))
        ));
    }

    #[test]
    fn loops_and_nonsense_end() {
        assert_eq!(
            judge(Method::GET, 302, "/x", 5),
            Redirect::Refused(RedirectRefusal::TooMany(5))
        );
        assert_eq!(
            judge(Method::GET, 302, "javascript:alert(1)", 0),
            Redirect::Refused(RedirectRefusal::BadLocation)
        );
        assert_eq!(judge(Method::GET, 304, "/x", 0), Redirect::No);
    }

    #[test]
    fn only_allow_listed_headers_travel() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("k"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        keep_travelling_headers(&mut headers);
        assert_eq!(headers.len(), 1);
        assert!(headers.contains_key(ACCEPT));
    }
}
