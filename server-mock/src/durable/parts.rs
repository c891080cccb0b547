//! Which rows belong to what: reads them in, forgets what they made, and collects them for a snapshot.
//!
//! A part that is kept has its line in each of the four functions, or is one that writes its own rows ([`Keeps`]), with a
//! line in `take_row`, `forget` and the two lists.

use super::changes::{Changes, Row, Rows};
use super::keeps::{Keeps, write_all, write_touched};
use super::records;
use crate::effects;
use crate::events;
use crate::fault_rules::{self, FaultRules};
use crate::files::{self, Files};
use crate::idempotency;
use crate::integrations;
use crate::key::{self, Tokens};
use crate::login::{self, Logins};
use crate::oauth::{self, OAuth};
use crate::options::{Options, OptionsChange};
use crate::webhooks;
use crate::world::{State, World};

const CLOCK: &str = "clock";
const OPTIONS: &str = "options";

impl World {
    /// Makes in memory what a row says.
    pub(crate) fn take_row(&self, state: &mut State, row: &Row) -> Result<(), String> {
        let (kind, id, value) = (row.kind.as_str(), row.id.as_str(), &row.value);
        match kind {
            CLOCK => self.clock.restore(value.read()?),
            OPTIONS => {
                let change: OptionsChange = value.read()?;
                let mut options = Options::clone(&state.options);
                options.change(change)?;
                state.options = options.into();
            }
            effects::OF_OPERATION | effects::OF_KEY | effects::OF_EXTERNAL_ID => {
                state.effects.take(kind, id, value)?;
            }
            events::EVENT_KIND | events::RELAY_KIND => state.events.take(kind, id, value)?,
            idempotency::KIND => state.keys.take(id, value)?,
            // The effect it was stored for never happened.
            idempotency::PENDING_KIND => {}
            kind if webhooks::KINDS.contains(&kind) => self.take_webhooks(kind, id, value)?,
            records::COLLECTION | records::RECORD => records::take(state, kind, id, value)?,
            integrations::NOTICE_KIND => self.notices.take(value)?,
            integrations::DROPPED_KIND => self.notices.take_dropped(value)?,
            key::TOKEN_KIND => state.tokens.take(kind, id, value)?,
            login::SESSION_KIND => state.logins.take(kind, id, value)?,
            kind if files::KINDS.contains(&kind) => state.files.take(kind, id, value)?,
            kind if oauth::KINDS.contains(&kind) => state.oauth.take(kind, id, value)?,
            kind if fault_rules::KINDS.contains(&kind) => state.rules.take(kind, id, value)?,
            _ => {
                return Err(format!(
                    "rows of the kind {kind:?} are not known to this version of the gateway"
                ));
            }
        }
        Ok(())
    }

    /// All rows are in.
    pub(crate) fn taken(&self, state: &mut State) -> Result<(), String> {
        state.keys.taken();
        let (parts, _) = state.parts_mut();
        parts.into_iter().try_for_each(|part| part.taken())
    }

    /// Forgets all that rows made, before they are read anew.
    pub(crate) fn forget(&self, state: &mut State) {
        self.clock.reset();
        state.options = self.first_options().into();
        state.events = state.events.after_reset();
        state.keys = idempotency::Keys::default();
        state.effects = effects::EffectLog::default();
        let kept = state.changes.is_kept();
        state.files = Files::new(kept);
        state.logins = Logins::new(kept);
        state.oauth = OAuth::new(kept);
        state.rules = FaultRules::new(kept);
        state.tokens = Tokens::new(kept);
        state.forget_records();
        self.notices.reset();
        self.webhooks.reset();
    }

    /// All that is kept, as it is now.
    pub(crate) fn rows(&self, state: &State) -> Rows {
        let mut rows = Rows::default();
        rows.put(CLOCK, "", &self.clock.kept());
        rows.put(OPTIONS, "", &*state.options);
        state.effects.rows(&mut rows);
        state.events.rows(&mut rows);
        state.keys.rows(&mut rows);
        records::rows(state, &mut rows);
        self.notices.rows(&mut rows);
        self.webhooks.outbox().rows(&mut rows);
        for part in state.parts() {
            write_all(part, &mut rows);
        }
        rows
    }

    /// Notes where the clock stands, after it was frozen, moved or resumed.
    pub(crate) fn keep_clock(&self) {
        self.write(|changes| changes.put(CLOCK, "", &self.clock.kept()));
    }
}

impl State {
    /// The parts that write their own rows.
    fn parts(&self) -> [&dyn Keeps; 5] {
        [
            &self.files,
            &self.logins,
            &self.oauth,
            &self.rules,
            &self.tokens,
        ]
    }

    /// The same, to be changed, and the transaction.
    fn parts_mut(&mut self) -> ([&mut dyn Keeps; 5], &mut Changes) {
        let parts: [&mut dyn Keeps; 5] = [
            &mut self.files,
            &mut self.logins,
            &mut self.oauth,
            &mut self.rules,
            &mut self.tokens,
        ];
        (parts, &mut self.changes)
    }

    /// Notes what was touched of them under this hold of the lock.
    pub(crate) fn write_touched(&mut self) {
        if !self.changes.is_kept() {
            return;
        }
        let (parts, changes) = self.parts_mut();
        for part in parts {
            write_touched(part, changes);
        }
    }

    /// Notes the options, after a change.
    pub(crate) fn keep_options(&mut self) {
        let options = std::sync::Arc::clone(&self.options);
        self.changes.put(OPTIONS, "", &*options);
    }
}
