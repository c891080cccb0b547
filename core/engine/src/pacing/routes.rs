//! What was learned of routes: which of the server's counters their calls take from.
//!
//! Which counters a call takes from, only its answer tells. So each answer teaches: its endpoint takes from the counters
//! that it named. Where two paths of one endpoint name different counters of one policy, the path decides from then on.
//! An endpoint of which nothing was heard is taken to be like the others of its family, as long as these agree.
//!
//! | Entry | Answer | Next |
//! |---|---|---|
//! | none | names counters | Known (`an_endpoint_takes_from_what_its_answer_named`) |
//! | Known | names another counter of the same policy, same path | Known: that one (`the_last_answer_of_a_path_counts`) |
//! | Known endpoint | the same, another path | Split: each path is known by itself (`where_paths_of_an_endpoint_differ_the_path_decides`) |
//! | Known family | the same | Split: nothing is taken for granted (`a_family_that_disagrees_predicts_nothing`) |
//! | any | a counter is given up | as if it had never been named (`a_counter_that_is_given_up_is_forgotten`) |

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::release::{Phase, Release};
use super::route::Route;

/// Entries that are kept; the one that was not used for longest goes first.
const MAX_ROUTES: usize = 512;

/// What is known of one endpoint, path or family.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// A bit for each counter that its calls take from.
    named: u64,
    /// It was heard of.
    known: bool,
    /// The path of the last answer: what differs from it is another.
    path: u64,
    split: bool,
    used: u64,
    /// How many calls may be under way while nothing is known.
    scout: Release,
}

/// What is known of routes. Bounded.
#[derive(Debug, Default)]
pub(super) struct Routes {
    entries: HashMap<u64, Entry, BuildHasherDefault<Hashed>>,
    /// Counts uses.
    clock: u64,
    /// The last answer, while nothing has changed since: it teaches nothing when it comes again.
    last: Option<(Route, u64, u64)>,
}

/// What is a hash already is not hashed again. Whoever chooses the paths is the caller itself, and entries are few.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Routes {
    fn entry(&mut self, key: u64) -> &mut Entry {
        if self.entries.len() >= MAX_ROUTES && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            if let Some((&oldest, _)) = oldest {
                self.entries.remove(&oldest);
                self.last = None;
            }
        }
        self.clock = self.clock.wrapping_add(1);
        let entry = self.entries.entry(key).or_insert(Entry {
            named: 0,
            known: false,
            path: 0,
            split: false,
            used: 0,
            scout: Release::new(Phase::Fresh),
        });
        entry.used = self.clock;
        entry
    }

    /// The entry that decides for `route`: its endpoint's, or its path's where the endpoint is split.
    pub(super) fn key_of(&self, route: Route) -> u64 {
        match self.entries.get(&route.endpoint) {
            Some(entry) if entry.split => route.path,
            _ => route.endpoint,
        }
    }

    /// The counters that calls of this route are known to take from, by their own answers.
    pub(super) fn known(&self, route: Route) -> Option<u64> {
        let entry = self.entries.get(&self.key_of(route))?;
        entry.known.then_some(entry.named)
    }

    /// The counters that other calls of the same family take from, where they agree.
    pub(super) fn predicted(&self, route: Route) -> Option<u64> {
        let entry = self.entries.get(&route.family)?;
        (entry.known && !entry.split).then_some(entry.named)
    }

    /// An answer of `route` named the counters `named`. `rivals`: all counters of the policies that it named. Answers
    /// whether something new was learned.
    pub(super) fn learn(&mut self, route: Route, named: u64, rivals: u64) -> bool {
        if self.last == Some((route, named, rivals)) {
            return false;
        }
        let changed = self.take_in(route, named, rivals);
        self.last = Some((route, named, rivals));
        changed
    }

    fn take_in(&mut self, route: Route, named: u64, rivals: u64) -> bool {
        let endpoint = self.entry(route.endpoint);
        let mut changed = false;
        if !endpoint.split && endpoint.disagrees(named, rivals) && endpoint.path != route.path {
            endpoint.split = true;
            changed = true;
        }
        let key = self.key_of(route);
        changed |= self.entry(key).take_in(named, rivals, route.path);
        let family = self.entry(route.family);
        if !family.split && family.disagrees(named, rivals) {
            family.split = true;
            return true;
        }
        changed | family.take_in(named, rivals, route.path)
    }

    /// The counter `slot` is given up.
    pub(super) fn forget(&mut self, slot: usize) {
        self.last = None;
        for entry in self.entries.values_mut() {
            entry.named &= !(1 << slot);
        }
    }

    /// Until when a call of an unknown route is held back for the answer to the first.
    pub(super) fn scout(&self, route: Route) -> Option<&Release> {
        Some(&self.entries.get(&self.key_of(route))?.scout)
    }

    /// As [`scout`](Self::scout), to change it; makes an entry for the route.
    pub(super) fn scout_mut(&mut self, route: Route) -> &mut Release {
        let key = self.key_of(route);
        &mut self.entry(key).scout
    }

    /// As [`scout_mut`](Self::scout_mut), where there is an entry.
    pub(super) fn scout_if_any(&mut self, route: Route) -> Option<&mut Release> {
        let key = self.key_of(route);
        Some(&mut self.entries.get_mut(&key)?.scout)
    }
}

