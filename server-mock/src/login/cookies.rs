//! The cookies of the login: HttpOnly and SameSite=Lax, which lets them come along when the provider sends the browser
//! back, and with no request that another site makes in the background.

use http::header::COOKIE;

use crate::call::Call;

pub(super) const SESSION: &str = "gatewright_session";
/// An attempt's; its name goes on with the beginning of the attempt's `state`, so that two tabs can log in at once.
const ATTEMPT: &str = "gatewright_login_";

/// The name of the cookie of the attempt with this `state`.
pub(super) fn of_attempt(state: &str) -> String {
    let short: String = state
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    format!("{ATTEMPT}{short}")
}

/// What `Set-Cookie` says; a life of 0 takes the cookie away.
pub(super) fn set(call: &Call, name: &str, value: &str, path: &str, max_age_s: u64) -> String {
    let secure = if call.via.https() { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of a cookie; none where it came twice, because then nobody knows which one is ours.
pub(super) fn get<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let mut values = call
        .parts
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() {
        return None;
    }
    value
}
