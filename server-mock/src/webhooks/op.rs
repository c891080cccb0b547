//! The data port's operations on webhook endpoints, deliveries and dead letters: their names and scopes.

/// An operation on webhook endpoints or deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebhookOp {
    DeadLetterDelete,
    DeadLettersList,
    DeadLettersPurge,
    DeliveriesList,
    DeliveriesRedeliver,
    DeliveryGet,
    DeliveryRedeliver,
    EndpointCreate,
    EndpointDelete,
    EndpointGet,
    EndpointReplace,
    EndpointRotate,
    EndpointTest,
    EndpointUpdate,
    EndpointsList,
}

use WebhookOp::{
    DeadLetterDelete, DeadLettersList, DeadLettersPurge, DeliveriesList, DeliveriesRedeliver,
    DeliveryGet, DeliveryRedeliver, EndpointCreate, EndpointDelete, EndpointGet, EndpointReplace,
    EndpointRotate, EndpointTest, EndpointUpdate, EndpointsList,
};

impl WebhookOp {
    /// The name in fault rules, journal and effects.
    pub(crate) fn name(self) -> &'static str {
        match self {
            DeadLetterDelete => "webhook_dead_letters.delete",
            DeadLettersList => "webhook_dead_letters.list",
            DeadLettersPurge => "webhook_dead_letters.purge",
            DeliveriesList => "webhook_deliveries.list",
            DeliveriesRedeliver => "webhook_deliveries.redeliver_failed",
            DeliveryGet => "webhook_deliveries.get",
            DeliveryRedeliver => "webhook_deliveries.redeliver",
            EndpointCreate => "webhook_endpoints.create",
            EndpointDelete => "webhook_endpoints.delete",
            EndpointGet => "webhook_endpoints.get",
            EndpointReplace => "webhook_endpoints.replace",
            EndpointRotate => "webhook_endpoints.rotate",
            EndpointTest => "webhook_endpoints.test",
            EndpointUpdate => "webhook_endpoints.update",
            EndpointsList => "webhook_endpoints.list",
        }
    }

    /// The scope a key needs for it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            DeadLettersList | DeliveriesList | DeliveryGet | EndpointGet | EndpointsList => {
                "webhooks:read"
            }
            _ => "webhooks:write",
        }
    }
}
