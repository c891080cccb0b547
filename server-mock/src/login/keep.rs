//! Sessions of those who are logged in as rows of a data file: `login_session` of the session's id.
//!
//! Attempts that are under way are not kept: they hold how the provider is reached, which another process may do in another
//! way. A browser that comes back from one is told to begin again.

use super::sessions::LoginSession;
use super::{Logins, MAX_ATTEMPTS, MAX_SESSIONS};
use crate::bounded::Bounded;
use crate::durable::{Keeps, Name, Touched, Value, Written};

/// The kind of the rows.
pub(crate) const SESSION_KIND: &str = "login_session";

impl Logins {
    /// Nobody is logged in. With `kept` what changes is noted for the data file.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            attempts: Bounded::new(MAX_ATTEMPTS),
            sessions: Bounded::new(MAX_SESSIONS),
            touched: Touched::new(kept),
        }
    }

    /// Somebody is logged in.
    pub(super) fn begun(&mut self, id: &str, session: LoginSession) {
        self.touched.note(SESSION_KIND, id);
        if let Some((gone, _)) = self.sessions.insert_for(id.into(), session) {
            self.touched.note(SESSION_KIND, &gone);
        }
    }

    /// Nobody is logged in with this session any more.
    pub(super) fn ended(&mut self, id: &str) {
        if self.sessions.remove(id).is_some() {
            self.touched.note(SESSION_KIND, id);
        }
    }
}

impl Keeps for Logins {
    fn touched(&mut self) -> Vec<Name> {
        self.touched.take()
    }

    fn names(&self) -> Vec<Name> {
        let sessions = self.sessions.iter();
        sessions
            .map(|(id, _)| (SESSION_KIND, id.as_str().into()))
            .collect()
    }

    fn row(&self, _kind: &str, id: &str) -> Option<Written> {
        self.sessions.get(id).map(Value::of)
    }

    fn take(&mut self, _kind: &str, id: &str, value: &Value) -> Result<(), String> {
        self.sessions.insert(id.into(), value.read()?);
        Ok(())
    }

    fn taken(&mut self) -> Result<(), String> {
        self.sessions.sort_by_key(|_, session| session.created_ns);
        Ok(())
    }
}