impl Entry {
    /// Whether it knows of other counters of the same policies.
    fn disagrees(&self, named: u64, rivals: u64) -> bool {
        self.known && self.named & rivals & !named != 0
    }

    fn take_in(&mut self, named: u64, rivals: u64, path: u64) -> bool {
        let before = (self.known, self.named);
        // What this answer does not speak of may still hold: not every answer names every quota.
        self.named = (self.named & !rivals) | named;
        self.known = true;
        self.path = path;
        before != (true, self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Route {
        Route::new(&http::Method::GET, path)
    }

    #[test]
    fn an_endpoint_takes_from_what_its_answer_named() {
        let mut routes = Routes::default();
        assert_eq!(routes.known(get("/a/1")), None);
        assert!(routes.learn(get("/a/1"), 0b01, 0b11));
        assert!(!routes.learn(get("/a/1"), 0b01, 0b11), "nothing new");
        assert_eq!(routes.known(get("/a/2")), Some(0b01));
        assert_eq!(routes.known(get("/a")), None);
        assert_eq!(routes.predicted(get("/a")), Some(0b01));
        assert_eq!(routes.predicted(get("/b")), None);
    }

    #[test]
    fn the_last_answer_of_a_path_counts() {
        let mut routes = Routes::default();
        routes.learn(get("/a/1"), 0b01, 0b11);
        routes.learn(get("/a/1"), 0b10, 0b11);
        assert_eq!(routes.known(get("/a/1")), Some(0b10));
        // A policy that it does not name stays.
        routes.learn(get("/a/1"), 0b100, 0b100);
        assert_eq!(routes.known(get("/a/1")), Some(0b110));
    }

    #[test]
    fn where_paths_of_an_endpoint_differ_the_path_decides() {
        let mut routes = Routes::default();
        routes.learn(get("/a/1"), 0b01, 0b11);
        routes.learn(get("/a/2"), 0b10, 0b11);
        assert_eq!(routes.known(get("/a/2")), Some(0b10));
        assert_eq!(routes.known(get("/a/1")), None, "to be heard of again");
        routes.learn(get("/a/1"), 0b01, 0b11);
        assert_eq!(routes.known(get("/a/1")), Some(0b01));
        assert_eq!(routes.known(get("/a/2")), Some(0b10));
    }

    #[test]
    fn a_family_that_disagrees_predicts_nothing() {
        let mut routes = Routes::default();
        routes.learn(get("/a/b"), 0b01, 0b11);
        routes.learn(get("/a/c"), 0b10, 0b11);
        assert_eq!(routes.predicted(get("/a/d")), None);
        assert_eq!(routes.known(get("/a/b")), Some(0b01));
    }

    #[test]
    fn a_counter_that_is_given_up_is_forgotten() {
        let mut routes = Routes::default();
        routes.learn(get("/a"), 0b11, 0b11);
        routes.forget(1);
        assert_eq!(routes.known(get("/a")), Some(0b01));
    }

    #[test]
    fn no_more_routes_are_kept_than_fit() {
        let mut routes = Routes::default();
        let last = 5 * MAX_ROUTES;
        for n in 0..=last {
            let name: String = format!("{n:b}")
                .chars()
                .map(|digit| if digit == '0' { 'a' } else { 'b' })
                .collect();
            routes.learn(get(&format!("/{name}/x")), 1, 1);
            if n == last {
                assert_eq!(routes.known(get(&format!("/{name}/x"))), Some(1));
            }
        }
        assert!(routes.entries.len() <= MAX_ROUTES);
    }
}
