//! Which pages there are, and what is around each: clock, sessions and the way to the others.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;

use super::format::{date, in_query, time_to_second};
use super::{
    Asked, Scene, calls, events, faults, limits, overview, requests, sessions, upstreams, usage,
    webhooks,
};
use crate::clock::MS;
use crate::gateway::Shared;
use crate::session::Session;
use crate::shared_limits::InProgressOfAll;
use crate::world::DEFAULT_SESSION;

/// Sessions the picker offers; the page of sessions has all.
const MAX_PICKED: usize = 200;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Calls,
    Events,
    Faults,
    Limits,
    Overview,
    Request(u64),
    Requests,
    Sessions,
    Upstreams,
    Usage,
    Webhooks,
}

/// What a page shows: its title and its markup.
pub(super) type Shown = (String, String);

impl Page {
    /// In the order in which they are offered.
    const ALL: [Self; 10] = [
        Self::Overview,
        Self::Requests,
        Self::Calls,
        Self::Limits,
        Self::Webhooks,
        Self::Events,
        Self::Upstreams,
        Self::Usage,
        Self::Faults,
        Self::Sessions,
    ];

    /// By the last part of its path.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .filter(|page| *page != Self::Overview)
            .find(|page| page.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Events => "events",
            Self::Faults => "faults",
            Self::Limits => "limits",
            Self::Overview => "overview",
            Self::Request(_) | Self::Requests => "requests",
            Self::Sessions => "sessions",
            Self::Upstreams => "upstreams",
            Self::Usage => "usage",
            Self::Webhooks => "webhooks",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Calls => "Calls",
            Self::Events => "Events",
            Self::Faults => "Faults",
            Self::Limits => "Limits",
            Self::Overview => "Overview",
            Self::Request(_) | Self::Requests => "Requests",
            Self::Sessions => "Sessions",
            Self::Upstreams => "Upstreams",
            Self::Usage => "Usage",
            Self::Webhooks => "Webhooks",
        }
    }

    fn path(self) -> String {
        match self {
            Self::Overview => "/dashboard".into(),
            Self::Request(seq) => format!("/dashboard/requests/{seq}"),
            page => format!("/dashboard/{}", page.name()),
        }
    }

    /// The whole document; none where the session or the request is not there.
    pub(super) async fn document(self, shared: &Arc<Shared>, asked: &Asked) -> Option<String> {
        let (title, app) = self.app(shared, asked).await?;
        Document {
            title: &title,
            app: &app,
        }
        .render()
        .ok()
    }

    /// What changes of it.
    pub(super) async fn content(self, shared: &Arc<Shared>, asked: &Asked) -> Option<String> {
        self.app(shared, asked).await.map(|(_, app)| app)
    }

    async fn app(self, shared: &Arc<Shared>, asked: &Asked) -> Option<Shown> {
        let name = asked.session.as_deref().unwrap_or(DEFAULT_SESSION);
        let world = match shared.worlds.existing(name) {
            Some(world) => world,
            // The session of those who name none is always there to be looked at.
            None if name == DEFAULT_SESSION => shared.worlds.world(name).ok()?,
            None => return self.waiting(shared, name),
        };
        let path = self.path();
        let in_progress = match self {
            Self::Limits => world.look_at_shared_limits(limits::MAX_LOOKED_AT).await,
            _ => InProgressOfAll::default(),
        };
        let scene = Scene {
            shared,
            session: Session { world },
            asked,
            path: &path,
            in_progress,
        };
        let (title, main) = match self {
            Self::Calls => calls::show(&scene)?,
            Self::Events => events::show(&scene)?,
            Self::Faults => faults::show(&scene)?,
            Self::Limits => limits::show(&scene)?,
            Self::Overview => overview::show(&scene)?,
            Self::Request(seq) => requests::show_one(&scene, seq)?,
            Self::Requests => requests::show(&scene)?,
            Self::Sessions => sessions::show(&scene)?,
            Self::Upstreams => upstreams::show(&scene)?,
            Self::Usage => usage::show(&scene)?,
            Self::Webhooks => webhooks::show(&scene)?,
        };
        let app = App {
            path: &path,
            session: scene.session.name(),
            sessions: picked(shared, scene.session.name()),
            links: self.links(&scene),
            clock: Some(ClockShown::of(&scene.session)),
            main: &main,
        };
        Some((title, app.render().ok()?))
    }

    /// What is shown of a session that nobody has used yet; looking does not make it.
    fn waiting(self, shared: &Arc<Shared>, name: &str) -> Option<Shown> {
        let main = Waiting {
            session: name,
            url: format!("http://{}", shared.data),
        }
        .render()
        .ok()?;
        let path = self.path();
        let query = format!("?session={}", in_query(name));
        let app = App {
            path: &path,
            session: name,
            sessions: picked(shared, name),
            links: Self::ALL
                .into_iter()
                .map(|page| self.link(page, &query, None))
                .collect(),
            clock: None,
            main: &main,
        };
        Some(("Waiting".into(), app.render().ok()?))
    }

    fn links(self, scene: &Scene<'_>) -> Vec<Link> {
        let query = scene.query();
        let dead_letters = scene.session.world.webhooks.outbox().dead_letters();
        Self::ALL
            .into_iter()
            .map(|page| {
                let count = match page {
                    Self::Faults => scene.session.faults().len(),
                    Self::Webhooks => dead_letters,
                    _ => 0,
                };
                let badge = (count > 0).then(|| count.to_string());
                self.link(page, &query, badge)
            })
            .collect()
    }

    fn link(self, page: Self, query: &str, badge: Option<String>) -> Link {
        Link {
            href: format!("{}{query}", page.path()),
            label: page.label(),
            icon: page.name(),
            current: page.name() == self.name(),
            badge,
        }
    }
}

