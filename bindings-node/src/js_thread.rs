//! What one JavaScript thread (more exactly: one load of the addon in one environment) has: its port, its mailbox, the function that takes
//! results, and whoever drives its calls. Lives from the first use to the environment's clean-up.

use std::cell::{Cell, OnceCell};
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use gatewright_boundary::{Batch, Language, Port};
use napi::{Error, Result, sys};

use crate::js_value::{self, check, copied, lent, string};
use crate::mailbox::{Mailbox, MailboxHost};
use crate::timers::Timers;
use crate::worker::ByWorker;

#[cfg(target_os = "linux")]
use crate::{
    on_loop::{LoopDriver, OnLoop},
    uv::Uv,
};

/// Who drives the calls.
enum Drive {
    #[cfg(target_os = "linux")]
    OnLoop(OnLoop),
    Worker(ByWorker),
}

/// What one JavaScript thread has.
pub(crate) struct JsThread {
    env: sys::napi_env,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) port: Arc<Port>,
    pub(crate) timers: Arc<Timers>,
    deliver: Cell<sys::napi_ref>,
    context: Cell<sys::napi_async_context>,
    drive: OnceCell<Drive>,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    closed: Cell<bool>,
}

impl JsThread {
    /// What belongs to this environment, made where it was not yet.
    pub(crate) fn of(env: sys::napi_env) -> Result<Rc<Self>> {
        let mut data = ptr::null_mut();
        // SAFETY: on the environment's thread, as all functions that JavaScript calls.
        check(unsafe { sys::napi_get_instance_data(env, &raw mut data) })?;
        if !data.is_null() {
            let known = data.cast::<Self>().cast_const();
            // SAFETY: nobody but `make` sets it, from an Rc that stays until the environment is gone.
            return Ok(unsafe {
                Rc::increment_strong_count(known);
                Rc::from_raw(known)
            });
        }
        Self::make(env)
    }

    fn make(env: sys::napi_env) -> Result<Rc<Self>> {
        let mailbox = Arc::<Mailbox>::default();
        let thread = Rc::new(Self {
            env,
            port: Port::new(
                Arc::new(MailboxHost(Arc::clone(&mailbox))),
                Language::JavaScript,
            ),
            mailbox,
            timers: Arc::default(),
            deliver: Cell::new(ptr::null_mut()),
            context: Cell::new(ptr::null_mut()),
            drive: OnceCell::new(),
            cleanup: Cell::new(ptr::null_mut()),
            closed: Cell::new(false),
        });
        let data = Rc::into_raw(Rc::clone(&thread)).cast_mut().cast();
        // SAFETY: the Rc is given back by `let_go`, when the environment is gone.
        check(unsafe { sys::napi_set_instance_data(env, data, Some(let_go), ptr::null_mut()) })?;
        let mut cleanup = ptr::null_mut();
        // SAFETY: the data lives until `let_go`, which is after the hook.
        check(unsafe {
            sys::napi_add_async_cleanup_hook(env, Some(clean_up), data, &raw mut cleanup)
        })?;
        thread.cleanup.set(cleanup);
        Ok(thread)
    }

    pub(crate) const fn env(&self) -> sys::napi_env {
        self.env
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn on_loop(&self) -> Option<&OnLoop> {
        match self.drive.get() {
            Some(Drive::OnLoop(on_loop)) => Some(on_loop),
            _ => None,
        }
    }

    /// From now on, results go to this function.
    pub(crate) fn connect(&self, deliver: sys::napi_value) -> Result<()> {
        let (mut reference, mut context) = (ptr::null_mut(), ptr::null_mut());
        let name = string(self.env, "gatewright")?;
        // SAFETY: a value of this environment, on its thread.
        unsafe {
            check(sys::napi_create_reference(
                self.env,
                deliver,
                1,
                &raw mut reference,
            ))?;
            if self.context.get().is_null() {
                check(sys::napi_async_init(
                    self.env,
                    ptr::null_mut(),
                    name,
                    &raw mut context,
                ))?;
                self.context.set(context);
            }
        }
        let old = self.deliver.replace(reference);
        if !old.is_null() {
            // SAFETY: made by an earlier `connect`.
            check(unsafe { sys::napi_delete_reference(self.env, old) })?;
        }
        Ok(())
    }

    /// After each function that JavaScript called: what it has begun is driven, and the process stays for it.
    ///
    /// # Errors
    /// Where the process gets no descriptors and no thread: what was begun is dropped.
    pub(crate) fn after_call(self: &Rc<Self>) -> Result<()> {
        if self.closed.get() {
            return Ok(());
        }
        if self.drive.get().is_none() {
            if !self.mailbox.has_tasks() && !self.mailbox.has_frames() {
                return Ok(());
            }
            if let Err(error) = self.begin() {
                drop((self.mailbox.take_tasks(), self.mailbox.take_batches()));
                return Err(Error::from_reason(format!(
                    "no call can be made, the system gives no thread: {error}"
                )));
            }
        }
        self.called();
        Ok(())
    }

    /// As `after_call`, where there is a driver.
    pub(crate) fn called(&self) {
        match self.drive.get() {
            #[cfg(target_os = "linux")]
            Some(Drive::OnLoop(on_loop)) => on_loop.after_call(self),
            Some(Drive::Worker(worker)) => worker.keep_alive(self),
            None => {}
        }
    }

    fn begin(self: &Rc<Self>) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some((on_loop, driver)) = self.try_on_loop() {
            self.timers.drive();
            let _ = self.drive.set(Drive::OnLoop(on_loop));
            if let Some(on_loop) = self.on_loop() {
                on_loop.attach(self);
            }
            self.mailbox.set_driver(Box::new(driver));
            return Ok(());
        }
        let (by_worker, driver) = ByWorker::begin(self)?;
        let _ = self.drive.set(Drive::Worker(by_worker));
        self.mailbox.set_driver(Box::new(driver));
        Ok(())
    }

