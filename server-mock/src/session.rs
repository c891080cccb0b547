//! One session seen from outside: everything the admin port can do, as methods.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::{MS, NS, nanos};
use crate::effects::Effects;
use crate::fault_rules::{FaultRule, RuleState};
use crate::integrations::Notice;
use crate::journal::JournalEntry;
use crate::key::{Identity, Token, is_tenant};
use crate::normalised::{NormalisedEntry, normalised};
use crate::oauth::Decision;
use crate::options::{Options, OptionsChange};
use crate::tier::{Limits, Tier};
use crate::timestamp::rfc3339;
use crate::upstream::UpstreamState;
use crate::verdict::Verdict;
use crate::webhooks::{Delivery, Endpoint, NewEndpoint, Refusal, Viewer, Which};
use crate::world::World;

/// How often it is looked whether a request has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A handle to one session of a gateway; the session lives at least as long.
#[derive(Clone)]
pub struct Session {
    pub(crate) world: Arc<World>,
}

/// Why an admin operation was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.told())
    }
}

/// What a session's clock shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClockState {
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The same as RFC 3339.
    pub now: String,
    /// Whether real time moves it.
    pub frozen: bool,
}

/// What one tenant has used of its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitState {
    /// The tenant.
    pub tenant: String,
    /// The tier its calls came on.
    pub tier: Tier,
    /// The limits that hold.
    pub limits: Limits,
    /// Whole calls that would be let in now.
    pub remaining: u64,
    /// Seconds until the whole burst is restored, rounded up.
    pub restored_in_s: u64,
    /// Calls left of the day, where there is such a limit.
    pub day_remaining: Option<u32>,
    /// Calls in progress.
    pub in_progress: u32,
    /// Calls let in so far.
    pub allowed: u64,
    /// Calls refused so far.
    pub refused: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.world.name)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The name requests select it by, in `X-Mock-Session`.
    pub fn name(&self) -> &str {
        &self.world.name
    }

    /// Makes everything as it was when the session was new; only the journal's numbers go on.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// All of it that a data file would keep (records, files, keys and their answers, effects, events, tokens, fault rules,
    /// options, the clock and more), as one JSON document. Secrets are in it.
    pub fn snapshot(&self) -> Result<String, Refused> {
        self.world.snapshot().map_err(Refused)
    }

    /// Makes it what a snapshot says, of this session or of another; all of it or, with the reason, nothing. Its journal
    /// stays.
    pub fn restore(&self, snapshot: &str) -> Result<(), Refused> {
        self.world.restore(snapshot.as_bytes()).map_err(Refused)
    }

    /// Its options.
    pub fn options(&self) -> Options {
        Options::clone(&self.world.state().options)
    }

    /// Changes some of its options; all of the change or, with the reason, none.
    pub fn set(&self, change: OptionsChange) -> Result<Options, Refused> {
        let mut state = self.world.state();
        let options = Arc::make_mut(&mut state.options);
        options.change(change).map_err(Refused)?;
        let options = options.clone();
        state.keep_options();
        Ok(options)
    }

    /// What its clock shows.
    pub fn clock(&self) -> ClockState {
        let now_ns = self.world.clock.now_ns();
        ClockState {
            now_ms: now_ns / MS,
            now: rfc3339(now_ns),
            frozen: self.world.clock.is_frozen(),
        }
    }

    /// Stops its clock.
    pub fn freeze(&self) {
        self.world.clock.freeze();
        self.world.keep_clock();
    }

    /// Lets real time move its clock again.
    pub fn resume(&self) {
        self.world.clock.resume();
        self.world.keep_clock();
    }

    /// Moves its clock forward; webhooks that fall due on the way are sent before it moves on.
    pub async fn advance(&self, by: Duration) {
        let to_ns = self.world.clock.now_ns().saturating_add(nanos(by));
        self.world.advance_to(to_ns).await;
        self.world.keep_clock();
    }

    /// Moves its clock forward to a time, in milliseconds since the Unix epoch; one that is past already changes nothing.
    pub async fn advance_to(&self, at_ms: u64) {
        self.world.advance_to(at_ms.saturating_mul(MS)).await;
    }

    /// Moves its clock to each next webhook that is due until none is left.
    pub async fn run_until_idle(&self) {
        self.world.run_until_idle().await;
        self.world.keep_clock();
    }

    /// The fault rules and how far each has got.
    pub fn faults(&self) -> Vec<RuleState> {
        self.world.state().rules.state()
    }

    /// Replaces the fault rules; all of them or, with the reason, none.
    pub fn set_faults(&self, rules: Vec<FaultRule>) -> Result<(), Refused> {
        let mut fresh = crate::fault_rules::FaultRules::default();
        fresh
            .add(rules, self.world.clock.now_ns())
            .map_err(Refused)?;
        self.world.state().rules.replace(fresh);
        Ok(())
    }

    /// Adds fault rules behind those that are there.
    pub fn add_faults(&self, rules: Vec<FaultRule>) -> Result<(), Refused> {
        let now_ns = self.world.clock.now_ns();
        let mut state = self.world.state();
        state.rules.add(rules, now_ns).map_err(Refused)
    }

    /// Takes all fault rules away.
    pub fn clear_faults(&self) {
        self.world.state().rules.clear();
    }

    /// Takes the fault rules of one name away.
    pub fn clear_faults_named(&self, name: &str) {
        self.world.state().rules.clear_named(name);
    }

    /// The requests it received, oldest first: those after `since` (0 for all).
    pub fn journal(&self, since: u64) -> Vec<JournalEntry> {
        self.world.journal().after(since, None, usize::MAX)
    }

    /// The requests it received for one operation, such as `contacts.create`.
    pub fn journal_of(&self, op: &str) -> Vec<JournalEntry> {
        self.world.journal().after(0, Some(op), usize::MAX)
    }

    /// The same without what differs from run to run: the order in which calls that ran side by side arrived, times,
    /// connections. Sorted by logical call and attempt.
    pub fn normalised_journal(&self) -> Vec<NormalisedEntry> {
        normalised(self.journal(0))
    }

    /// Waits until the end of each request that arrived is in the journal, at most for `limit`: whether it is. A client
    /// that does not wait for its answer any more is gone a moment before that is noticed here, and who has an answer may
    /// have it a moment before it is written down.
    pub async fn quiet(&self, limit: Duration) -> bool {
        let all_ended = async {
            while self.world.journal().has_open() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(limit, all_ended).await.is_ok()
    }

    /// How the client behaved that sent them: graded, with reasons and advice. What is still under way says nothing:
    /// [`quiet`](Self::quiet) waits for it.
    pub fn verdict(&self) -> Verdict {
        let requests = self.world.journal().requests();
        Verdict::of(self.name(), &requests)
    }

    /// Forgets the requests it received.
    pub fn clear_journal(&self) {
        self.world.journal().clear();
    }

    /// The side effects of one operation, such as `contacts.create`.
    pub fn effects(&self, op: &str) -> Effects {
        self.world.state().effects.of(op)
    }

    /// The operations that had side effects.
    pub fn operations_with_effects(&self) -> Vec<&'static str> {
        self.world.state().effects.operations().collect()
    }

    /// What each tenant has used of its limits.
    pub fn limits(&self) -> Vec<LimitState> {
        let now_ns = self.world.clock.now_ns();
        let mut state = self.world.state();
        let mut all: Vec<LimitState> = state
            .tenants()
            .flat_map(|(name, tenant)| {
                tenant
                    .limiters()
                    .map(move |(tier, limiter)| (name, tier, limiter))
            })
            .map(|(name, tier, limiter)| {
                let standing = limiter.standing_at(now_ns);
                LimitState {
                    tenant: name.into(),
                    tier,
                    limits: standing.limits,
                    remaining: standing.remaining,
                    restored_in_s: standing.restored_in_ns.div_ceil(NS),
                    day_remaining: standing.day.map(|day| day.remaining),
                    in_progress: limiter.in_progress(),
                    allowed: limiter.allowed,
                    refused: limiter.refused,
                }
            })
            .collect();
        all.sort_by(|a, b| (&a.tenant, a.tier.name()).cmp(&(&b.tenant, b.tier.name())));
        all
    }

    /// Subscribes `url` to webhooks of these types (`contact.created`, `contact.*`; none means all), with a new secret.
    pub fn subscribe(&self, url: &str, types: &[&str]) -> Result<Endpoint, Refused> {
        let wish = NewEndpoint::of(url, types).wish();
        Ok(self.world.add_endpoint(wish)?)
    }

    /// Changes an endpoint by a merge patch (RFC 7396) of what can be set of it, `enabled` among it.
    pub fn change_endpoint(
        &self,
        id: &str,
        patch: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Endpoint, Refused> {
        Ok(self.world.change_endpoint(id, patch)?)
    }

    /// The endpoints webhooks go to.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.world.endpoints()
    }

    /// The deliveries of webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.deliveries(&Which::default())
    }

    /// Waits until no webhook is due and none is being sent.
    pub async fn settle(&self) {
        self.world.settle().await;
    }

    /// Sends one event to one endpoint, whatever it subscribed to.
    pub fn send_webhook(
        &self,
        endpoint: &str,
        kind: &str,
        data: serde_json::Value,
    ) -> Result<Delivery, Refused> {
        Ok(self.world.send(Viewer::Admin, endpoint, kind, &data)?)
    }

    /// Sends the event of a delivery once more, under the same message id.
    pub fn redeliver(&self, delivery: &str) -> Result<Delivery, Refused> {
        let now_ns = self.world.clock.now_ns();
        Ok(self
            .world
            .with_outbox(|outbox| outbox.redeliver(Viewer::Admin, delivery, now_ns))?)
    }

    /// Makes a bearer token that ends after `ttl` of the session's clock.
    pub fn mint_token(&self, tier: Tier, tenant: &str, ttl: Duration) -> Result<Token, Refused> {
        if !is_tenant(tenant) {
            return Err(Refused(
                "tenant must be 1 to 64 letters, digits, - or _".into(),
            ));
        }
        let identity = Identity {
            tenant: tenant.into(),
            tier,
            readonly: false,
            granted: None,
        };
        let expires_ns = self.world.clock.now_ns().saturating_add(nanos(ttl));
        let mut state = self.world.state();
        let seed = state.options.seed;
        Ok(state.tokens.mint(identity, expires_ns, seed))
    }

    /// The user approves the device with this code, or refuses it.
    pub fn decide_device(&self, user_code: &str, approve: bool) -> Result<(), Refused> {
        let decision = if approve {
            Decision::Approved
        } else {
            Decision::Denied
        };
        let now_ns = self.world.clock.now_ns();
        if self
            .world
            .state()
            .oauth
            .devices
            .decide(user_code, decision, now_ns)
        {
            Ok(())
        } else {
            Err(Refused("no device with this user code is waiting".into()))
        }
    }

    /// Revokes all access tokens of its authorization server, and with `refresh` the refresh tokens too.
    pub fn revoke_oauth_tokens(&self, refresh: bool) {
        self.world.state().oauth.tokens.revoke_all(refresh);
    }

    /// Changes the signing key of its authorization server; the one before is published for `key_overlap_ms` more.
    pub fn rotate_oauth_keys(&self) {
        let now_ns = self.world.clock.now_ns();
        self.world.state().oauth.rotate(now_ns);
    }

    /// The devices that wait for a user, and the name of the signing key.
    pub fn oauth_state(&self) -> serde_json::Value {
        crate::oauth::state(&self.world.state().oauth)
    }

    /// What was or will be sent to people, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        self.world.notices()
    }

    /// How many notices were not made, because 10 000 were pending.
    pub fn notices_dropped(&self) -> u64 {
        self.world.notices_dropped()
    }

    /// The upstreams of the session's options, and what is known of each.
    pub fn upstreams(&self) -> Vec<UpstreamState> {
        self.world.upstream_states()
    }

    /// Changes a file: another content, another entity tag.
    pub fn change_file(&self, id: &str) {
        self.world.state().files.change(id);
    }
}
