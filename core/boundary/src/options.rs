//! What is said of one call, from JSON.

use std::sync::Arc;

use gatewright::{Body, Error, ErrorKind, PageStyle, RequestBuilder};

use crate::admission;
use crate::auth;
use crate::cache;
use crate::floor::floor;
use crate::headers;
use crate::members::{Member, Members, shown_name};
use crate::port::Port;
use crate::trace;
use crate::upload::Source;

/// The call that the options are for.
pub(crate) struct Place<'a> {
    pub(crate) port: &'a Arc<Port>,
    pub(crate) client: u32,
    pub(crate) call: u32,
    /// Whether the body may be a stream.
    pub(crate) may_stream: bool,
}

pub(crate) fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, what)
}

/// Applies options to a request.
pub(crate) fn apply(
    mut request: RequestBuilder,
    options: &str,
    place: &Place<'_>,
) -> Result<RequestBuilder, Error> {
    let members =
        Members::read(options).map_err(|must_be| invalid(format!("the options {must_be}")))?;
    let mut content_type = None;
    for member in members {
        let name = member.name.clone();
        request = match &*name {
            "query" => request.query(member.pairs().map_err(invalid)?),
            "headers" => set_headers(request, &member)?,
            "timeoutMs" => request.timeout(member.called("timeout").timeout().map_err(invalid)?),
            "attemptTimeoutMs" => {
                let member = member.called("attemptTimeout");
                request.attempt_timeout(member.timeout().map_err(invalid)?)
            }
            "maxAttempts" => request.max_attempts(member.count(1).map_err(invalid)?),
            "credential" => auth::choose(request, &member).map_err(invalid)?,
            "idempotencyKey" => request.idempotency_key(member.text().map_err(invalid)?),
            "hedge" => request.hedge(admission::hedge(&member).map_err(invalid)?),
            "cache" => request.cache_mode(cache::mode(&member).map_err(invalid)?),
            "throwOnError" => request.error_for_status(member.flag().map_err(invalid)?),
            "contentType" => {
                content_type = Some(member.text().map_err(invalid)?);
                request
            }
            "minThroughput" => request.min_throughput(floor(&member).map_err(invalid)?),
            "traceContext" => request.trace_context(trace::context(&member).map_err(invalid)?),
            "urlTemplate" => request.url_template(member.text().map_err(invalid)?),
            "stream" if place.may_stream => {
                request.body(stream_body(&member, place).map_err(invalid)?)
            }
            other => {
                let what = format!("\"{}\" is no option of this request", shown_name(other));
                return Err(invalid(what));
            }
        };
    }
    if let Some(content_type) = content_type {
        let bytes = headers::bytes_of("content-type", &content_type)?;
        request = request.header_default("content-type", bytes);
    }
    Ok(request)
}

fn set_headers(mut request: RequestBuilder, member: &Member<'_>) -> Result<RequestBuilder, Error> {
    for (name, value) in member.pairs().map_err(invalid)? {
        let bytes = headers::bytes_of(&name, &value)?;
        request = request.header(&name, bytes);
    }
    Ok(request)
}

/// Reads `{replayable, length}`: the body comes by questions.
pub(crate) fn stream_body(member: &Member<'_>, place: &Place<'_>) -> Result<Body, String> {
    let (mut replayable, mut length) = (false, None);
    for part in member.members()? {
        match &*part.name {
            "replayable" => replayable = part.flag()?,
            "length" if part.is_null() => length = None,
            "length" => length = Some(part.size()?),
            other => {
                return Err(format!(
                    "\"{}\" is no member of `stream`",
                    shown_name(other)
                ));
            }
        }
    }
    let source = Source {
        port: Arc::clone(place.port),
        client: place.client,
        call: place.call,
    };
    Ok(source.body(replayable, length))
}

/// Reads where a list has its items and cursors: `{items, cursor, cursorParam}`.
pub(crate) fn style(text: &str) -> Result<PageStyle, Error> {
    let mut style = PageStyle::default();
    let members =
        Members::read(text).map_err(|must_be| invalid(format!("the style of pages {must_be}")))?;
    for member in members {
        let place = match &*member.name {
            "items" => &mut style.items_field,
            "cursor" => &mut style.cursor_field,
            "cursorParam" => &mut style.cursor_param,
            other => {
                let what = format!("\"{}\" is no option of pages", shown_name(other));
                return Err(invalid(what));
            }
        };
        *place = member.text().map_err(invalid)?;
    }
    Ok(style)
}
