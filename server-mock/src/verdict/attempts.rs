//! The rules about one call: what its client did between one attempt and the next, and when it stopped.

use std::time::Duration;

use super::aspect::Aspect;
use super::calls::is_final;
use super::grade::Mark;
use super::report::{Finding, Tally};
use super::request::{End, Request};

/// A timer may be early by so much.
pub(super) const TOLERANCE_MS: f64 = 5.0;
/// A date's grain: a client that reads it against a clock of its own is right to within a second.
const DATE_GRAIN_MS: f64 = 1_000.0;
/// A wait shorter than this is none.
pub(super) const NO_WAIT_MS: f64 = 20.0;
/// More attempts than these are many, and far too many.
const MANY_ATTEMPTS: usize = 5;
const TOO_MANY_ATTEMPTS: usize = 10;
/// A client that gives up instead of waiting longer than this is right.
const LONG_WAIT_MS: u64 = 30_000;
/// A client that still waits for an answer after so long has no timeout. The gateway holds nothing back longer.
const PATIENCE: Duration = Duration::from_secs(59);

/// The waits that clients chose themselves, by the number of the attempt before.
#[derive(Default)]
pub(super) struct Waits {
    /// Before the second attempt, in milliseconds.
    pub(super) first: Vec<f64>,
    /// Before the third.
    pub(super) second: Vec<f64>,
}

/// Judges one call; what was wrong is returned and counted. It is known of the call whether the client named it, and of
/// each request whether it ended while the server was down, or a copy of it was under way.
pub(super) fn judge(
    attempts: &[&Request],
    (named, is_excused): (bool, &dyn Fn(&Request) -> bool),
    tally: &mut Tally,
    waits: &mut Waits,
) -> Vec<Finding> {
    let mut call = Call {
        named,
        gave_up_rightly: decisive(attempts)
            .is_some_and(|last| last.end().failed() && is_excused(last)),
        tally,
        findings: Vec::new(),
    };
    for request in attempts {
        // Who leaves one copy of two is no proof of a timeout.
        if !lost(request, attempts) {
            call.timeout(request);
        }
    }
    for (at, pair) in attempts.windows(2).enumerate() {
        let [before, after] = pair else { continue };
        call.again(before, after, at, waits);
    }
    call.unhurried(attempts);
    call.effects(attempts);
    call.end(attempts);
    call.findings
}

struct Call<'a> {
    named: bool,
    /// It ended while the server was down: whoever stops then spares it. Or beside a copy: it goes on.
    gave_up_rightly: bool,
    tally: &'a mut Tally,
    findings: Vec<Finding>,
}

