//! A call that needs a token: it is there, or fetched once for all who wait.

use gatewright_engine::Instant;
use gatewright_engine::call::{Call, Step};

use super::{Event, Phase, World};
use crate::broken::BrokenRule;
use crate::clock::MS;
use crate::script::CallPlan;
use crate::tokens::Wanted;

impl World<'_> {
    pub(super) fn want_token(&mut self, at: usize) {
        let CallPlan {
            client, credential, ..
        } = self.calls[at].plan;
        // Tokens live by the time of servers, as in the client.
        let now = Instant::from_nanos(self.now);
        let tokens = self.tokens.entry((client, credential)).or_default();
        let kept = self.calls[at]
            .token
            .filter(|_| self.broken == Some(BrokenRule::TokenKept));
        let wanted = match kept {
            Some((token, generation)) => Wanted::Use(token, generation),
            None => tokens.wanted(now),
        };
        match wanted {
            Wanted::Use(token, generation) => {
                self.calls[at].token = Some((token, generation));
                self.got_token(at, true);
            }
            Wanted::Wait { fetch } => {
                tokens.waiting.push(at);
                self.calls[at].phase = Phase::Token;
                if fetch {
                    let plan = self.script.clients.token;
                    let (takes, failing) = plan.map_or((0, 0), |plan| (plan.fetch, plan.failing));
                    let good = !self.dice_of(at).chance(failing.into()) || self.after_the_end;
                    self.at(
                        self.now + takes * MS,
                        Event::Fetched(client, credential, good),
                    );
                }
                let deadline = self.calls[at].call.as_ref().map(Call::deadline);
                self.wait(at, deadline.unwrap_or(now));
            }
        }
    }

    pub(super) fn fetched(&mut self, client: u32, credential: u32, good: bool) {
        let Some(plan) = self.script.clients.token else {
            return;
        };
        let now = Instant::from_nanos(self.now);
        let dice = &mut self.dice[client as usize];
        let tokens = self.tokens.entry((client, credential)).or_default();
        let usable = tokens.on_fetched(&plan, good, self.now, now, dice);
        let waiting = std::mem::take(&mut tokens.waiting);
        self.trace.line(
            self.now,
            format_args!("client {client} has fetched a token: {good}"),
        );
        for at in waiting {
            if self.calls[at].phase != Phase::Token {
                continue;
            }
            if usable {
                self.want_token(at);
            } else {
                self.got_token(at, false);
            }
        }
    }

    pub(super) fn got_token(&mut self, at: usize, usable: bool) {
        let now = self.instant(at);
        let live = &mut self.calls[at];
        live.phase = Phase::Waiting;
        let Some(call) = live.call.as_mut() else {
            return;
        };
        match call.on_token(now, usable) {
            Step::Send { timeout_at, .. } => self.send(at, timeout_at),
            Step::Done(done) => self.over(at, Some(done)),
            Step::Wait { until } => self.wait(at, until),
            Step::RefreshToken => {}
            Step::TakeQuota => self.strange(at),
        }
    }
}
