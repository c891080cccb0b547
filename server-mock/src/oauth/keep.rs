//! The authorization server's state as rows of a data file.
//!
//! | Kind | Id | Value |
//! |---|---|---|
//! | `oauth` | | what secrets and families are made of, the signing key's rotations, when the user logged in |
//! | `oauth_access` | the token | what it is good for, and whether it was revoked |
//! | `oauth_refresh` | the token | the same, and when it was used |
//! | `oauth_family` | its number | a family that is revoked |
//! | `oauth_code` | the code | what it was given for, and whether it was used |
//! | `oauth_device` | the device's code | what was decided, and how often it asked |
//! | `oauth_consent` | provider and client | the user has agreed |
//!
//! Codes are kept though they live a minute, because a code that is used twice has to revoke its tokens whatever came in
//! between. Not kept are proofs and assertions that were used (a write for each request) and pushed requests (a minute).
//! What has expired stays until it makes room, as in memory: that it has expired is what its holder is told.

use serde::{Deserialize, Serialize};

use super::OAuth;
use super::authorize::Code;
use crate::durable::{Keeps, Name, Value, Written};

pub(super) const OAUTH: &str = "oauth";
pub(super) const ACCESS: &str = "oauth_access";
pub(super) const REFRESH: &str = "oauth_refresh";
pub(super) const FAMILY: &str = "oauth_family";
pub(super) const CODE: &str = "oauth_code";
pub(super) const DEVICE: &str = "oauth_device";
const CONSENT: &str = "oauth_consent";

/// The kinds of rows that are the authorization server's.
pub(crate) const KINDS: [&str; 7] = [OAUTH, ACCESS, REFRESH, FAMILY, CODE, DEVICE, CONSENT];

#[derive(Serialize, Deserialize)]
struct KeptOAuth {
    made: u64,
    families: u64,
    rotations: u32,
    rotated_ns: u64,
    logged_in_ns: Option<u64>,
}

impl OAuth {
    /// The test user logs in at the provider.
    pub(super) fn logged_in(&mut self, now_ns: u64) -> u64 {
        self.logged_in_ns = Some(now_ns);
        self.touched.note(OAUTH, "");
        now_ns
    }

    /// The user has agreed to a client.
    pub(super) fn agreed(&mut self, consent: String) {
        self.touched.note(CONSENT, &consent);
        if let Some((gone, ())) = self.consents.insert_for(consent, ()) {
            self.touched.note(CONSENT, &gone);
        }
    }

    /// A code was given to a client.
    pub(super) fn gave(&mut self, code: &str, given: Code) {
        self.touched.note(CODE, code);
        if let Some((gone, _)) = self.codes.insert_for(code.into(), given) {
            self.touched.note(CODE, &gone);
        }
    }

    /// The signing key is another from now on.
    pub(crate) fn rotate(&mut self, now_ns: u64) {
        self.rotated_ns = now_ns;
        self.rotations = self.rotations.saturating_add(1);
        self.touched.note(OAUTH, "");
    }

    fn is_new(&self) -> bool {
        self.tokens.made == 0
            && self.tokens.families == 0
            && self.rotations == 0
            && self.logged_in_ns.is_none()
    }
}

impl Keeps for OAuth {
    fn touched(&mut self) -> Vec<Name> {
        let mut names = self.touched.take();
        names.extend(self.tokens.touched.take());
        names.extend(self.devices.touched.take());
        names
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        let mut add = |kind: &'static str, id: &str| names.push((kind, id.into()));
        if !self.is_new() {
            add(OAUTH, "");
        }
        self.tokens
            .access
            .iter()
            .for_each(|(id, _)| add(ACCESS, id));
        self.tokens
            .refresh
            .iter()
            .for_each(|(id, _)| add(REFRESH, id));
        for (family, ()) in self.tokens.revoked_families.iter() {
            add(FAMILY, &family.to_string());
        }
        self.codes.iter().for_each(|(id, _)| add(CODE, id));
        self.devices
            .by_code
            .iter()
            .for_each(|(id, _)| add(DEVICE, id));
        self.consents.iter().for_each(|(id, ())| add(CONSENT, id));
        names
    }

    fn row(&self, kind: &str, id: &str) -> Option<Written> {
        let tokens = &self.tokens;
        match kind {
            OAUTH => Some(Value::of(&KeptOAuth {
                made: tokens.made,
                families: tokens.families,
                rotations: self.rotations,
                rotated_ns: self.rotated_ns,
                logged_in_ns: self.logged_in_ns,
            })),
            ACCESS => tokens.access.get(id).map(Value::of),
            REFRESH => tokens.refresh.get(id).map(Value::of),
            FAMILY => {
                let revoked = tokens.revoked_families.contains(&id.parse::<u64>().ok()?);
                revoked.then(|| Value::of(&true))
            }
            CODE => self.codes.get(id).map(Value::of),
            DEVICE => self.devices.by_code.get(id).map(Value::of),
            _ => self.consents.contains(id).then(|| Value::of(&true)),
        }
    }

    fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        let tokens = &mut self.tokens;
        match kind {
            OAUTH => {
                let kept: KeptOAuth = value.read()?;
                (tokens.made, tokens.families) = (kept.made, kept.families);
                (self.rotations, self.rotated_ns) = (kept.rotations, kept.rotated_ns);
                self.logged_in_ns = kept.logged_in_ns;
            }
            ACCESS => {
                tokens.access.insert(id.into(), value.read()?);
            }
            REFRESH => {
                tokens.refresh.insert(id.into(), value.read()?);
            }
            FAMILY => {
                let family: Result<u64, _> = id.parse();
                let family = family.map_err(|_| "its id is no number".to_owned())?;
                tokens.revoked_families.insert(family, ());
            }
            CODE => {
                self.codes.insert(id.into(), value.read()?);
            }
            DEVICE => {
                self.devices.by_code.insert(id.into(), value.read()?);
            }
            _ => {
                self.consents.insert(id.into(), ());
            }
        }
        Ok(())
    }

    fn taken(&mut self) -> Result<(), String> {
        // They came by their ids, and make room by their age.
        let tokens = &mut self.tokens;
        tokens.access.sort_by_key(|_, token| token.issued_ns);
        tokens.refresh.sort_by_key(|_, token| token.expires_ns);
        tokens.revoked_families.sort_by_key(|family, ()| *family);
        self.codes.sort_by_key(|_, code| code.expires_ns);
        self.devices
            .by_code
            .sort_by_key(|_, device| device.expires_ns);
        Ok(())
    }
}
