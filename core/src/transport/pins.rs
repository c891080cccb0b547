//! Certificate pinning: which public keys a host has to show, beside all that is checked of its certificate anyway.
//!
//! A pin is the SHA-256 of a key as certificates carry it (the DER of `SubjectPublicKeyInfo`), the same text that OkHttp,
//! curl and HPKP use. It is compared with the keys of the *verified* chain: the server's own certificate, the
//! intermediates that were needed to get from it to a root, and that root. Certificates which a server sends along without
//! need are not looked at: else whoever has a certificate of any CA could pass by adding the pinned one, which is public.
//!
//! The usual check (names, dates, signatures, a trusted root) stays on. Pins narrow what it accepts and never widen it:
//! a pinned key with a certificate that has run out, or is for another host, is still refused.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gatewright_engine::ErrorKind;
use rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use rustls::{CertificateError, OtherError};
use url::{Host, Origin};
use webpki::{EndEntityCert, KeyUsage};

use crate::Error;
use crate::target::Base;

/// Base64 with or without the `=` at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// So many keys are shown in an error: a chain has seldom more than four.
const MOST_SHOWN: usize = 5;

/// The form of a pin, for errors.
const FORM: &str = "a pin is \"sha256/\" and the base64 of a SHA-256 (44 characters), such as \
     \"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", for another host \"host=sha256/…\"";

/// The SHA-256 of a `SubjectPublicKeyInfo` in DER.
#[derive(Clone, Copy, PartialEq, Eq)]
struct KeyHash([u8; 32]);

impl KeyHash {
    fn of(spki: &[u8]) -> Self {
        let mut hash = [0; 32];
        let digest = ring::digest::digest(&ring::digest::SHA256, spki);
        for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(hash)
    }

