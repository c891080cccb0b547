//! What went wrong with TLS, told apart from what went wrong below and above it.

use std::error::Error;
use std::io;

use rustls::CertificateError;
use serde::{Deserialize, Serialize};

/// Why there was no TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsTrouble {
    /// The certificate is no longer valid.
    Expired,
    /// There was no handshake: the other side speaks no TLS, none of our versions, or refused.
    Handshake,
    /// The certificate cannot be used for this: its signature, its purpose, or how it is written.
    InvalidCertificate,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate was revoked.
    Revoked,
    /// Nobody who is trusted has signed the certificate; `--trust-ca` adds a CA.
    UnknownIssuer,
    /// The certificate is for another name.
    WrongName,
}

/// What was wrong with TLS, if that is what was wrong.
pub(crate) fn tls_trouble(error: &(dyn Error + 'static)) -> Option<TlsTrouble> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(of(error));
        }
        next = match error.downcast_ref::<io::Error>() {
            // Whoever speaks no TLS may just hang up on a handshake; on a request hyper says so in its own words.
            Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Some(TlsTrouble::Handshake);
            }
            // Its source is that of what it wraps, which would be passed over.
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn of(error: &rustls::Error) -> TlsTrouble {
    let rustls::Error::InvalidCertificate(error) = error else {
        return TlsTrouble::Handshake;
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsTrouble::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsTrouble::NotYetValid
        }
        CertificateError::Revoked => TlsTrouble::Revoked,
        CertificateError::UnknownIssuer => TlsTrouble::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsTrouble::WrongName
        }
        _ => TlsTrouble::InvalidCertificate,
    }
}

/// The cause below all others: what is above it says in more words that there was one.
pub(crate) fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
