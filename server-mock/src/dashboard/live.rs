//! Keeps a page up to date: makes its content anew a few times a second and sends it when it is another.
//!
//! Requests tell nobody anything: who looks pays for looking. A page that takes long to make is made less often.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;

use super::Asked;
use super::page::Page;
use crate::gateway::Shared;

/// How often a page is made anew, if that is quick.
const TICK: Duration = Duration::from_millis(200);
/// Making pages may take this share of the time: one part in so many.
const SHARE: u32 = 25;
/// How long a connection is silent before a comment shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Watched {
    shared: Arc<Shared>,
    asked: Asked,
    page: Page,
    sent: u64,
    silent_since: Instant,
    pause: Duration,
}

/// The page's content, as server-sent events: first at once.
pub(super) fn stream(shared: Arc<Shared>, asked: Asked, page: Page) -> Response {
    let watched = Watched {
        shared,
        asked,
        page,
        sent: 0,
        silent_since: Instant::now(),
        pause: Duration::ZERO,
    };
    let pieces = stream::unfold(watched, |mut watched| async move {
        let piece = watched.next().await?;
        Some((Ok::<_, Infallible>(piece), watched))
    });
    let body = Body::from_stream(pieces);
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

impl Watched {
    /// The next piece; none when the gateway stops.
    async fn next(&mut self) -> Option<Bytes> {
        let surroundings = Arc::clone(self.shared.worlds.surroundings());
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.pause) => {}
                () = surroundings.stopped() => return None,
            }
            let begun = Instant::now();
            let content = self.page.content(&self.shared, &self.asked).await;
            self.pause = TICK.max(begun.elapsed() * SHARE);
            let Some(content) = content else {
                // What was looked at is gone; the page says so when it is loaded again.
                return self.changed("gone", "");
            };
            if let Some(piece) = self.changed("content", &content) {
                return Some(piece);
            }
            if self.silent_since.elapsed() > HEARTBEAT {
                self.silent_since = Instant::now();
                return Some(Bytes::from_static(b":\n\n"));
            }
        }
    }

    /// The event, unless the same was sent last.
    fn changed(&mut self, event: &str, content: &str) -> Option<Bytes> {
        let mut hasher = DefaultHasher::new();
        (event, content).hash(&mut hasher);
        let hash = hasher.finish();
        if hash == self.sent {
            return None;
        }
        self.sent = hash;
        self.silent_since = Instant::now();
        let data = serde_json::to_string(content).ok()?;
        Some(format!("retry: 500\nevent: {event}\ndata: {data}\n\n").into())
    }
}
