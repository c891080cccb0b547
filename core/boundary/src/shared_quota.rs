//! A quota that processes share through Redis: its settings from JSON `{urls, cluster, quota, name, prefix, aheadMs, keepMs, timeoutMs, probeMs,
//! assumedProcesses, maxQueue, caCertificates}`, its state into JSON. Only a host with sockets has it.

use gatewright::ShareState;
use gatewright::{ClientBuilder, Error};

use crate::json;
use crate::members::Member;

/// Reads the settings.
#[cfg(feature = "redis")]
pub(crate) fn settings(
    builder: ClientBuilder,
    member: &Member<'_>,
) -> Result<ClientBuilder, String> {
    use gatewright::RedisQuota;

    let (mut urls, mut cluster, mut quota) = (Vec::new(), false, String::new());
    let mut others = Vec::new();
    for part in member.members()? {
        match &*part.name {
            "urls" => urls = part.called("quota.url").texts()?,
            "cluster" => cluster = part.called("quota.cluster").flag()?,
            "quota" => quota = part.text()?,
            _ => others.push(part),
        }
    }
    let mut made = match (cluster, urls.as_slice()) {
        (false, [url]) => RedisQuota::new(url.as_str(), &quota),
        (false, _) => {
            return Err("`quota.url` must be one URL; several are for a cluster".to_owned());
        }
        (true, _) => RedisQuota::cluster(urls, &quota),
    }
    .map_err(|error: Error| error.what().to_owned())?;
    for part in others {
        let name = part.name.clone();
        made = match &*name {
            "name" => made.name(part.called("quota.name").text()?),
            "prefix" => made.prefix(part.called("quota.prefix").text()?),
            "aheadMs" => made.ahead(part.called("quota.ahead").duration()?),
            "keepMs" => made.keep(part.called("quota.keep").duration()?),
            "timeoutMs" => made.timeout(part.called("quota.timeout").duration()?),
            "probeMs" => made.probe(part.called("quota.probe").duration()?),
            "assumedProcesses" => {
                made.assumed_processes(part.called("quota.assumedProcesses").count(1)?)
            }
            "maxQueue" => {
                let calls = part.called("quota.maxQueue").count(0)?;
                made.max_queue(usize::try_from(calls).unwrap_or(usize::MAX))
            }
            "caCertificates" => made.ca_certificates(part.called("quota.caCertificates").text()?),
            other => {
                let other = crate::members::shown_name(other);
                return Err(format!(
                    "`quota` has a member \"{other}\", which it does not know"
                ));
            }
        };
    }
    Ok(builder.shared_quota(made))
}

/// Connections to Redis need sockets.
#[cfg(not(feature = "redis"))]
pub(crate) fn settings(builder: ClientBuilder, _: &Member<'_>) -> Result<ClientBuilder, String> {
    drop::<(ClientBuilder, Option<Error>)>((builder, None));
    Err(
        "`quota` cannot be shared through Redis here: browsers, edge workers and WASM have no sockets to it; only the package gatewright \
         with its addon in Node, Bun or Deno has it. A quota of this client alone is a text, such as \"100/min\""
            .to_owned(),
    )
}

/// Writes `sharedQuota: {name, quota, mode, processes, held, queued, pausedForMs, awayForMs, used, roundTrips}`, where there is one.
pub(crate) fn state(out: &mut Vec<u8>, state: Option<&ShareState>) {
    let Some(state) = state else { return };
    json::member(out, "sharedQuota");
    out.extend_from_slice(b"{\"name\":");
    json::string(out, &state.name);
    json::member(out, "quota");
    json::string(out, &state.quota);
    json::member(out, "mode");
    json::string(out, state.mode.as_str());
    json::member(out, "processes");
    json::number(out, state.processes.into());
    json::member(out, "held");
    json::number(out, state.held.into());
    json::member(out, "queued");
    json::number(out, u64::try_from(state.queued).unwrap_or(u64::MAX));
    json::member(out, "pausedForMs");
    json::or_null(out, state.paused_for, json::milliseconds);
    json::member(out, "awayForMs");
    json::or_null(out, state.away_for, json::milliseconds);
    json::member(out, "used");
    json::number(out, state.used);
    json::member(out, "roundTrips");
    json::number(out, state.round_trips);
    out.push(b'}');
}
