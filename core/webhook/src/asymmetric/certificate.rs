//! The signer's X.509 certificate (RFC 5280): its key, and from when to when it is good.
//!
//! What is checked and what is not is in `docs/decisions/0029-webhook-public-keys.md`: the chain to a root is not, since the file
//! comes over TLS from a host that is the provider's.

use std::error::Error;
use std::fmt;

use x509_cert::der::{Decode as _, Encode as _};

use super::pem::first_block;
use super::{PublicKey, RsaKey, public_key};
use crate::key::VerifyKey;

/// Why a certificate cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not a PEM file with an X.509 certificate first and nothing but certificates in it, or larger than 64 KiB.
    Malformed,
    /// The key is not RSA of 2048 to 4096 bits.
    WrongKey,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "this is not a PEM file of certificates: hand in the body of the answer as it came, with status 200, from the URL that was checked"
            }
            Self::WrongKey => "the certificate's key is not RSA of 2048 to 4096 bits",
        })
    }
}

impl Error for CertificateError {}

/// A certificate that signatures of AWS SNS or PayPal are checked with. Cheap to clone compared to reading it again.
#[derive(Clone)]
pub struct Certificate {
    key: RsaKey,
    /// Unix seconds, both included (RFC 5280, section 4.1.2.5).
    valid: (i64, i64),
}

impl Certificate {
    /// Reads a PEM file as it was fetched. The first certificate in it is the signer's; those after it are passed over.
    ///
    /// # Errors
    ///
    /// [`CertificateError`]. Whether it is good now is checked each time it is used.
    pub fn from_pem(file: &[u8]) -> Result<Self, CertificateError> {
        let der = first_block(file, "CERTIFICATE").ok_or(CertificateError::Malformed)?;
        let certificate =
            x509_cert::Certificate::from_der(&der).map_err(|_| CertificateError::Malformed)?;
        let certificate = certificate.tbs_certificate();
        let spki = certificate
            .subject_public_key_info()
            .to_der()
            .map_err(|_| CertificateError::Malformed)?;
        let Some(PublicKey::Rsa(key)) = public_key(&spki) else {
            return Err(CertificateError::WrongKey);
        };
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        let validity = certificate.validity();
        Ok(Self {
            key,
            valid: (seconds(validity.not_before), seconds(validity.not_after)),
        })
    }

    /// Whether it is good at `now` (unix seconds).
    #[must_use]
    pub const fn is_valid_at(&self, now: i64) -> bool {
        self.valid.0 <= now && now <= self.valid.1
    }

    /// When it ends, unix seconds.
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.valid.1
    }

    pub(crate) fn verify_key(&self) -> VerifyKey {
        VerifyKey::Rsa(self.key.clone())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("not_before", &self.valid.0)
            .field("not_after", &self.valid.1)
            .finish_non_exhaustive()
    }
}
