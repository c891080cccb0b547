//! A client's settings, from JSON. What is wrong with one is said by its name as host programs know it.

use std::sync::Arc;

use gatewright::engine::defaults;
use gatewright::{Client, ClientBuilder, Error, ErrorKind, RetryPolicy};

use crate::admission;
use crate::auth::Reader;
use crate::cache;
use crate::floor::floor;
use crate::headers;
use crate::hooks::HostHooks;
use crate::login;
use crate::members::{Member, Members, shown_name};
use crate::observer::HostObserver;
use crate::port::Port;
use crate::shared_quota;

/// A client's settings.
pub(crate) struct Settings {
    pub(crate) builder: ClientBuilder,
    /// The host language's number of the client.
    pub(crate) number: u32,
    /// Of which credentials somebody may log in.
    pub(crate) logins: login::Settings,
}

/// What takes effect together, or has to wait for the rest.
struct Gathered<'a> {
    port: &'a Arc<Port>,
    retry: RetryPolicy,
    idempotency_header: Option<String>,
    idempotency_quoted: bool,
    before: bool,
    after: bool,
    observe: bool,
    number: u32,
    logins: login::Settings,
}

impl Settings {
    pub(crate) fn read(port: &Arc<Port>, base_url: &str, settings: &str) -> Result<Self, Error> {
        read(port, base_url, settings).map_err(|what| Error::new(ErrorKind::InvalidConfig, what))
    }
}

fn read(port: &Arc<Port>, base_url: &str, settings: &str) -> Result<Settings, String> {
    let members = Members::read(settings).map_err(|must_be| format!("the settings {must_be}"))?;
    let members: Vec<_> = members.into_iter().collect();
    // Callbacks and stores of any credential are asked under this number.
    let number = match members.iter().find(|member| member.name == "client") {
        Some(member) => member.count(0)?,
        None => 0,
    };
    let mut builder = Client::builder(base_url);
    let mut gathered = Gathered {
        port,
        retry: RetryPolicy::default(),
        idempotency_header: None,
        idempotency_quoted: false,
        before: false,
        after: false,
        observe: false,
        number,
        logins: login::Settings::default(),
    };
    for member in members {
        builder = gathered.set(builder, member)?;
    }
    let Gathered {
        retry,
        idempotency_header,
        idempotency_quoted,
        before,
        after,
        observe,
        logins,
        ..
    } = gathered;
    builder = builder.retry(retry);
    if idempotency_header.is_some() || idempotency_quoted {
        let name = idempotency_header.unwrap_or_else(|| defaults::IDEMPOTENCY_HEADER.to_owned());
        builder = builder.idempotency_header(name, idempotency_quoted);
    }
    if observe {
        builder = builder.observer(HostObserver {
            port: Arc::clone(port),
            client: number,
        });
    }
    if before || after {
        builder = builder.hooks(HostHooks {
            port: Arc::clone(port),
            client: number,
            before,
            after,
        });
    }
    Ok(Settings {
        builder,
        number,
        logins,
    })
}

