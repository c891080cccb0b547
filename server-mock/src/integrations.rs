//! Notices to people: an event becomes a message in Slack or an e-mail, by a template, with retries.
//!
//! Which there are is an option of a session, `integrations`. A notice is made in the transaction of its event, and sent by a task:
//!
//! | State | Leaves by | To |
//! |---|---|---|
//! | pending, due at an instant of the session's clock | the instant | sending |
//! | sending | it was taken | sent |
//! | sending | it was refused for good (Slack: 4xx but 408 and 429; SMTP: 5xx) | failed |
//! | sending | anything else, attempts left | pending: 1 s, 5 s, 30 s, 2 min, 10 min later, or when Slack's `Retry-After` says |
//! | sending | anything else, none left | failed |
//!
//! While as many are pending as there may be, an event makes none: that is counted, in the session and in the metrics, and
//! said on standard error once until there is room again.
//!
//! A channel `sink` sends nothing anywhere: what it would have sent is in the list of notices, for tests.

mod driver;
mod email;
mod settings;
mod slack;
mod template;

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use driver::start;
pub(crate) use settings::check_all;
pub use settings::{Email, Integration, Slack};

use crate::clock::MS;
use crate::durable::{Changes, Rows, Value as RowValue};
use crate::events::Event;
use crate::lock::lock;
use crate::world::{State, World};

/// The kind of its rows.
pub(crate) const NOTICE_KIND: &str = "notice";
/// The kind of the row that counts those which were not made.
pub(crate) const DROPPED_KIND: &str = "notices_dropped";
/// Notices remembered; the oldest that are over go first, and while all are pending no new ones are made.
const MAX_NOTICES: usize = 10_000;
/// After each attempt that did not succeed, in milliseconds.
const DELAYS_MS: [u64; 5] = [1_000, 5_000, 30_000, 120_000, 600_000];

/// One message to people, as it was or will be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notice {
    /// `ntc_000001`.
    pub id: String,
    /// The integration's name.
    pub integration: String,
    /// The event's id.
    pub event: String,
    /// The subject of an e-mail.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// Where it stands.
    pub state: NoticeState,
    /// When it is tried next, in milliseconds of the session's clock, while it is pending.
    pub next_attempt_ms: Option<u64>,
    /// What has been tried, oldest first.
    pub attempts: Vec<NoticeAttempt>,
}

/// Where a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NoticeState {
    /// It will not be tried again.
    Failed,
    /// It waits for its next attempt.
    Pending,
    /// It is being sent.
    Sending,
    /// It was taken.
    Sent,
}

/// One attempt to send a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoticeAttempt {
    /// The session's clock, in milliseconds.
    pub at_ms: u64,
    /// What the other side said, or why it said nothing.
    pub outcome: String,
}

/// The notices of a session.
#[derive(Default)]
pub(crate) struct Notices {
    inner: Mutex<Inner>,
    pub(crate) wake: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct Inner {
    list: VecDeque<Notice>,
    made: u64,
    driven: bool,
    /// Which life it is: what was under way before a reset is told to nobody.
    life: u64,
    /// Notices that were not made, because too many were pending.
    dropped: u64,
    /// Whether that is so now, and has been said.
    full: bool,
}

/// What came of an attempt.
enum Outcome {
    Sent(String),
    Refused(String),
    Later { why: String, wait_ms: Option<u64> },
}

impl Notices {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Forgets all of them.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner();
        let life = inner.life.wrapping_add(1);
        *inner = Inner {
            driven: inner.driven,
            life,
            ..Inner::default()
        };
        drop(inner);
        self.wake.notify_one();
    }

    /// Takes one in from its row.
    pub(crate) fn take(&self, value: &RowValue) -> Result<(), String> {
        let mut notice: Notice = value.read()?;
        if notice.state == NoticeState::Sending {
            // Whether it arrived nobody knows: people read a message twice rather than never.
            notice.state = NoticeState::Pending;
            notice.next_attempt_ms = Some(0);
        }
        let mut inner = self.inner();
        let number = notice.id.trim_start_matches("ntc_").parse().unwrap_or(0);
        inner.made = inner.made.max(number);
        let place = inner.list.partition_point(|other| other.id < notice.id);
        inner.list.insert(place, notice);
        Ok(())
    }

    /// Takes in how many were not made.
    pub(crate) fn take_dropped(&self, value: &RowValue) -> Result<(), String> {
        self.inner().dropped = value.read()?;
        Ok(())
    }

    /// Their rows.
    pub(crate) fn rows(&self, rows: &mut Rows) {
        let inner = self.inner();
        for notice in &inner.list {
            rows.put(NOTICE_KIND, &notice.id, notice);
        }
        if inner.dropped > 0 {
            rows.put(DROPPED_KIND, "", &inner.dropped);
        }
    }

