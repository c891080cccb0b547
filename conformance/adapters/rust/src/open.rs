//! Makes a client from a scenario's options.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright::runtime::BoxFuture;
use gatewright::transport::native::Proxy;
use gatewright::{
    AfterAttempt, Auth, BeforeAttempt, BoxError, CacheSettings, Client, ClientBuilder, Error,
    Hooks, MinThroughput, OAuth, RetryPolicy, Timeout, Token,
};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::{Unsupported, admission};

/// How often a client called back.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    tokens: AtomicUsize,
    before: AtomicU64,
    after: AtomicU64,
    /// For logins: what the client's tokens come from.
    oauth: Mutex<Option<OAuth>>,
}

impl Counts {
    pub(crate) fn keep(&self, oauth: OAuth) {
        *self.oauth.lock().unwrap_or_else(PoisonError::into_inner) = Some(oauth);
    }

    pub(crate) fn oauth(&self) -> Option<OAuth> {
        self.oauth
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn shown(&self) -> Value {
        json!({
            "ok": true,
            "tokens_fetched": self.tokens.load(Ordering::Relaxed),
            "hooks_called": {
                "before": self.before.load(Ordering::Relaxed),
                "after": self.after.load(Ordering::Relaxed),
            },
        })
    }
}

/// Milliseconds: a number, `null` for no limit, or the text of a number that is none.
pub(crate) fn timeout(value: &Value) -> Result<Timeout, Unsupported> {
    match value {
        Value::Null => Ok(Timeout::None),
        Value::String(text) => match text.as_str() {
            "nan" => Ok(Timeout::Seconds(f64::NAN)),
            "inf" => Ok(Timeout::Seconds(f64::INFINITY)),
            "-inf" => Ok(Timeout::Seconds(f64::NEG_INFINITY)),
            _ => Err(Unsupported(format!("the timeout {text:?}"))),
        },
        value => value
            .as_f64()
            .map(|ms| Timeout::Seconds(ms / 1e3))
            .ok_or_else(|| Unsupported(format!("the timeout {value}"))),
    }
}

/// `{bytes_per_second, grace_ms}`, `null` for none.
#[expect(clippy::option_option, reason = "no number, and none at all")]
pub(crate) fn min_throughput(value: &Value) -> Option<Option<MinThroughput>> {
    if value.is_null() {
        return Some(None);
    }
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    Some(Some(MinThroughput {
        bytes_per_second: number("bytes_per_second")?,
        grace: Duration::from_millis(number("grace_ms")?),
    }))
}

struct Options<'a>(&'a Map<String, Value>);

