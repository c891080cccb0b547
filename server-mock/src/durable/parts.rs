//! Which rows belong to what: reads them in, forgets what they made, and collects them for a snapshot.
//!
//! A part that is kept has its line in each of the four functions.

use super::changes::{Row, Rows};
use super::records;
use crate::effects;
use crate::events;
use crate::idempotency;
use crate::integrations;
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
            _ => {
                return Err(format!(
                    "rows of the kind {kind:?} are not known to this version of the gateway"
                ));
            }
        }
        Ok(())
    }

    /// All rows are in.
    pub(crate) fn taken(&self, state: &mut State) {
        state.keys.taken();
    }

    /// Forgets all that rows made, before they are read anew.
    pub(crate) fn forget(&self, state: &mut State) {
        self.clock.reset();
        state.options = self.first_options().into();
        state.events = state.events.after_reset();
        state.keys = idempotency::Keys::default();
        state.effects = effects::EffectLog::default();
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
        rows
    }

    /// Notes where the clock stands, after it was frozen, moved or resumed.
    pub(crate) fn keep_clock(&self) {
        self.write(|changes| changes.put(CLOCK, "", &self.clock.kept()));
    }
}

impl State {
    /// Notes the options, after a change.
    pub(crate) fn keep_options(&mut self) {
        let options = std::sync::Arc::clone(&self.options);
        self.changes.put(OPTIONS, "", &*options);
    }
}
