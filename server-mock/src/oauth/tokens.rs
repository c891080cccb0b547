//! The tokens of a session's authorization server: families of refresh tokens and the access tokens that came of them.
//!
//! | Refresh token | Used again | Leaves by |
//! |---|---|---|
//! | current | a new pair; it is used up, where tokens rotate | `refresh` |
//! | used up, within the grace | a new pair | the grace's end |
//! | used up | the whole family is revoked, access tokens too (RFC 9700, section 4.14.2) | |
//! | revoked or expired | `invalid_grant` | |

use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::clock::MS;
use crate::durable::Touched;
use crate::oauth::keep::{ACCESS, FAMILY, OAUTH, REFRESH};
use crate::oauth::profile::{Profile, github};
use crate::oauth::settings::OAuthOptions;
use crate::stable_hash::{mix, stable_hash};
use crate::tier::Tier;

pub(super) const MAX_TOKENS: usize = 50_000;
const MONTH_MS: u64 = 30 * 86_400_000;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) provider: String,
    pub(crate) client_id: String,
    pub(crate) tenant: String,
    pub(crate) tier: Tier,
    /// The user; none with client credentials.
    pub(crate) subject: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// The thumbprint of the key it is bound to.
    pub(crate) key: Option<String>,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) grant: Grant,
    pub(crate) issued_ns: u64,
    pub(crate) expires_ns: u64,
    family: Option<u64>,
    revoked: bool,
}

/// A refresh token.
#[derive(Serialize, Deserialize)]
pub(super) struct Refresh {
    grant: Grant,
    family: u64,
    pub(super) expires_ns: u64,
    used_ns: Option<u64>,
}

/// How long tokens live and whether they rotate: the provider's ways, as far as the session does not say otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    access_prefix: &'static str,
    /// None never expires.
    pub(crate) access_ttl_ms: Option<u64>,
    pub(crate) refresh_ttl_ms: u64,
    rotates: bool,
    reuse_grace_ms: u64,
}

impl Lives {
    pub(crate) fn of(profile: &Profile, options: &OAuthOptions, client_id: &str) -> Self {
        let app = profile.form_answers && github::is_app(client_id);
        let access_ttl_s = if app {
            Some(github::APP_ACCESS_TTL_S)
        } else {
            profile.access_ttl_s
        };
        let refresh_ttl_ms = profile
            .refresh_ttl_s
            .map_or(MONTH_MS, |seconds| seconds * 1_000);
        Self {
            access_prefix: profile.access_prefix,
            access_ttl_ms: options
                .access_token_ttl_ms
                .or(access_ttl_s.map(|seconds| seconds * 1_000)),
            refresh_ttl_ms: options.refresh_token_ttl_ms.unwrap_or(refresh_ttl_ms),
            rotates: options.rotate_refresh_tokens && profile.rotates,
            reuse_grace_ms: options.refresh_reuse_grace_ms,
        }
    }
}

/// A new access token and, where the client gets one, its refresh token.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) grant: Grant,
}

