//! Several credentials on one client, and which of them a call uses.

use std::sync::Arc;

use gatewright_engine::ErrorKind;
use gatewright_engine::redact::Redactor;

use crate::Error;
use crate::auth::Auth;
use crate::client::ClientBuilder;
use crate::request::RequestBuilder;

/// A credential of a client, and its place in quotas and caches.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) auth: Auth,
    /// Tells its quotas and cached answers from those of others.
    pub(crate) partition: u64,
}

impl Bound {
    fn new(auth: Auth) -> Arc<Self> {
        Arc::new(Self {
            partition: auth.partition(),
            auth,
        })
    }
}

/// Which credential a call uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The client's own.
    #[default]
    Default,
    /// None.
    Nothing,
    /// The one of this name.
    Named(String),
}

/// The credentials of a client.
#[derive(Debug)]
pub(crate) struct Credentials {
    default: Arc<Bound>,
    nothing: Arc<Bound>,
    named: Vec<(String, Arc<Bound>)>,
}

impl Credentials {
    /// Checks all of them.
    pub(crate) fn new(default: Auth, named: Vec<(String, Auth)>) -> Result<Self, Error> {
        default.check()?;
        let mut bound: Vec<(String, Arc<Bound>)> = Vec::with_capacity(named.len());
        for (name, auth) in named {
            let wrong = |what: String| Error::new(ErrorKind::InvalidConfig, what);
            if name.is_empty() || bound.iter().any(|(known, _)| *known == name) {
                return Err(wrong(format!(
                    "`credentials` has the name \"{}\" twice, or empty",
                    shown(&name)
                )));
            }
            auth.check()
                .map_err(|why| wrong(format!("credential \"{}\": {}", shown(&name), why.what())))?;
            bound.push((name, Bound::new(auth)));
        }
        Ok(Self {
            default: Bound::new(default),
            nothing: Bound::new(Auth::none()),
            named: bound,
        })
    }

    pub(crate) fn default(&self) -> &Auth {
        &self.default.auth
    }

    /// The credential of a call.
    pub(crate) fn get(&self, choice: &Choice) -> Result<Arc<Bound>, Error> {
        match choice {
            Choice::Default => Ok(Arc::clone(&self.default)),
            Choice::Nothing => Ok(Arc::clone(&self.nothing)),
            Choice::Named(name) => {
                let found = self.named.iter().find(|(known, _)| known == name);
                found.map(|(_, bound)| Arc::clone(bound)).ok_or_else(|| {
                    let what = format!("the client has no credential \"{}\"", shown(name));
                    Error::new(ErrorKind::InvalidRequest, what)
                })
            }
        }
    }

    /// Knows the secrets of all of them: an error of one call may speak of another's.
    pub(crate) fn redactor(&self) -> Redactor {
        self.named
            .iter()
            .fold(self.default.auth.redactor(), |known, (_, bound)| {
                known.and(&bound.auth.redactor())
            })
    }
}

fn shown(name: &str) -> String {
    name.chars()
        .take(60)
        .flat_map(char::escape_default)
        .collect()
}

impl ClientBuilder {
    /// A further credential, for the calls that ask for it by [`RequestBuilder::credential`]. Its quotas and cached answers are its own.
    pub fn credential(mut self, name: impl Into<String>, auth: Auth) -> Self {
        self.credentials.push((name.into(), auth));
        self
    }
}

impl RequestBuilder {
    /// Uses the client's credential of this name, see [`ClientBuilder::credential`]. Default: the client's `auth`.
    pub fn credential(mut self, name: impl Into<String>) -> Self {
        self.credential = Choice::Named(name.into());
        self
    }

    /// Sends the request without a credential.
    pub fn without_credential(mut self) -> Self {
        self.credential = Choice::Nothing;
        self
    }
}
