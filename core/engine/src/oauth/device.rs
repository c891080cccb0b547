//! Logging in on another device (RFC 8628): what the user is shown, and when the server is asked again.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | waiting | `next` before its time | `Wait` (`the_server_is_asked_no_sooner_than_it_wants`) |
//! | waiting | `next` at its time | `Ask` |
//! | waiting | `next` after the code expired | `Expired` (`a_code_that_expired_ends_the_wait`) |
//! | asked | `authorization_pending` | waiting, the same interval |
//! | asked | `slow_down` | waiting, 5 s more from now on (`slow_down_adds_five_seconds_for_good`) |
//! | asked | no answer, 429, 5xx | waiting, twice the interval (RFC 8628, section 3.5) (`a_server_that_does_not_answer_is_asked_half_as_often`) |
//! | asked | any other error | failed |

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::answer::{lifetime, refusal};
use super::error::{OAuthError, OAuthErrorKind};
use crate::redact::Secret;
use crate::time::Instant;

/// Between two questions where the server names no interval (RFC 8628, section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds (RFC 8628, section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// No server is asked less often than that, whatever it says.
const LONGEST_INTERVAL: Duration = Duration::from_secs(120);
/// A code lives no longer than that, whatever the server says.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A login on another device that was begun. `Debug` shows no code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// For the token endpoint alone.
    pub device_code: Secret,
    /// What the user types in there. Show it.
    pub user_code: Secret,
    /// Where the user goes. Show it.
    pub verification_uri: Url,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: Option<Url>,
    /// How long the codes live.
    pub expires_in: Duration,
    /// Between two questions, at least.
    pub interval: Duration,
}

