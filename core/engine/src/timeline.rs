//! The record of a call as a picture in text, a line an attempt: dots are waits, blocks are requests.

use std::fmt::Write as _;
use std::time::Duration;

use crate::attempts::Attempt;

/// Columns that the whole call takes.
const WIDTH: f64 = 40.0;
/// Columns before the words.
const PADDED: usize = 42;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was sent, from the start of the call.
    pub started: Duration,
    /// From sending to its outcome.
    pub took: Duration,
    /// What stands behind the picture.
    pub words: String,
}

/// The record of a call as a picture.
#[must_use]
pub fn timeline(attempts: &[Attempt]) -> String {
    let lines: Vec<Line> = attempts
        .iter()
        .map(|attempt| Line {
            started: attempt.started,
            took: attempt.took,
            words: attempt.to_string(),
        })
        .collect();
    draw(&lines)
}

/// Lines as a picture. Without a newline at its end.
#[must_use]
pub fn draw(lines: &[Line]) -> String {
    let stop_of = |line: &Line| line.started.saturating_add(line.took).as_secs_f64();
    let end = lines.iter().map(stop_of).fold(0.0, f64::max).max(1e-9);
    let column = |seconds: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and WIDTH"
        )]
        let at = (seconds / end * WIDTH).round().clamp(0.0, WIDTH) as usize;
        at
    };
    let mut text = String::new();
    let mut free_from = 0.0;
    for line in lines {
        let stop = stop_of(line);
        let (idle, from) = (column(free_from), column(line.started.as_secs_f64()));
        let to = column(stop).max(from + 1);
        let mut bar = " ".repeat(idle);
        bar.push_str(&"·".repeat(from.saturating_sub(idle)));
        bar.push_str(&"█".repeat(to - from));
        let padding = PADDED.saturating_sub(bar.chars().count());
        let _ = writeln!(text, "{bar}{} {}", " ".repeat(padding), line.words);
        free_from = stop;
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(started: u64, took: u64, words: &str) -> Line {
        Line {
            started: Duration::from_millis(started),
            took: Duration::from_millis(took),
            words: words.to_owned(),
        }
    }

    #[test]
    fn waits_are_dots_and_requests_are_blocks() {
        let picture = draw(&[line(0, 100, "first"), line(300, 100, "second")]);
        let bars = [
            format!("{}{} first", "█".repeat(10), " ".repeat(32)),
            format!(
                "{}{}{}   second",
                " ".repeat(10),
                "·".repeat(20),
                "█".repeat(10)
            ),
        ];
        assert_eq!(picture, bars.join("\n"));
    }

    #[test]
    fn a_call_that_took_no_time_is_still_seen() {
        assert!(draw(&[line(0, 0, "only")]).starts_with('█'));
        assert_eq!(draw(&[]), "");
    }
}
