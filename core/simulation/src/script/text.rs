//! A script as text: one thing a line, in words, so that a failure can be read, changed and played again.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};

use super::{
    Asks, BreakerPlan, CallPlan, Clients, Dead, Death, Fault, FaultKind, Gateway, Method, Network,
    QuotaKind, QuotaPlan, Says, Script, Sleep, Start, TokenPlan,
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

impl FromStr for Script {
    type Err = ScriptError;

    /// Reads what `Display` writes. Lines may come in any order and be left out; `#` begins a comment.
    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = Words(line.split_whitespace());
            let Some(first) = words.0.next() else {
                continue;
            };
            let read = script
                .read_line(first, &mut words)
                .and_then(|()| words.end());
            read.map_err(|why| ScriptError { line: at + 1, why })?;
        }
        script.check().map_err(|why| ScriptError { line: 0, why })?;
        Ok(script)
    }
}

impl Script {
    fn read_line(&mut self, first: &str, words: &mut Words<'_>) -> Result<(), String> {
        match first {
            "seed" => self.seed = words.next()?,
            "clients" => {
                self.clients.count = words.next()?;
                self.clients.attempts = words.after("attempts")?;
                self.clients.budget = words.after("budget")?;
            }
            "max-retry-after" => self.clients.max_retry_after = words.millis()?,
            "attempt-timeout" => self.clients.attempt_timeout = words.millis()?,
            "pacing" => {
                words.word("off")?;
                self.clients.pacing = false;
            }
            "local-quota" => {
                let calls = words.next()?;
                words.word("per")?;
                self.clients.local = Some((calls, words.millis()?, words.after("burst")?));
            }
            "token" => {
                words.word("lifetime")?;
                let lifetime = words.millis()?;
                let told = match words.text()? {
                    "told" => true,
                    "untold" => false,
                    other => return Err(format!("{other:?} is neither told nor untold")),
                };
                words.word("fetch")?;
                let fetch = words.millis()?;
                let failing = words.after("failing")?;
                self.clients.token = Some(TokenPlan {
                    lifetime,
                    told,
                    fetch,
                    failing,
                });
            }
            "breaker" => {
                let percent = words.after("percent")?;
                let volume = words.after("volume")?;
                words.word("window")?;
                let window = words.millis()?;
                words.word("open")?;
                let open = words.millis_or("ever-longer")?;
                self.clients.breaker = Some(BreakerPlan {
                    percent,
                    volume,
                    window,
                    open,
                });
            }
            "concurrency" => self.clients.concurrency = Some(words.next()?),
            "regions" => {
                words.word("on")?;
                self.clients.regions = true;
            }
            "hedge" => {
                words.word("after")?;
                self.clients.hedge = Some(words.millis()?);
            }
            "redirects" => {
                self.clients.redirects = words.next()?;
                self.clients.elsewhere = match words.text()? {
                    "anywhere" => true,
                    "here" => false,
                    other => return Err(format!("{other:?} is neither here nor anywhere")),
                };
            }
            "timers-late" => self.clients.late = words.millis()?,
            "hosts" => self.gateway.hosts = words.next()?,
            "quota" => {
                let kind = words.next()?;
                let limit = words.next()?;
                words.word("per")?;
                let window = words.text()?.trim_end_matches('s');
                let window = window
                    .parse()
                    .map_err(|_| format!("{window:?} are no seconds"))?;
                self.gateway.quotas.push(QuotaPlan {
                    kind,
                    limit,
                    window,
                });
            }
            "says" => {
                self.gateway.says = words.next()?;
                self.gateway.asks = words.after("asks")?;
            }
            "work" => self.gateway.work = words.span()?,
            "latency" => self.network.latency = words.span()?,
            "dead" => {
                let host = words.after("host")?;
                words.word("from")?;
                let (from, to) = words.span()?;
                let by = words.death()?;
                self.dead.push(Dead { host, from, to, by });
            }
            "sleep" => {
                let client = words.after("client")?;
                words.word("from")?;
                let (from, to) = words.span()?;
                self.sleeps.push(Sleep { client, from, to });
            }
            "call" => self.calls.push(words.call()?),
            "fault" => {
                let call = words.next()?;
                let attempt = words.after("attempt")?;
                let kind = words.fault()?;
                self.faults.push(Fault {
                    call,
                    attempt,
                    kind,
                });
            }
            other => return Err(format!("no line begins with {other:?}")),
        }
        Ok(())
    }

