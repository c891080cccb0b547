//! The bus in memory: for one process, gone with it.
//!
//! A group is a set ordered by the instant at which an entry may be handed out. A fresh one is due when it was published, a
//! leased one when its lease ends, a refused one when its delay is over. Of each key only the oldest is in that set.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::link::Link;
use super::{Answer, Bus, BusError, DEDUP_WINDOW, Held, Lease, Message, Order, Published, Topic};
use crate::lock::lock;

/// Message ids remembered; older ones are forgotten before the window is over.
const MAX_IDS: usize = 100_000;

pub(crate) struct MemoryBus {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something may be due earlier than those who wait know.
    changed: Notify,
}

#[derive(Default)]
struct State {
    topics: HashMap<String, Kept>,
    last: u64,
    last_token: u64,
}

/// What is kept of a topic.
#[derive(Default)]
struct Kept {
    groups: HashMap<String, Group>,
    ids: HashMap<String, Instant>,
    by_age: VecDeque<String>,
}

#[derive(Default)]
struct Group {
    entries: HashMap<u64, Entry>,
    /// When what may be handed out next.
    due: BTreeSet<(Instant, u64)>,
    /// The entries of each key, oldest first.
    keys: HashMap<String, VecDeque<u64>>,
}

struct Entry {
    message: Arc<Message>,
    due: Instant,
    taken: u64,
    /// Of whoever has it; 0 of nobody.
    token: u64,
}

/// What was taken: number, token, times, message.
type Taken = (u64, u64, u64, Arc<Message>);

impl MemoryBus {
    pub(crate) fn new() -> Self {
        let link = Arc::new(Link::new("memory"));
        // It is where we are.
        let _ = link.saw(Ok(()));
        Self {
            shared: Arc::default(),
            link,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn publish(
        &mut self,
        topic: &Topic,
        message: Message,
        now: Instant,
    ) -> Result<Published, BusError> {
        message.check()?;
        let kept = self.topics.entry(topic.name.clone()).or_default();
        kept.forget_ids(now);
        if kept.ids.contains_key(&message.id) {
            return Ok(Published::Duplicate);
        }
        let full = |name: &String| {
            let group = kept.groups.get(name);
            group.is_some_and(|group| group.entries.len() as u64 >= topic.most)
        };
        if topic.groups.iter().any(full) {
            return Err(BusError::Full {
                topic: topic.name.clone(),
                most: topic.most,
            });
        }
        kept.ids.insert(message.id.clone(), now);
        kept.by_age.push_back(message.id.clone());
        self.last += 1;
        let message = Arc::new(message);
        for name in &topic.groups {
            let group = kept.groups.entry(name.clone()).or_default();
            group.add(self.last, Arc::clone(&message), now);
        }
        Ok(Published::Stored)
    }

    /// What is due, leased until `until`; or when something will be.
    fn take(
        &mut self,
        topic: &str,
        name: &str,
        most: usize,
        (now, until): (Instant, Instant),
    ) -> Result<Vec<Taken>, Option<Instant>> {
        let group = self
            .topics
            .get_mut(topic)
            .and_then(|kept| kept.groups.get_mut(name));
        let Some(group) = group else {
            return Err(None);
        };
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(&(due, number)) = group.due.first()
            && due <= now
        {
            group.due.pop_first();
            let Some(entry) = group.entries.get_mut(&number) else {
                continue;
            };
            self.last_token += 1;
            entry.taken += 1;
            entry.token = self.last_token;
            entry.due = until;
            group.due.insert((until, number));
            taken.push((number, entry.token, entry.taken, Arc::clone(&entry.message)));
        }
        if taken.is_empty() {
            return Err(group.due.first().map(|(due, _)| *due));
        }
        Ok(taken)
    }
}

impl Kept {
    fn forget_ids(&mut self, now: Instant) {
        while let Some(oldest) = self.by_age.front() {
            let at = self.ids.get(oldest);
            let young = at.is_some_and(|at| now.duration_since(*at) < DEDUP_WINDOW);
            if young && self.by_age.len() < MAX_IDS {
                return;
            }
            if let Some(oldest) = self.by_age.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }
}

impl Group {
    fn add(&mut self, number: u64, message: Arc<Message>, now: Instant) {
        let first = match &message.key {
            None => true,
            Some(key) => {
                let queue = self.keys.entry(key.clone()).or_default();
                queue.push_back(number);
                queue.len() == 1
            }
        };
        if first {
            self.due.insert((now, number));
        }
        let entry = Entry {
            message,
            due: now,
            taken: 0,
            token: 0,
        };
        self.entries.insert(number, entry);
    }

    /// The entry, if it is still held under this token.
    fn held(&mut self, number: u64, token: u64, now: Instant) -> Result<&mut Entry, BusError> {
        let entry = self.entries.get_mut(&number);
        entry
            .filter(|entry| entry.token == token && entry.due > now)
            .ok_or(BusError::LeaseLost)
    }

    fn ack(&mut self, number: u64, token: u64, now: Instant) -> Result<(), BusError> {
        let due = self.held(number, token, now)?.due;
        self.due.remove(&(due, number));
        let Some(entry) = self.entries.remove(&number) else {
            return Ok(());
        };
        let Some(key) = &entry.message.key else {
            return Ok(());
        };
        if let Some(queue) = self.keys.get_mut(key) {
            queue.pop_front();
            match queue.front() {
                None => {
                    self.keys.remove(key);
                }
                Some(next) => {
                    if let Some(entry) = self.entries.get(next) {
                        self.due.insert((entry.due, *next));
                    }
                }
            }
        }
        Ok(())
    }

    fn put_off(
        &mut self,
        number: u64,
        token: u64,
        until: Instant,
        release: bool,
    ) -> Result<(), BusError> {
        let entry = self.held(number, token, Instant::now())?;
        let before = std::mem::replace(&mut entry.due, until);
        if release {
            entry.token = 0;
        }
        self.due.remove(&(before, number));
        self.due.insert((until, number));
        Ok(())
    }
}

impl Bus for MemoryBus {
    fn publish<'a>(&'a self, topic: &'a Topic, message: Message) -> Answer<'a, Published> {
        let published = self.shared.state().publish(topic, message, Instant::now());
        self.shared.changed.notify_waiters();
        async { published }.boxed()
    }

    fn take<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a str,
        most: usize,
        wait: Duration,
    ) -> Answer<'a, Vec<Lease>> {
        async move {
            let give_up = Instant::now() + wait;
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let now = Instant::now();
                let found =
                    self.shared
                        .state()
                        .take(&topic.name, group, most, (now, now + topic.lease));
                let due = match found {
                    Ok(taken) => {
                        let lease =
                            |(number, token, taken, message): (u64, u64, u64, Arc<Message>)| {
                                Lease {
                                    message: Message::clone(&message),
                                    taken,
                                    held: Box::new(InMemory {
                                        shared: Arc::downgrade(&self.shared),
                                        topic: topic.name.clone(),
                                        group: group.to_owned(),
                                        lease: topic.lease,
                                        number,
                                        token,
                                    }),
                                }
                            };
                        return Ok(taken.into_iter().map(lease).collect());
                    }
                    Err(due) => due,
                };
                if now >= give_up {
                    return Ok(Vec::new());
                }
                tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(due.map_or(give_up, |due| due.min(give_up))) => {}
                }
            }
        }
        .boxed()
    }

    fn order(&self) -> Order {
        Order::PerKey
    }

    fn link(&self) -> &Arc<Link> {
        &self.link
    }
}

