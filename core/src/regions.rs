//! Several base URLs of one API: which host an attempt goes to, and what its URL is there.

use std::sync::Arc;

use gatewright_engine::ErrorKind;
use gatewright_engine::call::{Call, CallLimits, RequestFacts};
use gatewright_engine::host::{Engine, Host};
use gatewright_engine::regions::{MAX_REGIONS, Region, RegionState, Regions};
use gatewright_engine::{Error, Instant};
use url::Url;

use crate::client::{ClientBuilder, Inner};
use crate::target::{Base, same_origin};

impl ClientBuilder {
    /// Other base URLs of the same API, nearest first, after `base_url` itself. A call goes to the first one that is healthy, and to
    /// another where no connection can be made, or where an attempt failed that is safe to repeat. All get the credential. Default: none.
    pub fn regions(mut self, base_urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.regions = base_urls.into_iter().map(Into::into).collect();
        self
    }

    /// The regions, checked: none, or two and more.
    pub(crate) fn region_bases(&self, base: &Base) -> Result<Vec<Base>, Error> {
        let wrong = |what: String| Error::new(ErrorKind::InvalidConfig, what);
        if self.regions.is_empty() {
            return Ok(Vec::new());
        }
        if self.regions.len() >= MAX_REGIONS {
            let most = MAX_REGIONS - 1;
            return Err(wrong(format!("`regions` has more than {most} base URLs")));
        }
        let mut bases = vec![base.clone()];
        for text in &self.regions {
            let region = Base::new(text, self.allow_http, &[]).map_err(|why| {
                let mut parts = why.into_parts();
                parts.what = parts.what.replace("`base_url`", "a base URL of `regions`");
                Error::from(parts)
            })?;
            if bases.iter().any(|b| same_origin(b.url(), region.url())) {
                let twice = region.url().origin().ascii_serialization();
                return Err(wrong(format!(
                    "`regions` has {twice} twice, or it is that of `base_url`; each must be a host of its own"
                )));
            }
            bases.push(region);
        }
        Ok(bases)
    }
}

/// The regions of a client, the base URL first.
#[derive(Debug)]
pub(crate) struct RegionUrls {
    bases: Vec<Base>,
    regions: Regions,
}

impl RegionUrls {
    /// `None` where there is but the base URL.
    pub(crate) fn new(bases: Vec<Base>, engine: &Engine) -> Option<Self> {
        if bases.is_empty() {
            return None;
        }
        let regions = Regions::new(bases.iter().map(|base| {
            let origin = base.url().origin().ascii_serialization();
            Region {
                name: origin.split("//").nth(1).unwrap_or(&origin).into(),
                host: engine.host(&origin),
            }
        }));
        Some(Self { bases, regions })
    }

    /// The region of a URL.
    fn of(&self, url: &Url) -> Option<usize> {
        self.bases.iter().position(|b| same_origin(b.url(), url))
    }

    fn host(&self, at: usize) -> Option<Arc<Host>> {
        Some(Arc::clone(&self.regions.get(at)?.host))
    }

    /// What a URL is in another region: the same path below its base URL. `None` where it is of that region already.
    pub(crate) fn moved(&self, url: &Url, to: usize) -> Option<Url> {
        let from = self.of(url).filter(|from| *from != to)?;
        let from = self.bases.get(from)?;
        let to = self.bases.get(to)?;
        if let Some(rest) = url.as_str().strip_prefix(from.prefix())
            && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
        {
            return Url::parse(&format!("{}{rest}", to.prefix())).ok();
        }
        // Beside the base URL's path: only the origin is another.
        let mut moved = to.url().clone();
        moved.set_path(url.path());
        moved.set_query(url.query());
        Some(moved)
    }

    /// The first healthy region beside this one, which was not asked after so many attempts.
    pub(crate) fn elsewhere(&self, at: usize, attempts: u32, now: Instant) -> Option<&Region> {
        let tried = usize::try_from(attempts).unwrap_or(usize::MAX);
        (tried < self.bases.len())
            .then(|| self.regions.elsewhere(at, now))
            .flatten()
    }

    pub(crate) fn state(&self, now: Instant) -> Vec<RegionState> {
        self.regions.state(now)
    }
}

impl Inner {
    /// The host that a URL leads to, and the region, where it is one's.
    pub(crate) fn place_of(&self, url: &Url) -> (Arc<Host>, Option<usize>) {
        if let Some(regions) = &self.regions
            && let Some(at) = regions.of(url)
            && let Some(host) = regions.host(at)
        {
            return (host, Some(at));
        }
        (self.host_of(url), None)
    }

    /// Begins the call of a request to this URL.
    pub(crate) fn call_to(
        &self,
        url: &Url,
        facts: RequestFacts,
        limits: CallLimits,
        partition: u64,
    ) -> Call {
        let now = self.runtime.instant();
        if let Some(regions) = &self.regions
            && let Some(at) = regions.of(url)
            && let Some(call) =
                self.engine
                    .call_in(&regions.regions, at, facts, limits, partition, now)
        {
            return call;
        }
        let host = self.host_of(url);
        self.engine.call(host, facts, limits, partition, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_engine::pacing::PacingSettings;
    use gatewright_engine::retry::RetryPolicy;

    fn urls() -> RegionUrls {
        let base = |text| Base::new(text, false, &[]).unwrap();
        let bases = vec![
            base("https://eu.example/api"),
            base("https://us.example:8443/v2/"),
            base("https://ap.example"),
        ];
        let engine = Engine::new(RetryPolicy::default(), PacingSettings::default());
        RegionUrls::new(bases, &engine).unwrap()
    }

    #[test]
    fn a_url_keeps_its_path_below_the_base_of_each_region() {
        let moved =
            |url: &str, to| String::from(urls().moved(&Url::parse(url).unwrap(), to).unwrap());
        for (url, to, expected) in [
            (
                "https://eu.example/api/x?q=1",
                1,
                "https://us.example:8443/v2/x?q=1",
            ),
            ("https://eu.example/api?q=1", 2, "https://ap.example/?q=1"),
            (
                "https://us.example:8443/v2/x",
                0,
                "https://eu.example/api/x",
            ),
            ("https://ap.example/x/y", 0, "https://eu.example/api/x/y"),
            // Not below the base.
            ("https://eu.example/apix", 1, "https://us.example:8443/apix"),
            (
                "https://eu.example/other?a",
                2,
                "https://ap.example/other?a",
            ),
        ] {
            assert_eq!(moved(url, to), expected);
        }
    }

    #[test]
    fn a_region_is_named_by_host_and_port() {
        let urls = urls();
        let names: Vec<_> = urls.regions.iter().map(|region| &*region.name).collect();
        assert_eq!(names, ["eu.example", "us.example:8443", "ap.example"]);
    }
}