    /// Everything that is named exists.
    fn check(&self) -> Result<(), String> {
        let ids: std::collections::BTreeSet<u32> = self.calls.iter().map(|call| call.id).collect();
        if ids.len() != self.calls.len() {
            return Err("two calls have the same number".to_owned());
        }
        for call in &self.calls {
            let known = match call.start {
                Start::At(_) => true,
                Start::After(other) => other < call.id && ids.contains(&other),
            };
            if !known || call.client >= self.clients.count || call.host >= self.gateway.hosts {
                return Err(format!(
                    "what call {} names is not there before it",
                    call.id
                ));
            }
        }
        let leads_nowhere = |fault: &&Fault| match fault.kind {
            FaultKind::Redirect(_, host) => host >= self.gateway.hosts,
            _ => false,
        };
        if let Some(fault) = self.faults.iter().find(leads_nowhere) {
            return Err(format!("call {} is sent to no host", fault.call));
        }
        if self.clients.attempts == 0 || self.gateway.quotas.iter().any(|q| q.limit * q.window == 0)
        {
            return Err("there is a zero where none can be".to_owned());
        }
        Ok(())
    }
}

/// The words of a line.
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn text(&mut self) -> Result<&'a str, String> {
        self.0
            .next()
            .ok_or_else(|| "the line ends too early".to_owned())
    }

    fn next<T: FromStr>(&mut self) -> Result<T, String>
    where
        T::Err: fmt::Display,
    {
        let text = self.text()?;
        text.parse().map_err(|why| format!("{text:?}: {why}"))
    }

    fn word(&mut self, expected: &str) -> Result<(), String> {
        match self.text()? {
            word if word == expected => Ok(()),
            other => Err(format!("{other:?} instead of {expected:?}")),
        }
    }

    fn after<T: FromStr>(&mut self, name: &str) -> Result<T, String>
    where
        T::Err: fmt::Display,
    {
        self.word(name)?;
        self.next()
    }

    fn millis(&mut self) -> Result<u64, String> {
        let text = self.text()?;
        let number = text
            .strip_suffix("ms")
            .ok_or_else(|| format!("{text:?} has no \"ms\""))?;
        number.parse().map_err(|why| format!("{text:?}: {why}"))
    }

    fn millis_or(&mut self, none: &str) -> Result<Option<u64>, String> {
        let mut ahead = Words(self.0.clone());
        if ahead.text()? == none {
            *self = ahead;
            return Ok(None);
        }
        self.millis().map(Some)
    }

    fn span(&mut self) -> Result<(u64, u64), String> {
        let from = self.millis()?;
        self.word("to")?;
        Ok((from, self.millis()?))
    }

    fn asks(&mut self) -> Result<(u16, Asks, u64), String> {
        Ok((self.next()?, self.after("asks")?, self.millis()?))
    }

    fn death(&mut self) -> Result<Death, String> {
        Ok(match self.text()? {
            "refused" => Death::Refused,
            "silent" => Death::Silent,
            "status" => {
                let (status, asks, span) = self.asks()?;
                Death::Status(status, asks, span)
            }
            other => return Err(format!("nobody is dead by {other:?}")),
        })
    }

    fn fault(&mut self) -> Result<FaultKind, String> {
        Ok(match self.text()? {
            "answer" => {
                let (status, asks, span) = self.asks()?;
                FaultKind::Answer(status, asks, span)
            }
            "answer-after" => FaultKind::AnswerAfter(self.next()?),
            "connect-timeout" => FaultKind::ConnectTimeout,
            "not-processed" => FaultKind::NotProcessed,
            "redirect" => FaultKind::Redirect(self.next()?, self.after("host")?),
            "refused" => FaultKind::Refused,
            "reset-before" => FaultKind::ResetBefore,
            "reset-after" => FaultKind::ResetAfter,
            "should-retry" => FaultKind::ShouldRetry(self.next()?, self.next()?),
            "silent-before" => FaultKind::SilentBefore,
            "silent-after" => FaultKind::SilentAfter,
            "slow" => FaultKind::Slow(self.millis()?),
            other => return Err(format!("there is no fault {other:?}")),
        })
    }

    fn call(&mut self) -> Result<CallPlan, String> {
        let id = self.next()?;
        let start = match self.text()? {
            "at" => Start::At(self.millis()?),
            "after" => Start::After(self.next()?),
            other => return Err(format!("{other:?} is neither \"at\" nor \"after\"")),
        };
        let mut call = CallPlan {
            id,
            start,
            client: self.after("client")?,
            host: self.after("host")?,
            credential: self.after("credential")?,
            method: self.next()?,
            once: false,
            deadline: None,
            cancel: None,
        };
        while let Some(word) = self.0.next() {
            match word {
                "once" => call.once = true,
                "deadline" => call.deadline = Some(self.millis()?),
                "cancel" => call.cancel = Some(self.millis()?),
                other => return Err(format!("a call has no {other:?}")),
            }
        }
        Ok(call)
    }

    fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(more) => Err(format!("{more:?} is too much")),
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
