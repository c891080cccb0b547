//! HTTP Message Signatures (RFC 9421): the sender says in `Signature-Input` which components it signed, and there may be several
//! signatures, each under a label. The client signs its requests with `gatewright_engine::signing`; this is the other side.
//!
//! | File | What is in it |
//! |---|---|
//! | `structured.rs` | the fields as structured fields (RFC 9651) |
//! | `component.rs` | what the components of a request are |
//! | `digest.rs` | `Content-Digest` (RFC 9530), recomputed |

pub(crate) mod component;
pub(crate) mod digest;
pub(crate) mod structured;

use std::borrow::Cow;
use std::cell::OnceCell;

use sha2::{Digest as _, Sha256};

use self::component::{Components, NoValue, Url, field_value};
use self::structured::{Bare, InnerList, byte_sequences, inner_lists};
use super::{Scheme, Settings};
use crate::algorithm::Algorithm;
use crate::base64;
use crate::candidates::{Candidates, Encoding, Form};
use crate::envelope::{Assurance, Envelope, Signed, SignedText, Timestamp};
use crate::error::VerifyError;
use crate::headers::find;
use crate::key::{SignKey, VerifyKey};
use crate::key_form::KeyForm;
use crate::layout::{Layout, MAX_TIMESTAMP, Name, required};
use crate::limits::{MAX_ED25519_SIGNATURES, MAX_SIGNATURE_HEADER, MAX_SIGNATURES};
use crate::received::Received;
use crate::verified::{BodyBound, Fingerprint, Verified};

const INPUT: Name = Cow::Borrowed("signature-input");
const SIGNATURE: Name = Cow::Borrowed("signature");
const CONTENT_DIGEST: &str = "content-digest";

/// What must be covered unless settings say otherwise: else nothing ties the signature to the body.
pub(crate) const DEFAULT_COMPONENT: &str = "\"content-digest\"";

/// The components that are derived from a request (section 2.2), besides `@query-param`.
const DERIVED: [&str; 7] = [
    "@method",
    "@target-uri",
    "@authority",
    "@scheme",
    "@request-target",
    "@path",
    "@query",
];

/// The canonical identifier of a component as settings name it; `None`: it is none.
pub(crate) fn identifier(component: &str) -> Option<String> {
    let (name, parameters) = match component.split_once(';') {
        Some((name, _)) => component.split_at_checked(name.len())?,
        None => (component, ""),
    };
    let mut list = inner_lists(format!("s=(\"{name}\"{parameters})").as_bytes(), 1)?.pop()?;
    let item = list.items.pop().filter(|_| list.items.is_empty())?;
    let parameters: Vec<&str> = item.parameters.iter().map(|(name, _)| &**name).collect();
    let is_known = match name {
        "@query-param" => parameters == ["name"],
        name if name.starts_with('@') => DERIVED.contains(&name) && parameters.is_empty(),
        name => component::is_field_name(name) && parameters.is_empty(),
    };
    (item.text == name && is_known).then_some(item.canonical)
}

/// The most components that one signature covers.
const MAX_COMPONENTS: usize = 64;

/// What a key makes, where a signature does not say which algorithm it is.
static ANY: Form = form(&[
    (Cow::Borrowed(""), Algorithm::HmacSha256),
    (Cow::Borrowed(""), Algorithm::Ed25519),
    (Cow::Borrowed(""), Algorithm::EcdsaP256Sha256),
    (Cow::Borrowed(""), Algorithm::RsaPssSha512),
]);

/// The algorithms of section 3.3 that we know, by the name that `alg` has for them.
static NAMED: [(&str, Form); 4] = [
    (
        "hmac-sha256",
        form(&[(Cow::Borrowed(""), Algorithm::HmacSha256)]),
    ),
    ("ed25519", form(&[(Cow::Borrowed(""), Algorithm::Ed25519)])),
    (
        "ecdsa-p256-sha256",
        form(&[(Cow::Borrowed(""), Algorithm::EcdsaP256Sha256)]),
    ),
    (
        "rsa-pss-sha512",
        form(&[(Cow::Borrowed(""), Algorithm::RsaPssSha512)]),
    ),
];

const fn form(prefixes: &'static [(Name, Algorithm)]) -> Form {
    Form {
        separator: None,
        prefixes: Cow::Borrowed(prefixes),
        encoding: Encoding::Base64,
    }
}

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::HttpSignature,
    signature: SIGNATURE,
    form: form(&[]),
    timestamp: None,
    id: None,
    pieces: Cow::Borrowed(&[]),
    key: KeyForm::HttpSignature,
    tolerance: 300,
};

/// One signature that we know how to check.
struct Label<'r> {
    envelope: Envelope<'r>,
    text: Vec<u8>,
    candidates: Candidates<'static>,
    /// Unix seconds.
    expires: Option<i64>,
    key_id: Option<String>,
    /// Canonical identifiers.
    covered: Vec<String>,
}

