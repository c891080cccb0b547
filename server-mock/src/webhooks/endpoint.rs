//! Where webhooks go: an address or a listener, the secrets that sign for it, and the events it wants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatewright_event_filter::{Filter, Glob};
use gatewright_webhook::Signer;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::custom_headers;
use super::delivery::Queued;
use super::lane::Lane;
use super::listener::{LISTEN, Listener};
use super::message::Message;
use super::secrets::Secrets;
use super::settings::{Asked, Settings};
use crate::clock::MS;
use crate::timestamp::rfc3339;

/// An endpoint as the admin port is asked for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpoint {
    /// Not for an endpoint that listens.
    #[serde(default)]
    url: String,
    /// Whether it has no address: its deliveries go out on the connection that its receiver opens.
    #[serde(default)]
    listen: bool,
    /// Real milliseconds that a listener's result may take. Default 30 000.
    result_timeout_ms: Option<u64>,
    /// `whsec_...` or `whsk_...`; one is made when none is given.
    secret: Option<String>,
    /// More secrets that sign as well, as in a rotation.
    #[serde(default)]
    secrets: Vec<String>,
    /// Whether an Ed25519 key is made too, so that deliveries carry `v1a` beside `v1`.
    #[serde(default)]
    key_pair: bool,
    /// Such as `contact.created`, `contact.*` or `*`; none means all.
    #[serde(default)]
    types: Vec<String>,
    /// Which events of these types, by what they contain.
    filter: Option<String>,
    description: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    ordered: bool,
    max_in_flight: Option<u32>,
    timeout_ms: Option<u64>,
    /// Whose events it gets; without one those of all.
    tenant: Option<String>,
}

impl NewEndpoint {
    /// With a secret made for it.
    pub(crate) fn of(url: &str, types: &[&str]) -> Self {
        Self {
            url: url.into(),
            types: types.iter().map(|kind| (*kind).into()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn wish(self) -> Wish {
        Wish {
            secrets: self.secret.into_iter().chain(self.secrets).collect(),
            key_pair: self.key_pair,
            tenant: self.tenant.map(Into::into),
            asked: Asked {
                url: self.url,
                listen: self.listen,
                result_timeout_ms: self.result_timeout_ms,
                description: self.description,
                types: self.types,
                filter: self.filter,
                headers: self.headers,
                ordered: self.ordered,
                max_in_flight: self.max_in_flight,
                timeout_ms: self.timeout_ms,
                enabled: None,
            },
        }
    }
}

/// An endpoint as it is asked for, whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) asked: Asked,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) secrets: Vec<String>,
    pub(crate) key_pair: bool,
}

/// Where webhooks go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// `ep_000001`.
    pub id: String,
    /// Whose events it gets; `None`: those of all tenants.
    pub tenant: Option<String>,
    /// The address; `listen:` for an endpoint that listens.
    pub url: String,
    /// What its owner wrote about it.
    pub description: Option<String>,
    /// The newest secret: what a receiver verifies with, if it is `whsec_`.
    pub secret: String,
    /// All secrets that sign now, the newest first; each signs every delivery.
    pub secrets: Vec<String>,
    /// When the next of the older secrets signs no more, in milliseconds of the session's clock.
    pub old_secrets_until_ms: Option<u64>,
    /// `whpk_...`, what a receiver verifies `v1a` with, if there is an Ed25519 key.
    pub public_key: Option<String>,
    /// The event types it gets, `*` standing for anything; none means all.
    pub types: Vec<String>,
    /// Which events of these types it gets, by what they contain.
    pub filter: Option<String>,
    /// Headers of its own; of credentials only the end is shown.
    pub headers: BTreeMap<String, String>,
    /// Whether each delivery waits for the one before.
    pub ordered: bool,
    /// How many deliveries it gets at the same time.
    pub max_in_flight: u32,
    /// How long it may take to answer, in milliseconds of real time; `None`: as the session says.
    pub timeout_ms: Option<u64>,
    /// Why nothing is sent to it any more.
    pub disabled: Option<Disabled>,
    /// Since when, in milliseconds of the session's clock.
    pub disabled_at_ms: Option<u64>,
    /// Since when no attempt succeeded, in milliseconds of the session's clock.
    pub failing_since_ms: Option<u64>,
}

/// Why nothing is sent to an endpoint any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disabled {
    /// It failed every attempt of a delivery and answered none well in that time.
    Failing,
    /// It answered 410.
    Gone,
    /// Its owner switched it off.
    Owner,
}

