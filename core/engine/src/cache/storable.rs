//! Which requests the cache has to do with, and which answers may be stored (RFC 9111, sections 3 and 3.1).
//!
//! Narrower than the RFC allows, where a client is better off: statuses that say something of the caller or of the moment
//! (401, 407, 408, 425, 429 and 5xx but 501) are not stored even with a lifetime, and neither is what could never be used: an
//! answer without lifetime and without a validator.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_RANGE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::directives::Directives;
use super::freshness::{initial_age, lifetime};
use super::key::tells;
use super::stored::Stored;
use super::vary::Selecting;
use crate::time::{Instant, UnixMillis};

/// What a client's settings say about its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What all that is stored may take, in bytes.
    pub max_bytes: u64,
    /// What one answer may take, in bytes.
    pub max_entry_bytes: u64,
    /// The longest lifetime that may be guessed from `Last-Modified`; `None` for no guesses.
    pub heuristic: Option<Duration>,
    /// How long an answer may be used stale where the server fails and says nothing of its own about that.
    pub stale_if_error: Option<Duration>,
}

/// An answer that came, and how.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The request's fields, without the client's credential.
    pub request: &'a HeaderMap,
    /// Fields of the request that were changed on the way out, by hooks.
    pub changed: &'a [HeaderName],
    /// The status.
    pub status: StatusCode,
    /// The answer's fields.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a Bytes,
    /// When the attempt that brought it was sent, in the time of servers.
    pub asked: Instant,
    /// When it was there, in the time of servers.
    pub came: Instant,
    /// The wall clock then.
    pub wall: UnixMillis,
}

/// Whether a method changes nothing (RFC 9110, section 9.2.1); one that is not known may change anything.
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(
        method.as_str(),
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY" | "SEARCH" | "REPORT" | "PROPFIND"
    )
}

/// Whether a request is none of the cache's business: it asks for a part, or has conditions of its own, whose answer its
/// caller is prepared for.
#[must_use]
pub fn passes_by(method: &Method, headers: &HeaderMap) -> bool {
    const OWN: [HeaderName; 6] = [
        RANGE,
        IF_RANGE,
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
    ];
    !matches!(*method, Method::GET | Method::HEAD)
        || OWN.iter().any(|name| headers.contains_key(name))
}

/// Statuses that may be stored without being told to (RFC 9110, section 15.1), but for 206.
fn is_cacheable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// What is stored of an answer to a GET; `None` where it may not be, or were of no use.
#[must_use]
pub fn to_store(rules: &Rules, arrival: &Arrival<'_>) -> Option<Stored> {
    // A copy: what came may be a small part of a large buffer, which nobody would have counted.
    keep(rules, arrival, || Bytes::copy_from_slice(arrival.body))
}

/// What is stored after a 304, whose fields these are, of what was stored; `None` where that may not be stored any more.
#[must_use]
pub fn renew(rules: &Rules, stored: &Stored, arrival: &Arrival<'_>) -> Option<Stored> {
    let headers = stored.renewed_headers(arrival.headers);
    let arrival = Arrival {
        status: stored.status(),
        headers: &headers,
        ..*arrival
    };
    keep(rules, &arrival, || stored.body().clone())
}

