//! The verdict as a value: what was seen of each aspect, each call with its attempts, and the grades.

use std::collections::HashMap;

use serde::Serialize;

use super::aspect::Aspect;
use super::attempts::{self, Waits};
use super::calls::{MOST_BETWEEN, grouped};
use super::grade::{Grade, Mark};
use super::request::{End, Request};
use super::{crowd, outage, reuse, text};
use crate::timeline::{self, TimelineCall};

/// Calls a verdict shows; all count.
const MAX_CALLS_SHOWN: usize = 1_000;
/// Examples kept of each aspect.
const MAX_EXAMPLES: usize = 3;
/// The share of cases in which something of little weight may go wrong before it is said.
const MINOR_SHARE: f64 = 0.05;
/// The share of calls that may come back without a wait: who chooses waits by chance, from nothing up, has short ones too.
const CHANCE_SHARE: f64 = 0.2;

/// How the client of a session behaved.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The session.
    pub session: String,
    /// The grade; none when no request arrived.
    pub grade: Option<Grade>,
    /// Why, in a sentence.
    pub reason: String,
    /// Requests that were judged.
    pub requests: usize,
    /// The calls they are attempts of.
    pub logical_calls: usize,
    /// Connections they came over.
    pub connections: usize,
    /// What clients said in `User-Agent`, each once.
    pub agents: Vec<String>,
    /// Every aspect, in a fixed order.
    pub aspects: Vec<AspectVerdict>,
    /// The calls in the order of their first attempts, at most 1 000: the worst ones stay.
    pub calls: Vec<CallVerdict>,
    /// Calls that were judged and are not in `calls`.
    pub calls_left_out: usize,
}

/// One aspect of a client's behaviour.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AspectVerdict {
    /// Which.
    pub aspect: Aspect,
    /// How it came out.
    pub mark: Mark,
    /// Cases in which it mattered.
    pub seen: usize,
    /// Cases in which it was not kept.
    pub broken: usize,
    /// Why: what was seen, with the first cases.
    pub reason: String,
    /// What is asked of a client.
    pub asks: &'static str,
    /// What to do; only where something was not kept.
    pub advice: Option<&'static str>,
    /// Where what is asked comes from.
    pub source: &'static str,
}

/// One call: the requests a client made until it had its answer or gave up.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CallVerdict {
    /// Counts from 1.
    pub number: usize,
    /// Method and path of its first attempt.
    pub name: String,
    /// The operation, such as `contacts.create`.
    pub op: &'static str,
    /// Its idempotency key, if it had one.
    pub key: Option<String>,
    /// Its grade.
    pub grade: Grade,
    /// How it ended for the client: a status, or what happened instead.
    pub outcome: String,
    /// Side effects it had.
    pub effects: usize,
    /// Its attempts.
    pub attempts: Vec<AttemptVerdict>,
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// What its picture is made of.
    #[serde(skip)]
    timeline: TimelineCall,
}

/// One attempt, in milliseconds of real time since the first request of the session.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AttemptVerdict {
    /// Its number in the journal.
    pub seq: u64,
    /// When it arrived.
    pub start_ms: f64,
    /// When it had ended for the client; none while it is going on.
    pub end_ms: Option<f64>,
    /// A status, or what happened instead.
    pub outcome: String,
    /// The fault that was played.
    pub fault: Option<String>,
    /// How long after the attempt before it came.
    pub waited_ms: Option<f64>,
    /// The wait that this attempt's answer asked for.
    pub asked_ms: Option<u64>,
    /// What was left of the limits, as its answer said.
    pub remaining: Option<u64>,
    /// Its connection.
    pub connection: u64,
    /// Whether it changed something.
    pub committed: bool,
}

/// One thing that was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub aspect: Aspect,
    /// How bad.
    pub mark: Mark,
    /// The request it was seen at.
    pub seq: Option<u64>,
    /// What was seen.
    pub text: String,
}