impl Options<'_> {
    fn wrong(&self, name: &str) -> Unsupported {
        Unsupported(format!(
            "the option {name}: {}",
            self.0.get(name).unwrap_or(&Value::Null)
        ))
    }

    fn text(&self, name: &str) -> Result<String, Unsupported> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(name))
    }

    fn flag(&self, name: &str) -> Result<bool, Unsupported> {
        self.0
            .get(name)
            .and_then(Value::as_bool)
            .ok_or_else(|| self.wrong(name))
    }

    fn number<N: TryFrom<u64>>(&self, name: &str) -> Result<N, Unsupported> {
        self.0
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|n| N::try_from(n).ok())
            .ok_or_else(|| self.wrong(name))
    }

    fn millis(&self, name: &str) -> Result<Duration, Unsupported> {
        self.number(name).map(Duration::from_millis)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// The client, or the SDK's own error.
pub(crate) fn open(options: &Value) -> Result<(Result<Client, Error>, Arc<Counts>), Unsupported> {
    let empty = Map::new();
    let options = Options(options.as_object().unwrap_or(&empty));
    let counts = Arc::new(Counts::default());
    let mut builder = Client::builder(options.text("base_url")?).proxy(Proxy::Direct);
    let mut retry = RetryPolicy::default();
    for (name, value) in options.0 {
        builder = match name.as_str() {
            "base_url" | "idempotency_quoted" => builder,
            "auth" => match auth(value, &counts)? {
                Ok(auth) => builder.auth(auth),
                Err(error) => return Ok((Err(error), counts)),
            },
            "credentials" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    match auth(value, &counts)? {
                        Ok(auth) => builder = builder.credential(name, auth),
                        Err(error) => return Ok((Err(error), counts)),
                    }
                }
                builder
            }
            "headers" => value
                .as_object()
                .into_iter()
                .flatten()
                .fold(builder, |builder, (name, value)| {
                    builder.header(name, value.as_str().unwrap_or_default())
                }),
            "timeout_ms" => builder.timeout(timeout(value)?),
            "attempt_timeout_ms" => builder.attempt_timeout(timeout(value)?),
            "connect_timeout_ms" => builder.connect_timeout(timeout(value)?),
            "min_throughput" => builder.min_throughput(
                min_throughput(value).ok_or_else(|| options.wrong("min_throughput"))?,
            ),
            "read_timeout_ms" => builder.read_timeout(timeout(value)?),
            "pacing" => builder.pacing(options.flag(name)?),
            "quota" => builder.quota(options.text(name)?),
            "idempotency_keys" => builder.idempotency_keys(options.flag(name)?),
            "idempotency_header" => {
                let quoted =
                    options.has("idempotency_quoted") && options.flag("idempotency_quoted")?;
                builder.idempotency_header(options.text(name)?, quoted)
            }
            "breaker" => builder.breaker(admission::breaker(value)?),
            "max_concurrency" => builder.max_concurrency(options.number(name)?),
            "regions" => builder.regions(admission::texts(value)),
            "hedge" => builder.hedge(admission::hedge(value)?),
            "max_redirects" => builder.max_redirects(options.number(name)?),
            "allowed_origins" => value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .fold(builder, ClientBuilder::allow_origin),
            "allow_http" => builder.allow_http(options.flag(name)?),
            "max_response_bytes" => builder.max_response_bytes(options.number(name)?),
            "raise_for_status" => builder.error_for_status(options.flag(name)?),
            "cache" => builder.cache(cache(value)?),
            "hooks" => builder.hooks(ScriptedHooks::read(value, &counts)?),
            _ => {
                match name.as_str() {
                    "max_attempts" => retry.max_attempts = options.number(name)?,
                    "backoff_base_ms" => retry.backoff.base = options.millis(name)?,
                    "backoff_cap_ms" => retry.backoff.cap = options.millis(name)?,
                    "max_retry_after_ms" => retry.max_retry_after = options.millis(name)?,
                    "budget" => retry.budget = options.number(name)?,
                    _ => return Err(Unsupported(format!("the option {name}"))),
                }
                builder
            }
        };
    }
    if options.has("idempotency_quoted") && !options.has("idempotency_header") {
        builder =
            builder.idempotency_header("idempotency-key", options.flag("idempotency_quoted")?);
    }
    // A client as built is given no policy at all, not even the default one.
    let policy = [
        "max_attempts",
        "backoff_base_ms",
        "backoff_cap_ms",
        "max_retry_after_ms",
        "budget",
    ];
    if policy.iter().any(|name| options.has(name)) {
        builder = builder.retry(retry);
    }
    Ok((builder.build(), counts))
}

/// `true`, `false`, or the settings.
fn cache(value: &Value) -> Result<Option<CacheSettings>, Unsupported> {
    if let Some(on) = value.as_bool() {
        return Ok(on.then(CacheSettings::default));
    }
    let empty = Map::new();
    let options = Options(value.as_object().unwrap_or(&empty));
    let mut settings = match options.has("max_bytes") {
        true => CacheSettings::memory(options.number("max_bytes")?),
        false => CacheSettings::default(),
    };
    for name in options.0.keys() {
        settings = match name.as_str() {
            "max_bytes" => settings,
            "max_entry_bytes" => settings.max_entry_bytes(options.number(name)?),
            "stale_if_error_ms" => settings.stale_if_error(options.millis(name)?),
            "heuristic_freshness_ms" => settings.heuristic_freshness(options.millis(name)?),
            _ => return Err(Unsupported(format!("the option cache.{name}"))),
        };
    }
    Ok(Some(settings))
}

