//! Calls driven by the JavaScript thread itself: a tokio runtime inside of Node's event loop, so that a call wakes no other thread. Linux only.
//!
//! libuv watches the descriptor on which the runtime waits (an epoll in an epoll). A cycle is: let the runtime work until it has nothing to do,
//! hand over what came of it, and again if JavaScript has begun calls meanwhile. Cycles run when that descriptor is readable (`poll`), before
//! the loop goes to sleep if calls were begun (`prepare`), and when a timer is due (`timer`).
//!
//! How the runtime is let work without blocking is in `turn.rs`.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::io;
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::thread::ThreadId;

use tokio::runtime::Handle as RuntimeHandle;

use crate::js_thread::JsThread;
use crate::mailbox::{Driver, Mailbox};
use crate::turn::{Spawner, Take, TurnRuntime};
use crate::uv::{self, HandleMemory, Kind, Uv};

/// While calls are under way, tokio's own timers (connecting, the pool) are looked at this often.
const HEARTBEAT_MS: u64 = 100;
/// When no call is under way any more, the runtime gets one more turn after this, which closes idle connections.
const SWEEP_MS: u64 = 46_000;
/// After this long, events are looked at before calls begin.
const STALE_NS: u64 = 20_000_000;
/// A cycle hands over at most this often before it lets the loop go on.
const ROUNDS: u32 = 16;

/// The driver of one JavaScript thread.
pub(crate) struct OnLoop {
    uv: &'static Uv,
    /// Gone once the environment goes away. libuv has stopped to watch by then.
    runtime: RefCell<Option<TurnRuntime>>,
    poll: HandleMemory,
    prepare: HandleMemory,
    timer: HandleMemory,
    open_handles: Cell<u32>,
    closing: Cell<bool>,
    preparing: Cell<bool>,
    keeps_alive: Cell<bool>,
    /// When the timer fires, in nanoseconds of the timers' clock.
    timer_at: Cell<u64>,
    /// For whose sake at the latest.
    timer_patience: Cell<u64>,
    swept: Cell<bool>,
    /// When events were taken, in nanoseconds of the timers' clock.
    taken_at: Cell<u64>,
}

impl OnLoop {
    /// Sets everything up on this thread's loop, or gives the reason why that cannot be.
    pub(crate) fn begin(
        uv: &'static Uv,
        event_loop: *mut uv::Loop,
    ) -> io::Result<(Self, LoopDriver)> {
        let runtime = TurnRuntime::new()?;
        let (poll, prepare, timer) = (
            uv.memory(Kind::Poll),
            uv.memory(Kind::Prepare),
            uv.memory(Kind::Timer),
        );
        // SAFETY: the loop is this thread's, the memory is large enough and stays where it is until `on_closed`.
        let begun = unsafe {
            if (uv.poll_init)(event_loop, poll.handle(), runtime.epoll().as_raw_fd()) != 0 {
                return Err(io::Error::other("libuv does not watch an epoll"));
            }
            // These two cannot fail.
            (uv.prepare_init)(event_loop, prepare.handle());
            (uv.timer_init)(event_loop, timer.handle())
        };
        debug_assert_eq!(begun, 0);
        let driver = LoopDriver {
            thread: std::thread::current().id(),
            runtime: runtime.runtime().handle().clone(),
        };
        let on_loop = Self {
            uv,
            runtime: RefCell::new(Some(runtime)),
            poll,
            prepare,
            timer,
            open_handles: Cell::new(3),
            closing: Cell::new(false),
            preparing: Cell::new(false),
            keeps_alive: Cell::new(false),
            timer_at: Cell::new(u64::MAX),
            timer_patience: Cell::new(u64::MAX),
            swept: Cell::new(true),
            taken_at: Cell::new(0),
        };
        Ok((on_loop, driver))
    }

    /// Lets libuv call. The handles keep `thread` alive until they are closed.
    pub(crate) fn attach(&self, thread: &Rc<JsThread>) {
        for handle in [&self.poll, &self.prepare, &self.timer] {
            let data = Rc::into_raw(Rc::clone(thread)).cast_mut().cast();
            // SAFETY: initialised in `begin`; the data is taken back in `on_closed`.
            unsafe {
                (self.uv.set_data)(handle.handle(), data);
                (self.uv.drop_ref)(handle.handle());
            }
        }
        // SAFETY: as above.
        unsafe { (self.uv.poll_start)(self.poll.handle(), uv::READABLE, on_poll) };
    }

