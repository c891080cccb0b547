//! Id tokens (OpenID Connect Core, section 2), as each provider gives them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::clock::NS;
use crate::oauth::jose::encode;
use crate::oauth::profile::Profile;
use crate::oauth::signing_key::SigningKey;
use crate::oauth::tokens::Grant;
use crate::oauth::{OAuth, identity, put};
use crate::options::Options;

/// Life of an id token.
const TTL_S: u64 = 3_600;

/// What the authorization request had to do with it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) nonce: Option<String>,
    /// When the user logged in, where the client gets to know.
    pub(crate) auth_time_s: Option<u64>,
}

/// The id token of a grant that has a user and the scope `openid`; none of a provider that gives none.
pub(crate) fn id_token(
    profile: &Profile,
    oauth: &OAuth,
    options: &Options,
    (issuer, access): (&str, &str),
    grant: &Grant,
    login: &Login,
    now_ns: u64,
) -> Option<String> {
    let wanted = profile.openid && grant.subject.is_some() && identity::has(grant, "openid");
    if !wanted {
        return None;
    }
    let now_s = now_ns / NS;
    let mut claims = identity::claims(profile, grant);
    for (name, value) in [
        ("iss", json!(issuer)),
        ("aud", json!(grant.client_id)),
        ("iat", json!(now_s)),
        ("exp", json!(now_s + TTL_S)),
    ] {
        put(&mut claims, name, value);
    }
    // The left half of the hash (section 3.1.3.6); all algorithms here hash with SHA-256, Ed25519 as its users do.
    let hash = Sha256::digest(access);
    put(
        &mut claims,
        "at_hash",
        encode(hash.get(..16).unwrap_or_default()),
    );
    if let Some(nonce) = login.nonce.as_deref().filter(|_| profile.repeats_nonce) {
        put(&mut claims, "nonce", nonce);
    }
    if let Some(auth_time_s) = login.auth_time_s {
        put(&mut claims, "auth_time", auth_time_s);
    }
    let key = SigningKey::new(
        options.oauth.id_token_alg,
        options.seed,
        oauth.rotations + 1,
    )?;
    key.sign(&claims)
}
