//! What is stored, by key and variant, within a number of bytes: the least recently used goes first.
//!
//! An answer that was asked for before its URL was changed must not be stored after that, or a caller would be shown what he
//! has just changed. So whoever asks takes a [`Tick`] first, and what was invalidated since is not stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use url::Url;

use super::key::{Key, without};
use super::mode::{CacheState, CacheStatus};
use super::stored::Stored;

/// Changes that are remembered one by one. Of what was asked for before older ones, nothing is stored.
const MOST_CHANGES: usize = 1024;
/// Variants of one URL and credential: a server that varies by what is never the same must not make look-ups slow.
const MOST_VARIANTS: usize = 32;

/// When something was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(u64);

/// A stored answer, and its number, which no other has.
#[derive(Clone, Debug)]
pub struct Found {
    /// The answer.
    pub stored: Arc<Stored>,
    /// Its number. One that is renewed gets another.
    pub number: u64,
}

#[derive(Debug)]
struct Kept {
    stored: Arc<Stored>,
    number: u64,
    used: u64,
    size: u64,
}

/// All stored answers of one client.
#[derive(Debug)]
pub struct Store {
    entries: BTreeMap<Arc<Key>, Vec<Kept>>,
    /// By when they were last used.
    order: BTreeMap<u64, Arc<Key>>,
    state: CacheState,
    clock: u64,
    /// When which resource was changed, by a hash: one that is taken for another costs a look-up, nothing else.
    changed: BTreeMap<u64, u64>,
    /// What was asked for before this is not stored.
    floor: u64,
}

impl Store {
    /// An empty store for so many bytes.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            state: CacheState {
                max_bytes,
                ..CacheState::default()
            },
            clock: 0,
            changed: BTreeMap::new(),
            floor: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Now, for what is asked for now.
    pub fn tick(&mut self) -> Tick {
        Tick(self.next())
    }

    /// What it holds, and what was counted.
    #[must_use]
    pub fn state(&self) -> CacheState {
        self.state
    }

    /// Counts a call that was answered so.
    pub fn count(&mut self, status: CacheStatus) {
        self.state.count(status);
    }

    /// The latest stored answer that fits a request with these fields.
    pub fn find(&mut self, key: &Key, request: &HeaderMap) -> Option<Found> {
        let used = self.next();
        let kept = self
            .entries
            .get_mut(key)?
            .iter_mut()
            .rev()
            .find(|kept| kept.stored.fits(request))?;
        let before = std::mem::replace(&mut kept.used, used);
        let found = Found {
            stored: Arc::clone(&kept.stored),
            number: kept.number,
        };
        if let Some(key) = self.order.remove(&before) {
            self.order.insert(used, key);
        }
        Some(found)
    }

    /// Stores an answer that was asked for at `since`, in place of the one of the same variant. `None` where its URL was
    /// changed meanwhile.
    pub fn put(&mut self, key: &Key, stored: Stored, since: Tick) -> Option<Found> {
        if self.is_outdated(key, since) {
            return None;
        }
        let size = stored
            .size()
            .saturating_add(u64::try_from(key.url.len() * 2).unwrap_or(u64::MAX));
        if size > self.state.max_bytes {
            return None;
        }
        let same: Vec<u64> = self
            .entries
            .get(key)
            .into_iter()
            .flatten()
            .filter(|kept| kept.stored.is_variant_of(&stored))
            .map(|kept| kept.number)
            .collect();
        for number in same {
            self.remove(key, number);
        }
        if let Some(variants) = self.entries.get(key)
            && variants.len() >= MOST_VARIANTS
            && let Some(oldest) = variants.iter().min_by_key(|kept| kept.used)
        {
            self.remove(key, oldest.number);
            self.state.evicted += 1;
        }
        while self.state.bytes.saturating_add(size) > self.state.max_bytes {
            let Some((used, key)) = self.order.pop_first() else {
                break;
            };
            self.take(&key, |kept| kept.used == used);
            self.state.evicted += 1;
        }
        let used = self.next();
        let shared = match self.entries.get_key_value(key) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(key.clone()),
        };
        let found = Found {
            stored: Arc::new(stored),
            number: used,
        };
        self.order.insert(used, Arc::clone(&shared));
        self.entries.entry(shared).or_default().push(Kept {
            stored: Arc::clone(&found.stored),
            number: used,
            used,
            size,
        });
        self.state.bytes += size;
        self.state.entries += 1;
        Some(found)
    }

    /// Removes one answer.
    pub fn remove(&mut self, key: &Key, number: u64) {
        if let Some(used) = self.take(key, |kept| kept.number == number) {
            self.order.remove(&used);
        }
    }

    /// Takes an answer out of its key; when it was last used.
    fn take(&mut self, key: &Key, which: impl Fn(&Kept) -> bool) -> Option<u64> {
        let variants = self.entries.get_mut(key)?;
        let at = variants.iter().position(which)?;
        let gone = variants.remove(at);
        if variants.is_empty() {
            self.entries.remove(key);
        }
        self.state.bytes -= gone.size;
        self.state.entries -= 1;
        Some(gone.used)
    }

    fn is_outdated(&self, key: &Key, since: Tick) -> bool {
        let changed = self.changed.get(&hash_of(key.resource()));
        since.0 < self.floor || changed.is_some_and(|at| since.0 < *at)
    }

    /// The resource at this URL was changed: what is stored of it goes, for all queries and credentials, and what is under way
    /// is not stored. The numbers of what went.
    pub fn invalidate(&mut self, url: &Url) -> Vec<u64> {
        let now = self.next();
        if self.changed.len() >= MOST_CHANGES {
            self.changed.clear();
            self.floor = now;
        }
        let resource = without(without(url.as_str(), '#'), '?').to_owned();
        self.changed.insert(hash_of(&resource), now);
        let with_query = format!("{resource}?");
        let exact = self
            .entries
            .range(Arc::new(Key::first_of(&resource))..)
            .take_while(|(key, _)| key.url == resource);
        let queries = self
            .entries
            .range(Arc::new(Key::first_of(&with_query))..)
            .take_while(|(key, _)| key.url.starts_with(&with_query));
        let gone: Vec<(Arc<Key>, u64)> = exact
            .chain(queries)
            .flat_map(|(key, variants)| variants.iter().map(|kept| (Arc::clone(key), kept.number)))
            .collect();
        for (key, number) in &gone {
            self.remove(key, *number);
        }
        gone.into_iter().map(|(_, number)| number).collect()
    }

    /// Forgets everything; what is under way is not stored.
    pub fn clear(&mut self) {
        self.floor = self.next();
        self.entries.clear();
        self.order.clear();
        self.changed.clear();
        self.state.entries = 0;
        self.state.bytes = 0;
    }
}