fn auth(value: &Value, counts: &Arc<Counts>) -> Result<Result<Auth, Error>, Unsupported> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let required =
        |name: &str| text(name).ok_or_else(|| Unsupported(format!("auth without {name}")));
    Ok(match value.get("kind").and_then(Value::as_str) {
        Some("none") => Ok(Auth::none()),
        Some("bearer") => Ok(Auth::bearer(required("token")?)),
        Some("basic") => Ok(Auth::basic(required("user")?, required("password")?)),
        Some("api_key") => {
            let key = required("key")?;
            match (text("header"), text("query"), text("cookie")) {
                (Some(name), None, None) => Auth::api_key(&name, key),
                (None, Some(name), None) => Ok(Auth::api_key_query(name, key)),
                (None, None, Some(name)) => Ok(Auth::api_key_cookie(name, key)),
                _ => {
                    return Err(Unsupported(
                        "an API key in no place or in several".to_owned(),
                    ));
                }
            }
        }
        Some("token") => {
            let fetches = value
                .get("fetches")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let counts = Arc::clone(counts);
            Ok(Auth::token(move || {
                let number = counts.tokens.fetch_add(1, Ordering::Relaxed);
                // The last one goes on for ever.
                let fetch = fetches
                    .get(number)
                    .or(fetches.last())
                    .cloned()
                    .unwrap_or_default();
                fetch_token(fetch)
            }))
        }
        _ => return crate::auth::read(value, counts),
    })
}

async fn fetch_token(fetch: Value) -> Result<Token, BoxError> {
    let millis = |name: &str| {
        fetch
            .get(name)
            .and_then(Value::as_u64)
            .map(Duration::from_millis)
    };
    tokio::time::sleep(millis("after_ms").unwrap_or_default()).await;
    if let Some(error) = fetch.get("error").and_then(Value::as_str) {
        return Err(error.into());
    }
    let token = fetch
        .get("token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Ok(Token {
        secret: token.into(),
        expires_in: millis("expires_in_ms"),
    })
}

/// Hooks that do what the scenario says.
#[derive(Debug)]
struct ScriptedHooks {
    number_header: Option<HeaderName>,
    before_error: Option<String>,
    after_error: Option<String>,
    counts: Arc<Counts>,
}

impl ScriptedHooks {
    fn read(value: &Value, counts: &Arc<Counts>) -> Result<Self, Unsupported> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let header = text("number_header").map(|name| HeaderName::try_from(name.as_str()));
        Ok(Self {
            number_header: header
                .transpose()
                .map_err(|_| Unsupported("that header's name".to_owned()))?,
            before_error: text("before_error"),
            after_error: text("after_error"),
            counts: Arc::clone(counts),
        })
    }
}

impl Hooks for ScriptedHooks {
    fn before<'a>(&'a self, attempt: &'a mut BeforeAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        self.counts.before.fetch_add(1, Ordering::Relaxed);
        if let Some(name) = &self.number_header {
            attempt
                .headers
                .insert(name.clone(), HeaderValue::from(attempt.number));
        }
        let result = self
            .before_error
            .clone()
            .map_or(Ok(()), |error| Err(error.into()));
        Box::pin(std::future::ready(result))
    }

    fn after<'a>(&'a self, _attempt: &'a AfterAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        self.counts.after.fetch_add(1, Ordering::Relaxed);
        let result = self
            .after_error
            .clone()
            .map_or(Ok(()), |error| Err(error.into()));
        Box::pin(std::future::ready(result))
    }
}
