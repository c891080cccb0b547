//! Whether what a server said of its limits was true, judged by what it then did.

use serde::Serialize;

use super::said::Said;

/// One answer of the server.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Seen {
    /// When it was asked and when it had answered, in seconds since the first request.
    pub(super) asked_s: f64,
    pub(super) answered_s: f64,
    pub(super) status: u16,
    pub(super) said: Option<Said>,
    /// The wait that a refusal asked for, in seconds; text where it means nothing.
    pub(super) retry_after: Option<Result<f64, String>>,
    /// Whether it was sent right after waiting as the refusal before it asked.
    pub(super) after_wait: bool,
}

/// What can be found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// `headers`, `remaining`, `early`, `late`, `retry-after`, `wait`.
    pub(super) claim: &'static str,
    pub(super) verdict: Verdict,
    pub(super) detail: String,
}

/// Whether a claim of the server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    True,
    /// Nothing that happened could show it.
    Unknown,
    Untrue,
}

/// All findings, in the order of a report.
pub(super) fn judge(seen: &[Seen]) -> Vec<Finding> {
    vec![
        headers(seen),
        remaining(seen),
        early(seen),
        late(seen),
        retry_after(seen),
        wait(seen),
    ]
}

fn finding(claim: &'static str, verdict: Verdict, detail: impl Into<String>) -> Finding {
    let detail = detail.into();
    Finding {
        claim,
        verdict,
        detail,
    }
}

fn headers(seen: &[Seen]) -> Finding {
    let with = seen.iter().filter_map(|one| one.said.as_ref());
    let count = with.clone().count();
    match with.clone().next() {
        None => finding(
            "headers",
            Verdict::Unknown,
            "no answer has limit headers that can be read",
        ),
        Some(said) => finding(
            "headers",
            Verdict::True,
            format!(
                "{count} of {} answers say their limits, by {}",
                seen.len(),
                said.dialect
            ),
        ),
    }
}

/// Neighbours that were both let in and say the same limit.
fn neighbours(seen: &[Seen]) -> impl Iterator<Item = (&Seen, &Said, &Seen, &Said)> {
    seen.windows(2).filter_map(|two| {
        let [before, after] = two else { return None };
        let (said, then) = (before.said.as_ref()?, after.said.as_ref()?);
        (said.limit == then.limit).then_some((before, said, after, then))
    })
}

/// What may have come back between two answers at most: the whole limit comes back in its window, or, where that is not
/// told, in what was said to be missing.
fn back(said: &Said, seconds: f64) -> f64 {
    let limit = said.limit.unwrap_or(f64::MAX);
    let over = match (said.window_s, said.reset_s) {
        (Some(window), _) => Some((limit, window)),
        (None, Some(reset)) => Some((limit - said.remaining, reset)),
        (None, None) => None,
    };
    match over {
        // Told in whole seconds, rounded up: it may be up to one second sooner.
        Some((units, within)) => units * seconds / (within - 1.0).max(0.001) + 1.0,
        None => f64::MAX,
    }
}

fn remaining(seen: &[Seen]) -> Finding {
    let let_in = neighbours(seen).filter(|(before, _, after, _)| is_in(before) && is_in(after));
    let (mut pairs, mut falls, mut rises, mut jumps) = (0u32, 0u32, 0u32, 0u32);
    for (before, said, after, then) in let_in {
        pairs += 1;
        let seconds = after.answered_s - before.asked_s;
        let expected = said.remaining - 1.0;
        if then.remaining < said.remaining {
            falls += 1;
        }
        if then.remaining > expected + back(said, seconds) && !is_reset(said, seconds) {
            rises += 1;
        }
        if then.remaining < expected - 0.5 {
            jumps += 1;
        }
    }
    if pairs < 2 {
        return finding("remaining", Verdict::Unknown, "too few answers to compare");
    }
    if rises > 0 {
        let detail = format!("it grew {rises} times by more than its window can have given back");
        return finding("remaining", Verdict::Untrue, detail);
    }
    if falls == 0 {
        let detail = format!("it stayed the same over {pairs} requests that were let in");
        return finding("remaining", Verdict::Untrue, detail);
    }
    if jumps > 0 {
        let detail = format!(
            "it fell {jumps} times by more than one: others use this limit too, or a request costs more"
        );
        return finding("remaining", Verdict::Unknown, detail);
    }
    finding(
        "remaining",
        Verdict::True,
        format!("it fell with the requests, over {pairs} of them"),
    )
}

/// The window ended between two answers.
fn is_reset(said: &Said, seconds: f64) -> bool {
    said.reset_s.is_some_and(|reset| seconds >= reset - 1.0)
}

fn is_in(seen: &Seen) -> bool {
    seen.status != 429
}

fn early(seen: &[Seen]) -> Finding {
    let mut early = 0;
    let mut refused = 0;
    for two in seen.windows(2) {
        let [before, after] = two else { continue };
        if after.status == 429 && before.status != 429 {
            refused += 1;
            if before
                .said
                .as_ref()
                .is_some_and(|said| said.remaining >= 1.0)
            {
                early += 1;
            }
        }
    }
    match (refused, early) {
        (0, _) => finding(
            "early",
            Verdict::Unknown,
            "it refused nothing; ask more with --requests",
        ),
        (_, 0) => finding(
            "early",
            Verdict::True,
            format!("it refused only when nothing was left, {refused} times"),
        ),
        _ => finding(
            "early",
            Verdict::Untrue,
            format!(
                "{early} of {refused} refusals came although the answer before said that something was left"
            ),
        ),
    }
}

