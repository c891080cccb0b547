//! Events: what happened, where it was sent, and a form that makes one happen.

use std::collections::HashMap;

use askama::Template;

use super::Scene;
use super::bodies::readable;
use super::format::{count, time};
use super::page::Shown;
use crate::clock::MS;
use crate::webhooks::DeliveryState;

/// Events on one page, the newest.
const MAX_EVENTS: usize = 100;

struct EventShown {
    seq: u64,
    id: String,
    kind: String,
    at: String,
    tenant: Option<String>,
    data: String,
    sent: Sent,
}

/// What became of the deliveries of an event.
#[derive(Clone, Copy, Default)]
struct Sent {
    deliveries: usize,
    delivered: usize,
    failed: usize,
}

/// By event.
fn sent(scene: &Scene<'_>) -> HashMap<String, Sent> {
    let mut all: HashMap<String, Sent> = HashMap::new();
    for delivery in scene.session.deliveries() {
        let sent = all.entry(delivery.event).or_default();
        sent.deliveries += 1;
        match delivery.state {
            DeliveryState::Delivered => sent.delivered += 1,
            DeliveryState::Failed => sent.failed += 1,
            _ => {}
        }
    }
    all
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let (events, total) = {
        let state = scene.session.world.state();
        let last = state.events.last();
        let events: Vec<_> = state
            .events
            .after(last.saturating_sub(MAX_EVENTS as u64))
            .cloned()
            .collect();
        (events, last)
    };
    let sent = sent(scene);
    let events = events.into_iter().rev().map(|event| {
        let id = event.id();
        EventShown {
            seq: event.seq,
            kind: event.kind.to_string(),
            at: time(event.at_ns / MS),
            tenant: event.tenant.as_deref().map(Into::into),
            data: readable(&event.data, event.data.len() as u64).unwrap_or_default(),
            sent: sent.get(&id).copied().unwrap_or_default(),
            id,
        }
    });
    let page = Events {
        events: events.collect(),
        total: count(total),
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Events".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events<'a> {
    events: Vec<EventShown>,
    total: String,
    session: &'a str,
    path: &'a str,
}
