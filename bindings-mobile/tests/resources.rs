//! What it takes: no thread before the first call, at most two afterwards, and no memory that grows with the calls.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod host;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashSet;
use std::ffi::OsString;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use host::{ANSWER, Host, server};

/// Counts what is allocated and not freed.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: the system's, with a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as required of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as required of the caller.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The threads of this process, without those of the server's connections.
fn threads() -> HashSet<OsString> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.map(|task| task.unwrap().file_name()).collect()
}

/// Bytes that are there beyond `before`: few, as soon as what was on its way is gone.
fn grown(before: isize, few: isize) -> isize {
    for _ in 0..3_000 {
        if LIVE.load(Ordering::Relaxed) - before < few {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    LIVE.load(Ordering::Relaxed) - before
}

/// Few bytes, and what another connection takes, here and in the server.
const FEW: isize = 64 * 1024;
const CONNECTION: isize = 32 * 1024;

/// One test, since it counts what the process has.
#[test]
fn little_is_taken_and_given_back() {
    let (address, counts) = server::begin();
    let opened = || counts.opened.load(Ordering::SeqCst).cast_signed();
    let host = Host::new();
    let before = threads();
    let client = host.client(&address.replace("127.0.0.1", "localhost"));
    assert_eq!(
        threads(),
        before,
        "a client has a thread before its first call"
    );
    let call = host.get(&client, "/", 0);
    assert_eq!(host.frame(call).kind, ANSWER);
    // The thread that drives, the one that looks up names, and the server's one for the connection.
    let begun = threads().difference(&before).count();
    assert!((2..=3).contains(&begun), "{begun} threads were begun");

    let some = |calls: usize| {
        for _ in 0..calls / 10 {
            let calls: Vec<u32> = (0..10).map(|_| host.get(&client, "/", 0)).collect();
            for call in calls {
                assert_eq!(host.frame(call).kind, ANSWER);
            }
        }
    };
    some(1_000);
    let (settled, connections) = (LIVE.load(Ordering::Relaxed), opened());
    some(10_000);
    let few = FEW + (opened() - connections) * CONNECTION;
    let more = grown(settled, few);
    assert!(more < few, "{more} bytes more after 10 000 calls");
    assert!(opened() < 100, "{} connections for 10 calls", opened());

    client.close();
    assert!(host.ended().is_empty());
    drop(client);
    let left = LIVE.load(Ordering::Relaxed);
    for _ in 0..50 {
        let client = host.client(&address);
        let call = host.get(&client, "/", 0);
        assert_eq!(host.frame(call).kind, ANSWER);
        client.close();
        assert!(host.ended().is_empty());
    }
    let more = grown(left, FEW);
    assert!(more < FEW, "{more} bytes more after 50 clients");
}