/// A part of a unit may be left where nothing whole is, and one comes back from time to time; more is a lie.
fn late(seen: &[Seen]) -> Finding {
    let mut spent = 0;
    let mut since: Option<(&Seen, &Said)> = None;
    let (mut within, mut most_over) = (0.0, 0.0_f64);
    for one in seen {
        let Some(said) = one.said.as_ref().filter(|said| said.remaining < 1.0) else {
            since = None;
            continue;
        };
        spent += 1;
        let (first, told) = *since.get_or_insert_with(|| {
            within = 0.0;
            (one, said)
        });
        if is_in(one) && !std::ptr::eq(first, one) {
            within += 1.0;
            most_over = most_over.max(within - back(told, one.answered_s - first.asked_s));
        }
    }
    match spent {
        0 => finding(
            "late",
            Verdict::Unknown,
            "it never said that nothing is left",
        ),
        _ if most_over > 0.0 => finding(
            "late",
            Verdict::Untrue,
            format!("with nothing left it let in {most_over:.0} more than can have come back"),
        ),
        _ => finding(
            "late",
            Verdict::True,
            "with nothing left it let in no more than came back",
        ),
    }
}

fn retry_after(seen: &[Seen]) -> Finding {
    let refusals: Vec<&Seen> = seen.iter().filter(|one| one.status == 429).collect();
    let silent = refusals
        .iter()
        .filter(|one| one.retry_after.is_none())
        .count();
    let odd = refusals
        .iter()
        .find_map(|one| one.retry_after.as_ref()?.as_ref().err());
    match (refusals.len(), silent, odd) {
        (0, _, _) => finding("retry-after", Verdict::Unknown, "it refused nothing"),
        (_, _, Some(text)) => finding(
            "retry-after",
            Verdict::Untrue,
            format!("{text:?} is neither seconds nor a date"),
        ),
        (all, 0, None) => finding(
            "retry-after",
            Verdict::True,
            format!("all {all} refusals say how long to wait"),
        ),
        (all, silent, None) => finding(
            "retry-after",
            Verdict::Untrue,
            format!("{silent} of {all} refusals do not say how long to wait"),
        ),
    }
}

fn wait(seen: &[Seen]) -> Finding {
    let waited: Vec<&Seen> = seen.iter().filter(|one| one.after_wait).collect();
    let refused = waited.iter().filter(|one| one.status == 429).count();
    match (waited.len(), refused) {
        (0, _) => finding(
            "wait",
            Verdict::Unknown,
            "no wait was short enough to try; see --max-wait",
        ),
        (all, 0) => finding(
            "wait",
            Verdict::True,
            format!("after waiting as told it let in, {all} of {all} times"),
        ),
        (all, refused) => finding(
            "wait",
            Verdict::Untrue,
            format!("after waiting as told it refused again, {refused} of {all} times"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: f64, status: u16, remaining: f64) -> Seen {
        Seen {
            asked_s: at,
            answered_s: at + 0.01,
            status,
            said: Some(Said {
                dialect: "RateLimit-*",
                limit: Some(3.0),
                remaining,
                reset_s: Some(60.0),
                window_s: Some(60.0),
            }),
            retry_after: (status == 429).then_some(Ok(1.0)),
            after_wait: false,
        }
    }

    fn verdict(seen: &[Seen], claim: &str) -> Verdict {
        judge(seen)
            .iter()
            .find(|one| one.claim == claim)
            .unwrap()
            .verdict
    }

    #[test]
    fn a_server_that_is_true_is_found_true() {
        let mut answers = vec![
            seen(0.0, 200, 2.0),
            seen(0.1, 200, 1.0),
            seen(0.2, 200, 0.0),
            seen(0.3, 429, 0.0),
            seen(1.4, 200, 0.0),
        ];
        answers[4].after_wait = true;
        for found in judge(&answers) {
            assert_eq!(found.verdict, Verdict::True, "{found:?}");
        }
    }

    #[test]
    fn each_lie_is_found() {
        let still = [
            seen(0.0, 200, 2.0),
            seen(0.1, 200, 2.0),
            seen(0.2, 200, 2.0),
        ];
        assert_eq!(verdict(&still, "remaining"), Verdict::Untrue);
        let grows = [
            seen(0.0, 200, 0.0),
            seen(0.1, 200, 3.0),
            seen(0.2, 200, 2.0),
        ];
        assert_eq!(verdict(&grows, "remaining"), Verdict::Untrue);
        let early = [seen(0.0, 200, 2.0), seen(0.1, 429, 0.0)];
        assert_eq!(verdict(&early, "early"), Verdict::Untrue);
        let late: Vec<Seen> = (0..9)
            .map(|n| seen(f64::from(n) / 10.0, 200, 0.0))
            .collect();
        assert_eq!(verdict(&late, "late"), Verdict::Untrue);
        let mut odd = [seen(0.0, 429, 0.0)];
        odd[0].retry_after = Some(Err("soon".into()));
        assert_eq!(verdict(&odd, "retry-after"), Verdict::Untrue);
        odd[0].retry_after = None;
        assert_eq!(verdict(&odd, "retry-after"), Verdict::Untrue);
        let mut again = [seen(0.0, 429, 0.0), seen(1.0, 429, 0.0)];
        again[1].after_wait = true;
        assert_eq!(verdict(&again, "wait"), Verdict::Untrue);
    }

    #[test]
    fn nothing_seen_is_nothing_known() {
        for found in judge(&[]) {
            assert_eq!(found.verdict, Verdict::Unknown, "{found:?}");
        }
    }
}
