//! What a session can set of signatures, and the keys it knows without being told: those of RFC 9421, appendix B.1.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::base::Component;
use crate::key::{Identity, is_tenant};
use crate::oauth::jose::decode;
use crate::tier::Tier;

const MAX_KEYS: usize = 100;
const MAX_COMPONENTS: usize = 50;
const MAX_KEYID_BYTES: usize = 256;

/// Whether signatures are checked. A change replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SigningOptions {
    /// Whether signatures are checked, and whether there has to be one. Default: `off`.
    pub mode: SigningMode,
    /// What a message signature has to cover, written as in RFC 9421. Default: `@method`, `@target-uri`.
    pub components: Vec<String>,
    /// Whether a message signature of a request with a body may go without `content-digest`. Default: false.
    pub unsigned_bodies: bool,
    /// Whether a message signature has to have a nonce. Default: true.
    pub require_nonce: bool,
    /// Keys beside those that are always there; one of the same name stands in its place. Default: none.
    pub keys: Vec<VerifyingKey>,
}

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SigningMode {
    /// Where a request has one.
    Checked,
    /// Never.
    Off,
    /// Always; a request below `/v1/` without one gets 401.
    Required,
}

/// A key that signatures are checked with: one of `secret`, `secret_base64` and `jwk`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifyingKey {
    /// Its name.
    pub keyid: String,
    /// The secret of an HMAC, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret of an HMAC in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_base64: Option<String>,
    /// A public key: P-256 or Ed25519.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<Value>,
    /// Whose requests it signs. Default: `acme`.
    #[serde(default = "acme")]
    pub tenant: String,
    /// The tier of these requests. Default: `unlimited`.
    #[serde(default = "unlimited")]
    pub tier: Tier,
}

fn acme() -> String {
    "acme".into()
}

fn unlimited() -> Tier {
    Tier::Unlimited
}

impl Default for SigningOptions {
    fn default() -> Self {
        Self {
            mode: SigningMode::Off,
            components: vec!["@method".into(), "@target-uri".into()],
            unsigned_bodies: false,
            require_nonce: true,
            keys: Vec::new(),
        }
    }
}

/// What a key checks with.
enum Material {
    Secret(hmac::Key),
    Ed25519(Vec<u8>),
    P256(Vec<u8>),
}

/// A key that can be used.
pub(super) struct Known {
    pub(super) keyid: String,
    tenant: String,
    tier: Tier,
    material: Material,
}

impl Known {
    fn of(key: &VerifyingKey) -> Option<Self> {
        let secret = |bytes: &[u8]| Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        let material = match (&key.secret, &key.secret_base64, &key.jwk) {
            (Some(text), None, None) => secret(text.as_bytes()),
            (None, Some(text), None) => secret(&STANDARD.decode(text).ok()?),
            (None, None, Some(jwk)) => public(jwk)?,
            _ => return None,
        };
        Some(Self {
            keyid: key.keyid.clone(),
            tenant: key.tenant.clone(),
            tier: key.tier,
            material,
        })
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            tenant: self.tenant.clone(),
            tier: self.tier,
            readonly: false,
            granted: None,
        }
    }

    /// The name of its algorithm (RFC 9421, section 6.2.2).
    pub(super) fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Secret(_) => "hmac-sha256",
            Material::Ed25519(_) => "ed25519",
            Material::P256(_) => "ecdsa-p256-sha256",
        }
    }

    pub(super) fn is_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, text, signature).is_ok(),
            Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key)
                .verify(text, signature)
                .is_ok(),
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(text, signature)
                .is_ok(),
        }
    }
}

fn public(jwk: &Value) -> Option<Material> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| decode(member(name)?).filter(|bytes| bytes.len() == 32);
    match (member("kty")?, member("crv")?) {
        ("OKP", "Ed25519") => Some(Material::Ed25519(bytes("x")?)),
        ("EC", "P-256") => Some(Material::P256([vec![4], bytes("x")?, bytes("y")?].concat())),
        _ => None,
    }
}

fn built_in() -> &'static [Known] {
    static KEYS: OnceLock<Vec<Known>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let keys = json!([
            { "keyid": "test-hmac", "secret": "test-hmac-secret" },
            {
                "keyid": "test-shared-secret",
                "secret_base64": "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
            },
            {
                "keyid": "test-key-ed25519",
                "jwk": {
                    "kty": "OKP", "crv": "Ed25519",
                    "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
                },
            },
            {
                "keyid": "test-key-ecc-p256",
                "jwk": {
                    "kty": "EC", "crv": "P-256",
                    "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
                    "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
                },
            },
        ]);
        let keys: Vec<VerifyingKey> = serde_json::from_value(keys).unwrap_or_default();
        keys.iter().filter_map(Known::of).collect()
    })
}

/// A key by its name: one that was set, else one that is always there.
pub(super) enum Found {
    Set(Box<Known>),
    BuiltIn(&'static Known),
}

impl std::ops::Deref for Found {
    type Target = Known;

    fn deref(&self) -> &Known {
        match self {
            Self::Set(key) => key,
            Self::BuiltIn(key) => key,
        }
    }
}

impl SigningOptions {
    /// What cannot be used in it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.keys.len() > MAX_KEYS || self.components.len() > MAX_COMPONENTS {
            return Err(format!(
                "there may be at most {MAX_KEYS} keys and {MAX_COMPONENTS} components"
            ));
        }
        for text in &self.components {
            if Component::required(text).is_none() {
                return Err(format!("components: {text:?} is none of a request"));
            }
        }
        for (at, key) in self.keys.iter().enumerate() {
            if !(1..=MAX_KEYID_BYTES).contains(&key.keyid.len()) {
                return Err(format!(
                    "keys[{at}]: keyid must be 1 to {MAX_KEYID_BYTES} bytes"
                ));
            }
            if !is_tenant(&key.tenant) {
                return Err(format!(
                    "keys[{at}]: tenant must be 1 to 64 letters, digits, - or _"
                ));
            }
            if Known::of(key).is_none() {
                return Err(format!(
                    "keys[{at}]: give one of secret, secret_base64 and jwk (P-256 or Ed25519)"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn key(&self, keyid: &str) -> Option<Found> {
        match self.keys.iter().find(|key| key.keyid == keyid) {
            Some(key) => Known::of(key).map(|key| Found::Set(Box::new(key))),
            None => {
                let mut keys = built_in().iter();
                keys.find(|key| key.keyid == keyid).map(Found::BuiltIn)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_that_are_always_there_can_be_used() {
        assert_eq!(built_in().len(), 4);
    }

    #[test]
    fn settings_that_cannot_be_used_are_refused() {
        let read = |text: &str| {
            serde_json::from_str::<SigningOptions>(text)
                .unwrap()
                .check()
        };
        assert!(read("{}").is_ok());
        assert!(read(r#"{"keys":[{"keyid":"a","secret":"s"}]}"#).is_ok());
        for wrong in [
            r#"{"keys":[{"keyid":"a"}]}"#,
            r#"{"keys":[{"keyid":"a","secret":"s","secret_base64":"cw=="}]}"#,
            r#"{"keys":[{"keyid":"a","jwk":{"kty":"OKP","crv":"X25519","x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}}]}"#,
            r#"{"keys":[{"keyid":"","secret":"s"}]}"#,
            r#"{"components":["@status"]}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
