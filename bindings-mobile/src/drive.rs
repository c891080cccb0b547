//! The loop that runs everything under way, on a thread that the host lends for it.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | rest: no runtime | a client is opened, or somebody drives | ready |
//! | ready: a runtime that nobody runs; tasks and frames are kept | somebody drives | driven |
//! | driven | frames came | ready, and they are handed over |
//! | driven | nobody waits | driven: lingers for the next call, then sleeps until somebody wakes it |
//! | driven | no client is open, nobody waits, nothing is to be handed over | rest, or ready where a stream is still half read |
//! | any | stop | over: everything is dropped |
//!
//! One thread drives at a time; another that comes meanwhile waits for its turn. Which thread it is makes no difference.

use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use gatewright_boundary::{Batch, Port};
use tokio::runtime::Runtime;

use crate::mailbox::Mailbox;

/// tokio's one thread beside, which looks up names, ends after this without work.
const IDLE_THREAD: Duration = Duration::from_secs(5);

/// Who makes one call after the other makes the next one within this: the host resumes a coroutine on another core, and that begins a call.
/// To look for it so long costs less than to be woken for it, on either side, and is done once for each time that nobody waits any more.
const LINGER: Duration = Duration::from_micros(30);

/// Nobody else would come to begin a call while this thread lingers on the only core.
static LINGERS: LazyLock<bool> =
    LazyLock::new(|| available_parallelism().is_ok_and(|n| n.get() > 1));

/// A runtime that does not wait for its thread when it goes.
struct Running(Option<Runtime>);

impl Running {
    fn begin() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .thread_keep_alive(IDLE_THREAD)
            .thread_name("gatewright-dns")
            .build()?;
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs what is under way, while somebody drives.
#[derive(Default)]
pub(crate) struct Driver {
    turn: Mutex<()>,
    running: Mutex<Option<Arc<Running>>>,
}

/// Why the loop was left.
enum Left {
    Frames(Batch),
    AtRest,
}

impl Driver {
    fn running(&self) -> MutexGuard<'_, Option<Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that there is a runtime.
    ///
    /// # Errors
    /// Where the system gives none, which takes three file descriptors.
    pub(crate) fn make_ready(&self) -> io::Result<()> {
        self.ready().map(drop)
    }

    fn ready(&self) -> io::Result<Arc<Running>> {
        let mut running = self.running();
        if let Some(known) = &*running {
            return Ok(Arc::clone(known));
        }
        let begun = Arc::new(Running::begin()?);
        *running = Some(Arc::clone(&begun));
        Ok(begun)
    }

    /// Runs until there are frames; without any, there is nothing left to drive.
    ///
    /// # Errors
    /// Where the system gives no runtime.
    pub(crate) fn drive(&self, mailbox: &Mailbox, port: &Port) -> io::Result<Batch> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while !mailbox.contents().stopped {
            let running = self.ready()?;
            if let Some(runtime) = &running.0
                && let Left::Frames(batch) = runtime.block_on(run(mailbox, port))
            {
                return Ok(batch);
            }
            drop(running);
            self.let_go(mailbox, port);
            // What was dropped may have had a last word, and something may have begun meanwhile.
            let mut contents = mailbox.contents();
            if let Some(batch) = contents.next_batch() {
                return Ok(batch);
            }
            if contents.tasks.is_empty() && port.waiting() == 0 {
                break;
            }
        }
        Ok(Batch::default())
    }

    /// Lets go of what nobody needs any more. Who drives does that when it is woken; this is for when nobody does.
    pub(crate) fn rest(&self, mailbox: &Mailbox, port: &Port) {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.let_go(mailbox, port);
    }

    /// Lets go of the runtime, and so of all connections, unless something is still to come of it; then of what was given up
    /// of it. It is this thread's turn.
    fn let_go(&self, mailbox: &Mailbox, port: &Port) {
        let mut running = self.running();
        let contents = mailbox.contents();
        let at_rest = contents.stopped
            || (contents.clients == 0 && contents.tasks.is_empty() && port.under_way() == 0);
        drop(contents);
        let let_go = if at_rest { running.take() } else { None };
        let kept = running.clone();
        drop(running);
        drop(let_go);
        // Of two streams that are half read one may have been given up: its connection goes when its task has its turn.
        if let Some(runtime) = kept.as_ref().and_then(|kept| kept.0.as_ref()) {
            runtime.block_on(tokio::task::yield_now());
        }
    }
}

async fn run(mailbox: &Mailbox, port: &Port) -> Left {
    let seen = mailbox.changes();
    if *LINGERS && port.waiting() == 0 && mailbox.contents().clients > 0 {
        // What the last call has left to do comes first: its connection goes back to where the next call looks for one.
        tokio::task::yield_now().await;
        let begun = Instant::now();
        while mailbox.changes() == seen && begun.elapsed() < LINGER {
            std::hint::spin_loop();
        }
    }
    std::future::poll_fn(|cx| poll(mailbox, port, cx)).await
}

fn poll(mailbox: &Mailbox, port: &Port, cx: &mut Context<'_>) -> Poll<Left> {
    loop {
        let mut contents = mailbox.contents();
        if contents.stopped {
            return Poll::Ready(Left::AtRest);
        }
        let tasks = std::mem::take(&mut contents.tasks);
        if tasks.is_empty() {
            if let Some(batch) = contents.next_batch() {
                return Poll::Ready(Left::Frames(batch));
            }
            if contents.clients == 0 && port.waiting() == 0 {
                return Poll::Ready(Left::AtRest);
            }
            contents.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(contents);
        for task in tasks {
            drop(tokio::spawn(task));
        }
    }
}