fn keep(rules: &Rules, arrival: &Arrival<'_>, body: impl FnOnce() -> Bytes) -> Option<Stored> {
    let status = arrival.status;
    let said = Directives::of_answer(arrival.headers);
    let asked = Directives::of_request(arrival.request);
    let understood = is_cacheable(status);
    let forbidden = if said.must_understand {
        !understood
    } else {
        said.no_store
    };
    if forbidden || asked.no_store || arrival.headers.contains_key(CONTENT_RANGE) {
        return None;
    }
    let lifetime = lifetime(
        arrival.headers,
        &said,
        arrival.wall,
        rules.heuristic.filter(|_| understood || said.public),
    );
    let never = matches!(
        status.as_u16(),
        100..=199 | 206 | 304 | 401 | 407 | 408 | 425 | 429 | 500 | 502..
    );
    let allowed = understood || said.public || said.private || lifetime.is_some();
    if never || !allowed {
        return None;
    }
    let validator = [ETAG, LAST_MODIFIED]
        .iter()
        .any(|name| arrival.headers.contains_key(name));
    let usable_stale = |for_: Option<Duration>| for_.is_some_and(|d| !d.is_zero());
    let useful = validator
        || (!said.no_cache
            && (usable_stale(lifetime)
                || usable_stale(said.stale_while_revalidate)
                || usable_stale(said.stale_if_error.or(rules.stale_if_error))));
    if !useful {
        return None;
    }
    let selecting = Selecting::of(arrival.headers, arrival.request)?;
    // What hooks put on is not known when the next request is looked up.
    if selecting.names_any(arrival.changed) || arrival.changed.iter().any(|n| tells(n.as_str())) {
        return None;
    }
    let stored = Stored::new(
        status,
        stored_headers(arrival.headers, &said),
        body(),
        selecting,
        said,
        lifetime.unwrap_or_default(),
        initial_age(arrival.headers, arrival.asked, arrival.came, arrival.wall),
        arrival.came,
    );
    (stored.size() <= rules.max_entry_bytes.min(rules.max_bytes)).then_some(stored)
}

