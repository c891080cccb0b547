//! Logins by OAuth, as the SDKs call them. Each part of one is a call; what comes of it comes as a frame.

use crate::client::NativeClient;
use crate::error::NativeError;
use crate::port::Language;

#[uniffi::export]
impl NativeClient {
    /// Begins a login with the `options` `{kind, credential, redirectUri}`: CHUNK with what the user is to be shown, or ERROR.
    pub fn begin_login(&self, call: u32, login: u32, options: &str) {
        self.client.begin_login(call, login, options);
    }

    /// Ends a login with the URL of its redirect, or waits for its user: CHUNK with what is told of the tokens, or ERROR.
    pub fn end_login(&self, call: u32, login: u32, redirect: Option<String>) {
        self.client.end_login(call, login, redirect.as_deref());
    }

    /// Forgets a login that was begun. Unknown numbers are fine.
    pub fn drop_login(&self, login: u32) {
        self.client.drop_login(login);
    }

    /// Logs out: END or ERROR. No `credential` is the client's own.
    pub fn log_out(&self, call: u32, credential: Option<String>) {
        self.client.log_out(call, credential.as_deref());
    }
}

/// A new P-256 key in PEM, for DPoP and signatures.
///
/// # Errors
/// The error as JSON, where the system gives no random numbers.
#[uniffi::export]
pub fn generate_signing_key(language: Language) -> Result<String, NativeError> {
    Ok(gatewright_boundary::generate_signing_key(language.into())?)
}
