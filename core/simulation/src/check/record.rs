//! The record of a call, compared with what was seen of it.

use std::time::Duration;

use gatewright_engine::attempts::{Attempt, Decision, Outcome};
use gatewright_engine::call::Done;

use super::{Came, Facts};
use crate::gateway::Told;

/// Compares the record with what was seen.
pub(super) fn compare(
    facts: &Facts,
    done: Option<&Done>,
    record: &[Attempt],
    budget: u32,
) -> Result<(), String> {
    if record.len() != facts.seen.len() {
        return Err(format!(
            "{} attempts, {} in the record",
            facts.seen.len(),
            record.len()
        ));
    }
    for (at, (attempt, seen)) in record.iter().zip(&facts.seen).enumerate() {
        let number = attempt.number;
        let started = seen.sent.since(facts.started);
        // The copies of a request count their attempts together.
        let counted = match facts.hedge || facts.copies > 0 {
            true => at == 0 || number > record[at - 1].number,
            false => number as usize == at + 1,
        };
        if !counted || attempt.started != started {
            return Err(format!(
                "attempt {} was sent after {started:?}: {attempt}",
                at + 1
            ));
        }
        if attempt.took != seen.ended.since(seen.sent) {
            return Err(format!(
                "it took {:?}: {attempt}",
                seen.ended.since(seen.sent)
            ));
        }
        let same = match (&attempt.outcome, seen.came) {
            (Outcome::Status(said), Came::Answer(status, _)) => *said == status,
            (Outcome::Failed { class, .. }, Came::Failure(failed)) => *class == failed,
            (Outcome::Cancelled, Came::Cancelled) => true,
            _ => false,
        };
        if !same {
            return Err(format!("it came to {:?}: {attempt}", seen.came));
        }
        let told = match seen.came {
            Came::Answer(400.., Told::For(span)) => Some(Some(Duration::from_nanos(span))),
            Came::Answer(_, Told::Until(_)) => None,
            _ => Some(None),
        };
        if told.is_some_and(|told| told != attempt.retry_after) {
            return Err(format!("the gateway said {told:?}: {attempt}"));
        }
        if attempt.budget_left > budget {
            return Err(format!("the budget holds {budget}: {attempt}"));
        }
        compare_decision(attempt, record.get(at + 1), done)?;
    }
    let answered = facts.seen.last().map(|seen| seen.came);
    let good = matches!(answered, Some(Came::Answer(..400, _)));
    // A redirect may be returned, or refused.
    let redirect = matches!(answered, Some(Came::Answer(300..400, _)));
    if !redirect && done.is_some_and(|done| (*done == Done::Return) != good) {
        return Err(format!("it ended as {done:?} after {answered:?}"));
    }
    Ok(())
}

/// A decision fits what came after it.
fn compare_decision(
    attempt: &Attempt,
    next: Option<&Attempt>,
    done: Option<&Done>,
) -> Result<(), String> {
    let ended = attempt.started + attempt.took;
    let fits = match (attempt.decision, next) {
        (Decision::Retry { wait, .. }, Some(next)) => {
            let turn = ended + wait;
            next.started >= turn && next.queued <= next.started - turn
        }
        (Decision::RefreshToken | Decision::Redirect, Some(next)) => {
            next.started >= ended && next.queued <= next.started - ended
        }
        // It meant to go on, but the deadline came, or the caller went away.
        (Decision::Retry { .. } | Decision::RefreshToken | Decision::Redirect, None) => {
            done != Some(&Done::Return)
        }
        (Decision::Return, None) => done == Some(&Done::Return),
        (Decision::GiveUp(_), None) => matches!(done, Some(Done::Fail(_)) | None),
        (Decision::None, None) => done.is_none(),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("what came next does not fit: {attempt}"))
    }
}
