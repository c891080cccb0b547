//! The step of a call that takes a permit of a shared quota, with a quota of the user's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright::engine::pacing::WaitReason;
use gatewright::runtime::{BoxFuture, Instant, Runtime};
use gatewright::testing::{Scripted, VirtualClock, answer, answer_with, failure};
use gatewright::{Client, ErrorKind, FailureClass, NoPermit, ShareState, SharedQuota, Taken};

/// A number of permits, each of which takes a second to come by.
#[derive(Clone, Debug, Default)]
struct Shelf {
    left: Arc<AtomicI64>,
    pauses: Arc<Mutex<Vec<Duration>>>,
}

impl Shelf {
    fn with(permits: i64) -> Self {
        let shelf = Self::default();
        shelf.left.store(permits, Ordering::SeqCst);
        shelf
    }

    fn left(&self) -> i64 {
        self.left.load(Ordering::SeqCst)
    }
}

impl SharedQuota for Shelf {
    fn take<'a>(
        &'a self,
        runtime: &'a dyn Runtime,
        _: Instant,
    ) -> BoxFuture<'a, Result<Taken, NoPermit>> {
        Box::pin(async move {
            let until = runtime.instant() + Duration::from_secs(1);
            runtime.sleep_until(until).await;
            let reason = WaitReason::SharedQuota { away: false };
            if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
                return Ok(Taken {
                    waited_for: Some(reason),
                    ticket: 7,
                });
            }
            self.left.fetch_add(1, Ordering::SeqCst);
            Err(NoPermit {
                retry_after: Duration::from_secs(90),
                reason,
            })
        })
    }

    fn give_back(&self, ticket: u64) {
        assert_eq!(ticket, 7);
        self.left.fetch_add(1, Ordering::SeqCst);
    }

    fn on_throttled(&self, pause: Duration) {
        self.pauses.lock().unwrap().push(pause);
    }

    fn state(&self) -> Option<ShareState> {
        let mut state = ShareState::default();
        state.held = u32::try_from(self.left()).unwrap();
        Some(state)
    }
}

fn client(shelf: &Shelf, clock: &VirtualClock, script: Scripted) -> Client {
    Client::builder("https://h.example")
        .shared_quota(shelf.clone())
        .runtime(clock.clone())
        .transport(script)
        .build()
        .unwrap()
}

#[test]
fn each_attempt_takes_a_permit_and_its_record_says_so() {
    let (shelf, clock) = (Shelf::with(5), VirtualClock::new(1));
    let script = Scripted::new([answer(503), answer(200)]);
    let client = client(&shelf, &clock, script);
    let response = clock.block_on(client.get("/x").send()).unwrap();
    for attempt in response.attempts() {
        assert_eq!(attempt.queued, Duration::from_secs(1));
        assert_eq!(
            attempt.queued_for,
            Some(WaitReason::SharedQuota { away: false })
        );
    }
    assert_eq!(response.attempts().len(), 2);
    assert_eq!(client.state().shared_quota.unwrap().held, 3);
}

#[test]
fn a_call_without_a_permit_fails_before_anything_is_sent() {
    let (shelf, clock) = (Shelf::with(0), VirtualClock::new(1));
    let script = Scripted::new([answer(200)]);
    let client = client(&shelf, &clock, script.clone());
    let error = clock.block_on(client.get("/x").send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    assert_eq!(
        error.what(),
        "was not sent: held back for shared quota, its turn would come in 90 s, after its deadline of 60 s"
    );
    assert!(script.requests().is_empty());
}

#[test]
fn a_permit_goes_back_where_nothing_was_sent() {
    let (shelf, clock) = (Shelf::with(5), VirtualClock::new(1));
    let script = Scripted::new([failure(FailureClass::Connect), answer(200)]);
    let client = client(&shelf, &clock, script);
    let response = clock.block_on(client.get("/x").send()).unwrap();
    assert_eq!((response.attempts().len(), shelf.left()), (2, 4));
}

#[test]
fn what_the_server_asks_for_is_told_to_the_quota() {
    let (shelf, clock) = (Shelf::with(9), VirtualClock::new(1));
    let used_up = ("ratelimit", "\"day\";r=0;t=40000");
    let policy = ("ratelimit-policy", "\"day\";q=1000;w=86400");
    let script = Scripted::new([
        answer_with(429, &[("retry-after", "2")], "{}"),
        answer_with(200, &[used_up, policy], "{}"),
    ]);
    let client = client(&shelf, &clock, script);
    clock.block_on(client.get("/x").send()).unwrap();
    let pauses = shelf.pauses.lock().unwrap().clone();
    assert_eq!(pauses[0], Duration::from_secs(2));
    assert!(
        pauses[1].abs_diff(Duration::from_secs(40_000)) < Duration::from_secs(5),
        "{pauses:?}"
    );
}

#[test]
fn a_request_to_another_origin_takes_no_permit() {
    let (shelf, clock) = (Shelf::with(0), VirtualClock::new(1));
    let client = Client::builder("https://h.example")
        .allow_origin("https://files.example")
        .shared_quota(shelf)
        .runtime(clock.clone())
        .transport(Scripted::new([answer(200)]))
        .build()
        .unwrap();
    let call = client.get("https://files.example/x").send();
    assert_eq!(clock.block_on(call).unwrap().status(), 200);
}
