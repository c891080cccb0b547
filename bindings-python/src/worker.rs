//! The worker thread of the asynchronous clients: one for the process, begun with the first call, with a
//! single-threaded runtime. Work goes to it in batches: however many calls begin while it is busy, it is woken once.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use tokio::sync::Notify;

use crate::fork::PerProcess;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

static WORKER: PerProcess<Arc<Worker>> = PerProcess::new();

/// The worker of this process.
pub(crate) struct Worker {
    jobs: Mutex<Vec<Job>>,
    woken: AtomicBool,
    bell: Notify,
}

impl Worker {
    /// The worker, begun where there is none yet in this process.
    pub(crate) fn of_process() -> PyResult<Arc<Self>> {
        WORKER.get_or_make(|| {
            let worker = Arc::new(Self {
                jobs: Mutex::default(),
                woken: AtomicBool::new(false),
                bell: Notify::new(),
            });
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let of_thread = Arc::clone(&worker);
            std::thread::Builder::new()
                .name("gatewright".to_owned())
                .spawn(move || runtime.block_on(of_thread.work()))?;
            Ok(worker)
        })
    }

    /// Gives it a job.
    pub(crate) fn submit(&self, job: Job) {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(job);
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.bell.notify_one();
        }
    }

    async fn work(&self) {
        loop {
            self.bell.notified().await;
            self.woken.store(false, Ordering::Release);
            let jobs =
                std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
            for job in jobs {
                tokio::spawn(job);
            }
        }
    }
}
