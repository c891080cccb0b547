//! Which certificates are trusted: those of the system and the caller's own, and where the system has none that can be
//! read (slim containers, iOS), Mozilla's as they were when this was built.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The system's certificates. None where it has no store that can be read.
#[cfg(not(target_os = "android"))]
pub(super) fn system() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Android's certificates, without those that the user has switched off. `SSL_CERT_FILE` and `SSL_CERT_DIR` go first, and
/// where there is no store, what a terminal's distribution brings along.
#[cfg(target_os = "android")]
pub(super) fn system() -> Vec<CertificateDer<'static>> {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if !named {
        let store = super::android_store::read();
        if !store.is_empty() {
            return store;
        }
    }
    rustls_native_certs::load_native_certs().certs
}

/// Reads certificates from PEM; refuses a text without any.
pub(super) fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        Err("there is no PEM certificate in it".to_owned())
    } else {
        Ok(certificates)
    }
}