/// The fields that are stored: without those of the connection, and without those that `no-cache` names.
pub(super) fn stored_headers(headers: &HeaderMap, said: &Directives) -> HeaderMap {
    let mut kept = headers.clone();
    let mut gone = vec![
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-authentication-info"),
        HeaderName::from_static("proxy-connection"),
    ];
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','));
    gone.extend(named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()));
    gone.extend(
        said.no_cache_fields
            .iter()
            .filter_map(|name| HeaderName::try_from(name.as_str()).ok()),
    );
    for name in gone {
        kept.remove(name);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const RULES: Rules = Rules {
        max_bytes: 1 << 20,
        max_entry_bytes: 1 << 16,
        heuristic: None,
        stale_if_error: None,
    };

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn stored(
        rules: &Rules,
        status: u16,
        request: &[(&'static str, &'static str)],
        answer: &[(&'static str, &'static str)],
        changed: &[HeaderName],
    ) -> Option<Stored> {
        to_store(
            rules,
            &Arrival {
                request: &headers(request),
                changed,
                status: StatusCode::from_u16(status).unwrap(),
                headers: &headers(answer),
                body: &Bytes::from_static(b"{}"),
                asked: Instant::ORIGIN,
                came: Instant::ORIGIN,
                wall: UnixMillis(784_111_777_000),
            },
        )
    }

    #[test]
    fn what_may_be_stored() {
        let fresh = ("cache-control", "max-age=60");
        let tag = ("etag", "\"1\"");
        for (status, answer, expected) in [
            (200, vec![fresh], true),
            (200, vec![tag], true),
            (
                200,
                vec![("last-modified", "Sun, 06 Nov 1994 08:00:00 GMT")],
                true,
            ),
            (
                200,
                vec![("expires", "Sun, 06 Nov 1994 09:49:37 GMT")],
                true,
            ),
            // Of no use: neither fresh nor to be validated.
            (200, vec![], false),
            (200, vec![("cache-control", "max-age=0")], false),
            (200, vec![("cache-control", "no-cache, max-age=60")], false),
            (
                200,
                vec![("cache-control", "max-age=0, stale-if-error=60")],
                true,
            ),
            (
                200,
                vec![("cache-control", "no-cache, max-age=60"), tag],
                true,
            ),
            (
                200,
                vec![("cache-control", "no-store, max-age=60"), tag],
                false,
            ),
            (200, vec![("cache-control", "private, max-age=60")], true),
            (
                200,
                vec![("cache-control", "no-store, must-understand, max-age=60")],
                true,
            ),
            (
                302,
                vec![("cache-control", "no-store, must-understand, max-age=60")],
                false,
            ),
            (
                302,
                vec![("cache-control", "must-understand, max-age=60")],
                false,
            ),
            (200, vec![fresh, ("vary", "*")], false),
            (200, vec![fresh, ("vary", "accept")], true),
            (200, vec![fresh, ("content-range", "bytes 0-1/2")], false),
            (206, vec![fresh, tag], false),
            (304, vec![fresh, tag], false),
            (204, vec![fresh], true),
            (301, vec![fresh], true),
            (302, vec![fresh], true),
            (302, vec![tag], false),
            (403, vec![fresh], true),
            (403, vec![tag], false),
            (404, vec![fresh], true),
            (410, vec![tag], true),
            (401, vec![fresh], false),
            (408, vec![fresh], false),
            (429, vec![fresh], false),
            (500, vec![fresh], false),
            (501, vec![fresh], true),
            (503, vec![("cache-control", "public, max-age=60")], false),
            (599, vec![fresh], false),
        ] {
            let stored = stored(&RULES, status, &[], &answer, &[]);
            assert_eq!(stored.is_some(), expected, "{status} {answer:?}");
        }
        let request = [("cache-control", "no-store")];
        assert!(stored(&RULES, 200, &request, &[fresh], &[]).is_none());
        // Of a private cache, that is no hindrance.
        let request = [("authorization", "Bearer x")];
        assert!(stored(&RULES, 200, &request, &[fresh], &[]).is_some());
    }

    #[test]
    fn what_is_too_large_is_not_stored() {
        let fresh = [("cache-control", "max-age=60")];
        let small = Rules {
            max_entry_bytes: 100,
            ..RULES
        };
        assert!(stored(&small, 200, &[], &fresh, &[]).is_none());
        let small = Rules {
            max_bytes: 100,
            ..RULES
        };
        assert!(stored(&small, 200, &[], &fresh, &[]).is_none());
    }

    #[test]
    fn what_hooks_choose_by_is_not_stored() {
        let fresh = ("cache-control", "max-age=60");
        let changed = [HeaderName::from_static("x-shape")];
        assert!(stored(&RULES, 200, &[], &[fresh], &changed).is_some());
        assert!(stored(&RULES, 200, &[], &[fresh, ("vary", "X-Shape")], &changed).is_none());
        let who = [HeaderName::from_static("x-tenant")];
        assert!(stored(&RULES, 200, &[], &[fresh], &who).is_none());
    }

    #[test]
    fn section_3_1_fields_of_the_connection_are_not_stored() {
        let answer = [
            ("cache-control", "max-age=60, no-cache=\"x-once\""),
            ("connection", "x-hop, close"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("x-hop", "1"),
            ("x-once", "1"),
            ("x-kept", "1"),
            ("set-cookie", "a=b"),
        ];
        let stored = stored(&RULES, 200, &[], &answer, &[]).unwrap();
        let mut names: Vec<_> = stored.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cache-control", "set-cookie", "x-kept"]);
    }

    #[test]
    fn what_passes_by() {
        let passes =
            |method, pairs: &[(&'static str, &'static str)]| passes_by(&method, &headers(pairs));
        assert!(!passes(Method::GET, &[("accept", "*/*")]) && !passes(Method::HEAD, &[]));
        for method in [Method::POST, Method::PUT, Method::OPTIONS] {
            assert!(passes(method, &[]));
        }
        for name in [
            "range",
            "if-none-match",
            "if-modified-since",
            "if-match",
            "if-unmodified-since",
            "if-range",
        ] {
            assert!(passes(Method::GET, &[(name, "x")]), "{name}");
        }
        assert!(is_safe(&Method::GET) && !is_safe(&Method::DELETE));
        assert!(!is_safe(&Method::from_bytes(b"MYSTERY").unwrap()));
    }
}
