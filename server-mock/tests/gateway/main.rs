//! What the gateway does, seen from outside: raw sockets on the data port, the admin port, and the virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod admin;
mod auth;
mod batch;
mod caller;
mod clock;
mod commands;
mod dashboard;
mod determinism;
mod dialects;
mod docs_page;
mod document_bounds;
mod documentation;
mod durable;
mod endpoints;
mod events;
mod exactly_once;
mod fault_rules;
mod fault_wire;
mod files;
mod forms;
mod https;
mod idempotency;
mod integrations;
mod jobs;
mod journal;
mod limits;
mod listeners;
mod log;
mod login;
mod oauth;
mod otlp;
mod pages;
mod problems;
mod profiles;
mod program;
mod receiver;
mod records;
mod regions;
mod resources;
mod response_headers;
mod signing;
mod static_files;
mod upstreams;
mod usage;
mod verify_ratelimit;
mod webhook_deliveries;
mod webhook_endpoints;
mod webhook_tls;
mod webhooks;
