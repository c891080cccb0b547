//! What would be done with a hypothetical outcome of an attempt, and why, without changing anything.
//!
//! It asks the same functions as a call does: `judge_status`, `judge_failure`, `weigh`, and copies of budget and breaker.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::attempts::Readable;
use crate::breaker::{Breaker, BreakerPhase, Trouble, is_trouble};
use crate::budget::{Budget, RetryCost};
use crate::call::{CallLimits, RequestFacts, Room, Wait, kind_of, weigh};
use crate::error::ErrorKind;
use crate::host::{Engine, Host};
use crate::limits::{Reading, read_limits};
use crate::problem::Problem;
use crate::regions::Region;
use crate::retry::{FailureClass, NoRetry, RetryCause, Verdict, judge_failure, judge_status};
use crate::retry_after::read_retry_after;
use crate::time::{Instant, Now, Random};

/// An attempt that did not happen.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The request's method, for the words.
    pub method: &'a Method,
    /// What the decisions need to know of the request.
    pub request: RequestFacts,
    /// What bounds the call.
    pub limits: CallLimits,
    /// Which attempt it was, 1 for the first.
    pub attempt: u32,
    /// How long the call would have been under way.
    pub elapsed: Duration,
    /// What came of the attempt.
    pub outcome: Supposed<'a>,
}

/// What came of an attempt that did not happen.
#[derive(Clone, Copy, Debug)]
pub enum Supposed<'a> {
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Its headers.
        headers: &'a HeaderMap,
        /// Its problem details, where it is an error that has them.
        problem: Option<&'a Problem>,
    },
    /// No complete answer.
    Failure(FailureClass),
}

impl Supposed<'_> {
    /// Another region may do better.
    #[must_use]
    pub fn may_go_elsewhere(&self) -> bool {
        match self {
            Self::Answer { status, .. } => status.as_u16() >= 500,
            Self::Failure(_) => true,
        }
    }
}

/// What would be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The answer goes to the caller.
    Return,
    /// Another attempt.
    Retry {
        /// What makes it worth it.
        cause: RetryCause,
        /// The wait before it, at least.
        least: Duration,
        /// The wait before it, at most: jitter decides.
        most: Duration,
    },
    /// A new token first, then another attempt.
    RefreshToken,
    /// A redirect is followed.
    Redirect {
        /// Where it leads, redacted.
        to: String,
    },
    /// An error goes to the caller.
    GiveUp(NoRetry),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Return => f.write_str("return the answer"),
            Self::Retry { cause, least, most } if least == most => {
                write!(f, "retry in {} ({cause})", Readable(*least))
            }
            Self::Retry { cause, least, most } => write!(
                f,
                "retry in {} to {} ({cause})",
                Readable(*least),
                Readable(*most)
            ),
            Self::RefreshToken => f.write_str("refresh the token and retry"),
            Self::Redirect { to } => write!(f, "follow the redirect to {to}"),
            Self::GiveUp(why) => write!(f, "give up ({why})"),
        }
    }
}

/// How a breaker would count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Against the host.
    Failure,
    /// Neither for nor against it.
    Neither,
    /// For the host: it is there.
    Success,
}

impl Counted {
    /// `failure`, `neither` or `success`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Neither => "neither",
            Self::Success => "success",
        }
    }
}

/// What would be done, and why. Its `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// What would be decided.
    pub decision: Plan,
    /// The kind of the error that the caller would get, were there no other attempt; `None` for a success.
    pub kind: Option<ErrorKind>,
    /// Whether the request is safe to repeat: by its method, or because it carries a key.
    pub repeatable: bool,
    /// What the server asks for, as read from its headers.
    pub retry_after: Option<Duration>,
    /// What the retry would cost of the budget.
    pub cost: Option<u32>,
    /// Tokens in the retry budget now.
    pub budget_left: u32,
    /// How the breaker would count it; `None` where it is off.
    pub counted: Option<Counted>,
    /// What the breaker would do then; `None` where it is off.
    pub breaker: Option<BreakerPhase>,
    /// How long all calls of this credential would be held back.
    pub paused_for: Option<Duration>,
    /// The limits that its headers tell of.
    pub readings: Vec<Reading>,
    /// The region to which the retry would go, where the client has several.
    pub region: Option<String>,
    /// Why, a sentence each, in the order in which it is decided.
    pub reasons: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decision)?;
        for reason in &self.reasons {
            write!(f, "\n- {reason}")?;
        }
        Ok(())
    }
}

/// A number between 0 and 1 that is always the same.
struct Always(u64);

impl Random for Always {
    fn next_u64(&mut self) -> u64 {
        self.0
    }
}