impl Scene<'_> {
    /// `?session=…`, to stay in the session.
    pub(super) fn query(&self) -> String {
        format!("?session={}", in_query(self.session.name()))
    }

    /// The session's clock, in milliseconds since the Unix epoch.
    pub(super) fn now_ms(&self) -> u64 {
        self.session.world.clock.now_ns() / MS
    }
}

/// The sessions of the picker, the one that is looked at among them.
fn picked(shared: &Arc<Shared>, own: &str) -> Vec<String> {
    let mut names: Vec<String> = shared
        .worlds
        .all()
        .iter()
        .take(MAX_PICKED)
        .map(|world| world.name.to_string())
        .collect();
    if !names.iter().any(|name| name == own) {
        names.push(own.into());
    }
    names
}

/// A page that only says what is wrong.
pub(super) fn complaint(status: StatusCode, why: &str) -> String {
    let document = Complaint {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or("Error"),
        why,
    };
    document.render().unwrap_or_default()
}

struct Link {
    href: String,
    label: &'static str,
    icon: &'static str,
    current: bool,
    badge: Option<String>,
}

/// The session's clock in the head of each page.
struct ClockShown {
    date: String,
    time: String,
    frozen: bool,
}

impl ClockShown {
    fn of(session: &Session) -> Self {
        let clock = session.clock();
        Self {
            date: date(clock.now_ms),
            time: time_to_second(clock.now_ms),
            frozen: clock.frozen,
        }
    }
}

#[derive(Template)]
#[template(path = "document.html")]
struct Document<'a> {
    title: &'a str,
    app: &'a str,
}

#[derive(Template)]
#[template(path = "app.html")]
struct App<'a> {
    path: &'a str,
    session: &'a str,
    sessions: Vec<String>,
    links: Vec<Link>,
    clock: Option<ClockShown>,
    main: &'a str,
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct Waiting<'a> {
    session: &'a str,
    url: String,
}

#[derive(Template)]
#[template(path = "complaint.html")]
struct Complaint<'a> {
    status: u16,
    reason: &'a str,
    why: &'a str,
}
