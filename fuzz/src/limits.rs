//! Rate limits: what servers say of theirs, and what users write of their own.

use std::time::Duration;

use gatewright_engine::limits::{MAX_POLICIES, read_limits};
use gatewright_engine::pacing::{Admission, LocalQuota, Pacer, PacingSettings, Ticket};
use gatewright_engine::{Instant, Now, UnixMillis};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::headers;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

fn now(millis: u64) -> Now {
    Now {
        instant: Instant::from_nanos(millis * 1_000_000),
        wall: UnixMillis(1_800_000_000_000 + i64::try_from(millis).unwrap_or(0)),
    }
}

/// However odd what was said: few policies, bounded times, and no call waits longer than a day, or for a time that has
/// come already.
fn check(headers: &HeaderMap) {
    let readings = read_limits(headers, now(0));
    assert_eq!(readings, read_limits(headers, now(0)));
    assert!(readings.iter().count() <= MAX_POLICIES);
    for reading in &readings {
        assert!(
            reading
                .reset_after
                .is_none_or(|time| time <= TEN_YEARS.max(Duration::from_secs(u64::MAX / 4)))
        );
        assert!(reading.policy.len() <= 256, "{}", reading.policy);
    }
    let mut pacer = Pacer::new(PacingSettings::default());
    let far = Instant::from_nanos(u64::MAX);
    for call in 0..6_u64 {
        let at = now(call * 700);
        let mut ticket = Ticket::default();
        match pacer.poll(&mut ticket, at.instant, far, None) {
            Admission::Go => {
                let status = if call == 3 { 429 } else { 200 };
                let status = StatusCode::from_u16(status).expect("a status");
                pacer.on_response(&mut ticket, now(call * 700 + 50), status, &readings);
            }
            Admission::Wait { until, .. } => {
                assert!(until > at.instant);
                assert!(
                    until.since(at.instant) <= DAY + Duration::from_secs(1),
                    "{until:?}"
                );
                pacer.on_cancelled(&mut ticket, at.instant, false);
            }
            Admission::Refuse { .. } => {
                panic!("a queue of one is not full, and there is no deadline")
            }
        }
    }
    assert!(pacer.is_idle());
}

/// Any headers.
pub(crate) fn limits(data: &[u8]) {
    check(&headers(data));
}

/// `RateLimit` and `RateLimit-Policy`, with a line feed between them.
pub(crate) fn structured(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut values = data.splitn(2, |byte| *byte == b'\n');
    for name in ["ratelimit", "ratelimit-policy"] {
        if let Some(Ok(value)) = values.next().map(HeaderValue::from_bytes) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    check(&headers);
}

/// What is shown can be read, and is the same.
pub(crate) fn local_quota(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<LocalQuota>() {
        Ok(quota) => {
            assert_eq!(quota.to_string().parse(), Ok(quota));
            assert!(quota.per() > Duration::ZERO && quota.per() <= DAY * 366);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}
