//! Where webhooks go: an address, the secrets that sign for it, and the event types it wants.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::Signer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::listener::{LISTEN, Listener};
use super::target;
use crate::world::Surroundings;

/// Event types one endpoint may name.
const MAX_TYPES: usize = 100;
const RESULT_TIMEOUT_MS: u64 = 30_000;
const MAX_RESULT_TIMEOUT_MS: u64 = 600_000;

/// An endpoint as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpoint {
    /// Not for an endpoint that listens.
    #[serde(default)]
    pub(crate) url: String,
    /// Whether it has no address: its deliveries go out on the connection that its receiver opens.
    #[serde(default)]
    pub(crate) listen: bool,
    /// Real milliseconds that a listener's result may take. Default 30 000.
    pub(crate) result_timeout_ms: Option<u64>,
    /// `whsec_...` or `whsk_...`; one is made when none is given.
    pub(crate) secret: Option<String>,
    /// More secrets that sign as well, as in a rotation.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    /// Whether an Ed25519 key is made too, so that deliveries carry `v1a` beside `v1`.
    #[serde(default)]
    pub(crate) key_pair: bool,
    /// Such as `contact.created`, `contact.*` or `*`; none means all.
    #[serde(default)]
    pub(crate) types: Vec<String>,
}

impl NewEndpoint {
    /// With a secret made for it.
    pub(crate) fn of(url: &str, types: &[&str]) -> Self {
        Self {
            url: url.into(),
            listen: false,
            result_timeout_ms: None,
            secret: None,
            secrets: Vec::new(),
            key_pair: false,
            types: types.iter().map(|kind| (*kind).into()).collect(),
        }
    }
}

/// Where webhooks go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// `ep_000001`.
    pub id: String,
    /// The address; `listen:` for an endpoint that listens.
    pub url: String,
    /// The first secret: what a receiver verifies with, if it is `whsec_`.
    pub secret: String,
    /// All secrets; each signs every delivery.
    pub secrets: Vec<String>,
    /// `whpk_...`, what a receiver verifies `v1a` with, if there is an Ed25519 key.
    pub public_key: Option<String>,
    /// The event types it gets; none means all.
    pub types: Vec<String>,
    /// Why nothing is sent to it any more.
    pub disabled: Option<Disabled>,
}

/// Why nothing is sent to an endpoint any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disabled {
    /// It failed every attempt of a delivery and answered none well in that time.
    Failing,
    /// It answered 410.
    Gone,
}

/// An endpoint and what sending to it needs.
pub(crate) struct Subscriber {
    pub(crate) shown: Endpoint,
    pub(crate) target: Target,
    pub(crate) signer: Signer,
    /// The session's clock when it last answered well.
    pub(crate) well_ns: Option<u64>,
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
    pub(crate) fn new(
        new: NewEndpoint,
        number: u64,
        seed: u64,
        surroundings: &Surroundings,
    ) -> Result<Self, String> {
        let (target, url) = target_of(&new, surroundings)?;
        if new.types.len() > MAX_TYPES {
            return Err(format!("an endpoint names at most {MAX_TYPES} types"));
        }
        let mut secrets: Vec<String> = new.secret.into_iter().chain(new.secrets).collect();
        if secrets.is_empty() {
            let random = random(b"secret", seed, number);
            let secret =
                gatewright_webhook::generate_secret(&random).map_err(|error| error.to_string())?;
            secrets.push(secret.expose().into());
        }
        if new.key_pair {
            let pair = gatewright_webhook::generate_key_pair(&random(b"key pair", seed, number));
            secrets.push(pair.signing.expose().into());
        }
        let signer = Signer::new(&secrets).map_err(|error| format!("secret: {error}"))?;
        Ok(Self {
            shown: Endpoint {
                id: format!("ep_{number:06}"),
                url,
                secret: secrets.first().cloned().unwrap_or_default(),
                public_key: secrets.iter().find_map(|secret| public_key(secret)),
                secrets,
                types: new.types,
                disabled: None,
            },
            target,
            signer,
            well_ns: None,
        })
    }

    /// Whether it wants events of this type.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        let types = &self.shown.types;
        self.shown.disabled.is_none()
            && (types.is_empty()
                || types.iter().any(|wanted| match wanted.strip_suffix('*') {
                    Some(prefix) => kind.starts_with(prefix),
                    None => wanted == kind,
                }))
    }
}

fn target_of(new: &NewEndpoint, surroundings: &Surroundings) -> Result<(Target, String), String> {
    if !new.listen {
        if new.result_timeout_ms.is_some() {
            return Err("result_timeout_ms: only an endpoint that listens has it".into());
        }
        let url = target::parse(&new.url, surroundings)?;
        let shown = url.to_string();
        return Ok((Target::Address(url), shown));
    }
    if !new.url.is_empty() {
        return Err("url: an endpoint that listens has none".into());
    }
    let patience_ms = new.result_timeout_ms.unwrap_or(RESULT_TIMEOUT_MS);
    if !(1..=MAX_RESULT_TIMEOUT_MS).contains(&patience_ms) {
        return Err(format!(
            "result_timeout_ms: got {patience_ms} when expecting 1 to {MAX_RESULT_TIMEOUT_MS}"
        ));
    }
    let listener = Listener::new(Duration::from_millis(patience_ms));
    Ok((Target::Listener(Arc::new(listener)), LISTEN.into()))
}

/// The same endpoint of the same session has the same secret in every run.
fn random(what: &[u8], seed: u64, number: u64) -> [u8; 32] {
    Sha256::new_with_prefix(what)
        .chain_update(seed.to_le_bytes())
        .chain_update(number.to_le_bytes())
        .finalize()
        .into()
}

/// The second half of a `whsk_` key is its public key.
fn public_key(secret: &str) -> Option<String> {
    let pair = STANDARD.decode(secret.strip_prefix("whsk_")?).ok()?;
    Some(format!("whpk_{}", STANDARD.encode(pair.get(32..64)?)))
}
