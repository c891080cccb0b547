//! The endpoints of a session: made, changed, rotated, switched off and on.

use std::ops::Bound;

use super::{Disabling, MAX_ENDPOINTS, Outbox, Viewer, enable};
use crate::webhooks::delivery::{DeliveryState, Failed};
use crate::webhooks::endpoint::{Disabled, EndpointRow, Subscriber, Wish, endpoint_id};
use crate::webhooks::refusal::Refusal;
use crate::webhooks::secrets::{Of, Secrets};
use crate::webhooks::settings::Settings;
use crate::world::Surroundings;

impl Outbox {
    pub(crate) fn add_endpoint(
        &mut self,
        wish: Wish,
        seed: u64,
        around: &Surroundings,
        now_ns: u64,
    ) -> Result<&Subscriber, Refusal> {
        if self.endpoints.len() >= MAX_ENDPOINTS {
            return Err(Refusal::Full(format!(
                "a session has at most {MAX_ENDPOINTS} webhook endpoints"
            )));
        }
        let number = self.last.endpoint + 1;
        let of = Of {
            seed,
            endpoint: number,
        };
        let enabled = wish.asked.enabled.unwrap_or(true);
        let settings = wish.asked.check(around).map_err(Refusal::Settings)?;
        let secrets = Secrets::new(wish.secrets, wish.key_pair, of)
            .map_err(|error| Refusal::field("secret", error))?;
        let row = EndpointRow {
            number,
            tenant: wish.tenant,
            settings,
            secrets,
            disabled: (!enabled).then_some((Disabled::Owner, now_ns)),
            well_ns: None,
            failing_since_ns: None,
            version: 1,
            created_ns: now_ns,
            updated_ns: now_ns,
        };
        let subscriber = Subscriber::new(row).map_err(|error| Refusal::field("url", error))?;
        self.last.endpoint = number;
        self.touched.counters = true;
        self.touched.endpoints.insert(number);
        Ok(self.endpoints.entry(number).or_insert(subscriber))
    }

    pub(crate) fn endpoint_count(&self) -> usize {
        self.endpoints.len()
    }

    /// The endpoints a viewer sees, in order of creation.
    pub(crate) fn endpoints<'a>(
        &'a self,
        viewer: Viewer<'a>,
        after: u64,
    ) -> impl Iterator<Item = &'a Subscriber> {
        self.endpoints
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(_, subscriber)| subscriber)
            .filter(move |subscriber| viewer.sees(subscriber.row.tenant.as_deref()))
    }

    pub(crate) fn endpoint(&self, viewer: Viewer<'_>, id: &str) -> Result<&Subscriber, Refusal> {
        let found = id
            .strip_prefix("ep_")
            .and_then(|number| number.parse().ok())
            .and_then(|number: u64| self.endpoints.get(&number))
            .filter(|found| endpoint_id(found.row.number) == id);
        found
            .filter(|found| viewer.sees(found.row.tenant.as_deref()))
            .ok_or_else(|| Refusal::unknown("endpoint", id))
    }

    pub(super) fn endpoint_mut(
        &mut self,
        viewer: Viewer<'_>,
        id: &str,
    ) -> Result<&mut Subscriber, Refusal> {
        let number = self.endpoint(viewer, id)?.row.number;
        self.touched.endpoints.insert(number);
        self.endpoints
            .get_mut(&number)
            .ok_or_else(|| Refusal::unknown("endpoint", id))
    }

    /// Forgets an endpoint; what was still to be sent to it has failed.
    pub(crate) fn remove_endpoint(&mut self, viewer: Viewer<'_>, id: &str) -> Result<(), Refusal> {
        let number = self.endpoint(viewer, id)?.row.number;
        self.give_up(number, Failed::EndpointRemoved);
        self.endpoints.remove(&number);
        self.touched.endpoints.insert(number);
        Ok(())
    }

    /// Puts other settings in place of those of an endpoint, and switches it on or off if that is asked for.
    pub(crate) fn set_endpoint(
        &mut self,
        viewer: Viewer<'_>,
        id: &str,
        settings: Settings,
        enabled: Option<bool>,
        now_ns: u64,
    ) -> Result<Option<Disabling>, Refusal> {
        let subscriber = self.endpoint_mut(viewer, id)?;
        subscriber
            .set(settings, now_ns)
            .map_err(|error| Refusal::field("url", error))?;
        let number = subscriber.row.number;
        match (enabled, subscriber.row.disabled.is_some()) {
            (Some(true), true) => {
                enable(subscriber);
                Ok(None)
            }
            (Some(false), false) => Ok(self.disable(number, Disabled::Owner, now_ns)),
            _ => Ok(None),
        }
    }

    /// Sends to an endpoint again that was disabled.
    pub(crate) fn enable_endpoint(
        &mut self,
        viewer: Viewer<'_>,
        id: &str,
        now_ns: u64,
    ) -> Result<&Subscriber, Refusal> {
        let subscriber = self.endpoint_mut(viewer, id)?;
        if subscriber.row.disabled.is_some() {
            enable(subscriber);
            subscriber.touch(now_ns);
        }
        Ok(subscriber)
    }

    /// Makes new secrets for an endpoint; those of before sign too for `overlap_ns`.
    pub(crate) fn rotate(
        &mut self,
        viewer: Viewer<'_>,
        id: &str,
        given: Option<String>,
        overlap_ns: u64,
        seed: u64,
        now_ns: u64,
    ) -> Result<&Subscriber, Refusal> {
        let subscriber = self.endpoint_mut(viewer, id)?;
        let of = Of {
            seed,
            endpoint: subscriber.row.number,
        };
        subscriber
            .row
            .secrets
            .rotate(given, overlap_ns, of, now_ns)
            .map_err(|error| Refusal::Conflict("too_many_secrets", error))?;
        subscriber.touch(now_ns);
        Ok(subscriber)
    }

    /// Switches an endpoint off; what was still to be sent to it has failed. `None`: it was off.
    pub(super) fn disable(
        &mut self,
        number: u64,
        reason: Disabled,
        now_ns: u64,
    ) -> Option<Disabling> {
        let subscriber = self.endpoints.get_mut(&number)?;
        if subscriber.row.disabled.is_some() {
            return None;
        }
        subscriber.row.disabled = Some((reason, now_ns));
        subscriber.touch(now_ns);
        let disabling = Disabling {
            endpoint: endpoint_id(number),
            tenant: subscriber.row.tenant.clone(),
            reason,
            failing_since_ns: subscriber.row.failing_since_ns,
            last: None,
        };
        self.touched.endpoints.insert(number);
        self.give_up(number, Failed::EndpointDisabled);
        Some(disabling)
    }

    /// What waits for an endpoint has failed.
    pub(super) fn give_up(&mut self, endpoint: u64, reason: Failed) {
        let Some(subscriber) = self.endpoints.get_mut(&endpoint) else {
            return;
        };
        for number in subscriber.lane.give_up() {
            self.fail(number, reason);
        }
    }

    pub(super) fn fail(&mut self, number: u64, reason: Failed) {
        if let Some(queued) = self.deliveries.get_mut(&number) {
            queued.state = DeliveryState::Failed;
            queued.reason = Some(reason);
            self.dead.push_back(number);
            self.touched.deliveries.insert(number);
        }
    }
}
