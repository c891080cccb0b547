//! The replay guard over a real SQLite, the one of Python's standard library, which a child process speaks to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatewright_webhook::Scheme;
use gatewright_webhook::replay::sql::{AsyncSqlStore, SqlReplayGuard, SqlStore, SqlValue};
use gatewright_webhook::replay::{
    AsyncReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled,
};

const NOW: i64 = 1_700_000_000;
const DAY: i64 = 24 * 60 * 60;

/// Runs a line of `kind, statement, values…`, tabs between them, and answers with a line.
const SERVER: &str = r#"
import sqlite3, sys
database = sqlite3.connect(":memory:", isolation_level=None)
for line in sys.stdin:
    kind, statement, *values = line.rstrip("\n").split("\t")
    values = [int(value[1:]) if value[0] == "i" else value[1:] for value in values]
    try:
        # Python takes `$1` for a name.
        cursor = database.execute(statement, {str(at + 1): value for at, value in enumerate(values)})
        row = cursor.fetchone() if kind == "row" else None
        print("none" if kind == "row" and row is None else " ".join(map(str, row or (cursor.rowcount,))), flush=True)
    except sqlite3.Error as error:
        print("error", error, flush=True)
"#;

struct Sqlite(Mutex<(ChildStdin, BufReader<ChildStdout>)>, Mutex<Child>);

impl Sqlite {
    /// `None` where there is no Python; it has been said.
    fn start() -> Option<Arc<Self>> {
        let spawned = Command::new("python3")
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = spawned else {
            eprintln!("skipped: there is no python3 on the path");
            return None;
        };
        let pipes = (
            child.stdin.take().unwrap(),
            BufReader::new(child.stdout.take().unwrap()),
        );
        Some(Arc::new(Self(Mutex::new(pipes), Mutex::new(child))))
    }

