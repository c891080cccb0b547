//! Streams of JSON lines, downloads, uploads and stalled transfers, over a scripted transport and a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod download_files;
mod downloads;
mod json_lines;
mod stalled;
mod uploads;
mod world;
