//! Calls driven by a worker thread, where Node's own loop cannot do it (`on_loop.rs`): one thread for the process, begun with the first call,
//! with a single-threaded runtime. It is woken once for all calls that begin while it is busy, and wakes JavaScript once for all that has come.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gatewright_boundary::Task;
use napi::sys;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::js_thread::JsThread;
use crate::mailbox::{Driver, Mailbox};

/// The worker of this process.
struct Worker {
    tasks: UnboundedSender<Vec<Task>>,
}

impl Worker {
    /// The worker, begun where there is none yet.
    fn of_process() -> std::io::Result<&'static Self> {
        static WORKER: OnceLock<Worker> = OnceLock::new();
        static BEGINNING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = BEGINNING.lock().unwrap_or_else(PoisonError::into_inner);
        match WORKER.get() {
            Some(known) => Ok(known),
            None => {
                let begun = Self::begin()?;
                Ok(WORKER.get_or_init(|| begun))
            }
        }
    }

    fn begin() -> std::io::Result<Self> {
        let (tasks, mut come) = unbounded_channel::<Vec<Task>>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("gatewright".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    while let Some(tasks) = come.recv().await {
                        tasks.into_iter().for_each(|task| drop(tokio::spawn(task)));
                    }
                });
            })?;
        Ok(Self { tasks })
    }
}

/// The way back to a JavaScript thread.
pub(crate) struct Doorbell {
    function: Mutex<Option<Function>>,
}

#[derive(Clone, Copy)]
struct Function(sys::napi_threadsafe_function);

// SAFETY: that is what a thread-safe function is for; it is used under the lock only, and taken away before it is freed.
unsafe impl Send for Function {}

impl Doorbell {
    fn function(&self) -> MutexGuard<'_, Option<Function>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        if let Some(Function(function)) = *self.function() {
            // SAFETY: it is there, so it is not freed. A queue without bound is never full; one that closes is let alone.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
        }
    }
}

/// The worker as the driver of a mailbox.
pub(crate) struct WorkerDriver {
    worker: &'static Worker,
    doorbell: Arc<Doorbell>,
}

impl Driver for WorkerDriver {
    fn tasks_came(&self, mailbox: &Mailbox) {
        // The worker lives as long as the process.
        let _ = self.worker.tasks.send(mailbox.take_tasks());
    }

    fn frames_came(&self) {
        self.doorbell.ring();
    }
}

/// The JavaScript thread's end of it.
pub(crate) struct ByWorker {
    doorbell: Arc<Doorbell>,
    keeps_alive: std::cell::Cell<bool>,
}

impl ByWorker {
    /// Begins the worker, where there is none yet, and a way back to this thread.
    pub(crate) fn begin(thread: &JsThread) -> std::io::Result<(Self, WorkerDriver)> {
        let worker = Worker::of_process()?;
        let function = thread_safe_function(thread)
            .ok_or_else(|| std::io::Error::other("Node gives no way back from another thread"))?;
        let doorbell = Arc::new(Doorbell {
            function: Mutex::new(Some(Function(function))),
        });
        let driver = WorkerDriver {
            worker,
            doorbell: Arc::clone(&doorbell),
        };
        let this = Self {
            doorbell,
            keeps_alive: std::cell::Cell::new(true),
        };
        Ok((this, driver))
    }

    /// The process stays while somebody waits for something, and until what came is handed over.
    pub(crate) fn keep_alive(&self, thread: &JsThread) {
        let waited_for = thread.port.waiting() > 0 || thread.mailbox.has_frames();
        if self.keeps_alive.replace(waited_for) == waited_for {
            return;
        }
        if let Some(Function(function)) = *self.doorbell.function() {
            // SAFETY: on the thread of this environment, and the function is not freed.
            unsafe {
                if waited_for {
                    sys::napi_ref_threadsafe_function(thread.env(), function);
                } else {
                    sys::napi_unref_threadsafe_function(thread.env(), function);
                }
            }
        }
    }

    /// The environment goes away, and frees the function itself.
    pub(crate) fn close(&self) {
        self.doorbell.function().take();
    }
}

fn thread_safe_function(thread: &JsThread) -> Option<sys::napi_threadsafe_function> {
    let mut function = ptr::null_mut();
    let name = crate::js_value::string(thread.env(), "gatewright").ok()?;
    let context = ptr::from_ref(thread).cast_mut().cast::<c_void>();
    // SAFETY: on the environment's own thread. The context lives until the environment's clean-up, which takes the function away.
    let status = unsafe {
        sys::napi_create_threadsafe_function(
            thread.env(),
            ptr::null_mut(),
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            context,
            Some(on_rung),
            &raw mut function,
        )
    };
    (status == sys::Status::napi_ok).then_some(function)
}

/// Node calls this on the JavaScript thread, once for each ring.
unsafe extern "C" fn on_rung(
    env: sys::napi_env,
    _function: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    if env.is_null() {
        return;
    }
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: see `thread_safe_function`; `env` is null once the environment goes away.
        if let Some(thread) = unsafe { context.cast::<JsThread>().as_ref() } {
            thread.hand_over();
            thread.called();
        }
    }));
}
