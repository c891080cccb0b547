//! The connection to Redis or a cluster: made when needed, dropped when something is wrong with it, every step bounded in
//! time. No text from here has the URL or the password in it.

use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::fleet::{Ask, Grant, Terms};
use gatewright_engine::redact::Secret;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisError, ServerErrorKind, TlsCertificates,
};

use super::{Config, invalid};
use crate::Error;

pub(super) const SCRIPT: &str = include_str!("take.lua");

/// Checks the form of the URLs.
pub(super) fn check(urls: &[Secret]) -> Result<(), Error> {
    if urls.is_empty() {
        return Err(invalid(
            "`url`: no node of the cluster is named; name at least one".to_owned(),
        ));
    }
    for url in urls {
        let scheme = url.expose().split("://").next().unwrap_or_default();
        let known = ["redis", "rediss", "redis+unix", "unix", "valkey", "valkeys"];
        if !known.contains(&scheme) || parse(url).is_err() {
            return Err(invalid(
                "`url` is no URL of a Redis; it must look like redis://host:6379, rediss://user:password@host:6379/0 or \
                 redis+unix:///path"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

fn parse(url: &Secret) -> Result<ConnectionInfo, RedisError> {
    url.expose().into_connection_info()
}

enum Link {
    None,
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// One connection, and the script.
pub(super) struct Store {
    nodes: Vec<ConnectionInfo>,
    cluster: bool,
    ca_certificates: Option<Vec<u8>>,
    secrets: Vec<Secret>,
    script: redis::Script,
    keys: [String; 2],
    id: String,
    terms: Terms,
    link: Link,
}

impl Store {
    pub(super) fn new(config: &Config, name: &str, terms: &Terms) -> Result<Self, String> {
        let id = [getrandom::u64(), getrandom::u64()];
        let [Ok(high), Ok(low)] = id else {
            return Err("the system has no randomness for this process's id".to_owned());
        };
        let mut nodes = Vec::new();
        let mut secrets = config.urls.clone();
        for url in &config.urls {
            let node = parse(url).map_err(|error| error.category().to_owned())?;
            let settings = node.redis_settings();
            secrets.extend(settings.password().map(Secret::from));
            nodes.push(node);
        }
        let tag = format!("{{{}:{name}}}", config.prefix);
        Ok(Self {
            nodes,
            secrets,
            cluster: config.cluster,
            ca_certificates: config.ca_certificates.clone(),
            script: redis::Script::new(SCRIPT),
            keys: [format!("{tag}:quota"), format!("{tag}:processes")],
            id: format!("{high:016x}{low:016x}"),
            terms: terms.clone(),
            link: Link::None,
        })
    }

    /// Makes the connection, if there is none.
    pub(super) async fn connect(&mut self) -> Result<(), String> {
        if !matches!(self.link, Link::None) {
            return Ok(());
        }
        let patience = self.terms.settings.timeout.saturating_mul(4);
        let connecting = self.make_link(patience);
        self.link = match tokio::time::timeout(patience, connecting).await {
            Ok(Ok(link)) => link,
            Ok(Err(error)) => return Err(self.told(&error)),
            Err(_) => return Err(format!("no connection within {} ms", patience.as_millis())),
        };
        Ok(())
    }

    async fn make_link(&self, patience: Duration) -> Result<Link, RedisError> {
        let tls = |node: &ConnectionInfo| matches!(node.addr(), ConnectionAddr::TcpTls { .. });
        if self.nodes.iter().any(tls) && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The crate takes the process's provider, and would not go on where two are built in and none is chosen.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let certificates = self.ca_certificates.clone().map(|pem| TlsCertificates {
            client_tls: None,
            root_cert: Some(pem),
        });
        let timeout = self.terms.settings.timeout;
        if self.cluster {
            let mut builder = ClusterClientBuilder::new(self.nodes.clone())
                .retries(1)
                .connection_timeout(patience)
                .response_timeout(timeout);
            if let Some(certificates) = certificates {
                builder = builder.certs(certificates);
            }
            return Ok(Link::Cluster(
                builder.build()?.get_async_connection().await?,
            ));
        }
        let Some(node) = self.nodes.first().cloned() else {
            return Err(RedisError::from((
                ErrorKind::InvalidClientConfig,
                "no node is named",
            )));
        };
        let client = match certificates {
            Some(certificates) if tls(&node) => Client::build_with_tls(node, certificates)?,
            _ => Client::open(node)?,
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(timeout));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Link::Single(connection))
    }

    /// Asks, within the time that a round trip may take.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Grant, String> {
        let patience = self.terms.settings.timeout;
        let answer = tokio::time::timeout(patience, self.round_trip(ask)).await;
        let why = match answer {
            Ok(Ok(grant)) => return Ok(grant),
            Ok(Err(error)) => self.told(&error),
            Err(_) => format!("no answer within {} ms", patience.as_millis()),
        };
        self.link = Link::None;
        Err(why)
    }

    async fn round_trip(&mut self, ask: &Ask) -> Result<Grant, RedisError> {
        let arguments = arguments(&self.terms, &self.id, ask);
        let command = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(2).arg(&self.keys).arg(&arguments);
            command
        };
        let by_hash = command("EVALSHA", self.script.get_hash());
        let answer = match query(&mut self.link, &by_hash).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let whole = command("EVAL", SCRIPT);
                query(&mut self.link, &whole).await
            }
            answer => answer,
        };
        grant(&answer?).ok_or_else(|| {
            RedisError::from((
                ErrorKind::UnexpectedReturnType,
                "the script's answer is odd",
            ))
        })
    }

    /// An error in words, without what is secret.
    fn told(&self, error: &RedisError) -> String {
        let mut text = error.to_string();
        for secret in &self.secrets {
            if !secret.expose().is_empty() {
                text = text.replace(secret.expose(), gatewright_engine::redact::HIDDEN);
            }
        }
        text
    }
}

