//! Lets a tokio runtime work for a moment, on a thread that must not be blocked, without losing an event. Linux only.
//!
//! A turn ends when the runtime has nothing to do. Where it would sleep, it calls a hook of ours, except while the turn's own future is woken:
//! then it looks for ONE event (`max_io_events_per_busy_tick`) without waiting, and polls that future.
//!
//! | State | What is done | Then |
//! |---|---|---|
//! | `TakeOne` | the future wakes itself: the runtime looks for one event | `Leave` |
//! | `TakeAll` | the hook rings the bell: the runtime finds at least that event, and all others that have happened, and does not sleep | `Leave` |
//! | `Leave` | the hook rings the bell and wakes the future: the runtime looks for one event | `Left` |
//! | `Left` | the future is done | |
//!
//! What happens while a turn ends is not lost. Events come in the order in which they happened, and one of them is taken. If it is not the
//! bell, it may have woken a task that does not run any more in this turn; but then the bell has not been heard, the runtime's epoll stays
//! readable, and whoever watches that comes back. tokio's own timers are not events: whoever drives looks after a while in any case.
//!
//! A turn that takes too long is left where it is, and the bell rung afterwards.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use gatewright_boundary::Task;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Runtime};

use crate::own_epoll::{Bell, epolls_that_watch, is_readable};

/// A turn that has taken this long is left as soon as may be.
const PATIENCE: Duration = Duration::from_millis(4);
/// The clock is looked at after so many steps of tasks.
const STEPS: u32 = 64;

const TAKE_ONE: u8 = 1;
const TAKE_ALL: u8 = 2;
const LEAVE: u8 = 3;
const LEFT: u8 = 4;

/// Which events a turn begins with. What it leaves makes it time for another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Take {
    /// None: only what was begun is to be done.
    Nothing,
    /// One, which costs less than `All`.
    One,
    /// All that have happened.
    All,
}

/// A runtime that is driven turn by turn.
pub(crate) struct TurnRuntime {
    // The last to be dropped: it takes its tasks along.
    turn: Arc<Turn>,
    runtime: Runtime,
    epoll: OwnedFd,
}

/// How far the turn is.
struct Turn {
    state: AtomicU8,
    waker: Mutex<Option<Waker>>,
    bell: AsyncFd<Bell>,
    begun: Mutex<Instant>,
    steps: AtomicU32,
    left_early: AtomicBool,
}

impl TurnRuntime {
    /// A runtime whose epoll is known, or why there is none.
    pub(crate) fn new() -> io::Result<Self> {
        // Weak, or the runtime would hold its own hook, and that the runtime.
        let hook: Arc<OnceLock<Weak<Turn>>> = Arc::default();
        let turn_of_hook = Arc::clone(&hook);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_io_events_per_busy_tick(1)
            .on_thread_park(move || {
                if let Some(turn) = turn_of_hook.get().and_then(Weak::upgrade) {
                    turn.on_idle();
                }
            })
            .build()?;
        let bell = {
            let _guard = runtime.enter();
            // SAFETY: a bell answers with the one descriptor that it owns.
            unsafe { AsyncFd::register_with_interest(Bell::new()?, Interest::READABLE)? }
        };
        let turn = Arc::new(Turn {
            state: AtomicU8::new(LEFT),
            waker: Mutex::default(),
            bell,
            begun: Mutex::new(Instant::now()),
            steps: AtomicU32::new(0),
            left_early: AtomicBool::new(false),
        });
        let _ = hook.set(Arc::downgrade(&turn));
        let epoll = epolls_that_watch(turn.bell.get_ref().as_fd())
            .into_iter()
            .find(|epoll| turn.is_heard_by(&runtime, epoll.as_fd()))
            .ok_or_else(|| io::Error::other("the runtime's epoll was not found"))?;
        Ok(Self {
            turn,
            runtime,
            epoll,
        })
    }

    /// Readable when it is time for a turn.
    pub(crate) fn epoll(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Makes it time for a turn. From any thread.
    pub(crate) fn ring(&self) {
        self.turn.bell.get_ref().ring();
    }

    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// One turn. `first` is called within it, and may begin tasks.
    pub(crate) fn turn(&self, take: Take, first: impl FnOnce(&Spawner<'_>)) {
        self.turn.run(&self.runtime, take, first);
    }

    /// Ends the runtime without waiting for its threads, such as one that looks a name up.
    pub(crate) fn shut_down(self) {
        let Self { turn, runtime, .. } = self;
        runtime.shutdown_background();
        drop(turn);
    }
}

/// Begins tasks within a turn.
pub(crate) struct Spawner<'a>(&'a Arc<Turn>);

impl Spawner<'_> {
    pub(crate) fn spawn(&self, task: Task) {
        tokio::spawn(Watched {
            task,
            turn: Arc::clone(self.0),
        });
    }
}

/// A task that ends the turn when it has taken too long.
struct Watched {
    task: Task,
    turn: Arc<Turn>,
}

impl Future for Watched {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let outcome = self.task.as_mut().poll(cx);
        if self.turn.steps.fetch_add(1, Ordering::Relaxed) % STEPS == STEPS - 1 {
            self.turn.look_at_clock();
        }
        outcome
    }
}

