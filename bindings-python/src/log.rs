//! Records of calls to Python's `logging`, from the thread that has the result and holds the GIL anyway: never from the
//! worker, where a handler that waits for the GIL could wait for ever.

use gatewright::{Attempt, Error, Response};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

const DEBUG: u8 = 10;
const INFO: u8 = 20;

/// The logger's `isEnabledFor` and `log`.
fn logger(py: Python<'_>) -> PyResult<&(Py<PyAny>, Py<PyAny>)> {
    static LOGGER: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    LOGGER.get_or_try_init(py, || {
        let logger = py
            .import("logging")?
            .call_method1("getLogger", ("gatewright",))?;
        Ok((
            logger.getattr("isEnabledFor")?.unbind(),
            logger.getattr("log")?.unbind(),
        ))
    })
}

fn emit(py: Python<'_>, level: u8, text: impl FnOnce() -> String) -> PyResult<()> {
    let logged = logger(py).and_then(|(enabled, log)| {
        if enabled.call1(py, (level,))?.is_truthy(py)? {
            log.call1(py, (level, "%s", text()))?;
        }
        Ok(())
    });
    match logged {
        // Ctrl-C while a handler ran.
        Err(error) if !error.is_instance_of::<PyException>(py) => Err(error),
        // A broken handler is `logging`'s to report; it must not cost the caller the answer.
        _ => Ok(()),
    }
}

fn story(attempts: &[Attempt]) -> String {
    attempts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// An answer came: DEBUG, or INFO where it took more than one attempt.
pub(crate) fn answered(py: Python<'_>, answer: &Response) -> PyResult<()> {
    let level = if answer.attempts().len() > 1 {
        INFO
    } else {
        DEBUG
    };
    emit(py, level, || {
        format!(
            "{} {} {}: {}",
            answer.method(),
            answer.shown_url(),
            answer.status().as_u16(),
            story(answer.attempts())
        )
    })
}

/// A call failed: INFO, since the caller gets the exception.
pub(crate) fn failed(py: Python<'_>, error: &Error) -> PyResult<()> {
    emit(py, INFO, || match error.attempts() {
        [] => error.to_string(),
        attempts => format!("{error}: {}", story(attempts)),
    })
}
