//! The bus on Redis Streams: a stream for each group of a topic, so that a message is deleted when its group has acknowledged
//! it and the stream's length is what waits.
//!
//! Every step is one script, so that it happens as a whole or not at all: publishing (id unknown, room in every group, added
//! to all), taking (delayed ones that are due, lost ones by XAUTOCLAIM, new ones by XREADGROUP), and settling (only by who
//! still has the message). Delayed messages wait in a sorted set. All keys of a bus have its name as hash tag, so that they
//! are on one node of a cluster. Who waits is woken by XREAD BLOCK, which takes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script, Value};
use tokio::time::{Instant, timeout};
use url::Url;

use super::link::Link;
use super::{Answer, Bus, BusError, DEDUP_WINDOW, Held, Lease, Message, Order, Published, Topic};
use crate::lock::lock;

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest that one command blocks; lost and delayed messages are looked for at least that often.
const MAX_BLOCK: Duration = Duration::from_millis(250);

pub(crate) struct RedisBus {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    space: String,
    /// The consumer's name in every group: whoever has a message is known by it.
    consumer: String,
    /// For everything that does not block.
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    /// For commands that block: nothing else goes over such a connection.
    blocking: Mutex<Vec<MultiplexedConnection>>,
    /// Where the last search for lost messages ended, by stream.
    cursors: Mutex<HashMap<String, String>>,
    publish: Script,
    take: Script,
    settle: Script,
    link: Arc<Link>,
}

impl RedisBus {
    /// Nothing is connected before the first operation. `shown` is the address without a password.
    pub(crate) fn new(url: &Url, space: &str, shown: String) -> Result<Self, String> {
        // The error's text may have the address in it, and so the password.
        let client = Client::open(url.as_str())
            .map_err(|error| format!("the bus's address: {}", error.category()))?;
        let mut random = [0; 8];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
            .map_err(|_| "the system has no randomness for this consumer's name".to_owned())?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                space: space.to_owned(),
                consumer: format!("{:016x}", u64::from_le_bytes(random)),
                connection: tokio::sync::Mutex::new(None),
                blocking: Mutex::default(),
                cursors: Mutex::default(),
                publish: Script::new(include_str!("redis/publish.lua")),
                take: Script::new(include_str!("redis/take.lua")),
                settle: Script::new(include_str!("redis/settle.lua")),
                link: Arc::new(Link::new(shown)),
            }),
        })
    }
}

impl Shared {
    fn stream(&self, topic: &str, group: &str) -> String {
        format!("{{{}}}:{topic}:{group}", self.space)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, BusError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| away(&error))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, BusError> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = &*kept {
            return Ok(connection.clone());
        }
        let connection = self.connect().await?;
        *kept = Some(connection.clone());
        Ok(connection)
    }

    /// Runs a script. A connection with which something is wrong is not used again.
    async fn run<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, RunError> {
        let mut connection = self.connection().await.map_err(RunError::Bus)?;
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(*key);
        }
        for argument in arguments {
            call.arg(*argument);
        }
        match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.code() == Some("NOGROUP") => Err(RunError::NoGroup),
            Ok(Err(error)) => {
                if error.is_unrecoverable_error() || error.is_timeout() {
                    *self.connection.lock().await = None;
                }
                Err(RunError::Bus(away(&error)))
            }
            Err(_) => {
                *self.connection.lock().await = None;
                Err(RunError::Bus(late()))
            }
        }
    }

    async fn make_group(&self, stream: &str, group: &str) -> Result<(), BusError> {
        let mut connection = self.connection().await?;
        let made: Result<Value, RedisError> = redis::cmd("XGROUP")
            .arg(&["CREATE", stream, group, "0", "MKSTREAM"])
            .query_async(&mut connection)
            .await;
        match made {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            Err(error) => Err(away(&error)),
        }
    }

    async fn publish(&self, topic: &Topic, message: &Message) -> Result<Published, BusError> {
        message.check()?;
        let mark = format!("{{{}}}:{}:id:{}", self.space, topic.name, message.id);
        let mut keys = vec![mark];
        for group in &topic.groups {
            let stream = self.stream(&topic.name, group);
            let delayed = format!("{stream}:delayed");
            keys.extend([stream, delayed]);
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let most = topic.most.to_string();
        let window = DEDUP_WINDOW.as_millis().to_string();
        let key = message.key.as_deref().unwrap_or_default();
        let mut arguments = vec![
            message.id.as_bytes(),
            key.as_bytes(),
            &message.payload,
            most.as_bytes(),
            window.as_bytes(),
        ];
        arguments.extend(topic.groups.iter().map(|group| group.as_bytes()));
        let answer: String = self
            .run(&self.publish, &keys, &arguments)
            .await
            .map_err(RunError::bus)?;
        match answer.as_str() {
            "duplicate" => Ok(Published::Duplicate),
            "full" => Err(BusError::Full {
                topic: topic.name.clone(),
                most: topic.most,
            }),
            _ => Ok(Published::Stored),
        }
    }

    /// What there is now, the stream's last id, and how long until something delayed is due.
    async fn take_now(
        self: &Arc<Self>,
        topic: &Topic,
        group: &str,
        most: usize,
    ) -> Result<(Vec<Lease>, String, Duration), BusError> {
        let stream = self.stream(&topic.name, group);
        let delayed = format!("{stream}:delayed");
        let lease_ms = topic.lease.as_millis().to_string();
        let most = most.to_string();
        let cursor = lock(&self.cursors).get(&stream).cloned();
        let cursor = cursor.unwrap_or_else(|| "0-0".to_owned());
        let arguments = [
            group.as_bytes(),
            self.consumer.as_bytes(),
            lease_ms.as_bytes(),
            most.as_bytes(),
            cursor.as_bytes(),
        ];
        let keys = [stream.as_str(), delayed.as_str()];
        let answer = match self.run(&self.take, &keys, &arguments).await {
            Err(RunError::NoGroup) => {
                self.make_group(&stream, group).await?;
                self.run(&self.take, &keys, &arguments).await
            }
            answer => answer,
        };
        let (cursor, last, next_ms, found): (String, String, i64, Vec<[Bytes; 6]>) =
            answer.map_err(RunError::bus).map(
                |(cursor, last, next_ms, found): (String, String, i64, Vec<Vec<Vec<u8>>>)| {
                    let found = found.into_iter().filter_map(|fields| {
                        let fields: Vec<Bytes> = fields.into_iter().map(Bytes::from).collect();
                        fields.try_into().ok()
                    });
                    (cursor, last, next_ms, found.collect())
                },
            )?;
        lock(&self.cursors).insert(stream.clone(), cursor);
        let leases = found
            .into_iter()
            .map(|[entry, taken, times, id, key, payload]| Lease {
                message: Message {
                    id: text(&id),
                    key: (!key.is_empty()).then(|| text(&key)),
                    payload,
                },
                taken: text(&taken).parse().unwrap_or(1),
                held: Box::new(OnStream {
                    shared: Arc::clone(self),
                    stream: stream.clone(),
                    group: group.to_owned(),
                    entry: text(&entry),
                    times: text(&times),
                    lease_ms: lease_ms.clone(),
                }),
            });
        let next = u64::try_from(next_ms).map_or(MAX_BLOCK, Duration::from_millis);
        Ok((leases.collect(), last, next))
    }

    /// Waits until something is added after `last`, at most for `wait`.
    async fn wait(&self, stream: &str, last: &str, wait: Duration) -> Result<(), BusError> {
        let kept = lock(&self.blocking).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let block_ms = wait.min(MAX_BLOCK).as_millis().max(1).to_string();
        let mut read = redis::cmd("XREAD");
        read.arg(&["COUNT", "1", "BLOCK", &block_ms, "STREAMS", stream, last]);
        let woken: Result<Value, RedisError> = timeout(PATIENCE, read.query_async(&mut connection))
            .await
            .map_err(|_| late())?;
        woken.map_err(|error| away(&error))?;
        lock(&self.blocking).push(connection);
        Ok(())
    }
}

