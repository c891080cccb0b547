//! What is set of an upstream, and what of it cannot be.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_engine::breaker::BreakerSettings;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::key::is_tenant;

/// Upstreams of one session.
pub(crate) const MAX_UPSTREAMS: usize = 32;
const MAX_HEADERS: usize = 16;
const MAX_TIMEOUT_MS: u64 = 600_000;
const LEAST_EVERY_MS: u64 = 10;

/// A real server behind the gateway, which `/upstream/{name}/…` goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Upstream {
    /// 1 to 64 letters, digits, `-` or `_`.
    pub name: String,
    /// `http` or `https`; what follows the name in a call's path is added to its path.
    pub url: String,
    /// Headers that its requests get, such as the key that it wants; they replace the caller's. At most 16.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether it sees the caller's `Authorization` and `X-API-Key`, which are for the gateway. Default: false.
    #[serde(default)]
    pub forward_authorization: bool,
    /// Real time it has for the head of its answer, and for each piece of the body, in milliseconds. Default: 30 000.
    #[serde(default = "timeout")]
    pub timeout_ms: u64,
    /// Its circuit breaker; `null`: none.
    #[serde(default = "breaker")]
    pub breaker: Option<UpstreamBreaker>,
    /// How its health is checked. Default: not at all.
    #[serde(default)]
    pub health: Option<HealthCheck>,
}

/// When the breaker of an upstream opens, and for how long. Times are on the session's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UpstreamBreaker {
    /// It opens when so many of 100 calls within the window failed. Default: 50.
    pub failure_percent: u32,
    /// Calls within the window before their share counts. Default: 10.
    pub minimum_calls: u32,
    /// The window, in milliseconds. Default: 30 000.
    pub window_ms: u64,
    /// How long it stays open before one call may try, in milliseconds, within 10 %. Default: 1 s at first, twice as long after each
    /// try that fails, at most 10 s.
    pub open_ms: Option<u64>,
}

impl Default for UpstreamBreaker {
    fn default() -> Self {
        Self {
            failure_percent: 50,
            minimum_calls: 10,
            window_ms: 30_000,
            open_ms: None,
        }
    }
}

/// A request that is sent from time to time, to see whether an upstream is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HealthCheck {
    /// What is asked for with GET; a 2xx is good.
    pub path: String,
    /// How often, in milliseconds of the session's clock. Default: 10 000.
    #[serde(default = "every")]
    pub every_ms: u64,
}

fn timeout() -> u64 {
    30_000
}

fn every() -> u64 {
    10_000
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn breaker() -> Option<UpstreamBreaker> {
    Some(UpstreamBreaker::default())
}

impl UpstreamBreaker {
    pub(super) fn settings(self) -> BreakerSettings {
        let mut settings = BreakerSettings::default();
        settings.failure_rate = f64::from(self.failure_percent) / 100.0;
        settings.minimum_calls = self.minimum_calls;
        settings.window = Duration::from_millis(self.window_ms);
        settings.open = self.open_ms.map(Duration::from_millis);
        settings
    }
}

impl Upstream {
    /// One of this name at this URL; all else is as by default.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            headers: BTreeMap::new(),
            forward_authorization: false,
            timeout_ms: timeout(),
            breaker: breaker(),
            health: None,
        }
    }

    /// What is wrong with it, or nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if !is_tenant(name) {
            return Err(format!(
                "a name is 1 to 64 letters, digits, - or _, got {name:?}"
            ));
        }
        self.base().map_err(|fault| format!("{name}: {fault}"))?;
        if self.headers.len() > MAX_HEADERS {
            return Err(format!("{name}: at most {MAX_HEADERS} headers"));
        }
        for (header, value) in &self.headers {
            let is_header = HeaderName::try_from(header).is_ok();
            if !is_header || HeaderValue::try_from(value).is_err() {
                return Err(format!("{name}: {header:?} cannot be sent as a header"));
            }
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&self.timeout_ms) {
            return Err(format!("{name}: timeout_ms is from 1 to {MAX_TIMEOUT_MS}"));
        }
        if let Some(breaker) = self.breaker {
            let checked = breaker.settings().check();
            checked.map_err(|fault| format!("{name}: breaker: {fault}"))?;
        }
        if let Some(health) = &self.health {
            if !health.path.starts_with('/') {
                return Err(format!("{name}: health: path begins with /"));
            }
            if health.every_ms < LEAST_EVERY_MS {
                return Err(format!(
                    "{name}: health: every_ms is at least {LEAST_EVERY_MS}"
                ));
            }
            self.url_of(health.path.get(1..).unwrap_or_default(), None)
                .map_err(|fault| format!("{name}: health: {fault}"))?;
        }
        Ok(())
    }

    fn base(&self) -> Result<Url, String> {
        let url = Url::parse(&self.url).map_err(|error| format!("url: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("url is http or https with a host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("url has no user and no password: set a header in place of them".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("url has neither query nor fragment".into());
        }
        Ok(url)
    }

    /// What is set of its requests' headers.
    pub(super) fn own_headers(&self) -> HeaderMap {
        let headers = self.headers.iter().filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(value).ok()?,
            ))
        });
        headers.collect()
    }

    /// Where a call goes: `rest` is what follows the name in its path, as it came. It cannot leave the upstream's own path.
    pub(super) fn url_of(&self, rest: &str, query: Option<&str>) -> Result<Url, String> {
        let base = self.base()?;
        let mut url = base.clone();
        let path = base.path().trim_end_matches('/');
        url.set_path(&format!("{path}/{rest}"));
        url.set_query(query);
        // `..` is resolved as it is set, in all its spellings.
        if !url.path().starts_with(&format!("{path}/")) {
            return Err("the path leads out of the upstream".into());
        }
        Ok(url)
    }
}

/// What is wrong with a list of them, or nothing.
pub(crate) fn check_all(upstreams: &[Upstream]) -> Result<(), String> {
    if upstreams.len() > MAX_UPSTREAMS {
        return Err(format!("a session has at most {MAX_UPSTREAMS} upstreams"));
    }
    for (at, upstream) in upstreams.iter().enumerate() {
        upstream.check()?;
        let before = upstreams.iter().take(at);
        if before.into_iter().any(|other| other.name == upstream.name) {
            return Err(format!("{} is there twice", upstream.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_upstream() {
        let upstream = Upstream::new("orders", "http://127.0.0.1:9/api/v2/");
        let of = |rest| upstream.url_of(rest, None).map(|url| url.path().to_owned());
        assert_eq!(of("a/b").as_deref(), Ok("/api/v2/a/b"));
        assert_eq!(of("").as_deref(), Ok("/api/v2/"));
        for out in ["../x", "%2e%2e/x", "a/../../x", "..", ".%2E/.."] {
            assert!(of(out).is_err(), "{out}: {:?}", of(out));
        }
    }

    #[test]
    fn what_cannot_be_an_upstream_is_said() {
        for (url, word) in [
            ("ftp://x", "http or https"),
            ("http://u:p@x/", "no password"),
            ("http://x/?a=1", "neither query"),
            ("nowhere", "url:"),
        ] {
            let fault = Upstream::new("a", url).check().unwrap_err();
            assert!(fault.contains(word), "{fault}");
        }
        assert!(Upstream::new("a b", "http://x/").check().is_err());
        let twice = [
            Upstream::new("a", "http://x/"),
            Upstream::new("a", "http://y/"),
        ];
        assert!(check_all(&twice).unwrap_err().contains("twice"));
    }
}
