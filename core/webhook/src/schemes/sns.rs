//! AWS SNS: the body is a JSON object whose members are signed as lines, by RSA with the certificate at `SigningCertURL`.
//!
//! Anybody with an AWS account can have SNS sign and deliver to any address, so the topic is what says who sent a message. Members
//! that are not signed (`MessageAttributes`, `UnsubscribeURL`) are in the body all the same.

use std::borrow::Cow;

use super::{Scheme, Settings};
use crate::algorithm::Algorithm;
use crate::candidates::{Candidates, Encoding, Form};
use crate::certificate_url::CertificateUrl;
use crate::envelope::{Assurance, Envelope, Signed, SignedText, Timestamp};
use crate::error::VerifyError;
use crate::json_members::{Value, members};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, usable_id};
use crate::received::Received;
use crate::rfc3339;
use crate::verified::BodyBound;

const SIGNATURE: Name = Cow::Borrowed("Signature");
const TIMESTAMP: Name = Cow::Borrowed("Timestamp");
const MESSAGE_ID: Name = Cow::Borrowed("MessageId");

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Sns,
    signature: SIGNATURE,
    form: form(&[(Cow::Borrowed(""), Algorithm::RsaSha1)]),
    timestamp: None,
    id: None,
    pieces: Cow::Borrowed(&[]),
    key: KeyForm::Certificate,
    // A message that could not be delivered is sent again for days, under its first timestamp.
    tolerance: u64::MAX,
};

/// `SignatureVersion` 2.
static VERSION_2: Form = form(&[(Cow::Borrowed(""), Algorithm::RsaSha256)]);

/// No signature of this version fits.
static UNKNOWN_VERSION: Form = form(&[]);

const fn form(prefixes: &'static [(Name, Algorithm)]) -> Form {
    Form {
        separator: None,
        prefixes: Cow::Borrowed(prefixes),
        encoding: Encoding::Base64,
    }
}

/// What is signed of a notification, in order; `Subject` only where there is one.
const NOTIFICATION: [&str; 6] = [
    "Message",
    "MessageId",
    "Subject",
    "Timestamp",
    "TopicArn",
    "Type",
];

/// What is signed of a message about the subscription.
const SUBSCRIPTION: [&str; 7] = [
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
];

/// The members that decide, as the body has them.
struct Said {
    kind: String,
    version: String,
    signature: String,
    certificate_url: String,
}

pub(crate) fn read<'r>(
    request: &Received<'r>,
    settings: &Settings,
) -> Result<Envelope<'r>, VerifyError> {
    let body = std::str::from_utf8(request.body).map_err(|_| VerifyError::BodyMalformed)?;
    let said = said(body).ok_or(VerifyError::BodyMalformed)?;
    let fields = match said.kind.as_str() {
        "Notification" => fields(body, NOTIFICATION, Some("Subject")),
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => fields(body, SUBSCRIPTION, None),
        _ => None,
    };
    let fields = fields.ok_or(VerifyError::BodyMalformed)?;
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let message_id = usable_id(field("MessageId").as_bytes());
    let message_id = message_id.ok_or(VerifyError::BadMessageId { name: MESSAGE_ID })?;
    let seconds = rfc3339::unix_seconds(field("Timestamp").as_bytes());
    let seconds = seconds.ok_or(VerifyError::BadTimestamp { name: TIMESTAMP })?;
    if settings.topic_arn.as_deref() != Some(field("TopicArn")) {
        return Err(VerifyError::WrongTopic);
    }
    let certificate = CertificateUrl::of_sns(&said.certificate_url);
    let certificate = certificate.ok_or(VerifyError::BadCertificateUrl)?;
    let form = match said.version.as_str() {
        "1" => &LAYOUT.form,
        "2" => &VERSION_2,
        _ => &UNKNOWN_VERSION,
    };
    let candidates = Candidates::bounded(said.signature.into_bytes(), form, &SIGNATURE)?;
    let lines = fields
        .iter()
        .flat_map(|(name, value)| [*name, "\n", value, "\n"]);
    Ok(Envelope {
        scheme: Scheme::Sns,
        timestamp: Some(Timestamp {
            seconds,
            name: TIMESTAMP,
        }),
        message_id: Some(Cow::Owned(message_id.to_owned())),
        assurance: Assurance {
            body_bound: BodyBound::Fields,
            timestamp_signed: true,
            id_signed: true,
            url_bound: false,
        },
        certificate: Some(certificate),
        signed: Signed::Texts(vec![SignedText {
            text: lines.collect::<String>().into_bytes(),
            candidates,
        }]),
    })
}

fn said(body: &str) -> Option<Said> {
    let names = ["Type", "SignatureVersion", "Signature", "SigningCertURL"];
    let [kind, version, signature, certificate_url] = members(body, names)?;
    Some(Said {
        kind: kind?.text()?,
        version: version?.text()?,
        signature: signature?.text()?,
        certificate_url: certificate_url?.text()?,
    })
}

/// The signed members with their names. All are texts, and none but the message has a line break: it would be a line of its own, and
/// what belongs to one member could be moved to another.
fn fields<const N: usize>(
    body: &str,
    names: [&'static str; N],
    optional: Option<&str>,
) -> Option<Vec<(&'static str, String)>> {
    let mut fields = Vec::with_capacity(N);
    for (name, value) in names.into_iter().zip(members(body, names)?) {
        let text = match value {
            Some(Value::Text(text)) => text,
            None if optional == Some(name) => continue,
            _ => return None,
        };
        if name != "Message" && text.chars().any(char::is_control) {
            return None;
        }
        fields.push((name, text));
    }
    Some(fields)
}
