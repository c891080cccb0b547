//! The small WebAssembly module of `gatewright-web/webhooks`: webhooks alone, nothing of the client.

mod webhook;