    /// Reads `sha256/BASE64`, or `sha256//BASE64` as curl has it.
    fn read(pin: &str) -> Option<Self> {
        let encoded = pin.strip_prefix("sha256/")?;
        let read = |encoded: &str| Some(Self(BASE64.decode(encoded).ok()?.try_into().ok()?));
        // The base64 itself may begin with a slash: what has the right length decides.
        read(encoded).or_else(|| read(encoded.strip_prefix('/')?))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64.encode(self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The keys that hosts have to show. Hosts that are not in it are checked as usual.
#[derive(Clone, Debug, Default)]
pub struct Pins(Vec<(Host, Vec<KeyHash>)>);

impl Pins {
    /// Adds a pin: `sha256/BASE64` for `host`, or `other.example=sha256/BASE64` for the host it names. A host with several
    /// pins has to show one of them, so that a key can be changed: ship the new one beside the old one first.
    ///
    /// # Errors
    /// `invalid_config` where the pin has another form, or its host or `host` is none.
    pub fn add(&mut self, host: &str, pin: &str) -> Result<(), Error> {
        let wrong = |why: &str| {
            let what = format!("`pins`: {pin:?} {why}; {FORM}");
            Error::new(ErrorKind::InvalidConfig, what)
        };
        let at = pin
            .find("sha256/")
            .ok_or_else(|| wrong("is no pin of a SHA-256"))?;
        let (named, hash) = pin.split_at(at);
        let host = match named {
            "" => host,
            named => named
                .strip_suffix('=')
                .ok_or_else(|| wrong("has something before its \"sha256/\" that is no host"))?,
        };
        let host = host_of(host).ok_or_else(|| wrong("names no host"))?;
        let hash = KeyHash::read(hash).ok_or_else(|| wrong("holds no SHA-256 in base64"))?;
        match self.0.iter_mut().find(|(pinned, _)| *pinned == host) {
            Some((_, keys)) => keys.push(hash),
            None => self.0.push((host, vec![hash])),
        }
        Ok(())
    }

    /// The pins of a client. One that is never compared would be worse than none, so what would not be checked is refused.
    pub(crate) fn of_client(texts: &[String], base: &Base) -> Result<Self, Error> {
        let mut pins = Self::default();
        for pin in texts {
            pins.add(base.url().host_str().unwrap_or_default(), pin)?;
        }
        for (host, _) in &pins.0 {
            let mut goes_there = false;
            for origin in std::iter::once(&base.url().origin()).chain(base.allowed()) {
                let Origin::Tuple(scheme, place, _) = origin else {
                    continue;
                };
                if host_of(&place.to_string()).as_ref() != Some(host) {
                    continue;
                }
                goes_there = true;
                if scheme != "https" {
                    let what = format!(
                        "`pins`: {host} is spoken to over plain http, which shows no certificate; use https"
                    );
                    return Err(Error::new(ErrorKind::InvalidConfig, what));
                }
            }
            if !goes_there {
                let what = format!(
                    "`pins`: {host} is neither the host of `base_url` nor of `allowed_origins`"
                );
                return Err(Error::new(ErrorKind::InvalidConfig, what));
            }
        }
        Ok(pins)
    }

    /// The pins of a server, where it has some.
    pub(super) fn of(&self, server: &ServerName<'_>) -> Option<Pinned<'_>> {
        if self.0.is_empty() {
            return None;
        }
        let server = match server {
            ServerName::DnsName(name) => host_of(name.as_ref())?,
            ServerName::IpAddress(ip) => match std::net::IpAddr::from(*ip) {
                std::net::IpAddr::V4(ip) => Host::Ipv4(ip),
                std::net::IpAddr::V6(ip) => Host::Ipv6(ip),
            },
            _ => return None,
        };
        let (host, keys) = self.0.iter().find(|(host, _)| *host == server)?;
        Some(Pinned { host, keys })
    }
}

/// A host as URLs have it: lower case, punycode. `api.example.` is `api.example`.
fn host_of(text: &str) -> Option<Host> {
    let text = text.strip_suffix('.').unwrap_or(text);
    Host::parse(text).ok()
}

/// The pins of one host.
#[derive(Clone, Copy)]
pub(super) struct Pinned<'a> {
    host: &'a Host,
    keys: &'a [KeyHash],
}

impl Pinned<'_> {
    /// Looks for a way from the server's certificate to a root of ours on which there is a pinned key. That the certificate
    /// is valid for the server has been checked.
    pub(super) fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &[TrustAnchor<'_>],
        algorithms: &[&dyn SignatureVerificationAlgorithm],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let seen = RefCell::new(Vec::new());
        let certificate = EndEntityCert::try_from(end_entity)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let found = certificate.verify_for_usage(
            algorithms,
            roots,
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            Some(&|path| {
                let mut keys = vec![KeyHash::of(&path.end_entity().subject_public_key_info())];
                keys.extend(
                    path.intermediate_certificates()
                        .map(|certificate| KeyHash::of(&certificate.subject_public_key_info())),
                );
                keys.push(KeyHash::of(&sequence(
                    &path.anchor().subject_public_key_info,
                )));
                if keys.iter().any(|key| self.keys.contains(key)) {
                    return Ok(());
                }
                seen.borrow_mut().extend(keys);
                // Lets the search go on: another way may lead over a pinned key.
                Err(webpki::Error::UnknownIssuer)
            }),
        );
        match found {
            Ok(_) => Ok(()),
            Err(_) => match seen.into_inner() {
                // No way at all: the usual check has let it pass, so this is of no server that there is.
                none if none.is_empty() => Err(rustls::Error::InvalidCertificate(
                    CertificateError::UnknownIssuer,
                )),
                seen => Err(self.mismatch(seen)),
            },
        }
    }

    /// Compares the pins with a chain that the system has verified.
    pub(super) fn check_verified(&self, chain: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let mut seen = Vec::new();
        for certificate in chain {
            // A certificate that cannot be read has no key that could be pinned.
            let Ok(certificate) = EndEntityCert::try_from(certificate) else {
                continue;
            };
            let key = KeyHash::of(&certificate.subject_public_key_info());
            if self.keys.contains(&key) {
                return Ok(());
            }
            seen.push(key);
        }
        Err(self.mismatch(seen))
    }

    fn mismatch(&self, keys: Vec<KeyHash>) -> rustls::Error {
        let mut seen: Vec<KeyHash> = Vec::new();
        for key in keys {
            if !seen.contains(&key) {
                seen.push(key);
            }
        }
        let mismatch = PinMismatch {
            host: self.host.to_string(),
            seen,
        };
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(mismatch))))
    }
}

/// The content of a DER sequence with its tag and length, which webpki leaves away.
fn sequence(content: &[u8]) -> Vec<u8> {
    let mut der = vec![0x30];
    let length = content.len().to_be_bytes();
    match u8::try_from(content.len()) {
        Ok(short @ ..0x80) => der.push(short),
        _ => {
            let significant = length.iter().skip_while(|byte| **byte == 0);
            // At most eight bytes of a `usize`.
            der.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or(8));
            der.extend(significant);
        }
    }
    der.extend_from_slice(content);
    der
}

/// A certificate that is valid, but has no key that is pinned. Hashes of public keys are no secret.
#[derive(Clone, Debug)]
pub(crate) struct PinMismatch {
    host: String,
    /// The keys of the chain, the server's own first.
    seen: Vec<KeyHash>,
}