    /// After JavaScript has called: what it has begun is seen to before the loop sleeps.
    pub(crate) fn after_call(&self, thread: &JsThread) {
        if self.closing.get() {
            return;
        }
        if !self.preparing.get() && (thread.mailbox.has_tasks() || thread.mailbox.has_frames()) {
            self.preparing.set(true);
            // SAFETY: initialised in `begin`, and not closed.
            unsafe { (self.uv.prepare_start)(self.prepare.handle(), on_prepare) };
        }
        self.keep_alive(thread);
    }

    /// What is handed over runs JavaScript, which may run the loop: then there is a cycle within a cycle, and that is fine.
    fn cycle(&self, thread: &JsThread, mut take: Take) {
        if self.closing.get() {
            return;
        }
        let mut fire = self.timer_at.get() == u64::MAX;
        for _ in 0..ROUNDS {
            // First what has happened, so that a new call does not get a connection that was closed meanwhile; then the timers, because an
            // answer that came while JavaScript was busy, perhaps for long, came in time.
            if take != Take::Nothing || (thread.mailbox.has_tasks() && self.is_behind(thread)) {
                self.take(thread, std::mem::replace(&mut take, Take::Nothing));
            }
            if std::mem::take(&mut fire) && thread.timers.are_due() {
                self.turn(Take::Nothing, |_| thread.timers.fire());
            }
            if thread.mailbox.has_tasks() {
                self.turn(Take::Nothing, |spawner| {
                    for task in thread.mailbox.take_tasks() {
                        spawner.spawn(task);
                    }
                });
            }
            if !thread.mailbox.has_frames() {
                break;
            }
            thread.hand_over();
            if self.closing.get() {
                return;
            }
        }
        if self.preparing.replace(false) {
            // SAFETY: initialised in `begin`, and not closed.
            unsafe { (self.uv.prepare_stop)(self.prepare.handle()) };
        }
        if thread.mailbox.has_tasks() || thread.mailbox.has_frames() {
            self.ring();
        }
        self.keep_alive(thread);
        self.set_timer(thread);
    }

    /// Whether events were not looked at for a while.
    fn is_behind(&self, thread: &JsThread) -> bool {
        thread.timers.now().saturating_sub(self.taken_at.get()) > STALE_NS
    }

    fn take(&self, thread: &JsThread, take: Take) {
        self.taken_at.set(thread.timers.now());
        self.turn(
            if take == Take::Nothing {
                Take::All
            } else {
                take
            },
            |_| (),
        );
    }

    fn turn(&self, take: Take, first: impl FnOnce(&Spawner<'_>)) {
        if let Some(runtime) = &*self.runtime.borrow() {
            runtime.turn(take, first);
        }
    }

    fn ring(&self) {
        if let Some(runtime) = &*self.runtime.borrow() {
            runtime.ring();
        }
    }

    /// The process stays while somebody waits for something.
    fn keep_alive(&self, thread: &JsThread) {
        // What failed at once is over already, but not told yet.
        let waited_for = thread.port.waiting() > 0 || thread.mailbox.has_frames();
        if self.keeps_alive.replace(waited_for) != waited_for && !self.closing.get() {
            // SAFETY: initialised in `begin`, and not closed.
            unsafe {
                if waited_for {
                    (self.uv.add_ref)(self.poll.handle());
                } else {
                    (self.uv.drop_ref)(self.poll.handle());
                }
            }
            if waited_for {
                self.swept.set(false);
            }
        }
    }

    fn set_timer(&self, thread: &JsThread) {
        if self.closing.get() {
            return;
        }
        let due = thread.timers.next();
        let patience = match (self.keeps_alive.get(), self.swept.get()) {
            (true, _) => HEARTBEAT_MS,
            (false, false) => SWEEP_MS,
            (false, true) => u64::MAX,
        };
        let armed = self.timer_at.get();
        // The usual case costs no look at the clock: the heartbeat is set, and nothing is due before it.
        if armed != u64::MAX
            && self.timer_patience.get() == patience
            && due.is_none_or(|due| due >= armed)
        {
            return;
        }
        let now = thread.timers.now();
        let at = due
            .unwrap_or(u64::MAX)
            .min(now.saturating_add(patience.saturating_mul(1_000_000)));
        if armed <= at {
            return;
        }
        self.timer_at.set(at);
        self.timer_patience.set(patience);
        let wait_ms = at.saturating_sub(now).div_ceil(1_000_000);
        // SAFETY: initialised in `begin`, and not closed.
        unsafe { (self.uv.timer_start)(self.timer.handle(), on_timer, wait_ms, 0) };
    }

    /// The environment goes away: `done` is called when libuv has let go of everything.
    pub(crate) fn close(&self) {
        if self.closing.replace(true) {
            return;
        }
        for handle in [&self.poll, &self.prepare, &self.timer] {
            // SAFETY: initialised in `begin`, and closed once.
            unsafe { (self.uv.close)(handle.handle(), Some(on_closed)) };
        }
        let runtime = self.runtime.borrow_mut().take();
        if let Some(runtime) = runtime {
            runtime.shut_down();
        }
    }
}

/// Reaches the loop from other threads.
pub(crate) struct LoopDriver {
    thread: ThreadId,
    runtime: RuntimeHandle,
}

impl LoopDriver {
    fn wake(&self) {
        // On the loop's own thread, whoever called looks for it afterwards.
        if std::thread::current().id() != self.thread {
            self.runtime.spawn(async {});
        }
    }
}

impl Driver for LoopDriver {
    fn tasks_came(&self, _: &Mailbox) {
        self.wake();
    }

