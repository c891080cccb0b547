//! Tokens: where they come from, how long the gateway takes them, and who waits for one.

use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::token::{Generation, Need, Token, TokenCell};

use crate::clock::MS;
use crate::dice::Dice;
use crate::script::TokenPlan;

/// The tokens of one client and credential.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    cell: TokenCell,
    /// Until when the gateway takes each token that was given out, in real time. A token is its place here.
    good_until: Vec<u64>,
    /// One is being fetched.
    pub(crate) fetching: bool,
    /// Calls that cannot go without it.
    pub(crate) waiting: Vec<usize>,
}

/// What a call that needs a token is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Send with this one. `fetch`: and fetch another meanwhile.
    Use(u64, Generation),
    /// Wait for the one that is being fetched. `fetch`: begin with it.
    Wait { fetch: bool },
}

impl Tokens {
    /// What to do for a token at `now`.
    pub(crate) fn wanted(&mut self, now: Instant) -> Wanted {
        let number = |secret: &str| secret.parse().unwrap_or(u64::MAX);
        match self.cell.need(now) {
            Need::Use(secret, generation) => Wanted::Use(number(secret.expose()), generation),
            // As in the client: who finds a fetch under way uses the old token as long as it is good; who does not,
            // begins one and waits for it.
            Need::Refresh {
                meanwhile: Some((secret, generation)),
            } if self.fetching => Wanted::Use(number(secret.expose()), generation),
            Need::Refresh { .. } => {
                let fetch = !std::mem::replace(&mut self.fetching, true);
                Wanted::Wait { fetch }
            }
        }
    }

    /// The fetch is over. Answers whether there is a token to be used.
    pub(crate) fn on_fetched(
        &mut self,
        plan: &TokenPlan,
        good: bool,
        real: u64,
        now: Instant,
        dice: &mut Dice,
    ) -> bool {
        self.fetching = false;
        if !good {
            return self.cell.on_failed(now);
        }
        let secret = self.good_until.len().to_string();
        self.good_until
            .push(real.saturating_add(plan.lifetime * MS));
        let expires_in = plan.told.then(|| Duration::from_millis(plan.lifetime));
        let token = Token {
            secret: secret.as_str().into(),
            expires_in,
        };
        self.cell.on_token(token, now, dice);
        true
    }

    /// Whether the gateway takes a token at `real`.
    pub(crate) fn is_good(&self, token: u64, real: u64) -> bool {
        let until = usize::try_from(token)
            .ok()
            .and_then(|at| self.good_until.get(at));
        until.is_some_and(|until| real < *until)
    }

    /// The gateway refused it.
    pub(crate) fn refused(&mut self, generation: Generation) {
        self.cell.invalidate(generation);
    }
}
