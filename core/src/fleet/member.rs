//! The place of this process in the fleet: its share, and the calls that wait for permits.
//!
//! Made at the first call, and anew in a process that was forked: the child has no driver thread, and locks of the parent
//! may be held for ever in it, so nothing of the parent's is touched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use gatewright_engine::call::NoPermit;
use gatewright_engine::fleet::{Share, ShareState, ShareTicket, Terms};
use gatewright_engine::pacing::{Admission, WaitReason};
use tokio::sync::Notify;

use super::{Config, driver};
use crate::runtime::{BoxFuture, Instant, Runtime};
use crate::shared_quota::Taken;

/// A quota in use, in whatever process.
pub(crate) struct Member {
    pub(super) config: Config,
    pub(super) name: String,
    pub(super) terms: Terms,
    first: OnceLock<Box<InProcess>>,
}

/// The quota in use in one process, and after that in those that were forked from it.
struct InProcess {
    process: u32,
    desk: Arc<Desk>,
    next: OnceLock<Box<InProcess>>,
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            self.desk.closing.store(true, Ordering::Release);
            self.desk.notify.notify_one();
        }
    }
}

/// Where calls and the driver meet.
pub(super) struct Desk {
    origin: std::time::Instant,
    state: Mutex<State>,
    pub(super) notify: Notify,
    pub(super) closing: AtomicBool,
}

pub(super) struct State {
    pub(super) share: Share,
    /// Until when the driver sleeps; the origin while it is awake.
    pub(super) driver_sleeps: Instant,
}

impl Desk {
    fn new(terms: Terms) -> Self {
        Self {
            origin: std::time::Instant::now(),
            state: Mutex::new(State {
                share: Share::new(terms),
                driver_sleeps: Instant::ORIGIN,
            }),
            notify: Notify::new(),
            closing: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Runs `decide`, then wakes whom it concerns, outside of the lock: calls, and the driver if it oversleeps.
    pub(super) fn with<T>(&self, decide: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let answer = decide(&mut state, now);
        let wakes = state.share.take_wakes();
        let driver_is_late = state.share.errand_at(now) < state.driver_sleeps;
        drop(state);
        if driver_is_late {
            self.notify.notify_one();
        }
        for waker in wakes {
            waker.wake();
        }
        answer
    }
}

impl Member {
    pub(super) fn new(config: Config, name: String, terms: Terms) -> Self {
        Self {
            config,
            name,
            terms,
            first: OnceLock::new(),
        }
    }

    /// The desk of this process, with its driver.
    fn desk(&self) -> &Arc<Desk> {
        let process = std::process::id();
        let mut place = &self.first;
        loop {
            let found = place.get_or_init(|| {
                let desk = Arc::new(Desk::new(self.terms.clone()));
                driver::start(self, &desk);
                Box::new(InProcess {
                    process,
                    desk,
                    next: OnceLock::new(),
                })
            });
            if found.process == process {
                return &found.desk;
            }
            place = &found.next;
        }
    }

    pub(super) fn take<'a>(
        &'a self,
        runtime: &'a dyn Runtime,
        deadline: Instant,
    ) -> impl Future<Output = Result<Taken, NoPermit>> + Send + 'a {
        let desk = Arc::clone(self.desk());
        // The caller's clock has another origin.
        let left = deadline.since(runtime.instant());
        async move {
            let deadline = desk.now() + left;
            let mut place = Place {
                desk,
                ticket: ShareTicket::default(),
                settled: false,
            };
            let mut timer: Option<(Instant, BoxFuture<'static, ()>)> = None;
            let mut waited_for = None;
            std::future::poll_fn(|cx| {
                use std::task::Poll;
                loop {
                    let (admission, alone, now) = place.ask(deadline, cx.waker());
                    let until = match admission {
                        Admission::Go => {
                            // Who goes without waiting says so too, where it is not as it should be.
                            if alone {
                                waited_for = Some(WaitReason::SharedQuota { away: true });
                            }
                            let void_at = place.ticket.void_at().unwrap_or_default();
                            return Poll::Ready(Ok(Taken {
                                waited_for: waited_for.take(),
                                ticket: void_at.as_nanos(),
                            }));
                        }
                        Admission::Refuse {
                            retry_after,
                            reason,
                        } => {
                            return Poll::Ready(Err(NoPermit {
                                retry_after,
                                reason,
                            }));
                        }
                        Admission::Wait { until, reason } => {
                            waited_for = Some(reason);
                            until
                        }
                    };
                    if timer.as_ref().is_none_or(|(at, _)| *at != until) {
                        let at = runtime.instant() + until.since(now);
                        timer = Some((until, runtime.sleep_until(at)));
                    }
                    if let Some((_, sleep)) = &mut timer {
                        if sleep.as_mut().poll(cx).is_pending() {
                            return Poll::Pending;
                        }
                        timer = None;
                    }
                }
            })
            .await
        }
    }

    pub(super) fn give_back(&self, ticket: u64) {
        let void_at = Instant::from_nanos(ticket);
        self.desk()
            .with(|state, now| state.share.give_back(now, void_at));
    }

    pub(super) fn on_throttled(&self, pause: Duration) {
        self.desk()
            .with(|state, now| state.share.on_throttled(now, pause));
    }

    pub(super) fn state(&self) -> ShareState {
        let mut state = match self.first.get() {
            Some(_) => self.desk().with(|state, now| state.share.state(now)),
            None => Share::new(self.terms.clone()).state(Instant::ORIGIN),
        };
        state.name.clone_from(&self.name);
        state
    }
}

/// The place of one call. Dropped before it is settled, it goes to the next.
struct Place {
    desk: Arc<Desk>,
    ticket: ShareTicket,
    settled: bool,
}

impl Place {
    fn ask(&mut self, deadline: Instant, waker: &std::task::Waker) -> (Admission, bool, Instant) {
        let ticket = &mut self.ticket;
        let answer = self.desk.with(|state, now| {
            let admission = state.share.poll(ticket, now, deadline, Some(waker));
            (admission, state.share.is_alone(), now)
        });
        self.settled = !matches!(answer.0, Admission::Wait { .. });
        answer
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.settled {
            let ticket = &mut self.ticket;
            self.desk
                .with(|state, now| state.share.on_cancelled(ticket, now));
        }
    }
}