    fn frames_came(&self) {
        self.wake();
    }
}

/// What libuv's handles belong to.
///
/// # Safety
/// The handle is one of `attach`, and not closed.
unsafe fn owner<'a>(handle: *mut uv::Handle) -> Option<(&'a OnLoop, &'a JsThread)> {
    let uv = Uv::of_program()?;
    // SAFETY: set in `attach` from an Rc that `on_closed` takes back.
    let thread = unsafe { (uv.data)(handle).cast::<JsThread>().as_ref() }?;
    Some((thread.on_loop()?, thread))
}

/// A panic must not reach libuv. It cannot be told to anybody either; the call that it was about runs into its deadline.
fn contained(work: impl FnOnce()) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
}

/// With one call under way, there is hardly ever more than one event.
fn take_of(thread: &JsThread) -> Take {
    if thread.port.waiting() > 1 {
        Take::All
    } else {
        Take::One
    }
}

unsafe extern "C" fn on_poll(handle: *mut uv::Handle, _: c_int, _: c_int) {
    contained(|| {
        // SAFETY: libuv calls with the handle that was started.
        if let Some((on_loop, thread)) = unsafe { owner(handle) } {
            on_loop.cycle(thread, take_of(thread));
        }
    });
}

unsafe extern "C" fn on_prepare(handle: *mut uv::Handle) {
    contained(|| {
        // SAFETY: libuv calls with the handle that was started.
        if let Some((on_loop, thread)) = unsafe { owner(handle) } {
            on_loop.cycle(thread, Take::Nothing);
        }
    });
}

unsafe extern "C" fn on_timer(handle: *mut uv::Handle) {
    contained(|| {
        // SAFETY: libuv calls with the handle that was started.
        if let Some((on_loop, thread)) = unsafe { owner(handle) } {
            on_loop.timer_at.set(u64::MAX);
            if !on_loop.keeps_alive.get() && on_loop.timer_patience.get() == SWEEP_MS {
                on_loop.swept.set(true);
            }
            on_loop.cycle(thread, Take::All);
        }
    });
}

unsafe extern "C" fn on_closed(handle: *mut uv::Handle) {
    contained(|| {
        let Some(uv) = Uv::of_program() else { return };
        // SAFETY: set in `attach` from an Rc; libuv is done with the handle, and this runs once for each.
        let thread = unsafe {
            let data = (uv.data)(handle);
            if data.is_null() {
                return;
            }
            Rc::from_raw(data.cast::<JsThread>())
        };
        if let Some(on_loop) = thread.on_loop() {
            let left = on_loop.open_handles.get().saturating_sub(1);
            on_loop.open_handles.set(left);
            if left == 0 {
                thread.finished();
            }
        }
    });
}
