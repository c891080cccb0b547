//! A logical call as a picture: a bar for each attempt, the waits between them with what was asked for, and the quota below.
//!
//! All places along the time are percentages, so that the picture is as wide as its room while texts stay as large as they
//! are. Nothing has a style of its own: colours are classes of the style sheets of the dashboard and of the verdict's page.

use std::fmt::Write as _;

use super::{TimelineAttempt, TimelineCall};
use crate::verdict::End;

const HEIGHT: f64 = 74.0;
/// The lane of attempts.
const LANE: (f64, f64) = (20.0, 20.0);
/// The lane of the quota's level.
const QUOTA: (f64, f64) = (58.0, 14.0);
/// Percents left free on both sides.
const MARGIN: f64 = 1.0;
/// The narrowest bar and the least room for a label, in percents.
const MIN_BAR: f64 = 0.6;
const MIN_LABEL: f64 = 7.0;
/// Attempts that are drawn; a picture with more says no more.
const MAX_DRAWN: usize = 200;

/// The picture, as an `svg` element.
pub(crate) fn svg(call: &TimelineCall) -> String {
    let mut out = String::with_capacity(1_024);
    let start = call.attempts.first().map_or(0.0, |first| first.start_ms);
    let asked_until = call.last().map_or(0.0, |last| {
        end(last) + last.asked_ms.unwrap_or(0) as f64 - start
    });
    // A wait that was asked for at the end is shown, unless it would hide all else.
    let took = call.took_ms().max(0.001);
    let total = if asked_until < took * 4.0 {
        took.max(asked_until)
    } else {
        took
    };
    let x = |ms: f64| MARGIN + (ms - start).max(0.0) / total * (100.0 - 2.0 * MARGIN);
    let _ = write!(
        out,
        "<svg class=\"timeline\" role=\"img\" width=\"100%\" height=\"{HEIGHT}\" aria-label=\"{}\">",
        escaped(&summary(call))
    );
    let _ = write!(
        out,
        "<line class=\"lane\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/>",
        LANE.0 + LANE.1 / 2.0
    );
    let mut labelled = f64::NEG_INFINITY;
    for (at, attempt) in call.attempts.iter().enumerate().take(MAX_DRAWN) {
        let from = x(attempt.start_ms).min(100.0 - MARGIN - MIN_BAR);
        let to = x(end(attempt)).max(from + MIN_BAR).min(100.0);
        if let Some(asked) = attempt.asked_ms {
            // No further than the next attempt, that what comes early is told from what is asked again.
            let next = call
                .attempts
                .get(at + 1)
                .map_or(100.0, |next| x(next.start_ms));
            let until = x(end(attempt) + asked as f64).min(100.0).min(next);
            let _ = write!(
                out,
                "<rect class=\"asked\" x=\"{to:.3}%\" y=\"{}\" width=\"{:.3}%\" height=\"{}\"><title>asked to wait {}</title></rect>",
                LANE.0 + 4.0,
                (until - to).max(0.0),
                LANE.1 - 8.0,
                duration(asked as f64)
            );
        }
        if let Some(next) = call.attempts.get(at + 1) {
            wait(&mut out, attempt, next, (to, x(next.start_ms)));
        }
        let _ = write!(
            out,
            "<rect class=\"attempt {}\" x=\"{from:.3}%\" y=\"{}\" width=\"{:.3}%\" height=\"{}\" rx=\"3\"><title>{}</title></rect>",
            attempt.class(),
            LANE.0,
            to - from,
            LANE.1,
            escaped(&described(attempt, at))
        );
        if from - labelled >= MIN_LABEL {
            let (anchor, place) = if from > 90.0 {
                ("end", to)
            } else {
                ("start", from)
            };
            let _ = write!(
                out,
                "<text class=\"status {}\" x=\"{place:.3}%\" y=\"13\" text-anchor=\"{anchor}\">{}</text>",
                attempt.class(),
                in_a_word(attempt.end)
            );
            labelled = from;
        }
        if let Some((remaining, limit)) = attempt.quota {
            level(&mut out, from, remaining, limit);
        }
    }
    out.push_str("</svg>");
    out
}

/// The wait between two attempts.
fn wait(
    out: &mut String,
    before: &TimelineAttempt,
    next: &TimelineAttempt,
    (from, to): (f64, f64),
) {
    let Some(waited) = next.waited_ms.filter(|waited| *waited > 0.0 && to > from) else {
        return;
    };
    let asked = before.asked_ms.map(|asked| asked as f64);
    let early = asked.is_some_and(|asked| waited < asked);
    let _ = write!(
        out,
        "<line class=\"wait{}\" x1=\"{from:.3}%\" x2=\"{to:.3}%\" y1=\"{1}\" y2=\"{1}\"/>",
        if early { " early" } else { "" },
        LANE.0 + LANE.1 / 2.0
    );
    if to - from >= MIN_LABEL {
        // In its middle, or from the end that is near: a narrow picture has no room beside it.
        let (anchor, place) = match f64::midpoint(from, to) {
            left if left < 100.0 / 3.0 => ("start", from),
            right if right > 200.0 / 3.0 => ("end", to),
            middle => ("middle", middle),
        };
        let _ = write!(
            out,
            "<text class=\"waited{}\" x=\"{place:.3}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            if early { " early" } else { "" },
            LANE.0 + LANE.1 + 12.0,
            match asked {
                Some(asked) if waited < asked =>
                    format!("{} of {}", duration(waited), duration(asked)),
                _ => duration(waited),
            }
        );
    }
}

