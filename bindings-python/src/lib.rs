//! The Python SDK's native module `gatewright._native`: conversion and idiom only, every decision is the core's.
//!
//! | File | What |
//! |---|---|
//! | `settings.rs` | a client's keyword arguments |
//! | `call_options.rs`, `option_values.rs`, `request.rs` | a call's keyword arguments into the core's request |
//! | `sync_client.rs`, `live.rs` | calls on the caller's own thread |
//! | `async_client.rs`, `event_loop.rs`, `worker.rs` | calls on a worker thread, results in batches to the event loop |
//! | `callback.rs`, `slot.rs`, `hooks.rs`, `credentials.rs`, `source.rs` | Python code that the core asks for something |
//! | `response.rs`, `headers.rs`, `attempt.rs`, `page.rs`, `json.rs` | answers into Python |
//! | `server_event.rs`, `event_stream.rs` | streams of server-sent events |
//! | `state.rs`, `explain.rs` | what a client knows, and what it would do |
//! | `json_lines.rs`, `download.rs`, `upload.rs`, `transfers.rs` | JSON lines, downloads, uploads, and what they have in common |
//! | `oauth.rs`, `login.rs` | OAuth: settings, logging in and out |
//! | `observer.rs` | what is told of calls to an observer of Python's, such as the one for OpenTelemetry |
//! | `log.rs` | records of calls to Python's `logging` |
//! | `error.rs` | errors into exceptions, one class for each kind |
//! | `webhook.rs`, `webhook/` | verification and signing of webhooks, replay guards |
//! | `fork.rs` | what a child process must do anew |

use pyo3::prelude::*;
use pyo3::types::PyMapping;

mod async_client;
mod attempt;
mod cache;
mod call_options;
mod callback;
mod command_line;
mod credentials;
mod download;
mod error;
mod event_loop;
mod event_stream;
mod explain;
mod fork;
mod headers;
mod hooks;
mod json;
mod json_lines;
mod live;
mod log;
mod login;
mod oauth;
mod observer;
mod option_values;
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
mod token_store;
mod transfers;
mod upload;
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
    use super::command_line::run_command_line;
    #[pymodule_export]
    use super::download::{NativeDownload, open_download, run_download_to};
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
    use super::json_lines::{NativeLines, open_json_lines};
    #[pymodule_export]
    use super::login::{NativeLogin, begin_login, log_out};
    #[pymodule_export]
    use super::observer::{AttemptEnded, AttemptStarted, CallEnded, CallStarted, Place};
    #[pymodule_export]
    use super::quota::RedisQuota;
    #[pymodule_export]
    use super::response::Response;
    #[pymodule_export]
    use super::server_event::ServerEvent;
    #[pymodule_export]
    use super::sync_client::{SyncCore, SyncPages, SyncStream};
    #[pymodule_export]
    use super::upload::{NativeUpload, open_upload};
    #[pymodule_export]
    use super::webhook::{
        Challenge, NativeMemoryGuard, NativeRedisGuard, SignedRequest, Signer, Template, Verified,
        Webhook, WebhookVerifier, generate_secret, replay_statements, webhook_schemes,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        PyMapping::register::<Headers>(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
