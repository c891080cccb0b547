//! Counts in a SQLite file, which several gateway processes may use at once.
//!
//! One thread has the connection. It takes what is asked meanwhile, up to a batch, decides it in one transaction that has
//! the file's write lock from its beginning, and answers when that is committed. The file is in WAL mode without a sync for
//! each commit: a process that is killed loses nothing, a machine that loses its power may lose the last moment.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use tokio::sync::oneshot;

use super::question::{Answer, Question};
use super::{Claim, Pending, Store};
use crate::meter::Tally;
use crate::quota::Day;

/// Questions answered by one transaction.
const BATCH: usize = 64;
/// Rows of one caller; then its policies begin anew, as partitions in memory do.
const MAX_ROWS: i64 = 10_000;
/// How often rows that mean nothing any more are removed.
const SWEEP: Duration = Duration::from_secs(60);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS limit_tally (
        place TEXT NOT NULL, line TEXT NOT NULL, arrival BLOB NOT NULL, period INTEGER NOT NULL,
        used INTEGER NOT NULL, kept_until_ms INTEGER NOT NULL, PRIMARY KEY (place, line)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS limit_lease (
        place TEXT NOT NULL, lease TEXT NOT NULL, ends_ms INTEGER NOT NULL, PRIMARY KEY (place, lease)
    ) WITHOUT ROWID;";

/// The way to the thread that has the connection.
pub(super) struct Sqlite {
    jobs: Sender<Job>,
    deadline: Duration,
}

struct Job {
    what: What,
    until: Instant,
    reply: oneshot::Sender<Result<Option<Answer>, String>>,
}

enum What {
    Decide {
        question: Question,
        claim: Option<Claim>,
        ended: Vec<String>,
    },
    Tend {
        place: String,
        ended: Vec<String>,
        running: Vec<Claim>,
    },
    Forget(Vec<String>),
    Probe,
}

impl Sqlite {
    pub(super) fn open(path: &Path, deadline: Duration) -> io::Result<Self> {
        let connection = connect(path, deadline).map_err(|error| {
            let told = format!(
                "cannot keep limits in {}: {error}; name a file in a folder that can be written to",
                path.display()
            );
            io::Error::new(io::ErrorKind::InvalidInput, told)
        })?;
        let (jobs, queue) = channel();
        let path = path.to_owned();
        thread::Builder::new()
            .name("gatewright-limits".into())
            .spawn(move || Worker::new(path, connection).run(&queue))?;
        Ok(Self { jobs, deadline })
    }

    fn send(&self, what: What) -> Pending<'_, Option<Answer>> {
        let (reply, answered) = oneshot::channel();
        let job = Job {
            what,
            until: Instant::now() + self.deadline,
            reply,
        };
        let sent = self.jobs.send(job);
        Box::pin(async move {
            sent.map_err(|_| "its thread has ended".to_owned())?;
            answered
                .await
                .map_err(|_| "its thread has ended".to_owned())?
        })
    }

    fn done(&self, what: What) -> Pending<'_, ()> {
        let sent = self.send(what);
        Box::pin(async move { sent.await.map(drop) })
    }
}

impl Store for Sqlite {
    fn decide<'a>(
        &'a self,
        question: &'a Question,
        claim: Option<&'a Claim>,
        ended: &'a [String],
    ) -> Pending<'a, Answer> {
        let sent = self.send(What::Decide {
            question: question.clone(),
            claim: claim.cloned(),
            ended: ended.to_vec(),
        });
        Box::pin(async move { sent.await?.ok_or_else(|| "it made no decision".to_owned()) })
    }

    fn tend<'a>(
        &'a self,
        place: &'a str,
        ended: &'a [String],
        running: &'a [Claim],
    ) -> Pending<'a, ()> {
        self.done(What::Tend {
            place: place.into(),
            ended: ended.to_vec(),
            running: running.to_vec(),
        })
    }

    fn forget<'a>(&'a self, places: &'a [String]) -> Pending<'a, ()> {
        self.done(What::Forget(places.to_vec()))
    }

    fn probe<'a>(&'a self, _: &'a str) -> Pending<'a, ()> {
        self.done(What::Probe)
    }

    /// The thread drops its connection by itself where something is wrong with it.
    fn disconnect(&self) {}
}

