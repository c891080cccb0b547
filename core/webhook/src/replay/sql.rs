//! A replay guard in a table of an SQL database (SQLite 3.24 or later, PostgreSQL), through the one or two calls that every driver has.
//!
//! Each change is one statement, so that it is atomic without a transaction. `until_s` is the end of the lease while `done` is 0, and the
//! end of the retention once it is 1; a row that has ended counts as none.
//!
//! ```
//! use gatewright_webhook::replay::sql::{SqlReplayGuard, SqlStore, SqlValue};
//! # struct Connection;
//! # impl Connection {
//! #     fn run(&self, _: &str, _: &[SqlValue<'_>]) -> Result<u64, std::fmt::Error> { Ok(1) }
//! #     fn row(&self, _: &str, _: &[SqlValue<'_>]) -> Result<Option<(i64, i64)>, std::fmt::Error> { Ok(None) }
//! # }
//! struct Database(Connection); // of your driver
//!
//! impl SqlStore for Database {
//!     type Error = std::fmt::Error; // your driver's
//!
//!     fn execute(&self, statement: &str, values: &[SqlValue<'_>]) -> Result<u64, Self::Error> {
//!         self.0.run(statement, values)
//!     }
//!
//!     fn row(&self, query: &str, values: &[SqlValue<'_>]) -> Result<Option<(i64, i64)>, Self::Error> {
//!         self.0.row(query, values)
//!     }
//! }
//!
//! # fn main() -> Result<(), std::fmt::Error> {
//! # let random = 7;
//! let guard = SqlReplayGuard::new(Database(Connection), random); // 8 bytes of a random source
//! guard.create_table()?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{AsyncReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled};

/// One value of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlValue<'v> {
    /// `BIGINT`.
    Integer(i64),
    /// `TEXT`: 64 hexadecimal digits.
    Text(&'v str),
}

/// A database, as far as the guard needs it. The statements have their values as `$1`, `$2`, …, in this order and each once, as SQLite and
/// PostgreSQL take them; drivers that want `?` can put it in their place.
pub trait SqlStore {
    /// The driver's.
    type Error;

    /// Runs a statement and tells how many rows it inserted, changed or deleted.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn execute(&self, statement: &str, values: &[SqlValue<'_>]) -> Result<u64, Self::Error>;

    /// Runs a query for at most one row of two integers.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn row(&self, query: &str, values: &[SqlValue<'_>]) -> Result<Option<(i64, i64)>, Self::Error>;
}

/// As [`SqlStore`], for a driver that is asked asynchronously.
pub trait AsyncSqlStore: Send + Sync {
    /// The driver's.
    type Error: Send;

    /// Runs a statement and tells how many rows it inserted, changed or deleted.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn execute(
        &self,
        statement: &str,
        values: &[SqlValue<'_>],
    ) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// Runs a query for at most one row of two integers.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn row(
        &self,
        query: &str,
        values: &[SqlValue<'_>],
    ) -> impl Future<Output = Result<Option<(i64, i64)>, Self::Error>> + Send;
}

/// The statements over one table, for guards of other languages too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statements {
    /// Makes the table, if it is not there.
    pub create: String,
    /// Key, token, end of the lease, now. One row: reserved.
    pub reserve: String,
    /// Key. `done` and `until_s` of the row.
    pub look: String,
    /// End of the retention, key, token, now. One row: settled.
    pub commit: String,
    /// Key, token, now. One row: settled.
    pub release: String,
    /// Now. Deletes what has ended.
    pub sweep: String,
}

impl Statements {
    /// Those for the table `name`: letters, digits and underscores, as it goes into the text of the statements; others are left out.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let table: String = name
            .chars()
            .filter(|char| char.is_ascii_alphanumeric() || *char == '_')
            .collect();
        let with = |text: &str| text.replace("TABLE_NAME", &table);
        Self {
            create: with(
                "CREATE TABLE IF NOT EXISTS TABLE_NAME (key TEXT PRIMARY KEY, token BIGINT NOT NULL, done INTEGER NOT NULL, until_s BIGINT NOT NULL)",
            ),
            reserve: with(
                "INSERT INTO TABLE_NAME (key, token, done, until_s) VALUES ($1, $2, 0, $3) ON CONFLICT (key) DO UPDATE SET token = excluded.token, done = 0, until_s = excluded.until_s WHERE TABLE_NAME.until_s <= $4",
            ),
            look: with("SELECT done, until_s FROM TABLE_NAME WHERE key = $1"),
            commit: with(
                "UPDATE TABLE_NAME SET done = 1, until_s = $1 WHERE key = $2 AND token = $3 AND done = 0 AND until_s > $4",
            ),
            release: with(
                "DELETE FROM TABLE_NAME WHERE key = $1 AND token = $2 AND done = 0 AND until_s > $3",
            ),
            sweep: with("DELETE FROM TABLE_NAME WHERE until_s <= $1"),
        }
    }
}

/// Remembers messages in a table.
pub struct SqlReplayGuard<S> {
    store: S,
    statements: Statements,
    /// Seconds, as the next.
    retention: i64,
    lease: i64,
    /// The next token: from a random number on, so that no two processes have the same.
    next: AtomicU64,
}

impl<S> SqlReplayGuard<S> {
    /// Over the table `gatewright_replay`, retention 4 days, lease 5 minutes. `random` is 8 bytes of a random source, others in each
    /// process: they tell its reservations from those of others.
    #[must_use]
    pub fn new(store: S, random: u64) -> Self {
        Self {
            store,
            statements: Statements::new("gatewright_replay"),
            retention: 4 * 24 * 60 * 60,
            lease: 5 * 60,
            next: AtomicU64::new(random),
        }
    }

