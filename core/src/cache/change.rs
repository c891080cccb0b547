//! Requests that change something: what they may have changed is forgotten (RFC 9111, section 4.4).

use gatewright_engine::ErrorKind;
use gatewright_engine::cache::invalidated;
use url::Url;

use super::Cache;
use crate::Error;
use crate::client::Inner;
use crate::send::{Prepared, Sent, send};

/// Forgets the target of a change whose outcome will not be known, because its caller goes away.
struct Unknown<'a> {
    cache: &'a Cache,
    target: Option<Url>,
}

impl Drop for Unknown<'_> {
    fn drop(&mut self) {
        if let Some(target) = &self.target {
            self.cache.store().invalidate(target);
        }
    }
}

/// Sends a request that may change something.
pub(super) async fn change(
    client: &Inner,
    cache: &Cache,
    request: Prepared,
) -> Result<Sent, Error> {
    let target = request.url.clone();
    let mut unknown = Unknown {
        cache,
        target: Some(target.clone()),
    };
    let sent = send(client, request).await;
    unknown.target = None;
    let head = match &sent {
        Ok(Sent::Whole(answer)) => &answer.head,
        Ok(Sent::Streamed(answer)) => &answer.head,
        Err(error) => {
            // It may have happened; what is stored would say that it has not.
            if matches!(
                error.kind(),
                ErrorKind::OutcomeUnknown | ErrorKind::ConnectionLost | ErrorKind::Timeout
            ) {
                cache.store().invalidate(&target);
            }
            return sent;
        }
    };
    if head.status.as_u16() < 400 {
        let mut store = cache.store();
        for url in invalidated(&target, &head.headers) {
            store.invalidate(&url);
        }
        if head.url != target {
            store.invalidate(&head.url);
        }
    }
    sent
}