    /// Whether any waits to be sent.
    pub(crate) fn are_pending(&self) -> bool {
        let inner = self.inner();
        let mut notices = inner.list.iter();
        notices.any(|notice| notice.state == NoticeState::Pending)
    }
}

/// There is no room for a notice.
struct Full;

impl Inner {
    fn add(&mut self, changes: &mut Changes, mut notice: Notice) -> Result<(), Full> {
        if self.list.len() >= MAX_NOTICES {
            let is_over =
                |known: &Notice| matches!(known.state, NoticeState::Sent | NoticeState::Failed);
            match self.list.iter().position(is_over) {
                Some(at) => {
                    if let Some(gone) = self.list.remove(at) {
                        changes.delete(NOTICE_KIND, &gone.id);
                    }
                }
                // Nothing that was promised is given up for it.
                None => {
                    self.dropped += 1;
                    changes.put(DROPPED_KIND, "", &self.dropped);
                    return Err(Full);
                }
            }
        }
        self.full = false;
        self.made += 1;
        notice.id = format!("ntc_{:06}", self.made);
        changes.put(NOTICE_KIND, &notice.id, &notice);
        self.list.push_back(notice);
        Ok(())
    }
}

impl World {
    /// Makes the notices of an event, in its transaction.
    pub(crate) fn notice_event(self: &Arc<Self>, state: &mut State, event: &Event, now_ns: u64) {
        if state.options.integrations.is_empty() {
            return;
        }
        let options = Arc::clone(&state.options);
        let Ok(value) = serde_json::from_slice::<Value>(&event.json()) else {
            return;
        };
        let fitting = options
            .integrations
            .iter()
            .filter(|wanted| wanted.wants(&event.kind, &value));
        let mut inner = self.notices.inner();
        let mut dropped = 0;
        for integration in fitting {
            let made = notice(integration, &event.id(), &value, now_ns);
            if inner.add(&mut state.changes, made).is_err() {
                dropped += 1;
            }
        }
        let is_new = dropped > 0 && !std::mem::replace(&mut inner.full, true);
        drop(inner);
        self.surroundings.metrics.notices_dropped(dropped);
        if is_new {
            say_full();
        }
        start(self);
    }

    /// Sends a notice to an integration, to see whether it arrives.
    pub(crate) fn test_integration(self: &Arc<Self>, name: &str) -> Result<(), String> {
        let mut state = self.state();
        let options = Arc::clone(&state.options);
        let integration = options.integrations.iter().find(|known| known.name == name);
        let integration = integration.ok_or_else(|| format!("there is no integration {name:?}"))?;
        let value = serde_json::json!({
            "id": "evt_test", "type": "integration.test", "sequence": 0, "data": {"id": "test", "name": "a test"},
        });
        let made = notice(integration, "evt_test", &value, self.clock.now_ns());
        let added = self.notices.inner().add(&mut state.changes, made);
        drop(state);
        if added.is_err() {
            self.surroundings.metrics.notices_dropped(1);
            return Err(format!(
                "{MAX_NOTICES} notices are pending already; look at them with GET /admin/notices, and try again when \
                 some were sent"
            ));
        }
        start(self);
        Ok(())
    }

    /// The notices, oldest first.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.notices.inner().list.iter().cloned().collect()
    }

    /// Notices that were not made, because too many were pending.
    pub(crate) fn notices_dropped(&self) -> u64 {
        self.notices.inner().dropped
    }
}

/// Without the session's name, as all that is logged.
fn say_full() {
    // There is nobody to tell that standard error is closed.
    let _ = writeln!(
        std::io::stderr(),
        "gatewright-gateway: {MAX_NOTICES} notices to people are pending in a session; until some are sent its events \
         make none. GET /admin/notices counts them as dropped; see why the pending ones are not taken"
    );
}

fn notice(integration: &Integration, event: &str, value: &Value, now_ns: u64) -> Notice {
    let (subject, text) = integration.written(value);
    let mut notice = Notice {
        id: String::new(),
        integration: integration.name.clone(),
        event: event.into(),
        subject: None,
        text: String::new(),
        state: NoticeState::Pending,
        next_attempt_ms: Some(now_ns / MS),
        attempts: Vec::new(),
    };
    match (subject.transpose(), text) {
        (Ok(subject), Ok(text)) => (notice.subject, notice.text) = (subject, text),
        (Err(why), _) | (_, Err(why)) => {
            notice.state = NoticeState::Failed;
            notice.next_attempt_ms = None;
            notice.attempts.push(NoticeAttempt {
                at_ms: now_ns / MS,
                outcome: format!("its template cannot be filled: {why}"),
            });
        }
    }
    notice
}
