//! Apple's own judgement of a certificate, on iOS, tvOS, watchOS and visionOS: it knows what the device's profile or its
//! user has made it trust, which no app can read.
//!
//! Asked only about issuers that are not among the roots, so that the servers of the open Web need no word with the system,
//! and never over the network: fetching an intermediate or a revocation list would hold the thread that drives all calls.

use rustls::pki_types::{CertificateDer, ServerName};
use security_framework::certificate::SecCertificate;
use security_framework::policy::SecPolicy;
use security_framework::secure_transport::SslProtocolSide;
use security_framework::trust::SecTrust;

/// The chain by which the system trusts this server, from its certificate to the root; `None` where it does not.
pub(super) fn verified_chain(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    server_name: &ServerName<'_>,
    ocsp_response: &[u8],
) -> Option<Vec<CertificateDer<'static>>> {
    // The system wants the server's own certificate first.
    let presented = std::iter::once(end_entity)
        .chain(intermediates)
        .map(|certificate| SecCertificate::from_der(certificate))
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    let name = server_name.to_str();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let policy = SecPolicy::create_ssl(SslProtocolSide::SERVER, Some(name));
    let mut trust = SecTrust::create_with_certificates(&presented, &[policy]).ok()?;
    trust.set_network_fetch_allowed(false).ok()?;
    if !ocsp_response.is_empty() {
        trust
            .set_trust_ocsp_response(std::iter::once(ocsp_response))
            .ok()?;
    }
    trust.evaluate_with_error().ok()?;
    let chain = trust.chain().into_iter();
    Some(chain.map(|found| found.to_der().into()).collect())
}
