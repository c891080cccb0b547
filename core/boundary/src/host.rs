//! What a host provides.

use std::pin::Pin;

use crate::frame::Frame;

/// A call under way. Dropping it ends the call.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// What a host provides, one for each host thread.
pub trait Host: Send + Sync + 'static {
    /// Drives a call to its end.
    fn spawn(&self, task: Task);

    /// Takes a frame for the host thread, from any thread and also from within a method of [`Port`](crate::Port) or
    /// [`HostClient`](crate::HostClient). The host puts it into its [`Batch`](crate::Batch) and wakes the thread. It must not call back from
    /// here, and must hold none of its locks when it drops a task: what a task asked is told to be over then, by a frame.
    fn deliver(&self, frame: Frame);

    /// [`Port::waiting`](crate::Port::waiting) has become zero after its last frame was delivered, from any thread. A host that has handed
    /// over that frame already looks again whether its host thread is to stay; others need not care.
    fn nobody_waits(&self) {}
}