/// What is kept of an endpoint: all that is not made of the rest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EndpointRow {
    pub(crate) number: u64,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    /// Why, and since when.
    pub(crate) disabled: Option<(Disabled, u64)>,
    /// The session's clock when it last answered well.
    pub(crate) well_ns: Option<u64>,
    pub(crate) failing_since_ns: Option<u64>,
    pub(crate) version: u64,
    pub(crate) created_ns: u64,
    pub(crate) updated_ns: u64,
}

/// An endpoint and what sending to it needs.
pub(crate) struct Subscriber {
    pub(crate) row: EndpointRow,
    pub(crate) target: Target,
    pub(crate) headers: Arc<[(HeaderName, HeaderValue)]>,
    pub(crate) lane: Lane,
    types: Vec<Glob>,
    filter: Option<Filter>,
    /// Made when it is needed, and how long it holds.
    signer: Option<(Signer, Option<u64>)>,
}

/// How an endpoint is reached.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// By a request to its address.
    Address(Url),
    /// By the connection that it opened.
    Listener(Arc<Listener>),
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if let Target::Listener(listener) = &self.target {
            listener.close();
        }
    }
}

impl Subscriber {
    /// Of what is kept. Settings that were checked can be used.
    pub(crate) fn new(row: EndpointRow) -> Result<Self, String> {
        let target = match row.settings.result_timeout_ms {
            Some(ms) => Target::Listener(Arc::new(Listener::new(Duration::from_millis(ms)))),
            None => Target::Address(
                Url::parse(&row.settings.url).map_err(|error| format!("url: {error}"))?,
            ),
        };
        let mut subscriber = Self {
            row,
            target,
            headers: Arc::new([]),
            lane: Lane::default(),
            types: Vec::new(),
            filter: None,
            signer: None,
        };
        subscriber.prepare()?;
        Ok(subscriber)
    }

    /// Puts other settings in place of those it has.
    pub(crate) fn set(&mut self, settings: Settings, now_ns: u64) -> Result<(), String> {
        if settings.url != LISTEN {
            let url = Url::parse(&settings.url).map_err(|error| format!("url: {error}"))?;
            self.target = Target::Address(url);
        }
        self.row.settings = settings;
        self.touch(now_ns);
        self.prepare()
    }

    /// Its next version.
    pub(crate) fn touch(&mut self, now_ns: u64) {
        self.row.version += 1;
        self.row.updated_ns = now_ns;
        self.signer = None;
    }

    fn prepare(&mut self) -> Result<(), String> {
        let settings = &self.row.settings;
        self.headers = custom_headers::on_the_wire(&settings.headers).into();
        self.types = settings.types.iter().map(|kind| Glob::new(kind)).collect();
        let filter = settings.filter.as_deref().map(Filter::parse).transpose();
        self.filter = filter.map_err(|error| format!("filter: {error}"))?;
        Ok(())
    }

