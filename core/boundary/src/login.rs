//! Logging in and out by OAuth 2, for host languages. A login goes by a number of the host language's, as a list does.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | none | `begin_login` | beginning: the server may be asked for its metadata, or for a device code |
//! | beginning | that worked | begun: CHUNK with what the user is to be shown |
//! | beginning | it failed, or the call was given up | none: ERROR, or nothing |
//! | begun | `end_login` | ending: the redirect is read, or the user is waited for |
//! | begun | `drop_login`, or the client goes | none |
//! | ending | anything | none: CHUNK with what is told of the tokens, or ERROR |
//!
//! Tokens stay in Rust: they are kept in the credential's store, from where the client takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(feature = "native")]
use gatewright::oauth::LoopbackLogin;
use gatewright::oauth::{DeviceLogin, Login, OAuthFlow, TokenSet};
use gatewright::{Error, ErrorKind, OAuth};

use crate::call::Control;
use crate::client::HostClient;
use crate::frame::Frame;
use crate::json;
use crate::members::{Member, Members, shown_name};
use crate::options::invalid;
use crate::port::Port;
use crate::table::Table;

/// How long a loopback login waits, where the host language says nothing.
#[cfg(feature = "native")]
const PATIENCE: Duration = Duration::from_secs(300);

/// The OAuth settings of a client's credentials: its own has no name.
#[derive(Default)]
pub(crate) struct Settings(Vec<(Option<String>, OAuth)>);

impl Settings {
    pub(crate) fn keep(&mut self, name: Option<&str>, oauth: OAuth) {
        // Of settings that say a credential twice, the client takes the last, too.
        self.0.retain(|(known, _)| known.as_deref() != name);
        self.0.push((name.map(str::to_owned), oauth));
    }

    fn find(&self, name: Option<&str>) -> Result<&OAuth, Error> {
        let found = self.0.iter().find(|(known, _)| known.as_deref() == name);
        found.map(|(_, oauth)| oauth).ok_or_else(|| {
            invalid(match name {
                Some(name) => format!(
                    "the client has no credential \"{}\" of OAuth",
                    shown_name(name)
                ),
                None => "the client's own credential is not of OAuth".to_owned(),
            })
        })
    }
}

/// The logins of one client.
pub(crate) struct Logins {
    settings: Settings,
    begun: Table<Begun>,
    closed: AtomicBool,
}

enum Begun {
    Browser(Login),
    Device(DeviceLogin),
    #[cfg(feature = "native")]
    Loopback(LoopbackLogin, Duration),
}

impl Logins {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            begun: Table::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// No login begins any more. Those under way go on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The settings of a credential, for a login or for its end.
    fn of(&self, credential: Option<&str>) -> Result<&OAuth, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Closed, "the client is closed"));
        }
        self.settings.find(credential)
    }
}

/// How a login begins.
enum Way {
    Browser {
        redirect_uri: String,
    },
    Device,
    #[cfg(feature = "native")]
    Loopback {
        patience: Duration,
    },
}

/// Reads `{kind: "authorization" | "device" | "loopback", credential, redirectUri, timeoutMs}`.
fn read(options: &str) -> Result<(Option<String>, Way), Error> {
    let members =
        Members::read(options).map_err(|must_be| invalid(format!("the login {must_be}")))?;
    let (mut kind, mut credential, mut redirect_uri, mut patience) = (None, None, None, None);
    for member in members {
        let text = |member: &Member<'_>| member.text().map_err(invalid).map(Some);
        match &*member.name {
            "kind" => kind = text(&member)?,
            "credential" if member.is_null() => credential = None,
            "credential" => credential = text(&member)?,
            "redirectUri" => redirect_uri = text(&member)?,
            "timeoutMs" => {
                patience = Some(member.called("timeout").duration().map_err(invalid)?);
            }
            other => {
                let what = format!("\"{}\" is no option of a login", shown_name(other));
                return Err(invalid(what));
            }
        }
    }
    let way = match (kind.as_deref(), redirect_uri) {
        (Some("authorization"), Some(redirect_uri)) => Way::Browser { redirect_uri },
        (Some("authorization"), None) => {
            return Err(invalid("`redirectUri` is missing".to_owned()));
        }
        (Some("device"), None) => Way::Device,
        (Some("loopback"), None) => loopback(patience)?,
        _ => {
            let what = "a login is of the kind authorization, device or loopback";
            return Err(invalid(what.to_owned()));
        }
    };
    Ok((credential, way))
}

#[cfg(feature = "native")]
fn loopback(patience: Option<Duration>) -> Result<Way, Error> {
    let patience = patience.unwrap_or(PATIENCE);
    Ok(Way::Loopback { patience })
}

#[cfg(not(feature = "native"))]
fn loopback(_: Option<Duration>) -> Result<Way, Error> {
    let what = "a login by loopback needs a port to listen on, which there is not here; only the package gatewright in Node has it";
    Err(invalid(what.to_owned()))
}

