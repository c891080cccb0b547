//! How a client proves who it is, from JSON: `{kind, …}`. Nothing of its values is ever shown.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(feature = "native")]
use gatewright::signing::SigningKey;
use gatewright::signing::{Dpop, HmacScheme, HttpSignature};
use gatewright::{Auth, ClientBuilder, OAuth, RequestBuilder};

use crate::credential_parts::{self, Parts as _};
use crate::login::Settings as Logins;
use crate::members::{Member, shown_name};
#[cfg(feature = "native")]
use crate::names::Language;
use crate::port::Port;
use crate::token::HostTokens;
use crate::token_store::HostStore;
#[cfg(feature = "native")]
use crate::{error, json};

/// The client whose credentials are read.
pub(crate) struct Reader<'a> {
    pub(crate) port: &'a Arc<Port>,
    /// The host language's number of the client.
    pub(crate) client: u32,
    /// Of which credentials somebody may log in.
    pub(crate) logins: &'a mut Logins,
}

impl Reader<'_> {
    /// Reads the client's own credential, `{kind, …}`.
    pub(crate) fn own(&mut self, member: &Member<'_>) -> Result<Auth, String> {
        let parts = Parts::read(member)?;
        if parts.kind == "callback" {
            parts.used_up(&[])?;
            return Ok(Auth::token(HostTokens {
                port: Arc::clone(self.port),
                client: self.client,
            }));
        }
        self.auth(parts, None)
    }

    /// Reads `credentials`: an object of names and credentials.
    pub(crate) fn named(
        &mut self,
        mut builder: ClientBuilder,
        member: &Member<'_>,
    ) -> Result<ClientBuilder, String> {
        for named in member.members()? {
            let parts = Parts::read(&named)?;
            if parts.kind == "callback" {
                return Err("`credentials` cannot have a callback; only `auth` can".to_owned());
            }
            let auth = self.auth(parts, Some(&named.name))?;
            builder = builder.credential(named.name.clone(), auth);
        }
        Ok(builder)
    }

    fn auth(&mut self, parts: Parts<'_>, name: Option<&str>) -> Result<Auth, String> {
        if parts.kind != "oauth" {
            return auth(parts, None);
        }
        let keeps = parts.flag("store")? == Some(true);
        if keeps && parts.find("tokenFile").is_some_and(|file| !file.is_null()) {
            return Err(format!("`{}` has both `tokenFile` and `store`", parts.of));
        }
        let mut settings = oauth(&parts)?;
        if keeps {
            settings = settings.store(HostStore {
                port: Arc::clone(self.port),
                client: self.client,
                credential: name.map(str::to_owned),
            });
        }
        self.logins.keep(name, settings.clone());
        auth(parts, Some(settings))
    }
}

/// Reads a request's `credential`: a name, or false for none.
pub(crate) fn choose(
    request: RequestBuilder,
    member: &Member<'_>,
) -> Result<RequestBuilder, String> {
    if member.is_false() {
        return Ok(request.without_credential());
    }
    let name = member
        .text()
        .map_err(|_| member.must_be("the name of a credential, or false for none"))?;
    Ok(request.credential(name))
}

/// The members of a credential, by name.
struct Parts<'j> {
    /// What errors call the whole.
    of: String,
    kind: String,
    rest: Vec<Member<'j>>,
}

impl<'j> Parts<'j> {
    fn read(member: &Member<'j>) -> Result<Self, String> {
        let of = shown_name(&member.name);
        let mut kind = None;
        let mut rest = Vec::new();
        for part in member.members()? {
            if part.name == "kind" {
                kind = Some(
                    part.text()
                        .map_err(|_| format!("`{of}.kind` must be a string"))?,
                );
            } else if !KNOWN.contains(&&*part.name) {
                return Err(unknown(&of, &part.name));
            } else {
                rest.push(part);
            }
        }
        Ok(Self {
            kind: kind.ok_or_else(|| format!("`{of}.kind` is missing"))?,
            of,
            rest,
        })
    }

