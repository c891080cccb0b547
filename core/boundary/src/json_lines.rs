//! A stream of JSON lines, of which the host language asks for the values as they come: each answer is those that are there, at least one,
//! as the members of a JSON list. What is no JSON is an error in its turn; the values after it can still be asked for.

use std::collections::VecDeque;

use gatewright::{Error, JsonLines, Line, RequestBuilder, Timeout};
use serde::de::IgnoredAny;

use crate::json;
use crate::members::{Members, shown_name};
use crate::options::invalid;

/// The values of a stream.
pub(crate) struct Values {
    lines: JsonLines,
    came: VecDeque<Line>,
    /// Lines are handed over as they are, as strings; whether they are JSON is not looked at.
    as_text: bool,
}

impl Values {
    /// Those of a request's answer, with a style of `{idleTimeoutMs, maxLineBytes, asText}`.
    pub(crate) fn new(request: RequestBuilder, style: &str) -> Result<Self, Error> {
        let members = Members::read(style)
            .map_err(|must_be| invalid(format!("the style of JSON lines {must_be}")))?;
        let mut lines = request.json_lines();
        let mut as_text = false;
        for member in members {
            lines = match &*member.name {
                "idleTimeoutMs" => {
                    let timeout: Timeout =
                        member.called("idleTimeout").timeout().map_err(invalid)?;
                    lines.idle_timeout(timeout)
                }
                "maxLineBytes" => {
                    let bytes = member.size().map_err(invalid)?;
                    lines.max_line_bytes(usize::try_from(bytes).unwrap_or(usize::MAX))
                }
                "asText" => {
                    as_text = member.flag().map_err(invalid)?;
                    lines
                }
                other => {
                    let what = format!("\"{}\" is no option of JSON lines", shown_name(other));
                    return Err(invalid(what));
                }
            };
        }
        Ok(Self {
            lines,
            came: VecDeque::new(),
            as_text,
        })
    }

    /// The values that are there, none at the end.
    pub(crate) async fn batch(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.came.is_empty() {
            self.came = self.lines.next_batch().await?.into();
        }
        let mut out = Vec::new();
        while let Some(line) = self.came.pop_front() {
            if self.as_text {
                out.push(if out.is_empty() { b'[' } else { b',' });
                json::string(&mut out, &line.text);
                continue;
            }
            if let Err(wrong) = self.lines.value::<IgnoredAny>(&line) {
                if out.is_empty() {
                    return Err(wrong);
                }
                // It is told when it is its turn.
                self.came.push_front(line);
                break;
            }
            out.push(if out.is_empty() { b'[' } else { b',' });
            out.extend_from_slice(line.text.as_bytes());
        }
        if out.is_empty() {
            return Ok(None);
        }
        out.push(b']');
        Ok(Some(out))
    }
}
