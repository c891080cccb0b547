//! All sessions of the gateway, and what can be done with each.

use askama::Template;

use super::Scene;
use super::format::{count, date_time, in_query};
use super::page::Shown;
use crate::session::Session;

/// Sessions on one page: those used last.
const MAX_SESSIONS: usize = 200;

struct SessionShown {
    name: String,
    href: String,
    current: bool,
    requests: String,
    kept: String,
    faults: usize,
    clock: String,
    frozen: bool,
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let mut worlds = scene.shared.worlds.all();
    let total = worlds.len();
    worlds.sort_by_key(|world| std::cmp::Reverse(world.last_use()));
    let sessions = worlds.into_iter().take(MAX_SESSIONS).map(|world| {
        let (requests, kept) = {
            let journal = world.journal();
            (journal.last_seq(), journal.len())
        };
        let session = Session { world };
        let clock = session.clock();
        SessionShown {
            href: format!("/dashboard?session={}", in_query(session.name())),
            current: session.name() == scene.session.name(),
            requests: count(requests),
            kept: count(kept as u64),
            faults: session.faults().len(),
            clock: date_time(clock.now_ms),
            frozen: clock.frozen,
            name: session.name().to_owned(),
        }
    });
    let page = Sessions {
        sessions: sessions.collect(),
        total,
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Sessions".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions<'a> {
    sessions: Vec<SessionShown>,
    total: usize,
    session: &'a str,
    path: &'a str,
}