fn connect(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Another process may be changing the file to WAL mode at this moment.
    connection.busy_timeout(patience.max(Duration::from_secs(1)))?;
    connection.execute_batch(SCHEMA)?;
    // From here on waiting is our own: SQLite's pauses are up to 100 ms long.
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

struct Worker {
    path: PathBuf,
    connection: Option<Connection>,
    swept: Instant,
}

impl Worker {
    fn new(path: PathBuf, connection: Connection) -> Self {
        Self {
            path,
            connection: Some(connection),
            swept: Instant::now(),
        }
    }

    fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut batch: Vec<Job> = std::iter::once(first)
                .chain(queue.try_iter().take(BATCH - 1))
                .collect();
            // Nobody waits for these any more; answered they would use something up for nothing.
            batch.retain(|job| !job.reply.is_closed());
            match self.transact(&batch) {
                Ok(answers) => {
                    for (job, answer) in batch.into_iter().zip(answers) {
                        // The asker may have gone at this moment.
                        let _ = job.reply.send(Ok(answer));
                    }
                }
                Err(error) => {
                    if !is_busy(&error) {
                        self.connection = None;
                    }
                    for job in batch {
                        let _ = job.reply.send(Err(error.to_string()));
                    }
                }
            }
        }
    }

    fn transact(&mut self, batch: &[Job]) -> rusqlite::Result<Vec<Option<Answer>>> {
        let Some(until) = batch.iter().map(|job| job.until).max() else {
            return Ok(Vec::new());
        };
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(&self.path, Duration::ZERO)?),
        };
        begin(connection, until)?;
        let now_ms = real_ms();
        let mut answers = Ok(Vec::with_capacity(batch.len()));
        for job in batch {
            if job.reply.is_closed() {
                // Its asker left while the file was locked: nothing is used up for it.
                if let Ok(answers) = &mut answers {
                    answers.push(None);
                }
                continue;
            }
            let answer = carry_out(connection, &job.what, now_ms);
            match (&mut answers, answer) {
                (Ok(answers), Ok(answer)) => answers.push(answer),
                (Ok(_), Err(error)) => answers = Err(error),
                (Err(_), _) => {}
            }
        }
        if answers.is_ok() && self.swept.elapsed() >= SWEEP {
            self.swept = Instant::now();
            connection.execute("DELETE FROM limit_tally WHERE kept_until_ms < ?1", [now_ms])?;
            connection.execute("DELETE FROM limit_lease WHERE ends_ms < ?1", [now_ms])?;
        }
        let end = if answers.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        connection.execute_batch(end)?;
        answers
    }
}

