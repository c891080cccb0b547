//! Where a request may go: checks the base URL and joins paths to it, so that credentials stay with their origin.

use gatewright_engine::ErrorKind;
use url::{Host, Origin, Url};

use crate::Error;

/// The base URL of a client, checked once.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    url: Url,
    /// The URL without a slash at its end, to which paths are joined.
    prefix: String,
    /// There is no path to keep before the paths that are joined.
    at_root: bool,
    allow_http: bool,
    allowed: Vec<Origin>,
    /// Base URLs of other regions, where credentials go too.
    regions: Vec<Url>,
}

/// A checked URL.
pub(crate) struct Target {
    pub(crate) url: Url,
    /// Another origin, which was allowed: no credentials go there.
    pub(crate) cross_origin: bool,
}

impl Base {
    /// Checks the base URL of a client.
    pub(crate) fn new(text: &str, allow_http: bool, allowed: &[String]) -> Result<Self, Error> {
        let url = parse(text, ErrorKind::InvalidConfig, "`base_url`")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "`base_url` may not have a query or a fragment",
            ));
        }
        let allowed = allowed
            .iter()
            .map(|text| Ok(parse(text, ErrorKind::InvalidConfig, "`allowed_origins`")?.origin()))
            .collect::<Result<_, Error>>()?;
        let prefix = url.as_str().trim_end_matches('/').to_owned();
        let base = Self {
            at_root: url.path() == "/",
            url,
            prefix,
            allow_http,
            allowed,
            regions: Vec::new(),
        };
        base.check_scheme(&base.url)?;
        Ok(base)
    }

    /// The base URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL without a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// These are base URLs of the same API.
    pub(crate) fn is_beside(&mut self, bases: &[Self]) {
        self.regions = bases.iter().map(|base| base.url.clone()).collect();
    }

    /// The origins that are allowed beside the base URL's own.
    pub(crate) fn allowed(&self) -> &[Origin] {
        &self.allowed
    }

    /// Joins a path (with or without a slash in front) to the base URL, or checks an absolute URL.
    pub(crate) fn join(&self, path: &str) -> Result<Target, Error> {
        let absolute = path.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        });
        if absolute {
            return self.check(parse(path, ErrorKind::InvalidRequest, "the URL")?);
        }
        if path.is_empty() {
            return Ok(Target {
                url: self.url.clone(),
                cross_origin: false,
            });
        }
        if path.bytes().any(|b| b.is_ascii_control()) {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "the path has a control character (a newline?)",
            ));
        }
        // The usual case, without parsing the host anew. A second slash (or what browsers take for one) would make the path
        // a host.
        if self.at_root
            && path.starts_with('/')
            && !matches!(path.as_bytes().get(1), Some(b'/' | b'\\'))
            && let Ok(url) = self.url.join(path)
        {
            return self.check(url);
        }
        let joined = match path.as_bytes().first() {
            Some(b'?') => format!("{}{path}", self.prefix),
            Some(b'/') => format!("{}{path}", self.prefix),
            _ => format!("{}/{path}", self.prefix),
        };
        self.check(parse(&joined, ErrorKind::InvalidRequest, "the URL")?)
    }

    /// Checks where a URL leads.
    pub(crate) fn check(&self, url: Url) -> Result<Target, Error> {
        let own = |region: &Url| same_origin(&url, region);
        if own(&self.url) || self.regions.iter().any(own) {
            return Ok(Target {
                url,
                cross_origin: false,
            });
        }
        if !self.allowed.contains(&url.origin()) {
            let what = format!(
                "the URL leads to {}, not to {}",
                url.origin().ascii_serialization(),
                self.url.origin().ascii_serialization()
            );
            return Err(Error::new(ErrorKind::CrossOrigin, what));
        }
        self.check_scheme(&url)?;
        Ok(Target {
            url,
            cross_origin: true,
        })
    }

    fn check_scheme(&self, url: &Url) -> Result<(), Error> {
        if url.scheme() == "https" || self.allow_http || is_loopback(url) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        Err(Error::new(
            ErrorKind::InsecureUrl,
            format!("plain http to {host} would show credentials and data to everyone on the way"),
        ))
    }
}

