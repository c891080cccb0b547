//! PayPal: signs `transmission id|transmission time|webhook id|CRC-32 of the body`, by RSA with the certificate at `PAYPAL-CERT-URL`.
//! A CRC is no hash: who holds one signed delivery can make another body with the same, so the body is bound by no more than that.

use std::borrow::Cow;

use super::{Scheme, Settings};
use crate::algorithm::Algorithm;
use crate::candidates::{Candidates, Encoding, Form};
use crate::certificate_url::CertificateUrl;
use crate::envelope::{Assurance, Envelope, Signed, SignedText, Timestamp};
use crate::error::VerifyError;
use crate::headers::find;
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, required, usable_id};
use crate::received::Received;
use crate::rfc3339;
use crate::verified::BodyBound;

const ID: Name = Cow::Borrowed("paypal-transmission-id");
const TIME: Name = Cow::Borrowed("paypal-transmission-time");
const SIGNATURE: Name = Cow::Borrowed("paypal-transmission-sig");
const CERTIFICATE: Name = Cow::Borrowed("paypal-cert-url");
const ALGORITHM: Name = Cow::Borrowed("paypal-auth-algo");

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::PayPal,
    signature: SIGNATURE,
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::RsaSha256)]),
        encoding: Encoding::Base64,
    },
    timestamp: None,
    id: Some(ID),
    pieces: Cow::Borrowed(&[]),
    key: KeyForm::Certificate,
    tolerance: 300,
};

/// No signature fits an algorithm that we do not know.
static UNKNOWN_ALGORITHM: Form = Form {
    separator: None,
    prefixes: Cow::Borrowed(&[]),
    encoding: Encoding::Base64,
};

pub(crate) fn read<'r>(
    request: &Received<'r>,
    settings: &Settings,
) -> Result<Envelope<'r>, VerifyError> {
    let names = [&*ID, &*TIME, &*SIGNATURE, &*CERTIFICATE, &*ALGORITHM];
    let [id, time, signature, certificate, algorithm] = find(request.headers, names);
    let id = required(&ID, id)?;
    let time = required(&TIME, time)?;
    let signature = required(&SIGNATURE, signature)?;
    let certificate = required(&CERTIFICATE, certificate)?;
    let algorithm = required(&ALGORITHM, algorithm)?;
    // The bar separates it from what follows.
    let id = usable_id(id).filter(|id| !id.contains('|'));
    let id = id.ok_or(VerifyError::BadMessageId { name: ID })?;
    let seconds = rfc3339::unix_seconds(time).ok_or(VerifyError::BadTimestamp { name: TIME })?;
    let certificate = std::str::from_utf8(certificate).ok();
    let certificate = certificate.and_then(CertificateUrl::of_paypal);
    let certificate = certificate.ok_or(VerifyError::BadCertificateUrl)?;
    let form = if algorithm == b"SHA256withRSA" {
        &LAYOUT.form
    } else {
        &UNKNOWN_ALGORITHM
    };
    let candidates = Candidates::bounded(signature, form, &SIGNATURE)?;
    let webhook_id = settings.webhook_id.as_deref().unwrap_or_default();
    let crc = crc32(request.body).to_string();
    let text = [id.as_bytes(), time, webhook_id.as_bytes(), crc.as_bytes()].join(&b'|');
    Ok(Envelope {
        scheme: Scheme::PayPal,
        timestamp: Some(Timestamp {
            seconds,
            name: TIME,
        }),
        message_id: Some(Cow::Borrowed(id)),
        assurance: Assurance {
            body_bound: BodyBound::Crc32,
            timestamp_signed: true,
            id_signed: true,
            url_bound: false,
        },
        certificate: Some(certificate),
        signed: Signed::Texts(vec![SignedText { text, candidates }]),
    })
}

/// What each value of a byte does to the checksum.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed by the compiler"
)]
const STEPS: [u32; 256] = {
    let mut steps = [0; 256];
    let mut byte = 0;
    while byte < steps.len() {
        let mut step = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            step = if step & 1 == 1 {
                step >> 1 ^ 0xEDB8_8320
            } else {
                step >> 1
            };
            bit += 1;
        }
        steps[byte] = step;
        byte += 1;
    }
    steps
};

/// The CRC-32 of zip, gzip and Ethernet (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        let step = STEPS.get(usize::from(low ^ byte)).copied();
        crc >> 8 ^ step.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn checksums_are_those_that_are_published() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            crc32(b"The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
        assert_eq!(crc32(&[0xFF; 32]), 0xFF6C_AB0B);
    }
}