/// What was left of the limits at a moment, as an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quota {
    /// Milliseconds of real time since the first request.
    pub at_ms: f64,
    /// Calls left.
    pub remaining: u64,
}

/// Counts what was seen and what was not kept.
#[derive(Default)]
pub(super) struct Tally {
    aspects: HashMap<Aspect, Seen>,
}

#[derive(Default)]
struct Seen {
    seen: usize,
    broken: usize,
    /// The worst that was seen of single requests.
    worst: Option<Mark>,
    /// The worst that was said of all calls together, which no share of them makes little.
    of_all: Option<Mark>,
    examples: Vec<String>,
    /// Said where all was kept.
    note: Option<String>,
}

impl Tally {
    fn of(&mut self, aspect: Aspect) -> &mut Seen {
        self.aspects.entry(aspect).or_default()
    }

    /// It was called for and done.
    pub(super) fn kept(&mut self, aspect: Aspect) {
        self.of(aspect).seen += 1;
    }

    /// The same, with what was seen.
    pub(super) fn kept_as(&mut self, aspect: Aspect, note: String) {
        let seen = self.of(aspect);
        seen.seen += 1;
        seen.note = Some(note);
    }

    /// It was called for and not done.
    pub(super) fn broken(&mut self, finding: &Finding) {
        let seen = self.of(finding.aspect);
        seen.seen += 1;
        seen.broken += 1;
        let worst = match finding.seq {
            Some(_) => &mut seen.worst,
            None => &mut seen.of_all,
        };
        *worst = (*worst).max(Some(finding.mark));
        if seen.examples.len() < MAX_EXAMPLES && !seen.examples.contains(&finding.text) {
            seen.examples.push(finding.text.clone());
        }
    }

    fn verdicts(mut self) -> Vec<AspectVerdict> {
        Aspect::ALL
            .into_iter()
            .map(|aspect| std::mem::take(self.of(aspect)).verdict(aspect))
            .collect()
    }
}

impl Seen {
    fn verdict(self, aspect: Aspect) -> AspectVerdict {
        let share = self.broken as f64 / self.seen.max(1) as f64;
        let of_requests = self.worst.filter(|worst| match aspect {
            Aspect::Backoff => share > CHANCE_SHARE,
            _ => *worst > Mark::Minor || share >= MINOR_SHARE,
        });
        let mark = match of_requests.max(self.of_all) {
            _ if self.seen == 0 => Mark::Unseen,
            Some(worst) => worst,
            None => Mark::Kept,
        };
        let reason = match mark {
            Mark::Unseen => "nothing that arrived says anything about it".into(),
            Mark::Kept => match self.note {
                Some(note) => note,
                None => format!("{} of {}", self.seen - self.broken, self.seen),
            },
            _ if self.of_all.is_some() => self.examples.join("; "),
            _ => format!(
                "not in {} of {}: {}",
                self.broken,
                self.seen,
                self.examples.join("; ")
            ),
        };
        AspectVerdict {
            aspect,
            mark,
            seen: self.seen,
            broken: self.broken,
            reason,
            asks: aspect.asks(),
            advice: (mark > Mark::Kept).then(|| aspect.advice()),
            source: aspect.source(),
        }
    }
}