impl HostClient {
    /// Begins a login, as a call: CHUNK with what the user is to be shown comes, or ERROR. `options` are `{kind, credential, redirectUri,
    /// timeoutMs}`: the kind `authorization` with a `redirectUri` tells `{url}`, `device` tells `{userCode, verificationUri,
    /// verificationUriComplete, expiresInMs}`, and `loopback` (natively alone) tells `{url}` and waits for `timeoutMs` at most.
    /// `credential` names one of the client's, null is its own. [`HostClient::end_login`] ends it, or [`HostClient::drop_login`].
    pub fn begin_login(&self, call: u32, login: u32, options: &str) {
        let begins = read(options).and_then(|(credential, way)| {
            let oauth = self.logins.of(credential.as_deref())?;
            Ok((oauth.over(&self.client), way))
        });
        let logins = Arc::clone(&self.logins);
        self.tell(call, async move {
            let (flow, way) = begins?;
            let (begun, told) = begin(flow, way).await?;
            drop(logins.begun.put(login, begun));
            Ok(Some(told))
        });
    }

    /// Ends a login, as a call: CHUNK with `{tokenType, scope, expiresInMs, hasRefreshToken, idToken}` comes, or ERROR. `redirect` is the URL
    /// with which the user came back, for the kind `authorization` alone; the others wait for the user. The login is over in either case.
    pub fn end_login(&self, call: u32, login: u32, redirect: Option<&str>) {
        let begun = self.logins.begun.take(login);
        let redirect = redirect.map(str::to_owned);
        self.tell(call, async move {
            let tokens = match (begun, redirect) {
                (Some(Begun::Browser(login)), Some(redirect)) => login.finish(&redirect).await?,
                (Some(Begun::Device(login)), None) => login.wait().await?,
                #[cfg(feature = "native")]
                (Some(Begun::Loopback(login, patience)), None) => login.wait(patience).await?,
                (None, _) => {
                    let what = "the login is over, whether it worked or not";
                    return Err(Error::new(ErrorKind::Closed, what));
                }
                (Some(_), _) => {
                    let what = "a redirect ends a login by a browser, and no other";
                    return Err(invalid(what.to_owned()));
                }
            };
            Ok(Some(tokens_json(&tokens)))
        });
    }

    /// Forgets a login that was begun: it cannot be ended any more. Unknown numbers are fine.
    pub fn drop_login(&self, login: u32) {
        drop(self.logins.begun.take(login));
    }

    /// Logs out, as a call: the tokens of a credential, or of the client's own, are revoked and forgotten. END comes, or ERROR.
    pub fn log_out(&self, call: u32, credential: Option<&str>) {
        let flow = self.logins.of(credential);
        let flow = flow.map(|oauth| oauth.over(&self.client));
        self.tell(call, async move {
            flow?.revoke().await?;
            Ok(None)
        });
    }

    /// A call of which JSON comes, or nothing.
    fn tell<F>(&self, call: u32, work: F)
    where
        F: Future<Output = Result<Option<Vec<u8>>, Error>> + Send + 'static,
    {
        self.port
            .begin(call, |port, control| told(port, call, control, work));
    }
}

async fn told<F>(port: Arc<Port>, call: u32, control: Arc<Control>, work: F)
where
    F: Future<Output = Result<Option<Vec<u8>>, Error>> + Send + 'static,
{
    let frame = match work.await {
        Ok(None) => Frame::End { call },
        Ok(Some(json)) => Frame::Chunk {
            call,
            bytes: json.into(),
        },
        Err(error) => Frame::Error {
            call,
            error: crate::error::to_json(&error, port.language()),
        },
    };
    port.settle(call, &control, true, frame);
}

async fn begin(flow: OAuthFlow, way: Way) -> Result<(Begun, Vec<u8>), Error> {
    Ok(match way {
        Way::Browser { redirect_uri } => {
            let login = flow.authorization(&redirect_uri).await?;
            let told = url_json(login.url().as_ref());
            (Begun::Browser(login), told)
        }
        Way::Device => {
            let login = flow.device().await?;
            let told = device_json(&login);
            (Begun::Device(login), told)
        }
        #[cfg(feature = "native")]
        Way::Loopback { patience } => {
            let login = flow.loopback().await?;
            let told = url_json(login.url().as_ref());
            (Begun::Loopback(login, patience), told)
        }
    })
}

fn url_json(url: &str) -> Vec<u8> {
    let mut out = vec![b'{'];
    json::member(&mut out, "url");
    json::string(&mut out, url);
    out.push(b'}');
    out
}

fn device_json(login: &DeviceLogin) -> Vec<u8> {
    let mut out = vec![b'{'];
    json::member(&mut out, "userCode");
    json::string(&mut out, login.user_code());
    json::member(&mut out, "verificationUri");
    json::string(&mut out, login.verification_uri().as_ref());
    json::member(&mut out, "verificationUriComplete");
    let complete = login.verification_uri_complete().map(AsRef::as_ref);
    json::or_null(&mut out, complete, json::string);
    json::member(&mut out, "expiresInMs");
    json::milliseconds(&mut out, login.expires_in());
    out.push(b'}');
    out
}

/// What is told of tokens. The access and the refresh token are not.
fn tokens_json(tokens: &TokenSet) -> Vec<u8> {
    let mut out = vec![b'{'];
    json::member(&mut out, "tokenType");
    json::string(&mut out, &tokens.token_type);
    json::member(&mut out, "scope");
    json::or_null(&mut out, tokens.scope.as_deref(), json::string);
    json::member(&mut out, "expiresInMs");
    json::or_null(&mut out, tokens.lifetime, json::milliseconds);
    json::member(&mut out, "hasRefreshToken");
    json::boolean(&mut out, tokens.refresh_token.is_some());
    json::member(&mut out, "idToken");
    let id_token = tokens.id_token.as_ref().map(|token| token.expose());
    json::or_null(&mut out, id_token, json::string);
    out.push(b'}');
    out
}
