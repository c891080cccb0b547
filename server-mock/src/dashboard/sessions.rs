//! All sessions of the gateway: what went on in them together, in each of them, and what can be done with each.

use askama::Template;

use super::Scene;
use super::bars::{Bars, SECONDS};
use super::format::{count, date_time, in_query, percent};
use super::page::Shown;
use crate::journal::Activity;
use crate::session::Session;

/// Sessions on one page: those used last.
const MAX_SESSIONS: usize = 200;

struct SessionShown {
    name: String,
    href: String,
    /// Its pages of requests and of webhooks.
    requests_href: String,
    webhooks_href: String,
    current: bool,
    requests: String,
    minute: String,
    errors: u64,
    refused: u64,
    dead_letters: usize,
    faults: usize,
    clock: String,
    frozen: bool,
}

/// The last minute of all sessions together.
struct All {
    sessions: usize,
    active: usize,
    requests: String,
    per_second: String,
    errors: String,
    error_count: String,
    any_errors: bool,
    refused: String,
    any_refused: bool,
    dead_letters: usize,
    faulted: usize,
    frozen: usize,
    bars: Bars,
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let mut worlds = scene.shared.worlds.all();
    worlds.sort_by_key(|world| std::cmp::Reverse(world.last_use()));
    let mut together = Activity::default();
    let mut all = All {
        sessions: worlds.len(),
        active: 0,
        requests: String::new(),
        per_second: String::new(),
        errors: String::new(),
        error_count: String::new(),
        any_errors: false,
        refused: String::new(),
        any_refused: false,
        dead_letters: 0,
        faulted: 0,
        frozen: 0,
        bars: Bars::of(&together),
    };
    let mut sessions = Vec::new();
    for world in worlds {
        let (requests, activity) = {
            let journal = world.journal();
            (journal.last_seq(), journal.activity(SECONDS))
        };
        let dead_letters = world.webhooks.outbox().dead_letters();
        let session = Session { world };
        let (faults, clock) = (session.faults().len(), session.clock());
        all.active += usize::from(activity.requests > 0);
        all.dead_letters += dead_letters;
        all.faulted += usize::from(faults > 0);
        all.frozen += usize::from(clock.frozen);
        together.add(&activity);
        if sessions.len() < MAX_SESSIONS {
            let query = format!("?session={}", in_query(session.name()));
            sessions.push(SessionShown {
                href: format!("/dashboard{query}"),
                requests_href: format!("/dashboard/requests{query}"),
                webhooks_href: format!("/dashboard/webhooks{query}"),
                current: session.name() == scene.session.name(),
                requests: count(requests),
                minute: count(activity.requests),
                errors: activity.errors,
                refused: activity.refused,
                dead_letters,
                faults,
                clock: date_time(clock.now_ms),
                frozen: clock.frozen,
                name: session.name().to_owned(),
            });
        }
    }
    all.requests = count(together.requests);
    all.per_second = format!("{:.1}", together.requests as f64 / SECONDS as f64);
    all.errors = percent(together.errors, together.requests);
    all.error_count = count(together.errors);
    all.any_errors = together.errors > 0;
    all.refused = count(together.refused);
    all.any_refused = together.refused > 0;
    all.bars = Bars::of(&together);
    let page = Sessions {
        all,
        sessions,
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Sessions".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions<'a> {
    all: All,
    sessions: Vec<SessionShown>,
    session: &'a str,
    path: &'a str,
}