    fn ask(&self, kind: &str, statement: &str, values: &[SqlValue<'_>]) -> Result<String, String> {
        let mut line = format!("{kind}\t{statement}");
        for value in values {
            match value {
                SqlValue::Integer(number) => line.push_str(&format!("\ti{number}")),
                SqlValue::Text(text) => line.push_str(&format!("\tt{text}")),
                other => panic!("{other:?}"),
            }
        }
        let mut pipes = self.0.lock().unwrap();
        writeln!(pipes.0, "{line}").unwrap();
        let mut answer = String::new();
        pipes.1.read_line(&mut answer).unwrap();
        match answer.trim().strip_prefix("error ") {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer.trim().to_owned()),
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let mut child = self.1.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[derive(Clone)]
struct Store(Arc<Sqlite>);

impl SqlStore for Store {
    type Error = String;

    fn execute(&self, statement: &str, values: &[SqlValue<'_>]) -> Result<u64, String> {
        let rows = self.0.ask("run", statement, values)?;
        Ok(rows.parse().unwrap_or_default())
    }

    fn row(&self, query: &str, values: &[SqlValue<'_>]) -> Result<Option<(i64, i64)>, String> {
        let row = self.0.ask("row", query, values)?;
        let pair = row.split_once(' ');
        Ok(pair.map(|(first, second)| (first.parse().unwrap(), second.parse().unwrap())))
    }
}

struct AsyncStore(Store);

impl AsyncSqlStore for AsyncStore {
    type Error = String;

    async fn execute(&self, statement: &str, values: &[SqlValue<'_>]) -> Result<u64, String> {
        self.0.execute(statement, values)
    }

    async fn row(
        &self,
        query: &str,
        values: &[SqlValue<'_>],
    ) -> Result<Option<(i64, i64)>, String> {
        self.0.row(query, values)
    }
}

fn guard() -> Option<SqlReplayGuard<Store>> {
    let guard = SqlReplayGuard::new(Store(Sqlite::start()?), u64::MAX - 3);
    guard.create_table().unwrap();
    guard.create_table().unwrap();
    Some(guard)
}

fn key(id: &str) -> ReplayKey {
    ReplayKey::for_message("billing", Scheme::StandardWebhooks, id)
}

fn reserved(guard: &impl ReplayGuard<Error = String>, id: &str, now: i64) -> Reservation {
    match guard.reserve(&key(id), now).unwrap() {
        Reserve::New(reservation) => reservation,
        other => panic!("expected a reservation of {id}, got {other:?}"),
    }
}

#[test]
fn every_row_of_the_state_table_holds_in_sqlite() {
    let Some(guard) = guard() else { return };
    let first = reserved(&guard, "msg_1", NOW);
    let again = |now| guard.reserve(&key("msg_1"), now).unwrap();
    assert_eq!(again(NOW + 10), Reserve::InProgress { until: NOW + 300 });
    assert_eq!(guard.commit(first, NOW + 20), Ok(Settled::Settled));
    assert_eq!(again(NOW + 20), Reserve::AlreadyDone);
    assert_eq!(again(NOW + 20 + 4 * DAY - 1), Reserve::AlreadyDone);
    assert!(matches!(again(NOW + 20 + 4 * DAY), Reserve::New(_)));

    let second = reserved(&guard, "msg_2", NOW);
    assert_eq!(guard.release(second, NOW + 1), Ok(Settled::Settled));
    let third = reserved(&guard, "msg_2", NOW + 1);
    // Its lease ended, and another has it: it can settle nothing any more.
    let fourth = reserved(&guard, "msg_2", NOW + 301);
    assert_eq!(guard.commit(third, NOW + 302), Ok(Settled::Lost));
    assert_eq!(
        guard.reserve(&key("msg_2"), NOW + 303),
        Ok(Reserve::InProgress { until: NOW + 601 })
    );
    assert_eq!(guard.commit(fourth, NOW + 304), Ok(Settled::Settled));

    let fifth = reserved(&guard, "msg_3", NOW);
    assert_eq!(guard.release(fifth, NOW + 300), Ok(Settled::Lost));
}

#[test]
fn a_sweep_forgets_what_has_ended_and_nothing_else() {
    let Some(guard) = guard() else { return };
    let guard = guard
        .retention(Duration::from_secs(10))
        .lease(Duration::from_secs(100));
    let done = reserved(&guard, "done", NOW);
    assert_eq!(guard.commit(done, NOW), Ok(Settled::Settled));
    let _held = reserved(&guard, "held", NOW);
    assert_eq!(guard.sweep(NOW + 9), Ok(0));
    assert_eq!(guard.sweep(NOW + 10), Ok(1));
    assert_eq!(guard.sweep(NOW + 100), Ok(1));
}

#[test]
fn two_threads_never_get_the_same_message() {
    let Some(sqlite) = Sqlite::start() else {
        return;
    };
    let guards = [1, 2].map(|random| SqlReplayGuard::new(Store(sqlite.clone()), random << 40));
    guards[0].create_table().unwrap();
    let got: usize = std::thread::scope(|scope| {
        let threads = guards.iter().map(|guard| {
            scope.spawn(move || {
                let ids = 0..50;
                let mine = ids.filter(|id| {
                    matches!(
                        guard.reserve(&key(&format!("msg_{id}")), NOW),
                        Ok(Reserve::New(_))
                    )
                });
                mine.count()
            })
        });
        threads
            .collect::<Vec<_>>()
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(got, 50);
}

#[test]
fn a_store_that_is_asked_asynchronously_is_a_guard_too() {
    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("this store is ready at once"),
        }
    }
    let Some(sqlite) = Sqlite::start() else {
        return;
    };
    let guard = SqlReplayGuard::new(AsyncStore(Store(sqlite)), 7).table("replays; DROP TABLE x");
    assert!(guard.statements().create.contains(" replaysDROPTABLEx ("));
    guard
        .store()
        .0
        .execute(&guard.statements().create, &[])
        .unwrap();
    let Ok(Reserve::New(reservation)) = now(guard.reserve(&key("msg_1"), NOW)) else {
        panic!("a new message is reserved");
    };
    assert_eq!(
        now(guard.reserve(&key("msg_1"), NOW)),
        Ok(Reserve::InProgress { until: NOW + 300 })
    );
    assert_eq!(now(guard.commit(reservation, NOW)), Ok(Settled::Settled));
    assert_eq!(
        now(guard.reserve(&key("msg_1"), NOW)),
        Ok(Reserve::AlreadyDone)
    );
    let Ok(Reserve::New(reservation)) = now(guard.reserve(&key("msg_2"), NOW)) else {
        panic!("a new message is reserved");
    };
    assert_eq!(now(guard.release(reservation, NOW)), Ok(Settled::Settled));
}
