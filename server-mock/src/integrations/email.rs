//! One attempt by SMTP.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Email, Notice, Outcome};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How the server of a URL is spoken to. Its password is in no error.
pub(super) fn transport(url: &str) -> Result<Transport, String> {
    let builder = Transport::from_url(url).map_err(
        |_| "it is smtps://user:password@host, smtp://host:587?tls=required or smtp://host:port",
    )?;
    Ok(builder.timeout(Some(TIMEOUT)).build())
}

pub(super) async fn send(email: &Email, notice: &Notice) -> Outcome {
    let (transport, message) = match (transport(&email.smtp), message(email, notice)) {
        (Ok(transport), Ok(message)) => (transport, message),
        (Err(why), _) | (_, Err(why)) => return Outcome::Refused(why),
    };
    // The transport's own time is for each command; this is for all of them.
    match tokio::time::timeout(3 * TIMEOUT, transport.send(message)).await {
        Err(_) => Outcome::Later {
            why: "the server does not get on".into(),
            wait_ms: None,
        },
        Ok(Ok(answer)) => Outcome::Sent(answer.code().to_string()),
        Ok(Err(error)) if error.is_permanent() => Outcome::Refused(error.to_string()),
        Ok(Err(error)) => Outcome::Later {
            why: error.to_string(),
            wait_ms: None,
        },
    }
}

fn message(email: &Email, notice: &Notice) -> Result<Message, String> {
    let mailbox = |address: &String| -> Result<Mailbox, String> {
        address
            .parse()
            .map_err(|_| format!("{address:?} is no address"))
    };
    let mut message = Message::builder()
        .from(mailbox(&email.from)?)
        .subject(notice.subject.clone().unwrap_or_default())
        // The same in every attempt: who gets it twice sees one.
        .message_id(Some(format!("<{}.{}@gatewright>", notice.event, notice.id)))
        .header(ContentType::TEXT_PLAIN);
    for address in &email.to {
        message = message.to(mailbox(address)?);
    }
    message
        .body(notice.text.clone())
        .map_err(|error| error.to_string())
}
