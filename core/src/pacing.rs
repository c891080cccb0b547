//! The settings of pacing that are not `pacing` and `quota`.

use crate::client::ClientBuilder;

impl ClientBuilder {
    /// Calls that may wait for their turn, for each host and credential; one more fails at once with `rate_limited`.
    /// Default 10 000.
    pub fn max_queue(mut self, calls: usize) -> Self {
        self.pacing.max_queue = calls;
        self
    }
}