fn parse(text: &str, kind: ErrorKind, name: &str) -> Result<Url, Error> {
    // The text itself is not shown: a key or a password may be in it.
    let url = Url::parse(text).map_err(|why| {
        Error::new(
            kind,
            format!("{name} is no URL ({why}); it looks like https://api.example.com/v1"),
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme();
        return Err(Error::new(
            kind,
            format!("{name} has the scheme {scheme:?}; it must be https (or http)"),
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::new(kind, format!("{name} has no host")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(
            kind,
            format!("{name} has a user or password in it; give them as `auth`"),
        ));
    }
    Ok(url)
}

/// Scheme, host and port are the same. `Url::origin` says the same, but copies the host to do so.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::new(text, false, &["https://cdn.example".to_owned()]).unwrap()
    }

    fn joined(base_url: &str, path: &str) -> String {
        base(base_url).join(path).unwrap().url.into()
    }

    #[test]
    fn paths_are_joined_below_the_base() {
        assert_eq!(
            joined("https://h.example", "/v1/x?a=1"),
            "https://h.example/v1/x?a=1"
        );
        assert_eq!(
            joined("https://h.example/api/", "v1/x"),
            "https://h.example/api/v1/x"
        );
        assert_eq!(
            joined("https://h.example/api", "/v1/x"),
            "https://h.example/api/v1/x"
        );
        assert_eq!(
            joined("https://h.example/api", "?q=1"),
            "https://h.example/api?q=1"
        );
        assert_eq!(joined("https://h.example/api", ""), "https://h.example/api");
        assert_eq!(
            joined("https://h.example", "https://h.example/y"),
            "https://h.example/y"
        );
    }

    #[test]
    fn no_path_leads_to_another_origin() {
        for path in [
            "//evil.example/x",
            "@evil.example/",
            "\\\\evil.example",
            "..//evil.example",
        ] {
            let url = base("https://h.example").join(path).unwrap().url;
            assert_eq!(url.host_str(), Some("h.example"), "{path}");
        }
    }

    fn kind(result: Result<Target, Error>) -> ErrorKind {
        result.err().map(|e| e.kind()).unwrap()
    }

    #[test]
    fn other_origins_are_refused_unless_allowed() {
        assert_eq!(
            kind(base("https://h.example").join("https://evil.example/")),
            ErrorKind::CrossOrigin
        );
        assert_eq!(
            kind(base("https://h.example").join("http://h.example/")),
            ErrorKind::CrossOrigin
        );
        assert!(
            base("https://h.example")
                .join("https://cdn.example/f")
                .unwrap()
                .cross_origin
        );
        assert_eq!(
            kind(base("https://h.example").join("ftp://h.example/")),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            kind(base("https://h.example").join("/a\nb")),
            ErrorKind::InvalidRequest
        );
    }

    #[test]
    fn base_urls_are_checked_without_being_shown() {
        for (text, expected) in [
            ("", ErrorKind::InvalidConfig),
            ("canary", ErrorKind::InvalidConfig),
            ("https://", ErrorKind::InvalidConfig),
            ("https://me:canary@h.example", ErrorKind::InvalidConfig),
            ("ftp://canary.example", ErrorKind::InvalidConfig),
            ("https://h.example?key=canary", ErrorKind::InvalidConfig),
            ("http://h.example/canary", ErrorKind::InsecureUrl),
        ] {
            let error = Base::new(text, false, &[]).unwrap_err();
            assert_eq!(error.kind(), expected, "{text}");
            assert!(
                !error
                    .to_string()
                    .replace("canary.example", "")
                    .contains("canary"),
                "{error}"
            );
        }
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for text in [
            "http://localhost:80",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://x.localhost",
        ] {
            assert!(Base::new(text, false, &[]).is_ok(), "{text}");
        }
        for text in [
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://[::2]",
        ] {
            assert_eq!(
                Base::new(text, false, &[]).unwrap_err().kind(),
                ErrorKind::InsecureUrl,
                "{text}"
            );
            assert!(Base::new(text, true, &[]).is_ok(), "{text}");
        }
    }
}
