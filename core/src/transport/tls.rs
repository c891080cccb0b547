//! TLS settings, and how a server's certificate is checked: against the roots of `roots.rs`, on Apple's devices by the
//! system too where those do not know the issuer, and in the end against the pins of `pins.rs`.
//!
//! The roots are loaded at the first handshake: reading a system's store takes milliseconds that a client which never
//! speaks TLS should not pay.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::pins::Pins;
use super::roots;

/// Asks the operating system whether it trusts a server: end entity, intermediates, name, stapled OCSP response. Answers
/// the chain that it found, up to the root.
pub(super) type AskSystem = fn(
    &CertificateDer<'_>,
    &[CertificateDer<'_>],
    &ServerName<'_>,
    &[u8],
) -> Option<Vec<CertificateDer<'static>>>;

/// Whom to ask about issuers that the roots do not have.
#[cfg(all(target_vendor = "apple", not(target_os = "macos")))]
const SYSTEM: Option<AskSystem> = Some(super::apple::verified_chain);
/// Elsewhere the system's own certificates are among the roots.
#[cfg(not(all(target_vendor = "apple", not(target_os = "macos"))))]
const SYSTEM: Option<AskSystem> = None;

/// Makes TLS settings that trust the system's certificates and `extra`. The provider is passed in, never installed
/// process-wide: that is the application's to decide.
pub(super) fn client_config(
    extra: Vec<CertificateDer<'static>>,
    pins: Pins,
) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(ServerVerifier {
        provider: Arc::clone(&provider),
        extra,
        pins,
        system: SYSTEM,
        loaded: OnceLock::new(),
    });
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct ServerVerifier {
    provider: Arc<CryptoProvider>,
    extra: Vec<CertificateDer<'static>>,
    pins: Pins,
    system: Option<AskSystem>,
    loaded: OnceLock<Result<Loaded, String>>,
}

#[derive(Debug)]
struct Loaded {
    roots: Arc<RootCertStore>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl ServerVerifier {
    fn loaded(&self) -> Result<&Loaded, rustls::Error> {
        let loaded = self.loaded.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(roots::system());
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            for certificate in &self.extra {
                roots
                    .add(certificate.clone())
                    .map_err(|error| error.to_string())?;
            }
            let roots = Arc::new(roots);
            let verifier = WebPkiServerVerifier::builder_with_provider(
                Arc::clone(&roots),
                Arc::clone(&self.provider),
            )
            .build()
            .map_err(|error| error.to_string())?;
            Ok(Loaded { roots, verifier })
        });
        loaded
            .as_ref()
            .map_err(|error| rustls::Error::General(error.clone()))
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let loaded = self.loaded()?;
        let pinned = self.pins.of(server_name);
        let verdict = loaded.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match (verdict, self.system) {
            (Ok(verified), _) => {
                if let Some(pinned) = pinned {
                    let algorithms = self.provider.signature_verification_algorithms.all;
                    let roots = &loaded.roots.roots;
                    pinned.check(end_entity, intermediates, roots, algorithms, now)?;
                }
                Ok(verified)
            }
            (
                Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
                Some(system),
            ) => {
                let chain = system(end_entity, intermediates, server_name, ocsp_response).ok_or(
                    rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
                )?;
                // The system looks at the name too. It is the one check that must never be forgotten.
                let certificate = ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&certificate, server_name)?;
                if let Some(pinned) = pinned {
                    pinned.check_verified(&chain)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            (Err(error), _) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const UNKNOWN: rustls::Error =
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);

    fn server(name: &str) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        made.cert.der().clone()
    }

    /// What a client says that asks `system`, about this certificate, as one of `host`.
    fn verdict(
        system: Option<AskSystem>,
        trusted: &[&CertificateDer<'static>],
        pins: Pins,
        certificate: &CertificateDer<'static>,
        host: &'static str,
    ) -> Result<(), rustls::Error> {
        let verifier = ServerVerifier {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            extra: trusted.iter().map(|extra| (*extra).clone()).collect(),
            pins,
            system,
            loaded: OnceLock::new(),
        };
        let name = ServerName::try_from(host).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        verifier
            .verify_server_cert(certificate, &[], &name, &[], now)
            .map(drop)
    }

    const TRUSTS: AskSystem = |end_entity, _, _, _| Some(vec![end_entity.clone().into_owned()]);
    const TRUSTS_NOT: AskSystem = |_, _, _, _| None;

    #[test]
    fn the_system_is_asked_about_issuers_that_are_not_among_the_roots() {
        let certificate = server("localhost");
        let ask = |system| verdict(system, &[], Pins::default(), &certificate, "localhost");
        assert_eq!(ask(None), Err(UNKNOWN));
        assert_eq!(ask(Some(TRUSTS_NOT)), Err(UNKNOWN));
        assert_eq!(ask(Some(TRUSTS)), Ok(()));
        // A known issuer needs no word of the system's.
        let known = verdict(
            Some(TRUSTS_NOT),
            &[&certificate],
            Pins::default(),
            &certificate,
            "localhost",
        );
        assert_eq!(known, Ok(()));
    }

    #[test]
    fn what_the_system_trusts_must_be_of_the_host_and_have_its_pin() {
        let certificate = server("localhost");
        let other_name = verdict(
            Some(TRUSTS),
            &[],
            Pins::default(),
            &certificate,
            "other.example",
        );
        assert!(
            matches!(
                other_name,
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForNameContext { .. }
                ))
            ),
            "{other_name:?}"
        );
        let mut pins = Pins::default();
        pins.add(
            "localhost",
            "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        )
        .unwrap();
        let pinned = verdict(Some(TRUSTS), &[], pins, &certificate, "localhost");
        assert!(
            matches!(
                pinned,
                Err(rustls::Error::InvalidCertificate(CertificateError::Other(
                    _
                )))
            ),
            "{pinned:?}"
        );
    }
}
