//! Where redirects lead, how often, and with what.

use super::Facts;
use crate::script::Clients;

/// What is wrong with an attempt to `host`, with this credential or none.
pub(super) fn check(
    facts: &mut Facts,
    clients: &Clients,
    host: u32,
    credential: Option<u32>,
) -> Option<String> {
    if clients.regions {
        return None;
    }
    facts.left |= host != facts.plan.host;
    if facts.redirects > clients.redirects {
        return Some(format!(
            "redirect {} of {} that are allowed",
            facts.redirects, clients.redirects
        ));
    }
    if facts.left && !clients.elsewhere {
        return Some(format!("it was sent to host {host}"));
    }
    if facts.left && credential.is_some() {
        return Some(format!("its credential was sent to host {host}"));
    }
    None
}