impl Engine {
    /// What would be done with the outcome of an attempt at `host`; `elsewhere` is another healthy region, if there is one. Nothing is
    /// changed.
    #[must_use]
    pub fn explain(
        &self,
        host: &Host,
        elsewhere: Option<&Region>,
        question: &Question<'_>,
        now: Now,
    ) -> Explanation {
        let (mut budget, breaker) = host.copy_of_budget_and_breaker();
        let mut explained = Explanation {
            decision: Plan::Return,
            kind: None,
            repeatable: question.request.repeatable,
            retry_after: None,
            cost: None,
            budget_left: budget.left(),
            counted: None,
            breaker: None,
            paused_for: None,
            readings: Vec::new(),
            region: None,
            reasons: Vec::new(),
        };
        let verdict = explained.judge(self, question, now);
        let breaker = breaker.map(|mut breaker| {
            let servers_now = host.servers_now(now.instant);
            explained.count(&mut breaker, question.outcome, servers_now);
            (breaker, servers_now)
        });
        explained.decision = match verdict {
            Verdict::Return => Plan::Return,
            Verdict::Unauthorized if question.request.refreshable && question.attempt <= 1 => {
                explained.say("the credential can be fetched anew, once in a call");
                Plan::RefreshToken
            }
            Verdict::Unauthorized => Plan::GiveUp(NoRetry::NotRetryable),
            Verdict::GiveUp(why) => Plan::GiveUp(why),
            Verdict::Retry {
                cause,
                cost,
                jitter,
            } => {
                let elsewhere = elsewhere.filter(|_| question.outcome.may_go_elsewhere());
                if let Some(region) = elsewhere {
                    (budget, _) = region.host.copy_of_budget_and_breaker();
                    explained.budget_left = budget.left();
                    explained.region = Some(region.name.to_string());
                    explained.say(format!("{} is healthy, and is asked at once", region.name));
                }
                let wait = Wait {
                    asked: explained.retry_after,
                    jitter,
                    elsewhere: elsewhere.is_some(),
                };
                explained.weigh(self, question, now, wait).map_or_else(
                    Plan::GiveUp,
                    |(least, most)| {
                        explained.pay(cost, budget);
                        let refused = breaker.as_ref().is_some_and(|(breaker, servers_now)| {
                            breaker.check(*servers_now + most).is_err()
                        });
                        if refused && elsewhere.is_none() {
                            Plan::GiveUp(NoRetry::CircuitOpen)
                        } else if explained.budget_left < cost.tokens() {
                            Plan::GiveUp(NoRetry::OutOfBudget)
                        } else {
                            Plan::Retry { cause, least, most }
                        }
                    },
                )
            }
        };
        if let Plan::GiveUp(why) = explained.decision
            && why != NoRetry::NotRetryable
        {
            explained.say(format!("there is no other attempt: {why}"));
        }
        explained
    }
}

