//! Finds the epoll descriptor on which a tokio runtime waits, which tokio does not tell.
//!
//! An eventfd of ours is registered with the runtime; Linux says in `/proc/self/fdinfo` which descriptors an epoll watches. What is found is
//! for the caller to try out. Where `/proc` is missing, nothing is found.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

/// Descriptors of ours for every epoll that watches `watched`: usually one epoll, twice, since mio keeps a copy.
pub(crate) fn epolls_that_watch(watched: BorrowedFd<'_>) -> Vec<OwnedFd> {
    let line = format!("tfd: {:>8} ", watched.as_raw_fd());
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    // All of them first: the list changes with every descriptor that is opened.
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names
        .iter()
        .filter_map(|name| name.to_str()?.parse::<RawFd>().ok())
        .filter(|number| is_epoll(*number) && watches(*number, &line))
        .filter_map(copy_of)
        .collect()
}

fn is_epoll(number: RawFd) -> bool {
    fs::read_link(format!("/proc/self/fd/{number}"))
        .is_ok_and(|target| target.as_os_str() == "anon_inode:[eventpoll]")
}

fn watches(number: RawFd, line: &str) -> bool {
    fs::read_to_string(format!("/proc/self/fdinfo/{number}"))
        .is_ok_and(|info| info.lines().any(|known| known.starts_with(line)))
}

fn copy_of(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: takes numbers. Were the descriptor closed meanwhile, the copy would fail, or be of another file, which is then tried out in vain.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    // SAFETY: just made, and nobody else knows it.
    (copy >= 0).then(|| unsafe { OwnedFd::from_raw_fd(copy) })
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
