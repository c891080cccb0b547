//! The bus in a file: SQLite, shared by processes of one machine.
//!
//! One thread has the connection. It takes all operations that wait and does them in one transaction, so that many publishers
//! share its cost, and answers when that is committed. The log is written ahead (WAL) and not flushed at each commit: what was
//! answered survives the end of any process, kill -9 included, not that of the machine's power.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt as _;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::{Answer, Bus, BusError, DEDUP_WINDOW, Held, Lease, Message, Order, Published, Topic};
use crate::private_file;

/// Operations that may wait for the thread.
const MAX_WAITING: usize = 4_096;
/// Operations of one transaction.
const MAX_AT_ONCE: usize = 256;
/// How long a lock of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often what other processes published is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL, key TEXT, payload BLOB NOT NULL, groups_left INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS work (
        topic TEXT NOT NULL, grp TEXT NOT NULL, seq INTEGER NOT NULL, key TEXT,
        due_ms INTEGER NOT NULL, taken INTEGER NOT NULL, token INTEGER NOT NULL,
        PRIMARY KEY (topic, grp, seq)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS work_by_due ON work (topic, grp, due_ms, seq);
    CREATE INDEX IF NOT EXISTS work_by_key ON work (topic, grp, key, seq) WHERE key IS NOT NULL;
    CREATE TABLE IF NOT EXISTS held (
        topic TEXT NOT NULL, grp TEXT NOT NULL, messages INTEGER NOT NULL, PRIMARY KEY (topic, grp)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ids (
        topic TEXT NOT NULL, id TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (topic, id)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS ids_by_age ON ids (at_ms);
    CREATE TABLE IF NOT EXISTS tokens (last INTEGER NOT NULL);
    INSERT INTO tokens SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM tokens);";

const DUE: &str = "
    SELECT work.seq FROM work WHERE topic = ?1 AND grp = ?2 AND due_ms <= ?3
    AND (key IS NULL OR NOT EXISTS (SELECT 1 FROM work AS older
        WHERE older.topic = ?1 AND older.grp = ?2 AND older.key = work.key AND older.seq < work.seq))
    ORDER BY due_ms, work.seq LIMIT ?4";

/// An operation: done inside of the transaction, it gives back who answers after the commit.
type Operation = Box<dyn FnOnce(&Connection) -> Finish + Send>;
type Finish = Box<dyn FnOnce(Result<(), BusError>) + Send>;

pub(crate) struct SqliteBus {
    thread: Thread,
    link: Arc<Link>,
    /// Something changed in this process.
    changed: Arc<Notify>,
}

/// The way to the thread that has the connection.
#[derive(Clone)]
struct Thread {
    operations: SyncSender<Operation>,
    link: Arc<Link>,
}

impl SqliteBus {
    /// Opens or makes the file.
    pub(crate) fn open(file: &Path) -> Result<Self, String> {
        // Its jobs have the signed requests of webhooks.
        private_file::make(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let opened = open(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let (operations, waiting) = sync_channel(MAX_WAITING);
        std::thread::Builder::new()
            .name("gatewright-bus".into())
            .spawn(move || serve(opened, &waiting))
            .map_err(|error| error.to_string())?;
        let link = Arc::new(Link::new(file.display().to_string()));
        Ok(Self {
            thread: Thread {
                operations,
                link: Arc::clone(&link),
            },
            link,
            changed: Arc::default(),
        })
    }
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))?;
    Ok(connection)
}

/// Does what comes until nobody is left who could ask.
fn serve(mut connection: Connection, waiting: &Receiver<Operation>) {
    while let Ok(first) = waiting.recv() {
        let mut finishes = Vec::new();
        let committed = (|| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rest = std::iter::from_fn(|| waiting.try_recv().ok());
            for operation in std::iter::once(first).chain(rest.take(MAX_AT_ONCE)) {
                finishes.push(operation(&transaction));
            }
            transaction.commit()
        })()
        .map_err(|error: rusqlite::Error| away(&error));
        for finish in finishes {
            finish(committed.clone());
        }
    }
}

fn away(error: &rusqlite::Error) -> BusError {
    BusError::Away(error.to_string())
}