async fn query(link: &mut Link, command: &redis::Cmd) -> Result<Vec<i64>, RedisError> {
    match link {
        Link::Single(connection) => command.query_async(connection).await,
        Link::Cluster(connection) => command.query_async(connection).await,
        Link::None => Err(RedisError::from((ErrorKind::Io, "there is no connection"))),
    }
}

const SECOND: u64 = 1_000_000_000;

/// What the script takes, in its order.
pub(super) fn arguments(terms: &Terms, id: &str, ask: &Ask) -> Vec<String> {
    /// A double holds it exactly, and it is longer than anything that matters.
    const LONG: u64 = 1 << 52;
    let nanos = |duration: Duration| {
        u64::try_from(duration.as_nanos())
            .unwrap_or(u64::MAX)
            .min(LONG)
    };
    let end = ask.back_end.as_nanos();
    let numbers = [
        terms.interval,
        terms.tolerance(),
        ask.want.into(),
        u64::from(terms.most_held(1)),
        terms.ahead,
        nanos(ask.patience),
        ask.back.into(),
        ask.back_last.into(),
        nanos(ask.back_age),
        end / SECOND,
        end % SECOND,
        ask.pause
            .map_or(0, |pause| nanos(pause).min(86_400 * SECOND)),
        ask.away.into(),
        ask.leave.into(),
        terms.settle(),
        nanos(terms.settings.beat.saturating_mul(3)) / 1_000_000,
    ];
    std::iter::once(id.to_owned())
        .chain(numbers.iter().map(u64::to_string))
        .collect()
}

/// What the script answers.
pub(super) fn grant(answer: &[i64]) -> Option<Grant> {
    let &[granted, first, seconds, nanos, processes, stay_away, paused] = answer else {
        return None;
    };
    let end = u64::try_from(seconds)
        .ok()?
        .checked_mul(SECOND)?
        .checked_add(u64::try_from(nanos).ok()?)?;
    let duration = |nanos| u64::try_from(nanos).ok().map(Duration::from_nanos);
    Some(Grant::new(
        u32::try_from(granted).ok()?,
        first,
        Instant::from_nanos(end),
        u32::try_from(processes).ok()?,
        duration(stay_away)?,
        duration(paused)?,
    ))
}
