//! A request whose answer is slow is sent once more, and the first success is taken.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | one copy | it ends | done: its answer or error (`an_answer_in_time_is_not_hedged`) |
//! | one copy | its attempt is under way for as long as the hedge says | two copies (`a_slow_answer_is_hedged_and_the_first_success_wins`) |
//! | one copy | as long, but the retry budget is used up | one copy, to its end (`without_budget_there_is_no_second_copy`) |
//! | two copies | one succeeds | done; the other is cancelled, and gives back all that it has (`the_loser_gives_everything_back`) |
//! | two copies | one fails | the other goes on (`a_failure_waits_for_the_other`) |
//! | two copies | both failed | done: the error of the first (`where_both_fail_the_first_error_is_told`) |
//!
//! The second copy makes one attempt. It passes breaker, slots and quotas like any other.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use gatewright_engine::Instant;
use gatewright_engine::attempts::Attempt;
use gatewright_engine::call::Call;

use super::{Prepared, Sent, begin, drive};
use crate::Error;
use crate::client::Inner;
use crate::hedge::Hedge;
use crate::runtime::{BoxFuture, Runtime};

/// What both copies of a request have in common.
pub(super) struct Copies {
    hedge: Hedge,
    pub(super) numbers: Arc<AtomicU32>,
    inner: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    /// When the attempt of the first copy that is under way counts as slow.
    slow_at: Option<Instant>,
    /// Of the copies that are over.
    attempts: Vec<Attempt>,
}

impl Copies {
    fn new(hedge: Hedge) -> Self {
        Self {
            hedge,
            numbers: Arc::default(),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt is under way.
    pub(super) fn on_sent(&self, call: &Call, now: Instant) {
        if !call.is_hedge() {
            let delay = self.hedge.after.or_else(|| call.usual_latency());
            self.lock().slow_at = delay.map(|delay| now + delay);
        }
    }

    /// It is over.
    pub(super) fn on_tried(&self, call: &Call) {
        if !call.is_hedge() {
            self.lock().slow_at = None;
        }
    }

    /// A copy is over: what it did that its result does not tell.
    pub(super) fn on_over(&self, attempts: Vec<Attempt>) {
        self.lock().attempts.extend(attempts);
    }

    /// The attempts of all copies, `own` among them, in order.
    fn all(&self, own: Vec<Attempt>) -> Vec<Attempt> {
        let mut all = std::mem::take(&mut self.lock().attempts);
        all.extend(own);
        all.sort_by_key(|attempt| attempt.number);
        all
    }
}

type Copy<'a> = Pin<Box<dyn Future<Output = Result<Sent, Error>> + Send + 'a>>;

pub(super) async fn hedged(client: &Inner, request: Prepared, hedge: Hedge) -> Result<Sent, Error> {
    let copies = Copies::new(hedge);
    let Some(again) = request.copied() else {
        return drive(begin(client, &request, None), client, request).await;
    };
    let driving = begin(client, &request, Some(&copies));
    let started = driving.call.started();
    let mut first: Option<Copy<'_>> = Some(Box::pin(drive(driving, client, request)));
    let mut slow = Slow {
        runtime: &*client.runtime,
        timer: None,
    };
    let ended = std::future::poll_fn(|cx| {
        if let Some(Poll::Ready(ended)) = first.as_mut().map(|copy| copy.as_mut().poll(cx)) {
            return Poll::Ready(Some(ended));
        }
        slow.poll(copies.lock().slow_at, cx).map(|()| None)
    })
    .await;
    if let Some(ended) = ended {
        return ended;
    }
    let mut driving = begin(client, &again, Some(&copies));
    let mut second: Option<Copy<'_>> = None;
    if driving.call.hedge(started) {
        second = Some(Box::pin(drive(driving, client, again)));
    } else {
        drop(driving);
    }
    let mut failed = [None, None];
    let winner = std::future::poll_fn(|cx| {
        for (at, copy) in [&mut first, &mut second].into_iter().enumerate() {
            let Some(running) = copy else {
                continue;
            };
            let Poll::Ready(ended) = running.as_mut().poll(cx) else {
                continue;
            };
            *copy = None;
            if is_success(&ended) {
                return Poll::Ready(Some(ended));
            }
            if let Some(place) = failed.get_mut(at) {
                *place = Some(ended);
            }
        }
        if first.is_none() && second.is_none() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await;
    // Whoever is still under way is cancelled here, and its record comes in.
    drop((first, second));
    let [of_first, of_second] = failed;
    let (told, other) = match winner {
        Some(success) => (Some(success), [of_first, of_second]),
        None => (of_first, [of_second, None]),
    };
    for lost in other.into_iter().flatten() {
        copies.on_over(attempts_of(lost));
    }
    match told {
        Some(Ok(Sent::Whole(mut answer))) => {
            answer.head.attempts = copies.all(std::mem::take(&mut answer.head.attempts));
            Ok(Sent::Whole(answer))
        }
        Some(Ok(Sent::Streamed(mut answer))) => {
            answer.head.attempts = copies.all(std::mem::take(&mut answer.head.attempts));
            Ok(Sent::Streamed(answer))
        }
        Some(Err(error)) => {
            let mut parts = error.into_parts();
            parts.attempts = copies.all(parts.attempts);
            Err(parts.into())
        }
        None => Err(Error::new(
            crate::ErrorKind::Closed,
            "the call was cancelled",
        )),
    }
}

/// An error status is none, even where the caller wants to see it as an answer.
fn is_success(ended: &Result<Sent, Error>) -> bool {
    let status = match ended {
        Ok(Sent::Whole(answer)) => answer.head.status,
        Ok(Sent::Streamed(answer)) => answer.head.status,
        Err(_) => return false,
    };
    status.as_u16() < 400
}

fn attempts_of(ended: Result<Sent, Error>) -> Vec<Attempt> {
    match ended {
        Ok(Sent::Whole(answer)) => answer.head.attempts,
        Ok(Sent::Streamed(answer)) => answer.head.attempts,
        Err(error) => error.into_parts().attempts,
    }
}

/// Waits for a moment that comes, moves and goes as attempts begin and end.
struct Slow<'a> {
    runtime: &'a dyn Runtime,
    timer: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Slow<'_> {
    fn poll(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at else {
            self.timer = None;
            return Poll::Pending;
        };
        while self.runtime.instant() < at {
            if self.timer.as_ref().is_none_or(|(set, _)| *set != at) {
                self.timer = Some((at, self.runtime.sleep_until(at)));
            }
            if let Some((_, timer)) = &mut self.timer {
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                // A far-off moment may be cut short.
                self.timer = None;
            }
        }
        Poll::Ready(())
    }
}
