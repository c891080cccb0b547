//! The keys a session signs id tokens with: a new one with each rotation, the one before it published for an overlap.
//!
//! Ed25519 keys are made of the session's seed. RSA and P-256 keys are test keys that are part of the program, because
//! making an RSA key takes seconds: three of each, used in turn under a `kid` that never comes again.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::oauth::jose::encode;
use crate::oauth::settings::IdTokenAlg;

const RSA_KEYS: [&[u8]; 3] = [
    include_bytes!("keys/rs256-1.der"),
    include_bytes!("keys/rs256-2.der"),
    include_bytes!("keys/rs256-3.der"),
];
const P256_KEYS: [&[u8]; 3] = [
    include_bytes!("keys/es256-1.der"),
    include_bytes!("keys/es256-2.der"),
    include_bytes!("keys/es256-3.der"),
];

/// A signing key of a session; its number goes up with each rotation.
pub(crate) struct SigningKey {
    pair: Pair,
    pub(crate) kid: String,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl SigningKey {
    /// Key `number`, from 1, of the session with this seed.
    pub(crate) fn new(alg: IdTokenAlg, session_seed: u64, number: u32) -> Option<Self> {
        let at = number.wrapping_sub(1) as usize;
        let (pair, suffix) = match alg {
            IdTokenAlg::EdDsa => {
                let mut hasher = Sha256::new_with_prefix(b"gatewright signing key");
                hasher.update(session_seed.to_le_bytes());
                hasher.update(number.to_le_bytes());
                let pair = Ed25519KeyPair::from_seed_unchecked(&hasher.finalize()).ok()?;
                (Pair::Ed25519(pair), "")
            }
            IdTokenAlg::Es256 => {
                let key = P256_KEYS.get(at % P256_KEYS.len())?;
                let (alg, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
                let pair = EcdsaKeyPair::from_pkcs8(alg, key, &random).ok()?;
                (Pair::P256(pair), "-es256")
            }
            IdTokenAlg::Rs256 => {
                let key = RSA_KEYS.get(at % RSA_KEYS.len())?;
                (
                    Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(key).ok()?)),
                    "-rs256",
                )
            }
        };
        Some(Self {
            pair,
            kid: format!("key-{number}{suffix}"),
        })
    }

    /// The public key (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                let part = |from: usize| encode(point.get(from..from + 32).unwrap_or_default());
                json!({ "kty": "EC", "crv": "P-256", "x": part(1), "y": part(33) })
            }
            Pair::Rsa(pair) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "kty": "RSA", "n": encode(public.n), "e": encode(public.e) })
            }
        };
        crate::oauth::put(&mut jwk, "kid", self.kid.as_str());
        crate::oauth::put(&mut jwk, "alg", self.alg());
        crate::oauth::put(&mut jwk, "use", "sig");
        jwk
    }

    fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// The claims as a signed token in the compact form (RFC 7515).
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let header = json!({ "alg": self.alg(), "kid": self.kid, "typ": "JWT" });
        let signed = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = match &self.pair {
            Pair::Ed25519(pair) => encode(pair.sign(signed.as_bytes())),
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                encode(signature.ok()?)
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    signed.as_bytes(),
                    &mut signature,
                )
                .ok()?;
                encode(signature)
            }
        };
        Some(format!("{signed}.{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jose::Jws;

    #[test]
    fn what_was_changed_is_not_signed() {
        for alg in [IdTokenAlg::EdDsa, IdTokenAlg::Es256, IdTokenAlg::Rs256] {
            let key = SigningKey::new(alg, 1, 1).unwrap();
            let text = key.sign(&json!({"sub": "a"})).unwrap();
            assert!(Jws::parse(&text).unwrap().is_signed_by(&key.jwk()));
            let other = SigningKey::new(alg, 1, 2).unwrap();
            assert!(!Jws::parse(&text).unwrap().is_signed_by(&other.jwk()));
            let (_, signature) = text.rsplit_once('.').unwrap();
            let header = text.split('.').next().unwrap();
            let forged = format!("{header}.{}.{signature}", encode(r#"{"sub":"b"}"#));
            assert!(!Jws::parse(&forged).unwrap().is_signed_by(&key.jwk()));
        }
    }
}
