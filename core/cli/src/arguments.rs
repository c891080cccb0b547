//! The arguments of each command, and the help that lists them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Failure;

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Command {
    /// A help text, or the version.
    Text(String),
    Schemes {
        json: bool,
    },
    Verify(Inspect),
    Explain(Inspect),
    Sign(Sign),
    Listen(Listen),
    Trigger(Trigger),
    Resend(Resend),
}

impl Command {
    pub(crate) const fn is_json(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Schemes { json } => *json,
            Self::Verify(inspect) | Self::Explain(inspect) => inspect.json,
            Self::Sign(sign) => sign.json,
            Self::Listen(listen) => listen.json,
            Self::Trigger(trigger) => trigger.json,
            Self::Resend(resend) => resend.json,
        }
    }
}

/// What signs, and how: for `verify`, `explain` and `sign`.
#[derive(Debug, Default)]
pub(crate) struct Scheme {
    pub(crate) name: Option<String>,
    pub(crate) secrets: Vec<String>,
    pub(crate) secret_files: Vec<PathBuf>,
    pub(crate) template: Option<String>,
    pub(crate) webhook_id: Option<String>,
    pub(crate) topic_arn: Option<String>,
    pub(crate) key_ids: Vec<String>,
    pub(crate) components: Option<Vec<String>>,
    pub(crate) url: Option<String>,
}

/// `verify` and `explain`.
#[derive(Debug, Default)]
pub(crate) struct Inspect {
    pub(crate) scheme: Scheme,
    pub(crate) headers: Vec<String>,
    pub(crate) headers_file: Option<PathBuf>,
    pub(crate) request: Option<PathBuf>,
    pub(crate) body: Option<PathBuf>,
    pub(crate) method: Option<String>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) fetch_certificate: bool,
    pub(crate) now: Option<i64>,
    pub(crate) tolerance: Option<Duration>,
    pub(crate) json: bool,
}

/// `sign`.
#[derive(Debug, Default)]
pub(crate) struct Sign {
    pub(crate) scheme: Scheme,
    pub(crate) id: Option<String>,
    pub(crate) now: Option<i64>,
    pub(crate) body: Option<PathBuf>,
    pub(crate) json: bool,
}

/// Which gateway, and which of its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) url: String,
    pub(crate) session: Option<String>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:4011".into(),
            session: None,
        }
    }
}

/// `listen`.
#[derive(Debug, Default)]
pub(crate) struct Listen {
    pub(crate) admin: Admin,
    pub(crate) forward_to: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) secret: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) count: Option<u64>,
    pub(crate) json: bool,
}

/// `trigger`.
#[derive(Debug, Default)]
pub(crate) struct Trigger {
    pub(crate) admin: Admin,
    pub(crate) event: String,
    pub(crate) data: Option<String>,
    pub(crate) json: bool,
}

/// `resend`.
#[derive(Debug, Default)]
pub(crate) struct Resend {
    pub(crate) admin: Admin,
    pub(crate) id: String,
    pub(crate) json: bool,
}

const HELP: &str = "\
Usage: gatewright webhook COMMAND [OPTIONS]

  verify     is this request genuine?
  explain    why does it not verify, and what to do about it
  sign       the headers that a sender would send with a body
  listen     receive the gateway's webhooks without a tunnel, and forward them to a program of yours
  trigger    have the gateway publish an event
  resend     have the gateway send a delivery once more
  schemes    the schemes there are

`gatewright webhook COMMAND --help` lists its options. `gatewright --version`.
Exit code 0: done, genuine; 1: not done, refused; 2: wrong arguments.";

