//! A verification whose body comes in pieces, after the headers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gatewright_webhook::Verifier;

use super::answer::{failed, refused};
use super::verdict::proven;

/// Verifies a body piece by piece. Nothing is to be trusted before [`finish`](Self::finish) says so.
#[derive(Debug)]
pub struct HostVerifier(Mutex<Option<Verifier>>);

impl HostVerifier {
    pub(super) fn of(verifier: Verifier) -> Self {
        Self(Mutex::new(Some(verifier)))
    }

    /// Takes the next piece: an empty text, or the error as JSON; then read no further.
    #[must_use]
    pub fn update(&self, piece: &[u8]) -> String {
        match self.lock().as_mut() {
            Some(verifier) => match verifier.update(piece) {
                Ok(()) => String::new(),
                Err(error) => refused(&error),
            },
            None => finished(),
        }
    }

    /// The verdict, as that of [`HostWebhook::verify`](crate::HostWebhook::verify). Can be asked for once.
    #[must_use]
    pub fn finish(&self) -> String {
        let taken = self.lock().take();
        match taken.map(Verifier::finish) {
            Some(Ok(verified)) => proven(&verified),
            Some(Err(error)) => refused(&error),
            None => finished(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Verifier>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finished() -> String {
    failed(
        "verifier_finished",
        "this verification is finished; begin another for each request",
    )
}