/// FNV-1a.
fn hash_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::super::storable::{Arrival, Rules, to_store};
    use super::*;
    use crate::time::{Instant, UnixMillis};
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn answer(vary: &'static str, request: &HeaderMap, body: &str) -> Stored {
        let rules = Rules {
            max_bytes: u64::MAX,
            max_entry_bytes: u64::MAX,
            heuristic: None,
            stale_if_error: None,
        };
        let arrival = Arrival {
            request,
            changed: &[],
            status: StatusCode::OK,
            headers: &headers(&[("cache-control", "max-age=60"), ("vary", vary)]),
            body: &Bytes::from(body.to_owned()),
            asked: Instant::ORIGIN,
            came: Instant::ORIGIN,
            wall: UnixMillis(0),
        };
        to_store(&rules, &arrival).unwrap()
    }

    fn url(path: &str) -> Url {
        Url::parse("https://h.example").unwrap().join(path).unwrap()
    }

    fn key(path: &str) -> Key {
        Key::new(&url(path), [0; 2])
    }

    fn put(store: &mut Store, path: &str, body: &str) -> bool {
        let since = store.tick();
        let stored = answer("", &HeaderMap::new(), body);
        store.put(&key(path), stored, since).is_some()
    }

    fn body(store: &mut Store, path: &str) -> Option<String> {
        let found = store.find(&key(path), &HeaderMap::new())?;
        Some(String::from_utf8_lossy(found.stored.body()).into_owned())
    }

    /// Bytes and entries are what is really there.
    fn check(store: &Store) {
        let all = || store.entries.values().flatten();
        assert_eq!(store.state.entries, all().count());
        assert_eq!(store.order.len(), all().count());
        assert_eq!(store.state.bytes, all().map(|kept| kept.size).sum::<u64>());
        assert!(store.state.bytes <= store.state.max_bytes);
        for kept in all() {
            assert!(store.order.contains_key(&kept.used));
        }
    }

    #[test]
    fn credentials_and_variants_do_not_mix() {
        let mut store = Store::new(1 << 20);
        let (en, de) = (headers(&[("x-l", "en")]), headers(&[("x-l", "de")]));
        for (request, text) in [(&en, "hello"), (&de, "hallo"), (&en, "hi")] {
            let since = store.tick();
            store
                .put(&key("/a"), answer("x-l", request, text), since)
                .unwrap();
        }
        assert_eq!(store.state().entries, 2);
        assert_eq!(
            &store.find(&key("/a"), &en).unwrap().stored.body()[..],
            b"hi"
        );
        assert_eq!(
            &store.find(&key("/a"), &de).unwrap().stored.body()[..],
            b"hallo"
        );
        assert!(store.find(&key("/a"), &HeaderMap::new()).is_none());
        let other = Key::new(&url("/a"), [1, 0]);
        assert!(store.find(&other, &en).is_none());
        check(&store);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let one = answer("", &HeaderMap::new(), &"x".repeat(1000)).size() + 2 * 19;
        let mut store = Store::new(one * 3);
        for path in ["/1", "/2", "/3"] {
            assert!(put(&mut store, path, &"x".repeat(1000)));
        }
        assert!(body(&mut store, "/1").is_some());
        assert!(put(&mut store, "/4", &"x".repeat(1000)));
        let there: Vec<bool> = ["/1", "/2", "/3", "/4"]
            .map(|p| body(&mut store, p).is_some())
            .into();
        assert_eq!(there, [true, false, true, true]);
        assert_eq!(store.state().evicted, 1);
        // What has no room at all drives nothing out.
        assert!(!put(&mut store, "/5", &"x".repeat(100_000)));
        assert_eq!(store.state().entries, 3);
        check(&store);
    }

    #[test]
    fn a_server_that_varies_without_end_is_bounded() {
        let mut store = Store::new(1 << 30);
        for n in 0..1000 {
            let value = HeaderValue::from_str(&n.to_string()).unwrap();
            let request = HeaderMap::from_iter([(http::HeaderName::from_static("x-l"), value)]);
            let since = store.tick();
            store
                .put(&key("/a"), answer("x-l", &request, "a"), since)
                .unwrap();
        }
        assert_eq!(store.state().entries, MOST_VARIANTS);
        check(&store);
    }

    #[test]
    fn a_change_takes_all_queries_of_a_resource_and_nothing_else() {
        let mut store = Store::new(1 << 20);
        for path in ["/a", "/a?x=1", "/a?y", "/a!", "/a/b", "/ab", "/"] {
            assert!(put(&mut store, path, "x"));
        }
        assert_eq!(store.invalidate(&url("/a?z#f")).len(), 3);
        let left: Vec<_> = ["/a", "/a?x=1", "/a?y", "/a!", "/a/b", "/ab", "/"]
            .into_iter()
            .filter(|path| body(&mut store, path).is_some())
            .collect();
        assert_eq!(left, ["/a!", "/a/b", "/ab", "/"]);
        check(&store);
    }

    #[test]
    fn what_was_asked_for_before_a_change_is_not_stored_after_it() {
        let mut store = Store::new(1 << 20);
        let (before, stored) = (store.tick(), answer("", &HeaderMap::new(), "old"));
        store.invalidate(&url("/a"));
        assert!(store.put(&key("/a?x=1"), stored.clone(), before).is_none());
        assert!(store.put(&key("/b"), stored.clone(), before).is_some());
        let after = store.tick();
        assert!(store.put(&key("/a?x=1"), stored.clone(), after).is_some());
        store.clear();
        assert!(store.put(&key("/b"), stored.clone(), after).is_none());
        check(&store);
        // However many changes there were.
        let before = store.tick();
        for n in 0..3 * MOST_CHANGES {
            store.invalidate(&url(&format!("/{n}")));
        }
        assert!(store.put(&key("/0"), stored, before).is_none());
        assert!(store.changed.len() <= MOST_CHANGES);
    }

    #[test]
    fn any_sequence_keeps_the_books() {
        let mut store = Store::new(20_000);
        let mut random = 7_u64;
        for _ in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let path = format!("/{}?{}", (random >> 33) % 5, (random >> 40) % 4);
            match (random >> 50) % 6 {
                0..=2 => {
                    put(
                        &mut store,
                        &path,
                        &"x".repeat(usize::try_from((random >> 20) % 3000).unwrap()),
                    );
                }
                3 => {
                    body(&mut store, &path);
                }
                4 => {
                    store.invalidate(&url(&path));
                }
                _ => {
                    if let Some(found) = store.find(&key(&path), &HeaderMap::new()) {
                        store.remove(&key(&path), found.number);
                    }
                }
            }
            check(&store);
        }
        assert!(store.state().evicted > 0);
    }
}