    /// Another table, named in letters, digits and underscores.
    #[must_use]
    pub fn table(mut self, name: &str) -> Self {
        self.statements = Statements::new(name);
        self
    }

    /// How long a handled message is remembered; at least the sender's whole retry span. Default 4 days.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = super::seconds(retention);
        self
    }

    /// How long a handler may take before it is taken for crashed. Default 5 minutes.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = super::seconds(lease);
        self
    }

    /// The database.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The statements it runs.
    pub const fn statements(&self) -> &Statements {
        &self.statements
    }

    /// A new token, which fits a `BIGINT`.
    fn token(&self) -> (u64, i64) {
        let token = self.next.fetch_add(1, Ordering::Relaxed) & i64::MAX.unsigned_abs();
        (token, i64::try_from(token).unwrap_or(i64::MAX))
    }

    fn looked(found: Option<(i64, i64)>, now: i64) -> Reserve {
        match found {
            Some((1, _)) => Reserve::AlreadyDone,
            Some((_, until)) => Reserve::InProgress { until },
            // It was released or swept between the two statements: whoever sends it again gets it.
            None => Reserve::InProgress { until: now },
        }
    }
}

/// The values of the statements, beside the key's text.
struct Settling {
    key: String,
    token: i64,
}

impl Settling {
    fn of(reservation: &Reservation) -> Self {
        Self {
            key: reservation.key().to_string(),
            token: i64::try_from(reservation.token()).unwrap_or(i64::MAX),
        }
    }

    const fn commit(&self, until: i64, now: i64) -> [SqlValue<'_>; 4] {
        [
            SqlValue::Integer(until),
            SqlValue::Text(self.key.as_str()),
            SqlValue::Integer(self.token),
            SqlValue::Integer(now),
        ]
    }

    const fn release(&self, now: i64) -> [SqlValue<'_>; 3] {
        [
            SqlValue::Text(self.key.as_str()),
            SqlValue::Integer(self.token),
            SqlValue::Integer(now),
        ]
    }
}

const fn settled(rows: u64) -> Settled {
    if rows == 0 {
        Settled::Lost
    } else {
        Settled::Settled
    }
}

impl<S: SqlStore> SqlReplayGuard<S> {
    /// Makes the table, if it is not there.
    ///
    /// # Errors
    ///
    /// The driver's.
    pub fn create_table(&self) -> Result<(), S::Error> {
        self.store.execute(&self.statements.create, &[]).map(drop)
    }

    /// Deletes what has ended by `now`; call it now and then. Tells how many rows.
    ///
    /// # Errors
    ///
    /// The driver's.
    pub fn sweep(&self, now: i64) -> Result<u64, S::Error> {
        let values = [SqlValue::Integer(now)];
        self.store.execute(&self.statements.sweep, &values)
    }
}

impl<S: SqlStore> ReplayGuard for SqlReplayGuard<S> {
    type Error = S::Error;

    fn reserve(&self, key: &ReplayKey, now: i64) -> Result<Reserve, S::Error> {
        let (token, number) = self.token();
        let text = key.to_string();
        let values = [
            SqlValue::Text(&text),
            SqlValue::Integer(number),
            SqlValue::Integer(now.saturating_add(self.lease)),
            SqlValue::Integer(now),
        ];
        if self.store.execute(&self.statements.reserve, &values)? > 0 {
            return Ok(Reserve::New(Reservation::new(*key, token)));
        }
        let found = self
            .store
            .row(&self.statements.look, &[SqlValue::Text(&text)])?;
        Ok(Self::looked(found, now))
    }

    fn commit(&self, reservation: Reservation, now: i64) -> Result<Settled, S::Error> {
        let settling = Settling::of(&reservation);
        let values = settling.commit(now.saturating_add(self.retention), now);
        self.store
            .execute(&self.statements.commit, &values)
            .map(settled)
    }

    fn release(&self, reservation: Reservation, now: i64) -> Result<Settled, S::Error> {
        let values = Settling::of(&reservation);
        let values = values.release(now);
        self.store
            .execute(&self.statements.release, &values)
            .map(settled)
    }
}

impl<S: AsyncSqlStore> AsyncReplayGuard for SqlReplayGuard<S> {
    type Error = S::Error;

    async fn reserve(&self, key: &ReplayKey, now: i64) -> Result<Reserve, S::Error> {
        let (token, number) = self.token();
        let text = key.to_string();
        let values = [
            SqlValue::Text(&text),
            SqlValue::Integer(number),
            SqlValue::Integer(now.saturating_add(self.lease)),
            SqlValue::Integer(now),
        ];
        if self
            .store
            .execute(&self.statements.reserve, &values)
            .await?
            > 0
        {
            return Ok(Reserve::New(Reservation::new(*key, token)));
        }
        let values = [SqlValue::Text(&text)];
        let found = self.store.row(&self.statements.look, &values).await?;
        Ok(Self::looked(found, now))
    }

    async fn commit(&self, reservation: Reservation, now: i64) -> Result<Settled, S::Error> {
        let settling = Settling::of(&reservation);
        let values = settling.commit(now.saturating_add(self.retention), now);
        let rows = self.store.execute(&self.statements.commit, &values).await?;
        Ok(settled(rows))
    }

    async fn release(&self, reservation: Reservation, now: i64) -> Result<Settled, S::Error> {
        let settling = Settling::of(&reservation);
        let values = settling.release(now);
        let rows = self
            .store
            .execute(&self.statements.release, &values)
            .await?;
        Ok(settled(rows))
    }
}

impl<S> fmt::Debug for SqlReplayGuard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlReplayGuard")
            .field("retention", &self.retention)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
