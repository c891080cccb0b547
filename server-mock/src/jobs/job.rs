//! What a job is: what is asked of it, where it stands at an instant, and how it is written.
//!
//! | Status | Leaves by | To |
//! |---|---|---|
//! | running | its end on the session's clock, and it was to have a result | completed |
//! | running | its end, and it was to fail | failed |
//! | running | `POST /v1/jobs/{id}/cancel` | cancelled |
//! | completed, failed, cancelled | nothing | |
//!
//! Progress is not kept: it follows from when the job began, how long it takes, and what the clock shows.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::api_version::ApiVersion;
use crate::clock::{LAST_NS, MS};
use crate::op::Kind;
use crate::problem::{FieldError, Problem};
use crate::resource::{Record, Values};
use crate::timestamp::rfc3339;

/// The longest a job takes: a day.
pub(super) const MAX_TAKES_MS: u64 = 86_400_000;
/// How long one takes that does not say.
pub(super) const DEFAULT_TAKES_MS: u64 = 1_000;
/// Bytes of a result, as JSON.
pub(super) const MAX_RESULT_BYTES: usize = 16 * 1024;
/// Characters of the code and of the detail of a failure.
pub(super) const MAX_CODE_CHARS: usize = 64;
pub(super) const MAX_DETAIL_CHARS: usize = 500;
/// The status that a failure has, if it does not say.
const DEFAULT_FAILURE: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
/// The same for its code.
const DEFAULT_CODE: &str = "job_failed";

/// The words of [`Status`].
pub(crate) const STATUSES: [&str; 4] = ["running", "completed", "failed", "cancelled"];

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn of(job: &Record) -> Self {
        match job.value(Kind::Jobs, "status").and_then(Value::as_str) {
            Some("completed") => Self::Completed,
            Some("failed") => Self::Failed,
            Some("cancelled") => Self::Cancelled,
            _ => Self::Running,
        }
    }

    /// What a running job comes to at its end.
    pub(super) fn at_end_of(job: &Record) -> Self {
        match outcome(job, "error") {
            Value::Null => Self::Completed,
            _ => Self::Failed,
        }
    }
}

/// The instant at which a running job ends.
pub(super) fn end_ns(job: &Record) -> u64 {
    job.created_ns
        .saturating_add(takes_ms(job) * MS)
        .min(LAST_NS)
}

fn takes_ms(job: &Record) -> u64 {
    let takes = job.value(Kind::Jobs, "takes_ms").and_then(Value::as_u64);
    takes.unwrap_or(DEFAULT_TAKES_MS).min(MAX_TAKES_MS)
}

/// A member of what the job was asked to come to; `null` for none.
fn outcome(job: &Record, name: &str) -> Value {
    let all = job.value(Kind::Jobs, "outcome");
    all.and_then(|all| all.get(name))
        .cloned()
        .unwrap_or_default()
}

/// How far the job is at an instant, in percent. Only what is completed has 100.
fn progress(job: &Record, status: Status, now_ns: u64) -> u64 {
    let until_ns = match status {
        Status::Completed => return 100,
        Status::Running => now_ns,
        Status::Failed | Status::Cancelled => job.updated_ns,
    };
    let whole_ns = takes_ms(job) * MS;
    let done_ns = until_ns.saturating_sub(job.created_ns).min(whole_ns);
    (done_ns.saturating_mul(100))
        .checked_div(whole_ns)
        .unwrap_or(0)
        .min(99)
}

/// The job as JSON at an instant, and its strong entity tag: another one when it has made progress.
pub(crate) fn shown(job: &Record, now_ns: u64) -> (Bytes, HeaderValue) {
    let status = Status::of(job);
    let known = |of: Status, name: &str| {
        if status == of {
            outcome(job, name)
        } else {
            Value::Null
        }
    };
    let finished_at = match status {
        Status::Running => Value::Null,
        _ => rfc3339(job.updated_ns).into(),
    };
    let more = Map::from_iter([
        ("progress".into(), progress(job, status, now_ns).into()),
        ("result".into(), known(Status::Completed, "result")),
        ("error".into(), known(Status::Failed, "error")),
        ("finished_at".into(), finished_at),
    ]);
    let json = Bytes::from(job.written(Kind::Jobs, ApiVersion::default(), &more));
    let tag = job.tag_of(&json);
    (json, tag)
}

