//! What signs for an endpoint, and its rotation with an overlap.
//!
//! | A secret is | Leaves by | To |
//! |---|---|---|
//! | current: it signs | a rotation with an overlap | retiring |
//! | current | a rotation without one | forgotten |
//! | retiring: it signs too, after the current ones | the end of its overlap, on the session's clock | forgotten |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::Signer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Secrets that may sign at the same time.
const MAX_SECRETS: usize = 8;

/// The secrets of an endpoint.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    current: Vec<String>,
    retiring: Vec<Retiring>,
    /// How often they were made, so that each time makes others.
    made: u64,
    /// Whether an Ed25519 key is made with each secret.
    key_pair: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Retiring {
    secret: String,
    until_ns: u64,
}

/// Which endpoint of which session they are for: the same one has the same secrets in every run.
#[derive(Clone, Copy)]
pub(crate) struct Of {
    pub(crate) seed: u64,
    pub(crate) endpoint: u64,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("current", &self.current.len())
            .field("retiring", &self.retiring.len())
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// Those that were given, or new ones where none was.
    pub(crate) fn new(given: Vec<String>, key_pair: bool, of: Of) -> Result<Self, String> {
        let mut secrets = Self {
            current: given,
            retiring: Vec::new(),
            made: 0,
            key_pair,
        };
        if secrets.current.is_empty() {
            secrets.current.push(secrets.made_secret(of)?);
        }
        if key_pair {
            secrets.current.push(secrets.made_key(of));
        }
        if secrets.current.len() > MAX_SECRETS {
            return Err(format!("at most {MAX_SECRETS} secrets sign at a time"));
        }
        secrets.signer(0)?;
        Ok(secrets)
    }

    fn made_secret(&self, of: Of) -> Result<String, String> {
        let random = random(b"secret", of, self.made);
        let secret =
            gatewright_webhook::generate_secret(&random).map_err(|error| error.to_string())?;
        Ok(secret.expose().into())
    }

    fn made_key(&self, of: Of) -> String {
        let pair = gatewright_webhook::generate_key_pair(&random(b"key pair", of, self.made));
        pair.signing.expose().into()
    }

    /// Takes new secrets into use, `given` or made; those of before sign too for `overlap_ns`.
    pub(crate) fn rotate(
        &mut self,
        given: Option<String>,
        overlap_ns: u64,
        of: Of,
        now_ns: u64,
    ) -> Result<(), String> {
        let mut next = self.clone();
        next.made += 1;
        next.current = match given {
            Some(secret) => vec![secret],
            None => vec![next.made_secret(of)?],
        };
        if next.key_pair {
            next.current.push(next.made_key(of));
        }
        next.retiring.retain(|retiring| retiring.until_ns > now_ns);
        if overlap_ns > 0 {
            let until_ns = now_ns.saturating_add(overlap_ns);
            let before = self.current.iter().cloned();
            let before = before.map(|secret| Retiring { secret, until_ns });
            next.retiring.splice(0..0, before);
        } else {
            next.retiring.clear();
        }
        if next.current.len() + next.retiring.len() > MAX_SECRETS {
            return Err(format!(
                "at most {MAX_SECRETS} secrets sign at a time; wait for the end of an overlap, or rotate with overlap_s 0"
            ));
        }
        next.signer(now_ns)?;
        *self = next;
        Ok(())
    }

    /// Those that sign at `now_ns`, the current ones first.
    pub(crate) fn signing(&self, now_ns: u64) -> impl Iterator<Item = &str> {
        let retiring = self
            .retiring
            .iter()
            .filter(move |retiring| retiring.until_ns > now_ns)
            .map(|retiring| &retiring.secret);
        self.current.iter().chain(retiring).map(String::as_str)
    }

    pub(crate) fn signer(&self, now_ns: u64) -> Result<Signer, String> {
        Signer::new(self.signing(now_ns)).map_err(|error| error.to_string())
    }

    /// The one a receiver verifies with from now on.
    pub(crate) fn newest(&self) -> &str {
        self.current.first().map_or("", String::as_str)
    }

    /// `whpk_...` of the current Ed25519 key, if there is one.
    pub(crate) fn public_key(&self) -> Option<String> {
        self.current.iter().find_map(|secret| public_key(secret))
    }

    /// When the next of those that retire signs no more.
    pub(crate) fn retire_at_ns(&self, now_ns: u64) -> Option<u64> {
        self.retiring
            .iter()
            .map(|retiring| retiring.until_ns)
            .filter(|until_ns| *until_ns > now_ns)
            .min()
    }
}

fn random(what: &[u8], of: Of, made: u64) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(what)
        .chain_update(of.seed.to_le_bytes())
        .chain_update(of.endpoint.to_le_bytes());
    // The first ones are those that earlier versions made.
    let hash = if made == 0 {
        hash
    } else {
        hash.chain_update(made.to_le_bytes())
    };
    hash.finalize().into()
}

/// The second half of a `whsk_` key is its public key.
fn public_key(secret: &str) -> Option<String> {
    let pair = STANDARD.decode(secret.strip_prefix("whsk_")?).ok()?;
    Some(format!("whpk_{}", STANDARD.encode(pair.get(32..64)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS;

    const OF: Of = Of {
        seed: 1,
        endpoint: 1,
    };

    fn signing(secrets: &Secrets, now_s: u64) -> Vec<String> {
        secrets.signing(now_s * NS).map(Into::into).collect()
    }

    #[test]
    fn a_rotation_overlaps_and_ends() {
        let mut secrets = Secrets::new(Vec::new(), false, OF).unwrap();
        let first = secrets.newest().to_owned();
        secrets.rotate(None, 60 * NS, OF, 0).unwrap();
        let second = secrets.newest().to_owned();
        assert_ne!(first, second);
        assert_eq!(signing(&secrets, 59), [second.clone(), first]);
        assert_eq!(secrets.retire_at_ns(0), Some(60 * NS));
        assert_eq!(signing(&secrets, 60), [second]);
        assert_eq!(secrets.retire_at_ns(60 * NS), None);
    }

    #[test]
    fn without_an_overlap_only_the_new_one_signs() {
        let mut secrets = Secrets::new(Vec::new(), true, OF).unwrap();
        secrets.rotate(None, 60 * NS, OF, 0).unwrap();
        assert_eq!(signing(&secrets, 1).len(), 4);
        secrets.rotate(None, 0, OF, NS).unwrap();
        assert_eq!(signing(&secrets, 1).len(), 2);
    }

    #[test]
    fn only_so_many_sign_at_a_time_and_a_refused_rotation_changes_nothing() {
        let mut secrets = Secrets::new(Vec::new(), false, OF).unwrap();
        for _ in 1..MAX_SECRETS {
            secrets.rotate(None, 60 * NS, OF, 0).unwrap();
        }
        let newest = secrets.newest().to_owned();
        assert!(secrets.rotate(None, 60 * NS, OF, 0).is_err());
        assert!(
            secrets
                .rotate(Some("whsec_short".into()), 0, OF, 0)
                .is_err()
        );
        assert_eq!(secrets.newest(), newest);
        // Once the overlaps are over there is room again.
        assert!(secrets.rotate(None, 60 * NS, OF, 60 * NS).is_ok());
    }
}
