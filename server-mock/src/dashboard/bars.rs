//! The last minute as a picture: a bar a second, of answers that were fine, of refusals, and of failures.

use std::fmt::Write as _;

use crate::journal::Activity;

/// How far back it goes.
pub(super) const SECONDS: usize = 60;

/// The last minute, a bar a second.
pub(super) struct Bars {
    pub(super) fine: String,
    pub(super) client: String,
    pub(super) server: String,
}

impl Bars {
    /// Paths in a picture of 60 by 30, so that a hundred bars are three elements.
    pub(super) fn of(activity: &Activity) -> Self {
        let most = activity
            .seconds
            .iter()
            .map(|second| second.fine + second.client + second.server)
            .max()
            .unwrap_or(0)
            .max(1);
        let mut bars = Self {
            fine: String::new(),
            client: String::new(),
            server: String::new(),
        };
        let height = |of: u32| f64::from(of) / f64::from(most) * 30.0;
        for (x, second) in activity.seconds.iter().enumerate() {
            let mut y = 30.0;
            for (path, of) in [
                (&mut bars.fine, second.fine),
                (&mut bars.client, second.client),
                (&mut bars.server, second.server),
            ] {
                if of > 0 {
                    let up = height(of).max(1.0);
                    y -= up;
                    let _ = write!(path, "M{x} {y:.2}h.8v{up:.2}h-.8z");
                }
            }
        }
        bars
    }
}
