//! What a client would do with an answer or a failure that did not happen.

use std::time::Duration;

use bytes::Bytes;
use gatewright_engine::ErrorKind;
pub use gatewright_engine::explain::{Explanation, Plan};
use gatewright_engine::explain::{Question, Supposed};
use gatewright_engine::idempotency::is_idempotent;
use gatewright_engine::problem::read_problem;
use gatewright_engine::redirect::{Redirect, judge_redirect};
use gatewright_engine::retry::FailureClass;
use http::{HeaderMap, Method, StatusCode};

use crate::Error;
use crate::client::Client;
use crate::credentials::Choice;
use crate::request::checked_header;
use crate::timeout::{Setting, checked};

/// An outcome of an attempt that did not happen, for [`Client::explain`].
#[derive(Debug)]
#[must_use = "a supposition does nothing until it is explained"]
pub struct Hypothetical {
    outcome: Outcome,
    headers: HeaderMap,
    body: Bytes,
    method: Method,
    path: String,
    idempotency_key: Option<bool>,
    replayable: bool,
    attempt: u32,
    elapsed: Duration,
    max_attempts: Option<u32>,
    timeout: Option<Setting>,
    wrong: Option<Error>,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Answer(u16),
    Failure(FailureClass),
}

impl Hypothetical {
    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            method: Method::GET,
            path: String::new(),
            idempotency_key: None,
            replayable: true,
            attempt: 1,
            elapsed: Duration::ZERO,
            max_attempts: None,
            timeout: None,
            wrong: None,
        }
    }

    /// The server answers with this status.
    pub fn answer(status: u16) -> Self {
        Self::new(Outcome::Answer(status))
    }

    /// There is no complete answer.
    pub fn failure(class: FailureClass) -> Self {
        Self::new(Outcome::Failure(class))
    }

    /// A header of the answer.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        match checked_header(name, value.as_ref()) {
            Ok((name, value)) => {
                self.headers.append(name, value);
            }
            Err(wrong) => {
                self.wrong.get_or_insert(wrong);
            }
        }
        self
    }

    /// The body of the answer. Problem details in it may matter.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The method of the request. Default GET.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The path of the request, for redirects and allowed origins. Default the base URL.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Whether the request carries an idempotency key. Default: as the client does it for the method.
    pub fn idempotency_key(mut self, yes: bool) -> Self {
        self.idempotency_key = Some(yes);
        self
    }

    /// Whether the request's body can be sent again. Default true.
    pub fn replayable(mut self, yes: bool) -> Self {
        self.replayable = yes;
        self
    }

    /// Which attempt it was, 1 for the first. Default 1.
    pub fn attempt(mut self, number: u32) -> Self {
        self.attempt = number.max(1);
        self
    }

    /// How long the call would have been under way. Default zero.
    pub fn elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// Attempts in all that the call would have. Default: the client's.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// The deadline that the call would have. Default: the client's.
    pub fn timeout(mut self, timeout: impl Into<Setting>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }
}

impl Client {
    /// What would be done with this outcome now, and why. Nothing is sent, and nothing is changed.
    ///
    /// ```
    /// # fn main() -> Result<(), gatewright::Error> {
    /// # #[cfg(feature = "native")] {
    /// use gatewright::{Client, Hypothetical};
    ///
    /// let client = Client::new("https://api.example.com")?;
    /// let explained = client.explain(Hypothetical::answer(503).header("retry-after", "2"))?;
    /// println!("{explained}"); // retry in 2 s to 2.20 s (the server was unavailable) ...
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `invalid_request` for a status, header, path or timeout that is none; `cross_origin` for a path that leads elsewhere.
    pub fn explain(&self, supposed: Hypothetical) -> Result<Explanation, Error> {
        if let Some(wrong) = supposed.wrong {
            return Err(wrong);
        }
        let inner = &self.inner;
        let target = inner.base.join(&supposed.path)?;
        let mut limits = inner.limits;
        limits.max_attempts = supposed.max_attempts;
        if let Some(timeout) = supposed.timeout {
            limits.timeout = checked("timeout", timeout)?;
        }
        let keyed = supposed
            .idempotency_key
            .unwrap_or_else(|| inner.idempotency.applies_to(&supposed.method));
        let auth = inner.credentials.get(&Choice::Default)?;
        let problem = read_problem(&supposed.body);
        let outcome = match supposed.outcome {
            Outcome::Answer(code) => Supposed::Answer {
                status: StatusCode::from_u16(code).map_err(|_| {
                    let what = format!("{code} is no status; it must be from 100 to 999");
                    Error::new(ErrorKind::InvalidRequest, what)
                })?,
                headers: &supposed.headers,
                problem: problem.as_ref(),
            },
            Outcome::Failure(class) => Supposed::Failure(class),
        };
        let can_learn = match outcome {
            Supposed::Answer {
                status, headers, ..
            } => auth.auth.would_learn(&target.url, status, headers),
            Supposed::Failure(_) => auth.auth.can_learn(),
        };
        let question = Question {
            method: &supposed.method,
            request: gatewright_engine::call::RequestFacts {
                repeatable: is_idempotent(&supposed.method) || keyed,
                replayable: supposed.replayable,
                refreshable: can_learn && !target.cross_origin,
            },
            limits,
            attempt: supposed.attempt,
            elapsed: supposed.elapsed,
            outcome,
        };
        inner.engine.on_slept(inner.runtime.slept());
        let (host, region) = inner.place_of(&target.url);
        let now = inner.runtime.now();
        let elsewhere = match (region, &inner.regions) {
            (Some(at), Some(regions)) => regions.elsewhere(at, supposed.attempt, now.instant),
            _ => None,
        };
        let mut explained = inner.engine.explain(&host, elsewhere, &question, now);
        if let Supposed::Answer { status, .. } = outcome {
            let (method, url) = (&supposed.method, &target.url);
            let redirect =
                judge_redirect(&inner.redirects, method, url, status, &supposed.headers, 0);
            self.explain_redirect(&mut explained, status, redirect, supposed.replayable);
        }
        Ok(explained)
    }

    fn explain_redirect(
        &self,
        explained: &mut Explanation,
        status: StatusCode,
        redirect: Redirect,
        replayable: bool,
    ) {
        let shown = |url: &url::Url| self.inner.redactor.url(url);
        match redirect {
            Redirect::No => {}
            Redirect::Follow {
                keep_body: true, ..
            } if !replayable => {
                explained.kind = Some(ErrorKind::Redirect);
                explained.decision = Plan::GiveUp(crate::NoRetry::BodyNotReplayable);
            }
            Redirect::Follow { url, .. } => {
                explained.decision = Plan::Redirect { to: shown(&url) };
            }
            Redirect::Refused(why) => {
                let (kind, what) = crate::send::refusal(&self.inner, status, &why);
                explained.kind = Some(kind);
                explained
                    .reasons
                    .push(format!("the redirect is refused: it {what}"));
                explained.decision = Plan::GiveUp(crate::NoRetry::NotRetryable);
            }
        }
    }
}