/// Begins a transaction with the write lock, which another process may have for a moment.
fn begin(connection: &Connection, until: Instant) -> rusqlite::Result<()> {
    loop {
        match connection.execute_batch("BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                thread::sleep(Duration::from_micros(200));
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn carry_out(
    connection: &Connection,
    what: &What,
    now_ms: i64,
) -> rusqlite::Result<Option<Answer>> {
    match what {
        What::Decide {
            question,
            claim,
            ended,
        } => {
            let_go(connection, &question.place, ended)?;
            decide(connection, question, claim.as_ref(), now_ms).map(Some)
        }
        What::Tend {
            place,
            ended,
            running,
        } => {
            let_go(connection, place, ended)?;
            for claim in running {
                keep(connection, place, claim, now_ms)?;
            }
            Ok(None)
        }
        What::Forget(places) => {
            for place in places {
                for table in ["limit_tally", "limit_lease"] {
                    connection
                        .prepare_cached(&format!("DELETE FROM {table} WHERE place = ?1"))?
                        .execute([place])?;
                }
            }
            Ok(None)
        }
        What::Probe => Ok(None),
    }
}

fn decide(
    connection: &Connection,
    question: &Question,
    claim: Option<&Claim>,
    now_ms: i64,
) -> rusqlite::Result<Answer> {
    let place = question.place.as_str();
    let mut kept = Vec::with_capacity(question.lines.len());
    for line in &question.lines {
        kept.push(read(connection, place, &line.name)?);
    }
    let day = match question.per_day {
        Some(_) => read(connection, place, "day")?.unwrap_or_default(),
        None => Tally::default(),
    };
    let at_once: u32 = match question.most_at_once {
        Some(_) => connection
            .prepare_cached("SELECT COUNT(*) FROM limit_lease WHERE place = ?1 AND ends_ms >= ?2")?
            .query_row(params![place, now_ms], |row| row.get(0))?,
        None => 0,
    };
    let tallies = kept.iter().map(|tally| tally.unwrap_or_default()).collect();
    let answer = question.decide(
        tallies,
        Day {
            number: day.period,
            used: u32::try_from(day.used).unwrap_or(u32::MAX),
        },
        at_once,
    );
    if !answer.admitted {
        return Ok(answer);
    }
    if kept.iter().skip(1).any(Option::is_none) {
        make_room(connection, place)?;
    }
    let kept_until_ms = now_ms.saturating_add_unsigned(question.kept_for_ms());
    for (line, tally) in question.lines.iter().zip(&answer.tallies) {
        write(connection, place, &line.name, tally, kept_until_ms)?;
    }
    if question.per_day.is_some() {
        let day = Tally {
            period: answer.day.number,
            used: answer.day.used.into(),
            ..Tally::default()
        };
        write(connection, place, "day", &day, kept_until_ms)?;
    }
    if let Some(claim) = claim {
        keep(connection, place, claim, now_ms)?;
    }
    Ok(answer)
}

fn read(connection: &Connection, place: &str, line: &str) -> rusqlite::Result<Option<Tally>> {
    connection
        .prepare_cached(
            "SELECT arrival, period, used FROM limit_tally WHERE place = ?1 AND line = ?2",
        )?
        .query_row([place, line], |row| {
            let arrival: [u8; 16] = row.get(0)?;
            let (period, used): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Tally {
                arrival: u128::from_be_bytes(arrival),
                period: period.unsigned_abs(),
                used: used.unsigned_abs(),
            })
        })
        .optional()
}

fn write(
    connection: &Connection,
    place: &str,
    line: &str,
    tally: &Tally,
    kept_until_ms: i64,
) -> rusqlite::Result<()> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO limit_tally VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
             arrival = excluded.arrival, period = excluded.period, used = excluded.used,
             kept_until_ms = excluded.kept_until_ms",
        )?
        .execute(params![
            place,
            line,
            tally.arrival.to_be_bytes(),
            signed(tally.period),
            signed(tally.used),
            kept_until_ms
        ])?;
    Ok(())
}

fn make_room(connection: &Connection, place: &str) -> rusqlite::Result<()> {
    let rows: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM limit_tally WHERE place = ?1")?
        .query_row([place], |row| row.get(0))?;
    if rows >= MAX_ROWS {
        connection.execute(
            "DELETE FROM limit_tally WHERE place = ?1 AND line NOT IN ('burst', 'day')",
            [place],
        )?;
    }
    Ok(())
}

fn let_go(connection: &Connection, place: &str, ended: &[String]) -> rusqlite::Result<()> {
    for lease in ended {
        connection
            .prepare_cached("DELETE FROM limit_lease WHERE place = ?1 AND lease = ?2")?
            .execute([place, lease])?;
    }
    Ok(())
}

fn keep(connection: &Connection, place: &str, claim: &Claim, now_ms: i64) -> rusqlite::Result<()> {
    let lasts = i64::try_from(claim.lasts.as_millis()).unwrap_or(i64::MAX);
    connection
        .prepare_cached("INSERT OR REPLACE INTO limit_lease VALUES (?1, ?2, ?3)")?
        .execute(params![place, claim.id, now_ms.saturating_add(lasts)])?;
    Ok(())
}

/// Leases and sweeping are about processes, so about real time.
fn real_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
