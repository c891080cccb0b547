//! Public keys beyond Ed25519: ECDSA on P-256 and RSA, read from SPKI and from certificates. They verify, and nothing else.
//!
//! | File | What is in it |
//! |---|---|
//! | `ecdsa.rs` | ECDSA P-256 with SHA-256, signatures in DER or of fixed length |
//! | `rsa.rs` | RSA PKCS #1 v1.5 with SHA-1 or SHA-256, and PSS with SHA-512 |
//! | `spki.rs` | the key in a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) |
//! | `pem.rs` | the blocks of a PEM file (RFC 7468) |
//! | `certificate.rs` | key and dates of an X.509 certificate |
//! | `cache.rs` | certificates that were fetched, a bounded number of them |

mod cache;
mod certificate;
mod ecdsa;
mod pem;
mod rsa;
mod spki;

pub use cache::CertificateCache;
pub use certificate::{Certificate, CertificateError};
pub(crate) use ecdsa::EcdsaKey;
pub(crate) use pem::first_block;
pub(crate) use rsa::RsaKey;
pub(crate) use spki::{PublicKey, public_key};
