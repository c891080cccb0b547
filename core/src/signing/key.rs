//! Keys that sign: HMAC everywhere; Ed25519 natively and with the feature `signatures`; P-256 and RSA natively, by ring.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(any(feature = "signatures", feature = "native"))]
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatewright_engine::ErrorKind;
use gatewright_engine::redact::Secret;
use gatewright_engine::signing::{HashAlgorithm, hmac};
use serde_json::Value;
#[cfg(any(feature = "signatures", feature = "native"))]
use serde_json::json;
use zeroize::Zeroizing;

use super::der::{BIT_STRING, Der, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, TAGGED_1};
use crate::Error;
use crate::body::BoxError;

/// 1.3.101.112 (RFC 8410).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// 1.2.840.10045.2.1, and the curve 1.2.840.10045.3.1.7 (RFC 5480).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.2.840.113549.1.1: rsaEncryption (1) and RSASSA-PSS (10).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

/// What a PKCS #8 file of an Ed25519 key begins with.
const ED25519_PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A private or shared key. Never shown.
pub struct SigningKey(Kind);

enum Kind {
    Hmac(Zeroizing<Vec<u8>>),
    #[cfg(feature = "native")]
    Ed25519(ring::signature::Ed25519KeyPair),
    #[cfg(all(feature = "signatures", not(feature = "native")))]
    Ed25519(ed25519_dalek::SigningKey),
    #[cfg(feature = "native")]
    P256(ring::signature::EcdsaKeyPair),
    #[cfg(feature = "native")]
    Rsa(Box<ring::signature::RsaKeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.http_algorithm())
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("the signing key {what}"))
}

impl SigningKey {
    /// A shared secret, for `hmac-sha256`.
    #[must_use]
    pub fn hmac(secret: impl AsRef<[u8]>) -> Self {
        Self(Kind::Hmac(Zeroizing::new(secret.as_ref().to_vec())))
    }

