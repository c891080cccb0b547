//! Finds the epoll descriptor on which a tokio runtime waits, which tokio does not tell.
//!
//! An eventfd of ours is registered with the runtime; Linux says in `/proc/self/fdinfo` which descriptors an epoll watches. What is found is
//! tried out before it is trusted. Where `/proc` is missing, nothing is found.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

/// A descriptor of ours for the epoll (or any other) that watches `watched`, where exactly one does.
pub(crate) fn epoll_that_watches(watched: BorrowedFd<'_>) -> Option<OwnedFd> {
    let line = format!("tfd: {:>8} ", watched.as_raw_fd());
    let mut found = None;
    for entry in fs::read_dir("/proc/self/fd").ok()? {
        let entry = entry.ok()?;
        let is_epoll = fs::read_link(entry.path())
            .is_ok_and(|target| target.as_os_str() == "anon_inode:[eventpoll]");
        if !is_epoll {
            continue;
        }
        let name = entry.file_name();
        let Ok(info) = fs::read_to_string(std::path::Path::new("/proc/self/fdinfo").join(&name)) else {
            continue;
        };
        if info.lines().any(|known| known.starts_with(&line)) {
            let number: RawFd = name.to_str()?.parse().ok()?;
            if found.replace(number).is_some() {
                return None;
            }
        }
    }
    // SAFETY: the descriptor was open a moment ago; were it closed meanwhile, the copy would fail or be tried out in vain.
    let number = found?;
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return None;
    }
    // SAFETY: just made, and nobody else knows it.
    Some(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Whether there is something to read, now.
pub(crate) fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut asked = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives through the call; no waiting.
    let ready = unsafe { libc::poll(&raw mut asked, 1, 0) };
    ready == 1 && asked.revents & libc::POLLIN != 0
}

/// An eventfd that is written to and never read: to an edge-triggered epoll, each write is an event.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes numbers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn ring(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight bytes that live through the call. It fails only once the counter has reached 2^64 - 2.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl std::os::fd::AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl std::os::fd::AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