impl Thread {
    /// Does `act` in a transaction that others may share, and answers once that is committed.
    async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, BusError>> + Send + 'static,
    ) -> Result<T, BusError> {
        let (answer, answered) = oneshot::channel();
        let operation: Operation = Box::new(move |connection| {
            // One that fails takes nothing of the others with it.
            let done = connection
                .execute_batch("SAVEPOINT one")
                .and_then(|()| act(connection))
                .and_then(|done| {
                    let end = if done.is_ok() {
                        "RELEASE one"
                    } else {
                        "ROLLBACK TO one; RELEASE one"
                    };
                    connection.execute_batch(end).map(|()| done)
                })
                .unwrap_or_else(|error| {
                    let _ = connection.execute_batch("ROLLBACK TO one; RELEASE one");
                    Err(away(&error))
                });
            Box::new(move |committed| {
                // Nobody waits for it any more: that is as good.
                let _ = answer.send(committed.and(done));
            })
        });
        let sent = self
            .operations
            .try_send(operation)
            .map_err(|error| match error {
                TrySendError::Full(_) => {
                    BusError::Away(format!("{MAX_WAITING} operations wait already"))
                }
                TrySendError::Disconnected(_) => BusError::Away("its thread has ended".into()),
            });
        let answer = match sent {
            Ok(()) => answered.await.unwrap_or_else(|_| {
                Err(BusError::Away(
                    "the file is locked by another process, or cannot be written".into(),
                ))
            }),
            Err(error) => Err(error),
        };
        self.link.saw(answer)
    }
}

fn publish(
    connection: &Connection,
    topic: &Topic,
    message: &Message,
) -> rusqlite::Result<Result<Published, BusError>> {
    let now_ms = now_ms();
    let window_ms = millis(DEDUP_WINDOW);
    connection
        .prepare_cached("DELETE FROM ids WHERE at_ms < ?1")?
        .execute([now_ms - window_ms])?;
    let fresh = connection
        .prepare_cached("INSERT OR IGNORE INTO ids (topic, id, at_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![topic.name, message.id, now_ms])?;
    if fresh == 0 {
        return Ok(Ok(Published::Duplicate));
    }
    let most = i64::try_from(topic.most).unwrap_or(i64::MAX);
    for group in &topic.groups {
        let room = connection
            .prepare_cached(
                "INSERT INTO held (topic, grp, messages) VALUES (?1, ?2, 1)
                 ON CONFLICT (topic, grp) DO UPDATE SET messages = messages + 1 WHERE messages < ?3",
            )?
            .execute(params![topic.name, group, most])?;
        if room == 0 {
            return Ok(Err(BusError::Full {
                topic: topic.name.clone(),
                most: topic.most,
            }));
        }
    }
    if topic.groups.is_empty() {
        return Ok(Ok(Published::Stored));
    }
    connection
        .prepare_cached(
            "INSERT INTO messages (id, key, payload, groups_left) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            message.id,
            message.key,
            &message.payload[..],
            i64::try_from(topic.groups.len()).unwrap_or(i64::MAX)
        ])?;
    let seq = connection.last_insert_rowid();
    for group in &topic.groups {
        connection
            .prepare_cached(
                "INSERT INTO work (topic, grp, seq, key, due_ms, taken, token) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)",
            )?
            .execute(params![topic.name, group, seq, message.key, now_ms])?;
    }
    Ok(Ok(Published::Stored))
}

/// What was taken: number, token, times, message.
type Taken = (i64, i64, u64, Message);