/// Reads what is asked of a new job, or says all that is wrong with it. `instance` and `request_id` are for the problem
/// that a job which is to fail will have.
pub(super) fn values(
    body: &Map<String, Value>,
    instance: &str,
    request_id: &str,
) -> Result<Values, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut plain = Map::new();
    for name in ["kind", "external_id"] {
        if let Some(value) = body.get(name) {
            plain.insert(name.into(), value.clone());
        }
    }
    match read_takes_ms(body) {
        Ok(takes_ms) => drop(plain.insert("takes_ms".into(), takes_ms.into())),
        Err(error) => errors.push(error),
    }
    match read_outcome(body, instance, request_id) {
        Ok(outcome) => drop(plain.insert("outcome".into(), outcome)),
        Err(more) => errors.extend(more),
    }
    match Kind::Jobs.values(&plain) {
        Ok(values) if errors.is_empty() => Ok(values),
        Ok(_) => Err(errors),
        Err(mut of_fields) => {
            of_fields.extend(errors);
            Err(of_fields)
        }
    }
}

fn read_takes_ms(body: &Map<String, Value>) -> Result<u64, FieldError> {
    let takes = match body.get("takes_ms") {
        None | Some(Value::Null) => return Ok(DEFAULT_TAKES_MS),
        Some(Value::Number(number)) => number.as_f64().filter(|number| number.fract() == 0.0),
        Some(_) => return Err(wrong("takes_ms", "wrong_type", "must be a whole number")),
    };
    match takes.filter(|takes| (0.0..=MAX_TAKES_MS as f64).contains(takes)) {
        // Exact: far below 2^53.
        Some(takes) => Ok(takes as u64),
        None => {
            let detail = format!("must be a whole number from 0 to {MAX_TAKES_MS}");
            Err(wrong("takes_ms", "out_of_range", detail))
        }
    }
}

/// `{"result"}`, `{"error"}` or nothing.
fn read_outcome(
    body: &Map<String, Value>,
    instance: &str,
    request_id: &str,
) -> Result<Value, Vec<FieldError>> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    match (given("result"), given("fails")) {
        (None, None) => Ok(Value::Null),
        (Some(_), Some(_)) => Err(vec![wrong(
            "fails",
            "conflict",
            "a job that fails has no result; leave one of the two out",
        )]),
        (Some(result), None) if result.to_string().len() > MAX_RESULT_BYTES => {
            let detail = format!("must be at most {MAX_RESULT_BYTES} bytes of JSON");
            Err(vec![wrong("result", "too_long", detail)])
        }
        (Some(result), None) => Ok(json!({ "result": result })),
        (None, Some(Value::Object(failure))) => {
            let error = read_failure(failure)?;
            let reply = error.reply(instance, request_id);
            let error = reply.body.whole().map(|text| serde_json::from_slice(text));
            let error: Value = error.and_then(Result::ok).unwrap_or_default();
            Ok(json!({ "error": error }))
        }
        (None, Some(_)) => Err(vec![wrong("fails", "wrong_type", "must be an object")]),
    }
}

fn read_failure(failure: &Map<String, Value>) -> Result<Problem, Vec<FieldError>> {
    let mut errors = Vec::new();
    let given = |name: &str| failure.get(name).filter(|value| !value.is_null());
    let status = match given("status") {
        None => Some(DEFAULT_FAILURE),
        Some(value) => {
            let status = value
                .as_f64()
                .filter(|status| status.fract() == 0.0 && (400.0..=599.0).contains(status));
            status.and_then(|status| StatusCode::from_u16(status as u16).ok())
        }
    };
    if status.is_none() {
        let detail = "must be a whole number from 400 to 599";
        errors.push(wrong("fails/status", "out_of_range", detail));
    }
    let code = match given("code") {
        None => DEFAULT_CODE,
        Some(Value::String(code)) if is_code(code) => code,
        Some(_) => {
            let detail = format!("must be 1 to {MAX_CODE_CHARS} of the characters a-z, 0-9 and _");
            errors.push(wrong("fails/code", "invalid_code", detail));
            DEFAULT_CODE
        }
    };
    let detail = match given("detail") {
        None => "the job failed, as it was asked to",
        Some(Value::String(detail)) if detail.chars().count() <= MAX_DETAIL_CHARS => detail,
        Some(_) => {
            let detail = format!("must be text of at most {MAX_DETAIL_CHARS} characters");
            errors.push(wrong("fails/detail", "too_long", detail));
            ""
        }
    };
    let retryable = match given("retryable") {
        None => false,
        Some(Value::Bool(retryable)) => *retryable,
        Some(_) => {
            errors.push(wrong(
                "fails/retryable",
                "wrong_type",
                "must be true or false",
            ));
            false
        }
    };
    match status {
        Some(status) if errors.is_empty() => {
            Ok(Problem::new(status, code, detail).retryable(retryable))
        }
        _ => Err(errors),
    }
}