/// How full the quota was.
fn level(out: &mut String, at: f64, remaining: u64, limit: u64) {
    let share = if limit == 0 {
        0.0
    } else {
        (remaining as f64 / limit as f64).clamp(0.0, 1.0)
    };
    let height = (QUOTA.1 * share).max(1.0);
    let _ = write!(
        out,
        "<rect class=\"bound\" x=\"{at:.3}%\" y=\"{}\" width=\"8\" height=\"{}\"/>\
         <rect class=\"level\" x=\"{at:.3}%\" y=\"{}\" width=\"8\" height=\"{height}\"><title>{remaining} of {limit} calls left</title></rect>",
        QUOTA.0,
        QUOTA.1,
        QUOTA.0 + QUOTA.1 - height
    );
}

fn end(attempt: &TimelineAttempt) -> f64 {
    attempt.end_ms.unwrap_or(attempt.start_ms)
}

/// The whole call in words, for those who do not see it.
fn summary(call: &TimelineCall) -> String {
    let mut text = match call.attempts.len() {
        1 => "1 attempt: ".to_owned(),
        many => format!("{many} attempts: "),
    };
    for (at, attempt) in call.attempts.iter().enumerate().take(20) {
        match attempt.waited_ms {
            Some(waited) => {
                let _ = write!(text, "; after {} ", duration(waited));
            }
            None if at > 0 => text.push_str("; beside it "),
            None => {}
        }
        text.push_str(&attempt.outcome());
        if let Some(asked) = attempt.asked_ms {
            let _ = write!(text, " that asked to wait {}", duration(asked as f64));
        }
    }
    if call.attempts.len() > 20 {
        text.push_str("; and so on");
    }
    text
}

fn described(attempt: &TimelineAttempt, at: usize) -> String {
    let mut text = format!("attempt {}: {}", at + 1, attempt.outcome());
    if let Some(end) = attempt.end_ms {
        let _ = write!(text, " after {}", duration(end - attempt.start_ms));
    }
    if let Some(fault) = &attempt.fault {
        let _ = write!(text, ", fault {fault}");
    }
    text
}

/// `310 µs`, `12 ms`, `2.05 s`, `3 min 20 s`.
pub(crate) fn duration(ms: f64) -> String {
    if ms < 1.0 {
        format!("{:.0} µs", ms * 1_000.0)
    } else if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else if ms < 120_000.0 {
        format!("{:.2} s", ms / 1_000.0)
    } else if ms < 7_200_000.0 {
        format!(
            "{:.0} min {:.0} s",
            (ms / 60_000.0).floor(),
            (ms % 60_000.0) / 1_000.0
        )
    } else {
        format!("{:.1} h", ms / 3_600_000.0)
    }
}

/// An end in so little room that it does not run into the next one.
fn in_a_word(end: End) -> String {
    match end {
        End::Answered(status) | End::Broken(status) => status.to_string(),
        End::Cut => "cut".into(),
        End::Left => "left".into(),
        End::Open => "…".into(),
    }
}

/// Text as it may stand in HTML and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Nothing that arrived may move the page's text about.
            char if char.is_control() => safe.push(' '),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> TimelineCall {
        let attempt = |seq, start_ms, end, waited_ms, asked_ms| TimelineAttempt {
            seq,
            start_ms,
            end_ms: Some(start_ms + 10.0),
            end,
            fault: Some("503;body=\"<b>\"".into()),
            waited_ms,
            asked_ms,
            quota: Some((3, 10)),
            committed: false,
        };
        TimelineCall {
            name: Some("key:a".into()),
            op: "contacts.create",
            title: "POST /v1/contacts".into(),
            at_ms: 0,
            attempts: vec![
                attempt(1, 0.0, End::Answered(503), None, Some(2_000)),
                attempt(2, 2_100.0, End::Cut, Some(2_090.0), None),
                attempt(3, 2_400.0, End::Answered(201), Some(290.0), None),
            ],
        }
    }

    #[test]
    fn it_says_what_it_shows() {
        let svg = svg(&call());
        assert!(svg.contains(
            "aria-label=\"3 attempts: 503 that asked to wait 2.00 s; after 2.09 s no answer; after 290 ms 201\""
        ));
        assert_eq!(svg.matches("class=\"attempt ").count(), 3);
        assert!(!svg.contains("<b>") && !svg.contains("style="));
    }

    #[test]
    fn a_label_near_an_end_goes_inwards() {
        let svg = svg(&call());
        let labels: Vec<&str> = svg.split("class=\"waited").skip(1).collect();
        let anchors = labels.iter().map(|label| {
            let anchor = label.split("text-anchor=\"").nth(1).unwrap();
            anchor.split('"').next().unwrap()
        });
        assert_eq!(anchors.collect::<Vec<&str>>(), ["middle", "end"]);
    }

    #[test]
    fn every_place_is_inside() {
        let svg = svg(&call());
        for part in svg.split(" x=\"").skip(1) {
            let place = part.split('%').next().unwrap();
            let place: f64 = place.parse().unwrap();
            assert!((0.0..=100.0).contains(&place), "{place}");
        }
    }
}
