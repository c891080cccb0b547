//! Whether a stream of events that ended is connected to again, and when (`docs/decisions/0013-server-events.md`).
//!
//! | The connection | and | Then |
//! |---|---|---|
//! | any | it cannot be resumed: no event had an id, or the method is not GET | the end where it was closed, failure where it broke |
//! | closed by the server | it had brought an event | again, after the server's `retry`, else a backoff |
//! | closed by the server | it had brought none | the end: there is nothing more |
//! | broke | fewer than `max_fruitless` in a row brought nothing | again, after the server's `retry` or a backoff, the longer of them |
//! | broke | as many brought nothing | failure |
//! | any | the server asks for more patience than `max_wait` | as if it could not be resumed |

use std::time::Duration;

use crate::backoff::{Backoff, Jitter};
use crate::time::Random;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server ended the body as HTTP has it.
    Closed,
    /// The connection broke, stalled, or was never made.
    Broke,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Connect again after this wait.
    Again {
        /// The wait.
        wait: Duration,
    },
    /// The stream is over.
    End,
    /// The caller is told what went wrong.
    Fail,
}

/// What is known of the connections of one stream.
#[derive(Clone, Debug)]
pub struct Reconnect {
    /// How waits grow.
    pub backoff: Backoff,
    /// Broken connections in a row that brought no event, before it is given up.
    pub max_fruitless: u32,
    /// The most patience that a server may ask for.
    pub max_wait: Duration,
    /// The server's `retry`, from whichever connection it came.
    retry: Option<Duration>,
    fruitful: bool,
    fruitless: u32,
}

impl Reconnect {
    /// For a stream that was not connected yet.
    #[must_use]
    pub const fn new(backoff: Backoff, max_fruitless: u32, max_wait: Duration) -> Self {
        Self {
            backoff,
            max_fruitless,
            max_wait,
            retry: None,
            fruitful: false,
            fruitless: 0,
        }
    }

    /// An event came.
    pub const fn on_event(&mut self) {
        self.fruitful = true;
        self.fruitless = 0;
    }

    /// A connection ended. `resumable` says whether a new one can go on where it ended; `retry` is what the server said on it.
    pub fn on_ended(
        &mut self,
        ended: Ended,
        resumable: bool,
        retry: Option<Duration>,
        random: &mut dyn Random,
    ) -> Then {
        let otherwise = match ended {
            Ended::Closed => Then::End,
            Ended::Broke => Then::Fail,
        };
        self.retry = retry.or(self.retry);
        let fruitful = std::mem::take(&mut self.fruitful);
        let asked = self.retry.unwrap_or_default();
        if !resumable || asked > self.max_wait {
            return otherwise;
        }
        if !fruitful {
            self.fruitless += 1;
            if ended == Ended::Closed || self.fruitless >= self.max_fruitless {
                self.fruitless = 0;
                return otherwise;
            }
        }
        let backoff = self.backoff.wait(self.fruitless, Jitter::UpperHalf, random);
        let wait = match (ended, self.retry) {
            (Ended::Closed, Some(asked)) => asked,
            _ => backoff.max(asked),
        };
        Then::Again { wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always the upper end.
    struct Most;
    impl Random for Most {
        fn next_u64(&mut self) -> u64 {
            u64::MAX
        }
    }

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_millis(300),
    };

    fn fresh() -> Reconnect {
        Reconnect::new(BACKOFF, 3, Duration::from_secs(60))
    }

    /// The wait in milliseconds, to the nearest.
    fn wait(then: Then) -> u128 {
        match then {
            Then::Again { wait } => (wait.as_micros() + 500) / 1000,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_resumed_ends_as_its_connection_did() {
        for (ended, then) in [(Ended::Closed, Then::End), (Ended::Broke, Then::Fail)] {
            let mut stream = fresh();
            stream.on_event();
            assert_eq!(stream.on_ended(ended, false, None, &mut Most), then);
        }
    }

    #[test]
    fn a_close_that_brought_nothing_is_the_end() {
        let mut stream = fresh();
        stream.on_event();
        assert_eq!(
            wait(stream.on_ended(Ended::Closed, true, None, &mut Most)),
            100
        );
        assert_eq!(
            stream.on_ended(Ended::Closed, true, None, &mut Most),
            Then::End
        );
    }

    #[test]
    fn broken_connections_are_tried_again_until_too_many_brought_nothing() {
        let mut stream = fresh();
        stream.on_event();
        let mut waits = Vec::new();
        for _ in 0..3 {
            waits.push(wait(stream.on_ended(Ended::Broke, true, None, &mut Most)));
        }
        assert_eq!(waits, [100, 200, 300]);
        assert_eq!(
            stream.on_ended(Ended::Broke, true, None, &mut Most),
            Then::Fail
        );
        // An event sets it back.
        stream.on_event();
        assert_eq!(
            wait(stream.on_ended(Ended::Broke, true, None, &mut Most)),
            100
        );
    }

    #[test]
    fn the_servers_retry_is_a_floor_and_stays_known() {
        let mut stream = fresh();
        let asked = Some(Duration::from_millis(250));
        stream.on_event();
        assert_eq!(
            wait(stream.on_ended(Ended::Closed, true, asked, &mut Most)),
            250
        );
        let broke =
            |stream: &mut Reconnect| wait(stream.on_ended(Ended::Broke, true, None, &mut Most));
        assert_eq!([broke(&mut stream), broke(&mut stream)], [250, 300]);
        // Zero is sooner than a backoff only where the server closed by itself.
        stream.on_event();
        let at_once = Some(Duration::ZERO);
        assert_eq!(
            wait(stream.on_ended(Ended::Closed, true, at_once, &mut Most)),
            0
        );
        stream.on_event();
        assert_eq!(
            wait(stream.on_ended(Ended::Broke, true, at_once, &mut Most)),
            100
        );
    }

    #[test]
    fn more_patience_than_allowed_is_not_had() {
        for (ended, then) in [(Ended::Closed, Then::End), (Ended::Broke, Then::Fail)] {
            let mut stream = fresh();
            stream.on_event();
            let asked = Some(Duration::from_secs(61));
            assert_eq!(stream.on_ended(ended, true, asked, &mut Most), then);
        }
    }
}