/// Reads an answer of the device authorization endpoint.
///
/// # Errors
/// `Refused` with the server's `error`; `BadAnswer` where it is no such answer.
pub fn read_device_authorization(
    status: u16,
    body: &[u8],
) -> Result<DeviceAuthorization, OAuthError> {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    if status != 200 {
        return Err(refusal(
            "the device authorization endpoint",
            status,
            json.as_ref(),
        ));
    }
    let bad = |what: &str| {
        OAuthError::new(
            OAuthErrorKind::BadAnswer,
            format!("the device authorization endpoint's answer {what}"),
        )
        .with_status(status)
    };
    let json = json.ok_or_else(|| bad("is no JSON"))?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    // It is shown to the user, who will open it: nothing but a web page.
    let page = |text: &str| {
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http"))
    };
    // Google calls it verification_url.
    let verification_uri = text("verification_uri")
        .or_else(|| text("verification_url"))
        .and_then(page)
        .ok_or_else(|| bad("has no verification_uri"))?;
    Ok(DeviceAuthorization {
        device_code: text("device_code")
            .filter(|code| !code.is_empty())
            .ok_or_else(|| bad("has no device_code"))?
            .into(),
        user_code: text("user_code")
            .filter(|code| !code.is_empty() && !code.contains(char::is_control))
            .ok_or_else(|| bad("has no user_code"))?
            .into(),
        verification_uri,
        verification_uri_complete: text("verification_uri_complete").and_then(page),
        expires_in: lifetime(json.get("expires_in"))
            .ok_or_else(|| bad("has no expires_in"))?
            .min(LONGEST_LIFE),
        interval: lifetime(json.get("interval"))
            .unwrap_or(INTERVAL)
            .clamp(Duration::from_secs(1), LONGEST_INTERVAL),
    })
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStep {
    /// Come back then.
    Wait(Instant),
    /// Ask the token endpoint, then [`DevicePoll::on_pending`], [`DevicePoll::on_slow_down`] or [`DevicePoll::on_no_answer`].
    Ask,
    /// The code has expired.
    Expired,
}

/// When the token endpoint is asked.
#[derive(Clone, Copy, Debug)]
pub struct DevicePoll {
    interval: Duration,
    next: Instant,
    expires: Instant,
}

impl DevicePoll {
    /// A login that was begun at `now`.
    #[must_use]
    pub fn new(authorization: &DeviceAuthorization, now: Instant) -> Self {
        Self {
            interval: authorization.interval,
            next: now + authorization.interval,
            expires: now + authorization.expires_in,
        }
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&self, now: Instant) -> DeviceStep {
        if now >= self.expires {
            DeviceStep::Expired
        } else if now >= self.next {
            DeviceStep::Ask
        } else {
            DeviceStep::Wait(self.next.min(self.expires))
        }
    }

    /// The user has not decided yet.
    pub fn on_pending(&mut self, now: Instant) {
        self.next = now + self.interval;
    }

    /// The server wants to be asked less often, for good.
    pub fn on_slow_down(&mut self, now: Instant) {
        self.interval = (self.interval + SLOW_DOWN).min(LONGEST_INTERVAL);
        self.next = now + self.interval;
    }

    /// The server did not answer, or is unavailable. `asked`: its Retry-After.
    pub fn on_no_answer(&mut self, now: Instant, asked: Option<Duration>) {
        self.interval = (self.interval * 2).min(LONGEST_INTERVAL);
        self.next = now + self.interval.max(asked.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"device_code":"canary-device","user_code":"WDJB-MJHT",
        "verification_uri":"https://as.example/device","expires_in":1800,"interval":5}"#;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn poll() -> DevicePoll {
        let authorization = read_device_authorization(200, ANSWER.as_bytes()).unwrap();
        DevicePoll::new(&authorization, at(0))
    }

    #[test]
    fn the_server_is_asked_no_sooner_than_it_wants() {
        let mut poll = poll();
        assert_eq!(poll.next(at(4)), DeviceStep::Wait(at(5)));
        assert_eq!(poll.next(at(5)), DeviceStep::Ask);
        poll.on_pending(at(6));
        assert_eq!(poll.next(at(10)), DeviceStep::Wait(at(11)));
        assert_eq!(poll.next(at(11)), DeviceStep::Ask);
    }

    #[test]
    fn slow_down_adds_five_seconds_for_good() {
        let mut poll = poll();
        poll.on_slow_down(at(5));
        assert_eq!(poll.next(at(6)), DeviceStep::Wait(at(15)));
        poll.on_pending(at(15));
        assert_eq!(poll.next(at(16)), DeviceStep::Wait(at(25)));
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_half_as_often() {
        let mut poll = poll();
        poll.on_no_answer(at(5), None);
        assert_eq!(poll.next(at(5)), DeviceStep::Wait(at(15)));
        for _ in 0..40 {
            poll.on_no_answer(at(5), Some(Duration::from_secs(1)));
        }
        assert_eq!(poll.next(at(5)), DeviceStep::Wait(at(125)));
        poll.on_no_answer(at(5), Some(Duration::from_secs(300)));
        assert_eq!(poll.next(at(5)), DeviceStep::Wait(at(305)));
    }

    #[test]
    fn a_code_that_expired_ends_the_wait() {
        assert_eq!(poll().next(at(1800)), DeviceStep::Expired);
        let mut poll = poll();
        poll.on_no_answer(at(1799), None);
        assert_eq!(poll.next(at(1799)), DeviceStep::Wait(at(1800)));
    }

    #[test]
    fn answers_are_checked_and_codes_not_shown() {
        let read = |body: &str| read_device_authorization(200, body.as_bytes());
        let shown = format!("{:?}", read(ANSWER).unwrap());
        assert!(
            !shown.contains("canary") && !shown.contains("WDJB"),
            "{shown}"
        );
        for (part, instead) in [
            ("https://as.example/device", "javascript:alert(1)"),
            ("WDJB-MJHT", ""),
            ("canary-device", ""),
            ("1800", "null"),
        ] {
            let error = read(&ANSWER.replace(part, instead)).unwrap_err();
            assert_eq!(error.kind(), OAuthErrorKind::BadAnswer, "{part}");
        }
        let hasty = read(&ANSWER.replace("\"interval\":5", "\"interval\":0")).unwrap();
        assert_eq!(hasty.interval, Duration::from_secs(1));
    }
}
