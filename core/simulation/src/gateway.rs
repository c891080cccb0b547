//! The modelled gateway: tokens, quotas, idempotency keys, side effects, dead times, and the faults of a script.
//!
//! What it does with a request, in this order: dead; a fault that comes before everything; 401; 429; an answer kept for
//! the key; the work, which takes effect as it begins; a fault that comes after it.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::{MS, SECOND, WALL};
use crate::dice::Dice;
use crate::script::{Asks, Dead, Death, FaultKind, Method, Says, Script};

mod quota;
use quota::Quota;

/// A request as it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The place of its call.
    pub(crate) call: usize,
    pub(crate) host: u32,
    /// `None`: it came without one, and falls under no quota.
    pub(crate) credential: Option<u32>,
    pub(crate) method: Method,
    pub(crate) key: Option<u64>,
    /// The token is one that has expired, or was never given out.
    pub(crate) bad_token: bool,
    pub(crate) fault: Option<FaultKind>,
}

/// When the gateway asked to be left alone until.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// So long from when the answer arrives.
    For(u64),
    /// It said nothing that can be read.
    Nothing,
    /// Until then, in real time.
    Until(u64),
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) told: Told,
    /// The body says that a request with this key is in flight.
    pub(crate) in_flight: bool,
}

/// What comes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Served {
    /// This answer, after so much work.
    Answer(Box<Reply>, u64),
    /// The connection says that nothing was done.
    NotProcessed,
    /// The connection breaks, after so much work.
    Reset(u64),
    /// Nothing.
    Silence,
}

/// The gateway of one simulation.
#[derive(Debug)]
pub(crate) struct GatewayModel<'s> {
    script: &'s Script,
    dice: Dice,
    credentials: usize,
    /// Of each host and credential.
    quotas: Vec<Vec<Quota>>,
    /// Requests that a quota refused, of each host and credential.
    pub(crate) refused: Vec<u64>,
    /// Until when the request with a key is worked on.
    keys: HashMap<u64, u64>,
    /// How often each call took effect.
    pub(crate) effects: Vec<u32>,
}

impl<'s> GatewayModel<'s> {
    pub(crate) fn new(script: &'s Script) -> Self {
        let most = script.calls.iter().map(|call| call.credential).max();
        let credentials = most.unwrap_or(0) as usize + 1;
        let places = script.gateway.hosts.max(1) as usize * credentials;
        let quotas: Vec<Quota> = script
            .gateway
            .quotas
            .iter()
            .copied()
            .map(Quota::new)
            .collect();
        Self {
            script,
            dice: Dice::new(script.seed, 2),
            credentials,
            quotas: vec![quotas; places],
            refused: vec![0; places],
            keys: HashMap::new(),
            effects: Vec::new(),
        }
    }

    fn place(&self, host: u32, credential: u32) -> usize {
        (host as usize * self.credentials + credential as usize) % self.quotas.len()
    }

    /// Requests that the quotas of this place refused.
    pub(crate) fn refused_of(&self, host: u32, credential: u32) -> u64 {
        self.refused[self.place(host, credential)]
    }

    /// How a host is dead at `now`.
    pub(crate) fn death(&self, host: u32, now: u64) -> Option<Death> {
        let dead =
            |dead: &&Dead| dead.host == host && (dead.from * MS..dead.to * MS).contains(&now);
        self.script.dead.iter().find(dead).map(|dead| dead.by)
    }

