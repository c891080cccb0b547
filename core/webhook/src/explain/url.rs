//! Undoes what proxies and frameworks do to a URL, until a signature fits.

use super::UrlChange;
use crate::headers::{Found, find};
use crate::received::Received;
use crate::url::Parts;

/// Asks `fits` about each URL the sender may have called, and says what differs from the one handed in.
pub(super) fn find_change(
    request: &Received<'_>,
    fits: &dyn Fn(&str) -> bool,
) -> Option<UrlChange> {
    let given = request.url?;
    let parts = Parts::of(given)?;
    let authorities = authorities(request, &parts);
    let paths = paths(request, &parts);
    for authority in &authorities {
        for path in &paths {
            for scheme in [parts.scheme, other(parts.scheme)] {
                let url = [scheme, "://", authority, path].concat();
                if url != given && fits(&url) {
                    return difference(&parts, &url);
                }
            }
        }
    }
    None
}

fn other(scheme: &str) -> &'static str {
    if scheme == "http" { "https" } else { "http" }
}

/// The value of a header that is there once, its first item.
fn first<'r>(request: &Received<'r>, name: &str) -> Option<&'r str> {
    let [Found::Once(value)] = find(request.headers, [name]) else {
        return None;
    };
    let text = std::str::from_utf8(value).ok()?;
    text.split(',')
        .next()
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.len() < 2048)
}

/// Hosts: the one given, and those that headers of the request and of proxies name; each with its port, with others and without.
fn authorities(request: &Received<'_>, parts: &Parts<'_>) -> Vec<String> {
    let named = ["x-forwarded-host", "x-original-host", "host"];
    let named = named.into_iter().filter_map(|name| first(request, name));
    let hosts = std::iter::once(parts.authority).chain(named);
    let mut all = Vec::new();
    let mut add = |authority: String| {
        if !all.contains(&authority) {
            all.push(authority);
        }
    };
    for host in hosts {
        add(host.to_owned());
        let bare = match host.rsplit_once(':') {
            Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
            _ => host,
        };
        add(bare.to_owned());
        for port in [first(request, "x-forwarded-port"), Some("443"), Some("80")] {
            add(port.map_or_else(String::new, |port| [bare, ":", port].concat()));
        }
    }
    all.retain(|authority| !authority.is_empty());
    all
}

/// Paths with their queries: the one given, with and without a slash at its end, with the prefix a proxy took off, and the original one
/// that some proxies name.
fn paths(request: &Received<'_>, parts: &Parts<'_>) -> Vec<String> {
    let with_query = |path: &str| [path, parts.query].concat();
    let mut all = vec![with_query(parts.path)];
    all.push(match parts.path.strip_suffix('/') {
        Some(shorter) => with_query(shorter),
        None => with_query(&[parts.path, "/"].concat()),
    });
    if let Some(prefix) = first(request, "x-forwarded-prefix") {
        all.push(with_query(
            &[prefix.trim_end_matches('/'), parts.path].concat(),
        ));
    }
    for name in [
        "x-original-uri",
        "x-forwarded-uri",
        "x-original-url",
        "x-rewrite-url",
    ] {
        if let Some(target) = first(request, name) {
            all.push(Parts::of(target).map_or_else(
                || target.to_owned(),
                |original| [original.path, original.query].concat(),
            ));
        }
    }
    all
}

/// Which part of `url` differs from the parts given.
fn difference(given: &Parts<'_>, url: &str) -> Option<UrlChange> {
    let found = Parts::of(url)?;
    let slashed = given.path.trim_end_matches('/') == found.path.trim_end_matches('/');
    let ((host, port), (found_host, found_port)) = (given.host_and_port(), found.host_and_port());
    let differences = [
        (given.scheme != found.scheme, UrlChange::Scheme),
        (host != found_host, UrlChange::Host),
        (host == found_host && port != found_port, UrlChange::Port),
        (
            given.path != found.path && slashed,
            UrlChange::TrailingSlash,
        ),
        (given.path != found.path && !slashed, UrlChange::Path),
        (given.query != found.query, UrlChange::Query),
    ];
    let mut changes = differences
        .into_iter()
        .filter_map(|(differs, change)| differs.then_some(change));
    let first = changes.next()?;
    Some(if changes.next().is_some() {
        UrlChange::Several
    } else {
        first
    })
}