impl Verdict {
    /// Judges the requests of a session, oldest first.
    pub(crate) fn of(session: &str, requests: &[Request]) -> Self {
        // Somebody who looks whether the gateway is there is no client yet.
        let requests: Vec<Request> = requests
            .iter()
            .filter(|request| !matches!(request.op, "healthz" | "options"))
            .cloned()
            .collect();
        let mut tally = Tally::default();
        let mut waits = Waits::default();
        let origin_ns = requests.first().map_or(0, |request| request.start_ns);
        let calls = grouped(&requests);
        let outages = outage::outages(&requests);
        let mut shown: Vec<CallVerdict> = calls
            .iter()
            .enumerate()
            .map(|(at, call)| {
                let attempts: Vec<&Request> =
                    call.at.iter().filter_map(|at| requests.get(*at)).collect();
                let is_excused = |last: &Request| {
                    outages.iter().any(|outage| outage.has(last)) || has_copy(&requests, last)
                };
                let about = (call.named, &is_excused as &dyn Fn(&Request) -> bool);
                let findings = attempts::judge(&attempts, about, &mut tally, &mut waits);
                CallVerdict::of(at + 1, &attempts, findings, origin_ns)
            })
            .collect();
        crowd::judge(&requests, &calls, &waits, &mut tally);
        outage::judge(&requests, &outages, &mut tally);
        let connections = reuse::judge(&requests, &mut tally);
        let aspects = tally.verdicts();
        let grade =
            (!requests.is_empty()).then(|| Grade::of(aspects.iter().map(|aspect| aspect.mark)));
        let logical_calls = shown.len();
        let calls_left_out = logical_calls.saturating_sub(MAX_CALLS_SHOWN);
        if calls_left_out > 0 {
            shown.sort_by_key(|call| (std::cmp::Reverse(call.grade), call.number));
            shown.truncate(MAX_CALLS_SHOWN);
            shown.sort_by_key(|call| call.number);
        }
        Self {
            session: session.into(),
            grade,
            reason: reason(&aspects, grade),
            requests: requests.len(),
            logical_calls,
            connections,
            agents: agents(&requests),
            aspects,
            calls: shown,
            calls_left_out,
        }
    }

    /// The verdicts on several sessions as one: of each aspect the worst mark, and of everything else the sum. What one
    /// session's client was told does not count against another's.
    pub fn of_all(name: &str, verdicts: Vec<Self>) -> Self {
        let mut all = Self::of(name, &[]);
        let mut is_graded = false;
        for verdict in verdicts {
            is_graded |= verdict.grade.is_some();
            all.requests += verdict.requests;
            all.logical_calls += verdict.logical_calls;
            all.connections += verdict.connections;
            all.calls_left_out += verdict.calls_left_out;
            all.agents.extend(verdict.agents);
            for (sum, aspect) in all.aspects.iter_mut().zip(verdict.aspects) {
                sum.take(aspect);
            }
            for call in verdict.calls {
                if all.calls.len() < MAX_CALLS_SHOWN {
                    let number = all.calls.len() + 1;
                    all.calls.push(CallVerdict { number, ..call });
                } else {
                    all.calls_left_out += 1;
                }
            }
        }
        all.agents.sort();
        all.agents.dedup();
        all.grade = is_graded.then(|| Grade::of(all.aspects.iter().map(|aspect| aspect.mark)));
        all.reason = reason(&all.aspects, all.grade);
        all
    }

    /// The report for a terminal; `calls` says whether each call is listed too.
    pub fn to_text(&self, calls: bool) -> String {
        text::of(self, calls)
    }

    /// The report as a page of HTML.
    pub fn to_html(&self) -> String {
        super::page::of(self)
    }

    /// What was left of the limits over time, as the answers said, in the order in which they were given.
    pub fn quota(&self) -> Vec<Quota> {
        let mut quota: Vec<Quota> = self
            .calls
            .iter()
            .flat_map(|call| &call.attempts)
            .filter_map(|attempt| {
                Some(Quota {
                    at_ms: attempt.end_ms?,
                    remaining: attempt.remaining?,
                })
            })
            .collect();
        quota.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        quota
    }
}

impl AspectVerdict {
    /// Takes over what another session says of the same aspect.
    fn take(&mut self, other: Self) {
        self.seen += other.seen;
        self.broken += other.broken;
        if other.mark > self.mark {
            self.mark = other.mark;
            self.reason = other.reason;
            self.advice = other.advice;
        }
    }
}

