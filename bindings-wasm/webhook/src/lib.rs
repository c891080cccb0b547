//! The small WebAssembly module of `gatewright-web/webhooks`: webhooks alone, nothing of the client.

mod webhook;

/// Smaller than the allocator that the standard library brings along.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