fn take(
    connection: &Connection,
    topic: &Topic,
    group: &str,
    most: usize,
) -> rusqlite::Result<Vec<Taken>> {
    let now_ms = now_ms();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let due: Vec<i64> = connection
        .prepare_cached(DUE)?
        .query_map(params![topic.name, group, now_ms, most], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut all = Vec::with_capacity(due.len());
    for seq in due {
        let token: i64 = connection
            .prepare_cached("UPDATE tokens SET last = last + 1 RETURNING last")?
            .query_row([], |row| row.get(0))?;
        let taken: i64 = connection
            .prepare_cached(
                "UPDATE work SET due_ms = ?4, taken = taken + 1, token = ?5
                 WHERE topic = ?1 AND grp = ?2 AND seq = ?3 RETURNING taken",
            )?
            .query_row(
                params![topic.name, group, seq, now_ms + millis(topic.lease), token],
                |row| row.get(0),
            )?;
        let message = connection
            .prepare_cached("SELECT id, key, payload FROM messages WHERE seq = ?1")?
            .query_row([seq], |row| {
                Ok(Message {
                    id: row.get(0)?,
                    key: row.get(1)?,
                    payload: Bytes::from(row.get::<_, Vec<u8>>(2)?),
                })
            })
            .optional()?;
        if let Some(message) = message {
            all.push((seq, token, u64::try_from(taken).unwrap_or(1), message));
        }
    }
    Ok(all)
}

impl Bus for SqliteBus {
    fn publish<'a>(&'a self, topic: &'a Topic, message: Message) -> Answer<'a, Published> {
        async move {
            message.check()?;
            let topic = topic.clone();
            let published = self
                .thread
                .run(move |connection| publish(connection, &topic, &message))
                .await;
            self.changed.notify_waiters();
            published
        }
        .boxed()
    }

    fn take<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a str,
        most: usize,
        wait: Duration,
    ) -> Answer<'a, Vec<Lease>> {
        async move {
            let give_up = Instant::now() + wait;
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let (asked, name) = (topic.clone(), group.to_owned());
                let taken = self
                    .thread
                    .run(move |connection| take(connection, &asked, &name, most).map(Ok))
                    .await?;
                if !taken.is_empty() || Instant::now() >= give_up {
                    let lease = |(seq, token, taken, message)| Lease {
                        message,
                        taken,
                        held: Box::new(InFile {
                            thread: self.thread.clone(),
                            changed: Arc::clone(&self.changed),
                            topic: topic.name.clone(),
                            group: group.to_owned(),
                            lease: topic.lease,
                            seq,
                            token,
                        }),
                    };
                    return Ok(taken.into_iter().map(lease).collect());
                }
                tokio::select! {
                    () = changed => {}
                    () = sleep_until(give_up.min(Instant::now() + LOOK_EVERY)) => {}
                }
            }
        }
        .boxed()
    }

    fn order(&self) -> Order {
        Order::PerKey
    }

    fn link(&self) -> &Arc<Link> {
        &self.link
    }
}

struct InFile {
    thread: Thread,
    changed: Arc<Notify>,
    topic: String,
    group: String,
    lease: Duration,
    seq: i64,
    token: i64,
}

/// Where the message is held under this token, and the lease has not ended.
const MINE: &str = "topic = ?1 AND grp = ?2 AND seq = ?3 AND token = ?4 AND due_ms > ?5";

impl InFile {
    fn put_off(&self, by: Duration, release: bool) -> Answer<'_, ()> {
        let (topic, group) = (self.topic.clone(), self.group.clone());
        let (seq, token) = (self.seq, self.token);
        async move {
            let done = self
                .thread
                .run(move |connection| {
                    let now_ms = now_ms();
                    let sql = format!("UPDATE work SET due_ms = ?6, token = ?7 WHERE {MINE}");
                    let after = if release { 0 } else { token };
                    let mine = connection.prepare_cached(&sql)?.execute(params![
                        topic,
                        group,
                        seq,
                        token,
                        now_ms,
                        now_ms + millis(by),
                        after
                    ])?;
                    Ok(held(mine))
                })
                .await;
            self.changed.notify_waiters();
            done
        }
        .boxed()
    }
}

impl Held for InFile {
    fn ack(&self) -> Answer<'_, ()> {
        let (topic, group) = (self.topic.clone(), self.group.clone());
        let (seq, token) = (self.seq, self.token);
        async move {
            let done = self
                .thread
                .run(move |connection| {
                    let sql = format!("DELETE FROM work WHERE {MINE}");
                    let mine = connection
                        .prepare_cached(&sql)?
                        .execute(params![topic, group, seq, token, now_ms()])?;
                    if mine == 0 {
                        return Ok(Err(BusError::LeaseLost));
                    }
                    connection
                        .prepare_cached("UPDATE held SET messages = messages - 1 WHERE topic = ?1 AND grp = ?2")?
                        .execute(params![topic, group])?;
                    let left: i64 = connection
                        .prepare_cached(
                            "UPDATE messages SET groups_left = groups_left - 1 WHERE seq = ?1 RETURNING groups_left",
                        )?
                        .query_row([seq], |row| row.get(0))?;
                    if left <= 0 {
                        connection
                            .prepare_cached("DELETE FROM messages WHERE seq = ?1")?
                            .execute([seq])?;
                    }
                    Ok(Ok(()))
                })
                .await;
            self.changed.notify_waiters();
            done
        }
        .boxed()
    }

    fn nack(&self, delay: Duration) -> Answer<'_, ()> {
        self.put_off(delay, true)
    }

    fn extend(&self) -> Answer<'_, ()> {
        self.put_off(self.lease, false)
    }
}

fn held(rows: usize) -> Result<(), BusError> {
    if rows == 0 {
        Err(BusError::LeaseLost)
    } else {
        Ok(())
    }
}

/// The wall clock, because processes share it.
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    millis(now.unwrap_or(Duration::ZERO))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
