//! Devices that ask for a token while a user decides elsewhere (RFC 8628).
//!
//! | State | A poll | Leaves by |
//! |---|---|---|
//! | pending | `authorization_pending`; sooner than the interval `slow_down`, and 5 s more from then on | a decision, or the end of its life |
//! | approved | the tokens, once | the poll |
//! | denied | `access_denied` | the end of its life |
//! | expired | `expired_token` | |

use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::clock::NS;
use crate::durable::Touched;
use crate::oauth::keep::DEVICE;
use crate::oauth::tokens::Grant;

const MAX_DEVICES: usize = 10_000;
/// Letters that are not mistaken for others (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// What the user decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    Approved,
    Denied,
    Pending,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) grant: Grant,
    pub(crate) decision: Decision,
    pub(crate) polls: u64,
    interval_ns: u64,
    pub(super) expires_ns: u64,
    polled_ns: Option<u64>,
}

/// The devices of a session, by their codes.
pub(crate) struct Devices {
    pub(super) by_code: Bounded<String, Device>,
    pub(super) touched: Touched,
}

/// `BCDF-GHJK` of a hash.
pub(crate) fn user_code(hash: u64) -> String {
    let mut rest = hash;
    let mut code = String::with_capacity(9);
    for at in 0..8 {
        if at == 4 {
            code.push('-');
        }
        let letter = LETTERS.get((rest % 20) as usize).copied().unwrap_or(b'B');
        code.push(char::from(letter));
        rest /= 20;
    }
    code
}

impl Devices {
    /// No devices. With `kept` what changes is noted for the data file.
    pub(super) fn new(kept: bool) -> Self {
        Self {
            by_code: Bounded::new(MAX_DEVICES),
            touched: Touched::new(kept),
        }
    }

    pub(crate) fn add(
        &mut self,
        device_code: String,
        user_code: String,
        grant: Grant,
        (interval_s, ttl_s): (u64, u64),
        now_ns: u64,
    ) {
        let device = Device {
            user_code,
            grant,
            decision: Decision::Pending,
            polls: 0,
            interval_ns: interval_s.saturating_mul(NS),
            expires_ns: now_ns.saturating_add(ttl_s.saturating_mul(NS)),
            polled_ns: None,
        };
        self.touched.note(DEVICE, &device_code);
        if let Some((gone, _)) = self.by_code.insert_for(device_code, device) {
            self.touched.note(DEVICE, &gone);
        }
    }

    /// The error of a poll, or the grant of an approved device.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now_ns: u64,
    ) -> Result<Grant, &'static str> {
        let device = self
            .by_code
            .get_mut(device_code)
            .filter(|device| device.grant.client_id == client_id)
            .ok_or("invalid_grant")?;
        self.touched.note(DEVICE, device_code);
        device.polls += 1;
        if now_ns >= device.expires_ns {
            return Err("expired_token");
        }
        let last = device.polled_ns.replace(now_ns);
        match device.decision {
            Decision::Denied => Err("access_denied"),
            Decision::Approved => {
                let device = self.by_code.remove(device_code).ok_or("invalid_grant")?;
                Ok(device.grant)
            }
            Decision::Pending => {
                if last.is_some_and(|last| now_ns < last.saturating_add(device.interval_ns)) {
                    device.interval_ns = device.interval_ns.saturating_add(5 * NS);
                    return Err("slow_down");
                }
                Err("authorization_pending")
            }
        }
    }

    /// Decides for the device with this user code, however it is written; false when there is none that is pending.
    pub(crate) fn decide(&mut self, user_code: &str, decision: Decision, now_ns: u64) -> bool {
        let plain = |code: &str| -> String {
            code.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| c.to_ascii_uppercase())
                .collect()
        };
        let wanted = plain(user_code);
        for (code, device) in self.by_code.iter_mut() {
            if plain(&device.user_code) == wanted
                && device.decision == Decision::Pending
                && now_ns < device.expires_ns
            {
                device.decision = decision;
                self.touched.note(DEVICE, code);
                return true;
            }
        }
        false
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Device> {
        self.by_code.iter().map(|(_, device)| device)
    }
}
