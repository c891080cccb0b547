//! Uploads: the native half of `Upload` and `AsyncUpload`.

use std::path::PathBuf;
use std::sync::Arc;

use gatewright::{RequestBuilder, Upload, UploadSource, Uploaded};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::sync::Mutex;

use crate::attempt::Attempt;
use crate::call_options::Options;
use crate::response::Response;
use crate::transfers::{Waiter, begin};

/// An upload.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct NativeUpload {
    upload: Arc<Mutex<Upload>>,
    waiter: Waiter,
}

impl NativeUpload {
    pub(crate) fn new(
        request: RequestBuilder,
        source: UploadSource,
        waiter: Waiter,
        chunk_size: u64,
        resume: Option<String>,
    ) -> Self {
        let mut upload = request.upload(source).chunk_size(chunk_size);
        if let Some(location) = resume {
            upload = upload.resume(location);
        }
        Self {
            upload: Arc::new(Mutex::new(upload)),
            waiter,
        }
    }
}

#[pymethods]
impl NativeUpload {
    /// Uploads: the answer, whether it went piece by piece, whether the answer was lost, and the attempts of all requests.
    fn send(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let upload = Arc::clone(&self.upload);
        let send = async move { upload.lock().await.send().await };
        self.waiter.wait(py, send, |py, done: Uploaded| {
            let attempts: Vec<Attempt> = done.attempts.into_iter().map(Attempt::new).collect();
            let told = (
                Response::new(done.response),
                done.resumable,
                done.answer_lost,
                attempts,
            );
            Ok(told.into_pyobject(py)?.into_any().unbind())
        })
    }

    /// Where it can be gone on with, what the server has acknowledged, and how long it is; nothing while it is under way.
    fn position(&self) -> (Option<String>, u64, Option<u64>) {
        match self.upload.try_lock() {
            Ok(upload) => (
                upload.location().map(str::to_owned),
                upload.offset(),
                upload.length(),
            ),
            Err(_) => (None, 0, None),
        }
    }
}

/// An upload of bytes, of a file by its path, or of whatever else a body may be.
#[pyfunction]
pub(crate) fn open_upload(
    client: &Bound<'_, PyAny>,
    method: &str,
    path: &str,
    source: &Bound<'_, PyAny>,
    chunk_size: u64,
    resume: Option<String>,
    options: &Bound<'_, PyDict>,
) -> PyResult<NativeUpload> {
    let options = Options::read(Some(options), "upload")?;
    let by_path = source.hasattr("__fspath__")?;
    let (request, waiter, home) = begin(client, method, path, options, !by_path)?;
    let source = if by_path {
        UploadSource::file(source.extract::<PathBuf>()?)
    } else {
        crate::request::body(source, home)?.into()
    };
    Ok(NativeUpload::new(
        request, source, waiter, chunk_size, resume,
    ))
}