impl Turn {
    fn run(self: &Arc<Self>, runtime: &Runtime, take: Take, first: impl FnOnce(&Spawner<'_>)) {
        let state = match take {
            Take::Nothing => LEAVE,
            Take::One => TAKE_ONE,
            Take::All => TAKE_ALL,
        };
        self.state.store(state, Ordering::Relaxed);
        self.steps.store(0, Ordering::Relaxed);
        *lock(&self.begun) = Instant::now();
        let mut first = Some(first);
        runtime.block_on(std::future::poll_fn(|cx| {
            if let Some(first) = first.take() {
                let mut waker = lock(&self.waker);
                match &mut *waker {
                    Some(known) => known.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                drop(waker);
                first(&Spawner(self));
            }
            match self.state.load(Ordering::Relaxed) {
                LEFT => return Poll::Ready(()),
                TAKE_ONE => {
                    self.state.store(LEAVE, Ordering::Relaxed);
                    cx.waker().wake_by_ref();
                }
                _ => {}
            }
            Poll::Pending
        }));
        // Only now: within the turn the runtime might have heard it.
        if self.left_early.swap(false, Ordering::Relaxed) {
            self.bell.get_ref().ring();
        }
    }

    /// The runtime has nothing to do and is about to sleep.
    fn on_idle(&self) {
        self.bell.get_ref().ring();
        if self.state.load(Ordering::Relaxed) == TAKE_ALL {
            self.state.store(LEAVE, Ordering::Relaxed);
        } else {
            self.leave();
        }
    }

    fn look_at_clock(&self) {
        if lock(&self.begun).elapsed() >= PATIENCE {
            self.left_early.store(true, Ordering::Relaxed);
            self.leave();
        }
    }

    fn leave(&self) {
        self.state.store(LEFT, Ordering::Relaxed);
        if let Some(waker) = &*lock(&self.waker) {
            waker.wake_by_ref();
        }
    }

    /// Whether this is the runtime's epoll: it is readable when the bell has been rung, and not once the runtime has seen to it.
    fn is_heard_by(self: &Arc<Self>, runtime: &Runtime, epoll: BorrowedFd<'_>) -> bool {
        self.run(runtime, Take::All, |_| ());
        let quiet = !is_readable(epoll);
        self.bell.get_ref().ring();
        let heard = is_readable(epoll);
        self.run(runtime, Take::All, |_| ());
        quiet && heard && !is_readable(epoll)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::AtomicUsize;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Waits as Node's loop does; false where nothing happens for a minute.
    fn wait(runtime: &TurnRuntime) -> bool {
        use std::os::fd::AsRawFd as _;
        let mut asked = libc::pollfd {
            fd: runtime.epoll().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one entry, which lives through the call.
        unsafe { libc::poll(&raw mut asked, 1, 60_000) == 1 }
    }

    #[test]
    fn a_turn_does_not_wait_for_what_has_not_happened() {
        let runtime = TurnRuntime::new().unwrap();
        let begun = Instant::now();
        for take in [Take::All, Take::Nothing, Take::One] {
            runtime.turn(take, |spawner| {
                spawner.spawn(Box::pin(std::future::pending()))
            });
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(
            !is_readable(runtime.epoll()),
            "there is nothing to come back for"
        );
    }

    #[test]
    fn no_event_is_lost_between_turns() {
        const LINES: usize = 8;
        const MESSAGES: usize = 4000;
        let runtime = TurnRuntime::new().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        let mut others = Vec::new();
        let mut tasks: Vec<Task> = Vec::new();
        for line in 0..LINES {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            others.push(std::thread::spawn(move || {
                let mut answer = [0];
                for message in 0..MESSAGES {
                    theirs.write_all(&[1]).unwrap();
                    theirs.read_exact(&mut answer).unwrap();
                    // Sometimes late, so that events come in every state of a turn.
                    (0..(message * 7 + line * 31) % 90).for_each(|_| std::hint::spin_loop());
                }
            }));
            let ended = Arc::clone(&ended);
            tasks.push(Box::pin(async move {
                let mut ours = tokio::net::UnixStream::from_std(ours).unwrap();
                let mut byte = [0];
                while ours.read(&mut byte).await.unwrap() == 1 {
                    ours.write_all(&byte).await.unwrap();
                }
                ended.fetch_add(1, Ordering::Relaxed);
            }));
        }
        runtime.turn(Take::Nothing, |spawner| {
            tasks.into_iter().for_each(|task| spawner.spawn(task))
        });
        let mut turns = 0;
        while ended.load(Ordering::Relaxed) < LINES {
            assert!(wait(&runtime), "an event was lost");
            turns += 1;
            let take = [Take::All, Take::One, Take::Nothing][turns % 3];
            runtime.turn(take, |_| ());
        }
        others.into_iter().for_each(|other| other.join().unwrap());
    }

    #[test]
    fn what_another_thread_wakes_makes_it_time_for_a_turn() {
        let runtime = TurnRuntime::new().unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&done);
        runtime.turn(Take::Nothing, |spawner| {
            spawner.spawn(Box::pin(async move {
                told.store(answered.await.is_ok(), Ordering::Relaxed)
            }));
        });
        std::thread::spawn(move || answer.send(()))
            .join()
            .unwrap()
            .unwrap();
        assert!(wait(&runtime));
        runtime.turn(Take::All, |_| ());
        assert!(done.load(Ordering::Relaxed));
    }

    #[test]
    fn a_task_that_never_rests_is_left_and_come_back_to() {
        let runtime = TurnRuntime::new().unwrap();
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rounds);
        runtime.turn(Take::Nothing, |spawner| {
            spawner.spawn(Box::pin(std::future::poll_fn(move |cx| {
                counted.fetch_add(1, Ordering::Relaxed);
                cx.waker().wake_by_ref();
                Poll::Pending
            })));
        });
        let first = rounds.load(Ordering::Relaxed);
        assert!(first > 0);
        assert!(is_readable(runtime.epoll()), "there is more to do");
        runtime.turn(Take::All, |_| ());
        assert!(rounds.load(Ordering::Relaxed) > first);
    }
}
