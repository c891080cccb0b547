//! Webhooks (feature `redis`): what the crate `gatewright-webhook` has no network for. Verifying itself is there, and needs no client.

mod redis_guard;
pub use redis_guard::{RedisReplayGuard, ReplayStoreError};