/// Why a script did not do its work.
enum RunError {
    Bus(BusError),
    /// The group is not there: it is new, or the server lost it.
    NoGroup,
}

impl RunError {
    fn bus(self) -> BusError {
        match self {
            Self::Bus(error) => error,
            Self::NoGroup => BusError::Away("the group was lost".into()),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn late() -> BusError {
    BusError::Away(format!("no answer within {} ms", PATIENCE.as_millis()))
}

/// What is wrong, without the address.
fn away(error: &RedisError) -> BusError {
    if error.is_connection_refusal() {
        return BusError::Away("connection refused".into());
    }
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => BusError::Away(format!("{code} {detail}")),
        _ => BusError::Away(error.category().to_owned()),
    }
}

impl Bus for RedisBus {
    fn publish<'a>(&'a self, topic: &'a Topic, message: Message) -> Answer<'a, Published> {
        let shared = &self.shared;
        async move { shared.link.saw(shared.publish(topic, &message).await) }.boxed()
    }

    fn take<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a str,
        most: usize,
        wait: Duration,
    ) -> Answer<'a, Vec<Lease>> {
        let shared = &self.shared;
        async move {
            let give_up = Instant::now() + wait;
            loop {
                let (leases, last, next) =
                    shared.link.saw(shared.take_now(topic, group, most).await)?;
                let left = give_up.saturating_duration_since(Instant::now());
                if !leases.is_empty() || left.is_zero() {
                    return Ok(leases);
                }
                let stream = shared.stream(&topic.name, group);
                shared
                    .link
                    .saw(shared.wait(&stream, &last, left.min(next)).await)?;
            }
        }
        .boxed()
    }

    fn order(&self) -> Order {
        Order::FirstHandOut
    }

    fn link(&self) -> &Arc<Link> {
        &self.shared.link
    }
}

struct OnStream {
    shared: Arc<Shared>,
    stream: String,
    group: String,
    entry: String,
    /// How often this entry had been handed out when we got it: the next one has another.
    times: String,
    lease_ms: String,
}

impl OnStream {
    fn settle(&self, what: &'static str, delay: Duration) -> Answer<'_, ()> {
        async move {
            let delayed = format!("{}:delayed", self.stream);
            let delay_ms = delay.as_millis().to_string();
            let arguments = [
                self.group.as_bytes(),
                self.shared.consumer.as_bytes(),
                self.entry.as_bytes(),
                self.times.as_bytes(),
                self.lease_ms.as_bytes(),
                what.as_bytes(),
                delay_ms.as_bytes(),
            ];
            let keys = [self.stream.as_str(), delayed.as_str()];
            let done = self
                .shared
                .run::<i64>(&self.shared.settle, &keys, &arguments)
                .await;
            let done = match done {
                Ok(1) => Ok(()),
                Ok(_) | Err(RunError::NoGroup) => Err(BusError::LeaseLost),
                Err(RunError::Bus(error)) => Err(error),
            };
            self.shared.link.saw(done)
        }
        .boxed()
    }
}

impl Held for OnStream {
    fn ack(&self) -> Answer<'_, ()> {
        self.settle("ack", Duration::ZERO)
    }

    fn nack(&self, delay: Duration) -> Answer<'_, ()> {
        self.settle("nack", delay)
    }

    fn extend(&self) -> Answer<'_, ()> {
        self.settle("extend", Duration::ZERO)
    }
}
