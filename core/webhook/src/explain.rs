//! Finds out why a webhook does not verify, by trying what commonly goes wrong; for the developer's eyes only.
//!
//! Order: the headers' form, then what the signature fits when one thing is undone (the clock, the
//! body, the URL, the secret, the signed content), then hints that nothing can prove. The first that fits
//! is the answer. No MAC is ever returned, only which hypothesis held.

mod body;
mod cause;
mod content;
mod form;
mod headers;
mod json;
mod names;
mod secret;
mod signature;
mod url;

pub use cause::{
    BodyChange, Cause, Explanation, SignatureForm, SignedContent, TimestampForm, UrlChange,
};

use std::borrow::Cow;
use std::cell::Cell;

use crate::envelope::{Envelope, Signed};
use crate::error::VerifyError;
use crate::headers::Headers;
use crate::key::VerifyKey;
use crate::received::Received;
use crate::schemes::{Scheme, Settings, http_signature};
use crate::url::effective;
use crate::verified::BodyBound;
use crate::verify::Webhook;

/// How many bytes may be hashed to find out what changed the body: about a tenth of a second. Who
/// calls `explain` on every refusal gives strangers a way to spend it.
const WORK: usize = 128 * 1024 * 1024;

/// What one verification with a key pair costs beside its hashing, in bytes hashed.
const CURVE_WORK: usize = 64 * 1024;

/// What one trial costs beside its hashing, in bytes hashed.
const TRIAL_WORK: usize = 1024;

impl Webhook {
    /// Says why [`verify`](Self::verify) refuses this request, and what to do about it.
    ///
    /// For development and for logs that only developers read. Never answer a sender with it: it
    /// would help a forger. It may take a tenth of a second, so do not call it on every refusal of a
    /// public endpoint.
    pub fn explain<H: Headers + ?Sized>(&self, body: &[u8], headers: &H, now: i64) -> Explanation {
        self.explain_request(&Received::new(body, &headers), now)
    }

    /// As [`explain`](Self::explain), for a request with its URL.
    pub fn explain_request(&self, request: &Received<'_>, now: i64) -> Explanation {
        let parts = &*self.parts;
        let url = effective(parts.settings.url.as_deref(), request.url);
        let request = Received {
            url: url.as_deref(),
            ..*request
        };
        if request.body.len() > parts.max_body {
            let max = parts.max_body;
            return Explanation::of(Cause::AsReported(VerifyError::BodyTooLarge { max }));
        }
        let refused = match self.verify_request(&request, now) {
            Ok(verified) => {
                let key_index = verified.key_index;
                return Explanation::of(Cause::Valid { key_index });
            }
            Err(error) => error,
        };
        let left = Cell::new(WORK);
        let mut trials = Trials {
            settings: &parts.settings,
            keys: &parts.keys,
            left: &left,
        };
        let envelope = match parts.settings.read(&request) {
            Ok(envelope) => envelope,
            Err(error) => {
                let cause = headers::cause(error, &trials, &request);
                return Explanation::of(cause);
            }
        };
        let clock = envelope.check_clock(now, parts.past, parts.future).err();
        let clock_off_by = clock
            .and(envelope.timestamp.as_ref())
            .map(|timestamp| now.saturating_sub(timestamp.seconds));
        let keys = match self.certified(&envelope, now) {
            Ok(certified) => certified.map_or(Cow::Borrowed(&parts.keys), Cow::Owned),
            Err(error) => return Explanation::of(Cause::AsReported(error)),
        };
        trials.keys = &keys;
        let fits = trials.fits(&request);
        let cause = match (clock_off_by, &refused) {
            (Some(seconds), _) if fits => Cause::ClockOff { seconds },
            // What a scheme asks for besides: the keys' ids, what must be covered.
            (None, _) if fits => Cause::AsReported(refused),
            (_, VerifyError::NotCovered) => Cause::AsReported(refused),
            _ => trials.signature_cause(&request, &envelope),
        };
        Explanation {
            cause,
            clock_off_by,
        }
    }
}

/// Tries requests that differ in one thing, as long as the work allows.
pub(crate) struct Trials<'w> {
    settings: &'w Settings,
    keys: &'w [VerifyKey],
    left: &'w Cell<usize>,
}

impl Trials<'_> {
    /// Whether this request verifies, whatever the clock says.
    fn fits(&self, request: &Received<'_>) -> bool {
        self.read_and_verify(self.settings, self.keys, request)
    }

    /// The same with other settings or keys.
    fn read_and_verify(
        &self,
        settings: &Settings,
        keys: &[VerifyKey],
        request: &Received<'_>,
    ) -> bool {
        let curves = keys.iter().filter(|key| key.is_asymmetric()).count();
        let cost = request
            .body
            .len()
            .saturating_mul(keys.len())
            .saturating_add(curves.saturating_mul(CURVE_WORK))
            .saturating_add(TRIAL_WORK);
        let left = self.left.get().saturating_sub(cost);
        self.left.set(left);
        if left == 0 {
            return false;
        }
        if settings.layout.scheme == Scheme::HttpSignature {
            // Each of its signatures is read with what it covers. Nothing expires before 1970.
            let verdict = http_signature::verify(keys, settings, (u64::MAX, u64::MAX), request, 0);
            return verdict.is_ok();
        }
        settings
            .read(request)
            .is_ok_and(|envelope| envelope.verify(keys, request.body).is_some())
    }

    fn signature_cause(&self, request: &Received<'_>, envelope: &Envelope<'_>) -> Cause {
        self.unusable_signatures(envelope)
            .or_else(|| self.changed_body(request, envelope))
            .or_else(|| self.changed_url(request, envelope))
            .or_else(|| self.other_secret(request))
            .or_else(|| self.other_content(request, envelope))
            .unwrap_or_else(|| headers::hint(request))
    }

    fn changed_body(&self, request: &Received<'_>, envelope: &Envelope<'_>) -> Option<Cause> {
        if envelope.assurance.body_bound == BodyBound::None {
            return None;
        }
        self.find_body(request)
    }

    fn find_body(&self, request: &Received<'_>) -> Option<Cause> {
        let mut fits = |original: &[u8]| {
            self.fits(&Received {
                body: original,
                ..*request
            })
        };
        let change = body::find_change(request.body, &mut fits)?;
        Some(Cause::BodyChanged { change })
    }

    fn changed_url(&self, request: &Received<'_>, envelope: &Envelope<'_>) -> Option<Cause> {
        if !envelope.assurance.url_bound {
            return None;
        }
        let change = url::find_change(request, &|url| {
            self.fits(&Received {
                url: Some(url),
                ..*request
            })
        })?;
        Some(Cause::UrlChanged { change })
    }

    /// No token in the list could have fitted any of the keys.
    fn unusable_signatures(&self, envelope: &Envelope<'_>) -> Option<Cause> {
        let candidates = match &envelope.signed {
            Signed::Pieces { candidates, .. } => candidates,
            Signed::Texts(texts) => &texts.first()?.candidates,
        };
        let usable = self.keys.iter().any(|key| key.has_candidate(candidates));
        (!usable).then(|| signature::cause(candidates))
    }
}
