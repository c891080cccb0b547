//! What a client sets of its hosts: circuit breaker and attempts at once.

pub use gatewright_engine::breaker::BreakerSettings;

use gatewright_engine::ErrorKind;
use gatewright_engine::host::EngineSettings;

use crate::Error;
use crate::client::ClientBuilder;

impl ClientBuilder {
    /// When a host that fails is left alone, and for how long; `None`: never. By default after at least 20 attempts within 30 s of which
    /// half failed, for 1 s, and for twice as long after each probe that fails, up to 10 s. Calls meanwhile fail at once with `circuit_open`.
    pub fn breaker(mut self, breaker: impl Into<Option<BreakerSettings>>) -> Self {
        self.breaker = breaker.into();
        self
    }

    /// Attempts that may be under way at one host at once, at least 1; more wait for their turn, first come, first served. One is under
    /// way until its answer's body is read, or dropped. Default: any number.
    pub fn max_concurrency(mut self, attempts: u32) -> Self {
        self.max_concurrency = Some(attempts);
        self
    }

    /// What all hosts of the client have in common, checked.
    pub(crate) fn engine_settings(&self) -> Result<EngineSettings, Error> {
        if let Some(breaker) = &self.breaker {
            breaker
                .check()
                .map_err(|why| Error::new(ErrorKind::InvalidConfig, format!("`breaker`: {why}")))?;
        }
        if self.max_concurrency == Some(0) {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "`max_concurrency` is 0; it must be at least 1",
            ));
        }
        let mut settings = EngineSettings::default();
        settings.pacing = self.pacing.clone();
        settings.breaker = self.breaker;
        settings.max_concurrency = self.max_concurrency;
        Ok(settings)
    }
}