/// The first signature alone, for a diagnosis: whether the body is the one of its digest is not looked at.
pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let mut labels = labels(request, digest::Digest::Fits)?;
    if labels.is_empty() {
        return Err(VerifyError::BadSignature);
    }
    let Label {
        mut envelope,
        text,
        candidates,
        ..
    } = labels.swap_remove(0);
    envelope.signed = Signed::Texts(vec![SignedText { text, candidates }]);
    Ok(envelope)
}

/// Whether any signature of the request is good. Where none is, the error is of the one that came furthest.
pub(crate) fn verify(
    keys: &[VerifyKey],
    settings: &Settings,
    tolerance: (u64, u64),
    request: &Received<'_>,
    now: i64,
) -> Result<Verified, VerifyError> {
    let mut furthest = VerifyError::BadSignature;
    let rank = |error: &VerifyError| match error {
        VerifyError::NotCovered => 2,
        VerifyError::BadSignature => 0,
        _ => 1,
    };
    for label in labels(request, digest::Digest::Wrong)? {
        match label.verify(keys, settings, tolerance, now) {
            Ok(verified) => return Ok(verified),
            Err(error) if rank(&error) > rank(&furthest) => furthest = error,
            Err(_) => {}
        }
    }
    Err(furthest)
}

impl Label<'_> {
    fn verify(
        &self,
        keys: &[VerifyKey],
        settings: &Settings,
        (past, future): (u64, u64),
        now: i64,
    ) -> Result<Verified, VerifyError> {
        if self.envelope.timestamp.is_none() {
            return Err(VerifyError::BadTimestamp { name: INPUT });
        }
        self.envelope.check_clock(now, past, future)?;
        if let Some(expires) = self.expires.filter(|expires| *expires < now) {
            return Err(VerifyError::TooOld {
                name: INPUT,
                by: now.abs_diff(expires),
                tolerance: 0,
            });
        }
        let message = [self.text.as_slice()];
        let fitting = keys.iter().enumerate().find_map(|(index, key)| {
            if !self.may_be_of(settings.key_ids.get(index)) {
                return None;
            }
            Some((index, key.fits(&message, &self.candidates)?))
        });
        let (index, fits) = fitting.ok_or(VerifyError::BadSignature)?;
        let is_covered = |wanted: &String| {
            let digest_unknown = wanted == DEFAULT_COMPONENT
                && self.envelope.assurance.body_bound != BodyBound::Full;
            self.covered.contains(wanted) && !digest_unknown
        };
        if !settings.components.iter().all(is_covered) {
            return Err(VerifyError::NotCovered);
        }
        let fingerprint = Some(Fingerprint::of(&fits, &message));
        Ok(self.envelope.proves(index, fits.algorithm, fingerprint))
    }

    /// A key without an id may have made any signature; one with an id those that name it.
    fn may_be_of(&self, key_id: Option<&String>) -> bool {
        match key_id {
            None => true,
            Some(id) if id.is_empty() => true,
            Some(id) => self.key_id.as_ref() == Some(id),
        }
    }
}

/// The signatures of a request that we know how to check. What we do not know is passed over. `other_body`: what to take a digest
/// for that is of another body.
fn labels<'r>(
    request: &Received<'r>,
    other_body: digest::Digest,
) -> Result<Vec<Label<'r>>, VerifyError> {
    let [input, signature] = find(request.headers, [&INPUT, &SIGNATURE]);
    let input = required(&INPUT, input)?;
    let signature = required(&SIGNATURE, signature)?;
    for (name, field) in [(INPUT, input), (SIGNATURE, signature)] {
        if field.len() > MAX_SIGNATURE_HEADER {
            return Err(VerifyError::TooManySignatures { name });
        }
    }
    let (Some(lists), Some(signatures)) = (
        inner_lists(input, MAX_SIGNATURES),
        byte_sequences(signature, MAX_SIGNATURES),
    ) else {
        return Err(VerifyError::BadSignature);
    };
    if lists.len() > MAX_ED25519_SIGNATURES {
        return Err(VerifyError::TooManySignatures { name: INPUT });
    }
    let components = Components {
        headers: request.headers,
        method: Some(request.method.unwrap_or("POST")),
        url: request.url.and_then(Url::split),
    };
    // Once for all labels: it may be a hash or two of a large body.
    let digest = OnceCell::new();
    let digest_of_body = || {
        *digest.get_or_init(|| {
            let field = field_value(request.headers, CONTENT_DIGEST).unwrap_or_default();
            match digest::check(&field, request.body) {
                digest::Digest::Wrong => other_body,
                verdict => verdict,
            }
        })
    };
    let mut labels = Vec::new();
    for list in lists {
        let signature = signatures.iter().find(|(label, _)| *label == list.label);
        let Some((_, signature)) = signature else {
            continue;
        };
        if let Some(label) = label(&list, signature, &components, &digest_of_body)? {
            labels.push(label);
        }
    }
    Ok(labels)
}

