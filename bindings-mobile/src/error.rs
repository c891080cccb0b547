//! What the SDKs are told where there is no frame to tell it by.

use std::fmt;

/// Something that was not made.
#[derive(Debug, uniffi::Error)]
pub enum NativeError {
    /// It was refused.
    Failed {
        /// The error as JSON, of the same form as in an ERROR frame; of a webhook, `{"code", "message"}`.
        msg: String,
    },
}

impl From<String> for NativeError {
    fn from(msg: String) -> Self {
        Self::Failed { msg }
    }
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { msg } = self;
        f.write_str(msg)
    }
}

impl std::error::Error for NativeError {}
