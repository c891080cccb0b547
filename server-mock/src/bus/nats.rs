//! The bus on NATS JetStream: a stream for each topic, kept until all groups have acknowledged (interest retention), a durable
//! pull consumer for each group.
//!
//! The server knows the leases (`ack_wait`), counts deliveries, delays what was refused, and knows duplicates by
//! `Nats-Msg-Id`. It takes an acknowledgement from a holder whose lease has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::consumer::{AckPolicy, Consumer};
use async_nats::jetstream::context::{Context, ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, AckKind};
use async_nats::{Client, ConnectOptions};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::link::Link;
use super::{Answer, Bus, BusError, DEDUP_WINDOW, Held, Lease, Message, Order, Published, Topic};

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to say that there is nothing.
const AT_ONCE: Duration = Duration::from_millis(500);
/// The longest pause between attempts to connect.
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// The header that has a message's key.
const KEY: &str = "Gatewright-Key";

pub(crate) struct NatsBus {
    url: Url,
    space: String,
    connected: OnceCell<Context>,
    /// The consumers of each topic, once they are known to exist.
    topics: Mutex<HashMap<String, Arc<Groups>>>,
    link: Arc<Link>,
}

type Groups = HashMap<String, Consumer<pull::Config>>;

impl NatsBus {
    /// Nothing is connected before the first operation. `shown` is the address without a password.
    pub(crate) fn new(url: &Url, space: &str, shown: String) -> Result<Self, String> {
        Ok(Self {
            url: url.clone(),
            space: space.to_owned(),
            connected: OnceCell::new(),
            topics: Mutex::default(),
            link: Arc::new(Link::new(shown)),
        })
    }

    /// The connection; from then on it comes back by itself.
    async fn context(&self) -> Result<&Context, BusError> {
        let context = self
            .connected
            .get_or_try_init(|| async {
                let client = ConnectOptions::new()
                    .name("gatewright-gateway")
                    .retry_on_initial_connect()
                    .connection_timeout(PATIENCE)
                    .request_timeout(Some(PATIENCE))
                    .ping_interval(Duration::from_secs(5))
                    .reconnect_delay_callback(|attempts| {
                        let pause = Duration::from_millis(20)
                            .saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX));
                        pause.min(MAX_PAUSE)
                    })
                    .connect(self.url.as_str())
                    .await
                    .map_err(|error| BusError::Away(error.to_string()))?;
                Ok::<_, BusError>(
                    ContextBuilder::new()
                        .timeout(PATIENCE)
                        .ack_timeout(PATIENCE)
                        .build(client),
                )
            })
            .await?;
        connected(&context.client()).await?;
        Ok(context)
    }

    /// The groups of a topic, made where they are not there.
    async fn groups(&self, topic: &Topic) -> Result<Arc<Groups>, BusError> {
        let context = self.context().await?;
        let mut topics = self.topics.lock().await;
        if let Some(groups) = topics.get(&topic.name) {
            return Ok(Arc::clone(groups));
        }
        let config = stream::Config {
            name: format!("{}_{}", self.space, topic.name),
            subjects: vec![self.subject(topic)],
            retention: RetentionPolicy::Interest,
            discard: DiscardPolicy::New,
            max_messages: i64::try_from(topic.most).unwrap_or(i64::MAX),
            storage: StorageType::File,
            duplicate_window: DEDUP_WINDOW,
            num_replicas: 1,
            ..stream::Config::default()
        };
        let stream = context
            .get_or_create_stream(config)
            .await
            .map_err(|error| away(&error))?;
        let mut groups = Groups::new();
        for group in &topic.groups {
            let config = pull::Config {
                durable_name: Some(group.clone()),
                ack_policy: AckPolicy::Explicit,
                ack_wait: topic.lease,
                // What is refused with a delay counts as pending too.
                max_ack_pending: i64::try_from(topic.most).unwrap_or(i64::MAX),
                ..pull::Config::default()
            };
            let consumer = stream.get_or_create_consumer(group, config).await;
            groups.insert(group.clone(), consumer.map_err(|error| away(&error))?);
        }
        let groups = Arc::new(groups);
        topics.insert(topic.name.clone(), Arc::clone(&groups));
        Ok(groups)
    }

    /// A server that came back without its files has no stream: the next operation makes it again.
    async fn forget(&self, topic: &Topic) {
        self.topics.lock().await.remove(&topic.name);
    }

    fn subject(&self, topic: &Topic) -> String {
        format!("{}.{}", self.space, topic.name)
    }

    async fn publish_once(&self, topic: &Topic, message: &Message) -> Result<Published, BusError> {
        message.check()?;
        let context = self.context().await?;
        self.groups(topic).await?;
        let mut publish = PublishMessage::build()
            .payload(message.payload.clone())
            .message_id(&message.id);
        if let Some(key) = &message.key {
            publish = publish.header(KEY, key.as_str());
        }
        let sent = context.send_publish(self.subject(topic), publish).await;
        let answered = match sent {
            Ok(answer) => answer.await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(ack) if ack.duplicate => Ok(Published::Duplicate),
            Ok(_) => Ok(Published::Stored),
            Err(error) if is_full(&error) => Err(BusError::Full {
                topic: topic.name.clone(),
                most: topic.most,
            }),
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(BusError::Refused(error.to_string()))
            }
            Err(error) => {
                self.forget(topic).await;
                Err(away(&error))
            }
        }
    }

    async fn take_once(
        &self,
        topic: &Topic,
        group: &str,
        most: usize,
        wait: Duration,
    ) -> Result<Vec<Lease>, BusError> {
        let give_up = Instant::now() + wait;
        let groups = self.groups(topic).await?;
        let Some(consumer) = groups.get(group) else {
            return Err(BusError::Refused(format!(
                "{} has no group {group}",
                topic.name
            )));
        };
        // What is there now; a request that stays open could be answered when nobody listens any more.
        let there = consumer.fetch().max_messages(most).messages();
        let taken = match collect(there, Instant::now() + AT_ONCE).await {
            // Before 2.10 the server may say nothing at all where messages were handed out and are not acknowledged.
            Err(Late::NoAnswer) => Vec::new(),
            taken => taken?,
        };
        let wait = give_up.saturating_duration_since(Instant::now());
        if !taken.is_empty() || wait.is_zero() {
            return Ok(taken);
        }
        // One, as soon as there is one.
        let next = consumer.batch().max_messages(1).expires(wait).messages();
        match collect(next, give_up + AT_ONCE).await {
            Err(Late::NoAnswer) => {
                // The same silence; a connection that is lost is another matter.
                connected(&self.context().await?.client()).await?;
                Ok(Vec::new())
            }
            taken => Ok(taken?),
        }
    }
}