impl Explanation {
    fn say(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// What the outcome is by the table of retries.
    fn judge(&mut self, engine: &Engine, question: &Question<'_>, now: Now) -> Verdict {
        let (policy, repeatable) = (engine.policy(), question.request.repeatable);
        let verdict = match question.outcome {
            Supposed::Answer {
                status,
                headers,
                problem,
            } => {
                self.kind = ErrorKind::of_status(status);
                let verdict = judge_status(policy, repeatable, status, headers, problem);
                let word = headers.get(&policy.should_retry_header);
                let word = word.and_then(|word| word.to_str().ok());
                match (self.kind, word) {
                    (None, _) => self.say(format!("{status} is no error")),
                    (_, Some(word @ ("true" | "false"))) => self.say(format!(
                        "{status}, and {}: {word} overrules the table of what is retried",
                        policy.should_retry_header
                    )),
                    _ => self.say(format!("{status}: {}", judged(verdict))),
                }
                self.read(status, headers, policy.backoff.base, now);
                verdict
            }
            Supposed::Failure(class) => {
                self.kind = Some(kind_of(class, repeatable));
                let verdict = judge_failure(repeatable, class);
                self.say(format!("{class}: {}", judged(verdict)));
                verdict
            }
        };
        if self.kind.is_some() {
            let method = question.method;
            let safe = crate::idempotency::is_idempotent(method);
            self.say(match (safe, repeatable) {
                (true, _) => format!("{method} is safe to repeat by what it means"),
                (false, true) => format!("{method} is safe to repeat, because it carries a key"),
                (false, false) => format!("{method} is not safe to repeat without a key"),
            });
        }
        verdict
    }

    /// What the headers say of patience and limits.
    fn read(&mut self, status: StatusCode, headers: &HeaderMap, first_backoff: Duration, now: Now) {
        if status.as_u16() >= 400 {
            self.retry_after = read_retry_after(headers, now);
        }
        if let Some(asked) = self.retry_after {
            self.say(format!("the server asks to wait {}", Readable(asked)));
        }
        self.paused_for = match (status.as_u16(), self.retry_after) {
            (429, asked) => Some(asked.unwrap_or(first_backoff)),
            (503, asked) => asked,
            _ => None,
        };
        if let Some(pause) = self.paused_for {
            self.say(format!(
                "other calls with this credential are held back for {}",
                Readable(pause)
            ));
        }
        for reading in &read_limits(headers, now) {
            self.readings.push(reading.clone());
            let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
            let mut said = format!(
                "quota {:?}: {} of {} left",
                reading.policy,
                number(reading.remaining),
                number(reading.limit)
            );
            if let Some(reset) = reading.reset_after {
                said += &format!(", reset in {}", Readable(reset));
            }
            self.say(said);
        }
    }

    /// What it would mean for the breaker, of which this is a copy.
    fn count(&mut self, breaker: &mut Breaker, outcome: Supposed<'_>, servers_now: Instant) {
        let trouble = match outcome {
            Supposed::Answer { status, .. } if status.as_u16() >= 500 => {
                Some(Trouble::Status(status.as_u16()))
            }
            Supposed::Answer { .. } => None,
            Supposed::Failure(class) => is_trouble(class).then_some(Trouble::Failed(class)),
        };
        let counted = match (trouble, outcome) {
            (Some(_), _) => Counted::Failure,
            (None, Supposed::Answer { .. }) => Counted::Success,
            (None, Supposed::Failure(_)) => Counted::Neither,
        };
        if let Ok(permit) = breaker.pass(servers_now) {
            match (trouble, counted) {
                (Some(trouble), _) => breaker.on_failure(permit, servers_now, trouble, 0.5),
                (None, Counted::Success) => breaker.on_success(permit, servers_now),
                (None, _) => breaker.on_given_back(permit),
            }
        }
        let state = breaker.state(servers_now);
        (self.counted, self.breaker) = (Some(counted), Some(state.phase));
        if self.kind.is_some() {
            let counted = match counted {
                Counted::Failure => "a failure of the host",
                Counted::Neither => "neither failure nor success",
                Counted::Success => "a success: the host is there",
            };
            self.say(format!(
                "the breaker counts it as {counted}; it has {} failures of {} attempts and is {}",
                state.failures,
                state.calls,
                state.phase.as_str().replace('_', "-"),
            ));
        }
    }

    /// The least and the longest wait.
    fn weigh(
        &mut self,
        engine: &Engine,
        question: &Question<'_>,
        now: Now,
        wait: Wait,
    ) -> Result<(Duration, Duration), NoRetry> {
        let max_attempts = question.limits.max_attempts;
        let room = Room {
            retries: question.attempt.saturating_sub(1),
            max_attempts: max_attempts.unwrap_or(engine.policy().max_attempts),
            replayable: question.request.replayable,
            now: now.instant,
            deadline: match question.limits.timeout {
                Some(timeout) => now.instant + timeout.saturating_sub(question.elapsed),
                None => Instant::from_nanos(u64::MAX),
            },
        };
        self.say(format!(
            "it is attempt {} of {}",
            question.attempt.max(1),
            room.max_attempts
        ));
        if let Some(timeout) = question.limits.timeout {
            self.say(format!(
                "{} of {} are left until the deadline",
                Readable(timeout.saturating_sub(question.elapsed)),
                Readable(timeout)
            ));
        }
        let weighed = |random| weigh(engine.policy(), &room, wait, &mut Always(random));
        let least = weighed(0)?;
        // Where only the longest wait would be too long, jitter decides.
        let most = weighed(u64::MAX).unwrap_or(least);
        Ok((least, most))
    }

    fn pay(&mut self, cost: RetryCost, budget: Budget) {
        let tokens = cost.tokens();
        self.cost = Some(tokens);
        self.say(format!(
            "a retry costs {tokens} of the {} tokens left in the budget of {}",
            budget.left(),
            budget.capacity()
        ));
    }
}

fn judged(verdict: Verdict) -> String {
    match verdict {
        Verdict::Return => "goes to the caller".to_owned(),
        Verdict::Retry { cause, .. } => format!("worth another attempt, {cause}"),
        Verdict::Unauthorized => "the credential is not accepted".to_owned(),
        Verdict::GiveUp(why) => why.to_string(),
    }
}

#[cfg(test)]
mod tests;
