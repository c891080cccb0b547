//! The data file: an SQLite database of one table of rows, held by one process.
//!
//! WAL, so that a commit appends and a crash at any instant leaves a whole file. `synchronous=FULL`, so that what was
//! answered outlives a power cut and not only a killed process: group commit makes its `fsync` cheap.
//! `locking_mode=EXCLUSIVE`, because a second process would not see the first one's memory.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};

use super::changes::{Change, Row, Value};
use super::trouble::refused;
use super::writer::Sessions;
use crate::private_file;

/// Says in the file's header whose it is: `GWDF`.
const APPLICATION_ID: i64 = 0x4757_4446;
/// The layout this gateway reads and writes.
const LAYOUT: i64 = 1;
/// Where the header of an SQLite file has its application id.
const ID_AT: usize = 68;
const HEADER_BYTES: usize = 100;
/// The size a file may have when nothing is said: 4 GiB.
pub(crate) const DEFAULT_MAX_BYTES: u64 = 4 << 30;
const PAGE_BYTES: u64 = 4_096;
/// A gateway that is just stopping is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(500);
/// Keys that were stored before a side effect which then never happened.
const PENDING: &str = crate::idempotency::PENDING_KIND;

const SCHEMA: &str = "
    CREATE TABLE rows (
        session TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        value ANY NOT NULL,
        PRIMARY KEY (session, kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE starts (count INTEGER NOT NULL) STRICT;
    INSERT INTO starts VALUES (-1);
";

/// Sessions with deliveries, notices or jobs that are not over, or with a relay, which may have events to hand on.
const WITH_WORK_FIRST: &str = "
    SELECT session, max(CASE
        WHEN kind IN ('webhook_delivery', 'notice') THEN value ->> 'state' IN ('pending', 'sending')
        WHEN kind = 'record' THEN id LIKE '%/jobs/%' AND value ->> '$.values[1]' = 'running'
        ELSE kind = 'relay' END) AS work
    FROM rows GROUP BY session ORDER BY work DESC, session";

/// An open data file.
pub(super) struct DataFile {
    connection: Connection,
    /// How often it was opened before.
    pub(super) starts: u64,
}

impl DataFile {
    /// Opens the file or makes it. Refuses, in words, what is not a gateway's, is damaged, read-only or in use.
    pub(super) fn open(path: &Path, max_bytes: u64) -> io::Result<Self> {
        check_before_opening(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| told(path, &error))?;
        let starts = prepare(&connection, path, max_bytes)?;
        Ok(Self { connection, starts })
    }

    /// The sessions that have rows. Of more than `most` those that may have something to send come first, with true.
    pub(super) fn sessions(&self, most: usize) -> rusqlite::Result<Sessions> {
        let read = |query: &str| -> rusqlite::Result<Sessions> {
            let mut statement = self.connection.prepare(query)?;
            let sessions = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            sessions.collect()
        };
        let all = read("SELECT DISTINCT session, 0 FROM rows ORDER BY session")?;
        if all.len() <= most {
            return Ok(all);
        }
        read(WITH_WORK_FIRST)
    }

    /// The rows of a session, by kind and id.
    pub(super) fn rows(&self, session: &str) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, id, value FROM rows WHERE session = ? ORDER BY kind, id",
        )?;
        let rows = statement.query_map([session], |row| {
            let value = match row.get_ref(2)? {
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec().into()),
                other => Value::Json(other.as_str()?.to_owned()),
            };
            Ok(Row {
                kind: row.get(0)?,
                id: row.get(1)?,
                value,
            })
        })?;
        rows.collect()
    }

    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        Ok(())
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    pub(super) fn roll_back(&self) {
        // SQLite has rolled back by itself where it could not go on.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Carries out one change within the transaction.
    pub(super) fn apply(&self, session: &str, change: &Change) -> Result<(), super::Trouble> {
        let trouble = |error: rusqlite::Error| super::Trouble::of(&error);
        match change {
            Change::Clear => self
                .connection
                .prepare_cached("DELETE FROM rows WHERE session = ?")
                .and_then(|mut statement| statement.execute([session]))
                .map_err(trouble)?,
            Change::ClearAll => self
                .connection
                .prepare_cached("DELETE FROM rows")
                .and_then(|mut statement| statement.execute([]))
                .map_err(trouble)?,
            Change::Delete(kind, id) => self
                .connection
                .prepare_cached("DELETE FROM rows WHERE session = ? AND kind = ? AND id = ?")
                .and_then(|mut statement| statement.execute(params![session, kind, id]))
                .map_err(trouble)?,
            Change::Put(kind, id, value) => self.put(session, kind, id, value).map_err(trouble)?,
            Change::Restore(row) => self
                .put(session, &row.kind, &row.id, &row.value)
                .map_err(trouble)?,
            Change::Unwritable(kind, why) => {
                return Err(super::Trouble::Failed(format!("{kind}: {why}")));
            }
        };
        Ok(())
    }

    fn put(&self, session: &str, kind: &str, id: &str, value: &Value) -> rusqlite::Result<usize> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO rows (session, kind, id, value) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET value = excluded.value",
        )?;
        match value {
            Value::Json(text) => statement.execute(params![session, kind, id, text]),
            Value::Bytes(bytes) => statement.execute(params![session, kind, id, &bytes[..]]),
        }
    }

    /// Puts all into the one file; what is left beside it is empty.
    pub(super) fn close(self) {
        // An error means that the next start does it.
        let _ = self.connection.close();
    }
}