    /// A private key in PEM: PKCS #8 (`BEGIN PRIVATE KEY`) of Ed25519, P-256 or RSA, or SEC 1 (`BEGIN EC PRIVATE KEY`) of P-256.
    ///
    /// # Errors
    /// `invalid_config` for anything else, encrypted keys among it. The text is not shown.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let body = |label: &str| {
            let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
            rest.split_once(&format!("-----END {label}-----"))
                .map(|(body, _)| body)
        };
        let decode = |body: &str| -> Result<Zeroizing<Vec<u8>>, Error> {
            let text: Zeroizing<String> =
                Zeroizing::new(body.split_whitespace().collect::<String>());
            STANDARD
                .decode(text.as_bytes())
                .map(Zeroizing::new)
                .map_err(|_| invalid("is no PEM: its base64 is broken"))
        };
        if let Some(body) = body("PRIVATE KEY") {
            return Self::from_pkcs8(&decode(body)?);
        }
        if let Some(body) = body("EC PRIVATE KEY") {
            return Self::from_sec1(&decode(body)?);
        }
        Err(invalid(
            "is no PEM with a PRIVATE KEY or an EC PRIVATE KEY that is not encrypted",
        ))
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let parts = || {
            let mut key = Der::new(der).inside(SEQUENCE)?;
            key.next(INTEGER)?;
            let mut algorithm = key.inside(SEQUENCE)?;
            let kind = algorithm.next(OBJECT)?;
            let curve = algorithm.next(OBJECT);
            Some((kind, curve, key.next(OCTET_STRING)?))
        };
        let (kind, curve, key) = parts().ok_or_else(|| invalid("is no PKCS #8"))?;
        match kind {
            ED25519 => {
                let seed = Der::new(key)
                    .next(OCTET_STRING)
                    .and_then(|seed| <&[u8; 32]>::try_from(seed).ok());
                Self::from_seed(seed.ok_or_else(|| invalid("is no Ed25519 key"))?)
            }
            EC if curve == Some(P256) => Self::from_sec1(key),
            EC => Err(invalid("is of a curve other than P-256")),
            kind if kind.starts_with(RSA) => Self::from_rsa(key),
            _ => Err(invalid("is of a kind other than Ed25519, P-256 and RSA")),
        }
    }

    #[cfg(feature = "native")]
    fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        ring::signature::Ed25519KeyPair::from_seed_unchecked(seed)
            .map(|key| Self(Kind::Ed25519(key)))
            .map_err(|_| invalid("is no Ed25519 key"))
    }

    #[cfg(all(feature = "signatures", not(feature = "native")))]
    fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        Ok(Self(Kind::Ed25519(ed25519_dalek::SigningKey::from_bytes(
            seed,
        ))))
    }

    #[cfg(not(any(feature = "signatures", feature = "native")))]
    fn from_seed(_: &[u8; 32]) -> Result<Self, Error> {
        Err(invalid("is of a kind that this build has not"))
    }

    #[cfg(feature = "native")]
    fn from_sec1(der: &[u8]) -> Result<Self, Error> {
        use ring::rand::SystemRandom;
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let parts = || {
            let mut key = Der::new(der).inside(SEQUENCE)?;
            key.next(INTEGER)?;
            let private = key.next(OCTET_STRING)?;
            let mut public = loop {
                let (tag, content) = key.any()?;
                if tag == TAGGED_1 {
                    break Der::new(content);
                }
            };
            // The first byte says how many bits at the end are unused: none.
            Some((private, public.next(BIT_STRING)?.split_first()?.1))
        };
        let (private, public) =
            parts().ok_or_else(|| invalid("is no P-256 key with its public half"))?;
        EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            private,
            public,
            &SystemRandom::new(),
        )
        .map(|key| Self(Kind::P256(key)))
        .map_err(|_| invalid("is no P-256 key"))
    }

    #[cfg(not(feature = "native"))]
    fn from_sec1(der: &[u8]) -> Result<Self, Error> {
        let _ = (der, BIT_STRING, TAGGED_1);
        Err(invalid("is P-256, which this build has not; take Ed25519"))
    }

    #[cfg(feature = "native")]
    fn from_rsa(der: &[u8]) -> Result<Self, Error> {
        ring::signature::RsaKeyPair::from_der(der)
            .map(|key| Self(Kind::Rsa(Box::new(key))))
            .map_err(|_| invalid("is no RSA key of 2048 to 4096 bits"))
    }

    #[cfg(not(feature = "native"))]
    fn from_rsa(_: &[u8]) -> Result<Self, Error> {
        Err(invalid("is RSA, which this build has not; take Ed25519"))
    }

    /// A new P-256 key, and its PEM to be kept: tokens that are bound to a key are good for nothing without it.
    ///
    /// # Errors
    /// `invalid_config` where the system gives no random numbers.
    #[cfg(feature = "native")]
    pub fn generate_p256() -> Result<(Self, Secret), Error> {
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let random = ring::rand::SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| invalid("cannot be made: the system gives no random numbers"))?;
        Ok((Self::from_pkcs8(document.as_ref())?, pem(document.as_ref())))
    }

    /// A new Ed25519 key, and its PEM to be kept.
    ///
    /// # Errors
    /// `invalid_config` where the system gives no random numbers, or this build has no such keys.
    pub fn generate_ed25519() -> Result<(Self, Secret), Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)
            .map_err(|_| invalid("cannot be made: the system gives no random numbers"))?;
        let mut document = Zeroizing::new(ED25519_PKCS8.to_vec());
        document.extend_from_slice(&*seed);
        Ok((Self::from_seed(&seed)?, pem(&document)))
    }

    /// Its algorithm's name in HTTP Message Signatures (RFC 9421, section 3.3).
    #[must_use]
    pub fn http_algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::Hmac(_) => "hmac-sha256",
            #[cfg(any(feature = "signatures", feature = "native"))]
            Kind::Ed25519(_) => "ed25519",
            #[cfg(feature = "native")]
            Kind::P256(_) => "ecdsa-p256-sha256",
            #[cfg(feature = "native")]
            Kind::Rsa(_) => "rsa-pss-sha512",
        }
    }

    /// Its algorithm's name in signed tokens (RFC 7518, RFC 8037).
    #[must_use]
    pub fn token_algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::Hmac(_) => "HS256",
            #[cfg(any(feature = "signatures", feature = "native"))]
            Kind::Ed25519(_) => "EdDSA",
            #[cfg(feature = "native")]
            Kind::P256(_) => "ES256",
            #[cfg(feature = "native")]
            Kind::Rsa(_) => "RS256",
        }
    }

    /// The public key as a JWK (RFC 7517) with its required members alone; `None` for shared secrets and RSA.
    #[must_use]
    pub fn public_jwk(&self) -> Option<Value> {
        #[cfg(any(feature = "signatures", feature = "native"))]
        let okp =
            |x: &[u8]| json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) });
        match &self.0 {
            Kind::Hmac(_) => None,
            #[cfg(feature = "native")]
            Kind::Ed25519(key) => {
                use ring::signature::KeyPair as _;
                Some(okp(key.public_key().as_ref()))
            }
            #[cfg(all(feature = "signatures", not(feature = "native")))]
            Kind::Ed25519(key) => Some(okp(key.verifying_key().as_bytes())),
            #[cfg(feature = "native")]
            Kind::P256(key) => {
                use ring::signature::KeyPair as _;
                // 4, then both coordinates.
                let (x, y) = key
                    .public_key()
                    .as_ref()
                    .split_first()?
                    .1
                    .split_at_checked(32)?;
                let text = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
                Some(json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }))
            }
            #[cfg(feature = "native")]
            Kind::Rsa(_) => None,
        }
    }

    /// Signs for an HTTP message.
    pub(crate) fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        #[cfg(feature = "native")]
        if let Kind::Rsa(key) = &self.0 {
            return rsa(key, &ring::signature::RSA_PSS_SHA512, message);
        }
        self.sign(message)
    }

    /// Signs for a token.
    pub(crate) fn sign_token(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        self.sign(message)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        match &self.0 {
            Kind::Hmac(secret) => Ok(hmac(HashAlgorithm::Sha256, secret, message)),
            #[cfg(feature = "native")]
            Kind::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            #[cfg(all(feature = "signatures", not(feature = "native")))]
            Kind::Ed25519(key) => {
                use ed25519_dalek::Signer as _;
                Ok(key.sign(message).to_bytes().to_vec())
            }
            #[cfg(feature = "native")]
            Kind::P256(key) => key
                .sign(&ring::rand::SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| "the request cannot be signed by this P-256 key".into()),
            #[cfg(feature = "native")]
            Kind::Rsa(key) => rsa(key, &ring::signature::RSA_PKCS1_SHA256, message),
        }
    }

    /// The shared secret, where it is one, as far as it is text: it must not be shown.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match &self.0 {
            Kind::Hmac(secret) => std::str::from_utf8(secret)
                .map(Secret::from)
                .into_iter()
                .collect(),
            #[cfg(any(feature = "signatures", feature = "native"))]
            _ => Vec::new(),
        }
    }
}

