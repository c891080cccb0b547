//! The client of a test, and connections that end as the test says.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use gatewright::runtime::Runtime as _;
use gatewright::testing::{Scripted, Seen, VirtualClock, answer_with};
use gatewright::transport::{ResponseBody, TransportError, TransportResponse};
use gatewright::{Client, ClientBuilder, FailureClass};

pub(crate) type Step = Result<TransportResponse, TransportError>;

/// How a connection ends after its pieces.
pub(crate) enum End {
    Closed,
    Broken,
    Silent,
}

/// An answer that brings these pieces.
pub(crate) fn pieces(
    status: u16,
    headers: &[(&str, &str)],
    pieces: &[&'static str],
    end: End,
) -> Step {
    let mut step = answer_with(status, headers, "")?;
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
        .collect();
    let pieces = stream::iter(pieces);
    step.body = match end {
        End::Closed => ResponseBody::new(pieces),
        End::Broken => {
            let broken = Err(TransportError::new(FailureClass::ConnectionLost, "cut"));
            ResponseBody::new(pieces.chain(stream::iter([broken])))
        }
        End::Silent => ResponseBody::new(pieces.chain(stream::pending())),
    };
    Ok(step)
}

/// An answer that brings `size` bytes every `every`, for ever.
pub(crate) fn trickle(
    clock: &VirtualClock,
    headers: &[(&str, &str)],
    size: usize,
    every: Duration,
) -> Step {
    let mut step = answer_with(200, headers, "")?;
    let clock = clock.clone();
    let body = stream::unfold((), move |()| {
        let clock = clock.clone();
        async move {
            clock.sleep_until(clock.instant() + every).await;
            Some((Ok(Bytes::from(vec![b'x'; size])), ()))
        }
    });
    step.body = ResponseBody::new(body);
    Ok(step)
}

pub(crate) struct World {
    pub(crate) clock: VirtualClock,
    pub(crate) wire: Scripted,
    pub(crate) client: Client,
}

pub(crate) fn world_with(
    clock: VirtualClock,
    script: impl IntoIterator<Item = Step>,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> World {
    let wire = Scripted::new(script);
    let builder = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(wire.clone());
    World {
        client: settings(builder).build().unwrap(),
        clock,
        wire,
    }
}

pub(crate) fn world(script: impl IntoIterator<Item = Step>) -> World {
    world_with(VirtualClock::new(7), script, |builder| builder)
}

pub(crate) fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.headers.get(name).map(|value| value.to_str().unwrap())
}

impl World {
    pub(crate) fn budget_left(&self) -> u32 {
        self.client.state().budget_left
    }
}
