//! The Python SDK's native module `gatewright._native`: conversion and idiom only, every decision is the core's.
//!
//! | File | What |
//! |---|---|
//! | `settings.rs`, `request.rs` | Python arguments into the core's settings and requests |
//! | `sync_client.rs` | calls on the caller's own thread |
//! | `async_client.rs`, `event_loop.rs`, `worker.rs` | calls on a worker thread, results in batches to the event loop |
//! | `callback.rs`, `slot.rs`, `hooks.rs`, `credentials.rs`, `source.rs` | Python code that the core asks for something |
//! | `response.rs`, `headers.rs`, `attempt.rs`, `page.rs`, `json.rs` | answers into Python |
//! | `server_event.rs`, `event_stream.rs` | streams of server-sent events |
//! | `state.rs`, `explain.rs` | what a client knows, and what it would do |
//! | `transfers.rs` | JSON lines, downloads, uploads |
//! | `log.rs` | records of calls to Python's `logging` |
//! | `error.rs` | errors into exceptions, one class for each kind |
//! | `webhook.rs` | verification and signing |
//! | `fork.rs` | what a child process must do anew |

use pyo3::prelude::*;
use pyo3::types::PyMapping;

mod async_client;
mod attempt;
mod cache;
mod callback;
mod credentials;
mod error;
mod event_loop;
mod event_stream;
mod explain;
mod fork;
mod headers;
mod hooks;
mod json;
mod log;
mod oauth;
mod page;
mod quota;
mod request;
mod response;
mod server_event;
mod settings;
mod slot;
mod source;
mod state;
mod sync_client;
mod transfers;
mod webhook;
mod worker;

/// The native half of the package `gatewright`.
#[pymodule(gil_used = false)]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::async_client::{AsyncCore, AsyncPages, AsyncStream, Pending};
    #[pymodule_export]
    use super::attempt::Attempt;
    #[pymodule_export]
    use super::error::error_codes;
    #[pymodule_export]
    use super::event_loop::Drain;
    #[pymodule_export]
    use super::event_stream::{AsyncEvents, SyncEvents};
    #[pymodule_export]
    use super::explain::Explanation;
    #[pymodule_export]
    use super::fork::after_fork_in_child;
    #[pymodule_export]
    use super::headers::Headers;
    #[pymodule_export]
    use super::hooks::AttemptRequest;
    #[pymodule_export]
    use super::hooks::AttemptResult;
    #[pymodule_export]
    use super::json::decode_object;
    #[pymodule_export]
    use super::quota::RedisQuota;
    #[pymodule_export]
    use super::response::Response;
    #[pymodule_export]
    use super::server_event::ServerEvent;
    #[pymodule_export]
    use super::sync_client::{SyncCore, SyncPages, SyncStream};
    #[pymodule_export]
    use super::transfers::{
        NativeDownload, NativeLines, NativeUpload, open_download, open_json_lines, open_upload,
        run_download_to,
    };
    #[pymodule_export]
    use super::webhook::{Verified, Webhook, generate_secret};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        PyMapping::register::<Headers>(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
