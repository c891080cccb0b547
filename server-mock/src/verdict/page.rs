//! The verdict as a page: no script, nothing from elsewhere, readable in light and dark and without seeing the pictures.

use std::fmt::Write as _;

use super::grade::Mark;
use super::levels;
use super::report::{AspectVerdict, CallVerdict, Verdict};
use crate::timeline::escaped;

/// Calls with a picture.
const MAX_CALLS: usize = 200;

const STYLE: &str = include_str!("page.css");

pub(super) fn of(verdict: &Verdict) -> String {
    let session = escaped(&verdict.session);
    let letter = verdict.grade.map_or("–", |grade| grade.letter());
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Verdict {letter}: {session}</title><style>{STYLE}</style></head><body><main>\
         <header><p class=\"grade g{letter}\" aria-label=\"grade {letter}\">{letter}</p><div><h1>Verdict on session {session}</h1>\
         <p>{}</p><p class=\"quiet\">{} requests, {} calls, {} connections{}</p></div></header>",
        escaped(&verdict.reason),
        verdict.requests,
        verdict.logical_calls,
        verdict.connections,
        agents(verdict)
    );
    if verdict.grade.is_some() {
        page.push_str("<h2>Aspects</h2><table><thead><tr><th>Mark</th><th>A client …</th><th>Seen</th></tr></thead><tbody>");
        for aspect in &verdict.aspects {
            row(&mut page, aspect);
        }
        page.push_str("</tbody></table>");
        let quota = levels::quota(&verdict.quota());
        if !quota.is_empty() {
            let _ = write!(page, "<h2>What was left of the limits</h2>{quota}");
        }
        page.push_str("<h2>Calls</h2>");
        for call in verdict.calls.iter().take(MAX_CALLS) {
            one(&mut page, call);
        }
        let more = verdict.calls.len().saturating_sub(MAX_CALLS) + verdict.calls_left_out;
        if more > 0 {
            let _ = write!(page, "<p class=\"quiet\">{more} more calls</p>");
        }
    }
    page.push_str("</main></body></html>");
    page
}

fn agents(verdict: &Verdict) -> String {
    if verdict.agents.is_empty() {
        return String::new();
    }
    format!(", by {}", escaped(&verdict.agents.join("; ")))
}

fn row(page: &mut String, aspect: &AspectVerdict) {
    let mark = aspect.mark.name();
    let _ = write!(
        page,
        "<tr><td><span class=\"mark {mark}\">{mark}</span></td><td><b>{}</b><br>{}</td><td>{}",
        aspect.aspect.name(),
        escaped(aspect.asks),
        escaped(&aspect.reason)
    );
    if let Some(advice) = aspect.advice {
        let _ = write!(
            page,
            "<p><b>Do:</b> {}</p><p class=\"quiet\">{}</p>",
            escaped(advice),
            escaped(aspect.source)
        );
    }
    page.push_str("</td></tr>");
}

fn one(page: &mut String, call: &CallVerdict) {
    let effects = match call.effects {
        0 => String::new(),
        1 => ", 1 effect".into(),
        n => format!(", {n} effects"),
    };
    let _ = write!(
        page,
        "<section id=\"call-{0}\"><h3><span class=\"grade g{1}\">{1}</span> {0}. <code>{2}</code> <span class=\"quiet\">{3}{effects}</span></h3>{4}",
        call.number,
        call.grade,
        escaped(&call.name),
        escaped(&call.outcome),
        call.to_svg()
    );
    if !call.findings.is_empty() {
        page.push_str("<ul>");
        for finding in &call.findings {
            let mark: Mark = finding.mark;
            let _ = write!(
                page,
                "<li><span class=\"mark {0}\">{0}</span> {1}: {2}</li>",
                mark.name(),
                finding.aspect.name(),
                escaped(&finding.text)
            );
        }
        page.push_str("</ul>");
    }
    page.push_str("</section>");
}
