//! The trace that a call belongs to, from JSON: `{traceparent, tracestate}`, the latter optional (W3C Trace Context).

use gatewright::telemetry::TraceContext;

use crate::members::{Member, shown_name};

/// Reads a trace context.
pub(crate) fn context(member: &Member<'_>) -> Result<TraceContext, String> {
    let (mut parent, mut state) = (None, None);
    for part in member.members()? {
        match &*part.name {
            "traceparent" => {
                let text = part.text()?;
                let read = TraceContext::parse(&text)
                    .map_err(|wrong| format!("`traceparent` is none: {wrong}"))?;
                parent = Some(read);
            }
            "tracestate" if part.is_null() => state = None,
            "tracestate" => state = Some(part.text()?),
            other => {
                return Err(format!(
                    "`traceContext` has a member \"{}\", which it does not know",
                    shown_name(other)
                ));
            }
        }
    }
    let context = parent.ok_or("`traceContext` has no `traceparent`")?;
    Ok(match state {
        Some(state) => context.with_state(&state),
        None => context,
    })
}
