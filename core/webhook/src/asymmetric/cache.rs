//! Certificates that were fetched, by URL: a sender uses one for months, and each fetch is a request that a stranger can cause.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::Certificate;

/// Keeps a bounded number of certificates, by the URL they came from. To be shared between threads.
///
/// Full, it drops the one that was not asked for the longest. What ended is dropped when it is asked for.
pub struct CertificateCache {
    kept: Mutex<Kept>,
    capacity: usize,
}

#[derive(Default)]
struct Kept {
    by_url: BTreeMap<String, (u64, Certificate)>,
    /// Grows with each use: the least of all was used the longest ago.
    uses: u64,
}

impl CertificateCache {
    /// Room for `capacity` certificates, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            kept: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    /// The certificate from `url`, if it is here and good at `now` (unix seconds).
    #[must_use]
    pub fn get(&self, url: &str, now: i64) -> Option<Certificate> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let (used, certificate) = kept.by_url.get_mut(url)?;
        if certificate.is_valid_at(now) {
            *used = uses;
            return Some(certificate.clone());
        }
        kept.by_url.remove(url);
        None
    }

    /// Keeps the certificate that came from `url`.
    pub fn insert(&self, url: &str, certificate: Certificate) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        if !kept.by_url.contains_key(url) && kept.by_url.len() >= self.capacity {
            let oldest = kept
                .by_url
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(url, _)| url.clone());
            if let Some(oldest) = oldest {
                kept.by_url.remove(&oldest);
            }
        }
        kept.by_url.insert(url.to_owned(), (uses, certificate));
    }

    /// Forgets the certificate from `url`: where a signature did not match, a fresh one may.
    pub fn remove(&self, url: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_url.remove(url);
    }
}

impl Default for CertificateCache {
    /// Room for 16: providers use one at a time, and a second one while they change it, in each region.
    fn default() -> Self {
        Self::new(16)
    }
}

impl fmt::Debug for CertificateCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateCache")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