const SCHEME_HELP: &str = "
  --scheme NAME          see `gatewright webhook schemes`; default standard-webhooks
  --secret-file FILE     a secret a line, or a PEM block; may be repeated
  --secret SECRET        may be repeated; others on this machine can see it in the list of processes
                         without either, the environment's GATEWRIGHT_WEBHOOK_SECRET
  --template JSON|@FILE  the scheme `custom`: {\"signature_header\", \"signed\": \"{timestamp}.{body}\", \"timestamp_header\" | \"timestamp_item\",
                         \"id_header\", \"algorithm\", \"encoding\", \"prefix\", \"separator\", \"secret_encoding\"}
  --url URL              the URL that the sender called, where it is signed (twilio, square, http-signature)
  --webhook-id ID        paypal
  --topic-arn ARN        sns
  --key-id ID            http-signature: of the secret at the same place; may be repeated; default any
  --components A,B       http-signature: what must be covered; default content-digest; empty: whatever the sender covers";

const INSPECT_HELP: &str = "
  -H, --header 'N: V'    a header of the request; may be repeated
  --headers FILE         headers, one a line, as they were received
  --request FILE         a whole captured request: head, empty line, body
  --method METHOD        where it is signed; default POST
  --certificate FILE     the signer's certificate in PEM (sns, paypal)
  --fetch-certificate    fetch it from where the request says, if that is the provider's own
  --now SECONDS          unix time; default now
  --tolerance SECONDS    how far the timestamp may be off; default the scheme's
  --json                 one JSON object
  BODY                   the file with the raw body; - or nothing: standard input";

const SIGN_HELP: &str = "
  --id ID                the message's id, where the scheme has one; default a new one
  --now SECONDS          the timestamp, unix time; default now
  --json                 {\"headers\": [[name, value]], \"body\": base64}
  BODY                   the file with the body; - or nothing: standard input
Prints the headers, a line each.";

const ADMIN_HELP: &str = "
  --gateway URL          the gateway's admin address; default http://127.0.0.1:4011, or the environment's GATEWRIGHT_ADMIN_URL
  --session NAME         the gateway's session; default `default`
  --json                 one JSON object a line";

const LISTEN_HELP: &str = "
  --forward-to URL       where each webhook is sent to, just as the gateway would send it; without it they are only shown
  --endpoint ID          listen for an endpoint that is there, and leave it there; default one of its own, removed at the end
  --types TYPE,TYPE      such as contact.created or contact.*; default all
  --secret SECRET        sign with this secret; default a new one, which is shown
  --timeout SECONDS      how long your program may take for an answer; default 25
  --count N              end after N webhooks
Nothing is lost while it is not connected: the gateway keeps what comes, and sends what failed again by its schedule. With --endpoint that
holds while it is not running, too.";

/// Reads a command line without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut parser = Parser::from_args(arguments);
    match next(&mut parser)? {
        None => Err(Failure::usage(format!("say what to do\n{HELP}"))),
        Some(Word::Value(word)) if word == "webhook" => webhook(&mut parser),
        Some(Word::Value(word)) if word == "help" => Ok(Command::Text(HELP.into())),
        Some(Word::Flag(flag)) if flag == "help" => Ok(Command::Text(HELP.into())),
        Some(Word::Flag(flag)) if flag == "version" => Ok(Command::Text(format!(
            "gatewright {}",
            env!("CARGO_PKG_VERSION")
        ))),
        Some(other) => Err(Failure::usage(format!("{other} is no command\n{HELP}"))),
    }
}

/// A flag by its long name, or a word that is none.
enum Word {
    Flag(String),
    Value(OsString),
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            // A path or an id, never a secret: those are values of flags.
            Self::Value(word) => write!(f, "{:?}", word.to_string_lossy()),
        }
    }
}

fn next(parser: &mut Parser) -> Result<Option<Word>, Failure> {
    let argument = parser.next().map_err(Failure::usage)?;
    Ok(argument.map(|argument| match argument {
        Arg::Short('h') => Word::Flag("help".into()),
        Arg::Short('H') => Word::Flag("header".into()),
        Arg::Short('V') => Word::Flag("version".into()),
        Arg::Short(other) => Word::Flag(other.to_string()),
        Arg::Long(flag) => Word::Flag(flag.to_owned()),
        Arg::Value(word) => Word::Value(word),
    }))
}