/// Why nothing was collected.
enum Late {
    Bus(BusError),
    NoAnswer,
}

impl From<BusError> for Late {
    fn from(error: BusError) -> Self {
        Self::Bus(error)
    }
}

impl From<Late> for BusError {
    fn from(late: Late) -> Self {
        match late {
            Late::Bus(error) => error,
            Late::NoAnswer => Self::Away("no answer in time".into()),
        }
    }
}

/// What comes of a request for messages until an instant.
async fn collect<E: std::error::Error + 'static>(
    batch: impl Future<Output = Result<pull::Batch, E>>,
    until: Instant,
) -> Result<Vec<Lease>, Late> {
    let mut batch = timeout_at(until, batch)
        .await
        .map_err(|_| Late::NoAnswer)?
        .map_err(|error| away(&error))?;
    let mut taken = Vec::new();
    loop {
        match timeout_at(until, batch.next()).await {
            Ok(Some(Ok(message))) => taken.push(lease(message)?),
            Ok(None) => return Ok(taken),
            // What has come is ours.
            Ok(Some(Err(_))) | Err(_) if !taken.is_empty() => return Ok(taken),
            Ok(Some(Err(error))) => return Err(BusError::Away(error.to_string()).into()),
            Err(_) => return Err(Late::NoAnswer),
        }
    }
}

fn lease(message: jetstream::Message) -> Result<Lease, BusError> {
    let info = message
        .info()
        .map_err(|error| BusError::Away(error.to_string()))?;
    let taken = u64::try_from(info.delivered).unwrap_or(1);
    let header = |name: &str| {
        let headers = message.headers.as_ref()?;
        headers.get(name).map(|value| value.as_str().to_owned())
    };
    Ok(Lease {
        message: Message {
            id: header("Nats-Msg-Id").unwrap_or_default(),
            key: header(KEY),
            payload: message.payload.clone(),
        },
        taken,
        held: Box::new(OnServer { message }),
    })
}

/// Waits a moment for a connection that is being made; after that it is away.
async fn connected(client: &Client) -> Result<(), BusError> {
    let up = async {
        while client.connection_state() != State::Connected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_millis(250), up)
        .await
        .map_err(|_| BusError::Away("not connected".into()))
}

fn is_full(error: &PublishError) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<jetstream::Error>())
        .is_some_and(|error| error.error_code() == ErrorCode::STREAM_STORE_FAILED)
}

/// With its cause, which says more.
fn away(error: &(dyn std::error::Error + 'static)) -> BusError {
    match error.source() {
        Some(source) => BusError::Away(format!("{error}: {source}")),
        None => BusError::Away(error.to_string()),
    }
}

impl Bus for NatsBus {
    fn publish<'a>(&'a self, topic: &'a Topic, message: Message) -> Answer<'a, Published> {
        async move { self.link.saw(self.publish_once(topic, &message).await) }.boxed()
    }

    fn take<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a str,
        most: usize,
        wait: Duration,
    ) -> Answer<'a, Vec<Lease>> {
        async move {
            let taken = self.take_once(topic, group, most, wait).await;
            if taken.is_err() {
                self.forget(topic).await;
            }
            self.link.saw(taken)
        }
        .boxed()
    }

    fn order(&self) -> Order {
        Order::FirstHandOut
    }

    fn link(&self) -> &Arc<Link> {
        &self.link
    }
}

struct OnServer {
    message: jetstream::Message,
}

impl OnServer {
    /// Says it and waits until the server has heard it.
    fn say(&self, kind: AckKind) -> Answer<'_, ()> {
        async move {
            connected(&self.message.context.client()).await?;
            let said = self.message.double_ack_with(kind).await;
            said.map_err(|error| BusError::Away(error.to_string()))
        }
        .boxed()
    }
}

impl Held for OnServer {
    fn ack(&self) -> Answer<'_, ()> {
        self.say(AckKind::Ack)
    }

    fn nack(&self, delay: Duration) -> Answer<'_, ()> {
        self.say(AckKind::Nak((!delay.is_zero()).then_some(delay)))
    }

    fn extend(&self) -> Answer<'_, ()> {
        self.say(AckKind::Progress)
    }
}
