//! Ends the process at a named point, for the tests that prove what a crash leaves behind.
//!
//! `GATEWRIGHT_ABORT_AT=after-commit@2` aborts when `after-commit` is passed the second time. Only debug builds look.

/// Aborts the process if the tests asked for it here.
#[cfg(debug_assertions)]
pub(crate) fn abort_at(point: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("GATEWRIGHT_ABORT_AT").ok()?;
        let (name, passes) = text.split_once('@').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU64::new(passes.parse().ok()?)))
    });
    if let Some((name, left)) = wanted
        && name == point
        && left.fetch_sub(1, Ordering::AcqRel) == 1
    {
        std::process::abort();
    }
}

/// Release builds never stop themselves.
#[cfg(not(debug_assertions))]
pub(crate) fn abort_at(_point: &str) {}
