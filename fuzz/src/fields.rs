//! Single header fields, and problem documents.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gatewright_engine::cache::{Directives, initial_age, lifetime, parse};
use gatewright_engine::problem::read_problem;
use gatewright_engine::range::{ContentRange, content_length};
use gatewright_engine::retry_after::{read_retry_after, server_date};
use gatewright_engine::trace_context::TraceContext;
use gatewright_engine::upload::UploadLimits;
use gatewright_engine::{Instant, Now, UnixMillis};
use http::{HeaderMap, HeaderValue};

use crate::headers;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// No wait is longer than ten years, whole seconds are what they say, and who reads twice reads the same.
pub(crate) fn retry_after(data: &[u8]) {
    let headers = headers(data);
    let now = Now {
        wall: UnixMillis(1_800_000_000_000),
        ..Now::default()
    };
    let read = read_retry_after(&headers, now);
    assert_eq!(read, read_retry_after(&headers, now));
    assert!(read.is_none_or(|wait| wait <= TEN_YEARS), "{read:?}");
    let others = ["retry-after-ms", "x-ms-retry-after-ms"];
    let seconds = headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    if let Some(seconds) = seconds
        && !others.iter().any(|name| headers.contains_key(*name))
        && !headers["retry-after"].as_bytes().starts_with(b"+")
    {
        let wait = Duration::from_secs(seconds.into()).min(TEN_YEARS);
        assert_eq!(read, Some(wait));
    }
}

/// A date that is read, written in the usual form and read again is the same.
pub(crate) fn http_date(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let dated = |value| HeaderMap::from_iter([(http::header::DATE, value)]);
    let Some(read) = server_date(&dated(value)) else {
        return;
    };
    let millis = u64::try_from(read.0).expect("no date is before 1970");
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(millis);
    let written = httpdate::fmt_http_date(time);
    let again = server_date(&dated(
        HeaderValue::try_from(written).expect("a date is a value"),
    ));
    assert_eq!(again, Some(read));
}

/// Times are bounded, a field that is handed in as a header says the same, and nothing that comes after takes a
/// `no-store` back.
pub(crate) fn cache_control(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let said = parse(&text);
    let most = Duration::from_secs(1 << 31);
    let times = [
        said.max_age,
        said.max_stale,
        said.min_fresh,
        said.stale_while_revalidate,
        said.stale_if_error,
    ];
    // An argument that is missing stands for any time.
    for time in times.into_iter().flatten() {
        assert!(time <= most || time == Duration::MAX, "{time:?}");
    }
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let headers = HeaderMap::from_iter([(http::header::CACHE_CONTROL, value)]);
        assert_eq!(Directives::of_answer(&headers), said);
    }
    if said.no_store && !text.contains('"') {
        assert!(parse(&format!("{text}, max-age=60, public")).no_store);
    }
    let headers = headers(data);
    let said = Directives::of_answer(&headers);
    let now = UnixMillis(1_800_000_000_000);
    let guessed = lifetime(&headers, &said, now, Some(Duration::from_secs(60)));
    let told = lifetime(&headers, &said, now, None);
    assert!(told.is_none() || guessed == told);
    let _ = initial_age(&headers, Instant::ORIGIN, Instant::from_nanos(1), now);
}

/// A part lies within its whole.
pub(crate) fn content_range(data: &[u8]) {
    let headers = headers(data);
    match ContentRange::of(&headers) {
        Some(ContentRange::Part { first, last, total }) => {
            assert!(first <= last && total.is_none_or(|total| last < total));
        }
        Some(ContentRange::Unsatisfied { .. }) | None => {}
    }
    let _ = content_length(&headers);
    let _ = UploadLimits::of(&headers);
}

/// What is read is shown without a panic, and reading is repeatable.
pub(crate) fn problem(data: &[u8]) {
    let read = read_problem(data);
    assert_eq!(read, read_problem(data));
    if let Some(problem) = read {
        let _ = (problem.text(), problem.is_in_flight());
        let text = String::from_utf8_lossy(data);
        assert!(text.contains('{'), "{problem:?}");
    }
}

/// What is written is read as it was.
pub(crate) fn traceparent(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (parent, state) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(context) = TraceContext::parse(parent) else {
        return;
    };
    let written = context.traceparent();
    let again = TraceContext::parse(&written).expect("what it wrote");
    assert_eq!(again.traceparent(), written);
    assert_ne!((context.trace_id(), context.span_id()), ([0; 16], [0; 8]));
    let _ = context.with_state(state).state();
}
