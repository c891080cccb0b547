//! The certificate: made for this run below a CA of its own, or read from files.

use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::clock::{NS, real_now_ns};

/// A chain, leaf first, with the key of the leaf.
pub(super) struct Made {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// The CA that clients trust; none where the certificate is one's own.
    pub(super) ca_pem: Option<String>,
}

const ALWAYS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const YEAR_S: u64 = 31_556_952;

/// Makes a CA, a leaf below it for this machine's names and `names`, and forgets the CA's key.
pub(super) fn make(names: &[String]) -> io::Result<Made> {
    let failed = |error: rcgen::Error| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("no certificate can be made for {names:?}: {error}"),
        )
    };
    // Two years at most: what every client accepts, Apple's (825 days) too.
    let year = i32::try_from(1970 + real_now_ns() / NS / YEAR_S).unwrap_or(2026);
    let (from, until) = (
        date_time_ymd(year - 1, 12, 31),
        date_time_ymd(year + 1, 12, 31),
    );

    let ca_key = KeyPair::generate().map_err(failed)?;
    let mut ca = CertificateParams::new(Vec::new()).map_err(failed)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name = named("Gatewright gateway, CA of one run");
    (ca.not_before, ca.not_after) = (from, until);
    let ca_certificate = ca.self_signed(&ca_key).map_err(failed)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut all: Vec<String> = ALWAYS.map(String::from).to_vec();
    all.extend(
        names
            .iter()
            .filter(|name| !ALWAYS.contains(&name.as_str()))
            .cloned(),
    );
    let key = KeyPair::generate().map_err(failed)?;
    let mut leaf = CertificateParams::new(all).map_err(failed)?;
    leaf.distinguished_name = named("Gatewright gateway");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    (leaf.not_before, leaf.not_after) = (from, until);
    let leaf = leaf.signed_by(&key, &issuer).map_err(failed)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    Ok(Made {
        chain: vec![leaf.der().clone()],
        key,
        ca_pem: Some(ca_certificate.pem()),
    })
}

fn named(name: &str) -> rcgen::DistinguishedName {
    let mut names = rcgen::DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Reads a chain and its key from PEM files.
pub(super) fn read(chain: &Path, key: &Path) -> io::Result<Made> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{}: {error}", path.display()),
        )
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(chain)
        .map_err(|error| wrong(chain, &error))?
        .collect();
    let certificates = certificates.map_err(|error| wrong(chain, &error))?;
    if certificates.is_empty() {
        return Err(wrong(chain, &"there is no certificate in PEM in it"));
    }
    Ok(Made {
        chain: certificates,
        key: PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?,
        ca_pem: None,
    })
}
