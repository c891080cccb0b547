//! How a client proves who it is, from JSON: `{kind, …}`. Nothing of its values is ever shown.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright::oauth::{ClientAuth, Grant};
use gatewright::signing::{
    Dpop, HashAlgorithm, HmacScheme, HttpSignature, SignatureText, SigningKey,
};
use gatewright::{Auth, ClientBuilder, Error, OAuth, RequestBuilder};
use http::HeaderName;

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
        let mut settings = oauth(&parts)?;
        if parts.flag("store")? == Some(true) {
            if parts.find("tokenFile").is_some_and(|file| !file.is_null()) {
                return Err(format!("`{}` has both `tokenFile` and `store`", parts.of));
            }
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

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        self.get(name, "a string", Member::text)
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let texts = self.get(name, "a list of strings", Member::texts)?;
        Ok(texts.unwrap_or_default())
    }

    fn pairs(&self, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
        self.get(name, "a list of pairs of strings", Member::pairs)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        self.get(name, "true or false", Member::flag)
    }

    fn time(&self, name: &str) -> Result<Option<Duration>, String> {
        self.get(
            name,
            "a number of milliseconds, zero or more",
            Member::duration,
        )
    }

    fn required(&self, name: &str) -> Result<String, String> {
        self.text(name)?
            .ok_or_else(|| format!("`{}.{name}` is missing", self.of))
    }

    /// One of several words.
    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, String> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(format!(
                    "`{}.{name}` must be one of {}",
                    self.of,
                    known.join(", ")
                ))
            }
        }
    }

    /// A private key in PEM.
    fn key(&self, name: &str) -> Result<Option<SigningKey>, String> {
        let Some(pem) = self.text(name)? else {
            return Ok(None);
        };
        let key = SigningKey::from_pem(&pem);
        key.map(Some)
            .map_err(|why| format!("`{}.{name}`: {}", self.of, why.what()))
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

const HASHES: [(&str, HashAlgorithm); 2] = [
    ("sha256", HashAlgorithm::Sha256),
    ("sha512", HashAlgorithm::Sha512),
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
            let key = parts.key("key")?;
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
    let mut oauth = OAuth::new(parts.required("clientId")?).scopes(parts.texts("scopes")?);
    let (secret, key) = (parts.text("clientSecret")?, parts.key("clientKey")?);
    let (seed, file) = (parts.text("refreshToken")?, parts.text("tokenFile")?);
    let grants = [
        ("clientCredentials", Grant::ClientCredentials),
        ("login", Grant::Login),
    ];
    let keeps = file.is_some() || parts.flag("store")? == Some(true);
    let speaks_for_itself = (secret.is_some() || key.is_some()) && seed.is_none() && !keeps;
    let grant = parts.word("grant", &grants)?;
    oauth = oauth.grant(grant.unwrap_or(if speaks_for_itself {
        Grant::ClientCredentials
    } else {
        Grant::Login
    }));
    if let Some(issuer) = parts.text("issuer")? {
        oauth = oauth.issuer(issuer);
    }
    if let Some(url) = parts.text("tokenUrl")? {
        oauth = oauth.token_url(url);
    }
    if let Some(url) = parts.text("authorizationUrl")? {
        oauth = oauth.authorization_url(url);
    }
    if let Some(url) = parts.text("deviceAuthorizationUrl")? {
        oauth = oauth.device_authorization_url(url);
    }
    if let Some(url) = parts.text("revocationUrl")? {
        oauth = oauth.revocation_url(url);
    }
    if let Some(secret) = secret {
        oauth = oauth.client_secret(secret);
    }
    if let Some(key) = key {
        oauth = oauth.client_key(key, parts.text("clientKeyId")?.as_deref());
    }
    let how = [
        ("basic", ClientAuth::Basic),
        ("post", ClientAuth::Post),
        ("none", ClientAuth::None),
        ("privateKeyJwt", ClientAuth::PrivateKeyJwt),
    ];
    if let Some(how) = parts.word("clientAuth", &how)? {
        oauth = oauth.client_auth(how);
    }
    if let Some(audience) = parts.text("audience")? {
        oauth = oauth.audience(audience);
    }
    for resource in parts.texts("resources")? {
        oauth = oauth.resource(resource);
    }
    for (name, value) in parts.pairs("parameters")?.unwrap_or_default() {
        oauth = oauth.parameter(name, value);
    }
    for (name, value) in parts.pairs("headers")?.unwrap_or_default() {
        oauth = oauth.header(name, value);
    }
    if let Some(seed) = seed {
        oauth = oauth.refresh_token(seed);
    }
    if let Some(path) = file {
        oauth = token_file(oauth, &path)?;
    }
    if let Some(yes) = parts.flag("allowHttp")? {
        oauth = oauth.allow_http(yes);
    }
    if let Some(timeout) = parts.time("timeoutMs")? {
        oauth = oauth.timeout(timeout);
    }
    if let Some(key) = parts.key("dpopKey")? {
        oauth = oauth.dpop(Dpop::new(key));
    }
    Ok(oauth)
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
    let mut scheme = HmacScheme::new(parts.required("keyId")?, parts.required("secret")?);
    if let Some(algorithm) = parts.word("algorithm", &HASHES)? {
        scheme = scheme.algorithm(algorithm);
    }
    let encodings = [
        ("base64", SignatureText::Base64),
        ("base64url", SignatureText::Base64Url),
        ("hex", SignatureText::Hex),
    ];
    if let Some(encoding) = parts.word("encoding", &encodings)? {
        scheme = scheme.encoding(encoding);
    }
    if let Some(text) = parts.text("text")? {
        scheme = scheme
            .text(&text)
            .map_err(|why| format!("`{}.text` {why}", parts.of))?;
    }
    if let Some(headers) = parts.pairs("headers")? {
        let mut named = Vec::with_capacity(headers.len());
        for (name, value) in &headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| format!("`{}.headers` has a name that is none", parts.of))?;
            named.push((name, value.as_str()));
        }
        scheme = scheme
            .headers(named)
            .map_err(|why| format!("`{}.headers`: a value {why}", parts.of))?;
    }
    if let Some(text) = parts.text("unsignedStreams")? {
        scheme = scheme.unsigned_streams(text);
    }
    Ok(scheme)
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
    let key = match (parts.key("key")?, parts.text("secret")?) {
        (Some(key), None) => key,
        (None, Some(secret)) => {
            let secret = STANDARD
                .decode(secret)
                .map_err(|_| format!("`{}.secret` must be base64", parts.of))?;
            SigningKey::hmac(secret)
        }
        _ => return Err(format!("`{}` must have one of key and secret", parts.of)),
    };
    let mut signature = HttpSignature::new(parts.required("keyId")?, key);
    if parts.find("components").is_some() {
        let components = parts.texts("components")?;
        signature = signature
            .components(components.iter().map(String::as_str))
            .map_err(|why: Error| format!("`{}.components`: {}", parts.of, why.what()))?;
    }
    if let Some(label) = parts.text("label")? {
        signature = signature.label(label);
    }
    if let Some(tag) = parts.text("tag")? {
        signature = signature.tag(tag);
    }
    if let Some(lifetime) = parts.time("expiresMs")? {
        signature = signature.expires_after(lifetime);
    }
    if let Some(yes) = parts.flag("nonce")? {
        signature = signature.nonce(yes);
    }
    if let Some(yes) = parts.flag("nameAlgorithm")? {
        signature = signature.name_algorithm(yes);
    }
    if let Some(digest) = parts.word("digest", &HASHES)? {
        signature = signature.digest(digest);
    }
    if let Some(yes) = parts.flag("unsignedStreams")? {
        signature = signature.unsigned_streams(yes);
    }
    Ok(signature)
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
