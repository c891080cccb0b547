//! HTTP Message Signatures (RFC 9421) on requests, with `Content-Digest` (RFC 9530).

use std::time::Duration;

use gatewright_engine::ErrorKind;
use gatewright_engine::redact::Secret;
use gatewright_engine::signing::{
    Component, HashAlgorithm, MessageSignature, Signable, SignatureParameters, SignedFields,
    SigningError,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::key::SigningKey;
use super::{SignRequest, SigningMoment};
use crate::Error;
use crate::body::BoxError;

/// How requests are signed. Default: `@method`, `@target-uri` and `content-digest` are covered, with `created`, `keyid`, `alg` and `nonce`,
/// under the label `sig1`.
#[derive(Debug)]
pub struct HttpSignature {
    key_id: String,
    key: SigningKey,
    message: MessageSignature,
    expires_after: Option<Duration>,
    tag: Option<String>,
    nonce: bool,
    algorithm: bool,
}

impl HttpSignature {
    /// Signatures by this key.
    #[must_use]
    pub fn new(key_id: impl Into<String>, key: SigningKey) -> Self {
        Self {
            key_id: key_id.into(),
            key,
            message: MessageSignature::default(),
            expires_after: None,
            tag: None,
            nonce: true,
            algorithm: true,
        }
    }

    /// What is covered, as the RFC writes it: `@method`, `@target-uri`, `@authority`, `@scheme`, `@path`, `@query`, `@request-target`,
    /// `@query-param;name="id"`, `content-digest`, and any header. A header that a request does not have is left out of its signature.
    ///
    /// # Errors
    /// `invalid_config` for what is none of them.
    pub fn components<'a>(
        mut self,
        components: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        self.message.components = components
            .into_iter()
            .map(Component::parse)
            .collect::<Result<_, _>>()
            .map_err(|wrong| Error::new(ErrorKind::InvalidConfig, wrong))?;
        Ok(self)
    }

    /// The signature's label. Default `sig1`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.message.label = label.into();
        self
    }

    /// How long a signature is good. Default: it does not say.
    #[must_use]
    pub const fn expires_after(mut self, lifetime: Duration) -> Self {
        self.expires_after = Some(lifetime);
        self
    }

    /// The parameter `tag`. Default none.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Whether there is a `nonce`. Default true.
    #[must_use]
    pub const fn nonce(mut self, yes: bool) -> Self {
        self.nonce = yes;
        self
    }

    /// Whether `alg` is named. Default true.
    #[must_use]
    pub const fn name_algorithm(mut self, yes: bool) -> Self {
        self.algorithm = yes;
        self
    }

    /// The hash of `Content-Digest`. Default SHA-256.
    #[must_use]
    pub const fn digest(mut self, algorithm: HashAlgorithm) -> Self {
        self.message.digest = algorithm;
        self
    }

    /// Whether a body that is a stream goes without a digest, and the signature without covering it. Default: such a request is refused.
    #[must_use]
    pub const fn unsigned_streams(mut self, yes: bool) -> Self {
        self.message.unsigned_streams = yes;
        self
    }
}

impl SignRequest for HttpSignature {
    fn sign(
        &self,
        request: &Signable<'_>,
        moment: &SigningMoment<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), BoxError> {
        if let Some(digest) = self.message.content_digest(request)? {
            headers.insert("content-digest", HeaderValue::try_from(digest)?);
        }
        let with_digest = headers.clone();
        let request = Signable {
            headers: &with_digest,
            ..*request
        };
        let created = moment.now.0.div_euclid(1000);
        let parameters = SignatureParameters {
            created: Some(created),
            expires: self.expires_after.map(|lifetime| {
                let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
                created.saturating_add(seconds)
            }),
            keyid: Some(&self.key_id),
            alg: self.algorithm.then(|| self.key.http_algorithm()),
            nonce: self.nonce.then(|| moment.nonce.expose()),
            tag: self.tag.as_deref(),
        };
        let fields = self.message.base(&request, &parameters)?;
        let signature = self.key.sign_message(fields.base.as_bytes())?;
        let signature = SignedFields::signature(&self.message.label, &signature);
        headers.insert(
            "signature-input",
            HeaderValue::try_from(fields.signature_input)?,
        );
        let mut signature = HeaderValue::try_from(signature)?;
        signature.set_sensitive(true);
        headers.insert("signature", signature);
        Ok(())
    }

    fn check(&self) -> Result<(), SigningError> {
        let wrong = |what: &str| Err(SigningError::Setting(what.to_owned()));
        let printable = |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if !printable(&self.key_id) || !self.tag.as_deref().is_none_or(printable) {
            return wrong("the signature's key id or tag has a character that it cannot carry");
        }
        // A key of a dictionary (RFC 9651, section 3.1.2).
        let label = &self.message.label;
        if !label.starts_with(|c: char| c.is_ascii_lowercase() || c == '*')
            || !label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c))
            || HeaderName::try_from(label.replace('*', "x")).is_err()
        {
            return wrong("the signature's label is none; it looks like sig1");
        }
        Ok(())
    }

    fn needs_body(&self) -> bool {
        self.message.covers_body() && !self.message.unsigned_streams
    }

    fn identity(&self) -> String {
        format!("http-signature {}", self.key_id)
    }

    fn secrets(&self) -> Vec<Secret> {
        self.key.secrets()
    }
}