fn webhook(parser: &mut Parser) -> Result<Command, Failure> {
    let word = match next(parser)? {
        Some(Word::Value(word)) => word.to_string_lossy().into_owned(),
        Some(Word::Flag(flag)) if flag == "help" => return Ok(Command::Text(HELP.into())),
        Some(Word::Flag(flag)) => {
            return Err(Failure::usage(format!("--{flag} before a command\n{HELP}")));
        }
        None => return Err(Failure::usage(format!("say what to do\n{HELP}"))),
    };
    let usage = |rest: &[&str]| {
        let rest = rest.concat();
        Ok(Command::Text(format!(
            "Usage: gatewright webhook {word} [OPTIONS]\n{rest}"
        )))
    };
    match word.as_str() {
        "verify" | "explain" => match inspect(parser)? {
            None => usage(&[SCHEME_HELP, INSPECT_HELP]),
            Some(read) if word == "verify" => Ok(Command::Verify(read)),
            Some(read) => Ok(Command::Explain(read)),
        },
        "sign" => match sign(parser)? {
            None => usage(&[SCHEME_HELP, SIGN_HELP]),
            Some(read) => Ok(Command::Sign(read)),
        },
        "listen" => match listen(parser)? {
            None => usage(&[ADMIN_HELP, LISTEN_HELP]),
            Some(read) => Ok(Command::Listen(read)),
        },
        "trigger" => match trigger(parser)? {
            None => usage(&[
                ADMIN_HELP,
                "\n  --data JSON|@FILE      the event's data; default an example of its type\n  EVENT                  such as contact.created",
            ]),
            Some(read) => Ok(Command::Trigger(read)),
        },
        "resend" => match resend(parser)? {
            None => usage(&[
                ADMIN_HELP,
                "\n  ID                     of a delivery (dlv_…), or of an event (evt_…): all its deliveries",
            ]),
            Some(read) => Ok(Command::Resend(read)),
        },
        "schemes" => match next(parser)? {
            None => Ok(Command::Schemes { json: false }),
            Some(Word::Flag(flag)) if flag == "json" => Ok(Command::Schemes { json: true }),
            Some(other) => Err(unexpected(&other)),
        },
        _ => Err(Failure::usage(format!("{word:?} is no command\n{HELP}"))),
    }
}

fn unexpected(word: &Word) -> Failure {
    Failure::usage(format!("{word} is not expected here; see --help"))
}

fn text(parser: &mut Parser) -> Result<String, Failure> {
    let value = parser.value().map_err(Failure::usage)?;
    // Without the value: it may be a secret.
    value
        .into_string()
        .map_err(|_| Failure::usage("an argument is not UTF-8"))
}

fn path(parser: &mut Parser) -> Result<PathBuf, Failure> {
    Ok(parser.value().map_err(Failure::usage)?.into())
}

fn number<N: std::str::FromStr>(parser: &mut Parser) -> Result<N, Failure>
where
    N::Err: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    parser
        .value()
        .and_then(|value| value.parse())
        .map_err(Failure::usage)
}

fn seconds(parser: &mut Parser) -> Result<Duration, Failure> {
    let seconds: f64 = number(parser)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Failure::usage(format!("{seconds} is no time in seconds")))
}

