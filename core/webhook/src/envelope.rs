//! What a scheme reads out of one request: which bytes are signed, which signatures are offered, and what a match will have proven.

use std::borrow::Cow;

use crate::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::Candidates;
use crate::certificate_url::CertificateUrl;
use crate::error::VerifyError;
use crate::key::VerifyKey;
use crate::layout::Name;
use crate::message::Message;
use crate::verified::{BodyBound, Fingerprint, Verified};

/// One request, every rule about the form of its headers already checked.
pub(crate) struct Envelope<'r> {
    pub(crate) scheme: Scheme,
    pub(crate) signed: Signed<'r>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) message_id: Option<Cow<'r, str>>,
    pub(crate) assurance: Assurance,
    /// Where the certificate is, in schemes that have one instead of a secret.
    #[cfg_attr(
        not(feature = "asymmetric"),
        allow(dead_code, reason = "no scheme of this build has certificates")
    )]
    pub(crate) certificate: Option<CertificateUrl>,
}

/// The signed bytes with the signatures over them.
pub(crate) enum Signed<'r> {
    /// The body as it is, with texts around it: can be verified as it arrives.
    Pieces {
        message: Message<'r>,
        candidates: Candidates<'r>,
    },
    /// Texts made from the body and the headers. Any of them may be the one.
    Texts(Vec<SignedText<'r>>),
}

/// One text that may have been signed.
pub(crate) struct SignedText<'r> {
    pub(crate) text: Vec<u8>,
    pub(crate) candidates: Candidates<'r>,
}

/// When an attempt was sent.
#[derive(Clone)]
pub(crate) struct Timestamp {
    /// Unix seconds.
    pub(crate) seconds: i64,
    /// Where it was read, for errors.
    pub(crate) name: Name,
}

/// What a match proves, besides who signed.
#[derive(Clone, Copy)]
pub(crate) struct Assurance {
    pub(crate) body_bound: BodyBound,
    pub(crate) timestamp_signed: bool,
    pub(crate) id_signed: bool,
    pub(crate) url_bound: bool,
}

impl Envelope<'_> {
    /// Refuses what is older than `past` or newer than `future` seconds, seen from `now`.
    pub(crate) fn check_clock(&self, now: i64, past: u64, future: u64) -> Result<(), VerifyError> {
        let Some(Timestamp { seconds, name }) = &self.timestamp else {
            return Ok(());
        };
        let by = now.abs_diff(*seconds);
        if *seconds <= now && by > past {
            return Err(VerifyError::TooOld {
                name: name.clone(),
                by,
                tolerance: past,
            });
        }
        if *seconds > now && by > future {
            return Err(VerifyError::TooNew {
                name: name.clone(),
                by,
                tolerance: future,
            });
        }
        Ok(())
    }

    /// The first of `keys` under which a signature fits, and what that proves. All signatures are tried.
    pub(crate) fn verify(&self, keys: &[VerifyKey], body: &[u8]) -> Option<Verified> {
        match &self.signed {
            Signed::Pieces {
                message,
                candidates,
            } => {
                let message = message.with_body(body);
                self.first_fit(keys, message.parts(), candidates)
            }
            Signed::Texts(texts) => texts
                .iter()
                .find_map(|signed| self.first_fit(keys, &[&signed.text], &signed.candidates)),
        }
    }

    fn first_fit(
        &self,
        keys: &[VerifyKey],
        message: &[&[u8]],
        candidates: &Candidates<'_>,
    ) -> Option<Verified> {
        keys.iter().enumerate().find_map(|(key_index, key)| {
            let fits = key.fits(message, candidates)?;
            let fingerprint = (!self.assurance.id_signed).then(|| Fingerprint::of(&fits, message));
            Some(self.proves(key_index, fits.algorithm, fingerprint))
        })
    }

    pub(crate) fn proves(
        &self,
        key_index: usize,
        algorithm: Algorithm,
        fingerprint: Option<Fingerprint>,
    ) -> Verified {
        Verified {
            scheme: self.scheme,
            algorithm,
            key_index,
            timestamp: self.timestamp.as_ref().map(|timestamp| timestamp.seconds),
            message_id: self.message_id.as_deref().map(str::to_owned),
            body_bound: self.assurance.body_bound,
            timestamp_signed: self.assurance.timestamp_signed,
            id_signed: self.assurance.id_signed,
            url_bound: self.assurance.url_bound,
            fingerprint,
        }
    }
}