#[cfg(feature = "native")]
fn rsa(
    key: &ring::signature::RsaKeyPair,
    padding: &'static dyn ring::signature::RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, BoxError> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        padding,
        &ring::rand::SystemRandom::new(),
        message,
        &mut signature,
    )
    .map_err(|_| "the request cannot be signed by this RSA key")?;
    Ok(signature)
}

fn pem(document: &[u8]) -> Secret {
    let text = Zeroizing::new(STANDARD.encode(document));
    Secret::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *text
    ))
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519 as ED25519_VERIFY, UnparsedPublicKey};

    /// RFC 9421, appendix B.1.4 and B.1.3.
    pub(crate) const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n";
    const P256_PEM: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFKbhfNZfpDsW43+0+JjUr9K+bTeuxopu653+hBaXGA7oAoGCCqGSM49\nAwEHoUQDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM\n4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END EC PRIVATE KEY-----\n";

    #[test]
    fn keys_of_rfc_9421_are_read() {
        let ed = SigningKey::from_pem(ED25519_PEM).unwrap();
        assert_eq!(
            ed.public_jwk().unwrap()["x"],
            "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
        );
        let ec = SigningKey::from_pem(P256_PEM).unwrap();
        assert_eq!(
            ec.public_jwk().unwrap(),
            json!({"kty": "EC", "crv": "P-256",
                "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"})
        );
        assert_eq!(
            (ec.http_algorithm(), ec.token_algorithm()),
            ("ecdsa-p256-sha256", "ES256")
        );
    }

    #[test]
    fn new_keys_can_be_kept_and_read_again() {
        for (key, pem) in [
            SigningKey::generate_p256().unwrap(),
            SigningKey::generate_ed25519().unwrap(),
        ] {
            let again = SigningKey::from_pem(pem.expose()).unwrap();
            assert_eq!(key.public_jwk(), again.public_jwk());
            let jwk = key.public_jwk().unwrap();
            let part = |name: &str| {
                let text = jwk[name].as_str().unwrap_or_default();
                URL_SAFE_NO_PAD.decode(text).unwrap()
            };
            let signature = key.sign_token(b"m").unwrap();
            let verified = if jwk["kty"] == "EC" {
                let public = [vec![4], part("x"), part("y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(b"m", &signature)
            } else {
                UnparsedPublicKey::new(&ED25519_VERIFY, part("x")).verify(b"m", &signature)
            };
            assert!(verified.is_ok());
            assert!(!format!("{key:?}").contains(pem.expose()));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for text in [
            "",
            "canary",
            "-----BEGIN PRIVATE KEY-----\ncanary!\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----",
        ] {
            let error = SigningKey::from_pem(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
