//! The URL that a sender signed: put together from what is configured and what the request says.

use std::borrow::Cow;

/// Where the parts of a URL end.
pub(crate) struct Parts<'u> {
    /// `https`.
    pub(crate) scheme: &'u str,
    /// Host and port, and who logs in, where that is part of it.
    pub(crate) authority: &'u str,
    /// From the slash on, without the query. May be empty.
    pub(crate) path: &'u str,
    /// With its question mark. May be empty.
    pub(crate) query: &'u str,
}

impl<'u> Parts<'u> {
    /// `None` for a text that is no absolute URL. A fragment never leaves the sender, and is left out.
    pub(crate) fn of(url: &'u str) -> Option<Self> {
        let url = url.split('#').next()?;
        // Not by text: what searches for one is a kilobyte, and this is loaded by pages.
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (path, query) = rest.split_at_checked(rest.find('?').unwrap_or(rest.len()))?;
        (!scheme.is_empty() && !authority.is_empty()).then_some(Self {
            scheme,
            authority,
            path,
            query,
        })
    }

    pub(crate) fn written(&self, authority: &str) -> String {
        [self.scheme, "://", authority, self.path, self.query].concat()
    }

    /// The authority without its port, and the port.
    pub(crate) fn host_and_port(&self) -> (&'u str, Option<&'u str>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (self.authority, None),
        }
    }
}

/// What counts as the URL the sender called: the configured one, since what arrives behind a proxy is another. The path and the query
/// that the configured one leaves out are taken from the request.
pub(crate) fn effective<'u>(
    configured: Option<&'u str>,
    received: Option<&'u str>,
) -> Option<Cow<'u, str>> {
    let (Some(configured), Some(received)) = (configured, received) else {
        return configured.or(received).map(Cow::Borrowed);
    };
    let (Some(ours), Some(theirs)) = (Parts::of(configured), Parts::of(received)) else {
        return Some(Cow::Borrowed(configured));
    };
    if !ours.query.is_empty() || (!ours.path.is_empty() && theirs.query.is_empty()) {
        return Some(Cow::Borrowed(configured));
    }
    let path = if ours.path.is_empty() {
        theirs.path
    } else {
        ours.path
    };
    Some(
        [ours.scheme, "://", ours.authority, path, theirs.query]
            .concat()
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::effective;

    #[test]
    fn what_is_configured_wins_and_the_request_fills_in() {
        let got = "http://10.0.0.7:8080/hooks?a=1";
        for (configured, expected) in [
            (None, got),
            (Some("https://example.com"), "https://example.com/hooks?a=1"),
            (Some("https://example.com/in"), "https://example.com/in?a=1"),
            (
                Some("https://example.com/in?b=2"),
                "https://example.com/in?b=2",
            ),
            (Some("https://example.com?b=2"), "https://example.com?b=2"),
            (Some("nonsense"), "nonsense"),
        ] {
            assert_eq!(effective(configured, Some(got)).as_deref(), Some(expected));
        }
        assert_eq!(effective(None, None), None);
        assert_eq!(effective(Some("x"), None).as_deref(), Some("x"));
    }
}
