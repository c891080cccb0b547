//! The settings of a [`Webhook`], all optional but the secrets and what a scheme signs besides the request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::key::VerifyKey;
use crate::key_error::{KeyError, KeyErrorKind};
use crate::layout::Layout;
use crate::limits::DEFAULT_MAX_BODY;
use crate::schemes::{Scheme, Settings, http_signature};
use crate::template::Template;
use crate::verify::{Parts, Webhook};

/// Settings of a [`Webhook`].
pub struct WebhookBuilder {
    scheme: Scheme,
    template: Option<Template>,
    secrets: Vec<Zeroizing<String>>,
    past: Option<Duration>,
    future: Option<Duration>,
    max_body: usize,
    url: Option<String>,
    webhook_id: Option<String>,
    topic_arn: Option<String>,
    key_ids: Vec<String>,
    components: Option<Vec<String>>,
}

impl WebhookBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            scheme: Scheme::StandardWebhooks,
            template: None,
            secrets: Vec::new(),
            past: None,
            future: None,
            max_body: DEFAULT_MAX_BODY,
            url: None,
            webhook_id: None,
            topic_arn: None,
            key_ids: Vec::new(),
            components: None,
        }
    }

    /// How the sender signs. Default [`Scheme::StandardWebhooks`].
    #[must_use]
    pub const fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// How a provider signs that is not among the schemes; sets the scheme to [`Scheme::Custom`].
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = Some(template);
        self.scheme(Scheme::Custom)
    }

    /// Adds a secret, as the provider shows it.
    #[must_use]
    pub fn secret(self, secret: impl AsRef<str>) -> Self {
        self.secrets([secret])
    }

    /// Adds several secrets.
    #[must_use]
    pub fn secrets<S: AsRef<str>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(
            secrets
                .into_iter()
                .map(|secret| Zeroizing::new(secret.as_ref().to_owned())),
        );
        self
    }

    /// How far the timestamp may be from `now`, in the past and in the future; whole seconds,
    /// fractions are cut off. Default 300 s; 60 s for Linear, 5 s for Paddle. Of no effect where a scheme has no timestamp.
    #[must_use]
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.past = Some(tolerance);
        self.future = Some(tolerance);
        self
    }

    /// How far the timestamp may be after `now`, where that should differ from
    /// [`tolerance`](Self::tolerance), which sets both.
    #[must_use]
    pub const fn future_tolerance(mut self, tolerance: Duration) -> Self {
        self.future = Some(tolerance);
        self
    }

    /// The largest body accepted, in bytes. Default 1 MiB.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The public URL the sender calls, for schemes that sign it (Twilio, Square, templates with `{url}`): behind a proxy the URL
    /// that arrives is another. It wins over [`Received::url`](crate::Received::url); a path or query it leaves out is taken from
    /// there, so that `https://example.com` is enough for several endpoints.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// PayPal's id of the webhook, which it signs.
    #[must_use]
    pub fn webhook_id(mut self, id: impl Into<String>) -> Self {
        self.webhook_id = Some(id.into());
        self
    }

    /// The only SNS topic to accept; needed, since without it, whoever has an AWS account can send what verifies.
    #[must_use]
    pub fn topic_arn(mut self, arn: impl Into<String>) -> Self {
        self.topic_arn = Some(arn.into());
        self
    }

    /// The `keyid`s of the keys of HTTP Message Signatures, in the order of the secrets. A key with an id checks only what names that
    /// id; one whose id is empty, or left out, checks everything.
    #[must_use]
    pub fn key_ids<I: AsRef<str>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.key_ids = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
        self
    }

    /// What HTTP Message Signatures must cover, each as RFC 9421 writes it (section 2): `content-digest`, `@method`,
    /// `@query-param;name="id"`. Default: `content-digest`, which ties the signature to the body. With none, whatever the sender
    /// covers is enough; [`Verified`](crate::Verified) says what that is worth.
    #[must_use]
    pub fn components<C: AsRef<str>>(mut self, components: impl IntoIterator<Item = C>) -> Self {
        let components = components.into_iter();
        self.components = Some(components.map(|one| one.as_ref().to_owned()).collect());
        self
    }

    fn layout(&self) -> Result<Cow<'static, Layout>, KeyErrorKind> {
        match (self.scheme, &self.template) {
            (Scheme::Custom, Some(template)) => {
                let layout = template.layout().map_err(KeyErrorKind::BadTemplate)?;
                Ok(Cow::Owned(layout))
            }
            (Scheme::Custom, None) => Err(KeyErrorKind::MissingTemplate),
            (scheme, _) => {
                let layout = scheme.layout().ok_or(KeyErrorKind::NeedsAsymmetric)?;
                Ok(Cow::Borrowed(layout))
            }
        }
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`Webhook::new`], and for a template that cannot be used or a setting the scheme cannot do without.
    pub fn build(self) -> Result<Webhook, KeyError> {
        let layout = self.layout().map_err(|kind| KeyError::new(kind, 0))?;
        if layout.scheme == Scheme::PayPal && self.webhook_id.is_none() {
            return Err(KeyError::new(KeyErrorKind::MissingWebhookId, 0));
        }
        if layout.scheme == Scheme::Sns && self.topic_arn.as_deref().unwrap_or_default().is_empty()
        {
            return Err(KeyError::new(KeyErrorKind::MissingTopic, 0));
        }
        let components = match &self.components {
            None => Some(vec![http_signature::DEFAULT_COMPONENT.to_owned()]),
            Some(components) => {
                let each = components.iter();
                each.map(|one| http_signature::identifier(one)).collect()
            }
        };
        let components = components.ok_or_else(|| KeyError::new(KeyErrorKind::BadComponent, 0))?;
        let texts = self.secrets.iter().map(|secret| secret.as_str());
        let keys = VerifyKey::parse_all(layout.key, texts)?;
        let seconds = |set: Option<Duration>| set.map_or(layout.tolerance, |set| set.as_secs());
        Ok(Webhook {
            parts: Arc::new(Parts {
                keys,
                past: seconds(self.past),
                future: seconds(self.future),
                max_body: self.max_body,
                settings: Settings {
                    layout,
                    url: self.url,
                    webhook_id: self.webhook_id,
                    topic_arn: self.topic_arn,
                    key_ids: self.key_ids,
                    components,
                },
                #[cfg(feature = "asymmetric")]
                certificates: crate::CertificateCache::default(),
            }),
        })
    }
}

impl std::fmt::Debug for WebhookBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookBuilder")
            .field("scheme", &self.scheme)
            .field(
                "secrets",
                &format_args!("[{} redacted]", self.secrets.len()),
            )
            .field("past", &self.past)
            .field("future", &self.future)
            .field("max_body", &self.max_body)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
