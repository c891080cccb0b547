//! A transport that never answers.

use crate::runtime::BoxFuture;
use crate::transport::{Transport, TransportError, TransportRequest, TransportResponse};

/// Never answers: for deadlines and cancellation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl Transport for Never {
    fn send(
        &self,
        _request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        Box::pin(std::future::pending())
    }
}