impl CallVerdict {
    fn of(number: usize, attempts: &[&Request], findings: Vec<Finding>, origin_ns: u64) -> Self {
        let timeline = TimelineCall::of(attempts, origin_ns);
        let first = attempts.first();
        let mut worst: Vec<(Aspect, Mark)> = Vec::new();
        for finding in &findings {
            match worst
                .iter_mut()
                .find(|(aspect, _)| *aspect == finding.aspect)
            {
                Some((_, mark)) => *mark = (*mark).max(finding.mark),
                None => worst.push((finding.aspect, finding.mark)),
            }
        }
        Self {
            number,
            name: timeline.title.clone(),
            op: timeline.op,
            key: first.and_then(|first| first.key.clone()),
            grade: Grade::of(worst.iter().map(|(_, mark)| *mark)),
            outcome: attempts::decisive(attempts)
                .map_or_else(String::new, |last| last.end().in_words()),
            effects: attempts.iter().filter(|request| request.committed).count(),
            attempts: (timeline.attempts.iter().zip(attempts))
                .map(|(shown, request)| AttemptVerdict {
                    seq: shown.seq,
                    start_ms: shown.start_ms,
                    end_ms: shown.end_ms,
                    outcome: shown.outcome(),
                    fault: shown.fault.clone(),
                    waited_ms: shown.waited_ms,
                    asked_ms: shown.asked_ms,
                    remaining: request.told.remaining,
                    connection: request.connection,
                    committed: shown.committed,
                })
                .collect(),
            findings,
            timeline,
        }
    }

    /// The call as a picture: SVG of its attempts, its waits and those that were asked for, with a text for those who do
    /// not see it.
    pub fn to_svg(&self) -> String {
        timeline::svg(&self.timeline)
    }

    /// Whether it had its answer.
    pub fn succeeded(&self) -> bool {
        self.outcome.parse::<u16>().is_ok_and(|status| status < 400)
    }
}

fn reason(aspects: &[AspectVerdict], grade: Option<Grade>) -> String {
    let Some(grade) = grade else {
        return "no request arrived: point the client at the gateway's URL with the header X-Mock-Session".into();
    };
    let with = |mark: Mark| {
        aspects
            .iter()
            .filter(move |aspect| aspect.mark == mark)
            .map(|aspect| aspect.aspect.name())
            .collect::<Vec<_>>()
    };
    let parts: Vec<String> = [Mark::Critical, Mark::Major, Mark::Minor]
        .into_iter()
        .filter(|mark| !with(*mark).is_empty())
        .map(|mark| format!("{}: {}", mark.name(), with(mark).join(", ")))
        .collect();
    if grade == Grade::A {
        let kept = with(Mark::Kept).len();
        return format!("nothing was wrong in the {kept} aspects that were called for");
    }
    parts.join("; ")
}

/// Whether a copy of a request that failed was still under way.
fn has_copy(requests: &[Request], failed: &Request) -> bool {
    let at = requests.partition_point(|request| request.seq < failed.seq);
    requests
        .iter()
        .skip(at.saturating_sub(MOST_BETWEEN))
        .take(2 * MOST_BETWEEN + 1)
        .any(|other| failed.ended_beside(other))
}

fn agents(requests: &[Request]) -> Vec<String> {
    let mut agents: Vec<String> = Vec::new();
    for agent in requests.iter().filter_map(|request| request.agent.as_ref()) {
        if agents.len() < 8 && !agents.contains(agent) {
            agents.push(agent.chars().take(120).collect());
        }
    }
    agents
}

impl Finding {
    pub(super) fn new(aspect: Aspect, mark: Mark, at: &Request, text: String) -> Self {
        Self {
            aspect,
            mark,
            seq: Some(at.seq),
            text,
        }
    }
}

impl End {
    /// Whether the call may go on after it.
    pub(super) fn is_open(self) -> bool {
        self == Self::Open
    }
}
