//! A host as Swift and Kotlin are: a thread of its own drives, begun with a call where there is none, and ends when nothing is left to drive.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test uses its part, and one that cannot go on fails"
)]

pub(crate) mod server;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use gatewright_mobile::{Delivery, Language, NativeClient, Port};

pub(crate) const ANSWER: u8 = 1;
pub(crate) const HEAD: u8 = 2;
pub(crate) const CHUNK: u8 = 3;
pub(crate) const END: u8 = 4;
pub(crate) const ERROR: u8 = 5;

/// Longer than anything takes on a slow machine: who waits for this long waits for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

/// One frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) call: u32,
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// The frames of a delivery.
pub(crate) fn frames(delivery: &Delivery) -> Vec<Frame> {
    let (mut rest, mut frames) = (&*delivery.frames, Vec::new());
    while !rest.is_empty() {
        let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let end = 4 + number(0) as usize;
        frames.push(Frame {
            call: number(4),
            kind: rest[8],
            payload: rest[9..end].to_vec(),
        });
        rest = &rest[end..];
    }
    frames
}

#[derive(Default)]
struct Seen {
    driving: bool,
    frames: HashMap<u32, Vec<Frame>>,
    threads: usize,
}

/// The host of one port.
pub(crate) struct Host {
    pub(crate) port: Arc<Port>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    last: AtomicU32,
}

impl Host {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            port: Port::new(Language::Kotlin),
            seen: Arc::default(),
            last: AtomicU32::new(0),
        })
    }

    pub(crate) fn client(&self, url: &str) -> Arc<NativeClient> {
        let settings =
            r#"{"pacing": false, "auth": {"kind": "bearer", "token": "sk_test_unlimited_m"}}"#;
        Arc::clone(&self.port).open_client(url, settings).unwrap()
    }

    pub(crate) fn number(&self) -> u32 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Begins a call; its number.
    pub(crate) fn get(&self, client: &NativeClient, path: &str, mode: u32) -> u32 {
        let call = self.number();
        client.start(call, "GET", path, mode, None, None);
        self.drive();
        call
    }

    /// Makes sure that somebody drives.
    pub(crate) fn drive(&self) {
        let mut seen = self.seen.0.lock().unwrap();
        if seen.driving {
            return;
        }
        seen.driving = true;
        seen.threads += 1;
        drop(seen);
        let (port, seen) = (Arc::clone(&self.port), Arc::clone(&self.seen));
        std::thread::spawn(move || {
            loop {
                let delivery = port.drive();
                let mut state = seen.0.lock().unwrap();
                for frame in frames(&delivery) {
                    state.frames.entry(frame.call).or_default().push(frame);
                }
                let ends = delivery.frames.is_empty() && port.waiting() == 0;
                state.driving = !ends;
                seen.1.notify_all();
                if ends {
                    return;
                }
            }
        });
    }

    fn wait<T>(&self, mut found: impl FnMut(&mut Seen) -> Option<T>) -> T {
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            if let Some(found) = found(&mut seen) {
                return found;
            }
            let (again, late) = self.seen.1.wait_timeout(seen, FOR_EVER).unwrap();
            assert!(!late.timed_out(), "nothing comes any more");
            seen = again;
        }
    }

    /// Waits for the next frame of a call.
    pub(crate) fn frame(&self, call: u32) -> Frame {
        self.wait(|seen| {
            let frames = seen.frames.get_mut(&call)?;
            let frame = frames.remove(0);
            if frames.is_empty() {
                seen.frames.remove(&call);
            }
            Some(frame)
        })
    }

    /// Waits until nobody drives any more; frames that nobody took.
    pub(crate) fn ended(&self) -> Vec<Frame> {
        self.wait(|seen| {
            (!seen.driving).then(|| seen.frames.drain().flat_map(|(_, f)| f).collect())
        })
    }

    /// How many threads have driven.
    pub(crate) fn threads(&self) -> usize {
        self.seen.0.lock().unwrap().threads
    }
}