/// Looks at the file without touching it, so that a file of somebody else stays as it is, or makes an empty one.
fn check_before_opening(path: &Path) -> io::Result<()> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            if folder.is_dir() {
                return private_file::make(path)
                    .map_err(|error| refused(format!("--data {shown}: {error}")));
            }
            let folder = folder.display();
            return Err(refused(format!(
                "--data {shown}: the folder {folder} does not exist; make it first"
            )));
        }
        Err(error) => return Err(refused(format!("--data {shown}: {error}"))),
    };
    if !metadata.is_file() {
        return Err(refused(format!(
            "--data {shown} is no file; name a file, which is made if it is not there"
        )));
    }
    if metadata.permissions().readonly() {
        return Err(refused(format!(
            "--data {shown} is read-only; make it writable or name another file"
        )));
    }
    if metadata.len() == 0 || beside(path, "-journal").exists() {
        return Ok(());
    }
    let mut header = [0; HEADER_BYTES];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(not_ours(path, "it is no SQLite database"));
    }
    let mut id = [0; 4];
    id.copy_from_slice(header.get(ID_AT..ID_AT + 4).unwrap_or(&[0; 4]));
    if i64::from(u32::from_be_bytes(id)) != APPLICATION_ID {
        return Err(not_ours(path, "it is the database of another program"));
    }
    Ok(())
}

/// `FILE-journal`, as SQLite names what it keeps beside a file.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn not_ours(path: &Path, why: &str) -> io::Error {
    refused(format!(
        "--data {}: this is not a gateway's data, {why}; it was left as it is, name another file",
        path.display()
    ))
}

/// Checks the database, makes its tables if it is new, and answers how often it was opened before.
fn prepare(connection: &Connection, path: &Path, max_bytes: u64) -> io::Result<u64> {
    let told = |error: rusqlite::Error| told(path, &error);
    connection.busy_timeout(LOCK_WAIT).map_err(told)?;
    connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .map_err(told)?;
    connection
        .execute_batch("PRAGMA page_size = 4096; BEGIN EXCLUSIVE")
        .map_err(told)?;
    let number = |name: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, name, |row| row.get(0))
    };
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(told)?;
    let (id, layout) = (
        number("application_id").map_err(told)?,
        number("user_version").map_err(told)?,
    );
    if tables == 0 && id == 0 && layout == 0 {
        connection.execute_batch(SCHEMA).map_err(told)?;
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(told)?;
        connection
            .pragma_update(None, "user_version", LAYOUT)
            .map_err(told)?;
    } else if id != APPLICATION_ID {
        return Err(not_ours(path, "it is the database of another program"));
    } else if layout != LAYOUT {
        return Err(refused(format!(
            "--data {}: the file has layout {layout}, this gateway reads layout {LAYOUT}; use the version of the gateway \
             that made it, or name another file",
            path.display()
        )));
    }
    connection.execute_batch("COMMIT").map_err(told)?;
    let sound: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(told)?;
    if sound != "ok" {
        return Err(damaged(path, &sound));
    }
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(told)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(told)?;
    // Where the log of a busy hour has grown, it is cut again.
    connection
        .pragma_update(None, "journal_size_limit", 64 << 20)
        .map_err(told)?;
    let pages = i64::try_from(max_bytes / PAGE_BYTES).unwrap_or(i64::MAX);
    connection
        .pragma_update(None, "max_page_count", pages.clamp(16, 0xffff_fffe))
        .map_err(told)?;
    connection
        .execute("DELETE FROM rows WHERE kind = ?", [PENDING])
        .map_err(told)?;
    connection
        .execute("UPDATE starts SET count = count + 1", [])
        .map_err(told)?;
    let starts: i64 = connection
        .query_row("SELECT count FROM starts", [], |row| row.get(0))
        .map_err(told)?;
    Ok(starts.unsigned_abs())
}

/// An error of SQLite while opening, with what to do about it.
fn told(path: &Path, error: &rusqlite::Error) -> io::Error {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, ReadOnly,
    };
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => refused(format!(
            "--data {shown} is in use by another process; stop that gateway or name another file"
        )),
        Some(ReadOnly) => refused(format!(
            "--data {shown} cannot be written; make it and its folder writable or name another file"
        )),
        Some(NotADatabase) => not_ours(path, "it is no SQLite database"),
        Some(DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(DiskFull) => refused(format!(
            "--data {shown}: there is no room to open it ({error}); free some disk or give a larger --data-max-mb"
        )),
        Some(CannotOpen) => refused(format!(
            "--data {shown} cannot be opened ({error}); look at its folder and its permissions"
        )),
        _ => refused(format!("--data {shown}: {error}")),
    }
}

pub(super) fn damaged(path: &Path, why: &str) -> io::Error {
    refused(format!(
        "--data {} is damaged: {why}; restore a copy of it or name another file",
        path.display()
    ))
}
