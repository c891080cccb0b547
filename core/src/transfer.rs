//! What a request asks for beyond the usual, as downloads and uploads do: how fast its bodies must be, and that no key goes along.

use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::attempts::Readable;
use gatewright_engine::retry::FailureClass;

use crate::client::Inner;
use crate::runtime::{Elapsed, until};
use crate::throughput::{Floor, Late, Watch};
use crate::transport::{TransportError, TransportRequest, TransportResponse};

/// What a request asks for beyond the usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) floor: Floor,
    /// Its body is that of an upload: it must go out at the floor of transfers, and from its end on the answer is waited for as long as
    /// this says.
    pub(crate) upload: Option<Option<Duration>>,
    /// No idempotency key is made up: a piece of an upload has an offset that says what it is.
    pub(crate) keyless: bool,
}

impl Transfer {
    pub(crate) const fn of(floor: Floor) -> Self {
        Self {
            floor,
            upload: None,
            keyless: false,
        }
    }

    /// Sends an attempt, and watches its body where it has to achieve something.
    pub(crate) async fn send(
        self,
        client: &Inner,
        mut request: TransportRequest,
        timeout_at: Instant,
    ) -> Result<Result<TransportResponse, TransportError>, Elapsed> {
        let (floor, answer_timeout) = match self.upload {
            Some(answer_timeout) => (self.floor.of_transfers(), answer_timeout),
            None => (self.floor.of_bodies(), None),
        };
        let mut watch = None;
        if let Some(floor) = floor {
            let body = std::mem::take(&mut request.body);
            (request.body, watch) = Watch::on(body, floor, answer_timeout, &client.runtime);
        }
        let runtime = &*client.runtime;
        let Some(watch) = watch else {
            return until(runtime, timeout_at, client.transport.send(request)).await;
        };
        match watch
            .until(runtime, timeout_at, client.transport.send(request))
            .await
        {
            Ok(answer) => Ok(answer),
            Err(Late::Attempt) => Err(Elapsed),
            Err(Late::Stalled(stalled)) => Ok(Err(TransportError {
                class: FailureClass::Timeout,
                text: format!("the body went out too slowly: {stalled}"),
                source: Some(Box::new(stalled)),
            })),
            Err(Late::NoAnswer(timeout)) => Ok(Err(TransportError::new(
                FailureClass::Timeout,
                format!(
                    "the body was sent, but nothing was answered within {}",
                    Readable(timeout)
                ),
            ))),
        }
    }
}