impl Scheme {
    /// Whether the flag was one of these.
    fn take(&mut self, flag: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match flag {
            "scheme" => self.name = Some(text(parser)?),
            "secret" => self.secrets.push(text(parser)?),
            "secret-file" => self.secret_files.push(path(parser)?),
            "template" => self.template = Some(text(parser)?),
            "url" => self.url = Some(text(parser)?),
            "webhook-id" => self.webhook_id = Some(text(parser)?),
            "topic-arn" => self.topic_arn = Some(text(parser)?),
            "key-id" => self.key_ids.push(text(parser)?),
            "components" => {
                let all = text(parser)?;
                let each = all.split(',').map(str::trim).filter(|one| !one.is_empty());
                self.components = Some(each.map(str::to_owned).collect());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Admin {
    fn of_environment() -> Self {
        let mut admin = Self::default();
        if let Ok(url) = std::env::var("GATEWRIGHT_ADMIN_URL") {
            admin.url = url;
        }
        admin
    }

    fn take(&mut self, flag: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match flag {
            "gateway" => self.url = text(parser)?,
            "session" => self.session = Some(text(parser)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// `None`: help is wanted.
fn inspect(parser: &mut Parser) -> Result<Option<Inspect>, Failure> {
    let mut read = Inspect::default();
    while let Some(word) = next(parser)? {
        match word {
            Word::Value(body) if read.body.is_none() => read.body = Some(body.into()),
            Word::Value(_) => return Err(unexpected(&word)),
            Word::Flag(ref flag) => match flag.as_str() {
                "help" => return Ok(None),
                "header" => read.headers.push(text(parser)?),
                "headers" => read.headers_file = Some(path(parser)?),
                "request" => read.request = Some(path(parser)?),
                "method" => read.method = Some(text(parser)?),
                "certificate" => read.certificate = Some(path(parser)?),
                "fetch-certificate" => read.fetch_certificate = true,
                "now" => read.now = Some(number(parser)?),
                "tolerance" => read.tolerance = Some(seconds(parser)?),
                "json" => read.json = true,
                flag if read.scheme.take(flag, parser)? => {}
                _ => return Err(unexpected(&word)),
            },
        }
    }
    if read.request.is_some() && read.body.is_some() {
        return Err(Failure::usage("--request has a body; give no other"));
    }
    Ok(Some(read))
}

fn sign(parser: &mut Parser) -> Result<Option<Sign>, Failure> {
    let mut read = Sign::default();
    while let Some(word) = next(parser)? {
        match word {
            Word::Value(body) if read.body.is_none() => read.body = Some(body.into()),
            Word::Value(_) => return Err(unexpected(&word)),
            Word::Flag(ref flag) => match flag.as_str() {
                "help" => return Ok(None),
                "id" => read.id = Some(text(parser)?),
                "now" => read.now = Some(number(parser)?),
                "json" => read.json = true,
                flag if read.scheme.take(flag, parser)? => {}
                _ => return Err(unexpected(&word)),
            },
        }
    }
    Ok(Some(read))
}

fn listen(parser: &mut Parser) -> Result<Option<Listen>, Failure> {
    let mut read = Listen {
        admin: Admin::of_environment(),
        ..Listen::default()
    };
    while let Some(word) = next(parser)? {
        let Word::Flag(ref flag) = word else {
            return Err(unexpected(&word));
        };
        match flag.as_str() {
            "help" => return Ok(None),
            "forward-to" => read.forward_to = Some(text(parser)?),
            "endpoint" => read.endpoint = Some(text(parser)?),
            "types" => read
                .types
                .extend(text(parser)?.split(',').map(|kind| kind.trim().to_owned())),
            "secret" => read.secret = Some(text(parser)?),
            "timeout" => read.timeout = Some(seconds(parser)?),
            "count" => read.count = Some(number(parser)?),
            "json" => read.json = true,
            flag if read.admin.take(flag, parser)? => {}
            _ => return Err(unexpected(&word)),
        }
    }
    Ok(Some(read))
}

fn trigger(parser: &mut Parser) -> Result<Option<Trigger>, Failure> {
    let mut read = Trigger {
        admin: Admin::of_environment(),
        ..Trigger::default()
    };
    while let Some(word) = next(parser)? {
        match word {
            Word::Value(event) if read.event.is_empty() => {
                read.event = event.to_string_lossy().into_owned();
            }
            Word::Value(_) => return Err(unexpected(&word)),
            Word::Flag(ref flag) => match flag.as_str() {
                "help" => return Ok(None),
                "data" => read.data = Some(text(parser)?),
                "json" => read.json = true,
                flag if read.admin.take(flag, parser)? => {}
                _ => return Err(unexpected(&word)),
            },
        }
    }
    if read.event.is_empty() {
        return Err(Failure::usage("say which event, such as contact.created"));
    }
    Ok(Some(read))
}

fn resend(parser: &mut Parser) -> Result<Option<Resend>, Failure> {
    let mut read = Resend {
        admin: Admin::of_environment(),
        ..Resend::default()
    };
    while let Some(word) = next(parser)? {
        match word {
            Word::Value(id) if read.id.is_empty() => {
                read.id = id.to_string_lossy().into_owned();
            }
            Word::Value(_) => return Err(unexpected(&word)),
            Word::Flag(ref flag) => match flag.as_str() {
                "help" => return Ok(None),
                "json" => read.json = true,
                flag if read.admin.take(flag, parser)? => {}
                _ => return Err(unexpected(&word)),
            },
        }
    }
    if read.id.is_empty() {
        return Err(Failure::usage(
            "say which delivery (dlv_…) or event (evt_…)",
        ));
    }
    Ok(Some(read))
}
