//! Several base URLs of one API: the first healthy one is asked, in the order that the user gave.
//!
//! A region is healthy where its breaker lets an attempt through, and where the last connection to it could be made. One that could not
//! be connected to is passed over for as long as a breaker is open; then one call asks it again, and the rest stay away from it until
//! that one had an answer, or as long again.
//!
//! | State of a region | Event | Next |
//! |---|---|---|
//! | Reachable | no connection | Unreachable (`a_region_without_a_connection_is_passed_over`) |
//! | Unreachable | its time is over, a call chooses | Unreachable for as long again; that call goes there (`one_call_looks_whether_a_region_is_back`) |
//! | Unreachable | any answer | Reachable (`an_answer_makes_a_region_healthy_again`) |
//!
//! Breaker, budget and pacing belong to the region's [`Host`].

use std::fmt;
use std::sync::Arc;

use crate::host::Host;
use crate::time::Instant;

/// Regions of one client, at most: what a call tried is kept in a word.
pub const MAX_REGIONS: usize = 32;

/// One base URL.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name in the record of attempts: host and port.
    pub name: Arc<str>,
    /// The state of its host.
    pub host: Arc<Host>,
}

/// The regions of one client, nearest first.
#[derive(Clone)]
pub struct Regions(Arc<[Region]>);

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|region| &region.name))
            .finish()
    }
}

impl Regions {
    /// These regions, in order of preference; those after the 32nd are left out.
    #[must_use]
    pub fn new(regions: impl IntoIterator<Item = Region>) -> Self {
        Self(regions.into_iter().take(MAX_REGIONS).collect())
    }

    /// Region `at`.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Region> {
        self.0.get(at)
    }

    /// The first healthy region beside this one.
    #[must_use]
    pub fn elsewhere(&self, at: usize, now: Instant) -> Option<&Region> {
        let mut others = self.0.iter().enumerate().filter(|(other, _)| *other != at);
        let found = others.find(|(_, region)| region.host.is_healthy(now));
        found.map(|(_, region)| region)
    }

    /// As values, for `client.state()`.
    #[must_use]
    pub fn state(&self, now: Instant) -> Vec<RegionState> {
        let state = |region: &Region| RegionState {
            name: Arc::clone(&region.name),
            healthy: region.host.is_healthy(now),
            host: region.host.state(now),
        };
        self.0.iter().map(state).collect()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Region> {
        self.0.iter()
    }
}

/// A call's way through the regions.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    regions: Regions,
    /// The one that the URL of the call names.
    preferred: usize,
    pub(crate) at: usize,
    /// A bit for each that had an attempt of this call.
    tried: u32,
    /// Those that were left for another though they had asked this call to wait: until when it does not come back.
    left_alone: Vec<(usize, Instant)>,
}

impl Route {
    pub(crate) fn new(regions: Regions, preferred: usize) -> Self {
        Self {
            regions,
            preferred,
            at: preferred,
            tried: 0,
            left_alone: Vec::new(),
        }
    }

    pub(crate) fn region(&self) -> Option<&Region> {
        self.regions.get(self.at)
    }

    pub(crate) fn len(&self) -> usize {
        self.regions.0.len()
    }

    pub(crate) fn regions(&self) -> &Regions {
        &self.regions
    }

    /// An attempt goes to the region where the route is now.
    pub(crate) fn on_sent(&mut self) {
        self.tried |= bit(self.at);
    }

    /// The region of this attempt asked to be left alone until then, and another is asked instead.
    pub(crate) fn leave_alone(&mut self, until: Instant) {
        self.left_alone.retain(|(at, _)| *at != self.at);
        self.left_alone.push((self.at, until));
    }

    /// Whether the region where the route is now did not ask this call to wait longer.
    pub(crate) fn may_come(&self, now: Instant) -> bool {
        self.is_free(self.at, now)
    }

    fn is_free(&self, at: usize, now: Instant) -> bool {
        let asked = |(of, until): &(usize, Instant)| *of == at && now < *until;
        !self.left_alone.iter().any(asked)
    }

    /// The URL names another region from here on.
    pub(crate) fn prefer(&mut self, at: usize) {
        (self.preferred, self.at) = (at, at);
    }

    fn in_order(&self) -> impl Iterator<Item = (usize, &Region)> {
        let preferred = self.preferred;
        let first = self.regions.0.iter().enumerate().skip(preferred).take(1);
        let others = self.regions.0.iter().enumerate();
        first.chain(others.filter(move |(at, _)| *at != preferred))
    }

    /// Another region, which is healthy and had no attempt of this call yet. Changes nothing.
    pub(crate) fn untried(&self, now: Instant) -> Option<usize> {
        let mut others = self.in_order().filter(|(at, _)| self.tried & bit(*at) == 0);
        let found = others.find(|(at, region)| *at != self.at && region.host.is_healthy(now));
        found.map(|(at, _)| at)
    }

    /// Where the next attempt goes: a healthy region that this call did not try, else any healthy one, else one whose breaker lets it
    /// through, else the preferred one. A region that asked this call to wait is passed over until its time has come.
    pub(crate) fn choose(&mut self, now: Instant) {
        let tried = self.tried;
        let free = || self.in_order().filter(|(at, _)| self.is_free(*at, now));
        let healthy = |region: &Region| region.host.is_healthy(now);
        let found = free()
            .find(|(at, region)| tried & bit(*at) == 0 && healthy(region))
            .or_else(|| free().find(|(_, region)| healthy(region)))
            .or_else(|| free().find(|(_, region)| region.host.breaker_lets_through(now)))
            .or_else(|| free().next())
            .map(|(at, _)| at);
        self.at = found.unwrap_or(self.preferred);
        if let Some(region) = self.region() {
            region.host.on_chosen(now);
        }
    }
}

const fn bit(at: usize) -> u32 {
    1 << (at % MAX_REGIONS)
}

/// Whether connections to a region could be made.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    unreachable_until: Option<Instant>,
}

impl Reach {
    pub(crate) fn is_reachable(&self, now: Instant) -> bool {
        self.unreachable_until.is_none_or(|until| now >= until)
    }

    pub(crate) fn on_no_connection(&mut self, until: Instant) {
        self.unreachable_until = Some(until);
    }

    pub(crate) fn on_answer(&mut self) {
        self.unreachable_until = None;
    }

    /// A call goes there. Where it is to find out whether the region is back, others stay away until `until`.
    pub(crate) fn on_chosen(&mut self, until: Instant) {
        if self.unreachable_until.is_some() {
            self.unreachable_until = Some(until);
        }
    }
}

/// A region, as values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegionState {
    /// Host and port.
    pub name: Arc<str>,
    /// Whether calls go there.
    pub healthy: bool,
    /// What is known of its host.
    pub host: crate::host::HostState,
}