impl PinMismatch {
    /// What to do next.
    pub(crate) const ADVICE: &'static str = "if the server's key was changed on purpose, ship its pin in `pins` beside the \
         old one; if not, someone between here and the server may be reading along";
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no key of {} is among `pins`; the keys seen, its own first:",
            self.host
        )?;
        for (at, key) in self.seen.iter().take(MOST_SHOWN).enumerate() {
            write!(f, "{} {key}", if at == 0 { "" } else { "," })?;
        }
        if self.seen.len() > MOST_SHOWN {
            write!(f, " and {} more", self.seen.len() - MOST_SHOWN)?;
        }
        Ok(())
    }
}

impl std::error::Error for PinMismatch {}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 …`.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBlDCCATmgAwIBAgIUS7uMY3cJrDD4hhkPCAZ9/N9/rpQwCgYIKoZIzj0EAwIw\n\
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMzA4MTk1NFoXDTI2MTEyNTA4\n\
MTk1NFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D\n\
AQcDQgAEM08Y9eoO5BCrtVT3Cthy0ghfOWYuLfIE9Yzn9twmP3olsHy6pX6Yn5vb\n\
mC54SmdvccZnxTaLZR7GivZoIJyjwKNpMGcwHQYDVR0OBBYEFHtqwJ4nLZlmEOfV\n\
WX3p3UMs68bxMB8GA1UdIwQYMBaAFHtqwJ4nLZlmEOfVWX3p3UMs68bxMA8GA1Ud\n\
EwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0kA\n\
MEYCIQCfMLzIqLCI0Fdy29tdSxkLTk9XlembjNlVSssMylfqaAIhANg84cxudapW\n\
wuvKFOGRqgHzRt49H9E0+f/sDG6KamOV\n\
-----END CERTIFICATE-----";

    /// `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` of it.
    const PIN: &str = "sha256/bXiaqa5P+V3f0nrCCocA9c0k22BthqN3aChMPylCAlw=";

    #[test]
    fn a_pin_is_what_openssl_says_it_is() {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let mut pins = Pins::default();
        pins.add("localhost", PIN).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let pinned = pins.of(&name).unwrap();
        assert_eq!(
            pinned.check_verified(std::slice::from_ref(&certificate)),
            Ok(())
        );
        let key = EndEntityCert::try_from(&certificate)
            .unwrap()
            .subject_public_key_info();
        assert_eq!(KeyHash::of(&key).to_string(), PIN);
    }

    #[test]
    fn a_hash_that_begins_with_a_slash_is_read_as_written() {
        let okhttp = format!("sha256//{}=", "A".repeat(42));
        let curl = format!("sha256///{}=", "A".repeat(42));
        let read = KeyHash::read(&okhttp).unwrap();
        assert_eq!(read.to_string(), okhttp);
        assert_eq!(KeyHash::read(&curl), Some(read));
    }

    #[test]
    fn hosts_are_compared_as_urls_have_them() {
        let mut pins = Pins::default();
        for host in [
            "Bücher.example",
            "[2001:DB8::1]",
            "192.0.2.1",
            "dot.example.",
        ] {
            pins.add(host, PIN).unwrap();
        }
        for (server, pinned) in [
            ("xn--bcher-kva.example", true),
            ("XN--BCHER-KVA.example.", true),
            ("2001:db8:0::1", true),
            ("192.0.2.1", true),
            ("dot.example", true),
            ("192.0.2.2", false),
            ("a.dot.example", false),
        ] {
            let name = ServerName::try_from(server).unwrap();
            assert_eq!(pins.of(&name).is_some(), pinned, "{server}");
        }
    }

    #[test]
    fn a_sequence_has_its_length_in_der() {
        for (length, head) in [
            (0, vec![0x30, 0]),
            (127, vec![0x30, 127]),
            (128, vec![0x30, 0x81, 128]),
            (255, vec![0x30, 0x81, 255]),
            (256, vec![0x30, 0x82, 1, 0]),
            (65_536, vec![0x30, 0x83, 1, 0, 0]),
        ] {
            let der = sequence(&vec![7; length]);
            assert!(
                der.starts_with(&head) && der.len() == head.len() + length,
                "{length}"
            );
        }
    }

    #[test]
    fn a_long_chain_is_not_shown_whole() {
        let mismatch = PinMismatch {
            host: "api.example".to_owned(),
            seen: (0..8).map(|n| KeyHash([n; 32])).collect(),
        };
        let shown = mismatch.to_string();
        assert_eq!(shown.matches("sha256/").count(), MOST_SHOWN);
        assert!(shown.ends_with("= and 3 more"), "{shown}");
        assert!(shown.len() < 600, "{}", shown.len());
    }
}
