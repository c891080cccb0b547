//! A script as text: one thing a line, in words, so that a failure can be read, changed and played again. Here it is written;
//! `read.rs` reads it.

use std::fmt;
use std::str::FromStr;

use super::{
    Asks, BreakerPlan, CallPlan, Clients, Dead, Death, Fault, FaultKind, Gateway, Method, Network,
    QuotaKind, Says, Script, Sleep, Start, TokenPlan,
};

/// Names of the variants of an enum, both ways.
macro_rules! names {
    ($type:ty, $($name:literal => $variant:ident),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $name),+ })
            }
        }
        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(format!("{text:?} is none of {}", [$($name),+].join(", "))),
                }
            }
        }
    };
}

names!(QuotaKind, "bucket" => Bucket, "fixed" => Fixed, "clock" => Clock, "sliding" => Sliding);
names!(Says, "draft06" => Draft06, "draft10" => Draft10, "epoch" => Epoch,
    "fractions" => Fractions, "github" => GitHub, "nothing" => Nothing, "openai" => OpenAi);
names!(Asks, "date" => Date, "date-alone" => DateAlone, "millis" => Millis, "nothing" => Nothing, "seconds" => Seconds,
    "unreadable" => Unreadable);
names!(Method, "get" => Get, "post" => Post, "post-keyed" => PostKeyed);

/// A line of a script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Its number, 1 for the first.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ScriptError {}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clients {
            count,
            attempts,
            budget,
            max_retry_after,
            attempt_timeout,
            ..
        } = &self.clients;
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "clients {count} attempts {attempts} budget {budget}")?;
        writeln!(f, "max-retry-after {max_retry_after}ms")?;
        writeln!(f, "attempt-timeout {attempt_timeout}ms")?;
        if !self.clients.pacing {
            writeln!(f, "pacing off")?;
        }
        if let Some((calls, per, burst)) = self.clients.local {
            writeln!(f, "local-quota {calls} per {per}ms burst {burst}")?;
        }
        if let Some(token) = &self.clients.token {
            let told = if token.told { "told" } else { "untold" };
            let TokenPlan {
                lifetime,
                fetch,
                failing,
                ..
            } = token;
            writeln!(
                f,
                "token lifetime {lifetime}ms {told} fetch {fetch}ms failing {failing}"
            )?;
        }
        if let Some(plan) = &self.clients.breaker {
            let BreakerPlan {
                percent,
                volume,
                window,
                open,
            } = plan;
            write!(
                f,
                "breaker percent {percent} volume {volume} window {window}ms open "
            )?;
            match open {
                Some(open) => writeln!(f, "{open}ms")?,
                None => writeln!(f, "ever-longer")?,
            }
        }
        if let Some(most) = self.clients.concurrency {
            writeln!(f, "concurrency {most}")?;
        }
        if self.clients.regions {
            writeln!(f, "regions on")?;
        }
        if let Some(after) = self.clients.hedge {
            writeln!(f, "hedge after {after}ms")?;
        }
        if (self.clients.redirects, self.clients.elsewhere) != (5, false) {
            let where_to = if self.clients.elsewhere {
                "anywhere"
            } else {
                "here"
            };
            writeln!(f, "redirects {} {where_to}", self.clients.redirects)?;
        }
        writeln!(f, "timers-late {}ms", self.clients.late)?;
        let Gateway {
            hosts,
            quotas,
            says,
            asks,
            work,
        } = &self.gateway;
        writeln!(f, "hosts {hosts}")?;
        for quota in quotas {
            writeln!(
                f,
                "quota {} {} per {}s",
                quota.kind, quota.limit, quota.window
            )?;
        }
        writeln!(f, "says {says} asks {asks}")?;
        writeln!(f, "work {}ms to {}ms", work.0, work.1)?;
        let latency = self.network.latency;
        writeln!(f, "latency {}ms to {}ms", latency.0, latency.1)?;
        for Dead { host, from, to, by } in &self.dead {
            writeln!(f, "dead host {host} from {from}ms to {to}ms {by}")?;
        }
        for Sleep { client, from, to } in &self.sleeps {
            writeln!(f, "sleep client {client} from {from}ms to {to}ms")?;
        }
        for call in &self.calls {
            writeln!(f, "{call}")?;
        }
        for Fault {
            call,
            attempt,
            kind,
        } in &self.faults
        {
            writeln!(f, "fault {call} attempt {attempt} {kind}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CallPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} ", self.id)?;
        match self.start {
            Start::At(at) => write!(f, "at {at}ms")?,
            Start::After(other) => write!(f, "after {other}")?,
        }
        write!(
            f,
            " client {} host {} credential {} {}",
            self.client, self.host, self.credential, self.method
        )?;
        if self.once {
            write!(f, " once")?;
        }
        if let Some(deadline) = self.deadline {
            write!(f, " deadline {deadline}ms")?;
        }
        if let Some(cancel) = self.cancel {
            write!(f, " cancel {cancel}ms")?;
        }
        Ok(())
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Silent => f.write_str("silent"),
            Self::Status(status, asks, span) => write!(f, "status {status} asks {asks} {span}ms"),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(status, asks, span) => write!(f, "answer {status} asks {asks} {span}ms"),
            Self::AnswerAfter(status) => write!(f, "answer-after {status}"),
            Self::ConnectTimeout => f.write_str("connect-timeout"),
            Self::NotProcessed => f.write_str("not-processed"),
            Self::Redirect(status, host) => write!(f, "redirect {status} host {host}"),
            Self::Refused => f.write_str("refused"),
            Self::ResetBefore => f.write_str("reset-before"),
            Self::ResetAfter => f.write_str("reset-after"),
            Self::ShouldRetry(status, answer) => write!(f, "should-retry {status} {answer}"),
            Self::SilentBefore => f.write_str("silent-before"),
            Self::SilentAfter => f.write_str("silent-after"),
            Self::Slow(span) => write!(f, "slow {span}ms"),
        }
    }
}

impl Default for Script {
    /// One client without anything special, and no calls.
    fn default() -> Self {
        Self {
            seed: 0,
            clients: Clients {
                count: 1,
                attempts: 3,
                budget: 500,
                max_retry_after: 60_000,
                attempt_timeout: 20_000,
                pacing: true,
                local: None,
                token: None,
                late: 0,
                breaker: None,
                concurrency: None,
                regions: false,
                hedge: None,
                redirects: 5,
                elsewhere: false,
            },
            gateway: Gateway {
                hosts: 1,
                quotas: Vec::new(),
                says: Says::Draft10,
                asks: Asks::Seconds,
                work: (1, 5),
            },
            network: Network { latency: (1, 20) },
            dead: Vec::new(),
            sleeps: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::derive;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for seed in 0..200 {
            let script = derive(seed, 50);
            assert_eq!(script.to_string().parse(), Ok(script), "seed {seed}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = "seed 1\n\ncall 1 at 5\n".parse::<Script>().unwrap_err();
        assert_eq!(error.to_string(), "line 3: \"5\" has no \"ms\"");
        let error = "fault 1 attempt 1 explosion".parse::<Script>();
        assert!(error.unwrap_err().why.contains("explosion"));
        let error = "call 1 after 0 client 0 host 0 credential 0 get".parse::<Script>();
        assert!(error.unwrap_err().why.contains("call 1"));
    }
}
