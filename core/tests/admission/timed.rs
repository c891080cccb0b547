//! A transport whose answers take time, and that knows how many are under way.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use gatewright::FailureClass;
use gatewright::runtime::{BoxFuture, Runtime as _};
use gatewright::testing::{VirtualClock, answer_with, failure};
use gatewright::transport::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse,
};

/// What the other side does.
#[derive(Clone)]
pub(crate) enum Say {
    Status(u16),
    StatusAfter(u16, Duration),
    Redirect(&'static str),
    Fail(FailureClass),
    /// A head at once, a body that takes this long.
    Body(Duration),
    Page(&'static str),
}

/// A request as the other side sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// 1 for the first.
    pub(crate) number: usize,
    pub(crate) host: String,
    pub(crate) url: String,
    pub(crate) at: Duration,
    pub(crate) key: Option<String>,
    pub(crate) credential: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Timed {
    clock: VirtualClock,
    state: Arc<Mutex<State>>,
}

struct State {
    say: Box<dyn FnMut(&Asked) -> Say + Send>,
    asked: Vec<Asked>,
    under_way: usize,
    most: usize,
    cancelled: usize,
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timed")
    }
}

/// An exchange that is under way until it is dropped.
struct UnderWay {
    wire: Timed,
    answered: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.wire.lock();
        state.under_way -= 1;
        state.cancelled += usize::from(!self.answered);
    }
}

impl Timed {
    pub(crate) fn new(
        clock: &VirtualClock,
        say: impl FnMut(&Asked) -> Say + Send + 'static,
    ) -> Self {
        Self {
            clock: clock.clone(),
            state: Arc::new(Mutex::new(State {
                say: Box::new(say),
                asked: Vec::new(),
                under_way: 0,
                most: 0,
                cancelled: 0,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    pub(crate) fn hosts(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.host).collect()
    }

    /// How many were under way at once, at most.
    pub(crate) fn most(&self) -> usize {
        self.lock().most
    }

    /// How many were given up before their answer.
    pub(crate) fn cancelled(&self) -> usize {
        self.lock().cancelled
    }
}

impl Transport for Timed {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let wire = self.clone();
        Box::pin(async move {
            let say = {
                let mut state = wire.lock();
                let header = |name: &str| {
                    let value = request.headers.get(name)?.to_str().unwrap();
                    Some(value.to_owned())
                };
                let asked = Asked {
                    number: state.asked.len() + 1,
                    host: request.url.host_str().unwrap().to_owned(),
                    url: request.url.to_string(),
                    at: wire.clock.elapsed(),
                    key: header("idempotency-key"),
                    credential: header("authorization"),
                };
                state.under_way += 1;
                state.most = state.most.max(state.under_way);
                let say = (state.say)(&asked);
                state.asked.push(asked);
                say
            };
            let mut under_way = UnderWay {
                wire: wire.clone(),
                answered: false,
            };
            let sleep = |time: Duration| {
                let clock = wire.clock.clone();
                async move { clock.sleep_until(clock.instant() + time).await }
            };
            let answered = match say {
                Say::Status(status) => answer_with(status, &[], "{}"),
                Say::StatusAfter(status, delay) => {
                    sleep(delay).await;
                    answer_with(status, &[], "{}")
                }
                Say::Redirect(to) => answer_with(307, &[("location", to)], ""),
                Say::Fail(class) => failure(class),
                Say::Page(link) => answer_with(200, &[("link", link)], r#"{"data":[1]}"#),
                Say::Body(delay) => {
                    let wait = sleep(delay);
                    let chunk = futures_util::stream::once(async move {
                        wait.await;
                        // Moved in here: it is under way until its body came.
                        let mut under_way = under_way;
                        under_way.answered = true;
                        Ok("body".into())
                    });
                    return answer_with(200, &[], "").map(|answer| TransportResponse {
                        body: ResponseBody::new(chunk.boxed()),
                        ..answer
                    });
                }
            };
            under_way.answered = true;
            answered
        })
    }
}
