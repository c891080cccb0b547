//! The rows of idempotency keys that were answered: the same answer after a restart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Answer, KIND, Keys, RESERVATIONS, Slot};
use crate::durable::{Rows, Value};

/// A key and its answer as the row has them.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptKey {
    /// SHA-256 of the request's body, in base64.
    fingerprint: String,
    stored_ns: u64,
    status: u16,
    headers: Vec<(String, String)>,
    body: KeptBody,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeptBody {
    Base64(String),
    Text(String),
}

impl Slot {
    /// Its row, if it was answered and has one.
    pub(super) fn with_row(&self, write: impl FnOnce(&KeptKey)) {
        let Some(answer) = &self.answer else {
            return;
        };
        let headers = answer.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        write(&KeptKey {
            fingerprint: STANDARD.encode(self.fingerprint),
            stored_ns: self.stored_ns,
            status: answer.status.as_u16(),
            headers: headers.collect(),
            body: match std::str::from_utf8(&answer.body) {
                Ok(text) => KeptBody::Text(text.into()),
                Err(_) => KeptBody::Base64(STANDARD.encode(&answer.body)),
            },
        });
    }
}

impl KeptKey {
    fn answer(self) -> Option<Answer> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.insert(
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(value).ok()?,
            );
        }
        Some(Answer {
            status: StatusCode::from_u16(self.status).ok()?,
            headers,
            body: match self.body {
                KeptBody::Text(text) => text.into(),
                KeptBody::Base64(text) => Bytes::from(STANDARD.decode(text).ok()?),
            },
        })
    }
}

impl Keys {
    /// Takes a row in.
    pub(crate) fn take(&mut self, scope: &str, value: &Value) -> Result<(), String> {
        let kept: KeptKey = value.read()?;
        let stored_ns = kept.stored_ns;
        let fingerprint = STANDARD
            .decode(&kept.fingerprint)
            .ok()
            .and_then(|hash| hash.try_into().ok())
            .ok_or("its fingerprint is no SHA-256")?;
        let answer = kept.answer().ok_or("its answer is none")?;
        let reservation = RESERVATIONS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let slot = Slot {
            reservation,
            fingerprint,
            stored_ns,
            answer: Some(answer),
        };
        self.slots.insert(scope.into(), slot);
        self.order.push_back((scope.into(), reservation));
        Ok(())
    }

    /// All rows are in; they came by scope, and are forgotten by age.
    pub(crate) fn taken(&mut self) {
        let slots = &self.slots;
        let stored_ns = |scope: &str| slots.get(scope).map_or(0, |slot| slot.stored_ns);
        let order = self.order.make_contiguous();
        order.sort_by_key(|(scope, _)| stored_ns(scope));
    }

    pub(crate) fn rows(&self, out: &mut Rows) {
        for (scope, slot) in &self.slots {
            slot.with_row(|row| out.put(KIND, scope, row));
        }
    }
}
