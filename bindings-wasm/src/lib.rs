//! The WebAssembly module of `gatewright-web`: `gatewright-boundary` for a JavaScript host with `fetch`, in the shapes of
//! `bindings-node/js/native.ts`.
//!
//! All is on one thread. Calls are tasks of `executor.rs`, which runs them in microtasks and hands what came of them to JavaScript in
//! batches, one crossing for all that became ready together.

mod client;
mod executor;
mod native;
mod webhook;

/// Smaller than the allocator that the standard library brings along.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