/// `None` for one that we do not know how to check, or that says something else about the body than the body does.
fn label<'r>(
    list: &InnerList,
    signature: &[u8],
    components: &Components<'_, dyn crate::Headers + 'r>,
    digest_of_body: &dyn Fn() -> digest::Digest,
) -> Result<Option<Label<'r>>, VerifyError> {
    let Some(text) = text(list, components)? else {
        return Ok(None);
    };
    let covers = |wanted: &str| {
        let mut items = list.items.iter();
        items.any(|item| item.text == wanted && item.parameters.is_empty())
    };
    let mut body_bound = BodyBound::None;
    if covers(CONTENT_DIGEST) {
        match digest_of_body() {
            digest::Digest::Fits => body_bound = BodyBound::Full,
            digest::Digest::Wrong => return Ok(None),
            digest::Digest::Unknown => {}
        }
    }
    let [created, expires] = times(list).unwrap_or_default();
    let texts = ["alg", "keyid"].map(|name| match list.parameter(name) {
        None => Some(None),
        Some(Bare::Text(text)) => Some(Some(text.clone())),
        Some(_) => None,
    });
    let [Some(algorithm), Some(key_id)] = texts else {
        return Ok(None);
    };
    let form = match algorithm {
        None => Some(&ANY),
        Some(name) => NAMED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, form)| form),
    };
    let Some(form) = form else {
        return Ok(None);
    };
    let mut written = String::new();
    base64::encode_into(signature, &mut written);
    let url_bound = covers("@target-uri")
        || covers("@authority")
            && (covers("@request-target") || covers("@path") && covers("@query"));
    Ok(Some(Label {
        envelope: Envelope {
            scheme: Scheme::HttpSignature,
            timestamp: created.map(|seconds| Timestamp {
                seconds,
                name: INPUT,
            }),
            message_id: None,
            assurance: Assurance {
                body_bound,
                timestamp_signed: true,
                id_signed: false,
                url_bound,
            },
            certificate: None,
            signed: Signed::Texts(Vec::new()),
        },
        text,
        candidates: Candidates::bounded(written.into_bytes(), form, &SIGNATURE)?,
        expires,
        key_id,
        covered: list
            .items
            .iter()
            .map(|item| item.canonical.clone())
            .collect(),
    }))
}

/// The signature base (section 2.5).
fn text(
    list: &InnerList,
    components: &Components<'_, dyn crate::Headers + '_>,
) -> Result<Option<Vec<u8>>, VerifyError> {
    if list.items.len() > MAX_COMPONENTS {
        return Ok(None);
    }
    let mut base = Vec::new();
    for (at, item) in list.items.iter().enumerate() {
        let mut before = list.items.iter().take(at);
        // A component that is there twice could have two values.
        if before.any(|other| other.canonical == item.canonical) {
            return Ok(None);
        }
        base.extend_from_slice(item.canonical.as_bytes());
        base.extend_from_slice(b": ");
        match components.write(item, &mut base) {
            Ok(()) => {}
            Err(NoValue::Url) => return Err(VerifyError::MissingUrl),
            Err(NoValue::Unknown | NoValue::Method) => return Ok(None),
        }
        base.push(b'\n');
    }
    base.extend_from_slice(b"\"@signature-params\": ");
    base.extend_from_slice(list.canonical.as_bytes());
    Ok(Some(base))
}

/// `created` and `expires`; `None` where one of them is no time, as if `created` were not there.
fn times(list: &InnerList) -> Option<[Option<i64>; 2]> {
    let time = |name| match list.parameter(name) {
        None => Some(None),
        Some(Bare::Integer(seconds)) => (0..=MAX_TIMESTAMP)
            .contains(seconds)
            .then_some(Some(*seconds)),
        Some(_) => None,
    };
    Some([time("created")?, time("expires")?])
}

/// The fields of a signature to send: `Content-Digest`, `Signature-Input`, `Signature`. It covers the body, the method (`POST`) and, if
/// it is known, the URL.
pub(crate) fn sign(
    key: &SignKey,
    body: &[u8],
    url: Option<&str>,
    created: &str,
) -> Option<Vec<(String, String)>> {
    let mut digest = String::from("sha-256=:");
    base64::encode_into(&Sha256::digest(body), &mut digest);
    digest.push(':');
    let algorithm = key.algorithm();
    let target = if url.is_some() {
        " \"@target-uri\""
    } else {
        ""
    };
    let input = format!(
        "sig1=(\"content-digest\" \"@method\"{target});created={created};alg=\"{algorithm}\""
    );
    let list = inner_lists(input.as_bytes(), 1)?.pop()?;
    let headers = [(CONTENT_DIGEST, digest.as_str())];
    let components = Components {
        headers: &headers as &dyn crate::Headers,
        method: Some("POST"),
        url: match url {
            Some(url) => Some(Url::split(url)?),
            None => None,
        },
    };
    let text = text(&list, &components).ok()??;
    let (_, form) = NAMED.iter().find(|(name, _)| *name == algorithm.name())?;
    let mut signature = String::from("sig1=:");
    let mut written = String::new();
    key.sign_into(&[&text], form, &mut written);
    signature.push_str(&written);
    signature.push(':');
    let fields = [
        (CONTENT_DIGEST, digest),
        (&*INPUT, input),
        (&*SIGNATURE, signature),
    ];
    Some(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
    )
}
