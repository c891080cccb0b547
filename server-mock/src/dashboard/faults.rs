//! Fault rules: set by choosing, taken away by a click; and regions, whose ports open and close.

use askama::Template;

use super::Scene;
use super::format::until;
use super::page::Shown;
use crate::fault_rules::RuleState;

/// What is offered to choose from: as it is written in rules, and in words.
pub(super) const KINDS: [(&str, &str); 10] = [
    ("503;ra=2", "503, retry after 2 s"),
    ("429;ra=1", "429, retry after 1 s"),
    ("500", "500"),
    ("reset", "connection reset"),
    ("lost", "done, but the answer is lost"),
    ("latency=1000", "1 s late"),
    ("drip=50", "a byte every 50 ms"),
    ("reset@300", "reset after 300 bytes"),
    ("garbage", "not HTTP"),
    ("hang", "no answer at all"),
];

/// Operations that are offered beside those the session has seen.
const OPS: [&str; 12] = [
    "contacts.create",
    "contacts.delete",
    "contacts.get",
    "contacts.list",
    "contacts.update",
    "users.create",
    "users.list",
    "files.create",
    "files.content",
    "oauth.token",
    "greeting",
    "whoami",
];

/// A rule as it is shown.
pub(super) struct RuleShown {
    pub(super) about: String,
    pub(super) what: String,
    pub(super) progress: Option<String>,
    pub(super) ends: Option<String>,
    pub(super) name: Option<String>,
    pub(super) over: bool,
}

impl RuleShown {
    fn of(state: &RuleState, now_ms: u64) -> Self {
        let rule = &state.rule;
        let matching = &rule.matching;
        let mut about: Vec<String> = [&matching.op, &matching.method, &matching.path]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        about.extend(
            matching
                .region
                .iter()
                .map(|region| format!("region {region}")),
        );
        let mut what: Vec<String> = Vec::new();
        if !rule.script.is_empty() {
            let steps = rule.script.iter().take(8).map(ToString::to_string);
            let more = if rule.script.len() > 8 { ", …" } else { "" };
            what.push(format!("{}{more}", steps.collect::<Vec<_>>().join(", ")));
        }
        if let Some(always) = &rule.always {
            what.push(format!("always {always}"));
        }
        if let Some(random) = &rule.random {
            let kinds = random.kinds.iter().map(ToString::to_string);
            let share = random.p * 100.0;
            what.push(format!(
                "{share:.0} % of {}",
                kinds.collect::<Vec<_>>().join(", ")
            ));
        }
        let steps = rule.script.len();
        let has_ended = state.ends_at_ms.is_some_and(|ends| ends <= now_ms);
        let played_out = state.played >= steps && rule.always.is_none() && rule.random.is_none();
        Self {
            about: if about.is_empty() {
                "every request".into()
            } else {
                about.join(" ")
            },
            what: what.join(", then "),
            progress: (steps > 0).then(|| format!("{} of {steps} played", state.played.min(steps))),
            ends: state.ends_at_ms.map(|ends| match ends.checked_sub(now_ms) {
                None | Some(0) => "over".into(),
                Some(left) => format!("for {} more", until(left)),
            }),
            name: rule.name.clone(),
            over: has_ended || played_out,
        }
    }
}

pub(super) fn rules(scene: &Scene<'_>) -> Vec<RuleShown> {
    let now_ms = scene.now_ms();
    let rules = scene.session.faults();
    rules
        .iter()
        .map(|rule| RuleShown::of(rule, now_ms))
        .collect()
}

struct RegionShown {
    name: String,
    url: String,
    up: bool,
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let regions = scene.shared.regions.iter().map(|region| RegionShown {
        name: region.name.to_string(),
        url: region.url(),
        up: region.is_up(),
    });
    let page = Faults {
        rules: rules(scene),
        kinds: &KINDS,
        ops: &OPS,
        regions: regions.collect(),
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Faults".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "faults.html")]
struct Faults<'a> {
    rules: Vec<RuleShown>,
    kinds: &'a [(&'static str, &'static str)],
    ops: &'a [&'static str],
    regions: Vec<RegionShown>,
    session: &'a str,
    path: &'a str,
}