    /// What comes of a request that arrives at `now`.
    pub(crate) fn serve(&mut self, request: &Arrival, now: u64) -> Served {
        match self.death(request.host, now) {
            Some(Death::Refused | Death::Silent) => return Served::Silence,
            Some(Death::Status(status, asks, span)) => {
                return Served::Answer(Box::new(self.reply(status, asks, span * MS, now)), 0);
            }
            None => {}
        }
        match request.fault {
            Some(FaultKind::SilentBefore) => return Served::Silence,
            Some(FaultKind::ResetBefore) => return Served::Reset(0),
            Some(FaultKind::NotProcessed) => return Served::NotProcessed,
            Some(FaultKind::Answer(status, asks, span)) => {
                return Served::Answer(Box::new(self.reply(status, asks, span * MS, now)), 0);
            }
            Some(FaultKind::Redirect(status, host)) => {
                let mut reply = self.reply(status, Asks::Nothing, 0, now);
                if let Ok(to) = HeaderValue::try_from(format!("https://h{host}/moved")) {
                    reply.headers.insert(http::header::LOCATION, to);
                }
                return Served::Answer(Box::new(reply), 0);
            }
            Some(FaultKind::ShouldRetry(status, answer)) => {
                let mut reply = self.reply(status, Asks::Nothing, 0, now);
                let value = HeaderValue::from_static(if answer { "true" } else { "false" });
                let name = HeaderName::from_static("x-should-retry");
                reply.headers.insert(name, value);
                return Served::Answer(Box::new(reply), 0);
            }
            _ => {}
        }
        if request.bad_token {
            return Served::Answer(Box::new(self.reply(401, Asks::Nothing, 0, now)), 0);
        }
        let place = request.credential.map(|own| self.place(request.host, own));
        if let Some(place) = place {
            let quotas = &mut self.quotas[place];
            let wait = quotas.iter_mut().map(|quota| quota.wait(now)).max();
            if let Some(wait @ 1..) = wait {
                self.refused[place] += 1;
                let mut reply = self.reply(429, self.script.gateway.asks, wait, now);
                self.say(Some(place), now, &mut reply.headers);
                return Served::Answer(Box::new(reply), 0);
            }
            quotas.iter_mut().for_each(|quota| quota.take(now));
        }
        let (least, most) = self.script.gateway.work;
        let work = self.dice.between(least * MS, most * MS);
        let known = request.key.and_then(|key| self.keys.get(&key).copied());
        match known {
            Some(until) if until > now => {
                let mut reply = self.reply(409, Asks::Nothing, 0, now);
                reply.in_flight = true;
                self.say(place, now, &mut reply.headers);
                return Served::Answer(Box::new(reply), 0);
            }
            Some(_) => {}
            None => self.take_effect(request, now + work),
        }
        let status = match request.fault {
            Some(FaultKind::SilentAfter) => return Served::Silence,
            Some(FaultKind::ResetAfter) => return Served::Reset(work),
            Some(FaultKind::AnswerAfter(status)) => status,
            _ => 200,
        };
        let mut reply = self.reply(status, Asks::Nothing, 0, now);
        self.say(place, now, &mut reply.headers);
        Served::Answer(Box::new(reply), work)
    }

    fn take_effect(&mut self, request: &Arrival, done: u64) {
        if let Some(key) = request.key {
            self.keys.insert(key, done);
        }
        if request.method != Method::Get {
            if self.effects.len() <= request.call {
                self.effects.resize(request.call + 1, 0);
            }
            self.effects[request.call] += 1;
        }
    }

    fn say(&mut self, place: Option<usize>, now: u64, headers: &mut HeaderMap) {
        let Some(place) = place else {
            return;
        };
        quota::say(
            self.script.gateway.says,
            &mut self.quotas[place],
            now,
            headers,
        );
    }

    fn reply(&mut self, status: u16, asks: Asks, span: u64, now: u64) -> Reply {
        let mut headers = HeaderMap::new();
        let told = self.ask(asks, span, now, &mut headers);
        let dated =
            asks == Asks::Date || matches!(self.script.gateway.says, Says::Epoch | Says::GitHub);
        if dated && asks != Asks::DateAlone {
            headers.insert(http::header::DATE, http_date(now / SECOND));
        }
        Reply {
            status,
            headers,
            told,
            in_flight: false,
        }
    }

    fn ask(&mut self, asks: Asks, span: u64, now: u64, headers: &mut HeaderMap) -> Told {
        let (name, value, told) = match asks {
            Asks::Nothing => return Told::Nothing,
            Asks::Seconds => {
                let seconds = span.div_ceil(SECOND);
                let value = HeaderValue::from(seconds);
                ("retry-after", value, Told::For(seconds * SECOND))
            }
            Asks::Millis => {
                let millis = span.div_ceil(MS);
                let value = HeaderValue::from(millis);
                ("retry-after-ms", value, Told::For(millis * MS))
            }
            Asks::Date | Asks::DateAlone => {
                let second = (now + span).div_ceil(SECOND);
                let until = Told::Until(second * SECOND);
                ("retry-after", http_date(second), until)
            }
            Asks::Unreadable => {
                let values = ["-1", "NaN", "inf", "", "soon", "1,5", "Thu, 99 Foo 2026"];
                let value = HeaderValue::from_static(self.dice.pick(&values));
                ("retry-after", value, Told::Nothing)
            }
        };
        headers.insert(HeaderName::from_static(name), value);
        told
    }
}

fn http_date(second: u64) -> HeaderValue {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(WALL + second);
    HeaderValue::try_from(httpdate::fmt_http_date(time)).unwrap_or(HeaderValue::from_static(""))
}
