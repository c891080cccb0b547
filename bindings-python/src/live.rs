//! A synchronous client and its runtime, which the threads that wait for calls drive themselves.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use gatewright::Client;
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::Sleep;

use crate::callback::{AtHome, Home, Mailbox, Question, answer_now};
use crate::settings::{Made, not_initialised};

/// How often a thread that waits looks for signals, so that Ctrl-C ends a call.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// After this long without a call, the runtime first looks which connections the server has closed meanwhile.
const STALE_AFTER: Duration = Duration::from_millis(50);

/// A client and the runtime that drives it.
pub(crate) struct Live {
    made: Made,
    /// There until the end; an `Option` so that it can be taken then.
    runtime: Option<Runtime>,
    born: Instant,
    last_used: AtomicU64,
    /// Goes off every `SIGNAL_INTERVAL`, for the main thread. Kept from call to call: a timer of its own would cost each
    /// call more than its decisions.
    tick: StdMutex<Pin<Box<Sleep>>>,
}

impl Live {
    pub(crate) fn new(made: Made) -> PyResult<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let tick = {
            let _inside = runtime.enter();
            StdMutex::new(Box::pin(tokio::time::sleep(SIGNAL_INTERVAL)))
        };
        Ok(Self {
            tick,
            made,
            runtime: Some(runtime),
            born: Instant::now(),
            last_used: AtomicU64::new(0),
        })
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.made.client
    }

    /// The client, and the OAuth of its credentials.
    pub(crate) const fn made(&self) -> &Made {
        &self.made
    }

    /// Whether nobody has driven the runtime for a while; from now on, somebody does.
    fn was_stale(&self) -> bool {
        let now = self.born.elapsed();
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let last = Duration::from_nanos(self.last_used.swap(nanos, Ordering::Relaxed));
        now.saturating_sub(last) > STALE_AFTER
    }

    /// Whether it is time to look for signals. Only the main thread asks: the others would take its wake-up away.
    fn poll_tick(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut tick = self.tick.lock().unwrap_or_else(PoisonError::into_inner);
        std::task::ready!(tick.as_mut().poll(cx));
        tick.as_mut()
            .reset(tokio::time::Instant::now() + SIGNAL_INTERVAL);
        Poll::Ready(())
    }

    /// Runs a call to its end, on this thread. Comes out of the runtime to answer callbacks and signals.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        mailbox: Option<Arc<Mailbox>>,
        future: impl Future<Output = T> + Send,
    ) -> PyResult<T> {
        enum Out<T> {
            Done(T),
            Question(Box<dyn Question>),
            Signals,
        }
        let Some(runtime) = &self.runtime else {
            return Err(not_initialised());
        };
        let is_main = is_main_thread(py)?;
        if self.was_stale() {
            py.detach(|| runtime.block_on(tokio::task::yield_now()));
        }
        // On the stack: a call's future is large, and moving it to the heap costs more than the call's decisions.
        let home = mailbox.clone().map(Home::Caller);
        let mut call = pin!(AtHome {
            home,
            future: pin!(future)
        });
        loop {
            let polled = std::future::poll_fn(|cx| {
                if let Some(mailbox) = &mailbox {
                    mailbox.register(cx.waker());
                }
                if let Poll::Ready(value) = call.as_mut().poll(cx) {
                    return Poll::Ready(Out::Done(value));
                }
                if let Some(question) = mailbox.as_ref().and_then(|mailbox| mailbox.take()) {
                    return Poll::Ready(Out::Question(question));
                }
                if is_main {
                    return self.poll_tick(cx).map(|()| Out::Signals);
                }
                Poll::Pending
            });
            match py.detach(|| runtime.block_on(polled)) {
                Out::Done(value) => {
                    return Ok(value);
                }
                Out::Question(question) => answer_now(question, py)?,
                Out::Signals => py.check_signals()?,
            }
        }
    }
}

/// Whether this is the thread that Python handles signals on.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        static KNOWN: Cell<Option<(u64, bool)>> = const { Cell::new(None) };
    }
    let process = crate::fork::generation();
    if let Some((_, known)) = KNOWN.get().filter(|(of, _)| *of == process) {
        return Ok(known);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let is_main = main.eq(threading.call_method0("get_ident")?)?;
    KNOWN.set(Some((process, is_main)));
    Ok(is_main)
}

impl Drop for Live {
    fn drop(&mut self) {
        // Without waiting: for a DNS lookup, say, or inside of another runtime, where the last reference may go away.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
