//! Reads what `text.rs` writes.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};

use super::{
    Asks, BreakerPlan, CallPlan, Dead, Death, Fault, FaultKind, QuotaPlan, Script, ScriptError,
    Sleep, Start, TokenPlan,
};

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
