//! Tokens of the host language's callback.

use std::sync::Arc;
use std::time::Duration;

use gatewright::runtime::BoxFuture;
use gatewright::{BoxError, FetchToken, Token};

use crate::call;
use crate::port::Port;
use crate::question::ask;

/// Asks a client's token callback.
pub(crate) struct HostTokens {
    pub(crate) port: Arc<Port>,
    /// The host language's number of the client.
    pub(crate) client: u32,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    token: String,
    expires_in_ms: Option<f64>,
}

impl FetchToken for HostTokens {
    fn fetch(&self) -> BoxFuture<'static, Result<Token, BoxError>> {
        let asked = ask(&self.port, self.client, call::current(), "token", |_| {});
        Box::pin(async move { read(asked.await?.text.as_deref()) })
    }
}

/// Reads `{token, expiresInMs}`. What is wrong is said without the answer, which may be a secret.
fn read(text: Option<&str>) -> Result<Token, BoxError> {
    let answer: Answer = text
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or(
            "the token callback must give a string, or a token with a lifetime in milliseconds",
        )?;
    let expires_in = match answer.expires_in_ms {
        None => None,
        Some(milliseconds) => Some(Duration::try_from_secs_f64(milliseconds / 1e3).map_err(
            |_| format!("the token callback gave a lifetime of {milliseconds} milliseconds"),
        )?),
    };
    Ok(Token {
        secret: answer.token.into(),
        expires_in,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_no_token_are_told_without_being_shown() {
        for text in [
            None,
            Some(r#""canary""#),
            Some(r#"{"token": ["canary"]}"#),
            Some(r#"{"token": "canary", "expiresInMs": "canary"}"#),
            Some(r#"{"token": "canary", "expiresInMs": -1}"#),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(
                error.contains("token callback") && !error.contains("canary"),
                "{error}"
            );
        }
        let token = read(Some(r#"{"token": "t", "expiresInMs": 1500.5}"#)).unwrap();
        assert_eq!(token.secret.expose(), "t");
        assert_eq!(token.expires_in, Some(Duration::from_micros(1_500_500)));
        let forever = read(Some(r#"{"token": "t", "expiresInMs": null}"#)).unwrap();
        assert_eq!(forever.expires_in, None);
    }
}
