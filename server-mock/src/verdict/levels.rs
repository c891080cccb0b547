//! What was left of the limits over time, as a picture. Calls have their own: [`crate::timeline`].

use std::fmt::Write as _;

use super::report::Quota;

/// Width of the picture; heights are given where they are used.
const WIDTH: f64 = 720.0;
/// What is left free at both ends.
const MARGIN: f64 = 8.0;
/// Points drawn; a picture with more says no more.
const MAX_DRAWN: usize = 200;

/// The picture; empty where nothing was said about limits.
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