    /// Whether it wants this message. What is too large to be filtered is sent: rather too much than nothing.
    pub(crate) fn wants(&self, message: &Message) -> bool {
        self.row.disabled.is_none()
            && match (&self.row.tenant, &message.tenant) {
                (Some(own), Some(of)) => own == of,
                _ => true,
            }
            && (self.types.is_empty() || self.types.iter().any(|kind| kind.is_match(&message.kind)))
            && self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(message.value()).unwrap_or(true))
    }

    /// A message on its way to it.
    pub(crate) fn delivery(&self, message: &Arc<Message>, now_ns: u64) -> Queued {
        Queued::new(message, self.row.number, self.row.tenant.clone(), now_ns)
    }

    /// What signs at `now_ns`.
    pub(crate) fn signer(&mut self, now_ns: u64) -> Result<&Signer, String> {
        let holds =
            matches!(&self.signer, Some((_, until)) if until.is_none_or(|until| now_ns < until));
        if !holds {
            self.signer = None;
        }
        if self.signer.is_none() {
            let signer = self.row.secrets.signer(now_ns)?;
            self.signer = Some((signer, self.row.secrets.retire_at_ns(now_ns)));
        }
        match &self.signer {
            Some((signer, _)) => Ok(signer),
            None => Err("it has no secrets".into()),
        }
    }

    /// What must not be seen in what its receiver answers.
    pub(crate) fn hidden(&self, now_ns: u64) -> Vec<String> {
        let settings = &self.row.settings;
        let credentials = settings
            .headers
            .iter()
            .filter(|(name, value)| custom_headers::shown(name, value) != **value)
            // Of `Bearer abc` the part that is secret.
            .flat_map(|(_, value)| {
                value
                    .split(' ')
                    .map(str::to_owned)
                    .filter(|part| part.len() > 6)
            });
        let secrets = self.row.secrets.signing(now_ns).map(str::to_owned);
        secrets.chain(credentials).collect()
    }

    fn shown_headers(&self) -> BTreeMap<String, String> {
        let headers = self.row.settings.headers.iter();
        headers
            .map(|(name, value)| (name.clone(), custom_headers::shown(name, value)))
            .collect()
    }

    /// As the admin port shows it.
    pub(crate) fn shown(&self, now_ns: u64) -> Endpoint {
        let EndpointRow {
            settings, secrets, ..
        } = &self.row;
        Endpoint {
            id: endpoint_id(self.row.number),
            tenant: self.row.tenant.as_deref().map(Into::into),
            url: settings.url.clone(),
            description: settings.description.clone(),
            secret: secrets.newest().into(),
            secrets: secrets.signing(now_ns).map(Into::into).collect(),
            old_secrets_until_ms: secrets.retire_at_ns(now_ns).map(|ns| ns / MS),
            public_key: secrets.public_key(),
            types: settings.types.clone(),
            filter: settings.filter.clone(),
            headers: self.shown_headers(),
            ordered: settings.ordered,
            max_in_flight: settings.max_in_flight,
            timeout_ms: settings.timeout_ms,
            disabled: self.row.disabled.map(|(why, _)| why),
            disabled_at_ms: self.row.disabled.map(|(_, at_ns)| at_ns / MS),
            failing_since_ms: self.row.failing_since_ns.map(|ns| ns / MS),
        }
    }

    /// As the data port shows it to its owner: without its secrets.
    pub(crate) fn resource(&self, now_ns: u64) -> Value {
        let EndpointRow {
            settings, secrets, ..
        } = &self.row;
        json!({
            "id": endpoint_id(self.row.number),
            "url": settings.url,
            "description": settings.description,
            "types": settings.types,
            "filter": settings.filter,
            "headers": self.shown_headers(),
            "ordered": settings.ordered,
            "max_in_flight": settings.max_in_flight,
            "timeout_ms": settings.timeout_ms,
            "enabled": self.row.disabled.is_none(),
            "disabled": self.row.disabled.map(|(reason, at_ns)| {
                json!({ "reason": reason, "at": rfc3339(at_ns) })
            }),
            "failing_since": self.row.failing_since_ns.map(rfc3339),
            "public_key": secrets.public_key(),
            "old_secrets_until": secrets.retire_at_ns(now_ns).map(rfc3339),
            "created_at": rfc3339(self.row.created_ns),
            "updated_at": rfc3339(self.row.updated_ns),
            "version": self.row.version,
        })
    }
}

/// `ep_000001`.
pub(crate) fn endpoint_id(number: u64) -> String {
    format!("ep_{number:06}")
}
