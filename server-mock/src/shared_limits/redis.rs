//! Counts in Redis or a Redis Cluster: one script decides (`decide.lua`), and all keys of a caller are in one slot.
//!
//! Connections are made by probes only, so no call waits for one. A connection with which something is wrong is dropped.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue,
    IntoConnectionInfo as _, RedisError, Script, ServerErrorKind,
};

use super::question::{Answer, Line, Question};
use super::settings::RedisUrls;
use super::{Claim, Pending, Store};
use crate::lock::lock;
use crate::meter::{Tally, Window};
use crate::quota::Day;
use crate::timestamp::day_number;

const SCRIPT: &str = include_str!("decide.lua");
/// Counts of one caller; then those of its policies begin anew, as partitions in memory do.
const MAX_FIELDS: u32 = 10_000;
/// The largest number of 30 digits.
const LARGEST: u128 = 10u128.pow(30) - 1;
/// A brace in a session's name would end the hash tag.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/');

/// The connection, when there is one.
pub(super) struct Redis {
    nodes: Vec<ConnectionInfo>,
    cluster: bool,
    deadline: Duration,
    script: Script,
    link: Mutex<Option<Link>>,
}

#[derive(Clone)]
enum Link {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Redis {
    pub(super) fn new(urls: &RedisUrls, deadline: Duration) -> io::Result<Self> {
        let nodes: Result<Vec<_>, _> = urls
            .nodes
            .iter()
            .map(|url| url.as_str().into_connection_info())
            .collect();
        Ok(Self {
            // Its own words could show a password.
            nodes: nodes.map_err(|_| io::Error::other("the address of Redis cannot be read"))?,
            cluster: urls.cluster,
            deadline,
            script: Script::new(SCRIPT),
            link: Mutex::new(None),
        })
    }

    async fn connect(&self) -> Result<Link, RedisError> {
        let tls = |node: &ConnectionInfo| matches!(node.addr(), ConnectionAddr::TcpTls { .. });
        if self.nodes.iter().any(tls) && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The crate takes the process's provider, and would not go on where two are built in and none is chosen.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let patience = self.deadline.saturating_mul(4);
        if self.cluster {
            let client = ClusterClientBuilder::new(self.nodes.clone())
                .retries(1)
                .connection_timeout(patience)
                .response_timeout(self.deadline)
                .build()?;
            return Ok(Link::Cluster(client.get_async_connection().await?));
        }
        let Some(node) = self.nodes.first().cloned() else {
            return Err((ErrorKind::InvalidClientConfig, "no node is named").into());
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(self.deadline));
        let connection = Client::open(node)?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Link::Single(connection))
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let link = lock(&self.link).clone();
        match link {
            Some(Link::Single(mut connection)) => command.query_async(&mut connection).await,
            Some(Link::Cluster(mut connection)) => command.query_async(&mut connection).await,
            None => Err((ErrorKind::Io, "there is no connection").into()),
        }
    }

    async fn ask(&self, keys: &[String; 2], arguments: &[String]) -> Result<Vec<String>, String> {
        let command = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(2).arg(keys).arg(arguments);
            command
        };
        let by_hash = command("EVALSHA", self.script.get_hash());
        let answer = match self.query(&by_hash).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.query(&command("EVAL", SCRIPT)).await
            }
            answer => answer,
        };
        answer.map_err(told)
    }
}

impl Store for Redis {
    fn decide<'a>(
        &'a self,
        question: &'a Question,
        claim: Option<&'a Claim>,
        ended: &'a [String],
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let arguments = arguments(question, claim, ended);
            let answer = self.ask(&keys(&question.place), &arguments).await?;
            read(question, &answer).ok_or_else(|| "the script's answer is odd".to_owned())
        })
    }

    fn tend<'a>(
        &'a self,
        place: &'a str,
        ended: &'a [String],
        running: &'a [Claim],
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let [_, calls] = keys(place);
            if !ended.is_empty() {
                let mut command = redis::cmd("ZREM");
                command.arg(&calls).arg(ended);
                self.query::<i64>(&command).await.map_err(told)?;
            }
            let Some(first) = running.first() else {
                return Ok(());
            };
            // Leases end by the clock of the server that has them.
            let lasts = first.lasts.as_millis();
            let mut command = redis::cmd("EVAL");
            command
                .arg(
                    "local t = redis.call('TIME') local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) \
                     for i = 2, #ARGV do redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), ARGV[i]) end \
                     return redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(ARGV[1]) + 1000))",
                )
                .arg(1)
                .arg(&calls)
                .arg(lasts.to_string());
            for claim in running {
                command.arg(&claim.id);
            }
            self.query::<i64>(&command).await.map_err(told).map(drop)
        })
    }

    fn forget<'a>(&'a self, places: &'a [String]) -> Pending<'a, ()> {
        Box::pin(async move {
            for place in places {
                let mut command = redis::cmd("DEL");
                command.arg(&keys(place));
                self.query::<i64>(&command).await.map_err(told)?;
            }
            Ok(())
        })
    }

    fn probe<'a>(&'a self, place: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            if lock(&self.link).is_none() {
                let link = self.connect().await.map_err(told)?;
                *lock(&self.link) = Some(link);
            }
            // A write, so that neither a replica nor a master without its replicas counts as there.
            let [counts, _] = keys(place);
            let mut command = redis::cmd("PERSIST");
            command.arg(format!("{counts}:probe"));
            self.query::<i64>(&command).await.map_err(told).map(drop)
        })
    }

    fn disconnect(&self) {
        *lock(&self.link) = None;
    }
}

