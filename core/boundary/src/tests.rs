//! The boundary as the host language sees it: frames and questions on one side, what goes onto the wire on the other. No real time passes.

mod admission;
mod auth;
mod cache;
mod calls;
mod events;
mod frames;
mod json_lines;
mod lists;
mod logins;
mod questions;
mod records;
mod secrets;
mod settings;
mod stage;
mod streams;
mod token_stores;
mod transfers;
mod uploads;
#[cfg(feature = "webhook")]
mod webhook_schemes;
#[cfg(feature = "webhook")]
mod webhooks;
