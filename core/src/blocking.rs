//! Files are read and written aside, where there is a runtime that has threads for it.

/// Runs `work` on a thread that may wait; at once, where there is no runtime.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(work)
            .await
            .map_err(std::io::Error::other)?,
        Err(_) => work(),
    }
}
