//! When is a token good, and when is a new one fetched? One refresh at a time; the fetching itself is the driver's.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | empty | `need` | refresh (`an_empty_cell_needs_a_token`) |
//! | fresh | `need` | use (`a_fresh_token_is_used`) |
//! | ageing (refresh time passed, not expired) | `need` | refresh ahead, the old one still serves (`an_ageing_token_still_serves`) |
//! | expired | `need` | refresh |
//! | any | `invalidate(generation)` of the token in use | empty (`invalidating_an_older_token_changes_nothing`) |
//! | ageing | `on_failed` | fresh for a while with the old token (`a_failed_refresh_falls_back_to_a_valid_token`) |

use std::time::Duration;

use crate::backoff::share_of;
use crate::defaults;
use crate::redact::Secret;
use crate::time::{Instant, Random};

/// After a refresh ahead of time failed, the next try waits this long.
const RETRY_REFRESH: Duration = Duration::from_secs(5);

/// A token as its source gave it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token itself.
    pub secret: Secret,
    /// How long it is good from the moment it was received; `None`: until the server refuses it.
    pub expires_in: Option<Duration>,
}

/// Which token it was: counts up with every new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// What a call is to do before it sends.
#[derive(Clone, Debug)]
pub enum Need {
    /// Send with this token.
    Use(Secret, Generation),
    /// Fetch a new one; while one is being fetched, `meanwhile` still serves.
    Refresh {
        /// The old token, where it has not expired.
        meanwhile: Option<(Secret, Generation)>,
    },
}

#[derive(Debug)]
struct Current {
    secret: Secret,
    generation: Generation,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

/// The token of one credential.
#[derive(Debug, Default)]
pub struct TokenCell {
    current: Option<Current>,
    generations: u64,
}

impl TokenCell {
    /// What to do at `now`.
    #[must_use]
    pub fn need(&self, now: Instant) -> Need {
        let Some(current) = &self.current else {
            return Need::Refresh { meanwhile: None };
        };
        if current.expires_at.is_some_and(|at| at <= now) {
            return Need::Refresh { meanwhile: None };
        }
        let token = (current.secret.clone(), current.generation);
        if current.refresh_at.is_some_and(|at| at <= now) {
            return Need::Refresh {
                meanwhile: Some(token),
            };
        }
        Need::Use(token.0, token.1)
    }

    /// A new token came.
    pub fn on_token(&mut self, token: Token, now: Instant, random: &mut dyn Random) {
        self.generations = self.generations.saturating_add(1);
        let expires_at = token.expires_in.map(|d| now + d);
        let refresh_at = token.expires_in.map(|lifetime| {
            // A short-lived token is renewed at four fifths of its life instead, or it would always be ageing.
            let ahead = defaults::TOKEN_REFRESH_AHEAD.min(lifetime / 5);
            // Jitter, so that many processes that started together do not renew together.
            let jitter = share_of(ahead, random.next_unit() / 2.0);
            now + lifetime.saturating_sub(ahead).saturating_sub(jitter)
        });
        self.current = Some(Current {
            secret: token.secret,
            generation: Generation(self.generations),
            refresh_at,
            expires_at,
        });
    }

    /// Fetching failed. Answers whether the old token still serves.
    pub fn on_failed(&mut self, now: Instant) -> bool {
        match &mut self.current {
            Some(current) if current.expires_at.is_none_or(|at| at > now) => {
                current.refresh_at = Some(now + RETRY_REFRESH);
                true
            }
            _ => false,
        }
    }

    /// The server refused the token of this generation. A newer one is left alone.
    pub fn invalidate(&mut self, generation: Generation) {
        if self
            .current
            .as_ref()
            .is_some_and(|c| c.generation == generation)
        {
            self.current = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;
    impl Random for Zero {
        fn next_u64(&mut self) -> u64 {
            0
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn cell(expires_in: Option<u64>) -> TokenCell {
        let mut cell = TokenCell::default();
        let expires_in = expires_in.map(Duration::from_secs);
        cell.on_token(
            Token {
                secret: "t1".into(),
                expires_in,
            },
            at(0),
            &mut Zero,
        );
        cell
    }

    fn used(cell: &TokenCell, seconds: u64) -> Option<Generation> {
        match cell.need(at(seconds)) {
            Need::Use(_, generation) => Some(generation),
            Need::Refresh { .. } => None,
        }
    }

    #[test]
    fn an_empty_cell_needs_a_token() {
        assert!(matches!(
            TokenCell::default().need(at(0)),
            Need::Refresh { meanwhile: None }
        ));
    }

    #[test]
    fn a_fresh_token_is_used() {
        assert!(used(&cell(Some(3600)), 3569).is_some());
        assert!(used(&cell(None), u64::MAX / 2_000_000_000).is_some());
    }

    #[test]
    fn an_ageing_token_still_serves() {
        assert!(matches!(
            cell(Some(3600)).need(at(3570)),
            Need::Refresh { meanwhile: Some(_) }
        ));
        assert!(matches!(
            cell(Some(3600)).need(at(3600)),
            Need::Refresh { meanwhile: None }
        ));
    }

    #[test]
    fn short_lived_tokens_are_not_always_ageing() {
        assert!(used(&cell(Some(10)), 7).is_some());
        assert!(used(&cell(Some(10)), 8).is_none());
    }

    #[test]
    fn a_failed_refresh_falls_back_to_a_valid_token() {
        let mut cell = cell(Some(3600));
        assert!(cell.on_failed(at(3570)));
        assert!(used(&cell, 3571).is_some());
        assert!(used(&cell, 3576).is_none());
        assert!(!cell.on_failed(at(3600)));
    }

    #[test]
    fn invalidating_an_older_token_changes_nothing() {
        let mut cell = cell(None);
        let first = used(&cell, 0).unwrap();
        cell.on_token(
            Token {
                secret: "t2".into(),
                expires_in: None,
            },
            at(1),
            &mut Zero,
        );
        cell.invalidate(first);
        let second = used(&cell, 1).unwrap();
        assert!(second > first);
        cell.invalidate(second);
        assert!(used(&cell, 1).is_none());
    }
}
