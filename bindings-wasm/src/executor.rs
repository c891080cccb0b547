//! Runs calls, and delivers what comes of them.
//!
//! A task that is woken goes into the queue; the first in the queue asks for a microtask, in which all that are ready are polled and then all
//! frames are delivered. Nothing is polled or delivered within a call from JavaScript, so neither side is entered while it is at work. The
//! microtask is asked for by whatever woke the task, so on edge runtimes a call stays with the request that it belongs to.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use gatewright_boundary::{Batch, Frame, Host, Task};
use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(run: &JsValue);
}

thread_local! {
    static READY: RefCell<VecDeque<Arc<Running>>> = const { RefCell::new(VecDeque::new()) };
    static FRAMES: RefCell<Frames> = RefCell::default();
    static DELIVER: RefCell<Option<Function>> = const { RefCell::new(None) };
    static ASKED: Cell<bool> = const { Cell::new(false) };
    static RUN: JsValue = Closure::<dyn Fn()>::new(run).into_js_value();
}

/// Frames that wait for delivery, a full batch being closed.
#[derive(Default)]
struct Frames {
    closed: VecDeque<Batch>,
    open: Batch,
}

/// Who takes the batches.
pub(crate) fn deliver_to(deliver: Function) {
    DELIVER.with_borrow_mut(|kept| *kept = Some(deliver));
}

/// The JavaScript thread as the boundary's host.
pub(crate) struct JsThread;

impl Host for JsThread {
    fn spawn(&self, task: Task) {
        Arc::new(Running {
            task: Mutex::new(Some(task)),
            queued: AtomicBool::new(false),
        })
        .wake();
    }

    fn deliver(&self, frame: Frame) {
        FRAMES.with_borrow_mut(|frames| {
            frames.open.push(frame);
            if frames.open.is_full() {
                frames.closed.push_back(frames.open.take());
            }
        });
        ask_for_microtask();
    }
}

/// A task and whether it is in the queue. Its wakers hold it.
struct Running {
    task: Mutex<Option<Task>>,
    queued: AtomicBool,
}

impl Wake for Running {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            READY.with_borrow_mut(|ready| ready.push_back(self));
            ask_for_microtask();
        }
    }
}

impl Running {
    fn poll(self: Arc<Self>) {
        self.queued.store(false, Ordering::Relaxed);
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = task.as_mut() {
            let waker = Waker::from(Arc::clone(&self));
            if running
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                *task = None;
            }
        }
    }
}

fn ask_for_microtask() {
    if !ASKED.replace(true) {
        RUN.with(queue_microtask);
    }
}

fn run() {
    while let Some(next) = READY.with_borrow_mut(VecDeque::pop_front) {
        next.poll();
    }
    // What is woken or delivered from here on asks for a microtask of its own.
    ASKED.set(false);
    let Some(deliver) = DELIVER.with_borrow(Clone::clone) else {
        return;
    };
    while let Some(batch) = next_batch() {
        let bytes = Uint8Array::from(batch.bytes.as_slice());
        let large: Array = batch
            .large
            .iter()
            .map(|body| Uint8Array::from(&**body))
            .collect();
        drop(batch);
        // What JavaScript throws there, it reports itself.
        let _ = deliver.call2(&JsValue::UNDEFINED, &bytes, &large);
    }
}

fn next_batch() -> Option<Batch> {
    FRAMES.with_borrow_mut(|frames| {
        frames
            .closed
            .pop_front()
            .or_else(|| (!frames.open.is_empty()).then(|| frames.open.take()))
    })
}