    /// Whether all members are among `known`.
    fn used_up(&self, known: &[&str]) -> Result<(), String> {
        match self.rest.iter().find(|part| !known.contains(&&*part.name)) {
            Some(part) => Err(unknown(&self.of, &part.name)),
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&Member<'j>> {
        self.rest.iter().find(|part| part.name == name)
    }

    /// Reads a member where it is there. Its name is that in errors.
    fn get<T>(
        &self,
        name: &str,
        what: &str,
        read: impl FnOnce(&Member<'j>) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        match self.find(name).filter(|part| !part.is_null()) {
            None => Ok(None),
            Some(part) => read(part)
                .map(Some)
                .map_err(|_| format!("`{}.{name}` must be {what}", self.of)),
        }
    }

    fn required(&self, name: &'static str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }
}

/// Names are in camel case; times are in milliseconds, and say so.
impl credential_parts::Parts for Parts<'_> {
    type Wrong = String;

    fn text(&self, name: &'static str) -> Result<Option<String>, String> {
        self.get(&self.spelled(name), "a string", Member::text)
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, String> {
        self.get(&self.spelled(name), "a list of strings", Member::texts)
    }

    fn pairs(&self, name: &'static str) -> Result<Option<Vec<(String, String)>>, String> {
        let what = "a list of pairs of strings";
        self.get(&self.spelled(name), what, Member::pairs)
    }

    fn flag(&self, name: &'static str) -> Result<Option<bool>, String> {
        self.get(&self.spelled(name), "true or false", Member::flag)
    }

    fn time(&self, name: &'static str) -> Result<Option<Duration>, String> {
        let what = "a number of milliseconds, zero or more";
        self.get(&format!("{}Ms", self.spelled(name)), what, Member::duration)
    }

    fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, String> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let bytes = STANDARD.decode(text);
        bytes
            .map(Some)
            .map_err(|_| self.unusable(name, " must be base64"))
    }

    fn keeps_tokens(&self) -> Result<bool, String> {
        Ok(self.text("token_file")?.is_some() || self.flag("store")? == Some(true))
    }

    fn with_store(&self, oauth: OAuth) -> Result<OAuth, String> {
        match self.text("token_file")? {
            Some(path) => token_file(oauth, &path),
            None => Ok(oauth),
        }
    }

    fn spelled(&self, word: &'static str) -> Cow<'static, str> {
        if !word.contains('_') {
            return Cow::Borrowed(word);
        }
        let mut spelled = String::with_capacity(word.len());
        for (at, part) in word.split('_').enumerate() {
            match part.split_at_checked(1).filter(|_| at > 0) {
                Some((first, rest)) => {
                    spelled.push_str(&first.to_ascii_uppercase());
                    spelled.push_str(rest);
                }
                None => spelled.push_str(part),
            }
        }
        Cow::Owned(spelled)
    }

    fn missing(&self, name: &'static str) -> String {
        format!("`{}.{}` is missing", self.of, self.spelled(name))
    }

    fn no_such_word(&self, name: &'static str, words: &str) -> String {
        format!(
            "`{}.{}` must be one of {words}",
            self.of,
            self.spelled(name)
        )
    }

    fn unusable(&self, name: &'static str, what: &str) -> String {
        format!("`{}.{}`{what}", self.of, self.spelled(name))
    }

    fn not_one_key(&self) -> String {
        format!("`{}` must have one of key and secret", self.of)
    }
}

fn unknown(of: &str, name: &str) -> String {
    format!(
        "`{of}` has a member \"{}\", which it does not know",
        shown_name(name)
    )
}

/// The members of all kinds.
const KNOWN: [&str; 43] = [
    "token",
    "user",
    "password",
    "key",
    "header",
    "query",
    "cookie",
    "sign",
    "clientId",
    "issuer",
    "tokenUrl",
    "authorizationUrl",
    "deviceAuthorizationUrl",
    "revocationUrl",
    "grant",
    "clientSecret",
    "clientAuth",
    "clientKey",
    "clientKeyId",
    "scopes",
    "audience",
    "resources",
    "refreshToken",
    "tokenFile",
    "store",
    "parameters",
    "headers",
    "allowHttp",
    "timeoutMs",
    "dpopKey",
    "keyId",
    "secret",
    "algorithm",
    "encoding",
    "text",
    "unsignedStreams",
    "components",
    "label",
    "tag",
    "expiresMs",
    "nonce",
    "nameAlgorithm",
    "digest",
];

fn auth(parts: Parts<'_>, settings: Option<OAuth>) -> Result<Auth, String> {
    let alone = match parts.kind.as_str() {
        "hmac" => return Ok(Auth::signed(hmac(&parts)?)),
        "httpSignature" => return Ok(Auth::signed(http_signature(&parts)?)),
        "none" => {
            parts.used_up(&["sign"])?;
            Auth::none()
        }
        "bearer" => {
            let token = parts.required("token")?;
            parts.used_up(&["token", "sign"])?;
            Auth::bearer(token)
        }
        "basic" => {
            let (user, password) = (parts.required("user")?, parts.required("password")?);
            parts.used_up(&["user", "password", "sign"])?;
            Auth::basic(user, password)
        }
        "apiKey" => api_key(&parts)?,
        "dpop" => {
            parts.used_up(&["token", "key"])?;
            let key = credential_parts::key(&parts, "key")?;
            let key = key.ok_or_else(|| format!("`{}.key` is missing", parts.of))?;
            Auth::bearer(parts.required("token")?).dpop(&Dpop::new(key))
        }
        "oauth" => match settings {
            Some(settings) => Auth::oauth(settings),
            None => Auth::oauth(oauth(&parts)?),
        },
        _ => return Err(format!("`{}` is of no kind that is known", parts.of)),
    };
    let Some(sign) = parts.find("sign") else {
        return Ok(alone);
    };
    if parts.find("dpopKey").is_some() {
        return Err(format!("`{}` has both `sign` and `dpopKey`", parts.of));
    }
    let mut sign = Parts::read(sign)?;
    sign.of = format!("{}.sign", parts.of);
    match sign.kind.as_str() {
        "hmac" => Ok(alone.and_signed(hmac(&sign)?)),
        "httpSignature" => Ok(alone.and_signed(http_signature(&sign)?)),
        _ => Err(format!("`{}` is of no kind that signs", sign.of)),
    }
}

fn api_key(parts: &Parts<'_>) -> Result<Auth, String> {
    parts.used_up(&["key", "header", "query", "cookie", "sign"])?;
    let key = parts.required("key")?;
    match (
        parts.text("header")?,
        parts.text("query")?,
        parts.text("cookie")?,
    ) {
        (Some(name), None, None) => Auth::api_key(&name, key)
            .map_err(|_| format!("`{}.header` is no header name", parts.of)),
        (None, Some(name), None) => Ok(Auth::api_key_query(name, key)),
        (None, None, Some(name)) => Ok(Auth::api_key_cookie(name, key)),
        _ => Err(format!(
            "`{}` must have one of header, query and cookie",
            parts.of
        )),
    }
}

fn oauth(parts: &Parts<'_>) -> Result<OAuth, String> {
    parts.used_up(&[
        "clientId",
        "issuer",
        "tokenUrl",
        "authorizationUrl",
        "deviceAuthorizationUrl",
        "revocationUrl",
        "grant",
        "clientSecret",
        "clientAuth",
        "clientKey",
        "clientKeyId",
        "scopes",
        "audience",
        "resources",
        "refreshToken",
        "tokenFile",
        "store",
        "parameters",
        "headers",
        "allowHttp",
        "timeoutMs",
        "dpopKey",
        "sign",
    ])?;
    credential_parts::oauth(parts)
}

#[cfg(feature = "native")]
fn token_file(oauth: OAuth, path: &str) -> Result<OAuth, String> {
    Ok(oauth.store(gatewright::token_store::FileStore::new(path)))
}

#[cfg(not(feature = "native"))]
fn token_file(_: OAuth, _: &str) -> Result<OAuth, String> {
    Err("`auth.tokenFile` cannot be used here: there are no files; only the package gatewright in Node has it".to_owned())
}

fn hmac(parts: &Parts<'_>) -> Result<HmacScheme, String> {
    parts.used_up(&[
        "keyId",
        "secret",
        "algorithm",
        "encoding",
        "text",
        "headers",
        "unsignedStreams",
    ])?;
    credential_parts::hmac(parts)
}

fn http_signature(parts: &Parts<'_>) -> Result<HttpSignature, String> {
    parts.used_up(&[
        "keyId",
        "key",
        "secret",
        "components",
        "label",
        "tag",
        "expiresMs",
        "nonce",
        "nameAlgorithm",
        "digest",
        "unsignedStreams",
    ])?;
    credential_parts::http_signature(parts)
}

/// A new P-256 key in PEM, for DPoP or for signatures.
///
/// # Errors
/// The error as JSON, where the system gives no random numbers.
#[cfg(feature = "native")]
pub fn generate_signing_key(language: Language) -> Result<String, String> {
    match SigningKey::generate_p256() {
        Ok((_, pem)) => Ok(pem.expose().to_owned()),
        Err(wrong) => Err(json::text(error::to_json(&wrong, language))),
    }
}