impl Call<'_> {
    fn wrong(&mut self, aspect: Aspect, mark: Mark, at: &Request, text: String) {
        let finding = Finding::new(aspect, mark, at, text);
        self.tally.broken(&finding);
        self.findings.push(finding);
    }

    /// One attempt after another.
    fn again(&mut self, before: &Request, after: &Request, at: usize, waits: &mut Waits) {
        self.key(before, after);
        let end = before.end();
        if end.is_unknown() || end.is_open() || matches!(end, End::Answered(500..)) {
            self.unsafe_retry(before, after);
        }
        let Some(waited) = after.waited_ms(before) else {
            // Sent while the one before was still going on: a hedge, which waits for nothing.
            return;
        };
        if let End::Answered(status) = end
            && is_final(status)
        {
            self.final_error(before, after, status);
            return;
        }
        if !end.failed() {
            return;
        }
        if before.told.should_retry == Some(false) {
            self.wrong(
                Aspect::FinalErrors,
                Mark::Minor,
                after,
                "tried again although x-should-retry said false".into(),
            );
        }
        if let Some(asked) = before.asked_ms() {
            let tolerance = if before.told.by_date {
                DATE_GRAIN_MS + TOLERANCE_MS
            } else {
                TOLERANCE_MS
            };
            if waited + tolerance < asked as f64 {
                let text = format!("came back after {waited:.0} ms when {asked} ms were asked for");
                self.wrong(Aspect::RetryAfter, Mark::Major, after, text);
            } else {
                self.tally.kept(Aspect::RetryAfter);
            }
        } else {
            match at {
                0 => waits.first.push(waited),
                1 => waits.second.push(waited),
                _ => {}
            }
        }
    }

    fn key(&mut self, before: &Request, after: &Request) {
        match (&before.key, &after.key) {
            (Some(a), Some(b)) if a == b => {
                if before.body != after.body {
                    let text = "the same key came with another body".into();
                    self.wrong(Aspect::IdempotencyKey, Mark::Major, after, text);
                } else {
                    self.tally.kept(Aspect::IdempotencyKey);
                }
            }
            (Some(_), Some(_)) => {
                let text = "another attempt, another idempotency key".into();
                self.wrong(Aspect::IdempotencyKey, Mark::Major, after, text);
            }
            (Some(_), None) => {
                let text = "the second attempt had no idempotency key any more".into();
                self.wrong(Aspect::IdempotencyKey, Mark::Major, after, text);
            }
            (None, _) => {}
        }
    }

    /// A repetition of what may have been done.
    fn unsafe_retry(&mut self, before: &Request, after: &Request) {
        if [before, after]
            .iter()
            .all(|one| one.is_idempotent() || one.conditional)
        {
            if before.key.is_some() {
                self.tally.kept(Aspect::UnsafeRetry);
            }
            return;
        }
        // The authorization server has rules of its own, and no keys. Who is asked to come back may do so.
        let is_asked_for = before.asked_ms().is_some() || before.told.should_retry == Some(true);
        if before.is_of_authorization() || is_asked_for {
            return;
        }
        let what = match before.end() {
            End::Answered(status) => format!("after {status}"),
            End::Left => "after the client itself had left".into(),
            _ => "after the answer was lost".into(),
        };
        let text = format!("{} without a key sent again {what}", before.method);
        self.wrong(Aspect::UnsafeRetry, Mark::Major, after, text);
    }

    fn final_error(&mut self, before: &Request, after: &Request, status: u16) {
        // Another credential, or a fresh proof, is another request; 413 with Retry-After passes (RFC 9110, 15.5.14). An
        // authorization server asks for a nonce in the proof by 400 (RFC 9449, section 8).
        let is_other = before.credential != after.credential || after.has_proof;
        let is_fresh_proof = after.has_proof && before.is_of_authorization();
        if (status == 401 && is_other)
            || (status == 400 && is_fresh_proof)
            || before.asked_ms().is_some()
            || before.told.should_retry == Some(true)
        {
            return;
        }
        // Where the client did not name the call it may have been somebody who asked again.
        let mark = if self.named { Mark::Major } else { Mark::Minor };
        let text = format!("{status} sent again");
        self.wrong(Aspect::FinalErrors, mark, after, text);
    }

    fn timeout(&mut self, request: &Request) {
        let took = Duration::from_nanos(request.took_ns.unwrap_or(0));
        match request.left_ns {
            Some(left_ns) => {
                let after = Duration::from_nanos(left_ns).as_secs_f64();
                self.tally
                    .kept_as(Aspect::Timeout, format!("left after {after:.1} s"));
            }
            None if took >= PATIENCE => {
                let text = "was still there when nothing had come for a minute".into();
                self.wrong(Aspect::Timeout, Mark::Major, request, text);
            }
            None => {}
        }
    }

    /// Attempts that follow each other without a pause.
    fn unhurried(&mut self, attempts: &[&Request]) {
        let own: Vec<f64> = attempts
            .windows(2)
            .filter_map(|pair| {
                let [before, after] = pair else { return None };
                let chosen = before.end().failed()
                    && before.asked_ms().is_none()
                    && !matches!(before.end(), End::Answered(status) if is_final(status));
                chosen.then(|| after.waited_ms(before)).flatten()
            })
            .collect();
        let Some(last) = attempts.last().filter(|_| !own.is_empty()) else {
            return;
        };
        let hurried = own.iter().filter(|wait| **wait < NO_WAIT_MS).count();
        match own.len() {
            all if hurried < all => self.tally.kept(Aspect::Backoff),
            // One wait that was none may be chance, and what all calls say of it is judged of them together.
            1 => {}
            all => {
                let text = format!("{} attempts without a wait between them", all + 1);
                self.wrong(Aspect::Backoff, Mark::Major, last, text);
            }
        }
    }

    /// What happened for the call.
    fn effects(&mut self, attempts: &[&Request]) {
        let Some(last) = attempts.last().filter(|_| attempts.len() > 1) else {
            return;
        };
        let done = attempts
            .iter()
            // A token more does no harm, and the authorization server itself sees to what is good only once.
            .filter(|request| !request.is_of_authorization())
            .filter(|request| request.committed && !request.method.is_idempotent())
            .count();
        match done {
            0 => {}
            1 => self.tally.kept(Aspect::SideEffects),
            _ => {
                let text = format!("{} happened {done} times for one call", last.op);
                self.wrong(Aspect::SideEffects, Mark::Critical, last, text);
            }
        }
    }

    /// How the call ended.
    fn end(&mut self, attempts: &[&Request]) {
        let (Some(first), Some(last)) = (attempts.first(), decisive(attempts)) else {
            return;
        };
        let tries = attempts.len();
        if tries > MANY_ATTEMPTS {
            // Where the client did not name the call it may have been somebody who asked again and again.
            let mark = if tries > TOO_MANY_ATTEMPTS && self.named {
                Mark::Major
            } else {
                Mark::Minor
            };
            self.wrong(Aspect::Attempts, mark, last, format!("{tries} attempts"));
        } else if first.end().failed() {
            self.tally.kept(Aspect::Attempts);
        }
        match last.end() {
            End::Answered(status) if is_final(status) => self.tally.kept(Aspect::FinalErrors),
            end if end.failed() => self.given_up(first, last, tries),
            _ if tries > 1 && first.end().failed() => self.tally.kept(Aspect::Recovery),
            _ => {}
        }
    }

    /// The last attempt failed by something that passes.
    fn given_up(&mut self, first: &Request, last: &Request, tries: usize) {
        let is_kept_away = last.asked_ms().is_some_and(|asked| asked > LONG_WAIT_MS)
            || last.told.should_retry == Some(false)
            || matches!(last.end(), End::Answered(409 | 501 | 505..));
        if !last.is_idempotent() && last.end().is_unknown() {
            self.tally.kept(Aspect::UnsafeRetry);
        } else if tries > 1 {
            self.tally.kept(Aspect::Recovery);
        } else if first.is_idempotent() && !is_kept_away && !self.gave_up_rightly {
            let what = last.end().in_words();
            let text = format!("gave up after one attempt that ended with {what}");
            self.wrong(Aspect::Recovery, Mark::Minor, last, text);
        }
    }
}

/// Whether a request is the copy of another attempt that was answered first.
fn lost(request: &Request, attempts: &[&Request]) -> bool {
    attempts.iter().any(|other| request.lost_to(other))
}

/// The attempt by which a call ended: the last that was no slower copy of another.
pub(super) fn decisive<'a>(attempts: &[&'a Request]) -> Option<&'a Request> {
    let mut backwards = attempts.iter().rev();
    backwards.find(|one| !lost(one, attempts)).copied()
}