impl Gathered<'_> {
    fn credentials(&mut self) -> Reader<'_> {
        Reader {
            port: self.port,
            client: self.number,
            logins: &mut self.logins,
        }
    }

    fn set(&mut self, builder: ClientBuilder, member: Member<'_>) -> Result<ClientBuilder, String> {
        let name = member.name.clone();
        Ok(match &*name {
            "timeoutMs" => builder.timeout(member.called("timeout").timeout()?),
            "attemptTimeoutMs" => {
                builder.attempt_timeout(member.called("attemptTimeout").timeout()?)
            }
            "readTimeoutMs" => builder.read_timeout(member.called("readTimeout").timeout()?),
            "connectTimeoutMs" => connect_timeout(builder, &member.called("connectTimeout"))?,
            "proxy" => proxy(builder, &member)?,
            "caCertificates" => ca_certificates(builder, &member)?,
            "pins" => pins(builder, &member)?,
            "headers" => set_headers(builder, &member)?,
            "pacing" => pacing(builder, &member)?,
            "minThroughput" => builder.min_throughput(floor(&member)?),
            "quota" => builder.quota(member.text()?),
            "sharedQuota" => shared_quota::settings(builder, &member)?,
            "breaker" => builder.breaker(admission::breaker(&member)?),
            "maxConcurrency" => builder.max_concurrency(member.count(1)?),
            "regions" => builder.regions(member.texts()?),
            "hedge" => builder.hedge(admission::hedge(&member)?),
            "cache" => builder.cache(cache::settings(&member)?),
            "auth" => builder.auth(self.credentials().own(&member)?),
            "credentials" => self.credentials().named(builder, &member)?,
            "idempotencyKeys" => builder.idempotency_keys(member.flag()?),
            "maxRedirects" => builder.max_redirects(member.count(0)?),
            "allowedOrigins" => member
                .texts()?
                .into_iter()
                .fold(builder, ClientBuilder::allow_origin),
            "allowHttp" => builder.allow_http(member.flag()?),
            "maxResponseBytes" => builder.max_response_bytes(member.size()?),
            "throwOnError" => builder.error_for_status(member.flag()?),
            _ => {
                self.keep(&name, member)?;
                builder
            }
        })
    }

    fn keep(&mut self, name: &str, member: Member<'_>) -> Result<(), String> {
        match name {
            "maxAttempts" => {
                self.retry.max_attempts = member.called("retry.maxAttempts").count(1)?;
            }
            "backoffBaseMs" => {
                self.retry.backoff.base = member.called("retry.backoffBase").duration()?;
            }
            "backoffCapMs" => {
                self.retry.backoff.cap = member.called("retry.backoffCap").duration()?;
            }
            "maxRetryAfterMs" => {
                self.retry.max_retry_after = member.called("retry.maxRetryAfter").duration()?;
            }
            "budget" => self.retry.budget = member.called("retry.budget").count(0)?,
            "idempotencyHeader" => self.idempotency_header = Some(member.text()?),
            "idempotencyQuoted" => self.idempotency_quoted = member.flag()?,
            "hooks" => {
                for hook in member.members()? {
                    match &*hook.name {
                        "before" => self.before = hook.flag()?,
                        "after" => self.after = hook.flag()?,
                        other => return Err(unknown("hooks", other)),
                    }
                }
            }
            "observe" => self.observe = member.flag()?,
            // Read before the others.
            "client" => {}
            other => {
                return Err(format!(
                    "\"{}\" is no setting of a client",
                    shown_name(other)
                ));
            }
        }
        Ok(())
    }
}

fn unknown(place: &str, name: &str) -> String {
    format!(
        "`{place}` has a member \"{}\", which it does not know",
        shown_name(name)
    )
}

/// Reads `true`, `false`, or `{maxQueue}` for `true` with another limit.
fn pacing(builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    if let Ok(on) = member.flag() {
        return Ok(builder.pacing(on));
    }
    let parts = member
        .members()
        .map_err(|_| member.must_be("true, false or an object"))?;
    let mut builder = builder.pacing(true);
    for part in parts {
        match &*part.name {
            "maxQueue" => {
                let calls = part.count(0)?;
                builder = builder.max_queue(usize::try_from(calls).unwrap_or(usize::MAX));
            }
            other => return Err(unknown("pacing", other)),
        }
    }
    Ok(builder)
}

fn set_headers(mut builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    for (name, value) in member.pairs()? {
        let bytes = headers::bytes_of(&name, &value).map_err(|wrong| wrong.what().to_owned())?;
        builder = builder.header(name, bytes);
    }
    Ok(builder)
}

#[cfg(feature = "native")]
fn connect_timeout(builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    Ok(builder.connect_timeout(member.timeout()?))
}

#[cfg(feature = "native")]
fn proxy(builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    use gatewright::transport::native::Proxy;
    if member.is_false() {
        return Ok(builder.proxy(Proxy::Direct));
    }
    let url = member
        .text()
        .map_err(|_| member.must_be("a URL, or false for none"))?;
    Ok(builder.proxy(Proxy::Url(url)))
}

#[cfg(feature = "native")]
fn ca_certificates(builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    Ok(builder.ca_certificates(member.text()?))
}

#[cfg(feature = "native")]
fn pins(builder: ClientBuilder, member: &Member<'_>) -> Result<ClientBuilder, String> {
    Ok(builder.pins(member.texts()?))
}

#[cfg(not(feature = "native"))]
use not_of_this_host::{
    not_of_this_host as ca_certificates, not_of_this_host as connect_timeout,
    not_of_this_host as pins, not_of_this_host as proxy,
};

#[cfg(not(feature = "native"))]
mod not_of_this_host {
    use super::{ClientBuilder, Member};

    /// Connections are made by the host's fetch, which has no such setting.
    pub(super) fn not_of_this_host(
        builder: ClientBuilder,
        member: &Member<'_>,
    ) -> Result<ClientBuilder, String> {
        drop(builder);
        Err(format!(
            "`{}` cannot be set here: connections are made by fetch, which takes no such setting; only the package gatewright in Node has it",
            member.name
        ))
    }
}
