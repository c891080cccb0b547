//! The webhook schemes: each file says which headers one scheme reads and which bytes it signs, as a [`Layout`] and, where data does
//! not suffice, as code that reads a request into an [`Envelope`].

pub(crate) mod discord;
pub(crate) mod github;
pub(crate) mod http_signature;
pub(crate) mod linear;
pub(crate) mod mailgun;
pub(crate) mod paddle;
#[cfg(feature = "asymmetric")]
pub(crate) mod paypal;
#[cfg(feature = "asymmetric")]
pub(crate) mod sendgrid;
pub(crate) mod shopify;
pub(crate) mod slack;
#[cfg(feature = "asymmetric")]
pub(crate) mod sns;
pub(crate) mod square;
pub(crate) mod standard;
pub(crate) mod stripe;
pub(crate) mod svix;
pub(crate) mod twilio;
pub(crate) mod zoom;

use std::borrow::Cow;
use std::fmt;

use crate::envelope::Envelope;
use crate::error::VerifyError;
use crate::layout::Layout;
use crate::received::Received;

/// How a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scheme {
    /// [Standard Webhooks 1.0.0](https://www.standardwebhooks.com): `webhook-id`,
    /// `webhook-timestamp`, `webhook-signature`; `v1` (HMAC-SHA256) and `v1a` (Ed25519).
    StandardWebhooks,
    /// Svix: as Standard Webhooks, under the names `svix-…`; if none of them is there, under `webhook-…`.
    Svix,
    /// Stripe: `Stripe-Signature`.
    Stripe,
    /// GitHub: `X-Hub-Signature-256`.
    GitHub,
    /// Slack: `X-Slack-Signature`, `X-Slack-Request-Timestamp`.
    Slack,
    /// Zoom: `x-zm-signature`, `x-zm-request-timestamp`.
    Zoom,
    /// Shopify: `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// Twilio: `X-Twilio-Signature`, over the URL and the parameters of a form, or over the URL with the hash of another body.
    Twilio,
    /// Square: `x-square-hmacsha256-signature`, over the URL and the body.
    Square,
    /// Discord: `X-Signature-Ed25519`, `X-Signature-Timestamp`.
    Discord,
    /// Linear: `Linear-Signature`, the time in the body.
    Linear,
    /// Paddle: `Paddle-Signature`.
    Paddle,
    /// Mailgun: in the body, which itself is not signed.
    Mailgun,
    /// Twilio SendGrid's event webhook: `X-Twilio-Email-Event-Webhook-Signature` and `-Timestamp`.
    SendGrid,
    /// AWS SNS: in the body, by a certificate.
    Sns,
    /// PayPal: `PAYPAL-TRANSMISSION-SIG` and its companions, by a certificate.
    PayPal,
    /// HTTP Message Signatures (RFC 9421): `Signature-Input`, `Signature`.
    HttpSignature,
    /// A [`Template`](crate::Template) of your own.
    Custom,
}

impl Scheme {
    /// Every scheme, for bindings to walk.
    pub const ALL: &[Self] = &[
        Self::StandardWebhooks,
        Self::Svix,
        Self::Stripe,
        Self::GitHub,
        Self::Slack,
        Self::Zoom,
        Self::Shopify,
        Self::Twilio,
        Self::Square,
        Self::Discord,
        Self::Linear,
        Self::Paddle,
        Self::Mailgun,
        Self::SendGrid,
        Self::Sns,
        Self::PayPal,
        Self::HttpSignature,
        Self::Custom,
    ];

    /// A stable name for settings, logs and stores, for example `standard-webhooks` or `stripe`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
            Self::Svix => "svix",
            Self::Stripe => "stripe",
            Self::GitHub => "github",
            Self::Slack => "slack",
            Self::Zoom => "zoom",
            Self::Shopify => "shopify",
            Self::Twilio => "twilio",
            Self::Square => "square",
            Self::Discord => "discord",
            Self::Linear => "linear",
            Self::Paddle => "paddle",
            Self::Mailgun => "mailgun",
            Self::SendGrid => "sendgrid",
            Self::Sns => "sns",
            Self::PayPal => "paypal",
            Self::HttpSignature => "http-signature",
            Self::Custom => "custom",
        }
    }

    /// The scheme with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|scheme| scheme.name() == name)
    }

    /// Its preset; `None` for a template's, which has its own, and for what this build has not.
    pub(crate) fn layout(self) -> Option<&'static Layout> {
        Some(match self {
            Self::StandardWebhooks => &standard::LAYOUT,
            Self::Svix => &svix::LAYOUT,
            Self::Stripe => &stripe::LAYOUT,
            Self::GitHub => &github::LAYOUT,
            Self::Slack => &slack::LAYOUT,
            Self::Zoom => &zoom::LAYOUT,
            Self::Shopify => &shopify::LAYOUT,
            Self::Twilio => &twilio::LAYOUT,
            Self::Square => &square::LAYOUT,
            Self::Linear => &linear::LAYOUT,
            Self::Paddle => &paddle::LAYOUT,
            Self::Mailgun => &mailgun::LAYOUT,
            Self::Discord => &discord::LAYOUT,
            Self::HttpSignature => &http_signature::LAYOUT,
            #[cfg(feature = "asymmetric")]
            Self::SendGrid => &sendgrid::LAYOUT,
            #[cfg(feature = "asymmetric")]
            Self::Sns => &sns::LAYOUT,
            #[cfg(feature = "asymmetric")]
            Self::PayPal => &paypal::LAYOUT,
            _ => return None,
        })
    }

    /// Whether the whole body must be there before the signed bytes are known.
    pub(crate) const fn reads_body(self) -> bool {
        matches!(
            self,
            Self::Twilio
                | Self::Linear
                | Self::Mailgun
                | Self::Sns
                | Self::PayPal
                | Self::HttpSignature
        )
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a verifier knows besides its keys.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) layout: Cow<'static, Layout>,
    /// The URL the sender calls, or the front part of it.
    pub(crate) url: Option<String>,
    /// PayPal's id of the webhook.
    #[cfg_attr(
        not(feature = "asymmetric"),
        allow(dead_code, reason = "no scheme of this build has certificates")
    )]
    pub(crate) webhook_id: Option<String>,
    /// The only topic of SNS that is accepted.
    #[cfg_attr(
        not(feature = "asymmetric"),
        allow(dead_code, reason = "no scheme of this build has certificates")
    )]
    pub(crate) topic_arn: Option<String>,
    /// The keys' ids in HTTP Message Signatures, in the order of the keys; where it is empty or missing, a key has none.
    pub(crate) key_ids: Vec<String>,
    /// What HTTP Message Signatures must cover, as canonical identifiers.
    pub(crate) components: Vec<String>,
}

impl Settings {
    /// Reads what a request says by the scheme's rules. Its URL is already the one that counts.
    pub(crate) fn read<'r>(&'r self, request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
        match self.layout.scheme {
            Scheme::Svix => svix::read(request),
            Scheme::Twilio => twilio::read(request),
            Scheme::Linear => linear::read(request),
            Scheme::Mailgun => mailgun::read(request),
            Scheme::HttpSignature => http_signature::read(request),
            #[cfg(feature = "asymmetric")]
            Scheme::Sns => sns::read(request, self),
            #[cfg(feature = "asymmetric")]
            Scheme::PayPal => paypal::read(request, self),
            _ => self.layout.read(request),
        }
    }
}