struct InMemory {
    shared: Weak<Shared>,
    topic: String,
    group: String,
    lease: Duration,
    number: u64,
    token: u64,
}

impl InMemory {
    fn with(&self, act: impl FnOnce(&mut Group) -> Result<(), BusError>) -> Answer<'static, ()> {
        let shared = self.shared.upgrade();
        let done = match &shared {
            None => Err(BusError::LeaseLost),
            Some(shared) => {
                let mut state = shared.state();
                let topic = state.topics.get_mut(&self.topic);
                let group = topic.and_then(|topic| topic.groups.get_mut(&self.group));
                group.map_or(Err(BusError::LeaseLost), act)
            }
        };
        if let Some(shared) = shared {
            shared.changed.notify_waiters();
        }
        async { done }.boxed()
    }
}

impl Held for InMemory {
    fn ack(&self) -> Answer<'_, ()> {
        self.with(|group| group.ack(self.number, self.token, Instant::now()))
    }

    fn nack(&self, delay: Duration) -> Answer<'_, ()> {
        self.with(|group| group.put_off(self.number, self.token, Instant::now() + delay, true))
    }

    fn extend(&self) -> Answer<'_, ()> {
        self.with(|group| {
            group.put_off(self.number, self.token, Instant::now() + self.lease, false)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_forgotten_when_there_are_too_many() {
        let mut kept = Kept::default();
        let now = Instant::now();
        for n in 0..MAX_IDS {
            kept.forget_ids(now);
            kept.ids.insert(n.to_string(), now);
            kept.by_age.push_back(n.to_string());
        }
        kept.forget_ids(now);
        assert_eq!(kept.ids.len(), MAX_IDS - 1);
        kept.forget_ids(now + DEDUP_WINDOW);
        assert!(kept.ids.is_empty());
    }
}
