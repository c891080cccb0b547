//! A call as a picture: its attempts as bars on one line, its waits as dashes between them, and what the server asked
//! for as a thin line above. Colours come from the page by class, so that light and dark both work.

use std::fmt::Write as _;

use super::report::{AttemptVerdict, CallVerdict, Quota};

/// Width of the picture; heights are given where they are used.
const WIDTH: f64 = 720.0;
/// What is left free at both ends.
const MARGIN: f64 = 8.0;
/// The narrowest bar that can be seen.
const MIN_BAR: f64 = 4.0;
/// Attempts and points drawn; a picture with more says no more.
const MAX_DRAWN: usize = 200;

/// The picture of one call.
pub(super) fn of(call: &CallVerdict) -> String {
    let begin = call.attempts.first().map_or(0.0, |first| first.start_ms);
    let end = call
        .attempts
        .iter()
        .filter_map(|attempt| attempt.end_ms)
        .fold(begin, f64::max);
    let span = (end - begin).max(1.0);
    let x = |ms: f64| MARGIN + (ms - begin) / span * (WIDTH - 2.0 * MARGIN - MIN_BAR);
    let title = in_words(call);
    let mut svg = format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} 44\" width=\"{WIDTH}\" height=\"44\" role=\"img\" aria-label=\"{0}\"><title>{0}</title>",
        escaped(&title)
    );
    let mut before: Option<&AttemptVerdict> = None;
    for attempt in call.attempts.iter().take(MAX_DRAWN) {
        let left = x(attempt.start_ms);
        if let Some(from) = before.and_then(|before| before.end_ms) {
            let _ = write!(
                svg,
                "<line class=\"wait\" x1=\"{:.1}\" y1=\"20\" x2=\"{left:.1}\" y2=\"20\"/>",
                x(from)
            );
        }
        let right = attempt.end_ms.map_or(WIDTH - MARGIN, x).max(left);
        let width = (right - left).max(MIN_BAR);
        let class = class(attempt);
        let _ = write!(
            svg,
            "<rect class=\"attempt {class}\" x=\"{left:.1}\" y=\"12\" width=\"{width:.1}\" height=\"16\" rx=\"2\"><title>{}</title></rect>",
            escaped(&attempt_in_words(attempt))
        );
        if let (Some(asked), Some(ended)) = (attempt.asked_ms, attempt.end_ms) {
            let until = x(ended + asked as f64).min(WIDTH - MARGIN);
            let _ = write!(
                svg,
                "<line class=\"asked\" x1=\"{:.1}\" y1=\"6\" x2=\"{until:.1}\" y2=\"6\"><title>asked to wait {asked} ms</title></line>",
                x(ended)
            );
        }
        before = Some(attempt);
    }
    let _ = write!(
        svg,
        "<text x=\"{MARGIN}\" y=\"41\">0</text><text x=\"{:.1}\" y=\"41\" text-anchor=\"end\">{span:.0} ms</text></svg>",
        WIDTH - MARGIN
    );
    svg
}

/// The picture of what was left of the limits over time; empty where nothing was said about it.
pub(super) fn quota(points: &[Quota]) -> String {
    let most = points.iter().map(|point| point.remaining).max();
    let (Some(first), Some(last), Some(most)) = (points.first(), points.last(), most) else {
        return String::new();
    };
    let span = (last.at_ms - first.at_ms).max(1.0);
    let step = points.len().div_ceil(MAX_DRAWN).max(1);
    let mut line = String::new();
    for point in points.iter().step_by(step) {
        let x = MARGIN + (point.at_ms - first.at_ms) / span * (WIDTH - 2.0 * MARGIN);
        let y = 60.0 - point.remaining as f64 / most.max(1) as f64 * 50.0;
        let _ = write!(line, "{x:.1},{y:.1} ");
    }
    let title = format!("calls left of the limits, from 0 to {most}, over {span:.0} ms");
    format!(
        "<svg class=\"quota\" viewBox=\"0 0 {WIDTH} 76\" width=\"{WIDTH}\" height=\"76\" role=\"img\" aria-label=\"{title}\"><title>{title}</title><polyline points=\"{}\"/><text x=\"{MARGIN}\" y=\"73\">0</text><text x=\"{:.1}\" y=\"73\" text-anchor=\"end\">{span:.0} ms</text></svg>",
        line.trim_end(),
        WIDTH - MARGIN
    )
}

fn class(attempt: &AttemptVerdict) -> &'static str {
    match attempt.outcome.as_bytes() {
        [b'2' | b'3', _, _] => "good",
        [b'4', b'2', b'9'] => "limited",
        [b'4', _, _] => "refused",
        [b'5', _, _] => "failed",
        _ if attempt.end_ms.is_none() => "open",
        _ => "cut",
    }
}

fn in_words(call: &CallVerdict) -> String {
    let attempts: Vec<String> = call.attempts.iter().take(8).map(attempt_in_words).collect();
    format!(
        "{} attempts: {}",
        call.attempts.len(),
        attempts.join(", then ")
    )
}

fn attempt_in_words(attempt: &AttemptVerdict) -> String {
    match attempt.waited_ms {
        Some(waited) => format!("{} after a wait of {waited:.0} ms", attempt.outcome),
        None => attempt.outcome.clone(),
    }
}

/// Text as it may stand in HTML and in attributes.
pub(super) fn escaped(text: &str) -> String {
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
