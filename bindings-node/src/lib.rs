//! The Node SDK's native half: napi around the crate `gatewright-boundary`, which has everything that it shares with the WASM module. What
//! it exports is `Native` in `bindings-node/js/native.ts`.
//!
//! | File | What |
//! |---|---|
//! | `js_thread.rs` | what one JavaScript thread has: port, mailbox, driver; how results are handed over |
//! | `mailbox.rs` | tasks and frames on their way |
//! | `on_loop.rs`, `turn.rs`, `own_epoll.rs`, `uv.rs`, `timers.rs` | calls driven by the JavaScript thread itself, on Node's loop |
//! | `worker.rs` | calls driven by a worker thread, where that cannot be |
//! | `client.rs`, `webhook.rs` | the classes |
//! | `js_value.rs` | strings and bytes |

use gatewright_boundary::{
    HostReplayGuard, HostWebhook, Language, answer_error as boundary_answer_error,
    timeline as boundary_timeline,
};
use napi::bindgen_prelude::{Either, Function, JsValue as _};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

mod client;
mod js_thread;
mod js_value;
mod mailbox;
#[cfg(target_os = "linux")]
mod on_loop;
#[cfg(target_os = "linux")]
mod own_epoll;
mod timers;
#[cfg(target_os = "linux")]
mod turn;
#[cfg(target_os = "linux")]
mod uv;
mod webhook;
mod worker;

use client::NativeClient;
use js_thread::JsThread;
use js_value::{Content, Text};
use timers::LoopRuntime;
use webhook::{NativeReplayGuard, NativeWebhook};

/// The version of the package.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The codes of all kinds of errors.
#[napi(catch_unwind)]
pub fn error_codes() -> Vec<&'static str> {
    gatewright_boundary::error_codes()
}

/// From now on, results of this JavaScript thread go to `deliver`.
#[napi(catch_unwind)]
pub fn connect(env: Env, deliver: Function<'_, Unknown<'_>, ()>) -> Result<()> {
    JsThread::of(env.raw())?.connect(deliver.raw())
}

/// A client, or the error as JSON.
#[napi(catch_unwind)]
pub fn open_client(
    env: Env,
    base_url: Text,
    settings: Text,
) -> Result<Either<NativeClient, String>> {
    let thread = JsThread::of(env.raw())?;
    let runtime = LoopRuntime(std::sync::Arc::clone(&thread.timers));
    let opened = thread
        .port
        .open_client_with(&base_url.0, &settings.0, |builder| builder.runtime(runtime));
    Ok(match opened {
        Ok(client) => Either::A(NativeClient { thread, client }),
        Err(error) => Either::B(error),
    })
}

/// Gives up a call.
#[napi(catch_unwind)]
pub fn cancel(env: Env, call: u32) -> Result<()> {
    on_port(env, |thread| thread.port.cancel(call))
}

/// Asks for the next piece of a streamed answer.
#[napi(catch_unwind)]
pub fn pull(env: Env, call: u32) -> Result<()> {
    on_port(env, |thread| thread.port.pull(call))
}

/// Asks for the next page of a list.
#[napi(catch_unwind)]
pub fn next_page(env: Env, call: u32, list: u32) -> Result<()> {
    on_port(env, |thread| thread.port.next_page(call, list))
}

/// Asks for the next events of a stream.
#[napi(catch_unwind)]
pub fn next_events(env: Env, call: u32, list: u32) -> Result<()> {
    on_port(env, |thread| thread.port.next_events(call, list))
}

/// Forgets a list or a stream of events.
#[napi(catch_unwind)]
pub fn drop_pages(env: Env, list: u32) -> Result<()> {
    on_port(env, |thread| thread.port.drop_pages(list))
}

/// Answers a question.
#[napi(catch_unwind)]
pub fn answer(env: Env, question: u32, text: Option<Text>, bytes: Option<Content>) -> Result<()> {
    on_port(env, |thread| {
        thread.port.answer(
            question,
            text.map(|text| text.0),
            bytes.map(|content| content.0),
        );
    })
}

/// What was asked failed.
#[napi(catch_unwind)]
pub fn fail(env: Env, question: u32, cause: u32, text: Text) -> Result<()> {
    on_port(env, |thread| thread.port.fail(question, cause, &text.0))
}

/// An error, as JSON, about an answer that was delivered already.
#[napi(catch_unwind)]
pub fn answer_error(meta: Text, code: Text, what: Text) -> String {
    boundary_answer_error(Language::JavaScript, &meta.0, &code.0, &what.0)
}

/// The attempts as a picture in text.
#[napi(catch_unwind)]
pub fn timeline(attempts: Text) -> String {
    boundary_timeline(&attempts.0)
}

/// A webhook of settings in JSON, or the error as JSON.
#[napi(catch_unwind)]
pub fn open_webhook(settings: Text) -> Either<NativeWebhook, String> {
    match HostWebhook::open_settings(&settings.0) {
        Ok(webhook) => Either::A(NativeWebhook { webhook }),
        Err(error) => Either::B(error),
    }
}

/// A replay guard in memory of settings in JSON, or the error as JSON.
#[napi(catch_unwind)]
pub fn open_replay_guard(settings: Text) -> Either<NativeReplayGuard, String> {
    match HostReplayGuard::open(&settings.0) {
        Ok(guard) => Either::A(NativeReplayGuard { guard }),
        Err(error) => Either::B(error),
    }
}

/// A verified message's key for replay guards.
#[napi(catch_unwind)]
pub fn replay_key(sender: Text, verdict: Text) -> String {
    HostWebhook::replay_key(&sender.0, &verdict.0)
}

/// A new secret.
#[napi(catch_unwind)]
pub fn generate_secret() -> Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        napi::Error::from_reason(format!("the system gives no randomness: {error}"))
    })?;
    Ok(gatewright_boundary::generate_secret(&random))
}

fn on_port(env: Env, work: impl FnOnce(&JsThread)) -> Result<()> {
    let thread = JsThread::of(env.raw())?;
    work(&thread);
    thread.after_call()
}
