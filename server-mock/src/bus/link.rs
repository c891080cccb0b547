//! Whether a bus can be reached: what the admin port shows, and one line on standard error whenever it changes.
//!
//! | State | Leaves by | To |
//! |---|---|---|
//! | unknown | an operation that was answered | up |
//! | unknown, up | an operation that was not | away |
//! | away | an operation that was answered | up |

use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::BusError;
use crate::lock::lock;

/// What is known of the way to a bus.
#[derive(Debug)]
pub(crate) struct Link {
    /// The address without user and password.
    address: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    reach: Reach,
    since: Instant,
    /// Why it is away, or was the last time.
    error: Option<String>,
    /// How often it went away.
    outages: u64,
}

/// Whether a bus can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reach {
    /// The last operation was not answered.
    Away,
    /// Nothing has been asked of it yet.
    Unknown,
    /// The last operation was answered.
    Up,
}

/// The state of a link, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LinkState {
    /// `memory`, a file, or an address without user and password.
    pub(crate) address: String,
    pub(crate) reach: Reach,
    /// Real milliseconds it has been so.
    pub(crate) for_ms: u64,
    /// Why it is away, or was the last time.
    pub(crate) last_error: Option<String>,
    /// How often it went away.
    pub(crate) outages: u64,
}

impl Link {
    pub(crate) fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            state: Mutex::new(State {
                reach: Reach::Unknown,
                since: Instant::now(),
                error: None,
                outages: 0,
            }),
        }
    }

    pub(crate) fn state(&self) -> LinkState {
        let state = lock(&self.state);
        LinkState {
            address: self.address.clone(),
            reach: state.reach,
            for_ms: millis(state.since.elapsed()),
            last_error: state.error.clone(),
            outages: state.outages,
        }
    }

    /// Notes how an operation ended, and hands its answer on.
    pub(crate) fn saw<T>(&self, answer: Result<T, BusError>) -> Result<T, BusError> {
        match &answer {
            Err(BusError::Away(why)) => self.away(why),
            Ok(_) | Err(_) => self.up(),
        }
        answer
    }

    fn up(&self) {
        let mut state = lock(&self.state);
        let before = std::mem::replace(&mut state.reach, Reach::Up);
        if before == Reach::Up {
            return;
        }
        let away = std::mem::replace(&mut state.since, Instant::now()).elapsed();
        drop(state);
        if before == Reach::Away {
            self.say(&format!("is back after {} ms", millis(away)));
        }
    }

    fn away(&self, why: &str) {
        let mut state = lock(&self.state);
        state.error = Some(why.to_owned());
        if std::mem::replace(&mut state.reach, Reach::Away) == Reach::Away {
            return;
        }
        state.since = Instant::now();
        state.outages += 1;
        drop(state);
        self.say(&format!(
            "is away: {why}; what is to be sent waits, and goes on by itself when it is back"
        ));
    }

    fn say(&self, what: &str) {
        // There is nobody to tell that standard error is closed.
        let _ = writeln!(
            std::io::stderr(),
            "gatewright-gateway: the bus {} {what}",
            self.address
        );
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_counted_once_and_ends() {
        let link = Link::new("redis://127.0.0.1:6379");
        assert_eq!(link.state().reach, Reach::Unknown);
        for _ in 0..3 {
            let _ = link.saw::<()>(Err(BusError::Away("connection refused".into())));
        }
        let state = link.state();
        assert_eq!((state.reach, state.outages), (Reach::Away, 1));
        assert_eq!(state.last_error.as_deref(), Some("connection refused"));
        let _ = link.saw::<()>(Err(BusError::LeaseLost));
        assert_eq!((link.state().reach, link.state().outages), (Reach::Up, 1));
    }
}
