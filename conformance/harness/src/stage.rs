//! Where scenarios are played: the reference gateway, another origin, an address that refuses connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use gatewright_server_mock::{FaultRule, Gateway, OptionsChange, Session, Tier};
use serde_json::Value;
use tokio::net::TcpSocket;

use crate::placeholders::{Names, fill};
use crate::scenario::{ClockSetup, GatewaySetup};
use crate::wire;

/// How often it is looked whether a request has arrived.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Everything that is shared by the scenarios of a run.
pub(crate) struct Stage {
    gateway: Gateway,
    elsewhere: Gateway,
    refused: SocketAddr,
    /// Bound but not listening, so that the system refuses every connection and gives the port to nobody else.
    _refusing: TcpSocket,
}

impl Stage {
    pub(crate) async fn set() -> io::Result<Self> {
        let gateway = Gateway::builder().start().await?;
        for_pages(&gateway.session("default").map_err(io::Error::other)?)?;
        let elsewhere = Gateway::builder().start().await?;
        // Whoever comes there is answered, so that nothing but the client keeps requests away.
        let open = elsewhere.session("default").map_err(io::Error::other)?;
        let change = serde_json::json!({ "auth": "off" });
        open.set(serde_json::from_value(change)?)
            .map_err(io::Error::other)?;
        let refusing = TcpSocket::new_v4()?;
        refusing.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            gateway,
            elsewhere,
            refused: refusing.local_addr()?,
            _refusing: refusing,
        })
    }

    /// A session of its own, set up; when it began, and what the placeholders stand for in it.
    pub(crate) async fn session(
        &self,
        name: &str,
        setup: &GatewaySetup,
    ) -> Result<(Session, Instant, Names), String> {
        let session = self.gateway.session(name).map_err(|why| why.to_string())?;
        let began = Instant::now();
        for_pages(&session).map_err(|why| why.to_string())?;
        let url = self.gateway.url();
        let authority = url.trim_start_matches("http://").to_owned();
        let mut names = Names::from([
            ("authority".to_owned(), authority.into()),
            ("base_url".to_owned(), url.into()),
            ("other_origin".to_owned(), self.elsewhere.url().into()),
            (
                "refused_url".to_owned(),
                format!("http://{}", self.refused).into(),
            ),
            ("session".to_owned(), name.into()),
        ]);
        change(&session, setup, &mut names).await?;
        Ok((session, began, names))
    }

    /// The requests of the session `name` that reached the other origin: they have its name in their path or query, or, where all
    /// headers go along, as between regions, in the header that names a session.
    pub(crate) fn elsewhere(&self, name: &str) -> Vec<Value> {
        let journal = |session: &str| {
            let session = self.elsewhere.session(session);
            session
                .map(|session| session.journal(0))
                .unwrap_or_default()
        };
        let of_name = journal("default")
            .into_iter()
            .filter(|entry| entry.path.contains(name) || entry.query.contains(name));
        of_name
            .chain(journal(name))
            .filter_map(|entry| serde_json::to_value(entry).ok())
            .collect()
    }
}

/// A browser repeats by itself what breaks on a connection that it had used before, and keeps answers; here all that is seen
/// is the SDK's own doing.
fn for_pages(session: &Session) -> io::Result<()> {
    let change = serde_json::json!({ "direct_pages": true });
    session
        .set(serde_json::from_value(change)?)
        .map(drop)
        .map_err(io::Error::other)
}

/// The requests of a session as they are written down.
pub(crate) fn journal(session: &Session) -> Vec<Value> {
    let entries = session.journal(0);
    let values = entries.iter().map(serde_json::to_value);
    values.filter_map(Result::ok).collect()
}

/// Waits until so many requests of a session have arrived.
pub(crate) async fn arrived(session: &Session, least: usize) {
    while wire::count(&journal(session)) < least {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Changes a session as a scenario says.
pub(crate) async fn change(
    session: &Session,
    setup: &GatewaySetup,
    names: &mut Names,
) -> Result<(), String> {
    if let Some(options) = &setup.options {
        let change: OptionsChange = serde_json::from_value(options.clone())
            .map_err(|why| format!("gateway.options: {why}"))?;
        session
            .set(change)
            .map_err(|why| format!("gateway.options: {why}"))?;
    }
    if let Some(clock) = &setup.clock {
        change_clock(session, clock).await;
    }
    for (name, order) in &setup.tokens {
        let tier = Tier::from_name(&order.tier)
            .ok_or_else(|| format!("there is no tier {:?}", order.tier))?;
        let ttl = Duration::from_millis(order.ttl_ms);
        let token = session
            .mint_token(tier, &order.tenant, ttl)
            .map_err(|why| why.to_string())?;
        names.insert(format!("token.{name}"), token.token.into());
    }
    if let Some(faults) = &setup.faults {
        let rules: Vec<FaultRule> = serde_json::from_value(with_texts(fill(faults, names)))
            .map_err(|why| format!("gateway.faults: {why}"))?;
        session
            .set_faults(rules)
            .map_err(|why| format!("gateway.faults: {why}"))?;
    }
    Ok(())
}

/// The steps of scripts as texts: a status from a table of the scenario is a number.
fn with_texts(mut rules: Value) -> Value {
    for rule in rules.as_array_mut().into_iter().flatten() {
        for step in rule
            .get_mut("script")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if step.is_number() {
                *step = step.to_string().into();
            }
        }
    }
    rules
}

async fn change_clock(session: &Session, clock: &ClockSetup) {
    if clock.freeze {
        session.freeze();
    }
    if clock.advance_ms > 0 {
        session
            .advance(Duration::from_millis(clock.advance_ms))
            .await;
    }
    if clock.resume {
        session.resume();
    }
}
