//! The redirect of a login, taken on this machine (RFC 8252, section 7.3): a listener on 127.0.0.1 that lives for one login.
//!
//! | Request | Answer |
//! |---|---|
//! | the redirect of this login, by its `state` | a page that says how it went; the listener ends (`the_loopback_takes_its_own_redirect_alone`) |
//! | the callback with another `state` | 400, and the wait goes on: any page in the browser can send that |
//! | another path, method or `Host` | 404 or 400, and the wait goes on |
//! | a head that is too long or too slow | closed |

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use gatewright_engine::oauth::{OAuthError, OAuthErrorKind, PushBack, TokenSet};
use gatewright_engine::redact::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::endpoint::config;
use super::flow::{Login, OAuthFlow};
use super::into_error;
use crate::Error;
use crate::runtime::until;

/// The path of the redirect.
const PATH: &str = "/callback";
/// A browser's request is no longer than that.
const MOST_HEAD: usize = 16 * 1024;
/// Nor does it take longer.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once; a browser opens a few ahead of need.
const MOST_CONNECTIONS: usize = 16;

/// A login whose redirect comes to this machine.
#[derive(Debug)]
pub struct LoopbackLogin {
    login: Login,
    listener: TcpListener,
    port: u16,
}

impl OAuthFlow {
    /// Begins a login whose redirect is taken on this machine, at `http://127.0.0.1:PORT/callback` with a port that the system chooses: register
    /// `http://127.0.0.1/callback` at the server. Open [`LoopbackLogin::url`] in the user's browser, then [`LoopbackLogin::wait`].
    ///
    /// # Errors
    /// As [`OAuthFlow::authorization`]; `invalid_config` where no port can be had.
    pub async fn loopback(&self) -> Result<LoopbackLogin, Error> {
        let no_port =
            |why: std::io::Error| into_error(config(format!("no port can be listened on: {why}")));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(no_port)?;
        let port = listener.local_addr().map_err(no_port)?.port();
        let login = self
            .authorization(&format!("http://127.0.0.1:{port}{PATH}"))
            .await?;
        Ok(LoopbackLogin {
            login,
            listener,
            port,
        })
    }
}

impl LoopbackLogin {
    /// Where the user's browser goes.
    #[must_use]
    pub const fn url(&self) -> &Url {
        self.login.url()
    }

    /// Waits for the user to come back, no longer than `patience`, and exchanges the code. The tokens are kept in the store.
    ///
    /// # Errors
    /// As [`Login::finish`]; `token` where nobody came in time.
    pub async fn wait(self, patience: Duration) -> Result<TokenSet, Error> {
        let runtime = self.login.runtime();
        let give_up = runtime.instant() + patience;
        let code = until(&*runtime, give_up, self.redirected())
            .await
            .map_err(|_| OAuthError::new(OAuthErrorKind::Expired, "nobody has logged in in time"))
            .and_then(|code| code)
            .map_err(into_error)?;
        self.login.exchange(&code).await.map_err(into_error)
    }

    async fn redirected(&self) -> Result<Secret, OAuthError> {
        let mut open = FuturesUnordered::new();
        loop {
            if open.len() >= MOST_CONNECTIONS {
                if let Some(Some(outcome)) = open.next().await {
                    return outcome;
                }
                continue;
            }
            let accepted = {
                let accept = std::pin::pin!(self.listener.accept());
                if open.is_empty() {
                    Some(accept.await)
                } else {
                    match select(accept, open.next()).await {
                        Either::Left((accepted, _)) => Some(accepted),
                        Either::Right((Some(Some(outcome)), _)) => return outcome,
                        Either::Right(_) => None,
                    }
                }
            };
            if let Some(Ok((stream, _))) = accepted {
                open.push(self.serve(stream));
            }
        }
    }

    /// Answers one connection; the login's end, where it was that.
    async fn serve(&self, mut stream: TcpStream) -> Option<Result<Secret, OAuthError>> {
        let runtime = self.login.runtime();
        let give_up = runtime.instant() + HEAD_PATIENCE;
        let head = until(&*runtime, give_up, read_head(&mut stream))
            .await
            .ok()??;
        let (status, words, outcome) = self.judge(&head);
        let page =
            format!("<!doctype html><meta charset=\"utf-8\"><title>Login</title><p>{words}</p>");
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nCache-Control: no-store\r\n\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{page}",
            page.len()
        );
        let write = async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        };
        // Whether the browser still listens changes nothing.
        let _ = until(&*runtime, give_up, write).await;
        outcome
    }

    fn judge(
        &self,
        head: &str,
    ) -> (
        &'static str,
        &'static str,
        Option<Result<Secret, OAuthError>>,
    ) {
        let nothing = ("404 Not Found", "There is nothing here.", None);
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some("GET"), Some(target)) = (first.next(), first.next()) else {
            return nothing;
        };
        // A page elsewhere whose name was made to lead here has its own name in Host.
        let host = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim());
        let here = format!("127.0.0.1:{}", self.port);
        if host != Some(here.as_str()) {
            return nothing;
        }
        let Ok(url) = Url::parse(&format!("http://{here}{target}")) else {
            return nothing;
        };
        if url.path() != PATH || url.host_str() != Some("127.0.0.1") {
            return nothing;
        }
        match self.login.read(&url) {
            Ok(code) => (
                "200 OK",
                "You are logged in. You can close this page.",
                Some(Ok(code)),
            ),
            Err(PushBack::NotOurs(_)) => (
                "400 Bad Request",
                "This is not the login that was begun. Go back to the program and begin anew.",
                None,
            ),
            Err(PushBack::Failed(error)) => (
                "200 OK",
                "The login has failed. Go back to the program, which says why.",
                Some(Err(error)),
            ),
        }
    }
}

/// The head of a request, where it is one.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 || head.len() + read > MOST_HEAD {
            return None;
        }
        head.extend_from_slice(piece.get(..read)?);
    }
    String::from_utf8(head).ok()
}