/// What a token that was asked about is.
pub(crate) enum Known<'a> {
    Access(&'a Access),
    Refresh { grant: &'a Grant, expires_ns: u64 },
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Expired,
    Revoked,
    Unknown,
}

pub(crate) struct IssuedTokens {
    pub(super) access: Bounded<String, Access>,
    pub(super) refresh: Bounded<String, Refresh>,
    pub(super) revoked_families: Bounded<u64, ()>,
    pub(super) families: u64,
    /// Secrets made so far; each is a hash of the seed and its number.
    pub(super) made: u64,
    pub(super) touched: Touched,
}

impl IssuedTokens {
    /// No tokens. With `kept` what changes is noted for the data file.
    pub(super) fn new(kept: bool) -> Self {
        Self {
            access: Bounded::new(MAX_TOKENS),
            refresh: Bounded::new(MAX_TOKENS),
            revoked_families: Bounded::new(MAX_TOKENS),
            families: 0,
            made: 0,
            touched: Touched::new(kept),
        }
    }

    /// A text nobody guesses by chance, the same in every run of the same session.
    pub(crate) fn secret(&mut self, prefix: &str, seed: u64) -> String {
        self.made += 1;
        self.touched.note(OAUTH, "");
        let high = stable_hash(&[
            b"oauth",
            prefix.as_bytes(),
            &seed.to_le_bytes(),
            &self.made.to_le_bytes(),
        ]);
        format!("{prefix}{high:016x}{:016x}", mix(high))
    }

    /// A new family.
    pub(crate) fn family(&mut self) -> u64 {
        self.families += 1;
        self.touched.note(OAUTH, "");
        self.families
    }

    /// Makes tokens of a family, where they are of one; `refreshable` decides whether there is one to refresh with.
    pub(crate) fn issue(
        &mut self,
        grant: Grant,
        (family, refreshable): (Option<u64>, bool),
        lives: Lives,
        seed: u64,
        now_ns: u64,
    ) -> Issued {
        let access = self.secret(lives.access_prefix, seed);
        let ends = |ttl_ms: u64| now_ns.saturating_add(ttl_ms.saturating_mul(MS));
        let token = Access {
            grant: grant.clone(),
            issued_ns: now_ns,
            expires_ns: lives.access_ttl_ms.map_or(u64::MAX, ends),
            family,
            revoked: false,
        };
        self.touched.note(ACCESS, &access);
        if let Some((gone, _)) = self.access.insert_for(access.clone(), token) {
            self.touched.note(ACCESS, &gone);
        }
        let refresh = family.filter(|_| refreshable).map(|family| {
            let refresh = self.secret("ort_", seed);
            let token = Refresh {
                grant: grant.clone(),
                family,
                expires_ns: ends(lives.refresh_ttl_ms),
                used_ns: None,
            };
            self.touched.note(REFRESH, &refresh);
            if let Some((gone, _)) = self.refresh.insert_for(refresh.clone(), token) {
                self.touched.note(REFRESH, &gone);
            }
            refresh
        });
        Issued {
            access,
            refresh,
            grant,
        }
    }

    /// What a refresh token is good for, if it is one that may be tried.
    pub(crate) fn refresh_grant(&self, token: &str) -> Option<&Grant> {
        self.refresh.get(token).map(|refresh| &refresh.grant)
    }

    /// Uses a refresh token. `scopes` narrows what the new access token is good for.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        scopes: Option<Vec<String>>,
        lives: Lives,
        seed: u64,
        now_ns: u64,
    ) -> Result<Issued, &'static str> {
        let known = self
            .refresh
            .get_mut(token)
            .ok_or("the refresh token is not known")?;
        let (family, grant) = (known.family, known.grant.clone());
        if self.revoked_families.contains(&family) {
            return Err("the refresh token was revoked");
        }
        if now_ns >= known.expires_ns {
            return Err("the refresh token has expired");
        }
        let grace_ns = lives.reuse_grace_ms.saturating_mul(MS);
        if known
            .used_ns
            .is_some_and(|used| now_ns >= used.saturating_add(grace_ns))
        {
            self.revoke_family(family);
            return Err(
                "the refresh token was used before; all tokens that came of it are revoked",
            );
        }
        if lives.rotates && known.used_ns.is_none() {
            known.used_ns = Some(now_ns);
            self.touched.note(REFRESH, token);
        }
        let narrowed = Grant {
            scopes: scopes.unwrap_or_else(|| grant.scopes.clone()),
            ..grant.clone()
        };
        let of_family = (Some(family), lives.rotates);
        let mut issued = self.issue(narrowed, of_family, lives, seed, now_ns);
        if let Some(refresh) = &issued.refresh {
            // A narrower access token does not narrow what the family may ask for later (RFC 6749, section 6).
            if let Some(next) = self.refresh.get_mut(refresh) {
                next.grant = grant;
                self.touched.note(REFRESH, refresh);
            }
        } else {
            issued.refresh = Some(token.to_owned());
        }
        Ok(issued)
    }

    pub(crate) fn access(&self, token: &str, now_ns: u64) -> Result<&Access, Rejected> {
        let access = self.access.get(token).ok_or(Rejected::Unknown)?;
        let family_revoked = access
            .family
            .is_some_and(|family| self.revoked_families.contains(&family));
        if access.revoked || family_revoked {
            return Err(Rejected::Revoked);
        }
        if now_ns >= access.expires_ns {
            return Err(Rejected::Expired);
        }
        Ok(access)
    }

    /// An active token of either kind.
    pub(crate) fn active(&self, token: &str, now_ns: u64) -> Option<Known<'_>> {
        if let Ok(access) = self.access(token, now_ns) {
            return Some(Known::Access(access));
        }
        let refresh = self.refresh.get(token)?;
        let active = refresh.used_ns.is_none()
            && now_ns < refresh.expires_ns
            && !self.revoked_families.contains(&refresh.family);
        active.then_some(Known::Refresh {
            grant: &refresh.grant,
            expires_ns: refresh.expires_ns,
        })
    }

    /// Revokes one access token, or the family of a refresh token (RFC 7009). Another client's tokens stay.
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str) -> bool {
        if let Some(access) = self.access.get_mut(token) {
            let own = access.grant.client_id == client_id;
            access.revoked |= own;
            self.touched.note(ACCESS, token);
            return own;
        }
        let family = self
            .refresh
            .get(token)
            .filter(|refresh| refresh.grant.client_id == client_id)
            .map(|refresh| refresh.family);
        if let Some(family) = family {
            self.revoke_family(family);
        }
        family.is_some()
    }

    /// Revokes whatever it is, whoever's (Google's way).
    pub(crate) fn revoke_of_anyone(&mut self, token: &str) -> bool {
        let access = self
            .access
            .get(token)
            .map(|access| access.grant.client_id.clone());
        let refresh = || {
            self.refresh
                .get(token)
                .map(|refresh| refresh.grant.client_id.clone())
        };
        access
            .or_else(refresh)
            .is_some_and(|client_id| self.revoke(token, &client_id))
    }

    /// When a refresh token ends.
    pub(crate) fn refresh_expires_ns(&self, token: &str) -> Option<u64> {
        self.refresh.get(token).map(|refresh| refresh.expires_ns)
    }

    pub(crate) fn revoke_family(&mut self, family: u64) {
        let gone = self.revoked_families.insert_for(family, ());
        let gone = gone.map(|(gone, ())| gone);
        for family in [Some(family), gone].into_iter().flatten() {
            self.touched.note_with(FAMILY, || family.to_string());
        }
    }

    /// Revokes the access tokens that are there, and with `refresh` the families too.
    pub(crate) fn revoke_all(&mut self, refresh: bool) {
        for (token, access) in self.access.iter_mut() {
            access.revoked = true;
            self.touched.note(ACCESS, token);
        }
        if refresh {
            // Of the ones before there is no token any more.
            let oldest = self.families.saturating_sub(MAX_TOKENS as u64);
            for family in oldest + 1..=self.families {
                self.revoke_family(family);
            }
        }
    }
}
