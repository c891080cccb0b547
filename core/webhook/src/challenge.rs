//! What some providers ask of an endpoint before they send to it, and how to answer.

use crate::certificate_url::is_sns_host;
use crate::hex;
use crate::json_members::{Value, members};
use crate::key::VerifyKey;
use crate::schemes::Scheme;
use crate::url::Parts;
use crate::verified::Verified;
use crate::verify::Webhook;

/// The answer to a request that is no event but a question to the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The status to answer with.
    pub status: u16,
    /// The answer's `content-type`.
    pub content_type: &'static str,
    /// The answer's body.
    pub body: String,
    /// A URL to call with GET, which confirms the subscription (AWS SNS). It is one of AWS's own; call it only if you want that
    /// topic.
    pub visit: Option<String>,
}

impl Challenge {
    const fn json(body: String) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body,
            visit: None,
        }
    }
}

impl Webhook {
    /// The answer to give, if this request is a question to the endpoint and no event: Slack's `url_verification`, Zoom's
    /// `endpoint.url_validation`, Discord's PING, the confirmation of an SNS subscription. `None` for everything else.
    ///
    /// Only for a request that was verified: `verified` is what [`verify`](Self::verify) answered to this `body`.
    #[must_use]
    pub fn challenge(&self, verified: &Verified, body: &[u8]) -> Option<Challenge> {
        self.challenge_by_key(verified.key_index, body)
    }

    /// The same with what the bindings of this project have of a [`Verified`], the index of its key.
    #[doc(hidden)]
    #[must_use]
    pub fn challenge_by_key(&self, key_index: usize, body: &[u8]) -> Option<Challenge> {
        let text = std::str::from_utf8(body).ok()?;
        match self.scheme() {
            Scheme::Slack => slack(text),
            Scheme::Zoom => self.zoom(key_index, text),
            Scheme::Discord => discord(text),
            Scheme::Sns => sns(text),
            _ => None,
        }
    }

    /// Zoom wants its token back, with the token's MAC under the secret.
    fn zoom(&self, key_index: usize, text: &str) -> Option<Challenge> {
        let [event, payload] = members(text, ["event", "payload"])?;
        let (Value::Text(event), Value::Object(payload)) = (event?, payload?) else {
            return None;
        };
        let [token] = members(payload, ["plainToken"])?;
        let token = token?.text()?;
        let Some(VerifyKey::Hmac(key)) = self.parts.keys.get(key_index) else {
            return None;
        };
        // Only what can stand in JSON as it is: whoever asks chooses it, and gets it signed.
        let plain = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if event != "endpoint.url_validation" || token.is_empty() || token.len() > 128 || !plain {
            return None;
        }
        let mut body = ["{\"plainToken\":\"", &token, "\",\"encryptedToken\":\""].concat();
        hex::encode_into(key.mac(&[token.as_bytes()]).as_bytes(), &mut body);
        body.push_str("\"}");
        Some(Challenge::json(body))
    }
}

/// Slack wants its text back.
fn slack(text: &str) -> Option<Challenge> {
    let [kind, challenge] = members(text, ["type", "challenge"])?;
    if kind?.text()? != "url_verification" {
        return None;
    }
    Some(Challenge {
        status: 200,
        content_type: "text/plain",
        body: challenge?.text()?,
        visit: None,
    })
}

/// Interactions ask with type 1 and want it back; webhook events ask with type 0 and want nothing.
fn discord(text: &str) -> Option<Challenge> {
    let [kind, event] = members(text, ["type", "event"])?;
    match (kind?, event) {
        (Value::Number("1"), None) => Some(Challenge::json("{\"type\":1}".to_owned())),
        (Value::Number("0"), None) => Some(Challenge {
            status: 204,
            ..Challenge::json(String::new())
        }),
        _ => None,
    }
}

/// SNS wants a URL to be called, which must be its own.
fn sns(text: &str) -> Option<Challenge> {
    let [kind, url] = members(text, ["Type", "SubscribeURL"])?;
    let url = url?.text()?;
    if kind?.text()? != "SubscriptionConfirmation" || !is_of_sns(&url) {
        return None;
    }
    Some(Challenge {
        status: 200,
        content_type: "text/plain",
        body: String::new(),
        visit: Some(url),
    })
}

/// `https`, a host of SNS and nothing a URL parser could read in two ways.
fn is_of_sns(url: &str) -> bool {
    let Some(parts) = Parts::of(url) else {
        return false;
    };
    let plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    plain && parts.scheme == "https" && parts.path == "/" && is_sns_host(parts.authority)
}

#[cfg(test)]
mod tests {
    use super::{discord, is_of_sns, slack, sns};

    #[test]
    fn only_addresses_of_sns_are_to_be_visited() {
        for url in [
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=2336",
            "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription",
        ] {
            assert!(is_of_sns(url), "{url}");
        }
        for url in [
            "http://sns.us-east-1.amazonaws.com/?Action=x",
            "https://sns.us-east-1.amazonaws.com.evil.example/?Action=x",
            "https://evil.example/?sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com@evil.example/",
            "https://user@sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com:8443/",
            "https://evil.example\\@sns.us-east-1.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "https://sns.a.b.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com/other",
            "sns.us-east-1.amazonaws.com",
            "",
        ] {
            assert!(!is_of_sns(url), "{url}");
        }
        let body = r#"{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"}"#;
        let visit = sns(body).and_then(|challenge| challenge.visit);
        assert_eq!(
            visit.as_deref(),
            Some("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription")
        );
        assert_eq!(sns(&body.replace("SubscriptionC", "UnsubscribeC")), None);
        assert_eq!(sns(&body.replace("us-east-1.amazonaws", "evil")), None);
    }

    #[test]
    fn pings_are_answered_and_events_are_not() {
        let answer = discord(r#"{"type": 1, "id": "1", "token": "t"}"#).unwrap();
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"type":1}"#)
        );
        let answer = discord(r#"{"version":1,"application_id":"1","type":0}"#).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        for event in [
            r#"{"version":1,"type":1,"event":{}}"#,
            r#"{"type":2}"#,
            "{}",
            "[]",
            r#"{"type":"1"}"#,
        ] {
            assert_eq!(discord(event), None, "{event}");
        }
        let answer = slack(r#"{"token":"J","challenge":"3eZb\u0072z","type":"url_verification"}"#);
        assert_eq!(answer.unwrap().body, "3eZbrz");
        assert_eq!(slack(r#"{"challenge":"x","type":"event_callback"}"#), None);
        assert_eq!(slack("type=url_verification&challenge=x"), None);
    }
}
