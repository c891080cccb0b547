//! Where requests go: paths, redirects, next pages.

use gatewright_engine::next_page::{NextPage, PageStyle, find_next_page};
use gatewright_engine::redirect::{Redirect, RedirectPolicy, judge_redirect};
use http::{Method, StatusCode};
use url::Url;

use crate::{head_and_body, headers};

/// No path leads away from the origin of the base URL, and none brings a user or a password.
pub(crate) fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let bases = [
        "https://api.example",
        "https://api.example/v1",
        "https://api.example:8443/v1/",
    ];
    for base in bases {
        let Ok((url, cross_origin)) = gatewright::fuzzing::join(base, &text) else {
            continue;
        };
        let own = Url::parse(base).expect("a base");
        assert_eq!(
            url.origin() == own.origin(),
            !cross_origin,
            "{base} {text:?} {url}"
        );
        if cross_origin {
            assert_eq!(
                url.origin().ascii_serialization(),
                "https://cdn.example",
                "{text:?}"
            );
        }
        assert!(
            url.username().is_empty() && url.password().is_none(),
            "{text:?} {url}"
        );
        assert!(matches!(url.scheme(), "https"), "{text:?} {url}");
    }
    // As the base URL itself.
    if let Ok((url, _)) = gatewright::fuzzing::join(&text, "") {
        let loopback = url.host_str().is_some_and(|host| {
            host.ends_with("localhost") || host.starts_with("127.") || host == "[::1]"
        });
        assert!(url.scheme() == "https" || loopback, "{text:?} {url}");
        assert!(
            url.query().is_none() && url.fragment().is_none(),
            "{text:?} {url}"
        );
    }
}

/// A redirect that is followed leads to an origin that is allowed, and never to plain http.
pub(crate) fn redirect(data: &[u8]) {
    let headers = headers(data);
    let policy = RedirectPolicy {
        allowed_origins: vec![
            Url::parse("https://cdn.example")
                .expect("an origin")
                .origin(),
        ],
        ..RedirectPolicy::default()
    };
    let from = Url::parse("https://api.example/v1/a?b=c").expect("a place");
    for (status, method) in [
        (301, Method::POST),
        (302, Method::GET),
        (303, Method::PUT),
        (307, Method::POST),
    ] {
        let status = StatusCode::from_u16(status).expect("a status");
        let judged = judge_redirect(&policy, &method, &from, status, &headers, 0);
        if let Redirect::Follow {
            url,
            cross_origin,
            keep_body,
            method,
        } = judged
        {
            assert_eq!(url.scheme(), "https");
            assert_eq!(cross_origin, url.origin() != from.origin());
            assert!(
                !cross_origin || policy.allowed_origins.contains(&url.origin()),
                "{url}"
            );
            assert!(keep_body || method == Method::GET);
        }
    }
}

/// A page that names itself is a loop, and what is named otherwise is another place.
pub(crate) fn link(data: &[u8]) {
    let (head, body) = head_and_body(data);
    let headers = headers(head);
    let url = Url::parse("https://api.example/v1/list?cursor=1").expect("a place");
    match find_next_page(&PageStyle::default(), &url, &headers, || {
        serde_json::from_slice(body).ok()
    }) {
        NextPage::At(next) => assert_ne!(next, url),
        NextPage::Loop(next) => assert_eq!(next, url),
        NextPage::End => {}
    }
}