fn is_code(text: &str) -> bool {
    (1..=MAX_CODE_CHARS).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn wrong(pointer: &str, code: &'static str, detail: impl Into<String>) -> FieldError {
    FieldError {
        pointer: format!("/{pointer}"),
        code,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Collection;

    const BEGAN: u64 = 1_000 * MS;

    fn read(body: Value) -> Result<Values, Vec<FieldError>> {
        values(body.as_object().unwrap(), "/v1/jobs/jb_000001", "req_1")
    }

    fn shown_at(body: Value, status: Status, over_ns: u64, now_ns: u64) -> Value {
        let mut jobs = Collection::seeded(Kind::Jobs);
        let job = jobs.create(read(body).unwrap(), BEGAN);
        let values = job.with_value(Kind::Jobs, "status", status.name().into());
        let job = match status {
            Status::Running => job,
            _ => jobs.change(&job, values, over_ns),
        };
        serde_json::from_slice(&shown(&job, now_ns).0).unwrap()
    }

    #[test]
    fn progress_follows_the_clock_and_is_whole_only_when_completed() {
        let body = json!({ "kind": "report", "takes_ms": 200 });
        let end = BEGAN + 200 * MS;
        for (after_ms, expected) in [(0, 0), (1, 0), (2, 1), (100, 50), (199, 99), (900, 99)] {
            let at = BEGAN + after_ms * MS;
            let job = shown_at(body.clone(), Status::Running, at, at);
            assert_eq!(job["progress"], expected, "{after_ms}");
        }
        // A clock that goes back makes no progress negative.
        let job = shown_at(body.clone(), Status::Running, 0, 0);
        assert_eq!(job["progress"], 0);
        let later = end + 5 * MS;
        let job = shown_at(body.clone(), Status::Completed, end, later);
        assert_eq!(job["progress"], 100);
        let job = shown_at(body.clone(), Status::Failed, end, later);
        assert_eq!(job["progress"], 99);
        let job = shown_at(body, Status::Cancelled, BEGAN + 50 * MS, later);
        assert_eq!(job["progress"], 25);
    }

    #[test]
    fn a_job_without_duration_has_no_progress_before_its_end() {
        let body = json!({ "kind": "report", "takes_ms": 0 });
        assert_eq!(shown_at(body, Status::Running, BEGAN, BEGAN)["progress"], 0);
    }

    #[test]
    fn what_a_job_comes_to_is_seen_at_its_end_only() {
        let body = json!({ "kind": "report", "result": {"rows": 3} });
        let job = shown_at(body.clone(), Status::Running, BEGAN, BEGAN);
        assert_eq!(
            (&job["result"], &job["outcome"]),
            (&Value::Null, &Value::Null)
        );
        let job = shown_at(body.clone(), Status::Cancelled, BEGAN, BEGAN);
        assert_eq!(job["result"], Value::Null);
        let job = shown_at(body, Status::Completed, BEGAN, BEGAN);
        assert_eq!(job["result"], json!({"rows": 3}));
        let body = json!({ "kind": "report", "fails": {"status": 507, "code": "disk_full"} });
        let job = shown_at(body, Status::Failed, BEGAN, BEGAN);
        assert_eq!(
            (&job["error"]["code"], &job["error"]["status"]),
            (&json!("disk_full"), &json!(507))
        );
        assert_eq!(job["error"]["instance"], "/v1/jobs/jb_000001");
    }

    #[test]
    fn everything_wrong_is_named() {
        let body = json!({
            "takes_ms": 86_400_001, "external_id": 3,
            "fails": {"status": 200, "code": "No", "detail": 1, "retryable": "yes"}
        });
        let mut seen: Vec<_> = read(body)
            .unwrap_err()
            .into_iter()
            .map(|error| error.pointer)
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [
                "/external_id",
                "/fails/code",
                "/fails/detail",
                "/fails/retryable",
                "/fails/status",
                "/kind",
                "/takes_ms"
            ]
        );
        let both = json!({ "kind": "k", "result": 1, "fails": {} });
        assert_eq!(read(both).unwrap_err()[0].code, "conflict");
        let large = json!({ "kind": "k", "result": "x".repeat(MAX_RESULT_BYTES) });
        assert_eq!(read(large).unwrap_err()[0].code, "too_long");
    }

    #[test]
    fn what_only_the_gateway_writes_is_not_taken_from_a_client() {
        let body = json!({ "kind": "k", "status": "completed", "outcome": {"result": 1} });
        let job = shown_at(body, Status::Running, BEGAN, BEGAN);
        assert_eq!(
            (&job["status"], &job["result"]),
            (&json!("running"), &Value::Null)
        );
    }

    #[test]
    fn statuses_have_their_words() {
        for status in [
            Status::Running,
            Status::Completed,
            Status::Failed,
            Status::Cancelled,
        ] {
            assert!(STATUSES.contains(&status.name()));
        }
    }
}