/// The counts and the calls in progress of a caller, both of one hash tag.
pub(super) fn keys(place: &str) -> [String; 2] {
    let tag = utf8_percent_encode(place, PLAIN);
    [
        format!("gatewright:limits:{{{tag}}}:counts"),
        format!("gatewright:limits:{{{tag}}}:calls"),
    ]
}

/// What the script takes, in its order.
fn arguments(question: &Question, claim: Option<&Claim>, ended: &[String]) -> Vec<String> {
    let limit = |most: Option<u32>| most.map_or(-1, i64::from).to_string();
    let (lease, lasts) = claim.map_or_else(Default::default, |claim| {
        (claim.id.clone(), claim.lasts.as_millis())
    });
    let mut arguments = vec![
        day_number(question.now_ns).to_string(),
        limit(question.per_day),
        limit(question.most_at_once),
        lease,
        lasts.to_string(),
        question.kept_for_ms().to_string(),
        MAX_FIELDS.to_string(),
        ended.len().to_string(),
        question.lines.len().to_string(),
    ];
    arguments.extend_from_slice(ended);
    for line in &question.lines {
        arguments.push(line.name.clone());
        arguments.extend(terms(line, question.now_ns));
    }
    arguments
}

fn terms(line: &Line, now_ns: u64) -> [String; 4] {
    let terms = line.terms;
    let cost = terms.charged(line.cost);
    match terms.window {
        Window::Rolling => {
            let now = terms.scaled(now_ns);
            let digits = |number: u128| format!("{:030}", number.min(LARGEST));
            [
                "r".into(),
                digits(now),
                digits(terms.price() * u128::from(cost)),
                digits(now + terms.capacity()),
            ]
        }
        Window::Fixed => [
            "f".into(),
            terms.period_at(now_ns).to_string(),
            cost.to_string(),
            terms.limit().to_string(),
        ],
    }
}

/// The script's answer.
fn read(question: &Question, answer: &[String]) -> Option<Answer> {
    let [admitted, at_once, day, tallies @ ..] = answer else {
        return None;
    };
    let (number, used) = pair(day)?;
    let tallies: Option<Vec<Tally>> = (question.lines.iter().zip(tallies))
        .map(|(line, text)| tally(line, text))
        .collect();
    Some(Answer {
        admitted: admitted == "1",
        tallies: tallies?,
        day: Day {
            number,
            used: u32::try_from(used).ok()?,
        },
        at_once: at_once.parse().ok()?,
    })
}

fn tally(line: &Line, text: &str) -> Option<Tally> {
    if text.is_empty() {
        return Some(Tally::default());
    }
    match line.terms.window {
        Window::Rolling => Some(Tally {
            arrival: text.parse().ok()?,
            ..Tally::default()
        }),
        Window::Fixed => {
            let (period, used) = pair(text)?;
            Some(Tally {
                period,
                used,
                ..Tally::default()
            })
        }
    }
}

/// Two whole numbers; nothing kept is two zeros.
fn pair(text: &str) -> Option<(u64, u64)> {
    if text.is_empty() {
        return Some((0, 0));
    }
    let (first, second) = text.split_once(' ')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// An error by its kind and code alone: its detail may have what is secret.
fn told(error: RedisError) -> String {
    match error.code() {
        Some(code) => format!("{} ({code})", error.category()),
        None if error.is_timeout() => "no answer in time".into(),
        None => error.category().to_owned(),
    }
}
