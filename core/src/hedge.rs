//! Hedging: where an answer is slow, a second copy of the request is sent, and the first success is taken.

use std::time::Duration;

use gatewright_engine::ErrorKind;

use crate::Error;
use crate::client::ClientBuilder;
use crate::request::RequestBuilder;

/// When a second copy of a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    pub(crate) after: Option<Duration>,
}

impl Hedge {
    /// Where there is no answer after this long.
    #[must_use]
    pub const fn after(delay: Duration) -> Self {
        Self { after: Some(delay) }
    }

    /// Where an answer takes longer than 95 of 100 took of late, measured for each host. Until 20 were measured nothing is hedged.
    #[must_use]
    pub const fn p95() -> Self {
        Self { after: None }
    }
}

impl ClientBuilder {
    /// Sends a second copy of a GET, HEAD or OPTIONS whose answer is slow, and takes the first success; the other is cancelled. At most
    /// one copy a call; it costs the retry budget, and passes the same limits. Answers that are streamed are not hedged. Default: none.
    pub fn hedge(mut self, hedge: impl Into<Option<Hedge>>) -> Self {
        self.hedge = hedge.into();
        self
    }
}

impl RequestBuilder {
    /// Whether a second copy of this request is sent where its answer is slow, see [`ClientBuilder::hedge`]. Default: the client's.
    pub fn hedge(mut self, hedge: impl Into<Option<Hedge>>) -> Self {
        if let Some(hedge) = self.or_wrong(checked_hedge(hedge.into())) {
            self.hedge = hedge;
        }
        self
    }
}

pub(crate) fn checked_hedge(hedge: Option<Hedge>) -> Result<Option<Hedge>, Error> {
    if hedge.is_some_and(|hedge| hedge.after.is_some_and(|delay| delay.is_zero())) {
        let what = "`hedge` is after zero seconds; it must be a time above zero";
        return Err(Error::new(ErrorKind::InvalidConfig, what));
    }
    Ok(hedge)
}