    /// Node's own loop as the driver, where it is Node's, and does not refuse. Others that load addons have a loop of another kind, or one
    /// that does not sleep where libuv's does. `GATEWRIGHT_DRIVER=worker` asks for the worker, which is there for all.
    #[cfg(target_os = "linux")]
    fn try_on_loop(&self) -> Option<(OnLoop, LoopDriver)> {
        let worker_wanted = std::env::var_os("GATEWRIGHT_DRIVER").is_some_and(|it| it == "worker");
        if worker_wanted || !js_value::is_node(self.env).unwrap_or(false) {
            return None;
        }
        let uv = Uv::of_program()?;
        let mut event_loop = ptr::null_mut();
        // SAFETY: on the environment's thread.
        check(unsafe { sys::napi_get_uv_event_loop(self.env, &raw mut event_loop) }).ok()?;
        if event_loop.is_null() {
            return None;
        }
        OnLoop::begin(uv, event_loop.cast()).ok()
    }

    /// Gives everything that has come to JavaScript.
    pub(crate) fn hand_over(&self) {
        let (full, last) = self.mailbox.take_batches();
        for batch in full.into_iter().chain(std::iter::once(last)) {
            if !batch.is_empty() && !self.closed.get() {
                self.hand_over_one(batch);
            }
        }
    }

    fn hand_over_one(&self, batch: Batch) {
        let mut scope = ptr::null_mut();
        // SAFETY: on the environment's thread; closed below.
        if unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) } != sys::Status::napi_ok
        {
            return;
        }
        // Fails where JavaScript throws (told below) or does not run any more.
        let _ = self.call_deliver(batch);
        // SAFETY: opened above.
        unsafe {
            self.report_exception();
            sys::napi_close_handle_scope(self.env, scope);
        }
    }

    fn call_deliver(&self, batch: Batch) -> Result<()> {
        let env = self.env;
        let (mut function, mut global, mut large) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let bytes = copied(env, &batch.bytes)?;
        // SAFETY: values of this environment, on its thread.
        unsafe {
            check(sys::napi_get_reference_value(
                env,
                self.deliver.get(),
                &raw mut function,
            ))?;
            check(sys::napi_get_global(env, &raw mut global))?;
            check(sys::napi_create_array(env, &raw mut large))?;
            for (index, body) in (0..).zip(batch.large) {
                check(sys::napi_set_element(env, large, index, lent(env, body)?))?;
            }
            let arguments = [bytes, large];
            check(sys::napi_make_callback(
                env,
                self.context.get(),
                global,
                function,
                arguments.len(),
                arguments.as_ptr(),
                ptr::null_mut(),
            ))
        }
    }

    /// What `deliver` throws is a bug in the JavaScript layer, or in a callback of the program: it ends up as an uncaught exception.
    ///
    /// # Safety
    /// On the environment's thread, in a handle scope.
    unsafe fn report_exception(&self) {
        let (mut pending, mut exception) = (false, ptr::null_mut());
        // SAFETY: as required of the caller.
        unsafe {
            if sys::napi_is_exception_pending(self.env, &raw mut pending) == sys::Status::napi_ok
                && pending
                && sys::napi_get_and_clear_last_exception(self.env, &raw mut exception)
                    == sys::Status::napi_ok
            {
                sys::napi_fatal_exception(self.env, exception);
            }
        }
    }

    /// The environment goes away: calls are dropped, nothing is delivered any more.
    fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.port.close();
        self.mailbox.close();
        match self.drive.get() {
            #[cfg(target_os = "linux")]
            Some(Drive::OnLoop(on_loop)) => on_loop.close(),
            Some(Drive::Worker(worker)) => {
                worker.close();
                self.finished();
            }
            None => self.finished(),
        }
    }

    /// Everything is let go of: the environment may end.
    pub(crate) fn finished(&self) {
        let cleanup = self.cleanup.replace(ptr::null_mut());
        if !cleanup.is_null() {
            // SAFETY: added in `make`, and removed once.
            unsafe { sys::napi_remove_async_cleanup_hook(cleanup) };
        }
    }
}

unsafe extern "C" fn clean_up(_: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: set in `make`, and alive until `let_go`.
        if let Some(thread) = unsafe { data.cast::<JsThread>().as_ref() } {
            thread.close();
        }
    }));
}

unsafe extern "C" fn let_go(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: set in `make`; Node calls this once.
        drop(unsafe { Rc::from_raw(data.cast::<JsThread>().cast_const()) });
    }));
}
